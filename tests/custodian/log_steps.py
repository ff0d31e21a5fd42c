"""A custodian with a log, and witnesses that cosign it, for tests of what is published."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from custodian import demo_steps
from custodian.demo_steps import CLEAN, NOW, WORLD
from reserveproof.custodian import publish as publishing
from reserveproof.custodian.attestation_log import AttestationLog
from reserveproof.custodian.demo_config import demo_config
from reserveproof.custodian.log_check import check
from reserveproof.custodian.log_checkpoints import Checkpoints, open_log
from reserveproof.custodian.log_publish import Logging
from reserveproof.custodian.policy_draft import policy_toml
from reserveproof.custodian.publish import publish
from reserveproof.custodian.snapshot import LedgerInput, take_ledger
from reserveproof.custodian.workspace import Snapshot, Workspace
from reserveproof.format.statement import parse_payload

ORIGIN = "demo.example/attestations"
ONE, TWO = "auditor.example/w1", "Press.example:w2"
TIME = 1_700_000_000


def seed(name: str) -> bytes:
    return hashlib.sha256(f"log test {name}".encode()).digest()


LOG = Ed25519PrivateKey.from_private_bytes(seed("log"))
ED = {name: Ed25519PrivateKey.from_private_bytes(seed(name)) for name in (ONE, TWO)}
ML = MLDSA44PrivateKey.from_seed_bytes(seed("mldsa"))


def ed_raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def log_table(needed: int = 2) -> str:
    """The table [log]: a witness with two keys, and one with one."""
    return f"""
[log]
origin = "{ORIGIN}"
key = "ed25519:{ed_raw(LOG).hex()}"
witnesses_needed = {needed}

[[log.witnesses]]
name = "{ONE}"
keys = ["ed25519:{ed_raw(ED[ONE]).hex()}", "mldsa44:{ML.public_key().public_bytes_raw().hex()}"]
url = "https://auditor.example/"

[[log.witnesses]]
name = "{TWO}"
keys = ["ed25519:{ed_raw(ED[TWO]).hex()}"]
"""


def config_with_log(needed: int = 2) -> str:
    return demo_config().decode().replace('publication = "digest"', 'publication = "log"', 1) + log_table(needed)


def put_log_into(workspace: Workspace, needed: int = 2) -> None:
    """Give the workspace a log, and the policy that asks for it."""
    workspace.config_path.write_text(config_with_log(needed), "utf-8")
    workspace.policy_path.write_text(policy_toml(workspace.config()), "utf-8")


def log_key_file(folder: Path) -> Path:
    path = folder / "log.pem"
    if not path.exists():
        path.write_bytes(LOG.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        path.chmod(0o600)
    return path


def logging_of(snapshot: Snapshot, *unpublished: int) -> Logging:
    return Logging(log_key_file(snapshot.workspace.path.parent), unpublished)


def publish_logged(snapshot: Snapshot, *unpublished: int) -> Path:
    """Publish with the real verifier; the bundle."""
    with snapshot.workspace.lock():
        return publish(snapshot, now=NOW, logging=logging_of(snapshot, *unpublished))[0]


def correction(workspace: Workspace, name: str) -> Snapshot:
    """The next statement, signed: one that corrects the last."""
    folder = workspace.path.parent / f"{workspace.path.name}-{name}"
    folder.mkdir()
    for file, data in (("ledger", WORLD.ledger_csv()), ("accounts", WORLD.accounts_csv()),
                       ("totals", WORLD.control_totals_csv())):  # fmt: skip
        (folder / f"{file}.csv").write_bytes(data)
    last = workspace.last_numbered()
    assert last
    with workspace.lock():
        snapshot = demo_steps.open_snapshot(workspace, name, WORLD)
        given = LedgerInput((folder / "ledger.csv",), folder / "accounts.csv", folder / "totals.csv")
        take_ledger(snapshot, workspace.config(), given)
    demo_steps.challenge(snapshot)
    demo_steps.attest(snapshot, dataclasses.replace(CLEAN, corrects=last.payload_sha256, reason="a test"))
    demo_steps.sign(snapshot)
    return snapshot


def key_line(name: str, kind: int, public: bytes, signature: bytes) -> str:
    """A line of a signed note, as its specification has it."""
    identity = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]
    return f"\u2014 {name} {base64.b64encode(identity + signature).decode()}\n"


def cosign_ed(name: str, text: str, time: int = TIME) -> str:
    """An Ed25519 cosignature of a checkpoint's text, written out here from the specification."""
    signature = ED[name].sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    return key_line(name, 4, ed_raw(ED[name]), time.to_bytes(8, "big") + signature)


def cosign_ml(text: str, time: int = TIME, name: str = ONE) -> str:
    """An ML-DSA-44 cosignature, the same way."""
    origin, size, root = text.splitlines()
    message = (
        b"subtree/v1\n\0" + bytes([len(name)]) + name.encode() + time.to_bytes(8, "big")
        + bytes([len(origin)]) + origin.encode() + bytes(8) + int(size).to_bytes(8, "big") + base64.b64decode(root)
    )  # fmt: skip
    return key_line(name, 6, ML.public_key().public_bytes_raw(), time.to_bytes(8, "big") + ML.sign(message))


def passed(patch: pytest.MonkeyPatch) -> list[tuple[Path, Path, Path | None]]:
    """A verifier that passes everything; what it was asked."""
    seen: list[tuple[Path, Path, Path | None]] = []

    def look(bundle: Path, policy: Path, *, log_proof: Path | None = None, at: str = "") -> None:
        seen.append((bundle, policy, log_proof))

    patch.setattr(publishing, "verify", look)
    return seen


def kept(workspace: Workspace) -> Checkpoints:
    terms = workspace.config().log
    assert terms
    return Checkpoints(workspace, terms)


def with_log(workspace: Workspace, use: Callable[[AttestationLog, Checkpoints], object]) -> object:
    with workspace.lock(), open_log(workspace) as log:
        return use(log, kept(workspace))


def holds(workspace: Workspace) -> list[str]:
    found: list[str] = []
    with_log(workspace, lambda log, points: found.extend(check(log, points)))
    return found


def payload_of(snapshot: Snapshot) -> bytes:
    return (snapshot.path / "draft" / "payload.json").read_bytes()


def entry(snapshot: Snapshot) -> bytes:
    """The entry as the format says, written out here."""
    payload = payload_of(snapshot)
    statement = parse_payload(payload).statement
    fields = {
        "as_of": statement.as_of, "custodian": "demo-custody", "payload_sha256": hashlib.sha256(payload).hexdigest(),
        "previous": statement.previous.hex() if statement.previous else "", "sequence": statement.sequence,
        "snapshot_id": snapshot.id,
    }  # fmt: skip
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def leftovers(workspace: Workspace) -> list[str]:
    return [path.name for path in workspace.path.rglob(".tmp-*")]

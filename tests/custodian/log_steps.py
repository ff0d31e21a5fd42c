"""A custodian with a log, and witnesses that cosign it, for tests of what is published."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from custodian import demo_steps
from custodian.demo_steps import CLEAN, NOW, WORLD
from reserveproof.custodian.demo_config import demo_config
from reserveproof.custodian.log_publish import Logging
from reserveproof.custodian.policy_draft import policy_toml
from reserveproof.custodian.publish import publish
from reserveproof.custodian.snapshot import LedgerInput, take_ledger
from reserveproof.custodian.workspace import Snapshot, Workspace

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
    import base64

    identity = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]
    return f"\u2014 {name} {base64.b64encode(identity + signature).decode()}\n"


def cosign_ed(name: str, text: str, time: int = TIME) -> str:
    """An Ed25519 cosignature of a checkpoint's text, written out here from the specification."""
    signature = ED[name].sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    return key_line(name, 4, ed_raw(ED[name]), time.to_bytes(8, "big") + signature)


def cosign_ml(text: str, time: int = TIME, name: str = ONE) -> str:
    """An ML-DSA-44 cosignature, the same way."""
    import base64

    origin, size, root = text.splitlines()
    message = (
        b"subtree/v1\n\0" + bytes([len(name)]) + name.encode() + time.to_bytes(8, "big")
        + bytes([len(origin)]) + origin.encode() + bytes(8) + int(size).to_bytes(8, "big") + base64.b64decode(root)
    )  # fmt: skip
    return key_line(name, 6, ML.public_key().public_bytes_raw(), time.to_bytes(8, "big") + ML.sign(message))

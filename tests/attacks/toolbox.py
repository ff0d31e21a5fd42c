"""The attacker's tools: worlds of the reference that are signed and whole, and every way to have them judged."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from reference import cases, policies, tree
from reference.canonical_json import dump
from reference.cases import Vector
from reference.cases import client as client_vector
from reference.challenge import claim, compact, text
from reference.conventions import HMAC, H, T, chain_of
from reference.edits import all_of, put
from reference.made_up import (
    BITCOIN,
    BTC_FORM,
    CLIENTS,
    LEDGER,
    POSITIONS,
    VAULT_BTC,
    VAULT_BTC_2,
    VAULT_USDC,
    Cell,
)
from reference.world import World
from reserveproof.custodian import demo_wallets
from reserveproof.format.errors import ReserveProofError
from reserveproof.format.tables import ExtractRow
from reserveproof.format.times import parse_time
from reserveproof.verifier import audit_tables, client, command
from reserveproof.verifier import public as public_steps
from reserveproof.verifier.bundle import BundleInMemory
from reserveproof.verifier.claims import make_claims
from reserveproof.verifier.last_seen import LastSeen
from reserveproof.verifier.policy import parse_policy
from reserveproof.verifier.record import Record
from reserveproof.verifier.report import CLASSES

PASSED = ("passed", 0, "")
Outcome = tuple[str, int, str]


# Judging


def outcome(run: Callable[[], object]) -> Outcome:
    """(class, step, reason); anything but a typed refusal is the verifier's own crash and is not caught."""
    try:
        run()
    except ReserveProofError as error:
        return CLASSES[error.exit_status], error.step, error.reason
    return PASSED


def seen(state: Any) -> LastSeen | None:
    if state == "":
        return None
    return LastSeen(state["as_of"], "acme-custody", bytes.fromhex(state["payload_sha256"]), state["sequence"])


def in_memory(files: dict[str, str]) -> BundleInMemory:
    return BundleInMemory({name: data.encode() for name, data in files.items()})


def claims_of(vector: Vector) -> dict[str, Any]:
    """The claims without members that are not stated."""
    claims = dict(vector["claims"])
    claims["balances"] = [
        {member: value for member, value in one.items() if value or member not in ("pool", "debit")}
        for one in claims["balances"]
    ]
    return claims


def proof_of(vector: Vector) -> bytes:
    return bytes.fromhex(vector["proof_hex"]) if "proof_hex" in vector else vector["proof"].encode()


def check_client(vector: Vector, record: Record | None = None) -> client.VerifiedClient:
    return client.check_client(
        proof_of(vector),
        statement=vector["statement"].encode() if vector["statement"] else None,
        policy=parse_policy(vector["policy"].encode()),
        claims=make_claims(claims_of(vector)),
        last=seen(vector["state"]),
        at=parse_time(vector["at"]),
        bundle=in_memory(vector["bundle"]) if vector["bundle"] else None,
        record=record or Record(),
    )


def check_public(
    vector: Vector, others: tuple[Vector, ...] = (), record: Record | None = None
) -> public_steps.VerifiedBundle:
    return public_steps.check_public(
        in_memory(vector["bundle"]),
        policy=parse_policy(vector["policy"].encode()),
        last=seen(vector["state"]),
        at=parse_time(vector["at"]),
        digest="",
        others=[check_public(other).rebuilt for other in others] or None,
        record=record or Record(),
    )


def moved_to(as_of: str) -> Callable[[Any], Any]:
    """The statement of another instant: its anchors stand close before it, as they must."""
    return all_of(put("as_of", as_of), *(put(f"anchors.{number}.time", as_of) for number in (0, 1)))


def client_outcome(**more: Any) -> Outcome:
    """What a client of a world is told."""
    vector = client_vector("attack", "an attack", "passed", **more)
    return outcome(lambda: check_client(vector))


def public(*, predicate: Callable[[Any], Any] | None = None, **more: Any) -> Vector:
    """A bundle whose statement lists few rules, and so does not say clean; none about how much is held too much."""
    few = put("rules", lambda old: [rule for rule in old if rule["id"] != "COV-07"])
    modest = all_of(put("verdict", "qualified"), few)
    edit = all_of(modest, predicate) if predicate else modest
    return cases.public("attack", "an attack", "passed", predicate=edit, **more)


def public_outcome(others: tuple[Vector, ...] = (), **more: Any) -> Outcome:
    vector = public(**more)
    return outcome(lambda: check_public(vector, others))


# Worlds


def secret(name: str) -> bytes:
    return H(b"attack wallet " + name.encode())


@cache
def account_of(name: str) -> str:
    """An account whose key is known here, in the place of one of the reference's."""
    if name.startswith("eip155:"):
        return name.rpartition(":")[0] + ":" + demo_wallets.eip191_address(secret(name))
    if name == VAULT_BTC:
        return f"{BITCOIN}:{demo_wallets.bip322_p2wpkh_address(secret(name))}"
    return f"{BITCOIN}:{demo_wallets.bip322_p2tr_address(secret(name))}"


KEYS = {account_of(name): name for name in (VAULT_BTC, VAULT_BTC_2, VAULT_USDC)}
SIGNED_POSITIONS = [
    (pool, asset, account if account.startswith("ref:") else account_of(account), *more)
    for pool, asset, account, *more in POSITIONS
]
CARLA_USDC = account_of(VAULT_USDC)


def sign(account: str, message: str, name: str = "") -> tuple[str, str]:
    """(scheme, signature) of the account's key, or of another's."""
    key = secret(name or KEYS[account])
    if account.startswith("eip155:"):
        return "eip191", demo_wallets.sign_eip191(key, message)
    if (name or KEYS[account]) == VAULT_BTC:
        return "bip322-smp", demo_wallets.sign_bip322_p2wpkh(key, message)
    return "bip322-smp", demo_wallets.sign_bip322_p2tr(key, message)


def every_cell() -> set[Cell]:
    return set(LEDGER)


def signed_world(
    tamper: Callable[[dict[str, str]], None] | None = None,
    edit_evidence: Callable[[dict[str, Any]], None] | None = None,
    profile: str = "text",
    liabilities: dict[Cell, tree.Tree] | None = None,
    **options: Any,
) -> World:
    """A world whose accounts on chains have signed their challenges, all registers public unless said otherwise.

    tamper: alters the fields of each challenge before it is signed. edit_evidence: alters the finished evidence.
    liabilities: trees in the place of the honest ones, before anything is signed.
    """
    options = {"positions": SIGNED_POSITIONS, "public": every_cell(), **options}

    class Given(World):
        def _liabilities(self, cell: Cell) -> tree.Tree:
            return (liabilities or {}).get(cell) or super()._liabilities(cell)

    drawn = Given(**options).predicate()
    claimed = claim(drawn).hex()
    stand = {row[2]: row for row in options["positions"]}

    def evidence(file: dict[str, Any]) -> None:
        account = file["account"]
        if file["type"] == "control" and account in KEYS:
            row = stand[account]
            fields = {
                "account": account,
                "custodian": drawn["custodian"]["id"],
                "pool": row[0],
                "segregation": "dedicated" if row[7] else "omnibus",
                "claim": claimed,
                "expires": drawn["claim_expires"],
            }
            if tamper:
                tamper(fields)
            line = text(
                fields["account"],
                fields["custodian"],
                fields["pool"],
                fields["segregation"],
                bytes.fromhex(fields["claim"]),
                fields["expires"],
            )
            file["profile"] = profile
            file["scheme"], file["signature"] = sign(account, line if profile == "text" else compact(account, line))
        if edit_evidence:
            edit_evidence(file)

    return Given(**options, edit_evidence=evidence)


@cache
def open_world() -> World:
    return signed_world()


# Files and commands


def write_bundle(folder: Path, files: dict[str, str] | dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def toml(claims: dict[str, Any]) -> str:
    lines = [f"{name} = {json.dumps(claims[name])}" for name in ("client_id", "client_code") if claims[name]]
    lines.append(f"dedicated = {json.dumps(claims['dedicated'])}")
    if claims["digest"]:
        lines.append(f'digest = "{claims["digest"]}"')
    for balance in claims["balances"]:
        lines += ["[[balances]]", *(f"{name} = {json.dumps(value)}" for name, value in balance.items())]
    return "\n".join(lines) + "\n"


@dataclass
class Client:
    """One client's folder: what a custodian sent, and what the client knows."""

    folder: Path
    at: str

    def arguments(self, *more: str) -> list[str]:
        folder = self.folder
        given = ["client", str(folder / "proof.json"), "--policy", str(folder / "policy.toml"), "--at", self.at]
        given += ["--claims", str(folder / "claims.toml"), "--state", str(folder / "state.json"), *more]
        if (folder / "statement.json").exists():
            given += ["--statement", str(folder / "statement.json")]
        return given


def write_client(folder: Path, vector: Vector) -> Client:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "proof.json").write_bytes(proof_of(vector))
    (folder / "policy.toml").write_text(vector["policy"])
    (folder / "claims.toml").write_text(toml(claims_of(vector)))
    if vector["statement"]:
        (folder / "statement.json").write_text(vector["statement"])
    return Client(folder, vector["at"])


def write_public(folder: Path, vector: Vector) -> list[str]:
    """The arguments of a public check of a bundle written there."""
    folder.mkdir(parents=True, exist_ok=True)
    write_bundle(folder / "bundle", vector["bundle"])
    (folder / "policy.toml").write_text(vector["policy"])
    return ["public", str(folder / "bundle"), "--policy", str(folder / "policy.toml"), "--at", vector["at"]]


@dataclass
class Ran:
    status: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.rstrip("\n").rpartition("\n")[2]

    @property
    def said_success(self) -> bool:
        return any(line.startswith("passed") for line in self.out.splitlines())

    def verdict(self) -> Outcome:
        """(class, step, reason) of a --json run."""
        document = json.loads(self.out)
        assert document["exit_status"] == self.status
        failure = document["failure"] or {"step": 0, "reason": ""}
        return document["class"], failure["step"], failure["reason"]


def run(arguments: list[str]) -> Ran:
    """The verifier's command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = command.run(arguments)
        except SystemExit as usage:
            status = usage.code if isinstance(usage.code, int) else 1
    return Ran(status, out.getvalue(), err.getvalue())


def start(arguments: list[str], *flags: str, **more: Any) -> Ran:
    """The verifier's command as a reader starts it."""
    ran = subprocess.run(
        [sys.executable, *flags, "-m", "reserveproof.verifier", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        check=False,
        **more,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


# The auditor


EXTRACT = ("pool", "asset", "client_id", "client_code", "bucket", "credit", "debit")


def extract_rows(world: World) -> list[tuple[str, ...]]:
    found = []
    for pool, asset in world.cells:
        for client_name, row in world.ledger[pool, asset].items():
            for bucket, (credit, debit) in row.items():
                found.append((pool, asset, *CLIENTS[client_name], str(bucket), str(credit), str(debit)))
    return sorted(found, key=lambda one: (*one[:3], int(one[4])))


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> bytes:
    return ("\n".join("\t".join(one) for one in (columns, *rows)) + "\n").encode()


def read_strictly(data: bytes, *, file: str, decimals: dict[str, int]) -> list[ExtractRow]:
    """A ledger as the auditor's strict reader reads it, row by row from its header on."""
    stream = io.BytesIO(data)
    layout = audit_tables.read_layout(stream, EXTRACT, file=file)
    rows = [row for _, row in audit_tables.ledger_rows(stream, layout, decimals=decimals)]
    if not rows:
        raise audit_tables.no_row(file)
    return rows


def extract_mac(world: World, rows: list[tuple[str, ...]] | None = None) -> str:
    data = table(EXTRACT, extract_rows(world) if rows is None else rows)
    return HMAC(world.snapshot_key, T("extract") + H(data)).hex()


WALLETS = (
    "account", "form", "pool", "owner_class", "segregation", "client_id", "client_code", "function", "opened",
    "observed", "encumbrance", "encumbered", "counts",
)  # fmt: skip


def wallet_rows(world: World) -> list[list[str]]:
    """The private register that says the truth about a world."""
    rows = []
    for entry, row in zip(world.entries, sorted(world.positions, key=lambda one: one[:4]), strict=True):
        position = entry["position"]
        client_id, code = CLIENTS[row[7]] if row[7] else ("", "")
        held = position["encumbered"]
        rows.append([
            position["account"], position["form"], entry["pool"], "client", position["segregation"], client_id, code,
            "vault", "2024-01-02", position["observed"], "pledge" if held != "0" else "", held,
            "no" if held != "0" else "",
        ])  # fmt: skip
    return sorted(rows, key=lambda one: (*one[:2], one[3], one[2]))


def write_audit(
    folder: Path,
    world: World,
    *,
    ledger: bytes | None = None,
    mac_rows: list[tuple[str, ...]] | None = None,
    totals: dict[Cell, int] | None = None,
    wallets: list[list[str]] | None = None,
    predicate: Callable[[Any], Any] | None = None,
    bundle: Callable[[Any], Any] | None = None,
) -> list[str]:
    """The arguments of an audit of a world: its bundle, ledger, key, accounts, totals, wallets and sealed register."""
    edits = [put("ledger.extract_mac", extract_mac(world, mac_rows))] + ([predicate] if predicate else [])
    given = write_public(folder, public(world=world, predicate=all_of(*edits), after=bundle))
    (folder / "extract.tsv").write_bytes(table(EXTRACT, extract_rows(world)) if ledger is None else ledger)
    key = folder / "snapshot.key"
    key.write_text(world.snapshot_key.hex() + "\n")
    key.chmod(0o600)
    accounts = [(client_id, "retail", "active", "no") for client_id, _ in sorted(CLIENTS.values())]
    (folder / "accounts.tsv").write_bytes(table(("client_id", "account_type", "status", "related_party"), accounts))
    owed = {cell: world.liabilities[cell].total for cell in world.cells} if totals is None else totals
    rows = [(*cell, str(total)) for cell, total in sorted(owed.items())]
    (folder / "totals.tsv").write_bytes(table(("pool", "asset", "credit"), rows))
    listed = wallet_rows(world) if wallets is None else wallets
    (folder / "wallets.tsv").write_bytes(table(WALLETS, [tuple(one) for one in listed]))
    (folder / "register.json").write_bytes(dump({"format": 1, "positions": world.entries}))
    write_bundle(folder, {f"evidence/{name}.json": data for name, data in world.evidence.items()})
    return [
        "audit", *given[1:], "--ledger", str(folder / "extract.tsv"), "--snapshot-key", str(key),
        "--accounts", str(folder / "accounts.tsv"), "--control-totals", str(folder / "totals.tsv"),
        "--wallets", str(folder / "wallets.tsv"), "--register", str(folder / "register.json"),
        "--evidence", str(folder / "evidence"),
    ]  # fmt: skip


__all__ = [
    "BTC_FORM", "CARLA_USDC", "KEYS", "PASSED", "SIGNED_POSITIONS", "Client", "Ran", "account_of", "chain_of",
    "check_client", "check_public", "claims_of", "client_outcome", "client_vector", "every_cell", "extract_mac",
    "extract_rows", "in_memory", "open_world", "outcome", "policies", "proof_of", "public", "public_outcome",
    "read_strictly", "run", "secret", "sign", "signed_world", "start", "table", "tree", "wallet_rows", "write_audit",
    "write_bundle", "write_client", "write_public",
]  # fmt: skip

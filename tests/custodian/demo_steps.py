"""The demonstration's world taken through the steps by functions, for tests that stop at one or change something."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from reserveproof.custodian import attest as attesting
from reserveproof.custodian import challenge_step, draft_store, signing
from reserveproof.custodian.attest import Attestation, Given
from reserveproof.custodian.challenge_kit import RESPONSE_COLUMNS
from reserveproof.custodian.challenge_record import Challenge
from reserveproof.custodian.csv_rows import dump_rows, split_rows
from reserveproof.custodian.demo_config import demo_config
from reserveproof.custodian.demo_world import (
    AUDITOR,
    BANK,
    LETTER,
    OFFICER,
    SILENT_WALLET,
    World,
    make_world,
    secret,
    signing_seed,
)
from reserveproof.custodian.policy_draft import policy_toml
from reserveproof.custodian.publish import publish
from reserveproof.custodian.register_input import REGISTER_COLUMNS
from reserveproof.custodian.snapshot import LedgerInput, take_ledger
from reserveproof.custodian.workspace import Snapshot, Workspace, create_workspace, open_workspace

TODAY = dt.datetime.now(dt.UTC).date()
NOW = f"{TODAY.isoformat()}T00:00:01Z"
WORLD = make_world(TODAY)
CLEAN = Given(others=frozenset())
Row = dict[str, str]


def ledger_workspace(folder: Path) -> Workspace:
    """A workspace with the snapshot s1 in the state ledger, its register and anchors filled in."""
    workspace = create_workspace(folder, demo_config())
    inputs = folder.parent / f"{folder.name}-inputs"
    inputs.mkdir()
    for name, data in (
        ("ledger.csv", WORLD.ledger_csv()),
        ("accounts.csv", WORLD.accounts_csv()),
        ("totals.csv", WORLD.control_totals_csv()),
    ):
        (inputs / name).write_bytes(data)
    with workspace.lock():
        snapshot = open_snapshot(workspace, "s1", WORLD)
        take_ledger(
            snapshot,
            workspace.config(),
            LedgerInput((inputs / "ledger.csv",), inputs / "accounts.csv", inputs / "totals.csv"),
        )
        workspace.policy_path.write_text(policy_toml(workspace.config()))
    return workspace


def published_workspace(folder: Path) -> Workspace:
    """A workspace whose snapshot s1 is published."""
    workspace = ledger_workspace(folder)
    snapshot = workspace.snapshot("s1")
    challenge(snapshot)
    if attest(snapshot).verdict != "clean":
        raise RuntimeError("the demonstration is not clean")
    sign(snapshot)
    with workspace.lock():
        publish(snapshot, now=NOW)
    return workspace


def open_snapshot(workspace: Workspace, name: str, world: World, *, as_of: str = "") -> Snapshot:
    templates = {"register.csv": world.register_csv(), "anchors.csv": world.anchors_csv()}
    return workspace.open_snapshot(
        name, as_of=as_of or world.as_of, now=NOW, key=secret(f"snapshot {name}"), templates=templates
    )


def copied(base: Path, folder: Path) -> Snapshot:
    """The snapshot s1 of a copy of a workspace."""
    shutil.copytree(base, folder)
    return open_workspace(folder).snapshot("s1")


def edit_register(snapshot: Snapshot, change: Callable[[Row], Row | None]) -> None:
    """Change rows of register.csv; None drops one."""
    path = snapshot.path / "register.csv"
    rows = [change(dict(row.fields)) for row in split_rows(path.read_bytes(), REGISTER_COLUMNS, file="r")]
    path.write_bytes(dump_rows(REGISTER_COLUMNS, ([row[c] for c in REGISTER_COLUMNS] for row in rows if row)))


def add_row(snapshot: Snapshot, **changes: str) -> None:
    """Add a copy of the first row of register.csv with changes."""
    path = snapshot.path / "register.csv"
    rows = [dict(row.fields) for row in split_rows(path.read_bytes(), REGISTER_COLUMNS, file="r")]
    rows.append(rows[0] | changes)
    path.write_bytes(dump_rows(REGISTER_COLUMNS, ([row[c] for c in REGISTER_COLUMNS] for row in rows)))


def account_of(label: str) -> str:
    return next(wallet.account for wallet in WORLD.wallets if wallet.label == label)


def challenge(snapshot: Snapshot, *, silent: Iterable[str] = (SILENT_WALLET,)) -> Challenge:
    """Freeze, and let every wallet of the world answer but the silent ones."""
    with snapshot.workspace.lock():
        frozen = challenge_step.freeze_challenge(snapshot, now=NOW).challenge
        folder = snapshot.workspace.path.parent / f"{snapshot.workspace.path.name}-{snapshot.id}-answers"
        folder.mkdir(exist_ok=True)
        (folder / LETTER).write_bytes(WORLD.letter())
        (folder / "responses.csv").write_bytes(dump_rows(RESPONSE_COLUMNS, _answers(frozen, frozenset(silent))))
        answers, _ = challenge_step.import_answers(snapshot, folder / "responses.csv")
    assert [answer.why for answer in answers] == [""] * len(answers)
    return frozen


def _answers(frozen: Challenge, silent: frozenset[str]) -> list[tuple[str, ...]]:
    wallets = {wallet.account: wallet for wallet in WORLD.wallets}
    rows = []
    for asked in frozen.wallets:
        wallet = wallets.get(asked.account)
        if wallet is None or wallet.label in silent:
            continue
        if asked.account == BANK:
            rows.append((BANK, "letter", "text", "", LETTER, "Demo Bank", WORLD.as_of[:10]))
            continue
        scheme = "eip191" if wallet.kind == "eoa" else "bip322-smp"
        rows.append((asked.account, scheme, "text", wallet.sign(frozen.message(asked, "text")), "", "", ""))
    return rows


def attest(snapshot: Snapshot, given: Given = CLEAN, *, now: str = NOW) -> Attestation:
    with snapshot.workspace.lock():
        return attesting.attest(snapshot, now=now, given=given)


def key_file(folder: Path, name: str) -> Path:
    path = folder / f"{name}.key"
    if not path.exists():
        path.write_bytes(signing_seed(name).hex().encode() + b"\n")
        path.chmod(0o600)
    return path


def sign(snapshot: Snapshot, *names: str) -> signing.Signatures:
    config, folder = snapshot.workspace.config(), snapshot.workspace.path.parent
    found = None
    with snapshot.workspace.lock():
        draft, _state, _attested = draft_store.load(snapshot)
        message = signing.signed_bytes(draft.payload)
        for name in names or (OFFICER, AUDITOR):
            made = signing.sign_with_key(config, key_file(folder, name), message)
            found = signing.accept(snapshot, made, draft.payload)
    assert found
    return found

"""`reserveproof check` and `snapshot`."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from ..format import limits
from ..format.amounts import to_readable
from ..format.errors import InputError, ReserveProofError, UsageError
from ..format.statement import Anchor
from ..format.tables import EXTRACT_FILE
from . import atomic_files
from .challenge_step import ANCHORS_FILE, REGISTER_FILE
from .command_output import Folder, SnapshotId, say, warn, working
from .config import Config
from .csv_rows import read_bytes
from .extract_scan import frozen_extract
from .ledger_findings import LedgerFindingsError
from .policy_draft import policy_toml
from .register_checks import anchors_at_odds, clients_at_odds, dedicated_clients, off_anchor, shown_balances
from .register_input import RegisterRow, parse_anchors, read_register
from .snapshot import LedgerInput, check_inputs, take_ledger
from .snapshot_records import LedgerState
from .workspace import Snapshot, State, Workspace, open_workspace

if TYPE_CHECKING:
    from .ledger import Query

_FEW = 5
"""Holders below which a published total is somebody's balance (rule PRV-03)."""

Ledger = Annotated[
    list[Path] | None,
    typer.Option("--ledger", metavar="FILE", help="A ledger, CSV or .parquet; again for more of it.", exists=True,
                 dir_okay=False, show_default=False),
]  # fmt: skip
Accounts = Annotated[
    Path | None,
    typer.Option("--accounts", metavar="FILE", help="CSV of the accounts: type, status, related party.", exists=True,
                 dir_okay=False, show_default=False),
]  # fmt: skip
ControlTotals = Annotated[
    Path | None,
    typer.Option("--control-totals", metavar="FILE", help="CSV of the general ledger's totals.", exists=True,
                 dir_okay=False, show_default=False),
]  # fmt: skip
Sql = Annotated[
    Path | None,
    typer.Option("--query", metavar="FILE", help="A file with one SELECT that gives the ledger's columns.", exists=True,
                 dir_okay=False, show_default=False),
]  # fmt: skip
Driver = Annotated[str, typer.Option("--driver", metavar="NAME", help="Of the query's database: sqlite or postgresql.")]
ConnectionFile = Annotated[
    Path | None,
    typer.Option("--connection-file", metavar="FILE", help="A file (0600) with its connection string.",
                 show_default=False),
]  # fmt: skip
ConnectionVariable = Annotated[
    str, typer.Option("--connection-variable", metavar="NAME", help="An environment variable with it.")
]


Previous = Annotated[
    str, typer.Option("--previous", metavar="ID", help="The snapshot whose clients are compared with these.")
]


def add(app: typer.Typer) -> None:
    app.command("check")(check)
    app.command("snapshot")(snapshot)


def _query(sql: Path | None, driver: str, connection_file: Path | None, connection_variable: str) -> tuple[Query, ...]:
    if sql is None:
        if driver or connection_file or connection_variable:
            raise UsageError("--driver and --connection-… go with --query")
        return ()
    if driver not in ("sqlite", "postgresql"):
        raise UsageError("--query needs --driver sqlite or --driver postgresql")
    from .ledger import Query

    return (Query(cast(Literal["sqlite", "postgresql"], driver), sql, connection_file, connection_variable),)


def check(
    folder: Folder,
    snapshot_id: Annotated[
        str, typer.Argument(metavar="[ID]", help="A snapshot, for its register and anchors.", show_default=False)
    ] = "",
    ledger: Ledger = None,
    accounts: Accounts = None,
    control_totals: ControlTotals = None,
    previous: Previous = "",
    query: Sql = None,
    driver: Driver = "",
    connection_file: ConnectionFile = None,
    connection_variable: ConnectionVariable = "",
) -> None:
    """Check what was filled in, before anything is built. Every problem is named, not only the first."""
    workspace = open_workspace(folder)
    config = workspace.config()
    say(f"{workspace.config_path}: ok, {len(config.pools)} pools, {len(config.assets)} assets")
    problems: list[ReserveProofError] = []
    try:
        policy_toml(config)
    except InputError as error:
        problems.append(error)
    rows: tuple[RegisterRow, ...] = ()
    if snapshot_id:
        rows, found = _check_snapshot(workspace.snapshot(snapshot_id), config)
        problems += found
    sources = (*(ledger or ()), *_query(query, driver, connection_file, connection_variable))
    if sources:
        before = workspace.snapshot(previous) if previous else None
        problems += _check_ledger(workspace, config, LedgerInput(sources, accounts, control_totals, before), rows)
    elif accounts or control_totals or previous:
        raise UsageError("--accounts, --control-totals and --previous go with --ledger or --query")
    else:
        say("no ledger was given: not checked")
    if problems:
        for problem in problems[:-1]:
            warn(problem.message, problem.hint)
        raise problems[-1]


def _check_snapshot(
    snapshot: Snapshot, config: Config
) -> tuple[tuple[RegisterRow, ...], tuple[ReserveProofError, ...]]:
    """The rows of the register that are sound, and what is wrong with it and with the anchors."""
    snapshot.state()
    opened = snapshot.opened()
    snapshot.key()
    assets = {asset.asset for asset in config.assets}
    pools = {pool.pool: assets for pool in config.pools}
    path, anchors_path = snapshot.path / REGISTER_FILE, snapshot.path / ANCHORS_FILE
    rows, found = read_register(path, assets=config.assets, pools=pools)
    for line in shown_balances(rows, {pool.pool: pool.register for pool in config.pools}):
        warn(line, 'with register = "blinded", an auditor only')
    wrong: list[ReserveProofError] = []
    anchors: tuple[Anchor, ...] = ()
    try:
        data = read_bytes(anchors_path, limits.MAX_TOML_BYTES)
        anchors = parse_anchors(data, file=str(anchors_path))
        wrong += anchors_at_odds(data, anchors, opened.as_of, file=str(anchors_path))
    except InputError as error:
        wrong.append(error)
    else:
        found = (*found, *off_anchor(rows, anchors, file=str(path)))
    if snapshot.has(State.LEDGER):
        found = (*found, *clients_at_odds(rows, _frozen_codes(snapshot, dedicated_clients(rows)), file=str(path)))
    if not found:
        say(f"{path}: ok, {len(rows)} rows")
    if not wrong:
        say(f"{anchors_path}: ok, {len(anchors)} anchors")
    return rows, (*found, *wrong)


def _frozen_codes(snapshot: Snapshot, clients: frozenset[str]) -> dict[str, str]:
    """The codes that these clients have in the ledger that was taken."""
    if not clients:
        return {}
    extract, sha256 = snapshot.ledger_folder / EXTRACT_FILE, snapshot.ledger().extract_sha256
    with (
        snapshot.workspace.lock(),  # whoever holds it tidies away temporary names, and a scratch directory has one
        working("reading the extract") as progress,
        frozen_extract(extract, sha256=sha256, scratch=snapshot.workspace.path, progress=progress) as frozen,
    ):
        return frozen.scan(clients, progress=progress).codes


def _check_ledger(
    workspace: Workspace, config: Config, given: LedgerInput, rows: tuple[RegisterRow, ...]
) -> tuple[InputError, ...]:
    with (
        workspace.lock(),  # whoever holds it tidies away temporary names, and this is one
        working("checking the ledger") as progress,
        atomic_files.transport(f"work in {workspace.path}"),
        tempfile.TemporaryDirectory(prefix=atomic_files.TEMPORARY, dir=workspace.path) as scratch,
    ):
        found = check_inputs(config, given, Path(scratch), rows, progress=progress)
    if not found:
        say("ledger: ok")
    return found


def snapshot(
    folder: Folder,
    snapshot_id: SnapshotId,
    ledger: Ledger = None,
    accounts: Accounts = None,
    control_totals: ControlTotals = None,
    previous: Previous = "",
    accept_findings: Annotated[
        bool, typer.Option("--accept-findings", help="Freeze a ledger that the rules find fault with.")
    ] = False,
    query: Sql = None,
    driver: Driver = "",
    connection_file: ConnectionFile = None,
    connection_variable: ConnectionVariable = "",
) -> None:
    """Take the ledger of a snapshot and build its liabilities trees."""
    workspace = open_workspace(folder)
    sources = (*(ledger or ()), *_query(query, driver, connection_file, connection_variable))
    if not sources:
        raise UsageError("no ledger was given", hint="--ledger FILE, or --query FILE with --driver and a connection")
    with workspace.lock():
        config = workspace.config()
        one = workspace.snapshot(snapshot_id)
        before = workspace.snapshot(previous) if previous else None
        accepted: list[InputError] | None = [] if accept_findings else None
        try:
            with working(f"building the trees of {one.id}") as progress:
                given = LedgerInput(sources, accounts, control_totals, before, accepted)
                state = take_ledger(one, config, given, progress=progress)
        except LedgerFindingsError as error:
            for finding in error.findings:
                warn(finding.message, finding.hint)
            raise
    for finding in accepted or ():
        warn(finding.message, "accepted")
    if accepted:
        warn("the statement will say that it fails: these findings are accepted and frozen")
    for line in _summary(state, config):
        say(line)
    if before is None and (earlier := _earlier(one)):
        say(f"--previous was not given: clients who are gone since {earlier} were not looked for")
    say(f"next: reserveproof challenge {folder} {one.id}")


def _earlier(snapshot: Snapshot) -> str:
    """The last snapshot before this one that has a ledger; "" if there is none."""
    as_of, found = snapshot.opened().as_of, []
    for other in snapshot.workspace.snapshots():
        with contextlib.suppress(ReserveProofError):
            if other.id != snapshot.id and other.has(State.LEDGER) and other.opened().as_of <= as_of:
                found.append((other.opened().as_of, other.id))
    return max(found)[1] if found else ""


def _summary(state: LedgerState, config: Config) -> list[str]:
    lines = [f"{state.rows} rows in {len(state.cells)} trees"]
    for cell in state.cells:
        digits = config.asset(cell.asset).decimals
        debit = f", debits of {to_readable(cell.debit, digits)} apart" if cell.debit else ""
        lines.append(
            f"{cell.pool} {cell.asset}: {to_readable(cell.credit, digits)} owed to {cell.holders} holders{debit}"
            f" ({cell.leaves} leaves, depth {cell.depth})"
        )
        if 0 < cell.holders < _FEW:
            lines.append(f"  fewer than {_FEW} holders: what is published here is close to somebody's balance")
    for given, what in ((state.accounts, "--accounts"), (state.control_totals, "--control-totals")):
        if not given:
            lines.append(f"{what} was not given: the rules that need it will not be assessed")
    return lines

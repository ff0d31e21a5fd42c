"""From a ledger to the state "ledger": import it, build every liabilities tree, and put all in place at once."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..format.errors import InputError, UsageError
from ..format.tables import EXTRACT_FILE
from . import atomic_files
from .config import Config
from .ledger_findings import LedgerFindingsError, Names, ledger_findings
from .progress import SILENT, Progress
from .register_checks import REGISTER_FILE, clients_at_odds, dedicated_clients
from .register_input import RegisterRow
from .snapshot_records import (
    FORMAT,
    AccountSummary,
    CellSummary,
    ControlCredit,
    LedgerState,
    NamedClients,
    SourceSummary,
    TypeSummary,
    state_json,
)
from .snapshot_trees import build_liabilities
from .workspace import LEDGER_FOLDER, Snapshot, State

if TYPE_CHECKING:
    # The ledger's engine is heavy; it is loaded when a ledger is.
    from .ledger import LedgerSummary, Source
    from .ledger_engine import Engine
    from .ledger_facts import LedgerFacts, Listed


@dataclass(frozen=True, slots=True)
class LedgerInput:
    """What a ledger comes as. previous: the snapshot whose clients are compared with this one's. accepted: where
    findings go that the custodian accepts, None if it accepts none."""

    sources: Sequence[Source]
    accounts: Path | None = None
    control_totals: Path | None = None
    previous: Snapshot | None = None
    accepted: list[InputError] | None = None

    @property
    def names(self) -> Names:
        return Names.of(self.sources, self.accounts, self.control_totals)


def take_ledger(snapshot: Snapshot, config: Config, given: LedgerInput, *, progress: Progress = SILENT) -> LedgerState:
    """Bring an opened snapshot to the state "ledger", under the workspace's lock.

    InputError names the first row that is refused; LedgerFindingsError has what the rules will fail, unless that is
    accepted; UsageError if the snapshot has a ledger; TransportError where the disk fails. Until ledger.json is in
    place nothing of it counts, and the next run starts anew.
    """
    from .ledger import import_ledger

    snapshot.require_not(State.LEDGER)
    snapshot.require(State.OPENED)
    opened, key = snapshot.opened(), snapshot.key()
    previous, before = _previous(snapshot, given.previous)
    if snapshot.ledger_folder.exists():
        # A run was killed after it had renamed the folder and before ledger.json said so.
        with atomic_files.transport(f"tidy {snapshot.path}"):
            shutil.rmtree(snapshot.ledger_folder)
    with atomic_files.new_folder(snapshot.path / LEDGER_FOLDER) as folder:
        summary = import_ledger(
            given.sources,
            pools=frozenset(pool.pool for pool in config.pools),
            decimals=config.decimals,
            out_dir=folder,
            scratch=folder,
            accounts=given.accounts,
            control_totals=given.control_totals,
            previous=previous,
            progress=progress,
        )
        if (
            previous is not None
            and before is not None
            and (summary.previous is None or summary.previous.sha256 != before.extract_sha256.hex())
        ):
            raise _not_its_extract(previous)
        credits = {place: cell.credit for place, cell in summary.cells.items()}
        if findings := ledger_findings(config, given.names, summary.facts, credits):
            if given.accepted is None:
                raise LedgerFindingsError(findings)
            given.accepted.extend(findings)
        cells = build_liabilities(
            folder, config, opened.snapshot_id, snapshot_key=key,
            extract_sha256=bytes.fromhex(summary.extract_sha256), progress=progress,
        )  # fmt: skip
        state = _state(summary, cells, given.previous.id if given.previous else "")
    snapshot.write_state(State.LEDGER, state_json(state))
    return state


def _previous(snapshot: Snapshot, previous: Snapshot | None) -> tuple[Path | None, LedgerState | None]:
    """The extract to compare with, and what was said of it."""
    if previous is None:
        return None, None
    if previous.id == snapshot.id:
        raise UsageError("a snapshot is not its own previous one", reason="previous")
    return previous.ledger_folder / EXTRACT_FILE, previous.ledger()


def _state(
    summary: LedgerSummary,
    cells: tuple[CellSummary, ...],
    previous: str,
) -> LedgerState:
    found = {(c.pool, c.asset): (c.rows, c.credit, c.debit) for c in cells}
    wanted = {key: (c.rows, c.credit, c.debit) for key, c in summary.cells.items()}
    if found != wanted:
        raise RuntimeError("the trees do not have the rows and totals of the ledger imported")
    facts = summary.facts
    accounts: tuple[AccountSummary, ...] = ()
    if facts.by_type is not None:
        if facts.untagged is None or facts.mistagged is None or facts.absent is None:
            raise RuntimeError("the accounts were counted in part")
        accounts = (
            AccountSummary(
                absent=_named(facts.absent),
                by_type=tuple(
                    TypeSummary(
                        account_type=kind,
                        asset=asset,
                        credit=credit,
                        debit=debit,
                        holders=holders,
                        pool=pool,
                    )
                    for (pool, asset, kind), (holders, credit, debit) in sorted(facts.by_type.items())
                ),
                mistagged=_named(facts.mistagged),
                untagged=_named(facts.untagged),
            ),
        )
    control: tuple[tuple[ControlCredit, ...], ...] = ()
    if facts.control is not None:
        rows = sorted(facts.control.items())
        control = (tuple(ControlCredit(asset=asset, credit=credit, pool=pool) for (pool, asset), credit in rows),)
    return LedgerState(
        accounts=accounts,
        accounts_sha256=_digest(summary.accounts_sha256),
        cells=cells,
        clients=facts.clients,
        control_totals=control,
        control_totals_sha256=_digest(summary.control_totals_sha256),
        dropped=(_named(facts.dropped),) if facts.dropped is not None else (),
        extract_sha256=bytes.fromhex(summary.extract_sha256),
        format=FORMAT,
        previous=previous,
        rows=summary.rows,
        sources=tuple(_sources(summary)),
    )


def _sources(summary: LedgerSummary) -> Iterator[SourceSummary]:
    given = [("ledger", source) for source in summary.sources]
    given += [
        (role, source)
        for role, source in (
            ("accounts", summary.accounts), ("control-totals", summary.control_totals), ("previous", summary.previous)
        )
        if source
    ]  # fmt: skip
    for role, source in given:
        # A path may hold any byte; what JSON cannot hold is escaped.
        name = source.name.encode("unicode_escape").decode("ascii")[-4096:]
        yield SourceSummary(name=name, role=role, rows=source.rows, sha256=bytes.fromhex(source.sha256))


def _named(listed: Listed) -> NamedClients:
    return NamedClients(listed.count, tuple(listed.first))


def _digest(text: str) -> bytes | None:
    return bytes.fromhex(text) if text else None


def check_inputs(
    config: Config,
    given: LedgerInput,
    scratch: Path,
    register: Sequence[RegisterRow] = (),
    *,
    progress: Progress = SILENT,
) -> tuple[InputError, ...]:
    """All that take_ledger would refuse of the tables, up to a limit, and nothing written. register: rows whose
    clients are looked for in the ledger."""
    from .ledger import check_ledger
    from .ledger_facts import client_codes

    def judge(facts: LedgerFacts, credits: Mapping[tuple[str, str], int], engine: Engine) -> Iterator[InputError]:
        yield from ledger_findings(config, given.names, facts, credits)
        codes = client_codes(engine, dedicated_clients(register))
        yield from clients_at_odds(register, codes, file=REGISTER_FILE)

    previous = None
    if given.previous is not None:
        previous = given.previous.ledger_folder / EXTRACT_FILE
        _refuse_changed(previous, given.previous.ledger())
    return check_ledger(
        given.sources,
        pools=frozenset(pool.pool for pool in config.pools),
        decimals=config.decimals,
        scratch=scratch,
        accounts=given.accounts,
        control_totals=given.control_totals,
        previous=previous,
        judge=judge,
        progress=progress,
    )


def _refuse_changed(extract: Path, state: LedgerState) -> None:
    with atomic_files.transport(f"read {extract}"), extract.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").digest() != state.extract_sha256:
            raise _not_its_extract(extract)


def _not_its_extract(extract: Path) -> InputError:
    return InputError("is not the extract that its snapshot was made of", file=str(extract), reason="damaged",
                      hint="restore it from a copy")  # fmt: skip

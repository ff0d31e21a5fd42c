"""A client ledger in, the canonical extract out: the only input to the liabilities trees.

Whatever the ledger comes as, the same rows give the same bytes. A ledger with one bad row is refused whole.
See docs/reference/ledger.md for what is read and docs/spec/extract.md for what is written.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..format.amounts import from_typed
from ..format.errors import InputError, TransportError, UsageError
from ..format.limits import AMOUNT_BOUND
from ..format.tables import (
    ACCOUNTS_COLUMNS,
    CONTROL_TOTALS_COLUMNS,
    CONTROL_TOTALS_FILE,
    EXTRACT_FILE,
    ControlTotalRow,
    write_control_totals,
)
from .ledger_arrow import Query, open_parquet, spool_query
from .ledger_checks import double_accounts, double_lines, totals, two_codes
from .ledger_csv import CsvTable, scan
from .ledger_engine import Engine
from .ledger_facts import LedgerFacts, gather
from .ledger_load import Table, load_accounts, load_lines, load_previous
from .ledger_naming import name_codes, name_doubles, name_rows, name_unsound
from .ledger_previous import name_previous, scan_previous
from .ledger_publish import kept_or_removed, write_accounts, write_extract
from .ledger_rules import LEDGER_COLUMNS, MAX_PROBLEMS, EnoughError, Findings, Grid, Problem, Record, account
from .progress import SILENT, Progress

__all__ = ["Cell", "LedgerSummary", "Query", "SourceFile", "check_ledger", "import_ledger"]

Source = Path | Query
"""A CSV file, a Parquet file (its name ends in .parquet), or a query."""


Judge = Callable[[LedgerFacts, Mapping[tuple[str, str], int], Engine], Iterable[InputError]]
"""Told the facts of a ledger that can be imported, its credits by (pool, asset), and the engine that holds it."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read. sha256: of its bytes; for a query, of the query's text. rows: without the header."""

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One (pool, asset) of a ledger. credit, debit: base units."""

    rows: int
    credit: int
    debit: int


@dataclass(frozen=True, slots=True)
class LedgerSummary:
    """What was imported. cells: as the rows loaded add up. The digests are of the files written; "" for one whose
    input was not given."""

    rows: int
    cells: Mapping[tuple[str, str], Cell]
    extract_sha256: str
    accounts_sha256: str
    control_totals_sha256: str
    sources: tuple[SourceFile, ...]
    accounts: SourceFile | None
    control_totals: SourceFile | None
    previous: SourceFile | None
    facts: LedgerFacts


def import_ledger(
    sources: Sequence[Source],
    *,
    pools: frozenset[str],
    decimals: Mapping[str, int],
    out_dir: Path,
    scratch: Path,
    accounts: Path | None = None,
    control_totals: Path | None = None,
    previous: Path | None = None,
    progress: Progress = SILENT,
) -> LedgerSummary:
    """Read sources as one ledger and write extract.tsv (and accounts.tsv, control-totals.tsv) into out_dir.

    pools, decimals: the names a row may use, and each asset's digits after the point. previous: the extract of
    the snapshot before, for what was dropped since. scratch: a directory on a disk with room for the ledger; a
    private directory inside it is used and removed.

    InputError names file, row, column, value and rule of the first thing refused; then nothing was written. The
    extract is renamed into place last; one that exists is never replaced (UsageError). It was not read back:
    whoever reads it judges every row, and compares what the cells add up to. TransportError where a file, a
    database or the disk fails.
    """
    if (out_dir / EXTRACT_FILE).exists():
        raise UsageError(f"{out_dir / EXTRACT_FILE} exists", hint="another ledger is another snapshot")
    grid = Grid(pools, dict(decimals))
    with _work_directory(scratch) as work, kept_or_removed(out_dir) as publish:
        findings = Findings()
        opened_sources = [_open(source, at, work, findings, progress) for at, source in enumerate(sources)]
        account_table = scan(accounts, ACCOUNTS_COLUMNS, findings, progress) if accounts else None
        control_table = scan(control_totals, CONTROL_TOTALS_COLUMNS, findings) if control_totals else None
        control = _read_control(control_table, grid, findings) if control_table else None
        before = _read_previous(previous, progress) if previous else None
        with Engine(work, _paths(opened_sources, account_table, previous)) as engine:
            if previous and before:
                _load_previous(engine, previous, before.rows, progress)
            _load(engine, opened_sources, account_table, grid, findings, progress)
            sums = _sound_totals(engine, opened_sources, findings)
            rows = sum(table.rows for table in opened_sources)
            facts = gather(
                engine, rows=rows, accounts=account_table is not None, previous=previous is not None, control=control,
                progress=progress,
            )  # fmt: skip
            control_sha = accounts_sha = ""
            if control is not None:
                credits = (ControlTotalRow(*cell, credit) for cell, credit in sorted(control.items()))
                control_sha = publish.write(CONTROL_TOTALS_FILE, write_control_totals(credits))
            if account_table:
                accounts_sha = write_accounts(publish, engine, account_table.rows, progress)
            extract_sha = write_extract(publish, engine, rows, progress)
        publish.keep()
    return LedgerSummary(
        rows,
        {place: Cell(*total) for place, total in sums.items()},
        extract_sha,
        accounts_sha,
        control_sha,
        tuple(_named(table) for table in opened_sources),
        _named(account_table) if account_table else None,
        _named(control_table) if control_table else None,
        before,
        facts,
    )


def check_ledger(
    sources: Sequence[Source],
    *,
    pools: frozenset[str],
    decimals: Mapping[str, int],
    scratch: Path,
    accounts: Path | None = None,
    control_totals: Path | None = None,
    previous: Path | None = None,
    judge: Judge | None = None,
    progress: Progress = SILENT,
) -> tuple[InputError, ...]:
    """All that import_ledger would refuse, up to MAX_PROBLEMS, and nothing written; () if it would take all.

    A file that cannot be read as a table at all counts as one problem. Doubles and totals are looked for only
    when every row is sound, and judge is asked only when nothing was found.
    """
    grid = Grid(pools, dict(decimals))
    findings = Findings(MAX_PROBLEMS)
    with _work_directory(scratch) as work:
        try:
            files: list[Table] = []
            for at, source in enumerate(sources):
                _try(findings, lambda at=at, source=source: files.append(_open(source, at, work, findings, progress)))  # type: ignore[misc]
            sides: dict[str, CsvTable] = {}
            for name, path, columns in (
                ("accounts", accounts, ACCOUNTS_COLUMNS),
                ("control", control_totals, CONTROL_TOTALS_COLUMNS),
            ):
                if path:
                    _try(findings, lambda n=name, p=path, c=columns: sides.update({n: scan(p, c, findings, progress)}))  # type: ignore[misc]
            control = _read_control(sides["control"], grid, findings) if "control" in sides else None
            before: list[SourceFile] = []
            if previous:
                _try(findings, lambda: before.append(_read_previous(previous, progress)))
            account_table = sides.get("accounts")
            if findings.found:
                # What has no shape cannot be loaded: every row is looked at one by one instead.
                name_rows(files, grid.ledger, findings)
                name_rows([account_table] if account_table else [], account, findings)
            else:
                with Engine(work, _paths(files, account_table, previous)) as engine:
                    if previous:
                        _try(findings, lambda: _load_previous(engine, previous, before[0].rows, progress))
                    _load(engine, files, account_table, grid, findings, progress)
                    sums = {} if findings.found else _sound_totals(engine, files, findings)
                    if judge and not findings.found:
                        facts = gather(
                            engine, rows=sum(table.rows for table in files), accounts=account_table is not None,
                            previous=previous is not None, control=control, progress=progress,
                        )  # fmt: skip
                        findings.found += judge(facts, {cell: credit for cell, (_, credit, _) in sums.items()}, engine)
        except EnoughError:
            pass
    return tuple(findings.found)


def _try(findings: Findings, step: Callable[[], object]) -> None:
    try:
        step()
    except InputError as problem:
        findings.add(problem)


def _named(table: Table) -> SourceFile:
    return SourceFile(table.name, table.sha256, table.rows)


def _paths(files: Sequence[Table], accounts: CsvTable | None, previous: Path | None) -> list[Path]:
    """The files that the engine itself reads."""
    found = [table.path for table in files if isinstance(table, CsvTable)]
    return found + ([accounts.path] if accounts else []) + ([previous] if previous else [])


def _open(source: Source, at: int, work: Path, findings: Findings, progress: Progress) -> Table:
    if isinstance(source, Query):
        return spool_query(source, LEDGER_COLUMNS, work / f"query-{at}.parquet")
    if source.suffix.lower() == ".parquet":
        return open_parquet(source, LEDGER_COLUMNS)
    return scan(source, LEDGER_COLUMNS, findings, progress)


def _load(
    engine: Engine,
    files: Sequence[Table],
    accounts: CsvTable | None,
    grid: Grid,
    findings: Findings,
    progress: Progress,
) -> None:
    """Load every table; where one is not sound, name its rows, and every row that stands twice."""
    if not files:
        raise UsageError("no ledger was given")
    rows = sum(table.rows for table in files)
    with (
        _explained(files, grid.ledger, findings),
        progress.stage("sorting the ledger", rows, "lines") as advance,
    ):
        if not load_lines(engine, grid, files, advance):
            name_unsound(files, grid.ledger, findings)
    if accounts:
        with _explained([accounts], account, findings):
            if not load_accounts(engine, accounts):
                name_unsound([accounts], account, findings)
    if findings.found:
        return
    limit = findings.limit or 1
    with progress.stage("looking for doubles", 2 * rows, "lines") as advance:
        twice = set(double_lines(engine, rows, limit, advance))
        name_doubles(files, ("client_id", "pool", "asset", "bucket"), twice, findings)
        name_codes(files, set(two_codes(engine, rows, limit, advance)), findings)
    if accounts:
        double = {(client,) for client in double_accounts(engine, limit)}
        name_doubles([accounts], ("client_id",), double, findings)


@contextmanager
def _explained(
    tables: Sequence[Table], rules: Callable[[Record], Iterator[Problem]], findings: Findings
) -> Iterator[None]:
    """Where DuckDB cannot even load tables (text that is not UTF-8), name the rows instead."""
    try:
        yield
    except TransportError:
        before = len(findings.found)
        name_rows(tables, rules, findings)
        if len(findings.found) == before:
            raise


def _sound_totals(
    engine: Engine, files: Sequence[Table], findings: Findings
) -> dict[tuple[str, str], tuple[int, int, int]]:
    sums = totals(engine)
    name = files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more"
    for (pool, asset), (_, credit, debit) in sums.items():
        for column, total in (("credit", credit), ("debit", debit)):
            if total >= AMOUNT_BOUND:
                findings.add(
                    InputError(
                        f"adds up to 2^127 base units or more in pool {pool}, asset {asset}",
                        file=name,
                        column=column,
                        value=str(total),
                        reason="total",
                    )
                )
    return sums


def _read_control(table: CsvTable, grid: Grid, findings: Findings) -> dict[tuple[str, str], int]:
    totals: dict[tuple[str, str], int] = {}
    rows: dict[tuple[str, str], int] = {}
    for row, record in table.records():
        problems = list(grid.control(record))
        for column, value, rule in problems:
            findings.add(InputError(rule, file=table.name, row=row, column=column, value=value, reason="value"))
        if problems:
            continue
        pool, asset, credit = (str(record[column]) for column in CONTROL_TOTALS_COLUMNS)
        if (pool, asset) in totals:
            findings.add(
                InputError(
                    f"stands twice: first in row {rows[pool, asset]}",
                    file=table.name,
                    row=row,
                    column="pool, asset",
                    value=f"{pool} {asset}",
                    reason="duplicate",
                )
            )
        totals[pool, asset], rows[pool, asset] = from_typed(credit, grid.decimals[asset]), row
    table.unchanged()
    return totals


def _read_previous(path: Path, progress: Progress) -> SourceFile:
    """Judge the bytes of an earlier extract; its digest, to be compared with what was attested then."""
    sha256, rows = scan_previous(path, progress)
    return SourceFile(str(path), sha256, rows)


def _load_previous(engine: Engine, path: Path, rows: int, progress: Progress) -> None:
    with progress.stage(f"loading {path.name}", 2 * rows, "lines") as advance:
        sound = load_previous(engine, path, rows, advance)
    if not sound:
        name_previous(path)


@contextmanager
def _work_directory(scratch: Path) -> Iterator[Path]:
    """A private directory that is gone afterwards."""
    place = scratch.resolve()
    if any(sign in str(place) for sign in "*?[]"):
        raise UsageError(f"{place} holds one of the characters * ? [ ]", hint="use another scratch directory")
    try:
        work = Path(tempfile.mkdtemp(prefix="reserveproof-ledger-", dir=place))
    except OSError as error:
        raise TransportError(f"cannot work in {place}: {error.strerror}", reason="scratch") from None
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)

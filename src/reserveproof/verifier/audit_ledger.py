"""The ledger of an audit and the tables beside it: read, sorted and judged range by range, then put together.

docs/spec/extract.md. Workers do what is said of one chunk or one range of clients (audit_sort, audit_clients); here
their answers are checked to be all of it, and added up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..format.tables import EXTRACT_COLUMNS
from ..segregation.published_text import PublishedText
from . import audit_places
from .audit_clients import SAMPLE, CellSums, ClientRange, Judged, Judging, Twin, judge_range
from .audit_lines import CODES, AccountJudge, Judge, LedgerJudge, PreviousJudge
from .audit_sort import SIZES, Map, Sizes, SortedTable, Source, cuts, open_source, sort_table
from .hashing import RECORD_BYTES, TreeName
from .progress import Progress
from .scratch import Part, read_part

Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Means:
    """What an audit works with: a folder of its own, workers, a watcher, and how much is held at a time."""

    folder: Path
    map_: Map
    progress: Progress
    sizes: Sizes = SIZES


@dataclass(frozen=True, slots=True)
class AuditTables:
    """The tables as they were handed in, sorted by range of clients. None: not given."""

    sources: tuple[Source, ...]
    decimals: dict[str, int]
    ledger: SortedTable
    account_source: Source | None
    accounts: SortedTable | None
    previous: SortedTable | None


@dataclass(slots=True)
class JudgedLedger:
    """All ranges together. texts and leaves: parts of each cell, in the order of their ranges."""

    last: str = ""
    """The last client of the ranges so far."""
    rows: int = 0
    accounts: int = 0
    previous: int = 0
    sums: dict[Cell, CellSums] = field(default_factory=dict)
    by_type: dict[tuple[str, str, str], CellSums] = field(default_factory=dict)
    own: dict[tuple[str, str, str], int] = field(default_factory=dict)
    untagged: list[str] = field(default_factory=list)
    mistagged: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    direct: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    not_searched: int = 0
    two_codes: str | None = None
    twin: Twin | None = None
    too_large: set[Cell] = field(default_factory=set)
    texts: dict[Cell, list[Part]] = field(default_factory=dict)
    leaves: dict[Cell, list[Part]] = field(default_factory=dict)

    def add(self, judged: Judged) -> None:
        """The next range. RuntimeError if it does not follow: a client in two ranges would be judged by halves."""
        if judged.ends is not None:
            first, last = judged.ends
            if first <= self.last:
                raise RuntimeError("a client stands in two ranges, or ranges are out of order")
            self.last = last
        self.rows += judged.rows
        self.accounts += judged.accounts
        self.previous += judged.previous
        for (name, account_type), its in judged.sums.items():
            cell = _cell(name)
            self.sums.setdefault(cell, CellSums()).add(its)
            if account_type is not None:
                self.by_type.setdefault((*cell, account_type), CellSums()).add(its)
        self.own.update({(client, *_cell(name)): credit for (client, name), credit in judged.own.items()})
        for name in ("untagged", "mistagged", "absent", "dropped", "direct", "hashes"):
            sample: list[str] = getattr(self, name)
            sample += getattr(judged, name)[: SAMPLE - len(sample)]
        self.not_searched += judged.not_searched
        self.two_codes = self.two_codes or judged.two_codes
        twins = [twin for twin in (self.twin, judged.twin) if twin is not None]
        self.twin = min(twins, default=None)
        self.too_large |= set(map(_cell, judged.too_large))
        for name, part in judged.texts.items():
            self.texts.setdefault(_cell(name), []).append(part)
        for name, part in judged.leaves.items():
            self.leaves.setdefault(_cell(name), []).append(part)


def _cell(name: str) -> Cell:
    pool, asset = name.split(" ")
    return pool, asset


def read_tables(
    ledger: Sequence[Path], accounts: Path | None, previous: Path | None, decimals: dict[str, int], means: Means
) -> AuditTables:
    """Reads every table once. InputError names file, row and column of the first row that is refused."""
    judges: tuple[Judge, ...] = (LedgerJudge(decimals), AccountJudge(), PreviousJudge())
    paths = (ledger, [accounts] if accounts else [], [previous] if previous else [])
    sources = [
        [open_source(path, judge.columns) for path in its] for judge, its in zip(judges, paths, strict=True)
    ]  # fmt: skip
    whole = sum(source.end - source.start for its in sources for source in its)
    cut_at = cuts([source for its in sources for source in its], -(-whole // means.sizes.clients))
    tables = [
        sort_table(
            its, judge, cut_at, means.folder, sizes=means.sizes, map_=means.map_, progress=means.progress
        )
        if its
        else None
        for its, judge in zip(sources, judges, strict=True)
    ]  # fmt: skip
    if tables[0] is None:
        raise RuntimeError("no ledger")
    return AuditTables(
        tuple(sources[0]), decimals, tables[0], sources[1][0] if sources[1] else None, tables[1], tables[2]
    )


def judge_ledger(
    tables: AuditTables,
    keys: Mapping[Cell, tuple[TreeName, bytes]],
    dedicated: frozenset[str],
    published: PublishedText,
    means: Means,
) -> JudgedLedger:
    """Every client's rows, account and leaves. InputError for an account that stands twice; what is at fault in the
    ledger is handed on, for step 13 to refuse."""
    judging = Judging(
        means.folder,
        {" ".join(cell): key for cell, key in keys.items()},
        dedicated,
        tables.accounts is not None,
        tables.previous is not None,
        published,
    )
    beside = [
        table.ranges if table else ((),) * len(tables.ledger.ranges) for table in (tables.accounts, tables.previous)
    ]
    tasks = [
        ClientRange(number, *parts)
        for number, parts in enumerate(zip(tables.ledger.ranges, *beside, strict=True))
    ]  # fmt: skip
    found = JudgedLedger()
    twice: str | None = None
    with means.progress.stage("hashing leaves", tables.ledger.lines, "rows") as advance:
        for judged in means.map_(partial(judge_range, judging), tasks):
            found.add(judged)
            twice = twice or judged.account_twice
            advance(judged.rows)
    if twice is not None and tables.account_source is not None:
        raise audit_places.account_twice(twice, [tables.account_source])
    written = [table.lines if table else 0 for table in (tables.ledger, tables.accounts, tables.previous)]
    if [found.rows, found.accounts, found.previous] != written:
        raise RuntimeError("rows were lost, or judged twice")
    return found


# (13)
def check_rows(tables: AuditTables, found: JudgedLedger) -> None:
    """One code a client over the whole ledger, and one row for each pool, asset, client and bucket. InputError names
    both rows; of several, those of the first client (codes), or the first in the extract's order."""
    if found.two_codes is not None:
        raise audit_places.two_codes(found.two_codes, tables.sources, tables.decimals)
    if found.twin is not None:
        name, client_id, mark = found.twin
        raise audit_places.twin_rows(*_cell(name), client_id, CODES[mark], tables.sources, tables.decimals)


def extract_digest(found: JudgedLedger, means: Means) -> bytes:
    """SHA-256 of the canonical extract, over the rows in its order."""
    state = hashlib.sha256(("\t".join(EXTRACT_COLUMNS) + "\n").encode("ascii"))
    rows = 0
    with means.progress.stage("hashing the extract", found.rows, "rows") as advance:
        for cell in sorted(found.texts):
            for part in found.texts[cell]:
                text = read_part(part)
                state.update(text)
                rows += text.count(b"\n")
                advance(text.count(b"\n"))
    if rows != found.rows:
        raise RuntimeError("rows of the extract were lost, or given twice")
    return state.digest()


def leaves_of(found: JudgedLedger, cell: Cell) -> tuple[Part, ...]:
    """The runs of a tree's leaves. RuntimeError if they are not one for each client of the cell."""
    runs = tuple(found.leaves.get(cell, ()))
    leaves = found.sums[cell].leaves if cell in found.sums else 0
    if sum(run.length for run in runs) != leaves * RECORD_BYTES:
        raise RuntimeError("leaves were lost, or made twice")
    return runs

"""The second half of an audit's sorting: one range of clients, whole, by one worker.

Whatever is to be said of one client stands in one range (audit_sort). Here its codes, its rows and its account are
compared, its leaves are hashed, and its canonical rows are written for the extract: both in parts, one a (pool,
asset), so that all ranges together give each tree its leaves and the extract its order. What is at fault is handed on
as a fact: which of several is named is for the whole audit to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..format.limits import AMOUNT_BOUND
from ..format.vocabulary import RELATED_TYPES
from ..segregation.published_text import PublishedText, is_searchable
from .audit_lines import CODES
from .hashing import SecretLeaves, Tree, TreeName, client_holder, entries_details, line_entry
from .scratch import Part, read_part, write_parts

SAMPLE = 100
"""Clients that a finding names; the rest are counted by the rule's own note."""
Twin = tuple[str, str, str]
"""("pool asset", client id, bucket mark) of two rows: they compare as rows of the extract do."""


@dataclass(frozen=True, slots=True)
class Judging:
    """What every range is judged by. keys: name and key of the tree of each "pool asset" of the statement."""

    folder: Path
    keys: Mapping[str, tuple[TreeName, bytes]]
    dedicated: frozenset[str]
    accounts: bool
    previous: bool
    published: PublishedText


@dataclass(frozen=True, slots=True)
class ClientRange:
    """A worker's task: the sorted parts of each table that hold these clients."""

    number: int
    ledger: tuple[Part, ...]
    accounts: tuple[Part, ...]
    previous: tuple[Part, ...]


@dataclass(slots=True)
class CellSums:
    """Of one (pool, asset) and one type of account."""

    leaves: int = 0
    holders: int = 0
    credit: int = 0
    debit: int = 0

    def add(self, other: CellSums) -> None:
        self.leaves += other.leaves
        self.holders += other.holders
        self.credit += other.credit
        self.debit += other.debit


@dataclass(slots=True)
class Judged:
    """What a range leaves behind: sums by "pool asset", samples in the order of client ids, and what is at fault."""

    ends: tuple[str, str] | None = None
    """The first client and the last one, of all tables; None if there is none."""
    rows: int = 0
    accounts: int = 0
    previous: int = 0
    """Lines that were read, of each table."""
    sums: dict[tuple[str, str | None], CellSums] = field(default_factory=dict)
    """By "pool asset" and account type; None where there is no account."""
    own: dict[tuple[str, str], int] = field(default_factory=dict)
    """Credit by dedicated client and "pool asset"."""
    untagged: list[str] = field(default_factory=list)
    mistagged: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    direct: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    not_searched: int = 0
    two_codes: str | None = None
    twin: Twin | None = None
    account_twice: str | None = None
    too_large: set[str] = field(default_factory=set)
    """Each "pool asset" in which a client's sum is not below 2^127."""
    texts: dict[str, Part] = field(default_factory=dict)
    leaves: dict[str, Part] = field(default_factory=dict)
    """By "pool asset": canonical rows in the extract's order, and leaf records in order of digest."""


@dataclass(slots=True)
class _Cell:
    """A (pool, asset) of the range at hand: its canonical rows and its leaves. hasher: None where the statement has
    no such tree."""

    prefix: str
    hasher: SecretLeaves | None
    rows: list[str] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class _Accounts:
    types: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)


def judge_range(judging: Judging, task: ClientRange) -> Judged:
    """A worker's task. Memory: some hundred bytes for each row of the range."""
    judged = Judged()
    ledger, beside, previous = map(_lines, (task.ledger, task.accounts, task.previous))
    judged.rows, judged.accounts, judged.previous = len(ledger), len(beside), len(previous)
    judged.ends = _ends(ledger, beside, previous)
    accounts = _accounts(beside, judged)
    cells: dict[str, _Cell] = {}
    clients = _clients(ledger, cells, accounts, judging, judged)
    if judging.accounts:
        judged.untagged = [client for client in clients if client not in accounts.types][:SAMPLE]
        present = set(clients)
        open_accounts = (client for client in accounts.types if client not in accounts.closed)
        judged.absent = [client for client in open_accounts if client not in present][:SAMPLE]
    if judging.previous:
        present = set(clients) | accounts.closed
        before = dict.fromkeys(line[:-1] for line in previous)
        judged.dropped = [client for client in before if client not in present][:SAMPLE]
    _search(clients, judging.published, judged)
    for cell in cells.values():
        cell.leaves.sort()
    names = sorted(cells)
    texts = ("".join(cells[name].rows).encode("ascii") for name in names)
    judged.texts = dict(zip(names, write_parts(judging.folder / f"rows-{task.number}", texts), strict=True))
    leaves = (b"".join(cells[name].leaves) for name in names)
    judged.leaves = dict(zip(names, write_parts(judging.folder / f"leaves-{task.number}", leaves), strict=True))
    return judged


def _lines(parts: tuple[Part, ...]) -> list[str]:
    """The lines of all parts in order: each is sorted, so this merges them."""
    lines: list[str] = []
    for part in parts:
        lines += read_part(part).decode("ascii")[:-1].split("\n")
    lines.sort()
    return lines


def _ends(*tables: list[str]) -> tuple[str, str] | None:
    """The first client and the last one of sorted lines."""
    clients = [line.partition("\t")[0] for lines in tables if lines for line in (lines[0], lines[-1])]
    return (min(clients), max(clients)) if clients else None


def _accounts(lines: list[str], judged: Judged) -> _Accounts:
    accounts = _Accounts()
    for line in lines:
        client, account_type, status, related = line.split("\t")
        if client in accounts.types:
            judged.account_twice = judged.account_twice or client
        accounts.types[client] = account_type
        if status == "closed":
            accounts.closed.add(client)
        if (related == "yes") != (account_type in RELATED_TYPES) and len(judged.mistagged) < SAMPLE:
            judged.mistagged.append(client)
    return accounts


def _clients(
    lines: list[str], cells: dict[str, _Cell], accounts: _Accounts, judging: Judging, judged: Judged
) -> list[str]:
    """Every client of the range, ascending; cells and judged are filled from the lines, which are in order of client,
    code, "pool asset" and bucket: the rows of one leaf stand together, and so do a client's codes."""
    clients: list[str] = []
    by_type: dict[str | None, dict[str, tuple[CellSums, _Cell]]] = {}
    places: dict[str, tuple[CellSums, _Cell]] = {}
    sums, cell = CellSums(), _Cell("", None)
    dedicated, too_large = judging.dedicated, judged.too_large
    client = code = name = mark = ""  # no line is of them: an id is never empty
    holder, ids = b"", ""
    count = credit = debit = 0
    entries = b""

    def finish_leaf() -> None:
        sums.leaves += 1
        if credit:
            sums.holders += 1
            sums.credit += credit
        if debit:
            sums.debit += debit
        if credit >= AMOUNT_BOUND or debit >= AMOUNT_BOUND:
            too_large.add(name)
        elif cell.hasher is not None:
            details = _NOTHING_DETAILS.get(entries) or entries_details(count, entries)
            cell.leaves.append(cell.hasher.record(holder, details, credit))
        if client in dedicated:
            judged.own[client, name] = credit

    # The loop that every row of a ledger goes through.
    for line in lines:
        its_client, its_code, its_name, its_mark, credit_text, debit_text = line.split("\t")
        if its_client != client or its_code != code or its_name != name:
            if count:
                finish_leaf()
            if its_client != client:
                clients.append(its_client)
                places = by_type.setdefault(accounts.types.get(its_client), {})
            elif its_code != code and judged.two_codes is None:
                judged.two_codes = client
            if its_client != client or its_code != code:
                client, code = its_client, its_code
                holder, ids = client_holder(client, code), f"\t{client}\t{code}\t"
            name = its_name
            place = places.get(name)
            if place is None:
                cell = cells.get(name) or cells.setdefault(name, _cell(name, judging))
                place = places[name] = CellSums(), cell
            sums, cell = place
            count = credit = debit = 0
            entries = b""
        elif its_mark == mark:
            twin = (name, client, mark)
            judged.twin = twin if judged.twin is None else min(twin, judged.twin)
            continue
        mark = its_mark
        if credit_text == "0" == debit_text:
            entries += _NOTHING[mark]
        else:
            its_credit, its_debit = int(credit_text), int(debit_text)
            entries += line_entry(CODES[mark], its_credit, its_debit)
            credit += its_credit
            debit += its_debit
        count += 1
        cell.rows.append(f"{cell.prefix}{ids}{_BUCKETS[mark]}\t{credit_text}\t{debit_text}\n")
    if count:
        finish_leaf()
    judged.sums = {
        (name, account_type): its for account_type, all_of in by_type.items() for name, (its, _) in all_of.items()
    }
    return clients


_NOTHING = {mark: line_entry(code, 0, 0) for mark, code in CODES.items()}
_NOTHING_DETAILS = {entries: entries_details(1, entries) for entries in _NOTHING.values()}
"""Of the lines that hold nothing, which are many."""
_BUCKETS = {mark: str(code) for mark, code in CODES.items()}


def _cell(name: str, judging: Judging) -> _Cell:
    tree = judging.keys.get(name)
    return _Cell(name.replace(" ", "\t"), SecretLeaves(Tree(tree[0]), tree[1]) if tree else None)


def _search(clients: list[str], published: PublishedText, judged: Judged) -> None:
    """PRV-01: which clients stand in what is published."""
    for client in clients:
        judged.not_searched += not is_searchable(client)
        if len(judged.direct) < SAMPLE and (member := published.where(client)):
            judged.direct.append(f"{client} in {member}")
        if len(judged.hashes) < SAMPLE and published.shows_hash(client):
            judged.hashes.append(f"of {client}")

"""Every liabilities tree of an extract, and the book of its clients: by the native kernel, or in Python where it is
not installed. Both give the same files.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from ..format.errors import EvidenceError, InputError, UsageError
from ..format.tables import EXTRACT_FILE, ExtractRow, read_extract
from . import kernel
from .atomic_files import PRIVATE_FOLDER
from .client_book import (
    BOOK_FILE,
    MAX_TREES,
    BookLine,
    BookWriter,
    checked_record,
    client_key,
    client_record,
    index_key,
    key_mark,
    records_bytes,
)
from .config import Config
from .progress import SILENT, Progress
from .proof_store import MappedTree, StoreWriter, TreeFile, tree_file
from .snapshot_records import CellSummary
from .tree_builder import BuiltTree, build_tree
from .tree_hashing import (
    DIGEST_BYTES,
    TreeHasher,
    TreeName,
    blinded_key,
    client_holder,
    entry,
    line_details,
)
from .workspace import TREES_FOLDER


def build_liabilities(
    folder: Path,
    config: Config,
    snapshot_id: str,
    *,
    snapshot_key: bytes,
    extract_sha256: bytes,
    progress: Progress = SILENT,
) -> tuple[CellSummary, ...]:
    """Build the tree of every (pool, asset) of folder's extract into its trees, and the book of clients beside them.

    The extract is read back from the disk, its digest compared with that of what was written; rows ascend strictly, so
    a client stands once in a tree, and has one code. EvidenceError where a sum is not below 2^127 or a tree is too
    deep; InputError where the extract is another; TransportError where the disk fails.
    """
    (folder / TREES_FOLDER).mkdir(mode=PRIVATE_FOLDER)
    site = _Site(folder, config, snapshot_id, snapshot_key, extract_sha256)
    if native := kernel.checked():
        return _by_kernel(native, site, progress)
    return _in_python(site, progress)


@dataclass(frozen=True, slots=True)
class _Site:
    """Where trees are built, and what they are called."""

    folder: Path
    config: Config
    snapshot_id: str
    snapshot_key: bytes
    extract_sha256: bytes

    @property
    def extract(self) -> Path:
        return self.folder / EXTRACT_FILE

    def compare(self, digest: bytes) -> None:
        """InputError unless the extract was read as it was written."""
        if digest != self.extract_sha256:
            raise InputError("is not what was written a moment ago", file=EXTRACT_FILE, reason="damaged",
                             hint="the disk or another program changed it; run this again")  # fmt: skip

    def tree(self, pool: str, asset: str) -> tuple[TreeHasher, Path, int]:
        """Hasher, file and least depth of a liabilities tree."""
        tree_id = TreeName(self.config.custodian.id, self.snapshot_id, pool, asset, "L").tree_id
        path = self.folder / TREES_FOLDER / tree_file(pool, asset)
        return TreeHasher(tree_id, blinded_key(self.snapshot_key, tree_id)), path, self.config.pool(pool).min_depth


# By the kernel


class _Kernel:
    """One pass over the extract; what is finished is hashed and brought to the disk while the next tree is built."""

    def __init__(self, native: ModuleType, site: _Site, finisher: ThreadPoolExecutor) -> None:
        self._native, self._site, self._finisher = native, site, finisher
        self._index = index_key(site.snapshot_key)
        self._book = native.Book()
        self._finishing: list[Future[None]] = []
        self._trees: list[tuple[bytes, bytes]] = []
        self.cells: list[CellSummary] = []

    def tree(self, pool: str, asset: str) -> Any:
        """What takes the rows of one tree."""
        hasher, _, _ = self._site.tree(pool, asset)
        return self._native.Cell(hasher.tree_id, hasher.tree_key, self._index)

    def finish(self, cell: Any, pool: str, asset: str) -> None:
        """All rows of a tree were given: write it."""
        if len(self.cells) == MAX_TREES:
            raise UsageError(f"a snapshot has more than {MAX_TREES} trees", reason="trees")
        hasher, path, min_depth = self._site.tree(pool, asset)
        depth, counts = cell.finish(min_depth)
        rows, leaves, holders, credit, debit = cell.summary()
        stored = MappedTree(path, counts)
        try:
            root, total = cell.write(stored.nodes, depth, self._book, len(self.cells))
        except BaseException:
            stored.__exit__(None, None, None)
            raise
        built = BuiltTree(depth, leaves, root, total)
        self._finishing.append(self._finisher.submit(_bring_to_disk, stored, hasher.tree_id, built))
        self._trees.append((hasher.tree_id, root))
        summary = CellSummary(
            asset=asset, credit=credit, debit=debit, depth=depth, holders=holders, leaves=leaves, pool=pool, root=root,
            rows=rows,
        )  # fmt: skip
        self.cells.append(summary)

    def finish_book(self) -> None:
        """The book of all trees; every tree's file is on the disk afterwards."""
        with contextlib.ExitStack() as opened:
            made: list[BookWriter] = []

            def allocate(clients: int, leaves: int, records: int) -> tuple[memoryview, memoryview]:
                path = self._site.folder / BOOK_FILE
                book = BookWriter(
                    path, "C", trees=self._trees, clients=clients, leaves=leaves, records=records,
                    mark=key_mark(self._index),
                )  # fmt: skip
                made.append(opened.enter_context(book))
                return book.slots, book.records

            self._book.write(allocate)
            made[0].finish()
        for one in self._finishing:
            one.result()


def _bring_to_disk(stored: MappedTree, tree_id: bytes, built: BuiltTree) -> None:
    with stored:
        stored.finish(tree_id, built)


def _by_kernel(native: ModuleType, site: _Site, progress: Progress) -> tuple[CellSummary, ...]:
    # pyarrow is heavy: it is loaded where it is used.
    from .extract_columns import extract_rows

    size, digest = site.extract.stat().st_size, hashlib.sha256()
    with ThreadPoolExecutor(1) as finisher, progress.stage("building the trees", size, "bytes") as advance:
        run = _Kernel(native, site, finisher)
        place, cell, done = ("", ""), None, 0
        try:
            for rows in extract_rows(site.extract, digest):
                if (rows.pool, rows.asset) != place:
                    if (rows.pool, rows.asset) < place:
                        raise RuntimeError("the extract does not ascend by pool and asset")
                    if cell is not None:
                        run.finish(cell, *place)
                    place = (rows.pool, rows.asset)
                    cell = run.tree(*place)
                if cell is not None:
                    cell.add_lines(*rows.columns)
                advance(rows.bytes - done)
                done = rows.bytes
            if cell is not None:
                run.finish(cell, *place)
            run.finish_book()
        except ValueError as error:
            raise _refused(error) from error
    site.compare(digest.digest())
    return tuple(run.cells)


def _refused(error: ValueError) -> Exception:
    """What the kernel refused; an extract that it finds out of order is a fault of whoever wrote it."""
    reason, sentence = error.args if len(error.args) == 2 else ("", str(error))
    if reason in ("sum", "depth", "holder-twice"):
        return EvidenceError(str(sentence), reason=reason)
    return RuntimeError(f"the kernel refused the extract: {sentence}")


# In Python


@dataclass(slots=True)
class _Count:
    rows: int = 0
    holders: int = 0
    credit: int = 0
    debit: int = 0
    clients: list[tuple[str, str, list[tuple[int, int, int]], bytes]] = field(default_factory=list)
    """Id, code, buckets and leaf digest of every client."""


def _in_python(site: _Site, progress: Progress) -> tuple[CellSummary, ...]:
    cells: list[CellSummary] = []
    trees: list[tuple[bytes, bytes]] = []
    book: dict[str, tuple[str, list[BookLine]]] = {}
    with progress.stage("building the trees in Python", 0, "rows") as advance, site.extract.open("rb") as stream:
        site.compare(hashlib.file_digest(stream, "sha256").digest())
        stream.seek(0)
        for (pool, asset), lines in groupby(read_extract(stream, file=EXTRACT_FILE), key=itemgetter(0, 1)):
            if len(cells) == MAX_TREES:
                raise UsageError(f"a snapshot has more than {MAX_TREES} trees", reason="trees")
            hasher, file, min_depth = site.tree(pool, asset)
            count = _Count()
            with StoreWriter(file) as store:
                built = build_tree(hasher, _entries(hasher, lines, count), min_depth=min_depth, write=store.level)
                store.finish(hasher.tree_id, built)
            if built.leaves != len(count.clients) or built.total != count.credit:
                raise RuntimeError("a tree has other leaves than the extract")
            with TreeFile(file) as tree:
                for client_id, code, buckets, digest in count.clients:
                    rank = tree.rank(digest)
                    own = book.setdefault(client_id, (code, []))
                    if rank is None or own[0] != code:
                        raise RuntimeError("a client has two codes, or no leaf")
                    own[1].append(BookLine(len(cells), rank, tuple(buckets)))
            trees.append((hasher.tree_id, built.root))
            summary = CellSummary(
                asset=asset, credit=count.credit, debit=count.debit, depth=built.depth, holders=count.holders,
                leaves=built.leaves, pool=pool, root=built.root, rows=count.rows,
            )  # fmt: skip
            cells.append(summary)
            advance(count.rows)
    index = index_key(site.snapshot_key)
    bare = sorted((client_key(index, client_id), client_record(*own)) for client_id, own in book.items())
    records = [(key, checked_record(key, record)) for key, record in bare]
    leaves = sum(len(lines) for _, lines in book.values())
    with BookWriter(
        site.folder / BOOK_FILE, "C", trees=trees, clients=len(records), leaves=leaves,
        records=records_bytes(records), mark=key_mark(index),
    ) as written:  # fmt: skip
        written.put(records)
        written.finish()
    return tuple(cells)


def _entries(hasher: TreeHasher, lines: Iterable[ExtractRow], count: _Count) -> Iterator[bytes]:
    """An entry a client from the lines of one (pool, asset)."""
    for (client_id, client_code), group in groupby(lines, key=itemgetter(2, 3)):
        buckets = [row[4:] for row in group]
        credit = sum(credit for _, credit, _ in buckets)
        count.rows += len(buckets)
        count.holders += credit > 0
        count.credit += credit
        count.debit += sum(debit for _, _, debit in buckets)
        made = entry(client_holder(client_id, client_code), line_details(buckets), credit)
        count.clients.append((client_id, client_code, buckets, hasher.leaf(made)[:DIGEST_BYTES]))
        yield made

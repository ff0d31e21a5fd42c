"""The canonical extract read back in columns: what the native kernel takes, with no object for a row.

Another reader than the one that judged the ledger, over the bytes on the disk. It is not strict (it knows second
spellings of a number): the digest says that they are the bytes that were written.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from ..format.errors import InputError
from ..format.limits import MAX_TABLE_FIELD
from ..format.tables import EXTRACT_COLUMNS, EXTRACT_FILE
from .atomic_files import transport
from .column_memory import fixed_memory, text_memory

_BLOCK = 32 << 20
"""Bytes of the extract that are read at a time."""
_AMOUNT = pa.decimal256(39, 0)
"""Amounts below 2^127 have up to 39 digits, one more than Arrow's smaller decimal."""
_READ = pcsv.ReadOptions(column_names=list(EXTRACT_COLUMNS), block_size=4 << 20)
_PARSE = pcsv.ParseOptions(delimiter="\t", quote_char=False, escape_char=False, newlines_in_values=False)
_CONVERT = pcsv.ConvertOptions(
    column_types={name: pa.uint8() if name == "bucket" else pa.string() for name in EXTRACT_COLUMNS},
    null_values=[], strings_can_be_null=False, check_utf8=False,
)  # fmt: skip


class Digest(Protocol):
    """A hash that is told bytes, as those of hashlib are."""

    def update(self, data: bytes, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one (pool, asset) that follow each other. columns: memory that the kernel reads: id offsets, ids, code
    offsets, codes, buckets, credits, debits. bytes: of the file up to the end of the block they are in."""

    pool: str
    asset: str
    count: int
    columns: tuple[memoryview, ...]
    bytes: int


def extract_rows(path: Path, digest: Digest) -> Iterator[Rows]:
    """All rows of an extract, in runs of one (pool, asset) each; digest is told every byte, and says at the end whether
    they are to be believed. InputError if it is no extract."""
    with transport(f"read {path}"), path.open("rb") as stream:
        header = ("\t".join(EXTRACT_COLUMNS) + "\n").encode("ascii")
        if stream.read(len(header)) != header:
            raise _damaged(path, "it does not begin with its header")
        digest.update(header)
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = len(header)
            while at < len(data):
                end = at + _BLOCK
                if end < len(data):
                    end = data.rfind(b"\n", at, end) + 1
                    if end <= at + MAX_TABLE_FIELD:
                        raise _damaged(path, "a line is too long")
                else:
                    end = len(data)
                # A copy of one block: Arrow would keep the map open for as long as a column of it lives.
                block = data[at:end]
                digest.update(block)
                yield from _runs(_table(block, path), end)
                at = end


def _damaged(path: Path, rule: str) -> InputError:
    return InputError(f"is damaged: {rule}", file=str(path) if path.name != EXTRACT_FILE else EXTRACT_FILE,
                      reason="damaged", hint="restore the snapshot's folder from a copy")  # fmt: skip


def _table(block: bytes, path: Path) -> Any:
    try:
        table = pcsv.read_csv(pa.BufferReader(block), read_options=_READ, parse_options=_PARSE,
                              convert_options=_CONVERT)  # fmt: skip
        for column in ("credit", "debit"):
            at = table.column_names.index(column)
            table = table.set_column(at, column, table.column(column).cast(_AMOUNT))
    except pa.ArrowException:
        # What Arrow says quotes the line, and a line names a client and its code.
        raise _damaged(path, "a line has not the columns of an extract") from None
    return table


def _runs(table: Any, end: int) -> Iterator[Rows]:
    for batch in table.to_batches():
        at = 0
        for stop in _bounds(batch):
            piece = batch.slice(at, stop - at)
            pool, asset = piece.column(0)[0].as_py(), piece.column(1)[0].as_py()
            ids, codes, buckets, credits, debits = (piece.column(number) for number in range(2, 7))
            columns = (
                *text_memory(ids),
                *text_memory(codes),
                *(fixed_memory(column) for column in (buckets, credits, debits)),
            )
            yield Rows(pool, asset, stop - at, columns, end)
            at = stop


def _bounds(batch: Any) -> list[int]:
    """Where runs of one (pool, asset) end."""
    ends: set[int] = set()
    for number in (0, 1):
        ends.update(pc.run_end_encode(batch.column(number)).run_ends.to_pylist())
    return sorted(ends)

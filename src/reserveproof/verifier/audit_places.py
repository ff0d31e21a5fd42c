"""Where the rows of one client stand: looked up again in the files, only once there is something to say of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import BinaryIO, TypeVar

from ..format.errors import InputError
from ..format.tables import AccountRow, ExtractRow
from ..format.vocabulary import BUCKETS
from .audit_sort import Source
from .audit_tables import Layout, account_rows, ledger_rows, open_table

BLOCK = 1 << 20
Row = TypeVar("Row", AccountRow, ExtractRow)
Place = tuple[str, int]
"""File and row."""


def _rows_of(
    client_id: str, sources: Sequence[Source], read: Callable[[BinaryIO, Layout, int], Iterator[tuple[int, Row]]]
) -> Iterator[tuple[Place, Row]]:
    """The client's rows in file order. The tables have been read before, so nothing in them is refused."""
    needle = client_id.encode("ascii")
    for source in sources:
        before = 1
        with open_table(source.path) as stream:
            stream.seek(source.start)
            while block := stream.read(BLOCK) + stream.readline():
                # A quote in an id is doubled in a CSV: such an id is not looked for as it is.
                if needle in block or '"' in client_id:
                    for number, row in read(io.BytesIO(block), source.layout, before):
                        if row.client_id == client_id:
                            yield (source.layout.file, number), row
                before += block.count(b"\n")


def _ledger_of(
    client_id: str, sources: Sequence[Source], decimals: dict[str, int]
) -> Iterator[tuple[Place, ExtractRow]]:
    return _rows_of(
        client_id,
        sources,
        lambda stream, layout, before: ledger_rows(stream, layout, decimals=decimals, before=before),
    )


def two_codes(client_id: str, sources: Sequence[Source], decimals: dict[str, int]) -> InputError:
    """Names the first row whose code is another than that of the client's row before it."""
    for (place, row), ((file, number), other) in pairwise(_ledger_of(client_id, sources, decimals)):
        if row.client_code != other.client_code:
            return InputError(
                f"has another client_code than {place[0]} row {place[1]}",
                file=file,
                row=number,
                column="client_code",
                value=client_id,
            )
    raise RuntimeError("a client of two codes is not found again")


def twin_rows(
    pool: str, asset: str, client_id: str, bucket: int, sources: Sequence[Source], decimals: dict[str, int]
) -> InputError:
    """Names both rows of a pool, asset, client and bucket."""
    rows = (
        place
        for place, row in _ledger_of(client_id, sources, decimals)
        if (row.pool, row.asset, row.bucket) == (pool, asset, bucket)
    )
    for first, (file, number) in pairwise(rows):
        return InputError(
            f"is the same pool, asset, client and bucket as {first[0]} row {first[1]}",
            file=file,
            row=number,
            value=f"{client_id} {bucket}",
            hint="each bucket of a client stands in one row",
        )
    raise RuntimeError(f"the rows of a client that stand twice in {BUCKETS[bucket]} are not found again")


def account_twice(client_id: str, sources: Sequence[Source]) -> InputError:
    """Names the second row of an account."""
    rows = _rows_of(client_id, sources, lambda stream, layout, before: account_rows(stream, layout, before=before))
    for _first, ((file, number), _row) in pairwise(rows):
        return InputError("stands twice", file=file, row=number, column="client_id", value=client_id)
    raise RuntimeError("an account that stands twice is not found again")

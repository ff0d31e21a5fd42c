"""Finds rows in canonical tables without an index: their lines ascend, so a table is halved.

About twenty looks find one of a million lines. What is found is judged by its table's own reader; whether it is what
was committed to shows in the tree.
"""

from __future__ import annotations

import io
import mmap
from pathlib import Path
from types import TracebackType
from typing import Self

from ..format.errors import InputError
from ..format.tables import (
    ACCOUNTS_COLUMNS,
    EXTRACT_COLUMNS,
    MAX_TABLE_LINE,
    AccountRow,
    ExtractRow,
    read_accounts,
    read_extract,
)
from .atomic_files import transport


class SortedTable:
    """A canonical table, memory-mapped; a context manager.

    columns: of its header; width: how many of them, from the first, lines are looked up by. InputError
    (reason="damaged") if it is not such a table.
    """

    def __init__(self, path: Path, columns: tuple[str, ...], width: int) -> None:
        self.path, self._width = path, width
        self._header = ("\t".join(columns) + "\n").encode("ascii")
        with transport(f"read {path}"), path.open("rb") as stream:
            if stream.read(len(self._header)) != self._header or not stream.read(1):
                raise self._damaged("it has not the header of its table, or no row")
            self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)

    def _damaged(self, rule: str) -> InputError:
        return InputError(f"is damaged: {rule}", file=str(self.path), reason="damaged",
                          hint="restore the snapshot's folder from a copy")  # fmt: skip

    def _line_end(self, start: int) -> int:
        end = self._map.find(b"\n", start, start + MAX_TABLE_LINE)
        if end < 0:
            raise self._damaged("a line does not end")
        return end + 1

    def _key(self, start: int) -> list[bytes]:
        return self._map[start : self._line_end(start)].split(b"\t", self._width)[:-1]

    def _first_line(self, key: list[bytes]) -> int:
        """Where the first line stands whose key is not below key; the end of the file if there is none."""
        low, high = len(self._header), len(self._map)
        while low < high:
            start = self._map.rfind(b"\n", low - 1, (low + high) // 2) + 1
            if self._key(start) < key:
                low = self._line_end(start)
            else:
                high = start
        return low

    def find(self, *names: str) -> bytes:
        """The lines whose first columns are these names, below the header; b"" if there are none."""
        key = [name.encode("ascii") for name in names]
        start = end = self._first_line(key)
        while end < len(self._map) and self._key(end) == key:
            end = self._line_end(end)
        return self._header + self._map[start:end] if end > start else b""

    def close(self) -> None:
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ExtractTable(SortedTable):
    """The extract, by (pool, asset, client)."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, EXTRACT_COLUMNS, 3)

    def rows(self, pool: str, asset: str, client_id: str) -> tuple[ExtractRow, ...]:
        """The rows of a client in one (pool, asset), buckets ascending; () if there is none."""
        lines = self.find(pool, asset, client_id)
        return tuple(read_extract(io.BytesIO(lines), file=self.path.name)) if lines else ()


class AccountsTable(SortedTable):
    """The accounts, by client."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, ACCOUNTS_COLUMNS, 1)

    def account(self, client_id: str) -> AccountRow | None:
        lines = self.find(client_id)
        return next(read_accounts(io.BytesIO(lines), file=self.path.name)) if lines else None

"""Canonical tables on their way to disk: complete, synced, read back and added up before they have a name."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..format.errors import TransportError
from ..format.tables import ACCOUNTS_FILE, EXTRACT_FILE, read_accounts, read_extract
from .ledger_csv import opened


@dataclass(frozen=True, slots=True)
class Cell:
    """One (pool, asset). clients: leaves; holders: clients with a credit; credit, debit: base units."""

    rows: int
    clients: int
    holders: int
    credit: int
    debit: int


class Publication:
    """Files under a temporary name in their directory, readable by their owner only, until all are complete."""

    def __init__(self, out_dir: Path) -> None:
        self._out_dir = out_dir
        self._partial: dict[str, Path] = {}

    def write(self, name: str, pieces: Iterable[bytes | memoryview]) -> str:
        """Write and sync one file; the SHA-256 of its bytes."""
        digest = hashlib.sha256()
        # mkstemp gives 0600: who holds what is nobody else's to read.
        handle, partial = tempfile.mkstemp(prefix=f".{name}.", suffix=".partial", dir=self._out_dir)
        self._partial[name] = Path(partial)
        with os.fdopen(handle, "wb") as stream:
            for piece in pieces:
                digest.update(piece)
                stream.write(piece)
            stream.flush()
            os.fsync(stream.fileno())
        return digest.hexdigest()

    def check_accounts(self, rows: int) -> None:
        """Read the accounts back as their users will, and count them."""
        with opened(self._partial[ACCOUNTS_FILE]) as stream:
            if sum(1 for _ in read_accounts(stream, file=ACCOUNTS_FILE)) != rows:
                raise RuntimeError("the accounts table has other rows than its source")

    def check_extract(self, totals: Mapping[tuple[str, str], tuple[int, int, int]]) -> dict[tuple[str, str], Cell]:
        """Read the extract back as its users will, add it up in Python's integers, and compare."""
        cells: dict[tuple[str, str], Cell] = {}
        with opened(self._partial[EXTRACT_FILE]) as stream:
            cell, client = ("", ""), ""
            rows = clients = holders = credit = debit = held = 0
            for row in read_extract(stream, file=EXTRACT_FILE):
                if row.asset != cell[1] or row.pool != cell[0]:
                    if rows:
                        cells[cell] = Cell(rows, clients, holders + (held > 0), credit, debit)
                    cell, client = (row.pool, row.asset), ""
                    rows = clients = holders = credit = debit = held = 0
                if row.client_id != client:
                    client = row.client_id
                    clients += 1
                    holders += held > 0
                    held = 0
                rows += 1
                held += row.credit
                credit += row.credit
                debit += row.debit
            cells[cell] = Cell(rows, clients, holders + (held > 0), credit, debit)
        if {key: (cell.rows, cell.credit, cell.debit) for key, cell in cells.items()} != dict(totals):
            raise RuntimeError("the extract read back does not add up to the ledger loaded")
        return cells

    def keep(self) -> None:
        """Rename into place in the order written: the extract, last, says that all is there."""
        for name, partial in self._partial.items():
            partial.replace(self._out_dir / name)
        self._partial.clear()
        handle = os.open(self._out_dir, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def drop(self) -> None:
        """Remove what was not kept."""
        for partial in self._partial.values():
            partial.unlink(missing_ok=True)


@contextmanager
def kept_or_removed(out_dir: Path) -> Iterator[Publication]:
    """A Publication that leaves nothing behind unless keep() was called. TransportError where the disk fails."""
    publication = Publication(out_dir)
    try:
        yield publication
    except OSError as error:
        raise TransportError(f"cannot write into {out_dir}: {error.strerror}", reason="unwritable") from None
    finally:
        publication.drop()

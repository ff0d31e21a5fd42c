"""Canonical tables on their way to disk: complete and synced before they have a name."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..format.errors import TransportError
from ..format.tables import ACCOUNTS_COLUMNS, ACCOUNTS_FILE, EXTRACT_COLUMNS, EXTRACT_FILE
from ..format.vocabulary import BUCKET_CODES
from .ledger_engine import Engine, fill
from .progress import Progress

# concat() writes each line once; a chain of `||` would copy it for every part.
_EXTRACT_LINES = """
SELECT concat(pool, chr(9), asset, chr(9), client_id, chr(9), client_code, chr(9), <codes>[enum_code(bucket) + 1],
              chr(9), credit, chr(9), debit, chr(10)) FROM lines
"""
_ACCOUNT_LINES = """
SELECT concat(client_id, chr(9), account_type, chr(9), status, chr(9), related_party, chr(10)) FROM accounts
"""


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
        with os.fdopen(handle, "wb") as stream, ThreadPoolExecutor(1) as aside:

            def take(piece: bytes | memoryview) -> None:
                digest.update(piece)
                stream.write(piece)

            taken = aside.submit(take, b"")
            for piece in pieces:
                # One is written while the next is made; two are never held back.
                taken.result()
                taken = aside.submit(take, piece)
            taken.result()
            stream.flush()
            os.fsync(stream.fileno())
        return digest.hexdigest()

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


def write_extract(publish: Publication, engine: Engine, rows: int, progress: Progress) -> str:
    """Write the canonical extract of a checked ledger of so many rows; its SHA-256."""
    codes = "[" + ", ".join(str(code) for code in sorted(BUCKET_CODES.values())) + "]"
    table = _Table(EXTRACT_FILE, EXTRACT_COLUMNS, fill(_EXTRACT_LINES, codes=codes), rows)
    return table.write(publish, engine, progress)


def write_accounts(publish: Publication, engine: Engine, rows: int, progress: Progress) -> str:
    """Write the canonical accounts table, as write_extract does it."""
    return _Table(ACCOUNTS_FILE, ACCOUNTS_COLUMNS, _ACCOUNT_LINES, rows).write(publish, engine, progress)


@dataclass(frozen=True, slots=True)
class _Table:
    """lines: SQL for the text of each of its rows, in their order."""

    name: str
    columns: tuple[str, ...]
    lines: str
    rows: int

    def write(self, publish: Publication, engine: Engine, progress: Progress) -> str:
        written = 0

        def pieces() -> Iterator[bytes | memoryview]:
            nonlocal written
            yield ("\t".join(self.columns) + "\n").encode("ascii")
            for rows, piece in engine.pieces(self.lines):
                written += rows
                advance(rows)
                yield piece

        with progress.stage(f"writing {self.name}", self.rows, "lines") as advance:
            sha256 = publish.write(self.name, pieces())
        if written != self.rows:
            raise RuntimeError(f"{self.name} has other rows than its source")
        return sha256


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

"""Canonical tables on their way to disk: complete and synced before they have a name."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..format.errors import TransportError


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

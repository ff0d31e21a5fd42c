"""A private file of a known size, mapped into memory to be filled."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from .atomic_files import PRIVATE_FILE, transport


class MappedFile:
    """A new file; a context manager. Its place on the disk is taken when it is made, so that a full disk is an error
    (TransportError) then and there, and not a signal in the middle of a write."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        with transport(f"write {path}"):
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
            try:
                os.posix_fallocate(self._handle, 0, size)
                self._map = mmap.mmap(self._handle, size)
            except BaseException:
                os.close(self._handle)
                raise
        self.view = memoryview(self._map)

    def finish(self) -> None:
        """Bring what was written to the disk."""
        with transport(f"write {self._path}"):
            self._map.flush()
            os.fsync(self._handle)

    def close(self) -> None:
        """Let go of the file. Whoever took a part of the view has let go of it before."""
        self.view.release()
        self._map.close()
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

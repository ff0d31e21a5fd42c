"""The files of a published bundle, behind one narrow door: a name in, bounded bytes out.

Names come from hostile files, so they are checked against the format's pattern before the door is tried; the door to
a folder opens regular files only, follows no link, and never leaves the folder.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ..format.errors import MalformedError, TransportError, shown
from ..format.identifiers import FILE_NAME
from ..format.limits import MAX_BUNDLE_FILES

_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_PART = 1 << 20
"""Bytes asked for at a time: the system is asked to set no more aside for a file that is not as large."""


class Bundle(Protocol):
    """names: every file there is. read: its bytes; MalformedError(reason="file-missing") if it is not there,
    MalformedError(reason="size") if it is larger than asked for."""

    def names(self) -> frozenset[str]: ...

    def read(self, name: str, max_bytes: int) -> bytes: ...


class BundleInMemory:
    """Files by name, for tests and for callers that hold them already."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)

    def names(self) -> frozenset[str]:
        return frozenset(self._files)

    def read(self, name: str, max_bytes: int) -> bytes:
        data = self._files.get(name)
        if data is None:
            raise _missing(name)
        if len(data) > max_bytes:
            raise MalformedError(f"{shown(name)} is larger than {max_bytes} bytes", reason="size", found=str(len(data)))
        return data


class BundleFolder:
    """A folder on disk."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise TransportError(f"{path} is not a folder", hint="give the folder that holds statement.json")
        self._path = path

    def names(self) -> frozenset[str]:
        found: set[str] = set()
        for folder, folders, files in os.walk(self._path, followlinks=False):
            for name in [*files, *(f for f in folders if (Path(folder) / f).is_symlink())]:
                found.add((Path(folder) / name).relative_to(self._path).as_posix())
                if len(found) > MAX_BUNDLE_FILES + 2:
                    raise MalformedError(f"a bundle has more than {MAX_BUNDLE_FILES} files", reason="size")
        return frozenset(found)

    def read(self, name: str, max_bytes: int) -> bytes:
        if not FILE_NAME.fullmatch(name):
            raise MalformedError("a file name is not in its form", reason="pattern", found=shown(name))
        *folders, last = name.split("/")
        try:
            place = os.open(self._path, _FOLDER)
        except OSError as error:
            raise TransportError(f"{self._path} cannot be read: {error.strerror}") from None
        try:
            # Folder by folder, so that no link is followed on the way, whenever it was put there.
            for part in folders:
                inner = _open(part, _FOLDER | os.O_NOFOLLOW, place, name)
                os.close(place)
                place = inner
            # O_NONBLOCK so that a named pipe cannot hold the verifier up.
            handle = _open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, place, name)
        finally:
            os.close(place)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise MalformedError(f"{name} is not a regular file", reason="link")
            data = _read(handle, max_bytes + 1, name)
        finally:
            os.close(handle)
        if len(data) > max_bytes:
            raise MalformedError(f"{name} is larger than {max_bytes} bytes", reason="size")
        return data


def _open(part: str, flags: int, place: int, name: str) -> int:
    """Open a name in the folder that place is of. name: the whole, for messages."""
    try:
        return os.open(part, flags, dir_fd=place)
    except FileNotFoundError:
        raise _missing(name) from None
    except OSError as error:
        with contextlib.suppress(OSError):
            if stat.S_ISLNK(os.stat(part, dir_fd=place, follow_symlinks=False).st_mode):
                raise MalformedError(f"{name} is a symbolic link, or reached through one", reason="link") from None
        if isinstance(error, NotADirectoryError):
            raise _missing(name) from None
        raise TransportError(f"{name} cannot be read: {error.strerror}") from None


def _read(handle: int, limit: int, name: str) -> bytes:
    """What a file holds, up to limit bytes."""
    parts: list[bytes] = []
    try:
        while limit and (part := os.read(handle, min(limit, _PART))):
            parts.append(part)
            limit -= len(part)
    except OSError as error:
        raise TransportError(f"{name} cannot be read: {error.strerror}") from None
    return b"".join(parts)


def _missing(name: str) -> MalformedError:
    return MalformedError(
        f"the bundle has no file {shown(name)}",
        reason="file-missing",
        hint="get the whole bundle again; a part of it may not have been copied",
    )

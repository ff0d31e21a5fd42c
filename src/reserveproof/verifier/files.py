"""The verifier's edge to the disk: bounded reads, and writes that are whole or not there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..format.errors import MalformedError, TransportError, UsageError


def read_file(path: Path, max_bytes: int, what: str) -> bytes:
    """The bytes of a regular file. TransportError if it cannot be read, MalformedError if it is too large."""
    try:
        # O_NONBLOCK so that a named pipe cannot hold the verifier up.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise TransportError(f"{what} {path} is not a regular file")
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise TransportError(f"{what} {path} cannot be read: {error.strerror}") from None
    if len(data) > max_bytes:
        raise MalformedError(f"{what} {path} is larger than {max_bytes} bytes", reason="size")
    return data


def read_secret(path: Path) -> bytes:
    """A 32-byte key in hex, from a file that only its owner can read."""
    data = read_file(path, 1024, "the snapshot key")
    if path.stat().st_mode & 0o077:
        raise UsageError(f"{path} can be read by others", reason="secret", hint=f"chmod 600 {path}")
    text = data.decode("ascii", "replace").removesuffix("\n")
    if len(text) != 64 or any(c not in "0123456789abcdef" for c in text):
        raise MalformedError(f"{path} is not a snapshot key: 64 lower-case hex digits", reason="secret")
    return bytes.fromhex(text)


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Inside, no other run is inside for the same file; it waits. The lock is a file beside it, which stays."""
    beside = path.with_name(path.name + ".lock")
    try:
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise TransportError(f"{beside} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """A new name in a folder is on the disk only with the folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_private(path: Path, data: bytes) -> None:
    """Writes a file for its owner alone, whole or not at all. TransportError if it cannot."""
    name = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")  # 0600
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
        name = None
        _sync_folder(path.parent)
    except OSError as error:
        raise TransportError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        if name is not None:
            with contextlib.suppress(OSError):
                Path(name).unlink()

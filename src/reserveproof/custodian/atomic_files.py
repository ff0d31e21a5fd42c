"""Files and folders that are either not there or complete: written under a temporary name in the same folder,
brought to the disk, and renamed. A killed run leaves only names that begin with TEMPORARY; `sweep` removes them.

Nothing here is readable by others unless the caller asks for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..format.errors import InputError, TransportError, UsageError

TEMPORARY = ".tmp-"
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
PUBLIC_FILE, PUBLIC_FOLDER = 0o644, 0o755
LOCK_FILE = ".lock"
SYNCED_AT_A_TIME = 16
"""Files whose way to the disk is waited for together: above it nothing was gained on the disks measured."""


@contextlib.contextmanager
def transport(what: str) -> Iterator[None]:
    """Give an OSError (disk full, no permission, a folder that is gone) as TransportError, with what was done."""
    try:
        yield
    except OSError as error:
        raise TransportError(f"cannot {what}: {error.strerror or error}", reason="io") from error


def temporary_name(folder: Path) -> Path:
    """A name in folder that sweep will remove if it stays."""
    return folder / f"{TEMPORARY}{secrets.token_hex(8)}"


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        os.fchmod(handle, mode)  # whatever the umask
        stream.write(data)
        stream.flush()
        os.fsync(handle)


def write_file(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Put a whole file in place, over one that may be there. TransportError; nothing half-written stays."""
    partial = temporary_name(path.parent)
    with transport(f"write {path}"):
        try:
            _write_new(partial, data, mode)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def create_file(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Put a whole file in place where none is. UsageError if the name is taken, whoever takes it first."""
    partial = temporary_name(path.parent)
    with transport(f"write {path}"):
        try:
            _write_new(partial, data, mode)
            os.link(partial, path)  # unlike a rename, a link never replaces
        except FileExistsError:
            raise UsageError(f"{path} exists and is not replaced", reason="exists") from None
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(path.parent)


@contextlib.contextmanager
def new_folder(path: Path, *, mode: int = PRIVATE_FOLDER, partial: Path | None = None) -> Iterator[Path]:
    """A folder to fill, renamed to path when the block ends well, with every file on the disk; removed when it
    does not. UsageError if path exists. partial: where it is filled, a name beside path that is not taken; without it,
    one that sweep knows."""
    partial = partial or temporary_name(path.parent)
    with transport(f"write {path}"):
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} exists and is not replaced", reason="exists")
        partial.mkdir(mode=mode)  # where it is another's, that is not removed
        try:
            partial.chmod(mode)
            yield partial
            sync_tree(partial)
            partial.rename(path)  # over a folder that is not empty, rename fails
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """Bring every file and name below a folder to the disk. Many files are waited for at a time: the disk then writes
    them together, where one after the other each would wait for a write of its own."""
    found = [(Path(here), names) for here, _, names in os.walk(folder)]
    with ThreadPoolExecutor(SYNCED_AT_A_TIME) as waiting:
        for _ in waiting.map(_sync_file, (here / name for here, names in found for name in names)):
            pass  # an error is raised here
    for here, _ in found:
        sync_folder(here)


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what a killed run left in a folder. Only under the lock: a temporary name may be in use."""
    if not folder.is_dir():
        return
    with transport(f"tidy {folder}"):
        for path in folder.iterdir():
            if path.name.startswith(TEMPORARY):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder alone, for as long as the block runs; the system lets go when a process ends, however it does.
    TransportError(reason="locked") if another run holds it."""
    with transport(f"lock {folder}"):
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TransportError(
                f"another run is at work in {folder}", reason="locked", hint="wait until it has ended"
            ) from None
        yield
    finally:
        os.close(handle)


def read_file(path: Path, *, limit: int, private: bool = False) -> bytes:
    """The bytes of a regular file of at most limit bytes.

    private: refuse (InputError, reason="permissions") one that its group or others may read or write, and a symbolic
    link. TransportError if the file cannot be read or is larger.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (os.O_NOFOLLOW if private else 0)
    with transport(f"read {path}"):
        handle = os.open(path, flags)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise TransportError(f"cannot read {path}: it is no regular file", reason="io")
        if private and found.st_mode & 0o077:
            raise InputError(
                "is open to others than its owner, and is secret",
                file=str(path),
                hint=f"chmod 600 {path}; if others may have read it, it is a secret no more",
                reason="permissions",
            )
        with transport(f"read {path}"), os.fdopen(handle, "rb", closefd=False) as stream:
            data = stream.read(limit + 1)
    finally:
        os.close(handle)
    if len(data) > limit:
        raise TransportError(f"cannot read {path}: it is larger than {limit} bytes", reason="size")
    return data

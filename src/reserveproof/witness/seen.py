"""What a witness saw last of each log, on its own disk: the whole of its memory.

One file a log, replaced whole and brought to the disk before anything is answered. Whoever can put an older file in its
place makes the witness sign a fork: keep the folder out of backups that are restored without thought.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..format import canonical_json, identifiers
from ..format.checkpoint import Checkpoint
from ..format.errors import MalformedError, TransportError, UsageError
from ..format.limits import MAX_LOG_SIZE
from ..format.shape import digest, integer, members, pattern

FORMAT = 1
LOCK_FILE = ".lock"
TEMPORARY = ".tmp-"
MAX_SEEN_BYTES = 4096


@dataclass(frozen=True, slots=True)
class SeenFolder:
    """The folder. open_seen gives one that is there and private."""

    path: Path

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder alone, waiting for another run or thread: looking and remembering are one act."""
        with _disk(f"lock {self.path}"):
            handle = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _file(self, origin: str) -> Path:
        # An origin has slashes.
        return self.path / f"{hashlib.sha256(origin.encode()).hexdigest()}.json"

    def last(self, origin: str) -> Checkpoint | None:
        """What was cosigned last of a log, None if nothing was. MalformedError if the file is damaged: nothing may be
        cosigned then, for it would be forgotten what was."""
        path = self._file(origin)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TransportError(f"cannot read {path}: {error.strerror}", reason="io") from None
        try:
            found = members(
                canonical_json.parse(data, max_bytes=MAX_SEEN_BYTES, what=path.name),
                frozenset({"format", "origin", "root", "size"}), "seen",
            )  # fmt: skip
            integer(FORMAT, FORMAT)(found["format"], "seen.format")
            seen = Checkpoint(
                pattern(identifiers.LOG_ORIGIN)(found["origin"], "seen.origin"),
                integer(1, MAX_LOG_SIZE)(found["size"], "seen.size"),
                digest(found["root"], "seen.root"),
            )
            if seen.origin != origin:
                raise MalformedError("is of another log", reason="damaged")
        except MalformedError as error:
            raise MalformedError(
                f"{path} is damaged: {error.message}",
                reason="damaged",
                hint="nothing is cosigned until it is put right: it says what was cosigned before",
            ) from None
        return seen

    def remember(self, seen: Checkpoint) -> None:
        """Put what is about to be cosigned on the disk, inside alone. TransportError, and nothing changed, if it cannot
        be."""
        value = {"format": FORMAT, "origin": seen.origin, "root": seen.root.hex(), "size": seen.size}
        data = canonical_json.dump(cast(canonical_json.Json, value))
        path = self._file(seen.origin)
        partial = self.path / f"{TEMPORARY}{path.name}"
        with _disk(f"write {path}"):
            partial.unlink(missing_ok=True)  # of a run that was killed
            try:
                handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                with os.fdopen(handle, "wb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(handle)
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def open_seen(path: Path) -> SeenFolder:
    """The folder, made if there is none. UsageError if it is open to others."""
    with _disk(f"make {path}"):
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.stat()
    if found.st_mode & 0o077:
        raise UsageError(f"{path} is open to others than its owner", reason="permissions", hint=f"chmod 700 {path}")
    return SeenFolder(path)


@contextlib.contextmanager
def _disk(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransportError(f"cannot {what}: {error.strerror or error}", reason="io") from error

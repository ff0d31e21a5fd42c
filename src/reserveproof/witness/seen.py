"""What a witness saw last of each log, on its own disk: the whole of its memory.

One file a log, replaced whole and brought to the disk before anything is answered. Whoever can put an older file in its
place makes the witness sign a fork: keep the folder out of backups that are restored without thought.

The folder is made once, by create_seen, with a file that says whose memory it is. A folder that is not there is never
taken for one that is empty: a witness that forgot would cosign a fork.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..format import canonical_json, identifiers
from ..format.checkpoint import Checkpoint
from ..format.errors import MalformedError, TransportError, UsageError
from ..format.limits import MAX_LOG_SIZE
from ..format.shape import digest, integer, members, pattern
from .cosigner import Cosigner

FORMAT = 1
LOCK_FILE = ".lock"
MARKER_FILE = "witness.json"
TEMPORARY = ".tmp-"
MAX_SEEN_BYTES = 4096


@dataclass(frozen=True, slots=True)
class SeenFolder:
    """The folder. open_seen gives one that is there, private and this witness's."""

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
        """Put what is about to be cosigned on the disk, inside alone. TransportError if it cannot be: the file is then
        the old or the new one, whole, and nothing may be cosigned."""
        value = {"format": FORMAT, "origin": seen.origin, "root": seen.root.hex(), "size": seen.size}
        _write(self._file(seen.origin), canonical_json.dump(cast(canonical_json.Json, value)))


def create_seen(path: Path, cosigner: Cosigner) -> SeenFolder:
    """Make the folder of a witness that has cosigned nothing yet, and bring it to the disk. UsageError if it is there;
    TransportError, and nothing left behind, if it cannot be made."""
    try:
        with _disk(f"make {path}"):
            path.mkdir(mode=0o700)
    except TransportError as error:
        if isinstance(error.__cause__, FileExistsError):
            raise UsageError(f"{path} exists and is not replaced", reason="exists",
                             hint="give a new folder; one that was made before is used as it is") from None  # fmt: skip
        raise
    try:
        _write(path / MARKER_FILE, _marker(cosigner))
        with _disk(f"make {path}"):
            path.chmod(0o700)  # whatever the umask
            _sync(path.absolute().parent)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return SeenFolder(path)


def open_seen(path: Path, cosigner: Cosigner) -> SeenFolder:
    """The folder of a witness. UsageError if it is not there, is open to others, or is not known to be this witness's:
    then what was cosigned before is not known, and nothing is cosigned."""
    try:
        found, marker = path.stat(), (path / MARKER_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{path} is no folder of a witness", reason="no-state", expected=f"a folder with {MARKER_FILE}",
            hint="look at the path, and whether its disk is mounted: without it, it is not known what was cosigned "
            "before; only for a witness that never cosigned: reserveproof-witness init",
        ) from None  # fmt: skip
    except OSError as error:
        raise TransportError(f"cannot read {path}: {error.strerror}", reason="io") from None
    if found.st_mode & 0o077:
        raise UsageError(f"{path} is open to others than its owner", reason="permissions", hint=f"chmod 700 {path}")
    if marker != _marker(cosigner):
        raise UsageError(
            f"{path} is the folder of another witness", reason="other-state",
            expected=_marker(cosigner).decode().strip(), found=marker[:MAX_SEEN_BYTES].decode("utf-8", "replace"),
            hint="give the name and the keys that it was made with",
        )  # fmt: skip
    return SeenFolder(path)


def _marker(cosigner: Cosigner) -> bytes:
    """Whose folder it is: the witness's name, and the ids of its keys as they stand in cosignatures."""
    keys: list[canonical_json.Json] = [identity.hex() for identity in sorted(cosigner.key_ids())]
    return canonical_json.dump({"format": FORMAT, "keys": keys, "name": cosigner.name})


def _write(path: Path, data: bytes) -> None:
    """Put a file in place whole, on the disk when this returns. TransportError if it cannot be."""
    partial = path.with_name(f"{TEMPORARY}{path.name}")
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
        _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _disk(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransportError(f"cannot {what}: {error.strerror or error}", reason="io") from error

"""What is noted of an entry before it is appended: when, and whether its statement is to be published at all.

The log itself has no times, and takes nothing back. A publish that was killed after the append is completed as of that
instant; an entry that was logged by --log-unpublished is told from one that was left behind.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..format import canonical_json
from ..format.errors import InputError, MalformedError
from ..format.shape import choice, integer, record, time, to_json
from .atomic_files import PRIVATE_FOLDER, read_file, sweep, transport, write_file

FORMAT = 1
APPENDED_FOLDER = "appended"
MAX_APPENDED_BYTES = 4096
PUBLISH, UNPUBLISHED = "publish", "unpublished"


@dataclass(frozen=True, slots=True)
class Appended:
    """at: when the entry was about to be appended. by: PUBLISH, or UNPUBLISHED for --log-unpublished."""

    at: str
    by: str
    format: int
    sequence: int


_APPENDED = record(
    Appended,
    {"at": time, "by": choice((PUBLISH, UNPUBLISHED)), "format": integer(FORMAT, FORMAT), "sequence": integer()},
)


@dataclass(frozen=True, slots=True)
class AppendedNotes:
    """The notes of a log, in a folder beside it; under the workspace's lock."""

    log_folder: Path

    def _file(self, sequence: int) -> Path:
        return self.log_folder / APPENDED_FOLDER / f"{sequence}.json"

    def of(self, sequence: int) -> Appended | None:
        """The note of an entry; None if there is none. InputError if it is damaged."""
        path = self._file(sequence)
        if not path.is_file():
            return None
        data = read_file(path, limit=MAX_APPENDED_BYTES)
        try:
            found = _APPENDED(canonical_json.parse(data, max_bytes=MAX_APPENDED_BYTES, what=path.name), "appended")
            if found.sequence != sequence:
                raise MalformedError(f"it is of entry {found.sequence}", reason="sequence")
        except MalformedError as error:
            raise InputError(f"is damaged: {error.message}", file=str(path), reason="damaged",
                             hint="restore it from a copy")  from None  # fmt: skip
        return found

    def unpublished(self, sequences: Collection[int]) -> frozenset[int]:
        """Those of these entries that were logged by --log-unpublished."""
        notes = {sequence: self.of(sequence) for sequence in sequences}
        return frozenset(sequence for sequence, note in notes.items() if note and note.by == UNPUBLISHED)

    def write(self, sequence: int, at: str, by: str) -> None:
        """Note that an entry is about to be appended."""
        path = self._file(sequence)
        with transport(f"make {path.parent}"):
            path.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        sweep(path.parent)
        note = Appended(at, by, FORMAT, sequence)
        write_file(path, canonical_json.dump(cast(canonical_json.Json, to_json(note))))

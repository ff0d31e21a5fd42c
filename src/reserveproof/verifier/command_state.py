"""The reader's state file, which several runs may share."""

from __future__ import annotations

from pathlib import Path

from .files import only_one, read_file, write_private
from .last_seen import MAX_STATE_BYTES, LastSeen, dump_state, parse_state, remember


def read_state(path: Path | None) -> dict[str, LastSeen]:
    if path is None or not path.exists():
        return {}
    return parse_state(read_file(path, MAX_STATE_BYTES, "the state file"))


def keep_state(path: Path | None, seen: LastSeen) -> None:
    """Only after every check has passed, so a refused statement is never remembered as seen. The file is read again:
    another run may have written it since, and what that one saw stays."""
    if path is not None:
        with only_one(path):
            write_private(path, dump_state(remember(read_state(path), seen)))

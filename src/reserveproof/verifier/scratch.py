"""The verifier's edge to its working folder: parts of sorted lines and leaves, for their owner alone.

The folder is the command's, 0700, and goes when the audit ends. What stands in it names clients and balances.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..format.errors import TransportError

HINT = "TMPDIR names another folder; an audit needs room for about three times the ledger"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of one working file."""

    path: str
    start: int
    length: int


def write_parts(path: Path, parts: Iterable[bytes]) -> tuple[Part, ...]:
    """A new file of these parts, one after another. TransportError if the disk does not take them."""
    made: list[Part] = []
    at = 0
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "wb") as file:
            for data in parts:
                file.write(data)
                made.append(Part(str(path), at, len(data)))
                at += len(data)
    except OSError as error:
        raise TransportError(
            f"the audit's working folder {path.parent} does not take more: {error.strerror}",
            reason="transport",
            hint=HINT,
        ) from None
    return tuple(made)


def read_part(part: Part, start: int = 0, length: int | None = None) -> bytes:
    """A part's bytes, or `length` of them from `start`. TransportError if the file is not as it was written."""
    wanted = part.length - start if length is None else length
    if wanted == 0:
        return b""
    try:
        with Path(part.path).open("rb") as file:
            file.seek(part.start + start)
            data = file.read(wanted)
    except OSError as error:
        raise TransportError(f"the working file {part.path} cannot be read: {error.strerror}") from None
    if len(data) != wanted:
        raise TransportError(f"the working file {part.path} is shorter than it was written")
    return data

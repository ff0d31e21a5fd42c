"""A checkpoint (C2SP tlog-checkpoint): how many entries a log has, and their root. docs/spec/log.md.

It is the text of a signed note, here of exactly three lines: extension lines are signed by no ML-DSA cosignature.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import identifiers, note_text
from .errors import MalformedError, shown
from .limits import MAX_LOG_SIZE


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """origin: the log's name. size: its entries. root: 32 bytes, of all of them."""

    origin: str
    size: int
    root: bytes


def parse(text: str) -> Checkpoint:
    """The checkpoint in the text of a note. MalformedError(reason="log") for anything that dump() would not write."""
    lines = note_text.check(text, "the checkpoint")[:-1].split("\n")
    if len(lines) != 3:
        raise MalformedError(
            "the checkpoint has not exactly three lines",
            reason="log",
            expected="origin, size, root",
            found=f"{len(lines)} lines",
        )
    if identifiers.LOG_ORIGIN.fullmatch(lines[0]) is None:
        raise MalformedError(
            "the checkpoint's origin is not in its form",
            reason="log",
            expected=identifiers.LOG_ORIGIN.pattern,
            found=shown(lines[0]),
        )
    return Checkpoint(
        origin=lines[0],
        size=note_text.number(lines[1], MAX_LOG_SIZE, "the checkpoint's size"),
        root=note_text.hash_of_line(lines[2], "the checkpoint's root"),
    )


def dump(checkpoint: Checkpoint) -> str:
    """The text that a log signs; parse gives the checkpoint back, and refuses what it would not accept."""
    text = f"{checkpoint.origin}\n{checkpoint.size}\n{note_text.base64_text(checkpoint.root)}\n"
    parse(text)
    return text

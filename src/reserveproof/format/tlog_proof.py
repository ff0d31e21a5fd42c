"""A log proof (C2SP tlog-proof): the place of an entry in a log, the path to the root, and the checkpoint with it.
docs/spec/log.md.

It stands as text in a file of its own. A JSON string here holds no line feed, so in a proof file's member `log` it
stands in base64: to_member and parse_member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import checkpoint, note_text, signed_note
from .errors import MalformedError, shown
from .limits import MAX_LOG_PATH, MAX_LOG_SIZE
from .signed_note import Note

HEAD = "c2sp.org/tlog-proof@v1"
_INDEX = "index "


@dataclass(frozen=True, slots=True)
class LogProof:
    """index: the entry's, from 0. path: hashes of 32 bytes, from the leaf's sibling up. checkpoint_note: the signed
    checkpoint; its text is one that checkpoint.parse reads."""

    index: int
    path: tuple[bytes, ...]
    checkpoint_note: Note


def parse(text: str) -> LogProof:
    """The proof in this text. MalformedError(reason="log") for anything that dump() would not have written."""
    what = "the log proof"
    head, blank, note = note_text.check(text, what).partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != HEAD or len(lines) < 2 or not lines[1].startswith(_INDEX):
        raise MalformedError(
            f"{what} does not begin as one",
            reason="log",
            expected=f"{HEAD}, index N, hashes, a blank line, the checkpoint",
            found=shown(text[:64]),
        )
    if len(lines) - 2 > MAX_LOG_PATH:
        raise MalformedError(f"{what} has too many hashes", reason="log", expected=f"at most {MAX_LOG_PATH}")
    signed = signed_note.parse(note, f"{what}'s checkpoint")
    checkpoint.parse(signed.text)
    return LogProof(
        index=note_text.number(lines[1][len(_INDEX) :], MAX_LOG_SIZE, f"{what}'s index"),
        path=_path(lines[2:], what),
        checkpoint_note=signed,
    )


def _path(lines: Sequence[str], what: str) -> tuple[bytes, ...]:
    return tuple([note_text.hash_of_line(line, f"{what}, hash {at}") for at, line in enumerate(lines, 1)])


def dump(proof: LogProof) -> str:
    """The text of a proof; parse gives the proof back, and refuses what it would not accept."""
    hashes = "".join([note_text.base64_text(item) + "\n" for item in proof.path])
    text = f"{HEAD}\n{_INDEX}{proof.index}\n{hashes}\n{signed_note.dump(proof.checkpoint_note)}"
    if parse(text) != proof:
        raise MalformedError("the log proof does not read back as it was given", reason="log")
    return text


def parse_member(member: str) -> LogProof:
    """The proof in the member `log` of a proof file: the base64 of the text."""
    return parse(note_text.decode(note_text.bytes_of_base64(member, "proof.log"), "proof.log"))


def to_member(proof: LogProof) -> str:
    """What stands in the member `log` of a proof file."""
    return note_text.base64_text(dump(proof).encode())

"""A signed note (C2SP signed-note): a text, and lines of signatures below it. docs/spec/log.md.

Bytes to records and back. Whose signatures they are, and whether they hold, is for those who judge.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from . import note_text
from .errors import MalformedError, shown
from .limits import MAX_NOTE_SIGNATURES

ED25519 = 0x01
"""A signature over the note's text: the log's own."""
ED25519_COSIGNATURE = 0x04
MLDSA44_COSIGNATURE = 0x06

KEY_ID_BYTES = 4
# The spaces of Unicode, listed: no version of it decides. note_text.check has refused those that are controls.
_NAME = re.compile("[^+ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_LINE = re.compile("\u2014 ([^ ]+) ([^ ]+)")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line. signature: the bytes behind the key id, of which a cosignature's first eight are its time."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """text: with its last line feed, without the blank line that follows it."""

    text: str
    signatures: tuple[NoteSignature, ...]


def key_id(name: str, signature_type: int, key: bytes) -> bytes:
    """The id of a key in its signature lines: 4 bytes that name it, and prove nothing."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([signature_type]) + key).digest()[:KEY_ID_BYTES]


def _signature(line: str, what: str) -> NoteSignature:
    match = _LINE.fullmatch(line)
    if match is None or _NAME.fullmatch(match.group(1)) is None:
        raise MalformedError(
            f"{what} is no signature line",
            reason="log",
            expected="em dash, space, name, space, base64",
            found=shown(line),
        )
    data = note_text.bytes_of_base64(match.group(2), what)
    if len(data) <= KEY_ID_BYTES:
        raise MalformedError(f"{what} holds no signature", reason="log", found=shown(match.group(2)))
    return NoteSignature(match.group(1), data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def parse(text: str, what: str = "the signed note") -> Note:
    """The note in this text. MalformedError(reason="log") for anything that dump() would not have written."""
    note_text.check(text, what)
    head, blank, tail = text.rpartition("\n\n")
    if not blank or not tail:
        raise MalformedError(f"{what} has no signature line", reason="log", expected="a blank line, then signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_NOTE_SIGNATURES:
        raise MalformedError(f"{what} has too many signatures", reason="log", expected=f"at most {MAX_NOTE_SIGNATURES}")
    return Note(head + "\n", tuple([_signature(line, f"{what}, signature {at}") for at, line in enumerate(lines, 1)]))


def dump(note: Note) -> str:
    """The text of a note; parse gives the note back, and refuses what it would not accept."""
    lines = [f"\u2014 {s.name} {note_text.base64_text(s.key_id + s.signature)}\n" for s in note.signatures]
    text = note.text + "\n" + "".join(lines)
    if parse(text) != note:
        raise MalformedError("the note does not read back as it was given", reason="log")
    return text

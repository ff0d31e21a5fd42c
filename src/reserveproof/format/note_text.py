"""The text that notes, log proofs and lists of hashes are written in: UTF-8, lines that end with a line feed,
base64 that re-encodes to itself. docs/spec/log.md.

Every refusal is MalformedError(reason="log").
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from .errors import MalformedError, shown
from .limits import MAX_CONSISTENCY_PATH, MAX_NOTE_CHARACTERS

_FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_DECIMAL = re.compile("0|[1-9][0-9]{0,15}")
HASH_BYTES = 32


def decode(data: bytes, what: str) -> str:
    """The text of a file, in UTF-8. What it says is for the parsers of the formats."""
    if len(data) > 4 * MAX_NOTE_CHARACTERS:  # UTF-8 has at most four bytes for a character
        raise MalformedError(f"{what} is too large", reason="log", found=f"{len(data)} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{what} is not UTF-8 at byte {error.start}", reason="log") from None


def check(text: str, what: str) -> str:
    """The text, if it is not too long, ends with a line feed and holds no other control character."""
    if len(text) > MAX_NOTE_CHARACTERS:
        raise MalformedError(f"{what} is longer than {MAX_NOTE_CHARACTERS} characters", reason="log")
    bad = _FORBIDDEN.search(text)
    if bad:
        raise MalformedError(
            f"{what} holds a control character or a lone surrogate",
            reason="log",
            found=f"U+{ord(bad.group()):04X}",
            hint="lines end with a line feed alone; use the file as it was delivered",
        )
    if not text.endswith("\n"):
        raise MalformedError(f"{what} does not end with a line feed", reason="log", hint="it may have been cut")
    return text


def number(text: str, limit: int, what: str) -> int:
    """The integer from 0 to the limit, spelled in decimal without a leading zero."""
    if _DECIMAL.fullmatch(text) and int(text) <= limit:
        return int(text)
    raise MalformedError(f"{what} is not an integer from 0 to {limit}", reason="log", found=shown(text))


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def bytes_of_base64(text: str, what: str) -> bytes:
    """The bytes of standard padded base64 that re-encodes to itself."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if data and base64_text(data) == text:
        return data
    raise MalformedError(f"{what} is not canonical base64", reason="log", found=shown(text))


def hash_of_line(line: str, what: str) -> bytes:
    """A hash of 32 bytes on a line of its own."""
    found = bytes_of_base64(line, what)
    if len(found) != HASH_BYTES:
        raise MalformedError(
            f"{what} is not a hash", reason="log", expected=f"{HASH_BYTES} bytes", found=f"{len(found)} bytes"
        )
    return found


def parse_hashes(text: str, what: str = "the consistency proof") -> tuple[bytes, ...]:
    """A file of hashes, one in base64 on each line: a consistency proof. An empty file is a proof of no hash."""
    if not text:
        return ()
    lines = check(text, what)[:-1].split("\n")
    if len(lines) > MAX_CONSISTENCY_PATH:
        raise MalformedError(
            f"{what} is too long", reason="log", expected=f"at most {MAX_CONSISTENCY_PATH}", found=f"{len(lines)} lines"
        )
    return tuple([hash_of_line(line, f"{what}, line {at}") for at, line in enumerate(lines, 1)])


def dump_hashes(hashes: Sequence[bytes]) -> str:
    """The text of a file of hashes; parse_hashes gives them back, and refuses what it would not accept."""
    text = "".join([base64_text(item) + "\n" for item in hashes])
    parse_hashes(text)
    return text

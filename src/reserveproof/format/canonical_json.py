"""Canonical JSON: one value, one spelling. A file is accepted only if it equals its own re-encoding.

The value space is objects, arrays, strings and the integers 0 to 2^53-1; there is no true, false, null,
fraction or sign. Keys are ASCII, unique and ascending. Strings are spelled as in RFC 8785 (section 3.2.2.2)
and hold no control character (U+0000-001F, U+007F-009F) and no lone surrogate. UTF-8, no BOM, no white space,
no final newline. See docs/spec/conventions.md.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from .errors import MalformedError, shown
from .limits import MAX_JSON_COMMAS, MAX_JSON_CONTAINERS, MAX_JSON_INTEGER, MAX_NESTING

Json = dict[str, "Json"] | list["Json"] | str | int

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Possessive, and a string may lack its end: a file of quotes and backslashes must not be scanned again and again.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_MAX_KEY = 128


def _refuse(reason: str, message: str, found: object = "") -> NoReturn:
    raise MalformedError(message, reason=reason, found=shown(found))


def _check(value: object, depth: int) -> None:
    if depth > MAX_NESTING:
        _refuse("nesting", f"JSON is nested deeper than {MAX_NESTING} levels")
    if isinstance(value, str):
        if not value.isascii() or not value.isprintable():
            bad = _CONTROL.search(value)
            if bad:
                _refuse(
                    "control-character",
                    "a JSON string holds a control character or a lone surrogate",
                    f"U+{ord(bad.group()):04X}",
                )
    elif isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str) or not (key.isascii() and key.isprintable() and 0 < len(key) <= _MAX_KEY):
                _refuse("key", "a JSON key is not 1 to 128 printable ASCII characters", key)
            # Most members are plain text: no call for each.
            if depth == MAX_NESTING or type(member) is not str or not member.isascii() or not member.isprintable():
                _check(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _check(member, depth + 1)
    elif isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_JSON_INTEGER:
        _refuse("value", "a JSON value is not an object, array, string or integer from 0 to 2^53-1", value)


def dump(value: Json) -> bytes:
    """The canonical bytes of a value. MalformedError if the value is outside the value space."""
    _check(value, 0)
    return _encode(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _encode(value: object) -> bytes:
    return _ENCODER.encode(value).encode("utf-8")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                _refuse("duplicate-key", "a JSON object names a member twice", key)
            seen.add(key)
    return members


def _integer(digits: str) -> int:
    # Bounded before int(), which is quadratic in the number of digits.
    if len(digits) > 16:
        _refuse("value", "a JSON integer is above 2^53-1", digits)
    return int(digits)


def _not_allowed(token: str) -> NoReturn:
    _refuse("value", "a JSON number is not a plain integer", token)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_not_allowed, parse_constant=_not_allowed
)


def _check_brackets(data: bytes, what: str) -> None:
    """Nesting and number of arrays and objects, strings skipped: json's own scanner recurses, and makes a value of
    each, so they are measured first."""
    if data.count(b",") > MAX_JSON_COMMAS:
        raise MalformedError(f"{what} has more than {MAX_JSON_COMMAS} values", reason="size")
    if data.count(b"[") + data.count(b"{") <= MAX_NESTING:
        return  # too few, those in strings with them, to be nested deeper
    opened = depth = 0
    for token in _TOKEN.finditer(data):
        head = token.group()[:1]
        if head in b"[{":
            depth += 1
            opened += 1
            if depth > MAX_NESTING:
                raise MalformedError(f"{what} is nested deeper than {MAX_NESTING} levels", reason="nesting")
            if opened > MAX_JSON_CONTAINERS:
                raise MalformedError(f"{what} has more than {MAX_JSON_CONTAINERS} arrays and objects", reason="size")
        elif head in b"]}":
            depth -= 1


def parse(data: bytes, *, max_bytes: int, what: str) -> Json:
    """The value that these canonical bytes spell.

    data: the whole file. max_bytes: refused above it, unread. what: how messages call the file.
    MalformedError (reasons: size, encoding, nesting, syntax, duplicate-key, value, control-character,
    not-canonical) for anything that dump() would not have written.
    """
    if len(data) > max_bytes:
        raise MalformedError(f"{what} is larger than {max_bytes} bytes", reason="size", found=str(len(data)))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{what} is not UTF-8 at byte {error.start}", reason="encoding") from None
    _check_brackets(data, what)
    try:
        value: Json = _DECODER.decode(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise MalformedError(
            f"{what} is not JSON{where}",
            reason="syntax",
            hint="the file may have been cut or edited; get it again",
        ) from None
    except MalformedError as error:
        error.message = f"{what}: {error.message}"
        raise
    try:
        _check(value, 0)
    except MalformedError as error:
        error.message = f"{what}: {error.message}"
        raise
    if _encode(value) != data:
        raise MalformedError(
            f"{what} is not in canonical form (spacing, key order or escapes differ)",
            reason="not-canonical",
            hint="use the file as it was delivered; opening and saving it in an editor changes it",
        )
    return value

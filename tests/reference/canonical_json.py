"""docs/spec/conventions.md, canonical JSON: an encoder and a recursive reader of its own."""

from __future__ import annotations

import re
from typing import Any

from .outcome import malformed

MAX_LEVELS = 24
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def dump(value: Any) -> bytes:
    """The one spelling of a value."""
    return _spelled(value).encode("utf-8")


def _spelled(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list | tuple):
        return "[" + ",".join(_spelled(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(_spelled(key) + ":" + _spelled(value[key]) for key in sorted(value)) + "}"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"no canonical JSON for {value!r}")


def parse(data: bytes, most_bytes: int) -> Any:
    """The value, if these are exactly its canonical bytes."""
    if len(data) > most_bytes:
        raise malformed("too many bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise malformed("not UTF-8") from None
    value, end = _value(text, 0, 1)
    if end != len(text):
        raise malformed("something after the value")
    if dump(value) != data:
        raise malformed("not its own re-encoding")
    return value


def _value(text: str, at: int, level: int) -> tuple[Any, int]:
    head = text[at : at + 1]
    if head in ("{", "[") and head:
        if level > MAX_LEVELS:
            raise malformed("nested too deeply")
        return _members(text, at + 1, level) if head == "{" else _items(text, at + 1, level)
    if head == '"':
        return _string(text, at)
    digits = re.compile(r"0|[1-9][0-9]{0,15}").match(text, at)
    if digits is None or int(digits[0]) > 2**53 - 1:
        raise malformed("not an object, array, string or integer from 0 to 2^53-1")
    return int(digits[0]), digits.end()


def _string(text: str, at: int) -> tuple[str, int]:
    found = re.compile(r'"((?:[^"\\]|\\["\\])*)"').match(text, at)
    if found is None or _CONTROL.search(found[1]):
        raise malformed("not a string as it must be spelled")
    return re.sub(r"\\(.)", r"\1", found[1]), found.end()


def _items(text: str, at: int, level: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    if text[at : at + 1] == "]":
        return items, at + 1
    while True:
        item, at = _value(text, at, level + 1)
        items.append(item)
        if text[at : at + 1] == "]":
            return items, at + 1
        if text[at : at + 1] != ",":
            raise malformed("neither , nor ]")
        at += 1


def _members(text: str, at: int, level: int) -> tuple[dict[str, Any], int]:
    members: dict[str, Any] = {}
    last = ""
    if text[at : at + 1] == "}":
        return members, at + 1
    while True:
        if text[at : at + 1] != '"':
            raise malformed("a key is not a string")
        key, at = _string(text, at)
        if not re.fullmatch(r"[\x20-\x7e]{1,128}", key) or key <= last:
            raise malformed("a key is no key, or does not ascend")
        last = key
        if text[at : at + 1] != ":":
            raise malformed("no : after a key")
        members[key], at = _value(text, at + 1, level + 1)
        if text[at : at + 1] == "}":
            return members, at + 1
        if text[at : at + 1] != ",":
            raise malformed("neither , nor }")
        at += 1

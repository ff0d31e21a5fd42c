"""Shapes: a check takes a JSON value and returns nothing, or refuses it as malformed."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from . import conventions
from .outcome import malformed

Check = Callable[[Any], object]
MOST_ITEMS = 400_000


def a(item: str, empty: bool = False) -> Check:
    """A string in the form that the conventions give for the item."""

    def check(value: Any) -> None:
        if not (empty and value == "") and not conventions.is_a(item, value):
            raise malformed(f"not a {item}")

    return check


def text(most: int, least: int = 0) -> Check:
    def check(value: Any) -> None:
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise malformed("not a text of its length")

    return check


def word(*words: str) -> Check:
    def check(value: Any) -> None:
        if not isinstance(value, str) or value not in words:
            raise malformed("not one of the words")

    return check


def number(low: int = 0, high: int = 2**53 - 1) -> Check:
    def check(value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise malformed("not an integer in its bounds")

    return check


amount: Check = conventions.amount


def amount_or_none(value: Any) -> None:
    if value != "":
        conventions.amount(value)


def base64_of(most: int) -> Check:
    def check(value: Any) -> None:
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", value):
            raise malformed("not base64")
        try:
            data = base64.b64decode(value, validate=True)
        except binascii.Error:
            raise malformed("not base64") from None
        if base64.b64encode(data).decode() != value or len(data) > most:
            raise malformed("not canonical base64 of its length")

    return check


def obj(optional: tuple[str, ...] = (), /, **members: Check) -> Check:
    """An object with exactly these members; a trailing _ is cut off, for words of the language."""
    names = {name.rstrip("_") if name != "_type" else name: check for name, check in members.items()}

    def check(value: Any) -> None:
        if not isinstance(value, dict) or set(value) - set(names) or set(names) - set(value) - set(optional):
            raise malformed("not an object of exactly its members")
        for name in sorted(value):
            names[name](value[name])

    return check


def array(item: Check, most: int = MOST_ITEMS, least: int = 0, key: Callable[[Any], Any] | None = None) -> Check:
    """An array; with a key, its items ascend strictly by it (conventions, 14)."""

    def check(value: Any) -> None:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise malformed("not an array of its length")
        for one in value:
            item(one)
        if key is not None:
            keys = [key(one) for one in value]
            if any(not before < after for before, after in pairwise(keys)):
                raise malformed("does not ascend strictly")

    return check


def texts(value: Any) -> None:
    """An object from text to text, at most 256."""
    if not isinstance(value, dict) or len(value) > 256:
        raise malformed("not an object of at most 256 texts")
    for one in value.values():
        text(2000)(one)


def by(*names: str) -> Callable[[Any], Any]:
    return lambda value: tuple(value[name] for name in names)

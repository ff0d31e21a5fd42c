"""Declared shapes of JSON values: each format says once what it accepts, and gets a record or an error.

A check takes a value and the place it stands at, and returns the typed value or raises MalformedError.
Objects have exactly their members; arrays ascend strictly by their natural key, which also makes twins
malformed. Nothing has a default: what is empty is written as "" or [].
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from . import amounts, identifiers, times
from .errors import MalformedError, shown
from .limits import MAX_ITEMS, MAX_JSON_INTEGER, MAX_TEXT

T = TypeVar("T")
Check = Callable[[object, str], T]


def text(limit: int = MAX_TEXT, *, empty: bool = True) -> Check[str]:
    """Free text; the canonical parser has already refused control characters."""

    def check(value: object, place: str) -> str:
        if isinstance(value, str) and len(value) <= limit and (value or empty):
            return value
        raise MalformedError(
            f"{place} is not text of {'0' if empty else '1'} to {limit} characters",
            reason="text",
            found=shown(value),
        )

    return check


def pattern(form: re.Pattern[str], *, empty: bool = False) -> Check[str]:
    def check(value: object, place: str) -> str:
        if empty and value == "":
            return ""
        return identifiers.matches(form, value, place)

    return check


def choice(allowed: frozenset[str] | tuple[str, ...] | Mapping[str, object]) -> Check[str]:
    def check(value: object, place: str) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        raise MalformedError(
            f"{place} is not one of the known words",
            reason="choice",
            expected=", ".join(sorted(allowed)),
            found=shown(value),
        )

    return check


def integer(low: int = 0, high: int = MAX_JSON_INTEGER) -> Check[int]:
    def check(value: object, place: str) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise MalformedError(f"{place} is not an integer from {low} to {high}", reason="integer", found=shown(value))

    return check


def amount(value: object, place: str) -> int:
    return amounts.from_json(value, place)


def withheld_amount(value: object, place: str) -> int | None:
    """An amount, or "" where it is withheld."""
    return None if value == "" else amounts.from_json(value, place)


def time(value: object, place: str) -> str:
    """A time, kept in its one spelling: it compares as a string as it does as an instant."""
    times.parse_time(value, place)
    return str(value)


def digest(value: object, place: str) -> bytes:
    return bytes.fromhex(identifiers.matches(identifiers.DIGEST, value, place))


def digest_or_empty(value: object, place: str) -> bytes | None:
    return None if value == "" else digest(value, place)


def account(value: object, place: str) -> str:
    if isinstance(value, str) and identifiers.is_normal_account(value):
        return value
    raise MalformedError(
        f"{place} is not an account in its normal form (CAIP-10 or ref:)",
        reason="account",
        found=shown(value),
    )


def form(value: object, place: str) -> str:
    if isinstance(value, str) and identifiers.is_normal_form(value):
        return value
    raise MalformedError(
        f"{place} is not a form in its one spelling (CAIP-19, or iso4217:)", reason="form", found=shown(value)
    )


def base64_bytes(limit: int) -> Check[bytes]:
    """Standard padded base64 that re-encodes to itself."""

    def check(value: object, place: str) -> bytes:
        if isinstance(value, str) and len(value) <= (limit + 2) // 3 * 4:
            try:
                data = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                data = b""
            if len(data) <= limit and base64.b64encode(data).decode("ascii") == value:
                return data
        raise MalformedError(f"{place} is not canonical base64 of at most {limit} bytes", reason="base64")

    return check


def array(
    of: Check[T],
    *,
    key: Callable[[T], Any] | None,
    limit: int = MAX_ITEMS,
    least: int = 0,
) -> Check[tuple[T, ...]]:
    """An array whose items ascend strictly by key; key=None for the few whose order carries meaning."""

    def check(value: object, place: str) -> tuple[T, ...]:
        if not isinstance(value, list) or not least <= len(value) <= limit:
            raise MalformedError(
                f"{place} is not an array of {least} to {limit} items", reason="array", found=shown(value)
            )
        items = tuple([of(item, f"{place}[{number}]") for number, item in enumerate(value)])
        if key is not None:
            keys = [key(item) for item in items]
            for number in range(1, len(keys)):
                if not keys[number - 1] < keys[number]:
                    raise MalformedError(
                        f"{place}[{number}] does not ascend strictly",
                        reason="order",
                        found=shown(keys[number]),
                    )
        return items

    return check


def members(
    value: object, names: frozenset[str], place: str, optional: frozenset[str] = frozenset()
) -> dict[str, object]:
    """The value as an object with exactly these members."""
    if not isinstance(value, dict):
        raise MalformedError(f"{place} is not an object", reason="object", found=shown(value))
    if value.keys() == names:
        return value
    unknown = sorted(set(value) - names - optional)
    missing = sorted(names - set(value))
    if unknown or missing:
        raise MalformedError(
            f"{place} has not exactly its members",
            reason="members",
            expected=", ".join(missing) and "also " + ", ".join(missing),
            found=shown(", ".join(unknown)) if unknown else "",
        )
    return value


def record(cls: type[T], checks: Mapping[str, Check[Any]]) -> Check[T]:
    """An object with exactly the fields of a dataclass, each with its check. A field named `class_` or `type_`
    stands for the member `class` or `type`, which are words of the language."""
    names = {field.name: field.name.rstrip("_") for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if set(names) != set(checks):
        raise RuntimeError(f"shape of {cls.__name__} does not name its fields")
    wanted = frozenset(names.values())

    def check(value: object, place: str) -> T:
        found = members(value, wanted, place)
        return cls(**{name: checks[name](found[member], f"{place}.{member}") for name, member in names.items()})

    return check


def text_map(value: object, place: str) -> dict[str, str]:
    """An object from text to text."""
    if not isinstance(value, dict) or len(value) > 256:
        raise MalformedError(f"{place} is not an object of at most 256 texts", reason="object", found=shown(value))
    check = text()
    return {key: check(item, f"{place}.{key}") for key, item in value.items()}


def to_json(value: object) -> Any:
    """The JSON value of a record: integers that are amounts become strings by the record's own `amounts`
    (a class attribute naming them); bytes become hex; None becomes ""."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        money: frozenset[str] = getattr(value, "AMOUNTS", frozenset())
        out: dict[str, Any] = {}
        for field in dataclasses.fields(value):
            item = getattr(value, field.name)
            member = field.name.rstrip("_")
            out[member] = str(item) if field.name in money and item is not None else to_json(item)
        return out
    if isinstance(value, bytes):
        return value.hex()
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return value

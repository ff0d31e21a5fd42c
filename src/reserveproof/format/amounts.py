"""Amounts: integers in an asset's base unit (10^-decimals), never floats, always below 2^127."""

from __future__ import annotations

import re

from .errors import MalformedError, shown
from .limits import AMOUNT_BOUND

JSON_AMOUNT = re.compile(r"0|[1-9][0-9]{0,38}")
TYPED_AMOUNT = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?")
MAX_TYPED = 80
"""Characters of a typed amount: 39 digits, a point and 30 decimals, with room."""


def from_json(value: object, what: str = "amount") -> int:
    """The integer of an amount string as it stands in JSON and in canonical tables."""
    if isinstance(value, str) and JSON_AMOUNT.fullmatch(value):
        number = int(value)
        if number < AMOUNT_BOUND:
            return number
    raise MalformedError(f"{what} is not a whole number of base units below 2^127", reason="amount", found=shown(value))


def from_typed(text: str, decimals: int, what: str = "amount") -> int:
    """Base units of a decimal as people write it: no sign, exponent, separator or white space, and no more
    digits after the point than the asset has (nothing is rounded). MalformedError(reason="typed-amount")."""
    match = TYPED_AMOUNT.fullmatch(text) if len(text) <= MAX_TYPED else None
    if match is None:
        raise MalformedError(
            f"{what} is not a plain decimal like 1250.5",
            reason="typed-amount",
            found=shown(text),
            hint="no sign, no exponent, no thousands separator, a point before the decimals",
        )
    whole, fraction = match.group(1), match.group(2) or ""
    if len(fraction) > decimals:
        raise MalformedError(
            f"{what} has {len(fraction)} digits after the point where the asset has {decimals}",
            reason="typed-amount",
            found=shown(text),
            hint="nothing is rounded: give the exact amount",
        )
    number = int(whole + fraction.ljust(decimals, "0"))
    if number >= AMOUNT_BOUND:
        raise MalformedError(f"{what} is not below 2^127 base units", reason="typed-amount", found=shown(text))
    return number


def to_typed(amount: int, decimals: int) -> str:
    """The decimal of an amount in base units, all decimals shown; from_typed gives the amount back."""
    digits = str(amount).rjust(decimals + 1, "0")
    return digits if decimals == 0 else f"{digits[:-decimals]}.{digits[-decimals:]}"


def to_readable(amount: int, decimals: int) -> str:
    """The decimal of an amount for people: without trailing zeros, but for cents (of two decimals both are shown)."""
    text = to_typed(amount, decimals)
    if decimals <= 2:
        return text
    return text.rstrip("0").rstrip(".") if "." in text else text


def convert_down(quantity: int, from_decimals: int, to_decimals: int) -> int:
    """A quantity of a form in the asset's base unit, cut down (assets are rounded down, never up)."""
    if from_decimals >= to_decimals:
        return quantity // int(10 ** (from_decimals - to_decimals))
    return quantity * int(10 ** (to_decimals - from_decimals))

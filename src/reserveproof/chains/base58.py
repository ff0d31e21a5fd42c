"""Base58Check, the encoding of Bitcoin's first addresses (a version byte, a payload, four checksum bytes)."""

from __future__ import annotations

import hashlib

from reserveproof.format.errors import MalformedError, shown

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGIT = {character: value for value, character in enumerate(ALPHABET)}

MAX_CHARACTERS = 40
"""An address of 25 bytes has at most 35; the bound keeps the arithmetic, which is quadratic, small."""


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]


def encode_check(data: bytes) -> str:
    """The text of version || payload."""
    full = data + _checksum(data)
    number, digits = int.from_bytes(full), []
    while number:
        number, digit = divmod(number, 58)
        digits.append(ALPHABET[digit])
    zeros = len(full) - len(full.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def decode_check(text: str) -> bytes:
    """version || payload of a text. MalformedError(reason="account") for a foreign character, a wrong
    checksum or a text beyond MAX_CHARACTERS; every accepted text is the encoding of what it gives."""
    if len(text) > MAX_CHARACTERS:
        raise MalformedError("the base58 address is too long", reason="account", found=shown(text))
    number = 0
    for character in text:
        digit = _DIGIT.get(character)
        if digit is None:
            raise MalformedError("the address is not base58", reason="account", found=shown(text))
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    full = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
    if len(full) < 5 or _checksum(full[:-4]) != full[-4:]:
        raise MalformedError("the address's base58 checksum is wrong", reason="account", found=shown(text))
    return full[:-4]

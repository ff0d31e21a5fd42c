"""Segregated witness addresses: bech32 for version 0 (BIP-173), bech32m for versions 1 to 16 (BIP-350)."""

from __future__ import annotations

from functools import cache

from reserveproof.format.errors import MalformedError, shown

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUE = {character: value for value, character in enumerate(CHARSET)}
_TO_BASE32 = str.maketrans(CHARSET, "0123456789abcdefghijklmnopqrstuv")
_BECH32, _BECH32M = 1, 0x2BC830A3
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)

MAX_CHARACTERS = 90
"""BIP-173: beyond it the checksum no longer promises to find four errors."""


def _reduction(top: int) -> int:
    value = 0
    for bit, generator in enumerate(_GENERATOR):
        if top >> bit & 1:
            value ^= generator
    return value


_REDUCTION = tuple(_reduction(top) for top in range(32))
"""The five conditional XORs of BIP-173's polymod, for each of the 32 values that select them."""


def _polymod(state: int, values: list[int]) -> int:
    for value in values:
        state = (state & 0x1FFFFFF) << 5 ^ value ^ _REDUCTION[state >> 25]
    return state


@cache
def _prefix_state(hrp: str) -> int:
    expanded = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]
    return _polymod(1, expanded)


def _refuse(what: str, text: str) -> MalformedError:
    return MalformedError(what, reason="account", found=shown(text))


def decode_segwit(hrp: str, text: str) -> tuple[int, bytes]:
    """(version, program) of an address on the network whose human-readable part is `hrp`.

    The text is all lower or all upper case, never mixed. MalformedError(reason="account") for another
    network, a wrong checksum or variant, padding that is not zero, or a program of a length that its
    version does not have: 20 or 32 bytes for version 0, else 2 to 40.
    """
    if len(text) > MAX_CHARACTERS:
        raise _refuse("the bech32 address is too long", text)
    lower = text.lower()
    if text not in (lower, lower.upper()) or not text.isascii():
        raise _refuse("a bech32 address is all lower or all upper case", text)
    if not lower.startswith(hrp + "1"):
        raise _refuse(f"the address is not of this network, whose addresses start with {hrp}1", text)
    data = lower[len(hrp) + 1 :]
    try:
        values = [_VALUE[character] for character in data]
    except KeyError:
        raise _refuse("the address is not bech32", text) from None
    if len(values) < 8:  # the version, the shortest program and the checksum
        raise _refuse("the bech32 address is too short", text)
    version = values[0]
    if _polymod(_prefix_state(hrp), values) != (_BECH32 if version == 0 else _BECH32M):
        raise _refuse("the address's bech32 checksum is wrong", text)
    padding = (len(values) - 7) * 5 % 8
    number = int(data[1:-6].translate(_TO_BASE32), 32)
    if padding > 4 or number & ((1 << padding) - 1):
        raise _refuse("the address's bech32 padding is wrong", text)
    length = (len(values) - 7) * 5 // 8
    if version > 16 or not 2 <= length <= 40 or (version == 0 and length not in (20, 32)):
        raise _refuse("no witness program has this version and length", text)
    return version, (number >> padding).to_bytes(length)


def encode_segwit(hrp: str, version: int, program: bytes) -> str:
    """The lower-case address of a witness program; decode_segwit gives it back."""
    groups = -(-len(program) * 8 // 5)
    number = int.from_bytes(program) << (groups * 5 - len(program) * 8)
    values = [version, *(number >> 5 * (groups - 1 - i) & 31 for i in range(groups))]
    constant = _BECH32 if version == 0 else _BECH32M
    check = _polymod(_prefix_state(hrp), values + [0] * 6) ^ constant
    values += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + "1" + "".join(CHARSET[value] for value in values)

"""docs/spec/conventions.md: bytes, amounts, identifiers, times."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac as _hmac
import re

from .outcome import malformed, usage

BOUND = 2**127
DAY = 86_400


def H(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def T(name: str) -> bytes:
    """(3)"""
    return H(b"reserveproof/v1/" + name.encode())


def HMAC(key: bytes, message: bytes) -> bytes:
    return _hmac.new(key, message, "sha256").digest()


def u8(n: int) -> bytes:
    return n.to_bytes(1, "big")


def u32(n: int) -> bytes:
    return n.to_bytes(4, "big")


def u64(n: int) -> bytes:
    return n.to_bytes(8, "big")


def u128(n: int) -> bytes:
    return n.to_bytes(16, "big")


def lp(text: str) -> bytes:
    """(2)"""
    data = text.encode()
    return u32(len(data)) + data


def amount(text: object) -> int:
    """(5) (6)"""
    if not isinstance(text, str) or not re.fullmatch(r"0|[1-9][0-9]{0,38}", text) or int(text) >= BOUND:
        raise malformed("not an amount")
    return int(text)


def typed_amount(text: str, decimals: int) -> int:
    """(7)"""
    if len(text) > 80 or not (parts := re.fullmatch(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", text, re.ASCII)):
        raise usage("typed-amount", "not a plain decimal")
    whole, fraction = parts[1], parts[2] or ""
    if len(fraction) > decimals:
        raise usage("typed-amount", "more digits than the asset has")
    number = int(whole) * 10**decimals + int(fraction.ljust(decimals, "0") or "0")
    if number >= BOUND:
        raise usage("typed-amount", "2^127 or more")
    return number


def converted_down(quantity: int, form_decimals: int, asset_decimals: int) -> int:
    """(8)"""
    if asset_decimals >= form_decimals:
        return quantity * 10 ** (asset_decimals - form_decimals)
    return quantity // 10 ** (form_decimals - asset_decimals)


_CHAIN = r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}"
_COIN = r"slip44:(0|[1-9][0-9]{0,9})"
PATTERNS = {
    "custodian id": r"[a-z0-9][a-z0-9.-]{0,23}",
    "pool": r"[a-z0-9][a-z0-9.-]{0,23}",
    "snapshot id": r"[a-z0-9][a-z0-9.-]{0,31}",
    "asset id": r"[A-Z0-9][A-Z0-9.-]{0,15}",
    "chain": _CHAIN,
    "form": _CHAIN + r"/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}|iso4217:[A-Z]{3}",
    "account": _CHAIN + r":[-.%a-zA-Z0-9]{1,128}|ref:[A-Za-z0-9.-]{1,64}",
    "client id": r"[\x21-\x7e]([\x20-\x7e]{0,126}[\x21-\x7e])?",
    "client code": r"([\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?)?",
    "slug": r"[a-z0-9][a-z0-9-]{0,63}",
    "rule id": r"[A-Z]{3}-[0-9]{2}",
    "LEI": r"([A-Z0-9]{18}[0-9]{2})?",
    "file name": r"[a-z0-9][a-z0-9._-]{0,99}(/[a-z0-9][a-z0-9._-]{0,99}){0,3}",
    "log origin": r"[a-z0-9][a-z0-9./-]{0,127}",
    "witness name": r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}",
    "digest": r"[0-9a-f]{64}",
    "time": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
}


def is_a(item: str, value: object) -> bool:
    """(9) Whether the value is spelled as the item must be."""
    if not isinstance(value, str) or not re.fullmatch(PATTERNS[item], value):
        return False
    if item in ("chain", "form", "account") and value.startswith(("ref:", "iso4217:")):
        return "/" not in value and value.count(":") == 1 and item == {"r": "account", "i": "form"}[value[0]]
    if item == "form" and value.startswith("eip155:"):
        return re.fullmatch(rf"eip155:[1-9][0-9]{{0,31}}/({_COIN}|erc20:0x[0-9a-f]{{40}})", value) is not None
    if item == "form" and value.startswith("bip122:"):
        return re.fullmatch(rf"bip122:[0-9a-f]{{32}}/{_COIN}", value) is not None
    if item == "account":
        return len(value) <= 104 and _normal(value)
    if item == "time":
        return _exists(value[:-1])
    return True


def _normal(account: str) -> bool:
    if account.startswith("eip155:"):
        return re.fullmatch(r"eip155:[1-9][0-9]{0,31}:0x[0-9a-f]{40}", account) is not None
    if account.startswith("bip122:"):
        _, chain, address = account.split(":")
        bech32 = re.match(r"(bc|tb|bcrt)1", address, re.IGNORECASE) is not None
        return re.fullmatch(r"[0-9a-f]{32}", chain) is not None and (not bech32 or address == address.lower())
    return True


def typed_account(account: str) -> str:
    """An account as a person types it (verification, 2)."""
    bech32 = re.fullmatch(r"(bip122:[0-9a-f]{32}:)((BC|TB|BCRT)1[0-9A-Z]*)", account)
    if bech32:
        return bech32[1] + bech32[2].lower()
    return account.lower() if account.lower().startswith("eip155:") else account


def _exists(instant: str) -> bool:
    try:
        dt.datetime.fromisoformat(instant)
    except ValueError:
        return False
    return True


def seconds(time: str) -> int:
    """The instant as a number, to add to and to compare."""
    return int(dt.datetime.fromisoformat(time[:-1] + "+00:00").timestamp())


def chain_of(name: str) -> str:
    """The chain of an account or a form; "" off chain."""
    return "" if name.startswith(("ref:", "iso4217:")) else ":".join(name.split("/")[0].split(":")[:2])

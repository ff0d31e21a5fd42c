"""Patterns of identifiers. All match the whole string; what does not match is refused, never repaired."""

from __future__ import annotations

import re

from .errors import MalformedError, shown

CUSTODIAN_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,23}")
POOL = CUSTODIAN_ID
SNAPSHOT_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")
ASSET = re.compile(r"[A-Z0-9][A-Z0-9.-]{0,15}")
CHAIN = re.compile(r"(?!ref:|iso4217:)[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}")  # CAIP-2
FORM = re.compile(
    r"(?!ref:|iso4217:)[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}|iso4217:[A-Z]{3}"
)
ACCOUNT = re.compile(
    r"(?!ref:|iso4217:)[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}:[-.%a-zA-Z0-9]{1,128}|ref:[A-Za-z0-9.-]{1,64}"
)
MAX_ACCOUNT = 104
CLIENT_ID = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?")
CLIENT_CODE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?)?")
STRONG_CODE = re.compile(r"[A-Z2-7]{20}")
"""A code as `reserveproof-verify code` makes it: 100 random bits. Any other is listed as weak."""
DIGEST = re.compile(r"[0-9a-f]{64}")
RULE_ID = re.compile(r"[A-Z]{3}-[0-9]{2}")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
LEI = re.compile(r"(?:[A-Z0-9]{18}[0-9]{2})?")  # ISO 17442; "" where there is none
LOG_ORIGIN = re.compile(r"[a-z0-9][a-z0-9./-]{0,127}")
"""The name of a log: a URL without its scheme. It is a checkpoint's first line and the log key's name."""
WITNESS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}")
"""A cosigner's name: a URL without its scheme, or oid/ and an object identifier."""
FILE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}(?:/[a-z0-9][a-z0-9._-]{0,99}){0,3}")
"""A name inside a bundle: relative, no `..`, no leading dot, forward slashes, one case."""


def matches(pattern: re.Pattern[str], value: object, what: str) -> str:
    """The value, if it is a string that the pattern matches whole; MalformedError(reason="pattern") if not."""
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    raise MalformedError(f"{what} is not in its form", reason="pattern", expected=pattern.pattern, found=shown(value))


def chain_of(account_or_form: str) -> str:
    """CAIP-2 chain of a CAIP-10 account or a CAIP-19 asset type; "" for what stands on no chain."""
    if account_or_form.startswith(("ref:", "iso4217:")):
        return ""
    return ":".join(account_or_form.split("/")[0].split(":")[:2])


_EIP155_ACCOUNT = re.compile(r"eip155:[1-9][0-9]{0,31}:0x[0-9a-f]{40}")
_BIP122_ACCOUNT = re.compile(r"bip122:[0-9a-f]{32}:(.+)")
_BECH32 = re.compile(r"(?i)(?:bc|tb|bcrt)1")


def is_normal_account(account: str) -> bool:
    """Whether an account is spelled as its chain normalises it, as far as spelling alone shows: eip155 and
    bech32 lower-case (base58 keeps its case). The chain module checks the checksum too."""
    if len(account) > MAX_ACCOUNT or not ACCOUNT.fullmatch(account):
        return False
    if account.startswith("eip155:"):
        return _EIP155_ACCOUNT.fullmatch(account) is not None
    if account.startswith("bip122:"):
        match = _BIP122_ACCOUNT.fullmatch(account)
        if match is None:
            return False
        address = match.group(1)
        return not _BECH32.match(address) or address == address.lower()
    return True


_NORMAL_FORM = {
    "eip155": re.compile(r"eip155:[1-9][0-9]{0,31}/(?:slip44:(?:0|[1-9][0-9]{0,9})|erc20:0x[0-9a-f]{40})"),
    "bip122": re.compile(r"bip122:[0-9a-f]{32}/slip44:(?:0|[1-9][0-9]{0,9})"),
}


def is_normal_form(form: str) -> bool:
    """Whether a form is spelled in its one way: on eip155 and bip122 the chain's own coin, or an ERC-20 contract. Two
    spellings of one thing would count it twice."""
    exact = _NORMAL_FORM.get(form.partition(":")[0])
    return FORM.fullmatch(form) is not None and (exact is None or exact.fullmatch(form) is not None)


def is_own_coin(form: str) -> bool:
    """Whether a form is the own coin of a chain of which one coin is known: `slip44` on eip155 and bip122."""
    return form.startswith(("eip155:", "bip122:")) and "/slip44:" in form


def on_one_chain(account: str, form: str) -> bool:
    """Whether a form can stand on an account: both on one chain, or the account off chain (a `ref:` account holds
    any form)."""
    return account.startswith("ref:") or chain_of(account) == chain_of(form)

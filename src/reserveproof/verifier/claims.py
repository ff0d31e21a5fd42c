"""What the reader says, from outside every file that is checked: own id and code, balances, own accounts.

Nothing of it has a default taken from a proof or a statement. An unusable answer is a UsageError: it leads to no
verdict about the custodian.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..format import amounts, identifiers
from ..format.errors import MalformedError, UsageError, shown
from ..format.limits import MAX_TOML_BYTES
from .toml_input import TomlError, load_toml

MEMBERS = frozenset({"client_id", "client_code", "balances", "dedicated", "digest"})


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance as the client saw it on the day: decimals as typed. pool may be "" where the asset is in one
    pool only; debit "" unless the client owes something there."""

    pool: str
    asset: str
    amount: str
    debit: str


@dataclass(frozen=True, slots=True)
class Claims:
    client_id: str
    client_code: str
    balances: tuple[Balance, ...]
    dedicated: tuple[str, ...]
    digest: str
    """The statement's digest as the client has it from elsewhere, "" if not."""


def _text(found: Mapping[str, object], member: str, place: str, default: str | None = None) -> str:
    value = found.get(member, default)
    if not isinstance(value, str):
        raise UsageError(f"{place}{member} is missing or is not text", reason="input", hint="write it in quotes")
    return value


def _matching(pattern_name: str, value: str, what: str) -> str:
    try:
        return identifiers.matches(getattr(identifiers, pattern_name), value, what)
    except MalformedError as error:
        raise UsageError(
            f"{what} {shown(value)!r} is not in its form", reason="input", expected=error.expected
        ) from None


def _balance(value: object, number: int) -> Balance:
    place = f"balances[{number}]."
    if not isinstance(value, dict) or set(value) - {"pool", "asset", "amount", "debit"}:
        raise UsageError(f"{place[:-1]} has not just pool, asset, amount and debit", reason="input")
    pool = _text(value, "pool", place, "")
    return Balance(
        pool=_matching("POOL", pool, f"{place}pool") if pool else "",
        asset=_matching("ASSET", _text(value, "asset", place), f"{place}asset"),
        amount=_text(value, "amount", place),
        debit=_text(value, "debit", place, ""),
    )


def account_as_typed(text: str) -> str:
    """An account in its normal spelling: the hex of an eip155 address and a bech32 address in lower case.
    Checksums are not looked at: an account that is mistyped is not found."""
    account = text.strip()
    scheme, _, rest = account.partition(":")
    address = rest.rpartition(":")[2]
    if scheme == "eip155" or (scheme == "bip122" and address == address.upper()):
        account = account.lower()
    if not identifiers.is_normal_account(account):
        raise UsageError(
            f"the account {shown(text)!r} is not in its form",
            reason="input",
            expected="CAIP-10, like eip155:1:0x..., or ref:...",
        )
    return account


def make_claims(found: Mapping[str, object]) -> Claims:
    """The claims in a parsed claims file. UsageError, of step 1, for anything else."""
    try:
        return _make_claims(found)
    except UsageError as error:
        raise error.at_step(1) from None


def _make_claims(found: Mapping[str, object]) -> Claims:
    unknown = set(found) - MEMBERS
    if unknown:
        raise UsageError(f"claims: {shown(sorted(unknown)[0])} is not a known member", reason="input")
    balances = found.get("balances", [])
    dedicated = found.get("dedicated", [])
    if not isinstance(balances, list) or not isinstance(dedicated, list):
        raise UsageError("claims: balances and dedicated are lists", reason="input")
    if not all(isinstance(account, str) for account in dedicated):
        raise UsageError("claims: dedicated is a list of accounts in quotes", reason="input")
    digest = _text(found, "digest", "", "").replace(" ", "").lower()
    stated = tuple(_balance(value, number) for number, value in enumerate(balances))
    return Claims(
        client_id=_matching("CLIENT_ID", _text(found, "client_id", ""), "client_id"),
        client_code=_matching("CLIENT_CODE", _text(found, "client_code", "", ""), "client_code"),
        balances=stated,
        dedicated=tuple(sorted({account_as_typed(account) for account in dedicated})),
        digest=_matching("DIGEST", digest, "digest") if digest else "",
    )


def parse_claims(data: bytes) -> Claims:
    """The claims in these TOML bytes. UsageError for anything else."""
    if len(data) > MAX_TOML_BYTES:
        raise UsageError(f"the claims file is larger than {MAX_TOML_BYTES} bytes", reason="input")
    try:
        found = load_toml(data)
    except TomlError as error:
        raise UsageError(f"the claims file is not TOML: {shown(error)}", reason="input") from None
    return make_claims(found)


@dataclass(frozen=True, slots=True)
class TypedAmount:
    """An amount as typed: exact base units of what was typed, and how far it was typed."""

    text: str
    amount: int
    unit: int
    """Base units in one step of the last digit typed: 1 if all decimals were typed."""
    significant: int
    """Digits typed, without leading zeros."""


NOTHING_OWED = TypedAmount("0", 0, 1, 0)
"""A debit that was not stated: exactly zero, never cut (attack unstated_debit)."""

SIGNIFICANT_DIGITS = 6
"""A cut amount must show this many digits: two balances that agree in six digits are the same balance to a
reader, and fewer would let a shaved balance pass."""


def typed_amount(text: str, decimals: int, what: str) -> TypedAmount:
    """The amount that a reader typed. UsageError(reason="typed-amount")."""
    try:
        amount = amounts.from_typed(text, decimals, what)
    except MalformedError as error:
        raise UsageError(error.message, reason="typed-amount", found=error.found, hint=error.hint) from None
    fraction = text.partition(".")[2]
    digits = text.replace(".", "").lstrip("0")
    return TypedAmount(text, amount, int(10 ** (decimals - len(fraction))), len(digits))

"""The private wallet register as a canonical table: what the rules are run over, for the custodian and its auditor.

Same dialect as the other canonical tables (tables.py): one header line, tab-separated printable ASCII, LF, a final
newline, strictly ascending rows. See docs/reference/register-csv.md. It names clients and house accounts: never
published.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

from . import identifiers, limits, times, vocabulary
from .amounts import JSON_AMOUNT
from .errors import InputError, MalformedError

WALLETS_FILE = "wallets.tsv"
WALLETS_COLUMNS = (
    "account", "form", "pool", "owner_class", "segregation", "client_id", "client_code", "function", "opened",
    "observed", "encumbrance", "encumbered", "counts",
)  # fmt: skip
FUNCTIONS = frozenset({"deposit", "vault", "withdrawal", "gas", "staking", "collateral", "suspense"})
"""What a wallet is for."""
SEGREGATIONS = frozenset({"omnibus", "dedicated", "none"})
"""How a wallet stands apart; none is for wallets outside of client pools."""
COUNTS = frozenset({"yes", "no", "apart"})
"""Whether an encumbered quantity counts as reserve. It may be said wrongly: rule ENC-01 judges it."""
MAX_WALLET_LINE = 1024
"""Bytes of one line; the longest legal one has fewer than 800."""


@dataclass(frozen=True, slots=True, order=True)
class WalletRow:
    """One (account, form). Amounts are in the base unit of the asset that the form counts as: observed was
    converted down, encumbered up. opened is a date or ""; encumbrance and counts are "" if nothing is encumbered."""

    account: str
    form: str
    owner_class: str
    pool: str
    client_id: str
    client_code: str
    segregation: str
    function: str
    opened: str
    observed: int
    encumbrance: str
    encumbered: int
    counts: str


def _words(words: Iterable[str], *, empty: bool = False) -> re.Pattern[str]:
    return re.compile("|".join(sorted(words)) + ("|" if empty else ""))


_PATTERNS: dict[str, re.Pattern[str]] = {
    "account": identifiers.ACCOUNT,
    "form": identifiers.FORM,
    "pool": re.compile(f"(?:{identifiers.POOL.pattern})?"),
    "owner_class": _words(vocabulary.OWNER_CLASSES),
    "segregation": _words(SEGREGATIONS),
    "client_id": re.compile(f"(?:{identifiers.CLIENT_ID.pattern})?"),
    "client_code": identifiers.CLIENT_CODE,
    "function": _words(FUNCTIONS),
    "opened": re.compile(f"(?:{times.DATE.pattern})?"),
    "observed": JSON_AMOUNT,
    "encumbrance": _words(vocabulary.ENCUMBRANCES, empty=True),
    "encumbered": JSON_AMOUNT,
    "counts": _words(COUNTS, empty=True),
}


def _row(line: str, row: int, file: str) -> WalletRow:
    fields = line.split("\t")
    if len(fields) != len(WALLETS_COLUMNS):
        raise InputError(f"has {len(fields)} fields where the table has {len(WALLETS_COLUMNS)}", file=file, row=row,
                         reason="fields")  # fmt: skip
    found = dict(zip(WALLETS_COLUMNS, fields, strict=True))

    def refuse(column: str, rule: str) -> InputError:
        return InputError(rule, file=file, row=row, column=column, value=found[column], reason="value")

    for column, value in found.items():
        if not _PATTERNS[column].fullmatch(value):
            raise refuse(column, "is not in its form")
    if not identifiers.is_normal_account(found["account"]):
        raise refuse("account", "is not an account in its normal form")
    if found["opened"]:
        try:
            times.parse_date(found["opened"])
        except MalformedError:
            raise refuse("opened", "is not a day") from None
    for column in ("observed", "encumbered"):
        if int(found[column]) >= limits.AMOUNT_BOUND:
            raise refuse(column, "is not below 2^127 base units")
    claimed = found["encumbered"] != "0"
    for column in ("encumbrance", "counts"):
        if bool(found[column]) != claimed:
            raise refuse(column, "is given if and only if something is encumbered")
    observed, encumbered = int(found.pop("observed")), int(found.pop("encumbered"))
    return WalletRow(**found, observed=observed, encumbered=encumbered)


def parse_wallets(data: bytes, *, file: str = WALLETS_FILE) -> tuple[WalletRow, ...]:
    """The rows of a canonical wallet table. InputError names file, row and column of what a writer would not write."""
    lines = data.decode("latin-1").split("\n")  # latin-1 never fails; no pattern takes what is outside ASCII
    if lines[-1] or len(data) > limits.MAX_REGISTER_BYTES:
        raise InputError("does not end with a newline, or is too large", file=file, reason="cut")
    if lines[0] != "\t".join(WALLETS_COLUMNS):
        raise InputError("is not the header of this table", file=file, row=1, value=lines[0], reason="header",
                         hint="the header is " + " ".join(WALLETS_COLUMNS) + ", separated by tabs")  # fmt: skip
    rows: list[WalletRow] = []
    for number, line in enumerate(lines[1:-1], 2):
        if len(line) >= MAX_WALLET_LINE:
            raise InputError("is too long", file=file, row=number, reason="cut")
        row = _row(line, number, file)
        if rows and not rows[-1] < row:
            raise InputError("is not in ascending order", file=file, row=number, column="account", value=row.account,
                             reason="order")  # fmt: skip
        rows.append(row)
    if not rows:
        raise InputError("has a header and no row", file=file, reason="empty")
    return tuple(rows)


def dump_wallets(rows: Iterable[WalletRow], *, file: str = WALLETS_FILE) -> bytes:
    """The bytes of the table, rows in any order; InputError for what parse_wallets would refuse."""
    out = io.StringIO()
    out.write("\t".join(WALLETS_COLUMNS) + "\n")
    for row in sorted(rows):
        out.write("\t".join(str(getattr(row, column)) for column in WALLETS_COLUMNS) + "\n")
    data = out.getvalue().encode("utf-8")
    parse_wallets(data, file=file)
    return data

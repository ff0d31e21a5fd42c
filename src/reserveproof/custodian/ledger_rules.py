"""What a row of a ledger, of the accounts and of the control totals must look like, said once in Python.

DuckDB judges the same rules in bulk (ledger_engine.py) with the same patterns; this module names the row, the
column and the value of what it refused. Nothing is repaired: no trimming, no case folding, no rounding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..format.amounts import from_typed
from ..format.errors import InputError, MalformedError, UsageError
from ..format.identifiers import ASSET, CLIENT_CODE, CLIENT_ID, POOL
from ..format.limits import MAX_DECIMALS
from ..format.tables import ACCOUNT_STATUSES, ACCOUNTS_COLUMNS, CONTROL_TOTALS_COLUMNS, RELATED_PARTY
from ..format.vocabulary import ACCOUNT_TYPES, BUCKET_CODES

LEDGER_COLUMNS = ("client_id", "pool", "asset", "bucket", "credit", "debit", "client_code")
AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,37})(?:\.[0-9]{1,30})?")
MAX_PROBLEMS = 50
"""Problems that one check reports; a ledger with more has one cause, and is refused for the first."""

Problem = tuple[str, str | None, str]
"""column, value, rule"""

Record = Mapping[str, str | None]
"""A row as it was read: text by column; None where a database or a Parquet file has NULL."""


class EnoughError(Exception):
    """Raised inside a check when MAX_PROBLEMS were found. Never leaves this package."""


@dataclass(slots=True)
class Findings:
    """Where refusals go: raised at once (an import), or collected up to a limit (a check)."""

    limit: int = 0
    found: list[InputError] = field(default_factory=list)

    def add(self, problem: InputError) -> None:
        if not self.limit:
            raise problem
        self.found.append(problem)
        if len(self.found) >= self.limit:
            raise EnoughError


@dataclass(frozen=True, slots=True)
class Grid:
    """The pools and assets that a snapshot knows. decimals: asset id to the digits after its point."""

    pools: frozenset[str]
    decimals: Mapping[str, int]

    def __post_init__(self) -> None:
        # These come from the custodian's own configuration, and go into SQL and into file content.
        if not self.pools or not self.decimals:
            raise UsageError("a ledger needs at least one pool and one asset")
        for pool in self.pools:
            if not POOL.fullmatch(pool):
                raise UsageError(f"{pool!r} is not a pool name")
        for asset, digits in self.decimals.items():
            if not ASSET.fullmatch(asset) or not 0 <= digits <= MAX_DECIMALS:
                raise UsageError(f"{asset!r} with {digits} decimals is not an asset")

    def ledger(self, record: Record) -> Iterator[Problem]:
        """Everything wrong with one ledger row, in the order of LEDGER_COLUMNS."""
        if _is_header(record, LEDGER_COLUMNS):
            yield "", None, "is the header a second time"
            return
        yield from _id(record)
        yield from self._cell(record)
        bucket = record["bucket"]
        if bucket not in BUCKET_CODES:
            yield "bucket", bucket, f"is not a bucket ({', '.join(BUCKET_CODES)})"
        yield from self._amount(record, "credit")
        yield from self._amount(record, "debit")
        code = record["client_code"]
        if code is None:
            yield "client_code", None, "is NULL: give an empty text where a client has no code"
        elif not CLIENT_CODE.fullmatch(code):
            yield "client_code", code, "is not 0 to 64 printable ASCII characters without outer space"

    def control(self, record: Record) -> Iterator[Problem]:
        """Everything wrong with one row of the control totals."""
        if _is_header(record, CONTROL_TOTALS_COLUMNS):
            yield "", None, "is the header a second time"
            return
        yield from self._cell(record)
        yield from self._amount(record, "credit")

    def _cell(self, record: Record) -> Iterator[Problem]:
        pool, asset = record["pool"], record["asset"]
        if pool not in self.pools:
            yield "pool", pool, "is not a pool of this snapshot"
        if asset not in self.decimals:
            yield "asset", asset, "is not an asset of this snapshot"

    def _amount(self, record: Record, column: str) -> Iterator[Problem]:
        text, asset = record[column], record["asset"]
        if text is None or text == "":
            yield column, text, "is empty: write 0 where there is nothing"
        elif not AMOUNT.fullmatch(text):
            yield (
                column,
                text,
                ("is not a plain decimal like 1250.5 (no sign, exponent, separator, space or leading zero)"),
            )
        elif asset is not None and asset in self.decimals:
            digits = self.decimals[asset]
            given = len(text.partition(".")[2])
            if given > digits:
                plural = "s" if given > 1 else ""
                yield (
                    column,
                    text,
                    (f"has {given} digit{plural} after the point where {asset} has {digits}; nothing is rounded"),
                )
                return
            try:
                from_typed(text, digits)
            except MalformedError:
                yield column, text, "is not below 2^127 base units"


def account(record: Record) -> Iterator[Problem]:
    """Everything wrong with one row of the accounts."""
    if _is_header(record, ACCOUNTS_COLUMNS):
        yield "", None, "is the header a second time"
        return
    yield from _id(record)
    for column, words in (
        ("account_type", ACCOUNT_TYPES),
        ("status", ACCOUNT_STATUSES),
        ("related_party", RELATED_PARTY),
    ):
        value = record[column]
        if value not in words:
            yield column, value, f"is not one of {', '.join(sorted(words))}"


def _is_header(record: Record, columns: tuple[str, ...]) -> bool:
    return all(record[column] == column for column in columns)


def _id(record: Record) -> Iterator[Problem]:
    client_id = record["client_id"]
    if client_id is None or not CLIENT_ID.fullmatch(client_id):
        yield "client_id", client_id, "is not 1 to 128 printable ASCII characters without outer space"

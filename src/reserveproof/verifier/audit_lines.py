"""Table rows as lines that sort by client, and whole blocks of plain rows judged at once.

A block is judged by one pattern, which takes less than the strict reader (audit_tables) does: quotes around every
field, or empty ones, or none; no amount of 39 digits. What it does not match is read row by row, so what is refused,
and in which words, is for the strict reader alone. What it does match, the strict reader reads as the same rows
(tests/verifier).
"""

from __future__ import annotations

import functools
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from ..format import tables
from ..format.identifiers import ASSET, POOL
from ..format.tables import AccountRow, ExtractRow
from ..format.vocabulary import ACCOUNT_TYPES, BUCKET_CODES, BUCKETS
from .audit_tables import Layout, account_rows, ledger_rows

MARKS = {code: chr(0x30 + code) for code in BUCKETS}
"""One character for a bucket, in the order of the codes: 10 is `:`, which follows 9."""
CODES = {mark: code for code, mark in MARKS.items()}
SAFE_DIGITS = 38
"""10^38 is below 2^127."""


class Judge(ABC):
    """How one kind of table becomes sortable lines. Each begins with the client's id and a tab, which sorts below
    every character of an id: lines in order of their characters are in order of their clients."""

    name: str
    """What is read, in a word."""
    columns: tuple[str, ...]
    every_row: bool
    """Whether each row is one line."""

    @abstractmethod
    def plain(self, block: bytes, layout: Layout) -> list[str] | None:
        """The lines of a block of whole rows; None if it is not all plain."""

    @abstractmethod
    def strict(self, stream: BinaryIO, layout: Layout, before: int) -> Iterator[str]:
        """The lines from where the stream stands, below `before` rows. InputError names the first at fault."""


def ledger_line(row: ExtractRow) -> str:
    return f"{row.client_id}\t{row.client_code}\t{row.pool} {row.asset}\t{MARKS[row.bucket]}\t{row.credit}\t{row.debit}"


def _words(words: Mapping[str, object] | frozenset[str]) -> str:
    return "(?:" + "|".join(sorted(words)) + ")"


def _pattern(layout: Layout, fields: Mapping[str, str]) -> re.Pattern[str]:
    """Any number of rows. Only single characters are taken possessively: in Python before 3.11.5 no more can be."""
    separator = "\t" if layout.tabs else ","
    return re.compile("(?:" + separator.join(fields[column] for column in layout.header) + "\n)*")


def _columns(block: bytes, layout: Layout, pattern: re.Pattern[str]) -> dict[str, list[str]] | None:
    """The fields by column, if the pattern takes the whole block."""
    try:
        text = block.decode("ascii")
    except UnicodeDecodeError:
        return None
    separator = "\t" if layout.tabs else ","
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if not layout.tabs and '"' in text:
        text = _plainly_unquoted(text)
    if not pattern.fullmatch(text):
        return None
    width, rows = len(layout.header) + 1, text.count("\n")
    fields = text.replace("\n", f"{separator}\n{separator}").split(separator)
    if len(fields) != rows * width + 1 or fields[width - 1 :: width].count("\n") != rows:
        return None
    return {column: fields[place::width][:rows] for place, column in enumerate(layout.header)}


def _plainly_unquoted(text: str) -> str:
    """Whole lines without the quotes of programs that quote every field, or empty ones. Whatever else is quoted keeps
    its quotes, which no pattern takes."""
    every_comma, every_line = text.count(",") == text.count('","'), text.count("\n") == text.count('"\n"') + 1
    if every_comma and every_line and text.startswith('"') and text.endswith('"\n'):
        return text[1:-2].replace('","', ",").replace('"\n"', "\n") + "\n"
    # If no quote is left after this, none of these stood within quotes.
    return text.replace(',""\n', ",\n").replace(',"",', ",,")


class LedgerJudge(Judge):
    """A ledger. decimals: of each asset of the statement."""

    name = "ledger"
    columns = tables.EXTRACT_COLUMNS
    every_row = True

    def __init__(self, decimals: Mapping[str, int]) -> None:
        self._decimals = dict(decimals)

    def plain(self, block: bytes, layout: Layout) -> list[str] | None:
        columns = _columns(block, layout, _ledger_pattern(layout))
        return None if columns is None else _ledger_lines(columns, layout.tabs, self._decimals)

    def strict(self, stream: BinaryIO, layout: Layout, before: int) -> Iterator[str]:
        for _number, row in ledger_rows(stream, layout, decimals=self._decimals, before=before):
            yield ledger_line(row)


class PreviousJudge(Judge):
    """An earlier ledger: the clients that had a credit above zero."""

    name = "earlier ledger"
    columns = tables.EXTRACT_COLUMNS
    every_row = False

    def plain(self, block: bytes, layout: Layout) -> list[str] | None:
        columns = _columns(block, layout, _ledger_pattern(layout))
        if columns is None:
            return None
        # Typed amounts are of assets whose decimals are not known; base units are held to their bound.
        if layout.tabs and max(map(len, columns["credit"] + columns["debit"])) > SAFE_DIGITS:
            return None
        both = zip(columns["client_id"], columns["credit"], strict=True)
        return list(dict.fromkeys(f"{client}\t" for client, credit in both if credit.strip("0.")))

    def strict(self, stream: BinaryIO, layout: Layout, before: int) -> Iterator[str]:
        for _number, row in ledger_rows(stream, layout, decimals=None, before=before):
            if row.credit:
                yield f"{row.client_id}\t"


class AccountJudge(Judge):
    """The accounts beside the ledger."""

    name = "accounts"
    columns = tables.ACCOUNTS_COLUMNS
    every_row = True

    def plain(self, block: bytes, layout: Layout) -> list[str] | None:
        columns = _columns(block, layout, _account_pattern(layout))
        if columns is None:
            return None
        return list(map("\t".join, zip(*(columns[name] for name in tables.ACCOUNTS_COLUMNS), strict=True)))

    def strict(self, stream: BinaryIO, layout: Layout, before: int) -> Iterator[str]:
        for _number, row in account_rows(stream, layout, before=before):
            yield account_line(row)


def account_line(row: AccountRow) -> str:
    return f"{row.client_id}\t{row.account_type}\t{row.status}\t{'yes' if row.related_party else 'no'}"


def _visible(layout: Layout) -> str:
    """Printable ASCII, without what a field of this dialect can hold in quotes only."""
    return " -~" if layout.tabs else r" !#-+\--~"


@functools.cache
def _ledger_pattern(layout: Layout) -> re.Pattern[str]:
    some = _visible(layout)
    amount = "(?:0|[1-9][0-9]{0,38}+)" + ("" if layout.tabs else r"(?:\.[0-9]{1,30}+)?")
    return _pattern(
        layout,
        {
            "pool": POOL.pattern,
            "asset": ASSET.pattern,
            "client_id": f"(?! )[{some}]{{1,128}}+(?<! )",
            "client_code": f"(?! )[{some}]{{0,64}}+(?<! )",
            "bucket": "(?:10|[1-9])" if layout.tabs else _words(BUCKET_CODES),
            "credit": amount,
            "debit": amount,
        },
    )


@functools.cache
def _account_pattern(layout: Layout) -> re.Pattern[str]:
    return _pattern(
        layout,
        {
            "client_id": f"(?! )[{_visible(layout)}]{{1,128}}+(?<! )",
            "account_type": _words(ACCOUNT_TYPES),
            "status": _words(tables.ACCOUNT_STATUSES),
            "related_party": _words(tables.RELATED_PARTY),
        },
    )


_NAMES = {name: MARKS[code] for name, code in BUCKET_CODES.items()}
_NUMBERS = {str(code): mark for code, mark in MARKS.items()}


def _ledger_lines(columns: dict[str, list[str]], tabs: bool, decimals: Mapping[str, int]) -> list[str] | None:
    """Sortable lines of fields in their form; None if an asset is unknown, or an amount is not surely in its bounds."""
    marks = _NUMBERS if tabs else _NAMES
    try:
        scales = {asset: decimals[asset] for asset in set(columns["asset"])}
    except KeyError:
        return None
    lines: list[str] = []
    # The loop that every row of a ledger goes through: no call in it but of str's own.
    for client, code, pool, asset, bucket, credit, debit in zip(
        *(columns[name] for name in ("client_id", "client_code", "pool", "asset", "bucket", "credit", "debit")),
        strict=True,
    ):
        if not tabs:
            scale = scales[asset]
            if credit != "0":
                whole, _, part = credit.partition(".")
                if len(part) > scale:
                    return None
                credit = (whole + part.ljust(scale, "0")).lstrip("0") or "0"
            if debit != "0":
                whole, _, part = debit.partition(".")
                if len(part) > scale:
                    return None
                debit = (whole + part.ljust(scale, "0")).lstrip("0") or "0"
        if len(credit) > SAFE_DIGITS or len(debit) > SAFE_DIGITS:
            return None
        lines.append(f"{client}\t{code}\t{pool} {asset}\t{marks[bucket]}\t{credit}\t{debit}")
    return lines


def lines_of_block(judge: Judge, block: bytes, layout: Layout) -> list[str]:
    """The lines of a block of whole rows, the fast way or the strict one. InputError counts rows from the block."""
    found = judge.plain(block, layout)
    return list(judge.strict(io.BytesIO(block), layout, 1)) if found is None else found

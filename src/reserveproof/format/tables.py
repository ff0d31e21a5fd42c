"""Canonical tables: the extract, the accounts and the control totals, as bytes and as rows.

One header line, tab-separated fields, LF, no quoting, a final newline, at least one row, strictly ascending.
A reader accepts a line only if the writer would have written it. See docs/spec/extract.md.

Rows are streamed: nothing is kept but the row before, so a table of any length is read in constant memory.
What needs the whole table at once (one code for a client over all its cells) is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

from .amounts import JSON_AMOUNT
from .errors import InputError
from .identifiers import ASSET, CLIENT_CODE, CLIENT_ID, POOL
from .limits import AMOUNT_BOUND
from .vocabulary import ACCOUNT_TYPES, BUCKETS

EXTRACT_FILE = "extract.tsv"
ACCOUNTS_FILE = "accounts.tsv"
CONTROL_TOTALS_FILE = "control-totals.tsv"

EXTRACT_COLUMNS = ("pool", "asset", "client_id", "client_code", "bucket", "credit", "debit")
ACCOUNTS_COLUMNS = ("client_id", "account_type", "status", "related_party")
CONTROL_TOTALS_COLUMNS = ("pool", "asset", "credit")

ACCOUNT_STATUSES = frozenset({"active", "dormant", "frozen", "closed"})
RELATED_PARTY = frozenset({"yes", "no"})

MAX_TABLE_LINE = 512
"""Bytes of one line with its newline; the longest legal one, of the extract, has 319."""


class ExtractRow(NamedTuple):
    """One ledger row. bucket: its code; credit and debit: base units."""

    pool: str
    asset: str
    client_id: str
    client_code: str
    bucket: int
    credit: int
    debit: int


class AccountRow(NamedTuple):
    """One client account. account_type is of vocabulary.ACCOUNT_TYPES, status of ACCOUNT_STATUSES."""

    client_id: str
    account_type: str
    status: str
    related_party: bool


class ControlTotalRow(NamedTuple):
    """The general ledger's total of credits of one pool and asset, in base units."""

    pool: str
    asset: str
    credit: int


_BUCKET = re.compile("10|[1-9]")
_CODES = {str(code): code for code in BUCKETS}
_PATTERNS: dict[str, tuple[re.Pattern[str], str]] = {
    "pool": (POOL, "is not a pool name"),
    "asset": (ASSET, "is not an asset id"),
    "client_id": (CLIENT_ID, "is not 1 to 128 printable ASCII characters without outer space"),
    "client_code": (CLIENT_CODE, "is not 0 to 64 printable ASCII characters without outer space"),
    "bucket": (_BUCKET, "is not a bucket code from 1 to 10"),
    "credit": (JSON_AMOUNT, "is not a whole number of base units"),
    "debit": (JSON_AMOUNT, "is not a whole number of base units"),
    "account_type": (re.compile("|".join(sorted(ACCOUNT_TYPES))), "is not an account type"),
    "status": (re.compile("|".join(sorted(ACCOUNT_STATUSES))), "is not active, dormant, frozen or closed"),
    "related_party": (re.compile("yes|no"), "is not yes or no"),
}


def _line_pattern(columns: tuple[str, ...]) -> re.Pattern[str]:
    """The whole line, one group a column: the usual row is judged by one match."""
    return re.compile("\t".join(f"({_PATTERNS[column][0].pattern})" for column in columns) + "\n")


_EXTRACT_LINE = _line_pattern(EXTRACT_COLUMNS)
_ACCOUNT_LINE = _line_pattern(ACCOUNTS_COLUMNS)
_CONTROL_LINE = _line_pattern(CONTROL_TOTALS_COLUMNS)


def _refuse_line(line: str, columns: tuple[str, ...], file: str, row: int) -> InputError:
    """Why a line is refused: the first column that is at fault, or the shape of the line."""
    if not line.endswith("\n"):
        return InputError(
            "does not end with a newline: the file was cut, or the line is too long", file=file, row=row, reason="cut"
        )
    fields = line[:-1].split("\t")
    if len(fields) != len(columns):
        return InputError(
            f"has {len(fields)} fields where the table has {len(columns)}", file=file, row=row, reason="fields"
        )
    for column, field in zip(columns, fields, strict=True):
        pattern, rule = _PATTERNS[column]
        if not pattern.fullmatch(field):
            return InputError(rule, file=file, row=row, column=column, value=field, reason="value")
        if column in ("credit", "debit") and int(field) >= AMOUNT_BOUND:
            return InputError(
                "is not below 2^127 base units", file=file, row=row, column=column, value=field, reason="value"
            )
    return InputError("is not a canonical row", file=file, row=row, reason="value")


def _lines(stream: BinaryIO, columns: tuple[str, ...], file: str) -> Iterator[tuple[int, str]]:
    """Row number (the header is 1) and text of every line below a header that is exactly ours."""
    header = stream.readline(MAX_TABLE_LINE)
    if header != ("\t".join(columns) + "\n").encode("ascii"):
        raise InputError(
            "is not the header of this table",
            file=file,
            row=1,
            value=header.decode("latin-1"),
            hint="the header is " + " ".join(columns) + ", separated by tabs",
            reason="header",
        )
    row = 1
    while line := stream.readline(MAX_TABLE_LINE):
        row += 1
        # latin-1 never fails: a byte outside ASCII becomes a character that no pattern takes.
        yield row, line.decode("latin-1")
    if row == 1:
        raise InputError("has a header and no row", file=file, reason="empty")


def _ascending(file: str, row: int, column: str, value: str, same: bool) -> InputError:
    rule = "stands twice" if same else "is not in ascending order"
    return InputError(rule, file=file, row=row, column=column, value=value, reason="order")


def read_extract(stream: BinaryIO, *, file: str) -> Iterator[ExtractRow]:
    """The rows of a canonical extract, one by one.

    stream: opened for bytes, at the start. file: how errors call it. InputError (reasons: header, empty, cut,
    fields, value, order, code) names file, row and column. The whole stream is judged only when the iterator
    is exhausted: whoever acts on rows before that acts on an unverified table.
    """
    before: tuple[str, str, str, int] = ("", "", "", 0)
    code_before = ""
    match = _EXTRACT_LINE.fullmatch
    for row, line in _lines(stream, EXTRACT_COLUMNS, file):
        found = match(line)
        if found is None:
            raise _refuse_line(line, EXTRACT_COLUMNS, file, row)
        pool, asset, client_id, client_code, bucket_text, credit_text, debit_text = found.groups()
        bucket, credit, debit = _CODES[bucket_text], int(credit_text), int(debit_text)
        if credit >= AMOUNT_BOUND or debit >= AMOUNT_BOUND:
            raise _refuse_line(line, EXTRACT_COLUMNS, file, row)
        # Printable ASCII only, so that order by character is order by byte.
        key = (pool, asset, client_id, bucket)
        if key <= before:
            raise _ascending(file, row, "pool, asset, client_id, bucket", " ".join(map(str, key)), key == before)
        if client_code != code_before and key[:3] == before[:3]:
            raise InputError(
                f"differs from row {row - 1}, which is the same client's",
                file=file,
                row=row,
                column="client_code",
                value=client_code,
                reason="code",
            )
        before, code_before = key, client_code
        yield ExtractRow(pool, asset, client_id, client_code, bucket, credit, debit)


def read_accounts(stream: BinaryIO, *, file: str) -> Iterator[AccountRow]:
    """The rows of a canonical accounts table, as read_extract does it."""
    before = ""
    for row, line in _lines(stream, ACCOUNTS_COLUMNS, file):
        found = _ACCOUNT_LINE.fullmatch(line)
        if found is None:
            raise _refuse_line(line, ACCOUNTS_COLUMNS, file, row)
        client_id, account_type, status, related = found.groups()
        if client_id <= before:
            raise _ascending(file, row, "client_id", client_id, client_id == before)
        before = client_id
        yield AccountRow(client_id, account_type, status, related == "yes")


def read_control_totals(stream: BinaryIO, *, file: str) -> Iterator[ControlTotalRow]:
    """The rows of a canonical table of control totals, as read_extract does it."""
    before = ("", "")
    for row, line in _lines(stream, CONTROL_TOTALS_COLUMNS, file):
        found = _CONTROL_LINE.fullmatch(line)
        if found is None or int(found.group(3)) >= AMOUNT_BOUND:
            raise _refuse_line(line, CONTROL_TOTALS_COLUMNS, file, row)
        key = (found.group(1), found.group(2))
        if key <= before:
            raise _ascending(file, row, "pool, asset", " ".join(key), key == before)
        before = key
        yield ControlTotalRow(*key, int(found.group(3)))


def write_extract(rows: Iterable[ExtractRow], *, file: str = EXTRACT_FILE) -> Iterator[bytes]:
    """The lines of a canonical extract, header first: what read_extract reads and nothing else.

    InputError, as read_extract raises it, for a row or an order that a reader would refuse.
    """
    lines = (
        f"{row.pool}\t{row.asset}\t{row.client_id}\t{row.client_code}\t{row.bucket}\t{row.credit}\t{row.debit}\n"
        for row in rows
    )
    return _write(EXTRACT_COLUMNS, lines, read_extract, file)


def write_accounts(rows: Iterable[AccountRow], *, file: str = ACCOUNTS_FILE) -> Iterator[bytes]:
    """The lines of a canonical accounts table, as write_extract does it."""
    lines = (
        f"{row.client_id}\t{row.account_type}\t{row.status}\t{'yes' if row.related_party else 'no'}\n" for row in rows
    )
    return _write(ACCOUNTS_COLUMNS, lines, read_accounts, file)


def write_control_totals(rows: Iterable[ControlTotalRow], *, file: str = CONTROL_TOTALS_FILE) -> Iterator[bytes]:
    """The lines of a canonical table of control totals, as write_extract does it."""
    lines = (f"{row.pool}\t{row.asset}\t{row.credit}\n" for row in rows)
    return _write(CONTROL_TOTALS_COLUMNS, lines, read_control_totals, file)


class _Echo:
    """A stream over lines that are being written: the reader judges each before it is handed out."""

    def __init__(self, columns: tuple[str, ...], lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._next = "\t".join(columns) + "\n"
        self.read: list[bytes] = []

    def readline(self, limit: int) -> bytes:
        line = self._next.encode("utf-8")[:limit]
        self._next = next(self._lines, "")
        if line:
            self.read.append(line)
        return line


def _write(
    columns: tuple[str, ...],
    lines: Iterable[str],
    reader: Callable[..., Iterator[object]],
    file: str,
) -> Iterator[bytes]:
    echo = _Echo(columns, lines)
    for _ in reader(echo, file=file):
        yield from echo.read
        echo.read.clear()

"""The auditor's own reading of the tables that they were handed: ledger, accounts, control totals.

A ledger is either a canonical extract (docs/spec/extract.md; any row order here) or the custodian's CSV
(docs/reference/ledger.md). Rows are streamed, from the top or from the start of any line; what is refused is named by
file, row and column.
"""

from __future__ import annotations

import csv
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..format import identifiers, tables
from ..format.amounts import MAX_TYPED, TYPED_AMOUNT, from_json, from_typed
from ..format.errors import InputError, MalformedError, TransportError
from ..format.limits import MAX_DECIMALS, MAX_TABLE_FIELD
from ..format.tables import AccountRow, ControlTotalRow, ExtractRow
from ..format.vocabulary import ACCOUNT_TYPES, BUCKET_CODES, BUCKETS

MAX_ROW_BYTES = 16 * MAX_TABLE_FIELD
"""Bytes of one line of a table; no honest row of seven fields comes near."""

_BUCKET_NUMBERS = {str(code): code for code in BUCKETS}


@dataclass(frozen=True, slots=True)
class Layout:
    """What the header of a table says: its dialect, and its columns in the file's order."""

    file: str
    """How errors call it."""
    tabs: bool
    header: tuple[str, ...]


def open_table(path: Path) -> BinaryIO:
    """The file, for reading. TransportError if it cannot be opened, or is none (a pipe is read once only)."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise TransportError(f"{path} is not a regular file")
        return path.open("rb")
    except OSError as error:
        raise TransportError(f"{path} cannot be read: {error.strerror}") from None


def read_layout(stream: BinaryIO, columns: tuple[str, ...], *, file: str) -> Layout:
    """The header, of exactly these columns, in any order in a CSV. Leaves the stream at the first row."""
    tabs = b"\t" in stream.readline(MAX_ROW_BYTES)
    stream.seek(0)
    header: list[str] = []
    for _, header in _fields(stream, tabs, file, before=0):
        if sorted(header) != sorted(columns) or (tabs and header != list(columns)):
            raise InputError(
                "is not the header of this table", file=file, row=1, value=",".join(header), hint=" ".join(columns)
            )
        return Layout(file, tabs, tuple(header))
    raise no_row(file)


def no_row(file: str) -> InputError:
    return InputError("has no row", file=file)


def _lines(stream: BinaryIO, file: str, before: int) -> Iterator[str]:
    """Text lines, bounded; printable ASCII and tabs only (a ledger's every field is). before: lines above them."""
    row = before
    while line := stream.readline(MAX_ROW_BYTES):
        row += 1
        if line[-2:] == b"\r\n":
            line = line[:-2] + b"\n"
        if line[-1:] != b"\n" and len(line) == MAX_ROW_BYTES:
            raise InputError(f"is longer than {MAX_ROW_BYTES} bytes", file=file, row=row)
        if line[-1:] != b"\n":
            raise InputError("does not end with a newline: the file may be cut", file=file, row=row)
        try:
            text = line.decode("ascii")
        except UnicodeDecodeError:
            raise InputError("is not printable ASCII", file=file, row=row, hint="no byte order mark either") from None
        body = text.removesuffix("\n").replace("\t", "")
        if body and not body.isprintable():
            raise InputError("holds a control character", file=file, row=row)
        yield text


def _fields(stream: BinaryIO, tabs: bool, file: str, *, before: int) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of each line from where the stream stands."""
    lines = _lines(stream, file, before)
    reader = (
        (line.removesuffix("\n").split("\t") for line in lines)
        if tabs
        else csv.reader(lines, delimiter=",", quotechar='"', doublequote=True, strict=True)
    )
    number = before
    try:
        for number, fields in enumerate(reader, before + 1):
            if number > 1 and before + getattr(reader, "line_num", number - before) != number:
                raise InputError("has a line break inside a field", file=file, row=number)
            yield number, fields
    except csv.Error as error:
        raise InputError(f"is not CSV: {error}", file=file, row=number + 1) from None


def _rows(stream: BinaryIO, layout: Layout, before: int) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, fields by column) of each row from where the stream stands."""
    header, file = layout.header, layout.file
    for number, fields in _fields(stream, layout.tabs, file, before=before):
        if len(fields) != len(header):
            raise InputError(f"has {len(fields)} fields instead of {len(header)}", file=file, row=number)
        yield number, dict(zip(header, fields, strict=True))


def _text(fields: Mapping[str, str], column: str, pattern_name: str, file: str, row: int) -> str:
    try:
        return identifiers.matches(getattr(identifiers, pattern_name), fields[column], column)
    except MalformedError:
        # A code is the client's secret: the row is enough to find it.
        value = None if column == "client_code" else fields[column]
        raise InputError("is not in its form", file=file, row=row, column=column, value=value) from None


def ledger_rows(
    stream: BinaryIO, layout: Layout, *, decimals: Mapping[str, int] | None, before: int = 1
) -> Iterator[tuple[int, ExtractRow]]:
    """(line number, row) of a ledger in either dialect, in file order, from where the stream stands: below `before`
    lines. decimals: of each asset of the statement; None for an earlier ledger, of which only who had something counts:
    typed amounts are then 1, or 0 for nothing.

    InputError names file, row and column. Two rows of one (pool, asset, client, bucket) are for the caller to see.
    """
    file, tabs = layout.file, layout.tabs
    for number, fields in _rows(stream, layout, before):
        pool = _text(fields, "pool", "POOL", file, number)
        asset = _text(fields, "asset", "ASSET", file, number)
        bucket_text = fields["bucket"]
        code = (_BUCKET_NUMBERS if tabs else BUCKET_CODES).get(bucket_text)
        if code is None:
            raise InputError("is not a bucket", file=file, row=number, column="bucket", value=bucket_text)
        if decimals is not None and asset not in decimals:
            raise InputError("is not an asset of the statement", file=file, row=number, column="asset", value=asset)
        scale = None if decimals is None else decimals[asset]
        amounts: list[int] = []
        for column in ("credit", "debit"):
            try:
                amount = from_json(fields[column]) if tabs else _from_typed(fields[column], scale)
            except MalformedError as error:
                raise InputError(error.message, file=file, row=number, column=column, value=fields[column]) from None
            amounts.append(amount)
        yield (
            number,
            ExtractRow(
                pool,
                asset,
                _text(fields, "client_id", "CLIENT_ID", file, number),
                _text(fields, "client_code", "CLIENT_CODE", file, number),
                code,
                *amounts,
            ),
        )


def _from_typed(text: str, scale: int | None) -> int:
    typed = TYPED_AMOUNT.fullmatch(text) if scale is None and len(text) <= MAX_TYPED else None
    if typed and len(typed[2] or "") <= MAX_DECIMALS:
        return 1 if text.strip("0.") else 0
    return from_typed(text, MAX_DECIMALS if scale is None else scale)


def account_rows(stream: BinaryIO, layout: Layout, *, before: int = 1) -> Iterator[tuple[int, AccountRow]]:
    """(line number, row) of the accounts beside the ledger, as ledger_rows gives those of the ledger."""
    file = layout.file
    words = {
        "account_type": ACCOUNT_TYPES,
        "status": tables.ACCOUNT_STATUSES,
        "related_party": tables.RELATED_PARTY,
    }
    for number, fields in _rows(stream, layout, before):
        for column, allowed in words.items():
            if fields[column] not in allowed:
                hint = ", ".join(sorted(allowed))
                raise InputError(
                    "is not one of its words", file=file, row=number, column=column, value=fields[column], hint=hint
                )
        client_id = _text(fields, "client_id", "CLIENT_ID", file, number)
        yield number, AccountRow(client_id, fields["account_type"], fields["status"], fields["related_party"] == "yes")


def read_control_totals(stream: BinaryIO, *, file: str, decimals: Mapping[str, int]) -> Iterator[ControlTotalRow]:
    """The auditor's own totals of credits from the general ledger, in either dialect and any order."""
    layout = read_layout(stream, tables.CONTROL_TOTALS_COLUMNS, file=file)
    tabs = layout.tabs
    seen: set[tuple[str, str]] = set()
    for number, fields in _rows(stream, layout, 1):
        pool = _text(fields, "pool", "POOL", file, number)
        asset = _text(fields, "asset", "ASSET", file, number)
        if asset not in decimals:
            raise InputError("is not an asset of the statement", file=file, row=number, column="asset", value=asset)
        if (pool, asset) in seen:
            raise InputError("stands twice", file=file, row=number, column="pool, asset", value=f"{pool} {asset}")
        seen.add((pool, asset))
        try:
            credit = from_json(fields["credit"]) if tabs else from_typed(fields["credit"], decimals[asset])
        except MalformedError as error:
            raise InputError(error.message, file=file, row=number, column="credit", value=fields["credit"]) from None
        yield ControlTotalRow(pool, asset, credit)
    if not seen:
        raise no_row(file)

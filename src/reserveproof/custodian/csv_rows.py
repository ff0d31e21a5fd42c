"""Small CSV files that people write, read strictly: one record a line, exactly one header, nothing repaired."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..format.errors import InputError, TransportError
from ..format.limits import MAX_REGISTER_BYTES, MAX_TABLE_FIELD

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
SECRET_COLUMNS = frozenset({"client_code"})
"""Columns whose values no message repeats: logs and tickets are read by others than the client. Row and column are
enough to find one."""


def tellable(column: str, value: str | None, columns: Collection[str] = ()) -> str | None:
    """The value, if a message may repeat it. columns: those of the table, where it is not known which one it is in."""
    return None if SECRET_COLUMNS & ({column} if column else set(columns)) else value


def is_header(fields: Collection[str], columns: Collection[str]) -> bool:
    """Whether a first line is meant as the header: most names are there. Anything else may be a row."""
    return 2 * len(set(fields) & set(columns)) > len(columns)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One record: the line it stands on (the header is 1), and its fields by column."""

    row: int
    fields: dict[str, str]


def read_bytes(path: Path, limit: int = MAX_REGISTER_BYTES) -> bytes:
    """The bytes of a regular file of at most limit bytes. TransportError if there is none."""
    try:
        if not path.is_file():
            raise TransportError(f"cannot read {path}: it is not there, or no regular file", reason="unreadable")
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise TransportError(f"cannot read {path}: {error.strerror}", reason="unreadable") from None
    if len(data) > limit:
        raise TransportError(f"cannot read {path}: it is larger than {limit} bytes", reason="size")
    return data


def split_rows(data: bytes, columns: tuple[str, ...], *, file: str, empty: bool = False) -> list[CsvRow]:
    """The records below a header that is exactly ours.

    data: the whole file: UTF-8, LF or CRLF throughout, a final newline. file: how errors call it. empty: whether no
    record is allowed. InputError (reasons: encoding, bom, line-end, cut, header, quote, character, fields, empty)
    names the row.
    """

    def refuse(rule: str, reason: str, row: int = 0, value: str | None = None, column: str = "") -> InputError:
        told = tellable(column, value, columns)
        return InputError(rule, file=file, row=row, column=column, value=told, reason=reason)

    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise refuse("starts with a byte order mark: save it as plain UTF-8", "bom", 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse(f"is not UTF-8 at byte {error.start}", "encoding", data.count(b"\n", 0, error.start) + 1) from None
    lines = text.split("\n")
    if lines.pop():
        raise refuse("does not end with a newline: the file may have been cut", "cut", len(lines) + 1)
    crlf = bool(lines) and lines[0].endswith("\r")
    rows: list[CsvRow] = []
    for number, line in enumerate(lines, 1):
        if line.endswith("\r") != crlf:
            raise refuse("ends its line in another way than the header", "line-end", number)
        body = line[:-1] if crlf else line
        fields = _split(body, number, file)
        if number == 1:
            if tuple(fields) != columns:
                raise InputError("is not the header of this file", file=file, row=1, reason="header",
                                 value=body if is_header(fields, columns) else None,
                                 hint="the header is " + ",".join(columns))  # fmt: skip
            continue
        if tuple(fields) == columns:
            raise refuse("is the header a second time", "header", number)
        if len(fields) != len(columns):
            raise refuse(f"has {len(fields)} fields where the header has {len(columns)}", "fields", number)
        rows.append(CsvRow(number, dict(zip(columns, fields, strict=True))))
        for column, value in rows[-1].fields.items():
            bad = _CONTROL.search(value)
            if bad or len(value) > MAX_TABLE_FIELD:
                rule = "holds a control character" if bad else f"is longer than {MAX_TABLE_FIELD} characters"
                raise refuse(rule, "character", number, value, column)
            if value != value.strip():
                raise refuse("has white space around it", "character", number, value, column)
    if not lines:
        raise refuse("is empty", "empty")
    if not rows and not empty:
        raise refuse("has a header and no row", "empty", 1)
    return rows


def _split(line: str, row: int, file: str) -> list[str]:
    if not line:
        raise InputError("is an empty line", file=file, row=row, reason="fields")
    if line.count('"') % 2:
        raise InputError("opens a quote and does not close it on its line", file=file, row=row, reason="quote")
    try:
        fields = next(csv.reader([line], strict=True))
    except csv.Error:
        raise InputError("has a quote inside a field", file=file, row=row, reason="quote",
                         hint="put quotes around the whole field and double it") from None  # fmt: skip
    except StopIteration:
        raise InputError("is an empty line", file=file, row=row, reason="fields") from None
    if '"' in line.replace('""', "") and not re.fullmatch(
        r'(?:[^",]*|"(?:[^"]|"")*")(?:,(?:[^",]*|"(?:[^"]|"")*"))*', line
    ):
        # The csv module keeps a quote in the middle of an unquoted field as text.
        raise InputError("has a quote inside a field", file=file, row=row, reason="quote")
    return fields


def dump_rows(columns: tuple[str, ...], rows: Iterable[Iterable[str]]) -> bytes:
    """The bytes of a CSV file that split_rows reads, LF, quotes only where needed."""
    lines = [",".join(columns)]
    for row in rows:
        lines.append(",".join(_field(value) for value in row))
    return ("\n".join(lines) + "\n").encode("utf-8")


def _field(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if any(c in value for c in ',"') else value

"""CSV read strictly: the bytes are judged whole before any other parser sees them.

The dialect is one: comma, `"` around a field, `""` for a quote inside it, LF or CRLF throughout, printable ASCII,
a header with exactly the expected names in any order, a newline at the end. After scan() a line is a record, so
that a row number is what an editor shows, and no parser's own idea of ragged rows, empty lines or quotes counts.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from ..format.errors import InputError, TransportError
from ..format.limits import MAX_TABLE_FIELD
from .csv_rows import is_header, tellable
from .ledger_rules import Findings, Record
from .ledger_shape import PlainLines
from .progress import SILENT, Advance, Progress

_BLOCK = 1 << 20
_MAX_LINE = 8 * MAX_TABLE_FIELD
_FIELD = rb'(?:[^",\x00-\x1f\x7f-\xff]{0,%d}+|"(?:[^"\x00-\x1f\x7f-\xff]|""){0,%d}+")' % (
    MAX_TABLE_FIELD,
    MAX_TABLE_FIELD,
)
_BINARY = {
    b"\x1f\x8b": "gzip data",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"PAR1": "a Parquet file",
    b"SQLite format 3\x00": "a SQLite database",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ\x00": "xz data",
    b"\x28\xb5\x2f\xfd": "zstd data",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"%PDF": "a PDF",
}
_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file that was scanned. columns: in the file's order. newline: its line end."""

    path: Path
    columns: tuple[str, ...]
    newline: str
    rows: int
    sha256: str
    _state: tuple[int, int, int] = field(repr=False)

    @property
    def name(self) -> str:
        return str(self.path)

    def records(self) -> Iterator[tuple[int, Record]]:
        """Line number and fields of every line that has the right shape (the others were reported by the scan)."""
        shape = re.compile(_line(len(self.columns), self.newline.encode()))
        with opened(self.path) as stream:
            for number, line in enumerate(stream, 1):
                if number > 1 and shape.fullmatch(line):
                    yield number, dict(zip(self.columns, _split(line.decode("ascii")), strict=True))

    def unchanged(self) -> None:
        """TransportError if the file is no longer the one that was hashed."""
        with opened(self.path) as stream:
            if _state_of(stream) != self._state:
                raise TransportError(
                    f"{self.path} was changed while it was read",
                    reason="changed",
                    hint="write the export to the end before it is imported",
                )


def _line(width: int, newline: bytes) -> bytes:
    return b"(?:" + _FIELD + b",){%d}" % (width - 1) + _FIELD + newline


def _split(text: str) -> list[str]:
    text = text.rstrip("\r\n")
    return text.split(",") if '"' not in text else next(csv.reader([text], strict=True))


def _state_of(stream: BufferedReader) -> tuple[int, int, int]:
    status = os.fstat(stream.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A regular file for reading. TransportError if there is none (a pipe cannot be read twice)."""
    try:
        # Not blocking, so that a named pipe is refused below and does not wait for a writer.
        stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    except OSError as error:
        raise TransportError(f"cannot read {path}: {error.strerror}", reason="unreadable") from None
    with stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise TransportError(f"cannot read {path}: it is not a regular file", reason="unreadable")
        yield stream


def scan(path: Path, columns: tuple[str, ...], findings: Findings, progress: Progress = SILENT) -> CsvTable:
    """Judge every byte of a CSV file and hash it.

    columns: the names that the header must hold, each once. progress: counts bytes. A file that is none at all
    (binary, no header, cut) raises InputError; a line of the wrong shape goes to findings.
    """
    with opened(path) as stream:
        state = _state_of(stream)
        with progress.stage(f"reading {path.name}", state[1], "bytes") as advance:
            header, newline, rows, sha256 = _scanned(stream, columns, str(path), findings, advance)
    return CsvTable(path, header, newline.decode(), rows, sha256, state)


def _scanned(
    stream: BufferedReader, columns: tuple[str, ...], name: str, findings: Findings, advance: Advance
) -> tuple[tuple[str, ...], bytes, int, str]:
    """Header, line end, number of rows and SHA-256 of a stream at its start."""
    digest = hashlib.sha256()
    block = stream.read(_BLOCK)
    header, newline = _header(block, columns, name)
    shape = _line(len(columns), newline)
    plain, run = PlainLines(len(columns), b",", newline), re.compile(b"(?:" + shape + b")*+")
    row, carry = 0, b""
    # A block is hashed beside its judgement: the hash does not hold the interpreter's lock.
    with ThreadPoolExecutor(1) as aside:
        while block:
            hashed = aside.submit(digest.update, block)
            data = carry + block
            cut = data.rfind(b"\n") + 1
            lines, carry = data[:cut], data[cut:]
            if count := plain.count(lines):
                row += count
            else:
                row = _judge(lines, row, run, newline, header, name, findings)
            if len(carry) > _MAX_LINE:
                raise InputError(f"is longer than {_MAX_LINE} bytes", file=name, row=row + 1, reason="line")
            hashed.result()
            advance(len(block))
            block = stream.read(_BLOCK)
    if carry:
        raise InputError(
            "does not end with a newline: the file may have been cut",
            file=name,
            row=row + 1,
            reason="cut",
            hint="an amount that lost its last digits looks like an amount",
        )
    if row < 2:
        raise InputError("has a header and no row", file=name, row=1, reason="empty")
    return header, newline, row - 1, digest.hexdigest()


def _header(block: bytes, columns: tuple[str, ...], name: str) -> tuple[tuple[str, ...], bytes]:
    if not block:
        raise InputError("is empty", file=name, reason="empty")
    for magic, what in _BINARY.items():
        if block.startswith(magic):
            raise InputError(f"is {what}, not CSV", file=name, row=1, reason="binary")
    for mark, what in _MARKS.items():
        if block.startswith(mark):
            raise InputError(
                f"starts with a {what} byte order mark",
                file=name,
                row=1,
                reason="bom",
                hint="save it as plain ASCII, without a BOM",
            )
    line = block[:_MAX_LINE].partition(b"\n")[0] + b"\n"
    newline = b"\r\n" if line.endswith(b"\r\n") else b"\n"
    if len(line) > len(block[:_MAX_LINE]):
        raise (
            _shape_problem(line[:-1], 1, len(columns), b"", (), name)
            if b"\x00" in line
            else InputError("has no line end", file=name, row=1, reason="header")
        )
    if not re.fullmatch(b"(?:" + _FIELD + b",)*" + _FIELD + newline, line):
        raise _shape_problem(line, 1, line.count(b",") + 1, newline, (), name)
    found = tuple(_split(line.decode("ascii")))
    known = is_header(found, columns)
    for column in found:
        if column not in columns:
            raise InputError(
                "is not a column of this table",
                file=name,
                row=1,
                column=column if known else "",
                value=column if known else None,
                hint="exactly these, in any order: " + ", ".join(columns),
                reason="header",
            )
        if found.count(column) > 1:
            raise InputError("stands twice in the header", file=name, row=1, column=column, reason="header")
    for column in columns:
        if column not in found:
            raise InputError("is missing from the header", file=name, row=1, column=column, reason="header")
    return found, newline


def _judge(
    block: bytes,
    row: int,
    run: re.Pattern[bytes],
    newline: bytes,
    header: tuple[str, ...],
    name: str,
    findings: Findings,
) -> int:
    """Judge whole lines that follow row; the number of the last one."""
    at = 0
    while at < len(block):
        found = run.match(block, at)
        end = found.end() if found else at
        row += block.count(b"\n", at, end)
        at = end
        if at < len(block):
            end = block.index(b"\n", at) + 1
            row += 1
            findings.add(_shape_problem(block[at:end], row, len(header), newline, header, name))
            at = end
    return row


def _shape_problem(line: bytes, row: int, width: int, newline: bytes, header: tuple[str, ...], name: str) -> InputError:
    """Why one line is no record, in the words that help most."""

    def problem(rule: str, reason: str, value: str | None = None, column: str = "") -> InputError:
        told = tellable(column, value, header)
        return InputError(rule, file=name, row=row, column=column, value=told, reason=reason)

    body = line.removesuffix(newline)
    if b"\x00" in body:
        return problem("holds a NUL byte", "nul")
    if newline and not line.endswith(newline):
        return problem("ends with LF where the header ends with CR LF", "line-end")
    if b"\r" in body:
        return problem("holds a carriage return that the header's line end does not have", "line-end")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        return problem(f"is not UTF-8 at byte {error.start + 1} of the line", "encoding")
    if not text:
        return problem("is an empty line", "fields")
    fields = text.split(",")
    if not (text.isascii() and text.isprintable()):
        which = next(at for at, value in enumerate(fields) if not (value.isascii() and value.isprintable()))
        column = header[which] if len(header) == len(fields) else ""
        return problem("holds a character outside printable ASCII", "character", fields[which], column)
    if text.count('"') % 2:
        return problem("opens a quote and does not close it: a line break inside quotes is refused", "quote")
    try:
        fields = next(csv.reader([text], strict=True))
    except csv.Error:
        return problem("has a quote inside a field: put quotes around the whole field and double it", "quote")
    if len(fields) != width:
        return problem(f"has {len(fields)} field{'s' * (len(fields) > 1)} where the header has {width}", "fields")
    for at, value in enumerate(fields):
        if len(value) > MAX_TABLE_FIELD:
            return problem(f"is longer than {MAX_TABLE_FIELD} characters", "long", value, header[at] if header else "")
    return problem("has a quote inside a field: put quotes around the whole field and double it", "quote")

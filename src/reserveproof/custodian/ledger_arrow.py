"""Ledgers that come as Arrow columns: Parquet files, and queries to SQLite and PostgreSQL through ADBC.

A column is text or an exact number; a float is refused, because it has already lost what it was. A query runs
once, read-only, and its batches are written to a private Parquet file, so that a second look sees the same rows.
Rows count from 1 (there is no header).
"""

from __future__ import annotations

import hashlib
import importlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from ..format.errors import InputError, TransportError, UsageError
from .ledger_csv import opened
from .ledger_rules import Record

_BATCH = 1 << 16
_MAX_SQL = 1 << 20
"""Bytes of a query file, and of a file with a connection string."""
AMOUNTS = frozenset({"credit", "debit"})


@dataclass(frozen=True, slots=True)
class Query:
    """A ledger as the result of one SELECT.

    driver: which ADBC driver. query: a file with the SELECT. The connection string (for SQLite the path of the
    database, for PostgreSQL a libpq URI) is the content of connection_file, which only its owner may read, or
    of the environment variable connection_variable: exactly one of the two, and never an argument.
    """

    driver: Literal["sqlite", "postgresql"]
    query: Path
    connection_file: Path | None = None
    connection_variable: str = ""


@dataclass(frozen=True, slots=True)
class ArrowTable:
    """A Parquet file whose columns were judged. name: what errors call it; path: where the bytes are; decimals:
    the amount columns of a decimal type, where the number counts and not the zeros at its end."""

    path: Path
    name: str
    columns: tuple[str, ...]
    decimals: frozenset[str]
    rows: int
    sha256: str

    def batches(self) -> Iterator[pa.RecordBatch]:
        with opened(self.path) as stream:
            yield from pq.ParquetFile(stream).iter_batches(_BATCH, columns=list(self.columns), use_threads=False)

    def reader(self) -> pa.RecordBatchReader:
        """All rows as a stream that DuckDB can read, in the order of the file."""
        with opened(self.path) as stream:
            schema = pq.ParquetFile(stream).schema_arrow
        return pa.RecordBatchReader.from_batches(
            pa.schema([schema.field(column) for column in self.columns]), self.batches()
        )

    def records(self) -> Iterator[tuple[int, Record]]:
        """Row number and text of every row."""
        number = 0
        for batch in self.batches():
            columns = [_texts(batch.column(column), column in self.decimals) for column in self.columns]
            for values in zip(*columns, strict=True):
                number += 1
                yield number, dict(zip(self.columns, values, strict=True))

    def unchanged(self) -> None:
        if self.name == str(self.path) and _digest(self.path) != self.sha256:
            raise TransportError(f"{self.name} was changed while it was read", reason="changed")


def _texts(column: pa.Array, number: bool) -> Iterator[str | None]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_text(column.type):
        # By way of bytes: a Parquet file may call text what is not UTF-8.
        for value in column.cast(pa.large_binary()).to_pylist():
            text = None if value is None else value.decode("utf-8", "replace")
            yield _plain(text) if number and text is not None else text
        return
    for value in column.to_pylist():
        if isinstance(value, Decimal):
            yield _plain(format(value, "f"))
        else:
            yield None if value is None else str(value)


def _plain(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _digest(path: Path) -> str:
    with opened(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _judge_columns(schema: pa.Schema, columns: tuple[str, ...], name: str, hint: str) -> frozenset[str]:
    """Refuse a schema that is not exactly these columns of text or exact numbers; those with decimals."""
    found = list(schema.names)
    decimals: set[str] = set()
    for column in found:
        if column not in columns:
            raise InputError(
                "is not a column of a ledger",
                file=name,
                column=column,
                value=column,
                reason="header",
                hint="exactly these, in any order: " + ", ".join(columns),
            )
        if found.count(column) > 1:
            raise InputError("stands twice", file=name, column=column, reason="header")
    for column in columns:
        if column not in found:
            raise InputError("is missing", file=name, column=column, reason="header")
        kind = schema.field(column).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_floating(kind):
            raise InputError(
                "is a float column, and a float is not exact", file=name, column=column, hint=hint, reason="type"
            )
        if pa.types.is_decimal(kind) and column in AMOUNTS and kind.precision <= 38 and kind.scale >= 0:
            decimals.add(column)
        elif not _is_text(kind) and not pa.types.is_integer(kind):
            raise InputError(
                f"has the type {kind}, which is neither text nor an exact number",
                file=name,
                column=column,
                hint=hint,
                reason="type",
            )
    return frozenset(decimals)


def open_parquet(path: Path, columns: tuple[str, ...], *, name: str = "", hint: str = "") -> ArrowTable:
    """Judge the columns of a Parquet file and hash it. InputError if it is none or has other columns."""
    name = name or str(path)
    sha256 = _digest(path)
    with opened(path) as stream:
        try:
            file = pq.ParquetFile(stream)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"is not a readable Parquet file ({_first_line(error)})", file=name, reason="binary"
            ) from None
        decimals = _judge_columns(file.schema_arrow, columns, name, hint or "write the column as text")
        rows = int(file.metadata.num_rows)
    if not rows:
        raise InputError("has no row", file=name, reason="empty")
    return ArrowTable(path, name, columns, decimals, rows, sha256)


def spool_query(query: Query, columns: tuple[str, ...], spool: Path) -> ArrowTable:
    """Run a query and keep its rows in the private Parquet file spool. sha256 is that of the query's text.

    TransportError if the database cannot be reached or the query fails; what the driver says when a connection
    fails is not repeated, since it may quote the connection string.
    """
    name, hint = str(query.query), "cast to text in the query"
    text = _read_small(query.query)
    connection = _connection_string(query)
    with _cursor(query.driver, connection) as cursor:
        try:
            statement = text.decode("ascii").strip().removesuffix(";").rstrip() + "\n"
        except UnicodeDecodeError:
            raise InputError("is not ASCII", file=name, reason="encoding") from None
        try:
            if query.driver == "postgresql":
                cursor.execute("SET TRANSACTION READ ONLY")
            else:
                _judge_sqlite_values(cursor, statement, columns, name, hint)
            cursor.execute(statement)
            reader = cursor.fetch_record_batch()
            schema = pa.schema([pa.field(column.name, _storage(column.type)) for column in reader.schema])
            _judge_columns(schema, columns, name, hint)
            with pq.ParquetWriter(spool, schema, compression="snappy") as writer:
                for batch in reader:
                    plain = [
                        column.storage if isinstance(column, pa.ExtensionArray) else column for column in batch.columns
                    ]
                    writer.write_batch(pa.RecordBatch.from_arrays(plain, schema=schema))
        except (cursor.connection.Error, pa.ArrowException, OSError) as error:
            raise TransportError(
                f"{name}: the query failed: {_first_line(error)}",
                reason="query",
                hint=hint + "; one SELECT, nothing else",
            ) from None
    table = open_parquet(spool, columns, name=name, hint=hint)
    # A numeric of PostgreSQL arrives as text with all the digits of its scale; it is a number none the less.
    numeric = {column.name for column in reader.schema if column.name in AMOUNTS and _is_numeric(column.type)}
    return ArrowTable(spool, name, columns, table.decimals | numeric, table.rows, hashlib.sha256(text).hexdigest())


def _storage(kind: pa.DataType) -> pa.DataType:
    """PostgreSQL's numeric arrives as text in an extension type."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _is_numeric(kind: pa.DataType) -> bool:
    return getattr(kind, "type_name", "") == "numeric"


def _judge_sqlite_values(cursor: Any, statement: str, columns: tuple[str, ...], name: str, hint: str) -> None:
    """SQLite types values, not columns: one real number among texts would pass as the text it prints as."""
    for column in columns:
        # The SELECT is the custodian's own, run read-only; the names are ours.
        cursor.execute(f'SELECT DISTINCT typeof("{column}") FROM ({statement})')  # noqa: S608
        kinds = {row[0] for row in cursor.fetchmany(6)} - {"null"}
        if kinds - {"text", "integer"} or len(kinds) > 1:
            raise InputError(
                f"has values of the type {' and '.join(sorted(kinds))}",
                file=name,
                column=column,
                hint=hint,
                reason="type",
            )


@contextmanager
def _cursor(driver: str, connection: str) -> Iterator[Any]:
    # Imported here: the drivers load shared libraries, and most custodians need neither or one.
    dbapi = importlib.import_module(f"adbc_driver_{driver}.dbapi")
    if driver == "sqlite":
        if not Path(connection).is_file():
            raise TransportError("the connection string names no SQLite file", reason="connection")
        connection = f"file:{quote(str(Path(connection).resolve()))}?mode=ro"
    try:
        link = dbapi.connect(connection)
    except (dbapi.Error, OSError):
        raise TransportError(
            f"cannot connect to {driver}",
            reason="connection",
            hint="the driver's message is not shown, since it may quote the connection",
        ) from None
    with link, link.cursor() as cursor:
        yield cursor


def _connection_string(query: Query) -> str:
    if (query.connection_file is None) == (not query.connection_variable):
        raise UsageError("a query needs its connection string in a file or in an environment variable, one of them")
    if query.connection_file is None:
        text = os.environ.get(query.connection_variable, "")
        source = f"the environment variable {query.connection_variable}"
    else:
        with opened(query.connection_file) as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        if mode & 0o077:
            raise UsageError(
                f"{query.connection_file} can be read by others, and may hold a password",
                hint=f"chmod 600 {query.connection_file}",
            )
        text = _read_small(query.connection_file).decode("utf-8", "replace")
        source = str(query.connection_file)
    text = text.strip()
    if not text or not text.isprintable():
        raise UsageError(f"{source} holds no connection string")
    return text


def _read_small(path: Path) -> bytes:
    with opened(path) as stream:
        data = stream.read(_MAX_SQL + 1)
    if len(data) > _MAX_SQL:
        raise InputError(f"is longer than {_MAX_SQL} bytes", file=str(path), reason="long")
    return data


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

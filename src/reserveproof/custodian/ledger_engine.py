"""DuckDB as a sorter and a counter of rows that were read as text.

Nothing is guessed (every column is VARCHAR, every option of the dialect is given), nothing is fetched (no
extension, no file but those named), memory and threads are capped, and what does not fit is spilled into the
private working directory. Amounts are judged by a pattern, scaled as digits and cast to 128-bit integers; sums
are taken in two limbs, so that they are exact whatever the total, and put together in Python.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from ..format.errors import TransportError
from ..format.identifiers import CLIENT_CODE, CLIENT_ID
from ..format.limits import MAX_TABLE_FIELD
from ..format.tables import ACCOUNT_STATUSES, ACCOUNTS_COLUMNS, RELATED_PARTY
from ..format.vocabulary import ACCOUNT_TYPES, BUCKET_CODES
from .ledger_arrow import ArrowTable
from .ledger_csv import CsvTable
from .ledger_rules import AMOUNT, LEDGER_COLUMNS, Grid

MEMORY = "1GB"
THREADS = 2
_BATCH = 1 << 16
_LIMB = 10**19

Table = CsvTable | ArrowTable


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _fill(sql: str, **words: str) -> str:
    """SQL with its <words> filled in: patterns and names of our own, or text that went through _quoted."""
    for word, value in words.items():
        sql = sql.replace(f"<{word}>", value)
    return sql


_LINES = """
CREATE TABLE lines (pool VARCHAR, asset VARCHAR, client_id VARCHAR, client_code VARCHAR, bucket UTINYINT,
                    credit HUGEINT, debit HUGEINT, good BOOLEAN)
"""
_LOAD_LINES = """
INSERT INTO lines
SELECT pool, asset, client_id, client_code, bucket, credit, debit,
       coalesce(known_pool AND bucket IS NOT NULL AND credit IS NOT NULL AND debit IS NOT NULL
                AND regexp_full_match(client_id, <id>) AND regexp_full_match(client_code, <code>), false)
FROM (SELECT s.pool, s.asset, s.client_id, s.client_code, b.code AS bucket, p.pool IS NOT NULL AS known_pool,
             CASE WHEN regexp_full_match(s.credit, <amount>)
                   AND length(split_part(s.credit, '.', 2)) <= a.decimals
                  THEN TRY_CAST(split_part(s.credit, '.', 1)
                                || rpad(split_part(s.credit, '.', 2), a.decimals, '0') AS HUGEINT) END AS credit,
             CASE WHEN regexp_full_match(s.debit, <amount>)
                   AND length(split_part(s.debit, '.', 2)) <= a.decimals
                  THEN TRY_CAST(split_part(s.debit, '.', 1)
                                || rpad(split_part(s.debit, '.', 2), a.decimals, '0') AS HUGEINT) END AS debit
      FROM (<source>) s LEFT JOIN pools p ON s.pool = p.pool LEFT JOIN assets a ON s.asset = a.asset
                        LEFT JOIN buckets b ON s.bucket = b.name)
"""
_LOAD_ACCOUNTS = """
CREATE TABLE accounts AS
SELECT client_id, account_type, status, related_party,
       coalesce(regexp_full_match(client_id, <id>) AND account_type IN (<types>) AND status IN (<statuses>)
                AND related_party IN (<related>), false) AS good
FROM (<source>) s
"""
_EXTRACT = """
SELECT pool || chr(9) || asset || chr(9) || client_id || chr(9) || client_code || chr(9) || bucket || chr(9)
       || credit || chr(9) || debit || chr(10)
FROM lines ORDER BY pool, asset, client_id, bucket
"""
_ACCOUNTS = """
SELECT client_id || chr(9) || account_type || chr(9) || status || chr(9) || related_party || chr(10)
FROM accounts ORDER BY client_id
"""
_DOUBLE_LINES = """
SELECT client_id, pool, asset, bucket FROM lines GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT $limit
"""
_TWO_CODES = """
SELECT client_id FROM lines GROUP BY client_id HAVING min(client_code) <> max(client_code) ORDER BY 1 LIMIT $limit
"""
_DOUBLE_ACCOUNTS = """
SELECT client_id FROM accounts GROUP BY client_id HAVING count(*) > 1 ORDER BY 1 LIMIT $limit
"""
_TOTALS = """
SELECT pool, asset, count(*), sum(credit // <limb>), sum(credit % <limb>), sum(debit // <limb>), sum(debit % <limb>)
FROM lines GROUP BY pool, asset ORDER BY pool, asset
"""


def _failed(error: duckdb.Error) -> TransportError:
    text = (str(error).splitlines() or [""])[0]
    return TransportError(
        f"the working database failed: {text[:200]}", reason="engine", hint="is the disk full, or memory short?"
    )


class Engine:
    """One working database in a private directory. A context manager; every method raises TransportError when
    DuckDB itself fails (disk full, out of memory)."""

    def __init__(self, work: Path, grid: Grid, tables: Sequence[Table], extracts: Sequence[Path] = ()) -> None:
        self._work = work
        self._links: dict[Path, Path] = {}
        # DuckDB expands `*`, `?` and `[` in a file name: a link with a plain name stands for each file.
        for at, path in enumerate([*(table.path for table in tables if isinstance(table, CsvTable)), *extracts]):
            if path not in self._links:
                self._links[path] = work / f"source-{at}"
                self._links[path].symlink_to(path.resolve())
        allowed = [str(name) for pair in self._links.items() for name in (pair[0].resolve(), pair[1])]
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": str(THREADS),
            "memory_limit": MEMORY,
            "temp_directory": str(work / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "preserve_insertion_order": "false",
        }
        try:
            self._con = duckdb.connect(str(work / "ledger.duckdb"), config=config)
        except duckdb.Error as error:
            raise _failed(error) from error
        for setting in (
            "SET python_enable_replacements = false",
            _fill("SET allowed_directories = [<work>]", work=_quoted(f"{work}{os.sep}")),
            _fill("SET allowed_paths = [<paths>]", paths=", ".join(map(_quoted, allowed))),
            "SET enable_external_access = false",
            "SET lock_configuration = true",
            "CREATE TABLE pools (pool VARCHAR)",
            "CREATE TABLE assets (asset VARCHAR, decimals INTEGER)",
            "CREATE TABLE buckets (name VARCHAR, code UTINYINT)",
            _LINES,
        ):
            self.run(setting)
        for sql, rows in (
            ("INSERT INTO pools VALUES ($1)", [[pool] for pool in grid.pools]),
            ("INSERT INTO assets VALUES ($1, $2)", [[asset, digits] for asset, digits in grid.decimals.items()]),
            ("INSERT INTO buckets VALUES ($1, $2)", [[name, code] for name, code in BUCKET_CODES.items()]),
        ):
            for row in rows:
                self.run(sql, row)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._con.close()  # writes a checkpoint, so it fails where the disk is full
        except duckdb.Error as failure:
            if error is None:
                raise _failed(failure) from failure

    def run(self, sql: str, values: Any = None) -> list[tuple[Any, ...]]:
        """The rows of one statement, run to its end."""
        return self._guard(lambda: self._con.execute(sql, values).fetchall())

    def _guard(self, work: Callable[[], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
        try:
            return work()
        except duckdb.Error as error:
            raise _failed(error) from error

    def load_lines(self, table: Table) -> bool:
        """Add a ledger file's rows; whether every one of them, as many as were counted, is sound."""
        before = self._count("SELECT count(*), count(*) FILTER (good) FROM lines")
        self._load(_LOAD_LINES, table, LEDGER_COLUMNS)
        after = self._count("SELECT count(*), count(*) FILTER (good) FROM lines")
        return after[0] - before[0] == after[1] - before[1] == table.rows

    def load_accounts(self, table: CsvTable) -> bool:
        """Load the accounts; whether every row, as many as were counted, is sound."""
        self._load(_LOAD_ACCOUNTS, table, ACCOUNTS_COLUMNS)
        return self._count("SELECT count(*), count(*) FILTER (good) FROM accounts") == (table.rows, table.rows)

    def _count(self, sql: str) -> tuple[int, int]:
        ((rows, good),) = self.run(sql)
        return int(rows), int(good)

    def _load(self, sql: str, table: Table, columns: tuple[str, ...]) -> None:
        words = {
            "id": _quoted(CLIENT_ID.pattern),
            "code": _quoted(CLIENT_CODE.pattern),
            "amount": _quoted(AMOUNT.pattern),
            "types": ", ".join(map(_quoted, sorted(ACCOUNT_TYPES))),
            "statuses": ", ".join(map(_quoted, sorted(ACCOUNT_STATUSES))),
            "related": ", ".join(map(_quoted, sorted(RELATED_PARTY))),
        }
        if isinstance(table, CsvTable):
            # An empty field is NULL to DuckDB: it is given back its empty text.
            names = ", ".join(f"coalesce({column}, '') AS {column}" for column in columns)
            source = f"SELECT {names} FROM {self._csv(table.path, table.columns, ',')}"  # noqa: S608
            self.run(_fill(sql, source=source, **words))
            table.unchanged()
            return
        names = ", ".join(
            # A decimal column prints all the digits of its scale: it is the number that counts there.
            _fill(
                "CASE WHEN contains(<x>::VARCHAR, '.') THEN rtrim(rtrim(<x>::VARCHAR, '0'), '.') "
                "ELSE <x>::VARCHAR END AS <x>",
                x=column,
            )
            if column in table.decimals
            else f"{column}::VARCHAR AS {column}"
            for column in columns
        )
        self._con.register("incoming", table.reader())
        try:
            self.run(_fill(sql, source=f"SELECT {names} FROM incoming", **words))  # noqa: S608
        finally:
            self._con.unregister("incoming")
        table.unchanged()

    def _csv(self, path: Path, columns: Sequence[str], delimiter: str) -> str:
        """A read_csv that guesses nothing. The line end is not named: the scan has judged it, and DuckDB 2.0.0 gives
        no row and no error for `new_line = '\\r\\n'` in strict mode (so every load is counted as well)."""
        quote = "'\"'" if delimiter == "," else "''"
        return _fill(
            "read_csv(<path>, auto_detect = false, all_varchar = true, header = true, columns = {<columns>}, "
            "delim = <delimiter>, quote = <quote>, escape = <quote>, comment = '', "
            "compression = 'none', encoding = 'utf-8', strict_mode = true, null_padding = false, "
            "ignore_errors = false, hive_partitioning = false, filename = false, max_line_size = <line>)",
            path=_quoted(str(self._links[path])),
            columns=", ".join(f"{column}: 'VARCHAR'" for column in columns),
            delimiter=_quoted(delimiter),
            quote=quote,
            line=str(8 * MAX_TABLE_FIELD),
        )

    def load_previous(self, path: Path, columns: tuple[str, ...]) -> None:
        """Keep the ids that had a credit in an earlier extract, which read_extract has judged."""
        source = self._csv(path, columns, "\t")
        self.run(
            f"CREATE TABLE previous AS SELECT DISTINCT client_id FROM {source} WHERE credit <> '0'"  # noqa: S608
        )

    def double_lines(self, limit: int) -> list[tuple[str, str, str, int]]:
        """(client, pool, asset, bucket) that stand in more than one row."""
        return [(str(a), str(b), str(c), int(d)) for a, b, c, d in self.run(_DOUBLE_LINES, {"limit": limit})]

    def two_codes(self, limit: int) -> list[str]:
        """Clients with more than one client_code."""
        return [str(client) for (client,) in self.run(_TWO_CODES, {"limit": limit})]

    def double_accounts(self, limit: int) -> list[str]:
        return [str(client) for (client,) in self.run(_DOUBLE_ACCOUNTS, {"limit": limit})]

    def totals(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """(pool, asset) to rows, credits and debits, exact beyond 128 bits."""
        sql = _fill(_TOTALS, limb=f"{_LIMB}::HUGEINT")
        return {
            (pool, asset): (rows, high * _LIMB + low, debit_high * _LIMB + debit_low)
            for pool, asset, rows, high, low, debit_high, debit_low in self.run(sql)
        }

    def extract(self) -> Iterator[memoryview]:
        """The lines of the canonical extract, in order, in pieces; without the header."""
        return self._pieces(_EXTRACT)

    def accounts(self) -> Iterator[memoryview]:
        """The lines of the canonical accounts table, as extract() gives them."""
        return self._pieces(_ACCOUNTS)

    def _pieces(self, sql: str) -> Iterator[memoryview]:
        # An Arrow column of texts is one buffer of their bytes: it is the file, with no object for a row.
        try:
            for batch in self._con.sql(sql).to_arrow_reader(_BATCH):
                column = batch.column(0)
                _, starts, data = column.buffers()
                wide = memoryview(starts).cast("q" if str(column.type) == "large_string" else "i")
                yield memoryview(data)[wide[column.offset] : wide[column.offset + len(column)]]
        except duckdb.Error as error:
            raise TransportError(
                f"the working database failed: {str(error).splitlines()[0][:200]}", reason="engine"
            ) from error

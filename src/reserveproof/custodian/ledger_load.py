"""Tables into the working database: read as text, judged in bulk, sorted once.

Every column is VARCHAR and every option of the dialect is given. Names become ENUM codes, amounts are judged by a
pattern, taken as digits and scaled in 128-bit integers. A row that is not sound gets NULL in its first column, and
one such row is enough to refuse all: a second, plain pass names it (ledger_naming.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from ..format.amounts import JSON_AMOUNT
from ..format.identifiers import ASSET, POOL
from ..format.limits import AMOUNT_BOUND, MAX_DECIMALS, MAX_TABLE_FIELD
from ..format.tables import ACCOUNT_STATUSES, ACCOUNTS_COLUMNS, EXTRACT_COLUMNS, RELATED_PARTY
from ..format.vocabulary import ACCOUNT_TYPES, BUCKET_CODES, BUCKETS
from .ledger_arrow import AMOUNTS, ArrowTable
from .ledger_checks import out_of_order
from .ledger_csv import CsvTable
from .ledger_engine import Engine, fill, quoted
from .ledger_rules import AMOUNT, LEDGER_COLUMNS, Grid
from .progress import Advance

Table = CsvTable | ArrowTable

_LINES = """
CREATE TABLE lines AS
SELECT CASE WHEN asset IS NOT NULL AND bucket IS NOT NULL AND credit IS NOT NULL AND debit IS NOT NULL
             AND <id> AND <code> THEN pool END AS pool,
       asset, client_id, client_code, bucket, credit, debit
FROM (SELECT pool, asset, client_id, client_code, bucket, <credit> AS credit, <debit> AS debit
      FROM (SELECT *, <credit digits>, <debit digits>
            FROM (SELECT TRY_CAST(pool AS pools) AS pool, TRY_CAST(asset AS assets) AS asset, client_id, client_code,
                         TRY_CAST(bucket AS buckets) AS bucket, credit, debit,
                         <decimals>[enum_code(TRY_CAST(asset AS assets)) + 1] AS decimals
                  FROM (<source>))))
ORDER BY pool, asset, client_id, bucket
"""
_DIGITS = """
CASE WHEN <x> <> '0' THEN TRY_CAST(replace(<x>, '.', '') AS HUGEINT) END AS <x>_digits,
CASE WHEN <x> <> '0' THEN decimals - if(contains(<x>, '.'), strlen(<x>) - strpos(<x>, '.'), 0) END AS <x>_missing
"""
"""All digits of an amount, and how many are missing after its point (below zero: there are too many). Most amounts are
0, and cost nothing."""
_UNITS = """
CASE WHEN <x> = '0' THEN 0::HUGEINT
     WHEN regexp_full_match(<x>, <amount>) AND <x>_missing >= 0 AND <x>_digits <= <bounds>[<x>_missing + 1]
     THEN <x>_digits * <powers>[<x>_missing + 1] END
"""
"""Base units; NULL for what is no amount, or 2^127 or more: the bound is taken before the multiplication, which then
cannot overflow."""

_ACCOUNTS = """
CREATE TABLE accounts AS
SELECT CASE WHEN account_type IS NOT NULL AND status IS NOT NULL AND related_party IS NOT NULL
             AND <id> THEN client_id END AS client_id,
       account_type, status, related_party
FROM (SELECT client_id, TRY_CAST(account_type AS account_types) AS account_type, TRY_CAST(status AS statuses) AS status,
             TRY_CAST(related_party AS answers) AS related_party
      FROM (<source>))
ORDER BY client_id
"""
_PREVIOUS = """
CREATE TABLE previous_lines AS
SELECT CASE WHEN regexp_full_match(pool, <pool>) AND regexp_full_match(asset, <asset>)
             AND <id> AND <code>
             AND regexp_full_match(credit, <units>) AND regexp_full_match(debit, <units>)
             AND TRY_CAST(credit AS HUGEINT) IS NOT NULL AND TRY_CAST(debit AS HUGEINT) IS NOT NULL
             AND bucket IN (<buckets>) THEN pool END AS pool,
       asset, client_id, client_code, TRY_CAST(bucket AS UTINYINT) AS bucket, credit <> '0' AS credited
FROM (<source>)
"""

_OTHER_CODES = """
SELECT count(*) FROM (SELECT pool, asset, client_id, client_code, lag(pool) OVER () AS p, lag(asset) OVER () AS a,
                             lag(client_id) OVER () AS c, lag(client_code) OVER () AS k FROM previous_lines)
WHERE client_id = c AND asset = a AND pool = p AND client_code <> k
"""
# CLIENT_ID and CLIENT_CODE for texts that are known to be printable ASCII: three looks cost a fifth of a pattern.
_TEXT = "strlen(<x>) BETWEEN <least> AND <most> AND NOT starts_with(<x>, ' ') AND NOT ends_with(<x>, ' ')"
_PATTERNS = {
    "id": fill(_TEXT, x="client_id", least="1", most="128"),
    "code": fill(_TEXT, x="client_code", least="0", most="64"),
    "pool": quoted(POOL.pattern),
    "asset": quoted(ASSET.pattern),
    "units": quoted(JSON_AMOUNT.pattern),
}
# A decimal column prints all the digits of its scale: it is the number that counts there.
_NUMBER = "CASE WHEN contains(<x>::VARCHAR, '.') THEN rtrim(rtrim(<x>::VARCHAR, '0'), '.') ELSE <x>::VARCHAR END"
# Nobody has looked at these bytes: a text that is not printable ASCII becomes NULL, which no row may hold.
_PRINTABLE = "CASE WHEN regexp_full_match(<x>::VARCHAR, '[ -~]*') THEN <x>::VARCHAR END"
_SCALES = range(MAX_DECIMALS + 1)
_AMOUNTS = {
    "amount": quoted(AMOUNT.pattern),
    "powers": "[" + ", ".join(f"{10**scale}::HUGEINT" for scale in _SCALES) + "]",
    "bounds": "[" + ", ".join(f"{(AMOUNT_BOUND - 1) // 10**scale}::HUGEINT" for scale in _SCALES) + "]",
}


def _counts(engine: Engine, column: str, table: str) -> tuple[int, int]:
    """Rows of a table, and those that are sound."""
    # Only our own names are put together here.
    ((rows, sound),) = engine.run(f"SELECT count(*), count({column}) FROM {table}")  # noqa: S608
    return int(rows), int(sound)


def _csv_source(engine: Engine, table: CsvTable, columns: Sequence[str]) -> str:
    # An empty field is NULL to DuckDB: it is given back its empty text. Its bytes are printable ASCII: scan() saw each.
    names = ", ".join(f"coalesce({column}, '') AS {column}" for column in columns)
    return f"SELECT {names} FROM {_csv(engine, table.path, table.columns, ',')}"  # noqa: S608


def _stream_source(name: str, decimals: Collection[str]) -> str:
    texts = dict.fromkeys(decimals, _NUMBER) | dict.fromkeys(("client_id", "client_code"), _PRINTABLE)
    names = ", ".join(fill(f"{texts.get(column, '<x>::VARCHAR')} AS <x>", x=column) for column in LEDGER_COLUMNS)
    return f"SELECT {names} FROM {name}"  # noqa: S608


def _csv(engine: Engine, path: Path, columns: Sequence[str], delimiter: str) -> str:
    """A read_csv that guesses nothing. The line end is not named: it was judged, and DuckDB 2.0.0 gives no row and no
    error for `new_line = '\\r\\n'` in strict mode (so every load is counted as well)."""
    quote = "'\"'" if delimiter == "," else "''"
    return fill(
        "read_csv(<path>, auto_detect = false, all_varchar = true, header = true, columns = {<columns>}, "
        "delim = <delimiter>, quote = <quote>, escape = <quote>, comment = '', "
        "compression = 'none', encoding = 'utf-8', strict_mode = true, null_padding = false, "
        "ignore_errors = false, hive_partitioning = false, filename = false, max_line_size = <line>)",
        path=engine.file(path),
        columns=", ".join(f"{column}: 'VARCHAR'" for column in columns),
        delimiter=quoted(delimiter),
        quote=quote,
        line=str(8 * MAX_TABLE_FIELD),
    )


def load_lines(engine: Engine, grid: Grid, tables: Sequence[Table], advance: Advance) -> bool:
    """Load the ledger, sorted as the extract is; whether every row, as many as were counted, is sound."""
    assets = sorted(grid.decimals)
    engine.words("pools", sorted(grid.pools))
    engine.words("assets", assets)
    engine.words("buckets", sorted(BUCKET_CODES, key=BUCKET_CODES.__getitem__))
    streams = {f"stream_{at}": table.reader for at, table in enumerate(tables) if not isinstance(table, CsvTable)}
    sources = [
        _csv_source(engine, table, LEDGER_COLUMNS)
        if isinstance(table, CsvTable)
        else _stream_source(f"stream_{at}", table.decimals)
        for at, table in enumerate(tables)
    ]
    sql = fill(
        _LINES,
        source=" UNION ALL ".join(sources),
        **{column: fill(_UNITS, x=column, **_AMOUNTS) for column in sorted(AMOUNTS)},
        **{f"{column} digits": fill(_DIGITS, x=column) for column in sorted(AMOUNTS)},
        decimals="[" + ", ".join(str(grid.decimals[asset]) for asset in assets) + "]",
        **_PATTERNS,
    )
    rows = sum(table.rows for table in tables)
    with engine.streams(streams):
        engine.run_long(sql, rows, advance)
    for table in tables:
        table.unchanged()
    return _counts(engine, "pool", "lines") == (rows, rows)


def load_accounts(engine: Engine, table: CsvTable) -> bool:
    """Load the accounts, sorted by client; whether every row, as many as were counted, is sound."""
    engine.words("account_types", sorted(ACCOUNT_TYPES))
    engine.words("statuses", sorted(ACCOUNT_STATUSES))
    engine.words("answers", sorted(RELATED_PARTY))
    engine.run(fill(_ACCOUNTS, source=_csv_source(engine, table, ACCOUNTS_COLUMNS), **_PATTERNS))
    table.unchanged()
    return _counts(engine, "client_id", "accounts") == (table.rows, table.rows)


def extract_source(engine: Engine, path: Path) -> str:
    """SQL for the rows of a canonical extract as text."""
    tsv = _csv(engine, path, EXTRACT_COLUMNS, "\t")
    return f"SELECT * REPLACE (coalesce(client_code, '') AS client_code) FROM {tsv}"  # noqa: S608


def load_previous(engine: Engine, path: Path, rows: int, advance: Advance) -> bool:
    """Keep the clients that had a credit in an earlier extract; whether all its rows are such as are written.

    rows: lines below the header, each of the shape that ledger_previous.py judges. advance: is told each twice.
    """
    load = fill(
        _PREVIOUS,
        source=extract_source(engine, path),
        buckets=", ".join(quoted(str(code)) for code in sorted(BUCKETS)),
        **_PATTERNS,
    )
    engine.run_long(load, rows, advance)
    sound = _counts(engine, "pool", "previous_lines") == (rows, rows)
    sound = sound and not out_of_order(engine, "previous_lines", rows, 1, advance)
    if sound:
        ((others,),) = engine.run(_OTHER_CODES)
        engine.run("CREATE TABLE previous AS SELECT DISTINCT client_id FROM previous_lines WHERE credited")
        sound = not others
    engine.run("DROP TABLE previous_lines")
    return sound

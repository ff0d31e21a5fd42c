"""Ledgers that come from a database: the same bytes as from a file, read-only, and no secret in a message."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import ledger_maker
from reserveproof.custodian.ledger import LedgerSummary, Query, import_ledger
from reserveproof.format.errors import InputError, TransportError, UsageError

SELECT = "SELECT client_id, pool, asset, bucket, credit, debit, client_code FROM ledger"
GIVEN = {"pools": frozenset(ledger_maker.POOLS), "decimals": ledger_maker.DECIMALS}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ledger_maker.Made:
    return ledger_maker.make(tmp_path_factory.mktemp("made"), rows=5_000, seed=9)


def load(root: Path, source: object) -> tuple[LedgerSummary, bytes]:
    out = Path(tempfile.mkdtemp(dir=root))
    scratch = Path(tempfile.mkdtemp(dir=root))
    try:
        summary = import_ledger([source], out_dir=out, scratch=scratch, **GIVEN)  # type: ignore[list-item, arg-type]
    except BaseException:
        assert list(out.iterdir()) == []
        raise
    finally:
        assert list(scratch.iterdir()) == []
    return summary, (out / "extract.tsv").read_bytes()


def rows_of(made: ledger_maker.Made) -> list[list[str]]:
    return [line.split(",") for line in made.ledger.read_text().splitlines()[1:]]


class Sqlite:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "books?mode=rw #1.db"
        self.connection = root / "connection"
        self.connection.write_text(f"{self.database}\n")
        self.connection.chmod(0o600)

    def fill(self, rows: list[list[object]], kind: str = "TEXT") -> None:
        self.database.unlink(missing_ok=True)
        with sqlite3.connect(self.database) as link:
            amounts = f"credit {kind}, debit {kind}"
            link.execute(f"CREATE TABLE ledger (client_id, pool, asset, bucket, {amounts}, client_code)")
            link.executemany("INSERT INTO ledger VALUES (?,?,?,?,?,?,?)", rows)
        link.close()

    def query(self, sql: str = SELECT) -> Query:
        (self.root / "ledger.sql").write_text(sql)
        return Query("sqlite", self.root / "ledger.sql", self.connection)


@pytest.fixture
def sqlite(tmp_path: Path) -> Sqlite:
    return Sqlite(tmp_path)


def test_sqlite_gives_the_same_bytes(sqlite: Sqlite, made: ledger_maker.Made, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(made)
    sqlite.fill(list(reversed(rows)))  # type: ignore[arg-type]
    _, extract = load(sqlite.root, made.ledger)
    query = sqlite.query(SELECT + " -- all of it\n;\n")
    summary, from_query = load(sqlite.root, query)
    assert from_query == extract
    (source,) = summary.sources
    assert (source.name, source.rows) == (str(query.query), len(rows))
    assert source.sha256 == hashlib.sha256(query.query.read_bytes()).hexdigest()
    monkeypatch.setenv("LEDGER_DATABASE", str(sqlite.database))
    assert load(sqlite.root, Query("sqlite", query.query, connection_variable="LEDGER_DATABASE"))[1] == extract


ROW: list[object] = ["ann", "custody-trust", "JPY", "available", "5", "0", ""]


def test_sqlite_values_that_are_not_exact(sqlite: Sqlite) -> None:
    sqlite.fill([["ann", "custody-trust", "JPY", "available", 5, 0, ""]], kind="")
    assert load(sqlite.root, sqlite.query())[0].cells["custody-trust", "JPY"].credit == 5
    many: list[list[object]] = [[f"c{at}", *ROW[1:]] for at in range(3000)]
    for late in (1.5, 7, b"7"):
        # The driver types a column by its first batch; the odd value comes long after it.
        sqlite.fill([*many, ["zoe", "custody-trust", "JPY", "available", late, "0", ""]], kind="")
        with pytest.raises(InputError, match="has values of the type") as caught:
            load(sqlite.root, sqlite.query())
        assert caught.value.column == "credit"
        assert caught.value.hint == "cast to text in the query"
    sqlite.fill([["ann", "custody-trust", "BTC", "available", 1.5, "0", ""]], kind="")
    with pytest.raises(InputError, match="real"):
        load(sqlite.root, sqlite.query())
    sqlite.fill([ROW, ["bob", "custody-trust", "JPY", "available", "1e3", "0", ""]])
    with pytest.raises(InputError, match=r"ledger.sql, row 2, column credit"):
        load(sqlite.root, sqlite.query())
    sqlite.fill([ROW, ["bob", "custody-trust", "JPY", "available", "1", "0", None]])
    with pytest.raises(InputError, match=r"row 2, column client_code: is NULL"):
        load(sqlite.root, sqlite.query())
    sqlite.fill([ROW, ROW])
    with pytest.raises(InputError, match=r"row 2.*first in .*ledger.sql, row 1"):
        load(sqlite.root, sqlite.query())


def test_sqlite_queries_that_lie(sqlite: Sqlite) -> None:
    sqlite.fill([ROW])
    before = hashlib.sha256(sqlite.database.read_bytes()).hexdigest()
    for sql in ("DELETE FROM ledger", "nonsense", "", "SELECT 1; DROP TABLE ledger", "DROP TABLE ledger"):
        with pytest.raises(TransportError, match="the query failed"):
            load(sqlite.root, sqlite.query(sql))
    with pytest.raises(InputError, match="is not a column"):
        load(sqlite.root, sqlite.query("SELECT *, 1 AS more FROM ledger"))
    with pytest.raises(InputError, match="column pool: is missing"):
        load(sqlite.root, sqlite.query("SELECT client_id FROM ledger"))
    with pytest.raises(InputError, match="has no row"):
        load(sqlite.root, sqlite.query(SELECT + " WHERE 1 = 0"))
    with pytest.raises(InputError, match="not ASCII"):
        load(sqlite.root, sqlite.query(SELECT + " -- café"))
    assert hashlib.sha256(sqlite.database.read_bytes()).hexdigest() == before


def test_the_connection_string_is_kept_private(sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite.fill([ROW])
    query = sqlite.query()
    sqlite.connection.chmod(0o644)
    with pytest.raises(UsageError, match="read by others"):
        load(sqlite.root, query)
    sqlite.connection.chmod(0o600)
    for text in ("", "\n", "a\x00b"):
        sqlite.connection.write_text(text)
        with pytest.raises(UsageError, match="no connection string"):
            load(sqlite.root, query)
    monkeypatch.delenv("LEDGER_DATABASE", raising=False)
    for wrong in (
        Query("sqlite", query.query),
        Query("sqlite", query.query, sqlite.connection, "LEDGER_DATABASE"),
        Query("sqlite", query.query, connection_variable="LEDGER_DATABASE"),
    ):
        with pytest.raises(UsageError):
            load(sqlite.root, wrong)
    sqlite.connection.write_text(str(sqlite.root / "absent.db"))
    with pytest.raises(TransportError, match="no SQLite file"):
        load(sqlite.root, query)
    assert not (sqlite.root / "absent.db").exists()
    sqlite.connection.write_text("postgresql://clerk:hunter2@127.0.0.1:1/books")
    with pytest.raises(TransportError) as caught:
        load(sqlite.root, Query("postgresql", query.query, sqlite.connection))
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    sqlite.connection.write_text("postgresql://clerk:hunter2@127.0.0.1:port/books")
    with pytest.raises(TransportError) as caught:
        load(sqlite.root, Query("postgresql", query.query, sqlite.connection))
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def _binary(name: str) -> str | None:
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr/local/pgsql").glob("bin")]
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, places)]))


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A server of our own on a socket in a private directory; its connection URI."""
    initdb, pg_ctl, postgres = _binary("initdb"), _binary("pg_ctl"), _binary("postgres")
    if not (initdb and pg_ctl and postgres):
        pytest.skip("PostgreSQL's initdb, pg_ctl and postgres are not installed")
    as_user: list[str] = []
    # A short path: a socket's name has at most 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("PostgreSQL does not run as root, and there is no setpriv")
        as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chown(home, 65534, 65534)

    def run(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, capture_output=True, cwd="/", timeout=120)

    data = str(home / "data")
    try:
        run(initdb, "-D", data, "-U", "clerk", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        run(
            pg_ctl,
            "-D",
            data,
            "-w",
            "-l",
            str(home / "log"),
            "-o",
            f"-c listen_addresses='' -c fsync=off -k {home}",
            "start",
        )
        try:
            yield f"postgresql://clerk@/postgres?host={home}"
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _fill_postgres(uri: str, rows: list[list[str]]) -> str:
    from adbc_driver_postgresql import dbapi

    table = f"ledger_{secrets.token_hex(4)}"
    with dbapi.connect(uri) as link, link.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {table} (client_id text, pool varchar(24), asset text, bucket text, "
            "credit numeric, debit numeric(60, 30), client_code text)"
        )
        cursor.executemany(f"INSERT INTO {table} SELECT $1, $2, $3, $4, $5::numeric, $6::numeric, $7", rows)
        link.commit()
    return table


def test_postgresql_gives_the_same_bytes(
    postgres: str, made: ledger_maker.Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(made)
    table = _fill_postgres(postgres, rows)
    monkeypatch.setenv("LEDGER_DATABASE", postgres)

    def query(sql: str) -> Query:
        (tmp_path / "ledger.sql").write_text(sql)
        return Query("postgresql", tmp_path / "ledger.sql", connection_variable="LEDGER_DATABASE")

    columns = "client_id, pool, asset, bucket, credit, debit, client_code"
    good = query(f"SELECT {columns} FROM {table} ORDER BY random() -- as of T\n;")  # noqa: S608
    summary, extract = load(tmp_path, good)
    assert extract == load(tmp_path, made.ledger)[1]
    assert summary.sources[0].rows == len(rows)

    # numeric(60, 30) prints 30 digits: as a number its zeros do not count, as text they do.
    with pytest.raises(InputError, match=r"column debit: .*30 digits after the point"):
        load(tmp_path, query(f"SELECT {columns.replace('debit', 'debit::text')} FROM {table}"))  # noqa: S608
    with pytest.raises(InputError, match="float column") as caught:
        load(tmp_path, query(f"SELECT {columns.replace('credit', 'credit::float8')} FROM {table}"))  # noqa: S608
    assert caught.value.hint == "cast to text in the query"
    with pytest.raises(InputError, match="row 1, column credit: 'nan'"):
        load(
            tmp_path,
            query(
                "SELECT 'a' client_id, 'custody-trust' pool, 'BTC' asset, 'available' bucket, 'NaN'::numeric credit, "
                "'0' debit, '' client_code"
            ),
        )
    for sql in (
        f"DELETE FROM {table}",  # noqa: S608
        f"DROP TABLE {table}",
        f"SELECT 1; DROP TABLE {table}",
        "nonsense",
        f"WITH gone AS (DELETE FROM {table} RETURNING *) SELECT {columns} FROM gone",  # noqa: S608
        "SET TRANSACTION READ WRITE",
        "SELECT 1/0 AS client_id",
    ):
        with pytest.raises((TransportError, InputError)):
            load(tmp_path, query(sql))
    (tmp_path / "ledger.sql").write_text(f"SELECT {columns} FROM {table}")  # noqa: S608
    assert load(tmp_path, good)[1] == extract


def test_no_driver_is_loaded_for_a_file() -> None:
    code = "import sys, reserveproof.custodian.ledger; print([m for m in sys.modules if m.startswith('adbc')])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"

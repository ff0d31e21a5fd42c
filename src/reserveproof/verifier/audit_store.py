"""The auditor's working store: ledger rows and leaves, sorted on disk, in bounded memory.

SQLite does the sorting (its external merge sort obeys the cache size). Amounts are text in it: its integers end at
2^63. The file is the command's, in a folder that only its owner can read, and goes when the audit ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..format.errors import InputError
from ..format.tables import AccountRow, ExtractRow

CACHE_KIB = 64 * 1024
"""Page cache of the store: what the audit's memory is bounded by, whatever the ledger's length."""
BATCH = 10_000

_SCHEMA = """
CREATE TABLE ledger (pool TEXT, asset TEXT, client_id TEXT, client_code TEXT, bucket INTEGER, credit TEXT, debit TEXT,
                     file TEXT, row INTEGER);
CREATE TABLE account (client_id TEXT PRIMARY KEY, account_type TEXT, status TEXT, related INTEGER) WITHOUT ROWID;
CREATE TABLE previous (client_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE leaf (digest BLOB, amount TEXT);
"""


class AuditStore:
    """One audit's store; close() it."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        # Nothing of it outlives the audit, so nothing of it need survive a crash.
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("PRAGMA temp_store = FILE")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def add_ledger(self, rows: Iterable[tuple[int, ExtractRow]], *, file: str) -> int:
        """Adds a ledger file's rows. Returns how many."""
        count = 0
        batch: list[tuple[object, ...]] = []
        for number, row in rows:
            batch.append((*row[:5], str(row.credit), str(row.debit), file, number))
            count += 1
            if len(batch) >= BATCH:
                self._insert(batch)
        self._insert(batch)
        return count

    def _insert(self, batch: list[tuple[object, ...]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO ledger VALUES (?,?,?,?,?,?,?,?,?)", batch)
        self._db.execute("COMMIT")
        batch.clear()

    def ledger_in_order(self) -> Iterator[ExtractRow]:
        """Every row, ascending by (pool, asset, client_id, bucket), each key once. InputError names both rows of a
        key that stands twice, or of a client with two codes in one (pool, asset)."""
        before: tuple[object, ...] = ()
        place = ("", 0)
        code = ""
        query = "SELECT * FROM ledger ORDER BY pool, asset, client_id, bucket, file, row"
        for pool, asset, client_id, client_code, bucket, credit, debit, file, row in self._db.execute(query):
            key = (pool, asset, client_id, bucket)
            if key == before:
                raise InputError(
                    f"is the same pool, asset, client and bucket as {place[0]} row {place[1]}",
                    file=file,
                    row=row,
                    value=f"{client_id} {bucket}",
                    hint="each bucket of a client stands in one row",
                )
            if key[:3] == before[:3] and client_code != code:
                raise InputError(
                    f"has another client_code than {place[0]} row {place[1]}",
                    file=file,
                    row=row,
                    column="client_code",
                )
            before, place, code = key, (file, row), client_code
            yield ExtractRow(pool, asset, client_id, client_code, bucket, int(credit), int(debit))

    def check_codes(self) -> None:
        """One client id has one code over the whole ledger. InputError names both rows."""
        clash = self._db.execute(
            "SELECT client_id, count(DISTINCT client_code) AS codes FROM ledger"
            " GROUP BY client_id HAVING codes > 1 LIMIT 1"
        ).fetchone()
        if clash is None:
            return
        places = self._db.execute(
            "SELECT min(file), min(row) FROM ledger WHERE client_id = ? GROUP BY client_code LIMIT 2", (clash[0],)
        ).fetchall()
        raise InputError(
            f"has another client_code than {places[0][0]} row {places[0][1]}",
            file=places[1][0],
            row=places[1][1],
            column="client_code",
            value=clash[0],
        )

    def clients(self) -> Iterator[tuple[str, str]]:
        """Each client of the ledger once, with its code."""
        yield from self._db.execute("SELECT DISTINCT client_id, client_code FROM ledger ORDER BY client_id")

    def add_accounts(self, rows: Iterable[AccountRow], *, file: str) -> None:
        """Adds the accounts beside the ledger; InputError for one that stands twice."""
        for row in rows:
            try:
                self._db.execute(
                    "INSERT INTO account VALUES (?,?,?,?)",
                    (row.client_id, row.account_type, row.status, int(row.related_party)),
                )
            except sqlite3.IntegrityError:
                raise InputError("stands twice", file=file, column="client_id", value=row.client_id) from None

    def account(self, client_id: str) -> tuple[str, str, bool] | None:
        """(account_type, status, related) of a client, None if there is none."""
        found = self._db.execute(
            "SELECT account_type, status, related FROM account WHERE client_id = ?", (client_id,)
        ).fetchone()
        return None if found is None else (found[0], found[1], bool(found[2]))

    def untagged(self, limit: int) -> list[str]:
        """Clients of the ledger without an account row."""
        return self._names(
            "SELECT DISTINCT client_id FROM ledger WHERE client_id NOT IN (SELECT client_id FROM account)", limit
        )

    def absent(self, limit: int) -> list[str]:
        """Accounts not closed that stand in no ledger row."""
        return self._names(
            "SELECT client_id FROM account WHERE status != 'closed'"
            " AND client_id NOT IN (SELECT client_id FROM ledger)",
            limit,
        )

    def mistagged(self, related_types: frozenset[str], limit: int) -> list[str]:
        """Accounts whose type and related_party do not agree."""
        marks = ",".join("?" * len(related_types))
        return self._names(
            f"SELECT client_id FROM account WHERE related != (account_type IN ({marks}))",  # noqa: S608 - marks only
            limit,
            *sorted(related_types),
        )

    def add_previous(self, client_ids: Iterable[str]) -> None:
        """The clients that had a credit above zero in the extract before."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR IGNORE INTO previous VALUES (?)", ((client,) for client in client_ids))
        self._db.execute("COMMIT")

    def dropped(self, limit: int) -> list[str]:
        """Clients of the extract before that stand in no row now and are not marked closed."""
        return self._names(
            "SELECT client_id FROM previous WHERE client_id NOT IN (SELECT client_id FROM ledger)"
            " AND client_id NOT IN (SELECT client_id FROM account WHERE status = 'closed')",
            limit,
        )

    def _names(self, query: str, limit: int, *values: object) -> list[str]:
        return [row[0] for row in self._db.execute(f"{query} ORDER BY 1 LIMIT {int(limit)}", values)]

    def add_leaves(self, leaves: Iterable[tuple[bytes, int]]) -> None:
        """Replaces the leaves of the tree at hand."""
        self._db.execute("DELETE FROM leaf")
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO leaf VALUES (?,?)", ((digest, str(amount)) for digest, amount in leaves))
        self._db.execute("COMMIT")

    def leaves_in_order(self) -> Iterator[tuple[bytes, int]]:
        """The leaves of the tree at hand, ascending by digest."""
        for digest, amount in self._db.execute("SELECT digest, amount FROM leaf ORDER BY digest"):
            yield digest, int(amount)

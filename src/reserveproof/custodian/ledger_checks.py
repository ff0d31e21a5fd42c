"""What a loaded ledger is asked before anything is written: what stands twice, who has two codes, what it adds up to.

The lines lie sorted, so that what stands twice stands side by side: one pass looks at each row and the one before.
Sums are taken in two limbs, so that they are exact whatever the total, and put together in Python.
"""

from __future__ import annotations

from .ledger_engine import Engine, fill
from .progress import Advance

_LIMB = 64
_MASK = f"{2**_LIMB - 1}::HUGEINT"

_OUT_OF_ORDER = """
SELECT DISTINCT client_id, pool, asset, bucket
FROM (SELECT pool, asset, client_id, bucket, lag(pool) OVER () AS p, lag(asset) OVER () AS a,
             lag(client_id) OVER () AS c, lag(bucket) OVER () AS b FROM <table>)
WHERE NOT (pool > p OR pool = p AND (asset > a OR asset = a AND (client_id > c OR client_id = c AND bucket > b)))
ORDER BY ALL LIMIT <limit>
"""
_CLIENTS = """
CREATE TABLE clients AS SELECT client_id, min(client_code) = max(client_code) AS one_code FROM lines GROUP BY client_id
"""
_DOUBLE_ACCOUNTS = """
SELECT DISTINCT client_id FROM (SELECT client_id, lag(client_id) OVER () AS before FROM accounts)
WHERE NOT client_id > before ORDER BY 1 LIMIT $limit
"""
_TOTALS = """
SELECT pool, asset, count(*), sum(credit >> <bits>), sum(credit & <mask>), sum(debit >> <bits>), sum(debit & <mask>)
FROM lines GROUP BY pool, asset ORDER BY pool, asset
"""


def out_of_order(
    engine: Engine, table: str, rows: int, limit: int, advance: Advance
) -> list[tuple[str, str, str, str]]:
    """(client, pool, asset, bucket) of rows that do not stand above the one before them, each once."""
    found = engine.run_long(fill(_OUT_OF_ORDER, table=table, limit=str(limit)), rows, advance)
    return [(str(client), str(pool), str(asset), str(bucket)) for client, pool, asset, bucket in found]


def double_lines(engine: Engine, rows: int, limit: int, advance: Advance) -> list[tuple[str, str, str, str]]:
    """(client, pool, asset, bucket) that stand in more than one row. The engine sorted them: nothing else is wrong."""
    return out_of_order(engine, "lines", rows, limit, advance)


def two_codes(engine: Engine, rows: int, limit: int, advance: Advance) -> list[str]:
    """Clients with more than one client_code. Makes the table of clients, which the facts use as well."""
    engine.run_long(_CLIENTS, rows, advance)
    found = engine.run("SELECT client_id FROM clients WHERE NOT one_code ORDER BY 1 LIMIT $limit", {"limit": limit})
    return [str(client) for (client,) in found]


def double_accounts(engine: Engine, limit: int) -> list[str]:
    """Clients with more than one row in the accounts."""
    return [str(client) for (client,) in engine.run(_DOUBLE_ACCOUNTS, {"limit": limit})]


def totals(engine: Engine) -> dict[tuple[str, str], tuple[int, int, int]]:
    """(pool, asset) to rows, credits and debits, exact beyond 128 bits."""
    return {
        (str(pool), str(asset)): (int(rows), (high << _LIMB) + low, (debit_high << _LIMB) + debit_low)
        for pool, asset, rows, high, low, debit_high, debit_low in engine.run(
            fill(_TOTALS, bits=str(_LIMB), mask=_MASK)
        )
    }

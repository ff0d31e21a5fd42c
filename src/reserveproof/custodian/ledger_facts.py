"""What the rules need to know of a ledger beside its totals: who stands in it, and who does not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..format.vocabulary import RELATED_TYPES
from .ledger_engine import Engine
from .progress import Progress

SHOWN = 100
"""Ids that a list shows; its count is of all."""


@dataclass(frozen=True, slots=True)
class Listed:
    """How many clients, and the first SHOWN of them in ascending order."""

    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """Facts, not judgements. A member is None where its input was not given (accounts, control totals, an earlier
    extract): a rule that needs it is then not assessed.

    clients: how many stand in the ledger, each once. by_type: (pool, asset, account_type) to (clients with a credit,
    credit, debit); clients without an account row stand in no type. untagged: clients in the ledger without an account
    row. mistagged: accounts whose related_party contradicts their type. absent: accounts, not closed, with no ledger
    row. dropped: clients with a credit in the earlier extract that stand in no row now, those of closed accounts apart.
    control: (pool, asset) to the control account's credit.
    """

    clients: int
    by_type: Mapping[tuple[str, str, str], tuple[int, int, int]] | None = None
    untagged: Listed | None = None
    mistagged: Listed | None = None
    absent: Listed | None = None
    dropped: Listed | None = None
    control: Mapping[tuple[str, str], int] | None = None


# Holders are counted by rows with a credit; the second and further ones of a client in one (pool, asset), which stand
# side by side among the lines, are taken off again.
_FURTHER_CREDITS = """
CREATE TABLE further_credits AS
SELECT pool, asset, client_id
FROM (SELECT pool, asset, client_id, lag(pool) OVER () AS p, lag(asset) OVER () AS a, lag(client_id) OVER () AS c
      FROM lines WHERE credit > 0)
WHERE client_id = c AND asset = a AND pool = p
"""
_BY_TYPE = """
SELECT pool, asset, account_type, sum(holder), sum(credit), sum(debit)
FROM (SELECT pool, asset, client_id, (credit > 0)::INTEGER AS holder, credit, debit FROM lines UNION ALL
      SELECT pool, asset, client_id, -1, 0, 0 FROM further_credits)
     JOIN accounts USING (client_id)
GROUP BY pool, asset, account_type ORDER BY pool, asset, account_type
"""
_SELECTIONS = {
    "untagged": "SELECT client_id FROM clients ANTI JOIN accounts USING (client_id)",
    "mistagged": """SELECT client_id FROM accounts
                    WHERE (related_party = 'yes') <> list_contains($related, account_type::VARCHAR)""",
    "absent": "SELECT client_id FROM accounts ANTI JOIN clients USING (client_id) WHERE status <> 'closed'",
    "dropped": "SELECT client_id FROM previous ANTI JOIN clients USING (client_id)",
    "dropped, closed apart": """SELECT client_id FROM previous ANTI JOIN clients USING (client_id)
                                ANTI JOIN (FROM accounts WHERE status = 'closed') a USING (client_id)""",
}


def gather(
    engine: Engine,
    *,
    rows: int,
    accounts: bool,
    previous: bool,
    control: Mapping[tuple[str, str], int] | None,
    progress: Progress,
) -> LedgerFacts:
    """The facts of a loaded ledger that was checked (ledger_checks.py) and whose totals are below 2^127.

    rows: of the ledger. accounts and previous: whether the engine holds them.
    """
    ((clients,),) = engine.run("SELECT count(*) FROM clients")
    dropped = None
    if previous:
        dropped = _listed(engine, "dropped, closed apart" if accounts else "dropped")
    if not accounts:
        return LedgerFacts(int(clients), dropped=dropped, control=control)
    with progress.stage("comparing clients and accounts", 2 * rows, "lines") as advance:
        engine.run_long(_FURTHER_CREDITS, rows, advance)
        by_type = {
            (str(pool), str(asset), str(kind)): (int(holders), int(credit), int(debit))
            for pool, asset, kind, holders, credit, debit in engine.run_long(_BY_TYPE, rows, advance)
        }
    return LedgerFacts(
        int(clients),
        by_type=by_type,
        untagged=_listed(engine, "untagged"),
        mistagged=_listed(engine, "mistagged"),
        absent=_listed(engine, "absent"),
        dropped=dropped,
        control=control,
    )


def _listed(engine: Engine, name: str) -> Listed:
    chosen, values = _SELECTIONS[name], ({"related": sorted(RELATED_TYPES)} if name == "mistagged" else None)
    # Only our own constants are put together here.
    ((count,),) = engine.run(f"SELECT count(*) FROM ({chosen})", values)  # noqa: S608
    if not count:
        return Listed(0, ())
    first = engine.run(f"SELECT client_id FROM ({chosen}) ORDER BY client_id LIMIT {SHOWN}", values)  # noqa: S608
    return Listed(int(count), tuple(str(client) for (client,) in first))


def client_codes(engine: Engine, clients: Collection[str]) -> dict[str, str]:
    """Each of these clients that stands in the ledger, with its code."""
    chosen = "SELECT DISTINCT client_id, client_code FROM lines WHERE list_contains($clients, client_id)"
    return dict(engine.run(chosen, {"clients": sorted(clients)}) if clients else ())

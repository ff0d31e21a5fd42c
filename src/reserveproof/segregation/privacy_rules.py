"""What a publication gives away: PRV-01, PRV-02, PRV-03."""

from __future__ import annotations

from ..format.errors import shown
from .facts import Facts
from .outcome import Finding, Outcome, Parameters, settle
from .views import NO_LEDGER, cells_of, without_totals

NO_SEARCH = "what is published was not searched"


def no_identifier(facts: Facts, _: Parameters, __: str) -> Outcome:
    """PRV-01. Only one who has the ledger knows what to search for: without it a clean search shows nothing."""
    gaps = [NO_LEDGER] if facts.ledger is None else []
    if facts.privacy is None:
        return settle([], [*gaps, NO_SEARCH])
    rows = [
        Finding("", "", "", f"{what}: {shown(where)}", "none", True)
        for what, places in (
            ("a direct identifier", facts.privacy.direct_identifiers),
            ("an unsalted hash", facts.privacy.unsalted_hashes),
        )
        for where in places
    ]
    if facts.privacy.not_searched:
        gaps.append(f"{facts.privacy.not_searched} client ids are too short and plain to be searched for")
    return settle(rows, gaps)


def fresh_blinds(facts: Facts, _: Parameters, __: str) -> Outcome:
    """PRV-02. With a key used twice, two snapshots can be compared client by client."""
    if facts.privacy is None:
        return settle([], ["keys and blinds were not compared"])
    rows: list[Finding] = []
    if facts.privacy.blind_duplicates > 0:
        rows.append(Finding("", "", "", f"{facts.privacy.blind_duplicates} blinds used twice", "0"))
    if facts.privacy.key_reused:
        rows.append(Finding("", "", "", "the snapshot key was used before", "a new key"))
    return settle(rows, ["the key was not compared with an earlier one"] if facts.privacy.key_reused is None else [])


def enough_holders(facts: Facts, parameters: Parameters, pool: str) -> Outcome:
    """PRV-03. The number of holders is the ledger's; a disclosure carries its own. A disclosed amount with no
    holder at all is the custodian's own."""
    limit = f"at least {parameters.holders} holders"
    gaps = without_totals(facts, pool)
    rows = [
        Finding(pool, asset, "", f"the amount of {code} has {holders} holders", limit)
        for owner, asset, code, holders, amount in facts.disclosures
        if owner == pool and amount is not None and 0 < holders < parameters.holders
    ]
    if facts.ledger is None:
        return settle(rows, [*gaps, NO_LEDGER])
    for cell in cells_of(facts, pool):
        totals, holders_of_cell = facts.totals.get(cell), facts.ledger.holders.get(cell, 0)
        if totals is None or totals.liabilities <= 0:
            continue
        if holders_of_cell == 0:
            gaps.append(f"the ledger has no holder of {cell[1]}")
        elif holders_of_cell < parameters.holders:
            rows.append(Finding(*cell, "", f"the total has {holders_of_cell} holders", limit, True))
    return settle(rows, gaps)

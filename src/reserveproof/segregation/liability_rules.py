"""Whether all that is owed is in: LIA-01, LIA-02, LIA-03, LIA-04."""

from __future__ import annotations

from ..format.errors import shown
from ..format.vocabulary import RELATED_TYPES
from .facts import RELATED_PARTY, Cell, Facts
from .outcome import Finding, Outcome, Parameters, settle
from .views import NO_ACCOUNTS, NO_LEDGER


def _named(names: tuple[str, ...], what: str, limit: str) -> list[Finding]:
    return [Finding("", "", "", f"{what}: {shown(name)}", limit, True) for name in names]


def credits_only(facts: Facts, _: Parameters, __: str) -> Outcome:
    """LIA-01. The requirement is the sum of credits: a debit of one client never lowers what others are owed."""
    if facts.ledger is None:
        return settle([], [NO_LEDGER])
    rows = _named(facts.ledger.negative_credits, "negative credit", "credits of zero or more")
    for pool, asset in sorted(set(facts.totals) | set(facts.ledger.credits)):
        totals, owed = facts.totals.get((pool, asset)), facts.ledger.credits.get((pool, asset))
        if totals is None or owed is None:
            found = "no total in the statement" if totals is None else "no line in the ledger"
            rows.append(Finding(pool, asset, "", found, "the same cells in both"))
        elif totals.liabilities != owed:
            net = owed - facts.ledger.debits.get((pool, asset), 0)
            found = f"total {totals.liabilities}" + (", credits less debits" if totals.liabilities == net else "")
            rows.append(Finding(pool, asset, "", found, f"the sum of credits, {owed}"))
    return settle(rows, [] if facts.totals else ["nothing is stated"])


def related_shown(facts: Facts, parameters: Parameters, _: str) -> Outcome:
    """LIA-02. What related accounts have, and also what they owe, must be disclosed for its (pool, asset). An
    amount may be withheld only where so few hold it that it would be somebody's balance."""
    if facts.accounts is None:
        return settle([], [NO_ACCOUNTS])
    rows = _named(facts.accounts.untagged, "in the ledger with no account", "an account with a type")
    rows += _named(facts.accounts.mistagged, "type and related-party flag disagree", "one answer")
    tagged: dict[Cell, tuple[int, int]] = {}
    for (pool, asset, kind), (holders, credit) in facts.accounts.by_type.items():
        if kind in RELATED_TYPES and (holders > 0 or credit > 0):
            before = tagged.get((pool, asset), (0, 0))
            tagged[pool, asset] = (before[0] + holders, before[1] + credit)
    for (pool, asset, kind), debit in facts.accounts.debits_by_type.items():
        if kind in RELATED_TYPES and debit > 0:
            tagged.setdefault((pool, asset), (0, 0))
    disclosed = {
        (pool, asset): (holders, amount)
        for pool, asset, code, holders, amount in facts.disclosures
        if code == RELATED_PARTY
    }
    for cell in sorted(set(tagged) | set(disclosed)):
        if cell not in disclosed:
            rows.append(Finding(*cell, "", "related parties that are not disclosed", "a disclosure", True))
            continue
        holders, credit = tagged.get(cell, (0, 0))
        said, amount = disclosed[cell]
        if said != holders:
            rows.append(Finding(*cell, "", f"{said} related holders disclosed", f"{holders}", True))
        if amount is None and holders >= parameters.holders:
            rows.append(Finding(*cell, "", f"amount withheld for {holders} holders", "the amount", True))
        if amount is not None and amount != credit:
            rows.append(Finding(*cell, "", f"related amount {amount} disclosed", f"{credit}", True))
    return settle(rows)


def none_dropped(facts: Facts, _: Parameters, __: str) -> Outcome:
    """LIA-03. A first statement has no population before it; every later one must show that none was dropped."""
    rows: list[Finding] = []
    gaps: list[str] = []
    if facts.ledger is None:
        gaps.append(NO_LEDGER)
    else:
        rows += _named(facts.ledger.duplicates, "more than one row", "one row for each client, pool, asset and bucket")
    if facts.accounts is None:
        gaps.append(NO_ACCOUNTS)
    else:
        rows += _named(facts.accounts.absent, "open, and in no ledger row", "a row for every open account")
    if facts.population is not None:
        rows += _named(facts.population.dropped, "in the previous extract, not in this one", "a row, or a closing")
    elif facts.sequence > 0:
        gaps.append("the previous population is not given")
    return settle(rows, gaps)


def control_account(facts: Facts, _: Parameters, __: str) -> Outcome:
    """LIA-04. A cell that stands on one side only is zero on the other: nobody books what nobody is owed, and anyone
    can send dust to a wallet. That the cells of statement and ledger are the same is LIA-01."""
    gaps = [NO_LEDGER] if facts.ledger is None else []
    gaps += ["the control totals are not given"] if facts.control_totals is None else []
    if facts.ledger is None or facts.control_totals is None:
        return settle([], gaps)
    rows: list[Finding] = []
    if not facts.control_totals:
        gaps.append("the control totals are empty")
    for pool, asset in sorted(set(facts.control_totals) | set(facts.ledger.credits)):
        booked, owed = facts.control_totals.get((pool, asset)), facts.ledger.credits.get((pool, asset))
        if (booked or 0) != (owed or 0):
            found = "no line in the ledger" if owed is None else f"lines sum to {owed}"
            limit = "a control total" if booked is None else f"the control account's {booked}"
            rows.append(Finding(pool, asset, "", found, limit))
    return settle(rows, gaps)

"""Whether the evidence carries what is claimed: EVI-01, EVI-02, EVI-03, EVI-10, EVI-11, EVI-12."""

from __future__ import annotations

import datetime as dt

from ..format.errors import shown
from ..format.identifiers import chain_of
from ..format.times import business_days, format_time
from ..format.vocabulary import ASSURANCE, METHODS
from .facts import Facts, Position
from .outcome import Finding, Outcome, Parameters, settle
from .views import NO_LEDGER, cells_of, counted_gaps, counted_of, is_private, without_totals

COUNTING_CLASSES = frozenset(ASSURANCE) - {"DECLARED_ONLY"}


def controlled(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """EVI-01. Reserves that no counted position stands for have no proof either."""
    rows: list[Finding] = []
    gaps = counted_gaps(facts, pool) + without_totals(facts, pool)
    shown_sum: dict[str, int] = {}
    for position in counted_of(facts, pool):
        where = (pool, position.asset, position.account)
        private = is_private(facts, position)
        shown_sum[position.asset] = shown_sum.get(position.asset, 0) + position.counted
        if position.control != "valid":
            reason = f" ({shown(position.control_reason)})" if position.control_reason else ""
            found = f"control is {position.control}{reason}"
            rows.append(Finding(*where, found, "a valid control proof, or not counted", private))
        if position.assurance not in COUNTING_CLASSES:
            rows.append(Finding(*where, f"class {shown(position.assurance)}", "a class that counts", private))
    for cell in cells_of(facts, pool):
        stated, counted = facts.totals.get(cell), shown_sum.get(cell[1], 0)
        if stated is None or facts.positions is None:
            continue
        if counted > stated.reserves or (facts.positions_complete and counted < stated.reserves):
            rows.append(Finding(*cell, "", f"positions count {counted}", f"reserves {stated.reserves}"))
    return settle(rows, gaps)


def fresh(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """EVI-02. Expiry is compared with the statement's own date, never with the reader's clock."""
    rows = [
        Finding(pool, p.asset, p.account, "proof is not of this statement's claim", "this claim", is_private(facts, p))
        for p in counted_of(facts, pool)
        if not p.bound
    ]
    if facts.issued_at > facts.claim_expires:
        found = f"issued at {format_time(facts.issued_at)}"
        rows.append(Finding(pool, "", "", found, f"by {format_time(facts.claim_expires)}, when the claim expired"))
    return settle(rows, counted_gaps(facts, pool))


def _blocks(positions: list[Position]) -> dict[str, set[tuple[int, str]]]:
    blocks: dict[str, set[tuple[int, str]]] = {}
    for position in positions:
        blocks.setdefault(chain_of(position.account), set()).add(position.observed_block)
    return blocks


def one_as_of(facts: Facts, _: Parameters, __: str) -> Outcome:
    """EVI-03. On one chain all that counts is observed in one block: between two, the same coins can be shown twice.
    The kind of account decides the tolerance, not the method that the register names."""
    positions = counted_of(facts)
    blocks = _blocks(positions)
    days = business_days(facts.as_of)
    gaps = counted_gaps(facts)
    rows: list[Finding] = []
    for position in positions:
        chain = chain_of(position.account)
        where = (position.pool, position.asset, position.account)
        private = is_private(facts, position)
        if position.method not in METHODS:
            gaps.append("a counted position has no observation")
        at = position.observed_at.astimezone(dt.UTC)
        if not chain:
            if at.date() not in days:
                limit = " or ".join(sorted(str(day) for day in days))
                rows.append(Finding(*where, f"confirmed as of {at.date()}", limit, private))
            continue
        tolerance = facts.skew.get(chain, facts.skew.get(chain.split(":")[0]))
        seconds = abs((at - facts.as_of).total_seconds())
        if tolerance is None:
            gaps.append(f"no tolerance is set for {chain}")
        elif seconds > tolerance:
            rows.append(Finding(*where, f"observed {seconds:.0f} s from the as-of", f"at most {tolerance} s", private))
        if len(blocks[chain]) > 1:
            found = f"observed at height {position.observed_block[0]}, others elsewhere"
            rows.append(Finding(*where, found, f"one block of {chain}", private))
        if position.anchored is False:
            rows.append(Finding(*where, "observed in a block that is not the anchor's", "the anchor", private))
    return settle(rows, gaps)


def one_leaf(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """EVI-10."""
    if facts.ledger is None:
        return settle([], [NO_LEDGER])
    rows: list[Finding] = []
    gaps = without_totals(facts, pool)
    for cell in sorted(set(cells_of(facts, pool)) | {c for c in facts.ledger.trees_match if c[0] == pool}):
        matched = facts.ledger.trees_match.get(cell)
        if matched is None:
            gaps.append(f"the liabilities tree of {cell[1]} was not rebuilt")
        elif not matched:
            rows.append(Finding(*cell, "", "the tree rebuilt from the ledger is another", "the statement's tree"))
    return settle(rows, gaps)


def exclusions_listed(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """EVI-11."""
    rows: list[Finding] = []
    listed: dict[str, int] = {}
    for owner, asset, side, reason, amount in facts.exclusions:
        if owner != pool:
            continue
        if side == "R":
            listed[asset] = listed.get(asset, 0) + amount
        if not reason.strip():
            rows.append(Finding(pool, asset, "", f"{amount} excluded without a reason", "a reason"))
    cells = cells_of(facts, pool)
    for asset in sorted(set(listed) | {asset for _pool, asset in cells}):
        stated = facts.totals.get((pool, asset))
        if stated is None:
            if listed.get(asset):
                rows.append(Finding(pool, asset, "", f"{listed[asset]} excluded of an asset without totals", "0"))
        elif listed.get(asset, 0) != stated.excluded:
            rows.append(Finding(pool, asset, "", f"exclusions sum to {listed.get(asset, 0)}", f"{stated.excluded}"))
    return settle(rows, without_totals(facts, pool))


def one_statement(facts: Facts, _: Parameters, __: str) -> Outcome:
    """EVI-12. Two statements that claim one place in the chain are equivocation, also where a log is named."""
    if facts.this_statement is None or facts.statements_seen is None:
        return settle([], ["no other statement was looked for"])
    sequence, previous, snapshot, digest = facts.this_statement
    rows: list[Finding] = []
    for other_sequence, other_previous, other_snapshot, other_digest in facts.statements_seen:
        if other_digest == digest:
            continue
        shared = [
            name
            for name, same in (
                ("sequence", other_sequence == sequence),
                ("previous", other_previous == previous),
                ("snapshot_id", other_snapshot == snapshot),
            )
            if same
        ]
        if shared:
            found = f"another statement {shown(other_digest)} with the same {', '.join(shared)}"
            rows.append(Finding("", "", "", found, "one statement for all"))
    witnessed = facts.publication == "log-witnessed"
    return settle(rows, [] if witnessed else ["no witnessed log shows that all readers see this statement"])

"""What attest tells the custodian: the grid, the verdict, what blocks, what was not assessed, what has no proof."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from ..format.amounts import to_readable
from ..format.errors import shown
from ..format.pool import PoolAsset
from ..segregation import RuleResult, detection_chance, load_profile
from .attest import Attestation
from .ledger_findings import LEDGER_RULES
from .positions import Holding

MAX_ROWS = 10
"""Findings shown of one rule, and positions of one list; all are in the private files."""
MOST_CHECKERS = 100
"""Clients that are supposed to check, where there are many."""
GRID = ("pool", "asset", "owed", "held", "residue", "encumbered", "coverage")


def report_lines(attestation: Attestation) -> Iterator[str]:
    """The report for a terminal. It names wallets and may name clients: it is for the custodian."""
    statement = attestation.statement
    decimals = {asset.asset: asset.decimals for asset in statement.assets}
    rows = [
        (pool.pool, cell.asset, *_amounts(cell, decimals[cell.asset]))
        for pool in statement.pools
        for cell in pool.assets
    ]
    yield from _table([GRID, *rows])
    yield ""
    yield f"verdict: {statement.verdict}  (statement {statement.sequence}, not signed)"
    yield from _rules(attestation.results)
    yield from _gaps(attestation, decimals)
    yield from omission_lines(attestation.clients)


def frozen_findings(results: Iterable[RuleResult]) -> tuple[str, ...]:
    """Rules that block for what stands in the ledger, which no other draft of this snapshot changes."""
    failed = {result.id for result in results if result.result == "FAIL" and result.severity == "X"}
    return tuple(sorted(failed & LEDGER_RULES))


def omission_lines(clients: int) -> Iterator[str]:
    """How likely clients' own checks are to find an omission, for one number of each; nothing where one client is all.

    Of the clients that check, one in ten is supposed, and MOST_CHECKERS at most. Percent are cut down.
    """
    if clients < 2:
        return
    omitted, checkers = -(-clients // 100), min(MOST_CHECKERS, max(1, clients // 10))
    percent = math.floor(detection_chance(clients, omitted, checkers) * 1000) / 10
    yield "clients' checks find an omission by chance only, and less often if it can be guessed who checks:"
    yield (
        f"  if 1 % of {clients:,} clients ({omitted:,}) were left out and {checkers} picked at random checked, "
        f"at least one would notice in {percent:.1f} % of cases"
    )


def _amounts(cell: PoolAsset, decimals: int) -> tuple[str, ...]:
    owed, held = cell.liabilities.total, cell.reserves.total
    residue = to_readable(abs(held - owed), decimals)
    return (
        to_readable(owed, decimals),
        to_readable(held, decimals),
        f"-{residue}" if held < owed else residue,
        to_readable(cell.reserves.encumbered, decimals),
        coverage(owed, held),
    )


def coverage(owed: int, held: int) -> str:
    """Held in percent of owed, cut down, so that 100.00 % is never shown for less."""
    if owed == 0:
        return "nothing owed"
    parts = held * 10_000 // owed
    return f"{parts // 100}.{parts % 100:02d} %"


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [text.ljust(width) if at < 2 else text.rjust(width)
                 for at, (text, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
        yield "  ".join(cells).rstrip()


def _rules(results: Iterable[RuleResult]) -> Iterator[str]:
    found = list(results)
    failed = [result for result in found if result.result == "FAIL"]
    for title, severities in (("blocking", "X"), ("failed, not blocking", "HMI")):
        chosen = [result for result in failed if result.severity in severities]
        if chosen:
            yield f"{title}:"
        for result in chosen:
            yield f"  {_name(result)}"
            yield from (f"    {row}" for row in result.rows[:MAX_ROWS])
            if len(result.rows) > MAX_ROWS:
                yield f"    and {len(result.rows) - MAX_ROWS} more"
    gaps = [result for result in found if result.result == "NOT_ASSESSED"]
    if gaps:
        yield "not assessed:"
    for result in gaps:
        needed = "" if load_profile(result.profile).rules[result.id].required else " (each reader's own)"
        yield f"  {_name(result)}: {result.note}{needed}"


def _name(result: RuleResult) -> str:
    return f"{result.id} {result.pool}".rstrip()


def _gaps(attestation: Attestation, decimals: Mapping[str, int]) -> Iterator[str]:
    """Positions without a valid proof, by value where there are prices, else by amount inside an asset."""
    prices = attestation.prices
    gaps = [holding for holding in attestation.holdings if holding.control is None and holding.position.observed]
    if not gaps:
        return
    yield f"without a proof of control, so not counted: {len(gaps)} positions"

    def value(holding: Holding) -> Fraction:
        whole = Fraction(holding.position.observed, 10 ** decimals[holding.entry.asset])
        return whole * (prices or {}).get(holding.entry.asset, Fraction(1))

    for holding in sorted(gaps, key=value, reverse=True)[:MAX_ROWS]:
        position, (pool, asset) = holding.position, holding.cell
        refused = attestation.refused.get(position.account)
        why = f"the answer was refused: {refused}" if refused else "no answer"
        if holding.result is not None:
            why = holding.result.detail
        amount = to_readable(position.observed, decimals[asset])
        yield f"  {amount} {asset} in {pool}, {shown(position.account)}: {why}"
    if len(gaps) > MAX_ROWS:
        yield f"  and {len(gaps) - MAX_ROWS} more"

"""What another party has a claim on: ENC-01."""

from __future__ import annotations

from ..format.vocabulary import ENCUMBRANCES, THIRD_PARTY_ENCUMBRANCES
from .facts import Facts
from .outcome import Finding, Outcome, Parameters, settle
from .views import NO_WALLETS, counted_gaps, counted_of, is_private, same_account

HARMLESS_HERE = ENCUMBRANCES - THIRD_PARTY_ENCUMBRANCES
"""Left to other rules (staked, defi and so on). A type that nobody knows is taken as a third party's claim."""


def unencumbered(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """ENC-01. Whatever the register says of "counts": what another party may take does not count. Without the wallet
    register only what the position itself shows as encumbered is seen."""
    claimed: dict[tuple[str, str], int] = {}
    for wallet in facts.wallets or ():
        key = (same_account(wallet.account), wallet.form)
        theirs = sum(quantity for kind, quantity, _counts in wallet.encumbrances if kind not in HARMLESS_HERE)
        claimed[key] = claimed.get(key, 0) + theirs
    gaps = counted_gaps(facts, pool)
    if facts.wallets is None:
        gaps.append(NO_WALLETS)
    rows: list[Finding] = []
    for position in counted_of(facts, pool):
        key = (same_account(position.account), position.form)
        if facts.wallets is not None and key not in claimed:
            gaps.append("a counted position is not in the wallet register")
        free = max(0, position.observed - max(claimed.get(key, 0), position.encumbered))
        if position.counted > free:
            where = (pool, position.asset, position.account)
            rows.append(Finding(*where, f"counts {position.counted}", f"at most {free}", is_private(facts, position)))
    return settle(rows, gaps)

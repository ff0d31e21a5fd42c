"""Readings of the facts that several rules share."""

from __future__ import annotations

from collections.abc import Iterable

from ..format.identifiers import chain_of
from .facts import Cell, Facts, HousePosition, PoolFacts, Position, Wallet

NO_POSITIONS = "the positions are not given"
SOME_POSITIONS = "not every position is shown"
NO_WALLETS = "the wallet register is not given"
NO_LEDGER = "the ledger is not given"
NO_ACCOUNTS = "the client accounts are not given"

COVER_CLASSES = frozenset({"shortfall_cover", "guarantee"})
"""Own assets that may stand in a client pool, apart from the clients'."""


def pool_of(facts: Facts, pool: str) -> PoolFacts:
    """The declaration of a pool; the runner has made sure that there is exactly one."""
    return next(declared for declared in facts.pools if declared.pool == pool)


def cells_of(facts: Facts, pool: str) -> tuple[Cell, ...]:
    """The cells that must be judged for a pool: those with totals, and those that it declares a register for."""
    assets = {asset for owner, asset in facts.totals if owner == pool} | set(pool_of(facts, pool).register)
    return tuple((pool, asset) for asset in sorted(assets))


def without_totals(facts: Facts, pool: str) -> list[str]:
    """Gaps in the totals of a pool. A pool with nothing in it is a gap too: empty is never a pass."""
    cells = cells_of(facts, pool)
    if not cells:
        return ["the pool has no asset"]
    return [f"{asset} has no totals" for owner, asset in cells if (owner, asset) not in facts.totals]


def same_account(account: str) -> str:
    """An account in the spelling in which two case forms are one (chain modules normalise; this is the second
    fence): eip155 and bech32 in lower case, all else exact."""
    if account.startswith("eip155:"):
        return account.lower()
    chain, _, address = account.rpartition(":")
    if account.startswith("bip122:") and address.lower().startswith(("bc1", "tb1", "bcrt1")):
        return f"{chain}:{address.lower()}"
    return account


def same_owner(account: str) -> str:
    """An account without its network: one address on two networks of a namespace answers to one key, so it has
    one owner."""
    normal = same_account(account)
    if not chain_of(normal):
        return normal
    return normal.split(":", 1)[0] + ":" + normal.rsplit(":", 1)[1]


def is_private(facts: Facts, position: Position) -> bool:
    """Whether a position's account must not be published: its register is not public."""
    return pool_of(facts, position.pool).register.get(position.asset) != "public"


def counted_of(facts: Facts, pool: str = "") -> list[Position]:
    """The positions that count, of one pool or of all."""
    return [p for p in facts.positions or () if p.counted > 0 and pool in ("", p.pool)]


def counted_gaps(facts: Facts, pool: str = "") -> list[str]:
    """Why the counted positions (of one pool, or of all) may not be all. Counted amounts are never negative, so
    where they sum to the cell's reserves none is hidden, even if others that count zero are."""
    if facts.positions is None:
        return [NO_POSITIONS]
    if facts.positions_complete:
        return []
    shown: dict[Cell, int] = {}
    for position in counted_of(facts, pool):
        cell = (position.pool, position.asset)
        shown[cell] = shown.get(cell, 0) + position.counted
    gaps: list[str] = []
    for declared in facts.pools:
        if pool in ("", declared.pool):
            gaps += without_totals(facts, declared.pool)
            gaps += [
                f"{SOME_POSITIONS} in {cell[0]} {cell[1]}"
                for cell in cells_of(facts, declared.pool)
                if cell in facts.totals and shown.get(cell, 0) != facts.totals[cell].reserves
            ]
    return gaps


def position_gaps(facts: Facts) -> list[str]:
    """Why the positions, counted or not, may not be all."""
    if facts.positions is None:
        return [NO_POSITIONS]
    return [] if facts.positions_complete else [SOME_POSITIONS]


def owner_classes(rows: Iterable[Wallet] | Iterable[HousePosition]) -> dict[str, set[str]]:
    """Owner classes by account, networks apart merged."""
    classes: dict[str, set[str]] = {}
    for row in rows:
        classes.setdefault(same_owner(row.account), set()).add(row.owner_class)
    return classes

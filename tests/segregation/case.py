"""What a case is, and the changes that several rules share. `fails` is a defect, `honest` a look-alike that must
PASS, `unknown` must be NOT_ASSESSED."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from reserveproof.segregation import facts as f

from .world import (
    CAROL_BTC,
    ETH,
    OMNI,
    swap_accounts,
    swap_ledger,
    swap_totals,
)

Kind = Literal["fails", "honest", "unknown"]
Change = Callable[[f.Facts], f.Facts]


@dataclass(frozen=True)
class Case:
    rule: str
    kind: Kind
    name: str
    change: Change
    pool: str

    def __str__(self) -> str:
        return f"{self.rule}-{self.kind}-{self.name}"


CASES: list[Case] = []


def case(rule: str, kind: Kind, name: str, change: Change, pool: str = OMNI) -> None:
    CASES.append(Case(rule, kind, name, change, pool))


def no(name: str) -> Change:
    return lambda w: replace(w, **{name: None})


def partial(w: f.Facts) -> f.Facts:
    return replace(w, positions_complete=False)


def few_shown(w: f.Facts) -> f.Facts:
    """Of the pool, only one client's own positions."""
    assert w.positions is not None
    return replace(w, positions=tuple(p for p in w.positions if p.account == CAROL_BTC), positions_complete=False)


def hide_idle(w: f.Facts) -> f.Facts:
    """Positions that count nothing are held back: all that counts is still shown."""
    assert w.positions is not None
    return replace(w, positions=tuple(p for p in w.positions if p.counted), positions_complete=False)


def both(*changes: Change) -> Change:
    def run(w: f.Facts) -> f.Facts:
        for change in changes:
            w = change(w)
        return w

    return run


def upper(account: str) -> str:
    chain, _, address = account.rpartition(":")
    return f"{chain}:{address[:2]}{address[2:].upper()}" if address.startswith("0x") else f"{chain}:{address.upper()}"


def house_too(account: str, form: str = ETH, kind: str = "house") -> Change:
    return lambda w: replace(w, house=(*w.house, f.HousePosition(account, "ETH", form, kind, 5)))


def typed(pool: str, asset: str, kind: str, credit: int, debit: int) -> Change:
    def run(w: f.Facts) -> f.Facts:
        assert w.accounts is not None
        return swap_accounts(
            w,
            by_type={**w.accounts.by_type, (pool, asset, kind): (1 if credit else 0, credit)},
            debits_by_type={**w.accounts.debits_by_type, (pool, asset, kind): debit},
        )

    return run


def reserves(pool: str, asset: str, amount: int) -> Change:
    return lambda w: swap_totals(w, pool, asset, reserves=amount)


def no_totals(pool: str, asset: str) -> Change:
    return lambda w: replace(w, totals={cell: t for cell, t in w.totals.items() if cell != (pool, asset)})


def empty_pool(w: f.Facts) -> f.Facts:
    return replace(w, pools=(*w.pools, f.PoolFacts("bare", "bailment", "omnibus", "free", ("baseline",), 0, {})))


def ledger_map(name: str, pool: str, asset: str, value: object) -> Change:
    def run(w: f.Facts) -> f.Facts:
        return swap_ledger(w, **{name: {**getattr(w.ledger, name), (pool, asset): value}})

    return run


def ledger_lacks(name: str, pool: str, asset: str) -> Change:
    def run(w: f.Facts) -> f.Facts:
        return swap_ledger(w, **{name: {c: v for c, v in getattr(w.ledger, name).items() if c != (pool, asset)}})

    return run


def related(holders: int, credit: int, *disclosures: f.Disclosure) -> Change:
    def run(w: f.Facts) -> f.Facts:
        assert w.accounts is not None
        by_type = {**w.accounts.by_type, (OMNI, "ETH", "employee"): (holders, credit)}
        return replace(swap_accounts(w, by_type=by_type), disclosures=disclosures)

    return run


def says(holders: int, amount: int | None) -> f.Disclosure:
    return (OMNI, "ETH", "related-party", holders, amount)

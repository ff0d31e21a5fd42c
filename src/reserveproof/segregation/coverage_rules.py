"""Whether each pool holds what it owes, asset by asset: COV-01, COV-02, COV-03, COV-05, COV-06, COV-07."""

from __future__ import annotations

from fractions import Fraction

from ..format.errors import shown
from .facts import SHORTFALL_COVER, AssetFacts, Cell, CellTotals, Facts
from .outcome import Finding, Outcome, Parameters, settle
from .views import (
    NO_LEDGER,
    NO_WALLETS,
    cells_of,
    counted_gaps,
    counted_of,
    is_private,
    owner_classes,
    pool_of,
    position_gaps,
    same_account,
    same_owner,
    without_totals,
)

BASIS = 10_000
"""Basis points in a whole."""


def _cells(facts: Facts, pool: str) -> list[tuple[Cell, CellTotals]]:
    return [(cell, facts.totals[cell]) for cell in cells_of(facts, pool) if cell in facts.totals]


def covered(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """COV-01, by the statement's totals; that they are true is for the trees and EVI-01."""
    rows = [
        Finding(pool, asset, "", f"reserves {totals.reserves}", f"liabilities {totals.liabilities}")
        for (_pool, asset), totals in _cells(facts, pool)
        if totals.reserves < totals.liabilities
    ]
    return settle(rows, without_totals(facts, pool))


def no_pool_helps(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """COV-02. Where the total is short as well, nothing hides the pool's shortage, and COV-01 alone fails."""
    rows: list[Finding] = []
    gaps = without_totals(facts, pool)
    for (_pool, asset), totals in _cells(facts, pool):
        if totals.reserves >= totals.liabilities:
            continue
        everywhere = [t for (_other, same), t in facts.totals.items() if same == asset]
        owed, held = sum(t.liabilities for t in everywhere), sum(t.reserves for t in everywhere)
        if held >= owed:
            short = totals.liabilities - totals.reserves
            found = f"short by {short}, while all pools together hold {held} for {owed}"
            rows.append(Finding(pool, asset, "", found, "every pool alone"))
        else:
            gaps += [
                f"{asset} has no totals in {other.pool}"
                for other in facts.pools
                if asset in other.register and (other.pool, asset) not in facts.totals
            ]
    return settle(rows, gaps)


def _value(amount: int, asset: str, facts: Facts, registry: dict[str, AssetFacts]) -> Fraction | None:
    price = (facts.prices or {}).get(asset)
    if price is None or price <= 0 or asset not in registry:
        return None
    return price * Fraction(amount, 10 ** registry[asset].decimals)


def no_asset_helps(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """COV-03. A form that the registry does not list for the asset is another asset, whatever its name."""
    registry = {asset.asset: asset for asset in facts.assets}
    rows: list[Finding] = []
    for position in counted_of(facts, pool):
        known = registry.get(position.asset)
        if known is None or position.form not in known.forms:
            where = (pool, position.asset, position.account)
            found = f"counts {position.form}"
            rows.append(Finding(*where, found, "a form listed for the asset", is_private(facts, position)))
    gaps = counted_gaps(facts, pool) + without_totals(facts, pool)
    cells = _cells(facts, pool)
    for (_pool, asset), totals in cells:
        if totals.reserves >= totals.liabilities:
            continue
        shortage = _value(totals.liabilities - totals.reserves, asset, facts, registry)
        if shortage is None:
            gaps.append(f"{asset} is short and has no price")
            continue
        surplus = Fraction(0)
        for (_other, other), more in cells:
            if more.reserves <= more.liabilities:
                continue
            value = _value(more.reserves - more.liabilities, other, facts, registry)
            if value is None:
                gaps.append(f"{asset} is short and {other}, in surplus, has no price")
            surplus += value or 0
        if surplus >= shortage:
            found = "short, while other assets in surplus would cover it by price"
            rows.append(Finding(pool, asset, "", found, "the same asset"))
    return settle(rows, gaps)


def no_house_wallet(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """COV-05. Only client wallets count, and own assets appropriated to a shortfall that is disclosed. Guarantee
    assets, token collateral, affiliates' and unattributed wallets may be held, never counted."""
    classes = owner_classes(facts.wallets or ())
    registered = set(classes)
    for owner, more in owner_classes(facts.house).items():
        classes.setdefault(owner, set()).update(more)
    logged = {
        (owner, asset): amount for owner, asset, code, _holders, amount in facts.disclosures if code == SHORTFALL_COVER
    }
    cover: dict[Cell, int] = {}
    rows: list[Finding] = []
    gaps = counted_gaps(facts, pool)
    if facts.wallets is None:
        gaps.append(NO_WALLETS)
    for position in counted_of(facts, pool):
        owner = same_owner(position.account)
        known = classes.get(owner, set())
        cell = (pool, position.asset)
        if facts.wallets is not None and owner not in registered:
            gaps.append("a counted position is not in the wallet register")
        if known == {"shortfall_cover"} and cell in logged:
            cover[cell] = cover.get(cell, 0) + position.counted
        elif known - {"client"}:
            found = f"counts {position.counted} of {', '.join(sorted(known))}"
            limit = "client wallets, or shortfall cover that is disclosed"
            rows.append(Finding(*cell, position.account, found, limit, is_private(facts, position)))
    for cell, counted in cover.items():
        amount = logged[cell]
        if amount is not None and counted > amount:
            rows.append(Finding(*cell, "", f"counts {counted} of shortfall cover", f"{amount}, as disclosed"))
    return settle(rows, gaps)


def own_lines(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """COV-06. More than the client's own lines is as wrong as less: it is someone else's, kept there."""
    if facts.wallets is None or facts.ledger is None or facts.positions is None:
        absent = [(NO_WALLETS, facts.wallets), (NO_LEDGER, facts.ledger)]
        return settle([], [*position_gaps(facts), *(gap for gap, fact in absent if fact is None)])
    gaps = position_gaps(facts)
    asset_of = {form: asset.asset for asset in facts.assets for form in asset.forms}
    clients: dict[str, set[str]] = {}
    held: dict[tuple[str, str], int] = {}
    for wallet in facts.wallets:
        if wallet.segregation == "dedicated":
            clients.setdefault(same_account(wallet.account), set()).add(wallet.client_id)
            if wallet.pool == pool and wallet.form in asset_of:
                held.setdefault((wallet.client_id, asset_of[wallet.form]), 0)
    lines = facts.ledger.own_credits
    own = {(client, asset): amount for (client, owner, asset), amount in lines.items() if owner == pool}
    if pool_of(facts, pool).model == "dedicated":
        held = dict.fromkeys(own, 0) | held
    for position in facts.positions:
        if position.pool != pool or position.segregation != "dedicated":
            continue
        ids = clients.get(same_account(position.account), set())
        if len(ids) != 1:
            gaps.append("a dedicated position has no single client in the wallet register")
            continue
        key = (next(iter(ids)), position.asset)
        held[key] = held.get(key, 0) + position.counted
    rows: list[Finding] = []
    for (client, asset), counted in held.items():
        owed = own.get((client, asset), 0)
        if counted > owed or (counted < owed and not gaps):
            found = f"dedicated wallets of {shown(client)} count {counted}"
            rows.append(Finding(pool, asset, "", found, f"{owed}, the client's own lines", True))
    return settle(rows, gaps)


def residue(facts: Facts, parameters: Parameters, pool: str) -> Outcome:
    """COV-07. More than is owed is house money among the clients'; the pool's own cap is held to the profile's."""
    bps = min(pool_of(facts, pool).residue_bps, parameters.residue_cap_bps)
    rows: list[Finding] = []
    for (_pool, asset), totals in _cells(facts, pool):
        left, limit = totals.reserves - totals.liabilities, totals.liabilities * bps // BASIS
        if left > limit:
            rows.append(Finding(pool, asset, "", f"residue {left}", f"at most {limit}"))
    return settle(rows, without_totals(facts, pool))

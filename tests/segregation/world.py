"""An honest custodian with two pools, whole facts, every rule PASS: what the cases bend."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction
from typing import Any

from reserveproof.segregation import facts as f

AS_OF = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)  # a Wednesday
BITCOIN = "bip122:000000000019d6689c085ae165831e93"
BTC, WBTC = f"{BITCOIN}/slip44:0", "eip155:1/erc20:0x" + "2" * 40
ETH, USD = "eip155:1/slip44:60", "iso4217:USD"

OMNI_BTC = f"{BITCOIN}:bc1qomnibus"
VAULT_BTC = f"{BITCOIN}:bc1qvault"
CAROL_BTC = f"{BITCOIN}:bc1qded"
OMNI_ETH = "eip155:1:0x" + "a1" * 20
COLD_ETH = "eip155:1:0x" + "a2" * 20
HOUSE_ETH = "eip155:1:0x" + "b1" * 20
SUSPENSE = "eip155:1:0x" + "c1" * 20
BANK = "ref:bank-1"

OMNI, VAULT = "omni", "vault"


def position(pool: str, asset: str, account: str, form: str, counted: int, **more: Any) -> f.Position:
    on_chain = not account.startswith("ref:")
    values: dict[str, Any] = {
        "pool": pool,
        "asset": asset,
        "account": account,
        "form": form,
        "assurance": "KEY_SIGNATURE",
        "segregation": "omnibus",
        "client_tie": "",
        "observed": counted,
        "counted": counted,
        "encumbered": 0,
        "excluded": 0,
        "control": "valid",
        "control_reason": "",
        "bound": True,
        "observed_block": (900, "ab" * 32) if on_chain else (0, ""),
        "observed_at": AS_OF - dt.timedelta(seconds=60),
        "method": "STATE_PROOF" if on_chain else "LETTER",
        "anchored": True if on_chain else None,
    }
    return f.Position(**(values | more))


def wallet(account: str, form: str, pool: str, observed: int, **more: Any) -> f.Wallet:
    values: dict[str, Any] = {
        "account": account,
        "form": form,
        "pool": pool,
        "owner_class": "client",
        "segregation": "omnibus",
        "client_id": "",
        "client_code": "",
        "function": "vault",
        "opened": dt.date(2025, 1, 1),
        "observed": observed,
        "encumbrances": (),
    }
    return f.Wallet(**(values | more))


def honest() -> f.Facts:
    cells = {(OMNI, "BTC"): 1000, (OMNI, "ETH"): 500, (OMNI, "USD"): 300, (VAULT, "BTC"): 700}
    return f.Facts(
        as_of=AS_OF,
        issued_at=AS_OF + dt.timedelta(hours=20),
        claim_expires=AS_OF + dt.timedelta(days=3),
        valid_until=AS_OF + dt.timedelta(days=30),
        sequence=1,
        pools=(
            f.PoolFacts(
                OMNI,
                "express_trust",
                "omnibus",
                "free",
                ("baseline",),
                100,
                {"BTC": "public", "ETH": "blinded", "USD": "public"},
            ),
            f.PoolFacts(VAULT, "bailment", "mixed", "free", ("baseline",), 0, {"BTC": "public"}),
        ),
        assets=(
            f.AssetFacts("BTC", "native", 8, {BTC: 8}),
            f.AssetFacts("ETH", "native", 18, {ETH: 18}),
            f.AssetFacts("USD", "fiat", 2, {USD: 2}),
        ),
        totals={
            (OMNI, "BTC"): f.CellTotals(1000, 1000, {"KEY_SIGNATURE": 1000}, 50, 0),
            (OMNI, "ETH"): f.CellTotals(500, 505, {"KEY_SIGNATURE": 505}, 0, 7),
            (OMNI, "USD"): f.CellTotals(300, 300, {"CUSTODIAN_CONFIRMATION": 300}, 0, 0),
            (VAULT, "BTC"): f.CellTotals(700, 700, {"KEY_SIGNATURE": 700}, 0, 0),
        },
        positions=(
            position(OMNI, "BTC", OMNI_BTC, BTC, 1000, observed=1050, encumbered=50),
            position(OMNI, "ETH", OMNI_ETH, ETH, 505),
            position(
                OMNI,
                "ETH",
                COLD_ETH,
                ETH,
                0,
                observed=7,
                excluded=7,
                assurance="DECLARED_ONLY",
                control="none",
                bound=False,
                observed_at=AS_OF - dt.timedelta(days=9),
                anchored=None,
            ),
            position(OMNI, "USD", BANK, USD, 300, assurance="CUSTODIAN_CONFIRMATION"),
            position(VAULT, "BTC", VAULT_BTC, BTC, 500),
            position(VAULT, "BTC", CAROL_BTC, BTC, 200, segregation="dedicated", client_tie="cd" * 32),
        ),
        positions_complete=True,
        house=(f.HousePosition(HOUSE_ETH, "ETH", ETH, "house", 90),),
        exclusions=((OMNI, "ETH", "R", "no control proof", 7),),
        disclosures=((OMNI, "ETH", "related-party", 1, None),),
        wallets=(
            wallet(OMNI_BTC, BTC, OMNI, 1050, encumbrances=(("pledge", 50, "no"),)),
            wallet(OMNI_ETH, ETH, OMNI, 505),
            wallet(COLD_ETH, ETH, OMNI, 7),
            wallet(BANK, USD, OMNI, 300),
            wallet(VAULT_BTC, BTC, VAULT, 500),
            wallet(CAROL_BTC, BTC, VAULT, 200, segregation="dedicated", client_id="carol"),
            wallet(HOUSE_ETH, ETH, "", 90, owner_class="house", segregation="none"),
            wallet(SUSPENSE, ETH, "", 0, owner_class="unattributed", segregation="none", function="suspense"),
        ),
        other_accounts=frozenset(),
        ledger=f.LedgerFacts(
            credits=dict(cells),
            debits=dict.fromkeys(cells, 0) | {(OMNI, "ETH"): 30},
            leaves=dict.fromkeys(cells, 9),
            holders=dict.fromkeys(cells, 8),
            rows=36,
            negative_credits=(),
            duplicates=(),
            trees_match=dict.fromkeys(cells, True),
            own_credits={("carol", VAULT, "BTC"): 200},
        ),
        accounts=f.AccountFacts(
            by_type={
                (OMNI, "BTC", "retail"): (8, 1000),
                (OMNI, "ETH", "retail"): (7, 480),
                (OMNI, "ETH", "employee"): (1, 20),
                (OMNI, "USD", "institutional"): (8, 300),
                (VAULT, "BTC", "institutional"): (8, 700),
                (OMNI, "ETH", "operator"): (0, 0),
            },
            debits_by_type={(OMNI, "ETH", "retail"): 30},
            untagged=(),
            mistagged=(),
            absent=(),
        ),
        control_totals=dict(cells),
        population=f.Population(()),
        privacy=f.PrivacyFacts((), (), 0, False),
        prices={"BTC": Fraction(90000), "ETH": Fraction(3000), "USD": Fraction(1)},
        statements_seen=((0, "", "q0", "00" * 32),),
        this_statement=(1, "00" * 32, "q1", "11" * 32),
        publication="log-witnessed",
    )


def swap_position(facts: f.Facts, account: str, /, **more: Any) -> f.Facts:
    assert facts.positions is not None
    changed = tuple(replace(p, **more) if p.account == account else p for p in facts.positions)
    assert changed != facts.positions
    return replace(facts, positions=changed)


def swap_wallet(facts: f.Facts, account: str, /, **more: Any) -> f.Facts:
    assert facts.wallets is not None
    changed = tuple(replace(w, **more) if w.account == account else w for w in facts.wallets)
    assert changed != facts.wallets
    return replace(facts, wallets=changed)


def add_position(facts: f.Facts, *new: f.Position) -> f.Facts:
    assert facts.positions is not None
    return replace(facts, positions=facts.positions + new)


def add_wallet(facts: f.Facts, *new: f.Wallet) -> f.Facts:
    assert facts.wallets is not None
    return replace(facts, wallets=facts.wallets + new)


def swap_totals(facts: f.Facts, pool: str, asset: str, /, **more: int) -> f.Facts:
    return replace(facts, totals={**facts.totals, (pool, asset): replace(facts.totals[pool, asset], **more)})


def swap_pool(facts: f.Facts, pool: str, /, **more: Any) -> f.Facts:
    return replace(facts, pools=tuple(replace(p, **more) if p.pool == pool else p for p in facts.pools))


def swap_ledger(facts: f.Facts, **more: Any) -> f.Facts:
    assert facts.ledger is not None
    return replace(facts, ledger=replace(facts.ledger, **more))


def swap_accounts(facts: f.Facts, **more: Any) -> f.Facts:
    assert facts.accounts is not None
    return replace(facts, accounts=replace(facts.accounts, **more))


def held(facts: f.Facts, pool: str, asset: str, account: str, amount: int) -> f.Facts:
    """The position and the total together, as a custodian who moves money moves them."""
    assert facts.positions is not None
    before = next(p for p in facts.positions if p.account == account)
    facts = swap_position(facts, account, counted=amount, observed=amount + before.encumbered)
    return swap_totals(facts, pool, asset, reserves=facts.totals[pool, asset].reserves - before.counted + amount)

"""Cases of what each pool holds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from reserveproof.segregation import facts as f

from .case import (
    Change,
    both,
    case,
    empty_pool,
    few_shown,
    hide_idle,
    house_too,
    no,
    no_totals,
    partial,
    reserves,
)
from .world import (
    BANK,
    BITCOIN,
    BTC,
    CAROL_BTC,
    COLD_ETH,
    OMNI,
    OMNI_BTC,
    OMNI_ETH,
    VAULT,
    VAULT_BTC,
    WBTC,
    add_position,
    add_wallet,
    held,
    position,
    swap_ledger,
    swap_pool,
    swap_position,
    swap_totals,
    swap_wallet,
    wallet,
)

case("COV-01", "fails", "short by one", reserves(OMNI, "BTC", 999))
case("COV-01", "fails", "one asset of three", reserves(OMNI, "USD", 0))
case("COV-01", "fails", "short beside a missing cell", both(reserves(OMNI, "BTC", 999), no_totals(OMNI, "USD")))
case("COV-01", "honest", "exactly covered", reserves(OMNI, "ETH", 500))
case("COV-01", "honest", "another pool is short", reserves(VAULT, "BTC", 1))
case("COV-01", "honest", "nothing owed, nothing held", lambda w: swap_totals(w, OMNI, "USD", reserves=0, liabilities=0))
case("COV-01", "unknown", "no totals", no_totals(OMNI, "USD"))
case("COV-01", "unknown", "a pool with nothing", empty_pool, "bare")

case("COV-02", "fails", "another pool covers", both(reserves(OMNI, "BTC", 999), reserves(VAULT, "BTC", 701)))
case("COV-02", "fails", "another pool covers far more", both(reserves(OMNI, "BTC", 999), reserves(VAULT, "BTC", 9000)))
case("COV-02", "honest", "short everywhere", both(reserves(OMNI, "BTC", 998), reserves(VAULT, "BTC", 701)))
case(
    "COV-02",
    "honest",
    "the pool that has the surplus",
    both(reserves(OMNI, "BTC", 999), reserves(VAULT, "BTC", 701)),
    VAULT,
)
case("COV-02", "honest", "a surplus of another asset", both(reserves(OMNI, "BTC", 999), reserves(OMNI, "ETH", 99999)))
case("COV-02", "unknown", "no totals", no_totals(OMNI, "USD"))
case(
    "COV-02",
    "unknown",
    "short, and the other pool not given",
    both(reserves(OMNI, "BTC", 999), no_totals(VAULT, "BTC")),
)
case("COV-02", "unknown", "a pool with nothing", empty_pool, "bare")


def short_btc(shortage: int, surplus_usd: int) -> Change:
    """BTC at 90,000 and 8 decimals: one base unit is 0.0009 USD; a surplus in cents."""
    return both(
        lambda w: held(w, OMNI, "BTC", OMNI_BTC, 1000 - shortage),
        lambda w: held(w, OMNI, "USD", BANK, 300 + surplus_usd),
    )


def prices(**more: Fraction | int) -> Change:
    return lambda w: replace(w, prices={name: Fraction(price) for name, price in more.items()})


case("COV-03", "fails", "a wrapped form is counted", lambda w: swap_position(w, OMNI_BTC, form=WBTC))
case("COV-03", "fails", "an asset that is not registered", lambda w: replace(w, assets=w.assets[1:]))
case("COV-03", "fails", "cash would cover", short_btc(100, 9))
case(
    "COV-03",
    "fails",
    "two surpluses would cover",
    both(short_btc(100, 8), lambda w: held(w, OMNI, "ETH", OMNI_ETH, 500 + 10**16), prices(BTC=90000, ETH=1, USD=1)),
)
case("COV-03", "fails", "seen in part", both(few_shown, lambda w: swap_position(w, CAROL_BTC, form=WBTC)), VAULT)
case("COV-03", "fails", "known surplus covers, another has no price", both(short_btc(100, 9), prices(BTC=90000, USD=1)))
case("COV-03", "honest", "cash would not cover", short_btc(100, 8))
case("COV-03", "honest", "short of everything", both(short_btc(100, -1), lambda w: held(w, OMNI, "ETH", OMNI_ETH, 400)))
case("COV-03", "honest", "no shortage and no prices", no("prices"))
case(
    "COV-03",
    "honest",
    "a surplus in another pool",
    both(
        lambda w: held(w, OMNI, "USD", BANK, 299),
        lambda w: held(w, VAULT, "BTC", VAULT_BTC, 9000),
        lambda w: held(w, OMNI, "ETH", OMNI_ETH, 500),
    ),
)
case("COV-03", "honest", "another form, not counted", lambda w: swap_position(w, COLD_ETH, form=WBTC))
case("COV-03", "honest", "idle positions not shown", hide_idle)
case("COV-03", "unknown", "no positions", no("positions"))
case("COV-03", "unknown", "some positions", few_shown)
case("COV-03", "unknown", "short, no prices", both(short_btc(100, 9), no("prices")))
case("COV-03", "unknown", "short, no price of it", both(short_btc(100, 9), prices(USD=1, ETH=3000)))
case("COV-03", "unknown", "short, price of nothing", both(short_btc(100, 9), prices(USD=1, ETH=3000, BTC=0)))
case("COV-03", "unknown", "short, the surplus has no price", both(short_btc(100, 9), prices(BTC=90000, ETH=3000)))
case(
    "COV-03",
    "honest",
    "an asset without a price that is just covered",
    both(
        lambda w: held(w, OMNI, "BTC", OMNI_BTC, 900),
        lambda w: held(w, OMNI, "ETH", OMNI_ETH, 500),
        prices(BTC=90000, USD=1),
    ),
)
case("COV-03", "unknown", "no totals", no_totals(OMNI, "USD"))


def classed(owner_class: str, *disclosures: f.Disclosure) -> Change:
    return lambda w: replace(
        swap_wallet(w, OMNI_BTC, owner_class=owner_class), disclosures=(*w.disclosures, *disclosures)
    )


for owner_class in ("house", "affiliate", "issuer_reserve", "unattributed", "guarantee", "shortfall_cover"):
    case("COV-05", "fails", f"counts {owner_class}", classed(owner_class))
    case(
        "COV-05",
        "honest",
        f"holds {owner_class}, not counted",
        lambda w, owner_class=owner_class: swap_wallet(w, COLD_ETH, owner_class=owner_class),
    )
case(
    "COV-05",
    "fails",
    "more cover than was disclosed",
    classed("shortfall_cover", (OMNI, "BTC", "shortfall-cover", 0, 999)),
)
case(
    "COV-05",
    "fails",
    "cover disclosed for another asset",
    classed("shortfall_cover", (OMNI, "USD", "shortfall-cover", 0, 1000)),
)
case(
    "COV-05",
    "fails",
    "disclosed as something else",
    classed("shortfall_cover", (OMNI, "BTC", "related-party", 8, 1000)),
)
case(
    "COV-05",
    "fails",
    "a guarantee is no cover, whatever is disclosed",
    classed("guarantee", (OMNI, "BTC", "shortfall-cover", 0, 1000)),
)
case("COV-05", "fails", "counted, and in the public house list", both(no("wallets"), house_too(OMNI_BTC, WBTC)))
case(
    "COV-05",
    "fails",
    "counted, with two classes",
    lambda w: add_wallet(w, wallet(OMNI_BTC, WBTC, OMNI, 1, owner_class="house")),
)
case(
    "COV-05", "honest", "cover that is disclosed", classed("shortfall_cover", (OMNI, "BTC", "shortfall-cover", 0, 1000))
)
case(
    "COV-05", "honest", "cover without an amount", classed("shortfall_cover", (OMNI, "BTC", "shortfall-cover", 0, None))
)
case("COV-05", "honest", "another address of the house", house_too("eip155:1:0x" + "b2" * 20))
case("COV-05", "honest", "another pool counts it", classed("house"), VAULT)
case("COV-05", "honest", "idle positions not shown", hide_idle)
case("COV-05", "unknown", "no register", no("wallets"))
case("COV-05", "unknown", "no positions", no("positions"))
case("COV-05", "unknown", "some positions", few_shown)
case(
    "COV-05",
    "unknown",
    "a counted position without a wallet",
    lambda w: replace(w, wallets=w.wallets[1:] if w.wallets else None),
)
case(
    "COV-05",
    "unknown",
    "only the house list knows the account",
    both(lambda w: replace(w, wallets=w.wallets[1:] if w.wallets else None), house_too(OMNI_BTC, WBTC, "client")),
)


def own(amount: int, client: str = "carol", asset: str = "BTC", pool: str = VAULT) -> Change:
    def run(w: f.Facts) -> f.Facts:
        assert w.ledger is not None
        return swap_ledger(w, own_credits={**w.ledger.own_credits, (client, pool, asset): amount})

    return run


def second_wallet(counted: int) -> Change:
    return both(
        lambda w: add_position(
            w, position(VAULT, "BTC", f"{BITCOIN}:1Car", BTC, counted, segregation="dedicated", client_tie="ef" * 32)
        ),
        lambda w: add_wallet(
            w, wallet(f"{BITCOIN}:1Car", BTC, VAULT, counted, segregation="dedicated", client_id="carol")
        ),
    )


case("COV-06", "fails", "one less than owed", own(201), VAULT)
case("COV-06", "fails", "one more than owed", own(199), VAULT)
case("COV-06", "fails", "not in the ledger", lambda w: swap_ledger(w, own_credits={}), VAULT)
case("COV-06", "fails", "two wallets hold too much", second_wallet(1), VAULT)
case("COV-06", "fails", "too much, seen in part", both(own(199), few_shown), VAULT)
case(
    "COV-06",
    "fails",
    "a wallet without a position",
    both(
        own(10, "dave"),
        lambda w: add_wallet(w, wallet(f"{BITCOIN}:1Dav", BTC, VAULT, 0, segregation="dedicated", client_id="dave")),
    ),
    VAULT,
)
case(
    "COV-06",
    "fails",
    "an asset without a wallet, in a dedicated pool",
    both(own(5, "carol", "ETH"), lambda w: swap_pool(w, VAULT, model="dedicated")),
    VAULT,
)
case("COV-06", "honest", "two wallets together", both(own(230), second_wallet(30)), VAULT)
case("COV-06", "honest", "an asset in the omnibus part of a mixed pool", own(5, "carol", "ETH"), VAULT)
case("COV-06", "honest", "a client's line in another pool", own(5, "carol", "BTC", OMNI), VAULT)
case("COV-06", "honest", "a client's wallet in another pool", own(5, "carol", "BTC", OMNI), OMNI)
case(
    "COV-06",
    "honest",
    "a wallet of a form that is nobody's liability",
    lambda w: add_wallet(
        w, wallet(f"{BITCOIN}:1Dav", WBTC, VAULT, 3, segregation="dedicated", client_id="dave", function="gas")
    ),
    VAULT,
)
case("COV-06", "honest", "a dedicated pool, every line", lambda w: swap_pool(w, VAULT, model="dedicated"), VAULT)
case("COV-06", "honest", "a pool with no dedicated wallet", own(7))
case("COV-06", "unknown", "no register", no("wallets"), VAULT)
case("COV-06", "unknown", "no ledger", no("ledger"), VAULT)
case("COV-06", "unknown", "no positions", no("positions"), VAULT)
case("COV-06", "unknown", "some positions", partial, VAULT)
case("COV-06", "unknown", "too little, seen in part", both(own(201), partial), VAULT)
case(
    "COV-06",
    "unknown",
    "a dedicated position without a wallet",
    lambda w: replace(w, wallets=tuple(x for x in w.wallets or () if x.account != CAROL_BTC)),
    VAULT,
)

case("COV-07", "fails", "one above the cap", reserves(OMNI, "ETH", 506))
case(
    "COV-07", "fails", "nothing owed, something held", lambda w: swap_totals(w, OMNI, "USD", liabilities=0, reserves=1)
)
case(
    "COV-07",
    "fails",
    "a cap above the profile's",
    both(lambda w: swap_pool(w, OMNI, residue_bps=10000), reserves(OMNI, "BTC", 1051)),
)
case("COV-07", "fails", "rounded down", both(lambda w: swap_pool(w, OMNI, residue_bps=1), reserves(OMNI, "BTC", 1001)))
case("COV-07", "honest", "at the cap", reserves(OMNI, "BTC", 1010))
case(
    "COV-07",
    "honest",
    "at the profile's cap",
    both(lambda w: swap_pool(w, OMNI, residue_bps=10000), reserves(OMNI, "BTC", 1050)),
)
case("COV-07", "honest", "a shortage is no residue", reserves(OMNI, "BTC", 1))
case("COV-07", "unknown", "no totals", no_totals(OMNI, "USD"))
case("COV-07", "unknown", "a pool with nothing", empty_pool, "bare")

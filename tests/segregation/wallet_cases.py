"""Cases of whose a wallet is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from reserveproof.segregation import facts as f

from .case import (
    Change,
    both,
    case,
    few_shown,
    house_too,
    no,
    partial,
    typed,
    upper,
)
from .world import (
    AS_OF,
    BITCOIN,
    BTC,
    CAROL_BTC,
    ETH,
    HOUSE_ETH,
    OMNI,
    OMNI_BTC,
    OMNI_ETH,
    SUSPENSE,
    VAULT,
    VAULT_BTC,
    WBTC,
    add_position,
    add_wallet,
    position,
    swap_accounts,
    swap_pool,
    swap_position,
    swap_wallet,
    wallet,
)

case("SEG-01", "fails", "client and house", house_too(OMNI_ETH))
case("SEG-01", "fails", "in upper case", house_too(upper(OMNI_ETH)))
case("SEG-01", "fails", "bech32 in upper case", house_too(upper(OMNI_BTC), BTC))
case("SEG-01", "fails", "on another network", house_too(OMNI_ETH.replace("eip155:1:", "eip155:137:")))
case(
    "SEG-01",
    "fails",
    "two rows of the register",
    lambda w: add_wallet(w, wallet(OMNI_ETH, WBTC, OMNI, 3, owner_class="affiliate")),
)
case("SEG-01", "fails", "register says house", lambda w: swap_wallet(w, OMNI_ETH, owner_class="house"))
case(
    "SEG-01",
    "fails",
    "client and guarantee",
    lambda w: add_wallet(w, wallet(OMNI_ETH, WBTC, OMNI, 3, owner_class="guarantee")),
)
case("SEG-01", "fails", "seen in part", both(few_shown, no("wallets"), house_too(CAROL_BTC, BTC)))
case(
    "SEG-01",
    "fails",
    "house and affiliate, no position",
    lambda w: replace(w, house=(*w.house, f.HousePosition(HOUSE_ETH, "ETH", WBTC, "affiliate", 1))),
)
case("SEG-01", "honest", "other address of the house", house_too("eip155:1:0x" + "b2" * 20))
case("SEG-01", "honest", "same address in another namespace", house_too("tron:mainnet:0x" + "a1" * 20))
case(
    "SEG-01",
    "honest",
    "base58 that differs by case",
    both(
        lambda w: swap_position(w, OMNI_BTC, account=f"{BITCOIN}:1AbC"),
        lambda w: swap_wallet(w, OMNI_BTC, account=f"{BITCOIN}:1AbC"),
        house_too(f"{BITCOIN}:1ABC", BTC),
    ),
)
case(
    "SEG-01",
    "honest",
    "a guarantee wallet in the pool, not counted",
    both(
        lambda w: add_position(w, position(OMNI, "BTC", f"{BITCOIN}:1Gua", BTC, 0, observed=50)),
        lambda w: add_wallet(w, wallet(f"{BITCOIN}:1Gua", BTC, OMNI, 50, owner_class="guarantee")),
    ),
)
case("SEG-01", "unknown", "no register", no("wallets"))
case("SEG-01", "unknown", "no positions", no("positions"))
case("SEG-01", "unknown", "some positions", partial)

# --- SEG-02 -----------------------------------------------------------------------------------------------------------
case(
    "SEG-02",
    "fails",
    "two clients",
    lambda w: add_wallet(w, wallet(CAROL_BTC, WBTC, VAULT, 1, segregation="dedicated", client_id="dave")),
)
case(
    "SEG-02",
    "fails",
    "one id, two codes",
    lambda w: add_wallet(
        w, wallet(CAROL_BTC, WBTC, VAULT, 1, segregation="dedicated", client_id="carol", client_code="X")
    ),
)
case(
    "SEG-02",
    "fails",
    "two clients in two case forms",
    lambda w: add_wallet(w, wallet(upper(CAROL_BTC), WBTC, VAULT, 1, segregation="dedicated", client_id="dave")),
)
case("SEG-02", "fails", "dedicated to nobody", lambda w: swap_wallet(w, CAROL_BTC, client_id=""))
case("SEG-02", "fails", "omnibus with a client", lambda w: swap_wallet(w, VAULT_BTC, client_id="dave"))
case("SEG-02", "fails", "dedicated and omnibus", lambda w: add_wallet(w, wallet(CAROL_BTC, WBTC, VAULT, 1)))
case("SEG-02", "fails", "a tie missing", both(no("wallets"), lambda w: swap_position(w, CAROL_BTC, client_tie="")))
case(
    "SEG-02",
    "fails",
    "omnibus with a tie",
    both(no("wallets"), lambda w: swap_position(w, VAULT_BTC, client_tie="ef" * 32)),
)
case(
    "SEG-02",
    "fails",
    "twin position",
    both(
        no("wallets"),
        lambda w: add_position(
            w, position(VAULT, "BTC", CAROL_BTC, BTC, 200, segregation="dedicated", client_tie="ef" * 32)
        ),
    ),
)
case(
    "SEG-02",
    "fails",
    "both kinds of position",
    both(no("wallets"), lambda w: add_position(w, position(VAULT, "BTC", CAROL_BTC, WBTC, 0))),
)
case(
    "SEG-02",
    "honest",
    "one client, two forms, two ties",
    both(
        lambda w: add_wallet(w, wallet(CAROL_BTC, WBTC, VAULT, 1, segregation="dedicated", client_id="carol")),
        lambda w: add_position(
            w, position(VAULT, "BTC", CAROL_BTC, WBTC, 0, segregation="dedicated", client_tie="ef" * 32)
        ),
    ),
)
case(
    "SEG-02",
    "honest",
    "one client, two wallets",
    lambda w: add_wallet(w, wallet(f"{BITCOIN}:1Car", BTC, VAULT, 0, segregation="dedicated", client_id="carol")),
)
case(
    "SEG-02",
    "fails",
    "a blinded twin",
    both(
        lambda w: swap_position(w, OMNI_ETH, segregation="dedicated", client_tie="ef" * 32),
        lambda w: add_position(
            w, position(OMNI, "ETH", OMNI_ETH, ETH, 0, segregation="dedicated", client_tie="cd" * 32)
        ),
    ),
)
case("SEG-02", "unknown", "no register", no("wallets"))
case("SEG-02", "unknown", "no positions", no("positions"))
case("SEG-02", "unknown", "some positions", partial)


# --- SEG-04 -----------------------------------------------------------------------------------------------------------
case("SEG-04", "fails", "operator in credit", typed(OMNI, "BTC", "operator", 1, 0))
case("SEG-04", "fails", "operator in debit", typed(OMNI, "BTC", "operator", 0, 1))
case("SEG-04", "fails", "affiliate", typed(OMNI, "BTC", "affiliate", 5, 0))
case("SEG-04", "fails", "fee account", typed(OMNI, "BTC", "fee", 5, 0))
case("SEG-04", "fails", "a type nobody knows", typed(OMNI, "BTC", "treasury", 5, 0))
case("SEG-04", "fails", "in a mixed pool", typed(VAULT, "BTC", "operator", 1, 0), VAULT)
case(
    "SEG-04",
    "fails",
    "seen beside an untagged account",
    both(typed(OMNI, "BTC", "operator", 1, 0), lambda w: swap_accounts(w, untagged=("zoe",))),
)
case("SEG-04", "honest", "employees are clients", typed(OMNI, "BTC", "employee", 3, 0))
case("SEG-04", "honest", "operator at zero", typed(OMNI, "BTC", "operator", 0, 0))
case("SEG-04", "honest", "operator in another pool", typed(VAULT, "BTC", "operator", 9, 0))
case(
    "SEG-04",
    "honest",
    "house in a dedicated pool",
    both(typed(OMNI, "BTC", "operator", 9, 0), lambda w: swap_pool(w, OMNI, model="dedicated")),
)
case("SEG-04", "unknown", "no accounts", no("accounts"))
case("SEG-04", "unknown", "untagged accounts", lambda w: swap_accounts(w, untagged=("zoe",)))
case("SEG-04", "unknown", "mistagged accounts", lambda w: swap_accounts(w, mistagged=("zoe",)))


# --- SEG-07 -----------------------------------------------------------------------------------------------------------
def suspense(days: int | None, observed: int = 4) -> Change:
    opened = None if days is None else AS_OF.date() - dt.timedelta(days=days)
    return lambda w: swap_wallet(w, SUSPENSE, owner_class="client", observed=observed, opened=opened)


case("SEG-07", "fails", "unattributed with something", lambda w: swap_wallet(w, OMNI_ETH, owner_class="unattributed"))
case("SEG-07", "fails", "unattributed with one unit", lambda w: swap_wallet(w, SUSPENSE, function="vault", observed=1))
case("SEG-07", "fails", "old suspense", suspense(31))
case("SEG-07", "fails", "suspense from the future", suspense(-1))
case(
    "SEG-07",
    "fails",
    "unattributed in public",
    both(no("wallets"), house_too("eip155:1:0x" + "b2" * 20, ETH, "unattributed")),
)
case("SEG-07", "honest", "unattributed and empty", lambda w: swap_wallet(w, SUSPENSE, function="vault"))
case("SEG-07", "honest", "suspense on its last day", suspense(30))
case("SEG-07", "honest", "suspense of today", suspense(0))
case("SEG-07", "honest", "old suspense, empty", suspense(400, 0))
case("SEG-07", "honest", "empty suspense of unknown age", suspense(None, 0))
case(
    "SEG-07",
    "honest",
    "an unattributed house row of zero",
    lambda w: replace(w, house=(*w.house, f.HousePosition("eip155:1:0x" + "b2" * 20, "ETH", ETH, "unattributed", 0))),
)
case("SEG-07", "unknown", "no register", no("wallets"))
case("SEG-07", "unknown", "suspense of unknown age", suspense(None))

# --- SEG-10 -----------------------------------------------------------------------------------------------------------
case("SEG-10", "fails", "position twice", lambda w: add_position(w, position(OMNI, "ETH", OMNI_ETH, ETH, 0)))
case("SEG-10", "fails", "in two case forms", lambda w: add_position(w, position(OMNI, "ETH", upper(OMNI_ETH), ETH, 0)))
case("SEG-10", "fails", "position and house", house_too(OMNI_ETH))
case("SEG-10", "fails", "house twice", house_too(HOUSE_ETH))
case("SEG-10", "fails", "one account, two pools", lambda w: add_position(w, position(VAULT, "BTC", OMNI_ETH, WBTC, 0)))
case("SEG-10", "fails", "in another register", lambda w: replace(w, other_accounts=frozenset({(upper(OMNI_ETH), ETH)})))
case("SEG-10", "fails", "house in another register", lambda w: replace(w, other_accounts=frozenset({(HOUSE_ETH, ETH)})))
case(
    "SEG-10",
    "fails",
    "seen in part",
    both(few_shown, lambda w: add_position(w, position(VAULT, "BTC", CAROL_BTC, BTC, 0))),
)
case(
    "SEG-10",
    "honest",
    "another form of one account",
    lambda w: add_position(w, position(OMNI, "ETH", OMNI_ETH, WBTC, 0)),
)
case(
    "SEG-10",
    "honest",
    "another form in another register",
    lambda w: replace(w, other_accounts=frozenset({(OMNI_ETH, WBTC)})),
)
case(
    "SEG-10",
    "honest",
    "same address on another network",
    lambda w: add_position(
        w, position(OMNI, "ETH", OMNI_ETH.replace("eip155:1:", "eip155:137:"), "eip155:137/slip44:966", 0)
    ),
)
case("SEG-10", "unknown", "no positions", no("positions"))
case("SEG-10", "unknown", "some positions", partial)
case("SEG-10", "unknown", "no other registers", no("other_accounts"))

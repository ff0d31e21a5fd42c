"""Cases of encumbrances and of the evidence."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from reserveproof.segregation import facts as f

from .case import (
    Change,
    both,
    case,
    empty_pool,
    few_shown,
    hide_idle,
    ledger_lacks,
    ledger_map,
    no,
    no_totals,
    partial,
    reserves,
    upper,
)
from .world import (
    AS_OF,
    BANK,
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
    position,
    swap_position,
    swap_totals,
    swap_wallet,
    wallet,
)


def claims(*encumbrances: f.Encumbrance) -> Change:
    return lambda w: swap_wallet(w, OMNI_BTC, encumbrances=encumbrances)


for kind in ("pledge", "lien", "rehypothecated", "lent"):
    case("ENC-01", "fails", f"{kind} counts", claims((kind, 51, "yes")))
    case("ENC-01", "honest", f"{kind} stands apart", claims((kind, 50, "apart")))
case("ENC-01", "fails", "two claims together", claims(("pledge", 26, "no"), ("lien", 25, "no")))
case(
    "ENC-01",
    "fails",
    "two rows of one wallet",
    lambda w: add_wallet(w, wallet(OMNI_BTC, BTC, OMNI, 1050, encumbrances=(("lent", 1, "no"),))),
)
case("ENC-01", "fails", "more than there is", claims(("lent", 5000, "no")))
case("ENC-01", "fails", "a claim nobody knows", claims(("mortgage", 51, "no")))
case(
    "ENC-01",
    "fails",
    "register in upper case",
    lambda w: swap_wallet(w, OMNI_BTC, account=upper(OMNI_BTC), encumbrances=(("lent", 51, "no"),)),
)
case(
    "ENC-01", "fails", "by the position alone", both(no("wallets"), lambda w: swap_position(w, OMNI_BTC, encumbered=51))
)
case("ENC-01", "fails", "counts what is not there", lambda w: swap_position(w, OMNI_BTC, observed=999, encumbered=0))
for kind in ("staked", "unbonding", "defi", "frozen", "escrow", "timelock"):
    case("ENC-01", "honest", f"{kind} is for other rules", claims((kind, 900, "no")))
case(
    "ENC-01",
    "honest",
    "a claim on another form",
    lambda w: add_wallet(w, wallet(OMNI_BTC, WBTC, OMNI, 9, encumbrances=(("pledge", 9, "no"),))),
)
case(
    "ENC-01",
    "honest",
    "all of an idle wallet",
    lambda w: swap_wallet(w, COLD_ETH, encumbrances=(("pledge", 70, "no"),)),
)
case("ENC-01", "honest", "idle positions not shown", hide_idle)
case("ENC-01", "unknown", "no register", no("wallets"))
case("ENC-01", "unknown", "no positions", no("positions"))
case("ENC-01", "unknown", "some positions", few_shown)
case(
    "ENC-01",
    "unknown",
    "a counted position without a wallet",
    lambda w: replace(w, wallets=w.wallets[1:] if w.wallets else None),
)

for state in ("invalid", "inconclusive", "unsupported", "none"):
    case(
        "EVI-01",
        "fails",
        f"control {state}",
        lambda w, state=state: swap_position(w, OMNI_BTC, control=state, control_reason="why"),
    )
case("EVI-01", "fails", "declared only", lambda w: swap_position(w, OMNI_BTC, assurance="DECLARED_ONLY"))
case("EVI-01", "fails", "a class nobody knows", lambda w: swap_position(w, OMNI_BTC, assurance="TRUST_ME"))
case("EVI-01", "fails", "reserves that no position has", reserves(OMNI, "BTC", 1001))
case("EVI-01", "fails", "positions above the reserves", both(partial, reserves(OMNI, "BTC", 999)))
case(
    "EVI-01", "fails", "seen in part", both(few_shown, lambda w: swap_position(w, CAROL_BTC, control="invalid")), VAULT
)
case("EVI-01", "honest", "no proof, not counted", lambda w: swap_position(w, COLD_ETH, control="invalid"))
case("EVI-01", "honest", "a confirmation", lambda w: swap_position(w, OMNI_BTC, assurance="CUSTODIAN_CONFIRMATION"))
case("EVI-01", "honest", "another pool's proof fails", lambda w: swap_position(w, OMNI_BTC, control="invalid"), VAULT)
case("EVI-01", "honest", "idle positions not shown", hide_idle)
case("EVI-01", "unknown", "no positions", no("positions"))
case("EVI-01", "unknown", "no positions, said to be whole", no("positions"), VAULT)
case("EVI-01", "unknown", "some positions", few_shown)
case("EVI-01", "unknown", "some of the pool", few_shown, VAULT)
case("EVI-01", "unknown", "no totals", no_totals(OMNI, "USD"))

case("EVI-02", "fails", "another claim", lambda w: swap_position(w, OMNI_BTC, bound=False))
case(
    "EVI-02", "fails", "issued a second late", lambda w: replace(w, issued_at=w.claim_expires + dt.timedelta(seconds=1))
)
case(
    "EVI-02",
    "fails",
    "late, and nothing shown",
    both(no("positions"), lambda w: replace(w, issued_at=w.claim_expires + dt.timedelta(seconds=1))),
)
case("EVI-02", "honest", "issued at the last second", lambda w: replace(w, issued_at=w.claim_expires))
case("EVI-02", "honest", "not bound, not counted", lambda w: swap_position(w, COLD_ETH, control="valid"))
case("EVI-02", "honest", "idle positions not shown", hide_idle)
case("EVI-02", "unknown", "no positions", no("positions"))
case("EVI-02", "unknown", "some positions", few_shown)
case("EVI-02", "unknown", "some positions and no totals", both(few_shown, no_totals(OMNI, "BTC")))


def at(account: str, **delta: float) -> Change:
    return lambda w: swap_position(w, account, observed_at=AS_OF + dt.timedelta(**delta))


def solana(**more: object) -> Change:
    account, form = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:AbC", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501"
    return lambda w: replace(
        add_position(swap_totals(w, OMNI, "ETH", reserves=506), position(OMNI, "ETH", account, form, 1)), **more
    )


def moved(at: dt.timedelta, letter: dt.timedelta) -> Change:
    """As-of so much later, everything on a chain with it; the letter so far from the new as-of."""

    def run(w: f.Facts) -> f.Facts:
        assert w.positions is not None
        positions = tuple(replace(p, observed_at=p.observed_at + at) for p in w.positions)
        w = replace(w, as_of=w.as_of + at, positions=positions)
        return swap_position(w, BANK, observed_at=w.as_of + letter)

    return run


def on_saturday(days: int) -> Change:
    """As-of on a Saturday, the letter so many days from it, all else as before."""
    return moved(dt.timedelta(days=3), dt.timedelta(days=days, seconds=1))


def at_midnight(after: int, **letter: float) -> Change:
    """As-of at 00:00:00Z of the day so many days after the Wednesday."""
    return moved(dt.timedelta(days=after, hours=-12), dt.timedelta(**letter))


case("EVI-03", "fails", "bitcoin too early", at(OMNI_BTC, seconds=-7201))
case("EVI-03", "fails", "bitcoin too late", at(OMNI_BTC, seconds=7201))
case("EVI-03", "fails", "ethereum too early", at(OMNI_ETH, seconds=-121))
case("EVI-03", "fails", "a letter of the day before", at(BANK, days=-1))
case("EVI-03", "fails", "a letter of the day after", at(BANK, days=1))
case("EVI-03", "fails", "a weekend letter two days late", on_saturday(2))
case("EVI-03", "fails", "a weekend letter of Thursday", on_saturday(-2))
case("EVI-03", "fails", "two days before a midnight", at_midnight(0, days=-1, seconds=-1))
case("EVI-03", "fails", "a day after a midnight", at_midnight(0, days=1))
case("EVI-03", "fails", "Thursday before Monday's midnight", at_midnight(5, days=-3, seconds=-1))
case(
    "EVI-03",
    "fails",
    "an account on a chain, by letter",
    both(at(OMNI_ETH, hours=-2), lambda w: swap_position(w, OMNI_ETH, method="LETTER")),
)
case(
    "EVI-03", "fails", "two blocks of one chain", lambda w: swap_position(w, VAULT_BTC, observed_block=(901, "ab" * 32))
)
case(
    "EVI-03",
    "fails",
    "two hashes at one height",
    lambda w: swap_position(w, VAULT_BTC, observed_block=(900, "cd" * 32)),
)
case("EVI-03", "fails", "not the anchor's block", lambda w: swap_position(w, OMNI_BTC, anchored=False))
case("EVI-03", "fails", "a tighter tolerance of the chain", lambda w: replace(w, skew={**w.skew, "eip155:1": 59}))
case("EVI-03", "fails", "seen in part", both(few_shown, at(CAROL_BTC, hours=-3)))
case("EVI-03", "honest", "bitcoin at the limit", at(OMNI_BTC, seconds=-7200))
case("EVI-03", "honest", "ethereum at the limit", at(OMNI_ETH, seconds=120))
case("EVI-03", "honest", "a letter in the morning", at(BANK, hours=-11))
case("EVI-03", "honest", "a weekend letter of Friday", on_saturday(-1))
case("EVI-03", "honest", "the close of the day before a midnight", at_midnight(0, seconds=-1))
case("EVI-03", "honest", "Friday's close at Saturday's midnight", at_midnight(3, seconds=-1))
case("EVI-03", "honest", "Friday's close at Monday's midnight", at_midnight(5, days=-2, seconds=-1))
case("EVI-03", "honest", "a weekend letter of the day", on_saturday(0))
case("EVI-03", "honest", "no observation, not counted", lambda w: swap_position(w, COLD_ETH, method=""))
case("EVI-03", "honest", "old, not counted", at(COLD_ETH, days=-90))
case(
    "EVI-03",
    "honest",
    "another block on another chain",
    lambda w: swap_position(w, OMNI_ETH, observed_block=(7, "ef" * 32)),
)
case("EVI-03", "honest", "the anchor was not looked at", lambda w: swap_position(w, OMNI_BTC, anchored=None))
case("EVI-03", "honest", "a chain of its own", solana(skew={**f.DEFAULT_SKEW, "solana": 60}))
case("EVI-03", "honest", "idle positions not shown", hide_idle)
case("EVI-03", "unknown", "no positions", no("positions"))
case("EVI-03", "unknown", "some positions", few_shown)
case("EVI-03", "unknown", "counted without an observation", lambda w: swap_position(w, OMNI_BTC, method=""))
case("EVI-03", "unknown", "no tolerance for the chain", solana())

case("EVI-10", "fails", "another root", ledger_map("trees_match", OMNI, "BTC", False))
case("EVI-10", "fails", "a tree that the statement lacks", ledger_map("trees_match", OMNI, "SOL", False))
case("EVI-10", "honest", "another pool's tree", ledger_map("trees_match", OMNI, "BTC", False), VAULT)
case("EVI-10", "unknown", "no ledger", no("ledger"))
case("EVI-10", "unknown", "a tree not rebuilt", ledger_lacks("trees_match", OMNI, "BTC"))
case("EVI-10", "unknown", "a pool with nothing", empty_pool, "bare")
case("EVI-10", "unknown", "no totals", no_totals(OMNI, "USD"))


def excluded(*rows: f.Exclusion) -> Change:
    return lambda w: replace(w, exclusions=rows)


case("EVI-11", "fails", "not listed", excluded())
case("EVI-11", "fails", "one less", excluded((OMNI, "ETH", "R", "no proof", 6)))
case("EVI-11", "fails", "one more", excluded((OMNI, "ETH", "R", "no proof", 8)))
case("EVI-11", "fails", "no reason", excluded((OMNI, "ETH", "R", " ", 7)))
case("EVI-11", "fails", "on the other side", excluded((OMNI, "ETH", "L", "no proof", 7)))
case(
    "EVI-11",
    "fails",
    "a liability without a reason",
    excluded((OMNI, "ETH", "R", "no proof", 7), (OMNI, "ETH", "L", "", 3)),
)
case("EVI-11", "fails", "listed, not stated", excluded((OMNI, "ETH", "R", "no proof", 7), (OMNI, "BTC", "R", "x", 1)))
case(
    "EVI-11",
    "fails",
    "an asset that is not there",
    excluded((OMNI, "ETH", "R", "no proof", 7), (OMNI, "SOL", "R", "x", 1)),
)
case("EVI-11", "fails", "another pool's row", excluded((VAULT, "ETH", "R", "no proof", 7)))
case("EVI-11", "honest", "two reasons", excluded((OMNI, "ETH", "R", "no proof", 3), (OMNI, "ETH", "R", "dust", 4)))
case("EVI-11", "honest", "a liability with a reason", excluded((OMNI, "ETH", "R", "x", 7), (OMNI, "ETH", "L", "y", 3)))
case("EVI-11", "honest", "another pool's is wrong", excluded(), VAULT)
case("EVI-11", "unknown", "no totals", no_totals(OMNI, "USD"))
case("EVI-11", "unknown", "a pool with nothing", empty_pool, "bare")


def seen(*keys: f.StatementKey) -> Change:
    return lambda w: replace(w, statements_seen=keys)


def published(publication: f.Publication) -> Change:
    return lambda w: replace(w, publication=publication)


case("EVI-12", "fails", "same sequence", seen((1, "33" * 32, "q9", "22" * 32)))
case("EVI-12", "fails", "same previous", seen((7, "00" * 32, "q9", "22" * 32)))
case("EVI-12", "fails", "same snapshot", seen((7, "33" * 32, "q1", "22" * 32)))
case("EVI-12", "fails", "with nothing published", both(seen((1, "00" * 32, "q1", "22" * 32)), published("none")))
case("EVI-12", "honest", "the same statement again", seen((1, "00" * 32, "q1", "11" * 32)))
case("EVI-12", "honest", "the next statement", seen((2, "11" * 32, "q2", "22" * 32)))
case("EVI-12", "honest", "none seen", seen())
case("EVI-12", "unknown", "a typed digest", published("digest"))
case("EVI-12", "unknown", "not published", published("none"))
case("EVI-12", "unknown", "nobody looked", no("statements_seen"))
case("EVI-12", "unknown", "this one is unknown", no("this_statement"))

"""Replays of failures that happened elsewhere: the defect as it stood in the books, and what names it."""

from __future__ import annotations

from dataclasses import replace

from reserveproof.segregation import Facts, run_rules, verdict_of
from reserveproof.segregation import facts as f

from .world import (
    BANK,
    BITCOIN,
    BTC,
    ETH,
    OMNI,
    OMNI_BTC,
    OMNI_ETH,
    VAULT,
    VAULT_BTC,
    add_position,
    add_wallet,
    held,
    honest,
    position,
    swap_accounts,
    swap_ledger,
    swap_position,
    swap_totals,
    swap_wallet,
    wallet,
)


def blocked(facts: Facts) -> set[tuple[str, str]]:
    """(pool, rule) of what an auditor's run fails; the verdict must be failing."""
    results = run_rules(facts, ["baseline"], "audit")
    assert verdict_of(results, {pool.pool: pool.profiles for pool in facts.pools}) == "failing"
    return {(r.pool, r.id) for r in results if r.result == "FAIL"}


def test_a_pool_that_funds_another() -> None:
    """One pool's coins fill another's hole; over all pools every coin is there."""
    facts = held(held(honest(), OMNI, "BTC", OMNI_BTC, 600), VAULT, "BTC", VAULT_BTC, 900)
    assert sum(t.reserves - t.liabilities for cell, t in facts.totals.items() if cell[1] == "BTC") == 0
    assert blocked(facts) == {(OMNI, "COV-01"), (OMNI, "COV-02"), (VAULT, "COV-07")}


def test_token_collateral_in_a_client_wallet() -> None:
    """The backing of an issued token is kept in the clients' address: the same coins answer for two debts."""
    same = add_wallet(honest(), wallet(OMNI_ETH, "eip155:1/erc20:0x" + "3" * 40, OMNI, 9, owner_class="issuer_reserve"))
    assert blocked(same) == {("", "SEG-01"), (OMNI, "COV-05")}
    whole = swap_wallet(honest(), OMNI_ETH, owner_class="issuer_reserve")
    assert blocked(whole) == {("", "SEG-01"), (OMNI, "COV-05")}


def test_a_hidden_debit_of_the_operator() -> None:
    """An affiliate owes the pool without bound; its debit is netted away, or its account is of a plain type."""
    owing = swap_accounts(honest(), debits_by_type={(OMNI, "USD", "operator"): 250})
    assert blocked(owing) == {(OMNI, "SEG-04"), ("", "LIA-02")}
    netted = swap_totals(
        swap_ledger(owing, debits={**honest().ledger.debits, (OMNI, "USD"): 250}),
        OMNI,
        "USD",
        liabilities=50,
        reserves=50,
    )
    assert {("", "LIA-01"), (OMNI, "SEG-04")} <= blocked(netted)
    disguised = swap_accounts(honest(), mistagged=("fund",))
    assert blocked(disguised) == {("", "LIA-02")}
    assert {r.result for r in run_rules(disguised, ["baseline"], "audit") if r.id == "SEG-04"} == {"NOT_ASSESSED"}


def test_a_lost_wallet_is_still_counted() -> None:
    """The key is gone; the custodian counts the wallet, and then fills the hole with the clients' cash."""
    assert blocked(swap_position(honest(), OMNI_BTC, control="none")) == {(OMNI, "EVI-01")}
    lost = held(honest(), OMNI, "BTC", OMNI_BTC, 0)
    filled = held(lost, OMNI, "USD", BANK, 300 + 90)
    assert {(OMNI, "COV-01"), (OMNI, "COV-03"), (OMNI, "COV-07")} <= blocked(filled)


def test_borrowed_for_the_day_between_two_blocks() -> None:
    """The same coins are shown in two wallets, one block apart."""
    assert blocked(swap_position(honest(), VAULT_BTC, observed_block=(901, "cd" * 32))) == {("", "EVI-03")}


def test_dummy_users_with_illiquid_collateral() -> None:
    """A token of the group's own is registered as a form of a real asset."""
    own_token = "eip155:1/erc20:0x" + "4" * 40
    assert blocked(swap_position(honest(), OMNI_ETH, form=own_token)) >= {(OMNI, "COV-03")}


def test_one_wallet_shown_for_two_custodians() -> None:
    assert blocked(replace(honest(), other_accounts=frozenset({(OMNI_ETH, ETH)}))) == {("", "SEG-10")}


def test_a_dedicated_client_moved_into_the_common_pot() -> None:
    """The dedicated wallet is run down, while the pool as a whole still covers."""
    facts = swap_position(honest(), f"{BITCOIN}:bc1qded", counted=120, observed=120)
    facts = swap_position(facts, VAULT_BTC, counted=580, observed=580)
    assert blocked(facts) == {(VAULT, "COV-06")}


def test_own_coins_lent_to_the_pool_for_the_day() -> None:
    """House coins fill a hole without being logged as shortfall cover; logged, they may count."""
    account = f"{BITCOIN}:1House"
    facts = held(honest(), OMNI, "BTC", OMNI_BTC, 900)
    facts = swap_totals(add_position(facts, position(OMNI, "BTC", account, BTC, 100)), OMNI, "BTC", reserves=1000)
    house = add_wallet(facts, wallet(account, BTC, OMNI, 100, owner_class="house"))
    assert blocked(house) == {("", "SEG-01"), (OMNI, "COV-05")}
    cover = add_wallet(facts, wallet(account, BTC, OMNI, 100, owner_class="shortfall_cover"))
    assert blocked(cover) == {(OMNI, "COV-05")}
    logged: f.Disclosure = (OMNI, "BTC", "shortfall-cover", 0, 100)
    shown = replace(cover, disclosures=(*cover.disclosures, logged))
    assert {r.result for r in run_rules(shown, ["baseline"], "audit")} == {"PASS"}

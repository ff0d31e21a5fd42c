"""Running the registry: order, scope, runners, and facts that do not hang together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reserveproof.format.errors import MalformedError, PolicyError
from reserveproof.segregation import RULES, Facts, Runner, run_rules
from reserveproof.segregation import facts as f
from reserveproof.segregation.outcome import RUNNERS
from reserveproof.segregation.profiles import READERS_OWN

from .world import (
    OMNI,
    VAULT,
    add_position,
    add_wallet,
    honest,
    position,
    swap_accounts,
    swap_pool,
    swap_totals,
    wallet,
)


def test_order_and_scope() -> None:
    results = run_rules(honest(), ["baseline"], "audit")
    keys = [(r.pool, r.profile, r.id) for r in results]
    assert keys == sorted(set(keys))
    expected = {
        ("" if not rule.per_pool else pool, "baseline", rule.id) for rule in RULES.values() for pool in (OMNI, VAULT)
    }
    assert set(keys) == expected
    assert {r.result for r in results} == {"PASS"}


def test_each_pool_is_judged_alone() -> None:
    results = run_rules(swap_totals(honest(), VAULT, "BTC", reserves=699), ["baseline"], "audit")
    failed = {(r.pool, r.id) for r in results if r.result == "FAIL"}
    assert failed == {(VAULT, "COV-01"), (VAULT, "EVI-01")}


def test_a_custodian_does_not_answer_what_only_readers_can() -> None:
    assert {r.id for r in run_rules(honest(), ["baseline"], "custodian")} == set(RULES) - READERS_OWN


@pytest.mark.parametrize("runner", ["public", "client"])
def test_a_reader_who_cannot_run_a_rule_says_so(runner: Runner) -> None:
    for result in run_rules(honest(), ["baseline"], runner):
        if runner not in RULES[result.id].run_by:
            assert (result.result, result.rows) == ("NOT_ASSESSED", ())
            assert result.note.startswith("only by: custodian")


def public_view(facts: Facts) -> Facts:
    return replace(
        facts,
        wallets=None,
        other_accounts=None,
        ledger=None,
        accounts=None,
        control_totals=None,
        population=None,
        privacy=None,
    )


def test_what_the_public_can_pass_and_what_it_cannot() -> None:
    results = run_rules(public_view(honest()), ["baseline"], "public")
    passed = {r.id for r in results if r.result == "PASS"}
    assert passed == {"COV-01", "COV-02", "COV-03", "COV-07", "EVI-01", "EVI-02", "EVI-03", "EVI-11", "EVI-12"}
    assert {r.result for r in results} == {"PASS", "NOT_ASSESSED"}


def test_facts_with_nothing_but_the_statement_pass_little() -> None:
    bare = replace(public_view(honest()), positions=None, prices=None, statements_seen=None, this_statement=None)
    for runner in RUNNERS:
        passed = {r.id for r in run_rules(bare, ["baseline"], runner) if r.result == "PASS"}
        assert passed == {"COV-01", "COV-02", "COV-07", "EVI-11"}


def stray_accounts(facts: Facts) -> Facts:
    return swap_accounts(facts, by_type={("ghost", "BTC", "retail"): (9, 1)})


def stray_debits(facts: Facts) -> Facts:
    return swap_accounts(facts, debits_by_type={("ghost", "BTC", "operator"): 1})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda w: replace(w, pools=()), "pool"),
        (lambda w: replace(w, pools=w.pools + w.pools[:1]), "pool"),
        (lambda w: swap_pool(w, OMNI, pool=""), "pool"),
        (lambda w: replace(w, totals={**w.totals, ("ghost", "BTC"): f.CellTotals(5, 0, {}, 0, 0)}), "pool"),
        (lambda w: add_position(w, position("ghost", "BTC", "x", "y", 1)), "pool"),
        (lambda w: add_wallet(w, wallet("x", "y", "ghost", 1)), "pool"),
        (lambda w: replace(w, exclusions=(("ghost", "BTC", "R", "x", 1),)), "pool"),
        (lambda w: replace(w, disclosures=(("ghost", "BTC", "x", 1, None),)), "pool"),
        (stray_accounts, "pool"),
        (stray_debits, "pool"),
        (lambda w: replace(w, disclosures=w.disclosures * 2), "disclosure"),
        (lambda w: replace(w, assets=w.assets * 2), "asset"),
    ],
)
def test_what_no_rule_would_judge_is_refused(change: Callable[[Facts], Facts], reason: str) -> None:
    with pytest.raises(MalformedError) as refused:
        run_rules(change(honest()), ["baseline"], "audit")
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("profiles", "own"),
    [([], ("baseline",)), (["nobody-knows"], ("baseline",)), (["baseline"], ()), (["baseline"], ("nobody-knows",))],
)
def test_no_pool_goes_unjudged(profiles: list[str], own: tuple[str, ...]) -> None:
    with pytest.raises(PolicyError) as refused:
        run_rules(swap_pool(honest(), VAULT, profiles=own), profiles, "audit")
    assert refused.value.reason == "profile"


def test_a_runner_that_does_not_exist_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="no such runner"):
        run_rules(honest(), ["baseline"], "anyone")

"""The verdict: clean only if all that is required is there and PASS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reserveproof.format.errors import EvidenceError, MalformedError, PolicyError
from reserveproof.segregation import RULES, Facts, RuleResult, load_profile, run_rules, verdict_of
from reserveproof.segregation import profiles as profiles_module
from reserveproof.segregation.profiles import PROFILES, Profile, ProfileRule

from .world import OMNI, VAULT, honest, swap_ledger, swap_totals

POOLS = {OMNI: ("baseline",), VAULT: ("baseline",)}


def results(change: Callable[[Facts], Facts] = lambda w: w) -> tuple[RuleResult, ...]:
    return run_rules(change(honest()), ["baseline"], "custodian")


def test_an_honest_custodian_is_clean() -> None:
    assert verdict_of(results(), POOLS) == "clean"


@pytest.mark.parametrize("rule", [r for r in RULES if r != "EVI-12"])
@pytest.mark.parametrize("answer", ["FAIL", "NOT_ASSESSED", None])
def test_every_required_rule_decides(rule: str, answer: str | None) -> None:
    pool = VAULT if RULES[rule].per_pool else ""
    changed = [replace(r, result=answer or r.result) if (r.id, r.pool) == (rule, pool) else r for r in results()]
    if answer is None:
        changed = [r for r in changed if (r.id, r.pool) != (rule, pool)]
    failing = answer == "FAIL" and RULES[rule].severity == "X"
    assert verdict_of(changed, POOLS) == ("failing" if failing else "qualified")


def test_severity_is_the_profiles_not_the_results() -> None:
    changed = [replace(r, severity="I", result="FAIL") if r.id == "COV-01" else r for r in results()]
    assert verdict_of(changed, POOLS) == "failing"


def test_a_pool_without_results_is_not_clean() -> None:
    assert verdict_of([r for r in results() if r.pool != VAULT], POOLS) == "qualified"


def test_equivocation_seen_by_a_reader_is_never_clean() -> None:
    seen = run_rules(replace(honest(), statements_seen=((1, "", "q1", "22" * 32),)), ["baseline"], "audit")
    assert verdict_of(seen, POOLS) == "qualified"
    unseen = run_rules(replace(honest(), statements_seen=None), ["baseline"], "audit")
    assert verdict_of(unseen, POOLS) == "clean", "each reader judges EVI-12 for itself"


def test_from_facts_to_verdict() -> None:
    assert verdict_of(results(lambda w: swap_totals(w, OMNI, "ETH", reserves=506)), POOLS) == "failing"  # EVI-01 too
    few = results(lambda w: swap_ledger(w, holders={**w.ledger.holders, (OMNI, "BTC"): 2} if w.ledger else {}))
    assert verdict_of(few, POOLS) == "qualified"
    assert verdict_of(results(lambda w: replace(w, privacy=None)), POOLS) == "qualified"


def test_what_is_less_than_high_does_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = dict(load_profile("baseline").rules)
    rules["COV-07"] = ProfileRule("M", True, "own rule")
    rules["PRV-03"] = ProfileRule("H", False, "own rule")
    mild = Profile("baseline", "a test", load_profile("baseline").parameters, rules)
    monkeypatch.setattr(profiles_module, "PROFILES", {**PROFILES, "baseline": mild})
    for answer in ("FAIL", "NOT_ASSESSED"):
        changed = [replace(r, result=answer) if r.id == "COV-07" else r for r in results()]
        assert verdict_of(changed, POOLS) == "clean"
    unassessed = [replace(r, result="NOT_ASSESSED") if r.id == "PRV-03" else r for r in results()]
    assert verdict_of(unassessed, POOLS) == "clean"
    failed = [replace(r, result="FAIL") if r.id == "PRV-03" else r for r in results()]
    assert verdict_of(failed, POOLS) == "qualified"


def test_a_failing_rule_that_no_profile_holds_still_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    given = results()
    rules = {name: rule for name, rule in load_profile("baseline").rules.items() if name != "COV-01"}
    small = Profile("baseline", "a test", load_profile("baseline").parameters, rules)
    monkeypatch.setattr(profiles_module, "PROFILES", {"baseline": small})
    assert verdict_of(given, POOLS) == "clean"
    assert verdict_of([replace(r, result="FAIL") if r.id == "COV-01" else r for r in given], POOLS) == "failing"


def test_empty_is_never_clean() -> None:
    for given, pools in (([], POOLS), (results(), {}), ([], {})):
        with pytest.raises(EvidenceError) as refused:
            verdict_of(given, pools)
        assert refused.value.reason == "no-results"
    with pytest.raises(MalformedError):
        verdict_of(results(), {OMNI: ("baseline",), VAULT: ()})


def test_malformed_results_are_refused() -> None:
    given = results()
    for bad in (
        [*given, given[0]],
        [replace(given[0], result="pass"), *given[1:]],
        [*given, replace(given[0], id="SEG-99")],
    ):
        with pytest.raises(MalformedError):
            verdict_of(bad, POOLS)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(PolicyError):
        verdict_of(results(), {OMNI: ("baseline",), VAULT: ("eu-mica",)})
    with pytest.raises(PolicyError):
        verdict_of([replace(r, profile="eu-mica") for r in results()], POOLS)

"""Properties over all cases: a surplus elsewhere cures nothing, and forgetting facts cures nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reserveproof.segregation import RULES, Facts, load_profile
from reserveproof.segregation import facts as f

from .cases import CASES, Case
from .world import BITCOIN, OMNI, VAULT, honest, position

PARAMETERS = load_profile("baseline").parameters
COVERAGE = [name for name in RULES if name.startswith("COV")]
DROPPABLE = (
    "positions", "wallets", "other_accounts", "ledger", "accounts", "control_totals", "population", "privacy",
    "prices", "statements_seen", "this_statement",
)  # fmt: skip


def answer(rule: str, facts: Facts, pool: str) -> str:
    return RULES[rule].check(facts, PARAMETERS, pool if RULES[rule].per_pool else "").result


amounts = st.integers(0, 2000)


@st.composite
def books(draw: st.DrawFn) -> Facts:
    """Any totals, with positions that make them up, and any caps."""
    facts = honest()
    totals = {}
    positions = []
    for number, (pool, asset) in enumerate(facts.totals):
        owed, kept = draw(amounts), draw(amounts)
        totals[pool, asset] = f.CellTotals(owed, kept, {}, 0, 0)
        form = next(iter(next(a for a in facts.assets if a.asset == asset).forms))
        positions.append(position(pool, asset, f"{BITCOIN}:1x{number}", form, kept))
    pools = tuple(replace(p, residue_bps=draw(st.integers(0, 900))) for p in facts.pools)
    shown = draw(st.booleans())
    return replace(
        facts,
        totals=totals,
        pools=pools,
        positions=tuple(positions) if shown else None,
        prices=draw(st.none() | st.fixed_dictionaries({name: st.fractions(0, 100) for name in ("BTC", "ETH", "USD")})),
    )


@settings(max_examples=150, deadline=None)
@given(books(), st.sampled_from(COVERAGE), st.sampled_from([OMNI, VAULT]), st.integers(1, 10**30), st.data())
def test_a_surplus_elsewhere_cures_no_coverage_failure(
    facts: Facts, rule: str, pool: str, surplus: int, data: st.DataObject
) -> None:
    short = {cell for cell, t in facts.totals.items() if t.reserves < t.liabilities and cell[0] == pool}
    others = sorted(set(facts.totals) - {cell for cell in facts.totals if cell[0] == pool and cell in short})
    if not others:
        return
    cell = data.draw(st.sampled_from(others))
    before = facts.totals[cell]
    more = replace(facts, totals={**facts.totals, cell: replace(before, reserves=before.reserves + surplus)})
    if facts.positions is not None:
        form = next(p.form for p in facts.positions if (p.pool, p.asset) == cell)
        more = replace(more, positions=(*facts.positions, position(*cell, f"{BITCOIN}:1more", form, surplus)))
    if answer(rule, facts, pool) == "FAIL":
        assert answer(rule, more, pool) != "PASS"


@settings(max_examples=150, deadline=None)
@given(books())
def test_coverage_is_the_comparison_and_nothing_else(facts: Facts) -> None:
    for pool in (OMNI, VAULT):
        cells = [t for (owner, _asset), t in facts.totals.items() if owner == pool]
        assert (answer("COV-01", facts, pool) == "PASS") == all(t.reserves >= t.liabilities for t in cells)
        if answer("COV-02", facts, pool) == "FAIL":
            assert answer("COV-01", facts, pool) == "FAIL"


@st.composite
def less(draw: st.DrawFn, facts: Facts) -> Facts:
    """The same facts with some forgotten. A population before a first statement is not a fact to forget: there is
    none, and LIA-03 asks for none."""
    names = draw(st.sets(st.sampled_from(DROPPABLE)))
    if facts.sequence == 0:
        names -= {"population"}
    facts = replace(facts, **dict.fromkeys(names, None))
    if facts.positions is not None and draw(st.booleans()):
        kept = draw(st.lists(st.booleans(), min_size=len(facts.positions), max_size=len(facts.positions)))
        shown = tuple(p for p, keep in zip(facts.positions, kept, strict=True) if keep)
        facts = replace(facts, positions=shown, positions_complete=False)
    if facts.wallets is not None and draw(st.booleans()):
        facts = replace(facts, wallets=tuple(replace(w, opened=None) for w in facts.wallets))
    return replace(facts, publication=draw(st.sampled_from([facts.publication, "none"])))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([case for case in CASES if case.kind != "honest"]), st.data())
def test_forgetting_facts_cures_nothing(case: Case, data: st.DataObject) -> None:
    facts = case.change(honest())
    assert answer(case.rule, data.draw(less(facts)), case.pool) != "PASS"


def test_forgetting_one_fact_cures_nothing() -> None:
    """The same for every case and every single fact, without chance."""
    for case in CASES:
        facts = case.change(honest())
        before = answer(case.rule, facts, case.pool)
        for name in DROPPABLE:
            if name == "population" and facts.sequence == 0:
                continue
            after = answer(case.rule, replace(facts, **{name: None}), case.pool)
            assert after == before or before != "NOT_ASSESSED" or after == "FAIL", (str(case), name)
            if before != "PASS":
                assert after != "PASS", (str(case), name)
        hidden = answer(case.rule, replace(facts, positions_complete=False), case.pool)
        assert before == "PASS" or hidden != "PASS", str(case)


@settings(max_examples=100, deadline=None)
@given(books(), st.sampled_from(list(RULES)))
def test_forgetting_cures_nothing_in_any_books(facts: Facts, rule: str) -> None:
    for pool in (OMNI, VAULT):
        before = answer(rule, facts, pool)
        for name in DROPPABLE:
            if before != "PASS":
                assert answer(rule, replace(facts, **{name: None}), pool) != "PASS"

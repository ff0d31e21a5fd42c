"""Every rule fails on its defect, spares the honest look-alike, and does not read missing evidence as a pass."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from reserveproof.segregation import RULES, Facts, load_profile
from reserveproof.segregation.outcome import MAX_ROWS, RUNNERS, Finding, publishable, settle

from .cases import CASES, Case
from .world import OMNI, VAULT, honest

EXPECTED = {"fails": "FAIL", "honest": "PASS", "unknown": "NOT_ASSESSED"}
PARAMETERS = load_profile("baseline").parameters


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    rule = RULES[case.rule]
    outcome = rule.check(case.change(honest()), PARAMETERS, case.pool if rule.per_pool else "")
    assert outcome.result == EXPECTED[case.kind], outcome
    assert bool(outcome.rows) == (case.kind == "fails")
    assert bool(outcome.note) or case.kind != "unknown", "what was not assessed must say why"
    assert all(row.found and row.limit for row in outcome.rows)
    assert list(outcome.rows) == sorted(set(outcome.rows))


def test_cases_are_named_apart() -> None:
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", EXPECTED)
def test_every_rule_has_every_kind_of_case(rule: str, kind: str) -> None:
    assert any(case.rule == rule and case.kind == kind for case in CASES)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_the_honest_world_passes(rule: object) -> None:
    for pool in (OMNI, VAULT):
        assert rule.check(honest(), PARAMETERS, pool if rule.per_pool else "").result == "PASS"


class Watched:
    """Facts that record which of their members are read."""

    def __init__(self, facts: Facts) -> None:
        self.facts, self.read = facts, set()

    def __getattr__(self, name: str) -> object:
        self.read.add(name)
        return getattr(self.facts, name)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_inputs_are_what_the_check_reads(rule: object) -> None:
    read: set[str] = set()
    for case in (case for case in CASES if case.rule == rule.id):
        watched = Watched(case.change(honest()))
        rule.check(watched, PARAMETERS, case.pool if rule.per_pool else "")
        read |= watched.read
    assert read == set(rule.inputs)
    assert read <= {field.name for field in fields(Facts)}
    assert rule.run_by <= set(RUNNERS)
    assert rule.run_by


def test_settle_needs_no_gap_for_a_pass() -> None:
    row = Finding("p", "A", "", "x", "y")
    assert settle([]).result == "PASS"
    assert settle([], [""]).result == "PASS"
    assert settle([], ["gap"]).result == "NOT_ASSESSED"
    assert settle([row], ["gap"]).result == "FAIL"
    assert settle([row], ["gap"]).note == "gap"


def test_findings_are_bounded_and_the_rest_is_counted() -> None:
    rows = [Finding("p", "A", f"{i:04}", "x", "y") for i in range(MAX_ROWS + 3)]
    outcome = settle(rows, ["gap"])
    assert len(outcome.rows) == MAX_ROWS
    assert outcome.note == "3 further findings are left out; gap"
    assert settle(rows[:MAX_ROWS]).note == ""


@pytest.mark.parametrize("case", [c for c in CASES if c.kind == "fails"], ids=str)
def test_nothing_publishable_names_a_client_or_a_hidden_account(case: Case) -> None:
    rule = RULES[case.rule]
    facts = case.change(honest())
    rows = rule.check(facts, PARAMETERS, case.pool if rule.per_pool else "").rows
    text = "\n".join(map(str, publishable(rows))).lower()
    house = {house.account for house in facts.house}
    hidden = {p.account for p in facts.positions or () if p.asset == "ETH"} - house
    for secret in ("zoe", "carol:", "carol ", "dave", *hidden):
        assert secret.lower() not in text
    assert bool(publishable(rows)) == bool(rows), "a finding that is withheld is still counted"


def test_a_finding_reads_as_a_sentence() -> None:
    assert str(Finding("p", "BTC", "", "reserves 1", "2")) == "p BTC: reserves 1, where the rule asks for 2"
    assert str(Finding("", "", "", "x", "y")) == "x, where the rule asks for y"


def found(case: str) -> tuple[Finding, ...]:
    chosen = next(c for c in CASES if str(c) == case)
    rule = RULES[chosen.rule]
    return rule.check(chosen.change(honest()), PARAMETERS, chosen.pool if rule.per_pool else "").rows


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("COV-01-fails-short by one", "omni BTC: reserves 999, where the rule asks for liabilities 1000"),
        (
            "COV-02-fails-another pool covers",
            "omni BTC: short by 1, while all pools together hold 1700 for 1700, where the rule asks for "
            "every pool alone",
        ),
        (
            "COV-06-fails-one less than owed",
            "vault BTC: dedicated wallets of carol count 200, where the rule asks for 201, the client's own lines",
        ),
        ("COV-07-fails-one above the cap", "omni ETH: residue 6, where the rule asks for at most 5"),
        (
            "LIA-01-fails-credits less debits",
            "omni ETH: total 470, credits less debits, where the rule asks for the sum of credits, 500",
        ),
        (
            "LIA-01-fails-one less than the credits",
            "omni BTC: total 999, where the rule asks for the sum of credits, 1000",
        ),
        (
            "LIA-01-fails-a cell left out of the statement",
            "omni SOL: no total in the statement, where the rule asks for the same cells in both",
        ),
        (
            "LIA-01-fails-a cell left out of the ledger",
            "omni USD: no line in the ledger, where the rule asks for the same cells in both",
        ),
        (
            "LIA-04-fails-one more in the books",
            "omni USD: lines sum to 300, where the rule asks for the control account's 301",
        ),
        ("LIA-04-fails-not in the books", "omni USD: lines sum to 300, where the rule asks for a control total"),
        (
            "LIA-04-fails-not in the ledger",
            "omni SOL: no line in the ledger, where the rule asks for the control account's 5",
        ),
    ],
)
def test_a_finding_says_what_is_wrong(case: str, text: str) -> None:
    assert [str(row) for row in found(case)] == [text]


@pytest.mark.parametrize(
    ("case", "private"),
    [
        ("SEG-01-fails-client and house", True),  # a blinded register's account, though the house list shows it too
        ("SEG-01-fails-house and affiliate, no position", False),
        ("SEG-01-fails-seen in part", False),
        ("SEG-02-fails-dedicated to nobody", True),
        ("SEG-02-fails-twin position", False),
        ("SEG-02-fails-a blinded twin", True),
        ("SEG-10-fails-position twice", True),
        ("SEG-10-fails-one account, two pools", True),
        ("SEG-10-fails-house twice", False),
        ("EVI-02-fails-another claim", False),
    ],
)
def test_what_is_private(case: str, private: bool) -> None:
    assert {row.private for row in found(case)} == {private}


def test_withheld_findings_are_counted() -> None:
    open_row, hidden = Finding("p", "A", "", "x", "y"), Finding("p", "A", "acc", "x", "y", private=True)
    again = Finding("p", "B", "acc", "x", "y", private=True)
    shown = publishable([hidden, again, open_row])
    assert shown == (Finding("p", "", "", "2 findings that are not published", "none"), open_row)


def test_what_is_missing_is_named() -> None:
    rule = RULES["COV-06"]
    for gone, note in (("wallets", "wallet register"), ("ledger", "ledger"), ("positions", "positions")):
        outcome = rule.check(replace(honest(), **{gone: None}), PARAMETERS, VAULT)
        assert note in outcome.note
        assert ";" not in outcome.note

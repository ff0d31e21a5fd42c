"""The registry and the profiles: what is shipped, and that the documentation says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reserveproof.format.errors import PolicyError
from reserveproof.format.identifiers import RULE_ID
from reserveproof.segregation import RULES, load_profile, load_profiles, registered, rules_table
from reserveproof.segregation.profiles import PROFILES, READERS_OWN
from reserveproof.segregation.registry import COLUMNS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"

SHIPPED = """SEG-01 SEG-02 SEG-04 SEG-07 SEG-10 COV-01 COV-02 COV-03 COV-05 COV-06 COV-07 LIA-01 LIA-02 LIA-03 LIA-04
ENC-01 EVI-01 EVI-02 EVI-03 EVI-10 EVI-11 EVI-12 PRV-01 PRV-02 PRV-03"""


def test_the_rules_that_are_shipped() -> None:
    assert sorted(RULES) == sorted(SHIPPED.split())
    assert list(RULES) == sorted(RULES)
    for name, rule in RULES.items():
        assert rule.id == name
        assert RULE_ID.fullmatch(name)
        assert re.fullmatch(r"[A-Z][^.|]*\.", rule.statement), "one plain sentence"
        assert "SEG COV LIA ENC EVI PRV".find(name[:3]) >= 0
    high = {name for name, rule in RULES.items() if rule.severity == "H"}
    assert high == {"SEG-07", "COV-07", "EVI-02", "EVI-11", "EVI-12", "PRV-02", "PRV-03"}
    assert {rule.severity for rule in RULES.values()} == {"X", "H"}


def test_only_readers_judge_equivocation() -> None:
    assert {name for name, rule in RULES.items() if "custodian" not in rule.run_by} == READERS_OWN == {"EVI-12"}


def test_baseline_holds_every_rule() -> None:
    baseline = load_profile("baseline")
    assert set(baseline.rules) == set(RULES)
    assert {name for name, entry in baseline.rules.items() if not entry.required} == READERS_OWN
    for name, entry in baseline.rules.items():
        assert (entry.severity, entry.source) == (RULES[name].severity, "own rule")
    values = baseline.parameters
    assert (values.suspense_days, values.holders, values.residue_cap_bps) == (30, 5, 500)


def test_no_profile_ships_a_blocking_rule_without_a_source() -> None:
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert all(entry.source not in ("", "unverified") for entry in profile.rules.values() if entry.severity == "X")


@pytest.mark.parametrize("names", [["eu-mica"], ["baseline", "BASELINE"], [""], []])
def test_an_unknown_profile_is_refused(names: list[str]) -> None:
    with pytest.raises(PolicyError) as refused:
        load_profiles(names)
    assert refused.value.reason == "profile"


def test_profiles_load_once_each() -> None:
    assert load_profiles(["baseline", "baseline"]) == (load_profile("baseline"),)


def test_the_page_holds_the_registry() -> None:
    assert rules_table() in PAGE.read_text(encoding="utf-8")
    table = rules_table().splitlines()
    assert len(table) == len(RULES) + 2
    assert {line.count(" | ") for line in table if not line.startswith("|---")} == {len(COLUMNS) - 1}


def test_a_rule_is_registered_with_all_columns() -> None:
    row = registered(RULES["SEG-04"])
    assert tuple(row) == COLUMNS
    assert row["scope"] == "pool"
    assert row["run by"] == "custodian, audit"
    assert row["inputs"] == "pools, accounts"

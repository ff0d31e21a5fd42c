"""Beyond the vectors: what the rules add when a bundle is given, and who may accuse whom."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from attacks.toolbox import (
    check_client,
    check_public,
    client_vector,
    in_memory,
    open_world,
    outcome,
    public,
    put,
    signed_world,
)
from reference import policies
from reference.edits import all_of
from reserveproof.verifier import public as public_steps
from reserveproof.verifier.policy import parse_policy
from reserveproof.verifier.record import Record
from reserveproof.verifier.report import Report, as_text, describe_bundle

FEW = put("rules", lambda old: [rule for rule in old if rule["id"] != "COV-07"])
MODEST = all_of(put("verdict", "qualified"), FEW)
PASSED = ("passed", 0, "")


def client_with_bundle(world: Any, predicate: Any = MODEST, **more: Any) -> Any:
    more = {"who": "erin", **more}
    return client_vector("case", "a case", "passed", world=world, predicate=predicate, bundle=lambda _: None, **more)


def old_letters(file: dict[str, Any]) -> None:
    if file["type"] == "control" and file["scheme"] == "letter":
        file["letter"]["date"] = "2019-01-02"


def test_a_clients_bundle_is_taken_through_the_rules():
    """Letters of years ago pass as evidence (they parse, they name the account) and fail EVI-02."""
    assert outcome(lambda: check_client(client_with_bundle(open_world()))) == PASSED
    stale = signed_world(edit_evidence=old_letters)
    listed = all_of(
        MODEST, put("rules", [{"id": "EVI-02", "pool": "", "profile": "baseline", "result": "PASS", "rows": 0}])
    )
    got = outcome(lambda: check_client(client_with_bundle(stale, predicate=listed)))
    assert got == ("failed", 10, "rule-differs")


def test_a_client_does_not_accept_clean_on_a_few_rules():
    got = outcome(lambda: check_client(client_with_bundle(open_world(), predicate=FEW)))
    assert got == ("failed", 10, "verdict")


def test_covered_is_said_only_of_what_was_rebuilt():
    """A bundle whose registers are blinded rebuilds nothing."""
    blinded = signed_world(public=frozenset())
    verified = check_client(client_with_bundle(blinded))
    assert not verified.rebuilt
    assert not any(line.rebuilt for line in verified.lines)
    assert check_client(client_with_bundle(open_world())).rebuilt


def test_the_policys_register_is_for_the_public_too():
    wanted = policies.BASE.replace('"signed"', '"register"')
    assert outcome(lambda: check_public(public(world=open_world(), policy=wanted))) == PASSED
    blinded = public(world=signed_world(public=frozenset()), policy=wanted)
    assert outcome(lambda: check_public(blinded)) == ("policy", 11, "register-needed")


def test_control_totals_in_the_statement_are_its_liabilities():
    totals = [{"asset": "BTC", "credit": "1", "pool": "omni"}]
    vector = public(world=open_world(), predicate=put("ledger.control_totals", totals))
    assert outcome(lambda: check_public(vector)) == ("failed", 11, "control-totals-differ")


def test_a_rule_that_fails_here_and_is_left_out_there_is_said():
    """COV-07 (H) fails in this world; the statement lists no COV-07, so it decides nothing, and is said."""
    verified = check_public(public(world=open_world(), predicate=put("pools.0.residue_bps", 0)))
    failing = {result.id for result in verified.results if result.result == "FAIL"}
    report = Report("public", Record())
    describe_bundle(report, verified)
    text = as_text(report)
    for rule in failing:
        assert f"FAIL here: {rule}" in text
    assert failing, "the world has no failing rule: choose another"


def test_a_bundle_that_nobody_signed_accuses_nobody(tmp_path):
    """SEG-10 takes another custodian's word only when that word verifies under a policy for that custodian."""
    theirs = public(
        world=signed_world(custodian="b-custody"), policy=policies.BASE.replace("acme-custody", "b-custody")
    )
    unsigned = json.loads(theirs["bundle"]["statement.json"])
    unsigned["signatures"] = []
    forged = {
        **theirs,
        "bundle": {**theirs["bundle"], "statement.json": json.dumps(unsigned, separators=(",", ":"), sort_keys=True)},
    }
    assert outcome(lambda: check_public(public(world=open_world()), others=(theirs,))) == ("failed", 11, "rule-fails")
    assert outcome(lambda: check_public(public(world=open_world()), others=(forged,))) == ("policy", 2, "quorum")


class FlipFlop:
    """A bundle on a disk that gives other bytes the second time it is asked."""

    def __init__(self, files: dict[str, str], junk: bytes) -> None:
        self._bundle, self._junk = in_memory(files), junk
        self._asked: set[str] = set()

    def names(self) -> frozenset[str]:
        return self._bundle.names()

    def read(self, name: str, max_bytes: int) -> bytes:
        if name in self._asked:
            return self._junk
        self._asked.add(name)
        return self._bundle.read(name, max_bytes)


def test_bytes_are_compared_at_every_use():
    vector = public(world=open_world())

    def run() -> None:
        public_steps.check_bundle(
            FlipFlop(vector["bundle"], b"{}"),
            policy=parse_policy(vector["policy"].encode()),
            last=None,
            at=public_steps.dt.datetime(2026, 7, 5, tzinfo=public_steps.dt.UTC),
            digest="",
            others=None,
            record=Record(),
        )

    assert outcome(run) == ("failed", 7, "file-differs")


def test_verified_values_cannot_be_altered():
    verified = check_public(public(world=open_world()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        verified.results = ()

"""The verdict that results amount to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from ..format.errors import EvidenceError, MalformedError, shown
from ..format.vocabulary import RESULTS
from .profiles import load_profile
from .registry import RULES
from .run import RuleResult

Verdict: TypeAlias = Literal["clean", "qualified", "failing"]

BLOCKING = frozenset({"X", "H"})
"""Severities that a clean verdict needs as PASS."""


def verdict_of(results: Iterable[RuleResult], pools: Mapping[str, Iterable[str]]) -> Verdict:
    """`failing` if an X rule FAILs; `clean` if every X and H rule that the profiles require, for every pool and for
    the whole, is PASS and no other X or H rule FAILs; else `qualified`.

    pools: each pool of the statement with the names of its profiles, so that a result left out is seen. Severities
    are the profiles', not the results'. EvidenceError(reason="no-results") if there is nothing to judge by;
    MalformedError for an answer that is twice there or unknown; PolicyError for an unknown profile.
    """
    answers: dict[tuple[str, str, str], str] = {}
    for result in results:
        key = (result.pool, result.profile, result.id)
        if key in answers:
            raise MalformedError("a rule is answered twice", reason="rules", found=shown(" ".join(key)))
        if result.result not in RESULTS or result.id not in RULES:
            found = shown(f"{result.id} {result.result}")
            raise MalformedError("not a rule or not an answer", reason="rules", found=found)
        answers[key] = result.result
    needed = set(_needed(pools))
    if not answers or not needed:
        raise EvidenceError("there is no result to judge by", reason="no-results")
    severity = {}
    for key in answers.keys() | needed:
        entry = load_profile(key[1]).rules.get(key[2])
        severity[key] = entry.severity if entry else RULES[key[2]].severity
    failed = {severity[key] for key, answer in answers.items() if answer == "FAIL"}
    if "X" in failed:
        return "failing"
    met = all(answers.get(key) == "PASS" for key in needed if severity[key] in BLOCKING)
    return "clean" if met and not failed & BLOCKING else "qualified"


def _needed(pools: Mapping[str, Iterable[str]]) -> Iterable[tuple[str, str, str]]:
    """(pool, profile, id) of every answer that the profiles require."""
    for pool, names in pools.items():
        known = list(names)
        if not known:
            raise MalformedError("a pool is under no profile", reason="profile", found=shown(pool))
        for name in known:
            for rule_id, entry in load_profile(name).rules.items():
                if entry.required:
                    yield (pool if RULES[rule_id].per_pool else "", name, rule_id)

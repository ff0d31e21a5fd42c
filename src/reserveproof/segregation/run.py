"""Running the registry over facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..format.errors import MalformedError, PolicyError, shown
from .facts import Facts
from .outcome import RUNNERS, Finding, Outcome, Result, Rule, Runner, Severity
from .profiles import Profile, load_profiles
from .registry import RULES


@dataclass(frozen=True, slots=True)
class RuleResult:
    """A rule's answer for one pool ("" = the whole) under one profile, with that profile's severity."""

    id: str
    pool: str
    profile: str
    severity: Severity
    result: Result
    rows: tuple[Finding, ...]
    note: str


def run_rules(facts: Facts, profiles: Iterable[str], runner: Runner) -> tuple[RuleResult, ...]:
    """Every rule of the named profiles, strictly ascending by (pool, profile, id).

    A pool is judged under those of the profiles that it names. A rule that this runner cannot run is answered
    NOT_ASSESSED; the custodian leaves out those that only a reader can answer. MalformedError where the facts do
    not hang together (an undeclared or twin pool); PolicyError where a profile is unknown, or a pool is under none
    of those named: it would go unjudged.
    """
    if runner not in RUNNERS:
        raise ValueError(f"no such runner: {runner}")
    loaded = load_profiles(profiles)
    _refuse_loose_ends(facts)
    for pool in facts.pools:
        if not {profile.name for profile in loaded} & set(pool.profiles):
            raise PolicyError(
                f"the pool {pool.pool} would be judged under no profile",
                reason="profile",
                expected=" or ".join(profile.name for profile in loaded),
                found=shown(", ".join(pool.profiles)),
            )
    results = [result for profile in loaded for result in _run_profile(facts, profile, runner)]
    return tuple(sorted(results, key=lambda result: (result.pool, result.profile, result.id)))


def _run_profile(facts: Facts, profile: Profile, runner: Runner) -> Iterator[RuleResult]:
    pools = [pool.pool for pool in facts.pools if profile.name in pool.profiles]
    for name, entry in profile.rules.items():
        rule = RULES[name]
        if runner == "custodian" and runner not in rule.run_by:
            continue
        for pool in pools if rule.per_pool else [""]:
            outcome = _answer(rule, facts, profile, runner, pool)
            yield RuleResult(name, pool, profile.name, entry.severity, outcome.result, outcome.rows, outcome.note)


def _answer(rule: Rule, facts: Facts, profile: Profile, runner: Runner, pool: str) -> Outcome:
    if runner not in rule.run_by:
        who = ", ".join(other for other in RUNNERS if other in rule.run_by)
        return Outcome("NOT_ASSESSED", (), f"only by: {who}")
    return rule.check(facts, profile.parameters, pool)


def _refuse_loose_ends(facts: Facts) -> None:
    """A cell, position or wallet of a pool that is not declared would be judged by no rule."""
    declared = [pool.pool for pool in facts.pools]
    if not declared:
        raise MalformedError("there is no pool to judge", reason="pool")
    if len(set(declared)) != len(declared) or "" in declared:
        raise MalformedError("a pool is declared twice, or has no name", reason="pool")
    named = {pool for pool, _asset in facts.totals}
    named |= {position.pool for position in facts.positions or ()}
    named |= {wallet.pool for wallet in facts.wallets or () if wallet.pool}
    named |= {exclusion[0] for exclusion in facts.exclusions} | {disclosure[0] for disclosure in facts.disclosures}
    if facts.accounts is not None:
        named |= {key[0] for key in (*facts.accounts.by_type, *facts.accounts.debits_by_type)}
    stray = sorted(named - set(declared))
    if stray:
        raise MalformedError("a pool is used that is not declared", reason="pool", found=shown(stray[0]))
    disclosed = [disclosure[:3] for disclosure in facts.disclosures]
    if len(set(disclosed)) != len(disclosed):
        raise MalformedError("a disclosure stands twice", reason="disclosure")
    assets = [asset.asset for asset in facts.assets]
    if len(set(assets)) != len(assets):
        raise MalformedError("an asset is defined twice", reason="asset")

"""Verification of a published bundle by anyone: docs/spec/verification.md, "Public"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .. import segregation
from ..format import envelope, manifest, register
from ..format.errors import EvidenceError, shown
from ..format.limits import MAX_REGISTER_BYTES, MAX_STATEMENT_BYTES
from ..format.statement import Statement, parse_payload
from .bundle import Bundle
from .coverage import check_cell_coverage
from .facts import public_facts
from .last_seen import LastSeen
from .policy import Policy
from .record import Record
from .register_steps import RebuiltRegister, check_evidence, check_register, check_trees, read_manifest
from .statement_steps import Trusted, establish, severity_of


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    trusted: Trusted
    rebuilt: RebuiltRegister
    facts: segregation.Facts
    results: tuple[segregation.RuleResult, ...]
    """Every rule of the pools' profiles as this reader could run it; empty before step 11."""


def check_public(
    bundle: Bundle,
    *,
    policy: Policy,
    last: LastSeen | None,
    at: dt.datetime,
    digest: str,
    others: Sequence[Bundle],
    record: Record,
) -> VerifiedBundle:
    """Steps 1 to 12 over a bundle. others: further bundles, of any custodian, whose registers may not claim the
    same positions."""
    verified = check_bundle(bundle, policy=policy, last=last, at=at, digest=digest, others=others, record=record)
    with record.step(11, "Rules") as step:
        results = run_and_compare(verified.facts, verified.trusted, "public")
        run = sum(result.result != "NOT_ASSESSED" for result in results)
        step.lines.append(f"{run} of {len(results)} rule results reached here, none against the statement")
    with record.step(12, "Say what was not checked"):
        _always_unchecked(results, record)
    return replace(verified, results=results)


def check_bundle(
    bundle: Bundle,
    *,
    policy: Policy,
    last: LastSeen | None,
    at: dt.datetime,
    digest: str,
    others: Sequence[Bundle],
    record: Record,
) -> VerifiedBundle:
    """Steps 1 to 10: everything but the rules, which an auditor runs with more facts."""
    with record.step(1, "Parse") as step:
        parsed = envelope.parse(bundle.read(manifest.STATEMENT_FILE, 2 * MAX_STATEMENT_BYTES))
        attested = parse_payload(parsed.payload)
        step.lines.append(f"statement of {len(parsed.payload)} bytes, {len(parsed.signatures)} signatures")
    trusted = establish(
        parsed,
        attested,
        named_sha256=None,
        policy=policy,
        at=at,
        last=last,
        digest=digest,
        record=record,
        digest_required=False,
    )
    statement = trusted.statement
    with record.step(6, "Bundle") as step:
        files = read_manifest(bundle, trusted)
        step.lines.append(f"{len(files)} files, all as signed")
    with record.step(7, "Register") as step:
        entries = check_register(bundle, statement)
        step.lines.append(f"{len(entries)} positions in public registers")
    with record.step(8, "Evidence") as step:
        positions = check_evidence(bundle, files, statement, entries)
        proved = sum(position.control is not None for position in positions)
        step.lines.append(f"control shown for {proved} positions; observations agree with the anchors")
    with record.step(9, "Trees") as step:
        rebuilt = check_trees(statement, positions, record)
        step.lines.append(f"{len(rebuilt.cells)} reserves trees rebuilt to the signed roots")
    with record.step(10, "Coverage") as step:
        decimals = {asset.asset: asset.decimals for asset in statement.assets}
        cells = 0
        for pool in statement.pools:
            for cell in pool.assets:
                check_cell_coverage(policy, pool.pool, cell, decimals[cell.asset])
                cells += 1
        step.lines.append(f"reserves are at least what is owed in each of {cells} cells")
    facts = public_facts(trusted, rebuilt, others=_claimed(others) if others else None)
    return VerifiedBundle(trusted, rebuilt, facts, ())


def _claimed(others: Sequence[Bundle]) -> frozenset[tuple[str, str]]:
    """What other bundles' registers claim, right or wrong: a claim is enough to ask whose it is."""
    claimed: set[tuple[str, str]] = set()
    for other in others:
        for entry in register.parse(other.read(manifest.REGISTER_FILE, MAX_REGISTER_BYTES)):
            claimed.add((entry.position.account, entry.position.form))
    return frozenset(claimed)


# (11)
def run_and_compare(
    facts: segregation.Facts, trusted: Trusted, runner: segregation.Runner
) -> tuple[segregation.RuleResult, ...]:
    """Every rule run here. EvidenceError where an X rule fails (reason="rule-fails"), or where the statement says
    PASS and it fails here (reason="rule-differs")."""
    statement = trusted.statement
    profiles = sorted({profile for pool in statement.pools for profile in pool.profiles})
    results = segregation.run_rules(facts, profiles, runner)
    for rule in statement.rules:
        if rule.result == "FAIL" and severity_of(rule.id) == "X":
            raise EvidenceError(
                f"the custodian itself states that rule {rule.id} fails for {rule.pool or 'the whole'}",
                reason="rule-fails",
                expected="PASS",
                found=f"FAIL, {rule.rows} findings",
            )
    _check_verdict(statement)
    stated = {(rule.pool, rule.profile, rule.id): rule.result for rule in statement.rules}
    for result in results:
        if result.result != "FAIL":
            continue
        grave = result.severity == "X"
        said = stated.get((result.pool, result.profile, result.id))
        if grave or said == "PASS":
            finding = str(result.rows[0]) if result.rows else result.note
            raise EvidenceError(
                f"rule {result.id} fails for {result.pool or 'the whole'}: {shown(finding)}",
                reason="rule-fails" if grave else "rule-differs",
                expected="PASS" if grave else "PASS, as the statement says",
                found=f"FAIL, {len(result.rows)} findings",
                hint="see docs/reference/rules.md for what the rule demands",
            )
    return results


def _check_verdict(statement: Statement) -> None:
    """A verdict of clean rests on every rule that the profiles require, also those that the statement leaves out
    (step 3 saw only those that it lists)."""
    listed = [
        segregation.RuleResult(r.id, r.pool, r.profile, "X", _result(r.result), (), "")
        for r in statement.rules
        if r.id in segregation.RULES
    ]
    derived = segregation.verdict_of(listed, {pool.pool: pool.profiles for pool in statement.pools})
    if statement.verdict == "clean" and derived != "clean":
        raise EvidenceError(
            "the statement says clean without every rule result that its profiles require",
            reason="verdict",
            expected=derived,
            found=statement.verdict,
        )


def _result(result: str) -> segregation.outcome.Result:
    return "PASS" if result == "PASS" else "FAIL" if result == "FAIL" else "NOT_ASSESSED"


# (12)
def _always_unchecked(results: Sequence[segregation.RuleResult], record: Record) -> None:
    open_rules = sorted({result.id for result in results if result.result == "NOT_ASSESSED"})
    if open_rules:
        record.unchecked("rules that public data does not decide; the custodian states them: " + ", ".join(open_rules))
    record.unchecked("what is owed to clients: each client, or an auditor, checks that")
    record.unchecked("that observed balances are true: methods are as declared")
    record.unchecked("that wallet signatures are not younger than their challenge's end: no independent timestamp")
    record.unchecked("borrowing, and encumbrances beyond those declared")

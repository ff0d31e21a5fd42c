"""The rules, run by a reader and held against what the statement says of them: docs/spec/verification.md, public 11."""

from __future__ import annotations

from collections.abc import Iterable

from .. import segregation
from ..format.errors import EvidenceError, PolicyError, shown
from ..format.statement import RuleRow, Statement
from ..segregation.outcome import Result
from .policy import Policy
from .statement_steps import Trusted
from .structure import severity_of

Cell = tuple[str, str]


def refuse_stated_failures(statement: Statement, pools: Iterable[str] | None = None) -> None:
    """EvidenceError(reason="rule-fails") where the custodian itself says that an X rule fails, for the whole or for one
    of these pools (None: for any)."""
    wanted = None if pools is None else {"", *pools}
    for rule in statement.rules:
        if rule.result == "FAIL" and severity_of(rule.id) == "X" and (wanted is None or rule.pool in wanted):
            raise EvidenceError(
                f"the custodian itself states that rule {rule.id} fails for {rule.pool or 'the whole'}",
                reason="rule-fails",
                expected="PASS",
                found=f"FAIL, {rule.rows} findings",
                hint="see docs/reference/rules.md for what the rule demands",
            )


def require_rebuilt(policy: Policy, statement: Statement, rebuilt: frozenset[Cell]) -> None:
    """Where the policy wants the register rebuilt, all of it is. PolicyError(reason="register-needed")."""
    missing = [
        f"{pool.pool} {cell.asset}"
        for pool in statement.pools
        for cell in pool.assets
        if (pool.pool, cell.asset) not in rebuilt
    ]
    if policy.reserves == "register" and missing:
        raise PolicyError(
            "the policy asks for the register of reserves to be rebuilt here",
            reason="register-needed",
            expected="every register",
            found="without " + ", ".join(missing),
            hint="only who has the sealed register and the snapshot key can rebuild a blinded one",
        )


def run_and_compare(
    facts: segregation.Facts,
    trusted: Trusted,
    runner: segregation.Runner,
    pools: Iterable[str] | None = None,
) -> tuple[segregation.RuleResult, ...]:
    """Every rule run here; those of these pools and of the whole are judged (None: of every pool).

    EvidenceError where an X rule fails, here or by the custodian's own word (reason="rule-fails"); where the statement
    says PASS and it fails here (reason="rule-differs"); where the statement's own control totals are not its
    liabilities (reason="control-totals-differ"); where its verdict does not rest on every rule required
    (reason="verdict").
    """
    statement = trusted.statement
    wanted = None if pools is None else {"", *pools}
    refuse_stated_failures(statement, pools)
    _check_control_totals(statement)
    _check_verdict(statement)
    profiles = sorted({profile for pool in statement.pools for profile in pool.profiles})
    results = segregation.run_rules(facts, profiles, runner)
    for result in results:
        if result.result != "FAIL" or (wanted is not None and result.pool not in wanted):
            continue
        grave = result.severity == "X"
        if grave or any(_says_pass(rule, result) for rule in statement.rules):
            finding = str(result.rows[0]) if result.rows else result.note
            raise EvidenceError(
                f"rule {result.id} fails for {result.pool or 'the whole'}: {shown(finding)}",
                reason="rule-fails" if grave else "rule-differs",
                expected="PASS" if grave else "PASS, as the statement says",
                found=f"FAIL, {len(result.rows)} findings",
                hint="see docs/reference/rules.md for what the rule demands",
            )
    return results


def _says_pass(rule: RuleRow, result: segregation.RuleResult) -> bool:
    """Whether a row claims what was refuted: for this pool, or for the whole that the pool is a part of."""
    return rule.id == result.id and rule.result == "PASS" and rule.pool in ("", result.pool)


def _check_control_totals(statement: Statement) -> None:
    liabilities = {(pool.pool, cell.asset): cell.liabilities.total for pool in statement.pools for cell in pool.assets}
    for total in statement.ledger.control_totals:
        signed = liabilities.get((total.pool, total.asset), 0)
        if total.credit != signed:
            raise EvidenceError(
                f"{total.pool} {total.asset}: the statement's control total is not its liabilities",
                reason="control-totals-differ",
                expected=str(signed),
                found=str(total.credit),
            )


def _check_verdict(statement: Statement) -> None:
    """A verdict of clean rests on every rule that the profiles require, also those that the statement leaves out
    (step 3 saw only those that it lists)."""
    if statement.verdict != "clean":
        return
    listed = [
        segregation.RuleResult(r.id, r.pool, r.profile, "X", _result(r.result), (), "")
        for r in statement.rules
        if r.id in segregation.RULES
    ]
    derived = (
        segregation.verdict_of(listed, {pool.pool: pool.profiles for pool in statement.pools})
        if listed
        else "qualified"
    )
    if derived != "clean":
        raise EvidenceError(
            "the statement says clean without every rule result that its profiles require",
            reason="verdict",
            expected=derived,
            found=statement.verdict,
        )


def _result(result: str) -> Result:
    return "PASS" if result == "PASS" else "FAIL" if result == "FAIL" else "NOT_ASSESSED"

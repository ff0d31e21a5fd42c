"""Verification of a published bundle by anyone: docs/spec/verification.md, "Public"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .. import segregation
from ..format import envelope, manifest
from ..format.limits import MAX_STATEMENT_BYTES
from ..format.statement import parse_payload
from .bundle import Bundle
from .bundle_step import read_manifest
from .coverage import check_cell_coverage
from .evidence_step import check_evidence
from .facts import public_facts
from .last_seen import LastSeen
from .log_step import NO_LOG, LogGiven
from .policy import Policy
from .record import Record
from .register_steps import RebuiltRegister, check_register, check_trees
from .rules_step import require_rebuilt, run_and_compare
from .statement_steps import Trusted, establish


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
    others: Sequence[RebuiltRegister] | None,
    record: Record,
    log: LogGiven | None = NO_LOG,
) -> VerifiedBundle:
    """Steps 1 to 12 over a bundle. others: verified registers of other custodians, which may not hold the same
    positions; None if the reader has none to compare. log: the log proof, if the policy asks for one; None if its
    absence is to be listed only."""
    verified = check_bundle(
        bundle, policy=policy, last=last, at=at, digest=digest, others=others, record=record, log=log
    )
    with record.step(11, "Rules") as step:
        require_rebuilt(policy, verified.trusted.statement, verified.rebuilt.cells)
        results = run_and_compare(verified.facts, verified.trusted, "public")
        run = sum(result.result != "NOT_ASSESSED" for result in results)
        failed = sum(result.result == "FAIL" for result in results)
        step.lines.append(f"{run} of {len(results)} rule results reached here, {failed} FAIL")
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
    others: Sequence[RebuiltRegister] | None,
    record: Record,
    log: LogGiven | None = NO_LOG,
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
        log=log,
        digest_required=False,
    )
    statement = trusted.statement
    with record.step(6, "Bundle") as step:
        files = read_manifest(bundle, trusted)
        step.lines.append(f"{len(files)} files, all as signed")
    with record.step(7, "Register") as step:
        entries = check_register(bundle, files, statement)
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
    facts = public_facts(trusted, rebuilt, others=None if others is None else _claimed(others))
    return VerifiedBundle(trusted, rebuilt, facts, ())


def _claimed(others: Sequence[RebuiltRegister]) -> frozenset[tuple[str, str]]:
    """(account, form) of every position that other custodians' verified registers hold."""
    return frozenset(
        (shown.entry.position.account, shown.entry.position.form) for other in others for shown in other.positions
    )


# (12)
def _always_unchecked(results: Sequence[segregation.RuleResult], record: Record) -> None:
    open_rules = sorted({result.id for result in results if result.result == "NOT_ASSESSED"})
    if open_rules:
        record.unchecked("rules that public data does not decide; the custodian states them: " + ", ".join(open_rules))
    record.unchecked("what is owed to clients: each client, or an auditor, checks that")
    record.unchecked("that observed balances are true: methods are as declared")
    record.unchecked("that wallet signatures are not younger than their challenge's end: no independent timestamp")
    record.unchecked("borrowing, and encumbrances beyond those declared")

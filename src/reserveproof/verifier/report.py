"""What a verification says: for people as text, for machines as one JSON document.

Words from the allowed list only: at T, for entity E, what was compared and what was not. Never that someone is
solvent, safe, audited or guaranteed. Everything foreign goes through shown().
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..format.amounts import to_readable
from ..format.errors import ReserveProofError
from ..format.statement import Statement
from ..format.times import format_time
from ..segregation import RuleResult
from .audit import VerifiedAudit
from .client import VerifiedClient
from .history import VerifiedHistory
from .history_changes import COMPARED
from .public import VerifiedBundle
from .record import Record
from .statement_steps import Trusted

LIMITS = (
    "This is not an audit. It speaks of one point in time, and of what is owed only as in the ledger supplied.",
    "Inclusion shows your line, not that every other client's is there.",
    "Keys are not legal title; encumbrances are as declared; assets may be borrowed beyond the checks named.",
)
NEIGHBOUR = "Your proof file shows one other holder's exact amount, without a name. Do not publish it."

CLASSES = {0: "passed", 1: "fault", 2: "usage", 3: "failed", 4: "malformed", 5: "policy", 6: "transport"}
"""Exit status to class, as in docs/spec/verification.md."""


@dataclass(slots=True)
class Report:
    """A finished run. facts: what machines get beside the steps; headline and body: what people read."""

    command: str
    record: Record
    headline: str = ""
    body: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    error: ReserveProofError | None = None

    @property
    def exit_status(self) -> int:
        return self.error.exit_status if self.error else 0


def as_json(report: Report) -> str:
    """Exactly one JSON document, ASCII, keys in order."""
    error = report.error
    document: dict[str, object] = {
        "command": report.command,
        "class": CLASSES[report.exit_status],
        "exit_status": report.exit_status,
        "facts": {**report.record.about, **report.facts},
        "failure": None
        if error is None
        else {
            "step": error.step,
            "reason": error.reason,
            "message": error.message,
            "expected": error.expected,
            "found": error.found,
            "hint": error.hint,
        },
        "steps": [
            {"number": step.number, "title": step.title, "passed": step.passed, "compared": step.lines}
            for step in report.record.steps
        ],
        "not_checked": report.record.not_checked,
    }
    return json.dumps(document, indent=2, ensure_ascii=True, sort_keys=True)


def as_text(report: Report) -> str:
    """The report for people: answer last, so that the last line is the verdict."""
    lines: list[str] = [shown_line(line) for line in report.body]
    if lines:
        lines.append("")
    lines.append("Steps:")
    for step in report.record.steps:
        mark = "ok  " if step.passed else "FAIL"
        lines.append(
            f"  {mark} {step.number:>2} {step.title}" + "".join(f"\n          {shown_line(x)}" for x in step.lines)
        )
    if report.record.not_checked:
        lines += ["", "Not checked:", *(f"  - {shown_line(text)}" for text in report.record.not_checked)]
    if report.error is None:
        lines += ["", *LIMITS, "", f"passed: {report.headline}"]
    return "\n".join(lines)


def error_text(error: ReserveProofError) -> str:
    """A refusal in a few lines: where, what, expected, found, what to do."""
    where = f"step {error.step}: " if error.step else ""
    lines = [f"reserveproof-verify: error: {where}{shown_line(error.message)}"]
    if error.expected:
        lines.append(f"  expected: {shown_line(error.expected)}")
    if error.found:
        lines.append(f"  found:    {shown_line(error.found)}")
    if error.hint:
        lines.append(f"hint: {shown_line(error.hint)}")
    lines.append(f"{CLASSES[error.exit_status]}" + (f" ({error.reason})" if error.reason else ""))
    return "\n".join(lines)


def shown_line(text: str) -> str:
    """One line of a report: what is not printable ASCII is escaped, whoever wrote it."""
    return text if text.isascii() and text.isprintable() else text.encode("unicode_escape").decode("ascii")


def describe_client(report: Report, result: VerifiedClient) -> None:
    """The client's answer in three parts: included, covered, what the custodian states."""
    statement = result.trusted.statement
    report.headline = (
        f"your {_count(len(result.lines), 'balance')} included and covered, as of {statement.as_of}"
        if result.rebuilt
        else f"your {_count(len(result.lines), 'balance')} included; covered by the reserves that were signed, "
        f"as of {statement.as_of}"
    )
    report.body += [*_who(result.trusted), "", "Included: every balance you stated is in the signed total."]
    for line in result.lines:
        amount = to_readable(line.amount, line.decimals)
        report.body.append(f"  {line.asset} in {line.pool}: {amount}, compared {line.digits_typed}")
        for bucket, credit in line.buckets:
            if bucket != "available" or len(line.buckets) > 1:
                report.body.append(f"    {bucket}: {to_readable(credit, line.decimals)}")
        if line.debit:
            report.body.append(f"    you owe: {to_readable(line.debit, line.decimals)} (never netted)")
    report.body += ["", "Covered: in each pool and asset, reserves are at least what is owed to all clients together."]
    for line in result.lines:
        how = "rebuilt here" if line.rebuilt else "as the custodian signed"
        owed, held = to_readable(line.liabilities, line.decimals), to_readable(line.reserves, line.decimals)
        weakest = line.weakest_class or "none needed"
        report.body.append(
            f"  {line.asset} in {line.pool}: owed {owed}, held {held} ({how}; weakest control {weakest})"
        )
    for position in result.dedicated:
        surplus = f", {to_readable(position.surplus, position.decimals)} above your balance" if position.surplus else ""
        report.body.append(
            f"  dedicated to you: {position.account} holds {to_readable(position.counted, position.decimals)} "
            f"{position.asset}{surplus}"
        )
    report.body += [
        "",
        *_pools(statement, {line.pool for line in result.lines}),
        "",
        *_stated(statement),
        "",
        NEIGHBOUR,
    ]
    report.facts = {
        "lines": [
            {
                "pool": line.pool,
                "asset": line.asset,
                "amount": str(line.amount),
                "debit": str(line.debit),
                "decimals": line.decimals,
                "buckets": {bucket: str(credit) for bucket, credit in line.buckets},
                "liabilities": str(line.liabilities),
                "reserves": str(line.reserves),
                "reserves_rebuilt": line.rebuilt,
                "weakest_class": line.weakest_class,
            }
            for line in result.lines
        ],
        "dedicated": [
            {
                "account": p.account,
                "form": p.form,
                "pool": p.pool,
                "asset": p.asset,
                "counted": str(p.counted),
                "surplus": str(p.surplus),
            }
            for p in result.dedicated
        ],
    }


def describe_bundle(report: Report, result: VerifiedBundle, rebuilt: frozenset[tuple[str, str]] | None = None) -> None:
    """The public's answer. rebuilt: the cells whose reserves were rebuilt, if an auditor rebuilt more."""
    statement = result.trusted.statement
    cells = result.rebuilt.cells if rebuilt is None else rebuilt
    report.headline = f"the published bundle holds together, as of {statement.as_of}"
    report.body += [*_who(result.trusted), "", *_grid(statement, cells), "", *_stated(statement)]
    report.body += _failing(result.results)
    report.facts = {
        "positions": len(result.rebuilt.positions),
        "cells_rebuilt": sorted("/".join(cell) for cell in result.rebuilt.cells),
        "rules": [{"id": r.id, "pool": r.pool, "result": r.result} for r in result.results],
    }


def describe_audit(report: Report, result: VerifiedAudit) -> None:
    describe_bundle(report, result.public, result.rebuilt)
    statement = result.public.trusted.statement
    everything = sum(len(pool.assets) for pool in statement.pools)
    report.headline = (
        f"the ledger and {len(result.rebuilt)} of {everything} reserves trees are as signed, as of {statement.as_of}"
    )
    report.facts |= {
        "ledger_rows": result.rows,
        "leaves": result.leaves,
        "cells_rebuilt": sorted("/".join(cell) for cell in result.rebuilt),
        "rules": [
            {"id": r.id, "pool": r.pool, "severity": r.severity, "result": r.result, "findings": len(r.rows)}
            for r in result.results
        ],
    }
    report.body += [
        "",
        f"Rebuilt: {result.rows} ledger rows, {result.leaves} leaves, {len(result.rebuilt)} reserves trees.",
    ]
    failing = [r for r in result.results if r.result == "FAIL"]
    for rule in failing:
        report.body.append(
            f"  {rule.id} ({rule.severity}) FAIL in {rule.pool or 'the whole'}: {len(rule.rows)} findings"
        )
        report.body += [f"    {finding}" for finding in rule.rows[:10]]


def describe_history(report: Report, result: VerifiedHistory) -> None:
    """Statement by statement what changed."""
    log, newest = result.log.checkpoint, result.steps[-1].statement
    report.headline = f"{_count(len(result.steps), 'statement')} in one unbroken chain, the last as of {newest.as_of}"
    if result.not_shown:
        report.headline += f"; {len(result.not_shown)} of the chain not shown"
    report.body += [f"Statements of {newest.custodian.name} ({newest.custodian.id}), log {log.origin}"]
    for step in result.steps:
        statement = step.statement
        report.body += [
            "",
            f"{statement.sequence}: as of {statement.as_of}, verdict as stated {statement.verdict}",
            f"  digest {step.payload_sha256.hex()}",
            *_against(step.before, statement.sequence),
            *(f"  {change}" for change in step.changed),
        ]
        if not step.changed and statement.sequence:
            report.body.append(f"  nothing changed in {COMPARED}")
    report.facts = {
        "log": {"origin": log.origin, "size": log.size, "root": log.root.hex()},
        "witnesses": [one.name for one in result.log.witnesses],
        "statements": [
            {
                "sequence": step.statement.sequence,
                "as_of": step.statement.as_of,
                "payload_sha256": step.payload_sha256.hex(),
                "changed": list(step.changed),
                "changed_since": step.before,
            }
            for step in result.steps
        ],
        "not_shown": [
            {"sequence": entry.sequence, "as_of": entry.as_of, "payload_sha256": entry.payload_sha256.hex()}
            for entry in result.not_shown
        ],
        "logged_afterwards": list(result.afterwards),
    }


def _against(before: int | None, sequence: int) -> list[str]:
    """Said where the statement before is not shown."""
    return [] if before is None or before == sequence - 1 else [f"  compared with statement {before}:"]


def _failing(results: Sequence[RuleResult]) -> list[str]:
    """Rules that fail here and do not end the verification: the statement says so too, or leaves them out."""
    lines: list[str] = []
    for rule in results:
        if rule.result == "FAIL":
            lines.append(
                f"FAIL here: {rule.id} ({rule.severity}) in {rule.pool or 'the whole'}, {len(rule.rows)} findings"
            )
            lines += [f"  {finding}" for finding in rule.rows[:10]]
    return lines


def _who(trusted: Trusted) -> list[str]:
    statement = trusted.statement
    who = statement.custodian
    return [
        f"Statement {statement.sequence} of {who.name} ({who.id}{', ' + who.jurisdiction if who.jurisdiction else ''})",
        f"as of {statement.as_of}, issued {statement.issued_at}, valid until {statement.valid_until}",
        f"digest {trusted.payload_sha256.hex()}",
    ]


def _pools(statement: Statement, wanted: set[str]) -> list[str]:
    lines = ["How it is held, as the custodian states:"]
    for pool in statement.pools:
        if pool.pool in wanted:
            trustee = f", trustee {pool.trustee}" if pool.trustee else ""
            law = f", under {pool.law}" if pool.law else ""
            lines.append(f"  {pool.pool}: {pool.legal_form.replace('_', ' ')}, {pool.model}{law}{trustee}")
    return lines


def _stated(statement: Statement) -> list[str]:
    open_rules = sum(rule.result == "NOT_ASSESSED" for rule in statement.rules)
    failed = [rule.id for rule in statement.rules if rule.result == "FAIL"]
    lines = [
        f"The custodian states: verdict {statement.verdict}; {len(statement.rules)} rule results, "
        f"{len(failed)} FAIL{' (' + ', '.join(failed) + ')' if failed else ''}, {open_rules} not assessed."
    ]
    if statement.exclusions:
        lines.append(f"It lists {_count(len(statement.exclusions), 'exclusion')}.")
    if statement.dispute.contact:
        lines.append(f"Disputes: {statement.dispute.contact}, within {statement.dispute.days} days.")
    return lines


def _grid(statement: Statement, rebuilt: frozenset[tuple[str, str]]) -> list[str]:
    """Pool x asset; never one global ratio."""
    rows: list[Sequence[str]] = [("pool", "asset", "owed", "held", "residue", "encumbered", "reserves")]
    for pool in statement.pools:
        for cell in pool.assets:
            asset = statement.asset(cell.asset)
            decimals = asset.decimals if asset else 0
            rows.append(
                (
                    pool.pool,
                    cell.asset,
                    to_readable(cell.liabilities.total, decimals),
                    to_readable(cell.reserves.total, decimals),
                    to_readable(max(cell.reserves.total - cell.liabilities.total, 0), decimals),
                    to_readable(cell.reserves.encumbered, decimals),
                    "rebuilt" if (pool.pool, cell.asset) in rebuilt else "as signed",
                )
            )
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    return [
        "  ".join(
            value.ljust(width) if column in (0, 1, 6) else value.rjust(width)
            for column, (value, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def shareable(report: Report) -> str:
    """A result that can be shown to anyone: no id, code, balance, blind, account or neighbour (attack 20)."""
    about = report.record.about
    document = {
        "class": CLASSES[report.exit_status],
        "failed_step": report.error.step if report.error else 0,
        "reason": report.error.reason if report.error else "",
        "statement": {
            key: about[key] for key in ("custodian", "snapshot_id", "sequence", "as_of", "payload_sha256") if about
        },
        "steps_passed": [step.number for step in report.record.steps if step.passed],
        "note": "Whether one client's own lines passed. It shows nothing about other clients' lines.",
    }
    return json.dumps(document, indent=2, ensure_ascii=True, sort_keys=True)


def receipt(report: Report, policy_fingerprint: str, at: dt.datetime) -> str:
    """What a client keeps: which statement passed which steps under which policy, when. No id, code, balance,
    blind or account."""
    document = {
        **json.loads(shareable(report)),
        "checked_at": format_time(at),
        "policy_fingerprint": policy_fingerprint,
        "not_checked": report.record.not_checked,
        "titles": {str(step.number): step.title for step in report.record.steps},
    }
    return json.dumps(document, indent=2, ensure_ascii=True, sort_keys=True)

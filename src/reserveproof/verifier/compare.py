"""Two statements side by side: does the custodian tell two stories? docs/spec/verification.md, "Compare"."""

from __future__ import annotations

from dataclasses import dataclass

from ..format import envelope
from ..format.envelope import Envelope
from ..format.errors import EvidenceError, PolicyError
from ..format.statement import Statement, parse_payload
from .policy import Policy
from .record import Record
from .statement_steps import met_quorum


@dataclass(frozen=True, slots=True)
class Compared:
    first: Statement
    second: Statement
    same_payload: bool


def check_compare(first: bytes, second: bytes, *, policy: Policy, record: Record) -> Compared:
    """Both envelopes are the custodian's by the policy, and do not contradict each other.

    EvidenceError(reason="equivocation") if they do: then the two files are evidence that anyone can check with the
    same policy. PolicyError if one of them is not the custodian's: then they are evidence of nothing.
    """
    with record.step(1, "Parse") as step:
        envelopes = (envelope.parse(first), envelope.parse(second))
        statements = tuple(parse_payload(entry.payload).statement for entry in envelopes)
        step.lines.append(f"sequences {statements[0].sequence} and {statements[1].sequence}")
    with record.step(2, "Signatures") as step:
        for entry, statement in zip(envelopes, statements, strict=True):
            _check_author(entry, statement, policy)
        step.lines.append(f"both are signed as the policy for {policy.custodian} demands")
    with record.step(4, "Sequence") as step:
        a, b = statements
        if envelopes[0].payload_sha256 == envelopes[1].payload_sha256:
            step.lines.append("both files carry the same statement")
            return Compared(a, b, same_payload=True)
        for what, clash in (
            ("sequence number", a.sequence == b.sequence),
            ("previous statement", a.previous is not None and a.previous == b.previous),
            ("snapshot id", a.snapshot_id == b.snapshot_id),
        ):
            if clash:
                raise EvidenceError(
                    f"two different statements have the same {what}: the custodian tells two stories",
                    reason="equivocation",
                    expected=envelopes[0].payload_sha256.hex(),
                    found=envelopes[1].payload_sha256.hex(),
                    hint="keep both files and the policy: together they are evidence that anyone can check",
                )
        step.lines.append("they do not contradict each other")
    record.unchecked("that there is no further statement")
    return Compared(a, b, same_payload=False)


def _check_author(entry: Envelope, statement: Statement, policy: Policy) -> None:
    if statement.custodian.id != policy.custodian:
        raise PolicyError(
            "a statement is another custodian's",
            reason="custodian",
            expected=policy.custodian,
            found=statement.custodian.id,
        )
    met_quorum(entry, statement.sequence, policy)

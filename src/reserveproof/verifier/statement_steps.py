"""Steps 2 to 5 of docs/spec/verification.md: from a parsed envelope to a statement that the policy accepts.

`Trusted` is made here only, after all four; whoever takes one need not ask again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from ..chains import is_public_chain
from ..format.checkpoint import Checkpoint
from ..format.envelope import Envelope
from ..format.errors import EvidenceError, PolicyError, shown
from ..format.statement import Attested, Statement
from ..format.times import parse_time
from .last_seen import LastSeen
from .log_step import UNWITNESSED, WITHOUT_PROOF, Logged, LogGiven, check_log, witnessed_lines
from .policy import Policy, Signer
from .record import Record, Step
from .structure import check_structure, check_verdict

CLOCK_SKEW_SECONDS = 300
"""A statement may be this far in the reader's future: clocks differ by minutes, not by more."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """A statement that its signers, the policy, the clock and the last one seen agree with."""

    statement: Statement
    payload_sha256: bytes
    manifest_sha256: bytes
    signers: tuple[str, ...]
    skipped: tuple[int, int] | None
    """First and last sequence number between the last statement seen and this one, if any."""
    first_seen: bool
    digest_checked: bool
    witnessed: bool
    """Whether the policy asks for witnesses, and as many as it asks for saw the log that the statement is in."""
    log: Checkpoint | None
    """The checkpoint that the statement was looked up in, None if in none."""

    def seen(self) -> LastSeen:
        """What the reader keeps for next time."""
        statement = self.statement
        logs = (self.log,) if self.log else ()
        return LastSeen(statement.as_of, statement.custodian.id, self.payload_sha256, statement.sequence, logs)


def establish(
    envelope: Envelope,
    attested: Attested,
    *,
    named_sha256: bytes | None,
    policy: Policy,
    at: dt.datetime,
    last: LastSeen | None,
    digest: str,
    record: Record,
    log: LogGiven | None,
    digest_required: bool = True,
) -> Trusted:
    """Steps 2 to 5. Envelope and payload have been parsed (step 1); nothing in them is believed yet.

    named_sha256: the payload digest that a proof file names, None for a bundle. digest: typed by the reader, "" if
    not. digest_required: whether a policy with publication "digest" fails without it (a client) or is listed. log: what
    the reader has of the policy's log; None where its absence is listed, too.
    """
    statement = attested.statement
    with record.step(2, "Signatures") as step:
        signers = _check_signatures(envelope, attested, named_sha256, policy)
        step.lines.append("signed by " + ", ".join(f"{shown(s.name)} ({s.role})" for s in signers))
        unknown = _count_unknown(envelope, policy)
        if unknown:
            step.lines.append(f"{unknown} further signatures are by no key of the policy and count for nothing")
    record.about = {
        "custodian": statement.custodian.id,
        "snapshot_id": statement.snapshot_id,
        "sequence": statement.sequence,
        "as_of": statement.as_of,
        "issued_at": statement.issued_at,
        "valid_until": statement.valid_until,
        "payload_sha256": envelope.payload_sha256.hex(),
        "verdict_as_stated": statement.verdict,
    }
    with record.step(3, "Statement and policy") as step:
        check_custodian_and_kinds(statement, policy)
        check_structure(statement)
        check_verdict(statement)
        _check_pins(statement, policy)
        _check_clock(statement, policy, at)
        step.lines.append(
            f"custodian {statement.custodian.id}, as of {statement.as_of}, valid until {statement.valid_until}"
        )
        if not any(is_public_chain(anchor.chain) for anchor in statement.anchors):
            record.unchecked("that wallet signatures are not older than as_of: no anchor is on a chain known as public")
        if not policy.assets:
            record.unchecked(
                "the scale and forms of assets: the policy pins none, the statement's registry is as signed"
            )
        else:
            unpinned = sorted({a.asset for a in statement.assets} - {p.asset for p in policy.assets})
            if unpinned:
                record.unchecked("the scale and forms of " + ", ".join(unpinned) + ": not pinned by the policy")
    with record.step(4, "Sequence") as step:
        skipped = check_sequence(statement, envelope.payload_sha256, policy, last)
        if statement.corrects.payload_sha256:
            step.lines.append(f"this is a correction of an earlier statement: {shown(statement.corrects.reason)}")
        step.lines.append(f"sequence {statement.sequence}")
        if last is None:
            record.unchecked("earlier statements: this is the first one seen, nothing was compared with it")
        elif skipped:
            record.unchecked(f"statements {skipped[0]} to {skipped[1]}: not seen")
        corrected = statement.corrects.payload_sha256
        if corrected and (last is None or corrected != last.payload_sha256):
            record.unchecked("the statement that this one corrects: it is not the last one seen")
    with record.step(5, "Publication") as step:
        logged = _check_publication(statement, envelope.payload_sha256, policy, digest, digest_required, log, at, last)
        _say_publication(statement, policy, digest, log, logged, last, step, record)
    return Trusted(
        statement=statement,
        payload_sha256=envelope.payload_sha256,
        manifest_sha256=attested.manifest_sha256,
        signers=tuple(signer.name for signer in signers),
        skipped=skipped,
        first_seen=last is None,
        digest_checked=bool(digest),
        witnessed=logged is not None and logged.seen.quorum,
        log=logged.seen.checkpoint if logged else None,
    )


# (2)
def _check_signatures(
    envelope: Envelope, attested: Attested, named_sha256: bytes | None, policy: Policy
) -> tuple[Signer, ...]:
    if named_sha256 is not None and named_sha256 != envelope.payload_sha256:
        raise EvidenceError(
            "the proof file belongs to another statement than the one given",
            reason="statement-differs",
            expected=named_sha256.hex(),
            found=envelope.payload_sha256.hex(),
            hint="use the statement that was delivered with this proof file",
        )
    return met_quorum(envelope, attested.statement.sequence, policy)


def met_quorum(envelope: Envelope, sequence: int, policy: Policy) -> tuple[Signer, ...]:
    """The signers that count, if every role's threshold is met. PolicyError(reason="quorum") if not.

    A signer counts once, when each of its keys verifies a signature: two signatures, or two keys, of one
    signer are one (attack 27)."""
    message = envelope.signed_bytes()
    counted = tuple(
        signer
        for signer in policy.signers
        if signer.first_sequence <= sequence <= signer.last_sequence
        and all(any(key.verifies(s.sig, message) for s in envelope.signatures) for key in signer.keys)
    )
    for role, needed in policy.thresholds.items():
        found = sum(signer.role == role for signer in counted)
        if found < needed:
            raise PolicyError(
                f"too few signers of the role {role} stand behind the statement",
                reason="quorum",
                expected=f"{needed} of those that the policy names",
                found=str(found),
                hint="check that the policy is the custodian's current one; do not trust this statement until it is",
            )
    return counted


def _count_unknown(envelope: Envelope, policy: Policy) -> int:
    message = envelope.signed_bytes()
    keys = [key for signer in policy.signers for key in signer.keys]
    return sum(not any(key.verifies(s.sig, message) for key in keys) for s in envelope.signatures)


# (3)
def check_custodian_and_kinds(statement: Statement, policy: Policy) -> None:
    if statement.custodian.id != policy.custodian:
        raise PolicyError(
            "the statement is another custodian's",
            reason="custodian",
            expected=policy.custodian,
            found=statement.custodian.id,
        )
    for pool in statement.pools:
        for cell in pool.assets:
            for kind in (cell.liabilities.kind, cell.reserves.kind):
                if kind not in policy.kinds:
                    raise PolicyError(
                        f"a tree of {pool.pool} {cell.asset} is of a kind that the policy does not accept",
                        reason="kind",
                        expected=", ".join(map(str, policy.kinds)),
                        found=str(kind),
                    )


def _check_pins(statement: Statement, policy: Policy) -> None:
    for pin in policy.assets:
        asset = statement.asset(pin.asset)
        if asset is None:
            continue
        pinned = {form.form: form.decimals for form in pin.forms}
        if asset.decimals != pin.decimals or any(pinned.get(f.form) != f.decimals for f in asset.forms):
            raise PolicyError(
                f"the statement's scale or forms of {pin.asset} are not those that the policy pins",
                reason="pins",
                expected=f"{pin.decimals} decimals; {', '.join(pinned)}",
                found=shown(f"{asset.decimals} decimals; {', '.join(f.form for f in asset.forms)}"),
            )


def _check_clock(statement: Statement, policy: Policy, at: dt.datetime) -> None:
    now = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    if parse_time(statement.issued_at) - at > dt.timedelta(seconds=CLOCK_SKEW_SECONDS):
        raise PolicyError(
            "the statement was issued after now",
            reason="not-yet",
            expected=f"not after {now}",
            found=statement.issued_at,
            hint="check the clock of this machine",
        )
    if at - parse_time(statement.as_of) > dt.timedelta(days=policy.max_age_days):
        raise PolicyError(
            "the statement is older than the policy accepts",
            reason="age",
            expected=f"at most {policy.max_age_days} days before {now}",
            found=statement.as_of,
            hint="ask for the latest statement",
        )
    if parse_time(statement.valid_until) < at:
        raise PolicyError(
            "the statement is no longer valid",
            reason="expired",
            expected=f"valid at {now}",
            found=statement.valid_until,
            hint="ask for the latest statement",
        )


# (4)
def check_sequence(
    statement: Statement, payload_sha256: bytes, policy: Policy, last: LastSeen | None
) -> tuple[int, int] | None:
    """First and last sequence number that are skipped, if any; an error if the statement cannot follow the last one."""
    if last is None:
        return None
    if statement.sequence < last.sequence:
        raise PolicyError(
            "the statement is older than one that was seen before",
            reason="rollback",
            expected=f"sequence {last.sequence} or above",
            found=str(statement.sequence),
            hint="ask for the latest statement",
        )
    if statement.sequence == last.sequence:
        if payload_sha256 != last.payload_sha256:
            raise EvidenceError(
                "another statement with this sequence number was seen before: the custodian tells two stories",
                reason="equivocation",
                expected=last.payload_sha256.hex(),
                found=payload_sha256.hex(),
                hint="keep both files; `reserveproof-verify compare` makes the evidence",
            )
        return None
    if statement.sequence == last.sequence + 1 and statement.previous != last.payload_sha256:
        raise EvidenceError(
            "the statement does not follow on the one that was seen before",
            reason="previous",
            expected=last.payload_sha256.hex(),
            found=(statement.previous or b"").hex(),
            hint="keep both files; ask the custodian which statement came before",
        )
    corrected = statement.corrects.payload_sha256
    if statement.sequence == last.sequence + 1 and corrected not in (None, last.payload_sha256):
        raise EvidenceError(
            "the statement corrects another one than the one that it follows",
            reason="corrects",
            expected=last.payload_sha256.hex(),
            found=(corrected or b"").hex(),
        )
    if corrected is None:
        earlier, later = parse_time(last.as_of), parse_time(statement.as_of)
        if later <= earlier:
            raise EvidenceError(
                "the statement is of no later instant than the one before it",
                reason="as-of-order",
                expected=f"after {last.as_of}",
                found=statement.as_of,
            )
        if later - earlier < dt.timedelta(days=policy.min_interval_days):
            raise PolicyError(
                "the statement follows the one before it sooner than the policy accepts",
                reason="interval",
                expected=f"{policy.min_interval_days} days after {last.as_of}",
                found=statement.as_of,
            )
    elif corrected == last.payload_sha256 and statement.as_of != last.as_of:
        raise EvidenceError(
            "a correction is of another instant than the statement it corrects",
            reason="as-of-order",
            expected=last.as_of,
            found=statement.as_of,
        )
    if statement.sequence > last.sequence + 1:
        return last.sequence + 1, statement.sequence - 1
    return None


# (5)
def _check_publication(
    statement: Statement,
    payload_sha256: bytes,
    policy: Policy,
    digest: str,
    digest_required: bool,
    given: LogGiven | None,
    at: dt.datetime,
    last: LastSeen | None,
) -> Logged | None:
    """What the log shows; None where the policy names none, or none was asked for."""
    if digest and digest != payload_sha256.hex():
        raise EvidenceError(
            "the statement is not the one whose digest was typed",
            reason="publication-digest",
            expected=digest,
            found=payload_sha256.hex(),
            hint="check that it was typed right and is of this same as-of; if so, keep this file and ask the custodian "
            "why there are two statements",
        )
    if policy.publication == "digest" and not digest and digest_required:
        raise PolicyError(
            "the policy asks for the statement's digest from another source, and none was typed",
            reason="publication",
            hint="find the digest where the custodian publishes it and type it",
        )
    if policy.log is None or given is None:
        return None
    before = last.log(policy.log.origin) if last is not None else None
    return check_log(statement, payload_sha256, policy.log, given, at=at, last=before)


def _say_publication(
    statement: Statement,
    policy: Policy,
    digest: str,
    given: LogGiven | None,
    logged: Logged | None,
    last: LastSeen | None,
    step: Step,
    record: Record,
) -> None:
    if digest:
        step.lines.append("the digest is the one that was typed")
    if logged is None:
        if policy.log is not None:
            record.unchecked(f"the log {policy.log.origin}: {WITHOUT_PROOF}")
        elif given is not None and given.proof:
            record.unchecked("the log proof: the policy names no log")
        if not digest:
            record.unchecked("that every reader is shown this same statement (no log or digest was compared)")
        return
    log = logged.seen.checkpoint
    step.lines.append(f"entry {statement.sequence} of the log {log.origin}, of {log.size} entries")
    step.lines += witnessed_lines(logged.seen)
    record.about["log"] = {
        "origin": log.origin,
        "size": log.size,
        "root": log.root.hex(),
        "witnesses": [one.name for one in logged.seen.witnesses],
    }
    record.unchecked("the log's other entries: `history` reads them all")
    if logged.newer:
        record.unchecked(f"the {logged.newer} newer statement(s) that the log has")
    else:
        step.lines.append("the log had no newer statement then")
    if not logged.seen.quorum:
        record.unchecked(UNWITNESSED)
    if not logged.continued:
        what = "of another log" if last is not None and last.logs else "none was seen before"
        record.unchecked(f"that the log continues the last checkpoint seen: {what}")

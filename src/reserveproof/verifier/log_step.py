"""Step 5 where the policy's publication is "log": the statement is in the log, the log is the one that witnesses saw,
and it continues the one seen last. docs/spec/log.md has the same points.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..format import note_text, tlog_proof
from ..format.checkpoint import Checkpoint
from ..format.errors import EvidenceError, PolicyError, shown
from ..format.log_entry import entry_of
from ..format.statement import Statement
from ..format.times import format_time
from ..format.tlog_proof import LogProof
from .checkpoints import Witnessed, check_log_signature, check_witnesses
from .log_terms import LogTerms
from .log_tree import check_consistency, check_inclusion, leaf_hash, root_before, root_of

UNWITNESSED = "that every reader is shown this same log: the policy asks for no witness"
WITHOUT_PROOF = "no log proof was given"
LATEST_SHOWN = 253_402_300_799
"""The last second of the year 9999, after which a time has no spelling here."""


@dataclass(frozen=True, slots=True)
class LogGiven:
    """What the reader has of a log. proof: as written, "" if none, and how it is read. consistency: the text of a
    consistency proof from the last checkpoint seen; entries: all of the log's, from a published site; None where not
    given."""

    proof: str = ""
    parse: Callable[[str], LogProof] = tlog_proof.parse
    consistency: str | None = None
    entries: Sequence[bytes] | None = None


NO_LOG = LogGiven()


@dataclass(frozen=True, slots=True)
class Logged:
    """A statement that is in the policy's log. newer: entries after it. continued: whether the log was compared with
    the last one seen."""

    seen: Witnessed
    newer: int
    continued: bool


def check_log(
    statement: Statement,
    payload_sha256: bytes,
    terms: LogTerms,
    given: LogGiven,
    *,
    at: dt.datetime,
    last: Checkpoint | None,
) -> Logged:
    """The whole of the step. last: the checkpoint of this log that the reader saw last; None if none."""
    # (1) there is a proof, and it is one
    if not given.proof:
        raise PolicyError(
            f"the policy asks for the log {terms.origin}, and {WITHOUT_PROOF}",
            reason="publication",
            hint="ask for a proof file with one; for a bundle, give --log-proof the file from the custodian's site",
        )
    proof = given.parse(given.proof)
    # (2) the statement says that it is logged there
    if terms.origin not in statement.logs:
        raise PolicyError(
            "the statement does not name the policy's log among its own",
            reason="publication",
            expected=terms.origin,
            found=shown(", ".join(statement.logs)) or "none",
        )
    # (3), (4) the checkpoint is that log's
    signed = check_log_signature(proof.checkpoint_note, terms)
    log = signed.checkpoint
    # (5) one log holds one custodian's statements, so the place is known before the proof says it
    if proof.index != statement.sequence or log.size <= proof.index:
        raise EvidenceError(
            "the log proof is not of this statement's place in the log",
            reason="log-index",
            expected=f"index {statement.sequence} of more entries than that",
            found=f"index {proof.index} of {log.size}",
            hint="use the log proof that was delivered for this statement",
        )
    # (6) the entry is made here, of what has been judged
    leaf = leaf_hash(entry_of(statement, payload_sha256))
    check_inclusion(leaf, proof.index, log.size, proof.path, log.root)
    # (7), (8)
    witnessed = check_witnesses(signed, terms, at)
    # (9) it continues what was seen
    if last is not None:
        told = root_before(leaf, proof.index, log.size, proof.path, last.size)
        check_continues(last, log, given, told)
    newer, continued = log.size - 1 - proof.index, last is not None
    return Logged(witnessed, newer, continued)


def check_continues(before: Checkpoint, log: Checkpoint, given: LogGiven, told: bytes | None = None) -> Checkpoint:
    """The log, if it begins with the whole of the one seen before. told: the root at the earlier size, where the
    inclusion path has shown it already."""
    if log.size < before.size:
        raise PolicyError(
            "the log is shorter than it was when it was seen before",
            reason="rollback",
            expected=f"at least {before.size} entries",
            found=str(log.size),
            hint="ask for the latest log proof",
        )
    if log.size == before.size and log.root != before.root:
        raise _forked(before, log.root)
    if log.size == before.size:
        return log
    if given.entries is not None:
        told = root_of(check_entries(log, given.entries)[: before.size])
    if told is not None:
        if told != before.root:
            raise _forked(before, told)
    elif given.consistency is not None:
        hashes = note_text.parse_hashes(given.consistency)
        check_consistency(before.size, before.root, log.size, log.root, hashes)
    else:
        raise PolicyError(
            "the log has grown since it was seen, and nothing shows that it only grew",
            reason="consistency-needed",
            expected=f"a consistency proof from {before.size} to {log.size} entries",
            hint="give --consistency the custodian's site, or a consistency proof",
        )
    return log


def check_entries(log: Checkpoint, entries: Sequence[bytes]) -> list[bytes]:
    """The leaves of these entries, if they are the log's."""
    leaves = [leaf_hash(entry) for entry in entries]
    if len(leaves) < log.size or root_of(leaves[: log.size]) != log.root:
        raise EvidenceError(
            "the entries given are not those of the log",
            reason="log-consistency",
            expected=f"{log.root.hex()} from {log.size} entries",
            found=f"{root_of(leaves[: log.size]).hex()} from {len(leaves)}",
            hint="get the custodian's site again",
        )
    return leaves


def _forked(before: Checkpoint, found: bytes) -> EvidenceError:
    return EvidenceError(
        f"the log's first {before.size} entries are others than those seen before: there are two logs of one name",
        reason="log-fork",
        expected=before.root.hex(),
        found=found.hex(),
        hint="keep both log proofs; `reserveproof-verify compare` makes evidence of their checkpoints",
    )


def witnessed_lines(found: Witnessed) -> list[str]:
    """Who cosigned, and when, for the report."""
    lines = [f"witness {one.name} cosigned it at {_when(one.last)}" for one in found.witnesses]
    if found.broken:
        lines.append(f"{found.broken} cosignature(s) of pinned keys do not verify and count for nothing")
    if found.late:
        lines.append(
            f"{found.late} cosignature(s) of pinned keys are of a time that has not come and count for nothing"
        )
    return lines


def _when(seconds: int) -> str:
    if seconds > LATEST_SHOWN:
        return f"{seconds} seconds"
    return format_time(dt.datetime.fromtimestamp(seconds, dt.UTC))

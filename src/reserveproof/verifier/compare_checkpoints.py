"""Two checkpoints of one log side by side: did its keeper sign two histories? docs/spec/log.md, "Two checkpoints"."""

from __future__ import annotations

from dataclasses import dataclass

from ..format import note_text, signed_note
from ..format.checkpoint import Checkpoint
from ..format.errors import EvidenceError, PolicyError, UsageError
from .checkpoints import SignedCheckpoint, check_log_signature, cosigners
from .log_step import LogGiven, check_continues, check_entries
from .log_terms import LogTerms
from .log_tree import root_of
from .policy import Policy
from .record import Record

_EVIDENCE = "keep both files and the policy: together they are evidence that anyone can check"


@dataclass(frozen=True, slots=True)
class ComparedCheckpoints:
    """smaller and larger: the same where both are one. continued: whether it was shown that the one continues the
    other: by a consistency proof or entries, by one root, or by the smaller being the log of no entries."""

    smaller: Checkpoint
    larger: Checkpoint
    continued: bool


def check_compare_checkpoints(
    first: bytes, second: bytes, *, policy: Policy, given: LogGiven, record: Record
) -> ComparedCheckpoints:
    """Both notes are the policy's log's, and do not contradict each other.

    given: how the larger one continues the smaller, if the reader has it. EvidenceError(reason="log-fork") where they
    contradict each other; PolicyError if one of them is not the log's: then they are evidence of nothing."""
    terms = policy.log
    if terms is None:
        raise UsageError(
            "the policy names no log whose checkpoints could be compared",
            reason="input",
            hint='use a policy with publication = "log"',
        )
    with record.step(1, "Parse") as step:
        notes = [signed_note.parse(note_text.decode(data, "the checkpoint")) for data in (first, second)]
        step.lines.append("two signed notes")
    with record.step(2, "Signatures") as step:
        try:
            a, b = sorted((check_log_signature(note, terms) for note in notes), key=lambda one: one.checkpoint.size)
        except EvidenceError as error:
            # What the log's key has not signed accuses nobody.
            raise PolicyError(error.message, reason=error.reason, expected=error.expected, found=error.found) from None
        step.lines.append(f"both are signed by {terms.origin}")
    with record.step(5, "Publication") as step:
        smaller, larger = a.checkpoint, b.checkpoint
        if smaller.size == larger.size and smaller.root != larger.root:
            raise EvidenceError(
                f"the log signed two different histories of {smaller.size} entries{_liars(a, b, terms)}",
                reason="log-fork",
                expected=smaller.root.hex(),
                found=larger.root.hex(),
                hint=_EVIDENCE,
            )
        _check_given(smaller, larger, given)
        sizes = f"the log of {larger.size} entries begins with the one of {smaller.size}"
        continued = True
        if smaller.size == larger.size:
            step.lines.append("both are of one size and one root")
        elif smaller.size == 0 or given.consistency is not None or given.entries is not None:
            step.lines.append(sizes)
        else:
            continued = False
            record.unchecked(f"that {sizes}: no --consistency was given")
    record.unchecked("that there is no further checkpoint")
    return ComparedCheckpoints(smaller, larger, continued)


def _check_given(smaller: Checkpoint, larger: Checkpoint, given: LogGiven) -> None:
    """Whatever was given is looked at, also where the sizes alone say enough."""
    if smaller.size == 0 and smaller.root != root_of([]):
        raise EvidenceError(
            "the log's root over no entries is not the one that there is",
            reason="log-consistency",
            expected=root_of([]).hex(),
            found=smaller.root.hex(),
            hint=_EVIDENCE,
        )
    if given.entries is not None:
        check_entries(larger, given.entries)
    hashes = note_text.parse_hashes(given.consistency) if given.consistency is not None else None
    if smaller.size in (0, larger.size):
        if hashes:
            raise EvidenceError(
                "a consistency proof from no entries, or between two logs of one size, has no hashes",
                reason="log-consistency",
                expected="an empty file",
                found=f"{len(hashes)} hashes",
                hint="leave --consistency out, or give the proof between these two checkpoints",
            )
    elif hashes is not None or given.entries is not None:
        check_continues(smaller, larger, given)


def _liars(a: SignedCheckpoint, b: SignedCheckpoint, terms: LogTerms) -> str:
    """The witnesses that cosigned both sides of a fork, whose word is worth nothing any more."""
    first, second = ({one.name for one in cosigners(side, terms)[0]} for side in (a, b))
    names = ", ".join(sorted(first & second))
    return f"; both are cosigned by {names}" if names else ""

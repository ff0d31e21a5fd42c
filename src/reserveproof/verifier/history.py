"""The whole chain of a custodian's statements, from its published site: docs/spec/log.md, "History".

Every statement from the first to the log's last is signed, follows on the one before, and is the entry that the log
has in its place. What the bundles hold beside their statements is for `public`.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..format import checkpoint as checkpoints
from ..format import envelope, note_text, signed_note
from ..format.envelope import Envelope
from ..format.errors import EvidenceError, MalformedError, PolicyError, ReserveProofError, UsageError
from ..format.limits import MAX_NOTE_CHARACTERS, MAX_STATEMENT_BYTES
from ..format.log_entry import entry_of
from ..format.manifest import STATEMENT_FILE
from ..format.signed_note import Note
from ..format.statement import Statement, parse_payload
from .bundle import Bundle
from .checkpoints import Witnessed, check_log_signature, check_witnesses
from .history_changes import changes
from .last_seen import LastSeen
from .log_step import LogGiven, check_continues, witnessed_lines
from .log_terms import LogTerms
from .log_tree import leaf_hash, root_of
from .policy import Policy
from .record import Record
from .statement_steps import check_custodian_and_kinds, check_sequence, met_quorum
from .structure import check_structure

CHECKPOINT_FILE = "checkpoint"
MAX_ENTRY_BYTES = 1024
"""One entry of a log: two digests, a time, and four short names."""


@dataclass(frozen=True, slots=True)
class Step:
    """A statement of the chain. changed: what differs from the one before, in words; nothing for the first."""

    statement: Statement
    payload_sha256: bytes
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifiedHistory:
    steps: tuple[Step, ...]
    log: Witnessed

    def seen(self) -> LastSeen:
        """What the reader keeps for next time."""
        newest = self.steps[-1]
        statement = newest.statement
        return LastSeen(
            statement.as_of,
            statement.custodian.id,
            newest.payload_sha256,
            statement.sequence,
            logs=(self.log.checkpoint,),
        )


_Given = tuple[Envelope, Statement]


def check_history(
    site: Bundle, *, policy: Policy, last: LastSeen | None, at: dt.datetime, record: Record
) -> VerifiedHistory:
    """Steps 1 to 5 over every statement of the site. last: None for a first look."""
    terms = policy.log
    if terms is None:
        raise UsageError(
            "the policy names no log to look a history up in",
            reason="input",
            hint='use a policy with publication = "log"',
        )
    with record.step(1, "Parse") as step:
        note, given = _read(site)
        step.lines.append(f"{len(given)} statements, and the log's checkpoint")
    with record.step(2, "Signatures") as step:
        for entry, statement in given:
            with _about(statement):
                met_quorum(entry, statement.sequence, policy)
        step.lines.append(f"each is signed as the policy for {policy.custodian} demands")
    with record.step(3, "Statement and policy") as step:
        for _, statement in given:
            with _about(statement):
                check_custodian_and_kinds(statement, policy)
                check_structure(statement)
        step.lines.append("each is the custodian's, and holds together")
    with record.step(4, "Sequence") as step:
        _check_chain(given, policy)
        _check_last(given, last)
        step.lines.append(f"sequences 0 to {len(given) - 1}, each names the one before")
    with record.step(5, "Publication") as step:
        log = _check_log(site, note, given, terms, at, last)
        step.lines.append(f"they are the {log.checkpoint.size} entries of {log.checkpoint.origin}, in order")
        step.lines += witnessed_lines(log)
    _say_unchecked(site, log, last, record)
    newest = given[-1][1]
    record.about = {
        "custodian": newest.custodian.id,
        "snapshot_id": newest.snapshot_id,
        "sequence": newest.sequence,
        "as_of": newest.as_of,
        "payload_sha256": given[-1][0].payload_sha256.hex(),
    }
    statements = [statement for _, statement in given]
    changed = [(), *(changes(before, after) for before, after in itertools.pairwise(statements))]
    return VerifiedHistory(
        tuple(
            Step(statement, entry.payload_sha256, words)
            for (entry, statement), words in zip(given, changed, strict=True)
        ),
        log,
    )


@contextmanager
def _about(statement: Statement) -> Iterator[None]:
    """An error inside says which statement it is about."""
    try:
        yield
    except ReserveProofError as error:
        error.message = f"statement {statement.sequence}: {error.message}"
        raise


# (1)
def _read(site: Bundle) -> tuple[Note, list[_Given]]:
    what = "the site's checkpoint"
    note = signed_note.parse(note_text.decode(site.read(CHECKPOINT_FILE, 4 * MAX_NOTE_CHARACTERS), what), what)
    size = checkpoints.parse(note.text).size
    if size == 0:
        raise MalformedError("the log has no entry", reason="log", hint="nothing has been published yet")
    given: list[_Given] = []
    for number in range(size):  # ends at the first that is missing, whatever size a checkpoint claims
        parsed = envelope.parse(site.read(_statement_file(number), 2 * MAX_STATEMENT_BYTES))
        given.append((parsed, parse_payload(parsed.payload).statement))
    return note, given


def _statement_file(number: int) -> str:
    return f"statements/{number}/{STATEMENT_FILE}"


# (4)
def _check_chain(given: list[_Given], policy: Policy) -> None:
    before: LastSeen | None = None
    for number, (entry, statement) in enumerate(given):
        if statement.sequence != number:
            raise EvidenceError(
                f"the statement in the place of number {number} has another number",
                reason="sequence",
                expected=str(number),
                found=str(statement.sequence),
            )
        with _about(statement):
            check_sequence(statement, entry.payload_sha256, policy, before)
        before = LastSeen(statement.as_of, statement.custodian.id, entry.payload_sha256, number)


def _check_last(given: list[_Given], last: LastSeen | None) -> None:
    if last is None:
        return
    if last.sequence >= len(given):
        raise PolicyError(
            "the history ends before a statement that was seen",
            reason="rollback",
            expected=f"statement {last.sequence}",
            found=f"statements 0 to {len(given) - 1}",
            hint="ask for the whole site",
        )
    found = given[last.sequence][0].payload_sha256
    if found != last.payload_sha256:
        raise EvidenceError(
            f"the history has another statement {last.sequence} than the one that was seen: the custodian tells two "
            "stories",
            reason="equivocation",
            expected=last.payload_sha256.hex(),
            found=found.hex(),
            hint="keep both files; `reserveproof-verify compare` makes the evidence",
        )


# (5)
def _check_log(
    site: Bundle, note: Note, given: list[_Given], terms: LogTerms, at: dt.datetime, last: LastSeen | None
) -> Witnessed:
    signed = check_log_signature(note, terms)
    entries = [entry_of(statement, entry.payload_sha256) for entry, statement in given]
    for number, (made, (_, statement)) in enumerate(zip(entries, given, strict=True)):
        if terms.origin not in statement.logs:
            raise PolicyError(
                f"statement {number} does not name the policy's log among its own",
                reason="publication",
                expected=terms.origin,
            )
        found = site.read(f"entries/{number}.json", MAX_ENTRY_BYTES)
        if found != made:
            raise EvidenceError(
                f"entry {number} of the site is not that of statement {number}",
                reason="log-entry",
                expected=made.decode(),
                found=found.decode("utf-8", "replace"),
            )
    root = root_of([leaf_hash(made) for made in entries])
    if root != signed.checkpoint.root:
        raise EvidenceError(
            "the log's root is not over these statements",
            reason="log-inclusion",
            expected=signed.checkpoint.root.hex(),
            found=root.hex(),
            hint="keep the site as it is: the log commits to other statements than the custodian shows",
        )
    witnessed = check_witnesses(signed, terms, at)
    before = last.log(terms.origin) if last is not None else None
    if before is not None:
        check_continues(before, signed.checkpoint, LogGiven(entries=entries))
    return witnessed


def _say_unchecked(site: Bundle, log: Witnessed, last: LastSeen | None, record: Record) -> None:
    record.unchecked("the bundles beside their statements: `public` checks each")
    record.unchecked("age and expiry: these are statements of the past")
    if not log.witnesses:
        record.unchecked("that every reader is shown this same log: no witness has cosigned it")
    if last is None:
        record.unchecked("what was seen before: this is a first look, nothing was compared with it")
    try:
        site.read(_statement_file(log.checkpoint.size), 2 * MAX_STATEMENT_BYTES)
    except MalformedError:
        return
    record.unchecked(f"statement {log.checkpoint.size}: it is on the site, and not in the log's checkpoint")

"""The whole chain of a custodian's statements, from its published site: docs/spec/log.md, "History".

Every statement from the first to the log's last is signed, follows on the one before, and is the entry that the log
has in its place. One that the site does not show stands in the chain by its entry, and is said to be not shown. What
the bundles hold beside their statements is for `public`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..format import checkpoint as checkpoints
from ..format import envelope, note_text, signed_note
from ..format.envelope import Envelope
from ..format.errors import EvidenceError, MalformedError, PolicyError, ReserveProofError, UsageError, shown
from ..format.limits import MAX_NOTE_CHARACTERS, MAX_STATEMENT_BYTES
from ..format.log_entry import MAX_ENTRY_BYTES, LogEntry, entry_of, parse_entry
from ..format.manifest import STATEMENT_FILE
from ..format.signed_note import Note
from ..format.statement import Statement, parse_payload
from .bundle import Bundle
from .checkpoints import Witnessed, check_log_signature, check_witnesses
from .history_changes import changes
from .last_seen import LastSeen
from .log_step import UNWITNESSED, LogGiven, check_continues, witnessed_lines
from .log_terms import LogTerms
from .log_tree import leaf_hash, root_of
from .policy import Policy
from .record import Record
from .statement_steps import check_custodian_and_kinds, check_sequence, met_quorum
from .structure import check_structure

CHECKPOINT_FILE = "checkpoint"


@dataclass(frozen=True, slots=True)
class Step:
    """A statement of the chain. changed: what differs from the last one shown before, in words; nothing for the first.
    before: the sequence of that one, None for the first."""

    statement: Statement
    payload_sha256: bytes
    changed: tuple[str, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class VerifiedHistory:
    """steps: the statements that are shown. not_shown: the entries of the others. afterwards: the sequences of those
    before the first that names the log."""

    steps: tuple[Step, ...]
    log: Witnessed
    not_shown: tuple[LogEntry, ...]
    afterwards: tuple[int, ...]

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


@dataclass(frozen=True, slots=True)
class _Place:
    """One place of the log. entry: made of the statement if it is shown, else as the site has it."""

    entry: bytes
    said: LogEntry
    shown: _Given | None


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
        note, places = _read(site)
        given = [place.shown for place in places if place.shown]
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
        for place in places:
            if place.said.custodian != policy.custodian:
                raise PolicyError(
                    f"entry {place.said.sequence} is of another custodian's statement",
                    reason="custodian",
                    expected=policy.custodian,
                    found=place.said.custodian,
                )
        step.lines.append("each is the custodian's, and holds together")
    with record.step(4, "Sequence") as step:
        _check_chain(places, policy)
        _check_last(places, last)
        step.lines.append(f"sequences 0 to {len(places) - 1}, each names the one before")
    with record.step(5, "Publication") as step:
        afterwards = _check_named(given, terms)
        log = _check_log(site, note, places, terms, at, last)
        step.lines.append(f"the log {log.checkpoint.origin} has them in their places, of {log.checkpoint.size} entries")
        step.lines += witnessed_lines(log)
    not_shown = tuple(place.said for place in places if place.shown is None)
    for entry_shown in not_shown:
        digest = entry_shown.payload_sha256.hex()
        record.unchecked(f"statement {entry_shown.sequence}: not shown, the log has its digest {digest} alone")
    if afterwards:
        which = ", ".join(map(str, afterwards))
        record.unchecked(f"when these statements were logged: {which}; they do not name the log, it was afterwards")
    _say_unchecked(site, log, last, record)
    newest = given[-1][1]
    record.about = {
        "custodian": newest.custodian.id,
        "snapshot_id": newest.snapshot_id,
        "sequence": newest.sequence,
        "as_of": newest.as_of,
        "payload_sha256": given[-1][0].payload_sha256.hex(),
    }
    return VerifiedHistory(_steps(given), log, not_shown, afterwards)


def _steps(given: list[_Given]) -> tuple[Step, ...]:
    steps: list[Step] = []
    before: Statement | None = None
    for entry, statement in given:
        changed = changes(before, statement) if before else ()
        steps.append(Step(statement, entry.payload_sha256, changed, before.sequence if before else None))
        before = statement
    return tuple(steps)


@contextmanager
def _about(statement: Statement) -> Iterator[None]:
    """An error inside says which statement it is about."""
    try:
        yield
    except ReserveProofError as error:
        error.message = f"statement {statement.sequence}: {error.message}"
        raise


# (1)
def _read(site: Bundle) -> tuple[Note, list[_Place]]:
    what = "the site's checkpoint"
    note = signed_note.parse(note_text.decode(site.read(CHECKPOINT_FILE, 4 * MAX_NOTE_CHARACTERS), what), what)
    size = checkpoints.parse(note.text).size
    if size == 0:
        raise MalformedError("the log has no entry", reason="log", hint="nothing has been published yet")
    places: list[_Place] = []
    for number in range(size):  # ends at the first that is missing, whatever size a checkpoint claims
        try:
            data = site.read(_statement_file(number), 2 * MAX_STATEMENT_BYTES)
        except MalformedError as error:
            if error.reason != "file-missing":
                raise
            entry = site.read(_entry_file(number), MAX_ENTRY_BYTES)
            places.append(_Place(entry, parse_entry(entry, f"entry {number}"), None))
            continue
        parsed = envelope.parse(data)
        statement = parse_payload(parsed.payload).statement
        entry = entry_of(statement, parsed.payload_sha256)
        places.append(_Place(entry, parse_entry(entry), (parsed, statement)))
    if not any(place.shown for place in places):
        raise MalformedError(
            "the site shows none of the statements that are in the log",
            reason="file-missing",
            expected=_statement_file(0),
            hint="ask for the whole site",
        )
    return note, places


def _statement_file(number: int) -> str:
    return f"statements/{number}/{STATEMENT_FILE}"


def _entry_file(number: int) -> str:
    return f"entries/{number}.json"


# (4)
def _check_chain(places: list[_Place], policy: Policy) -> None:
    before: LastSeen | None = None
    snapshots: dict[str, int] = {}
    for number, place in enumerate(places):
        said = place.said
        if said.sequence != number:
            raise EvidenceError(
                f"the statement in the place of number {number} has another number",
                reason="sequence",
                expected=str(number),
                found=str(said.sequence),
            )
        if place.shown:
            with _about(place.shown[1]):
                check_sequence(place.shown[1], said.payload_sha256, policy, before)
        wanted = before.payload_sha256 if before else None
        if said.previous != wanted:
            raise EvidenceError(
                f"statement {number} does not follow on the one before it",
                reason="previous",
                expected=wanted.hex() if wanted else "none before the first",
                found=said.previous.hex() if said.previous else "none",
            )
        twin = snapshots.setdefault(said.snapshot_id, number)
        if twin != number:
            raise EvidenceError(
                f"statements {twin} and {number} have the same snapshot id: the custodian tells two stories",
                reason="equivocation",
                expected=places[twin].said.payload_sha256.hex(),
                found=said.payload_sha256.hex(),
                hint="keep both files; `reserveproof-verify compare` makes the evidence",
            )
        before = LastSeen(said.as_of, said.custodian, said.payload_sha256, number)


def _check_last(places: list[_Place], last: LastSeen | None) -> None:
    if last is None:
        return
    if last.sequence >= len(places):
        raise PolicyError(
            "the history ends before a statement that was seen",
            reason="rollback",
            expected=f"statement {last.sequence}",
            found=f"statements 0 to {len(places) - 1}",
            hint="ask for the whole site",
        )
    found = places[last.sequence].said.payload_sha256
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
def _check_named(given: list[_Given], terms: LogTerms) -> tuple[int, ...]:
    """The statements from before the log, which do not name it. One does, and so does all that follows it."""
    afterwards: list[int] = []
    named = False
    for _, statement in given:
        if terms.origin in statement.logs:
            named = True
        elif named:
            raise PolicyError(
                f"statement {statement.sequence} does not name the policy's log among its own, as earlier ones do",
                reason="publication",
                expected=terms.origin,
                found=shown(", ".join(statement.logs)) or "none",
                hint="ask the custodian why it left its log",
            )
        else:
            afterwards.append(statement.sequence)
    if not named:
        # Entries alone are the log keeper's word: a signed statement has to say that the log is the custodian's.
        raise PolicyError(
            "no statement that is shown names the policy's log among its own",
            reason="publication",
            expected=terms.origin,
            found="none",
            hint="check that the policy is the custodian's current one; ask the custodian which log is its own",
        )
    return tuple(afterwards)


def _check_log(
    site: Bundle, note: Note, places: list[_Place], terms: LogTerms, at: dt.datetime, last: LastSeen | None
) -> Witnessed:
    signed = check_log_signature(note, terms)
    entries = [place.entry for place in places]
    for number, made in enumerate(entries):
        found = site.read(_entry_file(number), MAX_ENTRY_BYTES)
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
    if not log.quorum:
        record.unchecked(UNWITNESSED)
    if last is None:
        record.unchecked("what was seen before: this is a first look, nothing was compared with it")
    try:
        site.read(_statement_file(log.checkpoint.size), 2 * MAX_STATEMENT_BYTES)
    except MalformedError:
        return
    record.unchecked(f"statement {log.checkpoint.size}: it is on the site, and not in the log's checkpoint")

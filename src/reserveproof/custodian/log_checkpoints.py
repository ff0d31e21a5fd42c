"""Checkpoints of the log: signed with its key, kept by size, cosigned later.

A size has one root for ever. A checkpoint that would contradict one that was signed before is not signed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..format import checkpoint as checkpoints
from ..format import note_text, signed_note
from ..format.checkpoint import Checkpoint
from ..format.errors import EvidenceError, MalformedError, UsageError
from ..format.limits import MAX_NOTE_CHARACTERS
from ..format.signed_note import Note, NoteSignature
from . import keys, log_cosignatures, signing
from .atomic_files import PRIVATE_FOLDER, read_file, sweep, transport, write_file
from .attestation_log import AttestationLog
from .log_config import MAX_KEPT_CHARACTERS, LogTerms
from .workspace import Workspace

LOG_FOLDER = "log"
ENTRIES_FILE = "entries.sqlite"
CHECKPOINTS_FOLDER = "checkpoints"
_NAME = re.compile(r"([1-9][0-9]{0,15})\.note")


def load_log_key(path: Path, terms: LogTerms) -> Ed25519PrivateKey:
    """The log's private key. UsageError if its public half is not that of custodian.toml."""
    key = keys.load_key(path)
    if keys.public_text(key) != terms.key:
        raise UsageError(f"the key in {path} is not the log's of custodian.toml", reason="log-key",
                         expected=terms.key, found=keys.public_text(key))  # fmt: skip
    return key


def open_log(workspace: Workspace) -> AttestationLog:
    """The workspace's log, made if there is none; under the workspace's lock."""
    folder = workspace.path / LOG_FOLDER
    with transport(f"make {folder}"):
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return AttestationLog(folder / ENTRIES_FILE)


def signed(text: str, key: Ed25519PrivateKey, origin: str) -> Note:
    """The note of a checkpoint, signed by the log alone."""
    public = bytes.fromhex(keys.public_text(key).partition(":")[2])
    identity = signed_note.key_id(origin, signed_note.ED25519, public)
    return Note(text, (NoteSignature(origin, identity, key.sign(text.encode("utf-8"))),))


def is_signed_by(note: Note, terms: LogTerms) -> bool:
    """Whether the log's own signature stands below the note and holds."""
    identity = signed_note.key_id(terms.origin, signed_note.ED25519, bytes.fromhex(terms.key.partition(":")[2]))
    return any(
        (line.name, line.key_id) == (terms.origin, identity)
        and signing.verifies(terms.key, line.signature, note.text.encode("utf-8"))
        for line in note.signatures
    )


@dataclass(frozen=True, slots=True)
class Added:
    """lines: what holds for the checkpoint of this size, and was added to it. wrong: what is wrong with others of
    witnesses of custodian.toml, a sentence for each."""

    size: int
    lines: tuple[NoteSignature, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of a workspace's log, under the workspace's lock."""

    workspace: Workspace
    terms: LogTerms

    @property
    def folder(self) -> Path:
        return self.workspace.path / LOG_FOLDER / CHECKPOINTS_FOLDER

    def sizes(self) -> tuple[int, ...]:
        """Sizes at which the log was signed, ascending."""
        if not self.folder.is_dir():
            return ()
        with transport(f"read {self.folder}"):
            names = [_NAME.fullmatch(path.name) for path in self.folder.iterdir()]
        return tuple(sorted(int(name[1]) for name in names if name))

    def note(self, size: int) -> Note:
        """The note of a size. EvidenceError if it is not the log's own of custodian.toml, or was damaged."""
        path = self.folder / f"{size}.note"
        data = read_file(path, limit=4 * MAX_NOTE_CHARACTERS)
        try:
            note = signed_note.parse(note_text.decode(data, path.name))
            point = checkpoints.parse(note.text)
        except MalformedError as error:
            raise EvidenceError(f"{path} is damaged: {error.message}", reason="log-damaged",
                                hint="restore it from a copy") from None  # fmt: skip
        if (point.origin, point.size) != (self.terms.origin, size) or not is_signed_by(note, self.terms):
            raise EvidenceError(
                f"{path} is not a checkpoint of {self.terms.origin} signed by the key of custodian.toml",
                reason="log-key", hint="origin and key of a log are never changed",
            )  # fmt: skip
        return note

    def next_text(self, leaves_root: bytes, size: int) -> str:
        """The text of the checkpoint of a size, which may not contradict one that was signed."""
        text = checkpoints.dump(Checkpoint(self.terms.origin, size, leaves_root))
        if size in self.sizes() and self.note(size).text != text:
            raise EvidenceError(
                f"the log was signed with another root at size {size}", reason="log-fork",
                hint="nothing was signed; the log's folder is not the one that was used before: restore it from a copy",
            )  # fmt: skip
        return text

    def sign(self, log: AttestationLog, key: Ed25519PrivateKey) -> Note:
        """Sign the log as it is, if its size was not signed yet. EvidenceError if a checkpoint that was signed is none
        of this log: then it has changed its past."""
        self.check_past(log)
        text = self.next_text(log.root(log.size), log.size)
        if log.size in self.sizes():
            return self.note(log.size)
        note = signed(text, key, self.terms.origin)
        self._write(log.size, note)
        return note

    def check_past(self, log: AttestationLog) -> None:
        """EvidenceError unless every checkpoint that was signed is of a beginning of the log."""
        for size in self.sizes():
            if size > log.size or checkpoints.parse(self.note(size).text).root != log.root(size):
                raise EvidenceError(
                    f"the log is not the one that was signed at size {size}", reason="log-fork",
                    hint="its folder was changed or is an old copy: nothing is signed; restore the newest copy",
                )  # fmt: skip

    def newest(self) -> Note:
        """The newest note. UsageError if the log was never signed."""
        sizes = self.sizes()
        if not sizes:
            raise UsageError("nothing was logged yet", reason="log-empty", hint="reserveproof publish DIR ID")
        return self.note(sizes[-1])

    def cosigned(self) -> Note | None:
        """The newest note that as many witnesses as are needed have cosigned; None if there is none."""
        notes = (self.note(size) for size in reversed(self.sizes()))
        needed = self.terms.witnesses_needed
        return next((note for note in notes if len(log_cosignatures.cosigners(note, self.terms)) >= needed), None)

    def add(self, lines: Sequence[NoteSignature], *, now: int) -> Added:
        """Add cosignatures of witnesses to the newest checkpoint that one of them holds for. A newer cosignature takes
        the place of the same key's older one.

        EvidenceError if none is a cosignature by a witness of custodian.toml of any checkpoint. UsageError where the
        note has no room.
        """
        first: tuple[str, ...] = ()
        for size in reversed(self.sizes()):
            note = self.note(size)
            found, wrong = log_cosignatures.accepted(lines, note.text, self.terms, now=now)
            first = first or wrong
            if not found:
                continue
            added = {(line.name, line.key_id): line for line in found}
            kept = {(line.name, line.key_id): line for line in note.signatures}
            fresh = {place: line for place, line in added.items() if not _is_older(line, kept.get(place))}
            self._write(size, Note(note.text, tuple({**kept, **fresh}.values())))
            return Added(size, tuple(added.values()), wrong)
        raise EvidenceError(
            "; ".join(first) or "there is no cosignature of a witness of custodian.toml", reason="cosignature",
            hint="it is of another checkpoint, or was changed on its way: ask the witness again" if first
            else "name and keys of [[log.witnesses]] are as the witness gives them",
        )  # fmt: skip

    def _write(self, size: int, note: Note) -> None:
        try:
            text = signed_note.dump(note)
        except MalformedError as error:
            raise UsageError(f"the checkpoint has no room for it: {error.message}", reason="log-room") from None
        if len(text) > MAX_KEPT_CHARACTERS:
            raise UsageError(
                f"the checkpoint has no room for it: at most {MAX_KEPT_CHARACTERS} characters fit beside a path",
                reason="log-room", hint="some 13 ML-DSA-44 cosignatures fit",
            )  # fmt: skip
        with transport(f"make {self.folder}"):
            self.folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        sweep(self.folder)
        write_file(self.folder / f"{size}.note", text.encode("utf-8"))


def _is_older(line: NoteSignature, kept: NoteSignature | None) -> bool:
    return kept is not None and log_cosignatures.time_of(line) < log_cosignatures.time_of(kept)

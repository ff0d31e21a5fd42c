"""Whose a checkpoint is, and who has seen it: the log's signature and the witnesses' cosignatures. docs/spec/log.md.

C2SP signed-note, tlog-checkpoint and tlog-cosignature. Name and key id find a line; only the pinned key believes it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from ..format import checkpoint as checkpoints
from ..format.checkpoint import Checkpoint
from ..format.errors import EvidenceError, PolicyError, shown
from ..format.signed_note import ED25519, ED25519_COSIGNATURE, MLDSA44_COSIGNATURE, Note, key_id
from .log_terms import LogTerms, Witness
from .signatures import PublicKey

CLOCK_SKEW_SECONDS = 300
"""A cosignature counts that is this far in the reader's future, as a statement may be, and none that is further."""
TIME_BYTES = 8
LATEST_TIME = 2**63 - 1
_COSIGNATURE = {"ed25519": ED25519_COSIGNATURE, "mldsa44": MLDSA44_COSIGNATURE}


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A pinned witness that counts, and the latest time of its cosignatures, in seconds of POSIX."""

    name: str
    last: int


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that carries the log's signature. Made by check_log_signature only."""

    checkpoint: Checkpoint
    note: Note


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A signed checkpoint that witnesses enough have cosigned. Made by check_witnesses only.

    quorum: whether the policy asks for any; where it asks for none, enough is nothing shown.
    broken: lines with name and id of a pinned key under which they do not verify. late: those whose time has not come.
    Both count for nothing."""

    checkpoint: Checkpoint
    witnesses: tuple[Cosigned, ...]
    broken: int
    late: int
    quorum: bool


def check_log_signature(note: Note, terms: LogTerms) -> SignedCheckpoint:
    """The checkpoint, if it is the policy's log's and carries the log's signature.

    MalformedError(reason="log"); EvidenceError, reasons log-origin and log-signature."""
    checkpoint = checkpoints.parse(note.text)
    if checkpoint.origin != terms.origin:
        raise EvidenceError(
            "the checkpoint is another log's", reason="log-origin", expected=terms.origin, found=checkpoint.origin
        )
    message = note.text.encode()
    wanted = key_id(terms.origin, ED25519, terms.key.raw)
    if not any(terms.key.verifies(signature, message) for signature in _signed_by(note, terms.origin, wanted)):
        raise EvidenceError(
            "the checkpoint does not carry the log's signature",
            reason="log-signature",
            expected=f"a signature of {terms.origin} under the policy's key",
            found=shown(", ".join(line.name for line in note.signatures)),
            hint="check that the policy is the custodian's current one, and get the log proof again",
        )
    return SignedCheckpoint(checkpoint, note)


def check_witnesses(signed: SignedCheckpoint, terms: LogTerms, at: dt.datetime) -> Witnessed:
    """The checkpoint with the witnesses that count, if they are enough. PolicyError(reason="witnesses")."""
    latest = int(at.timestamp()) + CLOCK_SKEW_SECONDS
    counted, broken, late = cosigners(signed, terms, latest)
    if len(counted) < terms.witnesses_needed:
        raise PolicyError(
            "too few witnesses have cosigned the checkpoint",
            reason="witnesses",
            expected=f"{terms.witnesses_needed} of those that the policy names",
            found=f"{len(counted)}: {', '.join(one.name for one in counted)}" if counted else "none",
            hint=f"check the clock of this machine: {late} cosignature(s) are of after {latest} seconds since 1970"
            if late
            else "get the log proof again: cosignatures may have been added since; if none come, ask the custodian",
        )
    return Witnessed(signed.checkpoint, counted, broken, late, quorum=terms.witnesses_needed > 0)


def cosigners(
    signed: SignedCheckpoint, terms: LogTerms, latest: int = LATEST_TIME
) -> tuple[tuple[Cosigned, ...], int, int]:
    """The witnesses that count, however few, and the numbers of lines that are of their keys and do not verify, or are
    later than the latest time.

    A witness counts once, when each of its keys verifies a cosignature that is not later."""
    counted: list[Cosigned] = []
    broken = late = 0
    for witness in terms.witnesses:
        times = [list(_times(signed, witness, key)) for key in witness.keys]
        broken += sum(time is None for found in times for time in found)
        late += sum(time is not None and time > latest for found in times for time in found)
        held = [[time for time in found if time is not None and time <= latest] for found in times]
        if all(held):
            flat = [time for found in held for time in found]
            counted.append(Cosigned(witness.name, max(flat)))
    return tuple(counted), broken, late


def _signed_by(note: Note, name: str, wanted: bytes) -> Iterator[bytes]:
    return (line.signature for line in note.signatures if line.name == name and line.key_id == wanted)


def _times(signed: SignedCheckpoint, witness: Witness, key: PublicKey) -> Iterator[int | None]:
    """For each line of this key the time that it signed with, None where it does not verify."""
    wanted = key_id(witness.name, _COSIGNATURE[key.algorithm], key.raw)
    for line in _signed_by(signed.note, witness.name, wanted):
        time = int.from_bytes(line[:TIME_BYTES], "big")
        # At time 0 a cosigner says nothing about which tree was the latest.
        holds = 0 < time <= LATEST_TIME and key.verifies(line[TIME_BYTES:], _message(signed, witness.name, key, time))
        yield time if holds else None


def _message(signed: SignedCheckpoint, name: str, key: PublicKey, time: int) -> bytes:
    """What a cosignature is over. The ML-DSA-44 one names its cosigner and a subtree, which is the whole log here."""
    if key.algorithm == "ed25519":
        return b"cosignature/v1\ntime %d\n" % time + signed.note.text.encode()
    log = signed.checkpoint
    return b"".join(
        (
            b"subtree/v1\n\0",
            _short(name),
            time.to_bytes(8, "big"),
            _short(log.origin),
            (0).to_bytes(8, "big"),
            log.size.to_bytes(8, "big"),
            log.root,
        )
    )


def _short(text: str) -> bytes:
    data = text.encode()
    return bytes([len(data)]) + data

"""Cosignatures of witnesses (C2SP tlog-cosignature): that at a time a log had a checkpoint, and no larger one.

They are judged against the keys of custodian.toml before they are added to a checkpoint; readers judge them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..format import checkpoint as checkpoints
from ..format import signed_note
from ..format.signed_note import ED25519_COSIGNATURE, MLDSA44_COSIGNATURE, Note, NoteSignature
from . import signing
from .log_config import LogTerms, Witness

TIME_BYTES = 8
LATEST_TIME = 2**63 - 1
CLOCKS_APART = 300
"""Seconds that a witness's clock may be ahead of ours."""
_TYPES = {"ed25519": ED25519_COSIGNATURE, "mldsa44": MLDSA44_COSIGNATURE}
_LENGTHS = {"ed25519": 64, "mldsa44": 2420}
_SUBTREE = b"subtree/v1\n\0"


@dataclass(frozen=True, slots=True)
class Pinned:
    """One key of a witness, with the id that its signature lines have."""

    witness: Witness
    key: str

    @property
    def algorithm(self) -> str:
        return self.key.partition(":")[0]

    @property
    def key_id(self) -> bytes:
        return signed_note.key_id(self.witness.name, _TYPES[self.algorithm], bytes.fromhex(self.key.partition(":")[2]))

    def is_named_by(self, line: NoteSignature) -> bool:
        return (line.name, line.key_id) == (self.witness.name, self.key_id)


def pinned_keys(terms: LogTerms) -> tuple[Pinned, ...]:
    """Every key that may cosign, in the order of custodian.toml."""
    return tuple(Pinned(witness, key) for witness in terms.witnesses for key in witness.keys)


def time_of(line: NoteSignature) -> int:
    """The POSIX time that a cosignature says."""
    return int.from_bytes(line.signature[:TIME_BYTES], "big")


def message(pinned: Pinned, text: str, time: int) -> bytes:
    """What a cosignature is over. text: of the checkpoint."""
    if pinned.algorithm == "ed25519":
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    point = checkpoints.parse(text)
    name, origin = pinned.witness.name.encode(), point.origin.encode()
    return b"".join([
        _SUBTREE, len(name).to_bytes(1, "big"), name, time.to_bytes(8, "big"), len(origin).to_bytes(1, "big"), origin,
        bytes(8), point.size.to_bytes(8, "big"), point.root,
    ])  # fmt: skip


def holds(pinned: Pinned, line: NoteSignature, text: str) -> bool:
    """Whether a line that names the key is its cosignature of the checkpoint."""
    time, signature = time_of(line), line.signature[TIME_BYTES:]
    if len(signature) != _LENGTHS[pinned.algorithm] or not 0 < time <= LATEST_TIME:
        return False
    return signing.verifies(pinned.key, signature, message(pinned, text, time))


def accepted(
    lines: Iterable[NoteSignature], text: str, terms: LogTerms, *, now: int
) -> tuple[tuple[NoteSignature, ...], tuple[str, ...]]:
    """Of these lines the cosignatures of the checkpoint by witnesses of custodian.toml, and what is wrong with others
    that name such a witness's key: they do not hold, or have a time after now, POSIX seconds. The rest is left out."""
    known, found, wrong = pinned_keys(terms), [], []
    for line in lines:
        pinned = next((key for key in known if key.is_named_by(line)), None)
        if pinned is None:
            continue
        if not holds(pinned, line, text):
            size = checkpoints.parse(text).size
            wrong.append(f"the cosignature of {line.name} does not hold for the checkpoint of size {size}")
        elif time_of(line) > now + CLOCKS_APART:
            wrong.append(f"the cosignature of {line.name} is from the future, {time_of(line)}: look at both clocks")
        else:
            found.append(line)
    return tuple(found), tuple(wrong)


def cosigners(note: Note, terms: LogTerms) -> tuple[str, ...]:
    """The names of witnesses all of whose keys have cosigned, in the order of custodian.toml."""

    def has(pinned: Pinned) -> bool:
        return any(pinned.is_named_by(line) and holds(pinned, line, note.text) for line in note.signatures)

    return tuple(w.name for w in terms.witnesses if all(has(Pinned(w, key)) for key in w.keys))

"""Cosigning a checkpoint (C2SP tlog-cosignature): the bytes that are signed, and the lines that say so.

Written here for the one who signs; the verifier has its own for those who check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..format import note_text, signed_note
from ..format.checkpoint import Checkpoint
from ..format.errors import MalformedError, UsageError
from ..format.identifiers import WITNESS_NAME, matches
from ..format.signed_note import ED25519_COSIGNATURE, MLDSA44_COSIGNATURE, NoteSignature
from .keys import Key, algorithm_of, public_bytes

LARGEST_TIME = 2**63 - 1
_TYPES = {"ed25519": ED25519_COSIGNATURE, "mldsa44": MLDSA44_COSIGNATURE}


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness by its name, with one key of an algorithm at most. Make it with cosigner_of."""

    name: str
    keys: tuple[Key, ...]

    def cosign(self, checkpoint: Checkpoint, text: str, time: int) -> tuple[NoteSignature, ...]:
        """A cosignature of each key. text: of the checkpoint's note. time: now, POSIX seconds. What it says is true
        only if the checkpoint is the largest that this witness has seen, which is for the caller to have made sure."""
        if not 0 < time <= LARGEST_TIME:
            raise ValueError("a cosignature has a time after 1970")
        return tuple(self._line(key, checkpoint, text, time) for key in self.keys)

    def key_ids(self) -> tuple[bytes, ...]:
        """The id of each key, as it stands in its cosignatures."""
        return tuple(self._key_id(key) for key in self.keys)

    def _key_id(self, key: Key) -> bytes:
        return signed_note.key_id(self.name, _TYPES[algorithm_of(key)], public_bytes(key))

    def _line(self, key: Key, checkpoint: Checkpoint, text: str, time: int) -> NoteSignature:
        algorithm, stamp = algorithm_of(key), time.to_bytes(8, "big")
        if algorithm == "ed25519":
            message = f"cosignature/v1\ntime {time}\n{text}".encode()
        else:
            # The whole log as a subtree: from entry 0 to its size.
            message = b"".join([
                b"subtree/v1\n\0", _short(self.name), stamp, _short(checkpoint.origin), bytes(8),
                checkpoint.size.to_bytes(8, "big"), checkpoint.root,
            ])  # fmt: skip
        return NoteSignature(self.name, self._key_id(key), stamp + key.sign(message))


def _short(text: str) -> bytes:
    data = text.encode("utf-8")
    return len(data).to_bytes(1, "big") + data


def cosigner_of(name: str, keys: Sequence[Key]) -> Cosigner:
    """The witness. UsageError for a name that is none, no key, or two of one algorithm."""
    try:
        matches(WITNESS_NAME, name, "the name")
    except MalformedError as error:
        raise UsageError(error.message, reason="name", expected=error.expected, found=error.found) from None
    if not keys or len({algorithm_of(key) for key in keys}) != len(keys):
        raise UsageError("a witness has an Ed25519 key, an ML-DSA-44 key, or one of each", reason="key")
    return Cosigner(name, tuple(keys))


def lines_text(lines: Sequence[NoteSignature]) -> str:
    """The lines as they stand below a note."""
    return "".join(f"\u2014 {line.name} {note_text.base64_text(line.key_id + line.signature)}\n" for line in lines)

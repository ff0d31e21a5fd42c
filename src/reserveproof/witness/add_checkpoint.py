"""What a witness decides on a checkpoint (C2SP tlog-witness, add-checkpoint), in the order of the specification.

Time, keys and folder are given; nothing here knows whether the request came in a file or over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..format import checkpoint as checkpoints
from ..format.errors import EvidenceError, MalformedError, PolicyError, ReserveProofError, UsageError
from ..format.signed_note import NoteSignature
from ..verifier.checkpoints import check_log_signature
from ..verifier.log_terms import LogTerms
from ..verifier.log_tree import check_consistency
from . import request as requests
from .cosigner import Cosigner
from .seen import SeenFolder


class UnknownLogError(UsageError):
    """The checkpoint's origin is of no log that this witness watches: 404."""


class WrongSignatureError(EvidenceError):
    """The log's key did not sign the checkpoint: 403."""


class ConflictError(PolicyError):
    """The sender's old size is not what was cosigned last, or one size has two roots: 409. size: what was cosigned
    last, 0 for nothing."""

    def __init__(self, message: str, size: int, *, reason: str, hint: str = "") -> None:
        super().__init__(message, reason=reason, hint=hint)
        self.size = size


class InconsistentError(EvidenceError):
    """The proof does not show that the log only grew: 422."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness: whose logs it watches, by origin, and where it remembers."""

    cosigner: Cosigner
    logs: Mapping[str, LogTerms]
    seen: SeenFolder

    def add_checkpoint(self, data: bytes, *, now: int) -> tuple[NoteSignature, ...]:
        """Cosign the checkpoint of a request, if it continues what was cosigned before; its cosignatures. now: POSIX
        seconds.

        When this returns, what was cosigned is remembered on the disk. MalformedError; UnknownLogError,
        WrongSignatureError, ConflictError, InconsistentError; TransportError where the disk fails: then nothing was
        cosigned.
        """
        request = requests.parse(data)
        checkpoint = checkpoints.parse(request.note.text)
        terms = self.logs.get(checkpoint.origin)
        if terms is None:
            raise UnknownLogError("the checkpoint is of no log that is watched here", reason="origin",
                                  found=checkpoint.origin)  # fmt: skip
        try:
            check_log_signature(request.note, terms)
        except EvidenceError as error:
            raise WrongSignatureError(error.message, reason=error.reason, expected=error.expected) from None
        if request.old_size > checkpoint.size or checkpoint.size == 0:
            raise MalformedError("the old size is larger than the checkpoint's, or the log is empty", reason="size")
        with self.seen.alone():
            last = self.seen.last(checkpoint.origin)
            size = last.size if last else 0
            if request.old_size != size:
                raise ConflictError(
                    f"the old size is not the {size} that was cosigned last", size, reason="old-size",
                    hint=f"reserveproof log checkpoint DIR --from {size}",
                )  # fmt: skip
            if last and checkpoint.size == size and checkpoint.root != last.root:
                raise ConflictError(
                    f"the log has two roots of size {size}: it was forked", size, reason="fork",
                    hint="keep the request: with the checkpoint that was cosigned before it is evidence",
                )  # fmt: skip
            try:
                if last:
                    check_consistency(last.size, last.root, checkpoint.size, checkpoint.root, request.proof)
                elif request.proof:
                    raise InconsistentError("a log that was never seen needs no proof", reason="log-consistency")
            except EvidenceError as error:
                raise InconsistentError(error.message, reason=error.reason) from None
            lines = self.cosigner.cosign(checkpoint, request.note.text, now)
            # On the disk before anyone gets the lines: what is forgotten could be contradicted.
            self.seen.remember(checkpoint)
        return lines


def http_status(error: ReserveProofError) -> int:
    """The status that the specification has for a refusal; 500 for what is the witness's own trouble."""
    if isinstance(error, UnknownLogError):
        return 404
    if isinstance(error, WrongSignatureError):
        return 403
    if isinstance(error, ConflictError):
        return 409
    if isinstance(error, InconsistentError):
        return 422
    if isinstance(error, MalformedError) and error.reason != "damaged":
        return 400
    return 500

"""The body of add-checkpoint (C2SP tlog-witness): what the log was seen as before, the proof from there, a checkpoint.

old SIZE
BASE64 of a hash, on each line
(an empty line)
the signed checkpoint
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..format import note_text, signed_note
from ..format.errors import MalformedError, shown
from ..format.limits import MAX_LOG_SIZE
from ..format.signed_note import Note

MAX_REQUEST_BYTES = 96 << 10
"""Of one body: a note of 65,536 characters, most of them of one byte, and the longest proof."""
_OLD = re.compile("old (0|[1-9][0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class Request:
    """old_size: what the sender says was cosigned last, 0 for nothing. proof: from there to the checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note


def parse(data: bytes) -> Request:
    """The request in a body. MalformedError for anything else."""
    if len(data) > MAX_REQUEST_BYTES:
        raise MalformedError(f"the request has more than {MAX_REQUEST_BYTES} bytes", reason="size")
    head, blank, note = note_text.decode(data, "the request").partition("\n\n")
    first, _, hashes = head.partition("\n")
    old = _OLD.fullmatch(first)
    if not blank or old is None or int(old[1]) > MAX_LOG_SIZE:
        raise MalformedError(
            "the request does not begin as one", reason="request",
            expected="old SIZE, hashes, an empty line, a checkpoint", found=shown(first),
            hint="reserveproof log checkpoint DIR --from SIZE writes one",
        )  # fmt: skip
    proof = note_text.parse_hashes(hashes + "\n" if hashes else "")
    return Request(int(old[1]), proof, signed_note.parse(note, "the checkpoint"))

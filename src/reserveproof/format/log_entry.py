"""The entry that stands for a statement in its custodian's log. docs/spec/log.md.

A verifier makes it from the statement that it has judged, and never reads it from a proof.
"""

from __future__ import annotations

from . import canonical_json
from .statement import Statement


def entry_of(statement: Statement, payload_sha256: bytes) -> bytes:
    """The canonical JSON of the entry. payload_sha256: of the signed payload, 32 bytes."""
    if len(payload_sha256) != 32:
        raise ValueError("a SHA-256 digest has 32 bytes")
    return canonical_json.dump(
        {
            "as_of": statement.as_of,
            "custodian": statement.custodian.id,
            "payload_sha256": payload_sha256.hex(),
            "previous": "" if statement.previous is None else statement.previous.hex(),
            "sequence": statement.sequence,
            "snapshot_id": statement.snapshot_id,
        }
    )

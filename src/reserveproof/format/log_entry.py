"""The entry that stands for a statement in its custodian's log. docs/spec/log.md.

A verifier makes it from the statement that it has judged, and never reads it from a proof. In a history it reads those
of statements that are not shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import canonical_json, identifiers
from .errors import MalformedError
from .shape import digest, digest_or_empty, integer, pattern, record, time
from .statement import Statement

MAX_ENTRY_BYTES = 1024
"""One entry of a log: two digests, a time, and four short names."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What an entry says of its statement. previous: None for the first."""

    as_of: str
    custodian: str
    payload_sha256: bytes
    previous: bytes | None
    sequence: int
    snapshot_id: str


_ENTRY = record(
    LogEntry,
    {
        "as_of": time,
        "custodian": pattern(identifiers.CUSTODIAN_ID),
        "payload_sha256": digest,
        "previous": digest_or_empty,
        "sequence": integer(),
        "snapshot_id": pattern(identifiers.SNAPSHOT_ID),
    },
)


def parse_entry(data: bytes, what: str = "the entry") -> LogEntry:
    """MalformedError(reason="log") for anything that entry_of would not have written."""
    try:
        return _ENTRY(canonical_json.parse(data, max_bytes=MAX_ENTRY_BYTES, what=what), what)
    except MalformedError as error:
        raise MalformedError(error.message, reason="log", expected=error.expected, found=error.found) from None


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

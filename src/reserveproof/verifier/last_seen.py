"""The last statement that a reader saw of each custodian: what step 4 compares with. The reader's own small file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from ..format import canonical_json, identifiers
from ..format.shape import array, digest, integer, members, pattern, record, time, to_json

MAX_STATE_BYTES = 1 << 20
"""Some thousands of custodians; the file is the reader's own."""


@dataclass(frozen=True, slots=True)
class LastSeen:
    as_of: str
    custodian: str
    payload_sha256: bytes
    sequence: int


_SEEN = array(
    record(
        LastSeen,
        {
            "as_of": time,
            "custodian": pattern(identifiers.CUSTODIAN_ID),
            "payload_sha256": digest,
            "sequence": integer(),
        },
    ),
    key=lambda seen: seen.custodian,
    limit=4096,
)


def parse_state(data: bytes) -> dict[str, LastSeen]:
    """Custodian id to the last statement seen. MalformedError for anything else."""
    root = members(
        canonical_json.parse(data, max_bytes=MAX_STATE_BYTES, what="the state file"),
        frozenset({"format", "seen"}),
        "state",
    )
    integer(1, 1)(root["format"], "state.format")
    return {seen.custodian: seen for seen in _SEEN(root["seen"], "state.seen")}


def dump_state(seen: Mapping[str, LastSeen]) -> bytes:
    entries = [to_json(seen[custodian]) for custodian in sorted(seen)]
    return canonical_json.dump(cast(canonical_json.Json, {"format": 1, "seen": entries}))

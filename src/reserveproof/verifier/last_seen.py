"""The last statement that a reader saw of each custodian, and the last checkpoint of each of its logs: what steps
4 and 5 compare with. The reader's own small file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from ..format import canonical_json, identifiers
from ..format.checkpoint import Checkpoint
from ..format.errors import EvidenceError, MalformedError
from ..format.limits import MAX_LOG_SIZE
from ..format.shape import array, digest, integer, members, pattern, record, time

MAX_STATE_BYTES = 1 << 20
"""Some thousands of custodians; the file is the reader's own."""


@dataclass(frozen=True, slots=True)
class LastSeen:
    """logs: ascending by origin; empty where no statement of the custodian has been checked against a log."""

    as_of: str
    custodian: str
    payload_sha256: bytes
    sequence: int
    logs: tuple[Checkpoint, ...] = ()

    def log(self, origin: str) -> Checkpoint | None:
        """The last checkpoint of this log, None if none was seen."""
        return next((one for one in self.logs if one.origin == origin), None)


_LOG = record(
    Checkpoint,
    {"origin": pattern(identifiers.LOG_ORIGIN), "root": digest, "size": integer(1, MAX_LOG_SIZE)},
)


_LOGS = array(_LOG, key=lambda log: log.origin, limit=4096, least=1)


def _seen(value: object, place: str) -> LastSeen:
    names = frozenset({"as_of", "custodian", "payload_sha256", "sequence"})
    found = members(value, names, place, optional=frozenset({"log", "logs"}))
    if "log" in found and "logs" in found:
        raise MalformedError(f"{place} has both log, as files had it before, and logs", reason="shape")
    logs: tuple[Checkpoint, ...] = _LOGS(found["logs"], f"{place}.logs") if "logs" in found else ()
    if "log" in found:
        logs = (_LOG(found["log"], f"{place}.log"),)
    return LastSeen(
        as_of=time(found["as_of"], f"{place}.as_of"),
        custodian=pattern(identifiers.CUSTODIAN_ID)(found["custodian"], f"{place}.custodian"),
        payload_sha256=digest(found["payload_sha256"], f"{place}.payload_sha256"),
        sequence=integer()(found["sequence"], f"{place}.sequence"),
        logs=logs,
    )


_SEEN = array(_seen, key=lambda seen: seen.custodian, limit=4096)


def parse_state(data: bytes) -> dict[str, LastSeen]:
    """Custodian id to the last statement seen. MalformedError for anything else."""
    root = members(
        canonical_json.parse(data, max_bytes=MAX_STATE_BYTES, what="the state file"),
        frozenset({"format", "seen"}),
        "state",
    )
    integer(1, 1)(root["format"], "state.format")
    return {seen.custodian: seen for seen in _SEEN(root["seen"], "state.seen")}


def remember(state: Mapping[str, LastSeen], seen: LastSeen) -> dict[str, LastSeen]:
    """The state with what has been verified now. A checkpoint replaces the one of its own origin, and no other.

    state: as it is now, which another run may have written since. Nothing in it is taken back: the later statement
    stays, and the larger log. EvidenceError, reasons equivocation and log-fork, if the two contradict each other."""
    before = state.get(seen.custodian)
    if before is None:
        return {**state, seen.custodian: seen}
    if before.sequence == seen.sequence and before.payload_sha256 != seen.payload_sha256:
        found, expected = seen.payload_sha256, before.payload_sha256
        what = "another statement with this sequence number was"
        raise _contradicted(4, "equivocation", what, expected, found)
    logs = {one.origin: one for one in before.logs}
    for one in seen.logs:
        kept = logs.setdefault(one.origin, one)
        if kept.size == one.size and kept.root != one.root:
            what = f"{one.size} other entries of the log {one.origin} were"
            raise _contradicted(5, "log-fork", what, kept.root, one.root)
        if kept.size < one.size:
            logs[one.origin] = one
    later = seen if seen.sequence >= before.sequence else before
    return {**state, seen.custodian: replace(later, logs=tuple(logs[origin] for origin in sorted(logs)))}


def _contradicted(step: int, reason: str, what: str, expected: bytes, found: bytes) -> EvidenceError:
    error = EvidenceError(
        f"{what} seen by another run of this command meanwhile: the custodian tells two stories",
        reason=reason,
        expected=expected.hex(),
        found=found.hex(),
        hint="keep the files of both runs; `reserveproof-verify compare` makes the evidence",
    )
    error.at_step(step)
    return error


def dump_state(seen: Mapping[str, LastSeen]) -> bytes:
    entries = [_to_json(seen[custodian]) for custodian in sorted(seen)]
    return canonical_json.dump(cast(canonical_json.Json, {"format": 1, "seen": entries}))


def _to_json(seen: LastSeen) -> dict[str, object]:
    entry: dict[str, object] = {
        "as_of": seen.as_of,
        "custodian": seen.custodian,
        "payload_sha256": seen.payload_sha256.hex(),
        "sequence": seen.sequence,
    }
    if seen.logs:
        entry["logs"] = [{"origin": one.origin, "root": one.root.hex(), "size": one.size} for one in seen.logs]
    return entry

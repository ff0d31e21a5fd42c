"""The proof file: what one client receives. It is private. docs/spec/proof-file.md."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import ClassVar, cast

from . import amounts, canonical_json, envelope, identifiers, limits
from .envelope import Envelope
from .errors import MalformedError, shown
from .register import POSITION, Position
from .shape import Check, amount, array, base64_bytes, digest, integer, members, pattern, record, text

FORMAT = 1
MAX_LOG_TEXT = 1 << 16
"""Characters of a tlog-proof text: a checkpoint with 32 cosignatures and 48 hashes is below 10 kB."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One ledger row of a line: the bucket's code, credit and debit in base units."""

    AMOUNTS: ClassVar = frozenset({"credit", "debit"})
    bucket: int
    credit: int
    debit: int


PathNode = tuple[bytes, int]
"""A sibling on the way from leaf to root: its digest and its sum."""


@dataclass(frozen=True, slots=True)
class Line:
    """One leaf of a liabilities tree: what is owed to the client in one (pool, asset)."""

    asset: str
    blind: bytes
    buckets: tuple[Bucket, ...]
    index: int
    path: tuple[PathNode, ...]
    pool: str

    @property
    def credit(self) -> int:
        return sum(bucket.credit for bucket in self.buckets)

    @property
    def debit(self) -> int:
        return sum(bucket.debit for bucket in self.buckets)


@dataclass(frozen=True, slots=True)
class DedicatedPosition:
    """One leaf of a reserves tree: a position of an account dedicated to the client."""

    asset: str
    blind: bytes
    index: int
    path: tuple[PathNode, ...]
    pool: str
    position: Position
    tie_blind: bytes


@dataclass(frozen=True, slots=True)
class ProofFile:
    envelope: Envelope | None
    lines: tuple[Line, ...]
    log: str
    positions: tuple[DedicatedPosition, ...]
    statement_sha256: bytes
    timestamps: tuple[bytes, ...]


def _path_node(value: object, place: str) -> PathNode:
    if not isinstance(value, list) or len(value) != 2:
        raise MalformedError(f"{place} is not a pair of digest and sum", reason="path", found=shown(value))
    return digest(value[0], f"{place}[0]"), amounts.from_json(value[1], f"{place}[1]")


_index = integer(0, 2**limits.MAX_DEPTH - 1)
_path = array(_path_node, key=None, limit=limits.MAX_DEPTH)
BUCKETS: Check[tuple[Bucket, ...]] = array(
    record(Bucket, {"bucket": integer(1, 10), "credit": amount, "debit": amount}),
    key=lambda b: b.bucket,
    limit=10,
    least=1,
)
_LINE = record(
    Line,
    {
        "asset": pattern(identifiers.ASSET),
        "blind": digest,
        "buckets": BUCKETS,
        "index": _index,
        "path": _path,
        "pool": pattern(identifiers.POOL),
    },
)
_DEDICATED = record(
    DedicatedPosition,
    {
        "asset": pattern(identifiers.ASSET),
        "blind": digest,
        "index": _index,
        "path": _path,
        "pool": pattern(identifiers.POOL),
        "position": POSITION,
        "tie_blind": digest,
    },
)
_LINES: Check[tuple[Line, ...]] = array(_LINE, key=lambda x: (x.pool, x.asset), limit=limits.MAX_LINES)
_POSITIONS: Check[tuple[DedicatedPosition, ...]] = array(
    _DEDICATED, key=lambda x: (x.pool, x.asset, x.position.account, x.position.form), limit=limits.MAX_LINES
)
_MEMBERS = frozenset({"format", "lines", "log", "positions", "statement_sha256", "timestamps"})


def parse(data: bytes) -> ProofFile:
    """The proof in these canonical JSON bytes; the envelope may be absent. MalformedError for anything else."""
    root = members(
        canonical_json.parse(data, max_bytes=limits.MAX_PROOF_BYTES, what="the proof file"),
        _MEMBERS,
        "proof",
        optional=frozenset({"envelope"}),
    )
    integer(FORMAT, FORMAT)(root["format"], "proof.format")
    return ProofFile(
        envelope=envelope.from_json(root["envelope"]) if "envelope" in root else None,
        lines=_LINES(root["lines"], "proof.lines"),
        log=text(MAX_LOG_TEXT)(root["log"], "proof.log"),
        positions=_POSITIONS(root["positions"], "proof.positions"),
        statement_sha256=digest(root["statement_sha256"], "proof.statement_sha256"),
        timestamps=array(base64_bytes(1 << 16), key=lambda t: t, limit=16)(root["timestamps"], "proof.timestamps"),
    )


def _path_json(path: tuple[PathNode, ...]) -> list[list[str]]:
    return [[node_digest.hex(), str(node_sum)] for node_digest, node_sum in path]


def dump(proof: ProofFile) -> bytes:
    """The canonical bytes of a proof file; lines and positions are given in any order."""
    root: dict[str, object] = {
        "format": FORMAT,
        "lines": [
            {
                "asset": line.asset,
                "blind": line.blind.hex(),
                "buckets": [{"bucket": b.bucket, "credit": str(b.credit), "debit": str(b.debit)} for b in line.buckets],
                "index": line.index,
                "path": _path_json(line.path),
                "pool": line.pool,
            }
            for line in sorted(proof.lines, key=lambda x: (x.pool, x.asset))
        ],
        "log": proof.log,
        "positions": [
            {
                "asset": entry.asset,
                "blind": entry.blind.hex(),
                "index": entry.index,
                "path": _path_json(entry.path),
                "pool": entry.pool,
                "position": entry.position.to_json(),
                "tie_blind": entry.tie_blind.hex(),
            }
            for entry in sorted(proof.positions, key=lambda x: (x.pool, x.asset, x.position.account, x.position.form))
        ],
        "statement_sha256": proof.statement_sha256.hex(),
        "timestamps": [base64.b64encode(token).decode("ascii") for token in proof.timestamps],
    }
    if proof.envelope is not None:
        root["envelope"] = envelope.to_json(proof.envelope)
    return canonical_json.dump(cast(canonical_json.Json, root))

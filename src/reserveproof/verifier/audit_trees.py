"""Step 14, the liabilities trees in bulk: pieces of leaves built apart, and joined.

The ranges of clients hold the leaves of a tree in runs that ascend by digest. A piece is all leaves between two
digests, out of every run: a worker merges and builds it, whatever the other pieces hold.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from .fold import Committed
from .hashing import DIGEST_BYTES, RECORD_BYTES, Tree, TreeName
from .rebuild import Loose, build_piece, check_depth, check_order, committed, join
from .scratch import Part, read_part


@dataclass(frozen=True, slots=True)
class Piece:
    """A worker's task: the leaves of a tree from `low` on and below `high`; b"" is no bound."""

    name: TreeName
    runs: tuple[Part, ...]
    low: bytes
    high: bytes


@dataclass(frozen=True, slots=True)
class BuiltPiece:
    """first: the rank of its first leaf. last: the digest of its last one, b"" if it has none."""

    first: int
    leaves: int
    lowest: bytes
    highest: bytes
    loose: list[Loose]


def pieces_of(name: TreeName, runs: Sequence[Part], leaves_a_piece: int) -> list[Piece]:
    """A tree cut at digests into pieces of about that many leaves: digests are spread evenly."""
    count = max(1, -(-sum(run.length for run in runs) // RECORD_BYTES // leaves_a_piece))
    cuts = [b"", *((k * 2**64 // count).to_bytes(8, "big") for k in range(1, count)), b""]
    return [Piece(name, tuple(runs), low, high) for low, high in itertools.pairwise(cuts)]


class _Run(Sequence[bytes]):
    """The leaves of one range, looked up where they lie."""

    def __init__(self, part: Part) -> None:
        self._part = part

    def __len__(self) -> int:
        return self._part.length // RECORD_BYTES

    def __getitem__(self, index: int) -> bytes:  # type: ignore[override]
        return read_part(self._part, index * RECORD_BYTES, RECORD_BYTES)

    def between(self, start: int, end: int) -> list[bytes]:
        data = read_part(self._part, start * RECORD_BYTES, (end - start) * RECORD_BYTES)
        return [data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES)]


def build_tree_piece(piece: Piece) -> BuiltPiece:
    """A worker's task. EvidenceError as check_order and the sums of nodes raise it."""
    first = 0
    leaves: list[bytes] = []
    for part in piece.runs:
        run = _Run(part)
        start = bisect.bisect_left(run, piece.low) if piece.low else 0
        end = bisect.bisect_left(run, piece.high) if piece.high else len(run)
        first += start
        leaves += run.between(start, end)
    leaves.sort()
    check_order(leaves)
    lowest, highest = (leaves[0], leaves[-1]) if leaves else (b"", b"")
    return BuiltPiece(
        first,
        len(leaves),
        lowest[:DIGEST_BYTES],
        highest[:DIGEST_BYTES],
        build_piece(Tree(piece.name), first, leaves),
    )


def commit_pieces(name: TreeName, key: bytes, depth: int, leaves: int, pieces: Sequence[BuiltPiece]) -> Committed:
    """Root and total over the pieces of a tree, in order of digest. RuntimeError if they are not the whole of it."""
    check_depth(depth, leaves)
    rank, last = 0, b""
    for piece in pieces:
        if piece.first != rank or (piece.leaves and piece.lowest <= last):
            raise RuntimeError("pieces of a tree do not follow each other")
        rank, last = rank + piece.leaves, piece.highest or last
    if rank != leaves:
        raise RuntimeError("leaves of a tree were lost, or given twice")
    tree = Tree(name)
    loose = (node for piece in pieces for node in piece.loose)
    return committed(tree, depth, join(tree, key, depth, leaves, loose))

"""A whole tree rebuilt from its leaves: docs/spec/sum-tree.md, points 7 to 11.

Level by level over the leaves in digest order, in pieces of any length: each piece builds what stands over its own
leaves alone and hands on the rest, and join() adds that and the pads. Every cut of the leaves gives the same root. The
verifier's own: the custodian's builder is another program.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence

from ..format.errors import EvidenceError
from ..format.limits import MAX_DEPTH
from .fold import Committed
from .hashing import DIGEST_BYTES, Tree, pad, record

Loose = tuple[int, int, bytes]
"""(level, index, record) of a node whose partner its piece does not have."""


def depth_for(count: int, min_depth: int = 0) -> int:
    """Levels above the leaves that `count` leaves need."""
    return max(min_depth, (count - 1).bit_length() if count > 1 else 0)


def check_depth(depth: int, count: int) -> None:
    """Before anything is built: the format allows such a tree, and the leaves fit. EvidenceError(reason="depth")."""
    if depth > MAX_DEPTH:
        raise EvidenceError("a tree is deeper than the format allows", reason="depth", expected=f"at most {MAX_DEPTH}")
    if count > 1 << depth:
        raise EvidenceError("more leaves than the signed depth holds", reason="depth", expected=f"at most 2^{depth}")


def check_order(leaves: Sequence[bytes]) -> None:
    """Leaf records ascend strictly by digest. EvidenceError(reason="leaf-order") if two are equal or out of order."""
    digests = [leaf[:DIGEST_BYTES] for leaf in leaves]
    if not all(map(operator.lt, digests, digests[1:])):
        raise EvidenceError("two leaves of a tree do not ascend by digest", reason="leaf-order")


def build_piece(tree: Tree, first: int, leaves: Sequence[bytes]) -> list[Loose]:
    """What a piece with the ranks from `first` on hands on: the nodes over its leaves (records that ascend) whose
    partner lies in another piece, or covers no leaf."""
    loose: list[Loose] = []
    nodes, index, level = leaves, first, 0
    while nodes:
        if index & 1:
            loose.append((level, index, nodes[0]))
            nodes, index = nodes[1:], index + 1
        if len(nodes) & 1:
            loose.append((level, index + len(nodes) - 1, nodes[-1]))
            nodes = nodes[:-1]
        level += 1
        nodes, index = tree.parents(level, nodes), index >> 1
    return loose


def join(tree: Tree, key: bytes, depth: int, count: int, loose: Iterable[Loose]) -> tuple[bytes, int]:
    """The node at (depth, 0) over the pieces of a tree of `count` leaves. RuntimeError if the pieces are not exactly
    the tree's: no verdict comes of what a worker left out or gave twice."""
    if count == 0:
        return pad(key, depth, 0)
    levels: list[dict[int, bytes]] = [{} for _ in range(depth + 1)]
    for level, index, node in loose:
        if level > depth or index in levels[level]:
            raise RuntimeError("pieces of a tree overlap")
        levels[level][index] = node
    for level in range(depth):
        here, above = levels[level], levels[level + 1]
        last = (count - 1) >> level  # the last node of this level that covers a leaf
        if last & 1 == 0 and last in here:
            here[last + 1] = record(pad(key, level, last + 1))
        for index in sorted(here):
            if index ^ 1 not in here or (index & 1 == 0 and index >> 1 in above):
                raise RuntimeError("pieces of a tree do not fit together")
            if index & 1 == 0:
                above[index >> 1] = tree.parents(level + 1, (here[index], here[index + 1]))[0]
    top = levels[depth]
    if list(top) != [0]:
        raise RuntimeError("a tree has no one top")
    return top[0][:DIGEST_BYTES], int.from_bytes(top[0][DIGEST_BYTES:], "big")


def committed(tree: Tree, depth: int, top: tuple[bytes, int]) -> Committed:
    return Committed(depth=depth, root=tree.root(depth, top), total=top[1])


def commit(tree: Tree, key: bytes, depth: int, leaves: Iterable[tuple[bytes, int]]) -> Committed:
    """Root and total of a tree of this depth over leaves in digest order, in one piece."""
    records = [record(leaf) for leaf in leaves]
    check_depth(depth, len(records))
    check_order(records)
    return committed(tree, depth, join(tree, key, depth, len(records), build_piece(tree, 0, records)))


def in_order(leaves: Iterable[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """Leaves of a small tree in digest order."""
    return iter(sorted(leaves))

"""A whole tree rebuilt from its leaves: docs/spec/sum-tree.md, points 7 to 11.

Level by level over the leaves in digest order. The verifier's own: the custodian's builder is another program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..format.errors import EvidenceError
from ..format.limits import MAX_DEPTH
from .fold import Committed
from .hashing import Tree, pad


def depth_for(count: int, min_depth: int = 0) -> int:
    """Levels above the leaves that `count` leaves need."""
    return max(min_depth, (count - 1).bit_length() if count > 1 else 0)


def top_node(tree: Tree, key: bytes, depth: int, leaves: Iterable[tuple[bytes, int]]) -> tuple[bytes, int]:
    """The node at (depth, 0) over leaves that ascend strictly by digest. Memory: one node a level.

    A leaf is carried upwards as far as its left neighbours are complete; at the end, each level that waits for
    a right partner gets its pad. EvidenceError(reason="leaf-order") if two leaves are equal or out of order;
    EvidenceError(reason="depth") if the leaves do not fit.
    """
    waiting: list[tuple[bytes, int] | None] = [None] * (depth + 1)
    count = 0
    last = b""
    for leaf in leaves:
        if count and leaf[0] <= last:
            raise EvidenceError("two leaves of a tree do not ascend by digest", reason="leaf-order")
        last = leaf[0]
        count += 1
        node, level = leaf, 0
        while (left := waiting[level]) is not None:
            if level == depth:
                raise EvidenceError(
                    "more leaves than the signed depth holds", reason="depth", expected=f"at most 2^{depth}"
                )
            waiting[level] = None
            level += 1
            node = tree.node(level, left, node)
        waiting[level] = node
    if count == 0:
        return pad(key, depth, 0)
    # What still waits on the lower levels is completed to the right: each gets the pad beside it.
    carried: tuple[bytes, int] | None = None
    for level in range(depth):
        left = waiting[level]
        # Nodes of this level that cover a leaf: the last of them has rank (count - 1) >> level.
        beside = ((count - 1) >> level) + 1
        if left is not None and carried is not None:
            carried = tree.node(level + 1, left, carried)
        elif left is not None:
            carried = tree.node(level + 1, left, pad(key, level, beside))
        elif carried is not None:
            carried = tree.node(level + 1, carried, pad(key, level, beside))
    if carried is not None:
        return carried
    top = waiting[depth]
    if top is None:
        raise RuntimeError("a tree with leaves has no top")
    return top


def commit(tree: Tree, key: bytes, depth: int, leaves: Iterable[tuple[bytes, int]]) -> Committed:
    """Root and total of a tree of this depth over leaves in digest order."""
    if depth > MAX_DEPTH:
        raise EvidenceError("a tree is deeper than the format allows", reason="depth", expected=f"at most {MAX_DEPTH}")
    top = top_node(tree, key, depth, leaves)
    return Committed(depth=depth, root=tree.root(depth, top), total=top[1])


def in_order(leaves: Iterable[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """Leaves of a small tree in digest order."""
    return iter(sorted(leaves))

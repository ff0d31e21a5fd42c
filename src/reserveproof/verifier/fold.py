"""From a leaf along its path to the root: steps 8 and 9 of docs/spec/verification.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..format.errors import EvidenceError, MalformedError
from .hashing import Tree, checked_sum


@dataclass(frozen=True, slots=True)
class Committed:
    """What the signed statement says of a tree; its depth is never taken from a proof."""

    depth: int
    root: bytes
    total: int


def check_path_shape(depth: int, index: int, path: Sequence[tuple[bytes, int]], where: str) -> None:
    """Exactly depth siblings and an index below 2^depth, before anything is hashed."""
    if len(path) != depth:
        raise MalformedError(
            f"{where}: the path has not one sibling a level",
            reason="path-length",
            expected=str(depth),
            found=str(len(path)),
        )
    if index >> depth:
        raise MalformedError(
            f"{where}: the index is outside the tree", reason="index", expected=f"below 2^{depth}", found=str(index)
        )


def fold(
    tree: Tree, depth: int, leaf: tuple[bytes, int], index: int, path: Sequence[tuple[bytes, int]]
) -> tuple[bytes, int]:
    """The (digest, sum) of the top node that leaf and siblings lead to. The shape has been checked."""
    node = leaf
    for level, sibling in zip(range(depth), path, strict=True):
        # Bit h of the index says the side at level h; the parent hashes its own level, h + 1 (attack 4).
        left, right = (sibling, node) if index >> level & 1 else (node, sibling)
        node = tree.node(level + 1, left, right)
    return node


def leads_to_root(tree: Tree, committed: Committed, top: tuple[bytes, int]) -> bool:
    return top[1] == committed.total and tree.root(committed.depth, top) == committed.root


def compare(tree: Tree, committed: Committed, top: tuple[bytes, int], where: str, hint: str) -> None:
    """The folded node against the signed total, then the signed root. EvidenceError where they differ."""
    if top[1] != committed.total:
        raise EvidenceError(
            f"{where}: the sums along the path do not make the signed total",
            reason="total-differs",
            expected=str(committed.total),
            found=str(top[1]),
            hint=hint,
        )
    root = tree.root(committed.depth, top)
    if root != committed.root:
        raise EvidenceError(
            f"{where}: the path does not lead to the signed root",
            reason="root-differs",
            expected=committed.root.hex(),
            found=root.hex(),
            hint=hint,
        )


def check_leaf_sum(amounts: Sequence[int]) -> int:
    """The sum of a leaf's parts, each step below 2^127."""
    total = 0
    for amount in amounts:
        total = checked_sum(total, amount)
    return total

"""Trees that lie: the sum forgery at any level, and the broken fold under which it would pass."""

from __future__ import annotations

from collections.abc import Iterator

from reference import tree
from reference.conventions import H, T, u8, u128
from reference.made_up import Cell
from reference.tree import Node, Path
from reference.world import World


def broken_parent(tree_id: bytes, level: int, left: Node, right: Node, total: int) -> Node:
    """parent = H(hL ‖ hR ‖ (vL + vR)): the sum of both, and neither on its own."""
    return Node(H(T("node") + tree_id + u8(level) + left.digest + right.digest + u128(total)), total)


def broken_fold(tree_id: bytes, node: Node, index: int, path: Path) -> Node:
    """How a verifier folds that hashes only the sum of both children."""
    for level, (digest, amount) in enumerate(path):
        sibling = Node(bytes.fromhex(digest), int(amount))
        left, right = (sibling, node) if index >> level & 1 else (node, sibling)
        node = broken_parent(tree_id, level + 1, left, right, node.sum + sibling.sum)
    return node


class Forged(tree.Tree):
    """An honest tree, but for one node: its sum is that of its larger child, and who stands under either child is
    shown the sibling's sum that fits. broken: whether parents hash only the sum of both."""

    def __init__(self, honest: tree.Tree, leaves: list[tree.Leaf], at: tuple[int, int], *, broken: bool = True) -> None:
        self.at, self.broken = at, broken
        super().__init__(honest.id, honest.key, leaves, honest.depth)

    def _node(self, level: int, index: int) -> Node:
        honest = super()._node(level, index)
        if level == 0 or index << level >= len(self.bottom):
            return honest
        left, right = self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1)
        total = max(left.sum, right.sum) if (level, index) == self.at else left.sum + right.sum
        if self.broken:
            return broken_parent(self.id, level, left, right, total)
        return Node(tree.parent(self.id, level, left, right).digest, total)

    def path(self, index: int) -> Path:
        path = super().path(index)
        level, target = self.at
        if index >> level == target:
            own, other = (self.node(level - 1, index >> (level - 1) ^ side).sum for side in (0, 1))
            path[level - 1][1] = str(max(own, other) - own)
        return path

    def under(self) -> list[int]:
        """Ranks of the leaves under the forged node."""
        level, target = self.at
        return [index for index in range(len(self.bottom)) if index >> level == target]


def targets(honest: tree.Tree) -> Iterator[tuple[int, int]]:
    """Every node both of whose children hold something: where a sum can be forged."""
    for level in range(1, honest.depth + 1):
        for index in range(1 << (honest.depth - level)):
            if index << level < len(honest.bottom) and all(
                honest.node(level - 1, 2 * index + side).sum for side in (0, 1)
            ):
                yield level, index


def forge(world: World, cell: Cell, at: tuple[int, int], *, broken: bool = True) -> Forged:
    """Puts the forged tree in the place of the honest one; the statement then signs its root and its total."""
    leaves = [world.leaf(cell, name) for name in world.ledger[cell]]
    forged = Forged(world.liabilities[cell], leaves, at, broken=broken)
    world.liabilities[cell] = forged
    return forged


def name_at(world: World, cell: Cell, index: int) -> str:
    order = world.liabilities[cell].order
    return next(name for name in world.ledger[cell] if world.holder(name) == order[index])


class LoadedPads(tree.Tree):
    """A tree whose pads carry a sum: liabilities owed to nobody, or reserves that no position holds."""

    def __init__(self, honest: tree.Tree, leaves: list[tree.Leaf], load: int) -> None:
        self.load = load
        super().__init__(honest.id, honest.key, leaves, honest.depth)

    def _node(self, level: int, index: int) -> Node:
        node = super()._node(level, index)
        return Node(node.digest, self.load) if index << level >= len(self.bottom) else node

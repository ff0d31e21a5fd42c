"""Trees that a dishonest custodian builds."""

from __future__ import annotations

from . import tree
from .conventions import H, T, u8, u128
from .made_up import LEDGER, Cell
from .tree import Node, Path
from .world import World

BTC = ("omni", "BTC")


class SumForgery(tree.Tree):
    """Two holders at one level-1 node; the node's sum is that of the larger of them only.

    broken: parents hash the sum of their children and not each sum; each of the two is then shown the sibling's sum
    that fits. Otherwise parents are hashed as they must be, over what `view` is shown.
    """

    def __init__(
        self, honest: tree.Tree, leaves: list[tree.Leaf], pair: tuple[bytes, bytes], view: bytes | None
    ) -> None:
        self.pair, self.view = pair, view
        super().__init__(honest.id, honest.key, leaves, honest.depth)

    def _node(self, level: int, index: int) -> Node:
        honest = super()._node(level, index)
        if level == 0 or index << level >= len(self.bottom):
            return honest
        left, right = self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1)
        together = level == 1 and set(self.order[2 * index : 2 * index + 2]) == set(self.pair)
        if self.view is None:
            total = max(left.sum, right.sum) if together else left.sum + right.sum
            return Node(H(T("node") + self.id + u8(level) + left.digest + right.digest + u128(total)), total)
        if together:
            left, right = (
                node if self.order[2 * index + side] == self.view else Node(node.digest, 0)
                for side, node in enumerate((left, right))
            )
        return tree.parent(self.id, level, left, right)

    def path(self, index: int) -> Path:
        path = super().path(index)
        if self.order[index] in self.pair:
            own, other = self.bottom[index].sum, self.bottom[index ^ 1].sum
            path[0][1] = str(max(own, other) - own)
        return path


def neighbours(world: World, cell: Cell) -> tuple[str, str]:
    """Two holders with one parent, and both with something."""
    names = {world.holder(name): name for name in world.ledger[cell]}
    order = world.liabilities[cell].order
    for left, right in zip(order[::2], order[1::2], strict=False):
        both = (names[left], names[right])
        if all(sum(c for c, _ in world.ledger[cell][name].values()) for name in both):
            return both
    raise ValueError("no such neighbours")


def forge(world: World, cell: Cell, pair: tuple[str, str], view: str | None = None) -> World:
    leaves = [world.leaf(cell, name) for name in world.ledger[cell]]
    holders = (world.holder(pair[0]), world.holder(pair[1]))
    world.liabilities[cell] = SumForgery(world.liabilities[cell], leaves, holders, world.holder(view) if view else None)
    return world


def small(depth: int) -> World:
    """alice 100, bob 60 and others, in a BTC tree of this depth, 1 to 3."""
    names = ["alice", "bob", "dave", "erin", "frank"][: {1: 2, 2: 4, 3: 5}[depth]]
    rows = {name: {1: (amount, 0)} for name, amount in zip(names, (100, 60, 7, 9, 11), strict=False)}
    return World(snapshot=f"forged-{depth}", ledger={**LEDGER, BTC: rows})


def one_view(first: str, second: str, view: str) -> World:
    """The base world, its BTC tree forged for the view of one of two neighbours."""
    world = World()
    pair = neighbours(world, BTC)
    if {first, second} != set(pair):
        raise ValueError(f"the neighbours are {pair}")
    return forge(world, BTC, pair, view)

"""Builds one tree in pieces: workers that each hold a range of the sorted leaves, and one joiner.

Every cut of the ranks gives the root that build_tree gives (docs/spec/sum-tree.md, Shape). A worker hands on at most
two nodes a level, so that what travels does not grow with the number of leaves.
"""

from __future__ import annotations

from collections.abc import Iterable

from reserveproof.custodian.tree_builder import BuiltTree, checked_depth, parents
from reserveproof.custodian.tree_hashing import DIGEST_BYTES, NODE_BYTES, TreeHasher
from reserveproof.format.errors import EvidenceError

Place = tuple[int, int]
"""(level, index) of a node."""


def range_nodes(hasher: TreeHasher, leaves: bytes | bytearray, first: int, depth: int) -> dict[Place, bytes]:
    """What the worker of ranks [first, first + n) hands on: of the nodes that cover only its ranks, those whose
    parent does not.

    leaves: n stored leaves, ascending. depth: the whole tree's.
    """
    handed: dict[Place, bytes] = {}
    level, low = bytearray(leaves), first
    for number in range(depth + 1):
        count = len(level) // NODE_BYTES
        if not count:
            break
        if number == depth:
            handed[number, low] = bytes(level)
            break
        if low % 2:
            handed[number, low] = bytes(level[:NODE_BYTES])
            level, low, count = level[NODE_BYTES:], low + 1, count - 1
        if count % 2:
            handed[number, low + count - 1] = bytes(level[-NODE_BYTES:])
            level = level[:-NODE_BYTES]
        level, low = parents(hasher, level, number + 1), low // 2
    return handed


def join(hasher: TreeHasher, handed: Iterable[dict[Place, bytes]], *, leaves: int, min_depth: int) -> BuiltTree:
    """The tree from what the workers of all ranks hand on. leaves: of the whole tree. EvidenceError
    (reason="ranges") if a range is missing or two overlap."""
    depth = checked_depth(leaves, min_depth)
    nodes: dict[Place, bytes] = {}
    for part in handed:
        if not nodes.keys().isdisjoint(part):
            raise EvidenceError("two ranges of a tree overlap", reason="ranges")
        nodes.update(part)
    if not leaves:
        nodes[depth, 0] = hasher.pad(depth, 0)
    for level in range(depth):
        for index in sorted({index & ~1 for number, index in nodes if number == level}):
            pair = []
            for place in ((level, index), (level, index + 1)):
                if place not in nodes and place[1] << level >= leaves:
                    nodes[place] = hasher.pad(*place)
                if place not in nodes or (level + 1, index // 2) in nodes:
                    raise EvidenceError("the ranges of a tree do not meet", reason="ranges")
                pair.append(nodes[place])
            nodes[level + 1, index // 2] = hasher.node(level + 1, *pair)
    top = nodes.get((depth, 0))
    if top is None or any(number == depth and index for number, index in nodes):
        raise EvidenceError("the ranges of a tree do not meet", reason="ranges")
    return BuiltTree(depth, leaves, hasher.root(depth, top), int.from_bytes(top[DIGEST_BYTES:], "big"))

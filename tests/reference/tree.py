"""docs/spec/sum-tree.md, by recursion over (level, index)."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from .canonical_json import dump
from .conventions import BOUND, HMAC, H, T, lp, u8, u64, u128
from .outcome import failed, malformed

MAX_DEPTH = 48
Path = list[list[str]]


class Node(NamedTuple):
    digest: bytes
    sum: int


class Leaf(NamedTuple):
    holder: bytes
    details: bytes
    sum: int


def tree_id(side: str, custodian: str, snapshot: str, pool: str, asset: str, kind: int = 1) -> bytes:
    """(1)"""
    return H(T("tree") + u8(kind) + side.encode() + lp(custodian) + lp(snapshot) + lp(pool) + lp(asset))


def secret_tree_key(snapshot_key: bytes, tree: bytes) -> bytes:
    return HMAC(snapshot_key, T("tree-key") + tree)


def public_tree_key(tree: bytes) -> bytes:
    return H(T("public") + tree)


def tie_key(snapshot_key: bytes, tree: bytes) -> bytes:
    return HMAC(snapshot_key, T("tie-key") + tree)


def client_holder(client_id: str, client_code: str) -> bytes:
    """(3)"""
    return H(T("client") + lp(client_id) + lp(client_code))


def position_holder(account: str, form: str) -> bytes:
    return H(T("position") + lp(account) + lp(form))


def line_details(buckets: list[dict[str, Any]]) -> bytes:
    """(4)"""
    codes = [entry["bucket"] for entry in buckets]
    if not 1 <= len(codes) <= 10 or codes != sorted(set(codes)) or not set(codes) <= set(range(1, 11)):
        raise malformed("1 to 10 buckets, each 1 to 10, ascending")
    rows = [u8(b["bucket"]) + u128(int(b["credit"])) + u128(int(b["debit"])) for b in buckets]
    return H(T("line") + u8(len(rows)) + b"".join(rows))


def position_details(position: dict[str, Any]) -> bytes:
    return H(T("position-details") + dump(position))


def blind(tree_key: bytes, holder: bytes) -> bytes:
    return HMAC(tree_key, b"\0" + holder)


def client_tie(tie_blind: bytes, holder: bytes) -> bytes:
    """(6)"""
    return H(T("tie") + tie_blind + holder)


def leaf_node(tree: bytes, blinded: bytes, leaf: Leaf) -> Node:
    return Node(H(T("leaf") + tree + blinded + leaf.holder + leaf.details + u128(leaf.sum)), leaf.sum)


def parent(tree: bytes, level: int, left: Node, right: Node) -> Node:
    """(9) level is the parent's own."""
    total = left.sum + right.sum
    if total >= BOUND:
        raise failed("sum")
    both = left.digest + u128(left.sum) + right.digest + u128(right.sum)
    return Node(H(T("node") + tree + u8(level) + both), total)


def root_of(tree: bytes, depth: int, top: Node) -> bytes:
    """(11)"""
    return H(T("root") + tree + u8(depth) + top.digest + u128(top.sum))


class Tree:
    """One tree, from its leaves in any order."""

    def __init__(self, tree: bytes, tree_key: bytes, leaves: list[Leaf], min_depth: int = 0) -> None:
        if len({leaf.holder for leaf in leaves}) != len(leaves):
            raise failed("holder-twice")
        self.id, self.key = tree, tree_key
        pairs = [(leaf_node(tree, blind(tree_key, leaf.holder), leaf), leaf) for leaf in leaves]
        pairs.sort(key=lambda pair: pair[0].digest)
        self.bottom = [node for node, _ in pairs]
        self.order = [leaf.holder for _, leaf in pairs]
        self.depth = max(min_depth, max(0, len(leaves) - 1).bit_length())
        if self.depth > MAX_DEPTH:
            raise failed("depth")
        self.node = cache(self._node)
        self.top = self.node(self.depth, 0)
        self.root = root_of(tree, self.depth, self.top)
        self.total = self.top.sum

    def _node(self, level: int, index: int) -> Node:
        """(9) (10)"""
        if index << level >= len(self.bottom):
            return Node(HMAC(self.key, b"\1" + u8(level) + u64(index)), 0)
        if level == 0:
            return self.bottom[index]
        return parent(self.id, level, self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))

    def path(self, index: int) -> Path:
        """(12)"""
        siblings = [self.node(level, index >> level ^ 1) for level in range(self.depth)]
        return [[node.digest.hex(), str(node.sum)] for node in siblings]


def fold(tree: bytes, node: Node, index: int, path: Path, level: int = 0) -> Node:
    """(12) (13) The top node that a path leads to, from the node at this level."""
    if not path:
        return node
    sibling = Node(bytes.fromhex(path[0][0]), int(path[0][1]))
    pair = (sibling, node) if index & 1 else (node, sibling)
    return fold(tree, parent(tree, level + 1, *pair), index >> 1, path[1:], level + 1)

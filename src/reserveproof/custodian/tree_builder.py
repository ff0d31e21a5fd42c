"""Builds sum trees in bulk: entries in, every level out, as flat bytes.

The one place where a tree of millions of leaves is hashed, so its interface is what a native kernel takes too:
runs of 80-byte entries in, levels of 48-byte nodes out. Memory: 80 bytes a leaf while the leaves are sorted, then 48
and the level that is being built; no Python object a leaf is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..format.errors import EvidenceError
from ..format.limits import AMOUNT_BOUND, MAX_DEPTH
from .tree_hashing import DIGEST_BYTES, ENTRY_BYTES, NODE_BYTES, SUM_BYTES, TreeHasher, depth_of

Level = bytes | bytearray
WriteLevel = Callable[[int, Level], None]
"""Takes a level's number and all its stored nodes by index, pads in their places; called from 0 to depth."""


@dataclass(frozen=True, slots=True)
class BuiltTree:
    """A tree that was built. leaves: its holders. total: base units."""

    depth: int
    leaves: int
    root: bytes
    total: int


def build_tree(hasher: TreeHasher, entries: Iterable[bytes], *, min_depth: int, write: WriteLevel) -> BuiltTree:
    """Build a tree of entries in any order.

    entries: runs of whole 80-byte entries (tree_hashing.entry), each of any number. write: given every level, level 0
    first.

    EvidenceError (reason="sum") if the total is 2^127 or more; ("depth") if the tree is deeper than MAX_DEPTH;
    ("holder-twice") if a holder stands twice, with whatever amounts.
    """
    level, leaves, total = sorted_leaves(hasher, entries)
    depth = checked_depth(leaves, min_depth)
    return _levels(hasher, level, leaves, depth, total, write)


def empty_tree(hasher: TreeHasher, *, min_depth: int) -> BuiltTree:
    """The tree of no leaf, of a (pool, asset) that nobody is owed anything in."""
    return build_tree(hasher, (), min_depth=min_depth, write=lambda _number, _level: None)


def checked_depth(leaves: int, min_depth: int) -> int:
    depth = depth_of(leaves, min_depth)
    if min_depth < 0 or depth > MAX_DEPTH:
        raise EvidenceError("the tree is deeper than 48 levels", reason="depth", found=str(depth))
    return depth


def sorted_leaves(hasher: TreeHasher, entries: Iterable[bytes]) -> tuple[bytearray, int, int]:
    """Level 0 without pads: leaves ascending by digest. The flat bytes, the number of leaves and their total."""
    # A digest's first byte is even over its range: 256 buckets, so that only one is ever sorted as objects.
    buckets = [bytearray() for _ in range(256)]
    holders = [bytearray() for _ in range(256)]
    blind_state, outer_state, leaf_state = hasher.blind_state, hasher.hmac_outer, hasher.leaf_state
    total = 0
    for run in entries:
        if len(run) % ENTRY_BYTES:
            raise ValueError("a run of entries is cut")
        for at in range(0, len(run), ENTRY_BYTES):
            entry = run[at : at + ENTRY_BYTES]
            holder, amount = entry[:DIGEST_BYTES], entry[2 * DIGEST_BYTES :]
            # TreeHasher.leaf, written out: this is the hot loop.
            inner, outer, leaf = blind_state.copy(), outer_state.copy(), leaf_state.copy()
            inner.update(holder)
            outer.update(inner.digest())
            leaf.update(outer.digest() + entry)
            digest = leaf.digest()
            total += int.from_bytes(amount, "big")
            buckets[digest[0]] += digest + amount
            holders[holder[0]] += holder
    if total >= AMOUNT_BOUND:
        raise EvidenceError("the tree's total is not below 2^127 base units", reason="sum", found=str(total))
    for bucket in holders:
        _refuse_twins(bucket)
    del holders
    level = bytearray()
    for number, bucket in enumerate(buckets):
        level += b"".join(sorted(bucket[at : at + NODE_BYTES] for at in range(0, len(bucket), NODE_BYTES)))
        buckets[number] = bytearray()
    return level, len(level) // NODE_BYTES, total


def _refuse_twins(holders: bytearray) -> None:
    found = {bytes(holders[at : at + DIGEST_BYTES]) for at in range(0, len(holders), DIGEST_BYTES)}
    if len(found) != len(holders) // DIGEST_BYTES:
        raise EvidenceError("a holder stands twice in a tree", reason="holder-twice")


def _levels(hasher: TreeHasher, level: bytearray, leaves: int, depth: int, total: int, write: WriteLevel) -> BuiltTree:
    if not leaves:
        for number in range(depth):
            write(number, b"")
        level = bytearray(hasher.pad(depth, 0))
        write(depth, level)
        return BuiltTree(depth, 0, hasher.root(depth, bytes(level)), 0)
    for number in range(depth):
        if len(level) // NODE_BYTES % 2:
            level += hasher.pad(number, len(level) // NODE_BYTES)
        write(number, level)
        level = parents(hasher, level, number + 1)
    write(depth, level)
    if len(level) != NODE_BYTES or int.from_bytes(level[DIGEST_BYTES:], "big") != total:
        raise RuntimeError("the tree does not add up to its leaves")
    return BuiltTree(depth, leaves, hasher.root(depth, bytes(level)), total)


def parents(hasher: TreeHasher, below: bytearray, level: int) -> bytearray:
    """The nodes at level above an even number of nodes. Sums are below 2^127, since the total is."""
    prefix: hashlib._Hash = hasher.node_state.copy()
    prefix.update(level.to_bytes(1, "big"))
    above = bytearray(len(below) // 2)
    view = memoryview(below)
    to = 0
    for at in range(0, len(below), 2 * NODE_BYTES):
        state = prefix.copy()
        pair = view[at : at + 2 * NODE_BYTES]
        state.update(pair)
        amount = int.from_bytes(pair[DIGEST_BYTES:NODE_BYTES], "big") + int.from_bytes(
            pair[NODE_BYTES + DIGEST_BYTES :], "big"
        )
        above[to : to + DIGEST_BYTES] = state.digest()
        above[to + DIGEST_BYTES : to + NODE_BYTES] = amount.to_bytes(SUM_BYTES, "big")
        to += NODE_BYTES
    return above

"""The arithmetic of the log's tree (RFC 6962, section 2.1): roots and paths over leaf hashes.

The durable tree keeps the leaves; what it says of roots and paths is held against this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ..format.errors import EvidenceError

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry's leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(width: int) -> int:
    """The largest power of two below width, which is 2 or more."""
    return 1 << (width - 1).bit_length() - 1


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (2.1)."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node_hash(root_of(leaves[:k]), root_of(leaves[k:]))


def inclusion_path(index: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """The path from the leaf's sibling to the root (2.1.1). ValueError unless 0 <= index < leaves."""
    if not 0 <= index < len(leaves):
        raise ValueError("no leaf has that index")
    if len(leaves) == 1:
        return ()
    k = _split(len(leaves))
    if index < k:
        return (*inclusion_path(index, leaves[:k]), root_of(leaves[k:]))
    return (*inclusion_path(index - k, leaves[k:]), root_of(leaves[:k]))


def consistency_path(old: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """The proof that the tree of the first old leaves is a beginning of the tree of all (2.1.2); () for old = 0 and
    for all of them. ValueError unless 0 <= old <= leaves."""
    if not 0 <= old <= len(leaves):
        raise ValueError("a tree is consistent with smaller ones only")
    return _subproof(old, leaves, True) if old else ()


def _subproof(old: int, leaves: Sequence[bytes], complete: bool) -> tuple[bytes, ...]:
    if old == len(leaves):
        return () if complete else (root_of(leaves),)
    k = _split(len(leaves))
    if old <= k:
        return (*_subproof(old, leaves[:k], complete), root_of(leaves[k:]))
    return (*_subproof(old - k, leaves[k:], False), root_of(leaves[:k]))


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """EvidenceError unless the path leads from the leaf to the root (RFC 9162, 2.1.3.2)."""
    place, last, found = index, size - 1, leaf
    if not 0 <= index < size:
        raise _no_proof("the index is outside the tree")
    for item in path:
        if last == 0:
            raise _no_proof("the path is too long")
        if place & 1 or place == last:
            found = node_hash(item, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, item)
        place, last = place >> 1, last >> 1
    if last or found != root:
        raise _no_proof("the path does not lead to the root")


def check_consistency(old: int, size: int, path: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    """EvidenceError unless the tree of size begins with the tree of old (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= size:
        raise _no_proof("the old tree is larger than the new one")
    if old in (0, size):
        if path or (old == size and old_root != root) or (old == 0 and old_root != EMPTY_ROOT):
            raise _no_proof("the same tree, or an empty one, needs no path and has one root")
        return
    hashes = list(path)
    if old & old - 1 == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise _no_proof("the path is too short")
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = hashes[0]
    for item in hashes[1:]:
        if last == 0:
            raise _no_proof("the path is too long")
        if place & 1 or place == last:
            before, after = node_hash(item, before), node_hash(item, after)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, item)
        place, last = place >> 1, last >> 1
    if last or before != old_root or after != root:
        raise _no_proof("the path does not lead to both roots")


def _no_proof(why: str) -> EvidenceError:
    return EvidenceError(f"the log's tree does not prove what it should: {why}", reason="log-tree",
                         hint="restore the workspace's log folder from a copy")  # fmt: skip

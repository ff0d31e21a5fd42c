"""Roots and paths of the log's tree, against a recursion over index ranges that is written here alone."""

from __future__ import annotations

import hashlib

import pytest

from reserveproof.custodian import log_tree
from reserveproof.format.errors import EvidenceError

LARGEST = 40
LEAVES = [hashlib.sha256(b"\x00entry %d" % number).digest() for number in range(LARGEST)]


def split(low: int, high: int) -> int:
    k = 1
    while 2 * k < high - low:
        k *= 2
    return low + k


def root(low: int, high: int) -> bytes:
    if low == high:
        return hashlib.sha256(b"").digest()
    if high - low == 1:
        return LEAVES[low]
    middle = split(low, high)
    return hashlib.sha256(b"\x01" + root(low, middle) + root(middle, high)).digest()


def inclusion(index: int, low: int, high: int) -> list[bytes]:
    if high - low == 1:
        return []
    middle = split(low, high)
    if index < middle:
        return [*inclusion(index, low, middle), root(middle, high)]
    return [*inclusion(index, middle, high), root(low, middle)]


def consistency(old: int, low: int, high: int, whole: bool) -> list[bytes]:
    """old: the end of the smaller tree, an index like low and high."""
    if old == high:
        return [] if whole else [root(low, high)]
    middle = split(low, high)
    if old <= middle:
        return [*consistency(old, low, middle, whole), root(middle, high)]
    return [*consistency(old, middle, high, False), root(low, middle)]


def test_leaves_and_nodes_are_those_of_the_rfc() -> None:
    assert log_tree.leaf_hash(b"entry 7") == LEAVES[7]
    assert log_tree.root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_every_root_and_path(size: int) -> None:
    leaves, top = LEAVES[:size], root(0, size)
    assert log_tree.root_of(leaves) == top
    for index in range(size):
        path = log_tree.inclusion_path(index, leaves)
        assert list(path) == inclusion(index, 0, size)
        log_tree.check_inclusion(LEAVES[index], index, size, path, top)
    for old in range(size + 1):
        path = log_tree.consistency_path(old, leaves)
        assert list(path) == (consistency(old, 0, size, True) if old else [])
        log_tree.check_consistency(old, size, path, root(0, old), top)


@pytest.mark.parametrize("size", [2, 3, 7, 8, 13])
def test_what_was_changed_proves_nothing(size: int) -> None:
    leaves, top, other = LEAVES[:size], root(0, size), bytes(32)
    for index in range(size):
        path = log_tree.inclusion_path(index, leaves)
        for wrong in (path[:-1], (*path, other), *((*path[:at], other, *path[at + 1 :]) for at in range(len(path)))):
            with pytest.raises(EvidenceError):
                log_tree.check_inclusion(LEAVES[index], index, size, wrong, top)
        for place in {(index + 1) % size, size, -1} - {index}:
            with pytest.raises(EvidenceError):
                log_tree.check_inclusion(LEAVES[index], place, size, path, top)
    for old in range(1, size):
        path = log_tree.consistency_path(old, leaves)
        for wrong in (path[:-1], (*path, other), *((*path[:at], other, *path[at + 1 :]) for at in range(len(path)))):
            with pytest.raises(EvidenceError):
                log_tree.check_consistency(old, size, wrong, root(0, old), top)
        for before, after in ((other, top), (root(0, old), other)):
            with pytest.raises(EvidenceError):
                log_tree.check_consistency(old, size, path, before, after)


def test_the_same_tree_has_one_root_and_needs_no_path() -> None:
    for path, before, after in (((bytes(32),), root(0, 5), root(0, 5)), ((), root(0, 5), bytes(32))):
        with pytest.raises(EvidenceError):
            log_tree.check_consistency(5, 5, path, before, after)
    with pytest.raises(EvidenceError):
        log_tree.check_consistency(6, 5, (), root(0, 6), root(0, 5))
    with pytest.raises(EvidenceError):
        log_tree.check_consistency(0, 5, (bytes(32),), log_tree.EMPTY_ROOT, root(0, 5))


def test_there_is_no_path_from_outside() -> None:
    with pytest.raises(ValueError, match="no leaf"):
        log_tree.inclusion_path(3, LEAVES[:3])
    with pytest.raises(ValueError, match="smaller"):
        log_tree.consistency_path(4, LEAVES[:3])

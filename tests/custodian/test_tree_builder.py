"""Bulk building: every cut and every run gives one root, and what must be refused is."""

from __future__ import annotations

import itertools
import random

import pytest

from reserveproof.custodian.tree_builder import build_tree, empty_tree, sorted_leaves
from reserveproof.custodian.tree_hashing import NODE_BYTES, TreeName, depth_of
from reserveproof.format.errors import EvidenceError
from tree_ranges import join, range_nodes
from workspace_maker import numbered_entry, some_hasher


def forget(_number: int, _level: bytes | bytearray) -> None:
    """A builder's reader that keeps nothing."""


def cuts_of(n: int) -> list[list[int]]:
    """Every cut into one, two and three ranges, empty ones too, and some into many."""
    found = [[0, n], *([0, a, n] for a in range(n + 1))]
    found += [[0, a, b, n] for a in range(n + 1) for b in range(a, n + 1)]
    rng = random.Random(n)  # noqa: S311 - which cuts are tried is no secret
    for _ in range(20):
        found.append([0, *sorted(rng.choices(range(n + 1), k=rng.randint(3, 12))), n])
    found.append(list(range(n + 1)) if n else [0, 0])
    return found


@pytest.mark.parametrize("n", range(41))
def test_any_cut_same_root(n: int) -> None:
    hasher = some_hasher()
    entries = [numbered_entry(k) for k in range(n)]
    leaves, count, _ = sorted_leaves(hasher, entries)
    assert count == n
    for min_depth in (0, 3, 8) if n < 10 else (0, 8):
        whole = build_tree(hasher, entries, min_depth=min_depth, write=forget)
        parts: dict[tuple[int, int], dict[tuple[int, int], bytes]] = {}
        for cut in cuts_of(n):
            handed = []
            for pair in itertools.pairwise(cut):
                if pair not in parts:
                    piece = leaves[NODE_BYTES * pair[0] : NODE_BYTES * pair[1]]
                    parts[pair] = range_nodes(hasher, piece, pair[0], whole.depth)
                levels = [level for level, _ in parts[pair]]
                assert all(levels.count(level) <= 2 for level in levels)
                handed.append(parts[pair])
            assert join(hasher, handed, leaves=n, min_depth=min_depth) == whole, cut


def test_a_missing_or_doubled_range_is_refused() -> None:
    hasher = some_hasher()
    leaves, _, _ = sorted_leaves(hasher, [numbered_entry(k) for k in range(20)])
    halves = [range_nodes(hasher, leaves[: NODE_BYTES * 9], 0, 5), range_nodes(hasher, leaves[NODE_BYTES * 9 :], 9, 5)]
    assert join(hasher, halves, leaves=20, min_depth=0).leaves == 20
    for wrong in (halves[:1], halves[1:], [], [halves[0], halves[0], halves[1]]):
        with pytest.raises(EvidenceError):
            join(hasher, wrong, leaves=20, min_depth=0)
    overlapping = [halves[0], range_nodes(hasher, leaves[NODE_BYTES * 8 :], 8, 5)]
    with pytest.raises(EvidenceError):
        join(hasher, overlapping, leaves=20, min_depth=0)


def test_order_and_runs_of_the_entries_do_not_matter() -> None:
    hasher = some_hasher()
    entries = [numbered_entry(k) for k in range(77)]
    wanted = build_tree(hasher, entries, min_depth=0, write=forget)
    assert build_tree(hasher, [b"".join(reversed(entries))], min_depth=0, write=forget) == wanted
    runs = [b"", b"".join(entries[:5]), b"", b"".join(entries[5:])]
    assert build_tree(hasher, iter(runs), min_depth=0, write=forget) == wanted
    with pytest.raises(ValueError, match="cut"):
        build_tree(hasher, [entries[0][:-1]], min_depth=0, write=forget)


def test_levels_come_flat_in_order_with_their_pads() -> None:
    hasher = some_hasher()
    levels: list[bytes] = []

    def keep(number: int, level: bytes | bytearray) -> None:
        assert number == len(levels)
        levels.append(bytes(level))

    built = build_tree(hasher, [numbered_entry(k) for k in range(5)], min_depth=5, write=keep)
    assert [len(level) // NODE_BYTES for level in levels] == [6, 4, 2, 2, 2, 1]
    assert levels[0][5 * NODE_BYTES :] == hasher.pad(0, 5)
    assert levels[1][3 * NODE_BYTES :] == hasher.pad(1, 3)
    assert levels[4][NODE_BYTES:] == hasher.pad(4, 1)
    assert built.root == hasher.root(5, levels[5])


@pytest.mark.parametrize("twin", [numbered_entry(3), numbered_entry(3, amount=1)], ids=["same", "other-amount"])
def test_a_holder_stands_once(twin: bytes) -> None:
    with pytest.raises(EvidenceError) as caught:
        build_tree(some_hasher(), [*(numbered_entry(k) for k in range(9)), twin], min_depth=0, write=forget)
    assert caught.value.reason == "holder-twice"


def test_bounds() -> None:
    hasher = some_hasher()
    largest = [numbered_entry(0, amount=2**126), numbered_entry(1, amount=2**126 - 1)]
    assert build_tree(hasher, largest, min_depth=0, write=forget).total == 2**127 - 1
    with pytest.raises(EvidenceError) as caught:
        build_tree(hasher, [*largest, numbered_entry(2, amount=1)], min_depth=0, write=forget)
    assert caught.value.reason == "sum"
    assert empty_tree(hasher, min_depth=48).depth == 48
    for depth in (49, -1):
        with pytest.raises(EvidenceError) as caught:
            empty_tree(hasher, min_depth=depth)
        assert caught.value.reason == "depth"


def test_empty_tree_is_one_pad() -> None:
    hasher = some_hasher()
    built = empty_tree(hasher, min_depth=4)
    assert (built.leaves, built.total, built.root) == (0, 0, hasher.root(4, hasher.pad(4, 0)))


def test_depth() -> None:
    assert [depth_of(n, 0) for n in (0, 1, 2, 3, 4, 5, 8, 9)] == [0, 0, 1, 2, 2, 3, 3, 4]
    assert depth_of(3, 7) == 7


def test_names_are_delimited() -> None:
    """Names that join to one text are different trees."""
    ids = {TreeName("ab", "c", "d", "E", "L").tree_id, TreeName("a", "bc", "d", "E", "L").tree_id}
    ids |= {TreeName("ab", "c", "d", "E", "R").tree_id, TreeName("ab", "cd", "e", "E", "L").tree_id}
    assert len(ids) == 4


@pytest.mark.parametrize("key", [b"", b"\x00" * 31, b"\x00" * 33])
def test_short_digest(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        type(some_hasher())(b"\x00" * 32, key)

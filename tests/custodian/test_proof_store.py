"""The tree's file: what was built is what is read, and nothing else is read as a tree."""

from __future__ import annotations

import random
import stat
from pathlib import Path

import pytest

from reserveproof.custodian.proof_store import HEADER_BYTES, MAGIC, StoreWriter, TreeFile, tree_file
from reserveproof.custodian.tree_builder import BuiltTree, build_tree
from reserveproof.custodian.tree_hashing import NODE_BYTES
from reserveproof.format.errors import InputError, TransportError
from workspace_maker import numbered_entry, some_hasher


def stored(path: Path, leaves: int, min_depth: int = 0) -> BuiltTree:
    hasher = some_hasher()
    with StoreWriter(path) as store:
        built = build_tree(hasher, (numbered_entry(k) for k in range(leaves)), min_depth=min_depth, write=store.level)
        store.finish(hasher.tree_id, built)
    return built


@pytest.mark.parametrize("leaves", [0, 1, 2, 3, 5, 8, 33])
@pytest.mark.parametrize("min_depth", [0, 6, 48])
def test_every_path_leads_to_the_root(tmp_path: Path, leaves: int, min_depth: int) -> None:
    built = stored(tmp_path / "t", leaves, min_depth)
    hasher = some_hasher()
    with TreeFile(tmp_path / "t") as tree:
        tree.verify()
        header = tree.header
        assert (header.depth, header.leaves, header.root, header.total, header.side) == (
            built.depth, built.leaves, built.root, built.total, "L",
        )  # fmt: skip
        found = set()
        for k in range(leaves):
            leaf = hasher.leaf(numbered_entry(k))
            index = tree.rank(leaf[:32])
            assert index is not None
            found.add(index)
            node = leaf
            for level, (digest, amount) in enumerate(tree.path(index)):
                sibling = digest + amount.to_bytes(16, "big")
                node = hasher.node(level + 1, *((sibling, node) if index >> level & 1 else (node, sibling)))
            assert hasher.root(built.depth, node) == built.root
        assert found == set(range(leaves))
        assert tree.rank(b"\x00" * 32) is None
        assert tree.rank(b"\xff" * 32) is None
        if leaves % 2 and built.depth:
            assert tree.rank(tree.node(0, leaves)[0]) is None, "a pad is nobody's leaf"
        with pytest.raises(IndexError):
            tree.node(0, leaves + 2)


def test_the_file_is_private_and_new(tmp_path: Path) -> None:
    stored(tmp_path / "t", 3)
    assert stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o600
    with pytest.raises(TransportError):
        StoreWriter(tmp_path / "t")


def test_names_of_trees_are_apart() -> None:
    assert tree_file("a-1", "B") != tree_file("a", "1-B")
    assert tree_file("a", "B", "R") == "R_a_B.tree"


def test_an_unfinished_file_is_no_tree(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "t") as store:
        build_tree(some_hasher(), [numbered_entry(1)], min_depth=0, write=store.level)
    with pytest.raises(InputError, match="not a tree's file"):
        TreeFile(tmp_path / "t")
    with StoreWriter(tmp_path / "u") as store, pytest.raises(ValueError, match="not every level"):
        store.finish(b"\x00" * 32, BuiltTree(3, 1, b"\x00" * 32, 1))


def test_truncation_is_noticed_everywhere(tmp_path: Path) -> None:
    stored(tmp_path / "t", 5)
    data = (tmp_path / "t").read_bytes()
    assert len(data) == HEADER_BYTES + NODE_BYTES * (6 + 4 + 2 + 1)
    for length in [*range(0, HEADER_BYTES + 2, 7), *range(HEADER_BYTES, len(data))]:
        (tmp_path / "cut").write_bytes(data[:length])
        with pytest.raises(InputError) as caught:
            TreeFile(tmp_path / "cut")
        assert caught.value.reason == "damaged"
        assert caught.value.hint
    (tmp_path / "cut").write_bytes(data + b"\x00")
    with pytest.raises(InputError, match="bytes where its header says"):
        TreeFile(tmp_path / "cut")


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    stored(tmp_path / "t", 5)
    data = (tmp_path / "t").read_bytes()
    rng = random.Random(5)  # noqa: S311 - which bit is flipped is no secret
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << rng.randrange(8)
        (tmp_path / "x").write_bytes(changed)
        with pytest.raises(InputError) as caught, TreeFile(tmp_path / "x") as tree:
            tree.verify()
        assert caught.value.reason == ("version" if at == len(MAGIC) - 1 else "damaged"), at


def test_a_missing_file_is_transport(tmp_path: Path) -> None:
    with pytest.raises(TransportError):
        TreeFile(tmp_path / "none")

"""The custodian's arithmetic against the vectors, which the recursive reference made."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kernel_trees
from reserveproof.custodian.proof_store import StoreWriter, TreeFile
from reserveproof.custodian.tree_builder import BuiltTree, build_tree
from reserveproof.custodian.tree_hashing import (
    TreeHasher,
    TreeName,
    client_holder,
    entry,
    line_details,
    position_holder,
    public_key,
)
from reserveproof.format.amounts import from_json
from reserveproof.format.errors import EvidenceError, MalformedError

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


def cases(kind: str) -> list[Any]:
    found = sorted((VECTORS / kind).glob("*.json"))
    return [pytest.param(json.loads(path.read_text("utf-8")), id=path.stem) for path in found if path.stem != "rolling"]


def hasher_of(given: dict[str, Any]) -> TreeHasher:
    name = TreeName(given["custodian"], given["snapshot"], given["pool"], given["asset"], given["side"])
    return TreeHasher(name.tree_id, bytes.fromhex(given["tree_key"]))


def entries_of(given: dict[str, Any]) -> list[bytes]:
    return [
        entry(bytes.fromhex(leaf["holder"]), bytes.fromhex(leaf["details"]), from_json(leaf["sum"]))
        for leaf in given["leaves"]
    ]


Build = Callable[[Path, TreeHasher, dict[str, Any]], BuiltTree]


def by_python(path: Path, hasher: TreeHasher, given: dict[str, Any]) -> BuiltTree:
    with StoreWriter(path, given["side"]) as store:
        built = build_tree(hasher, entries_of(given), min_depth=given["min_depth"], write=store.level)
        store.finish(hasher.tree_id, built)
    return built


def by_kernel(path: Path, hasher: TreeHasher, given: dict[str, Any]) -> BuiltTree:
    cell = kernel_trees.new_cell(hasher)
    try:
        cell.add_entries(b"".join(entries_of(given)))
        return kernel_trees.finish(cell, hasher, path, given["min_depth"], given["side"])
    except ValueError as error:
        raise EvidenceError(str(error.args[1]), reason=error.args[0]) from error


@pytest.mark.parametrize("build", [by_python, pytest.param(by_kernel, marks=kernel_trees.needs_kernel)])
@pytest.mark.parametrize("case", cases("tree"))
def test_tree(case: dict[str, Any], build: Build, tmp_path: Path) -> None:
    given, expect = case["input"], case["expect"]
    hasher = hasher_of(given)
    if expect["class"] == "malformed":
        with pytest.raises(MalformedError):
            entries_of(given)
        return
    if expect["class"] == "failed":
        with pytest.raises(EvidenceError) as caught:
            build(tmp_path / "t", hasher, given)
        assert caught.value.reason == expect["reason"]
        return
    built = build(tmp_path / "t", hasher, given)
    assert hasher.tree_id.hex() == expect["tree_id"]
    assert (built.depth, built.root.hex(), str(built.total)) == (expect["depth"], expect["root"], expect["total"])
    leaf_of = {item[:32].hex(): hasher.leaf(item) for item in entries_of(given)}
    with TreeFile(tmp_path / "t") as tree:
        tree.verify()
        order = [tree.rank(leaf_of[holder][:32]) for holder in expect["order"]]
        assert order == list(range(len(order)))
        for wanted in expect["paths"]:
            assert hasher.blind(bytes.fromhex(wanted["holder"])).hex() == wanted["blind"]
            assert tree.node(0, wanted["index"])[0].hex() == wanted["digest"]
            assert [[d.hex(), str(s)] for d, s in tree.path(wanted["index"])] == wanted["path"]
            proved = tree.prove(wanted["index"])
            assert proved.leaf[:32].hex() == wanted["digest"]
            assert json.loads(proved.path) == wanted["path"]


def test_public_key_is_what_anyone_computes() -> None:
    case = json.loads((VECTORS / "tree" / "public-5.json").read_text("utf-8"))
    assert public_key(hasher_of(case["input"]).tree_id).hex() == case["input"]["tree_key"]


def levels_by_python(hasher: TreeHasher, entries: list[bytes], min_depth: int) -> tuple[int, bytes, list[bytes]]:
    levels: list[bytes] = []
    built = build_tree(hasher, entries, min_depth=min_depth, write=lambda _number, nodes: levels.append(bytes(nodes)))
    return built.depth, built.root, levels


def levels_by_kernel(hasher: TreeHasher, entries: list[bytes], min_depth: int) -> tuple[int, bytes, list[bytes]]:
    cell = kernel_trees.new_cell(hasher)
    cell.add_entries(b"".join(entries))
    depth, counts = cell.finish(min_depth)
    nodes = bytearray(48 * sum(counts))
    root, _ = cell.write(nodes, depth)
    starts = [48 * sum(counts[:level]) for level in range(depth + 2)]
    return depth, root, [bytes(nodes[first:end]) for first, end in itertools.pairwise(starts)]


@pytest.mark.parametrize(
    "levels_of", [levels_by_python, pytest.param(levels_by_kernel, marks=kernel_trees.needs_kernel)]
)
def test_rolling(levels_of: Callable[[TreeHasher, list[bytes], int], tuple[int, bytes, list[bytes]]]) -> None:
    case = json.loads((VECTORS / "tree" / "rolling.json").read_text("utf-8"))

    def named(word: str, number: int) -> bytes:
        return hashlib.sha256(f"{word} {number}".encode()).digest()

    hasher = TreeHasher(TreeName("roll", "roll", "roll", "ROLL", "L").tree_id, b"\x2a" * 32)
    first, last = case["input"]["n"]
    made = [
        entry(named("holder", k), named("details", k), int.from_bytes(named("sum", k)[:8], "big")) for k in range(last)
    ]
    for run, min_depth in zip(case["expect"]["runs"], case["input"]["min_depths"], strict=True):
        roots, paths = hashlib.sha256(), hashlib.sha256()
        at = {item["n"]: item for item in run["at"]}
        for n in range(first, last + 1):
            depth, root, levels = levels_of(hasher, made[:n], min_depth)
            roots.update(root)
            for index in range(n):
                for level in range(depth):
                    sibling = index >> level ^ 1
                    paths.update(levels[level][48 * sibling : 48 * sibling + 48])
            if n in at:
                assert (root.hex(), roots.hexdigest(), paths.hexdigest()) == (
                    at[n]["root"], at[n]["roots"], at[n]["paths"],
                )  # fmt: skip
        assert (roots.hexdigest(), paths.hexdigest()) == (run["roots"], run["paths"])


def passing(kind: str) -> list[Any]:
    """The cases that are hashed; the others are refused by the readers of tables before that."""
    return [case for case in cases(kind) if case.values[0]["expect"]["class"] == "passed"]


@pytest.mark.parametrize("case", passing("holder"))
def test_holder(case: dict[str, Any]) -> None:
    given, expect = case["input"], case["expect"]
    found = (
        client_holder(given["client_id"], given["client_code"])
        if given["side"] == "L"
        else position_holder(given["account"], given["form"])
    )
    assert found.hex() == expect["holder"]


@pytest.mark.parametrize("case", passing("line-details"))
def test_line_details(case: dict[str, Any]) -> None:
    buckets = [(b["bucket"], int(b["credit"]), int(b["debit"])) for b in case["input"]["buckets"]]
    assert line_details(buckets).hex() == case["expect"]["details"]

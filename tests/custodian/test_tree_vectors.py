"""The custodian's arithmetic against the vectors, which the recursive reference made."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from reserveproof.custodian.proof_store import StoreWriter, TreeFile
from reserveproof.custodian.tree_builder import build_tree
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


@pytest.mark.parametrize("case", cases("tree"))
def test_tree(case: dict[str, Any], tmp_path: Path) -> None:
    given, expect = case["input"], case["expect"]
    hasher = hasher_of(given)
    if expect["class"] == "malformed":
        with pytest.raises(MalformedError):
            entries_of(given)
        return
    with StoreWriter(tmp_path / "t", given["side"]) as store:
        if expect["class"] == "failed":
            with pytest.raises(EvidenceError) as caught:
                build_tree(hasher, entries_of(given), min_depth=given["min_depth"], write=store.level)
            assert caught.value.reason == expect["reason"]
            return
        built = build_tree(hasher, entries_of(given), min_depth=given["min_depth"], write=store.level)
        store.finish(hasher.tree_id, built)
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


def test_public_key_is_what_anyone_computes() -> None:
    case = json.loads((VECTORS / "tree" / "public-5.json").read_text("utf-8"))
    assert public_key(hasher_of(case["input"]).tree_id).hex() == case["input"]["tree_key"]


def test_rolling() -> None:
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
            levels: list[bytes] = []
            built = build_tree(
                hasher, made[:n], min_depth=min_depth, write=lambda _n, nodes, out=levels: out.append(bytes(nodes))
            )
            roots.update(built.root)
            for index in range(n):
                for level in range(built.depth):
                    sibling = index >> level ^ 1
                    paths.update(levels[level][48 * sibling : 48 * sibling + 48])
            if n in at:
                assert (built.root.hex(), roots.hexdigest(), paths.hexdigest()) == (
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

"""Vectors of the kind `tree`, and the rolling digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from . import tree
from .cases import Vector
from .conventions import H, u128
from .conventions import amount as json_amount
from .outcome import Refusal

LARGEST = 2**127 - 1


def holder(number: int) -> bytes:
    return H(f"holder {number}".encode())


def details(number: int) -> bytes:
    return H(f"details {number}".encode())


def amount(number: int) -> int:
    return int.from_bytes(H(f"sum {number}".encode())[:8], "big")


def given(sums: list[Any], min_depth: int, side: str = "L", holders: list[int] | None = None) -> dict[str, Any]:
    numbers = holders or list(range(len(sums)))
    names = {"asset": "BTC", "custodian": "acme-custody", "pool": "omni", "snapshot": "2026-06-30.a"}
    tid = tree.tree_id(side, names["custodian"], names["snapshot"], names["pool"], names["asset"])
    key = tree.public_tree_key(tid) if side == "R" else tree.secret_tree_key(H(b"tree vectors"), tid)
    leaves = [
        {"details": details(n).hex(), "holder": holder(n).hex(), "sum": str(one)}
        for n, one in zip(numbers, sums, strict=True)
    ]
    leaves.sort(key=lambda leaf: H(b"shuffle " + bytes.fromhex(leaf["holder"])))
    return {**names, "kind": 1, "leaves": leaves, "min_depth": min_depth, "side": side, "tree_key": key.hex()}


def built(case: dict[str, Any]) -> tree.Tree:
    tid = tree.tree_id(case["side"], case["custodian"], case["snapshot"], case["pool"], case["asset"], case["kind"])
    leaves = [
        tree.Leaf(bytes.fromhex(leaf["holder"]), bytes.fromhex(leaf["details"]), json_amount(leaf["sum"]))
        for leaf in case["leaves"]
    ]
    return tree.Tree(tid, bytes.fromhex(case["tree_key"]), leaves, case["min_depth"])


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    """What a tree vector expects: the tree, or the refusal."""
    try:
        found = built(case)
    except Refusal as refusal:
        return {"class": refusal.class_, "reason": refusal.reason}
    shown = sorted({0, 1, len(found.order) // 2, len(found.order) - 1} & set(range(len(found.order))))
    return {
        "class": "passed",
        "depth": found.depth,
        "order": [one.hex() for one in found.order],
        "paths": [
            {
                "blind": tree.blind(found.key, found.order[index]).hex(),
                "digest": found.bottom[index].digest.hex(),
                "holder": found.order[index].hex(),
                "index": index,
                "path": found.path(index),
            }
            for index in shown
        ],
        "reason": "",
        "root": found.root.hex(),
        "total": str(found.total),
        "tree_id": found.id.hex(),
    }


def vectors() -> Iterator[Vector]:
    def case(name: str, why: str, expect: str, *args: Any, **more: Any) -> Vector:
        taken = given(*args, **more)
        found = outcome(taken)
        if f"{found['class']} {found['reason']}".strip() != expect:
            raise ValueError(f"{name}: {found}")
        return {"expect": found, "input": taken, "kind": "tree", "name": name, "why": why}

    for n in (0, 1, 2, 3, 5, 8, 9):
        yield case(f"leaves-{n}", f"{n} leaves at their own depth.", "passed", [amount(k) for k in range(n)], 0)
    for n, depth in ((0, 3), (1, 1), (1, 6), (2, 2), (3, 5), (5, 48), (9, 7)):
        name, why = f"leaves-{n}-min-depth-{depth}", f"{n} leaves under min_depth {depth}."
        yield case(name, why, "passed", [amount(k) for k in range(n)], depth)
    yield case(
        "min-depth-below", "min_depth below the depth that is needed changes nothing.", "passed", [1, 2, 3, 4, 5], 2
    )
    yield case("public-5", "A public register's tree, which anyone can rebuild.", "passed", [5, 0, 7, 11, 0], 0, "R")
    yield case("zeros", "Leaves of zero.", "passed", [0, 0, 0], 0)
    yield case("largest-sum", "Sums up to 2^127-1.", "passed", [LARGEST - 10, 4, 6], 0)
    yield case("largest-leaf", "One leaf of 2^127-1 among zeros.", "passed", [0, LARGEST, 0, 0, 0], 4)
    yield case(
        "odd-three", "Three leaves: the fourth place is a pad, not the third leaf again.", "passed", [3, 4, 5], 0
    )
    yield case("odd-four", "Four leaves, the first three as in odd-three: another root.", "passed", [3, 4, 5, 5], 0)
    yield case("overflow-two", "Two leaves of 2^126.", "failed sum", [2**126, 2**126], 0)
    yield case("overflow-three", "Two leaves of 2^126-1 and a third.", "failed sum", [2**126 - 1, 2**126 - 1, 2], 0)
    yield case("overflow-by-one", "2^127-1 and 1.", "failed sum", [LARGEST, 1], 3)
    yield case("overflow-at-the-top", "The sum reaches 2^127 at the last level only.", "failed sum", [2**124] * 8, 0)
    yield case("leaf-2-127", "A leaf of 2^127 is not an amount.", "malformed", [2**127], 0)
    yield case("leaf-negative", "A negative leaf is not an amount.", "malformed", [100, -60], 0)
    yield case("leaf-minus-zero", "Minus zero is not an amount.", "malformed", [100, "-0"], 0)
    yield case("leaf-exponent", "An exponent is not an amount.", "malformed", [100, "1e0"], 0)
    yield case("holder-twice", "One holder, two amounts.", "failed holder-twice", [1, 2, 3], 0, "L", [0, 1, 1])
    yield case(
        "holder-twice-same", "[A, B, C, C] is not a tree.", "failed holder-twice", [3, 4, 5, 5], 0, "L", [0, 1, 2, 2]
    )
    yield case("depth-49", "A depth above 48.", "failed depth", [1], 49)


ROLLING = range(131)
ROLLING_DEPTHS = (0, 3, 9)
RECIPE = [
    "Leaf number k, from 0: holder = SHA-256('holder K'), details = SHA-256('details K'), sum = the first 8 bytes of "
    "SHA-256('sum K') as a big-endian integer, where K is k in ASCII decimal without leading zeros.",
    "tree_id is that of kind 1, side L, custodian 'roll', snapshot 'roll', pool 'roll', asset 'ROLL'. tree_key is 32 "
    "bytes of 0x2a.",
    "For each min_depth listed, start two SHA-256 computations, R and P, with no input.",
    "For n from 0 to 130 in turn, build the tree of leaves 0 to n-1 with that min_depth. Feed R with the root, 32 "
    "bytes. Then for each index from 0 to n-1 and each sibling of its path from level 0 upwards, feed P with the "
    "sibling's digest, 32 bytes, and its sum as u128.",
    "`roots` and `paths` are the digests of R and P after n = 130; `at` gives both, and the root itself, after "
    "each n named.",
]


def rolling() -> Vector:
    tid = tree.tree_id("L", "roll", "roll", "roll", "ROLL")
    leaves = [tree.Leaf(holder(k), details(k), amount(k)) for k in ROLLING]
    runs = []
    for min_depth in ROLLING_DEPTHS:
        roots, paths, at = hashlib.sha256(), hashlib.sha256(), []
        for n in ROLLING:
            found = tree.Tree(tid, b"\x2a" * 32, leaves[:n], min_depth)
            roots.update(found.root)
            for index in range(n):
                for digest, total in found.path(index):
                    paths.update(bytes.fromhex(digest) + u128(int(total)))
            if n in (0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 33, 64, 65, 100):
                at.append({"n": n, "paths": paths.hexdigest(), "root": found.root.hex(), "roots": roots.hexdigest()})
        runs.append({"at": at, "min_depth": min_depth, "paths": paths.hexdigest(), "roots": roots.hexdigest()})
    return {
        "expect": {"class": "passed", "reason": "", "runs": runs},
        "input": {"min_depths": list(ROLLING_DEPTHS), "n": [0, 130], "recipe": RECIPE},
        "kind": "rolling",
        "name": "rolling",
        "why": "Every small tree at once: 131 sizes at three least depths, all roots and all paths.",
    }

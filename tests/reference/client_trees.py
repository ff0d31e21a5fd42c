"""Vectors of kind `client` about steps 8 and 9: paths and roots that a tree does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import tree
from .cases import Vector, base, client
from .client_lines import ledger
from .conventions import H, T, u8
from .edits import Edit, all_of, append, drop, put
from .forged import BTC, forge, neighbours, one_view, small
from .made_up import LEDGER, Cell
from .world import World


def fold() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return client(name, why, f"{expect} 8", **more)

    yield bad(
        "path-level-missing", "The last sibling is missing.", "malformed path-length", proof=drop("lines.0.path.2")
    )
    yield bad(
        "path-first-level-missing",
        "The first sibling is missing.",
        "malformed path-length",
        proof=drop("lines.0.path.0"),
    )
    more = append("lines.0.path", ["00" * 32, "0"])
    yield bad("path-level-extra", "A sibling too many.", "malformed path-length", proof=more)
    yield bad("path-empty", "No path.", "malformed path-length", proof=put("lines.0.path", []))
    single = put("lines.2.path", [["00" * 32, "0"]])
    yield bad(
        "path-in-single-leaf", "A path where the leaf is the top.", "malformed path-length", who="carol", proof=single
    )
    yield bad(
        "index-beyond",
        "An index of 2^depth and more.",
        "malformed index",
        proof=put("lines.0.index", lambda old: old + 8),
    )
    yield bad(
        "index-beyond-of-zero-line",
        "The same of a line that is zero.",
        "malformed index",
        who="frank",
        proof=put("lines.0.index", 8),
    )
    yield bad("index-largest", "An index of 2^48-1.", "malformed index", proof=put("lines.0.index", 2**48 - 1))
    big = put("lines.0.path.0.1", str(2**127 - 1))
    yield bad("overflow-sibling", "A sibling's sum that makes the sum 2^127 and more.", "failed sum", proof=big)
    top = put("lines.0.path.2.1", str(2**127 - 130_000_000))
    yield bad("overflow-at-the-top", "The same at the last level.", "failed sum", proof=top)


def sum_forgery() -> Iterator[Vector]:
    for depth in (1, 2, 3):
        world = small(depth)
        pair = neighbours(world, BTC)
        forged = forge(world, BTC, pair)
        for who in pair:
            yield client(
                f"sum-forgery-depth-{depth}-{who}",
                "Parents hash the sum of their children and not each sum; two holders are shown siblings' sums that "
                "fit, and the published total is the larger amount of theirs only.",
                "failed root-differs 9",
                who=who,
                world=forged,
            )
    yield client(
        "sum-forgery-other-view",
        "The tree was built for what its neighbour is shown: this client's path does not lead to the root.",
        "failed root-differs 9",
        who="erin",
        world=one_view("alice", "erin", "alice"),
    )
    yield client(
        "sum-forgery-sibling-zero",
        "The sibling's sum is set to zero, and the total with it.",
        "failed root-differs 9",
        proof=put("lines.0.path.0.1", "0"),
        predicate=lower_total(BTC, base(), "alice"),
    )


def lower_total(cell: Cell, world: World, who: str) -> Edit:
    sibling = int(world.line(cell, who)["path"][0][1])

    def edit(p: dict[str, Any]) -> None:
        tree_ = p["pools"][0]["assets"][0]["liabilities"]
        tree_["total"] = str(int(tree_["total"]) - sibling)

    return edit


class LevelForgery(tree.Tree):
    """Every parent hashes the level 1, whatever its own."""

    def _node(self, level: int, index: int) -> tree.Node:
        honest = super()._node(level, index)
        if level < 2 or index << level >= len(self.bottom):
            return honest
        return tree.parent(self.id, 1, self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))


class Unsigned(tree.Tree):
    """Parents hash digests only: sums are carried beside and shown as pleases."""

    def _node(self, level: int, index: int) -> tree.Node:
        honest = super()._node(level, index)
        if level == 0 or index << level >= len(self.bottom):
            return honest
        left, right = self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1)
        return tree.Node(H(T("node") + self.id + u8(level) + left.digest + right.digest), left.sum + right.sum)


def rebuilt(kind: type[tree.Tree]) -> World:
    world = World()
    honest = world.liabilities[BTC]
    leaves = [world.leaf(BTC, name) for name in LEDGER[BTC]]
    world.liabilities[BTC] = kind(honest.id, honest.key, leaves, honest.depth)
    return world


def other_trees() -> Iterator[Vector]:
    def bad(name: str, why: str, reason: str = "root-differs", **more: Any) -> Vector:
        return client(name, why, f"failed {reason} 9", **more)

    for bit in range(3):
        flip = put("lines.0.index", lambda old, bit=bit: old ^ 1 << bit)
        yield bad(f"index-bit-{bit}-flipped", "A sibling on the other side.", proof=flip)
    yield bad(
        "other-client-id",
        "The leaf of another client with the same amounts: the typed id decides.",
        claim=put("client_id", "AC-1002"),
    )
    yield bad("other-client-code", "The code is part of the holder.", claim=put("client_code", ""))
    yield bad("client-id-case", "Exact case.", claim=put("client_id", "ac-1001"))
    clash = ledger(BTC, frank={1: (60_000_000, 0)})
    shown = put("lines.0", lambda _: clash.line(BTC, "bob"))
    one = put("balances", lambda old: [{**old[0], "amount": "0.6"}, old[1]])
    yield bad(
        "clash",
        "One leaf is shown to two clients with equal amounts.",
        who="frank",
        world=clash,
        proof=shown,
        claim=one,
    )
    yield bad("blind-altered", "Another blind.", proof=put("lines.0.blind", "55" * 32))
    buckets = put("lines.0.buckets", [{"bucket": 1, "credit": "130000000", "debit": "0"}])
    yield bad("buckets-merged", "The sum is right, the buckets are not those of the leaf.", proof=buckets)
    yield bad("sibling-altered", "A sibling's digest.", proof=put("lines.0.path.1.0", "66" * 32))
    moved = put("lines.0.path", lambda old: [[old[0][0], str(int(old[0][1]) + 1)], old[1], [old[2][0], old[2][1]]])
    yield bad("sibling-sum-raised", "A sibling with one unit more.", "total-differs", proof=moved)
    shifted = put(
        "lines.0.path", lambda old: [[old[0][0], str(int(old[0][1]) + int(old[1][1]))], [old[1][0], "0"], old[2]]
    )
    yield bad("sums-shifted", "The total is right, the sums are moved from one level to another.", proof=shifted)
    yield bad(
        "levels-swapped",
        "Two siblings in each other's place.",
        proof=put("lines.0.path", lambda old: [old[1], old[0], old[2]]),
    )
    world = base()
    node = world.liabilities[BTC].node(1, world.line(BTC, "alice")["index"] >> 1 ^ 1)
    yield bad(
        "node-as-leaf-sibling",
        "A node of level 1 as the sibling of a leaf.",
        "total-differs",
        proof=put("lines.0.path.0", [node.digest.hex(), str(node.sum)]),
    )
    yield bad("node-of-level-1-throughout", "All parents hash one level.", world=rebuilt(LevelForgery))
    yield bad("sums-not-hashed", "Parents hash digests only.", world=rebuilt(Unsigned))
    cell = "pools.0.assets.0.liabilities."
    yield bad(
        "total-lowered", "A lower total beside the same root.", "total-differs", predicate=put(cell + "total", "1")
    )
    yield bad(
        "root-of-other-cell",
        "The root of another cell.",
        predicate=put(cell + "root", World().liabilities["omni", "ETH"].root.hex()),
    )

    def short(p: dict[str, Any]) -> None:
        tree_ = p["pools"][0]["assets"][0]["liabilities"]
        top = base().liabilities[BTC]
        tree_["depth"], tree_["root"] = 2, tree.root_of(top.id, 2, top.top).hex()

    cut = put("lines.0.path", lambda old: old[1:])
    half = put("lines.0.index", lambda old: old >> 1)
    yield bad(
        "leaf-as-node",
        "A leaf in the place of its parent, in a tree said to be less deep.",
        "total-differs",
        predicate=short,
        proof=all_of(cut, half),
    )
    replay = World(snapshot="2026-03-31.a")
    yield bad(
        "other-snapshot",
        "Paths and roots of the last snapshot under the name of this one.",
        world=replay,
        predicate=put("snapshot_id", "2026-06-30.a"),
    )
    foreign = World(custodian="globex")
    yield bad(
        "other-custodian-tree",
        "Another custodian's trees under this one's name.",
        world=foreign,
        predicate=put("custodian.id", "acme-custody"),
    )
    pools = all_of(put("pools.0.pool", "open"), put("rules", lambda old: [one for one in old if one["pool"] != "omni"]))
    control = put(
        "ledger.control_totals", lambda old: [{**one, "pool": one["pool"].replace("omni", "open")} for one in old]
    )
    renamed = all_of(pools, control, put("exclusions", []))
    in_open = put("lines", lambda old: [{**one, "pool": one["pool"].replace("omni", "open")} for one in old])
    typed = put("balances", lambda old: [{**one, "pool": one["pool"].replace("omni", "open")} for one in old])
    yield bad("pool-move", "The trees of one pool under another's name.", predicate=renamed, proof=in_open, claim=typed)
    swapped = put(
        "pools.0.assets",
        lambda old: [
            {
                **old[0],
                "liabilities": old[0]["reserves"]
                and {k: old[0]["reserves"][k] for k in ("depth", "kind", "root", "total")},
            },
            *old[1:],
        ],
    )
    only = all_of(put("lines.0.path", lambda old: old[:1]), put("lines.0.index", 0))
    yield bad(
        "reserves-as-liabilities",
        "The reserves tree as the liabilities tree.",
        "total-differs",
        predicate=swapped,
        proof=only,
    )


def vectors() -> Iterator[Vector]:
    yield from fold()
    yield from sum_forgery()
    yield from other_trees()

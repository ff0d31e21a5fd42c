"""Vectors of kind `client` about steps 6 to 10: lines, amounts, paths, totals, coverage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import policies, tree
from .canonical_json import dump
from .cases import Vector, base, client, statement
from .client_signed import rule
from .conventions import H, T, u8
from .edits import Edit, all_of, append, drop, drop_file, put, put_file
from .forged import BTC, forge, neighbours, one_view, small
from .world import LEDGER, POSITIONS, Cell, World, claims

REGISTER = policies.BASE.replace('"signed"', '"register"')


def vectors() -> Iterator[Vector]:
    yield from lines()
    yield from each_line()
    yield from fold()
    yield from sum_forgery()
    yield from other_trees()
    yield from coverage()


def ledger(cell: Cell, **rows: Any) -> World:
    return World(ledger={**LEDGER, cell: {**LEDGER[cell], **rows}})


def lines() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return client(name, why, f"{expect} 6", **more)

    xrp = {"amount": "1", "asset": "XRP", "debit": "", "pool": ""}
    yield bad("no-balance", "Nothing was stated: nothing is shown.", "usage no-balance", claim=put("balances", []))
    yield bad("pool-needed", "Two pools have the asset.", "usage pool-needed", claim=put("balances.0.pool", ""))
    again = append("balances", {"amount": "1.3", "asset": "BTC", "debit": "", "pool": "omni"})
    yield bad("stated-twice", "One line is stated twice.", "usage stated-twice", claim=again)
    yield bad(
        "line-missing", "A line of the client is left out of the file.", "failed line-missing", proof=drop("lines.0")
    )
    yield bad("lines-empty", "A file without a line.", "failed line-missing", proof=put("lines", []))
    yield bad(
        "line-of-unknown-asset",
        "The statement has no such asset.",
        "failed line-missing",
        claim=append("balances", xrp),
    )
    other = append("balances", {**xrp, "asset": "BTC", "pool": "cold"})
    yield bad("line-of-unknown-pool", "The statement has no such pool.", "failed line-missing", claim=other)
    moved = put("lines.0.pool", "attic")
    stated = put("balances.0.pool", "attic")
    yield bad(
        "cell-unknown",
        "The file has a line of a pool that was not signed.",
        "failed cell-unknown",
        proof=moved,
        claim=stated,
    )
    dropped = put("pools.0.assets", lambda old: old[1:])
    no_exclusions = put("exclusions", [])
    yield bad(
        "cell-dropped",
        "A cell was dropped from the statement.",
        "failed cell-unknown",
        predicate=all_of(dropped, no_exclusions),
    )
    yield bad(
        "unstated-line", "A credit that the client does not know of.", "failed unstated-line", claim=drop("balances.3")
    )
    debt = ledger(("yield", "ETH"), dave={1: (0, 1)})
    only = put("balances", lambda old: [one for one in old if one["pool"] == "omni"])
    yield bad(
        "unstated-debit-line",
        "A debt that the client does not know of.",
        "failed unstated-line",
        who="dave",
        world=debt,
        claim=only,
    )


def each_line() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return client(name, why, f"{expect} 7", **more)

    for code, what in ((4, "staked"), (5, "unbonding"), (8, "lent"), (9, "earn")):
        world = ledger(("omni", "USDC"), frank={1: (0, 0), code: (3, 0)})
        yield bad(
            f"bound-bucket-{what}", f"A {what} bucket in a free pool.", "failed bound-bucket", who="frank", world=world
        )
    world = ledger(("omni", "USDC"), frank={1: (3, 0), 4: (0, 0)})
    yield bad("bound-bucket-zero", "The same at zero.", "failed bound-bucket", who="frank", world=world)
    big = put("lines.1.buckets", [{"bucket": b, "credit": str(2**126), "debit": "0"} for b in (1, 2)])
    yield bad("credits-overflow", "Two credits of 2^126.", "failed sum", who="frank", proof=big)
    big = put("lines.1.buckets", [{"bucket": b, "credit": "0", "debit": str(2**126)} for b in (1, 2)])
    yield bad("debits-overflow", "Two debits of 2^126.", "failed sum", who="frank", proof=big)
    yield bad(
        "amount-differs",
        "Less is in the tree than was typed.",
        "failed amount-differs",
        claim=put("balances.0.amount", "1.30000001"),
    )
    yield bad(
        "amount-differs-above",
        "More is in the tree than was typed.",
        "failed amount-differs",
        claim=put("balances.0.amount", "1.29999999"),
    )
    yield bad(
        "amount-rounded",
        "Rounding up is not cutting.",
        "failed amount-differs",
        claim=put("balances.1.amount", "32.12346"),
    )
    small_row = put("lines.0.buckets", [{"bucket": 1, "credit": "100", "debit": "0"}])
    yield bad("amount-altered-in-file", "The file's own amount is lowered.", "failed amount-differs", proof=small_row)
    yield bad("digits", "Four digits of a balance with 20.", "usage digits", claim=put("balances.1.amount", "32.12"))
    yield bad("digits-five", "Five digits.", "usage digits", claim=put("balances.1.amount", "32.123"))
    dust = put("balances", lambda old: [{**old[0], "amount": "0"}])
    yield bad("digits-zero", "Zero typed for dust.", "usage digits", who="frank", claim=dust)
    for name, text in (
        ("exponent", "1e3"),
        ("comma", "2,500"),
        ("sign", "+2500"),
        ("digit-beyond-scale", "2500.0000000"),
        ("empty", ""),
        ("leading-zero", "02500"),
        ("two-127", str(2**127)),
    ):
        yield bad(
            f"typed-{name}",
            "Not an amount of the asset as people type it.",
            "usage typed-amount",
            claim=put("balances.2.amount", text),
        )
    yield bad(
        "typed-debit", "The same of a debit.", "usage typed-amount", who="bob", claim=put("balances.1.debit", "250,5")
    )
    yield bad(
        "unstated-debit",
        "A debit that the client does not know of.",
        "failed debit-differs",
        who="bob",
        claim=put("balances.1.debit", ""),
    )
    fraction = ledger(("omni", "USDC"), bob={1: (900_250_000, 0), 7: (0, 3)})
    yield bad(
        "unstated-debit-dust",
        "A debit that is not stated is exactly zero: it is not cut.",
        "failed debit-differs",
        who="bob",
        world=fraction,
        claim=put("balances.1.debit", ""),
    )
    yield bad(
        "debit-differs", "Another debit.", "failed debit-differs", who="bob", claim=put("balances.1.debit", "250.5001")
    )
    yield bad(
        "debit-digits", "A debit with too few digits.", "usage digits", who="bob", claim=put("balances.1.debit", "250")
    )
    netted = World(ledger={**LEDGER, ("omni", "USDC"): {**LEDGER["omni", "USDC"], "bob": {1: (649_750_000, 0)}}})
    typed = put("balances", claims(base(), "bob")["balances"])
    yield bad(
        "debit-netted",
        "The debit was taken off the credit.",
        "failed amount-differs",
        who="bob",
        world=netted,
        claim=typed,
    )


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


def coverage() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return client(name, why, f"{expect} 10", **{"who": "erin", **more})

    short = World(positions=[row for row in POSITIONS if row[2] != "ref:subcustodian-2"])
    yield bad("not-covered", "The pool holds less bitcoin than it owes.", "failed not-covered", world=short)
    surplus = [
        (*row[:4], row[4] * 2, *row[5:]) if row[:2] == ("vault", "BTC") and row[7] == "grace" else row
        for row in POSITIONS
    ]
    netting = World(positions=[row for row in surplus if row[2] != "ref:subcustodian-2"])
    yield bad(
        "not-covered-other-pool-surplus", "Another pool's surplus does not help.", "failed not-covered", world=netting
    )
    rich = [(*row[:4], row[4] * 9, *row[5:]) if row[:2] == ("omni", "ETH") else row for row in POSITIONS]
    netting = World(positions=[row for row in rich if row[2] != "ref:subcustodian-2"])
    yield bad("cross-asset-netting", "Another asset's surplus does not help.", "failed not-covered", world=netting)
    one = [(*row[:4], 268_051_422, *row[5:]) if row[2] == "ref:subcustodian-1.btc" else row for row in POSITIONS]
    yield bad("not-covered-by-one-unit", "One base unit is missing.", "failed not-covered", world=World(positions=one))
    signature = policies.BASE.replace("CUSTODIAN_CONFIRMATION", "KEY_SIGNATURE")
    yield bad("assurance", "Letters where the policy asks for signatures.", "policy assurance", policy=signature)
    failing = put("verdict", "failing")
    for name, pool in (("whole", ""), ("pool", "omni")):
        listed = all_of(append("rules", rule("SEG-02", "FAIL", pool)), sort_rules, failing)
        yield bad(f"rule-fails-{name}", "A rule of severity X fails.", "failed rule-fails", predicate=listed)
    listed = all_of(append("rules", rule("ZZZ-01", "FAIL", "omni")), sort_rules, failing)
    yield bad("rule-fails-unknown", "A rule that is not known has severity X.", "failed rule-fails", predicate=listed)
    yield bad(
        "register-needed",
        "The policy asks for the register, and no bundle is given.",
        "policy register-needed",
        policy=REGISTER,
    )
    whole = bad(
        "register-blinded",
        "A stated cell has no public register.",
        "policy register-needed",
        who="alice",
        policy=REGISTER,
        bundle=lambda _: None,
    )
    yield whole

    def bundle(name: str, why: str, reason: str, edit: Any) -> Vector:
        return bad(f"bundle-{name}", why, reason, bundle=edit)

    yield bundle(
        "manifest-differs",
        "The bundle given is not what was signed.",
        "failed manifest-differs",
        put_file("manifest.json", lambda old: old + b" "),
    )
    yield bundle(
        "file-differs",
        "A file is not what the manifest says.",
        "failed file-differs",
        put_file("register.json", lambda old: old[:-1] + b"]"),
    )
    yield bundle("file-unknown", "A file that is not named.", "malformed file-unknown", put_file("extra.json", b"{}"))
    yield bundle("file-missing", "A file is missing.", "malformed file-missing", drop_file("register.json"))
    other = dump(statement(base(), predicate=put("house_note", "another"))[1])
    yield bundle(
        "other-statement",
        "The bundle is another statement's.",
        "failed statement-differs",
        put_file("statement.json", other),
    )
    yield client(
        "bundle-phantom-reserve",
        "The reserves tree has a leaf that the register does not list.",
        "failed root-differs 10",
        who="erin",
        world=Phantom(),
        bundle=lambda _: None,
    )


def sort_rules(p: dict[str, Any]) -> None:
    p["rules"].sort(key=lambda one: (one["pool"], one["profile"], one["id"]))


class Phantom(World):
    """A reserves leaf without a row in the register."""

    def listed(self) -> list[dict[str, Any]]:
        return [one for one in super().listed() if one["position"]["account"] != "ref:subcustodian-2"]

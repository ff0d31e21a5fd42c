"""Attacks 1 to 12: on trees, sums, encodings and scales."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from attacks import forgery
from attacks.toolbox import (
    PASSED,
    check_client,
    client_outcome,
    client_vector,
    open_world,
    outcome,
    public_outcome,
    run,
    signed_world,
    tree,
    write_audit,
)
from reference.canonical_json import dump
from reference.conventions import H
from reference.edits import all_of, append, put, swap
from reference.made_up import LEDGER, POSITIONS
from reference.register import leaf_of
from reference.world import World
from reserveproof.format.errors import EvidenceError, UsageError
from reserveproof.verifier.claims import typed_amount
from reserveproof.verifier.hashing import Tree, TreeName, blind, client_holder, pad
from reserveproof.verifier.rebuild import commit, in_order

BTC, ETH, USDC = ("omni", "BTC"), ("omni", "ETH"), ("omni", "USDC")
MALFORMED = ("malformed", 1)


def forgeries() -> Iterator[Any]:
    for min_depth in (0, 4, 9):
        world = World(min_depth=dict.fromkeys(LEDGER, min_depth))
        for cell in world.cells:
            for at in forgery.targets(world.liabilities[cell]):
                yield pytest.param(min_depth, cell, at, id=f"{'-'.join(cell)}-depth{min_depth}-level{at[0]}-{at[1]}")


@pytest.mark.parametrize(("min_depth", "cell", "at"), list(forgeries()))
def test_01_sum_forgery_at_every_depth_and_asset(min_depth, cell, at):
    world = World(min_depth=dict.fromkeys(LEDGER, min_depth))
    honest_world = World(min_depth=dict.fromkeys(LEDGER, min_depth))
    honest = world.liabilities[cell].total
    forged = forgery.forge(world, cell, at)
    assert forged.total < honest, "the published total leaves out the smaller side"
    assert min(sum(1 for i in forged.under() if i >> (at[0] - 1) & 1 == side) for side in (0, 1)) > 0
    for index in range(len(forged.bottom)):
        name = forgery.name_at(world, cell, index)
        line = world.line(cell, name)
        top = forgery.broken_fold(forged.id, forged.bottom[index], line["index"], line["path"])
        assert (top.sum, tree.root_of(forged.id, forged.depth, top)) == (forged.total, forged.root), (
            "a verifier that hashes only the sum of both accepts every client, and so the forged total"
        )
        assert client_outcome(world=world, who=name) == ("failed", 9, "root-differs")
        assert client_outcome(world=honest_world, who=name) == PASSED


def test_01_sum_forgery_every_asset_was_forged():
    assert {param.values[1][1] for param in forgeries()} == {"BTC", "ETH", "USDC"}
    assert {param.values[2][0] for param in forgeries()} >= {1, 2, 3}


@pytest.mark.parametrize("cell", [BTC, ETH, USDC])
def test_01_sum_forgery_with_honest_digests_and_a_smaller_sum(cell):
    """Parents hash both sums; only the sum handed upwards is too small."""
    world = World()
    at = next(forgery.targets(world.liabilities[cell]))
    forged = forgery.forge(world, cell, at, broken=False)
    name = forgery.name_at(world, cell, forged.under()[0])
    assert client_outcome(world=world, who=name)[:2] == ("failed", 9)
    edit = put(f"lines.{place(world, name, cell)}.path.{at[0] - 1}.1", honest_sibling(world, cell, name, at[0] - 1))
    assert client_outcome(world=world, who=name, proof=edit) == ("failed", 9, "total-differs")


def test_01_sum_forgery_fails_the_audit(tmp_path):
    world = signed_world()
    forgery.forge(world, BTC, next(forgery.targets(world.liabilities[BTC])))
    ran = run([*write_audit(tmp_path / "forged", signed_world(liabilities={BTC: world.liabilities[BTC]})), "--json"])
    assert ran.verdict() == ("failed", 14, "total-differs")
    assert run([*write_audit(tmp_path / "honest", open_world()), "--json"]).verdict() == PASSED


def place(world: World, name: str, cell: tuple[str, str]) -> int:
    return [one for one in world.cells if name in world.ledger[one]].index(cell)


def honest_sibling(world: World, cell: tuple[str, str], name: str, level: int) -> str:
    forged = world.liabilities[cell]
    index = forged.order.index(world.holder(name))
    return str(forged.node(level, index >> level ^ 1).sum)


@pytest.mark.parametrize("amount", ["-60", "-0", "-1e0", "1e3", "+1", "1.0", " 1", "", "0x1", str(2**127), "1" * 40])
def test_02_negative_sibling_is_refused_by_the_parser_on_every_node(amount):
    world = World()
    for cell in (BTC, ETH, USDC):
        number = place(world, "alice", cell)
        for level in range(world.liabilities[cell].depth):
            edit = put(f"lines.{number}.path.{level}.1", amount)
            assert client_outcome(proof=edit) == (*MALFORMED, "amount")
    assert client_outcome() == PASSED


@pytest.mark.parametrize("amount", ["-60", "-0", "-1e0"])
def test_02_negative_sibling_as_a_signed_total_or_a_position(amount):
    for where in ("liabilities.total", "reserves.total", "reserves.encumbered", "reserves.by_class.0.amount"):
        edit = put(f"pools.0.assets.0.{where}", amount)
        assert client_outcome(predicate=edit) == (*MALFORMED, "amount")
    for where in ("counted", "observed", "excluded", "encumbered"):
        assert client_outcome(who="carol", proof=put(f"positions.0.position.{where}", amount)) == (*MALFORMED, "amount")
    for where in ("credit", "debit"):
        assert client_outcome(proof=put(f"lines.0.buckets.0.{where}", amount)) == (*MALFORMED, "amount")


def rich(*amounts: int) -> World:
    rows = dict(zip(("alice", "bob", "erin"), ({1: (amount, 0)} for amount in amounts), strict=False))
    held = [(*row[:4], 2**127 - 1, *row[5:]) if row[2] == "ref:subcustodian-1.btc" else row for row in POSITIONS
            if row[2] != "ref:subcustodian-2"]  # fmt: skip
    return World(ledger={**LEDGER, BTC: rows}, positions=held)


def test_03_overflow_at_the_root_and_below():
    assert client_outcome(world=rich(2**126, 2**126 - 1)) == PASSED, "2^127 - 1 is the largest total"
    world = rich(2**126, 2**126 - 1)
    assert client_outcome(world=world, proof=put("lines.0.path.0.1", str(2**126))) == ("failed", 8, "sum")
    world = rich(2**127 - 2, 1)
    assert client_outcome(world=world) == PASSED
    assert client_outcome(world=world, proof=put("lines.0.path.0.1", "2")) == ("failed", 8, "sum"), "max + 1"
    three = rich(2**126, 2**125, 2**125 - 1)
    assert client_outcome(world=three) == PASSED
    for level in range(2):
        edit = put(f"lines.0.path.{level}.1", str(2**126 + 2**125))
        assert client_outcome(world=three, proof=edit) == ("failed", 8, "sum")


def test_03_overflow_in_an_auditors_rebuild_and_in_one_line():
    name = Tree(TreeName(b"L", "acme-custody", "s", "omni", "BTC"))
    leaves = [(H(bytes([n])), 2**126) for n in range(3)]
    assert commit(name, bytes(32), 2, in_order([leaves[0], (leaves[1][0], 2**126 - 1)])).total == 2**127 - 1
    for some in (leaves, leaves[:2]):
        with pytest.raises(EvidenceError) as refused:
            commit(name, bytes(32), 2, in_order(some))
        assert refused.value.reason == "sum"
    two = all_of(
        put("lines.0.buckets.0.credit", str(2**126)), put("lines.0.buckets.1.credit", str(2**126)),
    )  # fmt: skip
    assert client_outcome(proof=two) == ("failed", 7, "sum")


def test_04_leaf_as_node_and_node_as_leaf():
    """A node can be no leaf's preimage, and a node of one level none of another."""
    name = Tree(TreeName(b"L", "acme-custody", "s", "omni", "BTC"))
    left, right = (H(b"l"), 3), (H(b"r"), 4)
    levels = {name.node(level, left, right)[0] for level in range(1, 49)}
    assert len(levels) == 48
    body = left[0] + (3).to_bytes(16, "big") + right[0] + (4).to_bytes(16, "big")
    for cut in (32, 64):  # the node's body cut where a leaf has its blind, holder and details
        leaf = name.leaf(body[:32], body[32:64], body[64:96].ljust(32, b"\0"), 7)
        assert leaf not in levels, cut


def test_04_leaf_as_node_a_node_of_another_level_is_refused():
    world = World()
    path = world.line(USDC, "alice")["path"]
    assert len(path) == 5
    number = place(world, "alice", USDC)
    inner = put(f"lines.{number}.path", path[1:])
    assert client_outcome(proof=inner) == ("malformed", 8, "path-length"), "the level-1 node as a leaf"
    shifted = put(f"lines.{number}.path", [path[0], *path])
    assert client_outcome(proof=shifted) == ("malformed", 8, "path-length"), "the leaf as a level-1 node"
    for level in range(4):
        swapped = [*path[:level], path[level + 1], path[level], *path[level + 2 :]]
        assert client_outcome(proof=put(f"lines.{number}.path", swapped)) == ("failed", 9, "root-differs")
    # The custodian even signs a depth that makes the length right: the level is hashed, and so is the depth.
    shallow = put("pools.0.assets.2.liabilities.depth", 4)
    got = client_outcome(predicate=shallow, proof=inner)
    assert got[:2] == ("failed", 9), got


def test_05_odd_duplication():
    """[A, B, C] and [A, B, C, C] are two trees; and no builder takes one leaf twice."""
    world = World()
    honest = world.liabilities[BTC]
    name = Tree(TreeName(b"L", world.custodian, world.snapshot, *BTC))
    a, b, c = sorted((node.digest, node.sum) for node in honest.bottom[:3])
    three = commit(name, honest.key, 2, [a, b, c])
    twice = name.node(2, name.node(1, a, b), name.node(1, c, c))
    padded = name.node(2, name.node(1, a, b), name.node(1, c, pad(honest.key, 0, 3)))
    assert name.root(2, padded) == three.root
    assert name.root(2, twice) != three.root and twice[1] == three.total + c[1]
    with pytest.raises(EvidenceError) as refused:
        commit(name, honest.key, 2, [a, b, c, c])
    assert refused.value.reason == "leaf-order"


def test_05_odd_duplication_the_last_client_is_not_shown_twice():
    """Five leaves in BTC: the last stands beside pads, and its copy in their place leads nowhere."""
    world = World()
    tree_ = world.liabilities[BTC]
    last = len(tree_.bottom) - 1
    name = forgery.name_at(world, BTC, last)
    assert last % 2 == 0
    number = place(world, name, BTC)
    own = [tree_.bottom[last].digest.hex(), str(tree_.bottom[last].sum)]
    assert client_outcome(who=name) == PASSED
    copied = client_outcome(who=name, proof=put(f"lines.{number}.path.0", own))
    assert copied[:2] == ("failed", 9)
    moved = client_outcome(who=name, proof=put(f"lines.{number}.index", last + 1))
    assert moved == ("failed", 9, "root-differs")


def test_06_pad_equals_leaf_never():
    """A blind's message starts with 0x00 and has 33 bytes, a pad's with 0x01 and 10: no holder makes them equal."""
    key = H(b"key")
    for level, index in itertools.product(range(3), range(4)):
        digest = pad(key, level, index)[0]
        assert pad(key, level, index)[1] == 0
        tail = bytes([level]) + index.to_bytes(8, "big")
        assert digest not in (blind(key, tail), blind(key, b"\x01" + tail), blind(key, tail.ljust(32, b"\0")))


def test_06_pad_equals_leaf_a_pad_with_a_sum_is_refused(tmp_path):
    """Liabilities owed to nobody would hide a later withdrawal; reserves in a pad are held by no position."""
    world = signed_world()
    leaves = [world.leaf(BTC, one) for one in world.ledger[BTC]]
    world.liabilities[BTC] = forgery.LoadedPads(world.liabilities[BTC], leaves, 5)
    assert world.liabilities[BTC].total > open_world().liabilities[BTC].total
    name = forgery.name_at(world, BTC, len(leaves) - 1)
    assert client_outcome(world=world, who=name) == PASSED, "no client can tell a pad from a stranger"
    ran = run([*write_audit(tmp_path / "forged", signed_world(liabilities={BTC: world.liabilities[BTC]})), "--json"])
    assert ran.verdict() == ("failed", 14, "total-differs")
    same = run([*write_audit(tmp_path / "honest", open_world()), "--json"])
    assert same.verdict() == PASSED


def test_06_pad_equals_leaf_reserves_in_a_pad(tmp_path):
    world = signed_world(min_depth={BTC: 3})
    honest = world.reserves[BTC]
    assert public_outcome(world=world) == PASSED
    loaded = forgery.LoadedPads(honest, [leaf_of(one) for one in world.of(BTC)], 1000)
    world.reserves[BTC] = loaded
    classes = put("pools.0.assets.0.reserves.by_class.0.amount", str(loaded.total))
    assert loaded.total > honest.total
    assert public_outcome(world=world, predicate=classes) == ("failed", 9, "root-differs")


def digests(value: Any, place: str = "") -> Iterator[str]:
    """Places of every digest in a JSON value."""
    if isinstance(value, str):
        if len(value) == 64 and set(value) <= set("0123456789abcdef"):
            yield place
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from digests(item, f"{place}.{key}" if place else str(key))


SHORTER: dict[str, Callable[[str], str]] = {
    "31 bytes": lambda old: old[:-2],
    "33 bytes": lambda old: old + "00",
    "odd": lambda old: old[:-1],
    "upper case": lambda old: "AB" + old[2:],
    "prefix": lambda old: "0x" + old[2:],
}


@pytest.mark.parametrize("how", SHORTER)
def test_07_short_digest_everywhere(how):
    world = open_world()
    proof = world.proof("carol") | {"statement_sha256": "0" * 64}
    places = list(digests(proof))
    assert len(places) > 20
    for where in places:
        got = client_outcome(world=world, who="carol", proof=put(where, SHORTER[how]))
        assert got[:2] == MALFORMED, (where, got)
    predicate = world.predicate()
    signed = [where for where in digests(predicate) if not where.startswith(("notes", "anchors"))]
    assert len(signed) > 10
    for where in signed:
        got = client_outcome(world=world, who="carol", predicate=put(where, SHORTER[how]))
        assert got[:2] == MALFORMED, (where, got)
    assert client_outcome(world=world, who="carol") == PASSED


def test_08_ambiguous_encoding_joined_fields():
    """No two lists of fields make one preimage."""
    pairs = [("AC-1", "001"), ("AC-10", "01"), ("AC-1001", ""), ("A", "C-1001")]
    assert len({client_holder(*pair) for pair in pairs}) == len(pairs)
    names = [("ab", "c", "d", "E"), ("a", "bc", "d", "E"), ("abc", "d", "e", "E"), ("a", "b", "cd", "E")]
    ids = {TreeName(side, *name).tree_id() for name in names for side in (b"L", b"R")}
    assert len(ids) == 2 * len(names)


@pytest.mark.parametrize(
    ("reason", "edit"),
    [
        ("duplicate-key", swap(b'"format":1', b'"format":1,"format":1')),
        ("duplicate-key", swap(b'"log":""', b'"log":"","lo\\u0067":"x"')),
        ("not-canonical", swap(b'"format":1', b'"format": 1')),
        ("not-canonical", swap(b'"log":""', b'"log":"\\u0061"')),
        ("not-canonical", lambda data: data + b"\n"),
        ("value", swap(b'"format":1', b'"format":1.0')),
        ("value", swap(b'"format":1', b'"format":1e0')),
        ("not-canonical", swap(b'"format":1', b'"format":-0')),
        ("syntax", swap(b'"format":1', b'"format":01')),
        ("syntax", lambda data: b"\xef\xbb\xbf" + data),
        ("encoding", lambda data: data.decode().encode("utf-16")),
    ],
)
def test_08_ambiguous_encoding_one_value_has_one_spelling(reason, edit):
    got = client_outcome(raw=edit)
    assert got[:2] == MALFORMED
    assert got[2] in (reason, "value", "syntax"), got
    assert client_outcome() == PASSED


def test_08_ambiguous_encoding_order_is_by_bytes_not_by_utf16():
    first, second = "\uff5e.example", "\U0001f600.example"
    assert first.encode("utf-16-be") > second.encode("utf-16-be") and first.encode() < second.encode()
    assert client_outcome(predicate=put("logs", [first, second])) == PASSED
    assert client_outcome(predicate=put("logs", [second, first])) == (*MALFORMED, "order")


def test_09_path_tricks():
    world = World()
    for cell in (BTC, ETH, USDC):
        number = place(world, "alice", cell)
        line = world.line(cell, "alice")
        depth, index = world.liabilities[cell].depth, line["index"]

        def tried(member: str, value: Any, number: int = number) -> tuple[str, int, str]:
            return client_outcome(proof=put(f"lines.{number}.{member}", value))

        for level in range(depth):
            missing = line["path"][:level] + line["path"][level + 1 :]
            assert tried("path", missing) == ("malformed", 8, "path-length")
            doubled = line["path"][: level + 1] + line["path"][level:]
            assert tried("path", doubled) == ("malformed", 8, "path-length")
            assert tried("index", index ^ 1 << level) == ("failed", 9, "root-differs")
        assert tried("path", []) == ("malformed", 8, "path-length")
        for beyond in (1 << depth, index + (1 << depth), 2**48 - 1):
            assert tried("index", beyond) == ("malformed", 8, "index")
        assert tried("index", 2**48)[:2] == MALFORMED
        pad_beyond = [*line["path"], ["00" * 32, "0"]]
        assert tried("path", pad_beyond) == ("malformed", 8, "path-length")
    assert client_outcome() == PASSED


def objects(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a JSON value with its place."""
    if isinstance(value, dict):
        yield place, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from objects(item, f"{place}.{key}" if place else str(key))


def test_10_schema_fallback_every_member_of_every_object_is_needed():
    vector = client_vector("schema", "", "passed", who="bob")
    proof = json.loads(vector["proof"])
    tried = 0
    for where, value in objects(proof):
        for member in value:
            if where == "" and member == "envelope":
                continue
            edited = copy.deepcopy(proof)
            del reach(edited, where)[member]
            assert judged(vector, edited)[:2] == MALFORMED, (where, member)
            edited = copy.deepcopy(proof)
            there = reach(edited, where)
            there[member + "x"] = there[member]
            assert judged(vector, edited)[:2] == MALFORMED, (where, member)
            tried += 2
    assert tried > 60
    assert judged(vector, proof) == PASSED


def reach(value: Any, where: str) -> Any:
    for part in where.split(".") if where else []:
        value = value[int(part) if part.isdigit() else part]
    return value


def judged(vector: dict[str, Any], proof: dict[str, Any]) -> tuple[str, int, str]:
    return outcome(lambda: check_client({**vector, "proof": dump(proof).decode()}))


def test_10_schema_fallback_of_the_statement():
    predicate = World().predicate()
    for where, value in objects(predicate):
        if where == "notes":
            continue
        for member in value:
            there = f"{where}.{member}" if where else member
            got = client_outcome(predicate=lambda whole, there=there: dropped(whole, there))
            assert got[:2] == MALFORMED, (there, got)
            got = client_outcome(predicate=put(there + "x", 1))
            assert got[:2] == MALFORMED, (there, got)


def dropped(value: Any, place: str) -> Any:
    edited = copy.deepcopy(value)
    where, _, member = place.rpartition(".")
    del reach(edited, where)[member]
    return edited


@pytest.mark.parametrize(
    ("expected", "more"),
    [
        (("malformed", 1, "integer"), {"predicate": put("version", 0)}),
        (("malformed", 1, "integer"), {"predicate": put("version", 2)}),
        (("malformed", 1, "integer"), {"proof": put("format", 0)}),
        (("malformed", 1, "integer"), {"proof": put("format", 2)}),
        (("malformed", 3, "structure"), {"predicate": put("assets", lambda old: old[:-1])}),
        (("policy", 3, "kind"), {"predicate": put("pools.0.assets.0.liabilities.kind", 2)}),
        (("failed", 6, "line-missing"), {"proof": put("lines", lambda old: old[1:])}),
        (("failed", 6, "cell-unknown"), {"predicate": all_of(
            put("pools.0.assets", lambda old: old[1:]),
            put("ledger.control_totals", lambda old: old[1:]),
            put("exclusions", [])), "claim": put("balances", lambda old: old[1:])}),
    ],
)  # fmt: skip
def test_10_schema_fallback_versions_and_dropped_assets(expected, more):
    assert client_outcome(**more) == expected
    assert client_outcome() == PASSED


def test_11_rounding():
    exact = "32.123456789012345678"
    assert client_outcome(claim=put("balances.1.amount", exact)) == PASSED
    assert client_outcome(claim=put("balances.1.amount", exact[:-1] + "9")) == ("failed", 7, "amount-differs")
    assert client_outcome(claim=put("balances.1.amount", exact + "0")) == ("usage", 7, "typed-amount")
    for decimals in range(31):
        text = "1." + "0" * (decimals - 1) + "1" if decimals else "1"
        assert typed_amount(text, decimals, "amount").amount == (10**decimals + 1 if decimals else 1)
        with pytest.raises(UsageError) as refused:
            typed_amount("1." + "0" * decimals + "1", decimals, "amount")
        assert refused.value.reason == "typed-amount"
    # A balance rounded up by the custodian, or half up by the reader, is another balance.
    assert client_outcome(claim=put("balances.1.amount", "32.123457")) == ("failed", 7, "amount-differs")


def short_of_bitcoin() -> World:
    """One base unit of BTC is missing in omni; there is ETH and USDC in plenty, and BTC in vault."""
    held = [(*row[:4], 40_000_000 - 1_948_578, *row[5:]) if row[2] == "ref:subcustodian-2" else
            (*row[:4], row[4] * 1000, *row[5:]) if row[1] != "BTC" or row[0] == "vault" else row
            for row in POSITIONS]  # fmt: skip
    return World(positions=held)


def test_12_cross_asset_netting():
    world = short_of_bitcoin()
    assert world.reserves[BTC].total == world.liabilities[BTC].total - 1
    for who in ("alice", "bob"):
        assert client_outcome(world=world, who=who) == ("failed", 10, "not-covered")
    assert public_outcome(world=world) == ("failed", 10, "not-covered")
    assert client_outcome(who="alice") == PASSED and public_outcome() == PASSED


def test_12_cross_asset_netting_by_a_form_of_another_asset():
    """USDC listed as a form of BTC would let dollars stand for bitcoin."""
    twin = append("assets.0.forms", {"decimals": 6, "form": World().assets[2]["forms"][0]["form"]})
    assert client_outcome(predicate=twin) == ("malformed", 3, "structure")

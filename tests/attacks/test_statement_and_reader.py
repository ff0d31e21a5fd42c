"""The attacks that have names: on who is meant by a statement, what it says twice, and what a reader types."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

import reserveproof
from attacks.toolbox import (
    BTC_FORM,
    CARLA_USDC,
    EXTRACT,
    PASSED,
    SIGNED_POSITIONS,
    check_client,
    client_outcome,
    client_vector,
    every_cell,
    extract_rows,
    moved_to,
    open_world,
    outcome,
    policies,
    public_outcome,
    run,
    signed_world,
    table,
    tree,
    wallet_rows,
    write_audit,
)
from reference.canonical_json import dump
from reference.conventions import H
from reference.edits import all_of, put
from reference.made_up import AS_OF, BEFORE, CLIENTS, LEDGER, POOLS, POSITIONS, USDC_FORM
from reference.policy_kind import mixed_key
from reference.signers import LATTICE, OFFICER, SECOND_OFFICER
from reference.world import World
from reserveproof.custodian.tree_hashing import TreeHasher, entry
from reserveproof.format.errors import MalformedError
from reserveproof.verifier.hashing import Tree, TreeName, blind
from reserveproof.verifier.policy import parse_policy
from reserveproof.verifier.rebuild import commit, depth_for, in_order
from reserveproof.verifier.record import Record
from tree_ranges import join, range_nodes

BTC, ETH, USDC = ("omni", "BTC"), ("omni", "ETH"), ("omni", "USDC")


def unchecked(**more: Any) -> str:
    record = Record()
    check_client(client_vector("attack", "", "passed", **more), record)
    return "\n".join(record.not_checked)


# clash_issued_id, weak_code


def test_clash_issued_id_is_caught_with_a_code():
    """The custodian gives bob the id that alice has, and alice's file: their balances are equal."""
    alice = client_vector("attack", "", "passed", who="alice")
    assert outcome(lambda: check_client(alice)) == PASSED
    for code in ("", "BOBSCODEBOBSCODE2345"):
        bob = {**alice, "claims": {**alice["claims"], "client_code": code}}
        assert outcome(lambda bob=bob: check_client(bob)) == ("failed", 9, "root-differs")


def test_clash_issued_id_is_listed_without_a_code():
    """No code: both pass, and both are told that this was not checked."""
    assert "that no one else was given this id: no client code is registered" in unchecked(who="bob")
    assert "no one else was given this id" not in unchecked(who="alice"), "a strong code was typed"


def test_weak_code_is_listed_as_not_checked():
    """carol's code is a word that the custodian could give to two clients."""
    text = unchecked(who="carol", world=open_world())
    assert "that no one else was given this id: the client code is not one of 20 random characters" in text


@pytest.mark.parametrize("code", ["", "1", "carol-2026", "k5xw633emvzgm2luoqqq", "A" * 19, "A" * 21, "0" * 20])
def test_weak_code_by_its_form(code, monkeypatch):
    monkeypatch.setitem(CLIENTS, "alice", ("AC-1001", code))
    assert "that no one else was given this id" in unchecked(world=World())


# twin_rows, alternate_population, pool_move


def test_twin_rows():
    """One (pool, asset) twice: one total for the clients and one for the public."""
    twin = put("pools.0.assets", lambda old: [old[0], {**old[0], "liabilities": old[1]["liabilities"]}, *old[1:]])
    assert client_outcome(predicate=twin) == ("malformed", 1, "order")
    pools = put("pools", lambda old: [old[0], *old])
    assert client_outcome(predicate=pools) == ("malformed", 1, "order")
    assert public_outcome(world=open_world(), predicate=twin) == ("malformed", 1, "order")
    lines = put("lines", lambda old: [old[0], *old])
    assert client_outcome(proof=lines) == ("malformed", 1, "order")


def half(names: set[str]) -> World:
    ledger = {cell: {n: row for n, row in rows.items() if n in names} for cell, rows in LEDGER.items()}
    return World(ledger=ledger)


def test_alternate_population_over_two_chained_statements():
    """Half of the clients stand in one statement, half in the next: each is small, and covered by the same coins."""
    first, second = half({"alice", "carol", "grace"}), half({"bob", "dave", "erin", "frank"})
    assert client_outcome(world=first, who="alice") == PASSED
    from reference.cases import statement
    from reference.statement import identity

    seven = identity(statement(first)[0])
    seen = {"sequence": 7, "payload_sha256": seven, "as_of": AS_OF}
    chained = all_of(put("sequence", 8), put("previous", seven))

    def bob(*edits: Any) -> tuple[str, int, str]:
        return client_outcome(world=second, who="bob", state=seen, predicate=all_of(chained, *edits))

    assert bob() == ("failed", 4, "as-of-order"), "the same instant twice"
    later = [moved_to("2026-07-01T00:00:00Z")]
    assert bob(*later) == ("policy", 4, "interval"), "a day later"
    owed = {"amount": "1.30000000", "asset": "BTC", "debit": "", "pool": "omni"}
    lonely = client_outcome(world=second, who="alice", claim=put("balances", [owed]))
    assert lonely == ("failed", 6, "line-missing"), "and who looks at both finds no own line in one"
    correction = put("corrects", {"payload_sha256": seven, "reason": "the other half"})
    assert bob(correction) == PASSED, "a correction is allowed, and says so in the report"


def test_alternate_population_a_correction_is_of_the_same_instant():
    correction = put("corrects", {"payload_sha256": BEFORE["payload_sha256"], "reason": "x"})
    assert client_outcome(state=BEFORE, predicate=correction) == ("failed", 4, "as-of-order")


def test_pool_move_to_a_weaker_pool():
    """alice's bitcoin goes from the trust to the pool that is only promised."""
    moved = {cell: dict(rows) for cell, rows in LEDGER.items()}
    moved["yield", "BTC"] = {"alice": moved[BTC].pop("alice")}
    held = [*POSITIONS, ("yield", "BTC", "ref:desk-2", BTC_FORM, 200_000_000, 0, 0, "")]
    world = World(ledger=moved, positions=held)
    assert client_outcome(
        world=world,
        claim=put("balances", lambda old: [{**one, "pool": "omni"} if one["asset"] == "BTC" else one for one in old]),
    ) == ("failed", 6, "line-missing")
    assert client_outcome(world=World(), claim=put("balances.0.pool", "")) == ("usage", 6, "pool-needed")


def test_pool_move_inside_a_signed_pool_is_in_the_report():
    """Where the client names no pool, what the pool is stands in the report."""
    from attacks.toolbox import write_client

    alone = {cell: rows for cell, rows in LEDGER.items() if cell[0] == "omni"}
    weak = {"omni": ("contract_only", "omnibus", "free")}
    world = World(ledger=alone, pools=weak, positions=[row for row in POSITIONS if row[0] == "omni"])
    assert POOLS["omni"][0] == "express_trust"
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        vector = client_vector("attack", "", "passed", world=world, claim=put("balances.0.pool", ""))
        ran = run(write_client(Path(folder), vector).arguments())
    assert ran.status == 0 and "contract only" in ran.out


# scale_swap, dedicated_downgrade, phantom_reserve


def test_scale_swap():
    """A balance of 2,500 with the point moved: by the registry, by a form, by the reader's own digits."""
    assert client_outcome(predicate=put("assets.0.forms.0.decimals", 6)) == ("malformed", 3, "structure")
    swapped = put("assets.2.decimals", 9)
    assert client_outcome(predicate=swapped) == ("failed", 7, "amount-differs")
    thousandth = put("balances.2.amount", "2.500000000")
    pinned = (
        policies.BASE + f'[[assets]]\nasset = "USDC"\ndecimals = 6\nforms = [{{form = "{USDC_FORM}", decimals = 6}}]\n'
    )
    assert client_outcome(predicate=swapped, claim=thousandth) == PASSED, "who mistypes with them is not protected"
    assert client_outcome(predicate=swapped, claim=thousandth, policy=pinned) == ("policy", 3, "pins")


def test_scale_swap_of_a_form_multiplies_no_reserves():
    """A token of 6 decimals counted as one of 0: a millionth of the coins would do."""
    assets = json.loads(json.dumps(World().assets))
    assets[2]["forms"][1]["decimals"] = 0
    world = signed_world(assets=assets)
    honest = signed_world()
    assert public_outcome(world=world) == PASSED, "consistent in itself: only a pin knows the token"
    lying = put("assets.2.forms.1.decimals", 0)
    assert public_outcome(world=honest, predicate=lying) == ("failed", 8, "observation")
    letters = World(public=every_cell() - {("vault", "BTC"), ("vault", "USDC")})
    assert public_outcome(world=letters) == PASSED
    assert public_outcome(world=letters, predicate=lying) == ("failed", 8, "observation")


def test_dedicated_downgrade():
    world = open_world()
    assert client_outcome(world=world, who="carol") == PASSED
    for edit in (put("positions", []), put("positions", lambda old: old[1:])):
        assert client_outcome(world=world, who="carol", proof=edit) == ("failed", 11, "dedicated-missing")
    downgraded = [(*row[:7], "") if row[2] == CARLA_USDC else row for row in SIGNED_POSITIONS]
    omnibus = signed_world(positions=downgraded)
    claim = put("dedicated", lambda old: sorted([*old, CARLA_USDC]))
    assert client_outcome(world=omnibus, who="carol", claim=claim) == ("failed", 11, "dedicated-missing")
    ties = [omnibus.dedicated(one) for one in omnibus.entries if one["position"]["account"] == CARLA_USDC]
    whole = put("positions", lambda old: [*old, *ties])
    assert client_outcome(world=omnibus, who="carol", proof=whole, claim=claim) == ("failed", 11, "not-dedicated")


def test_dedicated_downgrade_of_the_amount():
    less = [(*row[:4], row[4] - 1, *row[5:]) if row[2] == CARLA_USDC else row for row in SIGNED_POSITIONS]
    more = ("vault", "USDC", "ref:bank-9", USDC_FORM, 1, 0, 0, "")
    world = signed_world(positions=[*less, more])
    assert client_outcome(world=world, who="carol") == ("failed", 11, "dedicated-below")


def test_phantom_reserve_a_leaf_without_a_row():
    """The signed tree counts a position that the register does not list."""

    def shorter(files: dict[str, bytes]) -> dict[str, bytes]:
        register = json.loads(files["register.json"])
        gone = register["positions"].pop(0)["position"]
        kept = {name: data for name, data in files.items() if gone["control"] not in name}
        kept = {name: data for name, data in kept.items() if gone["observation"] not in name}
        return {**kept, "register.json": dump(register)}

    assert public_outcome(world=open_world(), files=shorter) == ("failed", 9, "root-differs")
    empty = {"register.json": dump({"format": 1, "positions": []})}
    assert public_outcome(world=open_world(), files=lambda _: empty) == ("failed", 9, "root-differs")


def test_phantom_reserve_in_a_blinded_register(tmp_path):
    world = signed_world(public=set())
    arguments = write_audit(tmp_path, world)
    assert run([*arguments, "--json"]).verdict() == PASSED
    (tmp_path / "register.json").write_bytes(dump({"format": 1, "positions": world.entries[1:]}))
    assert run([*arguments, "--json"]).verdict() == ("failed", 14, "root-differs")


# public_rebuild_without_key, any_cut_same_root, empty_tree, duplicate_holder


@pytest.mark.parametrize("min_depth", [0, 1, 4, 7])
@pytest.mark.parametrize("n", range(10))
def test_public_rebuild_without_key(n, min_depth):
    """For every n, also where pads stand, the tree of a public register needs nothing that is secret."""
    name = TreeName(b"R", "acme-custody", "s", "omni", "BTC")
    own = Tree(name)
    leaves = [tree.Leaf(H(b"holder %d" % i), H(b"details %d" % i), 10**i) for i in range(n)]
    drawn = tree.Tree(own.tree_id, tree.public_tree_key(own.tree_id), leaves, min_depth)
    key = own.public_key()
    nodes = [(own.leaf(blind(key, leaf.holder), leaf.holder, leaf.details, leaf.sum), leaf.sum) for leaf in leaves]
    rebuilt = commit(own, key, depth_for(n, min_depth), in_order(nodes))
    assert (rebuilt.root, rebuilt.total, rebuilt.depth) == (drawn.root, drawn.total, drawn.depth)
    secret = tree.Tree(own.tree_id, tree.secret_tree_key(bytes(32), own.tree_id), leaves, min_depth)
    assert secret.root != drawn.root


def test_public_rebuild_without_key_a_secret_key_under_a_public_register():
    """The custodian blinds a tree and calls its register public: nobody could rebuild it, so it fails."""
    world = signed_world(public=every_cell() - {ETH})
    edit = put("pools.0.assets.1.reserves.register", "public")
    assert world.pool_asset(ETH)["reserves"]["register"] == "blinded"
    whole = {"positions": world.entries, "format": 1}

    def listed(files: dict[str, bytes]) -> dict[str, bytes]:
        found = {**files, "register.json": dump(whole)}
        for one in world.of(ETH):
            for what in ("control", "observation"):
                found[f"evidence/{one[what]}.json"] = world.evidence[one[what]]
        return found

    assert public_outcome(world=world, files=listed, predicate=edit) == ("failed", 9, "root-differs")


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6])
def test_any_cut_same_root(n):
    """Every cut of the ranks, by the custodian's workers, the verifier and the reference: one root."""
    key = H(b"tree key")
    name = TreeName(b"L", "acme-custody", "s", "omni", "BTC")
    own = Tree(name)
    leaves = [tree.Leaf(H(b"holder %d" % i), H(b"details %d" % i), 3 * i + 1) for i in range(n)]
    drawn = tree.Tree(own.tree_id, key, leaves)
    hasher = TreeHasher(own.tree_id, key)
    stored = b"".join(node.digest + node.sum.to_bytes(16, "big") for node in drawn.bottom)
    nodes = [(node.digest, node.sum) for node in drawn.bottom]
    assert commit(own, key, drawn.depth, nodes).root == drawn.root
    for count in range(n):
        for cuts in itertools.combinations(range(1, n), count):
            edges = [0, *cuts, n]
            parts = [range_nodes(hasher, stored[48 * a : 48 * b], a, drawn.depth) for a, b in itertools.pairwise(edges)]
            assert join(hasher, parts, leaves=n, min_depth=0).root == drawn.root
    from reserveproof.custodian.tree_builder import build_tree

    entries = [entry(leaf.holder, leaf.details, leaf.sum) for leaf in leaves]
    built = build_tree(hasher, entries, min_depth=0, write=lambda *_: None)
    assert built.root == drawn.root


def test_empty_tree(tmp_path):
    """A cell that nobody is owed in: one pad, a total of zero, and nobody has a line in it."""
    ledger = {**LEDGER, ("omni", "BTC"): {}}
    world = signed_world(ledger=ledger)
    assert world.liabilities[BTC].total == 0 and world.liabilities[BTC].depth == 0
    assert client_outcome(world=world, who="erin") == PASSED
    # What a rule says of a residue of the whole reserve is the rules' own; here the tree is asked.
    line = {**World().line(BTC, "bob"), "path": [], "index": 0}
    forged = put("lines", lambda old: sorted([line, *old], key=lambda one: (one["pool"], one["asset"])))
    stated = put("balances", lambda old: [{"amount": "0.60000000", "asset": "BTC", "debit": "", "pool": "omni"}, *old])
    got = client_outcome(world=world, who="bob", proof=forged, claim=stated)
    assert got == ("failed", 9, "total-differs")
    inflated = put("pools.0.assets.0.liabilities.total", "5")
    audit = write_audit(tmp_path, world, predicate=inflated)
    assert run([*audit, "--json"]).verdict()[:2] == ("failed", 14)


class TwoLeaves(tree.Tree):
    """A builder that takes one holder twice, with two amounts: one leaf for the client, one for the public."""

    def __init__(self, honest: tree.Tree, leaves: list[tree.Leaf]) -> None:
        class Fresh(bytes):
            """A holder that equals no other."""

            __hash__ = object.__hash__

            def __eq__(self, other: object) -> bool:
                return self is other

        fresh = [tree.Leaf(Fresh(leaf.holder), leaf.details, leaf.sum) for leaf in leaves]
        super().__init__(honest.id, honest.key, fresh)
        self.order = [bytes(holder) for holder in self.order]


def test_duplicate_holder(tmp_path):
    world = World()
    leaves = [world.leaf(BTC, name) for name in world.ledger[BTC]]
    small = tree.Leaf(world.holder("alice"), H(b"another amount"), 1)
    forged = TwoLeaves(world.liabilities[BTC], [*leaves, small])
    honest = world.liabilities[BTC]
    assert forged.total == honest.total + 1 and len(forged.bottom) == len(honest.bottom) + 1
    lying = signed_world(liabilities={BTC: forged})
    assert run([*write_audit(tmp_path / "tree", lying), "--json"]).verdict() == ("failed", 14, "total-differs")
    rows = extract_rows(open_world())
    two = [*rows, (*rows[0][:4], rows[0][4], "1", "0")]
    ran = run([*write_audit(tmp_path / "rows", open_world(), ledger=table(EXTRACT, two), mac_rows=two), "--json"])
    assert ran.verdict() == ("malformed", 13, "input")


# hybrid_counts_twice, mixed_order_key, unicode_version, claim_mismatch


def test_hybrid_counts_twice():
    """A signer with two keys is one signer."""
    two = policies.HYBRID.replace("custodian = 1", "custodian = 2")
    two += policies.signer("Second officer", "custodian", SECOND_OFFICER.text)
    assert client_outcome(policy=two, keys=(OFFICER, LATTICE)) == ("policy", 2, "quorum")
    assert client_outcome(policy=two, keys=(OFFICER, SECOND_OFFICER)) == ("policy", 2, "quorum"), "half of one"
    assert client_outcome(policy=two, keys=(OFFICER, LATTICE, SECOND_OFFICER)) == PASSED


def test_mixed_order_key():
    policy = policies.BASE + policies.signer("Mixed", "custodian", mixed_key())
    with pytest.raises(MalformedError) as refused:
        parse_policy(policy.encode())
    assert refused.value.reason == "key"


NEW_AND_OLD = ["\u0378", "\U0002ebf0", "\u2ffc", "\u00a0", "\u3000", "\U0001f600", "\ue000", "\U0010ffff", "\u202e"]


@pytest.mark.parametrize("character", NEW_AND_OLD, ids=lambda one: f"U+{ord(one):04X}")
def test_unicode_version(character):
    """Characters that some version of Unicode has and another has not: no version decides over a file."""
    named = policies.BASE.replace("Treasury officer", f"Treasury{character}officer")
    assert client_outcome(policy=named) == PASSED
    assert client_outcome(predicate=put("house_note", character)) == PASSED
    assert client_outcome(proof=put("log", character)) == PASSED
    assert client_outcome(claim=put("client_id", f"AC-{character}1001"))[0] == "usage"


def test_unicode_version_is_asked_nowhere():
    """No module that verifies asks Unicode what a character is, but of text that is ASCII."""
    allowed = {
        ("canonical_json.py", "isprintable"): "a short cut, only behind isascii",
        ("report.py", "isprintable"): "only behind isascii",
        ("audit_tables.py", "isprintable"): "of decoded ASCII",
        ("published_text.py", "isdigit"): "of client ids, which are ASCII",
        ("published_text.py", "isalpha"): "of client ids, which are ASCII",
    }
    words = re.compile(
        r"\b(unicodedata|isprintable|isdigit|isalpha|isalnum|isspace|isdecimal|isnumeric|isidentifier|casefold)\b"
    )
    found = set()
    for package in ("format", "segregation", "chains", "verifier"):
        for path in sorted((Path(reserveproof.__file__).parent / package).glob("*.py")):
            found |= {(path.name, word) for word in words.findall(path.read_text())}
            for pattern in re.findall(r"re\.compile\(([^)]*)\)", path.read_text()):
                assert not re.search(r"\\[wWdDsSb]", pattern) or 'rb"' in pattern, (path.name, pattern)
    assert found <= set(allowed), found - set(allowed)


@pytest.mark.parametrize(
    "edit",
    [
        put("2.decimals", 9),
        put("2.forms.1.decimals", 9),
        put("2.forms", lambda old: [*old[:1], {"decimals": 6, "form": "eip155:8453/erc20:0x" + "ab" * 20}]),
        put("2.forms", lambda old: [*old, {"decimals": 6, "form": "eip155:8453/erc20:0x" + "ff" * 20}]),
    ],
    ids=["decimals", "decimals of a form", "another form", "one more form"],
)
def test_claim_mismatch(edit):
    """Wallets signed for a registry; the statement has another, and everything else is equal."""
    signatures: dict[str, str] = {}

    def collect(file: dict[str, Any]) -> None:
        if file["type"] == "control":
            signatures[file["account"]] = file["signature"]

    def put_back(file: dict[str, Any]) -> None:
        if file["type"] == "control":
            file["signature"] = signatures[file["account"]]

    assets = json.loads(json.dumps(World().assets))
    edit(assets)
    positions = [row for row in SIGNED_POSITIONS if row[:2] != USDC] + [
        ("omni", "USDC", "ref:bank-7.fbo", USDC_FORM, 10**15, 0, 0, "")
    ]
    signed_world(edit_evidence=collect, positions=positions)
    assert public_outcome(world=signed_world(edit_evidence=put_back, positions=positions)) == PASSED
    other = signed_world(edit_evidence=put_back, assets=assets, positions=positions)
    assert public_outcome(world=other) == ("failed", 8, "control")


# cut_digits, unstated_debit, twin_position


@pytest.mark.parametrize("text", ["32", "32.1", "32.12", "32.123", "0", "0.0"])
def test_cut_digits_too_few(text):
    """A shaved balance that agrees with what little was typed."""
    got = client_outcome(claim=put("balances.1.amount", text))
    assert got == (("usage", 7, "digits") if text[0] == "3" else ("failed", 7, "amount-differs"))


def test_cut_digits_of_a_shaved_balance():
    """The custodian shaves alice's ether to what she is likely to type."""
    shaved = {**LEDGER, ETH: {**LEDGER[ETH], "alice": {1: (32_123_400_000_000_000_000, 0)}}}
    world = World(ledger=shaved)
    typed = [("32.1234", PASSED), ("32.12345", ("failed", 7, "amount-differs"))]
    for text, expected in (*typed, ("32.123456789012345678", ("failed", 7, "amount-differs"))):
        assert client_outcome(world=world, claim=put("balances.1.amount", text)) == expected
    record = Record()
    check_client(client_vector("attack", "", "passed", claim=put("balances.1.amount", "32.1234")), record)
    assert any("as far as typed" in line for step in record.steps for line in step.lines)


def test_unstated_debit():
    """bob is said to owe what he never borrowed."""
    assert client_outcome(who="bob") == PASSED
    never = put("balances.1.debit", "")
    assert client_outcome(who="bob", claim=never) == ("failed", 7, "debit-differs")
    assert client_outcome(who="bob", claim=put("balances.1.debit", "0")) == ("failed", 7, "debit-differs")
    only = {**LEDGER, ETH: {**LEDGER[ETH], "bob": {7: (0, 5)}}}
    got = client_outcome(who="bob", world=World(ledger=only), claim=put("balances", lambda old: [
        one for one in old if one["asset"] != "ETH"]))  # fmt: skip
    assert got == ("failed", 6, "unstated-line"), "a debit alone, in an asset that was not stated"


def twin(**options: Any) -> World:
    """carol's account stands in a second leaf, tied to grace."""
    row = ("omni", "USDC", CARLA_USDC, USDC_FORM, 50_000_000_000, 0, 0, "grace")
    return signed_world(positions=[*SIGNED_POSITIONS, row], **options)


def test_twin_position_passes_each_client_and_is_listed():
    for who in ("carol", "grace"):
        assert client_outcome(world=twin(), who=who) == PASSED
        assert "that a dedicated account stands in no other leaf" in unchecked(world=twin(), who=who)


def test_twin_position_is_caught_by_the_public_and_by_an_audit(tmp_path):
    assert public_outcome(world=twin()) == ("failed", 7, "position-twice")
    hidden = twin(public={BTC, ETH})
    assert public_outcome(world=hidden) == PASSED, "two blinded registers: the public cannot see it"
    wallets = wallet_rows(open_world())
    ran = run([*write_audit(tmp_path / "twin", hidden, wallets=wallets), "--json"])
    assert ran.verdict() == ("failed", 14, "position-twice")
    honest = signed_world(public={BTC, ETH})
    assert run([*write_audit(tmp_path / "honest", honest), "--json"]).verdict() == PASSED


def test_twin_position_tied_to_another_than_the_wallet_register_says(tmp_path):
    """One leaf, tied to grace; the custodian's own register has it as carol's."""
    moved = [(*row[:7], "grace") if row[2] == CARLA_USDC else row for row in SIGNED_POSITIONS]
    world = signed_world(positions=moved)
    ran = run([*write_audit(tmp_path / "lie", world, wallets=wallet_rows(open_world())), "--json"])
    assert ran.verdict() == ("failed", 14, "tie-differs")
    arguments = write_audit(tmp_path / "none", open_world())
    at = arguments.index("--wallets")
    without = run([*arguments[:at], *arguments[at + 2 :], "--json"])
    assert without.verdict() == PASSED
    assert any("to whom dedicated accounts are tied" in text for text in json.loads(without.out)["not_checked"])

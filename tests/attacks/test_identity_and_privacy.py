"""Attacks 13 to 20: on whose line it is, and on who may read it."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from attacks.toolbox import (
    EXTRACT,
    PASSED,
    check_client,
    client_outcome,
    client_vector,
    extract_rows,
    open_world,
    outcome,
    run,
    signed_world,
    start,
    table,
    tree,
    write_audit,
    write_client,
)
from reference.conventions import HMAC, H
from reference.edits import put
from reference.made_up import CLIENTS, LEDGER, POSITIONS
from reference.world import World
from reserveproof.format.errors import ReserveProofError
from reserveproof.segregation import PrivacyFacts, run_rules
from reserveproof.verifier.facts import public_facts
from workspace_maker import opened, workspace_in

BTC, ETH, USDC = ("omni", "BTC"), ("omni", "ETH"), ("omni", "USDC")


def twins() -> World:
    """alice and bob hold the same."""
    ledger = {cell: {**rows, **({"bob": rows["alice"]} if "alice" in rows else {})} for cell, rows in LEDGER.items()}
    return World(ledger=ledger, positions=[(*row[:4], 4 * row[4], *row[5:]) for row in POSITIONS])


def test_13_clash_one_leaf_is_not_shown_to_two_clients():
    """Equal balances: the custodian makes one leaf and one file for both. The id that is typed in decides."""
    world = twins()
    first = client_vector("attack", "", "passed", world=world, who="alice")
    second = client_vector("attack", "", "passed", world=world, who="bob")
    assert outcome(lambda: check_client(first)) == PASSED
    assert outcome(lambda: check_client(second)) == PASSED
    shared = {**second, "proof": first["proof"]}
    assert outcome(lambda: check_client(shared)) == ("failed", 9, "root-differs")


def test_13_clash_a_duplicate_id_fails_the_generation_and_the_audit(tmp_path):
    with pytest.raises(Exception, match="holder-twice"):
        leaf = World().leaf(BTC, "alice")
        tree.Tree(H(b"tree"), H(b"key"), [leaf, leaf])
    world = signed_world()
    rows = extract_rows(world)
    again = [*rows[:1], (*rows[0][:5], "7", "0"), *rows[1:]]
    ran = run([*write_audit(tmp_path / "twice", world, ledger=table(EXTRACT, again)), "--json"])
    assert ran.verdict() == ("malformed", 13, "input")
    assert "row 3" in json.loads(ran.out)["failure"]["message"]
    ran = run([*write_audit(tmp_path / "once", world), "--json"])
    assert ran.verdict() == PASSED


def test_13_clash_in_the_custodians_own_ledger(tmp_path):
    from reserveproof.custodian.ledger import import_ledger
    from reserveproof.format.errors import InputError

    head = "client_id,pool,asset,bucket,credit,debit,client_code\n"
    good = tmp_path / "good.csv"
    good.write_text(head + "alice,trust-a,BTC,available,1,0,\nbob,trust-a,BTC,available,1,0,\n")
    bad = tmp_path / "bad.csv"
    bad.write_text(head + "alice,trust-a,BTC,available,1,0,\nalice,trust-a,BTC,available,1,0,\n")
    for source, passes in ((good, True), (bad, False)):
        out, scratch = tmp_path / f"out-{passes}", tmp_path / f"scratch-{passes}"
        out.mkdir()
        scratch.mkdir()

        def build(source: Path = source, out: Path = out, scratch: Path = scratch) -> object:
            return import_ledger(
                [source], pools=frozenset({"trust-a"}), decimals={"BTC": 8}, out_dir=out, scratch=scratch
            )

        if passes:
            build()
        else:
            with pytest.raises(InputError) as refused:
                build()
            assert refused.value.row == 3
            assert list(out.iterdir()) == []


def test_14_omitted_row_and_duplicate_row(tmp_path):
    world = signed_world()
    rows = extract_rows(world)
    omitted = table(EXTRACT, rows[1:])
    ran = run([*write_audit(tmp_path / "omitted", world, ledger=omitted), "--json"])
    assert ran.verdict() == ("failed", 13, "extract-differs"), "the ledger's digest was signed"
    ran = run([*write_audit(tmp_path / "resigned", world, ledger=omitted, mac_rows=rows[1:]), "--json"])
    assert ran.verdict() == ("failed", 14, "total-differs"), "even if the digest is of the shorter ledger"
    zero = next(number for number, row in enumerate(rows) if row[5:] == ("0", "0"))
    less = [*rows[:zero], *rows[zero + 1 :]]
    ran = run([*write_audit(tmp_path / "zero", world, ledger=table(EXTRACT, less), mac_rows=less), "--json"])
    assert ran.verdict() == ("failed", 14, "root-differs"), "a row of nothing counts as well"
    more = [rows[0], *rows]
    ran = run([*write_audit(tmp_path / "twice", world, ledger=table(EXTRACT, more), mac_rows=more), "--json"])
    assert ran.verdict() == ("malformed", 13, "input")
    assert run([*write_audit(tmp_path / "honest", world), "--json"]).verdict() == PASSED


def test_14_omitted_row_consistently_left_out_fails_the_control_totals(tmp_path):
    """Ledger, trees and digest agree; the general ledger does not."""
    ledger = {cell: {name: row for name, row in rows.items() if name != "bob"} for cell, rows in LEDGER.items()}
    world = signed_world(ledger=ledger)
    honest = {cell: open_world().liabilities[cell].total for cell in LEDGER}
    ran = run([*write_audit(tmp_path / "short", world, totals=honest), "--json"])
    assert ran.verdict() == ("failed", 15, "control-totals-differ")
    assert run([*write_audit(tmp_path / "honest", open_world(), totals=honest), "--json"]).verdict() == PASSED
    assert client_outcome(who="bob", proof=put("lines", []), world=world)[2] in ("line-missing", "no-balance")


def test_15_guessable_blind():
    """Brute force over id x balance against the sibling digests of a neighbour's proof, with every blind that an
    outsider can compute, finds nothing."""
    world = World()
    committed = world.liabilities[BTC]
    wanted = {node.digest for node in committed.bottom}
    amounts = {sum(c for c, _ in row.values()) for row in world.ledger[BTC].values()}
    outside = [bytes(32), tree.public_tree_key(committed.id), committed.id, committed.root, H(world.snapshot.encode())]
    tried = 0
    for (client_id, code), amount in itertools.product(CLIENTS.values(), amounts):
        holder = tree.client_holder(client_id, code)
        details = tree.line_details([{"bucket": 1, "credit": str(amount), "debit": "0"}])
        leaf = tree.Leaf(holder, details, amount)
        for key in outside:
            for blind in (key, tree.blind(key, holder), holder, H(key + holder)):
                tried += 1
                assert tree.leaf_node(committed.id, blind, leaf).digest not in wanted
        inside = tree.leaf_node(committed.id, tree.blind(committed.key, holder), leaf).digest
        assert inside in wanted or world.leaf(BTC, "bob") != leaf
    assert tried == len(CLIENTS) * len(amounts) * 20
    bob = world.leaf(BTC, "bob")
    assert tree.leaf_node(committed.id, tree.blind(committed.key, bob.holder), bob).digest in wanted


def test_15_guessable_blind_differs_between_snapshots():
    first, second = World(snapshot="2026-06-30.a"), World(snapshot="2026-06-30.b")
    for cell in LEDGER:
        old = {node.digest for node in first.liabilities[cell].bottom}
        assert not old & {node.digest for node in second.liabilities[cell].bottom}
    blinds = [world.line(cell, name)["blind"] for world in (first, second) for cell, rows in LEDGER.items()
              for name in rows]  # fmt: skip
    assert len(set(blinds)) == len(blinds), "no blind is used in two trees or snapshots"


def test_16_aimed_neighbour():
    """Who stands beside whom follows the digests, and so the key: an account opened next to another is nowhere."""
    orders, neighbours = set(), set()
    for number in range(24):
        world = World(snapshot=f"2026.{number}")
        order = [CLIENTS[name][0] for index in range(len(LEDGER[USDC])) for name in LEDGER[USDC]
                 if world.holder(name) == world.liabilities[USDC].order[index]]  # fmt: skip
        orders.add(tuple(order))
        where = order.index("AC-1001")
        if where ^ 1 < len(order):
            neighbours.add(order[where ^ 1])
        digests = [node.digest for node in world.liabilities[USDC].bottom]
        assert digests == sorted(digests)
    assert len(orders) > 20 and len(neighbours) >= 4
    assert sum(list(order) == sorted(order) for order in orders) <= 1


def test_17_sibling_leak():
    """A proof has the own ids, blinds and preimages, and of others only digests and sums."""
    world = open_world()
    for who, (client_id, code) in CLIENTS.items():
        text = json.dumps(world.proof(who))
        assert client_id not in text and (not code or code not in text), "not even the own: the reader types it"
        for other, (other_id, other_code) in CLIENTS.items():
            if other == who:
                continue
            assert other_id not in text and (not other_code or other_code not in text)
            holder = world.holder(other)
            assert holder.hex() not in text
            for cell, rows in LEDGER.items():
                key = world.liabilities[cell].key
                assert key.hex() not in text
                if other in rows:
                    assert tree.blind(key, holder).hex() not in text
                    assert world.leaf(cell, other).details.hex() not in text
        assert world.snapshot_key.hex() not in text


def test_18_size_leak():
    """With min_depth two populations give one depth and one number of siblings; without it they do not."""
    few = {cell: dict(list(rows.items())[:1]) for cell, rows in LEDGER.items()}
    for min_depth, same in ((6, True), (0, False)):
        sizes = []
        for ledger in (few, LEDGER):
            world = World(ledger=ledger, min_depth=dict.fromkeys(LEDGER, min_depth), positions=[], public=set())
            name = next(iter(ledger[USDC]))
            sizes.append((world.liabilities[USDC].depth, len(world.line(USDC, name)["path"])))
            if same:
                for pair in world.line(USDC, name)["path"]:
                    assert re.fullmatch("[0-9a-f]{64}", pair[0])
        assert (sizes[0] == sizes[1]) is same


def test_19_snapshot_reuse_of_an_id(tmp_path):
    workspace = workspace_in(tmp_path / "w")
    snapshot = opened(workspace, "s1")
    before = {path: path.read_bytes() for path in snapshot.path.rglob("*") if path.is_file()}
    with pytest.raises(ReserveProofError) as refused:
        opened(workspace, "s1", key=b"\x08" * 32)
    assert refused.value.exit_status == 2
    assert {path: path.read_bytes() for path in snapshot.path.rglob("*") if path.is_file()} == before
    assert opened(workspace, "s2", key=b"\x09" * 32).id == "s2"


def test_19_snapshot_reuse_of_a_key(tmp_path):
    workspace = workspace_in(tmp_path / "w")
    opened(workspace, "s1", key=b"\x07" * 32)
    with pytest.raises(ReserveProofError) as refused:
        opened(workspace, "s2", key=b"\x07" * 32)
    assert refused.value.exit_status == 2
    assert opened(workspace, "s2", key=b"\x08" * 32).key() == b"\x08" * 32


def test_19_snapshot_reuse_is_a_finding_of_the_rules():
    from attacks.toolbox import check_public, public

    verified = check_public(public(world=open_world()))
    facts = public_facts(verified.trusted, verified.rebuilt)
    for reused, result in ((True, "FAIL"), (False, "PASS")):
        from dataclasses import replace

        given = replace(facts, privacy=PrivacyFacts((), (), blind_duplicates=0, key_reused=reused))
        found = {one.id: one.result for one in run_rules(given, ["baseline"], "audit")}
        assert found["PRV-02"] == result


def secrets_of(vector: dict[str, Any]) -> set[str]:
    """Whatever of a client no shared text may hold: id, code, blinds, balances however written, accounts."""
    proof = json.loads(vector["proof"])
    claims = vector["claims"]
    found = {claims["client_id"], claims["client_code"], *claims["dedicated"]}
    for balance in claims["balances"]:
        found |= {balance["amount"], balance["amount"].rstrip("0").rstrip("."), balance["debit"]}
    for line in proof["lines"]:
        found |= {line["blind"], str(sum(int(bucket["credit"]) for bucket in line["buckets"]))}
        found |= {bucket[side] for bucket in line["buckets"] for side in ("credit", "debit")}
        found |= {text for pair in line["path"] for text in pair}
    for entry in proof["positions"]:
        found |= {entry["blind"], entry["tie_blind"], entry["position"]["client_tie"], entry["position"]["counted"]}
    return {text for text in found if len(text) > 3}


FAILURES = {
    "amount-differs": {"claim": put("balances.0.amount", "1.111111")},
    "root-differs": {"proof": put("lines.0.blind", "00" * 32)},
    "total-differs": {"proof": put("lines.0.path.0.1", "77777777")},
    "line-missing": {"claim": put("balances.0.pool", "other")},
    "unstated-line": {"claim": put("balances", lambda old: old[1:])},
    "dedicated-unknown": {"claim": put("dedicated", [])},
    "dedicated-below": {},
    "input": {"claim": put("client_code", "a wrong code with a space ")},
}


REDACTED = [
    (who, case)
    for case in ("passed", *(name for name in FAILURES if name != "dedicated-below"))
    for who in ("alice", "carol")
    if who == "carol" or not case.startswith("dedicated")  # alice has no dedicated account
]


@pytest.mark.parametrize(("who", "case"), REDACTED)
def test_20_redacted_result(tmp_path, who, case):
    """What --shareable prints, on either stream, and the receipt: no id, code, balance, blind or account."""
    vector = client_vector("attack", "", "passed", world=open_world(), who=who, **FAILURES.get(case, {}))
    honest = client_vector("attack", "", "passed", world=open_world(), who=who)
    given = write_client(tmp_path / "c", vector)
    receipt = tmp_path / "receipt.json"
    for flags in (["--shareable"], ["--shareable", "--json"]):
        ran = run(given.arguments(*flags, "--receipt", str(receipt)))
        document = json.loads(ran.out)
        assert document["reason"] == ("" if case == "passed" else case)
        texts = [ran.out, ran.err] + ([receipt.read_text()] if receipt.exists() else [])
        for secret, text in itertools.product(secrets_of(vector) | secrets_of(honest), texts):
            assert secret not in text, (secret, text)
    assert receipt.exists() is (case == "passed")
    if receipt.exists():
        assert stat.S_IMODE(receipt.stat().st_mode) == 0o600
    told = run(given.arguments())
    assert told.status == (0 if case == "passed" else {"input": 2}.get(case, 3)), "without it the reader is told"


def test_20_redacted_result_of_a_process(tmp_path):
    vector = client_vector("attack", "", "passed", claim=put("balances.0.amount", "9.99999999"))
    ran = start(write_client(tmp_path, vector).arguments("--shareable"))
    assert ran.status == 3
    for secret in secrets_of(vector):
        assert secret not in ran.out + ran.err, secret


def test_20_redacted_result_is_bound_to_nothing_that_tests_a_guess(tmp_path):
    """The shared result has no digest over id or balance that one could try guesses against."""
    ran = run(write_client(tmp_path, client_vector("attack", "", "passed", who="bob")).arguments("--shareable"))
    digests = set(re.findall(r"[0-9a-f]{64}", ran.out))
    assert len(digests) == 1, "the statement's"
    guesses = {hashlib.sha256(text.encode()).hexdigest() for text in CLIENTS["bob"]}
    guesses |= {HMAC(b"", text.encode()).hex() for text in CLIENTS["bob"]}
    assert not digests & guesses
    assert ran.status == 0

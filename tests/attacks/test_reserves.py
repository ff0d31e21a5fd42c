"""Attacks 29, 31 to 34, 36 and 39 to 41: on what is counted, and on who is said to control it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from attacks.toolbox import (
    BTC_FORM,
    CARLA_USDC,
    PASSED,
    SIGNED_POSITIONS,
    account_of,
    client_outcome,
    open_world,
    policies,
    public,
    public_outcome,
    run,
    secret,
    sign,
    signed_world,
    wallet_rows,
    write_audit,
    write_public,
)
from reference import ed25519
from reference.canonical_json import dump
from reference.edits import all_of, append, put
from reference.made_up import BITCOIN, ETH_FORM, USDC_BASE_FORM, USDC_FORM, VAULT_BTC
from reference.policy_kind import mixed_key
from reference.register import order
from reserveproof.chains import ControlEvidence, check_control
from reserveproof.chains.bech32 import encode_segwit
from reserveproof.format.errors import MalformedError
from reserveproof.format.identifiers import is_normal_account
from reserveproof.verifier.policy import parse_policy

CONTROL = ("failed", 8, "control")
FIELDS = {
    "account": lambda old: old[:-1] + ("0" if old[-1] != "0" else "1"),
    "custodian": lambda old: "other-custody",
    "pool": lambda old: "omni",
    "segregation": lambda old: "omnibus",
    "claim": lambda old: "00" + old[2:] if old[:2] != "00" else "11" + old[2:],
    "expires": lambda old: "2027-07-07T00:00:00Z",
}


@pytest.mark.parametrize("profile", ["text", "compact"])
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("account", [account_of(VAULT_BTC), CARLA_USDC])
def test_29_replayed_signature_with_one_field_of_the_challenge_altered(field, account, profile):
    """A real signature by the right key, over a challenge that differs in one field, for every scheme."""

    def tamper(fields: dict[str, str]) -> None:
        if fields["account"] == account:
            fields[field] = FIELDS[field](fields[field])

    assert public_outcome(world=signed_world(tamper=tamper, profile=profile)) == CONTROL
    assert public_outcome(world=signed_world(profile=profile)) == PASSED


def carried(old: Any) -> Any:
    """The wallet signatures of another world, whole."""
    kept: dict[str, Any] = {}

    def collect(file: dict[str, Any]) -> None:
        if file["type"] == "control":
            kept[file["account"]] = file["signature"]

    old(collect)

    def put_back(file: dict[str, Any]) -> None:
        if file["type"] == "control" and file["scheme"] != "letter":
            file["signature"] = kept[file["account"]]

    return put_back


@pytest.mark.parametrize(
    "options",
    [
        {"custodian": "other-custody"},
        {"snapshot": "2026-03-31.a"},
        {"ledger": {**open_world().ledger, ("omni", "BTC"): {"alice": {1: (1, 0)}}}},
    ],
    ids=["another custodian", "last snapshot", "other liabilities"],
)
def test_29_replayed_signature_of_another_statement(options):
    replay = carried(lambda collect: signed_world(edit_evidence=collect, **options))
    assert public_outcome(world=signed_world(edit_evidence=replay)) == CONTROL
    again = carried(lambda collect: signed_world(edit_evidence=collect))
    assert public_outcome(world=signed_world(edit_evidence=again)) == PASSED


def test_29_replayed_signature_made_for_a_under_b():
    """B publishes A's bundle as its own, and signs the statement itself."""
    policy = policies.BASE.replace("acme-custody", "b-custody")
    replay = carried(lambda collect: signed_world(edit_evidence=collect))
    copied = signed_world(custodian="b-custody", edit_evidence=replay)
    assert public_outcome(world=copied, policy=policy) == CONTROL
    assert public_outcome(world=signed_world(custodian="b-custody"), policy=policy) == PASSED


UNDECODABLE = {
    "garbage": f"{BITCOIN}:bc1garbage",
    "checksum": account_of(VAULT_BTC)[:-1] + ("q" if account_of(VAULT_BTC)[-1] != "q" else "p"),
    "testnet on mainnet": f"{BITCOIN}:tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
    "base58 checksum": f"{BITCOIN}:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
    "unknown chain": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv",
}


@pytest.mark.parametrize("name", UNDECODABLE)
def test_31_undecodable_address(name):
    account = UNDECODABLE[name]
    moved = [(*row[:2], account, *row[3:]) if row[2] == account_of(VAULT_BTC) else row for row in SIGNED_POSITIONS]
    got = public_outcome(world=signed_world(positions=moved))
    assert got in (CONTROL, ("failed", 7, "cell-unknown")), got
    assert got == CONTROL or name == "unknown chain"


@pytest.mark.parametrize(
    "account",
    [
        CARLA_USDC.upper(),
        CARLA_USDC + "0",
        CARLA_USDC[:-1],
        "eip155:01:" + CARLA_USDC[9:],
        account_of(VAULT_BTC).upper(),
    ],
)
def test_31_undecodable_address_by_its_spelling(account):
    moved = put("positions.0.position.account", account)
    assert client_outcome(world=open_world(), who="carol", proof=moved) == ("malformed", 1, "account")


@pytest.mark.parametrize("class_", ["SCRIPT_THRESHOLD", "CONTRACT_SIGNATURE", "DESCRIPTOR_DERIVED", "ONCHAIN_MOVE"])
def test_32_same_key_twice_a_threshold_is_never_taken_from_the_register(class_):
    """m-of-n is no scheme of this version: one signature never passes as a threshold, whatever the register says."""
    lie = put("2.position.class", class_)
    assert public_outcome(world=signed_world(edit_register=lambda old: lie(old))) == CONTROL


def test_32_same_key_twice_a_multisig_script_is_inconclusive():
    """P2WSH of 2-of-2 over one key, with its signature given twice."""
    script_hash = bytes(range(32))
    account = f"{BITCOIN}:{encode_segwit('bc', 0, script_hash)}"
    from reserveproof.custodian.demo_wallets import sign_bip322_p2wpkh

    evidence = ControlEvidence("bip322-smp", sign_bip322_p2wpkh(secret("one"), "challenge"))
    verdict = check_control(account, "challenge", evidence)
    assert verdict.verdict == "inconclusive" and verdict.assurance == "DECLARED_ONLY"


def doubled(**changes: Any) -> list[Any]:
    """The vault's USDC once more, in another disguise."""
    row = next(row for row in SIGNED_POSITIONS if row[2] == CARLA_USDC)
    names = ("pool", "asset", "account", "form", "quantity", "encumbered", "excluded", "client")
    return [*SIGNED_POSITIONS, tuple(changes.get(name, old) for name, old in zip(names, row, strict=True))]


def test_33_double_count_the_same_position_in_two_pools():
    world = signed_world(positions=doubled(pool="omni", client=""))
    assert public_outcome(world=world) == ("failed", 7, "position-twice")


CAPITALS = CARLA_USDC[: CARLA_USDC.index("0x") + 2] + CARLA_USDC[CARLA_USDC.index("0x") + 2 :].upper()


def test_33_double_count_in_two_case_forms():
    assert CAPITALS != CARLA_USDC
    assert not is_normal_account(CAPITALS)
    assert not is_normal_account(account_of(VAULT_BTC).replace("bc1q", "BC1Q"))

    def in_capitals(files: dict[str, bytes]) -> dict[str, bytes]:
        register = json.loads(files["register.json"])
        copy = next(one for one in register["positions"] if one["position"]["account"] == CARLA_USDC)
        copy = json.loads(json.dumps(copy))
        copy["position"]["account"] = CAPITALS
        register["positions"] = sorted([*register["positions"], copy], key=order)
        return {**files, "register.json": dump(register)}

    assert public_outcome(world=open_world(), files=in_capitals)[:2] == ("malformed", 7)
    assert public_outcome(world=open_world()) == PASSED


def test_33_double_count_under_a_form_of_another_chain():
    """One account of one chain, listed with a token of another chain: the same coins under a second form."""
    world = signed_world(positions=doubled(form=USDC_BASE_FORM))
    assert public_outcome(world=world) == ("failed", 7, "cell-unknown")
    assert client_outcome(world=world, who="carol") == ("failed", 11, "cell-unknown")


def test_33_double_count_in_two_entries_of_one_pool():
    def copy(files: dict[str, bytes]) -> dict[str, bytes]:
        register = json.loads(files["register.json"])
        register["positions"].insert(0, register["positions"][0])
        return {**files, "register.json": dump(register)}

    assert public_outcome(world=open_world(), files=copy)[:2] == ("malformed", 7)


def test_33_double_count_a_wrapped_asset_and_its_underlying():
    """One form counts as one asset: WBTC is not bitcoin and ether at once, and two assets do not share it."""
    wrapped = {"decimals": 8, "form": "eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"}
    both = all_of(
        *(put(f"assets.{n}.forms", lambda old: sorted([*old, wrapped], key=lambda one: one["form"])) for n in (0, 1))
    )
    assert public_outcome(world=open_world(), predicate=both) == ("malformed", 3, "structure")
    pinned = policies.BASE + (
        f'[[assets]]\nasset = "BTC"\ndecimals = 8\nforms = [{{form = "{BTC_FORM}", decimals = 8}}]\n'
    )
    one = append("assets.0.forms", wrapped)
    assert client_outcome(world=open_world(), predicate=one, policy=pinned) == ("policy", 3, "pins")
    assert client_outcome(world=open_world(), policy=pinned) == PASSED


def test_33_double_count_in_the_books_of_a_second_custodian(tmp_path):
    """Two statements, two policies, one wallet: either alone is well, both together are not."""
    other = signed_world(custodian="b-custody")
    assert public_outcome(world=open_world()) == PASSED
    theirs = public(world=other, policy=policies.BASE.replace("acme-custody", "b-custody"))
    assert public_outcome(others=(theirs,), world=open_world()) == ("failed", 11, "rule-fails")
    given = write_public(tmp_path / "a", public(world=open_world()))
    b = write_public(tmp_path / "b", theirs)
    ran = run([*given, "--other", b[1], b[b.index("--policy") + 1], "--json"])
    assert ran.verdict() == ("failed", 11, "rule-fails")
    assert "SEG-10" in json.loads(ran.out)["failure"]["message"]
    assert run([*given, "--json"]).verdict() == PASSED


def test_34_class_overlap_a_client_wallet_also_claimed_as_house(tmp_path):
    house = {"account": CARLA_USDC, "asset": "USDC", "class": "house", "form": USDC_FORM, "observed": "5"}
    assert public_outcome(world=open_world(), predicate=append("house", house)) == ("failed", 11, "rule-fails")
    own = {**house, "account": "eip155:1:0x" + "ab" * 20, "form": ETH_FORM, "asset": "ETH"}
    assert public_outcome(world=open_world(), predicate=append("house", own)) == PASSED


def test_34_class_overlap_in_the_private_register(tmp_path):
    """The auditor's wallet register calls one of the clients' accounts the house's."""
    rows = wallet_rows(open_world())
    lie = [[*row] for row in rows]
    number = next(n for n, row in enumerate(lie) if row[0] == "ref:staking-desk")
    lie[number][3:5] = ["house", "none"]
    lie[number][2] = ""
    ran = run([*write_audit(tmp_path / "lie", open_world(), wallets=lie), "--json"])
    assert ran.verdict() == ("failed", 16, "rule-fails")
    assert run([*write_audit(tmp_path / "honest", open_world(), wallets=rows), "--json"]).verdict() == PASSED


def test_36_encumbered_counted_in_the_register():
    """What is encumbered is counted all the same: the parts are more than the whole."""

    def greedy(entries: list[dict[str, Any]]) -> None:
        position = next(e["position"] for e in entries if e["position"]["account"] == "ref:bank-8.pledged")
        position["counted"] = position["observed"]

    assert public_outcome(world=signed_world(edit_register=greedy)) == ("failed", 8, "position-sum")


def test_36_encumbered_counted_as_free_of_any_claim(tmp_path):
    """The register says free; the wallet register that the auditor has names a pledge."""
    rows = wallet_rows(open_world())
    lie = [[*row] for row in rows]
    number = next(n for n, row in enumerate(lie) if row[0] == "ref:subcustodian-1.btc")
    lie[number][10:13] = ["pledge", "1", "yes"]
    ran = run([*write_audit(tmp_path / "lie", open_world(), wallets=lie), "--json"])
    assert ran.verdict() == ("failed", 16, "rule-fails")
    assert "ENC-01" in json.loads(ran.out)["failure"]["message"]
    assert run([*write_audit(tmp_path / "honest", open_world(), wallets=rows), "--json"]).verdict() == PASSED


def test_36_encumbered_counted_is_not_hidden_in_the_statement():
    less = put("pools.0.assets.0.reserves.encumbered", "0")
    assert public_outcome(world=open_world(), predicate=less) == ("failed", 9, "encumbered")


@pytest.mark.parametrize(
    "changes",
    [
        {"height": 955_124},
        {"hash": "00" * 32},
        {"time": "2026-06-29T23:51:08Z"},
        {"time": "2026-06-29T00:00:00Z", "height": 955_000, "hash": "11" * 32},
    ],
)
def test_39_time_skew_against_the_anchor(changes):
    def later(file: dict[str, Any]) -> None:
        if file["type"] == "observation" and file["account"] == account_of(VAULT_BTC):
            file.update(changes)

    assert public_outcome(world=signed_world(edit_evidence=later)) == ("failed", 8, "observation")
    assert public_outcome(world=signed_world()) == PASSED


def test_39_time_skew_of_the_anchor_itself():
    """Every observation is at the anchor, and the anchor is hours before the as-of."""
    anchors = [dict(anchor) for anchor in open_world().anchors]
    anchors[0]["time"] = "2026-06-29T12:00:00Z"
    world = signed_world(anchors=anchors)
    assert public_outcome(world=world) == ("failed", 11, "rule-fails")


def test_39_time_skew_of_a_letter():
    def late(file: dict[str, Any]) -> None:
        if file["type"] == "observation" and file["account"] == "ref:staking-desk":
            file["time"] = "2026-06-28T00:00:00Z"

    assert public_outcome(world=signed_world(edit_evidence=late)) == ("failed", 11, "rule-fails")


def test_39_time_skew_without_any_anchor_of_the_chain():
    """A chain without an anchor: another chain's is there, and the observation is of any block."""
    anchors = [dict(anchor) for anchor in open_world().anchors][1:]

    def any_block(file: dict[str, Any]) -> None:
        if file["type"] == "observation" and file["account"].startswith("bip122:"):
            file.update(height=1, hash="22" * 32, time="2020-01-01T00:00:00Z")

    assert public_outcome(world=signed_world(anchors=anchors, edit_evidence=any_block)) == ("failed", 11, "rule-fails")


OP_TRUE = bytes([0x51])


def test_40_no_signature_script():
    """Scripts that anyone can spend: P2WSH and P2SH of OP_TRUE, taproot of a script path."""
    import base64
    import hashlib

    from reserveproof.chains.base58 import ALPHABET
    from reserveproof.chains.ripemd160 import ripemd160

    program = hashlib.sha256(OP_TRUE).digest()
    witness = "smp" + base64.b64encode(bytes([1, 1]) + OP_TRUE).decode()
    body = b"\x05" + ripemd160(hashlib.sha256(OP_TRUE).digest())
    body += hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4]
    number, text = int.from_bytes(body, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    for address in (encode_segwit("bc", 0, program), text, encode_segwit("bc", 1, program)):
        account = f"{BITCOIN}:{address}"
        for signature in (witness, "smp" + base64.b64encode(b"\0").decode(), "", "smp"):
            verdict = check_control(account, "challenge", ControlEvidence("bip322-smp", signature))
            assert verdict.verdict != "valid" and verdict.assurance == "DECLARED_ONLY", (address, signature)
    scheme, good = sign(account_of(VAULT_BTC), "challenge")
    assert check_control(account_of(VAULT_BTC), "challenge", ControlEvidence(scheme, good)).verdict == "valid"


def test_40_no_signature_script_in_a_bundle():
    import base64
    import hashlib

    account = f"{BITCOIN}:{encode_segwit('bc', 0, hashlib.sha256(OP_TRUE).digest())}"
    moved = [(*row[:2], account, *row[3:]) if row[2] == account_of(VAULT_BTC) else row for row in SIGNED_POSITIONS]

    def anyone(file: dict[str, Any]) -> None:
        if file["type"] == "control" and file["account"] == account:
            file["scheme"] = "bip322-smp"
            file["signature"] = "smp" + base64.b64encode(bytes([1, 1]) + OP_TRUE).decode()

    assert public_outcome(world=signed_world(positions=moved, edit_evidence=anyone)) == CONTROL


SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]


@pytest.mark.parametrize("key", [*(f"ed25519:{key}" for key in SMALL_ORDER), mixed_key()])
def test_41_low_order_key_and_mixed_order_key(key):
    """One signature verifies over everything under such a key; and a key with a torsion part has eight names."""
    for place in ("custodian", "auditor"):
        policy = policies.BASE + policies.signer("Anyone", place, key)
        with pytest.raises(MalformedError) as refused:
            parse_policy(policy.encode())
        assert refused.value.reason == "key"
    sound = "ed25519:" + ed25519.public_key(b"s" * 32).hex()
    parse_policy((policies.BASE + policies.signer("Someone", "custodian", sound)).encode())

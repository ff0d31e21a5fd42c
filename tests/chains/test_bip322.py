"""BIP-322 by templates: what signs, what does not, and what is left open."""

from __future__ import annotations

import base64
import hashlib

import coincurve
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bip322_wallets import TEMPLATES, account_of, items_of, op_true_leaf, sign, text_of
from chains.public_vectors import MAINNET, REGTEST
from chains.scheme_checks import challenge, expect, secret, signed
from reserveproof.chains.base58 import encode_check
from reserveproof.chains.bech32 import encode_segwit
from reserveproof.chains.bip322 import encode_witness, parse_witness
from reserveproof.chains.bip322_transactions import p2tr_digest, p2wpkh_digest
from reserveproof.chains.bitcoin import output_of
from reserveproof.chains.der import SignatureFault
from reserveproof.chains.wallet_libraries import SECP256K1_ORDER, ecdsa_verifies
from reserveproof.custodian import demo_wallets


def der(r: int, s: int) -> bytes:
    body = b"".join(b"\x02" + bytes([len(raw)]) + raw for raw in (n.to_bytes(n.bit_length() // 8 + 1) for n in (r, s)))
    return b"\x30" + bytes([len(body)]) + body


def scalars(signature: bytes) -> tuple[int, int]:
    """r and s of a DER signature that libsecp256k1 wrote."""
    cut = 4 + signature[3]
    return int.from_bytes(signature[4:cut]), int.from_bytes(signature[cut + 2 :])


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(TEMPLATES),
    st.binary(min_size=1),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=330),
    st.sampled_from((MAINNET, REGTEST)),
)
def test_what_is_signed_verifies(kind: str, seed: bytes, message: str, chain: str) -> None:
    key = secret(seed)
    result = signed("bip322-smp", account_of(kind, key, chain), message, sign(kind, key, message))
    expect(result, "valid", "signature-verifies")
    assert result.assurance == "KEY_SIGNATURE"


@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_flipped_bit_of_a_signature_is_noticed(kind: str) -> None:
    key = secret("flip")
    account = account_of(kind, key)
    message = challenge(account)
    data = base64.b64decode(sign(kind, key, message)[3:])
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        text = "smp" + base64.b64encode(flipped).decode()
        assert signed("bip322-smp", account, message, text).verdict != "valid", bit


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(TEMPLATES), st.integers(0, 2000), st.integers(0, 6))
def test_a_flipped_bit_of_the_message_is_noticed(kind: str, at: int, bit: int) -> None:
    key = secret("flip")
    message = challenge(account_of(kind, key))
    at %= len(message)
    other = message[:at] + chr(ord(message[at]) ^ 1 << bit) + message[at + 1 :]
    result = signed("bip322-smp", account_of(kind, key), other, sign(kind, key, message))
    expect(result, "invalid", "signature-does-not-verify")


@pytest.mark.parametrize("kind", TEMPLATES)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", "ref:other"),
        ("custodian", "other-custody"),
        ("pool", "pool-b"),
        ("segregation", "dedicated"),
        ("claim", "60" * 32),
        ("until", "2026-08-08T00:00:00Z"),
    ],
)
def test_29_replayed_signature(kind: str, field: str, value: str) -> None:
    key = secret("replay")
    account = account_of(kind, key)
    other = challenge(account, **{field: value})
    signature = sign(kind, key, challenge(account))
    expect(signed("bip322-smp", account, other, signature), "invalid", "signature-does-not-verify")


@pytest.mark.parametrize("kind", TEMPLATES)
def test_another_key_does_not_sign_for_the_account(kind: str) -> None:
    account = account_of(kind, secret("owner"))
    result = signed("bip322-smp", account, "m", sign(kind, secret("thief"), "m"))
    expect(result, "invalid", "wrong-key" if kind == "p2wpkh" else "signature-does-not-verify")


def test_the_thief_s_key_beside_the_owner_s_hash() -> None:
    """The digest commits to the owner's hash and the thief signs it: only the hash of the key tells."""
    owner, thief = secret("owner"), coincurve.PrivateKey(secret("thief"))
    account = account_of("p2wpkh", owner)
    digest = p2wpkh_digest(output_of(account).program, b"m")
    forged = [thief.sign(digest, hasher=None) + b"\x01", thief.public_key.format()]
    expect(signed("bip322-smp", account, "m", text_of(forged)), "invalid", "wrong-key")
    mixed = [forged[0], coincurve.PrivateKey(owner).public_key.format()]
    expect(signed("bip322-smp", account, "m", text_of(mixed)), "invalid", "signature-does-not-verify")


def test_high_s_is_rejected_by_the_library_and_by_us() -> None:
    key = secret("high")
    account = account_of("p2wpkh", key)
    signature, public = items_of(sign("p2wpkh", key, "m"))
    r, s = scalars(signature[:-1])
    digest = p2wpkh_digest(output_of(account).program, b"m")
    high = der(r, SECP256K1_ORDER - s)
    assert ecdsa_verifies(public, digest, der(r, s))
    assert not ecdsa_verifies(public, digest, high)
    expect(signed("bip322-smp", account, "m", text_of([high + b"\x01", public])), "invalid", "high-s")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("r zero", "scalar-range"),
        ("s zero", "scalar-range"),
        ("r is the order", "scalar-range"),
        ("s is the order", "scalar-range"),
        ("padded r", "signature-der"),
        ("negative r", "signature-der"),
        ("empty r", "signature-der"),
        ("long form length", "signature-der"),
        ("trailing byte", "signature-der"),
        ("trailing byte inside", "signature-der"),
        ("not a sequence", "signature-der"),
        ("cut", "signature-der"),
        ("empty", "sighash"),
        ("no sighash", "sighash"),
        ("SIGHASH_NONE", "sighash"),
        ("SIGHASH_ALL|ANYONECANPAY", "sighash"),
    ],
)
def test_p2wpkh_signature_encodings(name: str, slug: str) -> None:
    key = secret("encodings")
    account = account_of("p2wpkh", key)
    signature, public = items_of(sign("p2wpkh", key, "m"))
    good = signature[:-1]
    r, s = scalars(good)
    tail = good[4 + good[3] :]
    variants = {
        "r zero": der(0, s),
        "s zero": der(r, 0),
        "r is the order": der(SECP256K1_ORDER, s),
        "s is the order": der(r, SECP256K1_ORDER),
        "padded r": b"\x30" + bytes([good[1] + 1]) + b"\x02" + bytes([good[3] + 1]) + b"\0" + good[4:],
        "negative r": b"\x30" + bytes([34 + len(tail)]) + b"\x02\x20" + b"\x80" + bytes(31) + tail,
        "empty r": b"\x30" + bytes([2 + len(tail)]) + b"\x02\x00" + tail,
        "long form length": b"\x30\x81" + good[1:],
        "trailing byte": good + b"\0",
        "trailing byte inside": b"\x30" + bytes([good[1] + 1]) + good[2:] + b"\0",
        "not a sequence": b"\x31" + good[1:],
        "cut": good[:-1],
    }
    raw = {
        "empty": b"",
        "no sighash": good if good[-1] != 1 else good + b"\0",
        "SIGHASH_NONE": good + b"\x02",
        "SIGHASH_ALL|ANYONECANPAY": good + b"\x81",
    }
    item = raw[name] if name in raw else variants[name] + b"\x01"
    expect(signed("bip322-smp", account, "m", text_of([item, public])), "invalid", slug)


@pytest.mark.parametrize("shape", ["none", "one", "three", "uncompressed", "hybrid", "short key"])
def test_p2wpkh_witness_shapes(shape: str) -> None:
    key = secret("shape")
    signature, public = items_of(sign("p2wpkh", key, "m"))
    whole = coincurve.PrivateKey(key).public_key.format(compressed=False)
    items = {
        "none": [],
        "one": [signature],
        "three": [b"", signature, public],
        "uncompressed": [signature, whole],
        "hybrid": [signature, bytes([6 + (whole[-1] & 1)]) + whole[1:]],
        "short key": [signature, public[:-1]],
    }[shape]
    expect(signed("bip322-smp", account_of("p2wpkh", key), "m", text_of(items)), "invalid", "witness")


def test_taproot_hash_types() -> None:
    key = secret("types")
    account = account_of("p2tr", key)
    (default,) = items_of(sign("p2tr", key, "m"))
    output_key = output_of(account).program
    tweaked = demo_wallets._taproot_key(key)

    def of_type(hash_type: int) -> bytes:
        return tweaked.sign_schnorr(p2tr_digest(output_key, b"m", hash_type), bytes(32))

    expect(signed("bip322-smp", account, "m", text_of([of_type(1) + b"\x01"])), "valid", "signature-verifies")
    expect(signed("bip322-smp", account, "m", text_of([default + b"\x01"])), "invalid", "signature-does-not-verify")
    expect(signed("bip322-smp", account, "m", text_of([of_type(1)])), "invalid", "signature-does-not-verify")
    expect(signed("bip322-smp", account, "m", text_of([default + b"\0"])), "invalid", "sighash")
    for hash_type in (2, 3, 0x81, 0x83):
        item = of_type(hash_type) + bytes([hash_type])
        expect(signed("bip322-smp", account, "m", text_of([item])), "invalid", "sighash")


def test_taproot_shapes() -> None:
    key = secret("shape")
    account = account_of("p2tr", key)
    (good,) = items_of(sign("p2tr", key, "m"))
    expect(signed("bip322-smp", account, "m", text_of([good, b"\x50"])), "inconclusive", "unknown-script")
    expect(signed("bip322-smp", account, "m", text_of([good, b"\x51", b"\xc0"])), "inconclusive", "unknown-script")
    for items in ([], [b""], [good[:-1]], [good + b"\x01\x01"]):
        expect(signed("bip322-smp", account, "m", text_of(items)), "invalid", "witness")


def test_a_taproot_key_off_the_curve_signs_nothing() -> None:
    account = MAINNET + ":" + encode_segwit("bc", 1, b"\xff" * 32)
    expect(signed("bip322-smp", account, "m", text_of([bytes(64)])), "invalid", "signature-does-not-verify")


def test_the_digest_of_one_address_is_not_another_s() -> None:
    """One key, two addresses: a signature for the P2WPKH one does not move to the P2TR one."""
    key = secret("both")
    assert signed("bip322-smp", account_of("p2tr", key), "m", sign("p2wpkh", key, "m")).verdict != "valid"
    assert signed("bip322-smp", account_of("p2wpkh", key), "m", sign("p2tr", key, "m")).verdict != "valid"


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        (lambda t: t[3:], "wrong-prefix"),
        (lambda t: "SMP" + t[3:], "wrong-prefix"),
        (lambda t: " " + t, "wrong-prefix"),
        (lambda t: "ful" + t[3:], "wrong-prefix"),
        (lambda t: "pof" + t[3:], "wrong-prefix"),
        (lambda t: "", "wrong-prefix"),
        (lambda t: "\u212a" + t, "wrong-prefix"),
        (lambda t: "smp", "signature-encoding"),
        (lambda t: "smpsmp" + t[3:], "signature-encoding"),
        (lambda t: t + "\n", "signature-encoding"),
        (lambda t: t[:20] + " " + t[20:], "signature-encoding"),
        (lambda t: t.rstrip("="), "signature-encoding"),
        (lambda t: t + "=", "signature-encoding"),
        (lambda t: t[:3] + t[3:].replace("A", "\uff21", 1), "signature-encoding"),
        (lambda t: t[:3] + "\ud800" + t[4:], "signature-encoding"),
        (lambda t: "smp" + "A" * 1_000_000, "signature-too-long"),
        (lambda t: "A" * 1_000_000, "signature-too-long"),
        (lambda t: "smp" + base64.b64encode(base64.b64decode(t[3:]) + b"\0").decode(), "witness"),
        (lambda t: "smp" + base64.b64encode(base64.b64decode(t[3:])[:-1]).decode(), "witness"),
    ],
)
def test_spellings(change: object, slug: str) -> None:
    key = secret("two")
    message = "m"
    good = sign("p2wpkh", key, message)
    while not good.endswith("="):  # so that there is padding to take away
        message += "m"
        good = sign("p2wpkh", key, message)
    account = account_of("p2wpkh", key)
    expect(signed("bip322-smp", account, message, good), "valid", "signature-verifies")
    assert callable(change)
    expect(signed("bip322-smp", account, message, change(good)), "invalid", slug)


def test_base64_with_bits_left_over() -> None:
    key = secret("bits")
    message = "m"
    good = sign("p2wpkh", key, message)
    while not good.endswith("="):
        message += "m"
        good = sign("p2wpkh", key, message)
    stem = good.rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = stem[:-1] + alphabet[alphabet.index(stem[-1]) ^ 1] + good[len(stem) :]
    assert base64.b64decode(twin[3:]) == base64.b64decode(good[3:])
    expect(signed("bip322-smp", account_of("p2wpkh", key), message, twin), "invalid", "signature-encoding")


def test_40_no_signature_script_op_true_p2wsh() -> None:
    account = MAINNET + ":" + encode_segwit("bc", 0, hashlib.sha256(b"\x51").digest())
    expect(signed("bip322-smp", account, "any", text_of([b"\x51"])), "inconclusive", "unknown-script")


def test_40_no_signature_script_nums_p2tr() -> None:
    address, witness = op_true_leaf()
    expect(signed("bip322-smp", f"{MAINNET}:{address}", "any", text_of(witness)), "inconclusive", "unknown-script")


@pytest.mark.parametrize(
    "address",
    [
        encode_check(bytes([0]) + bytes(20)),
        encode_check(bytes([5]) + bytes(20)),
        encode_segwit("bc", 0, bytes(32)),
        encode_segwit("bc", 1, bytes(2)),
        encode_segwit("bc", 2, bytes(32)),
    ],
)
def test_40_no_signature_script_other_kinds(address: str) -> None:
    signature = sign("p2wpkh", secret("x"), "m")
    expect(signed("bip322-smp", f"{MAINNET}:{address}", "m", signature), "inconclusive", "unknown-script")


@given(st.binary(max_size=200))
def test_witness_parsing_is_canonical(data: bytes) -> None:
    try:
        items = parse_witness(data)
    except SignatureFault as fault:
        assert fault.slug == "witness"
    else:
        assert encode_witness(items) == data


@pytest.mark.parametrize("head", ["fd0100", "fe01000000", "ff0100000000000000", "fd", "fdffff", "feffffffff", "ff" * 9])
def test_a_long_count_costs_nothing(head: str) -> None:
    with pytest.raises(SignatureFault):
        parse_witness(bytes.fromhex(head) + b"\x01\x00")

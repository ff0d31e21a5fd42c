"""EIP-191 by an account's own key, in 65 bytes and in EIP-2098's 64."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.scheme_checks import challenge, expect, secret, signed
from reserveproof.chains.eip191 import personal_digest
from reserveproof.chains.wallet_libraries import SECP256K1_ORDER, ecdsa_recover
from reserveproof.custodian import demo_wallets

# The examples in the documentation of eth-account and of web3's accounts.
PUBLISHED = [
    pytest.param(
        "b25c7db31feed9122727bf0939dc769a96564b2de4c4726d035b36ecf1e5b364",
        "0x5ce9454909639D2D17A3F753ce7d93fa0b9aB12E",
        "I\u2665SF",
        "0xe6ca9bba58c88611fad66a6ce8f996908195593807c4b38bd528d2cff09d4eb3"
        "3e5bfbbf4d3e39b1a2fd816a7680c19ebebaf3a141b239934ad43cb33fcec8ce1c",
        id="eth-account",
    ),
    pytest.param(
        "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
        "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23",
        "Some data",
        "0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
        "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c",
        id="web3",
    ),
]

# EIP-2098, "Test Cases": message, r, s, v, s with the parity in its top bit.
COMPACT_SECRET = bytes.fromhex("1234567890123456789012345678901234567890123456789012345678901234")
COMPACT = [
    (
        "Hello World",
        "68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b90",
        "7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064",
        "1b",
        "7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064",
    ),
    (
        "It's a small(er) world",
        "9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76",
        "139c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793",
        "1c",
        "939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793",
    ),
]


def account_of(key: bytes) -> str:
    return "eip155:1:" + demo_wallets.eip191_address(key)


def compact(signature: str) -> str:
    """The EIP-2098 form of 65 bytes."""
    data = bytes.fromhex(signature[2:])
    parity = (data[64] - 27) << 7
    return "0x" + (data[:32] + bytes([data[32] | parity]) + data[33:64]).hex()


@pytest.mark.parametrize(("key", "address", "message", "signature"), PUBLISHED)
def test_published_examples(key: str, address: str, message: str, signature: str) -> None:
    assert demo_wallets.eip191_address(bytes.fromhex(key)) == address.lower()
    assert demo_wallets.sign_eip191(bytes.fromhex(key), message) == signature
    expect(signed("eip191", f"eip155:1:{address}", message, signature), "valid", "signature-verifies")


@pytest.mark.parametrize(("message", "r", "s", "v", "parity_and_s"), COMPACT)
def test_eip2098_examples(message: str, r: str, s: str, v: str, parity_and_s: str) -> None:
    account = account_of(COMPACT_SECRET)
    assert demo_wallets.sign_eip191(COMPACT_SECRET, message) == "0x" + r + s + v
    expect(signed("eip191", account, message, "0x" + r + s + v), "valid", "signature-verifies")
    expect(signed("eip191", account, message, "0x" + r + parity_and_s), "valid", "signature-verifies")


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1), st.text(st.characters(exclude_categories=["Cs"]), max_size=330))
def test_what_is_signed_verifies_in_each_accepted_form(seed: bytes, message: str) -> None:
    key = secret(seed)
    good = demo_wallets.sign_eip191(key, message)
    low = good[:-2] + f"{int(good[-2:], 16) - 27:02x}"
    for form in (good, low, compact(good)):
        assert signed("eip191", account_of(key), message, form).assurance == "KEY_SIGNATURE"


def test_every_flipped_bit_of_a_signature_is_noticed() -> None:
    key = secret("flip")
    message = challenge(account_of(key))
    good = demo_wallets.sign_eip191(key, message)
    for form in (good, compact(good)):
        data = bytes.fromhex(form[2:])
        for bit in range(8 * len(data)):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            assert signed("eip191", account_of(key), message, "0x" + flipped.hex()).verdict == "invalid", bit


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2000), st.integers(0, 6))
def test_a_flipped_bit_of_the_message_is_noticed(at: int, bit: int) -> None:
    key = secret("flip")
    message = challenge(account_of(key))
    at %= len(message)
    other = message[:at] + chr(ord(message[at]) ^ 1 << bit) + message[at + 1 :]
    result = signed("eip191", account_of(key), other, demo_wallets.sign_eip191(key, message))
    expect(result, "invalid", "signature-does-not-verify")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", "eip155:10:0x" + "ab" * 20),
        ("custodian", "other-custody"),
        ("pool", "pool-b"),
        ("segregation", "dedicated"),
        ("claim", "60" * 32),
        ("until", "2026-08-08T00:00:00Z"),
    ],
)
def test_29_replayed_signature(field: str, value: str) -> None:
    key = secret("replay")
    account = account_of(key)
    signature = demo_wallets.sign_eip191(key, challenge(account))
    other = challenge(account, **{field: value})
    expect(signed("eip191", account, other, signature), "invalid", "signature-does-not-verify")


def test_30_unlinked_owner() -> None:
    """The owner of a contract signs; the contract's address has no key, so nobody's signature is for it."""
    owner = secret("owner")
    contract = "eip155:1:0xdac17f958d2ee523a2206206994597c13d831ec7"
    signature = demo_wallets.sign_eip191(owner, challenge(contract))
    expect(signed("eip191", contract, challenge(contract), signature), "invalid", "signature-does-not-verify")


def test_high_s_recovers_but_is_rejected() -> None:
    key = secret("high")
    data = bytes.fromhex(demo_wallets.sign_eip191(key, "m")[2:])
    s = SECP256K1_ORDER - int.from_bytes(data[32:64])
    twin = data[:32] + s.to_bytes(32) + bytes([data[64] ^ 27 ^ 28])
    assert ecdsa_recover(personal_digest(b"m"), twin[:64], twin[64] - 27) is not None
    expect(signed("eip191", account_of(key), "m", "0x" + twin.hex()), "invalid", "high-s")


@pytest.mark.parametrize("v", [v for v in range(256) if v not in (0, 1, 27, 28)])
def test_any_other_v_is_rejected(v: int) -> None:
    key = secret("v")
    good = demo_wallets.sign_eip191(key, "m")
    expect(signed("eip191", account_of(key), "m", good[:-2] + f"{v:02x}"), "invalid", "recovery-id")


@pytest.mark.parametrize("value", [0, SECP256K1_ORDER, SECP256K1_ORDER + 1, 2**256 - 1])
@pytest.mark.parametrize("which", ["r", "s"])
def test_scalars_out_of_range(which: str, value: int) -> None:
    key = secret("range")
    data = bytes.fromhex(demo_wallets.sign_eip191(key, "m")[2:])
    raw = value.to_bytes(32)
    forged = raw + data[32:] if which == "r" else data[:32] + raw + data[64:]
    expect(signed("eip191", account_of(key), "m", "0x" + forged.hex()), "invalid", "scalar-range")


def test_an_r_that_is_no_point_is_rejected() -> None:
    key = secret("point")
    data = bytes.fromhex(demo_wallets.sign_eip191(key, "m")[2:])
    forged = (5).to_bytes(32) + data[32:]  # 5 is no x coordinate on the curve
    expect(signed("eip191", account_of(key), "m", "0x" + forged.hex()), "invalid", "signature-does-not-verify")


@pytest.mark.parametrize(
    "change",
    [
        lambda t: "",
        lambda t: "0x",
        lambda t: t[2:],
        lambda t: "0X" + t[2:],
        lambda t: t.upper().replace("0X", "0x"),
        lambda t: t + "00",
        lambda t: t[:-1],
        lambda t: t + "\n",
        lambda t: t[:-1] + "\uff11",
        lambda t: t[:-1] + "\ud800",
        lambda t: "0x" + "a" * 1_000_000,
    ],
)
def test_spellings(change: object) -> None:
    key = secret("spelling")
    assert callable(change)
    text = change(demo_wallets.sign_eip191(key, "m"))
    expect(signed("eip191", account_of(key), "m", text), "invalid", "signature-encoding")


def test_the_length_in_the_digest_counts_bytes() -> None:
    key = secret("length")
    signature = demo_wallets.sign_eip191(key, "\u00e9")
    expect(signed("eip191", account_of(key), "\u00e9", signature), "valid", "signature-verifies")
    assert personal_digest("\u00e9".encode()) != personal_digest(b"e")

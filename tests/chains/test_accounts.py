"""Accounts to their one normal form: BIP-173, BIP-350, Base58Check and EIP-55."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chains.public_vectors import MAINNET, REGTEST, TESTNET
from reserveproof.chains import normalise_account
from reserveproof.chains.base58 import decode_check, encode_check
from reserveproof.chains.bech32 import CHARSET, decode_segwit, encode_segwit
from reserveproof.chains.bitcoin import NETWORKS, encode_address, output_of
from reserveproof.format.errors import MalformedError

# BIP-350, "Test vectors for v0-v16 native segregated witness addresses".
SEGWIT = {
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4": "0014751e76e8199196d454941c45d1b3a323f1433bd6",
    "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7": (
        "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"
    ),
    "BC1SW50QGDZ25J": "6002751e",
    "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs": "5210751e76e8199196d454941c45d1b3a323",
    "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy": (
        "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"
    ),
    "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c": (
        "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"
    ),
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0": (
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    ),
}

NOT_SEGWIT = {
    "human-readable part": "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
    "bech32 for v1": "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "bech32 for v2": "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
    "bech32 for v16": "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
    "bech32m for v0": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "bech32m for v0, testnet": "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
    "character": "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "version 17": "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
    "program of 1 byte": "bc1pw5dgrnzv",
    "program of 41 bytes": "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "v0 program of 16 bytes": "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "mixed case": "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
    "padding beyond 4 bits": "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "padding not zero": "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
    "no data": "bc1gmk9yu",
}

# EIP-55, "Test cases".
EIP55 = (
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)

BASE58 = (
    (MAINNET, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "p2pkh"),
    (MAINNET, "1111111111111111111114oLvT2", "p2pkh"),
    (MAINNET, "3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "p2sh"),
    (TESTNET, "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "p2pkh"),
    (REGTEST, "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", "p2sh"),
)


def chain_for(address: str) -> str:
    return MAINNET if address.lower().startswith("bc") else TESTNET


def refused(account: str, form: str = "") -> None:
    with pytest.raises(MalformedError) as caught:
        normalise_account(account, form)
    assert caught.value.reason == "account"


@pytest.mark.parametrize("address", SEGWIT)
def test_segwit_addresses(address: str) -> None:
    account = f"{chain_for(address)}:{address}"
    assert output_of(account).script.hex() == SEGWIT[address]
    normal = normalise_account(account)
    assert normal == f"{chain_for(address)}:{address.lower()}"
    network = NETWORKS[chain_for(address).removeprefix("bip122:")]
    assert f"{chain_for(address)}:{encode_address(network, output_of(normal))}" == normal


def test_a_text_beyond_the_bound_is_not_decoded() -> None:
    with pytest.raises(MalformedError):
        decode_segwit("bc", "bc1" + "q" * 88)
    with pytest.raises(MalformedError):
        decode_check("1" * 41)


def test_the_longest_program_decodes_but_makes_no_account() -> None:
    address = "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y"
    program = "751e76e8199196d454941c45d1b3a323f1433bd6"
    assert decode_segwit("bc", address) == (1, bytes.fromhex(program * 2))
    refused(f"{MAINNET}:{address}")  # 114 characters; P2WSH and P2TR fit in 104 on every network


@pytest.mark.parametrize(("chain", "address", "kind"), BASE58)
def test_base58_addresses_are_kept_exactly(chain: str, address: str, kind: str) -> None:
    account = f"{chain}:{address}"
    assert normalise_account(account) == account
    assert output_of(account).kind == kind
    assert encode_address(NETWORKS[chain.removeprefix("bip122:")], output_of(account)) == address


@pytest.mark.parametrize("address", EIP55)
def test_eip55(address: str) -> None:
    forms = {address, address.lower(), "0x" + address[2:].upper()}
    assert {normalise_account(f"eip155:1:{form}") for form in forms} == {f"eip155:1:{address.lower()}"}


def test_33_two_case_forms_are_one_account() -> None:
    lower = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
    assert normalise_account(f"{MAINNET}:{lower.upper()}") == normalise_account(f"{MAINNET}:{lower}")


@pytest.mark.parametrize("why", NOT_SEGWIT)
def test_31_undecodable_address_segwit(why: str) -> None:
    for chain in (MAINNET, TESTNET, REGTEST):
        refused(f"{chain}:{NOT_SEGWIT[why]}")


@pytest.mark.parametrize("address", [*SEGWIT, *(entry[1] for entry in BASE58)])
def test_31_undecodable_address_of_another_network(address: str) -> None:
    right = next((chain for chain, known, _ in BASE58 if known == address), None) or chain_for(address)
    twins = {TESTNET, REGTEST} if address[0] in "mn2" else {right}  # these two share base58 versions
    for chain in {MAINNET, TESTNET, REGTEST} - twins:
        refused(f"{chain}:{address}")


@pytest.mark.parametrize("address", [*SEGWIT, *(entry[1] for entry in BASE58)])
def test_31_undecodable_address_with_one_character_changed(address: str) -> None:
    chain = next((chain for chain, known, _ in BASE58 if known == address), None) or chain_for(address)
    for at in range(len(address)):
        other = "q" if address[at] not in "qQ" else "p"
        refused(f"{chain}:{address[:at]}{other.upper() if address.isupper() else other}{address[at + 1 :]}")


@pytest.mark.parametrize("address", EIP55[4:])
def test_31_undecodable_address_with_one_case_changed(address: str) -> None:
    for at in range(2, 42):
        if address[at].isalpha():
            refused(f"eip155:1:{address[:at]}{address[at].swapcase()}{address[at + 1 :]}")


@pytest.mark.parametrize(
    "account",
    [
        "",
        "ref:",
        "ref:" + "a" * 65,
        "ref:under_score",
        "ref:a:b",
        "REF:a",
        "eip155:1",
        "eip155:1:",
        "eip155::0x" + "a" * 40,
        "eip155:01:0x" + "a" * 40,
        "eip155:0:0x" + "a" * 40,
        "eip155:x:0x" + "a" * 40,
        "eip155:1:" + "a" * 40,
        "eip155:1:0X" + "a" * 40,
        "eip155:1:0x" + "a" * 39,
        "eip155:1:0x" + "a" * 41,
        "eip155:1:0x" + "g" * 40,
        "eip155:1:0x" + "a" * 40 + "\n",
        "eip155:1:0x" + "\uff11" * 40,
        "EIP155:1:0x" + "a" * 40,
        f"{MAINNET}:",
        f"{MAINNET}:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN",
        f"{MAINNET}:11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        f"{MAINNET}:{encode_check(bytes([0]) + bytes(19))}",
        f"{MAINNET}:{encode_check(bytes([0]) + bytes(21))}",
        f"{MAINNET}:{encode_check(bytes([1]) + bytes(20))}",
        "bip122:12a765e31ffd4059bada1e25190f6e98:ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9",
        "bip122:000000000019D6689C085AE165831E93:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv",
        "xxx:1:" + "a" * 98,
        "a" * 1_000_000,
    ],
)
def test_31_undecodable_address(account: str) -> None:
    refused(account)


def test_an_account_off_chain_is_kept() -> None:
    assert normalise_account("ref:Bank.Main-1", "iso4217:USD") == "ref:Bank.Main-1"


def test_an_account_stands_on_the_chain_of_its_form() -> None:
    account = "eip155:1:0x" + "a" * 40
    token = "0x" + "b" * 40
    assert normalise_account(account, f"eip155:1/erc20:{token}") == account
    refused(account, f"eip155:10/erc20:{token}")
    refused(account, "iso4217:USD")


@given(st.integers(0, 16), st.binary(min_size=2, max_size=40), st.sampled_from(("bc", "tb", "bcrt")))
def test_segwit_round_trip(version: int, program: bytes, hrp: str) -> None:
    if version == 0:
        program = program.ljust(20, b"\0")[:20]
    assert decode_segwit(hrp, encode_segwit(hrp, version, program)) == (version, program)
    assert decode_segwit(hrp, encode_segwit(hrp, version, program).upper()) == (version, program)


@given(st.binary(max_size=21))
@example(bytes(21))
def test_base58_round_trip(data: bytes) -> None:
    if data:
        assert decode_check(encode_check(data)) == data


@given(
    st.sampled_from((f"{MAINNET}:bc1", f"{TESTNET}:tb1", f"{MAINNET}:1", f"{REGTEST}:2", "eip155:1:0x", "ref:", "")),
    st.one_of(st.text(max_size=120), st.text(CHARSET, max_size=80), st.text("0123456789abcdefABCDEF", max_size=44)),
)
def test_decoders_raise_nothing_but_malformed_on_garbage(prefix: str, text: str) -> None:
    try:
        normal = normalise_account(prefix + text)
    except MalformedError as error:
        assert error.reason == "account"
    else:
        assert normalise_account(normal) == normal

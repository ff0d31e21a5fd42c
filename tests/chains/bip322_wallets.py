"""Accounts and signatures of the two templates, and the address whose coins need no signature."""

from __future__ import annotations

import base64

import coincurve

from chains.public_vectors import MAINNET
from reserveproof.chains.bech32 import encode_segwit
from reserveproof.chains.bip322 import encode_witness, parse_witness
from reserveproof.chains.bip322_transactions import tagged_hash
from reserveproof.custodian import demo_wallets

NUMS = bytes.fromhex("50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0")
"""BIP-341's point with no known discrete logarithm."""

TEMPLATES = ("p2wpkh", "p2tr")


def account_of(kind: str, key: bytes, chain: str = MAINNET) -> str:
    hrp = "bc" if chain == MAINNET else "bcrt"
    make = demo_wallets.bip322_p2wpkh_address if kind == "p2wpkh" else demo_wallets.bip322_p2tr_address
    return f"{chain}:{make(key, hrp)}"


def sign(kind: str, key: bytes, message: str) -> str:
    make = demo_wallets.sign_bip322_p2wpkh if kind == "p2wpkh" else demo_wallets.sign_bip322_p2tr
    return make(key, message)


def items_of(signature: str) -> list[bytes]:
    return parse_witness(base64.b64decode(signature[3:]))


def text_of(items: list[bytes]) -> str:
    return "smp" + base64.b64encode(encode_witness(items)).decode()


def op_true_leaf() -> tuple[str, list[bytes]]:
    """An address that nobody can sign for, and the witness with which anyone spends it: a leaf of OP_TRUE."""
    leaf = tagged_hash("TapLeaf", b"\xc0\x01\x51")
    output = coincurve.PublicKeyXOnly(NUMS)
    output.tweak_add(tagged_hash("TapTweak", NUMS + leaf))
    return encode_segwit("bc", 1, output.format()), [b"\x51", bytes([0xC0 | output.parity]) + NUMS]

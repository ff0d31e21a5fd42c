"""Differential: bip322-core runs real scripts through btclib. On the two templates both must agree; where it
accepts a script that needs no signature, ours must not."""

from __future__ import annotations

import base64
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bip322_wallets import TEMPLATES, account_of, items_of, op_true_leaf, sign, text_of
from chains.public_vectors import MAINNET
from chains.scheme_checks import secret, signed
from reserveproof.chains.bech32 import encode_segwit
from reserveproof.chains.bip322_transactions import sha256

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    bip322core = pytest.importorskip("bip322core", reason="the oracle bip322-core is not installed")

SCALARS = st.characters(exclude_categories=["Cs"])


def oracle(account: str, message: str, signature: str) -> str:
    result = bip322core.verify_message(
        account.rsplit(":", 1)[1], signature, message.encode(), allow_unprefixed=False, allow_legacy=False
    )
    return str(result.state)


def both(account: str, message: str, signature: str) -> tuple[bool, bool]:
    ours = signed("bip322-smp", account, message, signature).verdict == "valid"
    return ours, oracle(account, message, signature) == "valid"


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(TEMPLATES), st.binary(min_size=1), st.text(SCALARS, max_size=80))
def test_both_accept_what_is_signed(kind: str, seed: bytes, message: str) -> None:
    key = secret(seed)
    assert both(account_of(kind, key), message, sign(kind, key, message)) == (True, True)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(TEMPLATES),
    st.integers(0, 10**6),
    st.sampled_from(("flip", "insert", "delete", "append", "hash type")),
    st.integers(0, 255),
)
def test_both_agree_on_mutations(kind: str, at: int, how: str, value: int) -> None:
    key = secret("oracle")
    data = bytearray(base64.b64decode(sign(kind, key, "m")[3:]))
    at %= len(data)
    match how:
        case "flip":
            data[at] ^= 1 << value % 8
        case "insert":
            data.insert(at, value)
        case "delete":
            del data[at]
        case "append":
            data.append(value)
        case "hash type":
            items = items_of("smp" + base64.b64encode(data).decode())
            items[0] = items[0][:64] + bytes([value]) if kind == "p2tr" else items[0][:-1] + bytes([value])
            data = bytearray(base64.b64decode(text_of(items)[3:]))
    ours, theirs = both(account_of(kind, key), "m", "smp" + base64.b64encode(data).decode())
    assert ours == theirs


def test_both_refuse_another_message_and_another_key() -> None:
    for kind in TEMPLATES:
        signature = sign(kind, secret("a"), "m")
        assert both(account_of(kind, secret("a")), "n", signature) == (False, False)
        assert both(account_of(kind, secret("b")), "m", signature) == (False, False)


def test_40_no_signature_script_is_valid_by_the_bip_and_not_for_us() -> None:
    script = MAINNET + ":" + encode_segwit("bc", 0, sha256(b"\x51"))
    assert both(script, "anything", text_of([b"\x51"])) == (False, True)
    address, witness = op_true_leaf()
    assert both(f"{MAINNET}:{address}", "anything", text_of(witness)) == (False, True)

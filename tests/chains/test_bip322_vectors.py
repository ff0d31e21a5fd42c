"""The BIP's own vectors. Positive ones of the two templates are valid; no error vector is; the rest is
inconclusive, because no script is run here."""

from __future__ import annotations

from typing import Any

import pytest

from chains.public_vectors import MAINNET, bip322, secret_of_wif
from reserveproof.chains import ControlEvidence, ControlResult, check_control
from reserveproof.chains.bip322_transactions import message_hash, to_sign_txid, to_spend_txid
from reserveproof.chains.bitcoin import output_of
from reserveproof.custodian import demo_wallets

TEMPLATES = ("p2wpkh", "p2tr")


def check(case: dict[str, Any], signature: str) -> ControlResult:
    account = f"{MAINNET}:{case['address']}"
    return check_control(account, case["message"], ControlEvidence("bip322-smp", signature, "", "", ""))


@pytest.mark.parametrize("case", bip322("basic", "tx_hashes"))
def test_virtual_transactions_have_the_published_ids(case: dict[str, Any]) -> None:
    message = case["message"].encode()
    spent = to_spend_txid(output_of(f"{MAINNET}:{case['address']}").script, message)
    assert message_hash(message).hex() == case["message_hash"]
    assert spent[::-1].hex() == case["to_spend_tx_hash"]
    assert to_sign_txid(spent)[::-1].hex() == case["to_sign_tx_hash"]


@pytest.mark.parametrize("case", bip322("basic", "simple") + bip322("generated", "simple"))
def test_simple_signatures(case: dict[str, Any]) -> None:
    for published in case["bip322_signatures"]:
        signature = published
        if not published.startswith("smp"):  # the BIP's "No prefix fallback", which we do not take silently
            assert (check(case, published).verdict, check(case, published).reason) == ("invalid", "wrong-prefix")
            signature = "smp" + published
        result = check(case, signature)
        if case["type"] in TEMPLATES:
            assert (result.verdict, result.assurance) == ("valid", "KEY_SIGNATURE")
        else:
            assert (result.verdict, result.reason) == ("inconclusive", "unknown-script")
            assert result.assurance == "DECLARED_ONLY"


@pytest.mark.parametrize("case", bip322("basic", "simple") + bip322("generated", "simple"))
def test_our_signers_make_the_published_signatures(case: dict[str, Any]) -> None:
    if case["type"] not in TEMPLATES:
        assert case["type"].startswith("p2wsh")
        return
    secret = secret_of_wif(case["private_keys"][0])
    if case["type"] == "p2wpkh":
        assert demo_wallets.bip322_p2wpkh_address(secret, "bc") == case["address"]
        assert any(demo_wallets.sign_bip322_p2wpkh(secret, case["message"]) == s for s in case["bip322_signatures"])
    else:
        assert demo_wallets.bip322_p2tr_address(secret, "bc") == case["address"]
        assert check(case, demo_wallets.sign_bip322_p2tr(secret, case["message"])).verdict == "valid"


@pytest.mark.parametrize("case", bip322("generated", "full") + bip322("generated", "proof_of_funds"))
def test_other_formats_are_refused_by_prefix(case: dict[str, Any]) -> None:
    for signature in case["bip322_signatures"]:
        assert (check(case, signature).verdict, check(case, signature).reason) == ("invalid", "wrong-prefix")


@pytest.mark.parametrize("case", bip322("basic", "error") + bip322("generated", "error"))
def test_error_vectors_are_never_valid(case: dict[str, Any]) -> None:
    result = check(case, case["signature"])
    assert result.verdict in ("invalid", "inconclusive")
    assert result.assurance == "DECLARED_ONLY"
    if len(case["address"]) == 42 and case["signature"].startswith("smp"):
        assert result.verdict == "invalid"  # P2WPKH: judged, not left open

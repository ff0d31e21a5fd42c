"""The table of codecs and schemes: which scheme is for which account, forms, letters, and hostile evidence."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.public_vectors import MAINNET, REGTEST, TESTNET
from chains.scheme_checks import expect, secret, signed
from reserveproof import chains
from reserveproof.chains import (
    ControlEvidence,
    check_control,
    form_chain,
    native_decimals,
    normalise_form,
    schemes_for,
)
from reserveproof.chains.interfaces import AccountCodec, ControlScheme
from reserveproof.chains.registry import CODECS, SCHEMES
from reserveproof.custodian import demo_wallets
from reserveproof.format.errors import MalformedError
from reserveproof.format.vocabulary import ASSURANCE

ETHEREUM = "eip155:1:" + demo_wallets.eip191_address(secret("e"))
BITCOIN = f"{MAINNET}:" + demo_wallets.bip322_p2wpkh_address(secret("b"), "bc")
LETTER = ControlEvidence("letter", "", hashlib.sha256(b"letter").hexdigest(), "Bank of Example", "2026-06-30")
GOOD = {
    BITCOIN: demo_wallets.sign_bip322_p2wpkh(secret("b"), "m"),
    ETHEREUM: demo_wallets.sign_eip191(secret("e"), "m"),
}


def letter(**changed: str) -> ControlEvidence:
    return ControlEvidence(**{**LETTER.__dict__, **changed})


def test_everything_exported_exists() -> None:
    assert chains.__all__ == sorted(chains.__all__)
    assert all(hasattr(chains, name) for name in chains.__all__)


def test_the_table_names_what_it_holds() -> None:
    codecs: dict[str, AccountCodec] = CODECS
    schemes: dict[str, ControlScheme] = SCHEMES
    assert all(name == codec.namespace for name, codec in codecs.items())
    assert all(name == scheme.name for name, scheme in schemes.items())


def test_schemes_for() -> None:
    assert schemes_for(BITCOIN) == ("bip322-smp",)
    assert schemes_for(ETHEREUM) == ("eip191",)
    assert schemes_for("ref:bank") == ("letter",)
    assert schemes_for("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:abc") == ()


@pytest.mark.parametrize(
    ("account", "scheme"),
    [
        (BITCOIN, "eip191"),
        (BITCOIN, "letter"),
        (ETHEREUM, "bip322-smp"),
        (ETHEREUM, "letter"),
        ("ref:bank", "eip191"),
        ("ref:bank", "bip322-smp"),
        ("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:abc", "eip191"),
        ("", "letter"),
    ],
)
def test_a_scheme_for_other_accounts(account: str, scheme: str) -> None:
    expect(signed(scheme, account, "m", ""), "invalid", "scheme-not-for-account")


@pytest.mark.parametrize("scheme", ["", "bip322", "BIP322-smp", "eip1271", "\u202e", "x" * 10**6])
def test_unknown_schemes(scheme: str) -> None:
    result = check_control(BITCOIN, "m", ControlEvidence(scheme, "", "", "", ""))
    assert (result.verdict, result.reason, result.assurance) == ("unsupported", "unknown-scheme", "DECLARED_ONLY")
    assert len(result.detail) < 200
    assert "\u202e" not in result.detail


@pytest.mark.parametrize("account", [BITCOIN[:-1] + "q", ETHEREUM[:-1], "eip155:x:0x" + "a" * 40, "ref:a:b", "ref:"])
def test_31_undecodable_address_has_no_valid_evidence(account: str) -> None:
    (name,) = schemes_for(account)
    evidence = LETTER if name == "letter" else ControlEvidence(name, GOOD.get(BITCOIN, ""), "", "", "")
    expect(check_control(account, "m", evidence), "invalid", "account")


def test_a_letter() -> None:
    result = check_control("ref:bank", "m", LETTER)
    expect(result, "valid", "letter-custodian")
    assert result.assurance == "CUSTODIAN_CONFIRMATION"
    assert "not read" in result.detail
    assert result.assurance in ASSURANCE


@pytest.mark.parametrize(
    ("changed", "slug"),
    [
        ({"letter_sha256": ""}, "letter-digest"),
        ({"letter_sha256": "A" * 64}, "letter-digest"),
        ({"letter_sha256": "a" * 63}, "letter-digest"),
        ({"letter_sha256": "a" * 64 + "\n"}, "letter-digest"),
        ({"letter_sha256": hashlib.sha256(b"").hexdigest()}, "letter-digest"),
        ({"letter_issuer": ""}, "letter-issuer"),
        ({"letter_issuer": " "}, "letter-issuer"),
        ({"letter_issuer": " Bank"}, "letter-issuer"),
        ({"letter_issuer": "Bank\x1b[2J"}, "letter-issuer"),
        ({"letter_issuer": "Bank\ud800"}, "letter-issuer"),
        ({"letter_issuer": "B" * 10**6}, "letter-issuer"),
        ({"letter_date": ""}, "letter-date"),
        ({"letter_date": "2026-02-30"}, "letter-date"),
        ({"letter_date": "2026-6-30"}, "letter-date"),
        ({"letter_date": "20260630"}, "letter-date"),
        ({"letter_date": "2026-06-30T00:00:00Z"}, "letter-date"),
        ({"letter_date": "\uff12026-06-30"}, "letter-date"),
        ({"signature": "0x"}, "stray-member"),
    ],
)
def test_letters_that_name_nothing(changed: dict[str, str], slug: str) -> None:
    expect(check_control("ref:bank", "m", letter(**changed)), "invalid", slug)


def test_a_signature_with_a_letter_beside_it() -> None:
    evidence = ControlEvidence("eip191", GOOD[ETHEREUM], "a" * 64, "", "")
    expect(check_control(ETHEREUM, "m", evidence), "invalid", "stray-member")


def test_a_message_that_is_not_text() -> None:
    expect(signed("eip191", ETHEREUM, "\ud800", GOOD[ETHEREUM]), "invalid", "message")


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from((BITCOIN, ETHEREUM, "ref:bank", f"{MAINNET}:", "eip155:1:0x", "")),
    st.sampled_from((*SCHEMES, "")),
    st.one_of(
        st.text(),
        st.text("smpAQIDx/+=").map("smp".__add__),
        st.text("0123456789abcdef", min_size=126, max_size=132).map("0x".__add__),
    ),
    st.lists(st.one_of(st.just(""), st.text()), min_size=3, max_size=3),
)
def test_hostile_evidence_is_judged_not_raised(account: str, scheme: str, signature: str, rest: list[str]) -> None:
    result = check_control(account, "m", ControlEvidence(scheme, signature, *rest))
    assert result.verdict in ("invalid", "inconclusive", "unsupported") or scheme == "letter"
    assert result.reason
    assert result.detail


@pytest.mark.parametrize(
    ("form", "decimals"),
    [
        (f"{MAINNET}/slip44:0", 8),
        (f"{TESTNET}/slip44:1", 8),
        (f"{REGTEST}/slip44:1", 8),
        (f"{REGTEST}/slip44:0", 8),
        ("eip155:1/slip44:60", 18),
        ("eip155:8453/slip44:60", 18),
        ("eip155:1/slip44:0", 18),
        (f"{MAINNET}/slip44:60", 8),
        ("bip122:12a765e31ffd4059bada1e25190f6e98/slip44:2", 8),
        ("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7", None),
        ("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501", None),
        ("cosmos:cosmoshub-4/slip44:118", None),
        ("iso4217:USD", None),
    ],
)
def test_forms(form: str, decimals: int | None) -> None:
    assert normalise_form(form) == form
    assert native_decimals(form) == decimals
    assert form_chain(form) == ("" if form.startswith("iso") else form.split("/")[0])


def test_a_token_contract_is_one_form_in_every_case() -> None:
    mixed = "eip155:1/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7"
    assert normalise_form(mixed) == mixed.lower()
    assert normalise_form("eip155:1/erc20:0x" + "A" * 40) == "eip155:1/erc20:0x" + "a" * 40


@pytest.mark.parametrize(
    "form",
    [
        "",
        "iso4217:usd",
        "iso4217:USDT",
        "iso4217:USD/slip44:0",
        "ref:bank/slip44:0",
        "eip155:1",
        "eip155:1/slip44:060",
        "eip155:1/slip44:x",
        "eip155:01/slip44:60",
        "eip155:x/slip44:60",
        "eip155:1/erc20:0x" + "a" * 39,
        "eip155:1/erc20:0xdac17F958D2ee523a2206206994597C13D831ec7",
        "eip155:1/erc721:0x" + "a" * 40 + "/7",
        "bip122:000000000019D6689C085AE165831E93/slip44:0",
        "bip122:0/slip44:0",
        MAINNET + "/slip44:0\n",
        "x" * 10**6,
    ],
)
def test_38_wrong_asset_forms_that_are_none(form: str) -> None:
    assert native_decimals(form) is None
    with pytest.raises(MalformedError) as caught:
        normalise_form(form)
    assert caught.value.reason == "form"


@given(st.text(max_size=60))
def test_forms_of_garbage(text: str) -> None:
    for form in (text, "eip155:1/" + text, f"{MAINNET}/slip44:{text}"):
        try:
            normal = normalise_form(form)
        except MalformedError:
            assert native_decimals(form) is None
        else:
            assert normalise_form(normal) == normal


BASE_INSTALL = f"""
import sys
sys.modules["coincurve"] = sys.modules["sha3"] = None
from reserveproof.chains import ControlEvidence, check_control, normalise_account, normalise_form
from reserveproof.format.errors import UsageError
assert normalise_account("{BITCOIN}") == "{BITCOIN}"
assert normalise_account("{ETHEREUM}") == "{ETHEREUM}"
assert normalise_form("eip155:1/erc20:0x" + "a" * 40)
assert check_control("ref:bank", "m", ControlEvidence(*{tuple(LETTER.__dict__.values())!r})).verdict == "valid"
for account, scheme, signature in (
    ("{BITCOIN}", "bip322-smp", "{GOOD[BITCOIN]}"),
    ("{ETHEREUM}", "eip191", "{GOOD[ETHEREUM]}"),
):
    assert check_control(account, "m", ControlEvidence(scheme, "", "", "", "")).verdict == "invalid"
    try:
        check_control(account, "m", ControlEvidence(scheme, signature, "", "", ""))
    except UsageError as error:
        assert str(error) == "this check needs the wallet libraries", error
        assert ".[wallets]" in error.hint
    else:
        raise SystemExit("a signature was judged without its library")
print("fine")
"""


def test_a_base_install_decodes_and_says_what_is_missing() -> None:
    done = subprocess.run([sys.executable, "-c", BASE_INSTALL], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("fine\n", "")

"""custodian.toml: the template is one, and every departure from the rules is named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from reserveproof.custodian.config import load_config, parse_config
from reserveproof.custodian.config_template import CONFIG_TEMPLATE
from reserveproof.custodian.policy_draft import policy_toml
from reserveproof.format.errors import InputError, TransportError
from reserveproof.verifier.policy import parse_policy
from workspace_maker import CONFIG

SIGNERS = """
[[signers]]
name = "Jane \\"J\\" Doe, é"
role = "officer"
keys = ["ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"]
"""


def changed(old: str, new: str, text: str = CONFIG) -> bytes:
    assert old in text
    return text.replace(old, new, 1).encode()


def test_what_readers_could_not_verify_is_refused() -> None:
    """A policy that no client could meet is a fault of the configuration, seen before anything is signed."""
    blinded = CONFIG_TEMPLATE.replace('register = "public"', 'register = "blinded"', 1)
    with pytest.raises(InputError, match="blinded register of client-trust"):
        parse_config(blinded.encode())
    assert parse_config(blinded.replace('reserves = "register"', 'reserves = "signed"', 1).encode())
    with pytest.raises(InputError, match="no log"):
        parse_config(CONFIG_TEMPLATE.replace('publication = "digest"', 'publication = "log"', 1).encode())


def test_a_chains_own_coin_stands_under_one_form() -> None:
    """Two slip44 numbers of one chain are one balance counted twice; no verifier passes such a statement."""
    forms = 'forms = [{ form = "eip155:1/slip44:60", decimals = 18 }'
    twice = CONFIG_TEMPLATE.replace(forms, forms + ', { form = "eip155:1/slip44:61", decimals = 18 }', 1)
    assert twice != CONFIG_TEMPLATE
    with pytest.raises(InputError, match="own coin stands under two forms"):
        parse_config(twice.encode())


def test_the_template_is_a_configuration() -> None:
    config = parse_config(CONFIG_TEMPLATE.encode())
    assert config.decimals == {"BTC": 8, "ETH": 18, "USD": 2}
    assert [pool.pool for pool in config.pools] == ["client-trust"]
    assert config.statement.dispute.days == 30
    assert config.signers == ()
    assert config.pool("client-trust").min_depth == 20
    found = config.asset_of_form("iso4217:USD")
    assert found is not None and found.asset == "USD"
    assert config.asset_of_form("iso4217:EUR") is None


def test_order_in_the_file_does_not_matter() -> None:
    parts = CONFIG.split("[[assets]]")
    pools = parts[3].split("# Every legal")
    turned = parts[0] + "[[assets]]".join(["", parts[2], parts[1], pools[0]]) + "# Every legal" + pools[1]
    assert turned != CONFIG
    assert parse_config(turned.encode()) == parse_config(CONFIG.encode())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format = 1", "format = 2", "format"),
        ("format = 1", "", "members"),
        ('lei = ""', 'leh = ""', "found leh"),
        ('lei = ""', 'lei = "5493"', "custodian.lei"),
        ('lei = ""', "lei = false", "custodian.lei"),
        ('id = "example-custody"', 'id = "Example"', "custodian.id"),
        ("dispute_days = 30", "dispute_days = 30.0", "statement.dispute_days"),
        ("dispute_days = 30", "dispute_days = -1", "statement.dispute_days"),
        ("valid_days = 90", "valid_days = 0", "statement.valid_days"),
        ("decimals = 8\n", "decimals = 31\n", "decimals"),
        ('slip44:0", decimals = 8', 'slip44:0", decimals = 9', "a fact of its chain; expected 8; found 9"),
        ('slip44:60", decimals = 18', 'slip44:60", decimals = 8', "a fact of its chain"),
        ('asset = "ETH"', 'asset = "BTC"', "the asset BTC stands twice"),
        ('form = "iso4217:USD"', 'form = "eip155:1/slip44:60"', "form"),
        ('form = "iso4217:USD"', 'form = "iso4217:usd"', "form"),
        ('kind = "fiat"', 'kind = "Fiat"', "not one of the known words"),
        ("residue_bps = 0", "residue_bps = 10001", "residue_bps"),
        ("min_depth = 3", "min_depth = 49", "min_depth"),
        ('profiles = ["baseline"]', 'profiles = ["eu-mica-2"]', "profile"),
        ('profiles = ["baseline"]', 'profiles = ["baseline", "baseline"]', "stands twice"),
        ('profiles = ["baseline"]', "profiles = []", "profiles"),
        ('register = "public"', 'register = "secret"', "register"),
        ('least_assurance = "CUSTODIAN_CONFIRMATION"', 'least_assurance = "DECLARED_ONLY"', "least_assurance"),
        ('reserves = "register"', 'reserves = "auditor"', "role auditor"),
        ("officer = 1", "officer = 0", "policy.thresholds.officer"),
        ("officer = 1", "Officer = 1", "policy.thresholds"),
        ("officer = 1", "", "one role at least"),
        ("[policy.thresholds]", "[policy.thresholds", "not TOML"),
    ],
)
def test_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_config(changed(old, new))
    assert said in str(caught.value)
    assert str(caught.value).startswith("custodian.toml: ")


def test_one_form_under_two_assets_is_refused() -> None:
    with pytest.raises(InputError, match="form iso4217:USD stands twice"):
        parse_config(
            changed(
                'forms = [{ form = "eip155:1/slip44:60", decimals = 18 }]',
                'forms = [{ form = "iso4217:USD", decimals = 2 }]',
            )
        )


def test_a_token_contract_is_lower_case() -> None:
    mixed = "eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
    text = changed('{ form = "iso4217:USD", decimals = 2 }', f'{{ form = "{mixed}", decimals = 6 }}')
    with pytest.raises(InputError, match="form"):
        parse_config(text)


@pytest.mark.parametrize("data", [b"\xff", b"\xef\xbb\xbfformat = 1", b"a" * 10, b"", b"x = " + b"[" * 5000])
def test_what_is_no_toml_of_ours(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_config(data)


def test_signers() -> None:
    config = parse_config((CONFIG + SIGNERS).encode())
    assert config.signers[0].name == 'Jane "J" Doe, é'
    for wrong in (SIGNERS + SIGNERS, SIGNERS.replace("ed25519:d", "ed25519:D"), SIGNERS.replace("ed25519", "rsa")):
        with pytest.raises(InputError):
            parse_config((CONFIG + wrong).encode())
    second = SIGNERS.replace("Jane", "John")
    with pytest.raises(InputError, match=r"key ed25519:d75a.* stands twice"):
        parse_config((CONFIG + SIGNERS + second).encode())


def test_the_policy_draft_is_a_policy() -> None:
    text = policy_toml(parse_config((CONFIG + SIGNERS).encode()))
    policy = parse_policy(text.encode())
    assert policy.custodian == "example-custody"
    assert (policy.least_assurance, policy.reserves, policy.publication) == (
        "CUSTODIAN_CONFIRMATION", "register", "digest",
    )  # fmt: skip
    assert dict(policy.thresholds) == {"officer": 1}
    assert [signer.name for signer in policy.signers] == ['Jane "J" Doe, é']
    assert [asset["asset"] for asset in tomllib.loads(text)["assets"]] == ["BTC", "ETH", "USD"]


def test_a_policy_that_nobody_can_meet_is_refused() -> None:
    with pytest.raises(InputError, match="no signers"):
        policy_toml(parse_config(CONFIG.encode()))
    more = changed("officer = 1", "officer = 2", CONFIG + SIGNERS)
    with pytest.raises(InputError, match="1 signers have that role"):
        policy_toml(parse_config(more))


def test_load(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CONFIG)
    assert load_config(tmp_path / "c.toml").custodian.id == "example-custody"
    with pytest.raises(TransportError):
        load_config(tmp_path / "none.toml")
    (tmp_path / "big.toml").write_bytes(b"#" * (1 << 21))
    with pytest.raises(TransportError, match="larger than"):
        load_config(tmp_path / "big.toml")
    (tmp_path / "bad.toml").write_text("format = 3")
    with pytest.raises(InputError, match=r"bad\.toml: the file has not exactly its members"):
        load_config(tmp_path / "bad.toml")


@pytest.mark.parametrize(
    ("form", "hint"),
    [
        ("EIP155:1/slip44:60", "write it in lower case: eip155:1/slip44:60"),
        (
            "eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
            "write it in lower case: eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
        ),
        ("ISO4217:USD", ""),
        ("eip155:1/slip44", ""),
    ],
)
def test_a_form_in_the_wrong_case_is_told_the_right_one(form: str, hint: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_config(changed("iso4217:USD", form))
    assert "one spelling" in refused.value.message
    assert refused.value.hint == hint

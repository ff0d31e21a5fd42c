"""The custodian.toml of the demonstration."""

from __future__ import annotations

from .demo_world import AUDITOR, DECIMALS, ENTITY, FORMS, OFFICER, TRUST, VAULTS, signing_public

_HEAD = """\
format = 1

[custodian]
id = "demo-custody"
name = "Demo Custody (a demonstration)"
lei = ""
jurisdiction = "XX"
licence = "none: this custodian does not exist"

[statement]
client_id_hint = "the account number on your demo statement: DEMO- and six digits"
dispute_contact = "nobody@example.com"
dispute_days = 30
valid_days = 90
claim_days = 7
house_note = "Gas and the house's own coins stand apart and cover nothing."

[statement.notes]
scope = "A demonstration with made-up numbers."

[policy]
least_assurance = "CUSTODIAN_CONFIRMATION"
reserves = "auditor"
publication = "digest"
max_age_days = 30
min_interval_days = 1

[policy.thresholds]
auditor = 1
officer = 1
"""
_POOL = """
[[pools]]
pool = "{pool}"
legal_form = "{legal_form}"
law = "Example law"
trustee = "{trustee}"
model = "{model}"
term = "free"
residue_bps = {residue_bps}
profiles = ["baseline"]
register = "{register}"
min_depth = {min_depth}
"""
_KINDS = {"BTC": "native", "ETH": "native", "USD": "fiat", "USDC": "stable"}
_NAMES = {"BTC": "Bitcoin", "ETH": "Ether", "USD": "US dollar", "USDC": "USD Coin"}


def demo_config() -> bytes:
    """The file's bytes: three pools, four assets, an officer's and an auditor's key."""
    parts = [_HEAD]
    for asset, digits in DECIMALS.items():
        forms = ", ".join(f'{{ form = "{form}", decimals = {digits} }}' for form in FORMS[asset])
        parts.append(f'\n[[assets]]\nasset = "{asset}"\nkind = "{_KINDS[asset]}"\nname = "{_NAMES[asset]}"\n'
                     f"decimals = {digits}\nforms = [{forms}]\n")  # fmt: skip
    for pool, legal_form, trustee, model, register, residue in (
        (TRUST, "express_trust", "Demo Trustees", "omnibus", "public", 50),
        (ENTITY, "bankruptcy_remote_entity", "", "omnibus", "public", 0),
        (VAULTS, "statutory_trust", "Demo Trustees", "dedicated", "blinded", 0),
    ):
        parts.append(_POOL.format(pool=pool, legal_form=legal_form, trustee=trustee, model=model, register=register,
                                  residue_bps=residue, min_depth=10))  # fmt: skip
    for name, role in ((OFFICER, "officer"), (AUDITOR, "auditor")):
        parts.append(f'\n[[signers]]\nname = "{name}"\nrole = "{role}"\nkeys = ["{signing_public(name)}"]\n')
    return "".join(parts).encode("utf-8")

"""The custodian.toml that `reserveproof init` writes: a complete example to be edited."""

CONFIG_TEMPLATE = """\
# What this custodian's statements say beside the numbers. Edit it, then: reserveproof check DIR
format = 1

[custodian]
id = "example-custody"            # a-z 0-9 . - , at most 24; stands in every tree and challenge: never change it
name = "Example Custody Ltd"
lei = ""                          # ISO 17442, or empty
jurisdiction = "XX"
licence = ""

[statement]
client_id_hint = "the account number on your statements, e.g. C-000123"   # what a client types to verify
dispute_contact = "proofs@example.com"
dispute_days = 30
valid_days = 90                   # from the day of issue
claim_days = 7                    # how long wallets may take to sign
house_note = ""                   # about positions of the house, which are shown apart and never counted

# [statement.notes]               # further text that no check reads
# scope = "All client accounts of Example Custody Ltd."

# Every asset that is owed to a client. decimals: digits after the point of one whole unit, as the ledger has them.
# kind: native, stable, wrapped, liquid-staking, derivative, fiat, real-world.
# forms: what counts as the asset (CAIP-19, or iso4217:XXX), each with its own decimals. A form stands under one asset.
[[assets]]
asset = "BTC"
kind = "native"
name = "Bitcoin"
decimals = 8
forms = [{ form = "bip122:000000000019d6689c085ae165831e93/slip44:0", decimals = 8 }]

[[assets]]
asset = "ETH"
kind = "native"
name = "Ether"
decimals = 18
forms = [{ form = "eip155:1/slip44:60", decimals = 18 }]

[[assets]]
asset = "USD"
kind = "fiat"
name = "US dollar"
decimals = 2
forms = [{ form = "iso4217:USD", decimals = 2 }]

# Every legal arrangement under which clients' assets are held apart.
# legal_form: express_trust, statutory_trust, bailment, bankruptcy_remote_entity, agency_fbo, contract_only.
# model: omnibus, dedicated, mixed. term: free (on demand), or bound (staked, unbonding, lent, earn).
# residue_bps: house money the pool may hold, in 1/10,000 of its liabilities.
# register: public (positions are published and anyone can rebuild the reserves), or blinded.
# min_depth: levels of the liabilities trees at least; 2^min_depth above the number of clients hides that number.
[[pools]]
pool = "client-trust"
legal_form = "express_trust"
law = "Example law"
trustee = "Example Trustees Ltd"
model = "mixed"
term = "free"
residue_bps = 0
profiles = ["baseline"]
register = "public"
min_depth = 20

# The trust policy that readers are given by another road than the bundle: reserveproof policy DIR
# reserves: register (the reader rebuilds them), auditor (an auditor's signature stands for them), signed.
# publication: digest (the reader types the statement's digest from elsewhere), log (it stands in the log below), none.
[policy]
least_assurance = "CUSTODIAN_CONFIRMATION"
reserves = "register"
publication = "digest"
max_age_days = 100
min_interval_days = 1

[policy.thresholds]               # role = signers needed
officer = 1

# Who signs. Make a key with: reserveproof key new officer.pem
# A key is ed25519:HEX64, or p256:HEX66 (compressed), and beside one of them mldsa44:HEX2624.
# [[signers]]
# name = "Jane Example, chief financial officer"
# role = "officer"
# keys = ["ed25519:..."]

# An attestation log: every statement is an entry that is never taken back, and witnesses cosign that it only grows.
# Make its key with: reserveproof key new log.pem. Origin and key are never changed. publication = "log" asks for it.
# [log]
# origin = "example.com/attestations"
# key = "ed25519:..."
# witnesses_needed = 1
# [[log.witnesses]]               # keys: ed25519:HEX64, mldsa44:HEX2624, or both; url: where requests go
# name = "witness.example/w1"
# keys = ["ed25519:..."]
# url = "https://witness.example/"
"""

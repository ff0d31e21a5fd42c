"""Closed vocabularies that both sides of the format share."""

from __future__ import annotations

BUCKETS: dict[int, str] = {
    1: "available",
    2: "locked",
    3: "withdrawal_pending",
    4: "staked",
    5: "unbonding",
    6: "collateral",
    7: "margin",
    8: "lent",
    9: "earn",
    10: "suspense",
}
"""Bucket codes of a liability line and their names in ledgers."""

BUCKET_CODES: dict[str, int] = {name: code for code, name in BUCKETS.items()}

BOUND_BUCKETS = frozenset({4, 5, 8, 9})
"""Buckets that a free pool may not have: staked, unbonding, lent, earn."""

ASSURANCE: tuple[str, ...] = (
    "KEY_SIGNATURE",
    "SCRIPT_THRESHOLD",
    "CONTRACT_SIGNATURE",
    "DESCRIPTOR_DERIVED",
    "ONCHAIN_MOVE",
    "CUSTODIAN_CONFIRMATION",
    "DECLARED_ONLY",
)
"""Assurance classes of control, strongest first; the last never counts."""

LEGAL_FORMS = frozenset(
    {
        "express_trust",
        "statutory_trust",
        "bailment",
        "bankruptcy_remote_entity",
        "agency_fbo",
        "contract_only",
    }
)
POOL_MODELS = frozenset({"omnibus", "dedicated", "mixed"})
TERMS = frozenset({"free", "bound"})
SEGREGATION = frozenset({"omnibus", "dedicated"})
REGISTERS = frozenset({"public", "blinded"})
ASSET_KINDS = frozenset({"native", "stable", "wrapped", "liquid-staking", "derivative", "fiat", "real-world"})
OWNER_CLASSES = frozenset(
    {"house", "client", "affiliate", "issuer_reserve", "guarantee", "shortfall_cover", "unattributed"}
)
ACCOUNT_TYPES = frozenset(
    {"retail", "institutional", "affiliate", "operator", "employee", "market-maker", "suspense", "fee"}
)
RELATED_TYPES = frozenset({"affiliate", "operator", "employee", "market-maker"})
"""Account types that are tagged as related to the custodian."""
HOUSE_TYPES = frozenset({"affiliate", "operator", "fee"})
"""Account types that are the custodian's own or its group's, not clients."""
ENCUMBRANCES = frozenset(
    {
        "pledge",
        "lien",
        "rehypothecated",
        "lent",
        "staked",
        "unbonding",
        "defi",
        "frozen",
        "escrow",
        "timelock",
    }
)
THIRD_PARTY_ENCUMBRANCES = frozenset({"pledge", "lien", "rehypothecated", "lent"})
"""Encumbrances under which another party has a claim: such a quantity never counts (ENC-01)."""
METHODS = frozenset({"STATE_PROOF", "UTXO_SCAN", "BLOCK_REPLAY", "INDEX_HISTORY", "RPC_REPORTED", "QUORUM", "LETTER"})
RESULTS = ("PASS", "FAIL", "NOT_ASSESSED")
VERDICTS = ("clean", "qualified", "failing")
TREE_TRANSPARENT = 1
"""The one tree kind of version 1: sums in the clear."""

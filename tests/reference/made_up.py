"""Ids, amounts, accounts and times of the small custodian that the vectors are about. They stand for nobody's."""

from __future__ import annotations

from .conventions import H

Cell = tuple[str, str]


BITCOIN = "bip122:000000000019d6689c085ae165831e93"


BTC_FORM = f"{BITCOIN}/slip44:0"


ETH_FORM = "eip155:1/slip44:60"


USDC_FORM = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"


USDC_BASE_FORM = "eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"


VAULT_BTC = f"{BITCOIN}:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"


VAULT_BTC_2 = f"{BITCOIN}:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"


VAULT_USDC = "eip155:1:0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae"


AS_OF, ISSUED, VALID, EXPIRES = (
    "2026-06-30T00:00:00Z",
    "2026-07-03T12:00:00Z",
    "2026-10-01T00:00:00Z",
    "2026-07-07T00:00:00Z",
)


NOW = "2026-07-05T09:30:00Z"


PREVIOUS = H(b"the payload before").hex()


BEFORE = {"sequence": 6, "payload_sha256": PREVIOUS, "as_of": "2026-03-31T00:00:00Z"}


CLIENTS = {
    "alice": ("AC-1001", "K5XW633EMVZGM2LUOQQQ"),
    "bob": ("AC-1002", ""),
    "carol": ("AC-1003", "carol-2026"),
    "dave": ("AC-1004", ""),
    "erin": ("AC-1005", ""),
    "frank": ("AC-1006", ""),
    "grace": ("AC-1007", ""),
}


LEDGER: dict[Cell, dict[str, dict[int, tuple[int, int]]]] = {
    ("omni", "BTC"): {
        "alice": {1: (125_000_000, 0), 3: (5_000_000, 0)},
        "bob": {1: (60_000_000, 0)},
        "dave": {1: (1, 0)},
        "erin": {1: (73_051_422, 0), 2: (10_000_000, 0)},
        "frank": {1: (0, 0)},
    },
    ("omni", "ETH"): {
        "alice": {1: (32_123_456_789_012_345_678, 0)},
        "dave": {1: (500_000_000_000_000_000, 0)},
        "erin": {1: (7_000_000_000_000_000_001, 0)},
    },
    ("omni", "USDC"): {
        "alice": {1: (2_500_000_000, 0)},
        "bob": {1: (900_250_000, 0), 7: (0, 250_500_000)},
        "carol": {1: (12_345_678_901, 0)},
        "dave": {1: (10_000_000, 0)},
        "erin": {1: (77_700_000, 0)},
        "frank": {1: (0, 0), 10: (3, 0)},
        "grace": {1: (1_000_000_000, 0)},
    },
    ("vault", "BTC"): {"carol": {1: (2_100_000_000, 0)}, "grace": {1: (350_000_000, 0)}},
    ("vault", "USDC"): {"carol": {1: (50_000_000_000, 0)}},
    ("yield", "ETH"): {
        "alice": {4: (16_000_000_000_000_000_000, 0), 5: (1_000_000_000_000_000_000, 0)},
        "dave": {1: (0, 0)},
        "grace": {4: (48_000_000_000_000_000_000, 0)},
    },
}


MIN_DEPTH = {("omni", "USDC"): 5}


# pool, asset, account, form, quantity in the form's units, encumbered, excluded, dedicated client
POSITIONS: list[tuple[str, str, str, str, int, int, int, str]] = [
    ("omni", "BTC", "ref:subcustodian-1.btc", BTC_FORM, 270_000_000, 0, 0, ""),
    ("omni", "BTC", "ref:subcustodian-2", BTC_FORM, 40_000_000, 30_000_000, 5_000_000, ""),
    ("omni", "ETH", "ref:subcustodian-1.eth", ETH_FORM, 40_000_000_000_000_000_000, 0, 0, ""),
    ("omni", "USDC", "ref:bank-7.fbo", USDC_FORM, 16_000_000_000, 0, 0, ""),
    ("omni", "USDC", "ref:bank-7.fbo", USDC_BASE_FORM, 1_500_000_000, 0, 0, ""),
    ("omni", "USDC", "ref:bank-8.pledged", USDC_FORM, 70_000_000, 70_000_000, 0, ""),
    ("vault", "BTC", VAULT_BTC, BTC_FORM, 2_000_000_000, 0, 0, "carol"),
    ("vault", "BTC", VAULT_BTC_2, BTC_FORM, 100_000_000, 0, 0, "carol"),
    ("vault", "BTC", "ref:subcustodian-1.grace", BTC_FORM, 350_000_000, 0, 0, "grace"),
    ("vault", "USDC", VAULT_USDC, USDC_FORM, 50_000_000_000, 0, 0, "carol"),
    ("yield", "ETH", "ref:staking-desk", ETH_FORM, 65_000_000_000_000_000_000, 0, 0, ""),
]


PUBLIC = {("omni", "BTC"), ("omni", "ETH"), ("omni", "USDC")}


ASSETS = [
    {
        "asset": "BTC",
        "decimals": 8,
        "forms": [{"decimals": 8, "form": BTC_FORM}],
        "kind": "native",
        "name": "Bitcoin",
    },
    {
        "asset": "ETH",
        "decimals": 18,
        "forms": [{"decimals": 18, "form": ETH_FORM}],
        "kind": "native",
        "name": "Ether",
    },
    {
        "asset": "USDC",
        "decimals": 6,
        "forms": [{"decimals": 6, "form": USDC_FORM}, {"decimals": 6, "form": USDC_BASE_FORM}],
        "kind": "stable",
        "name": "USD Coin",
    },
]


POOLS = {
    "omni": ("express_trust", "omnibus", "free"),
    "vault": ("bankruptcy_remote_entity", "dedicated", "free"),
    "yield": ("contract_only", "omnibus", "bound"),
}


RULES = [("COV-01", "omni"), ("COV-07", "omni"), ("EVI-10", ""), ("SEG-10", "")]

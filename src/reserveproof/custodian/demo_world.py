"""The world of the demonstration: a made-up custodian, its clients, wallets and keys, all from one seed.

The keys are for anyone to compute. Never send anything to these accounts, and never sign anything else with them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..format.amounts import to_typed
from ..format.tables import ACCOUNTS_COLUMNS, CONTROL_TOTALS_COLUMNS
from ..format.times import format_time
from .csv_rows import dump_rows
from .demo_wallets import (
    bip322_p2tr_address,
    bip322_p2wpkh_address,
    eip191_address,
    sign_bip322_p2tr,
    sign_bip322_p2wpkh,
    sign_eip191,
)
from .facts import PRICE_COLUMNS
from .keys import public_text
from .ledger_rules import LEDGER_COLUMNS
from .register_input import ANCHOR_COLUMNS, REGISTER_COLUMNS

SEED = b"reserveproof demonstration, never for real funds"
BITCOIN, ETHEREUM, BASE = "bip122:000000000019d6689c085ae165831e93", "eip155:1", "eip155:8453"
FORMS = {
    "BTC": (f"{BITCOIN}/slip44:0",),
    "ETH": (f"{ETHEREUM}/slip44:60",),
    "USD": ("iso4217:USD",),
    "USDC": (
        f"{ETHEREUM}/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
        f"{BASE}/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
    ),
}
DECIMALS = {"BTC": 8, "ETH": 18, "USD": 2, "USDC": 6}
TRUST, ENTITY, VAULTS = "client-trust", "holdings-ii", "vaults"
PRICES = {"BTC": "60000", "ETH": "3000", "USD": "1", "USDC": "1"}
DEDICATED_CLIENTS = 6
CLIENTS = 60
OFFICER, AUDITOR = "Demo Officer", "Demo Auditor"
LETTER, BANK = "letter-demo-bank.txt", "ref:demo-bank-client-money"
SILENT_WALLET = "old-btc"
"""A wallet whose key nobody has any more: it does not sign, and is not counted."""


_RELATED = dict.fromkeys((20, 22, 24, 26, 28, 32), "employee") | dict.fromkeys((31, 33), "market-maker")
"""Six employees, whose sum is shown, and two market makers, whose sum would be somebody's balance."""


def secret(label: str) -> bytes:
    """The 32 secret bytes of a label: the same in every run."""
    return hashlib.sha256(SEED + b"/" + label.encode("ascii")).digest()


def amount(label: str, low: int, high: int) -> int:
    """A number from low to high that looks like one of many."""
    return low + int.from_bytes(secret(f"amount {label}")[:16], "big") % (high - low + 1)


def client_code(number: int) -> str:
    """A code as `reserveproof-verify code` makes it."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "".join(alphabet[byte % 32] for byte in secret(f"code {number}")[:20])


@dataclass(frozen=True, slots=True)
class Client:
    """A client account, with its rows: (pool, asset, bucket) to (credit, debit)."""

    id: str
    code: str
    type: str
    status: str
    rows: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)

    def credit(self, pool: str, asset: str) -> int:
        return sum(credit for (p, a, _), (credit, _debit) in self.rows.items() if (p, a) == (pool, asset))

    def debit(self, pool: str, asset: str) -> int:
        return sum(debit for (p, a, _), (_credit, debit) in self.rows.items() if (p, a) == (pool, asset))


@dataclass(frozen=True, slots=True)
class DemoWallet:
    """A wallet with its key's label. kind: wpkh, tr, eoa or bank. quantity: in the form's units."""

    label: str
    kind: str
    chain: str
    form: str
    asset: str
    pool: str
    quantity: int
    owner_class: str = "client"
    client: Client | None = None
    encumbered: int = 0
    excluded: int = 0
    function: str = "vault"

    @property
    def account(self) -> str:
        if self.kind == "bank":
            return BANK
        make = {"wpkh": bip322_p2wpkh_address, "tr": bip322_p2tr_address, "eoa": eip191_address}[self.kind]
        return f"{self.chain}:{make(secret(self.label))}"

    def sign(self, message: str) -> str:
        """What the wallet's owner puts into responses.csv."""
        make = {"wpkh": sign_bip322_p2wpkh, "tr": sign_bip322_p2tr, "eoa": sign_eip191}[self.kind]
        return make(secret(self.label), message)


def clients() -> tuple[Client, ...]:
    """Sixty clients: retail and institutional, employees and market makers, some at zero, one with a debit."""
    found = []
    for number in range(CLIENTS):
        kind = "institutional" if number < DEDICATED_CLIENTS or number % 10 == 9 else "retail"
        kind = _RELATED.get(number, kind)
        status = "dormant" if number % 20 == 17 else "active"
        client = Client(f"DEMO-{700_000 + 37 * number}", client_code(number) if number % 3 == 0 else "", kind, status)
        _fill(client, number)
        found.append(client)
    return tuple(found)


def _fill(client: Client, number: int) -> None:
    rows = client.rows
    if number < DEDICATED_CLIENTS:
        rows[VAULTS, "BTC", "available"] = (amount(f"vault btc {number}", 10**8, 40 * 10**8), 0)
        rows[VAULTS, "ETH", "available"] = (amount(f"vault eth {number}", 10**18, 500 * 10**18), 0)
        return
    if number % 12 == 11:
        rows[TRUST, "BTC", "available"] = (0, 0)
        return
    if number % 2 == 0:
        rows[TRUST, "BTC", "available"] = (amount(f"btc {number}", 10_000, 2 * 10**8), 0)
        if number % 8 == 0:
            rows[TRUST, "BTC", "withdrawal_pending"] = (amount(f"out {number}", 10_000, 10**7), 0)
        rows[TRUST, "ETH", "available"] = (amount(f"eth {number}", 10**15, 30 * 10**18), 0)
    else:
        rows[TRUST, "USDC", "available"] = (amount(f"usdc {number}", 10**6, 9_000 * 10**6), 0)
        rows[ENTITY, "USD", "available"] = (amount(f"usd {number}", 100, 5_000_000), 0)
    if number % 5 == 0:
        rows[ENTITY, "BTC", "available"] = (amount(f"entity btc {number}", 10_000, 10**8), 0)
        rows[ENTITY, "BTC", "locked"] = (amount(f"locked {number}", 0, 10**6), 0)
    if number % 3 == 0:
        rows[ENTITY, "USDC", "available"] = (amount(f"entity usdc {number}", 10**6, 50_000 * 10**6), 0)
    if number == 41:
        # Owes more than it has: shown beside what is owed to others, never taken off.
        rows[ENTITY, "USD", "margin"] = (0, 125_000)


def owed(everyone: tuple[Client, ...]) -> dict[tuple[str, str], int]:
    """Liabilities by (pool, asset)."""
    totals: dict[tuple[str, str], int] = {}
    for client in everyone:
        for (pool, asset, _), (credit, _debit) in client.rows.items():
            totals[pool, asset] = totals.get((pool, asset), 0) + credit
    return totals


def wallets(everyone: tuple[Client, ...]) -> tuple[DemoWallet, ...]:
    """The wallets: each pool's hold what is owed, a little more where the pool may, and what is encumbered apart."""
    totals = owed(everyone)
    found: list[DemoWallet] = []

    def share(pool: str, asset: str, parts: list[tuple[str, str, str, str]], extra: int = 0) -> None:
        left = totals[pool, asset] + extra
        for at, (label, kind, chain, form) in enumerate(parts):
            piece = left if at == len(parts) - 1 else left // 2
            left -= piece
            found.append(DemoWallet(label, kind, chain, form, asset, pool, piece))

    btc, eth, (usdc_eth, usdc_base) = FORMS["BTC"][0], FORMS["ETH"][0], FORMS["USDC"]
    share(TRUST, "BTC", [("trust-btc-1", "wpkh", BITCOIN, btc), ("trust-btc-2", "tr", BITCOIN, btc),
                         ("trust-btc-3", "wpkh", BITCOIN, btc)], extra=500_000)  # fmt: skip
    share(TRUST, "ETH", [("trust-eth-1", "eoa", ETHEREUM, eth), ("trust-eth-2", "eoa", ETHEREUM, eth)])
    share(TRUST, "USDC", [("trust-usdc-1", "eoa", ETHEREUM, usdc_eth), ("trust-usdc-2", "eoa", BASE, usdc_base)])
    share(ENTITY, "BTC", [("entity-btc-1", "wpkh", BITCOIN, btc), ("entity-btc-2", "tr", BITCOIN, btc)])
    share(ENTITY, "USDC", [("entity-usdc-1", "eoa", ETHEREUM, usdc_eth), ("entity-usdc-2", "eoa", BASE, usdc_base)])
    share(ENTITY, "USD", [("bank", "bank", "", FORMS["USD"][0])])
    for number, client in enumerate(everyone[:DEDICATED_CLIENTS]):
        found.append(DemoWallet(f"vault-btc-{number}", "wpkh", BITCOIN, btc, "BTC", VAULTS,
                                client.credit(VAULTS, "BTC"), client=client))  # fmt: skip
        found.append(DemoWallet(f"vault-eth-{number}", "eoa", ETHEREUM, eth, "ETH", VAULTS,
                                client.credit(VAULTS, "ETH"), client=client))  # fmt: skip
    pledged = 3 * 10**18
    found.append(DemoWallet("trust-eth-3", "eoa", ETHEREUM, eth, "ETH", TRUST, pledged, encumbered=pledged))
    found.append(DemoWallet("trust-btc-4", "wpkh", BITCOIN, btc, "BTC", TRUST, 250_000, excluded=250_000,
                            function="deposit"))  # fmt: skip
    found.append(DemoWallet(SILENT_WALLET, "wpkh", BITCOIN, btc, "BTC", TRUST, 1_000_000))
    for label, kind, chain, form, asset, quantity in (
        ("house-btc", "wpkh", BITCOIN, btc, "BTC", 5 * 10**8),
        ("house-gas", "eoa", ETHEREUM, eth, "ETH", 10**18),
    ):
        function = "gas" if label == "house-gas" else "vault"
        found.append(DemoWallet(label, kind, chain, form, asset, "", quantity, owner_class="house", function=function))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class World:
    """Everything that the custodian of the demonstration hands in. as_of: midnight of a day not long ago."""

    as_of: str
    clients: tuple[Client, ...]
    wallets: tuple[DemoWallet, ...]

    def anchor(self, chain: str) -> tuple[str, str, str]:
        """Height, hash and time of the chain's block; made up, as no chain was asked."""
        seconds = {BITCOIN: 540, ETHEREUM: 11, BASE: 1}[chain]
        instant = dt.datetime.fromisoformat(self.as_of) - dt.timedelta(seconds=seconds)
        block = hashlib.sha256(SEED + chain.encode("ascii") + self.as_of.encode("ascii")).hexdigest()
        return str({BITCOIN: 920_000, ETHEREUM: 24_000_000, BASE: 39_000_000}[chain]), block, format_time(instant)

    def ledger_csv(self) -> bytes:
        return dump_rows(LEDGER_COLUMNS, self._ledger_rows())

    def _ledger_rows(self) -> Iterator[tuple[str, ...]]:
        for client in self.clients:
            for (pool, asset, bucket), (credit, debit) in client.rows.items():
                digits = DECIMALS[asset]
                yield (client.id, pool, asset, bucket, to_typed(credit, digits), to_typed(debit, digits), client.code)

    def accounts_csv(self) -> bytes:
        related = ("employee", "market-maker")
        rows = ((c.id, c.type, c.status, "yes" if c.type in related else "no") for c in self.clients)
        return dump_rows(ACCOUNTS_COLUMNS, rows)

    def control_totals_csv(self) -> bytes:
        rows = ((p, a, to_typed(total, DECIMALS[a])) for (p, a), total in sorted(owed(self.clients).items()))
        return dump_rows(CONTROL_TOTALS_COLUMNS, rows)

    def prices_csv(self) -> bytes:
        rows = ((asset, price, "USD", self.as_of, "made up") for asset, price in PRICES.items())
        return dump_rows(PRICE_COLUMNS, rows)

    def anchors_csv(self) -> bytes:
        return dump_rows(ANCHOR_COLUMNS, ((chain, *self.anchor(chain)) for chain in (BITCOIN, ETHEREUM, BASE)))

    def register_csv(self) -> bytes:
        return dump_rows(REGISTER_COLUMNS, (self.register_row(wallet) for wallet in self.wallets))

    def register_row(self, wallet: DemoWallet) -> tuple[str, ...]:
        """The wallet's row of register.csv."""
        digits, client = DECIMALS[wallet.asset], wallet.client
        height, block, time = self.anchor(wallet.chain) if wallet.chain else ("", "", self.as_of)
        segregation = "none" if not wallet.pool else "dedicated" if client else "omnibus"
        return (
            wallet.account, wallet.form, wallet.pool, wallet.owner_class, segregation,
            client.id if client else "", client.code if client else "", wallet.function, "2024-05-01",
            to_typed(wallet.quantity, digits), height, block, time, "RPC_REPORTED" if wallet.chain else "LETTER",
            "the demonstration's own numbers",
            to_typed(wallet.encumbered, digits) if wallet.encumbered else "",
            "pledge" if wallet.encumbered else "", "no" if wallet.encumbered else "",
            to_typed(wallet.excluded, digits) if wallet.excluded else "",
            "awaiting-sweep" if wallet.excluded else "",
        )  # fmt: skip

    def letter(self) -> bytes:
        held = next(wallet.quantity for wallet in self.wallets if wallet.kind == "bank")
        return (f"Demo Bank confirms {to_typed(held, 2)} USD in the account {BANK}, titled client money, free of any "
                f"lien, as of {self.as_of}. This letter is part of a demonstration.\n").encode("ascii")  # fmt: skip


def make_world(today: dt.date) -> World:
    """The world as of midnight of the day before today."""
    as_of = format_time(dt.datetime.combine(today - dt.timedelta(days=1), dt.time(), dt.UTC))
    everyone = clients()
    return World(as_of, everyone, wallets(everyone))


def signing_seed(name: str) -> bytes:
    """The seed of a signer's Ed25519 key."""
    return secret(f"signer {name}")


def signing_public(name: str) -> str:
    return public_text(Ed25519PrivateKey.from_private_bytes(signing_seed(name)))

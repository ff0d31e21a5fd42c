"""A custodian over a generated ledger, driven by the commands: opened, its ledger taken, published.

Each pool has a bitcoin wallet and an ether wallet with real keys, and an account off chain with a letter for all else.
They hold exactly what the ledger owes.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reserveproof.custodian import demo_wallets

from . import measure
from .large_ledger import ASSETS, BOUND, POOLS, Made

SNAPSHOT = "s1"
BITCOIN, ETHEREUM = "bip122:000000000019d6689c085ae165831e93", "eip155:1"
FORMS = {
    "BTC": f"{BITCOIN}/slip44:0",
    "ETH": f"{ETHEREUM}/slip44:60",
    "USDC": f"{ETHEREUM}/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
    "USDT": f"{ETHEREUM}/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7",
    "SHIB": f"{ETHEREUM}/erc20:0x95ad61b0a150d79219dcf64e1e6cc01f0b64c4ce",
    "LINK": f"{ETHEREUM}/erc20:0x514910771af9ca656af840dff83e8264ecf986ca",
    "PEPE": f"{ETHEREUM}/erc20:0x6982508145454ce325ddbe47a25d4ec3d2311933",
    "SOL": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501",
    "XRP": "xrpl:0/slip44:144",
    "DOGE": "bip122:1a91e3dace36e2be3bf030a65679fe82/slip44:3",
    "ADA": "cip34:1-764824073/slip44:1815",
    "JPY": "iso4217:JPY",
    "AVAX": "avax:imji8papUf2EhV3le337w1vgFauqkJg-/slip44:9000",
    "LTC": "bip122:12a765e31ffd4059bada1e25190f6e98/slip44:2",
    "DOT": "polkadot:91b171bb158e2d3848fa23a9f1c25182/slip44:354",
    "ATOM": "cosmos:cosmoshub-4/slip44:118",
}
KINDS = {"JPY": "fiat", "USDC": "stable", "USDT": "stable"}
ANCHORS = {BITCOIN: (930_000, "00" * 32), ETHEREUM: (24_000_000, "ab" * 32)}
_CUSTODIAN = ("-m", "reserveproof.custodian")


@dataclass(slots=True)
class World:
    """A workspace with one snapshot. base: a folder of its own. took: what each command took, by its name."""

    base: Path
    made: Made
    took: dict[str, measure.Run] = field(default_factory=dict)
    as_of: str = ""

    @property
    def workspace(self) -> Path:
        return self.base / "custody"

    @property
    def snapshot(self) -> Path:
        return self.workspace / "snapshots" / SNAPSHOT

    @property
    def ledger_folder(self) -> Path:
        return self.snapshot / "ledger"

    @property
    def bundle(self) -> Path:
        return self.snapshot / "bundle"

    @property
    def policy(self) -> Path:
        return self.workspace / "policy.toml"

    @property
    def given(self) -> list[str | Path]:
        """The tables, as snapshot and audit take them."""
        return [
            "--ledger", self.made.ledger, "--accounts", self.made.accounts, "--control-totals",
            self.made.control_totals,
        ]  # fmt: skip

    def custodian(self, command: str, *arguments: str | Path) -> measure.Run:
        self.took[command] = measure.run([*_CUSTODIAN, *command.split(), *arguments], self.base)
        return self.took[command]

    def take(self) -> measure.Run:
        """The `snapshot` command: from the ledger to the trees on disk."""
        return self.custodian("snapshot", self.workspace, SNAPSHOT, *self.given)

    def publish(self) -> None:
        """All that comes between the trees and the published bundle. A ledger of few lines has totals of few holders,
        which qualifies its statement; from 200,000 lines on it is clean."""
        kit = self.base / "kit"
        self.custodian("challenge", self.workspace, SNAPSHOT, "--kit", kit)
        _sign_kit(kit, self.as_of[:10])
        self.custodian("challenge", self.workspace, SNAPSHOT, "--import", kit / "responses.csv")
        self.custodian("attest", self.workspace, SNAPSHOT, "--no-other-registers")
        self.custodian("sign", self.workspace, SNAPSHOT, "--key", self.base / "officer.pem")
        self.custodian("publish", self.workspace, SNAPSHOT)

    def leaves(self) -> int:
        """Leaves of all trees, as the snapshot's record counts them."""
        return sum(int(cell["leaves"]) for cell in json.loads((self.snapshot / "ledger.json").read_text())["cells"])

    def lines_of(self, client_id: str) -> list[dict[str, str]]:
        """The client's rows of the ledger, by one pass over it."""
        with self.made.ledger.open() as file:
            header = file.readline()
            return list(csv.DictReader([header, *(line for line in file if line.startswith(f"{client_id},"))]))


def opened(base: Path, made: Made) -> World:
    """A custodian whose snapshot is open, and whose register says what the ledger's totals say."""
    base.mkdir(parents=True)
    world = World(base, made)
    # The letters' days are judged by the clock.
    world.as_of = f"{dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)}T00:00:00Z"
    world.custodian("init", world.workspace)
    public_key = world.custodian("key new", base / "officer.pem").output.split()[-1]
    (world.workspace / "custodian.toml").write_text("\n".join(_config(public_key)) + "\n")
    world.custodian("policy", world.workspace)
    world.custodian("open", world.workspace, "--as-of", world.as_of, "--id", SNAPSHOT)
    with made.control_totals.open(newline="") as file:
        totals = {(row["pool"], row["asset"]): row["credit"] for row in csv.DictReader(file)}
    _write_register(world.snapshot, totals, world.as_of)
    return world


def _config(public_key: str) -> Iterator[str]:
    yield from (
        "format = 1", "[custodian]", 'id = "bench-custody"', 'name = "Bench Custody"', 'lei = ""',
        'jurisdiction = "XX"', 'licence = ""', "[statement]", 'client_id_hint = "account number"',
        'dispute_contact = "proofs@example.com"', "dispute_days = 30", "valid_days = 90", "claim_days = 7",
        'house_note = ""',
    )  # fmt: skip
    for asset, (decimals, _price) in ASSETS.items():
        yield from ("[[assets]]", f'asset = "{asset}"', f'kind = "{KINDS.get(asset, "native")}"', f'name = "{asset}"')
        yield f"decimals = {decimals}"
        yield f'forms = [{{ form = "{FORMS[asset]}", decimals = {decimals} }}]'
    for pool in POOLS:
        yield from ("[[pools]]", f'pool = "{pool}"', 'legal_form = "express_trust"', 'law = "Example law"')
        yield from ('trustee = ""', 'model = "omnibus"', f'term = "{"bound" if pool in BOUND else "free"}"')
        yield from ("residue_bps = 0", 'profiles = ["baseline"]', 'register = "public"', "min_depth = 20")
    yield from (
        "[policy]", 'least_assurance = "CUSTODIAN_CONFIRMATION"', 'reserves = "register"', 'publication = "none"',
        "max_age_days = 30", "min_interval_days = 1", "[policy.thresholds]", "officer = 1",
        "[[signers]]", 'name = "Officer"', 'role = "officer"', f'keys = ["{public_key}"]',
    )  # fmt: skip


def _wallets(pool: str) -> tuple[tuple[bytes, str], ...]:
    """(secret, account) of a pool; the account off chain has no secret."""
    bitcoin, ether = (hashlib.sha256(f"{pool} {chain}".encode()).digest() for chain in ("bitcoin", "ether"))
    return (
        (bitcoin, f"{BITCOIN}:{demo_wallets.bip322_p2wpkh_address(bitcoin)}"),
        (ether, f"{ETHEREUM}:{demo_wallets.eip191_address(ether)}"),
        (b"", f"ref:bank-{pool}"),
    )


def _write_register(snapshot: Path, totals: Mapping[tuple[str, str], str], as_of: str) -> None:
    wallets = {
        pool: {account.rpartition(":")[0]: account for _secret, account in _wallets(pool)} for pool in POOLS
    }  # by chain; off chain is "ref"
    path = snapshot / "register.csv"
    header = path.read_text().splitlines()[0]
    with path.open("w", newline="") as file:
        rows = csv.DictWriter(file, header.split(","), lineterminator="\n", restval="")
        rows.writeheader()
        for (pool, asset), held in totals.items():
            chain = FORMS[asset].split("/")[0]
            height, block = ANCHORS.get(chain, (0, ""))
            rows.writerow(
                {
                    "account": wallets[pool].get(chain, wallets[pool]["ref"]), "form": FORMS[asset], "pool": pool,
                    "owner_class": "client", "segregation": "omnibus", "function": "vault", "height": height,
                    "hash": block, "time": as_of, "quantity": held, "method": "RPC_REPORTED" if block else "LETTER",
                    "encumbered": "0", "excluded": "0",
                }
            )  # fmt: skip
    lines = ["chain,height,hash,time"] + [f"{chain},{h},{b},{as_of}" for chain, (h, b) in ANCHORS.items()]
    (snapshot / "anchors.csv").write_text("\n".join(lines) + "\n")


def _sign_kit(kit: Path, day: str) -> None:
    """Fill responses.csv in: real signatures over the kit's own messages."""
    messages = {p.read_text().split(" ")[3].rstrip(","): p.read_text() for p in (kit / "messages").glob("*.text.txt")}
    secrets = {account: secret for pool in POOLS for secret, account in _wallets(pool)}
    (kit / "letter.txt").write_text("We hold the balances named, for its clients, free of lien.\n")
    with (kit / "responses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        secret = secrets[row["account"]]
        if not secret:
            row |= {"letter_file": "letter.txt", "letter_issuer": "Example Bank", "letter_date": day}
            continue
        sign = demo_wallets.sign_bip322_p2wpkh if row["account"].startswith(BITCOIN) else demo_wallets.sign_eip191
        row |= {"profile": "text", "signature": sign(secret, messages[row["account"]])}
    with (kit / "responses.csv").open("w", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)

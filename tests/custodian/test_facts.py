"""The custodian's facts: prices, the extract read once, and what a wallet row becomes."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

import pytest

from custodian.demo_steps import NOW, WORLD, account_of
from reserveproof.custodian import challenge_step
from reserveproof.custodian.csv_rows import dump_rows
from reserveproof.custodian.demo_world import PRICES, TRUST, VAULTS
from reserveproof.custodian.extract_scan import ExtractScan, frozen_extract
from reserveproof.custodian.facts import PRICE_COLUMNS, read_prices, wallet_fact
from reserveproof.custodian.workspace import Snapshot
from reserveproof.format.errors import InputError, TransportError
from reserveproof.format.tables import ExtractRow, write_extract
from reserveproof.segregation.published_text import PublishedText

SOUND = ["BTC", "60000.5", "USD", NOW, "somewhere"]


def prices(tmp_path: Path, *rows: list[str]) -> dict[str, Fraction]:
    path = tmp_path / "prices.csv"
    path.write_bytes(dump_rows(PRICE_COLUMNS, rows))
    return read_prices(path, ["BTC", "ETH"])


def test_prices_are_exact(tmp_path: Path) -> None:
    assert prices(tmp_path, SOUND) == {"BTC": Fraction(120001, 2)}
    path = tmp_path / "demo.csv"
    path.write_bytes(WORLD.prices_csv())
    assert read_prices(path, PRICES) == {asset: Fraction(price) for asset, price in PRICES.items()}


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({0: "DOGE"}, "asset"),
        ({1: "-1"}, "price"),
        ({1: "1e3"}, "price"),
        ({2: "usd"}, "quote"),
        ({2: "EUR"}, "quote"),
        ({3: "yesterday"}, "time"),
    ],
)
def test_a_bad_price_is_named(tmp_path: Path, change: dict[int, str], column: str) -> None:
    bad = [change.get(at, value) for at, value in enumerate(["ETH", *SOUND[1:]])]
    with pytest.raises(InputError) as caught:
        prices(tmp_path, SOUND, bad)
    assert (caught.value.row, caught.value.column) == (3, column)


def test_an_asset_has_one_price(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="twice"):
        prices(tmp_path, SOUND, SOUND)


ROWS = [
    ExtractRow("a", "BTC", "CLIENT-1", "", 1, 5, 0),
    ExtractRow("a", "BTC", "CLIENT-1", "", 2, 6, 0),
    ExtractRow("a", "BTC", "CLIENT-2", "code", 1, 7, 0),
    ExtractRow("b", "ETH", "CLIENT-1", "", 1, 8, 0),
    ExtractRow("b", "ETH", "CLIENT-3", "", 1, 0, 9),
    ExtractRow("b", "ETH", "cal", "", 1, 0, 0),
]


def extract(tmp_path: Path) -> tuple[Path, bytes]:
    path = tmp_path / "extract.tsv"
    data = b"".join(write_extract(ROWS))
    path.write_bytes(data)
    return path, hashlib.sha256(data).digest()


def test_the_extract_is_read_for_own_credits_codes_and_leaves(tmp_path: Path) -> None:
    path, digest = extract(tmp_path)
    with frozen_extract(path, sha256=digest, scratch=tmp_path) as frozen:
        found = frozen.scan({"CLIENT-2"}, {"b"})
        both = frozen.scan({"CLIENT-1"})
        nobody = frozen.scan(())
    assert found.own == {("CLIENT-2", "a", "BTC"): 7, ("CLIENT-1", "b", "ETH"): 8, ("CLIENT-3", "b", "ETH"): 0,
                         ("cal", "b", "ETH"): 0}  # fmt: skip
    assert found.codes == {"CLIENT-2": "code", "CLIENT-1": "", "CLIENT-3": "", "cal": ""}
    assert found.leaves == {("a", "BTC"): 2, ("b", "ETH"): 3}
    assert both.own["CLIENT-1", "a", "BTC"] == 11
    assert (nobody.own, nobody.codes, nobody.leaves) == ({}, {}, found.leaves)
    assert [entry.name for entry in tmp_path.iterdir()] == ["extract.tsv"]


def test_clients_are_looked_for_in_what_is_published(tmp_path: Path) -> None:
    path, digest = extract(tmp_path)
    text = PublishedText([{"source": f"CLIENT-2 and {hashlib.sha1(b'CLIENT-3', usedforsecurity=False).hexdigest()}"}])
    found = ExtractScan()
    with frozen_extract(path, sha256=digest, scratch=tmp_path) as frozen:
        frozen.look_for_clients(text, found)
    assert (found.shown, found.hashed) == (["CLIENT-2 in source"], ["of CLIENT-3"])
    assert found.not_searched == 1


def test_another_extract_is_refused(tmp_path: Path) -> None:
    path, digest = extract(tmp_path)
    with pytest.raises(InputError, match="not the extract"), frozen_extract(path, sha256=bytes(32), scratch=tmp_path):
        pass
    with pytest.raises(TransportError), frozen_extract(tmp_path / "none", sha256=bytes(32), scratch=tmp_path):
        pass
    with pytest.raises(TransportError), frozen_extract(path, sha256=digest, scratch=tmp_path / "none"):
        pass


def test_wallets_are_given_in_base_units(with_ledger: Snapshot) -> None:
    rows = challenge_step.load_rows(with_ledger, with_ledger.workspace.config())
    facts = {row.account: wallet_fact(row) for row in rows}
    pledged = facts[account_of("trust-eth-3")]
    assert pledged.encumbrances == (("pledge", 3 * 10**18, "no"),)
    assert (pledged.pool, pledged.segregation, str(pledged.opened)) == (TRUST, "omnibus", "2024-05-01")
    dedicated = facts[account_of("vault-btc-1")]
    assert (dedicated.pool, dedicated.client_id) == (VAULTS, WORLD.clients[1].id)
    assert facts[account_of("house-btc")].segregation == "none"

"""register.csv and anchors.csv: what is read, and what is refused by row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from reserveproof.custodian.csv_rows import dump_rows, split_rows
from reserveproof.custodian.demo_wallets import bip322_p2wpkh_address, eip191_address
from reserveproof.custodian.register_input import (
    ANCHOR_COLUMNS,
    REGISTER_COLUMNS,
    RegisterRow,
    load_anchors,
    load_register,
    parse_anchors,
    parse_register,
)
from reserveproof.format.errors import InputError, TransportError
from reserveproof.format.statement import Asset, Form
from reserveproof.format.wallet_table import WALLETS_COLUMNS, dump_wallets, parse_wallets

MAIN = "bip122:000000000019d6689c085ae165831e93"
BTC = f"{MAIN}/slip44:0"
ETH = "eip155:1/slip44:60"
USD = "iso4217:USD"
ASSETS = (
    Asset("BTC", 8, (Form(8, BTC),), "native", "Bitcoin"),
    Asset("ETH", 9, (Form(18, ETH),), "native", "Ether"),
    Asset("USD", 2, (Form(2, USD),), "fiat", "US dollar"),
)
POOLS = {"trust": {"BTC", "ETH", "USD"}, "bare": {"BTC"}}
BTC_ACCOUNT = f"{MAIN}:{bip322_p2wpkh_address(bytes(31) + b'1')}"
ETH_ACCOUNT = f"eip155:1:{eip191_address(bytes(31) + b'2')}"
SOUND = {
    "account": BTC_ACCOUNT, "form": BTC, "pool": "trust", "owner_class": "client", "segregation": "omnibus",
    "client_id": "", "client_code": "", "function": "vault", "opened": "2024-02-29", "quantity": "1.5",
    "height": "900000", "hash": "ab" * 32, "time": "2026-06-30T23:55:00Z", "method": "UTXO_SCAN", "source": "nœud 1",
    "encumbered": "", "encumbrance": "", "counts": "", "excluded": "", "exclusion_reason": "",
}  # fmt: skip
HOUSE = {"pool": "", "owner_class": "house", "segregation": "none"}
DEDICATED = {"segregation": "dedicated", "client_id": "c-1"}


def record(**changes: str) -> list[str]:
    return list((SOUND | changes).values())


def parse(*records: list[str]) -> tuple[tuple[RegisterRow, ...], tuple[InputError, ...]]:
    return parse_register(dump_rows(REGISTER_COLUMNS, records), file="register.csv", assets=ASSETS, pools=POOLS)


def test_a_sound_row_is_read() -> None:
    shouted = "eip155:1:0x" + ETH_ACCOUNT.removeprefix("eip155:1:0x").upper()
    rows, problems = parse(record(), record(**HOUSE, account=shouted, form=ETH, quantity="2.000000001999999999"))
    assert not problems
    assert (rows[0].quantity, rows[0].asset, rows[0].height, rows[0].source) == (150_000_000, "BTC", 900_000, "nœud 1")
    assert rows[1].account == ETH_ACCOUNT
    assert not rows[1].in_pool
    assert (rows[1].down(rows[1].quantity), rows[1].up(rows[1].quantity)) == (2_000_000_001, 2_000_000_002)


def test_off_chain_has_no_block() -> None:
    fiat = {"account": "ref:bank-1", "form": USD, "height": "", "hash": "", "method": "LETTER", "quantity": "10.25"}
    rows, problems = parse(record(**fiat))
    assert not problems
    assert (rows[0].height, rows[0].hash, rows[0].quantity) == (0, "", 1025)
    assert parse(record(**(fiat | {"hash": "ab" * 32})))[1][0].column == "height"


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"account": BTC_ACCOUNT[:-1] + "x"}, "account", "checksum"),
        ({"account": BTC_ACCOUNT.replace("bc1q", "bc1Q")}, "account", "all lower or all upper"),
        ({"account": ETH_ACCOUNT}, "account", "not on the chain of the form"),
        ({"account": "ref:has space"}, "account", "neither CAIP-10 nor ref"),
        ({"account": ""}, "account", "neither CAIP-10 nor ref"),
        ({"form": "bitcoin"}, "form", "is not a form"),
        ({"form": "eip155:1/erc20:0x" + "aa" * 20}, "form", "form of no asset"),
        ({"pool": ""}, "pool", "is empty"),
        ({"pool": "other"}, "pool", "is not a pool"),
        ({"owner_class": "house"}, "pool", "stands in no pool"),
        ({"pool": "bare", "form": ETH, "account": ETH_ACCOUNT}, "pool", "does not have the asset ETH"),
        ({"owner_class": "Client"}, "owner_class", "is not one of"),
        ({"segregation": "none"}, "segregation", "is none for a wallet in a pool"),
        ({**HOUSE, "segregation": "omnibus"}, "segregation", "is not none"),
        ({"segregation": "dedicated"}, "client_id", "is one client's"),
        ({"client_id": "c-1"}, "client_id", "whose segregation is omnibus"),
        ({"client_code": "x"}, "client_code", "without a client_id"),
        ({**DEDICATED, "client_id": "é"}, "client_id", "printable ASCII"),
        ({**DEDICATED, "owner_class": "shortfall_cover"}, "segregation", "is dedicated for"),
        ({"function": "hot"}, "function", "is not one of"),
        ({"opened": "2023-02-29"}, "opened", "is not YYYY-MM-DD"),
        ({"quantity": ""}, "quantity", "write 0"),
        ({"quantity": "1,5"}, "quantity", "plain decimal"),
        ({"quantity": "-1"}, "quantity", "plain decimal"),
        ({"quantity": "1e3"}, "quantity", "plain decimal"),
        ({"quantity": "１"}, "quantity", "plain decimal"),
        ({"quantity": "0.123456789"}, "quantity", "9 digits after the point"),
        ({"quantity": "9" * 60}, "quantity", "2^127"),
        ({"height": "-1"}, "height", "is not a block height"),
        ({"height": "0900000"}, "height", "is not a block height"),
        ({"height": "9" * 17}, "height", "2^53"),
        ({"hash": "0x" + "ab" * 31}, "hash", "64 lower-case hex"),
        ({"time": "2026-06-30 23:55:00"}, "time", "is not YYYY"),
        ({"method": "GUESS"}, "method", "is not one of"),
        ({"encumbered": "0.5"}, "encumbrance", "is not one of"),
        ({"encumbered": "0.5", "encumbrance": "pledge"}, "counts", "is not one of"),
        ({"encumbrance": "pledge"}, "encumbrance", "nothing is encumbered"),
        ({"encumbered": "2", "encumbrance": "pledge", "counts": "no"}, "encumbered", "more than the quantity"),
        ({"excluded": "0.5"}, "exclusion_reason", "is not a reason"),
        ({"excluded": "0.5", "exclusion_reason": "no-control"}, "exclusion_reason", "only the attestation"),
        ({"exclusion_reason": "disputed"}, "exclusion_reason", "nothing is excluded"),
    ],
)
def test_one_bad_field_is_named(changes: dict[str, str], column: str, words: str) -> None:
    other = f"{MAIN}:{bip322_p2wpkh_address(bytes(31) + b'9')}"
    rows, problems = parse(record(), record(account=other), record(**changes))
    found = [p for p in problems if p.column == column]
    assert found, problems
    assert words in found[0].message
    assert found[0].row == 4
    assert "register.csv, row 4, column " + column in found[0].message
    assert len(rows) == 2


@pytest.mark.parametrize(
    "rows",
    [
        [{"client_code": "SECRET"}],
        [{**DEDICATED, "client_code": "SECRET" * 11}],
        [{**DEDICATED, "client_code": "SECRET "}],
        [{**DEDICATED, "client_code": "SECRET\t"}],
        [{**DEDICATED, "client_code": "SECRET" * 1000}],
        [{**DEDICATED, "client_code": "SECRET"}, {**DEDICATED, "client_code": "OTHER"}],
        [{**DEDICATED, "client_code": "OTHER"}, {**DEDICATED, "client_code": "SECRET"}],
    ],
)
def test_a_code_is_never_printed(rows: list[dict[str, str]]) -> None:
    form = {"form": f"{MAIN}/slip44:0"}
    problems = parse(*(record(**form, **changes) for changes in rows))[1]
    assert "client_code" in {problem.column for problem in problems}
    assert not [problem for problem in problems if "SECRET" in problem.message + problem.found + problem.hint]


def test_a_register_without_its_header_prints_no_code() -> None:
    data = (",".join(record(**DEDICATED, client_code="SECRET")) + "\n").encode()
    problems = parse_register(data, file="register.csv", assets=ASSETS, pools=POOLS)[1]
    assert [problem.rule for problem in problems] == ["is not the header of this file"]
    assert "SECRET" not in problems[0].message + problems[0].found
    data = dump_rows(("client_id", *REGISTER_COLUMNS[1:]), [])
    assert "client_id,form" in parse_register(data, file="r", assets=ASSETS, pools=POOLS)[1][0].found


def test_a_counting_pledge_is_left_for_the_rules() -> None:
    rows, problems = parse(record(encumbered="0.5", encumbrance="pledge", counts="yes"))
    assert not problems
    assert (rows[0].encumbered, rows[0].counts) == (50_000_000, "yes")


def test_two_spellings_of_one_position_are_refused_by_both_rows() -> None:
    rows, problems = parse(record(), record(account=f"{MAIN}:{BTC_ACCOUNT.rsplit(':', 1)[1].upper()}"))
    assert len(rows) == 2
    assert "first in row 2" in problems[0].message
    assert problems[0].row == 3


def test_house_and_client_overlap_is_left_for_the_rules() -> None:
    rows, problems = parse(record(), record(**HOUSE))
    assert not problems
    assert [row.owner_class for row in rows] == ["client", "house"]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"pool": "bare"}, "pool"),
        ({"pool": "trust", **DEDICATED}, "segregation"),
    ],
)
def test_one_account_in_two_places_is_refused_and_still_given(changes: dict[str, str], column: str) -> None:
    other = BTC.replace("slip44:0", "token:brc")
    assets = (*ASSETS, Asset("BRC", 8, (Form(8, other),), "wrapped", "Token"))
    pools = {"trust": {"BTC", "BRC"}, "bare": {"BTC", "BRC"}}
    data = dump_rows(REGISTER_COLUMNS, [record(), record(form=other, **changes)])
    rows, problems = parse_register(data, file="r", assets=assets, pools=pools)
    assert len(rows) == 2
    assert column in {problem.column for problem in problems}


def test_every_problem_is_found_and_load_raises_the_first(tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    path.write_bytes(dump_rows(REGISTER_COLUMNS, [record(method="X"), record(), record(quantity="x", function="y")]))
    with pytest.raises(InputError) as caught:
        load_register(path, assets=ASSETS, pools=POOLS)
    assert (caught.value.row, caught.value.column) == (2, "method")
    with pytest.raises(TransportError):
        load_register(tmp_path / "none.csv", assets=ASSETS, pools=POOLS)
    with pytest.raises(TransportError):
        load_register(tmp_path, assets=ASSETS, pools=POOLS)


HEADER = b"a,b\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"a,b\n", "empty"),
        (b"b,a\n1,2\n", "header"),
        (b"a,b,c\n1,2,3\n", "header"),
        (b"\xef\xbb\xbfa,b\n1,2\n", "bom"),
        (b"a,b\n1,\xff\n", "encoding"),
        (b"a,b\n1,2", "cut"),
        (b"a,b\n1,2\r\n", "line-end"),
        (b"a,b\r\n1,2\n", "line-end"),
        (b"a,b\n1,2,3\n", "fields"),
        (b"a,b\n1\n", "fields"),
        (b"a,b\n\n1,2\n", "fields"),
        (b"a,b\na,b\n", "header"),
        (b'a,b\n1,"2\n', "quote"),
        (b'a,b\n1,x"y"\n', "quote"),
        (b'a,b\n1,"x"y\n', "quote"),
        (b"a,b\n1,\x00\n", "character"),
        (b"a,b\n1,x\x0by\n", "character"),
        (b"a,b\n1, 2\n", "character"),
        (b"a,b\n1," + b"x" * 5000 + b"\n", "character"),
    ],
)
def test_a_file_that_lies_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        split_rows(data, ("a", "b"), file="f.csv")
    assert caught.value.reason == reason


def test_quotes_and_crlf_are_read() -> None:
    rows = split_rows(b'a,b\r\n"x, ""y""",\r\n', ("a", "b"), file="f.csv")
    assert rows[0].fields == {"a": 'x, "y"', "b": ""}
    assert dump_rows(("a", "b"), [['x, "y"', ""]]) == b'a,b\n"x, ""y""",\n'


def anchor(
    chain: str = "eip155:1", height: str = "7", block: str = "cd" * 32, time: str = "2026-06-30T23:59:59Z"
) -> list[str]:
    return [chain, height, block, time]


def test_anchors_ascend_by_chain(tmp_path: Path) -> None:
    path = tmp_path / "anchors.csv"
    path.write_bytes(dump_rows(ANCHOR_COLUMNS, [anchor(), anchor(chain=MAIN)]))
    assert [a.chain for a in load_anchors(path)] == [MAIN, "eip155:1"]


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        (anchor(chain="Ethereum"), "chain"),
        (anchor(height=""), "height"),
        (anchor(block="cd"), "hash"),
        (anchor(time="now"), "time"),
        (anchor(chain=MAIN), "chain"),
    ],
)
def test_a_bad_anchor_is_refused(bad: list[str], column: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_anchors(dump_rows(ANCHOR_COLUMNS, [anchor(chain=MAIN), bad]), file="anchors.csv")
    assert (caught.value.row, caught.value.column) == (3, column)


def test_the_wallet_table_comes_back() -> None:
    rows, problems = parse(
        record(), record(**HOUSE, account=ETH_ACCOUNT, form=ETH),
        record(account=ETH_ACCOUNT, form=ETH, encumbered="1", encumbrance="staked", counts="apart"),
    )  # fmt: skip
    assert not problems
    wallets = [row.wallet() for row in rows]
    data = dump_wallets(wallets)
    assert parse_wallets(data) == tuple(sorted(wallets))
    assert data.splitlines()[0].decode().split("\t") == list(WALLETS_COLUMNS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("account\tform", "form\taccount"),
        ("\tvault\t", "\tcold\t"),
        ("\t150000000\t", "\t0150000000\t"),
        ("\t150000000\t", "\t" + "9" * 39 + "\t"),
        ("2024-02-29", "2024-02-30"),
        ("\t0\t\n", "\t0\tyes\n"),
        ("\t\t0\t\n", "\t\t0\t"),
        ("\tvault", ""),
        ("bc1q", "bc1Q"),
    ],
)
def test_a_wallet_table_that_was_changed_is_refused(old: str, new: str) -> None:
    text = dump_wallets([parse(record())[0][0].wallet()]).decode()
    assert old in text
    with pytest.raises(InputError):
        parse_wallets(text.replace(old, new).encode())
    with pytest.raises(InputError):
        parse_wallets(text.encode() + text.encode().split(b"\n", 1)[1])


def test_the_page_shows_a_register_that_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "register-csv.md").read_text("utf-8")
    example = page.split("```register\n")[1].split("```")[0]
    for number in range(1, 5):
        secret = bytes(31) + bytes([number])
        address = bip322_p2wpkh_address(secret) if number % 2 else eip191_address(secret)
        example = example.replace(f"ADDRESS-{number}", address).replace(f"HASH-{number}", "ab" * 32)
    pools = {"client-trust": {"BTC", "ETH", "USD"}, "vaults": {"BTC"}}
    rows, problems = parse_register(example.encode(), file="page", assets=ASSETS, pools=pools)
    assert not problems
    assert [row.segregation for row in rows] == ["omnibus", "omnibus", "dedicated", "omnibus", "none"]
    for column in (*REGISTER_COLUMNS, *WALLETS_COLUMNS):
        assert f"`{column}`" in page or column in page.split("the header is")[1]

"""The challenge kit: what wallets are given, and what of their answers is accepted."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from reserveproof.custodian.challenge_kit import (
    RESPONSE_COLUMNS,
    RESPONSES_CSV,
    LetterDays,
    kit_files,
    merge,
    read_responses,
    standings,
)
from reserveproof.custodian.challenge_record import (
    Challenge,
    LiabilitiesRoot,
    Responses,
    challenge_json,
    dump_responses,
    freeze,
    parse_challenge,
    parse_responses,
)
from reserveproof.custodian.csv_rows import dump_rows
from reserveproof.custodian.demo_wallets import (
    bip322_p2tr_address,
    bip322_p2wpkh_address,
    eip191_address,
    sign_bip322_p2tr,
    sign_bip322_p2wpkh,
    sign_eip191,
)
from reserveproof.custodian.register_input import REGISTER_COLUMNS, parse_register
from reserveproof.format.challenge import MAX_COMPACT_CHALLENGE, MAX_TEXT_CHALLENGE
from reserveproof.format.errors import InputError, TransportError
from reserveproof.format.statement import Anchor, Asset, Form
from reserveproof.format.times import parse_time

MAIN = "bip122:000000000019d6689c085ae165831e93"
BTC, ETH, USD = f"{MAIN}/slip44:0", "eip155:1/slip44:60", "iso4217:USD"
ASSETS = {
    "BTC": Asset("BTC", 8, (Form(8, BTC),), "native", "Bitcoin"),
    "ETH": Asset("ETH", 18, (Form(18, ETH),), "native", "Ether"),
    "USD": Asset("USD", 2, (Form(2, USD),), "fiat", "US dollar"),
}
KEYS = [bytes(31) + bytes([n]) for n in range(1, 5)]
WPKH, P2TR = f"{MAIN}:{bip322_p2wpkh_address(KEYS[0])}", f"{MAIN}:{bip322_p2tr_address(KEYS[1])}"
EOA, BANK = f"eip155:1:{eip191_address(KEYS[2])}", "ref:bank-1"
HOUSE = f"eip155:1:{eip191_address(KEYS[3])}"
ANCHOR = Anchor("eip155:1", "cd" * 32, 7, "2026-06-30T23:59:59Z")
ROOT = LiabilitiesRoot("BTC", 10, "trust", bytes(32), 5)


def register(*, eoa_pool: str = "trust") -> bytes:
    def row(account: str, form: str, pool: str, block: bool = True) -> list[str]:
        client = bool(pool)
        return [account, form, pool, "client" if client else "house", "omnibus" if client else "none", "", "", "vault",
                "", "1", "7" if block else "", "cd" * 32 if block else "", "2026-06-30T23:59:59Z", "RPC_REPORTED", "",
                "", "", "", "", ""]  # fmt: skip

    return dump_rows(
        REGISTER_COLUMNS,
        [row(WPKH, BTC, "trust"), row(P2TR, BTC, "trust"), row(EOA, ETH, eoa_pool), row(BANK, USD, "trust", False),
         row(HOUSE, ETH, "")],
    )  # fmt: skip


def frozen(**changes: object) -> Challenge:
    rows, problems = parse_register(
        register(), file="r", assets=ASSETS.values(), pools={"trust": ASSETS, "bare": ASSETS}
    )
    assert not problems
    given: dict[str, object] = {
        "anchors": (ANCHOR,), "assets": ASSETS, "custodian": "acme", "lei": "", "expires": "2026-07-14T00:00:00Z",
        "snapshot_id": "s1", "liabilities": [ROOT], "rows": rows,
    }  # fmt: skip
    return freeze(**(given | changes))  # type: ignore[arg-type]


CHALLENGE = frozen()


def message(account: str, profile: str = "text") -> str:
    wallet = CHALLENGE.wallet(account)
    assert wallet
    return CHALLENGE.message(wallet, profile)


def write(folder: Path, *rows: tuple[str, ...]) -> Path:
    path = folder / RESPONSES_CSV
    path.write_bytes(dump_rows(RESPONSE_COLUMNS, rows))
    return path


def signed(account: str, profile: str = "text") -> tuple[str, ...]:
    text = message(account, profile)
    if account == EOA:
        return (EOA, "eip191", profile, sign_eip191(KEYS[2], text), "", "", "")
    signature = sign_bip322_p2wpkh(KEYS[0], text) if account == WPKH else sign_bip322_p2tr(KEYS[1], text)
    return (account, "bip322-smp", profile, signature, "", "", "")


def test_wallets_in_pools_are_challenged_and_no_others() -> None:
    assert [wallet.account for wallet in CHALLENGE.wallets] == sorted([WPKH, P2TR, EOA, BANK])
    assert parse_challenge(challenge_json(CHALLENGE)) == CHALLENGE


@pytest.mark.parametrize(
    "changes",
    [
        {"custodian": "other"},
        {"lei": "5493001KJTIIGC8Y1R12"},
        {"expires": "2026-07-15T00:00:00Z"},
        {"snapshot_id": "s2"},
        {"anchors": (dataclasses.replace(ANCHOR, height=8),)},
        {"liabilities": [dataclasses.replace(ROOT, root=bytes(31) + b"1")]},
        {"assets": ASSETS | {"BTC": dataclasses.replace(ASSETS["BTC"], decimals=9)}},
    ],
)
def test_whatever_the_claim_binds_changes_every_message(changes: dict[str, object]) -> None:
    assert frozen(**changes).claim != CHALLENGE.claim


def test_the_kit_has_both_messages_of_every_wallet_and_repeats() -> None:
    files = dict(kit_files(CHALLENGE, Responses()))
    assert files == dict(kit_files(CHALLENGE, Responses()))
    messages = {name: data for name, data in files.items() if name.startswith("messages/")}
    assert len(messages) == 8
    for name, data in messages.items():
        limit = MAX_TEXT_CHALLENGE if name.endswith(".text.txt") else MAX_COMPACT_CHALLENGE
        assert len(data) <= limit
        assert not data.endswith(b"\n")
    assert message(EOA).encode() in messages.values()
    assert message(EOA, "compact").encode() in messages.values()
    assert b"no answer yet" in files["manifest.csv"]
    assert CHALLENGE.claim.hex() in files["README.txt"].decode()
    assert HOUSE not in b"".join(files.values()).decode()


def test_the_table_as_delivered_answers_nothing(tmp_path: Path) -> None:
    path = tmp_path / RESPONSES_CSV
    path.write_bytes(dict(kit_files(CHALLENGE, Responses()))[RESPONSES_CSV])
    assert read_responses(path, CHALLENGE) == ()


@pytest.mark.parametrize("profile", ["text", "compact"])
def test_good_answers_are_accepted(tmp_path: Path, profile: str) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"we hold it")
    letter = (BANK, "letter", "text", "", "letter.pdf", "Bank One", "2026-07-01")
    rows = [signed(account, profile) for account in (WPKH, P2TR, EOA)]
    answers = read_responses(write(tmp_path, *rows, letter), CHALLENGE)
    assert [answer.why for answer in answers] == [""] * 4
    responses = merge(Responses(), answers)
    assert parse_responses(dump_responses(responses)) == responses
    assert {standing.state for standing in standings(CHALLENGE, responses)} == {"received"}
    control = responses.control(BANK)
    assert control
    assert control.letter.sha256 == hashlib.sha256(b"we hold it").digest()


def test_a_bad_answer_is_named_and_the_good_ones_are_kept(tmp_path: Path) -> None:
    wrong = (EOA, "eip191", "text", sign_eip191(KEYS[2], "another message"), "", "", "")
    answers = read_responses(write(tmp_path, signed(WPKH), wrong), CHALLENGE)
    assert [(answer.row, bool(answer.why)) for answer in answers] == [(2, False), (3, True)]
    responses = merge(Responses(), answers)
    states = {standing.wallet.account: (standing.state, standing.why) for standing in standings(CHALLENGE, responses)}
    assert states[EOA] == ("refused", "The account's key did not sign this message.")
    assert states[P2TR][0] == "missing"
    # A bad answer does not displace a good one; a good one clears the refusal.
    better = merge(responses, read_responses(write(tmp_path, signed(EOA)), CHALLENGE))
    assert not better.refused
    again = merge(better, read_responses(write(tmp_path, wrong), CHALLENGE))
    assert again == better


@pytest.mark.parametrize(("account", "profile"), [(WPKH, "compact"), (P2TR, "compact"), (EOA, "compact")])
def test_an_answer_to_the_other_profile_is_refused(tmp_path: Path, account: str, profile: str) -> None:
    row = list(signed(account))
    row[2] = profile
    (answer,) = read_responses(write(tmp_path, tuple(row)), CHALLENGE)
    assert answer.why


@pytest.mark.parametrize(
    "changes", [{"custodian": "other"}, {"snapshot_id": "s2"}, {"expires": "2026-07-15T00:00:00Z"}]
)
def test_an_answer_for_another_claim_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    (answer,) = read_responses(write(tmp_path, signed(EOA)), frozen(**changes))
    assert answer.why


def test_an_answer_does_not_follow_a_wallet_into_another_pool(tmp_path: Path) -> None:
    responses = merge(Responses(), read_responses(write(tmp_path, signed(EOA)), CHALLENGE))
    rows, _ = parse_register(
        register(eoa_pool="bare"), file="r", assets=ASSETS.values(), pools={"trust": ASSETS, "bare": ASSETS}
    )
    moved = frozen(rows=rows)
    assert moved.claim == CHALLENGE.claim
    assert next(s.state for s in standings(moved, responses) if s.wallet.account == EOA) == "refused"


@pytest.mark.parametrize(
    ("day", "taken"),
    [("2026-06-29", False), ("2026-06-30", True), ("2026-07-01", True), ("2026-07-02", True), ("2026-07-03", False)],
)
def test_a_letter_of_another_day_is_refused_and_replaces_nothing(tmp_path: Path, day: str, taken: bool) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"we hold it")
    days = LetterDays(*map(parse_time, ("2026-07-01T00:00:00Z", "2026-07-02T08:00:00Z", "2026-07-09T00:00:00Z")))
    (good,) = read_responses(write(tmp_path, LETTER), CHALLENGE, days)
    assert good.why == ""
    (answer,) = read_responses(write(tmp_path, (*LETTER[:6], day)), CHALLENGE, days)
    assert answer.why == ("" if taken else f"letter_date {day} is not a day from 2026-06-30 to 2026-07-02")
    found = merge(merge(Responses(), (good,)), (answer,)).received
    assert [control.letter.date for control in found] == [day if taken else "2026-07-01"]


LETTER = (BANK, "letter", "text", "", "letter.pdf", "Bank One", "2026-07-01")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ((HOUSE, "eip191", "text", "0x00", "", "", ""), "account"),
        (("nonsense", "eip191", "text", "0x00", "", "", ""), "account"),
        ((EOA, "bip322-smp", "text", "smp", "", "", ""), "scheme"),
        ((EOA, "", "text", "0x00", "", "", ""), "scheme"),
        ((EOA, "eip191", "TEXT", "0x00", "", "", ""), "profile"),
        ((EOA, "eip191", "text", "0x00", "letter.pdf", "", ""), "letter_file"),
        ((BANK, "letter", "text", "x", "letter.pdf", "Bank", "2026-07-01"), "signature"),
        ((*LETTER[:4], "none.pdf", "Bank", "2026-07-01"), "letter_file"),
        ((*LETTER[:4], "", "Bank", "2026-07-01"), "letter_file"),
        ((*LETTER[:4], "empty.pdf", "Bank", "2026-07-01"), "letter_file"),
        ((*LETTER[:4], "../letter.pdf", "Bank", "2026-07-01"), "letter_file"),
        ((*LETTER[:4], "/etc/hostname", "Bank", "2026-07-01"), "letter_file"),
        ((*LETTER[:4], "..", "Bank", "2026-07-01"), "letter_file"),
        ((*LETTER[:4], "link.pdf", "Bank", "2026-07-01"), "letter_file"),
        ((*LETTER[:4], "letter.pdf", "", "2026-07-01"), "letter_issuer"),
        ((*LETTER[:4], "letter.pdf", "Bank", "1 July"), "letter_date"),
    ],
)
def test_a_table_with_a_bad_row_is_refused_whole(tmp_path: Path, row: tuple[str, ...], column: str) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"we hold it")
    (tmp_path / "empty.pdf").write_bytes(b"")
    (tmp_path / "link.pdf").symlink_to(tmp_path / "letter.pdf")
    with pytest.raises(InputError) as caught:
        read_responses(write(tmp_path, signed(WPKH), row), CHALLENGE)
    assert (caught.value.row, caught.value.column) == (3, column)


def test_an_account_answers_once_in_a_file(tmp_path: Path) -> None:
    shouted = (EOA.replace("0x", "0X").upper().replace("EIP155", "eip155").replace("0X", "0x"), *signed(EOA)[1:])
    with pytest.raises(InputError, match="first in row 2"):
        read_responses(write(tmp_path, signed(EOA), shouted), CHALLENGE)
    with pytest.raises(TransportError):
        read_responses(tmp_path / "none.csv", CHALLENGE)

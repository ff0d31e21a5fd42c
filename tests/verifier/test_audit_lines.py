"""Blocks that are judged at once: whatever the fast pattern takes, the strict reader reads as the same rows."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reserveproof.format import tables
from reserveproof.format.errors import InputError
from reserveproof.format.limits import AMOUNT_BOUND
from reserveproof.format.vocabulary import BUCKETS
from reserveproof.verifier.audit_lines import AccountJudge, Judge, LedgerJudge, PreviousJudge, lines_of_block
from reserveproof.verifier.audit_tables import Layout

DECIMALS = {"BTC": 8, "ETH": 18, "JPY": 0}
NAMES = list(BUCKETS.values())
CSV = Layout("l", False, ("client_id", "pool", "asset", "bucket", "credit", "debit", "client_code"))
OTHER_CSV = Layout("l", False, ("client_code", "debit", "credit", "bucket", "asset", "pool", "client_id"))
TABS = Layout("l", True, tables.EXTRACT_COLUMNS)
FIELDS = {
    "client_id": st.sampled_from(
        ["C1", "a b", " a", "a ", "", '""', '"C1"', '"a,b"', 'a"b', "é", "x" * 128, "x" * 129]
    ),
    "client_code": st.sampled_from(["", '""', "K5XW", "a b", " a", "a ", "y" * 64, "y" * 65, '"q"', "\x7f", "a\rb"]),
    "pool": st.sampled_from(["trust-a", "t", "Trust", "", "p" * 24, "p" * 25, "-a"]),
    "asset": st.sampled_from(["BTC", "ETH", "JPY", "DOGE", "btc", ""]),
    "bucket": st.sampled_from([*NAMES, *map(str, range(12)), "01", ""]),
}
AMOUNTS = st.one_of(
    st.integers(0, AMOUNT_BOUND + 9).map(str),
    st.decimals(0, 10**20, places=8).map(str),
    st.sampled_from(
        ["0", "00", "0.0", "1.", ".5", "1e5", "-1", "+1", "1_0", "0.00000001", "0.123456789", "1" * 39, "9" * 39,
         "0" * 81, str(AMOUNT_BOUND), str(AMOUNT_BOUND - 1),
         "1." + "0" * 31, "170141183460469231731.687303715884105727"]
    ),
)  # fmt: skip
LIKELY = {
    "client_id": st.sampled_from(["C1", "a b", "x" * 128, "~", "C-2.x"]),
    "client_code": st.sampled_from(["", '""', "K5XW", "a b", "y" * 64]),
    "pool": st.sampled_from(["trust-a", "t", "p" * 24]),
    "asset": st.sampled_from(["BTC", "ETH", "JPY"]),
    "bucket": st.sampled_from([*NAMES, *map(str, range(1, 11))]),
}


def block_of(data: st.DataObject, layout: Layout, likely: bool) -> bytes:
    lines, quoted = [], data.draw(st.booleans())
    for _ in range(data.draw(st.integers(1, 4))):
        drawn = {name: data.draw((LIKELY if likely else FIELDS)[name]) for name in LIKELY}
        small = st.integers(0, 10**12).map(str)
        drawn |= {name: data.draw(small if likely else AMOUNTS) for name in ("credit", "debit")}
        quote = '"' if quoted and not layout.tabs and data.draw(st.integers(0, 5)) else ""
        lines.append(("\t" if layout.tabs else ",").join(f"{quote}{drawn[name]}{quote}" for name in layout.header))
    end = data.draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return "".join(line + end for line in lines).encode()


def check(judge: Judge, layout: Layout, block: bytes) -> bool:
    """Whether the block was plain; then the strict reader says the same, and refuses nothing."""
    plain = judge.plain(block, layout)
    if plain is not None:
        strict = list(judge.strict(io.BytesIO(block), layout, 1))
        assert (plain if judge.every_row else sorted(set(plain))) == (
            strict if judge.every_row else sorted(set(strict))
        )
    return plain is not None


@pytest.mark.parametrize("layout", [CSV, OTHER_CSV, TABS], ids=["csv", "other csv", "tabs"])
@pytest.mark.parametrize("judge", [LedgerJudge(DECIMALS), PreviousJudge()], ids=["ledger", "previous"])
@pytest.mark.parametrize("likely", [True, False])
@given(data=st.data())
def test_what_is_plain_is_what_the_strict_reader_reads(layout, judge, likely, data):
    block = block_of(data, layout, likely)
    check(judge, layout, block)
    at = data.draw(st.integers(0, len(block) - 1))
    check(
        judge,
        layout,
        block[:at] + data.draw(st.sampled_from([b"", b",", b'"', b"\n", b" ", b"0", b"\r"])) + block[at + 1 :],
    )


def test_the_usual_row_is_plain():
    """Or the fast way would be none."""
    for rows in (
        b"C1,trust-a,BTC,available,1.5,0,K5XW\n",
        b'C1,trust-a,JPY,margin,0,7,""\n',
        b'"C1","trust-a","BTC","available","1.5","0",""\r\n',
        b"C1,t,ETH,earn,0.1,0,\r\n",
    ):
        assert LedgerJudge(DECIMALS).plain(rows * 3, CSV) is not None
    assert LedgerJudge(DECIMALS).plain(b'trust-a\tBTC\tC"1\t\t10\t15\t0\n', TABS) == ['C"1\t\ttrust-a BTC\t:\t15\t0']


@pytest.mark.parametrize(
    "block",
    [b'"C1",t,BTC,earn,1,0,\n', b'"a,"",b",t,BTC,earn,1,0,\n', b'a,"",BTC,earn,1,0,"",""\n', b"C1,t,DOGE,earn,1,0,\n",
     b'C"",1,t,BTC,earn,1,0,\n', b"C1,t,BTC,earn,1,0\n", b"C1,t,BTC,earn,1,0,,\n", b"C1,t,JPY,earn,0.0,0,\n",
     b'"C1,t","BTC","earn","1","0","x"\n', b'"C1","t","BTC","earn","1","0","x,y"\n', b'"C1","t","BTC","earn","1","0"\n',
     b'"C""1","t","BTC","earn","1","0",""\n', b'"C1"",""t","BTC","earn","1","0",""\n',
     b'"C1",t,"BTC","earn","1","0",""\n', b'"C1\n","t","BTC","earn","1","0",""\n'],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_strict_reader(block):
    judge = LedgerJudge(DECIMALS)
    assert judge.plain(block, CSV) is None
    try:
        strict = list(judge.strict(io.BytesIO(block), CSV, 1))
    except InputError:
        with pytest.raises(InputError):
            lines_of_block(judge, block, CSV)
    else:
        assert lines_of_block(judge, block, CSV) == strict


@given(data=st.data())
def test_accounts(data):
    layout = data.draw(
        st.sampled_from([
            Layout("a", False, ("related_party", "client_id", "status", "account_type")),
            Layout("a", True, tables.ACCOUNTS_COLUMNS),
        ])
    )  # fmt: skip
    fields = {
        "client_id": data.draw(FIELDS["client_id"]),
        "account_type": data.draw(st.sampled_from(["retail", "market-maker", "fee", "Retail", ""])),
        "status": data.draw(st.sampled_from(["active", "closed", "activeclosed", ""])),
        "related_party": data.draw(st.sampled_from(["yes", "no", "yesno", "YES"])),
    }
    block = (("\t" if layout.tabs else ",").join(fields[column] for column in layout.header) + "\n").encode()
    check(AccountJudge(), layout, block)
    assert AccountJudge().plain(b"C1\tretail\tactive\tno\n", Layout("a", True, tables.ACCOUNTS_COLUMNS)) is not None

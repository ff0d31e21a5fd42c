"""The canonical tables: a reader takes only what the writer writes, and the documents' examples are such."""

from __future__ import annotations

import hashlib
import io
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reserveproof.custodian.ledger import import_ledger
from reserveproof.format import tables
from reserveproof.format.errors import InputError
from reserveproof.format.tables import (
    AccountRow,
    ControlTotalRow,
    ExtractRow,
    read_accounts,
    read_control_totals,
    read_extract,
    write_accounts,
    write_control_totals,
    write_extract,
)

DOCS = Path(__file__).parents[2] / "docs"
ROWS = [
    ExtractRow("a", "BTC", "ann", "", 1, 5, 0),
    ExtractRow("a", "BTC", "ann", "", 2, 0, 2**127 - 1),
    ExtractRow("a", "BTC", "ann", "", 10, 0, 0),
    ExtractRow("a", "BTC", "ann b", "K y", 1, 0, 0),
    ExtractRow("a", "ETH", "Zoe", "", 1, 1, 1),
    ExtractRow("b", "BTC", "ann", "", 1, 1, 1),
]
GOOD = b"".join(write_extract(ROWS))


def read(data: bytes) -> list[ExtractRow]:
    return list(read_extract(io.BytesIO(data), file="extract.tsv"))


def blocks(name: str) -> dict[str, bytes]:
    text = (DOCS / name).read_text(encoding="utf-8")
    return {kind: body.encode() for kind, body in re.findall(r"```([a-z-]+)\n(.*?)```", text, re.DOTALL)}


def test_the_example_of_the_specification() -> None:
    found = blocks("spec/extract.md")
    extract = found["extract"]
    assert b"".join(write_extract(read(extract))) == extract
    accounts = list(read_accounts(io.BytesIO(found["accounts"]), file="a"))
    assert b"".join(write_accounts(accounts)) == found["accounts"]
    control = list(read_control_totals(io.BytesIO(found["control-totals"]), file="c"))
    assert b"".join(write_control_totals(control)) == found["control-totals"]
    text = (DOCS / "spec/extract.md").read_text(encoding="utf-8")
    assert f"It has {len(extract)} bytes and SHA-256 `{hashlib.sha256(extract).hexdigest()}`." in text


def test_the_example_of_the_reference_gives_that_of_the_specification(tmp_path: Path) -> None:
    (tmp_path / "ledger.csv").write_bytes(blocks("reference/ledger.md")["ledger"])
    (tmp_path / "out").mkdir()
    import_ledger(
        [tmp_path / "ledger.csv"],
        pools=frozenset({"trust-a", "staking-trust"}),
        decimals={"BTC": 8, "ETH": 18},
        out_dir=tmp_path / "out",
        scratch=tmp_path,
    )
    assert (tmp_path / "out" / "extract.tsv").read_bytes() == blocks("spec/extract.md")["extract"]


def test_round_trip() -> None:
    assert read(GOOD) == ROWS
    accounts = [AccountRow("a", "retail", "active", False), AccountRow("b", "operator", "closed", True)]
    data = b"".join(write_accounts(accounts))
    assert list(read_accounts(io.BytesIO(data), file="a")) == accounts
    totals = [ControlTotalRow("a", "BTC", 0), ControlTotalRow("a", "ETH", 2**127 - 1)]
    data = b"".join(write_control_totals(totals))
    assert list(read_control_totals(io.BytesIO(data), file="c")) == totals


MUTATIONS = {
    "empty_file": (b"", 1, "not the header"),
    "header_alone": (GOOD[: GOOD.index(b"\n") + 1], 0, "no row"),
    "other_header": (GOOD.replace(b"credit\tdebit", b"debit\tcredit"), 1, "not the header"),
    "bom": (b"\xef\xbb\xbf" + GOOD, 1, "not the header"),
    "cut": (GOOD[:-1], 7, "does not end with a newline"),
    "crlf": (GOOD.replace(b"\n", b"\r\n"), 1, "not the header"),
    "carriage_return": (GOOD[:-1] + b"\r\n", 7, "not a whole number"),
    "empty_line": (GOOD + b"\n", 8, "has 1 fields"),
    "few_fields": (GOOD + b"b\tBTC\tbob\t\t1\t0\n", 8, "has 6 fields"),
    "many_fields": (GOOD + b"b\tBTC\tbob\t\t1\t0\t0\t\n", 8, "has 8 fields"),
    "long_line": (GOOD + b"b\tBTC\t" + b"x" * 10**6, 8, "too long"),
    "long_id": (GOOD + b"b\tBTC\t" + b"x" * 129 + b"\t\t1\t0\t0\n", 8, "1 to 128"),
    "swapped": (b"".join([*GOOD.splitlines(True)[:2], *reversed(GOOD.splitlines(True)[2:4])]), 4, "ascending"),
    "buckets_as_text": (GOOD.replace(b"\t2\t0\t1", b"\t10\t0\t1"), 4, "twice"),
    "twice": (GOOD + GOOD.splitlines(True)[-1], 8, "twice"),
    "bucket_eleven": (GOOD + b"b\tBTC\tbob\t\t11\t0\t0\n", 8, "bucket code"),
    "bucket_zero": (GOOD + b"b\tBTC\tbob\t\t0\t0\t0\n", 8, "bucket code"),
    "bucket_name": (GOOD + b"b\tBTC\tbob\t\tavailable\t0\t0\n", 8, "bucket code"),
    "leading_zero": (GOOD + b"b\tBTC\tbob\t\t1\t01\t0\n", 8, "whole number"),
    "negative": (GOOD + b"b\tBTC\tbob\t\t1\t-1\t0\n", 8, "whole number"),
    "point": (GOOD + b"b\tBTC\tbob\t\t1\t1.0\t0\n", 8, "whole number"),
    "bound": (GOOD + b"b\tBTC\tbob\t\t1\t%d\t0\n" % 2**127, 8, "below 2^127"),
    "debit_bound": (GOOD + b"b\tBTC\tbob\t\t1\t0\t%d\n" % 2**127, 8, "below 2^127"),
    "forty_digits": (GOOD + b"b\tBTC\tbob\t\t1\t" + b"1" * 40 + b"\t0\n", 8, "whole number"),
    "huge_digits": (GOOD + b"b\tBTC\tbob\t\t1\t" + b"1" * 400 + b"\t0\n", 8, "whole number"),
    "non_ascii": (GOOD + "b\tBTC\tböb\t\t1\t0\t0\n".encode(), 8, "printable ASCII"),
    "invalid_utf8": (GOOD + b"b\tBTC\tb\xffb\t\t1\t0\t0\n", 8, "printable ASCII"),
    "full_width": (GOOD + "b\tBTC\tbob\t\t1\t１\t0\n".encode(), 8, "whole number"),
    "nul": (GOOD + b"b\tBTC\tb\0b\t\t1\t0\t0\n", 8, "printable ASCII"),
    "outer_space": (GOOD + b"b\tBTC\tbob \t\t1\t0\t0\n", 8, "outer space"),
    "pool": (GOOD + b"B\tBTC\tbob\t\t1\t0\t0\n", 8, "pool name"),
    "asset": (GOOD + b"b\tbtc\tbob\t\t1\t0\t0\n", 8, "asset id"),
    "two_codes": (GOOD + b"b\tBTC\tann\tX\t2\t0\t0\n", 8, "same client"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_a_reader_refuses(name: str) -> None:
    data, row, words = MUTATIONS[name]
    with pytest.raises(InputError) as caught:
        read(data)
    assert caught.value.row == row
    assert words in caught.value.rule


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_reader_takes_only_what_the_writer_writes(at: int, value: int) -> None:
    data = GOOD[:at] + bytes([value]) + GOOD[at + 1 :]
    try:
        rows = read(data)
    except InputError:
        return
    assert b"".join(write_extract(rows)) == data


@given(st.binary(max_size=200))
def test_a_reader_survives_anything(data: bytes) -> None:
    for given_data in (data, GOOD + data):
        try:
            rows = read(given_data)
        except InputError:
            continue
        assert b"".join(write_extract(rows)) == given_data


@pytest.mark.parametrize(
    "row",
    [
        ExtractRow("A", "BTC", "c", "", 1, 0, 0),
        ExtractRow("a", "BTC", "c\t", "", 1, 0, 0),
        ExtractRow("a", "BTC", "c\n", "", 1, 0, 0),
        ExtractRow("a", "BTC", "c", "", 0, 0, 0),
        ExtractRow("a", "BTC", "c", "", 1, -1, 0),
        ExtractRow("a", "BTC", "c", "", 1, 2**127, 0),
        ExtractRow("a", "BTC", "ü", "", 1, 0, 0),
        ExtractRow("a", "BTC", "x\t\t1\t0\t0\na\tBTC\ty", "", 1, 0, 0),
        ExtractRow("a", "BTC", "c" * 600, "", 1, 0, 0),
    ],
)
def test_a_writer_refuses_what_a_reader_would(row: ExtractRow) -> None:
    with pytest.raises(InputError):
        list(write_extract([row]))


def test_a_writer_refuses_order_and_nothing() -> None:
    for rows in (list(reversed(ROWS)), [ROWS[0], ROWS[0]], []):
        with pytest.raises(InputError):
            list(write_extract(rows))
    with pytest.raises(InputError):
        list(write_accounts([AccountRow("a", "person", "active", False)]))
    with pytest.raises(InputError):
        list(write_accounts([AccountRow("b", "retail", "active", False), AccountRow("a", "retail", "active", False)]))
    with pytest.raises(InputError):
        list(write_control_totals([ControlTotalRow("a", "BTC", 2**127)]))
    with pytest.raises(InputError):
        list(write_control_totals([ControlTotalRow("a", "BTC", 1), ControlTotalRow("a", "BTC", 1)]))


def test_rows_are_streamed() -> None:
    """A row is out before the next is asked for, in both directions."""
    asked = 0

    def rows() -> Iterator[ExtractRow]:
        nonlocal asked
        for at in range(1000):
            asked += 1
            yield ExtractRow("a", "BTC", f"c{at:06}", "", 1, at, 0)

    lines = write_extract(rows())
    next(lines)
    next(lines)
    assert asked <= 2

    class Counting(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            assert size == tables.MAX_TABLE_LINE
            return super().readline(size)

    data = b"".join(write_extract(rows()))
    stream = Counting(data)
    next(read_extract(stream, file="e"))
    assert stream.tell() < 200
    assert len(read(data)) == 1000
    shuffled = data.splitlines(True)[1:]
    random.Random(1).shuffle(shuffled)  # noqa: S311 - test data
    with pytest.raises(InputError, match="ascending"):
        read(data.splitlines(True)[0] + b"".join(shuffled))

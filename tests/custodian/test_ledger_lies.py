"""Attack 46: a CSV that lies is refused whole, with the row named, and nothing is left behind."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reserveproof.custodian.ledger import LedgerSummary, check_ledger, import_ledger
from reserveproof.format.errors import InputError, TransportError, UsageError

POOLS = frozenset({"trust-a", "trust-b"})
DECIMALS = {"BTC": 8, "ETH": 18, "JPY": 0}
HEAD = b"client_id,pool,asset,bucket,credit,debit,client_code\n"
GOOD = b"alice,trust-a,BTC,available,1.5,0,CODE1\n"
OTHER = b"bob,trust-a,BTC,available,2,0,\n"


class Place:
    def __init__(self, root: Path) -> None:
        self.root, self.out, self.scratch = root, root / "out", root / "scratch"
        self.out.mkdir()
        self.scratch.mkdir()

    def put(self, data: bytes, name: str = "ledger.csv") -> Path:
        path = self.root / name
        path.write_bytes(data)
        return path

    def run(self, *sources: Path, **more: Path) -> LedgerSummary:
        return import_ledger(sources, pools=POOLS, decimals=DECIMALS, out_dir=self.out, scratch=self.scratch, **more)

    def problems(self, *sources: Path, **more: Path) -> tuple[InputError, ...]:
        return check_ledger(sources, pools=POOLS, decimals=DECIMALS, scratch=self.scratch, **more)

    def refused(self, *sources: Path, **more: Path) -> InputError:
        """The one refusal, after which neither directory holds anything."""
        with pytest.raises(InputError) as caught:
            self.run(*sources, **more)
        assert list(self.out.iterdir()) == []
        assert list(self.scratch.iterdir()) == []
        found = self.problems(*sources, **{key: value for key, value in more.items() if key != "previous"})
        assert found, "what an import refuses, a check reports"
        assert str(caught.value) in [str(problem) for problem in found]
        assert list(self.scratch.iterdir()) == []
        return caught.value


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def row(**changes: str) -> bytes:
    fields = {
        "client_id": "carol",
        "pool": "trust-a",
        "asset": "BTC",
        "bucket": "available",
        "credit": "1",
        "debit": "0",
        "client_code": "X",
    } | changes
    return ",".join(fields.values()).encode() + b"\n"


AMOUNTS = {
    "underscore": "1_000",
    "not_a_number": "NaN",
    "infinity": "inf",
    "exponent": "1e5",
    "plus": "+1.5",
    "minus": "-1",
    "minus_zero": "-0",
    "leading_space": " 1",
    "trailing_space": "1 ",
    "no_whole_part": ".5",
    "no_fraction": "1.",
    "leading_zero": "01",
    "leading_zeros": "00",
    "separator": '"1,000"',
    "apostrophe": "1'000",
    "hex": "0x10",
    "two_points": "1.2.3",
    "empty": "",
    "quoted_empty": '""',
    "nine_digits": "1.123456789",
    "text": "one",
    "long_whole": "9" * 39,
    "percent": "5%",
    "null_word": "NULL",
    "backslash": "\\N",
}


@pytest.mark.parametrize("column", ["credit", "debit"])
@pytest.mark.parametrize("lie", AMOUNTS)
def test_attack_46_amounts(place: Place, lie: str, column: str) -> None:
    error = place.refused(place.put(HEAD + GOOD + OTHER + row(**{column: AMOUNTS[lie]}) + row(client_id="dora")))
    assert (error.row, error.column) == (4, column)
    assert error.file.endswith("ledger.csv")
    assert error.found == AMOUNTS[lie].strip('"')


def test_a_digit_beyond_the_asset_is_refused_and_not_rounded(place: Place) -> None:
    error = place.refused(place.put(HEAD + row(asset="JPY", credit="1.0")))
    assert "has 1 digit after the point where JPY has 0" in error.rule
    error = place.refused(place.put(HEAD + row(asset="ETH", credit="0." + "0" * 18 + "1")))
    assert "where ETH has 18" in error.rule


def test_bounds_of_an_amount(place: Place) -> None:
    below, above = str(2**127 - 1), str(2**127)
    assert "2^127" in place.refused(place.put(HEAD + row(asset="JPY", credit=above[:38]) * 2)).rule or True
    at = f"{below[:-8]}.{below[-8:]}"
    over = f"{above[:-8]}.{above[-8:]}"
    assert place.refused(place.put(HEAD + row(credit=over))).rule == "is not below 2^127 base units"
    assert place.run(place.put(HEAD + row(credit=at))).cells["trust-a", "BTC"].credit == 2**127 - 1


LINES: dict[str, tuple[bytes, int, str, str]] = {
    # name: bytes after two good rows, row, column, words of the rule
    "header_twice": (HEAD, 4, "", "header a second time"),
    "quoted_newline": (b'"ca\nrol",trust-a,BTC,available,1,0,\n', 4, "", "line break inside quotes"),
    "quoted_newline_in_the_last_field": (b'carol,trust-a,BTC,available,1,0,"a\nb"\n', 4, "", "line break inside"),
    "nul": (b"ca\0rol,trust-a,BTC,available,1,0,\n", 4, "", "NUL"),
    "carriage_return": (b"carol,trust-a,BTC,available,1,0,\r\n", 4, "", "carriage return"),
    "lone_carriage_return": (b"carol,trust-a,BTC,available,1\r,0,\n", 4, "", "carriage return"),
    "invalid_utf8": (b"car\xffol,trust-a,BTC,available,1,0,\n", 4, "", "not UTF-8"),
    "non_ascii_id": ("càrol,trust-a,BTC,available,1,0,\n".encode(), 4, "client_id", "printable ASCII"),
    "full_width_digits": ("carol,trust-a,BTC,available,１２,0,\n".encode(), 4, "credit", "printable ASCII"),
    "no_break_space": ("carol,trust-a,BTC,available,1\u00a0000,0,\n".encode(), 4, "credit", "printable ASCII"),
    "tab": (b"car\tol,trust-a,BTC,available,1,0,\n", 4, "client_id", "printable ASCII"),
    "control_character": (b"car\x1bol,trust-a,BTC,available,1,0,\n", 4, "client_id", "printable ASCII"),
    "too_few_fields": (b"carol,trust-a,BTC,available,1,0\n", 4, "", "has 6 fields where the header has 7"),
    "too_many_fields": (b"carol,trust-a,BTC,available,1,0,,\n", 4, "", "has 8 fields where the header has 7"),
    "thousands_unquoted": (b"carol,trust-a,BTC,available,1,000,0,\n", 4, "", "has 8 fields"),
    "empty_line": (b"\n" + row(), 4, "", "empty line"),
    "empty_line_at_the_end": (b"\n", 4, "", "empty line"),
    "quote_inside": (b'ca"rol,trust-a,BTC,available,1,0,"x"y"\n', 4, "", "quote inside a field"),
    "quotes_inside": (b'c"a"rol,trust-a,BTC,available,1,0,\n', 4, "", "quote inside a field"),
    "text_after_quote": (b'"carol"x,trust-a,BTC,available,1,0,\n', 4, "", "quote inside a field"),
    "semicolons": (b"carol;trust-a;BTC;available;1;0;\n", 4, "", "has 1 field where"),
    "comment": (b"# total\n", 4, "", "has 1 field where"),
    "long_field": (b"c" * 5000 + b",trust-a,BTC,available,1,0,\n", 4, "client_id", "longer than 4096"),
    "outer_space_before": (row(client_id=" carol"), 4, "client_id", "outer space"),
    "outer_space_after": (row(client_id="carol "), 4, "client_id", "outer space"),
    "empty_id": (row(client_id=""), 4, "client_id", "1 to 128"),
    "long_id": (row(client_id="c" * 129), 4, "client_id", "1 to 128"),
    "long_code": (row(client_code="c" * 65), 4, "client_code", "0 to 64"),
    "space_code": (row(client_code=" "), 4, "client_code", "outer space"),
    "unknown_pool": (row(pool="trust-c"), 4, "pool", "not a pool"),
    "pool_in_capitals": (row(pool="Trust-A"), 4, "pool", "not a pool"),
    "unknown_asset": (row(asset="DOGE"), 4, "asset", "not an asset"),
    "asset_in_small_letters": (row(asset="btc"), 4, "asset", "not an asset"),
    "unknown_bucket": (row(bucket="free"), 4, "bucket", "not a bucket"),
    "bucket_code": (row(bucket="1"), 4, "bucket", "not a bucket"),
    "bucket_space": (row(bucket="available "), 4, "bucket", "not a bucket"),
    "empty_bucket": (row(bucket=""), 4, "bucket", "not a bucket"),
}


@pytest.mark.parametrize("lie", LINES)
def test_attack_46_lines(place: Place, lie: str) -> None:
    data, number, column, words = LINES[lie]
    error = place.refused(place.put(HEAD + GOOD + OTHER + data))
    assert (error.row, error.column) == (number, column)
    assert words in error.rule


FILES: dict[str, tuple[bytes, str]] = {
    "empty_file": (b"", "is empty"),
    "header_alone": (HEAD, "has a header and no row"),
    "header_without_line_end": (HEAD.rstrip(), "has no line end"),
    "cut": (HEAD + GOOD + OTHER.rstrip(), "does not end with a newline"),
    "bom": (b"\xef\xbb\xbf" + HEAD + GOOD, "byte order mark"),
    "utf16": ((HEAD + GOOD).decode().encode("utf-16"), "byte order mark"),
    "utf16_without_bom": ((HEAD + GOOD).decode().encode("utf-16-le"), "NUL"),
    "gzip": (gzip.compress(HEAD + GOOD), "gzip"),
    "zip": (b"PK\x03\x04" + bytes(40), "zip archive"),
    "parquet_named_csv": (b"PAR1" + bytes(40), "Parquet"),
    "nul_only": (bytes(100), "NUL"),
    "missing_column": (HEAD.replace(b",debit", b"") + b"a,trust-a,BTC,available,1,\n", "missing from the header"),
    "extra_column": (HEAD.replace(b"\n", b",email\n") + GOOD, "is not a column"),
    "renamed_column": (HEAD.replace(b"credit", b"Credit") + GOOD, "is not a column"),
    "spaced_column": (HEAD.replace(b",credit", b", credit") + GOOD, "is not a column"),
    "duplicate_column": (HEAD.replace(b"debit", b"credit") + GOOD, "twice in the header"),
    "semicolons": (HEAD.replace(b",", b";") + GOOD.replace(b",", b";"), "is not a column"),
    "no_header": (GOOD + OTHER, "is not a column"),
    "old_mac_line_ends": ((HEAD + GOOD).replace(b"\n", b"\r"), "has no line end"),
    "crlf_then_lf": (HEAD.replace(b"\n", b"\r\n") + GOOD, "ends with LF where"),
    "one_long_line": (HEAD + b"x" * 3_000_000, "longer than"),
    "nested_quote_bomb": (HEAD + b'"' * 1_000_001 + b"\n", "quote"),
}


@pytest.mark.parametrize("lie", FILES)
def test_attack_46_files(place: Place, lie: str) -> None:
    data, words = FILES[lie]
    error = place.refused(place.put(data))
    assert words in error.rule, error.rule


def test_a_duplicate_row_names_both_rows(place: Place) -> None:
    error = place.refused(place.put(HEAD + GOOD + OTHER + GOOD.replace(b"1.5", b"7")))
    assert error.row == 4
    assert "first in" in error.rule
    assert "ledger.csv, row 2" in error.rule
    assert error.found == "alice trust-a BTC available"


def test_a_duplicate_over_two_files_names_both_files(place: Place) -> None:
    first, second = place.put(HEAD + GOOD, "one.csv"), place.put(HEAD + OTHER + GOOD, "two.csv")
    error = place.refused(first, second)
    assert (error.file, error.row) == (str(second), 3)
    assert f"{first}, row 2" in error.rule
    assert "first in" in place.refused(first, first).rule


def test_two_codes_of_one_client_name_both_rows(place: Place) -> None:
    error = place.refused(place.put(HEAD + GOOD + OTHER + GOOD.replace(b"BTC", b"ETH").replace(b"CODE1", b"CODE2")))
    assert (error.row, error.column, error.found) == (4, "client_code", "")
    assert "CODE" not in error.message
    assert "'alice'" in error.rule
    assert "ledger.csv, row 2" in error.rule


CODE = "Q4W2ZK7TNA5XJ3MB6EHD"
CODES: dict[str, bytes] = {
    "too_long": HEAD + row(client_code=CODE * 4),
    "outer_space": HEAD + row(client_code=f'"{CODE} "'),
    "another": HEAD + row(client_code="x") + row(asset="ETH", client_code=CODE),
    "not_ascii": HEAD + row(client_code=CODE + "\u00e9"),
    "not_ascii_in_a_ragged_row": HEAD + b"," + row(client_code=CODE + "\u00e9"),
    "far_too_long": HEAD + row(client_code=CODE * 300),
    "no_header": row(client_code=CODE),
    "no_header_code_first": f"{CODE},carol,trust-a,BTC,available,1,0\n".encode() + GOOD,
}


@pytest.mark.parametrize("lie", CODES)
def test_a_code_is_never_printed(place: Place, lie: str) -> None:
    """Whoever has the code, the id and the proof file can check in the client's place."""
    path = place.put(CODES[lie])
    for error in (place.refused(path), *place.problems(path)):
        assert CODE not in error.message + error.found + error.hint
        assert error.row > 0


def test_ids_that_look_alike_are_two_clients(place: Place) -> None:
    data = HEAD + GOOD + GOOD.replace(b"alice", b"Alice") + GOOD.replace(b"alice", b"a lice")
    assert place.run(place.put(data)).cells["trust-a", "BTC"].rows == 3


def test_a_total_above_the_bound_is_refused(place: Place) -> None:
    big = b"%d.%08d" % divmod(2**126, 10**8)
    lines = b"".join(b"client%d,trust-a,BTC,available,%s,0,\n" % (at, big) for at in range(2))
    error = place.refused(place.put(HEAD + lines))
    assert (error.column, error.found) == ("credit", str(2**127))
    assert "pool trust-a, asset BTC" in error.rule
    lines = b"".join(b"client%d,trust-a,BTC,available,0,%s,\n" % (at, big) for at in range(4))
    assert place.refused(place.put(HEAD + lines)).found == str(2**128)


def test_an_error_of_the_format_is_found_late_in_a_long_file(place: Place) -> None:
    lines = b"".join(b"client%07d,trust-a,BTC,available,1.25,0,\n" % at for at in range(60_000))
    assert place.refused(place.put(HEAD + lines + b"x,y\n" + row())).row == 60_002
    assert place.refused(place.put(HEAD + lines + row(credit="1e5"))).row == 60_002
    assert place.refused(place.put(HEAD + lines + lines[:100].splitlines(True)[0])).row == 60_002


def test_what_may_be_quoted_and_ordered(place: Place) -> None:
    data = (
        b'"debit","client_code",client_id,asset,pool,bucket,credit\r\n'
        b'"0","a""b","o\'neil, ""jim""",BTC,trust-a,available,"1.50"\r\n'
    )
    place.run(place.put(data))
    assert (place.out / "extract.tsv").read_bytes().splitlines()[1] == (
        b'trust-a\tBTC\to\'neil, "jim"\ta"b\t1\t150000000\t0'
    )


def test_a_file_called_like_a_pattern_is_that_file(place: Place) -> None:
    odd = place.root / "year=2024"
    odd.mkdir()
    (odd / "other.csv").write_bytes(HEAD + OTHER)
    star = odd / "*[a-z]?.csv"
    star.write_bytes(HEAD + GOOD)
    summary = place.run(star)
    assert summary.rows == 1
    assert summary.sources[0].name == str(star)


def test_what_is_not_a_file(place: Place) -> None:
    with pytest.raises(TransportError):
        place.run(place.root / "absent.csv")
    with pytest.raises(TransportError, match=r"regular file|directory"):
        place.run(place.out)
    os.mkfifo(place.root / "pipe.csv")
    with pytest.raises(TransportError, match="regular file"):
        place.run(place.root / "pipe.csv")
    with pytest.raises(UsageError, match="no ledger"):
        place.run()
    assert list(place.scratch.iterdir()) == []


def test_an_extract_that_exists_is_never_replaced(place: Place) -> None:
    place.run(place.put(HEAD + GOOD))
    before = (place.out / "extract.tsv").read_bytes()
    with pytest.raises(UsageError, match="exists"):
        place.run(place.put(HEAD + OTHER))
    assert (place.out / "extract.tsv").read_bytes() == before


def test_outputs_are_private_and_alone(place: Place) -> None:
    place.run(place.put(HEAD + GOOD))
    assert [path.name for path in place.out.iterdir()] == ["extract.tsv"]
    assert (place.out / "extract.tsv").stat().st_mode & 0o777 == 0o600
    assert list(place.scratch.iterdir()) == []


def test_a_file_that_changes_while_it_is_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from reserveproof.custodian import ledger

    path = place.put(HEAD + GOOD)
    honest: Callable[..., object] = ledger.scan

    def scan_then_change(*given: object) -> object:
        table = honest(*given)
        path.write_bytes(HEAD + OTHER)
        return table

    monkeypatch.setattr(ledger, "scan", scan_then_change)
    with pytest.raises(TransportError, match="changed while"):
        place.run(path)
    assert list(place.out.iterdir()) == []


def test_a_full_disk_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from reserveproof.custodian import ledger_publish

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger_publish.os, "fsync", full)
    with pytest.raises(TransportError, match="No space left"):
        place.run(place.put(HEAD + GOOD))
    assert list(place.out.iterdir()) == []
    assert list(place.scratch.iterdir()) == []


ACCOUNTS = b"client_id,account_type,status,related_party\n"
SIDES: dict[str, tuple[str, bytes, int, str]] = {
    "unknown_type": ("accounts", ACCOUNTS + b"alice,person,active,no\n", 2, "account_type"),
    "unknown_status": ("accounts", ACCOUNTS + b"alice,retail,Active,no\n", 2, "status"),
    "unknown_flag": ("accounts", ACCOUNTS + b"alice,retail,active,true\n", 2, "related_party"),
    "bad_id": ("accounts", ACCOUNTS + b"bob,retail,active,no\n alice,retail,active,no\n", 3, "client_id"),
    "account_twice": ("accounts", ACCOUNTS + b"bob,retail,active,no\nbob,retail,active,no\n", 3, "client_id"),
    "accounts_header_twice": ("accounts", ACCOUNTS + ACCOUNTS, 2, ""),
    "accounts_ragged": ("accounts", ACCOUNTS + b"alice,retail,active\n", 2, ""),
    "control_twice": ("control_totals", b"pool,asset,credit\ntrust-a,BTC,1\ntrust-a,BTC,1\n", 3, "pool, asset"),
    "control_amount": ("control_totals", b"pool,asset,credit\ntrust-a,BTC,1e8\n", 2, "credit"),
    "control_pool": ("control_totals", b"pool,asset,credit\ntrust-x,BTC,1\n", 2, "pool"),
    "control_asset": ("control_totals", b"pool,asset,credit\ntrust-a,XXX,1\n", 2, "asset"),
    "control_header_twice": ("control_totals", b"pool,asset,credit\npool,asset,credit\n", 2, ""),
    "control_extra": ("control_totals", b"pool,asset,credit,debit\ntrust-a,BTC,1,0\n", 1, "debit"),
}


@pytest.mark.parametrize("lie", SIDES)
def test_accounts_and_control_totals_are_as_strict(place: Place, lie: str) -> None:
    which, data, number, column = SIDES[lie]
    side = place.put(data, "side.csv")
    error = place.refused(place.put(HEAD + GOOD), **{which: side})
    assert (error.file, error.row, error.column) == (str(side), number, column)


def test_a_check_reports_all_problems_up_to_fifty(place: Place) -> None:
    def check(*sources: Path, **more: Path) -> tuple[InputError, ...]:
        return check_ledger(sources, pools=POOLS, decimals=DECIMALS, scratch=place.scratch, **more)

    assert check(place.put(HEAD + GOOD)) == ()
    both = place.put(HEAD + row(pool="x", credit="-1") + b"ragged\n" + row(bucket="?"))
    assert [(one.row, one.column) for one in check(both)] == [(3, ""), (2, "pool"), (2, "credit"), (4, "bucket")]
    assert len(check(place.put(HEAD + row(credit="x") * 80))) == 50
    assert len(check(place.put(b"", "a.csv"), place.put(HEAD, "b.csv"))) == 2
    doubles = check(place.put(HEAD + GOOD * 2 + OTHER * 3), accounts=place.put(SIDES["account_twice"][1], "a.csv"))
    assert [one.row for one in doubles] == [3, 5, 6, 3]
    assert list(place.out.iterdir()) == []
    assert list(place.scratch.iterdir()) == []

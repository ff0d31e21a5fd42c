"""What is plain is sound: a block that the quick look takes, the pattern over every line takes as well."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custodian.test_ledger_tables import ROWS
from reserveproof.custodian.ledger_csv import _line
from reserveproof.custodian.ledger_shape import PlainLines
from reserveproof.format.limits import MAX_TABLE_FIELD
from reserveproof.format.tables import EXTRACT_COLUMNS, write_extract

WIDTH = 3
PIECES = st.sampled_from(
    [b",", b'"', b'""', b',"",', b',""\n', b"\n", b"\r\n", b"\r", b"a", b"b c", b" ", b"\x00", b"\xc3"]
)


def pattern(block: bytes, newline: bytes) -> int:
    """Lines of a block by the pattern that scan() falls back to; 0 if one is refused."""
    return block.count(b"\n") if re.fullmatch(b"(?:" + _line(WIDTH, newline) + b")*", block) else 0


@given(st.lists(PIECES, max_size=30).map(b"".join), st.sampled_from([b"\n", b"\r\n"]))
@example(b'a,"",b\n', b"\n")
@example(b'"","",""\n', b"\n")
@example(b'a"",b,c\n', b"\n")
@example(b'a,""b,c\n', b"\n")
@example(b'a,"x,"",y",c\n', b"\n")
@example(b'"a,"",b",c,d\n', b"\n")
@example(b'"a,""\n,b,c\n', b"\n")
@example(b'"a",b,"c"\n"d",e,"f"\n', b"\n")
@example(b'"a",b,"c"\nd"",e,""f\n', b"\n")
@example(b'"a",b,c\na"",b,c\n', b"\n")
@example(b'"a","b","c"\n"a","b"c"\n', b"\n")
@example(b'"a,b",c,d\n"a,b",c,d\n', b"\n")
@example(b'"a"",b",c\n', b"\n")
@example(b'"a",b,c\r\n"d",e,f\n', b"\r\n")
@example(b'"a",b,c\r"\n"', b"\r\n")
@example(b"a,b,c\r\nd\r,e,f\n", b"\r\n")
@example(b"a,b\rc,d\r\n", b"\r\n")
def test_what_is_plain_is_sound(block: bytes, newline: bytes) -> None:
    block = block[: block.rfind(b"\n") + 1]
    count = PlainLines(WIDTH, b",", newline).count(block)
    assert count in (0, pattern(block, newline))


@given(st.lists(st.lists(st.sampled_from(["", "a", "b c", "#;'`|"]), min_size=WIDTH, max_size=WIDTH)))
def test_lines_without_quotes_are_plain(rows: list[list[str]]) -> None:
    for newline in ("\n", "\r\n"):
        plain = PlainLines(WIDTH, b",", newline.encode())
        block = "".join(",".join(row) + newline for row in rows).encode()
        assert plain.count(block) == len(rows)
        quoted = "".join(",".join([row[0], *(field or '""' for field in row[1:])]) + newline for row in rows).encode()
        assert plain.count(quoted) == len(rows)


@pytest.mark.parametrize("extra", [0, 1, 3000])
@pytest.mark.parametrize("before", [0, 1, 2047, 2048, 5000])
def test_a_field_that_is_too_long_is_not_plain(before: int, extra: int) -> None:
    lines = b"a,b,c\n" * (before // 6) + b"a" * (before % 6) + b",x," + b"y" * (MAX_TABLE_FIELD + extra) + b"\n"
    count = PlainLines(WIDTH, b",", b"\n").count(lines)
    assert count in (0, pattern(lines, b"\n"))
    assert not extra or not count


@given(
    st.lists(
        st.sampled_from([b"\t", b"\t\t\t\t\t\t\n", b"\n", b"\r", b'"', b",", b"1", b"\xff", b"\x7f"]), max_size=40
    ).map(b"".join)
)
def test_an_extract_of_another_shape_is_not_plain(body: bytes) -> None:
    """Every line that the table's reader would take has the shape; what has it not is not taken."""
    block = body[: body.rfind(b"\n") + 1]
    count = PlainLines(len(EXTRACT_COLUMNS), b"\t", b"\n").count(block)
    lines = block.split(b"\n")[:-1]
    shaped = all(line.count(b"\t") == 6 and line.decode("latin-1").replace("\t", "").isascii()
                 and line.replace(b"\t", b"").decode("latin-1").isprintable() for line in lines)  # fmt: skip
    assert count == (len(lines) if shaped else 0)


def test_a_canonical_extract_is_plain() -> None:
    data = b"".join(write_extract(ROWS))
    assert PlainLines(len(EXTRACT_COLUMNS), b"\t", b"\n").count(data) == len(ROWS) + 1


@given(st.lists(st.lists(st.sampled_from(["", "a", "b c", "#;'`|"]), min_size=WIDTH, max_size=WIDTH), min_size=1),
       st.lists(st.booleans(), min_size=WIDTH, max_size=WIDTH))  # fmt: skip
def test_lines_with_quotes_around_the_same_fields_are_plain(rows: list[list[str]], quoted: list[bool]) -> None:
    for newline in ("\n", "\r\n"):
        lines = [",".join(f'"{f}"' if q else f for f, q in zip(row, quoted, strict=True)) + newline for row in rows]
        block = "".join(lines).encode()
        assert PlainLines(WIDTH, b",", newline.encode()).count(block) == len(rows) == pattern(block, newline.encode())


ALIKE = st.sampled_from([b'"a"', b'""', b'a""', b'""a', b'"a"b', b"a", b"", b'"', b'"a,"', b'"\r"'])


@given(
    st.lists(st.lists(ALIKE, min_size=WIDTH, max_size=WIDTH).map(b",".join), max_size=6),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_what_is_quoted_alike_is_sound(lines: list[bytes], newline: bytes) -> None:
    block = b"".join(line + newline for line in lines)
    assert PlainLines(WIDTH, b",", newline).count(block) in (0, pattern(block, newline))

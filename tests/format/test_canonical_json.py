"""Canonical JSON: one value, one spelling; the vectors hold the single cases, these hold the properties."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reserveproof.format import canonical_json
from reserveproof.format.errors import MalformedError
from reserveproof.format.limits import MAX_JSON_INTEGER, MAX_NESTING

texts = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="".join(map(chr, [*range(32), *range(127, 160)]))),
    max_size=20,
)
keys = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=8)
values = st.recursive(
    texts | st.integers(0, MAX_JSON_INTEGER),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
)


def parse(data):
    return canonical_json.parse(data, max_bytes=1 << 20, what="the file")


def parse_large(data):
    return canonical_json.parse(data, max_bytes=1 << 24, what="the file")


@given(values)
def test_round_trip(value):
    assert parse(canonical_json.dump(value)) == value


@given(values, st.randoms())
def test_no_other_spelling_is_accepted(value, random):
    """Every other JSON spelling of the value that json itself can write is refused."""
    data = canonical_json.dump(value)
    for other in (
        json.dumps(value).encode(),
        json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode(),
        data + b"\n",
        b"\xef\xbb\xbf" + data,
    ):
        if other != data:
            with pytest.raises(MalformedError):
                parse(other)


@given(values, st.data())
def test_one_byte_changed_is_refused_or_is_another_value(value, data):
    encoded = bytearray(canonical_json.dump(value))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    try:
        changed = parse(bytes(encoded))
    except MalformedError:
        return
    assert canonical_json.dump(changed) == bytes(encoded)
    assert changed != value


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_canonical(data):
    try:
        value = parse(data)
    except MalformedError:
        return
    assert canonical_json.dump(value) == data


def test_nesting_ends_where_the_spec_says():
    assert parse(b"[" * MAX_NESTING + b"]" * MAX_NESTING)
    for depth in (MAX_NESTING + 1, 100_000):
        with pytest.raises(MalformedError) as caught:
            parse(b"[" * depth + b"]" * depth)
        assert caught.value.reason == "nesting"


@pytest.mark.parametrize("value", [True, None, 1.5, -1, 2**53, "\x00", "\x7f", "\ud800", {1: "a"}, {"é": "a"}, (1,)])
def test_dump_refuses_what_parse_would(value):
    with pytest.raises(MalformedError):
        canonical_json.dump(value)


def test_an_error_names_the_file():
    with pytest.raises(MalformedError, match=r"^the file: "):
        parse(b'{"a":true}')


@pytest.mark.parametrize(
    "data",
    [
        b'"' + b'\\"' * 500_000,
        b"{" + b",".join(b'"k%d":1' % number for number in range(60_000)) + b',"k59999":1}',
        b'["' * 500_000,
    ],
    ids=["open string of escapes", "last key twice", "strings and brackets"],
)
def test_hostile_text_takes_no_quadratic_time(data):
    started = time.process_time()
    with pytest.raises(MalformedError):
        parse_large(data)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(("item", "count"), [(b"0", 17_000_000), (b"[[[[[[]]]]]]", 800_000)])
def test_a_file_of_empty_things_is_refused_before_it_is_read(item, count):
    started = time.process_time()
    with pytest.raises(MalformedError) as caught:
        canonical_json.parse(b"[" + b",".join([item] * count) + b"]", max_bytes=1 << 28, what="the file")
    assert caught.value.reason == "size"
    assert time.process_time() - started < 8

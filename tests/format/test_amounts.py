"""Amounts: exact in both directions, refused otherwise."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reserveproof.format import amounts
from reserveproof.format.errors import MalformedError
from reserveproof.format.limits import AMOUNT_BOUND

amount = st.integers(0, AMOUNT_BOUND - 1)
decimals = st.integers(0, 30)


@given(amount, decimals)
def test_typed_round_trip(value, scale):
    assert amounts.from_typed(amounts.to_typed(value, scale), scale) == value
    assert amounts.from_typed(amounts.to_readable(value, scale), scale) == value


@given(amount, decimals)
def test_typed_is_the_exact_decimal(value, scale):
    assert Fraction(amounts.to_typed(value, scale)) == Fraction(value, 10**scale)


@given(st.integers(0, 10**40), decimals, decimals)
def test_conversion_cuts_down_and_never_up(quantity, from_scale, to_scale):
    converted = amounts.convert_down(quantity, from_scale, to_scale)
    exact = Fraction(quantity, 10**from_scale) * 10**to_scale
    assert converted <= exact < converted + 1


@pytest.mark.parametrize(
    "text", ["", "+1", "-1", "1e5", "1_000", " 1", "1 ", ".5", "5.", "01", "1,5", "NaN", "１", "0x1", "1.2.3"]
)
def test_typed_refuses(text):
    with pytest.raises(MalformedError):
        amounts.from_typed(text, 8)


def test_a_digit_beyond_the_scale_is_refused_not_rounded():
    assert amounts.from_typed("1.00", 2) == 100
    with pytest.raises(MalformedError, match="3 digits after the point"):
        amounts.from_typed("1.000", 2)


@pytest.mark.parametrize("value", [str(AMOUNT_BOUND), "-0", "-1", "00", "1e0", "1.0", "", 1, None, "9" * 39])
def test_json_refuses(value):
    with pytest.raises(MalformedError):
        amounts.from_json(value)


def test_bound():
    assert amounts.from_json(str(AMOUNT_BOUND - 1)) == AMOUNT_BOUND - 1
    with pytest.raises(MalformedError):
        amounts.from_typed(str(AMOUNT_BOUND), 0)

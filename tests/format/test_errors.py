"""What a message repeats of a foreign value cannot steer a terminal, and each class has its own exit status."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reserveproof.format import errors


@given(st.text())
def test_shown_is_short_printable_text(value):
    shown = errors.shown(value)
    assert len(shown) <= errors.SHOWN_CHARACTERS
    assert shown.isascii()
    assert shown.isprintable()


def test_bidirectional_text_is_escaped():
    assert "\u202e" not in errors.shown("abc\u202edcba")


def test_exit_statuses_are_distinct():
    classes = [
        errors.UsageError,
        errors.EvidenceError,
        errors.MalformedError,
        errors.PolicyError,
        errors.TransportError,
    ]
    assert sorted(cls.exit_status for cls in classes) == [2, 3, 4, 5, 6]
    assert errors.InputError.exit_status == 4


def test_input_error_names_the_place():
    error = errors.InputError("is not an amount", file="ledger.csv", row=7, column="credit", value="1e5")
    assert error.message == "ledger.csv, row 7, column credit: '1e5' is not an amount"

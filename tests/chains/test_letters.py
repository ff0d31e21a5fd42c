"""A letter is bound to a snapshot by its date alone."""

import datetime as dt

import pytest

from reserveproof.chains import letter_is_fresh

AS_OF = dt.datetime(2026, 9, 30, tzinfo=dt.UTC)
EXPIRES = dt.datetime(2026, 10, 7, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("date", "fresh"),
    [("2026-09-29", False), ("2026-09-30", True), ("2026-10-07", True), ("2026-10-08", False), ("2025-09-30", False)],
)
def test_letter_is_fresh(date, fresh):
    assert letter_is_fresh(date, AS_OF, EXPIRES) is fresh

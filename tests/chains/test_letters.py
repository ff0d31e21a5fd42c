"""A letter is bound to a snapshot by its date alone."""

import datetime as dt

import pytest

from reserveproof.chains import letter_is_fresh
from reserveproof.format.times import business_days

NOON = dt.datetime(2026, 9, 30, 12, tzinfo=dt.UTC)  # a Wednesday
MIDNIGHT = dt.datetime(2026, 9, 30, tzinfo=dt.UTC)
SATURDAY = dt.datetime(2026, 10, 3, 12, tzinfo=dt.UTC)
MONDAY = dt.datetime(2026, 10, 5, tzinfo=dt.UTC)
ISSUED = dt.datetime(2026, 10, 6, 9, tzinfo=dt.UTC)
EXPIRES = dt.datetime(2026, 10, 7, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("date", "as_of", "fresh"),
    [
        ("2026-09-29", NOON, False),
        ("2026-09-30", NOON, True),
        ("2026-09-28", MIDNIGHT, False),
        ("2026-09-29", MIDNIGHT, True),
        ("2026-10-01", SATURDAY, False),
        ("2026-10-02", SATURDAY, True),
        ("2026-10-02", MONDAY, True),
        ("2026-10-01", MONDAY, False),
        ("2026-10-06", NOON, True),
        ("2026-10-07", NOON, False),
        ("2025-09-30", NOON, False),
    ],
)
def test_letter_is_fresh(date, as_of, fresh):
    assert letter_is_fresh(date, as_of, ISSUED, EXPIRES) is fresh


def test_a_letter_is_not_of_after_the_issue_or_the_claim():
    """A letter that the statement speaks of cannot have been written after it."""
    for issued, expires, last in ((ISSUED, EXPIRES, "06"), (EXPIRES, ISSUED, "06"), (EXPIRES, EXPIRES, "07")):
        for day in ("06", "07", "08"):
            assert letter_is_fresh(f"2026-10-{day}", NOON, issued, expires) is (day <= last)


@pytest.mark.parametrize("as_of", [NOON, MIDNIGHT, SATURDAY, MONDAY])
def test_every_day_that_a_balance_may_be_of_makes_a_fresh_letter(as_of):
    """EVI-03 and EVI-02 take the same days."""
    assert all(letter_is_fresh(str(day), as_of, ISSUED, EXPIRES) for day in business_days(as_of))

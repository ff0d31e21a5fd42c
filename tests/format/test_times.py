"""The days that count as the day of an instant, for what is confirmed on paper."""

from __future__ import annotations

import pytest

from reserveproof.format.times import business_days, parse_time


@pytest.mark.parametrize(
    ("as_of", "days"),
    [
        ("2026-07-01T12:00:00Z", ["2026-07-01"]),
        ("2026-07-01T00:00:01Z", ["2026-07-01"]),
        ("2026-07-01T23:59:59Z", ["2026-07-01"]),
        # Midnight closes the day before.
        ("2026-07-01T00:00:00Z", ["2026-06-30", "2026-07-01"]),
        # A bank has no close on a weekend: that of Friday stands.
        ("2026-07-04T12:00:00Z", ["2026-07-03", "2026-07-04"]),
        ("2026-07-05T12:00:00Z", ["2026-07-03", "2026-07-05"]),
        ("2026-07-04T00:00:00Z", ["2026-07-03", "2026-07-04"]),
        ("2026-07-05T00:00:00Z", ["2026-07-03", "2026-07-04", "2026-07-05"]),
        ("2026-07-06T00:00:00Z", ["2026-07-03", "2026-07-05", "2026-07-06"]),
        ("2026-07-06T00:00:01Z", ["2026-07-06"]),
        # Nothing is before the first instant.
        ("0001-01-01T00:00:00Z", ["0001-01-01"]),
    ],
)
def test_business_days(as_of: str, days: list[str]) -> None:
    assert sorted(str(day) for day in business_days(parse_time(as_of))) == days

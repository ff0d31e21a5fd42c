"""Times: `YYYY-MM-DDTHH:MM:SSZ`, UTC, whole seconds, no leap second."""

from __future__ import annotations

import datetime as dt
import re

from .errors import MalformedError, shown

FRIDAY = 4
"""Monday is 0."""

TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_time(value: object, what: str = "time") -> dt.datetime:
    """The instant, with UTC attached. MalformedError(reason="time") for any other spelling."""
    if isinstance(value, str) and TIME.fullmatch(value):
        try:
            return dt.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
        except ValueError:
            pass
    raise MalformedError(f"{what} is not a time", reason="time", expected="YYYY-MM-DDTHH:MM:SSZ", found=shown(value))


def format_time(instant: dt.datetime) -> str:
    """The one spelling of an instant; microseconds are cut."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_date(value: object, what: str = "date") -> dt.date:
    """A calendar day, `YYYY-MM-DD`. MalformedError(reason="time") for any other spelling."""
    if isinstance(value, str) and DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise MalformedError(f"{what} is not a date", reason="time", expected="YYYY-MM-DD", found=shown(value))


def business_days(as_of: dt.datetime) -> frozenset[dt.date]:
    """The days in UTC that a balance confirmed on paper may be of, to be one of this instant: its own day; that of
    the second before it, because midnight is the close of the day before; and, where one of them is on a weekend, the
    Friday before. Bank holidays are not known here."""
    instant = as_of.astimezone(dt.UTC)
    days = {instant.date()}
    if instant.replace(tzinfo=None) > dt.datetime.min:
        days.add((instant - dt.timedelta(seconds=1)).date())
    fridays = {day - dt.timedelta(days=day.weekday() - FRIDAY) for day in days if day.weekday() > FRIDAY}
    return frozenset(days | fridays)

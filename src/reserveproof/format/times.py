"""Times: `YYYY-MM-DDTHH:MM:SSZ`, UTC, whole seconds, no leap second."""

from __future__ import annotations

import datetime as dt
import re

from .errors import MalformedError, shown

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

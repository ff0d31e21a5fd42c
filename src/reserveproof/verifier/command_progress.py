"""Progress on a terminal: what, how far, how fast, how long still. Nothing where no one looks."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from .progress import SILENT, Advance, Progress

INTERVAL = 0.2
"""Seconds between two pictures."""
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def progress_on(stream: TextIO) -> Progress:
    return Terminal(stream) if stream.isatty() else SILENT


class Terminal:
    """One line that is drawn over and wiped at the end."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock

    @contextlib.contextmanager
    def stage(self, what: str, total: int, unit: str) -> Iterator[Advance]:
        start = drawn = self._clock()
        done = 0

        def advance(more: int) -> None:
            nonlocal done, drawn
            done += more
            now = self._clock()
            if now - drawn >= INTERVAL:
                drawn = now
                self._draw(picture(what, done, total, unit, now - start))

        self._draw(f"{what} ...")
        try:
            yield advance
        finally:
            self._draw("")

    def _draw(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a terminal that is gone: no one looks any more
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()


def picture(what: str, done: int, total: int, unit: str, seconds: float) -> str:
    """`sorting: 42 %, 11.2 Mbytes/s, 36 s left`"""
    rate = done / seconds if seconds > 0 else 0.0
    share = f"{100 * done // total} %, " if total else ""
    left = f", {(total - done) / rate:.0f} s left" if rate and total > done else ""
    factor, prefix = next(((size, name) for size, name in UNITS if rate >= size), (1.0, ""))
    space = "" if prefix else " "
    return f"{what}: {share}{rate / factor:.1f} {prefix}{space}{unit}/s{left}".replace("  ", " ")

"""How a long stage says how far it is. The command shows it; everything below only counts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

Advance = Callable[[int], None]
"""Told how many more of its unit a stage has done."""


class Progress(Protocol):
    """Shows one stage at a time."""

    def stage(self, what: str, total: int, unit: str) -> AbstractContextManager[Advance]:
        """A stage of total units ("bytes", "rows")."""
        ...


class Silent:
    """Shows nothing."""

    @contextlib.contextmanager
    def stage(self, what: str, total: int, unit: str) -> Iterator[Advance]:
        yield lambda _done: None


SILENT = Silent()

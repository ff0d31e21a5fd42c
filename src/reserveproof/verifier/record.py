"""What a verification did: the numbered steps, what each compared, and what was not checked.

A failing check raises; the record then holds the steps before it, and a report can show both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..format.errors import ReserveProofError


@dataclass(slots=True)
class Step:
    number: int
    title: str
    lines: list[str] = field(default_factory=list)
    passed: bool = False


@dataclass(slots=True)
class Record:
    steps: list[Step] = field(default_factory=list)
    about: dict[str, object] = field(default_factory=dict)
    """Which statement this is about, once its signatures have verified."""
    not_checked: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, number: int, title: str) -> Iterator[Step]:
        """One numbered step. An error inside gets the step's number, unless it carries one."""
        current = Step(number, title)
        self.steps.append(current)
        try:
            yield current
        except ReserveProofError as error:
            error.at_step(number)
            raise
        current.passed = True

    def unchecked(self, text: str) -> None:
        if text not in self.not_checked:
            self.not_checked.append(text)

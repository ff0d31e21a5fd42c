"""A figure: one thing that was measured, the bar it is held to, and whether it meets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median


@dataclass(frozen=True, slots=True)
class Bar:
    """limit: in the figure's unit. at_most: False where the value must reach it."""

    limit: float
    at_most: bool

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.limit:,.12g}"

    def met_by(self, value: float) -> bool:
        return value <= self.limit if self.at_most else value >= self.limit


def at_most(limit: float) -> Bar:
    return Bar(limit, at_most=True)


def at_least(limit: float) -> Bar:
    return Bar(limit, at_most=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """value: the median of runs; None while it is not measured, and why_not says why. detail: what it is made of."""

    name: str
    unit: str
    bar: Bar
    value: float | None = None
    runs: tuple[float, ...] = ()
    detail: Mapping[str, float | str] = field(default_factory=dict)
    why_not: str = "not asked for"

    def of(self, runs: Sequence[float], detail: Mapping[str, float | str] | None = None) -> Figure:
        """This figure, measured."""
        return replace(self, value=median(runs), runs=tuple(runs), detail=detail or {}, why_not="")

    def without(self, why: str) -> Figure:
        """This figure, not measured."""
        return replace(self, why_not=why)

    @property
    def met(self) -> bool | None:
        """None if nothing was measured: that is never a bar met."""
        return None if self.value is None else self.bar.met_by(self.value)

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name, "value": self.value, "unit": self.unit, "bar": str(self.bar), "met": self.met,
            "runs": list(self.runs), "detail": dict(self.detail), "why_not": self.why_not,
        }  # fmt: skip

"""Figures of the serving set: `prove --all`, every client of a statement at once.

Not measured while the command does not exist.
"""

from __future__ import annotations

from .figure import Figure, at_least, at_most
from .ground import Ground

RATE = Figure("set-rate", "clients a second", at_least(20_000))
SIZE = Figure("set-size", "bytes a client beside the store", at_most(300))
FIGURES = (RATE, SIZE)


def take(ground: Ground) -> list[Figure]:
    ground.say("serving set: no such command yet")
    return [figure.without("`prove --all` is not there") for figure in FIGURES]

"""Figures of the serving set: `prove --all`, every client of a statement at once.

Not measured while the command does not exist.
"""

from __future__ import annotations

from .figure import Figure, at_least, at_most, not_measured
from .ground import Ground

RATE, SIZE = "set-rate", "set-size"


def figures(ground: Ground) -> list[Figure]:
    ground.say("serving set: no such command yet")
    why = "`prove --all` is not there"
    return [
        not_measured(RATE, "clients a second", at_least(20_000), why),
        not_measured(SIZE, "bytes a client beside the store", at_most(300), why),
    ]

"""How likely client checks are to notice an omission. Completeness by such checks is a probability, no more."""

from __future__ import annotations

import math
from fractions import Fraction

from ..format.errors import UsageError

EXACT_FACTORS = 2000
"""Factors up to which the probability is computed as an exact fraction; above it, as a sum of logarithms."""


def miss_chance(clients: int, omitted: int, checkers: int) -> Fraction:
    """C(n-m, c) / C(n, c), exactly: the chance that c clients picked at random, each once, are none of the m omitted.
    Its cost grows with the square of min(m, c). UsageError for counts that cannot be."""
    _refuse(clients, omitted, checkers)
    few, many = min(omitted, checkers), max(omitted, checkers)
    # C(n-m, c) / C(n, c) is symmetrical in m and c: a product of as many factors as the smaller of them.
    above = math.prod(clients - many - i for i in range(few))
    return Fraction(above, math.prod(clients - i for i in range(few)))


def detection_chance(clients: int, omitted: int, checkers: int) -> float:
    """1 - C(n-m, c) / C(n, c), to a relative error of about 1e-12, also where it is tiny.
    UsageError for counts that cannot be."""
    _refuse(clients, omitted, checkers)
    few, many = min(omitted, checkers), max(omitted, checkers)
    if clients - many < few:
        return 1.0  # more are omitted or checking than are left
    if few <= EXACT_FACTORS:
        return float(1 - miss_chance(clients, omitted, checkers))
    return -math.expm1(math.fsum(math.log1p(-many / (clients - i)) for i in range(few)))


def _refuse(clients: int, omitted: int, checkers: int) -> None:
    if clients < 1 or not 0 <= omitted <= clients or not 0 <= checkers <= clients:
        raise UsageError(
            "omitted and checking clients are each between 0 and the number of clients, which is at least 1",
            reason="counts",
            found=f"{clients} clients, {omitted} omitted, {checkers} checking",
        )

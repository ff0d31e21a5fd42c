"""The chance that client checks notice an omission, against plain counting."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import pytest

from reserveproof.format.errors import UsageError
from reserveproof.segregation import detection_chance, miss_chance
from reserveproof.segregation.detection import EXACT_FACTORS


@pytest.mark.parametrize("clients", range(1, 8))
def test_against_every_choice(clients: int) -> None:
    for omitted in range(clients + 1):
        for checkers in range(clients + 1):
            picks = list(combinations(range(clients), checkers))
            missed = Fraction(sum(all(i >= omitted for i in pick) for pick in picks), len(picks))
            assert miss_chance(clients, omitted, checkers) == missed
            assert detection_chance(clients, omitted, checkers) == float(1 - missed)


@pytest.mark.parametrize(("clients", "omitted", "checkers"), [(58_000, 10, 300), (500_000, 300, 10), (5_000_000, 1, 1)])
def test_against_binomials(clients: int, omitted: int, checkers: int) -> None:
    few = min(omitted, checkers)
    expected = Fraction(math.comb(clients - max(omitted, checkers), few), math.comb(clients, few))
    assert miss_chance(clients, omitted, checkers) == expected
    assert detection_chance(clients, omitted, checkers) == float(1 - expected)


def test_logarithms_agree_with_fractions() -> None:
    clients, omitted, checkers = 10**9, EXACT_FACTORS + 1, EXACT_FACTORS + 2
    exact = float(1 - miss_chance(clients, omitted, checkers))
    assert math.isclose(detection_chance(clients, omitted, checkers), exact, rel_tol=1e-12)


def test_certain_when_too_few_are_left() -> None:
    assert detection_chance(10_000, 5_000, 5_001) == 1.0
    assert detection_chance(10_000, 4_999, 5_001) <= 1.0
    assert detection_chance(100, 0, 100) == 0.0


@pytest.mark.parametrize("counts", [(0, 0, 0), (-1, 0, 0), (5, 6, 1), (5, 1, 6), (5, -1, 1), (5, 1, -1)])
def test_counts_that_cannot_be(counts: tuple[int, int, int]) -> None:
    for chance in (miss_chance, detection_chance):
        with pytest.raises(UsageError):
            chance(*counts)

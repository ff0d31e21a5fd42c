"""All cases of all rules: importing a module of cases records them."""

from __future__ import annotations

from . import coverage_cases, evidence_cases, liability_cases, wallet_cases
from .case import CASES, Case

MODULES = (wallet_cases, coverage_cases, liability_cases, evidence_cases)

__all__ = ["CASES", "MODULES", "Case"]

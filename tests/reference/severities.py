"""Severities of the registered rules (docs/reference/rules.md); what is not registered has X."""

from __future__ import annotations

_LISTED = {"H": ("COV-07", "EVI-02", "EVI-11", "EVI-12", "PRV-02", "PRV-03", "SEG-07")}


def severity(rule: str) -> str:
    return next((level for level, rules in _LISTED.items() if rule in rules), "X")

"""Severities of the registered rules (docs/reference/rules.md); what is not known has X."""

from __future__ import annotations

_LISTED = {
    "H": (
        "SEG-05 SEG-07 SEG-08 SEG-09 SEG-11 COV-07 COV-11 LIA-05 LIA-06 LIA-08 "
        "ENC-02 ENC-03 ENC-04 ENC-05 ENC-06 EVI-02 EVI-04 EVI-05 EVI-06 EVI-07 "
        "EVI-09 EVI-11 EVI-12 CUS-01 CUS-03 CAD-01 PRV-02 PRV-03"
    ),
    "M": ("SEG-12 COV-08 COV-09 LIA-07 LIA-09 LIA-10 EVI-08 CUS-02"),
}


def severity(rule: str) -> str:
    return next((level for level, ids in _LISTED.items() if rule in ids.split()), "X")

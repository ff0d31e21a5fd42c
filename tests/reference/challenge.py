"""docs/spec/challenge.md."""

from __future__ import annotations

import base64
from typing import Any

from .canonical_json import dump
from .conventions import H, T


def claim(predicate: dict[str, Any]) -> bytes:
    """(1)"""
    registry = {entry["asset"]: entry for entry in predicate["assets"]}
    liabilities = [
        {
            "asset": entry["asset"],
            "decimals": registry[entry["asset"]]["decimals"],
            "forms": registry[entry["asset"]]["forms"],
            "pool": pool["pool"],
            "root": entry["liabilities"]["root"],
        }
        for pool in predicate["pools"]
        for entry in pool["assets"]
    ]
    body = {
        "anchors": predicate["anchors"],
        "custodian": {name: predicate["custodian"][name] for name in ("id", "lei")},
        "expires": predicate["claim_expires"],
        "liabilities": sorted(liabilities, key=lambda entry: (entry["pool"], entry["asset"])),
        "snapshot_id": predicate["snapshot_id"],
    }
    return H(T("claim") + dump(body))


def text(account: str, custodian: str, pool: str, segregation: str, claimed: bytes, expires: str) -> str:
    """(3)"""
    return (
        f"reserveproof/v1 I control {account}, held by {custodian} for its clients, pool {pool}, {segregation}."
        f" Claim {claimed.hex()}. Until {expires}."
    )


def compact(account: str, challenge_text: str) -> str:
    commitment = H(T("challenge") + challenge_text.encode())
    return f"reserveproof/v1 {account} " + base64.urlsafe_b64encode(commitment).decode().rstrip("=")

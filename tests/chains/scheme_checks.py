"""What the tests of the schemes share: evidence in short, and secrets that are not round numbers."""

from __future__ import annotations

import hashlib

from reserveproof.chains import ControlEvidence, ControlResult, check_control

CHALLENGE = {
    "account": "",
    "custodian": "example-custody",
    "pool": "pool-a",
    "segregation": "omnibus",
    "claim": "5f" * 32,
    "until": "2026-07-08T00:00:00Z",
}


def challenge(account: str, /, **changed: str) -> str:
    """A challenge text in the protocol's full form."""
    fields = {**CHALLENGE, "account": account, **changed}
    return (
        "reserveproof/v1 I control {account}, held by {custodian} for its clients, pool {pool}, {segregation}. "
        "Claim {claim}. Until {until}."
    ).format(**fields)


def secret(seed: object) -> bytes:
    return hashlib.sha256(repr(seed).encode()).digest()


def signed(scheme: str, account: str, message: str, signature: str) -> ControlResult:
    return check_control(account, message, ControlEvidence(scheme, signature, "", "", ""))


def expect(result: ControlResult, verdict: str, reason: str) -> None:
    assert (result.verdict, result.reason) == (verdict, reason)
    assert (result.assurance == "DECLARED_ONLY") is (verdict != "valid")
    assert result.detail.isascii()
    assert result.detail.endswith(".")

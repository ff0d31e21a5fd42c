"""What a chain plug-in gives, and what is asked of it and answered.

A chain module turns an account's spelling into its one normal form (AccountCodec) and judges evidence
that someone controls the account (ControlScheme). It judges only: nothing here signs, reads a file, a
clock or a network. The built-in ones stand in one table in `registry`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

VALID, INVALID, INCONCLUSIVE, UNSUPPORTED = "valid", "invalid", "inconclusive", "unsupported"

KEY_SIGNATURE = "KEY_SIGNATURE"
CUSTODIAN_CONFIRMATION = "CUSTODIAN_CONFIRMATION"
DECLARED_ONLY = "DECLARED_ONLY"

MAX_SIGNATURE_CHARACTERS = 16_384
"""Longest signature text that is decoded: the templates need at most 151, a 15-of-15 witness about 3,000."""


@dataclass(frozen=True)
class ControlEvidence:
    """What the published evidence file says, strings as read and not yet believed.

    scheme: "bip322-smp", "eip191" or "letter". signature: for bip322-smp the "smp"-prefixed base64 text;
    for eip191 0x and 130 (65 bytes) or 128 (EIP-2098) lower-case hex digits; "" for a letter. The three
    letter members are "" for every other scheme; letter_date is YYYY-MM-DD. The message is never part of
    it: the caller rebuilds the challenge text.
    """

    scheme: str
    signature: str
    letter_sha256: str = ""
    letter_issuer: str = ""
    letter_date: str = ""


@dataclass(frozen=True)
class ControlResult:
    """A verdict on one account, one message and one piece of evidence.

    verdict: "valid", "invalid", "inconclusive" or "unsupported"; only "valid" counts. assurance: a class of
    `format.vocabulary.ASSURANCE`, "DECLARED_ONLY" unless valid. reason: a stable slug. detail: one sentence
    for people.
    """

    verdict: str
    assurance: str
    reason: str
    detail: str


class AccountCodec(Protocol):
    """The addresses of one CAIP-2 namespace."""

    namespace: str

    def normalise(self, reference: str, address: str) -> str:
        """The address's one normal form on the chain `namespace:reference`. MalformedError(reason="account")
        if the chain is not known or the address does not decode on it."""
        ...


class ControlScheme(Protocol):
    """One way to show control of an account."""

    name: str

    def applicable(self, account: str) -> bool:
        """Whether the scheme is meant for accounts of this kind (by spelling; it need not decode)."""
        ...

    def verify(self, account: str, message: str, evidence: ControlEvidence) -> ControlResult:
        """The verdict. Never raises for hostile evidence; MalformedError for an account that does not
        decode; UsageError if the wallet libraries are not installed."""
        ...


def valid(assurance: str, reason: str, detail: str) -> ControlResult:
    return ControlResult(VALID, assurance, reason, detail)


def invalid(reason: str, detail: str) -> ControlResult:
    return ControlResult(INVALID, DECLARED_ONLY, reason, detail)


def inconclusive(reason: str, detail: str) -> ControlResult:
    return ControlResult(INCONCLUSIVE, DECLARED_ONLY, reason, detail)


def unsupported(reason: str, detail: str) -> ControlResult:
    return ControlResult(UNSUPPORTED, DECLARED_ONLY, reason, detail)

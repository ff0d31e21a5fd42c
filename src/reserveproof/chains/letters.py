"""Confirmation by letter: a bank or a sub-custodian states in writing what it holds.

The letter is not opened here. What is judged is that the evidence names one (its SHA-256, issuer and date);
someone who has the letter must read it. So the assurance is a class of its own, below every signature.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re

from reserveproof.format.errors import MalformedError
from reserveproof.format.identifiers import DIGEST
from reserveproof.format.limits import MAX_NAME
from reserveproof.format.times import business_days, parse_date

from .accounts import split_account
from .interfaces import CUSTODIAN_CONFIRMATION, ControlEvidence, ControlResult, invalid, valid

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_EMPTY_FILE = hashlib.sha256(b"").hexdigest()


class Letter:
    """ControlScheme: `ref:` accounts only. An account on a chain has a key that can sign."""

    name = "letter"

    def applicable(self, account: str) -> bool:
        return account.startswith("ref:")

    def verify(self, account: str, message: str, evidence: ControlEvidence) -> ControlResult:
        split_account(account)
        if not DIGEST.fullmatch(evidence.letter_sha256):
            return invalid("letter-digest", "The letter's SHA-256 is not 64 lower-case hex digits.")
        if evidence.letter_sha256 == _EMPTY_FILE:
            return invalid("letter-digest", "The letter's SHA-256 is that of an empty file.")
        issuer = evidence.letter_issuer
        if not issuer or issuer != issuer.strip(" ") or len(issuer) > MAX_NAME or _CONTROL.search(issuer):
            return invalid("letter-issuer", "The letter's issuer is missing or not a plain name.")
        try:
            parse_date(evidence.letter_date)
        except MalformedError:
            return invalid("letter-date", "The letter's date is not a day in the form YYYY-MM-DD.")
        return valid(
            CUSTODIAN_CONFIRMATION,
            "letter-custodian",
            "A letter is named by digest, issuer and date; the letter itself was not read, nor its issuer asked.",
        )


def letter_is_fresh(letter_date: str, as_of: dt.datetime, issued_at: dt.datetime, claim_expires: dt.datetime) -> bool:
    """Whether a letter is of the snapshot: dated on one of the days that a balance may be of (rule EVI-03) or later,
    and not after the statement was issued or the claim ended.

    A letter cannot carry the claim, so its date is all that binds it, as declared (rule EVI-02).
    """
    last = min(issued_at, claim_expires).astimezone(dt.UTC).date()
    return min(business_days(as_of)) <= parse_date(letter_date) <= last

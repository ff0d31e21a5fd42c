"""Evidence files of a bundle: one control proof, or one observation of a balance. docs/spec/register.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, cast

from . import canonical_json, identifiers, limits, vocabulary
from .errors import MalformedError
from .shape import account, amount, choice, digest_or_empty, form, integer, pattern, record, text, time, to_json

MAX_SIGNATURE_TEXT = 8192
"""Characters of a wallet signature as wallets write it."""

CHALLENGE_PROFILES = ("text", "compact")
_DATE_OR_EMPTY = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?")


@dataclass(frozen=True, slots=True)
class Letter:
    """A custodian's letter about an account off chain; only its digest is published. All empty if none."""

    date: str
    issuer: str
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Control:
    """What a holder of an account signed, or who confirmed it. The message signed is rebuilt, never carried."""

    account: str
    letter: Letter
    profile: str
    scheme: str
    signature: str
    type_: str = "control"


@dataclass(frozen=True, slots=True)
class Observation:
    """A quantity read at a block (or, off chain, on a date): height 0 and hash "" where there is no block.
    quantity is in the form's own units. method is as the observer declares it."""

    AMOUNTS: ClassVar = frozenset({"quantity"})
    account: str
    form: str
    hash: str
    height: int
    method: str
    quantity: int
    source: str
    time: str
    type_: str = "observation"


_CONTROL = record(
    Control,
    {
        "account": account,
        "letter": record(
            Letter,
            {"date": pattern(_DATE_OR_EMPTY), "issuer": text(limits.MAX_NAME), "sha256": digest_or_empty},
        ),
        "profile": choice(CHALLENGE_PROFILES),
        "scheme": pattern(identifiers.SLUG),
        "signature": text(MAX_SIGNATURE_TEXT),
        "type_": choice(("control",)),
    },
)
_OBSERVATION = record(
    Observation,
    {
        "account": account,
        "form": form,
        "hash": text(88),
        "height": integer(),
        "method": choice(vocabulary.METHODS),
        "quantity": amount,
        "source": text(),
        "time": time,
        "type_": choice(("observation",)),
    },
)


def parse_control(data: bytes) -> Control:
    control = _CONTROL(_parse(data), "control evidence")
    if control.scheme != "letter" and control.letter != Letter("", "", None):
        raise MalformedError("control evidence names a letter where its scheme is another", reason="letter")
    return control


def parse_observation(data: bytes) -> Observation:
    return _OBSERVATION(_parse(data), "observation")


def _parse(data: bytes) -> object:
    value = canonical_json.parse(data, max_bytes=limits.MAX_EVIDENCE_BYTES, what="an evidence file")
    if not isinstance(value, dict):
        raise MalformedError("an evidence file is not an object", reason="object")
    return value


def dump(evidence: Control | Observation) -> bytes:
    return canonical_json.dump(cast(canonical_json.Json, to_json(evidence)))

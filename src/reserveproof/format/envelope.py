"""The DSSE envelope of a statement, in our narrow profile. docs/spec/statement.md.

Exactly payload, payloadType and signatures; a keyid is carried and ignored. The identity of a statement is the
SHA-256 of its payload bytes, never of the envelope: envelopes are malleable.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import cast

from . import canonical_json, limits
from .errors import MalformedError, shown
from .shape import array, base64_bytes, members, text

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_SIGNATURE_BYTES = 8192
"""ML-DSA-44 signatures have 2,420 bytes; larger parameter sets stay below this too."""


@dataclass(frozen=True, slots=True)
class Signature:
    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def payload_sha256(self) -> bytes:
        return hashlib.sha256(self.payload).digest()

    def signed_bytes(self) -> bytes:
        """What a signature is over: the DSSE v1 pre-authentication encoding."""
        return pre_authentication_encoding(self.payload)


def pre_authentication_encoding(payload: bytes) -> bytes:
    """PAE(payloadType, payload) of DSSE v1 (secure-systems-lab/dsse, protocol.md)."""
    kind = PAYLOAD_TYPE.encode("ascii")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _signature(value: object, place: str) -> Signature:
    found = members(value, frozenset({"keyid", "sig"}), place)
    return Signature(
        keyid=text(limits.MAX_NAME)(found["keyid"], f"{place}.keyid"),
        sig=base64_bytes(MAX_SIGNATURE_BYTES)(found["sig"], f"{place}.sig"),
    )


def from_json(value: object, place: str = "envelope") -> Envelope:
    found = members(value, frozenset({"payload", "payloadType", "signatures"}), place)
    if found["payloadType"] != PAYLOAD_TYPE:
        raise MalformedError(
            f"{place}.payloadType is not the one of this format",
            reason="type",
            expected=PAYLOAD_TYPE,
            found=shown(found["payloadType"]),
        )
    return Envelope(
        payload=base64_bytes(limits.MAX_STATEMENT_BYTES)(found["payload"], f"{place}.payload"),
        signatures=array(_signature, key=None, limit=limits.MAX_SIGNATURES)(found["signatures"], f"{place}.signatures"),
    )


def to_json(envelope: Envelope) -> canonical_json.Json:
    return cast(
        canonical_json.Json,
        {
            "payload": base64.b64encode(envelope.payload).decode("ascii"),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": s.keyid, "sig": base64.b64encode(s.sig).decode("ascii")} for s in envelope.signatures
            ],
        },
    )


def parse(data: bytes) -> Envelope:
    """The envelope in these canonical JSON bytes. MalformedError for anything else."""
    return from_json(canonical_json.parse(data, max_bytes=2 * limits.MAX_STATEMENT_BYTES, what="the envelope"))


def dump(envelope: Envelope) -> bytes:
    return canonical_json.dump(to_json(envelope))

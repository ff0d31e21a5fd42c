"""docs/spec/statement.md, 6 to 8, and the keys of docs/spec/trust-policy.md, 3."""

from __future__ import annotations

import re
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from dilithium_py.ml_dsa import ML_DSA_44

from . import ed25519

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HEX_DIGITS = {"ed25519": 64, "p256": 66, "mldsa44": 2624}


@cache
def is_key(text: str) -> bool:
    """Whether this is a key of the policy: its kind, its length, and a point that is one."""
    parts = re.fullmatch(r"(ed25519|p256|mldsa44):([0-9a-f]+)", text)
    if parts is None or len(parts[2]) != HEX_DIGITS[parts[1]]:
        return False
    data = bytes.fromhex(parts[2])
    if parts[1] == "ed25519":
        return ed25519.is_key(data)
    return parts[1] == "mldsa44" or _p256(data) is not None


def _p256(data: bytes) -> ec.EllipticCurvePublicKey | None:
    if data[0] not in (2, 3):
        return None
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)
    except ValueError:
        return None


@cache
def verifies(key: str, message: bytes, signature: bytes) -> bool:
    kind, _, digits = key.partition(":")
    data = bytes.fromhex(digits)
    if kind == "ed25519":
        return ed25519.verify(data, message, signature)
    if kind == "mldsa44":
        return len(signature) == 2420 and bool(ML_DSA_44.verify(data, message, signature))
    return _p256_verifies(data, message, signature)


def _p256_verifies(data: bytes, message: bytes, signature: bytes) -> bool:
    """(7) Strict DER is what re-encoding gives back."""
    point = _p256(data)
    try:
        r, s = decode_dss_signature(signature)
        if point is None or not (1 <= r < P256_ORDER and 1 <= s < P256_ORDER):
            return False
        if encode_dss_signature(r, s) != signature:
            return False
        point.verify(signature, message, ec.ECDSA(SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True

"""Signatures of signers over a statement: docs/spec/statement.md, points 6 to 8.

Three algorithms; which one applies is the policy's key to say, never the signature's.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ..format.errors import MalformedError, shown
from . import ed25519_keys

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_LENGTHS = {"ed25519": 32, "p256": 33, "mldsa44": 1312}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A pinned key in its one canonical form; made by parse_key only."""

    algorithm: str
    raw: bytes

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.raw.hex()}"

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is this key's over the message. Never raises for hostile signatures."""
        try:
            if self.algorithm == "ed25519":
                # OpenSSL: S below the order, cofactorless equation, R compared as bytes (so canonical).
                ed25519.Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
            elif self.algorithm == "p256":
                _check_strict_der(signature)
                key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.raw)
                key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            else:
                mldsa.MLDSA44PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _check_strict_der(signature: bytes) -> None:
    r, s = decode_dss_signature(signature)
    if not (0 < r < P256_ORDER and 0 < s < P256_ORDER) or encode_dss_signature(r, s) != signature:
        raise ValueError("not the one DER encoding of two scalars")


def parse_key(text: str) -> PublicKey:
    """A key as a policy writes it, `algorithm:hex`. MalformedError(reason="key") if it is not sound."""
    algorithm, _, digits = text.partition(":")
    length = _LENGTHS.get(algorithm)
    if length is None or len(digits) != 2 * length or any(c not in "0123456789abcdef" for c in digits):
        raise MalformedError(
            "a key is not in its form",
            reason="key",
            expected="ed25519: and 64, p256: and 66, or mldsa44: and 2624 lower-case hex digits",
            found=shown(text),
        )
    raw = bytes.fromhex(digits)
    problem = ""
    if algorithm == "ed25519":
        problem = ed25519_keys.weakness(raw)
    elif algorithm == "p256":
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
        except ValueError:
            problem = "it is not a compressed point of P-256"
        if raw[0] not in (2, 3):
            problem = "it is not a compressed point of P-256"
    if problem:
        raise MalformedError(f"a key is not sound: {problem}", reason="key", found=shown(text))
    return PublicKey(algorithm, raw)

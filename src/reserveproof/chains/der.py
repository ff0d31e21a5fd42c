"""Strict DER of ECDSA signatures (BIP-66), with the ranges and the low S that BIP-322 requires."""

from __future__ import annotations

from .wallet_libraries import SECP256K1_ORDER


class SignatureFault(Exception):
    """A signature that no key could have made validly. slug and detail go into the verdict."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug, self.detail = slug, detail


def check_scalars(r: int, s: int) -> None:
    """SignatureFault unless r and s are in 1..n-1 and s is in the lower half.

    Recovery accepts a high S where verification rejects it, so it is refused here for both.
    """
    if not (0 < r < SECP256K1_ORDER and 0 < s < SECP256K1_ORDER):
        raise SignatureFault("scalar-range", "The signature's r or s is zero or not below the group order.")
    if s > SECP256K1_ORDER // 2:
        raise SignatureFault("high-s", "The signature's s is in the upper half, the malleable twin of a valid one.")


def _integer(data: bytes, at: int) -> tuple[int, int]:
    if len(data) < at + 2 or data[at] != 0x02:
        raise SignatureFault("signature-der", "The ECDSA signature is not strict DER: an integer is missing.")
    length = data[at + 1]
    body = data[at + 2 : at + 2 + length]
    negative = bool(body) and body[0] >= 0x80
    padded = len(body) > 1 and body[0] == 0 and body[1] < 0x80
    if not body or len(body) != length or negative or padded:
        raise SignatureFault("signature-der", "The ECDSA signature is not strict DER: an integer is not minimal.")
    return int.from_bytes(body), at + 2 + length


def decode_signature(data: bytes) -> tuple[int, int]:
    """(r, s) of a DER signature without its sighash byte. SignatureFault for any other encoding of it, for
    bytes left over, and as check_scalars says."""
    if not 8 <= len(data) <= 72 or data[0] != 0x30 or data[1] != len(data) - 2:
        raise SignatureFault("signature-der", "The ECDSA signature is not strict DER: its outer length is wrong.")
    r, at = _integer(data, 2)
    s, at = _integer(data, at)
    if at != len(data):
        raise SignatureFault("signature-der", "The ECDSA signature is not strict DER: bytes are left over.")
    check_scalars(r, s)
    return r, s

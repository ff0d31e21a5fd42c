"""The one door to libsecp256k1 (coincurve) and keccak-256 (safe-pysha3), opened at the first use.

Both are optional: the base install decodes accounts and reads letters without them. Each function raises
UsageError where its library is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from reserveproof.format.errors import UsageError

if TYPE_CHECKING:
    import coincurve

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""n of SEC 2, section 2.4.1: signatures' r and s are in 1..n-1, and low-S is s <= n // 2."""


def _missing() -> UsageError:
    return UsageError(
        "this check needs the wallet libraries",
        reason="wallet-libraries",
        hint="install the package with its extra, from a checkout: pip install '.[wallets]'",
    )


@cache
def _coincurve() -> tuple[type[coincurve.PublicKey], type[coincurve.PublicKeyXOnly]]:
    try:
        import coincurve
    except ImportError as error:
        raise _missing() from error
    return coincurve.PublicKey, coincurve.PublicKeyXOnly


@cache
def _keccak() -> Callable[[bytes], Any]:
    try:
        import sha3
    except ImportError as error:
        raise _missing() from error
    constructor: Callable[[bytes], Any] = sha3.keccak_256
    return constructor


def keccak256(data: bytes) -> bytes:
    """Keccak-256 with the original padding, as Ethereum uses it; not SHA3-256. 32 bytes."""
    digest: bytes = _keccak()(data).digest()
    return digest


def ecdsa_verifies(public_key: bytes, digest: bytes, der: bytes) -> bool:
    """Whether a DER signature (no sighash byte) over a 32-byte digest verifies under an encoded public key.

    False, never an exception, for a key off the curve, for unparseable DER and for a high S: libsecp256k1
    verifies normalised signatures only.
    """
    key_type, _ = _coincurve()
    try:
        return key_type(public_key).verify(der, digest, hasher=None)
    except ValueError:
        return False


def schnorr_verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """BIP-340 verification: a 32-byte x-only key, a 64-byte signature; False for any other length."""
    if len(public_key) != 32 or len(signature) != 64:  # the library reads 32 bytes whatever it is given
        return False
    _, key_type = _coincurve()
    try:
        return key_type(public_key).verify(signature, message)
    except ValueError:
        return False


def ecdsa_recover(digest: bytes, compact: bytes, parity: int) -> bytes | None:
    """The uncompressed public key (65 bytes) that made the compact signature r || s (64 bytes) over a
    32-byte digest, or None. A high S is NOT refused here: libsecp256k1 recovers from it too."""
    key_type, _ = _coincurve()
    try:
        key = key_type.from_signature_and_message(compact + bytes([parity]), digest, hasher=None)
    except ValueError:
        return None
    return key.format(compressed=False)

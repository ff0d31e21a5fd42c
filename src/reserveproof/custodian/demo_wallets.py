"""Wallets of the demonstration: raw keys that sign challenges, deterministically.

Never for real funds: the secret stands in the process's memory, and nonces take no fresh randomness so that
a demonstration gives the same bytes each time. A custodian signs with its own wallets and devices.
"""

from __future__ import annotations

import base64

import coincurve

from reserveproof.chains.bech32 import encode_segwit
from reserveproof.chains.bip322 import PREFIX, encode_witness
from reserveproof.chains.bip322_transactions import (
    SIGHASH_ALL,
    SIGHASH_DEFAULT,
    p2tr_digest,
    p2wpkh_digest,
    sha256,
    tagged_hash,
)
from reserveproof.chains.eip191 import address_of_key, personal_digest
from reserveproof.chains.ripemd160 import ripemd160
from reserveproof.chains.wallet_libraries import SECP256K1_ORDER


def _key_hash(secret: bytes) -> bytes:
    return ripemd160(sha256(coincurve.PrivateKey(secret).public_key.format()))


def _taproot_key(secret: bytes) -> coincurve.PrivateKey:
    """The key of the output: BIP-341's tweak with no script tree, as BIP-86 wallets derive it."""
    key = coincurve.PrivateKey(secret)
    x_only = key.public_key_xonly.format()
    scalar = key.to_int() if not key.public_key_xonly.parity else SECP256K1_ORDER - key.to_int()
    tweak = int.from_bytes(tagged_hash("TapTweak", x_only))
    return coincurve.PrivateKey.from_int((scalar + tweak) % SECP256K1_ORDER)


def _published(items: list[bytes]) -> str:
    return PREFIX + base64.b64encode(encode_witness(items)).decode("ascii")


def bip322_p2wpkh_address(secret: bytes, hrp: str = "bc") -> str:
    """The P2WPKH address of a 32-byte secret on the network of `hrp`."""
    return encode_segwit(hrp, 0, _key_hash(secret))


def bip322_p2tr_address(secret: bytes, hrp: str = "bc") -> str:
    """The key-path-only P2TR address of a 32-byte secret."""
    return encode_segwit(hrp, 1, _taproot_key(secret).public_key_xonly.format())


def sign_bip322_p2wpkh(secret: bytes, message: str) -> str:
    """A simple-format BIP-322 signature for the secret's P2WPKH address, on any network."""
    key = coincurve.PrivateKey(secret)
    digest = p2wpkh_digest(_key_hash(secret), message.encode("utf-8"))
    return _published([key.sign(digest, hasher=None) + bytes([SIGHASH_ALL]), key.public_key.format()])


def sign_bip322_p2tr(secret: bytes, message: str) -> str:
    """A simple-format BIP-322 signature for the secret's P2TR address: SIGHASH_DEFAULT, zero auxiliary bytes."""
    key = _taproot_key(secret)
    digest = p2tr_digest(key.public_key_xonly.format(), message.encode("utf-8"), SIGHASH_DEFAULT)
    return _published([key.sign_schnorr(digest, bytes(32))])


def eip191_address(secret: bytes) -> str:
    """The lower-case address of a 32-byte secret."""
    return address_of_key(coincurve.PrivateKey(secret).public_key.format(compressed=False))


def sign_eip191(secret: bytes, message: str) -> str:
    """personal_sign: 0x and 65 bytes r, s, v with v of 27 or 28, lower-case hex."""
    signature = coincurve.PrivateKey(secret).sign_recoverable(personal_digest(message.encode("utf-8")), hasher=None)
    return "0x" + signature[:64].hex() + f"{27 + signature[64]:02x}"

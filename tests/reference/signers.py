"""Keys of the vectors, each from a fixed seed. They protect nothing."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dilithium_py.ml_dsa import ML_DSA_44

from .conventions import H
from .signatures import P256_ORDER
from .statement import pae


class Key:
    """kind: ed25519, p256 or mldsa44. `text` is the key as a policy writes it."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.seed = kind, H(f"reserveproof vector key {kind} {name}".encode())
        self.text = f"{kind}:{self._public().hex()}"

    def _p256(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self.seed, "big") % (P256_ORDER - 1) + 1, ec.SECP256R1())

    def _public(self) -> bytes:
        if self.kind == "ed25519":
            return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        if self.kind == "mldsa44":
            return bytes(ML_DSA_44.key_derive(self.seed)[0])
        return self._p256().public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    def sign(self, payload: bytes) -> bytes:
        return self.sign_bytes(pae(payload))

    def sign_bytes(self, message: bytes) -> bytes:
        if self.kind == "ed25519":
            return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)
        if self.kind == "mldsa44":
            return bytes(ML_DSA_44.sign(ML_DSA_44.key_derive(self.seed)[1], message, deterministic=True))
        return self._p256().sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))


OFFICER = Key("ed25519", "officer")
SECOND_OFFICER = Key("ed25519", "second officer")
AUDITOR = Key("ed25519", "auditor")
HSM = Key("p256", "hsm")
LATTICE = Key("mldsa44", "lattice")
STRANGER = Key("ed25519", "stranger")
LOG = Key("ed25519", "log")
WITNESSES = tuple(Key("ed25519", f"witness {number}") for number in (1, 2, 3))
LATTICE_WITNESS = Key("mldsa44", "witness")

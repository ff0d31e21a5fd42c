"""EIP-191 personal_sign (version 0x45): an externally owned account signs a text.

It shows that the key of the address signed. Whether the address also has code (a delegation of EIP-7702)
is a matter of the chain's state and not looked at: the key still decides. A contract has no key, so no
signature is ever valid for one.
"""

from __future__ import annotations

import re

from .der import SignatureFault, check_scalars
from .ethereum import NAMESPACE, address_of
from .interfaces import KEY_SIGNATURE, ControlEvidence, ControlResult, invalid, valid
from .wallet_libraries import ecdsa_recover, keccak256

SIGNATURE = re.compile(r"0x(?:[0-9a-f]{130}|[0-9a-f]{128})")
_PARITY_OF_V = {0: 0, 1: 1, 27: 0, 28: 1}
_TOP_BIT = 1 << 255


def personal_digest(message: bytes) -> bytes:
    """keccak-256 of 0x19 "Ethereum Signed Message:" newline, the length in decimal, and the message."""
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode("ascii") + message)


def address_of_key(public_key: bytes) -> str:
    """The lower-case address of an uncompressed public key (65 bytes): keccak-256's last 20 bytes."""
    return "0x" + keccak256(public_key[1:])[-20:].hex()


def decode_signature(signature: str) -> tuple[bytes, int]:
    """(r || s, parity) of 65 bytes r, s, v with v of 0, 1, 27 or 28, or of EIP-2098's 64, where the parity
    is the top bit of s. SignatureFault for any other encoding, v, range or half of s."""
    if not SIGNATURE.fullmatch(signature):
        raise SignatureFault(
            "signature-encoding", "The signature is not 0x and 130 (or, by EIP-2098, 128) lower-case hex digits."
        )
    data = bytes.fromhex(signature[2:])
    r, s = int.from_bytes(data[:32]), int.from_bytes(data[32:64])
    if len(data) == 64:
        parity, s = s >> 255, s & (_TOP_BIT - 1)
    else:
        if data[64] not in _PARITY_OF_V:
            raise SignatureFault("recovery-id", "The signature's last byte is none of 0, 1, 27 and 28.")
        parity = _PARITY_OF_V[data[64]]
    check_scalars(r, s)
    return r.to_bytes(32) + s.to_bytes(32), parity


class Eip191:
    """ControlScheme: personal_sign over the challenge text by the account's own key."""

    name = "eip191"

    def applicable(self, account: str) -> bool:
        return account.startswith(NAMESPACE + ":")

    def verify(self, account: str, message: str, evidence: ControlEvidence) -> ControlResult:
        address = address_of(account)
        try:
            compact, parity = decode_signature(evidence.signature)
        except SignatureFault as fault:
            return invalid(fault.slug, fault.detail)
        key = ecdsa_recover(personal_digest(message.encode("utf-8")), compact, parity)
        if key is None or address_of_key(key) != address:
            return invalid("signature-does-not-verify", "The account's key did not sign this message.")
        return valid(KEY_SIGNATURE, "signature-verifies", "The account's key signed this message (EIP-191).")

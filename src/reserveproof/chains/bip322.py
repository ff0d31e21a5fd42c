"""BIP-322 (version 2.0) generic signed messages, simple format, by templates.

No script interpreter: a witness is judged only where it is one of two templates, P2WPKH and P2TR by the
key path. A script can be satisfied with no signature at all (OP_TRUE), and BIP-322 calls that valid; here
at least one real signature is demanded, so everything else is inconclusive and does not count.
"""

from __future__ import annotations

import base64
import binascii

from .bip322_transactions import SIGHASH_ALL, SIGHASH_DEFAULT, p2tr_digest, p2wpkh_digest, sha256
from .bitcoin import NAMESPACE, Output, output_of
from .der import SignatureFault, decode_signature
from .interfaces import (
    KEY_SIGNATURE,
    MAX_SIGNATURE_CHARACTERS,
    ControlEvidence,
    ControlResult,
    inconclusive,
    invalid,
    valid,
)
from .ripemd160 import ripemd160
from .wallet_libraries import ecdsa_verifies, schnorr_verifies

PREFIX = "smp"
_OTHER_PREFIXES = ("ful", "pof")
_ANNEX = 0x50

_NO_SIGNATURE = "Whether a key signed cannot be told without running its script, so the account does not count."


def parse_witness(data: bytes) -> list[bytes]:
    """The items of a consensus-encoded witness stack: every length in its shortest CompactSize, and not
    one byte left over. SignatureFault("witness") otherwise; memory is bounded by the bytes given."""
    count, at = _compact_size(data, 0)
    items: list[bytes] = []
    while len(items) < count:
        length, at = _compact_size(data, at)
        if length > len(data) - at:
            raise _witness_fault("an item is longer than what is left")
        items.append(data[at : at + length])
        at += length
    if at != len(data):
        raise _witness_fault("bytes are left over")
    return items


def encode_witness(items: list[bytes]) -> bytes:
    """The encoding of a stack of fewer than 253 items, each below 253 bytes."""
    return bytes([len(items)]) + b"".join(bytes([len(item)]) + item for item in items)


def _witness_fault(why: str) -> SignatureFault:
    return SignatureFault("witness", f"The witness stack is malformed: {why}.")


def _compact_size(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise _witness_fault("it ends early")
    first = data[at]
    if first < 0xFD:
        return first, at + 1
    width = {0xFD: 2, 0xFE: 4, 0xFF: 8}[first]
    value = int.from_bytes(data[at + 1 : at + 1 + width], "little")
    if len(data) < at + 1 + width or value < {2: 0xFD, 4: 1 << 16, 8: 1 << 32}[width]:
        raise _witness_fault("a length is not in its shortest form")
    return value, at + 1 + width


def decode_text(signature: str) -> list[bytes]:
    """The witness stack of a published signature. SignatureFault for a missing or another prefix, and for
    base64 that is not the one canonical spelling of its bytes."""
    if len(signature) > MAX_SIGNATURE_CHARACTERS:
        raise SignatureFault("signature-too-long", "The signature is far longer than any known template's.")
    if signature.startswith(_OTHER_PREFIXES):
        raise SignatureFault(
            "wrong-prefix",
            f"The signature is in BIP-322's {signature[:3]} format; sign in the simple one, which begins with smp.",
        )
    if not signature.startswith(PREFIX):
        raise SignatureFault(
            "wrong-prefix",
            "The signature lacks the smp prefix (the form before BIP-322 1.0): sign with a wallet that writes it, "
            "or put smp in front if the text is a simple-format signature.",
        )
    body = signature[len(PREFIX) :]
    try:
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise SignatureFault("signature-encoding", "The signature is not base64 after its prefix.") from None
    if not data or base64.b64encode(data).decode("ascii") != body:
        raise SignatureFault("signature-encoding", "The signature's base64 is empty or not canonical.")
    return parse_witness(data)


def _judge_p2wpkh(key_hash: bytes, items: list[bytes], message: bytes) -> ControlResult:
    """BIP-141 P2WPKH: exactly [signature, compressed key]; BIP-322's required rules LOW_S, STRICTENC and
    SIGHASH_ALL."""
    if len(items) != 2:
        return invalid("witness", "A P2WPKH witness is exactly a signature and a public key.")
    signature, key = items
    if len(key) != 33 or key[0] not in (2, 3):
        return invalid("witness", "The witness's public key is not in compressed form.")
    if ripemd160(sha256(key)) != key_hash:
        return invalid("wrong-key", "The witness's public key is not the address's.")
    if not signature or signature[-1] != SIGHASH_ALL:
        return invalid("sighash", "The signature is not made with SIGHASH_ALL.")
    decode_signature(signature[:-1])
    if not ecdsa_verifies(key, p2wpkh_digest(key_hash, message), signature[:-1]):
        return invalid("signature-does-not-verify", "The address's key did not sign this message.")
    return valid(KEY_SIGNATURE, "signature-verifies", "The address's key signed this message (BIP-322, P2WPKH).")


def _judge_p2tr(output_key: bytes, items: list[bytes], message: bytes) -> ControlResult:
    """BIP-341 key path: exactly [signature]; two items or more are a script path or an annex."""
    if len(items) >= 2:
        what = "carries an annex" if items[-1][:1] == bytes([_ANNEX]) else "spends by a script"
        return inconclusive("unknown-script", f"The taproot witness {what}. {_NO_SIGNATURE}")
    if len(items) != 1 or len(items[0]) not in (64, 65):
        return invalid("witness", "A taproot key path witness is exactly one signature of 64 or 65 bytes.")
    signature, hash_type = items[0][:64], SIGHASH_DEFAULT
    if len(items[0]) == 65:
        hash_type = items[0][64]
        if hash_type != SIGHASH_ALL:  # 0x00 may not be spelled out (BIP-341)
            return invalid("sighash", "The signature is made with neither SIGHASH_DEFAULT nor SIGHASH_ALL.")
    if not schnorr_verifies(output_key, p2tr_digest(output_key, message, hash_type), signature):
        return invalid("signature-does-not-verify", "The address's key did not sign this message.")
    return valid(KEY_SIGNATURE, "signature-verifies", "The address's key signed this message (BIP-322, P2TR).")


def _judge(output: Output, items: list[bytes], message: bytes) -> ControlResult:
    if output.kind == "witness" and output.version == 0 and len(output.program) == 20:
        return _judge_p2wpkh(output.program, items, message)
    if output.kind == "witness" and output.version == 1 and len(output.program) == 32:
        return _judge_p2tr(output.program, items, message)
    kind = "P2WSH" if output.version == 0 else f"witness version {output.version}" if output.version > 0 else ""
    kind = kind or output.kind.upper()
    return inconclusive("unknown-script", f"No template for {kind} is known. {_NO_SIGNATURE}")


class Bip322Simple:
    """ControlScheme: a simple-format BIP-322 signature by the one key of a P2WPKH or P2TR address."""

    name = "bip322-smp"

    def applicable(self, account: str) -> bool:
        return account.startswith(NAMESPACE + ":")

    def verify(self, account: str, message: str, evidence: ControlEvidence) -> ControlResult:
        output = output_of(account)
        try:
            items = decode_text(evidence.signature)
            return _judge(output, items, message.encode("utf-8"))
        except SignatureFault as fault:
            return invalid(fault.slug, fault.detail)

"""BIP-322's two virtual transactions and the digests that wallets sign over the second.

Byte layouts follow "Full" of BIP-322 with the default values of the simple format: to_sign has version 0,
lock time 0, one input with sequence 0 and one empty OP_RETURN output.
"""

from __future__ import annotations

import hashlib

SIGHASH_DEFAULT = 0x00
SIGHASH_ALL = 0x01

_U32_ZERO = bytes(4)
_U64_ZERO = bytes(8)
_OP_RETURN_OUTPUT = _U64_ZERO + b"\x01\x6a"


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def double_sha256(data: bytes) -> bytes:
    return sha256(sha256(data))


def tagged_hash(tag: str, data: bytes) -> bytes:
    """BIP-340: SHA-256 under a prefix of the tag's hash, twice."""
    prefix = sha256(tag.encode("ascii"))
    return sha256(prefix + prefix + data)


def message_hash(message: bytes) -> bytes:
    return tagged_hash("BIP0322-signed-message", message)


def compact_bytes(data: bytes) -> bytes:
    """A CompactSize length below 253 and the bytes: no output script of ours is longer."""
    if len(data) >= 0xFD:
        raise ValueError("the script is longer than any address's")
    return bytes([len(data)]) + data


def to_spend_txid(script_pubkey: bytes, message: bytes) -> bytes:
    """The id of to_spend in internal byte order (explorers print it reversed)."""
    return double_sha256(
        _U32_ZERO  # nVersion
        + b"\x01" + bytes(32) + b"\xff\xff\xff\xff"  # the prevout that does not exist
        + b"\x22\x00\x20" + message_hash(message) + _U32_ZERO  # OP_0 PUSH32[message_hash], nSequence
        + b"\x01" + _U64_ZERO + compact_bytes(script_pubkey)
        + _U32_ZERO  # nLockTime
    )  # fmt: skip


def to_sign_txid(spent_txid: bytes) -> bytes:
    """The id of to_sign, which leaves the witness out."""
    return double_sha256(
        _U32_ZERO + b"\x01" + spent_txid + _U32_ZERO + b"\x00" + _U32_ZERO + b"\x01" + _OP_RETURN_OUTPUT + _U32_ZERO
    )


def p2wpkh_digest(key_hash: bytes, message: bytes) -> bytes:
    """BIP-143's digest of to_sign's input for SIGHASH_ALL, for the P2WPKH output of a 20-byte key hash."""
    outpoint = to_spend_txid(b"\x00\x14" + key_hash, message) + _U32_ZERO
    return double_sha256(
        _U32_ZERO  # nVersion
        + double_sha256(outpoint)  # hashPrevouts
        + double_sha256(_U32_ZERO)  # hashSequence
        + outpoint
        + b"\x19\x76\xa9\x14" + key_hash + b"\x88\xac"  # scriptCode
        + _U64_ZERO  # the amount spent
        + _U32_ZERO  # nSequence
        + double_sha256(_OP_RETURN_OUTPUT)  # hashOutputs
        + _U32_ZERO  # nLockTime
        + SIGHASH_ALL.to_bytes(4, "little")
    )  # fmt: skip


def p2tr_digest(output_key: bytes, message: bytes, hash_type: int) -> bytes:
    """BIP-341's digest of to_sign's input for a key path spend without an annex; hash_type is
    SIGHASH_DEFAULT or SIGHASH_ALL, the two that BIP-322 allows."""
    script = b"\x51\x20" + output_key
    return tagged_hash(
        "TapSighash",
        b"\x00"  # epoch
        + bytes([hash_type])
        + _U32_ZERO  # nVersion
        + _U32_ZERO  # nLockTime
        + sha256(to_spend_txid(script, message) + _U32_ZERO)  # sha_prevouts
        + sha256(_U64_ZERO)  # sha_amounts
        + sha256(compact_bytes(script))  # sha_scriptpubkeys
        + sha256(_U32_ZERO)  # sha_sequences
        + sha256(_OP_RETURN_OUTPUT)  # sha_outputs
        + b"\x00"  # spend_type: key path, no annex
        + _U32_ZERO,  # input_index
    )

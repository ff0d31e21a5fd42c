"""A log, its key and its policy, made here, for a witness to look at."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reserveproof.custodian import log_tree
from reserveproof.format import checkpoint as checkpoints
from reserveproof.format import note_text, signed_note
from reserveproof.format.checkpoint import Checkpoint
from reserveproof.format.signed_note import Note, NoteSignature
from reserveproof.verifier.policy import parse_policy

ORIGIN = "acme.example/attestations"
NAME = "auditor.example/w1"
NOW = 1_700_000_000
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"a log").digest())
LEAVES = [hashlib.sha256(b"\0entry %d" % number).digest() for number in range(12)]
OTHERS = [*LEAVES[:3], *(hashlib.sha256(b"\0other %d" % number).digest() for number in range(9))]
"""The same log until it forks after three entries."""


def policy(origin: str = ORIGIN, key: Ed25519PrivateKey = KEY) -> str:
    return f"""
format = 1
custodian = "acme"
kinds = [1]
least_assurance = "CUSTODIAN_CONFIRMATION"
reserves = "signed"
publication = "log"
max_age_days = 30
min_interval_days = 1

[thresholds]
officer = 1

[log]
origin = "{origin}"
key = "ed25519:{key.public_key().public_bytes_raw().hex()}"
witnesses_needed = 0

[[signers]]
name = "Jane"
role = "officer"
keys = ["ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"]
"""


def policy_file(folder: Path, text: str = "") -> Path:
    path = folder / "policy.toml"
    path.write_text(text or policy(), "utf-8")
    return path


def terms():
    return parse_policy(policy().encode()).log


def note(leaves: list[bytes], origin: str = ORIGIN, key: Ed25519PrivateKey = KEY) -> str:
    """The signed checkpoint of a log of these leaves."""
    text = checkpoints.dump(Checkpoint(origin, len(leaves), log_tree.root_of(leaves)))
    identity = signed_note.key_id(origin, 1, key.public_key().public_bytes_raw())
    return signed_note.dump(Note(text, (NoteSignature(origin, identity, key.sign(text.encode())),)))


def request(old: int, size: int, leaves: list[bytes] = LEAVES, **changes: object) -> bytes:
    """An honest request from old to size."""
    path = log_tree.consistency_path(min(old, size), leaves[:size])
    return f"old {old}\n{note_text.dump_hashes(path)}\n{note(leaves[:size], **changes)}".encode()

"""Signing keys in files: Ed25519, PEM PKCS#8, readable by their owner only. A custodian's own edge to key files.

Production keys belong in an HSM or a key service; a file is for small custodians, tests and the demo.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ..format.errors import InputError, UsageError
from .atomic_files import create_file, read_file

_MAX_PEM = 1 << 14


def create_key(path: Path) -> str:
    """Make a key in a new file; its public half as a trust policy spells it. UsageError if the file exists."""
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} exists and is not replaced", reason="exists", hint="give a new file")
    key = Ed25519PrivateKey.generate()
    create_file(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return public_text(key)


def load_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file. InputError if it is open to others, is none, or is of another kind or encrypted."""
    data = read_file(path, limit=_MAX_PEM, private=True)
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError:
        raise InputError("is encrypted, and no password is asked for", file=str(path), reason="key") from None
    except Exception:  # noqa: BLE001 - whatever the library says of a damaged file, it is not a key
        raise InputError("is not a private key in PEM", file=str(path), reason="key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError("is not an Ed25519 key", file=str(path), reason="key",
                         hint="reserveproof key new FILE")  # fmt: skip
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half, `ed25519:HEX64`."""
    return "ed25519:" + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

"""A witness's own keys: Ed25519 and ML-DSA-44, PEM PKCS#8 in files that only their owner can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from ..format.errors import TransportError, UsageError

Key = Ed25519PrivateKey | MLDSA44PrivateKey
ALGORITHMS = ("ed25519", "mldsa44")
_MAX_PEM = 1 << 14


def create_key(path: Path, algorithm: str) -> str:
    """Make a key in a new file; its public half as a trust policy spells it. UsageError if the file is there."""
    key: Key = Ed25519PrivateKey.generate() if algorithm == "ed25519" else MLDSA44PrivateKey.generate()
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} exists and is not replaced", reason="exists", hint="give a new file") from None
    except OSError as error:
        raise TransportError(f"cannot write {path}: {error.strerror}", reason="io") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(handle, 0o600)  # whatever the umask
            stream.write(data)
            stream.flush()
            os.fsync(handle)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return public_text(key)


def load_key(path: Path) -> Key:
    """The key in a file. UsageError if others may read it or it is none of the two kinds; TransportError if it cannot
    be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            found = os.fstat(handle)
            data = stream.read(_MAX_PEM)
    except OSError as error:
        raise TransportError(f"cannot read {path}: {error.strerror}", reason="io") from None
    if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
        raise UsageError(f"{path} is open to others than its owner, and is secret", reason="permissions",
                         hint=f"chmod 600 {path}; if others may have read it, it is a secret no more")  # fmt: skip
    try:
        key = load_pem_private_key(data, password=None)
    except Exception:  # noqa: BLE001 - whatever the library says of a damaged or encrypted file, it is not a key
        raise UsageError(f"{path} is not a private key in PEM", reason="key") from None
    if not isinstance(key, Ed25519PrivateKey | MLDSA44PrivateKey):
        raise UsageError(f"{path} is neither an Ed25519 nor an ML-DSA-44 key", reason="key",
                         hint="reserveproof-witness key FILE makes one")  # fmt: skip
    return key


def algorithm_of(key: Key) -> str:
    return "ed25519" if isinstance(key, Ed25519PrivateKey) else "mldsa44"


def public_bytes(key: Key) -> bytes:
    return key.public_key().public_bytes_raw()


def public_text(key: Key) -> str:
    """The public half, `algorithm:hex`."""
    return f"{algorithm_of(key)}:{public_bytes(key).hex()}"

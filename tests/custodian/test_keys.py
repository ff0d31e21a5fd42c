"""Signing keys in files: new, private, and what their public half says."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from reserveproof.custodian.keys import create_key, load_key, public_text
from reserveproof.format.errors import InputError, TransportError, UsageError


def test_a_new_key(tmp_path: Path) -> None:
    path = tmp_path / "officer.pem"
    text = create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert text == public_text(load_key(path))
    assert len(text) == len("ed25519:") + 64
    assert create_key(tmp_path / "other.pem") != text


def test_no_key_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "k"
    create_key(path)
    before = path.read_bytes()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for taken in (path, tmp_path / "dangling", tmp_path):
        with pytest.raises(UsageError, match="not replaced"):
            create_key(taken)
    assert path.read_bytes() == before
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(TransportError):
        create_key(tmp_path / "none" / "k")


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o602])
def test_an_open_key_is_refused(tmp_path: Path, bits: int) -> None:
    create_key(tmp_path / "k")
    (tmp_path / "k").chmod(bits)
    with pytest.raises(InputError, match="open to others"):
        load_key(tmp_path / "k")


def test_what_is_no_key_of_ours(tmp_path: Path) -> None:
    create_key(tmp_path / "k")
    key = load_key(tmp_path / "k")
    other = ec.generate_private_key(ec.SECP256R1())
    wrong = {
        "not a private key": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "is not a private": b"",
        "not an Ed25519 key": other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "is encrypted": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
    }
    for said, data in wrong.items():
        (tmp_path / "k").write_bytes(data)
        with pytest.raises(InputError, match=said):
            load_key(tmp_path / "k")

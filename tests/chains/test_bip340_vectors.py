"""BIP-340's vectors through the library that judges taproot signatures."""

from __future__ import annotations

import pytest

from chains.public_vectors import bip340
from reserveproof.chains.wallet_libraries import schnorr_verifies


@pytest.mark.parametrize("row", bip340())
def test_bip340(row: dict[str, str]) -> None:
    verdict = schnorr_verifies(
        bytes.fromhex(row["public key"]), bytes.fromhex(row["message"]), bytes.fromhex(row["signature"])
    )
    assert verdict is (row["verification result"] == "TRUE")


def test_a_wrong_length_is_false_and_not_read_past_its_end() -> None:
    assert not schnorr_verifies(b"", b"m" * 32, bytes(64))
    assert not schnorr_verifies(bytes(31), b"m" * 32, bytes(64))
    assert not schnorr_verifies(b"\x01" * 32, b"m" * 32, bytes(63))

"""Public test vectors, read in place beside the checkout; a test that needs them is skipped without."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MAINNET = "bip122:000000000019d6689c085ae165831e93"
TESTNET = "bip122:000000000933ea01ad0ee984209779ba"
REGTEST = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"

_ABSENT = "the public vectors are not beside the checkout"


def bip322(file: str, section: str) -> list[Any]:
    """The cases of one section, as pytest parameters; one skipped parameter where the file is absent."""
    path = DATA / "bip-0322" / f"{file}-test-vectors.json"
    if not path.is_file():
        return [pytest.param({}, marks=pytest.mark.skip(reason=_ABSENT))]
    cases = json.loads(path.read_text(encoding="utf-8"))[section]
    return [pytest.param(case, id=f"{file}-{section}-{i}") for i, case in enumerate(cases)]


def bip340() -> list[Any]:
    path = DATA / "bip-0340" / "test-vectors.csv"
    if not path.is_file():
        return [pytest.param({}, marks=pytest.mark.skip(reason=_ABSENT))]
    with path.open(encoding="utf-8", newline="") as file:
        return [pytest.param(row, id=f"bip340-{row['index']}") for row in csv.DictReader(file)]


def secret_of_wif(text: str) -> bytes:
    """The secret of a compressed mainnet key in wallet import format, unchecked."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for character in text:
        number = number * 58 + alphabet.index(character)
    return number.to_bytes(38)[1:33]

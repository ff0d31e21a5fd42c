"""RIPEMD-160 without OpenSSL: the authors' vectors, and OpenSSL's own where it has one."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reserveproof.chains import ripemd160 as module
from reserveproof.chains.ripemd160 import ripemd160, ripemd160_plain

VECTORS = {
    b"": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
    b"a": "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe",
    b"abc": "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    b"message digest": "5d0689ef49d2fae572b881b123a85ffa21595f36",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "12a053384a9c0c88e405a06c27dcf49ada62eb2b",
    b"1234567890" * 8: "9b752e45573d4b39f4dbd3323cab82bf63326bfb",
}


@pytest.mark.parametrize("data", VECTORS)
def test_published(data: bytes) -> None:
    assert ripemd160_plain(data).hex() == VECTORS[data]
    assert ripemd160(data).hex() == VECTORS[data]


@given(st.binary(max_size=300))
def test_the_two_agree(data: bytes) -> None:
    assert ripemd160_plain(data) == ripemd160(data)


def test_where_openssl_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, data: bytes) -> None:
        raise ValueError("unsupported hash type " + name)

    monkeypatch.setattr(hashlib, "new", absent)
    assert module.ripemd160(b"abc").hex() == VECTORS[b"abc"]

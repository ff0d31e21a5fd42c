"""What is hashed in bulk is what is hashed one by one."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reserveproof.format.errors import EvidenceError
from reserveproof.verifier.hashing import Keyed, SecretLeaves, Tree, TreeName, blind, record

TREE = Tree(TreeName(b"L", "acme", "s1", "trust-a", "BTC"))
AMOUNTS = st.integers(0, 2**126 - 1)


@given(key=st.binary(max_size=64), messages=st.lists(st.binary(max_size=200), max_size=4))
def test_keyed_is_hmac(key, messages):
    keyed = Keyed(key)
    assert [keyed.of(message) for message in messages] == [hmac.digest(key, m, "sha256") for m in messages]


def test_a_longer_key_is_refused():
    with pytest.raises(ValueError, match="longer"):
        Keyed(bytes(65))


@given(key=st.binary(min_size=32, max_size=32), holder=st.binary(min_size=32, max_size=32), amount=AMOUNTS)
def test_secret_leaves(key, holder, amount):
    details = holder[::-1]
    one = TREE.leaf(blind(key, holder), holder, details, amount), amount
    assert SecretLeaves(TREE, key).record(holder, details, amount) == record(one)


@given(nodes=st.lists(st.tuples(st.binary(min_size=32, max_size=32), AMOUNTS), max_size=8), level=st.integers(1, 48))
def test_parents(nodes, level):
    nodes = nodes[: len(nodes) & ~1]
    pairs = zip(nodes[::2], nodes[1::2], strict=True)
    assert TREE.parents(level, [record(n) for n in nodes]) == [record(TREE.node(level, *pair)) for pair in pairs]


def test_a_sum_in_bulk_is_bounded():
    nodes = [record((bytes(32), amount)) for amount in (1, 2, 2**126, 2**126)]
    with pytest.raises(EvidenceError) as refused:
        TREE.parents(1, nodes)
    assert refused.value.reason == "sum"
    with pytest.raises(ValueError, match="zip"):
        TREE.parents(1, nodes[:3])

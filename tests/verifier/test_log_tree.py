"""The log's tree against public probes, and against a recursive one for every small size."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from reserveproof.format.errors import EvidenceError
from reserveproof.verifier.log_tree import (
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
    root_before,
    root_of,
)

ROOT = Path(__file__).resolve().parents[2]
PROBES = Path(os.environ.get("RESERVEPROOF_TEST_DATA", ROOT.parent / "shared" / "data")) / "rfc6962-probes"
"""Beside the checkout, as the other public vectors are, or where the environment says."""


EMPTY = "an empty older log, of which every log is a continuation"
STRICTER = {
    "consistency/additional/sizes-are-equal-one-and-proof-is-empty": "two equal roots that are no hashes of 32 bytes",
    "subtreeconsistency/additional/sizes-are-equal-one-and-proof-is-empty": "the same",
    "subtreeconsistency/additional/subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-proof-is-empty": EMPTY,
    "subtreeconsistency/additional/subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-tree-root-random-proof-is-"
    "empty": EMPTY,
}
"""Probes that the library they come from accepts, and why this verifier does not."""
SUBTREE = "a subtree that does not begin at 0 (draft-ietf-plants-merkle-tree-certs): a log's checkpoints have none"


def probes(kind: str) -> list[Any]:
    if not PROBES.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason="the public probes are not beside the checkout"))]
    found = sorted((PROBES / kind).rglob("*.json"))
    return [pytest.param(path, id=path.relative_to(PROBES / kind).with_suffix("").as_posix()) for path in found]


def holds(check: Any, *given: Any) -> bool:
    try:
        check(*given)
    except EvidenceError:
        return False
    return True


def expect(path: Path, probe: dict[str, Any], check: Any, *middle: Any, first: str, last: str = "root") -> None:
    name = path.relative_to(PROBES).with_suffix("").as_posix()
    proof = [base64.b64decode(item) for item in probe["proof"] or []]
    before, *after = middle
    first_hash, root = (base64.b64decode(probe[member] or "") for member in (first, last))
    if check is check_inclusion:
        accepted = holds(check_inclusion, first_hash, before, *after, proof, root)
    else:
        accepted = holds(check_consistency, before, first_hash, *after, root, proof)
    assert accepted == (not probe["wantErr"] and name not in STRICTER)


def load(path: Path) -> dict[str, Any]:
    probe: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if probe.get("start", 0) != 0:
        pytest.skip(SUBTREE)
    return probe


@pytest.mark.parametrize("path", probes("inclusion"))
def test_inclusion_probe(path: Path) -> None:
    probe = load(path)
    expect(path, probe, check_inclusion, probe["leafIdx"], probe["treeSize"], first="leafHash")


@pytest.mark.parametrize("path", probes("consistency"))
def test_consistency_probe(path: Path) -> None:
    probe = load(path)
    expect(path, probe, check_consistency, probe["size1"], probe["size2"], first="root1", last="root2")


@pytest.mark.parametrize("path", probes("subtreeinclusion"))
def test_subtree_inclusion_probe(path: Path) -> None:
    """A subtree from 0 is the log at an earlier size."""
    probe = load(path)
    expect(path, probe, check_inclusion, probe["leafIdx"], probe["end"], first="leafHash")


@pytest.mark.parametrize("path", probes("subtreeconsistency"))
def test_subtree_consistency_probe(path: Path) -> None:
    """A subtree from 0 is consistent with a log as an earlier log is."""
    probe = load(path)
    expect(path, probe, check_consistency, probe["end"], probe["size"], first="root1", last="root2")


def test_every_probe_is_looked_at() -> None:
    if not PROBES.is_dir():
        pytest.skip("the public probes are not beside the checkout")
    kinds = ("inclusion", "consistency", "subtreeinclusion", "subtreeconsistency")
    assert len(list(PROBES.rglob("*.json"))) == sum(len(probes(kind)) for kind in kinds) == 518


def recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, to the letter."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(recursive_root(leaves[:k]), recursive_root(leaves[k:]))


def recursive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) < 2:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if index < k:
        return [*recursive_path(index, leaves[:k]), recursive_root(leaves[k:])]
    return [*recursive_path(index - k, leaves[k:]), recursive_root(leaves[:k])]


def recursive_proof(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [recursive_root(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= k:
        return [*recursive_proof(old, leaves[:k], whole), recursive_root(leaves[k:])]
    return [*recursive_proof(old - k, leaves[k:], False), recursive_root(leaves[:k])]


LEAVES = [leaf_hash(bytes([number])) for number in range(33)]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_small_log(size: int) -> None:
    leaves = LEAVES[:size]
    root = root_of(leaves)
    assert root == recursive_root(leaves)
    for index in range(size):
        path = recursive_path(index, leaves)
        assert check_inclusion(leaves[index], index, size, path, root) == root
        for before in range(size + 2):
            told = root_before(leaves[index], index, size, path, before)
            known = 0 < before <= size and before in (index, index + 1)
            assert told == (recursive_root(leaves[:before]) if known else None)
        for wrong in (index - 1, index + 1, size, -1):
            accepted = holds(check_inclusion, leaves[wrong % size], wrong, size, path, root)
            assert accepted == (wrong in range(size) and recursive_path(wrong, leaves) == path)
        for mutated in ([*path, root], path[:-1] or [root], [b"x" * 31, *path[1:]] if path else [b""]):
            assert not holds(check_inclusion, leaves[index], index, size, mutated, root)
    for old in range(1, size + 1):
        proof, before = recursive_proof(old, leaves), recursive_root(leaves[:old])
        assert check_consistency(old, before, size, root, proof) == root
        assert not holds(check_consistency, old, node_hash(before, before), size, root, proof)
        assert not holds(check_consistency, old, before, size, node_hash(root, root), proof)
        assert not holds(check_consistency, old, before, size, root, [*proof, root])
        if proof:
            assert not holds(check_consistency, old, before, size, root, proof[:-1])
            assert not holds(check_consistency, old, before, size, root, [*proof[:-1], b"x" * 32])


def test_an_empty_log_and_a_shrinking_one_prove_nothing() -> None:
    root = root_of(LEAVES)
    for old in (0, -1, 34):
        assert not holds(check_consistency, old, hashlib.sha256(b"").digest(), 33, root, [])
    assert root_of([]) == hashlib.sha256(b"").digest()

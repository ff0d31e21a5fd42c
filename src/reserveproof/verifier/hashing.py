"""The verifier's own arithmetic of the sum tree: docs/spec/sum-tree.md, points 1 to 12.

Written apart from the custodian's on purpose: two programs must reach one root. Amounts are Python integers, so
nothing wraps; every sum is checked against 2^127 where it is made.

What is hashed by the million stands in records of 48 bytes, `digest ‖ u128(sum)`: as a node hashes its children.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from ..format.errors import EvidenceError
from ..format.limits import AMOUNT_BOUND
from ..format.proof_file import Bucket
from ..format.register import Position

DIGEST_BYTES = 32
RECORD_BYTES = DIGEST_BYTES + 16
"""A leaf or a node with its sum, as its parent hashes it."""


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def tag(name: bytes) -> bytes:
    """T(name), the first 32 bytes of every preimage."""
    return sha256(b"reserveproof/v1/", name)


def keyed(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256."""
    return hmac.digest(key, message, "sha256")


class Keyed:
    """HMAC-SHA-256 with one key, for many messages. As keyed() gives it, in half the time: the two blocks that hold
    the key (RFC 2104) are hashed once, not for every message."""

    def __init__(self, key: bytes) -> None:
        if len(key) > 64:
            raise ValueError("a key longer than SHA-256's block")
        block = key.ljust(64, b"\0")
        self.inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self.outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def of(self, message: bytes) -> bytes:
        inner = self.inner.copy()
        inner.update(message)
        outer = self.outer.copy()
        outer.update(inner.digest())
        return outer.digest()


def prefixed(data: bytes) -> bytes:
    """lp(data): length and bytes, so that joined fields cannot be read in two ways."""
    return len(data).to_bytes(4, "big") + data


def u128(amount: int) -> bytes:
    return amount.to_bytes(16, "big")


def checked_sum(left: int, right: int) -> int:
    """left + right; EvidenceError(reason="sum") from 2^127 on."""
    total = left + right
    if total >= AMOUNT_BOUND:
        raise EvidenceError("a sum in the tree is not below 2^127", reason="sum", found=str(total))
    return total


_LEAF, _NODE, _ROOT = tag(b"leaf"), tag(b"node"), tag(b"root")
_TREE, _TREE_KEY, _PUBLIC, _TIE_KEY = tag(b"tree"), tag(b"tree-key"), tag(b"public"), tag(b"tie-key")
_CLIENT, _POSITION, _LINE = tag(b"client"), tag(b"position"), tag(b"line")
_POSITION_DETAILS, _TIE, _EXTRACT = tag(b"position-details"), tag(b"tie"), tag(b"extract")
_LINE_OF = tuple(_LINE + bytes([count]) for count in range(11))
KIND_TRANSPARENT = 1


def client_holder(client_id: str, client_code: str) -> bytes:
    own, code = client_id.encode("ascii"), client_code.encode("ascii")
    return hashlib.sha256(_CLIENT + prefixed(own) + prefixed(code)).digest()


def position_holder(account: str, form: str) -> bytes:
    return sha256(_POSITION, prefixed(account.encode("ascii")), prefixed(form.encode("ascii")))


def line_entry(bucket: int, credit: int, debit: int) -> bytes:
    """One bucket of a line, as its details hold it."""
    return bytes([bucket]) + credit.to_bytes(16, "big") + debit.to_bytes(16, "big")


def entries_details(count: int, entries: bytes) -> bytes:
    """The details of a line of `count` entries, joined; buckets ascend."""
    return hashlib.sha256(_LINE_OF[count] + entries).digest()


def line_details(buckets: Sequence[Bucket]) -> bytes:
    return entries_details(len(buckets), b"".join(line_entry(b.bucket, b.credit, b.debit) for b in buckets))


def position_details(position: Position) -> bytes:
    from ..format.canonical_json import dump

    return sha256(_POSITION_DETAILS, dump(position.to_json()))


def client_tie(tie_blind: bytes, client: bytes) -> bytes:
    return sha256(_TIE, tie_blind, client)


def extract_mac(snapshot_key: bytes, extract_sha256: bytes) -> bytes:
    return keyed(snapshot_key, _EXTRACT + extract_sha256)


@dataclass(frozen=True, slots=True)
class TreeName:
    """Which tree: nothing of it is read from a proof. side is b"L" or b"R"."""

    side: bytes
    custodian_id: str
    snapshot_id: str
    pool: str
    asset: str

    def tree_id(self) -> bytes:
        names = (self.custodian_id, self.snapshot_id, self.pool, self.asset)
        return sha256(
            _TREE, bytes([KIND_TRANSPARENT]), self.side, b"".join(prefixed(name.encode("ascii")) for name in names)
        )


class Tree:
    """The hashes of one tree, its id fixed."""

    def __init__(self, name: TreeName) -> None:
        self.tree_id = name.tree_id()
        # One SHA-256 block each: hashlib keeps the midstate in the copied object.
        self.leaf_midstate = hashlib.sha256(_LEAF + self.tree_id)
        self._node = hashlib.sha256(_NODE + self.tree_id)

    def leaf(self, blind: bytes, holder: bytes, details: bytes, amount: int) -> bytes:
        state = self.leaf_midstate.copy()
        state.update(blind + holder + details + u128(amount))
        return state.digest()

    def node(self, level: int, left: tuple[bytes, int], right: tuple[bytes, int]) -> tuple[bytes, int]:
        """The node at `level` over its two children; both sums are hashed, each on its own (attack 1)."""
        total = checked_sum(left[1], right[1])
        state = self._node.copy()
        state.update(bytes([level]) + left[0] + u128(left[1]) + right[0] + u128(right[1]))
        return state.digest(), total

    def parents(self, level: int, nodes: Sequence[bytes]) -> list[bytes]:
        """The records at `level` over an even number of records of the level below, pair by pair: node() in bulk."""
        if not nodes:
            return []
        head, midstate = bytes([level]), self._node
        sums = [int.from_bytes(record[DIGEST_BYTES:], "big") for record in nodes]
        totals = [left + right for left, right in zip(sums[::2], sums[1::2], strict=True)]
        checked_sum(max(totals), 0)
        made: list[bytes] = []
        for left, right, total in zip(nodes[::2], nodes[1::2], totals, strict=True):
            state = midstate.copy()
            state.update(head + left + right)
            made.append(state.digest() + total.to_bytes(16, "big"))
        return made

    def root(self, depth: int, top: tuple[bytes, int]) -> bytes:
        return sha256(_ROOT, self.tree_id, bytes([depth]), top[0], u128(top[1]))

    def secret_key(self, snapshot_key: bytes) -> bytes:
        return keyed(snapshot_key, _TREE_KEY + self.tree_id)

    def public_key(self) -> bytes:
        return sha256(_PUBLIC, self.tree_id)

    def tie_key(self, snapshot_key: bytes) -> bytes:
        return keyed(snapshot_key, _TIE_KEY + self.tree_id)


def blind(key: bytes, holder: bytes) -> bytes:
    """The blind of a leaf (tree key) or of a tie (tie key)."""
    return keyed(key, b"\x00" + holder)


class SecretLeaves:
    """The leaves of a liabilities tree in bulk: leaf() over blind(), as records. Written out, not called: it runs once
    for each leaf of a ledger, and calls would take as long as the hashing."""

    def __init__(self, tree: Tree, key: bytes) -> None:
        keyed_hash = Keyed(key)
        self._inner, self._outer, self._leaf = keyed_hash.inner, keyed_hash.outer, tree.leaf_midstate

    def record(self, holder: bytes, details: bytes, amount: int) -> bytes:
        inner, outer, leaf = self._inner.copy(), self._outer.copy(), self._leaf.copy()
        inner.update(b"\x00" + holder)
        outer.update(inner.digest())
        end = amount.to_bytes(16, "big")
        leaf.update(outer.digest() + holder + details + end)
        return leaf.digest() + end


def record(node: tuple[bytes, int]) -> bytes:
    """Digest and sum in one piece."""
    return node[0] + u128(node[1])


def pad(key: bytes, level: int, index: int) -> tuple[bytes, int]:
    return keyed(key, b"\x01" + bytes([level]) + index.to_bytes(8, "big")), 0

"""The custodian's own arithmetic of the sum tree: docs/spec/sum-tree.md, points 1 to 11.

Written apart from the verifier's on purpose: two programs must reach one root. Hash states of what never changes
(prefixes, HMAC pads) are kept and copied, which halves the work a leaf.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..format import canonical_json
from ..format.challenge import tag
from ..format.register import Position
from ..format.vocabulary import TREE_TRANSPARENT

DIGEST_BYTES = 32
SUM_BYTES = 16
NODE_BYTES = DIGEST_BYTES + SUM_BYTES
"""A node, also a leaf, as it is stored: digest, then sum as u128."""
ENTRY_BYTES = 2 * DIGEST_BYTES + SUM_BYTES
"""A leaf before it is blinded: holder, details, sum."""

_sha256 = hashlib.sha256
_CLIENT, _POSITION, _LINE = _sha256(tag("client")), _sha256(tag("position")), _sha256(tag("line"))


def _lp(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@dataclass(frozen=True, slots=True)
class TreeName:
    """What a tree is of. side: "L" liabilities, "R" reserves."""

    custodian_id: str
    snapshot_id: str
    pool: str
    asset: str
    side: Literal["L", "R"]

    @property
    def tree_id(self) -> bytes:
        names = (self.custodian_id, self.snapshot_id, self.pool, self.asset)
        return _sha256(
            tag("tree")
            + bytes([TREE_TRANSPARENT])
            + self.side.encode("ascii")
            + b"".join(_lp(name.encode("ascii")) for name in names)
        ).digest()


def blinded_key(snapshot_key: bytes, tree_id: bytes) -> bytes:
    """tree_key of a liabilities tree, or of a blinded register."""
    return hmac.digest(snapshot_key, tag("tree-key") + tree_id, "sha256")


def public_key(tree_id: bytes) -> bytes:
    """tree_key of a public register: anyone can compute it."""
    return _sha256(tag("public") + tree_id).digest()


def tie_key(snapshot_key: bytes, reserves_tree_id: bytes) -> bytes:
    return hmac.digest(snapshot_key, tag("tie-key") + reserves_tree_id, "sha256")


def client_holder(client_id: str, client_code: str) -> bytes:
    state = _CLIENT.copy()
    state.update(_lp(client_id.encode("ascii")) + _lp(client_code.encode("ascii")))
    return state.digest()


def position_holder(account: str, form: str) -> bytes:
    state = _POSITION.copy()
    state.update(_lp(account.encode("ascii")) + _lp(form.encode("ascii")))
    return state.digest()


def line_details(buckets: Iterable[tuple[int, int, int]]) -> bytes:
    """details of a client's line. buckets: (code, credit, debit), codes ascending."""
    parts = [
        code.to_bytes(1, "big") + credit.to_bytes(16, "big") + debit.to_bytes(16, "big")
        for code, credit, debit in buckets
    ]
    state = _LINE.copy()
    state.update(len(parts).to_bytes(1, "big") + b"".join(parts))
    return state.digest()


def position_details(position: Position) -> bytes:
    return _sha256(tag("position-details") + canonical_json.dump(position.to_json())).digest()


def tie_blind(reserves_tie_key: bytes, holder: bytes) -> bytes:
    """holder: the position's."""
    return hmac.digest(reserves_tie_key, b"\x00" + holder, "sha256")


def client_tie(blind: bytes, client: bytes) -> bytes:
    """blind: tie_blind of the position; client: the client's holder."""
    return _sha256(tag("tie") + blind + client).digest()


def extract_mac(snapshot_key: bytes, extract_sha256: bytes) -> bytes:
    return hmac.digest(snapshot_key, tag("extract") + extract_sha256, "sha256")


class TreeHasher:
    """The digests of one tree. Everything a builder or a prover must be told of a tree: its id and its key."""

    def __init__(self, tree_id: bytes, tree_key: bytes) -> None:
        if len(tree_id) != DIGEST_BYTES or len(tree_key) != DIGEST_BYTES:
            raise ValueError("a tree id and a tree key have 32 bytes each")
        self.tree_id = tree_id
        self.tree_key = tree_key
        self.leaf_state = _sha256(tag("leaf") + tree_id)
        self.node_state = _sha256(tag("node") + tree_id)
        block = tree_key.ljust(64, b"\x00")
        self.hmac_inner = _sha256(bytes(byte ^ 0x36 for byte in block))
        self.hmac_outer = _sha256(bytes(byte ^ 0x5C for byte in block))
        self.blind_state = self.hmac_inner.copy()
        self.blind_state.update(b"\x00")

    def blind(self, holder: bytes) -> bytes:
        inner, outer = self.blind_state.copy(), self.hmac_outer.copy()
        inner.update(holder)
        outer.update(inner.digest())
        return outer.digest()

    def leaf(self, entry: bytes) -> bytes:
        """The leaf of one entry (holder, details, sum), as it is stored."""
        state = self.leaf_state.copy()
        state.update(self.blind(entry[:DIGEST_BYTES]) + entry)
        return state.digest() + entry[2 * DIGEST_BYTES :]

    def node(self, level: int, left: bytes, right: bytes) -> bytes:
        """The node at level above two stored nodes. Its sum is below 2^127 if the tree's total is."""
        state = self.node_state.copy()
        state.update(level.to_bytes(1, "big") + left + right)
        total = int.from_bytes(left[DIGEST_BYTES:], "big") + int.from_bytes(right[DIGEST_BYTES:], "big")
        return state.digest() + total.to_bytes(SUM_BYTES, "big")

    def pad(self, level: int, index: int) -> bytes:
        inner, outer = self.hmac_inner.copy(), self.hmac_outer.copy()
        inner.update(b"\x01" + level.to_bytes(1, "big") + index.to_bytes(8, "big"))
        outer.update(inner.digest())
        return outer.digest() + bytes(SUM_BYTES)

    def root(self, depth: int, top: bytes) -> bytes:
        """The root above the node at (depth, 0)."""
        return _sha256(tag("root") + self.tree_id + depth.to_bytes(1, "big") + top).digest()


def entry(holder: bytes, details: bytes, amount: int) -> bytes:
    """A leaf before it is blinded, in the form that the builder takes."""
    return holder + details + amount.to_bytes(SUM_BYTES, "big")


def depth_of(leaves: int, min_depth: int) -> int:
    """Levels of a tree: the spec's point 8. The caller refuses what is above MAX_DEPTH."""
    return max(min_depth, (leaves - 1).bit_length() if leaves > 1 else 0)

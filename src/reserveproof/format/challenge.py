"""The claim and the challenge that a wallet signs. docs/spec/challenge.md.

Both are computed from a statement's own fields by whoever needs them; neither is ever read from a file.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from . import canonical_json
from .shape import to_json
from .statement import Anchor, Asset, Statement

MAX_TEXT_CHALLENGE = 330
MAX_COMPACT_CHALLENGE = 164


def tag(name: str) -> bytes:
    """T(x) = SHA-256("reserveproof/v1/" + x): the 32 bytes that every hash preimage of the format starts with."""
    return hashlib.sha256(b"reserveproof/v1/" + name.encode("ascii")).digest()


@dataclass(frozen=True, slots=True)
class ClaimedTree:
    """One liabilities tree as the claim binds it."""

    pool: str
    asset: Asset
    root: bytes


def claim_digest(
    *,
    anchors: tuple[Anchor, ...],
    custodian_id: str,
    lei: str,
    expires: str,
    snapshot_id: str,
    liabilities: Iterable[ClaimedTree],
) -> bytes:
    """claim = H(T("claim") + canonical JSON): what every wallet of a snapshot signs. It binds all liabilities
    roots, and with them scale and forms, before any reserve is proved."""
    trees = sorted(liabilities, key=lambda tree: (tree.pool, tree.asset.asset))
    body = {
        "anchors": to_json(anchors),
        "custodian": {"id": custodian_id, "lei": lei},
        "expires": expires,
        "liabilities": [
            {
                "asset": tree.asset.asset,
                "decimals": tree.asset.decimals,
                "forms": to_json(tree.asset.forms),
                "pool": tree.pool,
                "root": tree.root.hex(),
            }
            for tree in trees
        ],
        "snapshot_id": snapshot_id,
    }
    return hashlib.sha256(tag("claim") + canonical_json.dump(cast(canonical_json.Json, body))).digest()


def claim_of(statement: Statement) -> bytes:
    """The claim of a statement, from its own fields. Every asset of its grid must be registered."""
    registry = {asset.asset: asset for asset in statement.assets}
    return claim_digest(
        anchors=statement.anchors,
        custodian_id=statement.custodian.id,
        lei=statement.custodian.lei,
        expires=statement.claim_expires,
        snapshot_id=statement.snapshot_id,
        liabilities=[
            ClaimedTree(pool.pool, registry[cell.asset], cell.liabilities.root)
            for pool in statement.pools
            for cell in pool.assets
        ],
    )


def challenge(
    *, account: str, custodian_id: str, pool: str, segregation: str, claim: bytes, expires: str, profile: str
) -> str:
    """The one line that the wallet of an account signs. profile: "text" (at most 330 characters) or "compact"
    (at most 164, for devices that show or sign little; it commits to the text)."""
    text = (
        f"reserveproof/v1 I control {account}, held by {custodian_id} for its clients, pool {pool}, {segregation}. "
        f"Claim {claim.hex()}. Until {expires}."
    )
    if profile == "text":
        return text
    if profile != "compact":
        raise ValueError(f"no challenge profile is called {profile!r}")
    commitment = hashlib.sha256(tag("challenge") + text.encode("ascii")).digest()
    return f"reserveproof/v1 {account} {base64.urlsafe_b64encode(commitment).decode('ascii').rstrip('=')}"

"""What a challenge froze (challenge.json) and what the wallets answered (responses.json).

The claim is frozen for good: another anchor or another ledger is another snapshot. The list of wallets may still
change until the snapshot is attested, because the claim does not name them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

from ..chains import ControlEvidence, ControlResult, check_control
from ..format import canonical_json, evidence, identifiers, limits, vocabulary
from ..format.challenge import ClaimedTree, challenge, claim_digest
from ..format.errors import MalformedError
from ..format.evidence import Control
from ..format.shape import (
    account,
    amount,
    array,
    choice,
    digest,
    integer,
    members,
    pattern,
    record,
    text,
    time,
    to_json,
)
from ..format.statement import ANCHORS, Anchor, Asset
from .register_input import RegisterRow

CHALLENGE_FILE = "challenge.json"
RESPONSES_FILE = "responses.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class LiabilitiesRoot:
    """A liabilities tree as it was built: of every (pool, asset) that the statement will have."""

    AMOUNTS: ClassVar = frozenset({"total"})
    asset: str
    depth: int
    pool: str
    root: bytes
    total: int


@dataclass(frozen=True, slots=True)
class Wallet:
    """An account that is asked to sign: the one pool and the one segregation that it stands in."""

    account: str
    pool: str
    segregation: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """What challenge.json holds. claim is what all messages of the snapshot carry."""

    anchors: tuple[Anchor, ...]
    claim: bytes
    claim_expires: str
    custodian: str
    lei: str
    liabilities: tuple[LiabilitiesRoot, ...]
    snapshot_id: str
    wallets: tuple[Wallet, ...]

    def message(self, wallet: Wallet, profile: str) -> str:
        """The line that the wallet signs."""
        return challenge(
            account=wallet.account, custodian_id=self.custodian, pool=wallet.pool, segregation=wallet.segregation,
            claim=self.claim, expires=self.claim_expires, profile=profile,
        )  # fmt: skip

    def wallet(self, name: str) -> Wallet | None:
        """The challenged wallet of an account, or None."""
        return next((wallet for wallet in self.wallets if wallet.account == name), None)

    def with_wallets(self, wallets: tuple[Wallet, ...]) -> Challenge:
        return dataclasses.replace(self, wallets=wallets)


@dataclass(frozen=True, slots=True)
class Refused:
    """The last answer of an account that was not accepted, and why."""

    account: str
    scheme: str
    why: str


@dataclass(frozen=True, slots=True)
class Responses:
    """What responses.json holds: accepted evidence by account, and the last refusal of accounts that have none."""

    received: tuple[Control, ...] = ()
    refused: tuple[Refused, ...] = ()

    def control(self, name: str) -> Control | None:
        return next((control for control in self.received if control.account == name), None)

    def merged(self, received: Iterable[Control], refused: Iterable[Refused]) -> Responses:
        """With new answers put in: a good one replaces what was there, a bad one never displaces a good one."""
        good = {control.account: control for control in (*self.received, *received)}
        bad = {entry.account: entry for entry in (*self.refused, *refused) if entry.account not in good}
        return Responses(tuple(good[name] for name in sorted(good)), tuple(bad[name] for name in sorted(bad)))


def freeze(
    *,
    anchors: tuple[Anchor, ...],
    assets: Mapping[str, Asset],
    custodian: str,
    lei: str,
    expires: str,
    snapshot_id: str,
    liabilities: Iterable[LiabilitiesRoot],
    rows: Iterable[RegisterRow],
) -> Challenge:
    """The challenge of a snapshot: its claim, and the wallets of the register that stand in a pool."""
    roots = tuple(sorted(liabilities, key=lambda cell: (cell.pool, cell.asset)))
    claim = claim_digest(
        anchors=anchors, custodian_id=custodian, lei=lei, expires=expires, snapshot_id=snapshot_id,
        liabilities=[ClaimedTree(cell.pool, assets[cell.asset], cell.root) for cell in roots],
    )  # fmt: skip
    return Challenge(anchors, claim, expires, custodian, lei, roots, snapshot_id, wallets_of(rows))


def wallets_of(rows: Iterable[RegisterRow]) -> tuple[Wallet, ...]:
    """The wallets that a register puts into pools, ascending by account. The register has been judged: an account
    stands in one pool, with one segregation."""
    wallets = {row.account: Wallet(row.account, row.pool, row.segregation) for row in rows if row.in_pool}
    return tuple(wallets[name] for name in sorted(wallets))


def judge(challenge_: Challenge, wallet: Wallet, control: Control) -> ControlResult:
    """What a wallet's answer shows, for the message rebuilt from the challenge."""
    letter = control.letter
    return check_control(
        wallet.account,
        challenge_.message(wallet, control.profile),
        ControlEvidence(
            control.scheme, control.signature, letter.sha256.hex() if letter.sha256 else "", letter.issuer, letter.date
        ),
    )


_CHALLENGE = record(
    Challenge,
    {
        "anchors": ANCHORS,
        "claim": digest,
        "claim_expires": time,
        "custodian": pattern(identifiers.CUSTODIAN_ID),
        "lei": pattern(identifiers.LEI),
        "liabilities": array(
            record(
                LiabilitiesRoot,
                {
                    "asset": pattern(identifiers.ASSET),
                    "depth": integer(0, limits.MAX_DEPTH),
                    "pool": pattern(identifiers.POOL),
                    "root": digest,
                    "total": amount,
                },
            ),
            key=lambda cell: (cell.pool, cell.asset),
            least=1,
        ),
        "snapshot_id": pattern(identifiers.SNAPSHOT_ID),
        "wallets": array(
            record(
                Wallet,
                {
                    "account": account,
                    "pool": pattern(identifiers.POOL),
                    "segregation": choice(vocabulary.SEGREGATION),
                },
            ),
            key=lambda wallet: wallet.account,
        ),
    },
)
_REFUSED = record(Refused, {"account": account, "scheme": text(64), "why": text()})


def _root(value: canonical_json.Json, names: frozenset[str], what: str) -> dict[str, object]:
    root = members(value, names, what)
    integer(FORMAT, FORMAT)(root["format"], f"{what}.format")
    return root


def parse_challenge(value: canonical_json.Json) -> Challenge:
    """challenge.json, its canonical JSON read."""
    return _CHALLENGE(_root(value, frozenset({"challenge", "format"}), CHALLENGE_FILE)["challenge"], "challenge")


def challenge_json(challenge_: Challenge) -> canonical_json.Json:
    return cast(canonical_json.Json, {"challenge": to_json(challenge_), "format": FORMAT})


def parse_responses(data: bytes) -> Responses:
    """responses.json, as bytes."""
    value = canonical_json.parse(data, max_bytes=limits.MAX_REGISTER_BYTES, what=RESPONSES_FILE)
    root = _root(value, frozenset({"format", "received", "refused"}), RESPONSES_FILE)
    return Responses(
        array(_control, key=lambda control: control.account)(root["received"], "received"),
        array(_REFUSED, key=lambda entry: entry.account)(root["refused"], "refused"),
    )


def _control(value: object, place: str) -> Control:
    if not isinstance(value, dict):
        raise MalformedError(f"{place} is not an object", reason="object")
    return evidence.parse_control(canonical_json.dump(value))


def dump_responses(responses: Responses) -> bytes:
    root = {"format": FORMAT, "received": to_json(responses.received), "refused": to_json(responses.refused)}
    return canonical_json.dump(cast(canonical_json.Json, root))

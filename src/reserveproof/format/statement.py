"""The statement: what a custodian signs. docs/spec/statement.md.

Bytes to records and back, with the shape checked; whether the numbers agree with each other, with a policy or
with the world is for those who judge (verifier/). Pool order, asset order and every other order is part of
the shape, so twins do not parse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from . import canonical_json, identifiers, limits, vocabulary
from .errors import MalformedError, shown
from .pool import POOL, Pool, PoolAsset
from .shape import (
    Check,
    account,
    amount,
    array,
    choice,
    digest,
    digest_or_empty,
    form,
    integer,
    members,
    pattern,
    record,
    text,
    text_map,
    time,
    to_json,
    withheld_amount,
)

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:reserveproof:attestation:v1"
MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Custodian:
    id: str
    jurisdiction: str
    lei: str
    licence: str
    name: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last block of a chain at or before as_of, final when used."""

    chain: str
    hash: str
    height: int
    time: str


@dataclass(frozen=True, slots=True)
class Form:
    decimals: int
    form: str


@dataclass(frozen=True, slots=True)
class Asset:
    asset: str
    decimals: int
    forms: tuple[Form, ...]
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class HousePosition:
    AMOUNTS: ClassVar = frozenset({"observed"})
    account: str
    asset: str
    class_: str
    form: str
    observed: int


@dataclass(frozen=True, slots=True)
class ControlTotal:
    AMOUNTS: ClassVar = frozenset({"credit"})
    asset: str
    credit: int
    pool: str


@dataclass(frozen=True, slots=True)
class Ledger:
    control_totals: tuple[ControlTotal, ...]
    extract_mac: bytes


@dataclass(frozen=True, slots=True)
class RuleRow:
    id: str
    pool: str
    profile: str
    result: str
    rows: int


@dataclass(frozen=True, slots=True)
class Exclusion:
    AMOUNTS: ClassVar = frozenset({"amount"})
    amount: int
    asset: str
    pool: str
    reason: str
    side: str


@dataclass(frozen=True, slots=True)
class Disclosure:
    """amount is None ("" in JSON) where it is withheld because fewer than five holders stand behind it."""

    AMOUNTS: ClassVar = frozenset({"amount"})
    amount: int | None
    asset: str
    code: str
    holders: int
    pool: str
    text: str


@dataclass(frozen=True, slots=True)
class Correction:
    payload_sha256: bytes | None
    reason: str


@dataclass(frozen=True, slots=True)
class Dispute:
    contact: str
    days: int


@dataclass(frozen=True, slots=True)
class Statement:
    anchors: tuple[Anchor, ...]
    as_of: str
    assets: tuple[Asset, ...]
    claim_expires: str
    client_id_hint: str
    corrects: Correction
    custodian: Custodian
    disclosures: tuple[Disclosure, ...]
    dispute: Dispute
    exclusions: tuple[Exclusion, ...]
    house: tuple[HousePosition, ...]
    house_note: str
    issued_at: str
    ledger: Ledger
    logs: tuple[str, ...]
    notes: dict[str, str]
    pools: tuple[Pool, ...]
    previous: bytes | None
    rules: tuple[RuleRow, ...]
    rules_version: str
    sequence: int
    snapshot_id: str
    tool: str
    valid_until: str
    verdict: str
    version: int

    def pool_asset(self, pool: str, asset: str) -> PoolAsset | None:
        """The cell of the grid, or None where the statement has none."""
        for entry in self.pools:
            if entry.pool == pool:
                return next((cell for cell in entry.assets if cell.asset == asset), None)
        return None

    def asset(self, asset: str) -> Asset | None:
        """The registered asset, or None."""
        return next((entry for entry in self.assets if entry.asset == asset), None)


_name = text(limits.MAX_NAME)
_decimals = integer(0, limits.MAX_DECIMALS)
_asset = pattern(identifiers.ASSET)
_pool = pattern(identifiers.POOL)
_pool_or_whole = pattern(identifiers.POOL, empty=True)

FORM_ENTRY: Check[Form] = record(Form, {"decimals": _decimals, "form": form})
_ASSET = record(
    Asset,
    {
        "asset": _asset,
        "decimals": _decimals,
        "forms": array(FORM_ENTRY, key=lambda f: f.form, limit=limits.MAX_FORMS, least=1),
        "kind": choice(vocabulary.ASSET_KINDS),
        "name": _name,
    },
)
_ANCHOR = record(
    Anchor,
    {"chain": pattern(identifiers.CHAIN), "hash": text(88, empty=False), "height": integer(), "time": time},
)
ANCHORS: Check[tuple[Anchor, ...]] = array(_ANCHOR, key=lambda a: a.chain, limit=limits.MAX_ANCHORS)
STATEMENT: Check[Statement] = record(
    Statement,
    {
        "anchors": ANCHORS,
        "as_of": time,
        "assets": array(_ASSET, key=lambda a: a.asset, limit=limits.MAX_ASSETS, least=1),
        "claim_expires": time,
        "client_id_hint": _name,
        "corrects": record(Correction, {"payload_sha256": digest_or_empty, "reason": text()}),
        "custodian": record(
            Custodian,
            {
                "id": pattern(identifiers.CUSTODIAN_ID),
                "jurisdiction": _name,
                "lei": pattern(identifiers.LEI),
                "licence": _name,
                "name": text(limits.MAX_NAME, empty=False),
            },
        ),
        "disclosures": array(
            record(
                Disclosure,
                {
                    "amount": withheld_amount,
                    "asset": _asset,
                    "code": pattern(identifiers.SLUG),
                    "holders": integer(),
                    "pool": _pool,
                    "text": text(),
                },
            ),
            key=lambda d: (d.pool, d.asset, d.code),
            limit=4096,
        ),
        "dispute": record(Dispute, {"contact": _name, "days": integer(0, 3660)}),
        "exclusions": array(
            record(
                Exclusion,
                {
                    "amount": amount,
                    "asset": _asset,
                    "pool": _pool,
                    "reason": pattern(identifiers.SLUG),
                    "side": choice(("L", "R")),
                },
            ),
            key=lambda e: (e.pool, e.asset, e.side, e.reason),
            limit=4096,
        ),
        "house": array(
            record(
                HousePosition,
                {
                    "account": account,
                    "asset": _asset,
                    "class_": choice(vocabulary.OWNER_CLASSES - {"client"}),
                    "form": form,
                    "observed": amount,
                },
            ),
            key=lambda h: (h.asset, h.account, h.form),
            limit=4096,
        ),
        "house_note": text(),
        "issued_at": time,
        "ledger": record(
            Ledger,
            {
                "control_totals": array(
                    record(ControlTotal, {"asset": _asset, "credit": amount, "pool": _pool}),
                    key=lambda c: (c.pool, c.asset),
                ),
                "extract_mac": digest,
            },
        ),
        "logs": array(text(limits.MAX_NAME, empty=False), key=lambda origin: origin, limit=16),
        "notes": text_map,
        "pools": array(POOL, key=lambda p: p.pool, limit=limits.MAX_POOLS, least=1),
        "previous": digest_or_empty,
        "rules": array(
            record(
                RuleRow,
                {
                    "id": pattern(identifiers.RULE_ID),
                    "pool": _pool_or_whole,
                    "profile": pattern(identifiers.SLUG),
                    "result": choice(vocabulary.RESULTS),
                    "rows": integer(),
                },
            ),
            key=lambda r: (r.pool, r.profile, r.id),
        ),
        "rules_version": text(64, empty=False),
        "sequence": integer(),
        "snapshot_id": pattern(identifiers.SNAPSHOT_ID),
        "tool": text(64),
        "valid_until": time,
        "verdict": choice(vocabulary.VERDICTS),
        "version": integer(1, 1),
    },
)


@dataclass(frozen=True, slots=True)
class Attested:
    """A parsed payload: the statement and the digest of the bundle's manifest that it names."""

    statement: Statement
    manifest_sha256: bytes


def _fixed(value: object, wanted: str, place: str) -> None:
    if value != wanted:
        raise MalformedError(
            f"{place} is not the one of this format", reason="type", expected=wanted, found=shown(value)
        )


def parse_payload(data: bytes) -> Attested:
    """The statement in these payload bytes (an in-toto Statement v1). MalformedError if the shape is not exact."""
    root = members(
        canonical_json.parse(data, max_bytes=limits.MAX_STATEMENT_BYTES, what="the statement"),
        frozenset({"_type", "predicate", "predicateType", "subject"}),
        "statement",
    )
    _fixed(root["_type"], STATEMENT_TYPE, "_type")
    _fixed(root["predicateType"], PREDICATE_TYPE, "predicateType")

    def subject(value: object, place: str) -> bytes:
        entry = members(value, frozenset({"digest", "name"}), place)
        _fixed(entry["name"], MANIFEST_NAME, f"{place}.name")
        return digest(
            members(entry["digest"], frozenset({"sha256"}), f"{place}.digest")["sha256"],
            f"{place}.digest.sha256",
        )

    (manifest_sha256,) = array(subject, key=None, limit=1, least=1)(root["subject"], "subject")
    return Attested(STATEMENT(root["predicate"], "predicate"), manifest_sha256)


def dump_payload(attested: Attested) -> bytes:
    """The payload bytes; parse_payload gives the records back, and refuses what it would not accept."""
    data = canonical_json.dump(
        {
            "_type": STATEMENT_TYPE,
            "predicate": to_json(attested.statement),
            "predicateType": PREDICATE_TYPE,
            "subject": [{"digest": {"sha256": attested.manifest_sha256.hex()}, "name": MANIFEST_NAME}],
        }
    )
    parse_payload(data)
    return data

"""A pool of a statement: a legal arrangement, and its committed liabilities and reserves asset by asset.
docs/spec/statement.md, point 11."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from . import identifiers, limits, vocabulary
from .shape import Check, amount, array, choice, digest, integer, pattern, record, text


@dataclass(frozen=True, slots=True)
class Tree:
    """The committed liabilities of one (pool, asset)."""

    AMOUNTS: ClassVar = frozenset({"total"})
    depth: int
    kind: int
    root: bytes
    total: int


@dataclass(frozen=True, slots=True)
class ClassAmount:
    AMOUNTS: ClassVar = frozenset({"amount"})
    amount: int
    class_: str


@dataclass(frozen=True, slots=True)
class Reserves:
    """The committed reserves of one (pool, asset); encumbered and excluded stand outside the total."""

    AMOUNTS: ClassVar = frozenset({"encumbered", "excluded", "total"})
    by_class: tuple[ClassAmount, ...]
    depth: int
    encumbered: int
    excluded: int
    kind: int
    register: str
    root: bytes
    total: int


@dataclass(frozen=True, slots=True)
class PoolAsset:
    asset: str
    liabilities: Tree
    reserves: Reserves


@dataclass(frozen=True, slots=True)
class Pool:
    assets: tuple[PoolAsset, ...]
    law: str
    legal_form: str
    model: str
    pool: str
    profiles: tuple[str, ...]
    residue_bps: int
    term: str
    trustee: str


_name = text(limits.MAX_NAME)
_kind = integer(1, 255)
_depth = integer(0, 255)  # above MAX_DEPTH it is refused in step 3, before any fold
_asset = pattern(identifiers.ASSET)

_TREE = record(Tree, {"depth": _depth, "kind": _kind, "root": digest, "total": amount})
_CLASS_AMOUNT = record(ClassAmount, {"amount": amount, "class_": choice(vocabulary.ASSURANCE)})
_RESERVES = record(
    Reserves,
    {
        "by_class": array(_CLASS_AMOUNT, key=lambda c: c.class_, limit=len(vocabulary.ASSURANCE)),
        "depth": _depth,
        "encumbered": amount,
        "excluded": amount,
        "kind": _kind,
        "register": choice(vocabulary.REGISTERS),
        "root": digest,
        "total": amount,
    },
)
_POOL_ASSET = record(PoolAsset, {"asset": _asset, "liabilities": _TREE, "reserves": _RESERVES})
POOL: Check[Pool] = record(
    Pool,
    {
        "assets": array(_POOL_ASSET, key=lambda a: a.asset, limit=limits.MAX_ASSETS, least=1),
        "law": _name,
        "legal_form": choice(vocabulary.LEGAL_FORMS),
        "model": choice(vocabulary.POOL_MODELS),
        "pool": pattern(identifiers.POOL),
        "profiles": array(pattern(identifiers.SLUG), key=lambda p: p, limit=16, least=1),
        "residue_bps": integer(0, 10_000),
        "term": choice(vocabulary.TERMS),
        "trustee": _name,
    },
)

"""The register: positions that hold client assets, as the reserves trees commit to them. docs/spec/register.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from . import canonical_json, identifiers, limits, vocabulary
from .shape import (
    Check,
    account,
    amount,
    array,
    choice,
    digest_or_empty,
    form,
    integer,
    members,
    pattern,
    record,
    to_json,
)

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Position:
    """One (account, form) and what of it counts. Amounts are in the asset's base unit; observed has been
    converted down from the form's. counted is the leaf's sum; excluded = observed - counted - encumbered.
    client_tie, control and observation are digests, None ("" in JSON) where there is none."""

    AMOUNTS: ClassVar = frozenset({"counted", "encumbered", "excluded", "observed"})
    account: str
    class_: str
    client_tie: bytes | None
    control: bytes | None
    counted: int
    encumbered: int
    excluded: int
    form: str
    observation: bytes | None
    observed: int
    segregation: str

    def to_json(self) -> canonical_json.Json:
        return cast(canonical_json.Json, to_json(self))


POSITION: Check[Position] = record(
    Position,
    {
        "account": account,
        "class_": choice(vocabulary.ASSURANCE),
        "client_tie": digest_or_empty,
        "control": digest_or_empty,
        "counted": amount,
        "encumbered": amount,
        "excluded": amount,
        "form": form,
        "observation": digest_or_empty,
        "observed": amount,
        "segregation": choice(vocabulary.SEGREGATION),
    },
)


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    asset: str
    pool: str
    position: Position

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.pool, self.asset, self.position.account, self.position.form)


_ENTRIES = array(
    record(
        RegisterEntry,
        {"asset": pattern(identifiers.ASSET), "pool": pattern(identifiers.POOL), "position": POSITION},
    ),
    key=lambda entry: entry.key,
    limit=limits.MAX_ITEMS,
)


def parse(data: bytes) -> tuple[RegisterEntry, ...]:
    """The register's entries, ascending by (pool, asset, account, form). MalformedError for anything else."""
    root = members(
        canonical_json.parse(data, max_bytes=limits.MAX_REGISTER_BYTES, what="the register"),
        frozenset({"format", "positions"}),
        "register",
    )
    integer(FORMAT, FORMAT)(root["format"], "register.format")
    return _ENTRIES(root["positions"], "register.positions")


def dump(entries: tuple[RegisterEntry, ...]) -> bytes:
    return canonical_json.dump({"format": FORMAT, "positions": to_json(sorted(entries, key=lambda e: e.key))})

"""The state files of a snapshot that the ledger side writes: snapshot.json and ledger.json. Records and shapes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from ..format import canonical_json, identifiers, limits, vocabulary
from ..format.shape import amount, array, choice, digest, digest_or_empty, integer, pattern, record, text, time, to_json

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Opened:
    """snapshot.json. as_of: the instant that the books are for; opened_at: when the folder was made."""

    as_of: str
    format: int
    opened_at: str
    snapshot_id: str


@dataclass(frozen=True, slots=True)
class CellSummary:
    """One liabilities tree. leaves: clients with a row; holders: clients with a credit above zero."""

    AMOUNTS: ClassVar = frozenset({"credit", "debit"})
    asset: str
    credit: int
    debit: int
    depth: int
    holders: int
    leaves: int
    pool: str
    root: bytes
    rows: int


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """A file that was read; role: ledger, accounts, control-totals or previous. rows: without the header."""

    name: str
    role: str
    rows: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class TypeSummary:
    """What the accounts of one type have in one (pool, asset)."""

    AMOUNTS: ClassVar = frozenset({"credit", "debit"})
    account_type: str
    asset: str
    credit: int
    debit: int
    holders: int
    pool: str


@dataclass(frozen=True, slots=True)
class NamedClients:
    """How many clients a fact is about, and the first of them. Private: never in anything published."""

    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """Facts of the accounts beside the ledger; the words are those of segregation.facts.AccountFacts."""

    absent: NamedClients
    by_type: tuple[TypeSummary, ...]
    mistagged: NamedClients
    untagged: NamedClients


@dataclass(frozen=True, slots=True)
class ControlCredit:
    AMOUNTS: ClassVar = frozenset({"credit"})
    asset: str
    credit: int
    pool: str


@dataclass(frozen=True, slots=True)
class LedgerState:
    """ledger.json: what was imported and the trees that were built from it.

    accounts, control_totals and dropped have one item, or none where their input was not given. clients: how many
    stand in the ledger, each once. previous: the id of the snapshot whose extract was compared, "" if none.
    """

    accounts: tuple[AccountSummary, ...]
    accounts_sha256: bytes | None
    cells: tuple[CellSummary, ...]
    clients: int
    control_totals: tuple[tuple[ControlCredit, ...], ...]
    control_totals_sha256: bytes | None
    dropped: tuple[NamedClients, ...]
    extract_sha256: bytes
    format: int
    previous: str
    rows: int
    sources: tuple[SourceSummary, ...]

    def cell(self, pool: str, asset: str) -> CellSummary | None:
        """The tree of one (pool, asset), or None where the ledger has no row for it."""
        return next((cell for cell in self.cells if (cell.pool, cell.asset) == (pool, asset)), None)


_pool, _asset = pattern(identifiers.POOL), pattern(identifiers.ASSET)
_named = record(
    NamedClients,
    {"count": integer(), "first": array(pattern(identifiers.CLIENT_ID), key=lambda c: c, limit=1000)},
)
_OPENED = record(
    Opened,
    {
        "as_of": time,
        "format": integer(FORMAT, FORMAT),
        "opened_at": time,
        "snapshot_id": pattern(identifiers.SNAPSHOT_ID),
    },
)
_CELL = record(
    CellSummary,
    {
        "asset": _asset,
        "credit": amount,
        "debit": amount,
        "depth": integer(0, limits.MAX_DEPTH),
        "holders": integer(),
        "leaves": integer(1),
        "pool": _pool,
        "root": digest,
        "rows": integer(1),
    },
)
_ACCOUNTS = record(
    AccountSummary,
    {
        "absent": _named,
        "by_type": array(
            record(
                TypeSummary,
                {
                    "account_type": choice(vocabulary.ACCOUNT_TYPES),
                    "asset": _asset,
                    "credit": amount,
                    "debit": amount,
                    "holders": integer(),
                    "pool": _pool,
                },
            ),
            key=lambda t: (t.pool, t.asset, t.account_type),
        ),
        "mistagged": _named,
        "untagged": _named,
    },
)
_LEDGER = record(
    LedgerState,
    {
        "accounts": array(_ACCOUNTS, key=None, limit=1),
        "accounts_sha256": digest_or_empty,
        "cells": array(_CELL, key=lambda c: (c.pool, c.asset), least=1),
        "clients": integer(1),
        "control_totals": array(
            array(
                record(ControlCredit, {"asset": _asset, "credit": amount, "pool": _pool}),
                key=lambda c: (c.pool, c.asset),
            ),
            key=None,
            limit=1,
        ),
        "control_totals_sha256": digest_or_empty,
        "dropped": array(_named, key=None, limit=1),
        "extract_sha256": digest,
        "format": integer(FORMAT, FORMAT),
        "previous": pattern(identifiers.SNAPSHOT_ID, empty=True),
        "rows": integer(1),
        "sources": array(
            record(
                SourceSummary,
                {
                    "name": text(4096),
                    "role": choice(("ledger", "accounts", "control-totals", "previous")),
                    "rows": integer(),
                    "sha256": digest,
                },
            ),
            key=None,
            least=1,
        ),
    },
)


def parse_opened(value: canonical_json.Json) -> Opened:
    return _OPENED(value, "snapshot")


def parse_ledger_state(value: canonical_json.Json) -> LedgerState:
    return _LEDGER(value, "ledger")


def state_json(state: Opened | LedgerState) -> canonical_json.Json:
    return cast(canonical_json.Json, to_json(state))

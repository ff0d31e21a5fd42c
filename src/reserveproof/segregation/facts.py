"""What the rules judge: facts that a caller has parsed, rebuilt or been told. No file, clock or network.

Amounts are integers in the asset's base unit; instants carry UTC. A fact that the caller does not have is
None, and data that is there in part says so (`positions_complete`): the rules then answer NOT_ASSESSED, never
PASS. A fact that is given as empty means "looked, and there is none".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

Cell: TypeAlias = tuple[str, str]
"""(pool, asset): coverage is judged for each alone."""

Control: TypeAlias = Literal["valid", "invalid", "inconclusive", "unsupported", "none"]
Publication: TypeAlias = Literal["log-witnessed", "digest", "none"]
Side: TypeAlias = Literal["L", "R"]

Encumbrance: TypeAlias = tuple[str, int, str]
"""(type, quantity, counts as reserve: "yes", "no" or "apart")"""
Exclusion: TypeAlias = tuple[str, str, str, str, int]
"""(pool, asset, side "L" or "R", reason, amount)"""
Disclosure: TypeAlias = tuple[str, str, str, int, int | None]
"""(pool, asset, code, holders, amount or None where it is withheld)"""
StatementKey: TypeAlias = tuple[int, str, str, str]
"""(sequence, previous, snapshot_id, payload_sha256)"""

RELATED_PARTY = "related-party"
SHORTFALL_COVER = "shortfall-cover"
"""Codes of disclosures that rules read."""

DEFAULT_SKEW: Mapping[str, int] = {"bip122": 7200, "eip155": 120}


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """A legal segregation arrangement, as the statement declares it."""

    pool: str
    legal_form: str
    model: str
    term: str
    profiles: tuple[str, ...]
    residue_bps: int
    register: Mapping[str, str]  # asset -> "public" or "blinded"


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """An asset of the statement's registry, with the forms that count as it."""

    asset: str
    kind: str
    decimals: int
    forms: Mapping[str, int]  # form -> its own decimals


@dataclass(frozen=True, slots=True)
class CellTotals:
    """What the statement says of one (pool, asset)."""

    liabilities: int
    reserves: int
    by_class: Mapping[str, int]
    encumbered: int
    excluded: int


@dataclass(frozen=True, slots=True)
class Position:
    """A row of a pool's register, with what the caller's own checks found for it."""

    pool: str
    asset: str
    account: str
    form: str
    assurance: str
    segregation: str
    client_tie: str  # hex, "" if omnibus
    observed: int
    counted: int
    encumbered: int
    excluded: int
    control: Control
    control_reason: str
    bound: bool  # the challenge was rebuilt from this statement's own claim
    observed_block: tuple[int, str]  # (0, "") off chain
    observed_at: dt.datetime
    method: str
    anchored: bool | None  # None: not looked at, or off chain


@dataclass(frozen=True, slots=True)
class HousePosition:
    """A position that the statement shows apart and never counts."""

    account: str
    asset: str
    form: str
    owner_class: str
    observed: int


@dataclass(frozen=True, slots=True)
class Wallet:
    """A row of the private wallet register; `observed` in the asset's base unit."""

    account: str
    form: str
    pool: str  # "" if in none
    owner_class: str
    segregation: str
    client_id: str  # "" if omnibus
    client_code: str
    function: str
    opened: dt.date | None
    observed: int
    encumbrances: tuple[Encumbrance, ...]


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """The ledger extract, summed. `holders`: clients with a credit above zero."""

    credits: Mapping[Cell, int]
    debits: Mapping[Cell, int]
    leaves: Mapping[Cell, int]
    holders: Mapping[Cell, int]
    rows: int
    negative_credits: tuple[str, ...]  # the offending rows, described
    duplicates: tuple[str, ...]
    trees_match: Mapping[Cell, bool]  # L root rebuilt is the statement's; leaves = distinct (client, pool, asset)
    own_credits: Mapping[tuple[str, str, str], int]  # (client_id, pool, asset) of clients with a dedicated wallet


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The client accounts beside the ledger.

    by_type: (pool, asset, account type) -> (holders with a credit above zero, credit).
    debits_by_type: the same key -> debit: an operator who only owes stands here and nowhere else.
    """

    by_type: Mapping[tuple[str, str, str], tuple[int, int]]
    debits_by_type: Mapping[tuple[str, str, str], int]
    untagged: tuple[str, ...]  # clients in the ledger with no account row
    mistagged: tuple[str, ...]  # related party with a plain type, or the reverse
    absent: tuple[str, ...]  # accounts not closed that stand in no ledger row


@dataclass(frozen=True, slots=True)
class Population:
    """The previous extract's clients against this one's. A first statement has none: None."""

    dropped: tuple[str, ...]  # had a credit, stand in no row now, not marked closed


@dataclass(frozen=True, slots=True)
class PrivacyFacts:
    """What a search of everything to be published found, and the freshness of keys and blinds."""

    direct_identifiers: tuple[str, ...]  # client ids that were found, with the member they stand in
    unsalted_hashes: tuple[str, ...]
    blind_duplicates: int
    key_reused: bool | None  # None: there is an earlier snapshot, and its key was not compared
    not_searched: int = 0  # client ids so short and plain that they cannot be told from words and numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that one reader knows of one statement. What has a default of None may be unknown."""

    as_of: dt.datetime
    issued_at: dt.datetime
    claim_expires: dt.datetime
    valid_until: dt.datetime
    sequence: int
    pools: tuple[PoolFacts, ...]
    assets: tuple[AssetFacts, ...]
    totals: Mapping[Cell, CellTotals]
    house: tuple[HousePosition, ...]
    exclusions: tuple[Exclusion, ...]
    disclosures: tuple[Disclosure, ...]
    positions: tuple[Position, ...] | None = None
    positions_complete: bool = False  # False if the register of any cell is not shown whole
    wallets: tuple[Wallet, ...] | None = None
    other_accounts: frozenset[tuple[str, str]] | None = None  # (account, form) claimed in other bundles or registers
    ledger: LedgerFacts | None = None
    accounts: AccountFacts | None = None
    control_totals: Mapping[Cell, int] | None = None
    population: Population | None = None
    privacy: PrivacyFacts | None = None
    prices: Mapping[str, Fraction] | None = None  # of one whole unit, all in one quote currency
    statements_seen: tuple[StatementKey, ...] | None = None  # others of this custodian that the reader knows
    this_statement: StatementKey | None = None
    publication: Publication = "none"
    skew: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_SKEW))
    # seconds, by CAIP-2 chain or by its namespace; off chain it is the same business day

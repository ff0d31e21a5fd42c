"""The statement before it is signed: everything that a reader will hold against something, from its parts.

Time, number and predecessor are given; nothing here reads a clock or a file.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .. import __version__
from ..format.errors import UsageError
from ..format.pool import Pool, PoolAsset, Reserves, Tree
from ..format.statement import (
    Asset,
    ControlTotal,
    Correction,
    Disclosure,
    Exclusion,
    HousePosition,
    Ledger,
    RuleRow,
    Statement,
)
from ..format.times import format_time, parse_time
from ..format.vocabulary import RELATED_TYPES, TREE_TRANSPARENT
from ..segregation import RULES_VERSION, RuleResult, load_profiles
from ..segregation.facts import RELATED_PARTY, SHORTFALL_COVER
from .challenge_record import Challenge
from .config import Config, PoolTerms
from .positions import Holding
from .register_input import RegisterRow
from .snapshot_records import LedgerState
from .tree_hashing import extract_mac

TOOL = f"reserveproof {__version__}"
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Numbering:
    """What the workspace's lock fixes. corrects: SHA-256 of the payload that this one corrects, None if none."""

    as_of: str
    issued_at: str
    sequence: int
    previous: bytes | None
    corrects: bytes | None = None
    reason: str = ""


def draft_statement(
    config: Config,
    *,
    numbering: Numbering,
    challenge: Challenge,
    ledger: LedgerState,
    rows: Iterable[RegisterRow],
    holdings: Iterable[Holding],
    reserves: Mapping[Cell, Reserves],
    snapshot_key: bytes,
) -> Statement:
    """The statement with no rule run yet: rules is empty and the verdict qualified. with_rules completes it.

    reserves: of every cell of the challenge. holdings: judge_positions of rows.
    """
    held, register = list(holdings), list(rows)
    pools = _pools(config, challenge, reserves)
    house = tuple(sorted(_house(register), key=lambda h: (h.asset, h.account, h.form)))
    used = {cell.asset for pool in pools for cell in pool.assets} | {h.asset for h in house}
    named = {pool.pool for pool in pools}
    control = ledger.control_totals[0] if ledger.control_totals else ()
    return Statement(
        anchors=challenge.anchors,
        as_of=numbering.as_of,
        assets=tuple(asset for asset in config.assets if asset.asset in used),
        claim_expires=challenge.claim_expires,
        client_id_hint=config.statement.client_id_hint,
        corrects=Correction(numbering.corrects, numbering.reason),
        custodian=config.custodian,
        disclosures=disclosures(config, ledger, held),
        dispute=config.statement.dispute,
        exclusions=_exclusions(held),
        house=house,
        house_note=config.statement.house_note,
        issued_at=numbering.issued_at,
        ledger=Ledger(
            # A general ledger has totals of zero for what nobody uses; the statement does not name those.
            control_totals=tuple(
                ControlTotal(c.asset, c.credit, c.pool) for c in control if c.asset in used and c.pool in named
            ),
            extract_mac=extract_mac(snapshot_key, ledger.extract_sha256),
        ),
        logs=(config.log.origin,) if config.log else (),
        notes=dict(config.statement.notes),
        pools=pools,
        previous=numbering.previous,
        rules=(),
        rules_version=RULES_VERSION,
        sequence=numbering.sequence,
        snapshot_id=challenge.snapshot_id,
        tool=TOOL,
        valid_until=add_days(numbering.issued_at, config.statement.valid_days),
        verdict="qualified",
        version=1,
    )


def with_rules(statement: Statement, results: Iterable[RuleResult], verdict: str) -> Statement:
    """The statement with the results of its rules: of each the number of findings, never their text."""
    rows = [RuleRow(r.id, r.pool, r.profile, r.result, len(r.rows)) for r in results]
    return dataclasses.replace(
        statement, rules=tuple(sorted(rows, key=lambda r: (r.pool, r.profile, r.id))), verdict=verdict
    )


def add_days(time: str, days: int) -> str:
    return format_time(parse_time(time) + dt.timedelta(days=days))


def used_assets(config: Config, names: Iterable[str]) -> dict[str, Asset]:
    """The registered assets of these names."""
    return {name: config.asset(name) for name in names}


def _pools(config: Config, challenge: Challenge, reserves: Mapping[Cell, Reserves]) -> tuple[Pool, ...]:
    cells: dict[str, list[PoolAsset]] = {}
    for root in challenge.liabilities:
        cell = reserves.get((root.pool, root.asset))
        if cell is None:
            raise RuntimeError(f"no reserves tree was built for {root.pool} {root.asset}")
        owed = Tree(depth=root.depth, kind=TREE_TRANSPARENT, root=root.root, total=root.total)
        cells.setdefault(root.pool, []).append(PoolAsset(root.asset, owed, cell))
    stray = sorted(set(reserves) - {(root.pool, root.asset) for root in challenge.liabilities})
    if stray:
        raise UsageError(
            f"the register has {stray[0][1]} in pool {stray[0][0]}, which the challenge did not bind",
            reason="cell", hint="the claim is frozen: put it right in the register, or open another snapshot",
        )  # fmt: skip
    return tuple(_pool(config.pool(name), cells[name]) for name in sorted(cells))


def _pool(terms: PoolTerms, cells: list[PoolAsset]) -> Pool:
    return Pool(
        assets=tuple(sorted(cells, key=lambda cell: cell.asset)),
        law=terms.law,
        legal_form=terms.legal_form,
        model=terms.model,
        pool=terms.pool,
        profiles=terms.profiles,
        residue_bps=terms.residue_bps,
        term=terms.term,
        trustee=terms.trustee,
    )


def _house(rows: Iterable[RegisterRow]) -> list[HousePosition]:
    return [
        HousePosition(row.account, row.asset, row.owner_class, row.form, row.down(row.quantity))
        for row in rows
        if not row.in_pool
    ]


def _exclusions(holdings: Iterable[Holding]) -> tuple[Exclusion, ...]:
    sums: dict[tuple[str, str, str, str], int] = {}
    for holding in holdings:
        for reason, amount in holding.reasons:
            key = (*holding.cell, "R", reason)
            sums[key] = sums.get(key, 0) + amount
    return tuple(Exclusion(amount, asset, pool, reason, side)
                 for (pool, asset, side, reason), amount in sorted(sums.items()))  # fmt: skip


def disclosures(config: Config, ledger: LedgerState, holdings: Iterable[Holding]) -> tuple[Disclosure, ...]:
    """What is said apart: holdings of related parties, and own assets that fill a hole. An amount behind which
    fewer holders stand than the pool's profiles ask for is withheld: it would be somebody's balance."""
    found: list[Disclosure] = []
    related: dict[Cell, tuple[int, int, int]] = {}
    for entry in ledger.accounts[0].by_type if ledger.accounts else ():
        if entry.account_type in RELATED_TYPES and (entry.holders or entry.credit or entry.debit):
            holders, credit, debit = related.get((entry.pool, entry.asset), (0, 0, 0))
            related[entry.pool, entry.asset] = (holders + entry.holders, credit + entry.credit, debit + entry.debit)
    for (pool, asset), (holders, credit, debit) in related.items():
        least = max(profile.parameters.holders for profile in load_profiles(config.pool(pool).profiles))
        words = "Accounts of affiliates, operators, employees and market makers" + (", with debits." if debit else ".")
        amount = credit if holders >= least else None
        found.append(Disclosure(amount, asset, RELATED_PARTY, holders, pool, words))
    cover: dict[Cell, int] = {}
    for holding in holdings:
        if holding.row.owner_class == SHORTFALL_COVER.replace("-", "_"):
            cover[holding.cell] = cover.get(holding.cell, 0) + holding.position.counted
    for (pool, asset), amount in cover.items():
        words = "The custodian's own assets, appropriated to a shortfall of this pool."
        found.append(Disclosure(amount, asset, SHORTFALL_COVER, 0, pool, words))
    return tuple(sorted(found, key=lambda d: (d.pool, d.asset, d.code)))

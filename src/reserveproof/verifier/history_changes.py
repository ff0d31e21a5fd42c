"""What changed from one statement to the next, in words: what a reader of a history looks for."""

from __future__ import annotations

from collections.abc import Mapping

from ..format.amounts import to_readable
from ..format.errors import shown
from ..format.pool import PoolAsset
from ..format.statement import Disclosure, Exclusion, Statement

_Cell = tuple[str, str]
NOTHING = "none"
COMPARED = (
    "pools and their terms, decimals, totals, amounts by control class, registers, depth, exclusions, disclosures "
    "or the house note"
)
"""Nothing else of two statements is."""


def changes(before: Statement, after: Statement) -> tuple[str, ...]:
    """Line by line: what COMPARED says. In the order of pool and asset, empty if nothing of it changed."""
    lines: list[str] = []
    if after.corrects.payload_sha256:
        lines.append(f"it is a correction: {shown(after.corrects.reason)}")
    lines += _pools(before, after)
    old, new = _cells(before), _cells(after)
    for cell in sorted(old.keys() | new.keys()):
        lines += _cell(cell, old.get(cell), new.get(cell), _decimals(before, cell), _decimals(after, cell))
    lines += _listed("exclusion", _exclusions(before), _exclusions(after))
    lines += _listed("disclosure", _disclosures(before), _disclosures(after))
    if before.house_note != after.house_note:
        lines.append(f"house note: {shown(before.house_note) or NOTHING} -> {shown(after.house_note) or NOTHING}")
    return tuple(lines)


def _pools(before: Statement, after: Statement) -> list[str]:
    old = {pool.pool: pool for pool in before.pools}
    new = {pool.pool: pool for pool in after.pools}
    lines = [f"pool {name} is gone" for name in sorted(old.keys() - new.keys())]
    lines += [f"pool {name} is new" for name in sorted(new.keys() - old.keys())]
    for name in sorted(old.keys() & new.keys()):
        for member in ("legal_form", "law", "trustee", "model", "term", "residue_bps"):
            was, now = getattr(old[name], member), getattr(new[name], member)
            if was != now:
                what = member.replace("_", " ")
                lines.append(f"pool {name}, {what}: {shown(was) or NOTHING} -> {shown(now) or NOTHING}")
        was, now = ", ".join(old[name].profiles), ", ".join(new[name].profiles)
        if was != now:
            lines.append(f"pool {name}, profiles: {was} -> {now}")
    return lines


def _cells(statement: Statement) -> dict[_Cell, PoolAsset]:
    return {(pool.pool, cell.asset): cell for pool in statement.pools for cell in pool.assets}


def _decimals(statement: Statement, cell: _Cell) -> int:
    asset = statement.asset(cell[1])
    return asset.decimals if asset else 0


def _cell(cell: _Cell, old: PoolAsset | None, new: PoolAsset | None, was: int, now: int) -> list[str]:
    place = " ".join(cell)
    if old is None or new is None:
        return [f"{place} is {'new' if old is None else 'gone'}"]
    facts: list[tuple[str, str, str]] = [
        ("decimals", str(was), str(now)),
        ("owed", to_readable(old.liabilities.total, was), to_readable(new.liabilities.total, now)),
        ("held", to_readable(old.reserves.total, was), to_readable(new.reserves.total, now)),
        ("encumbered", to_readable(old.reserves.encumbered, was), to_readable(new.reserves.encumbered, now)),
        ("excluded", to_readable(old.reserves.excluded, was), to_readable(new.reserves.excluded, now)),
        *_by_class(old, new, was, now),
        ("register", old.reserves.register, new.reserves.register),
        ("depth of liabilities", str(old.liabilities.depth), str(new.liabilities.depth)),
        ("depth of reserves", str(old.reserves.depth), str(new.reserves.depth)),
    ]
    return [f"{place}, {what}: {before} -> {after}" for what, before, after in facts if before != after]


def _by_class(old: PoolAsset, new: PoolAsset, was: int, now: int) -> list[tuple[str, str, str]]:
    before = {entry.class_: to_readable(entry.amount, was) for entry in old.reserves.by_class}
    after = {entry.class_: to_readable(entry.amount, now) for entry in new.reserves.by_class}
    return [
        (f"held by {name}", before.get(name, NOTHING), after.get(name, NOTHING))
        for name in sorted(before.keys() | after.keys())
    ]


def _exclusions(statement: Statement) -> dict[str, str]:
    def name(entry: Exclusion) -> str:
        return f"{entry.pool} {entry.asset} {entry.side} {entry.reason}"

    return {
        name(entry): to_readable(entry.amount, _decimals(statement, (entry.pool, entry.asset)))
        for entry in statement.exclusions
    }


def _disclosures(statement: Statement) -> dict[str, str]:
    def said(entry: Disclosure) -> str:
        decimals = _decimals(statement, (entry.pool, entry.asset))
        amount = "withheld" if entry.amount is None else to_readable(entry.amount, decimals)
        return f"{amount}, {entry.holders} holders, {shown(entry.text) or NOTHING}"

    return {f"{entry.pool} {entry.asset} {entry.code}": said(entry) for entry in statement.disclosures}


def _listed(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    lines = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was != now:
            lines.append(f"{what} {name}: {was or NOTHING} -> {now or NOTHING}")
    return lines

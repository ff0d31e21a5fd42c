"""Steps 7 and 9 of a public verification: the register and its reserves trees; and steps 6 to 9 in a row.

Also what a client runs with --bundle, and what an auditor runs first. Nothing here needs a secret: the trees of a
public register are keyed by their own names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..format import envelope, manifest, register
from ..format.errors import EvidenceError
from ..format.identifiers import on_one_chain
from ..format.limits import MAX_REGISTER_BYTES, MAX_STATEMENT_BYTES
from ..format.pool import PoolAsset
from ..format.register import RegisterEntry
from ..format.statement import Statement
from .bundle import Bundle
from .bundle_step import as_reason, read_manifest, read_signed
from .evidence_step import ShownPosition, check_evidence
from .fold import Committed
from .hashing import Tree, TreeName, blind, position_details, position_holder
from .rebuild import commit, in_order
from .record import Record
from .statement_steps import Trusted

Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RebuiltRegister:
    """Every position of the cells whose register was rebuilt to the signed root."""

    cells: frozenset[Cell]
    positions: tuple[ShownPosition, ...]


def rebuild_bundle(bundle: Bundle, trusted: Trusted, record: Record) -> RebuiltRegister:
    """A client's --bundle: the same steps, all under the step that asked. The bundle's statement must be the
    one that the client's proof names."""
    beside = envelope.parse(bundle.read(manifest.STATEMENT_FILE, 2 * MAX_STATEMENT_BYTES))
    if beside.payload_sha256 != trusted.payload_sha256:
        raise EvidenceError(
            "the bundle is another statement's than the proof file's",
            reason="statement-differs",
            expected=trusted.payload_sha256.hex(),
            found=beside.payload_sha256.hex(),
            hint="get the bundle of the same snapshot",
        )
    files = read_manifest(bundle, trusted)
    entries = check_register(bundle, files, trusted.statement)
    shown = check_evidence(bundle, files, trusted.statement, entries)
    return check_trees(trusted.statement, shown, record)


# (7)
def check_register(
    bundle: Bundle, files: Mapping[str, manifest.FileEntry], statement: Statement
) -> tuple[RegisterEntry, ...]:
    """The published register: positions of public cells only, registered forms only, nothing twice."""
    with as_reason("register"):
        entries = register.parse(read_signed(bundle, files[manifest.REGISTER_FILE], MAX_REGISTER_BYTES))
    check_entries(statement, entries, registers=("public",))
    return entries


def check_entries(statement: Statement, entries: Sequence[RegisterEntry], *, registers: tuple[str, ...]) -> None:
    """Each entry is of a cell with such a register and of a form of its asset; an account stands in one pool, a
    position once (attacks 33, twin_position)."""
    forms = {asset.asset: {form.form for form in asset.forms} for asset in statement.assets}
    pools: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        position = entry.position
        where = f"{entry.pool} {entry.asset} {position.account}"
        cell = statement.pool_asset(entry.pool, entry.asset)
        fits = position.form in forms.get(entry.asset, ()) and on_one_chain(position.account, position.form)
        if cell is None or cell.reserves.register not in registers or not fits:
            raise EvidenceError(
                f"{where}: the statement has no such cell with a {' or '.join(registers)} register, or the form is "
                "not one of the asset's on this chain",
                reason="cell-unknown",
                found=position.form,
            )
        if pools.setdefault(position.account, entry.pool) != entry.pool:
            raise EvidenceError(
                f"{position.account} stands in two pools",
                reason="position-twice",
                expected=pools[position.account],
                found=entry.pool,
            )
        if (position.account, position.form) in seen:
            raise EvidenceError(f"{where}: this account and form stands twice", reason="position-twice")
        seen.add((position.account, position.form))


# (9)
def register_tree(statement: Statement, pool: str, asset: str) -> Tree:
    return Tree(TreeName(b"R", statement.custodian.id, statement.snapshot_id, pool, asset))


def rebuild_cell(tree: Tree, key: bytes, depth: int, entries: Sequence[RegisterEntry]) -> Committed:
    """Root and total of the reserves tree over these positions."""
    leaves = []
    for entry in entries:
        position = entry.position
        holder = position_holder(position.account, position.form)
        leaf = tree.leaf(blind(key, holder), holder, position_details(position), position.counted)
        leaves.append((leaf, position.counted))
    return commit(tree, key, depth, in_order(leaves))


def blinded_cell(pool: str, asset: str) -> str:
    """What a reader without the sealed register is told of a blinded one."""
    return f"the reserves of {pool} {asset}: the register is blinded, for an auditor to rebuild"


def check_trees(statement: Statement, shown: Sequence[ShownPosition], record: Record) -> RebuiltRegister:
    """Every public cell rebuilt from its positions, against the signed root, total and sums."""
    by_cell: dict[Cell, list[RegisterEntry]] = {}
    for position in shown:
        by_cell.setdefault((position.entry.pool, position.entry.asset), []).append(position.entry)
    rebuilt: set[Cell] = set()
    for pool in statement.pools:
        for cell in pool.assets:
            key = (pool.pool, cell.asset)
            if cell.reserves.register != "public":
                record.unchecked(blinded_cell(pool.pool, cell.asset))
                continue
            tree = register_tree(statement, *key)
            check_cell(tree, tree.public_key(), pool.pool, cell, by_cell.get(key, []))
            rebuilt.add(key)
    return RebuiltRegister(frozenset(rebuilt), tuple(shown))


def check_cell(tree: Tree, key: bytes, pool: str, cell: PoolAsset, entries: Sequence[RegisterEntry]) -> None:
    """One reserves tree rebuilt; root, total and the sums beside it are the statement's."""
    where = f"{pool} {cell.asset}"
    held = cell.reserves
    try:
        top = rebuild_cell(tree, key, held.depth, entries)
    except EvidenceError as error:
        if error.reason != "sum":
            error.reason = "root-differs"  # positions that no tree of the signed depth can hold
        raise
    if top.root != held.root:
        raise EvidenceError(
            f"{where}: the positions are not those under the signed root (they sum to {top.total} base units, signed "
            f"are {held.total})",
            reason="root-differs",
            expected=held.root.hex(),
            found=top.root.hex(),
            hint="the register leaves out, adds or changes a position of the signed reserves",
        )
    if top.total != held.total:
        raise EvidenceError(
            f"{where}: the positions do not sum to the signed reserves",
            reason="total-differs",
            expected=str(held.total),
            found=str(top.total),
        )
    classes: dict[str, int] = {}
    for entry in entries:
        if entry.position.counted:
            classes[entry.position.class_] = classes.get(entry.position.class_, 0) + entry.position.counted
    sums = (
        ("by-class", classes, {c.class_: c.amount for c in held.by_class}),
        ("encumbered", sum(e.position.encumbered for e in entries), held.encumbered),
        ("excluded", sum(e.position.excluded for e in entries), held.excluded),
    )
    for reason, found, signed in sums:
        if found != signed:
            raise EvidenceError(
                f"{where}: the positions' {reason} is not the signed one",
                reason=reason,
                expected=str(signed),
                found=str(found),
            )

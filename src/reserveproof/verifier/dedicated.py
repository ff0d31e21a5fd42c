"""Step 11: accounts that are dedicated to the client alone. docs/spec/verification.md."""

from __future__ import annotations

from dataclasses import dataclass

from ..format.amounts import to_readable
from ..format.errors import EvidenceError, PolicyError
from ..format.identifiers import on_one_chain
from ..format.pool import PoolAsset
from ..format.proof_file import DedicatedPosition, ProofFile
from ..format.statement import Statement
from .claims import Claims
from .fold import Committed, check_path_shape, compare, fold
from .hashing import Tree, TreeName, client_tie, position_details, position_holder
from .policy import Policy
from .record import Record
from .register_steps import RebuiltRegister

TIED_ELSEWHERE = (
    "that a dedicated account stands in no other leaf, and the evidence of its control and balance: the register "
    "was not rebuilt here"
)


@dataclass(frozen=True, slots=True)
class VerifiedPosition:
    """A position of a dedicated account, tied to the client and part of the signed reserves."""

    pool: str
    asset: str
    account: str
    form: str
    counted: int
    decimals: int
    assurance: str
    surplus: int
    """Counted over all dedicated positions of the (pool, asset), above the own credit there."""


def check_positions(
    statement: Statement,
    policy: Policy,
    proof: ProofFile,
    claims: Claims,
    holder: bytes,
    rebuilt: RebuiltRegister | None,
    record: Record,
) -> tuple[VerifiedPosition, ...]:
    """Every account stated has a position and none other has; each is tied to the client, folds to the signed
    reserves, and together they hold at least the own credit."""
    accounts = {entry.position.account for entry in proof.positions}
    for account in claims.dedicated:
        if account not in accounts:
            raise EvidenceError(
                f"the proof file shows no position of the dedicated account {account}",
                reason="dedicated-missing",
                hint="check the account; if it is right, it is not part of the signed reserves as yours",
            )
    seen: set[tuple[str, str]] = set()
    cells: list[PoolAsset] = []
    for entry in proof.positions:
        cells.append(_check_position(statement, policy, claims, entry, holder, seen))
    counted: dict[tuple[str, str], int] = {}
    for entry, cell in zip(proof.positions, cells, strict=True):
        _fold_position(statement, entry, cell)
        key = (entry.pool, entry.asset)
        counted[key] = counted.get(key, 0) + entry.position.counted
    credits = {(line.pool, line.asset): line.credit for line in proof.lines}
    decimals = {entry.asset: entry.decimals for entry in statement.assets}
    dedicated_pools = {pool.pool for pool in statement.pools if pool.model == "dedicated"}
    # Where every client has wallets of their own, a balance without any is as much as one that is not held.
    owed = {key for key, credit in credits.items() if credit and key[0] in dedicated_pools}
    for pool, asset in sorted(owed | counted.keys()):
        total, own = counted.get((pool, asset), 0), credits.get((pool, asset), 0)
        if total < own:
            raise EvidenceError(
                f"{pool} {asset}: the dedicated accounts hold less than the own balance",
                reason="dedicated-below",
                expected=f"at least {to_readable(own, decimals[asset])}",
                found=to_readable(total, decimals[asset]),
            )
    everything = {(pool.pool, cell.asset) for pool in statement.pools for cell in pool.assets}
    if proof.positions and (rebuilt is None or rebuilt.cells != everything):
        record.unchecked(TIED_ELSEWHERE)
    return tuple(
        VerifiedPosition(
            pool=entry.pool,
            asset=entry.asset,
            account=entry.position.account,
            form=entry.position.form,
            counted=entry.position.counted,
            decimals=decimals[entry.asset],
            assurance=entry.position.class_,
            surplus=counted[entry.pool, entry.asset] - credits.get((entry.pool, entry.asset), 0),
        )
        for entry in proof.positions
    )


def _check_position(
    statement: Statement,
    policy: Policy,
    claims: Claims,
    entry: DedicatedPosition,
    holder: bytes,
    seen: set[tuple[str, str]],
) -> PoolAsset:
    position = entry.position
    where = f"{entry.pool} {entry.asset} {position.account}"
    if position.account not in claims.dedicated:
        raise EvidenceError(
            f"the proof file shows a position of {position.account}, which was not stated as dedicated",
            reason="dedicated-unknown",
            hint="state every account that is dedicated to you",
        )
    if (position.account, position.form) in seen:
        raise EvidenceError(f"{where}: the same account and form stands twice", reason="dedicated-twice")
    seen.add((position.account, position.form))
    cell = statement.pool_asset(entry.pool, entry.asset)
    asset = statement.asset(entry.asset)
    forms = {form.form for form in asset.forms} if asset else set()
    if cell is None or asset is None or position.form not in forms or not on_one_chain(position.account, position.form):
        raise EvidenceError(
            f"{where}: the statement has no such pool and asset, or the form is not one of the asset's on this chain",
            reason="cell-unknown",
            found=position.form,
        )
    if position.segregation != "dedicated":
        raise EvidenceError(
            f"{where}: the position is not dedicated",
            reason="not-dedicated",
            expected="dedicated",
            found=position.segregation,
        )
    if position.observed - position.counted - position.encumbered != position.excluded:
        raise EvidenceError(
            f"{where}: the parts of the position do not make the whole",
            reason="position-sum",
            expected=to_readable(position.observed, asset.decimals),
            found=to_readable(position.counted + position.encumbered + position.excluded, asset.decimals),
        )
    if position.class_ == "DECLARED_ONLY" and position.counted:
        raise EvidenceError(f"{where}: what is only declared does not count", reason="declared-only")
    if position.counted and (position.control is None or position.observation is None):
        raise EvidenceError(
            f"{where}: it counts without evidence of control or of a balance",
            reason="evidence-missing",
            expected="the digests of both",
        )
    if position.counted and not policy.accepts_assurance(position.class_):
        raise PolicyError(
            f"{where}: control is shown by weaker means than the policy accepts",
            reason="assurance",
            expected=policy.least_assurance,
            found=position.class_,
        )
    if position.client_tie != client_tie(entry.tie_blind, holder):
        raise EvidenceError(
            f"{where}: the position is not tied to this id and code",
            reason="tie-differs",
            hint="check id and code; if they are right, the account is held for someone else",
        )
    return cell


def _fold_position(statement: Statement, entry: DedicatedPosition, cell: PoolAsset) -> None:
    position, held = entry.position, cell.reserves
    where = f"{entry.pool} {entry.asset} {position.account}"
    check_path_shape(held.depth, entry.index, entry.path, where)
    tree = Tree(TreeName(b"R", statement.custodian.id, statement.snapshot_id, entry.pool, entry.asset))
    holder = position_holder(position.account, position.form)
    leaf = tree.leaf(entry.blind, holder, position_details(position), position.counted)
    top = fold(tree, held.depth, (leaf, position.counted), entry.index, entry.path)
    compare(
        tree,
        Committed(held.depth, held.root, held.total),
        top,
        where,
        "the position is not part of the signed reserves; ask the custodian",
    )

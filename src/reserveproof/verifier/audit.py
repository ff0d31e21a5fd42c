"""Verification by an auditor: everything rebuilt from the ledger and the snapshot key.

docs/spec/verification.md, "Audit". The public steps come first; then, with the verifier's own tree code, every
liabilities tree and every blinded register, the control totals, and all rules with all facts that were given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .. import segregation
from ..format.amounts import to_readable
from ..format.errors import EvidenceError
from ..format.limits import AMOUNT_BOUND, MAX_EVIDENCE_BYTES
from ..format.manifest import FileEntry, evidence_file
from ..format.pool import PoolAsset
from ..format.register import RegisterEntry
from ..format.statement import Statement
from ..format.tables import ControlTotalRow
from ..segregation.published_text import PublishedText
from .audit_facts import AuditInputs, audit_facts
from .audit_ledger import JudgedLedger, Means, check_rows, extract_digest, judge_ledger, leaves_of
from .audit_trees import build_tree_piece, commit_pieces, pieces_of
from .evidence_step import check_evidence
from .fold import Committed
from .hashing import Tree, TreeName, blind, client_holder, client_tie, extract_mac, position_holder, sha256
from .policy import Policy
from .public import VerifiedBundle
from .rebuild import check_depth
from .record import Record
from .register_steps import RebuiltRegister, blinded_cell, check_cell, check_entries, register_tree
from .rules_step import require_rebuilt, run_and_compare

Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class VerifiedAudit:
    public: VerifiedBundle
    rows: int
    leaves: int
    results: tuple[segregation.RuleResult, ...]
    rebuilt: frozenset[Cell]


def check_audit(
    public: VerifiedBundle, inputs: AuditInputs, policy: Policy, record: Record, means: Means
) -> VerifiedAudit:
    """Steps 13 to 16, after the public ones have passed."""
    statement = public.trusted.statement
    keys = _tree_keys(statement, inputs.snapshot_key)
    dedicated = frozenset(wallet.client_id for wallet in inputs.wallets or () if wallet.client_id)
    found = judge_ledger(inputs.tables, keys, dedicated, PublishedText(inputs.published), means)
    leaves = sum(its.leaves for its in found.sums.values())
    with record.step(13, "Extract") as step:
        check_rows(inputs.tables, found)
        digest = extract_digest(found, means)
        if extract_mac(inputs.snapshot_key, digest) != statement.ledger.extract_mac:
            raise EvidenceError(
                "the ledger is not the one that the statement was made from, or the key is another snapshot's",
                reason="extract-differs",
                expected=statement.ledger.extract_mac.hex(),
                found=extract_mac(inputs.snapshot_key, digest).hex(),
                hint="use the ledger and the key of this snapshot, without a row added, dropped or changed",
            )
        step.lines.append(f"{found.rows} rows, canonical extract {digest.hex()}")
    with record.step(14, "Trees") as step:
        match = _rebuild_liabilities(statement, keys, found, means)
        step.lines.append(f"{len(match)} liabilities trees over {leaves} leaves, all as signed")
        rebuilt = _rebuild_blinded(statement, inputs, public.rebuilt, record)
        if inputs.wallets is None:
            record.unchecked("to whom dedicated accounts are tied: the wallet register was not given (--wallets)")
        else:
            _check_ties(statement, inputs, rebuilt)
        require_rebuilt(policy, statement, rebuilt.cells)
        step.lines.append(f"{len(rebuilt.cells)} reserves trees, all as signed")
    with record.step(15, "Control totals") as step:
        if inputs.control_totals is None:
            record.unchecked("control totals of the general ledger: none were given")
        else:
            _check_control_totals(statement, inputs.control_totals)
            step.lines.append(f"{len(inputs.control_totals)} totals tie to the signed liabilities")
    with record.step(16, "Rules") as step:
        facts = audit_facts(public, rebuilt, inputs, found, match)
        results = run_and_compare(facts, public.trusted, "audit")
        open_rules = sorted({result.id for result in results if result.result == "NOT_ASSESSED"})
        if open_rules:
            record.unchecked("rules that lack an input: " + ", ".join(open_rules))
        step.lines.append(f"{len(results) - len(open_rules)} rule results reached here")
    record.unchecked("completeness of the ledger beyond the control totals and the earlier population given")
    record.unchecked("that observed balances are true: methods are as declared")
    record.unchecked("borrowing, and encumbrances beyond those declared")
    return VerifiedAudit(public, found.rows, leaves, results, rebuilt.cells)


def _tree_keys(statement: Statement, snapshot_key: bytes) -> dict[Cell, tuple[TreeName, bytes]]:
    """Name and key of every liabilities tree of the statement."""
    names = [
        TreeName(b"L", statement.custodian.id, statement.snapshot_id, pool.pool, cell.asset)
        for pool in statement.pools
        for cell in pool.assets
    ]
    return {(name.pool, name.asset): (name, Tree(name).secret_key(snapshot_key)) for name in names}


# (14)
def _rebuild_liabilities(
    statement: Statement, keys: Mapping[Cell, tuple[TreeName, bytes]], found: JudgedLedger, means: Means
) -> dict[Cell, bool]:
    """Every tree of the statement, each from the ledger's leaves to the signed root."""
    match: dict[Cell, bool] = {}
    cells = {(pool.pool, cell.asset): cell for pool in statement.pools for cell in pool.assets}
    for key in sorted(found.sums):
        if key not in cells:
            raise EvidenceError(
                f"the ledger has rows of {key[0]} {key[1]}, which the statement does not have",
                reason="total-differs",
                expected="every pool and asset of the ledger in the statement",
                found=f"{key[0]} {key[1]}",
            )
        if key in found.too_large:
            raise EvidenceError(f"{key[0]} {key[1]}: a client's sum is not below 2^127", reason="sum")
        if found.sums[key].debit >= AMOUNT_BOUND:  # credits: as the tree is built
            raise EvidenceError(f"{key[0]} {key[1]}: the sum of debits is not below 2^127", reason="sum")
        check_depth(cells[key].liabilities.depth, found.sums[key].leaves)
    pieces = {key: pieces_of(keys[key][0], leaves_of(found, key), means.sizes.piece) for key in sorted(cells)}
    leaves = sum(its.leaves for its in found.sums.values())
    with means.progress.stage("building trees", leaves, "leaves") as advance:
        built = means.map_(build_tree_piece, [piece for its in pieces.values() for piece in its])
        for key, its in pieces.items():
            done = []
            for _piece in its:
                done.append(next(built))
                advance(done[-1].leaves)
            count = found.sums[key].leaves if key in found.sums else 0
            cell = cells[key]
            _check_liabilities(key, cell, commit_pieces(*keys[key], cell.liabilities.depth, count, done))
            match[key] = True
    return match


def _check_liabilities(key: Cell, cell: PoolAsset, top: Committed) -> None:
    where = f"{key[0]} {key[1]}"
    if top.total != cell.liabilities.total:
        raise EvidenceError(
            f"{where}: the ledger's credits do not sum to the signed liabilities",
            reason="total-differs",
            expected=str(cell.liabilities.total),
            found=str(top.total),
        )
    if top != Committed(cell.liabilities.depth, cell.liabilities.root, cell.liabilities.total):
        raise EvidenceError(
            f"{where}: the ledger's lines are not those under the signed root",
            reason="root-differs",
            expected=cell.liabilities.root.hex(),
            found=top.root.hex(),
        )


def _rebuild_blinded(
    statement: Statement, inputs: AuditInputs, public: RebuiltRegister, record: Record
) -> RebuiltRegister:
    """The reserves trees whose register is not published, from the register that the auditor was handed."""
    blinded = {
        (pool.pool, cell.asset): cell
        for pool in statement.pools
        for cell in pool.assets
        if cell.reserves.register == "blinded"
    }
    if not blinded:
        return public
    if inputs.sealed_register is None or inputs.sealed_evidence is None:
        record.unchecked("reserves of blinded registers: the sealed register was not given (--register, --evidence)")
        return public
    entries = [e for e in inputs.sealed_register if (e.pool, e.asset) in blinded]
    everything = [*(shown.entry for shown in public.positions), *entries]
    check_entries(statement, sorted(everything, key=lambda e: e.key), registers=("public", "blinded"))
    names = {
        evidence_file(digest)
        for entry in entries
        for digest in (entry.position.control, entry.position.observation)
        if digest is not None
    }
    files: dict[str, FileEntry] = {}
    for name in names:
        data = inputs.sealed_evidence.read(name, MAX_EVIDENCE_BYTES)
        files[name] = FileEntry(name, sha256(data), len(data))
    shown = check_evidence(inputs.sealed_evidence, files, statement, entries)
    by_cell: dict[Cell, list[RegisterEntry]] = {}
    for entry in entries:
        by_cell.setdefault((entry.pool, entry.asset), []).append(entry)
    for key, cell in blinded.items():
        tree = register_tree(statement, *key)
        check_cell(tree, tree.secret_key(inputs.snapshot_key), key[0], cell, by_cell.get(key, []))
        record.not_checked.remove(blinded_cell(*key))  # the public steps had to leave it open
    return RebuiltRegister(public.cells | set(blinded), (*public.positions, *shown))


def _check_ties(statement: Statement, inputs: AuditInputs, rebuilt: RebuiltRegister) -> None:
    """Every dedicated position is tied to the client that the wallet register names (attack twin_position)."""
    owners = {(wallet.account, wallet.form): wallet for wallet in inputs.wallets or ()}
    for shown in rebuilt.positions:
        position = shown.entry.position
        if position.client_tie is None:
            continue
        wallet = owners.get((position.account, position.form))
        tie_key = register_tree(statement, shown.entry.pool, shown.entry.asset).tie_key(inputs.snapshot_key)
        tie_blind = blind(tie_key, position_holder(position.account, position.form))
        if wallet is None or position.client_tie != client_tie(
            tie_blind, client_holder(wallet.client_id, wallet.client_code)
        ):
            raise EvidenceError(
                f"{shown.entry.pool} {shown.entry.asset} {position.account}: tied to another client than the wallet "
                "register names",
                reason="tie-differs",
            )


# (15)
def _check_control_totals(statement: Statement, totals: Sequence[ControlTotalRow]) -> None:
    signed = {(pool.pool, cell.asset): cell.liabilities.total for pool in statement.pools for cell in pool.assets}
    decimals = {asset.asset: asset.decimals for asset in statement.assets}
    own = {(total.pool, total.asset): total.credit for total in totals}
    for key in sorted(signed.keys() | own.keys()):
        if own.get(key, 0) != signed.get(key, 0):
            raise EvidenceError(
                f"{key[0]} {key[1]}: the control total is not the signed liabilities",
                reason="control-totals-differ",
                expected=to_readable(own.get(key, 0), decimals.get(key[1], 0)),
                found=to_readable(signed.get(key, 0), decimals.get(key[1], 0)),
            )

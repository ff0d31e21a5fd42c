"""Verification by an auditor: everything rebuilt from the ledger and the snapshot key.

docs/spec/verification.md, "Audit". The public steps come first; then, with the verifier's own tree code, every
liabilities tree and every blinded register, the control totals, and all rules with all facts that were given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from .. import segregation
from ..format.amounts import to_readable
from ..format.errors import EvidenceError
from ..format.limits import AMOUNT_BOUND, MAX_EVIDENCE_BYTES
from ..format.manifest import FileEntry, evidence_file
from ..format.pool import PoolAsset
from ..format.proof_file import Bucket
from ..format.register import RegisterEntry
from ..format.statement import Statement
from ..format.tables import EXTRACT_COLUMNS, ControlTotalRow, ExtractRow
from ..format.times import parse_date
from ..format.vocabulary import RELATED_TYPES
from ..format.wallet_table import WalletRow
from ..segregation.published_text import PublishedText, is_searchable
from .audit_store import AuditStore
from .bundle import Bundle
from .evidence_step import check_evidence
from .facts import public_facts
from .fold import Committed
from .hashing import (
    Tree,
    TreeName,
    blind,
    client_holder,
    client_tie,
    extract_mac,
    line_details,
    position_holder,
    sha256,
)
from .policy import Policy
from .public import VerifiedBundle
from .rebuild import commit
from .record import Record
from .register_steps import RebuiltRegister, blinded_cell, check_cell, check_entries, register_tree
from .rules_step import require_rebuilt, run_and_compare

Cell = tuple[str, str]
SAMPLE = 100
"""Clients that a finding names; the rest are counted by the rule's own note."""


@dataclass(frozen=True, slots=True)
class AuditInputs:
    """What the auditor was handed beside the bundle. None: not given, so what needs it is not assessed."""

    snapshot_key: bytes
    previous_key: bytes | None
    store: AuditStore
    ledger_rows: int
    accounts_given: bool
    previous_given: bool
    control_totals: tuple[ControlTotalRow, ...] | None
    wallets: tuple[WalletRow, ...] | None
    sealed_register: tuple[RegisterEntry, ...] | None
    sealed_evidence: Bundle | None
    published: tuple[object, ...]
    """Every JSON document of the bundle, for the search for client ids (PRV-01)."""


@dataclass(slots=True)
class _Sums:
    """What one pass over the ledger leaves behind: numbers by cell, nothing by client but dedicated ones."""

    credits: dict[Cell, int] = field(default_factory=dict)
    debits: dict[Cell, int] = field(default_factory=dict)
    leaves: dict[Cell, int] = field(default_factory=dict)
    holders: dict[Cell, int] = field(default_factory=dict)
    own: dict[tuple[str, str, str], int] = field(default_factory=dict)
    by_type: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    debits_by_type: dict[tuple[str, str, str], int] = field(default_factory=dict)
    match: dict[Cell, bool] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerifiedAudit:
    public: VerifiedBundle
    rows: int
    leaves: int
    results: tuple[segregation.RuleResult, ...]
    rebuilt: frozenset[Cell]


def check_audit(public: VerifiedBundle, inputs: AuditInputs, policy: Policy, record: Record) -> VerifiedAudit:
    """Steps 13 to 16, after the public ones have passed."""
    statement = public.trusted.statement
    with record.step(13, "Extract") as step:
        inputs.store.check_codes()
        digest = _extract_digest(inputs.store.ledger_in_order())
        if extract_mac(inputs.snapshot_key, digest) != statement.ledger.extract_mac:
            raise EvidenceError(
                "the ledger is not the one that the statement was made from, or the key is another snapshot's",
                reason="extract-differs",
                expected=statement.ledger.extract_mac.hex(),
                found=extract_mac(inputs.snapshot_key, digest).hex(),
                hint="use the ledger and the key of this snapshot, without a row added, dropped or changed",
            )
        step.lines.append(f"{inputs.ledger_rows} rows, canonical extract {digest.hex()}")
    dedicated = {wallet.client_id for wallet in inputs.wallets or () if wallet.client_id}
    sums = _Sums()
    with record.step(14, "Trees") as step:
        _rebuild_liabilities(statement, inputs, dedicated, sums)
        step.lines.append(f"{len(sums.match)} liabilities trees over {sum(sums.leaves.values())} leaves, all as signed")
        rebuilt = _rebuild_blinded(statement, inputs, public.rebuilt, record)
        if inputs.wallets is None:
            record.unchecked("to whom dedicated accounts are tied: the wallet register was not given (--wallets)")
        else:
            _check_ties(statement, inputs, rebuilt, sums)
        require_rebuilt(policy, statement, rebuilt.cells)
        step.lines.append(f"{len(rebuilt.cells)} reserves trees, all as signed")
    with record.step(15, "Control totals") as step:
        if inputs.control_totals is None:
            record.unchecked("control totals of the general ledger: none were given")
        else:
            _check_control_totals(statement, inputs.control_totals)
            step.lines.append(f"{len(inputs.control_totals)} totals tie to the signed liabilities")
    with record.step(16, "Rules") as step:
        facts = _facts(public, rebuilt, inputs, sums)
        results = run_and_compare(facts, public.trusted, "audit")
        open_rules = sorted({result.id for result in results if result.result == "NOT_ASSESSED"})
        if open_rules:
            record.unchecked("rules that lack an input: " + ", ".join(open_rules))
        step.lines.append(f"{len(results) - len(open_rules)} rule results reached here")
    record.unchecked("completeness of the ledger beyond the control totals and the earlier population given")
    record.unchecked("that observed balances are true: methods are as declared")
    record.unchecked("borrowing, and encumbrances beyond those declared")
    return VerifiedAudit(public, inputs.ledger_rows, sum(sums.leaves.values()), results, rebuilt.cells)


# (13)
def _extract_digest(rows: Iterable[ExtractRow]) -> bytes:
    """SHA-256 of the canonical extract over rows in its order, never held whole."""
    state = hashlib.sha256(("\t".join(EXTRACT_COLUMNS) + "\n").encode("ascii"))
    for row in rows:
        state.update(("\t".join(map(str, row)) + "\n").encode("ascii"))
    return state.digest()


# (14)
def _rebuild_liabilities(statement: Statement, inputs: AuditInputs, dedicated: set[str], sums: _Sums) -> None:
    cells = {(pool.pool, cell.asset): cell for pool in statement.pools for cell in pool.assets}
    for key, rows in groupby(inputs.store.ledger_in_order(), key=lambda row: (row.pool, row.asset)):
        if key not in cells:
            raise EvidenceError(
                f"the ledger has rows of {key[0]} {key[1]}, which the statement does not have",
                reason="total-differs",
                expected="every pool and asset of the ledger in the statement",
                found=f"{key[0]} {key[1]}",
            )
        tree = Tree(TreeName(b"L", statement.custodian.id, statement.snapshot_id, *key))
        secret = tree.secret_key(inputs.snapshot_key)
        inputs.store.add_leaves(_leaves(tree, secret, rows, key, inputs, dedicated, sums))
        _check_liabilities(tree, secret, key, cells[key], inputs.store.leaves_in_order())
        sums.match[key] = True
    for key, cell in cells.items():
        if key not in sums.match:
            tree = Tree(TreeName(b"L", statement.custodian.id, statement.snapshot_id, *key))
            _check_liabilities(tree, tree.secret_key(inputs.snapshot_key), key, cell, iter(()))
            sums.match[key] = True
            for numbers in (sums.credits, sums.debits, sums.leaves, sums.holders):
                numbers[key] = 0


def _leaves(
    tree: Tree,
    secret: bytes,
    rows: Iterable[ExtractRow],
    cell: Cell,
    inputs: AuditInputs,
    dedicated: set[str],
    sums: _Sums,
) -> Iterator[tuple[bytes, int]]:
    credits = debits = leaves = holders = 0
    for (client_id, client_code), group in groupby(rows, key=lambda row: (row.client_id, row.client_code)):
        buckets = [Bucket(row.bucket, row.credit, row.debit) for row in group]
        credit, debit = sum(b.credit for b in buckets), sum(b.debit for b in buckets)
        if credit >= AMOUNT_BOUND or debit >= AMOUNT_BOUND:
            raise EvidenceError(f"{cell[0]} {cell[1]}: a client's sum is not below 2^127", reason="sum")
        holder = client_holder(client_id, client_code)
        yield tree.leaf(blind(secret, holder), holder, line_details(buckets), credit), credit
        credits, debits, leaves, holders = credits + credit, debits + debit, leaves + 1, holders + (credit > 0)
        if client_id in dedicated:
            sums.own[client_id, *cell] = credit
            sums.codes[client_id] = client_code
        if inputs.accounts_given and (account := inputs.store.account(client_id)) is not None:
            key = (*cell, account[0])
            count, total = sums.by_type.get(key, (0, 0))
            sums.by_type[key] = (count + (credit > 0), total + credit)
            sums.debits_by_type[key] = sums.debits_by_type.get(key, 0) + debit
    sums.credits[cell], sums.debits[cell] = credits, debits
    sums.leaves[cell], sums.holders[cell] = leaves, holders


def _check_liabilities(
    tree: Tree, secret: bytes, key: Cell, cell: PoolAsset, leaves: Iterator[tuple[bytes, int]]
) -> None:
    where = f"{key[0]} {key[1]}"
    top = commit(tree, secret, cell.liabilities.depth, leaves)
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


def _check_ties(statement: Statement, inputs: AuditInputs, rebuilt: RebuiltRegister, sums: _Sums) -> None:
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


# (16)
def _facts(public: VerifiedBundle, rebuilt: RebuiltRegister, inputs: AuditInputs, sums: _Sums) -> segregation.Facts:
    facts = public_facts(public.trusted, rebuilt)
    store = inputs.store
    accounts = (
        segregation.AccountFacts(
            by_type=sums.by_type,
            debits_by_type=sums.debits_by_type,
            untagged=tuple(store.untagged(SAMPLE)),
            mistagged=tuple(store.mistagged(RELATED_TYPES, SAMPLE)),
            absent=tuple(store.absent(SAMPLE)),
        )
        if inputs.accounts_given
        else None
    )
    return replace(
        facts,
        other_accounts=public.facts.other_accounts,
        wallets=None if inputs.wallets is None else tuple(map(_wallet, inputs.wallets)),
        ledger=segregation.LedgerFacts(
            credits=sums.credits,
            debits=sums.debits,
            leaves=sums.leaves,
            holders=sums.holders,
            rows=inputs.ledger_rows,
            negative_credits=(),
            duplicates=(),
            trees_match=sums.match,
            own_credits=sums.own,
        ),
        accounts=accounts,
        control_totals=None
        if inputs.control_totals is None
        else {(total.pool, total.asset): total.credit for total in inputs.control_totals},
        population=segregation.Population(tuple(store.dropped(SAMPLE))) if inputs.previous_given else None,
        privacy=_privacy(public.trusted.statement, inputs),
    )


def _wallet(row: WalletRow) -> segregation.Wallet:
    return segregation.Wallet(
        account=row.account,
        form=row.form,
        pool=row.pool,
        owner_class=row.owner_class,
        segregation=row.segregation,
        client_id=row.client_id,
        client_code=row.client_code,
        function=row.function,
        opened=parse_date(row.opened) if row.opened else None,
        observed=row.observed,
        encumbrances=((row.encumbrance, row.encumbered, row.counts),) if row.encumbrance else (),
    )


def _privacy(statement: Statement, inputs: AuditInputs) -> segregation.PrivacyFacts:
    """PRV-01 by search. PRV-02: blinds derive from the key by holder, and the trees rebuilt from it to the signed
    roots with strictly ascending leaves, so no two are equal."""
    text = PublishedText(inputs.published)
    direct: list[str] = []
    hashes: list[str] = []
    not_searched = 0
    for client_id, _code in inputs.store.clients():
        not_searched += not is_searchable(client_id)
        if len(direct) < SAMPLE and (member := text.where(client_id)):
            direct.append(f"{client_id} in {member}")
        if len(hashes) < SAMPLE and text.shows_hash(client_id):
            hashes.append(f"of {client_id}")
    reused = None
    if inputs.previous_key is not None:
        reused = inputs.previous_key == inputs.snapshot_key
    elif statement.sequence == 0:
        reused = False  # the first statement: there is no earlier key
    return segregation.PrivacyFacts(tuple(direct), tuple(hashes), 0, reused, not_searched)

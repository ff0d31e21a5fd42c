"""Steps 6 to 9 of a public verification: the bundle's files, the register, its evidence, the reserves trees.

Also what a client runs with --bundle, and what an auditor runs first. Nothing here needs a secret: the trees of a
public register are keyed by their own names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..chains import ControlEvidence, check_control
from ..format import envelope, evidence, manifest, register
from ..format.amounts import convert_down
from ..format.challenge import challenge, claim_of
from ..format.errors import EvidenceError, MalformedError
from ..format.evidence import Control, Observation
from ..format.identifiers import chain_of, on_one_chain
from ..format.limits import MAX_EVIDENCE_BYTES, MAX_MANIFEST_BYTES, MAX_REGISTER_BYTES, MAX_STATEMENT_BYTES
from ..format.pool import PoolAsset
from ..format.register import RegisterEntry
from ..format.statement import Statement
from .bundle import Bundle
from .fold import Committed
from .hashing import Tree, TreeName, blind, position_details, position_holder, sha256
from .rebuild import commit, in_order
from .record import Record
from .statement_steps import Trusted

Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ShownPosition:
    """A position with its evidence read and passed."""

    entry: RegisterEntry
    control: Control | None
    control_verdict: str
    """valid, or none where nothing counts."""
    observation: Observation | None
    anchored: bool | None


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
    entries = check_register(bundle, trusted.statement)
    shown = check_evidence(bundle, files, trusted.statement, entries)
    return check_trees(trusted.statement, shown, record)


@contextmanager
def _as_reason(reason: str) -> Iterator[None]:
    """Whatever makes a file of the bundle unreadable has the file's reason; the message says the rest."""
    try:
        yield
    except MalformedError as error:
        error.reason = reason
        raise


def _is_evidence(name: str) -> bool:
    return name.startswith(f"{manifest.EVIDENCE_FOLDER}/")


# (6)
def read_manifest(bundle: Bundle, trusted: Trusted) -> dict[str, manifest.FileEntry]:
    """The manifest that the statement names; every file there and none beside, each with its size and digest."""
    data = bundle.read(manifest.MANIFEST_FILE, MAX_MANIFEST_BYTES)
    if sha256(data) != trusted.manifest_sha256:
        raise EvidenceError(
            "the manifest is not the one that was signed",
            reason="manifest-differs",
            expected=trusted.manifest_sha256.hex(),
            found=sha256(data).hex(),
            hint="get the whole bundle again",
        )
    with _as_reason("manifest"):
        files = {entry.name: entry for entry in manifest.parse(data)}
        if manifest.MANIFEST_FILE in files or manifest.STATEMENT_FILE in files:
            raise MalformedError("the manifest names itself or the statement")
    if manifest.REGISTER_FILE not in files:
        raise MalformedError("the manifest names no register", reason="file-missing")
    unknown = sorted(bundle.names() - set(files) - {manifest.MANIFEST_FILE, manifest.STATEMENT_FILE})
    if unknown:
        raise MalformedError(
            "the bundle has a file that its manifest does not name", reason="file-unknown", found=ascii(unknown[0])[:96]
        )
    for name, entry in files.items():
        limit = MAX_EVIDENCE_BYTES if _is_evidence(name) else MAX_REGISTER_BYTES
        content = bundle.read(name, limit)
        if len(content) != entry.size or sha256(content) != entry.sha256:
            raise EvidenceError(
                f"{name} is not the file that was signed",
                reason="file-differs",
                expected=entry.sha256.hex(),
                found=sha256(content).hex(),
                hint="get the whole bundle again",
            )
    return files


# (7)
def check_register(bundle: Bundle, statement: Statement) -> tuple[RegisterEntry, ...]:
    """The published register: positions of public cells only, registered forms only, nothing twice."""
    with _as_reason("register"):
        entries = register.parse(bundle.read(manifest.REGISTER_FILE, MAX_REGISTER_BYTES))
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


# (8)
def check_evidence(
    bundle: Bundle,
    files: Mapping[str, manifest.FileEntry],
    statement: Statement,
    entries: Sequence[RegisterEntry],
) -> tuple[ShownPosition, ...]:
    """Every position's control and observation, judged. The challenge is rebuilt from the statement's own claim."""
    named = {
        manifest.evidence_file(digest): digest
        for entry in entries
        for digest in (entry.position.control, entry.position.observation)
        if digest is not None
    }
    surplus = sorted(name for name in files if _is_evidence(name) and name not in named)
    missing = sorted(set(named) - set(files))
    if surplus or missing:
        raise MalformedError(
            "the evidence files are not exactly those that the positions name",
            reason="evidence",
            expected=missing[0] if missing else "no further file",
            found=surplus[0] if surplus else "nothing",
        )
    for name, digest in named.items():
        # The leaf commits to the digest; the manifest could pair the name with other bytes.
        if files[name].sha256 != digest:
            raise MalformedError(f"{name} is not called by its own digest", reason="evidence")
    claim = claim_of(statement)
    judged: dict[tuple[bytes, str, str], str] = {}
    return tuple(_check_position(bundle, statement, claim, entry, judged) for entry in entries)


def _check_position(
    bundle: Bundle, statement: Statement, claim: bytes, entry: RegisterEntry, judged: dict[tuple[bytes, str, str], str]
) -> ShownPosition:
    position = entry.position
    where = f"{entry.pool} {entry.asset} {position.account}"
    control = None
    if position.control is not None:
        with _as_reason("evidence"):
            data = bundle.read(manifest.evidence_file(position.control), MAX_EVIDENCE_BYTES)
            control = evidence.parse_control(data)
        if control.account != position.account:
            raise EvidenceError(
                f"{where}: its control evidence is of another account",
                reason="evidence-differs",
                expected=position.account,
                found=control.account,
            )
        key = (position.control, entry.pool, position.segregation)
        if key not in judged:  # one signature covers every form of an account
            judged[key] = _control_class(statement, claim, entry, control, where)
        if judged[key] != position.class_:
            raise EvidenceError(
                f"{where}: the evidence shows another class of control than the register says",
                reason="control",
                expected=judged[key],
                found=position.class_,
            )
    elif position.class_ != "DECLARED_ONLY" or position.counted:
        raise EvidenceError(
            f"{where}: counted without any control proof", reason="control", expected="DECLARED_ONLY, counting nothing"
        )
    observation, anchored = None, None
    if position.observation is not None:
        with _as_reason("evidence"):
            data = bundle.read(manifest.evidence_file(position.observation), MAX_EVIDENCE_BYTES)
            observation = evidence.parse_observation(data)
        anchored = _check_observation(statement, entry, observation, where)
    elif position.observed or position.counted or position.encumbered or position.excluded:
        raise EvidenceError(f"{where}: a quantity without an observation", reason="observation")
    if position.observed != position.counted + position.encumbered + position.excluded:
        raise EvidenceError(
            f"{where}: the parts of the position do not make the whole",
            reason="position-sum",
            expected=str(position.observed),
            found=str(position.counted + position.encumbered + position.excluded),
        )
    return ShownPosition(entry, control, "valid" if control else "none", observation, anchored)


def _control_class(statement: Statement, claim: bytes, entry: RegisterEntry, control: Control, where: str) -> str:
    position = entry.position
    message = challenge(
        account=position.account,
        custodian_id=statement.custodian.id,
        pool=entry.pool,
        segregation=position.segregation,
        claim=claim,
        expires=statement.claim_expires,
        profile=control.profile,
    )
    result = check_control(
        position.account,
        message,
        ControlEvidence(
            scheme=control.scheme,
            signature=control.signature,
            letter_sha256=control.letter.sha256.hex() if control.letter.sha256 else "",
            letter_issuer=control.letter.issuer,
            letter_date=control.letter.date,
        ),
    )
    if result.verdict != "valid":
        raise EvidenceError(
            f"{where}: control is not shown: {result.detail}",
            reason="control",
            expected=f"a valid {control.scheme} for this custodian, pool, snapshot and these liabilities",
            found=f"{result.verdict} ({result.reason})",
            hint="a signature made for another statement, custodian or pool does not count here",
        )
    return result.assurance


def _check_observation(statement: Statement, entry: RegisterEntry, observation: Observation, where: str) -> bool | None:
    position = entry.position
    if (observation.account, observation.form) != (position.account, position.form):
        raise EvidenceError(
            f"{where}: its observation is of another position",
            reason="evidence-differs",
            expected=f"{position.account} {position.form}",
            found=f"{observation.account} {observation.form}",
        )
    asset = statement.asset(entry.asset)
    decimals = {form.form: form.decimals for form in asset.forms} if asset else {}
    if asset is None or position.form not in decimals:
        raise RuntimeError("step 7 has let an unknown form pass")
    quantity = convert_down(observation.quantity, decimals[position.form], asset.decimals)
    if quantity != position.observed:
        raise EvidenceError(
            f"{where}: the register says another quantity than was observed",
            reason="observation",
            expected=str(quantity),
            found=str(position.observed),
        )
    chain = chain_of(position.account)
    if not chain and (observation.height or observation.hash):
        raise EvidenceError(
            f"{where}: a block is named where there is no chain",
            reason="observation",
            expected="height 0 and no hash",
            found=f"{observation.height} {observation.hash}",
        )
    anchor = next((anchor for anchor in statement.anchors if anchor.chain == chain), None)
    if anchor is None:
        return None
    if (observation.height, observation.hash, observation.time) != (anchor.height, anchor.hash, anchor.time):
        raise EvidenceError(
            f"{where}: observed at another block than the statement's anchor",
            reason="observation",
            expected=f"{anchor.height} {anchor.hash} {anchor.time}",
            found=f"{observation.height} {observation.hash} {observation.time}",
        )
    return True


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

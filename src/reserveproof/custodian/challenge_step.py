"""The step from a ledger to frozen claims and the wallets' answers, on disk. Under the workspace's lock throughout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..format import limits
from ..format.errors import InputError, MalformedError, UsageError
from ..format.statement import Anchor
from ..format.times import parse_time
from . import atomic_files
from .challenge_kit import Answer, LetterDays, kit_files, merge, read_responses
from .challenge_record import (
    RESPONSES_FILE,
    Challenge,
    LiabilitiesRoot,
    Responses,
    challenge_json,
    dump_responses,
    freeze,
    parse_challenge,
    parse_responses,
)
from .config import Config
from .register_input import RegisterRow, load_anchors, load_register
from .snapshot_records import LedgerState
from .statement_draft import add_days, used_assets
from .tree_builder import empty_tree
from .tree_hashing import TreeHasher, TreeName, blinded_key
from .workspace import Snapshot, State

REGISTER_FILE = "register.csv"
ANCHORS_FILE = "anchors.csv"


@dataclass(frozen=True, slots=True)
class Frozen:
    """The outcome of a challenge. again: whether the same claim was frozen before."""

    challenge: Challenge
    responses: Responses
    again: bool


def load_rows(snapshot: Snapshot, config: Config) -> tuple[RegisterRow, ...]:
    """register.csv of the snapshot; InputError, the first one, if something is wrong with it."""
    assets = {asset.asset for asset in config.assets}
    return load_register(
        snapshot.path / REGISTER_FILE, assets=config.assets, pools={pool.pool: assets for pool in config.pools}
    )


def load_challenge(snapshot: Snapshot) -> Challenge:
    """challenge.json."""
    snapshot.require(State.CHALLENGED)
    return snapshot.read_state(State.CHALLENGED, parse_challenge)


def load_responses(snapshot: Snapshot) -> Responses:
    """responses.json; none yet if it is not there."""
    path = snapshot.path / RESPONSES_FILE
    if not path.exists():
        return Responses()
    try:
        return parse_responses(atomic_files.read_file(path, limit=limits.MAX_REGISTER_BYTES))
    except MalformedError as error:
        raise InputError(f"is damaged: {error.message}", file=str(path), reason="damaged",
                         hint="restore it from a copy, or remove it and import again") from None  # fmt: skip


def challenge_now(
    snapshot: Snapshot, config: Config, rows: tuple[RegisterRow, ...], *, expires: str, anchors: tuple[Anchor, ...]
) -> Challenge:
    """The challenge that the snapshot's ledger and register give, whatever was frozen."""
    roots = liabilities_roots(snapshot, config, rows)
    return freeze(
        anchors=anchors,
        assets=used_assets(config, {root.asset for root in roots}),
        custodian=config.custodian.id,
        lei=config.custodian.lei,
        expires=expires,
        snapshot_id=snapshot.id,
        liabilities=roots,
        rows=rows,
    )


def freeze_challenge(snapshot: Snapshot, *, now: str) -> Frozen:
    """Freeze the claim and the wallets, or find them frozen. The wallets may change until the snapshot is attested,
    the claim never (UsageError). InputError for a register or anchors that something is wrong with."""
    snapshot.require(State.LEDGER)
    snapshot.require_not(State.SIGNED)
    config = snapshot.workspace.config()
    rows = load_rows(snapshot, config)
    anchors = _anchors(snapshot)
    before = load_challenge(snapshot) if snapshot.has(State.CHALLENGED) else None
    expires = before.claim_expires if before else add_days(now, config.statement.claim_days)
    challenge = challenge_now(snapshot, config, rows, expires=expires, anchors=anchors)
    if not challenge.wallets:
        raise InputError("has no wallet in a pool, so that there is nothing to prove",
                         file=str(snapshot.path / REGISTER_FILE), reason="empty")  # fmt: skip
    if before and before.claim != challenge.claim:
        raise UsageError(
            f"the claim of {snapshot.id} is frozen, and the anchors, assets or cells now give another",
            reason="claim",
            hint="put back what was changed in anchors.csv, register.csv or custodian.toml, or open another snapshot",
        )
    if before != challenge:
        snapshot.write_state(State.CHALLENGED, challenge_json(challenge), replace=True)
    return Frozen(challenge, load_responses(snapshot), before is not None)


def write_kit(frozen: Frozen, out: Path) -> int:
    """Write the kit into a new folder; the number of files."""
    files = dict(kit_files(frozen.challenge, frozen.responses))
    with atomic_files.new_folder(out) as partial:
        (partial / "messages").mkdir(mode=atomic_files.PRIVATE_FOLDER)
        for name, data in files.items():
            (partial / name).write_bytes(data)
            (partial / name).chmod(atomic_files.PRIVATE_FILE)
    return len(files)


def import_answers(snapshot: Snapshot, path: Path, *, now: str = "") -> tuple[tuple[Answer, ...], Frozen]:
    """Judge the answers in a responses.csv and keep the good ones; refusals are kept by name until a good answer
    comes. InputError if the table is malformed: then nothing of it is kept.

    now: no letter is dated after it; "" leaves the end of the claim.
    """
    snapshot.require_not(State.SIGNED)
    challenge = load_challenge(snapshot)
    instants = (snapshot.opened().as_of, now or challenge.claim_expires, challenge.claim_expires)
    answers = read_responses(path, challenge, LetterDays(*map(parse_time, instants)))
    responses = merge(load_responses(snapshot), answers)
    atomic_files.write_file(snapshot.path / RESPONSES_FILE, dump_responses(responses))
    return answers, Frozen(challenge, responses, True)


def _anchors(snapshot: Snapshot) -> tuple[Anchor, ...]:
    path = snapshot.path / ANCHORS_FILE
    anchors, as_of = load_anchors(path), snapshot.opened().as_of
    for anchor in anchors:
        before = (parse_time(as_of) - parse_time(anchor.time)).total_seconds()
        if not 0 <= before <= limits.OLDEST_ANCHOR_SECONDS:
            raise InputError(f"is after the snapshot's as-of {as_of}, or more than a day before it", file=str(path),
                             column="time", value=anchor.time, reason="anchor",
                             hint="the anchor is the last block at or before it")  # fmt: skip
    return anchors


def liabilities_roots(snapshot: Snapshot, config: Config, rows: tuple[RegisterRow, ...]) -> tuple[LiabilitiesRoot, ...]:
    """One root for each (pool, asset) of the ledger or of the register; where nobody is owed anything, the empty
    tree's."""
    ledger: LedgerState = snapshot.ledger()
    roots = {(c.pool, c.asset): LiabilitiesRoot(c.asset, c.depth, c.pool, c.root, c.credit) for c in ledger.cells}
    for pool, asset in sorted({(row.pool, row.asset) for row in rows if row.in_pool} - set(roots)):
        tree_id = TreeName(config.custodian.id, snapshot.id, pool, asset, "L").tree_id
        hasher = TreeHasher(tree_id, blinded_key(snapshot.key(), tree_id))
        built = empty_tree(hasher, min_depth=config.pool(pool).min_depth)
        roots[pool, asset] = LiabilitiesRoot(asset, built.depth, pool, built.root, built.total)
    return tuple(roots[cell] for cell in sorted(roots))

"""Attesting: from the register, the answers and the ledger to an unsigned statement with its verdict.

Repeatable until the first signature. Number, predecessor and time of issue are fixed here, under the workspace's
lock. A failing draft is kept: saying so is honest, and the rows are needed to put it right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

from ..format import canonical_json, limits, register
from ..format.errors import MalformedError, UsageError
from ..format.identifiers import DIGEST
from ..format.manifest import REGISTER_FILE
from ..format.pool import Reserves
from ..format.shape import to_json
from ..format.statement import Attested, Statement, dump_payload
from ..format.times import parse_time
from ..format.wallet_table import WALLETS_FILE, dump_wallets
from ..segregation import RuleResult, run_rules, verdict_of
from ..segregation.published_text import PublishedText
from . import challenge_step, draft_store, signing
from .atomic_files import read_file
from .challenge_record import Challenge, Responses, wallets_of
from .config import Config
from .draft_store import Draft, DraftState
from .extract_scan import ExtractScan, FrozenExtract, frozen_extract
from .facts import custodian_facts
from .positions import Holding, Secrets, check_codes, judge_positions
from .progress import SILENT, Progress
from .register_input import RegisterRow
from .reserves import by_cell, reserves_record, reserves_tree, statement_registers
from .snapshot_records import LedgerState
from .statement_draft import Numbering, draft_statement, with_rules
from .workspace import Snapshot, State

EXTRACT_FILE = "extract.tsv"
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """What may be handed to attest beside the workspace. prices and others are None if nobody gave them; others:
    (account, form) of other registers, empty for "looked, and there is none"."""

    prices: Mapping[str, Fraction] | None = None
    others: frozenset[tuple[str, str]] | None = None
    corrects: bytes | None = None
    reason: str = ""
    discard_export: bool = False


@dataclass(frozen=True, slots=True)
class Attestation:
    """A draft as it was made, with what a reader of the report wants to know. refused: why, by account, of answers
    that were not accepted. clients: how many stand in the ledger."""

    statement: Statement
    payload_sha256: bytes
    results: tuple[RuleResult, ...]
    holdings: tuple[Holding, ...]
    prices: Mapping[str, Fraction] | None
    refused: Mapping[str, str]
    clients: int

    @property
    def verdict(self) -> str:
        return self.statement.verdict


@dataclass(frozen=True, slots=True)
class _World:
    """Everything read from the workspace once."""

    config: Config
    challenge: Challenge
    ledger: LedgerState
    rows: tuple[RegisterRow, ...]
    responses: Responses
    secrets: Secrets
    extract: Path


def attest(snapshot: Snapshot, *, now: str, given: Given | None = None, progress: Progress = SILENT) -> Attestation:
    """Make the draft and put it in place, under the workspace's lock. now: the time of issue.

    UsageError if the snapshot is signed already, bytes of it or of another went out to be signed, or its as-of does
    not follow the last statement's; InputError for an input that something is wrong with. given.discard_export holds
    even if the draft is then refused.
    """
    asked = given or Given()
    snapshot.require(State.CHALLENGED)
    snapshot.require_not(State.SIGNED)
    if asked.discard_export:
        signing.discard_export(snapshot)
    _refuse_exported(snapshot)
    signing.refuse_others_out(snapshot)
    world = _read(snapshot)
    numbering = _number(snapshot, world.config, asked, now)
    sha256, scratch = world.ledger.extract_sha256, snapshot.workspace.path
    with frozen_extract(world.extract, sha256=sha256, scratch=scratch, progress=progress) as extract:
        scan = _own_credits(world, extract, progress)
        holdings = judge_positions(
            world.rows, challenge=world.challenge, responses=world.responses, own=scan.own, secrets=world.secrets
        )
        statement = draft_statement(
            world.config, numbering=numbering, challenge=world.challenge, ledger=world.ledger, rows=world.rows,
            holdings=holdings, reserves=_reserves(world, holdings), snapshot_key=world.secrets.snapshot_key,
        )  # fmt: skip
        public, private = _files(world, statement, holdings)
        extract.look_for_clients(_text(statement, public), scan, progress=progress)
    facts = custodian_facts(
        statement, rows=world.rows, holdings=holdings, ledger=world.ledger, scan=scan, prices=asked.prices,
        others=asked.others,
    )  # fmt: skip
    profiles = {pool.pool: pool.profiles for pool in statement.pools}
    results = run_rules(facts, {name for names in profiles.values() for name in names}, "custodian")
    statement = with_rules(statement, results, verdict_of(results, profiles))
    manifest = draft_store.manifest_of(public)
    payload = dump_payload(Attested(statement, hashlib.sha256(manifest).digest()))
    if len(payload) > limits.MAX_STATEMENT_BYTES:
        raise UsageError(f"the statement has {len(payload)} bytes, and at most {limits.MAX_STATEMENT_BYTES} are read",
                         reason="size", hint="fewer house positions or pools")  # fmt: skip
    sha256 = hashlib.sha256(payload).digest()
    state = DraftState(
        as_of=statement.as_of, format=draft_store.FORMAT, issued_at=statement.issued_at, payload_sha256=sha256,
        previous=statement.previous, sequence=statement.sequence, verdict=statement.verdict,
    )  # fmt: skip
    draft_store.save(snapshot, Draft(payload, manifest, public, private), state)
    refused = {entry.account: entry.why for entry in world.responses.refused}
    return Attestation(statement, sha256, results, holdings, asked.prices, refused, world.ledger.clients)


def _refuse_exported(snapshot: Snapshot) -> None:
    if signing.exported(snapshot) is not None:
        raise UsageError(
            f"the draft of {snapshot.id} went out to be signed, and another draft would have the same number",
            reason="exported",
            hint="import the signature; if it is certain that nobody signed, --unsafe-discard-export",
        )


def _read(snapshot: Snapshot) -> _World:
    config = snapshot.workspace.config()
    challenge = challenge_step.load_challenge(snapshot)
    rows = challenge_step.load_rows(snapshot, config)
    if wallets_of(rows) != challenge.wallets:
        raise UsageError(
            "register.csv has other wallets, pools or segregations than were challenged", reason="wallets",
            hint=f"reserveproof challenge {snapshot.workspace.path} {snapshot.id} --kit OUT"
            if not snapshot.has(State.ATTESTED)
            else "put them back: after the first draft the wallets are frozen",
        )  # fmt: skip
    now = challenge_step.challenge_now(
        snapshot, config, rows, expires=challenge.claim_expires, anchors=challenge.anchors
    )
    if now.claim != challenge.claim:
        raise UsageError(
            "custodian.toml or register.csv was changed since the challenge: the claim would be another",
            reason="claim", hint="put back the id, the LEI, the assets, their decimals and forms, and the cells",
        )  # fmt: skip
    return _World(
        config=config,
        challenge=challenge,
        ledger=snapshot.ledger(),
        rows=rows,
        responses=challenge_step.load_responses(snapshot),
        secrets=Secrets(config.custodian.id, snapshot.id, snapshot.key()),
        extract=snapshot.ledger_folder / EXTRACT_FILE,
    )


def _number(snapshot: Snapshot, config: Config, asked: Given, now: str) -> Numbering:
    last = snapshot.workspace.last_numbered()
    sequence, previous = signing.following(last)
    as_of = snapshot.opened().as_of
    if now < as_of:
        raise UsageError(f"the clock says {now}, which is before the as-of {as_of}", reason="clock")
    if asked.corrects is None and asked.reason:
        raise UsageError("--reason is given without --corrects", reason="corrects")
    if asked.corrects is None and last is not None:
        days = config.policy.min_interval_days
        apart = parse_time(as_of) - parse_time(last.as_of)
        if as_of <= last.as_of or apart.total_seconds() < days * 86400:
            raise UsageError(
                f"as-of {as_of} is not {days} days after {last.as_of}, that of the last statement ({last.snapshot_id})",
                reason="as-of", hint="a statement that corrects it says so: --corrects PAYLOAD_SHA256 --reason TEXT",
            )  # fmt: skip
    if asked.corrects is not None:
        if last is None or last.payload_sha256 != asked.corrects:
            raise UsageError("--corrects does not name the last statement of this workspace", reason="corrects",
                             expected=last.payload_sha256.hex() if last else "none was signed yet")  # fmt: skip
        if as_of != last.as_of:
            raise UsageError(f"a correction has the as-of of what it corrects, {last.as_of}", reason="corrects")
        if not asked.reason or len(asked.reason) > limits.MAX_TEXT:
            raise UsageError("a correction needs a reason", reason="corrects", hint="--reason TEXT")
    return Numbering(as_of, now, sequence, previous, asked.corrects, asked.reason)


def _own_credits(world: _World, extract: FrozenExtract, progress: Progress) -> ExtractScan:
    """What clients with dedicated wallets are owed; in a pool of dedicated wallets only, what everyone is."""
    clients = frozenset(row.client_id for row in world.rows if row.segregation == "dedicated")
    pools = frozenset(pool.pool for pool in world.config.pools if pool.model == "dedicated")
    scan = extract.scan(clients, pools, progress=progress)
    check_codes(world.rows, scan.codes, file=challenge_step.REGISTER_FILE)
    return scan


def _reserves(world: _World, holdings: Iterable[Holding]) -> dict[Cell, Reserves]:
    positions = by_cell(holding.entry for holding in holdings)
    found: dict[Cell, Reserves] = {}
    for cell in [(root.pool, root.asset) for root in world.challenge.liabilities]:
        terms = world.config.pool(cell[0])
        min_depth = terms.min_depth if terms.register == "blinded" else 0
        here = positions.get(cell, [])
        tree = reserves_tree(world.secrets, cell, here, register_kind=terms.register, min_depth=min_depth)
        found[cell] = reserves_record(tree.built, here, register_kind=terms.register)
    return found


def _files(
    world: _World, statement: Statement, holdings: tuple[Holding, ...]
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """What is published beside the statement, and what stays private."""
    kinds = {pool.pool: world.config.pool(pool.pool).register for pool in statement.pools}
    entries = statement_registers(by_cell(h.entry for h in holdings), kinds)
    public = {REGISTER_FILE: register.dump(entries)}
    private = {
        REGISTER_FILE: register.dump(tuple(holding.entry for holding in holdings)),
        WALLETS_FILE: dump_wallets(row.wallet() for row in world.rows),
    }
    for holding in holdings:
        target = public if kinds[holding.entry.pool] == "public" else private
        target.update({draft_store.evidence_name(sha): data for sha, data in holding.evidence_files().items()})
    return public, private


def _text(statement: Statement, public: Mapping[str, bytes]) -> PublishedText:
    """Everything that will be published, to be searched for client ids and their plain hashes."""
    documents: list[object] = [to_json(statement)]
    documents += [
        canonical_json.parse(data, max_bytes=limits.MAX_REGISTER_BYTES, what=name) for name, data in public.items()
    ]
    return PublishedText(documents)


def parse_digest(text: str) -> bytes:
    """A payload's SHA-256 as it is typed. UsageError if it is none."""
    if not DIGEST.fullmatch(text):
        raise UsageError("--corrects is not 64 lower-case hex digits", reason="digest", found=text)
    return bytes.fromhex(text)


def read_other_registers(paths: Iterable[Path]) -> frozenset[tuple[str, str]]:
    """(account, form) of the registers of other bundles. InputError for a file that is no register.json."""
    found: set[tuple[str, str]] = set()
    for path in paths:
        try:
            entries = register.parse(read_file(path, limit=limits.MAX_REGISTER_BYTES))
        except MalformedError as error:
            raise UsageError(f"{path} is no register.json: {error.message}", reason="register") from None
        found.update((e.position.account, e.position.form) for e in entries)
    return frozenset(found)


def draft_json(attestation: Attestation) -> canonical_json.Json:
    """The one document of `attest --json`."""
    return cast(
        canonical_json.Json,
        {
            "format": 1,
            "payload_sha256": attestation.payload_sha256.hex(),
            "sequence": attestation.statement.sequence,
            "snapshot_id": attestation.statement.snapshot_id,
            "verdict": attestation.verdict,
        },
    )

"""Verification by a client: the twelve steps of docs/spec/verification.md.

Bytes and the client's own words in, a verified result out, or a typed error with the step that failed. Every loop
over lines runs one step over all lines before the next, so the first failing step decides.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace

from ..format import envelope as envelopes
from ..format import proof_file, tlog_proof
from ..format.amounts import to_readable
from ..format.errors import EvidenceError, PolicyError, ReserveProofError, UsageError
from ..format.identifiers import STRONG_CODE
from ..format.limits import MAX_STATEMENT_BYTES
from ..format.manifest import STATEMENT_FILE
from ..format.pool import PoolAsset
from ..format.proof_file import Line, ProofFile
from ..format.statement import Statement, parse_payload
from ..format.vocabulary import BOUND_BUCKETS, BUCKETS
from . import dedicated
from .bundle import Bundle
from .claims import NOTHING_OWED, SIGNIFICANT_DIGITS, Balance, Claims, TypedAmount, typed_amount
from .coverage import check_cell_coverage, weakest_class
from .facts import public_facts
from .fold import Committed, check_leaf_sum, check_path_shape, compare, fold, leads_to_root
from .hashing import Tree, TreeName, client_holder, line_details
from .last_seen import LastSeen
from .log_step import NO_LOG, LogGiven
from .policy import Policy
from .record import Record
from .register_steps import RebuiltRegister, rebuild_bundle
from .rules_step import refuse_stated_failures, run_and_compare
from .statement_steps import Trusted, establish

NO_CODE = "no client code was typed: if you registered one, type it; "
WRONG_FILE = (
    "check that id and code are typed as registered, and that proof file and statement are the ones delivered "
    "together; if they are, ask the custodian"
)


@dataclass(frozen=True, slots=True)
class VerifiedLine:
    """One (pool, asset) of the client, included in the signed liabilities, covered by the signed reserves."""

    pool: str
    asset: str
    decimals: int
    amount: int
    debit: int
    buckets: tuple[tuple[str, int], ...]
    liabilities: int
    reserves: int
    weakest_class: str
    rebuilt: bool
    digits_typed: str
    """What was compared: "to the last digit", or how far the typed amount reached."""


@dataclass(frozen=True, slots=True)
class VerifiedClient:
    trusted: Trusted
    lines: tuple[VerifiedLine, ...]
    dedicated: tuple[dedicated.VerifiedPosition, ...]
    rebuilt: bool


@dataclass(frozen=True, slots=True)
class _Stated:
    """A balance that the client states, with its cell and its line."""

    line: Line
    cell: PoolAsset
    decimals: int
    amount: TypedAmount
    debit: TypedAmount


def check_client(
    proof: bytes,
    *,
    statement: bytes | None,
    policy: Policy,
    claims: Claims,
    last: LastSeen | None,
    at: dt.datetime,
    bundle: Bundle | None,
    record: Record,
    log: LogGiven = NO_LOG,
) -> VerifiedClient:
    """All twelve steps. statement: the envelope's bytes where it is given beside. last: None for a first look.
    bundle: the published bundle, to rebuild the register; it is then checked whole. log: how the log goes on from the
    last checkpoint seen; the log proof itself stands in the proof file."""
    with record.step(1, "Parse") as step:
        parsed = proof_file.parse(proof)
        envelope = _one_envelope(parsed, statement, bundle)
        attested = parse_payload(envelope.payload)
        step.lines.append(f"proof file with {len(parsed.lines)} lines and {len(parsed.positions)} positions")
    trusted = establish(
        envelope,
        attested,
        named_sha256=parsed.statement_sha256,
        policy=policy,
        at=at,
        last=last,
        digest=claims.digest,
        record=record,
        log=replace(log, proof=parsed.log, parse=tlog_proof.parse_member),
    )
    holder = client_holder(claims.client_id, claims.client_code)
    with record.step(6, "Lines") as step:
        pairs = _match_lines(parsed, claims, trusted.statement, record)
        step.lines.append(f"{len(pairs)} stated balances have a line; every other line is zero")
    with record.step(7, "Each line") as step:
        stated = [_stated(trusted.statement, line, balance) for line, balance in pairs]
        _check_buckets(trusted.statement, parsed)
        for entry in stated:
            step.lines.append(_compare_amounts(trusted.statement, entry, holder))
    with record.step(8, "Fold") as step:
        tops = [_fold_line(trusted.statement, line, holder) for line in parsed.lines]
        step.lines.append(f"{len(tops)} paths folded")
    with record.step(9, "Compare") as step:
        for line, (tree, committed, top) in zip(parsed.lines, tops, strict=True):
            hint = WRONG_FILE if claims.client_code else NO_CODE + WRONG_FILE
            compare(tree, committed, top, f"{line.pool} {line.asset}: not included for the id and code typed", hint)
            step.lines.append(f"{line.pool} {line.asset}: in the signed total, under the signed root")
    with record.step(10, "Coverage") as step:
        rebuilt = _check_coverage(trusted, policy, stated, bundle, record)
        step.lines.extend(f"{e.line.pool} {e.line.asset}: reserves are at least what is owed to all" for e in stated)
    with record.step(11, "Dedicated accounts") as step:
        positions = dedicated.check_positions(trusted.statement, policy, parsed, claims, holder, rebuilt, record)
        step.lines.append(f"{len(positions)} position(s) tied to you" if positions else "none stated, none in the file")
    with record.step(12, "Say what was not checked"):
        _always_unchecked(claims, record)
    return VerifiedClient(
        trusted=trusted,
        lines=tuple(_verified(entry, rebuilt) for entry in stated),
        dedicated=positions,
        rebuilt=rebuilt is not None and all((e.line.pool, e.line.asset) in rebuilt.cells for e in stated),
    )


# (1)
def _one_envelope(parsed: ProofFile, statement: bytes | None, bundle: Bundle | None) -> envelopes.Envelope:
    """The statement in the file, and the one beside it, or else the bundle's. Given twice, it is one payload with
    the signatures of both: two officers may each have signed a copy."""
    beside = None if statement is None else envelopes.parse(statement)
    if beside is None and parsed.envelope is None and bundle is not None:
        beside = envelopes.parse(bundle.read(STATEMENT_FILE, 2 * MAX_STATEMENT_BYTES))
    if beside is None or parsed.envelope is None:
        envelope = beside or parsed.envelope
        if envelope is None:
            raise UsageError(
                "the proof file carries no statement",
                reason="no-statement",
                hint="give the statement that was delivered with it: --statement FILE",
            )
        return envelope
    if beside.payload != parsed.envelope.payload:
        raise EvidenceError(
            "the statement given beside is another one than the statement in the proof file",
            reason="statement-differs",
            expected=parsed.envelope.payload_sha256.hex(),
            found=beside.payload_sha256.hex(),
        )
    return envelopes.Envelope(beside.payload, parsed.envelope.signatures + beside.signatures)


# (6)
def _match_lines(parsed: ProofFile, claims: Claims, statement: Statement, record: Record) -> list[tuple[Line, Balance]]:
    if not claims.balances:
        raise UsageError("no balance is stated", reason="no-balance", hint="state each asset held and its amount")
    lines = {(line.pool, line.asset): line for line in parsed.lines}
    stated: dict[tuple[str, str], Balance] = {}
    for balance in claims.balances:
        pool = balance.pool
        if not pool:
            homes = [p.pool for p in statement.pools if any(cell.asset == balance.asset for cell in p.assets)]
            if len(homes) > 1:
                raise UsageError(
                    f"{balance.asset} stands in several pools",
                    reason="pool-needed",
                    hint="state the pool as well; your account's terms name it",
                )
            pool = homes[0] if homes else ""
        if (pool, balance.asset) in stated:
            raise UsageError(f"{pool} {balance.asset} is stated twice", reason="stated-twice")
        stated[pool, balance.asset] = balance
    absent = [key for key in stated if key not in lines]
    for pool, asset in absent:
        if len(absent) == len(stated) or not _is_zero(stated[pool, asset]):
            raise EvidenceError(
                f"the proof file has no line for {asset}" + (f" in {pool}" if pool else ""),
                reason="line-missing",
                expected="a line for each balance stated",
                hint="check the asset's and pool's names; if they are right, this balance is not included",
            )
        record.unchecked(
            f"{asset}{f' in {pool}' if pool else ''}: stated as zero, and the proof file has no line for it"
        )
    for (pool, asset), line in lines.items():
        if statement.pool_asset(pool, asset) is None:
            raise EvidenceError(
                f"the proof file has a line for {pool} {asset}, which the statement does not have",
                reason="cell-unknown",
            )
        if (pool, asset) not in stated and any(b.credit or b.debit for b in line.buckets):
            raise EvidenceError(
                f"the proof file has a balance in {pool} {asset} that was not stated",
                reason="unstated-line",
                expected="zero, or a balance stated",
                found=_in_whole_units(statement, line),
                hint="is this file yours? if it is, state every balance of that day but zero ones",
            )
    return [(lines[key], balance) for key, balance in sorted(stated.items()) if key in lines]


def _in_whole_units(statement: Statement, line: Line) -> str:
    asset = statement.asset(line.asset)
    decimals = asset.decimals if asset else 0
    debit = f", of which is owed back {to_readable(line.debit, decimals)}" if line.debit else ""
    return f"{to_readable(line.credit, decimals)}{debit}"


def _is_zero(balance: Balance) -> bool:
    """Whether nothing is stated: who has no ledger row has no line, and need have none."""
    return all(re.fullmatch(r"0(?:\.0{1,30})?", text) for text in (balance.amount, balance.debit or "0"))


# (7)
def _stated(statement: Statement, line: Line, balance: Balance) -> _Stated:
    asset = statement.asset(line.asset)
    cell = statement.pool_asset(line.pool, line.asset)
    if asset is None or cell is None:
        raise RuntimeError("step 6 has let an unknown cell pass")
    return _Stated(
        line=line,
        cell=cell,
        decimals=asset.decimals,
        amount=typed_amount(balance.amount, asset.decimals, f"the amount of {line.asset}"),
        debit=typed_amount(balance.debit, asset.decimals, f"the debit of {line.asset}")
        if balance.debit
        else NOTHING_OWED,
    )


def _check_buckets(statement: Statement, parsed: ProofFile) -> None:
    free = {pool.pool for pool in statement.pools if pool.term == "free"}
    for line in parsed.lines:
        for bucket in line.buckets:
            if line.pool in free and bucket.bucket in BOUND_BUCKETS:
                raise EvidenceError(
                    f"{line.pool} {line.asset}: a free pool has no bucket {BUCKETS[bucket.bucket]}",
                    reason="bound-bucket",
                    hint="assets that are staked, lent or in an earn product belong in a pool of their own",
                )
        check_leaf_sum([bucket.credit for bucket in line.buckets])
        check_leaf_sum([bucket.debit for bucket in line.buckets])


def _agrees(found: int, typed: TypedAmount) -> bool:
    """Equal, or equal as far as the client typed. UsageError(reason="digits") where too little was typed."""
    if found == typed.amount:
        return True
    if found - found % typed.unit != typed.amount:
        return False
    if typed.unit > 1 and typed.significant < SIGNIFICANT_DIGITS:
        raise UsageError(
            f"{typed.text} agrees as far as it goes, but shows too few digits to decide",
            reason="digits",
            hint=f"type all decimals, or at least {SIGNIFICANT_DIGITS} significant digits",
        )
    return True


def _compare_amounts(statement: Statement, entry: _Stated, holder: bytes) -> str:
    line = entry.line
    where = f"{line.pool} {line.asset}"
    for found, typed, what, reason in (
        (line.credit, entry.amount, "balance", "amount-differs"),
        (line.debit, entry.debit, "debit", "debit-differs"),
    ):
        if not _agrees(found, typed):
            shown_amount = to_readable(found, entry.decimals)
            included = _is_included(statement, line, holder)
            raise EvidenceError(
                f"{where}: included, but with a {what} of {shown_amount} where you typed {typed.text} "
                f"at {statement.as_of}"
                if included
                else f"{where}: the file says a {what} of {shown_amount} where you typed {typed.text}, and it does "
                "not open for this id and code either",
                reason=reason,
                expected=typed.text,
                found=shown_amount,
                hint=f"use the balance of {statement.as_of}, in whole units with decimals; if it was "
                f"{typed.text}, dispute it: {statement.dispute.contact}",
            )
    return f"{where}: {entry.amount.text}, compared {_how_far(entry)}"


def _how_far(entry: _Stated) -> str:
    """How much of a balance was compared: a cut amount bounds it only as far as it was typed."""
    return "to the last digit" if entry.line.credit == entry.amount.amount else "as far as typed"


def _is_included(statement: Statement, line: Line, holder: bytes) -> bool:
    """Whether the line folds to the signed root, asked ahead of time to word a refusal."""
    try:
        tree, committed, top = _fold_line(statement, line, holder)
    except ReserveProofError:  # a path that does not fold is for step 8 to refuse
        return False
    return leads_to_root(tree, committed, top)


# (8)
def _fold_line(statement: Statement, line: Line, holder: bytes) -> tuple[Tree, Committed, tuple[bytes, int]]:
    cell = statement.pool_asset(line.pool, line.asset)
    if cell is None:
        raise RuntimeError("step 6 has let an unknown cell pass")
    owed = cell.liabilities
    where = f"{line.pool} {line.asset}"
    check_path_shape(owed.depth, line.index, line.path, where)
    tree = Tree(TreeName(b"L", statement.custodian.id, statement.snapshot_id, line.pool, line.asset))
    amount = check_leaf_sum([bucket.credit for bucket in line.buckets])
    leaf = tree.leaf(line.blind, holder, line_details(line.buckets), amount)
    return (
        tree,
        Committed(owed.depth, owed.root, owed.total),
        fold(tree, owed.depth, (leaf, amount), line.index, line.path),
    )


# (10)
def _check_coverage(
    trusted: Trusted, policy: Policy, stated: list[_Stated], bundle: Bundle | None, record: Record
) -> RebuiltRegister | None:
    statement = trusted.statement
    pools = {entry.line.pool for entry in stated}
    for entry in stated:
        check_cell_coverage(policy, entry.line.pool, entry.cell, entry.decimals)
    refuse_stated_failures(statement, pools)
    if policy.reserves == "register":
        blinded = [
            f"{entry.line.pool} {entry.line.asset}" for entry in stated if entry.cell.reserves.register != "public"
        ]
        if bundle is None or blinded:
            raise PolicyError(
                "the policy asks for the register of reserves to be rebuilt here",
                reason="register-needed",
                expected="the published bundle, with a public register",
                found="no bundle" if bundle is None else "a blinded register of " + ", ".join(blinded),
                hint="give the published bundle: --bundle DIR" if bundle is None else "only an auditor can rebuild it",
            )
    if bundle is None:
        record.unchecked("the reserves behind the signed totals: the register was not rebuilt here")
        return None
    rebuilt = rebuild_bundle(bundle, trusted, record)
    run_and_compare(public_facts(trusted, rebuilt), trusted, "public", pools)
    return rebuilt


# (12)
def _always_unchecked(claims: Claims, record: Record) -> None:
    record.unchecked("completeness: other clients' lines; each client can check only the own ones")
    if not STRONG_CODE.fullmatch(claims.client_code):
        record.unchecked(
            "that no one else was given this id: "
            + (
                "no client code is registered"
                if not claims.client_code
                else "the client code is not one of 20 random characters"
            )
        )
    record.unchecked("that wallet signatures are not younger than their challenge's end: no independent timestamp")
    record.unchecked("borrowing, and encumbrances beyond those declared")
    record.unchecked("timestamps: not part of this version")
    record.unchecked("that observed balances of wallets are true: methods are as declared")
    record.unchecked("rules: their results are as the custodian states them (`public` and `audit` run them)")


def _verified(entry: _Stated, rebuilt: RebuiltRegister | None) -> VerifiedLine:
    line = entry.line
    return VerifiedLine(
        pool=line.pool,
        asset=line.asset,
        decimals=entry.decimals,
        amount=line.credit,
        debit=line.debit,
        buckets=tuple((BUCKETS[b.bucket], b.credit) for b in line.buckets),
        liabilities=entry.cell.liabilities.total,
        reserves=entry.cell.reserves.total,
        weakest_class=weakest_class(entry.cell),
        rebuilt=rebuilt is not None and (line.pool, line.asset) in rebuilt.cells,
        digits_typed=_how_far(entry),
    )

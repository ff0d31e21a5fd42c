"""What of each registered quantity counts: from the register, the wallets' answers and the clients' own credits.

A position without a valid control proof is shown and counts nothing. Nothing here decides whether the result is
good enough: that is for the rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..chains import ControlResult
from ..format import evidence
from ..format.errors import InputError
from ..format.evidence import Control, Observation
from ..format.register import Position, RegisterEntry
from .challenge_record import Challenge, Responses, judge
from .register_input import RegisterRow
from .tree_hashing import TreeName, client_holder, client_tie, position_holder, tie_blind, tie_key

NO_CONTROL = "no-control"
ABOVE_OWN_BALANCE = "above-own-balance"
DECLARED_ONLY = "DECLARED_ONLY"

OwnCredits = Mapping[tuple[str, str, str], int]
"""(client id, pool, asset) to what the client is owed there."""


Proof = tuple[Control | None, ControlResult | None]
"""A valid proof, or None; and the verdict on what was answered, None if nothing was."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A position with what it was made from. control is None if there is no valid proof, and result then says why
    (None: no answer at all). reasons: what of it is excluded, by reason."""

    row: RegisterRow
    entry: RegisterEntry
    control: Control | None
    observation: Observation
    result: ControlResult | None
    reasons: tuple[tuple[str, int], ...]

    @property
    def position(self) -> Position:
        return self.entry.position

    @property
    def cell(self) -> tuple[str, str]:
        return self.entry.pool, self.entry.asset

    def evidence_files(self) -> dict[bytes, bytes]:
        """SHA-256 and bytes of the evidence that the position names."""
        files = [evidence.dump(self.observation)] + ([evidence.dump(self.control)] if self.control else [])
        return {hashlib.sha256(data).digest(): data for data in files}


@dataclass(frozen=True, slots=True)
class Secrets:
    """What ties positions to clients: the names of the trees and the snapshot's key."""

    custodian_id: str
    snapshot_id: str
    snapshot_key: bytes

    def tree(self, pool: str, asset: str) -> TreeName:
        return TreeName(self.custodian_id, self.snapshot_id, pool, asset, "R")

    def tie_blind(self, pool: str, asset: str, holder: bytes) -> bytes:
        return tie_blind(tie_key(self.snapshot_key, self.tree(pool, asset).tree_id), holder)


def judge_positions(
    rows: Iterable[RegisterRow],
    *,
    challenge: Challenge,
    responses: Responses,
    own: OwnCredits,
    secrets: Secrets,
) -> tuple[Holding, ...]:
    """Every position of the register, ascending by (pool, asset, account, form).

    rows: of a register that nothing is wrong with. own: credits of every client with a dedicated wallet. A client's
    dedicated wallets count together no more than the client is owed in that pool and asset.
    """
    left = dict(own)
    proofs = _proofs(challenge, responses)
    ordered = sorted((row for row in rows if row.in_pool), key=lambda r: (r.pool, r.asset, r.account, r.form))
    return tuple(_holding(row, proofs, left, secrets) for row in ordered)


def _holding(
    row: RegisterRow,
    proofs: Mapping[tuple[str, str, str], Proof],
    left: dict[tuple[str, str, str], int],
    secrets: Secrets,
) -> Holding:
    control, result = proofs.get((row.account, row.pool, row.segregation), (None, None))
    observation = observation_of(row)
    observed = row.down(row.quantity)
    # What another may claim is rounded up; what we hold was rounded down.
    encumbered = 0 if row.counts == "yes" else min(row.up(row.encumbered), observed)
    free = observed - encumbered
    typed = min(row.up(row.excluded), free)
    unproven = free - typed if control is None else 0
    counted, above = free - typed - unproven, 0
    if row.segregation == "dedicated":
        key = (row.client_id, row.pool, row.asset)
        above = max(0, counted - left.get(key, 0))
        counted -= above
        left[key] = left.get(key, 0) - counted
    reasons = ((row.exclusion_reason, typed), (NO_CONTROL, unproven), (ABOVE_OWN_BALANCE, above))
    position = Position(
        account=row.account,
        class_=result.assurance if control is not None and result is not None else DECLARED_ONLY,
        client_tie=_tie(row, secrets),
        control=_digest(control) if control is not None else None,
        counted=counted,
        encumbered=encumbered,
        excluded=typed + unproven + above,
        form=row.form,
        observation=_digest(observation),
        observed=observed,
        segregation=row.segregation,
    )
    return Holding(
        row, RegisterEntry(row.asset, row.pool, position), control, observation, result,
        tuple((reason, amount) for reason, amount in reasons if amount),
    )  # fmt: skip


def _proofs(challenge: Challenge, responses: Responses) -> dict[tuple[str, str, str], Proof]:
    """Every answer, judged anew: the proof, if it is valid for the wallet as it stands now, and the verdict."""
    given = {control.account: control for control in responses.received}
    found: dict[tuple[str, str, str], Proof] = {}
    for wallet in challenge.wallets:
        control = given.get(wallet.account)
        if control is not None:
            result = judge(challenge, wallet, control)
            proof = control if result.verdict == "valid" else None
            found[wallet.account, wallet.pool, wallet.segregation] = (proof, result)
    return found


def _tie(row: RegisterRow, secrets: Secrets) -> bytes | None:
    if row.segregation != "dedicated":
        return None
    blind = secrets.tie_blind(row.pool, row.asset, position_holder(row.account, row.form))
    return client_tie(blind, client_holder(row.client_id, row.client_code))


def _digest(item: Control | Observation) -> bytes:
    return hashlib.sha256(evidence.dump(item)).digest()


def observation_of(row: RegisterRow) -> Observation:
    return Observation(
        account=row.account, form=row.form, hash=row.hash, height=row.height, method=row.method,
        quantity=row.quantity, source=row.source, time=row.time,
    )  # fmt: skip


def check_codes(rows: Iterable[RegisterRow], codes: Mapping[str, str], *, file: str) -> None:
    """InputError if a dedicated wallet's client_code is not the ledger's: the client could not open the tie.

    codes: of clients in the ledger. A client that the ledger does not have is left: nothing will count for it.
    """
    for row in rows:
        if row.segregation == "dedicated" and codes.get(row.client_id, row.client_code) != row.client_code:
            raise InputError("is not the code that the ledger has for this client", file=file, row=row.row,
                             column="client_code", reason="code")  # fmt: skip

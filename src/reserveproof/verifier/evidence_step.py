"""Step 8 of a public verification: what shows that a position is controlled, and what was observed there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..chains import ControlEvidence, check_control
from ..format import evidence, manifest
from ..format.amounts import convert_down
from ..format.challenge import challenge, claim_of
from ..format.errors import EvidenceError, MalformedError
from ..format.evidence import Control, Observation
from ..format.identifiers import chain_of
from ..format.limits import MAX_EVIDENCE_BYTES
from ..format.register import RegisterEntry
from ..format.statement import Statement
from .bundle import Bundle
from .bundle_step import as_reason, is_evidence, read_signed

RUN = 256
"""Control proofs that are parsed before the first of them is judged: each kind of work then finds its code in the
processor's cache, which is a fifth of the time."""


@dataclass(frozen=True, slots=True)
class ShownPosition:
    """A position with its evidence read and passed."""

    entry: RegisterEntry
    control: Control | None
    observation: Observation | None
    anchored: bool | None


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
    surplus = sorted(name for name in files if is_evidence(name) and name not in named)
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
    shown: list[ShownPosition] = []
    for start in range(0, len(entries), RUN):
        run = entries[start : start + RUN]
        controls = [_read_control(bundle, files, entry) for entry in run]
        shown += [
            _check_position(bundle, files, statement, claim, entry, control, judged)
            for entry, control in zip(run, controls, strict=True)
        ]
    return tuple(shown)


def _read_evidence(bundle: Bundle, files: Mapping[str, manifest.FileEntry], digest: bytes) -> bytes:
    return read_signed(bundle, files[manifest.evidence_file(digest)], MAX_EVIDENCE_BYTES)


def _read_control(bundle: Bundle, files: Mapping[str, manifest.FileEntry], entry: RegisterEntry) -> Control | None:
    """The control proof that a position names, read and parsed; None if it names none."""
    if entry.position.control is None:
        return None
    with as_reason("evidence"):
        return evidence.parse_control(_read_evidence(bundle, files, entry.position.control))


def _check_position(
    bundle: Bundle,
    files: Mapping[str, manifest.FileEntry],
    statement: Statement,
    claim: bytes,
    entry: RegisterEntry,
    control: Control | None,
    judged: dict[tuple[bytes, str, str], str],
) -> ShownPosition:
    position = entry.position
    where = f"{entry.pool} {entry.asset} {position.account}"
    if position.control is not None and control is not None:
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
        with as_reason("evidence"):
            observation = evidence.parse_observation(_read_evidence(bundle, files, position.observation))
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
    return ShownPosition(entry, control, observation, anchored)


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

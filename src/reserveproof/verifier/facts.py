"""What a reader hands to the rules: facts from a trusted statement and from what was rebuilt here, nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from .. import segregation
from ..chains import letter_is_fresh
from ..format.identifiers import chain_of
from ..format.statement import Statement
from ..format.times import parse_time
from ..segregation.facts import StatementKey
from .evidence_step import ShownPosition
from .register_steps import RebuiltRegister
from .statement_steps import Trusted


def statement_key(statement: Statement, payload_sha256: bytes) -> StatementKey:
    previous = statement.previous.hex() if statement.previous else ""
    return (statement.sequence, previous, statement.snapshot_id, payload_sha256.hex())


def public_facts(
    trusted: Trusted,
    rebuilt: RebuiltRegister,
    *,
    others: frozenset[tuple[str, str]] | None = None,
    seen: Sequence[StatementKey] | None = None,
) -> segregation.Facts:
    """The facts that public data gives. others: (account, form) of other bundles, None if none was given. seen:
    other statements of this custodian that the reader knows."""
    statement = trusted.statement
    if seen is None and trusted.witnessed:
        seen = ()  # witnesses enough saw the log: it has this statement in its place, and no other there
    cells = {(pool.pool, cell.asset) for pool in statement.pools for cell in pool.assets}
    return segregation.Facts(
        as_of=parse_time(statement.as_of),
        issued_at=parse_time(statement.issued_at),
        claim_expires=parse_time(statement.claim_expires),
        valid_until=parse_time(statement.valid_until),
        sequence=statement.sequence,
        pools=tuple(
            segregation.PoolFacts(
                pool=pool.pool,
                legal_form=pool.legal_form,
                model=pool.model,
                term=pool.term,
                profiles=pool.profiles,
                residue_bps=pool.residue_bps,
                register={cell.asset: cell.reserves.register for cell in pool.assets},
            )
            for pool in statement.pools
        ),
        assets=tuple(
            segregation.AssetFacts(
                asset=asset.asset,
                kind=asset.kind,
                decimals=asset.decimals,
                forms={form.form: form.decimals for form in asset.forms},
            )
            for asset in statement.assets
        ),
        totals={
            (pool.pool, cell.asset): segregation.CellTotals(
                liabilities=cell.liabilities.total,
                reserves=cell.reserves.total,
                by_class={entry.class_: entry.amount for entry in cell.reserves.by_class},
                encumbered=cell.reserves.encumbered,
                excluded=cell.reserves.excluded,
            )
            for pool in statement.pools
            for cell in pool.assets
        },
        house=tuple(
            segregation.HousePosition(h.account, h.asset, h.form, h.class_, h.observed) for h in statement.house
        ),
        exclusions=tuple((e.pool, e.asset, _side(e.side), e.reason, e.amount) for e in statement.exclusions),
        disclosures=tuple((d.pool, d.asset, d.code, d.holders, d.amount) for d in statement.disclosures),
        positions=tuple(_position(statement, shown) for shown in rebuilt.positions),
        positions_complete=cells == rebuilt.cells,
        other_accounts=others,
        statements_seen=tuple(seen) if seen is not None else None,
        this_statement=statement_key(statement, trusted.payload_sha256),
        publication="log-witnessed" if trusted.witnessed else "digest" if trusted.digest_checked else "none",
    )


def _side(side: str) -> segregation.facts.Side:
    return "L" if side == "L" else "R"


def _is_bound(statement: Statement, shown: ShownPosition) -> bool:
    """A signature that step 8 passed is over this statement's own challenge; a letter has its date only."""
    if shown.control is None:
        return False
    if shown.control.scheme != "letter":
        return True
    instants = (statement.as_of, statement.issued_at, statement.claim_expires)
    return letter_is_fresh(shown.control.letter.date, *map(parse_time, instants))


def _position(statement: Statement, shown: ShownPosition) -> segregation.Position:
    position = shown.entry.position
    observation = shown.observation
    on_chain = chain_of(position.account) != ""
    return segregation.Position(
        pool=shown.entry.pool,
        asset=shown.entry.asset,
        account=position.account,
        form=position.form,
        assurance=position.class_,
        segregation=position.segregation,
        client_tie=position.client_tie.hex() if position.client_tie else "",
        observed=position.observed,
        counted=position.counted,
        encumbered=position.encumbered,
        excluded=position.excluded,
        # Step 8 refuses what is not valid, so what is left is a valid proof, or none and nothing counted.
        control="valid" if shown.control else "none",
        control_reason="",
        bound=_is_bound(statement, shown),
        observed_block=(observation.height, observation.hash) if observation else (0, ""),
        observed_at=parse_time(observation.time if observation else statement.as_of),
        method=observation.method if observation else "",
        anchored=shown.anchored if on_chain else None,
    )

"""Step 16, what an auditor's rules see: the public facts, and all that the auditor was handed beside the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .. import segregation
from ..format.register import RegisterEntry
from ..format.statement import Statement
from ..format.tables import ControlTotalRow
from ..format.times import parse_date
from ..format.wallet_table import WalletRow
from .audit_ledger import AuditTables, Cell, JudgedLedger
from .bundle import Bundle
from .facts import public_facts
from .public import VerifiedBundle
from .register_steps import RebuiltRegister


@dataclass(frozen=True, slots=True)
class AuditInputs:
    """What the auditor was handed beside the bundle. None: not given, so what needs it is not assessed."""

    snapshot_key: bytes
    previous_key: bytes | None
    tables: AuditTables
    control_totals: tuple[ControlTotalRow, ...] | None
    wallets: tuple[WalletRow, ...] | None
    sealed_register: tuple[RegisterEntry, ...] | None
    sealed_evidence: Bundle | None
    published: tuple[object, ...]
    """Every JSON document of the bundle, for the search for client ids (PRV-01)."""


def audit_facts(
    public: VerifiedBundle,
    rebuilt: RebuiltRegister,
    inputs: AuditInputs,
    found: JudgedLedger,
    match: Mapping[Cell, bool],
) -> segregation.Facts:
    """match: of each cell of the statement, whether its liabilities tree was rebuilt to the signed root."""
    sums = {cell: found.sums.get(cell) for cell in match}
    accounts = segregation.AccountFacts(
        by_type={key: (its.holders, its.credit) for key, its in found.by_type.items()},
        debits_by_type={key: its.debit for key, its in found.by_type.items()},
        untagged=tuple(found.untagged),
        mistagged=tuple(found.mistagged),
        absent=tuple(found.absent),
    )
    return replace(
        public_facts(public.trusted, rebuilt),
        other_accounts=public.facts.other_accounts,
        wallets=None if inputs.wallets is None else tuple(map(_wallet, inputs.wallets)),
        ledger=segregation.LedgerFacts(
            credits={cell: its.credit if its else 0 for cell, its in sums.items()},
            debits={cell: its.debit if its else 0 for cell, its in sums.items()},
            leaves={cell: its.leaves if its else 0 for cell, its in sums.items()},
            holders={cell: its.holders if its else 0 for cell, its in sums.items()},
            rows=found.rows,
            negative_credits=(),
            duplicates=(),
            trees_match=match,
            own_credits=found.own,
        ),
        accounts=None if inputs.tables.accounts is None else accounts,
        control_totals=None
        if inputs.control_totals is None
        else {(total.pool, total.asset): total.credit for total in inputs.control_totals},
        population=None if inputs.tables.previous is None else segregation.Population(tuple(found.dropped)),
        privacy=_privacy(public.trusted.statement, inputs, found),
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


def _privacy(statement: Statement, inputs: AuditInputs, found: JudgedLedger) -> segregation.PrivacyFacts:
    """PRV-01 by search. PRV-02: blinds derive from the key by holder, and the trees rebuilt from it to the signed
    roots with strictly ascending leaves, so no two are equal."""
    reused = None
    if inputs.previous_key is not None:
        reused = inputs.previous_key == inputs.snapshot_key
    elif statement.sequence == 0:
        reused = False  # the first statement: there is no earlier key
    return segregation.PrivacyFacts(tuple(found.direct), tuple(found.hashes), 0, reused, found.not_searched)

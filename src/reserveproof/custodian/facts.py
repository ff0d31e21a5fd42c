"""What the custodian hands to the rules: its draft statement, its register, its ledger, and what it looked for.

A fact that was not given stays None, so that the rule says NOT_ASSESSED and never PASS.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import cast

from .. import segregation
from ..chains import letter_is_fresh
from ..format import amounts, identifiers
from ..format.errors import InputError, MalformedError
from ..format.identifiers import chain_of
from ..format.statement import Statement
from ..format.times import parse_date, parse_time
from ..segregation.facts import Control, Side
from .csv_rows import read_bytes, split_rows
from .extract_scan import Cell, ExtractScan
from .positions import Holding
from .register_input import RegisterRow
from .snapshot_records import AccountSummary, LedgerState

PRICE_COLUMNS = ("asset", "price", "quote", "time", "source")
PRICE_DECIMALS = 30


def read_prices(path: Path, assets: Iterable[str]) -> dict[str, Fraction]:
    """Prices of one whole unit, from a CSV asset,price,quote,time,source; all in one quote currency."""
    known, quote, prices = set(assets), "", {}
    for row in split_rows(read_bytes(path), PRICE_COLUMNS, file=str(path)):
        found = row.fields

        def refuse(column: str, rule: str, number: int = row.row, value: str = "") -> InputError:
            return InputError(rule, file=str(path), row=number, column=column, value=value, reason="value")

        if found["asset"] not in known or found["asset"] in prices:
            raise refuse("asset", "is no asset of the configuration, or stands twice", value=found["asset"])
        if not identifiers.ASSET.fullmatch(found["quote"]) or quote not in ("", found["quote"]):
            raise refuse("quote", "is not the one quote currency of the file", value=found["quote"])
        try:
            parse_time(found["time"])
            price = amounts.from_typed(found["price"], PRICE_DECIMALS)
        except MalformedError as error:
            raise refuse((error.reason == "time" and "time") or "price", f"is wrong: {error.message}") from None
        quote, prices[found["asset"]] = found["quote"], Fraction(price, 10**PRICE_DECIMALS)
    return prices


def custodian_facts(
    statement: Statement,
    *,
    rows: Iterable[RegisterRow],
    holdings: Iterable[Holding],
    ledger: LedgerState,
    scan: ExtractScan,
    prices: Mapping[str, Fraction] | None = None,
    others: frozenset[tuple[str, str]] | None = None,
) -> segregation.Facts:
    """The facts of a draft statement (its rules still empty).

    scan: of this snapshot's extract, against what the draft would publish. prices: None if not given. others:
    (account, form) of other registers; None if nobody looked.
    """
    return segregation.Facts(
        as_of=parse_time(statement.as_of),
        issued_at=parse_time(statement.issued_at),
        claim_expires=parse_time(statement.claim_expires),
        valid_until=parse_time(statement.valid_until),
        sequence=statement.sequence,
        pools=tuple(
            segregation.PoolFacts(
                p.pool, p.legal_form, p.model, p.term, p.profiles, p.residue_bps,
                {cell.asset: cell.reserves.register for cell in p.assets},
            )
            for p in statement.pools
        ),
        assets=tuple(
            segregation.AssetFacts(a.asset, a.kind, a.decimals, {f.form: f.decimals for f in a.forms})
            for a in statement.assets
        ),
        totals={
            (p.pool, cell.asset): segregation.CellTotals(
                cell.liabilities.total, cell.reserves.total, {c.class_: c.amount for c in cell.reserves.by_class},
                cell.reserves.encumbered, cell.reserves.excluded,
            )
            for p in statement.pools
            for cell in p.assets
        },
        house=tuple(
            segregation.HousePosition(h.account, h.asset, h.form, h.class_, h.observed) for h in statement.house
        ),
        exclusions=tuple((e.pool, e.asset, cast(Side, e.side), e.reason, e.amount) for e in statement.exclusions),
        disclosures=tuple((d.pool, d.asset, d.code, d.holders, d.amount) for d in statement.disclosures),
        positions=tuple(_position(holding, statement) for holding in holdings),
        positions_complete=True,
        wallets=tuple(wallet_fact(row) for row in rows),
        other_accounts=others,
        ledger=_ledger(ledger, statement, scan),
        accounts=_accounts(ledger.accounts[0]) if ledger.accounts else None,
        control_totals={(c.pool, c.asset): c.credit for c in ledger.control_totals[0]}
        if ledger.control_totals
        else None,
        population=segregation.Population(ledger.dropped[0].first) if ledger.dropped else None,
        privacy=segregation.PrivacyFacts(
            direct_identifiers=tuple(sorted(set(scan.shown))),
            unsalted_hashes=tuple(sorted(set(scan.hashed))),
            # A blind is a function of the holder, and the builder refuses a holder that stands twice in a tree.
            blind_duplicates=0,
            # Snapshot.key refuses a key that another snapshot of the workspace has.
            key_reused=False,
            not_searched=scan.not_searched,
        ),
        prices=prices,
    )  # fmt: skip


def _position(holding: Holding, statement: Statement) -> segregation.Position:
    position, row = holding.position, holding.row
    verdict = "none" if holding.result is None else holding.result.verdict
    anchor = next((a for a in statement.anchors if a.chain == chain_of(row.account)), None)
    return segregation.Position(
        pool=holding.entry.pool,
        asset=holding.entry.asset,
        account=position.account,
        form=position.form,
        assurance=position.class_,
        segregation=position.segregation,
        client_tie=position.client_tie.hex() if position.client_tie else "",
        observed=position.observed,
        counted=position.counted,
        encumbered=position.encumbered,
        excluded=position.excluded,
        control=cast(Control, verdict),
        control_reason="" if holding.result is None or verdict == "valid" else holding.result.reason,
        bound=_is_bound(holding, statement),
        observed_block=(row.height, row.hash),
        observed_at=parse_time(row.time),
        method=row.method,
        anchored=(row.height, row.hash, row.time) == (anchor.height, anchor.hash, anchor.time) if anchor else None,
    )


def _is_bound(holding: Holding, statement: Statement) -> bool:
    """A valid signature is over this snapshot's challenge; a letter has its date only."""
    control = holding.control
    if control is None or control.scheme != "letter":
        return control is not None
    instants = (statement.as_of, statement.issued_at, statement.claim_expires)
    return letter_is_fresh(control.letter.date, *map(parse_time, instants))


def wallet_fact(row: RegisterRow) -> segregation.Wallet:
    """A row of the register as the rules read it."""
    wallet = row.wallet()
    opened: dt.date | None = parse_date(wallet.opened) if wallet.opened else None
    encumbered = ((wallet.encumbrance, wallet.encumbered, wallet.counts),) if wallet.encumbered else ()
    return segregation.Wallet(
        account=wallet.account, form=wallet.form, pool=wallet.pool, owner_class=wallet.owner_class,
        segregation=wallet.segregation, client_id=wallet.client_id, client_code=wallet.client_code,
        function=wallet.function, opened=opened, observed=wallet.observed, encumbrances=encumbered,
    )  # fmt: skip


def _ledger(ledger: LedgerState, statement: Statement, scan: ExtractScan) -> segregation.LedgerFacts:
    cells = {(cell.pool, cell.asset): cell for cell in ledger.cells}
    # A cell that the ledger has no row for is given as zero: looked, and nobody is owed anything in it.
    empty = {(p.pool, c.asset): 0 for p in statement.pools for c in p.assets if (p.pool, c.asset) not in cells}
    matches: dict[Cell, bool] = {}
    for pool in statement.pools:
        for stated in pool.assets:
            cell = cells.get((pool.pool, stated.asset))
            matches[pool.pool, stated.asset] = (
                stated.liabilities.total == 0
                if cell is None
                else cell.root == stated.liabilities.root and cell.leaves == scan.leaves.get((cell.pool, cell.asset))
            )
    return segregation.LedgerFacts(
        credits={place: cell.credit for place, cell in cells.items()} | empty,
        debits={place: cell.debit for place, cell in cells.items()} | empty,
        leaves={place: cell.leaves for place, cell in cells.items()} | empty,
        holders={place: cell.holders for place, cell in cells.items()} | empty,
        rows=ledger.rows,
        # The import refuses a signed amount and a row that stands twice, so there are none to show.
        negative_credits=(),
        duplicates=(),
        trees_match=matches,
        own_credits=scan.own,
    )


def _accounts(found: AccountSummary) -> segregation.AccountFacts:
    by_type = {(t.pool, t.asset, t.account_type): t for t in found.by_type}
    return segregation.AccountFacts(
        by_type={key: (t.holders, t.credit) for key, t in by_type.items()},
        debits_by_type={key: t.debit for key, t in by_type.items()},
        untagged=found.untagged.first,
        mistagged=found.mistagged.first,
        absent=found.absent.first,
    )

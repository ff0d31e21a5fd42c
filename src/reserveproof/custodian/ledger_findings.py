"""What the rules will find in a ledger, said before it is frozen: LIA-02 as far as tagging, LIA-03, LIA-04.

Once the trees are built and the wallets have signed, only another snapshot puts such a finding right.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..format.errors import InputError
from ..segregation import RULES, AccountFacts, Facts, LedgerFacts, Population, load_profiles
from .config import Config

if TYPE_CHECKING:
    # The ledger's engine is heavy; it is loaded when a ledger is.
    from . import ledger_facts

LEDGER_RULES = frozenset({"LIA-01", "LIA-02", "LIA-03", "LIA-04", "SEG-04"})
"""Rules whose findings come from the ledger, the accounts and the control totals alone."""
Cell = tuple[str, str]
_START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NOTHING = Facts(
    as_of=_START, issued_at=_START, claim_expires=_START, valid_until=_START, sequence=0, pools=(), assets=(),
    totals={}, house=(), exclusions=(), disclosures=(),
)  # fmt: skip
_NO_ACCOUNTS = AccountFacts(by_type={}, debits_by_type={}, untagged=(), mistagged=(), absent=())


class LedgerFindingsError(InputError):
    """A ledger that can be read, and that no statement would pass with. findings: each by itself."""

    def __init__(self, findings: tuple[InputError, ...]) -> None:
        number = "a finding" if len(findings) == 1 else f"{len(findings)} findings"
        super().__init__(
            f"has {number} that the statement would fail with; nothing was frozen", file="the ledger",
            reason="findings",
            hint="put it right and run this again; --accept-findings goes on, and the statement will say that it fails",
        )  # fmt: skip
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Names:
    """How messages call the files."""

    ledger: str
    accounts: str
    control_totals: str

    @classmethod
    def of(cls, sources: Iterable[object], accounts: Path | None, control_totals: Path | None) -> Names:
        first = next(iter(sources), None)
        return cls(str(first) if isinstance(first, Path) else "the ledger", str(accounts), str(control_totals))


def ledger_findings(
    config: Config, names: Names, facts: ledger_facts.LedgerFacts, credits: Mapping[Cell, int]
) -> tuple[InputError, ...]:
    """Every finding of the rules that block, by rule, with the file to look into and how to put it right.

    credits: of every (pool, asset) that has a row. A control total of 0 where the ledger has no row is left: the
    register may have that cell.
    """
    found = list(_found(config, names, facts, credits))
    return tuple(error for _, error in sorted(found, key=lambda entry: entry[0]))


def _found(
    config: Config, names: Names, facts: ledger_facts.LedgerFacts, credits: Mapping[Cell, int]
) -> Iterator[tuple[str, InputError]]:
    profiles = load_profiles(name for pool in config.pools for name in pool.profiles)
    for rule, looked, listed, file, hint in _looks(names, facts, credits):
        profile = next((p for p in profiles if rule in p.rules and p.rules[rule].severity == "X"), None)
        if profile is None:
            continue
        outcome = RULES[rule].check(looked, profile.parameters, "")
        for row in outcome.rows:
            yield rule, InputError(f"{row} (rule {rule})", file=file, hint=hint, reason=rule)
        if listed is not None and listed.count > len(listed.first):
            more = f"and {listed.count - len(listed.first)} more of these (rule {rule})"
            yield rule, InputError(more, file=file, hint=hint, reason=rule)


def _looks(
    names: Names, facts: ledger_facts.LedgerFacts, credits: Mapping[Cell, int]
) -> Iterator[tuple[str, Facts, ledger_facts.Listed | None, str, str]]:
    """Each fact alone before its rule, so that a finding is told with the hint that is its own."""
    if facts.untagged is not None:
        accounts = replace(_NO_ACCOUNTS, untagged=facts.untagged.first)
        hint = "give the client a row in --accounts"
        yield "LIA-02", replace(_NOTHING, accounts=accounts), facts.untagged, names.accounts, hint
    if facts.mistagged is not None:
        accounts = replace(_NO_ACCOUNTS, mistagged=facts.mistagged.first)
        hint = "related_party is yes for exactly the types of related parties: put right the one or the other"
        yield "LIA-02", replace(_NOTHING, accounts=accounts), facts.mistagged, names.accounts, hint
    if facts.absent is not None:
        accounts = replace(_NO_ACCOUNTS, absent=facts.absent.first)
        hint = "give it a ledger row, with 0 where it has nothing, or the status closed"
        yield "LIA-03", replace(_NOTHING, accounts=accounts), facts.absent, names.accounts, hint
    if facts.dropped is not None:
        gone = Population(facts.dropped.first)
        hint = "give the client a ledger row, with 0 if nothing is owed any more, or an account row with status closed"
        yield "LIA-03", replace(_NOTHING, population=gone), facts.dropped, names.ledger, hint
    if facts.control is not None:
        empty = {cell: 0 for cell, credit in facts.control.items() if not credit and cell not in credits}
        ledger = LedgerFacts(
            credits={**credits, **empty}, debits={}, leaves={}, holders={}, rows=0, negative_credits=(),
            duplicates=(), trees_match={}, own_credits={},
        )  # fmt: skip
        hint = "amounts in base units; put right the ledger or the control totals, one row for each pool and asset"
        yield "LIA-04", replace(_NOTHING, ledger=ledger, control_totals=facts.control), None, names.control_totals, hint

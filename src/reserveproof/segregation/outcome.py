"""What a rule is and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .facts import Facts

Result: TypeAlias = Literal["PASS", "FAIL", "NOT_ASSESSED"]
Severity: TypeAlias = Literal["X", "H", "M", "I"]
"""X blocks a clean attestation, H is disclosed and remedied, M is an exception, I is information."""
Runner: TypeAlias = Literal["custodian", "public", "client", "audit"]
RUNNERS: tuple[Runner, ...] = ("custodian", "public", "client", "audit")

MAX_ROWS = 200
"""Findings that one answer carries; the note counts the rest. A register can hold a million bad rows."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One violation: where it is, what was found, and what the rule allows.

    `private` marks what tells of one client or of an account in no public register: it is for the custodian
    and the auditor, and `publishable` takes it out.
    """

    pool: str
    asset: str
    account: str
    found: str
    limit: str
    private: bool = False

    def __str__(self) -> str:
        place = " ".join(part for part in (self.pool, self.asset, self.account) if part)
        return (f"{place}: " if place else "") + f"{self.found}, where the rule asks for {self.limit}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rule's answer; `note` says why something was not assessed, or how many findings are left out."""

    result: Result
    rows: tuple[Finding, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The numbers that a profile sets."""

    suspense_days: int
    """Days for which a suspense wallet may hold something."""
    holders: int
    """Fewest holders behind a published liabilities total."""
    residue_cap_bps: int
    """Bound on the residue cap that a pool may declare for itself, in basis points of its liabilities."""


Check: TypeAlias = Callable[[Facts, Parameters, str], Outcome]
"""(facts, the profile's parameters, the pool to judge or "" for the whole) -> answer"""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the registry."""

    id: str
    statement: str
    severity: Severity
    per_pool: bool
    inputs: tuple[str, ...]
    """Names of the Facts members that the check reads."""
    run_by: frozenset[Runner]
    """Who can run it, at least in part."""
    check: Check
    source: str = "own rule"


def settle(rows: Iterable[Finding], missing: Iterable[str] = ()) -> Outcome:
    """The answer that findings and gaps amount to: a violation seen is FAIL whatever is missing; with none
    seen, a gap is NOT_ASSESSED; only no violation in whole data is PASS."""
    found = sorted(set(rows))
    notes = sorted({gap for gap in missing if gap})
    if found:
        note = "; ".join(notes)
        if len(found) > MAX_ROWS:
            note = f"{len(found) - MAX_ROWS} further findings are left out" + (f"; {note}" if note else "")
        return Outcome("FAIL", tuple(found[:MAX_ROWS]), note)
    if notes:
        return Outcome("NOT_ASSESSED", (), "; ".join(notes))
    return Outcome("PASS")


def publishable(rows: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that a public statement may carry: private ones are counted, by pool, not shown."""
    kept: list[Finding] = []
    hidden: dict[str, int] = {}
    for row in rows:
        if row.private:
            hidden[row.pool] = hidden.get(row.pool, 0) + 1
        else:
            kept.append(row)
    kept += [Finding(pool, "", "", f"{n} findings that are not published", "none") for pool, n in hidden.items()]
    return tuple(sorted(kept))

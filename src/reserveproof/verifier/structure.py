"""Whether a statement agrees with itself: docs/spec/statement.md, points 13 and 14. Part of step 3."""

from __future__ import annotations

from collections.abc import Iterable

from ..chains import native_decimals
from ..format import vocabulary
from ..format.errors import EvidenceError, MalformedError, shown
from ..format.identifiers import chain_of, is_own_coin
from ..format.limits import MAX_DEPTH, OLDEST_ANCHOR_SECONDS
from ..format.statement import Statement
from ..format.times import parse_time
from ..segregation import RULES


def severity_of(rule_id: str) -> str:
    """The registry's severity; a rule that this version does not know is judged as the gravest."""
    rule = RULES.get(rule_id)
    return rule.severity if rule else "X"


def check_structure(statement: Statement) -> None:
    """Point 13 of docs/spec/statement.md: the statement agrees with itself. MalformedError(reason="structure"),
    or EvidenceError(reason="by-class") where amounts do not add up."""

    def refuse(message: str, found: object = "") -> MalformedError:
        return MalformedError(f"the statement contradicts itself: {message}", reason="structure", found=shown(found))

    registered = {asset.asset for asset in statement.assets}
    pools = {pool.pool for pool in statement.pools}
    homes: dict[str, str] = {}
    coins: dict[str, str] = {}
    for asset in statement.assets:
        for form in asset.forms:
            if is_own_coin(form.form) and coins.setdefault(chain_of(form.form), form.form) != form.form:
                raise refuse("a chain's own coin stands under two forms", form.form)
            if homes.setdefault(form.form, asset.asset) != asset.asset:
                raise refuse("a form stands under two assets", form.form)
            fact = native_decimals(form.form)
            if fact is not None and fact != form.decimals:
                raise refuse(f"the form {form.form} has {fact} decimals on its chain", form.decimals)
    for pool in statement.pools:
        for cell in pool.assets:
            if cell.asset not in registered:
                raise refuse("an asset is not registered", cell.asset)
            if max(cell.liabilities.depth, cell.reserves.depth) > MAX_DEPTH:
                raise refuse(f"a tree is deeper than {MAX_DEPTH}", max(cell.liabilities.depth, cell.reserves.depth))
            if any(entry.amount == 0 for entry in cell.reserves.by_class):
                raise refuse("an amount of by_class is zero", f"{pool.pool} {cell.asset}")
            if any(entry.class_ == vocabulary.ASSURANCE[-1] for entry in cell.reserves.by_class):
                raise refuse("DECLARED_ONLY never counts", f"{pool.pool} {cell.asset}")
    named: Iterable[tuple[str | None, str]] = [
        *((None, entry.asset) for entry in statement.house),
        *((e.pool, e.asset) for e in statement.exclusions),
        *((d.pool, d.asset) for d in statement.disclosures),
        *((c.pool, c.asset) for c in statement.ledger.control_totals),
    ]
    for pool_name, asset_name in named:
        if asset_name not in registered or (pool_name is not None and pool_name not in pools):
            raise refuse("a pool or an asset is named that it does not have", f"{pool_name or ''} {asset_name}")
    if not statement.anchors:
        raise refuse("it has no anchor")
    as_of = parse_time(statement.as_of)
    for anchor in statement.anchors:
        if not 0 <= (as_of - parse_time(anchor.time)).total_seconds() <= OLDEST_ANCHOR_SECONDS:
            raise refuse("an anchor is later than as_of, or more than a day before it", anchor.time)
    for rule in statement.rules:
        if rule.pool and rule.pool not in pools:
            raise refuse("a rule is answered for a pool that it does not have", rule.pool)
    if not statement.as_of <= statement.issued_at <= statement.valid_until:
        raise refuse("as_of, issued_at and valid_until do not follow each other")
    if (statement.previous is None) != (statement.sequence == 0):
        raise refuse("previous is given if and only if sequence is above 0", statement.sequence)
    if (statement.corrects.payload_sha256 is None) != (statement.corrects.reason == ""):
        raise refuse("a correction names a statement and a reason, or neither")
    for pool in statement.pools:
        for cell in pool.assets:
            if sum(entry.amount for entry in cell.reserves.by_class) != cell.reserves.total:
                raise EvidenceError(
                    f"the classes of {pool.pool} {cell.asset} do not sum to its reserves",
                    reason="by-class",
                    expected=str(cell.reserves.total),
                    found=str(sum(entry.amount for entry in cell.reserves.by_class)),
                )


def check_verdict(statement: Statement) -> None:
    """Point 14 of docs/spec/statement.md: the verdict follows from the listed rules, severities from the
    registry. EvidenceError(reason="verdict")."""
    grave = [rule for rule in statement.rules if severity_of(rule.id) in ("X", "H")]
    fails = any(rule.result == "FAIL" and severity_of(rule.id) == "X" for rule in grave)
    clean = bool(grave) and all(rule.result == "PASS" for rule in grave)
    if fails != (statement.verdict == "failing") or (statement.verdict == "clean" and not clean):
        raise EvidenceError(
            "the verdict does not follow from the statement's own rule results",
            reason="verdict",
            expected="failing" if fails else "clean or qualified" if clean else "qualified",
            found=statement.verdict,
        )

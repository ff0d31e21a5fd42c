"""The registry: every rule in one table, and what documentation needs of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import (
    coverage_rules,
    encumbrance_rules,
    evidence_rules,
    liability_rules,
    privacy_rules,
    wallet_rules,
)
from .outcome import RUNNERS, Rule, Runner

RULES_VERSION = "1"
"""Of the table below: raised when a rule's meaning changes or a rule is added, and written into statements."""

_ALL = frozenset(RUNNERS)
_INSIDE: frozenset[Runner] = frozenset({"custodian", "audit"})
_PROOFS: frozenset[Runner] = frozenset({"custodian", "public", "audit"})
_READERS: frozenset[Runner] = frozenset({"public", "client", "audit"})

_CELLS = ("pools", "totals")
_COUNTED = (*_CELLS, "positions", "positions_complete")
_WHOLE = ("pools", "positions", "positions_complete")

_TABLE: tuple[Rule, ...] = (
    Rule(
        "SEG-01",
        "One address, in any spelling and on any network, has exactly one owner class.",
        "X",
        False,
        (*_WHOLE, "house", "wallets"),
        _ALL,
        wallet_rules.one_owner_class,
    ),
    Rule(
        "SEG-02",
        "A dedicated wallet belongs to exactly one client, and an omnibus wallet to none in particular.",
        "X",
        False,
        (*_WHOLE, "wallets"),
        _ALL,
        wallet_rules.one_client,
    ),
    Rule(
        "SEG-04",
        "An omnibus or mixed client pool has no line of the house, an affiliate or an operator, in credit or debit.",
        "X",
        True,
        ("pools", "accounts"),
        _INSIDE,
        wallet_rules.clients_only,
    ),
    Rule(
        "SEG-07",
        "Every wallet that holds something has an owner, and none is in suspense for longer than the profile allows.",
        "H",
        False,
        ("as_of", "house", "wallets"),
        _ALL,
        wallet_rules.attributed,
    ),
    Rule(
        "SEG-10",
        "A position is counted once, in one pool, over all registers that are known.",
        "X",
        False,
        (*_WHOLE, "house", "other_accounts"),
        _ALL,
        wallet_rules.counted_once,
    ),
    Rule(
        "COV-01",
        "The reserves of each pool and asset are at least its liabilities, in the same asset.",
        "X",
        True,
        _CELLS,
        _ALL,
        coverage_rules.covered,
    ),
    Rule(
        "COV-02",
        "No pool is short of an asset while all pools together are not.",
        "X",
        True,
        _CELLS,
        _ALL,
        coverage_rules.no_pool_helps,
    ),
    Rule(
        "COV-03",
        "No other asset covers: none is counted in its place, and no surplus by price makes a shortage good.",
        "X",
        True,
        (*_COUNTED, "assets", "prices"),
        _ALL,
        coverage_rules.no_asset_helps,
    ),
    Rule(
        "COV-05",
        "Only client wallets count as cover, and shortfall cover that is disclosed.",
        "X",
        True,
        (*_COUNTED, "house", "wallets", "disclosures"),
        _ALL,
        coverage_rules.no_house_wallet,
    ),
    Rule(
        "COV-06",
        "The dedicated wallets of a client count exactly that client's own lines.",
        "X",
        True,
        ("pools", "assets", "positions", "positions_complete", "wallets", "ledger"),
        _INSIDE,
        coverage_rules.own_lines,
    ),
    Rule(
        "COV-07",
        "What a pool holds above its liabilities is within the pool's cap, and that within the profile's.",
        "H",
        True,
        _CELLS,
        _ALL,
        coverage_rules.residue,
    ),
    Rule(
        "LIA-01",
        "No credit is negative, and each total is the sum of credits, with no debit taken off.",
        "X",
        False,
        ("totals", "ledger"),
        _INSIDE,
        liability_rules.credits_only,
    ),
    Rule(
        "LIA-02",
        "Every account has a sound type, and what related parties hold or owe is disclosed.",
        "X",
        False,
        ("accounts", "disclosures"),
        _INSIDE,
        liability_rules.related_shown,
    ),
    Rule(
        "LIA-03",
        "No account stands twice, and none is dropped against the open accounts and the previous population.",
        "X",
        False,
        ("sequence", "ledger", "accounts", "population"),
        _INSIDE,
        liability_rules.none_dropped,
    ),
    Rule(
        "LIA-04",
        "The lines of the ledger sum to the control account, cell by cell.",
        "X",
        False,
        ("ledger", "control_totals"),
        _INSIDE,
        liability_rules.control_account,
    ),
    Rule(
        "ENC-01",
        "What is pledged, under a lien, lent or rehypothecated does not count.",
        "X",
        True,
        (*_COUNTED, "wallets"),
        _ALL,
        encumbrance_rules.unencumbered,
    ),
    Rule(
        "EVI-01",
        "All counted value has a valid control proof of a class that counts.",
        "X",
        True,
        _COUNTED,
        _PROOFS,
        evidence_rules.controlled,
    ),
    Rule(
        "EVI-02",
        "Every control proof is bound to this statement's claim, and the claim had not expired at issue.",
        "H",
        True,
        (*_COUNTED, "issued_at", "claim_expires"),
        _PROOFS,
        evidence_rules.fresh,
    ),
    Rule(
        "EVI-03",
        "All counted positions are observed at one as-of, within the tolerance of their chain, one block a chain.",
        "X",
        False,
        (*_COUNTED, "as_of", "skew"),
        _PROOFS,
        evidence_rules.one_as_of,
    ),
    Rule(
        "EVI-10",
        "Every line of the ledger is in exactly one leaf of the tree that the statement commits to.",
        "X",
        True,
        (*_CELLS, "ledger"),
        _INSIDE,
        evidence_rules.one_leaf,
    ),
    Rule(
        "EVI-11",
        "Exclusions are listed with amounts and reasons, and sum to what the statement excludes.",
        "H",
        True,
        (*_CELLS, "exclusions"),
        _ALL,
        evidence_rules.exclusions_listed,
    ),
    Rule(
        "EVI-12",
        "All readers see one statement.",
        "H",
        False,
        ("statements_seen", "this_statement", "publication"),
        _READERS,
        evidence_rules.one_statement,
    ),
    Rule(
        "PRV-01",
        "Nothing published carries a direct identifier or an unsalted hash.",
        "X",
        False,
        ("privacy", "ledger"),
        _PROOFS,
        privacy_rules.no_identifier,
    ),
    Rule(
        "PRV-02",
        "Blinds are unique for each client and snapshot, and no snapshot key is used twice.",
        "H",
        False,
        ("privacy",),
        _INSIDE,
        privacy_rules.fresh_blinds,
    ),
    Rule(
        "PRV-03",
        "A published liabilities total or disclosed amount has enough holders behind it to be nobody's balance.",
        "H",
        True,
        (*_CELLS, "ledger", "disclosures"),
        _ALL,
        privacy_rules.enough_holders,
    ),
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in sorted(_TABLE, key=lambda rule: rule.id)})

_SEVERITIES = {"X": "X, blocks", "H": "H, high", "M": "M, exception", "I": "I, information"}
COLUMNS = ("id", "statement", "severity", "scope", "inputs", "run by", "source")


def registered(rule: Rule) -> dict[str, str]:
    """A rule's row for documentation, by the names in COLUMNS."""
    cells = (
        rule.id,
        rule.statement,
        _SEVERITIES[rule.severity],
        "pool" if rule.per_pool else "whole",
        ", ".join(rule.inputs),
        ", ".join(runner for runner in RUNNERS if runner in rule.run_by),
        rule.source,
    )
    return dict(zip(COLUMNS, cells, strict=True))


def rules_table() -> str:
    """The registry as a Markdown table, as it stands in docs/reference/rules.md."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(registered(rule).values()) + " |" for rule in RULES.values()]
    return "\n".join(lines) + "\n"

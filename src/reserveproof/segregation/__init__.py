"""The rules of segregated custody: pure functions over facts, run by both sides."""

from .detection import detection_chance, miss_chance
from .facts import (
    AccountFacts,
    AssetFacts,
    Cell,
    CellTotals,
    Facts,
    HousePosition,
    LedgerFacts,
    PoolFacts,
    Population,
    Position,
    PrivacyFacts,
    Wallet,
)
from .outcome import Finding, Outcome, Parameters, Rule, Runner, publishable
from .profiles import Profile, load_profile, load_profiles
from .registry import RULES, RULES_VERSION, registered, rules_table
from .run import RuleResult, run_rules
from .verdict import Verdict, verdict_of

__all__ = [
    "RULES",
    "RULES_VERSION",
    "AccountFacts",
    "AssetFacts",
    "Cell",
    "CellTotals",
    "Facts",
    "Finding",
    "HousePosition",
    "LedgerFacts",
    "Outcome",
    "Parameters",
    "PoolFacts",
    "Population",
    "Position",
    "PrivacyFacts",
    "Profile",
    "Rule",
    "RuleResult",
    "Runner",
    "Verdict",
    "Wallet",
    "detection_chance",
    "load_profile",
    "load_profiles",
    "miss_chance",
    "publishable",
    "registered",
    "rules_table",
    "run_rules",
    "verdict_of",
]

"""Profiles: which rules a regime asks for, how severe each is, and the numbers.

A profile that mirrors a regime is shipped only when every X rule in it is cited from a text that was read. So far
there is one, the project's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..format.errors import PolicyError, shown
from .outcome import Parameters, Severity
from .registry import RULES

READERS_OWN = frozenset({"EVI-12"})
"""Rules that each reader answers alone: a statement cannot say them of itself, so its verdict needs none."""


@dataclass(frozen=True, slots=True)
class ProfileRule:
    """What a profile makes of a rule. `required`: a clean verdict needs its PASS (where it is X or H)."""

    severity: Severity
    required: bool
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of rules with its parameters. Not legal advice, whatever it mirrors."""

    name: str
    mirrors: str
    parameters: Parameters
    rules: Mapping[str, ProfileRule]


_BASELINE = Profile(
    name="baseline",
    mirrors="no regime: the project's own rules",
    parameters=Parameters(suspense_days=30, holders=5, residue_cap_bps=500),
    rules=MappingProxyType(
        {rule.id: ProfileRule(rule.severity, rule.id not in READERS_OWN, rule.source) for rule in RULES.values()}
    ),
)

PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in (_BASELINE,)})


def load_profile(name: str) -> Profile:
    """The profile of that name. PolicyError(reason="profile") if it is not shipped: a rule set that nobody here
    knows must not read as met."""
    if name not in PROFILES:
        raise PolicyError(
            "the profile is not known here", reason="profile", expected=", ".join(PROFILES), found=shown(name)
        )
    return PROFILES[name]


def load_profiles(names: Iterable[str]) -> tuple[Profile, ...]:
    """The profiles of those names, ascending, each once. PolicyError if one is unknown or none is named."""
    profiles = tuple(load_profile(name) for name in sorted(set(names)))
    if not profiles:
        raise PolicyError("no profile is named", reason="profile", expected=", ".join(PROFILES))
    return profiles

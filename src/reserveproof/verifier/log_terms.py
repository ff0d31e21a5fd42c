"""The table `log` of a trust policy: which log, whose signature, and who must have seen it.

docs/spec/trust-policy.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..format import identifiers
from ..format.errors import MalformedError
from ..format.limits import MAX_NOTE_CHARACTERS, MAX_NOTE_SIGNATURES
from ..format.shape import array, integer, members, pattern, text
from .signatures import PublicKey, parse_key

MAX_WITNESSES = 64
MAX_NEEDED = 32
_LONGEST_KEY = 4096
_COSIGNING = frozenset({"ed25519", "mldsa44"})
"""The algorithms that C2SP tlog-cosignature has."""
_LOG_SIGNATURE = 4 + 64
_COSIGNATURE = {"ed25519": 4 + 8 + 64, "mldsa44": 4 + 8 + 2420}
"""Bytes of a line in base64: key id, time, signature."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Someone who watches that a log only grows. name: as it stands in cosignatures. keys: all must have cosigned."""

    name: str
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True)
class LogTerms:
    """origin: the log's name and its key's. witnesses_needed: how many of them must have cosigned, 0 for none."""

    origin: str
    key: PublicKey
    witnesses: tuple[Witness, ...]
    witnesses_needed: int

    def keys(self) -> tuple[PublicKey, ...]:
        """Every key of the table."""
        return (self.key, *(key for witness in self.witnesses for key in witness.keys))

    def to_json(self) -> dict[str, object]:
        """As it stands in the fingerprint."""
        return {
            "key": str(self.key),
            "origin": self.origin,
            "witnesses": [{"keys": [str(key) for key in one.keys], "name": one.name} for one in self.witnesses],
            "witnesses_needed": self.witnesses_needed,
        }


def _witness(value: object, place: str) -> Witness:
    found = members(value, frozenset({"name", "keys"}), place)
    written = array(text(_LONGEST_KEY, empty=False), key=None, limit=2, least=1)(found["keys"], f"{place}.keys")
    keys = tuple([parse_key(key) for key in written])
    algorithms = [key.algorithm for key in keys]
    if not _COSIGNING.issuperset(algorithms) or len(set(algorithms)) != len(algorithms):
        raise MalformedError(
            f"{place}.keys: a witness has an ed25519 key, an mldsa44 key, or one of each",
            reason="key",
            found=", ".join(algorithms),
        )
    return Witness(pattern(identifiers.WITNESS_NAME)(found["name"], f"{place}.name"), keys)


def parse_log_terms(value: object, place: str) -> LogTerms:
    """The table. MalformedError for anything that is not exactly one."""
    found = members(value, frozenset({"origin", "key", "witnesses_needed"}), place, optional=frozenset({"witnesses"}))
    key = parse_key(text(_LONGEST_KEY, empty=False)(found["key"], f"{place}.key"))
    if key.algorithm != "ed25519":
        raise MalformedError(f"{place}.key is not an ed25519 key", reason="key", found=key.algorithm)
    witnesses = array(_witness, key=None, limit=MAX_WITNESSES)(found.get("witnesses", []), f"{place}.witnesses")
    if len({witness.name for witness in witnesses}) != len(witnesses):
        raise MalformedError(f"{place}.witnesses: two witnesses have one name", reason="witness-twice")
    needed = integer(0, MAX_NEEDED)(found["witnesses_needed"], f"{place}.witnesses_needed")
    if needed > len(witnesses):
        raise MalformedError(
            f"{place}.witnesses_needed can never be met",
            reason="thresholds",
            expected=f"{needed} witnesses",
            found=str(len(witnesses)),
        )
    terms = LogTerms(
        origin=pattern(identifiers.LOG_ORIGIN)(found["origin"], f"{place}.origin"),
        key=key,
        witnesses=witnesses,
        witnesses_needed=needed,
    )
    _check_room(terms, place)
    return terms


def _check_room(terms: LogTerms, place: str) -> None:
    """A checkpoint with the fewest and shortest lines that meet the quorum is a note that may be."""
    needed = terms.witnesses_needed
    lines = 1 + sum(sorted(len(witness.keys) for witness in terms.witnesses)[:needed])
    lengths = sorted(
        sum(_line(witness.name, _COSIGNATURE[key.algorithm]) for key in witness.keys) for witness in terms.witnesses
    )
    root = len("\n0\n") + 44 + len("\n\n")
    characters = len(terms.origin) + root + _line(terms.origin, _LOG_SIGNATURE) + sum(lengths[:needed])
    if lines > MAX_NOTE_SIGNATURES or characters > MAX_NOTE_CHARACTERS:
        raise MalformedError(
            f"{place}.witnesses_needed can never be met: a checkpoint has no room for so many cosignatures",
            reason="thresholds",
            expected=f"at most {MAX_NOTE_SIGNATURES} signatures and {MAX_NOTE_CHARACTERS} characters",
            found=f"{lines} signatures and {characters} characters at the least",
            hint="ask for fewer witnesses, or for witnesses with one ed25519 key",
        )


def _line(name: str, size: int) -> int:
    """Characters of a signature line: em dash, name, base64 of this many bytes."""
    return len("- ") + len(name) + len(" ") + 4 * ((size + 2) // 3) + len("\n")

"""The table [log] of custodian.toml: the custodian's attestation log and who cosigns its checkpoints.

docs/reference/config.md. That a key is sound is for the policy's reader, as with signers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..format import identifiers
from ..format.errors import MalformedError
from ..format.shape import array, integer, members, pattern

MAX_WITNESSES = 64
MAX_NEEDED = 32
LOG_KEY = re.compile(r"ed25519:[0-9a-f]{64}")
WITNESS_KEY = re.compile(r"ed25519:[0-9a-f]{64}|mldsa44:[0-9a-f]{2624}")
URL = re.compile(r"https?://[!-~]{1,300}")


@dataclass(frozen=True, slots=True)
class Witness:
    """Who cosigns. keys: of different algorithms; the witness counts when all have cosigned. url: where its
    requests go, a note for whoever takes them there, "" if none; readers do not see it."""

    name: str
    keys: tuple[str, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class LogTerms:
    """origin: the log's name, a URL without its scheme. key: its public half. Neither is ever changed."""

    origin: str
    key: str
    witnesses_needed: int
    witnesses: tuple[Witness, ...]


def _witness(value: object, place: str) -> Witness:
    found = members(value, frozenset({"name", "keys"}), place, optional=frozenset({"url"}))
    witness = Witness(
        name=pattern(identifiers.WITNESS_NAME)(found["name"], f"{place}.name"),
        keys=array(pattern(WITNESS_KEY), key=None, limit=2, least=1)(found["keys"], f"{place}.keys"),
        url=pattern(URL, empty=True)(found.get("url", ""), f"{place}.url"),
    )
    if len({key.partition(":")[0] for key in witness.keys}) != len(witness.keys):
        raise MalformedError(f"{place}.keys: two keys of a witness are of different algorithms", reason="key")
    return witness


def parse_log(value: object, signer_keys: frozenset[str]) -> LogTerms:
    """The table. MalformedError names what is wrong. signer_keys: none of them may be the log's or a witness's, for a
    policy counts one key once."""
    found = members(value, frozenset({"origin", "key", "witnesses_needed"}), "log", optional=frozenset({"witnesses"}))
    terms = LogTerms(
        origin=pattern(identifiers.LOG_ORIGIN)(found["origin"], "log.origin"),
        key=pattern(LOG_KEY)(found["key"], "log.key"),
        witnesses_needed=integer(0, MAX_NEEDED)(found["witnesses_needed"], "log.witnesses_needed"),
        witnesses=array(_witness, key=None, limit=MAX_WITNESSES)(found.get("witnesses", []), "log.witnesses"),
    )
    names = [terms.origin, *(witness.name for witness in terms.witnesses)]
    keys = [terms.key, *(key for witness in terms.witnesses for key in witness.keys)]
    for what, values in (("name", names), ("key", keys)):
        twice = next((item for item in values if values.count(item) > 1), None)
        if twice is not None:
            raise MalformedError(f"log: the {what} {twice} stands twice", reason="twice")
    if taken := signer_keys & set(keys):
        raise MalformedError(f"log: {min(taken)} is a signer's key as well", reason="twice",
                             hint="the log and each witness have keys of their own")  # fmt: skip
    if terms.witnesses_needed > len(terms.witnesses):
        raise MalformedError(
            f"log.witnesses_needed is {terms.witnesses_needed}, and {len(terms.witnesses)} witnesses are named",
            reason="witnesses",
        )
    return terms

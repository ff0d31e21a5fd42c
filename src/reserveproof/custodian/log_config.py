"""The table [log] of custodian.toml: the custodian's attestation log and who cosigns its checkpoints.

docs/reference/config.md. That a key is sound is for the policy's reader, as with signers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..format import identifiers
from ..format.errors import MalformedError
from ..format.limits import MAX_LOG_SIZE, MAX_NOTE_SIGNATURES
from ..format.shape import array, integer, members, pattern
from ..format.signed_note import KEY_ID_BYTES

MAX_WITNESSES = 64
MAX_NEEDED = 32
MAX_KEPT_CHARACTERS = 44_000
"""Of one checkpoint with its signatures: with the longest path beside it, and in base64, it still fits a proof file."""
LOG_KEY = re.compile(r"ed25519:[0-9a-f]{64}")
WITNESS_KEY = re.compile(r"ed25519:[0-9a-f]{64}|mldsa44:[0-9a-f]{2624}")
_LENGTHS = {"ed25519": 64, "mldsa44": 2420}
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
    _check_room(terms)
    return terms


def _check_room(terms: LogTerms) -> None:
    """MalformedError if no note has room for the log's signature and those of as many witnesses as are needed."""
    needed, lines = terms.witnesses_needed, [[_line_characters(w.name, key) for key in w.keys] for w in terms.witnesses]
    count = 1 + sum(sorted(map(len, lines))[:needed])
    text = len(f"{terms.origin}\n{MAX_LOG_SIZE}\n\n") + _base64_characters(32) + 1
    characters = text + _line_characters(terms.origin, terms.key, time=0) + sum(sorted(map(sum, lines))[:needed])
    if count > MAX_NOTE_SIGNATURES or characters > MAX_KEPT_CHARACTERS:
        raise MalformedError(
            f"log.witnesses_needed is {needed}, and no checkpoint has room for so many cosignatures",
            reason="witnesses", expected=f"at most {MAX_NOTE_SIGNATURES} signatures with the log's own, and "
            f"{MAX_KEPT_CHARACTERS} characters", found=f"at least {count} signatures, and {characters} characters",
            hint="ask for fewer witnesses, or for fewer with two keys or an ML-DSA-44 key",
        )  # fmt: skip


def _line_characters(name: str, key: str, *, time: int = 8) -> int:
    """Of a signature line below a note. time: bytes of it in a cosignature."""
    return len(f"- {name} \n") + _base64_characters(KEY_ID_BYTES + time + _LENGTHS[key.partition(":")[0]])


def _base64_characters(size: int) -> int:
    return 4 * -(-size // 3)

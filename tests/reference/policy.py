"""docs/spec/trust-policy.md."""

from __future__ import annotations

import base64
import re
import tomllib
from typing import Any

from .canonical_json import dump
from .conventions import H, T
from .outcome import malformed
from .shape import a, array, number, obj, text, word
from .signatures import is_key
from .statement import ASSURANCE, FORM

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SIGNER = obj(
    ("first_sequence", "last_sequence"),
    name=text(200, least=1),
    role=a("slug"),
    keys=array(text(3000), most=2, least=1),
    first_sequence=number(),
    last_sequence=number(),
)
_WITNESS = obj(name=a("witness name"), keys=array(text(3000), most=2, least=1))
_LOG = obj(
    ("witnesses",),
    origin=a("log origin"),
    key=text(3000),
    witnesses=array(_WITNESS, most=64),
    witnesses_needed=number(0, 32),
)
_POLICY = obj(
    ("assets", "log"),
    format=number(1, 1),
    custodian=a("custodian id"),
    kinds=array(number(1, 1), most=1, least=1),
    least_assurance=word(*ASSURANCE[:-1]),
    reserves=word("register", "auditor", "signed"),
    publication=word("log", "digest", "none"),
    max_age_days=number(1, 3660),
    min_interval_days=number(0, 3660),
    thresholds=lambda value: _thresholds(value),
    signers=array(_SIGNER, most=64, least=1),
    log=_LOG,
    assets=array(obj(asset=a("asset id"), decimals=number(0, 30), forms=array(FORM, most=64, least=1)), most=1024),
)


def _thresholds(value: Any) -> None:
    if not isinstance(value, dict) or not value:
        raise malformed("thresholds is not a table of at least one role")
    for role, needed in value.items():
        a("slug")(role)
        number(1, 32)(needed)


def _demand(holds: bool, note: str) -> None:
    if not holds:
        raise malformed(note)


def read(data: bytes) -> dict[str, Any]:
    """(1) to (5) The policy with all its members."""
    _demand(len(data) <= 1 << 20, "too many bytes")
    try:
        found = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        raise malformed("not TOML") from None
    _POLICY(found)
    signers = [{"first_sequence": 0, "last_sequence": 2**53 - 1, **signer} for signer in found["signers"]]
    for signer in signers:
        _demand(not _CONTROL.search(signer["name"]), "a control character in a name")
        _demand(signer["first_sequence"] <= signer["last_sequence"], "a signer with no sequence")
        _demand(all(is_key(key) for key in signer["keys"]), "not a key")
        kinds = [key.split(":")[0] == "mldsa44" for key in signer["keys"]]
        _demand(kinds in ([False], [False, True]), "not one key, and an mldsa44 key beside it")
    names = [signer["name"] for signer in signers]
    _demand(("log" in found) == (found["publication"] == "log"), "a log if and only if it is the publication")
    log = {"log": _read_log(found["log"])} if "log" in found else {}
    keys = [key for signer in signers for key in signer["keys"]]
    keys += [key for one in log.values() for holder in one["witnesses"] for key in holder["keys"]]
    keys += [one["key"] for one in log.values()]
    _demand(len(set(names)) == len(names), "a name twice")
    _demand(len(set(keys)) == len(keys), "a key twice")
    for role, needed in found["thresholds"].items():
        _demand(needed <= sum(signer["role"] == role for signer in signers), "more signers needed than there are")
    _demand(found["reserves"] != "auditor" or "auditor" in found["thresholds"], "no threshold for the auditor")
    assets = sorted(found.get("assets", []), key=lambda entry: entry["asset"])
    _demand(len({entry["asset"] for entry in assets}) == len(assets), "an asset twice")
    for entry in assets:
        entry["forms"].sort(key=lambda form: form["form"])
        _demand(len({form["form"] for form in entry["forms"]}) == len(entry["forms"]), "a form twice")
    return {**found, "signers": signers, "assets": assets, **log}


def _read_log(found: dict[str, Any]) -> dict[str, Any]:
    """(5)"""
    witnesses = found.get("witnesses", [])
    _demand(found["key"].startswith("ed25519:") and is_key(found["key"]), "not an ed25519 key")
    for witness in witnesses:
        kinds = [key.split(":")[0] for key in witness["keys"]]
        _demand(all(is_key(key) for key in witness["keys"]), "not a key")
        _demand(sorted(kinds) in (["ed25519"], ["mldsa44"], ["ed25519", "mldsa44"]), "not one key of a kind")
    _demand(len({witness["name"] for witness in witnesses}) == len(witnesses), "a witness twice")
    _demand(found["witnesses_needed"] <= len(witnesses), "more witnesses needed than there are")
    needed, origin = found["witnesses_needed"], found["origin"]
    shortest = sorted(sum(_line(one["name"], key.split(":")[0]) for key in one["keys"]) for one in witnesses)[:needed]
    _demand(1 + sum(sorted(len(one["keys"]) for one in witnesses)[:needed]) <= 32, "more than 32 signatures")
    text = len(f"{origin}\n0\n\n\n") + 44 + len(f"- {origin} \n") + 92
    _demand(text + sum(shortest) <= 65_536, "more characters than a note has")
    return {**found, "witnesses": witnesses}


def _line(name: str, algorithm: str) -> int:
    """The characters of a cosignature's line."""
    return len(f"- {name} \n") + {"ed25519": 104, "mldsa44": 3244}[algorithm]


def fingerprint(policy: dict[str, Any]) -> str:
    """(7)"""
    characters = base64.b32encode(H(T("policy") + dump(policy))[:15]).decode()[:20]
    return "-".join(characters[at : at + 4] for at in range(0, 20, 4))

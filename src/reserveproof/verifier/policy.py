"""The trust policy: whom a reader trusts, and to what standard. docs/spec/trust-policy.md."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from ..format import canonical_json, identifiers, limits, vocabulary
from ..format.errors import MalformedError, shown
from ..format.shape import array, choice, integer, members, pattern, text
from ..format.statement import FORM_ENTRY, Form
from .hashing import sha256, tag
from .log_terms import LogTerms, parse_log_terms
from .signatures import PublicKey, parse_key
from .toml_input import TomlError, load_toml

REQUIRED = frozenset(
    {
        "format",
        "custodian",
        "kinds",
        "least_assurance",
        "reserves",
        "publication",
        "max_age_days",
        "min_interval_days",
        "thresholds",
        "signers",
    }
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
LAST_SEQUENCE = limits.MAX_JSON_INTEGER


@dataclass(frozen=True, slots=True)
class Signer:
    name: str
    role: str
    keys: tuple[PublicKey, ...]
    first_sequence: int
    last_sequence: int


@dataclass(frozen=True, slots=True)
class PinnedAsset:
    asset: str
    decimals: int
    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    custodian: str
    kinds: tuple[int, ...]
    least_assurance: str
    reserves: str
    publication: str
    max_age_days: int
    min_interval_days: int
    thresholds: Mapping[str, int]
    signers: tuple[Signer, ...]
    assets: tuple[PinnedAsset, ...]
    log: LogTerms | None
    """There if, and only if, publication is "log"."""

    def accepts_assurance(self, class_: str) -> bool:
        return vocabulary.ASSURANCE.index(class_) <= vocabulary.ASSURANCE.index(self.least_assurance)

    def fingerprint(self) -> str:
        """Five groups of four characters, to read out to another person: 100 bits of the policy's meaning."""
        body: dict[str, object] = {
            "assets": [
                {
                    "asset": pin.asset,
                    "decimals": pin.decimals,
                    "forms": [{"decimals": f.decimals, "form": f.form} for f in pin.forms],
                }
                for pin in self.assets
            ],
            "custodian": self.custodian,
            "format": 1,
            "kinds": list(self.kinds),
            "least_assurance": self.least_assurance,
            "max_age_days": self.max_age_days,
            "min_interval_days": self.min_interval_days,
            "publication": self.publication,
            "reserves": self.reserves,
            "signers": [
                {
                    "first_sequence": signer.first_sequence,
                    "keys": [str(key) for key in signer.keys],
                    "last_sequence": signer.last_sequence,
                    "name": signer.name,
                    "role": signer.role,
                }
                for signer in self.signers
            ],
            "thresholds": dict(self.thresholds),
        }
        if self.log is not None:
            body["log"] = self.log.to_json()
        digest = sha256(tag(b"policy"), canonical_json.dump(cast(canonical_json.Json, body)))
        letters = base64.b32encode(digest).decode("ascii")[:20]
        return "-".join(letters[start : start + 4] for start in range(0, 20, 4))


def _signer(value: object, place: str) -> Signer:
    found = members(
        value,
        frozenset({"name", "role", "keys"}),
        place,
        optional=frozenset({"first_sequence", "last_sequence"}),
    )
    keys = tuple(
        parse_key(key)
        for key in array(text(4096, empty=False), key=None, limit=2, least=1)(found["keys"], f"{place}.keys")
    )
    if keys[0].algorithm == "mldsa44" or (len(keys) == 2 and keys[1].algorithm != "mldsa44"):
        raise MalformedError(
            f"{place}.keys: a signer has an ed25519 or p256 key, and beside it at most one mldsa44 key", reason="key"
        )
    first = integer()(found.get("first_sequence", 0), f"{place}.first_sequence")
    last = integer()(found.get("last_sequence", LAST_SEQUENCE), f"{place}.last_sequence")
    if first > last:
        raise MalformedError(f"{place}: first_sequence is above last_sequence", reason="sequence-range")
    return Signer(
        name=text(limits.MAX_NAME, empty=False)(found["name"], f"{place}.name"),
        role=pattern(identifiers.SLUG)(found["role"], f"{place}.role"),
        keys=keys,
        first_sequence=first,
        last_sequence=last,
    )


def _pinned(value: object, place: str) -> PinnedAsset:
    found = members(value, frozenset({"asset", "decimals", "forms"}), place)
    forms = array(FORM_ENTRY, key=None, limit=limits.MAX_FORMS, least=1)(found["forms"], f"{place}.forms")
    if len({form.form for form in forms}) != len(forms):
        raise MalformedError(f"{place}.forms names a form twice", reason="order")
    return PinnedAsset(
        asset=pattern(identifiers.ASSET)(found["asset"], f"{place}.asset"),
        decimals=integer(0, limits.MAX_DECIMALS)(found["decimals"], f"{place}.decimals"),
        forms=tuple(sorted(forms, key=lambda form: form.form)),
    )


def _check_no_controls(value: object, place: str) -> None:
    """Text in a policy is shown to people: none of it steers a terminal. A fixed list, so that no version of Unicode
    decides over a policy."""
    if isinstance(value, str) and _CONTROL.search(value):
        raise MalformedError(f"{place} holds a control character", reason="control-character", found=shown(value))
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        _check_no_controls(item, f"{place}.{key}")


def parse_policy(data: bytes) -> Policy:
    """The policy in these TOML bytes. MalformedError, of step 1, for anything that is not exactly a policy."""
    try:
        return _parse_policy(data)
    except MalformedError as error:
        raise error.at_step(1) from None


def _parse_policy(data: bytes) -> Policy:
    if len(data) > limits.MAX_TOML_BYTES:
        raise MalformedError(f"the policy is larger than {limits.MAX_TOML_BYTES} bytes", reason="size")
    try:
        root: object = load_toml(data)
    except TomlError as error:
        raise MalformedError(f"the policy is not TOML: {shown(error)}", reason="syntax") from None
    _check_no_controls(root, "policy")
    found = members(root, REQUIRED, "policy", optional=frozenset({"assets", "log"}))
    integer(1, 1)(found["format"], "policy.format")
    kinds = array(integer(1, 255), key=lambda kind: kind, limit=8, least=1)(found["kinds"], "policy.kinds")
    if kinds != (vocabulary.TREE_TRANSPARENT,):
        raise MalformedError("policy.kinds: this version knows kind 1 only", reason="kind", found=shown(kinds))
    roles = found["thresholds"]
    if not isinstance(roles, dict) or not roles:
        raise MalformedError("policy.thresholds names no role", reason="thresholds")
    thresholds = {
        pattern(identifiers.SLUG)(role, "policy.thresholds"): integer(1, 32)(count, f"policy.thresholds.{role}")
        for role, count in roles.items()
    }
    signers = array(_signer, key=None, limit=64, least=1)(found["signers"], "policy.signers")
    if len({signer.name for signer in signers}) != len(signers):
        raise MalformedError("policy.signers: two signers have one name", reason="signer-twice")
    publication = choice(("log", "digest", "none"))(found["publication"], "policy.publication")
    if (publication == "log") != ("log" in found):
        raise MalformedError('policy.log is there if, and only if, publication is "log"', reason="log")
    log = parse_log_terms(found["log"], "policy.log") if "log" in found else None
    keys = [key for signer in signers for key in signer.keys] + list(log.keys() if log else ())
    if len(set(keys)) != len(keys):
        # One key under two names would count one person twice, or let a signer witness itself (attack 27).
        raise MalformedError("policy: one key stands twice", reason="key-twice")
    for role, count in thresholds.items():
        able = sum(signer.role == role for signer in signers)
        if able < count:
            raise MalformedError(
                f"policy.thresholds.{role} can never be met",
                reason="thresholds",
                expected=f"{count} signers of the role",
                found=str(able),
            )
    pins = array(_pinned, key=None, limit=limits.MAX_ASSETS)(found.get("assets", []), "policy.assets")
    if len({pin.asset for pin in pins}) != len(pins):
        raise MalformedError("policy.assets pins an asset twice", reason="order")
    reserves = choice(("register", "auditor", "signed"))(found["reserves"], "policy.reserves")
    if reserves == "auditor" and "auditor" not in thresholds:
        raise MalformedError(
            'policy.reserves is "auditor", but no threshold for the role auditor is set', reason="thresholds"
        )
    return Policy(
        custodian=pattern(identifiers.CUSTODIAN_ID)(found["custodian"], "policy.custodian"),
        kinds=kinds,
        least_assurance=choice(vocabulary.ASSURANCE[:-1])(found["least_assurance"], "policy.least_assurance"),
        reserves=reserves,
        publication=publication,
        max_age_days=integer(1, 3660)(found["max_age_days"], "policy.max_age_days"),
        min_interval_days=integer(0, 3660)(found["min_interval_days"], "policy.min_interval_days"),
        thresholds=thresholds,
        signers=signers,
        assets=tuple(sorted(pins, key=lambda pin: pin.asset)),
        log=log,
    )

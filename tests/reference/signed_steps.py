"""docs/spec/verification.md, steps 1 to 5, which client and `public` share."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from . import log, register
from . import policy as policies
from .canonical_json import parse
from .conventions import DAY, is_a, seconds, typed_account
from .outcome import Refusal, failed, malformed, policy, usage
from .signatures import verifies
from .statement import (
    check_structure,
    check_verdict,
    identity,
    pae,
    read_envelope,
)

PASSED = {"class": "passed", "reason": "", "step": 0}


@dataclass
class Reader:
    """What stands outside of the files."""

    policy: bytes
    at: str
    state: Any = ""
    digest: str = ""
    client_id: str = ""
    client_code: str = ""
    balances: list[dict[str, str]] = field(default_factory=list)
    dedicated: list[str] = field(default_factory=list)
    log_proof: str | None = None
    consistency: str | None = None


@dataclass
class Signed:
    """A statement, with the envelope that it came in."""

    envelope: dict[str, Any]
    payload: bytes
    payload_object: dict[str, Any]
    policy: dict[str, Any]

    @property
    def predicate(self) -> dict[str, Any]:
        found: dict[str, Any] = self.payload_object["predicate"]
        return found


def steps(*numbered: tuple[int, Any]) -> dict[str, Any]:
    """Runs the steps in order; the first that refuses decides."""
    for number, step in numbered:
        try:
            step()
        except Refusal as refusal:
            return {"class": refusal.class_, "reason": refusal.reason, "step": refusal.step or number}
    return PASSED


def read_reader(reader: Reader) -> dict[str, Any]:
    """The reader's own: the policy is malformed, what was typed is unusable."""
    found = policies.read(reader.policy)
    typed = [("time", reader.at)]
    if reader.digest:
        typed.append(("digest", reader.digest))
    if reader.state != "":
        typed += [("digest", reader.state["payload_sha256"]), ("time", reader.state["as_of"])]
    if not all(is_a(item, value) for item, value in typed):
        raise usage("input")
    return found


def read_typed(reader: Reader) -> None:
    typed = [("client id", reader.client_id), ("client code", reader.client_code)]
    typed += [("account", typed_account(account)) for account in reader.dedicated]
    typed += [("asset id", stated["asset"]) for stated in reader.balances]
    typed += [("pool", stated["pool"]) for stated in reader.balances if stated["pool"]]
    if not all(is_a(item, value) for item, value in typed):
        raise usage("input")


def read_statement(data: bytes) -> Any:
    envelope = parse(data, 8 << 20)
    read_envelope(envelope)
    return envelope


def statement_of(bundle: register.Files) -> Any:
    if "statement.json" not in bundle:
        raise malformed("no statement in the bundle", "file-missing")
    return read_statement(bundle["statement.json"])


def quorum(signed: Signed) -> None:
    """Step 2; trust policy, 5."""
    message = pae(signed.payload)
    given = [base64.b64decode(one["sig"]) for one in signed.envelope["signatures"]]
    counted: Counter[str] = Counter()
    for signer in signed.policy["signers"]:
        if signer["first_sequence"] <= signed.predicate["sequence"] <= signer["last_sequence"]:
            counted[signer["role"]] += all(any(verifies(key, message, sig) for sig in given) for key in signer["keys"])
    if any(counted[role] < needed for role, needed in signed.policy["thresholds"].items()):
        raise policy("quorum")


def against_policy(signed: Signed, at: str) -> None:
    """Step 3."""
    p, wanted = signed.predicate, signed.policy
    if p["custodian"]["id"] != wanted["custodian"]:
        raise policy("custodian")
    cells = [known for pool in p["pools"] for known in pool["assets"]]
    if {known[side]["kind"] for known in cells for side in ("liabilities", "reserves")} - set(wanted["kinds"]):
        raise policy("kind")
    check_structure(p)
    check_verdict(p)
    for pin in wanted["assets"]:
        for entry in p["assets"]:
            if entry["asset"] == pin["asset"] and (
                entry["decimals"] != pin["decimals"] or any(form not in pin["forms"] for form in entry["forms"])
            ):
                raise policy("pins")
    if seconds(p["issued_at"]) > seconds(at) + 300:
        raise policy("not-yet")
    if seconds(p["as_of"]) < seconds(at) - wanted["max_age_days"] * DAY:
        raise policy("age")
    if seconds(p["valid_until"]) < seconds(at):
        raise policy("expired")


def sequence(signed: Signed, last: Any) -> None:
    """Step 4."""
    p = signed.predicate
    if last == "":
        return
    if p["sequence"] < last["sequence"]:
        raise policy("rollback")
    if p["sequence"] == last["sequence"]:
        if identity(signed.payload) != last["payload_sha256"]:
            raise failed("equivocation")
        return
    corrected = p["corrects"]["payload_sha256"]
    if p["sequence"] == last["sequence"] + 1:
        if p["previous"] != last["payload_sha256"]:
            raise failed("previous")
        if corrected not in ("", last["payload_sha256"]):
            raise failed("corrects")
    if corrected == last["payload_sha256"] and p["as_of"] != last["as_of"]:
        raise failed("as-of-order")
    if corrected == "":
        if p["as_of"] <= last["as_of"]:
            raise failed("as-of-order")
        if seconds(p["as_of"]) < seconds(last["as_of"]) + signed.policy["min_interval_days"] * DAY:
            raise policy("interval")


def publication(signed: Signed, reader: Reader, log_proof: str | None, must: bool = True) -> None:
    """Step 5. log_proof: its text, None if there is none. must: whether a digest must be typed."""
    wanted, own = signed.policy["publication"], identity(signed.payload)
    if reader.digest and reader.digest != own:
        raise failed("publication-digest")
    if wanted == "digest" and must and not reader.digest:
        raise policy("publication")
    if wanted == "log":
        last = None if reader.state == "" else reader.state.get("log")
        terms = signed.policy["log"]
        log.check_log(signed.predicate, own, terms, log_proof, reader.at, last, reader.consistency)

"""docs/spec/statement.md: the shapes of envelope and payload, and points 13 and 14."""

from __future__ import annotations

import base64
import re
from typing import Any

from .canonical_json import dump, parse
from .conventions import DAY, H, chain_of, seconds
from .outcome import failed, malformed
from .severities import severity
from .shape import a, amount, amount_or_none, array, base64_of, by, number, obj, text, texts, word

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:reserveproof:attestation:v1"
MOST_BYTES = 4 << 20
ASSURANCE = (
    "KEY_SIGNATURE",
    "SCRIPT_THRESHOLD",
    "CONTRACT_SIGNATURE",
    "DESCRIPTOR_DERIVED",
    "ONCHAIN_MOVE",
    "CUSTODIAN_CONFIRMATION",
    "DECLARED_ONLY",
)
KINDS = ("native", "stable", "wrapped", "liquid-staking", "derivative", "fiat", "real-world")
LEGAL_FORMS = (
    "express_trust",
    "statutory_trust",
    "bailment",
    "bankruptcy_remote_entity",
    "agency_fbo",
    "contract_only",
)
HOUSE = ("house", "affiliate", "issuer_reserve", "guarantee", "shortfall_cover", "unattributed")

_digest = a("digest")
_time = a("time")
_name = text(200)

ENVELOPE = obj(
    payload=base64_of(MOST_BYTES),
    payloadType=word(PAYLOAD_TYPE),
    signatures=array(obj(keyid=_name, sig=base64_of(8192)), most=32),
)

FORM = obj(decimals=number(0, 30), form=a("form"))
_TREE = {"depth": number(0, 255), "kind": number(1, 255), "root": _digest, "total": amount}
_POOL_ASSET = obj(
    asset=a("asset id"),
    liabilities=obj(**_TREE),
    reserves=obj(
        **_TREE,
        by_class=array(obj(amount=amount, class_=word(*ASSURANCE)), most=len(ASSURANCE), key=by("class")),
        encumbered=amount,
        excluded=amount,
        register=word("public", "blinded"),
    ),
)
_POOL = obj(
    assets=array(_POOL_ASSET, most=1024, least=1, key=by("asset")),
    law=_name,
    legal_form=word(*LEGAL_FORMS),
    model=word("omnibus", "dedicated", "mixed"),
    pool=a("pool"),
    profiles=array(a("slug"), most=16, least=1, key=lambda slug: slug),
    residue_bps=number(0, 10_000),
    term=word("free", "bound"),
    trustee=_name,
)
_PREDICATE = obj(
    anchors=array(obj(chain=a("chain"), hash=text(88, least=1), height=number(), time=_time), most=64, key=by("chain")),
    as_of=_time,
    assets=array(
        obj(
            asset=a("asset id"),
            decimals=number(0, 30),
            forms=array(FORM, most=64, least=1, key=by("form")),
            kind=word(*KINDS),
            name=_name,
        ),
        most=1024,
        least=1,
        key=by("asset"),
    ),
    claim_expires=_time,
    client_id_hint=_name,
    corrects=obj(payload_sha256=a("digest", empty=True), reason=text(2000)),
    custodian=obj(id=a("custodian id"), jurisdiction=_name, lei=a("LEI"), licence=_name, name=text(200, least=1)),
    disclosures=array(
        obj(
            amount=amount_or_none,
            asset=a("asset id"),
            code=a("slug"),
            holders=number(),
            pool=a("pool"),
            text=text(2000),
        ),
        most=4096,
        key=by("pool", "asset", "code"),
    ),
    dispute=obj(contact=_name, days=number(0, 3660)),
    exclusions=array(
        obj(amount=amount, asset=a("asset id"), pool=a("pool"), reason=a("slug"), side=word("L", "R")),
        most=4096,
        key=by("pool", "asset", "side", "reason"),
    ),
    house=array(
        obj(account=a("account"), asset=a("asset id"), class_=word(*HOUSE), form=a("form"), observed=amount),
        most=4096,
        key=by("asset", "account", "form"),
    ),
    house_note=text(2000),
    issued_at=_time,
    ledger=obj(
        control_totals=array(obj(asset=a("asset id"), credit=amount, pool=a("pool")), key=by("pool", "asset")),
        extract_mac=_digest,
    ),
    logs=array(text(200, least=1), most=16, key=lambda origin: origin.encode()),
    notes=texts,
    pools=array(_POOL, most=256, least=1, key=by("pool")),
    previous=a("digest", empty=True),
    rules=array(
        obj(
            id=a("rule id"),
            pool=a("pool", empty=True),
            profile=a("slug"),
            result=word("PASS", "FAIL", "NOT_ASSESSED"),
            rows=number(),
        ),
        key=by("pool", "profile", "id"),
    ),
    rules_version=text(64, least=1),
    sequence=number(),
    snapshot_id=a("snapshot id"),
    tool=text(64),
    valid_until=_time,
    verdict=word("clean", "qualified", "failing"),
    version=number(1, 1),
)
_PAYLOAD = obj(
    _type=word(STATEMENT_TYPE),
    predicate=_PREDICATE,
    predicateType=word(PREDICATE_TYPE),
    subject=array(obj(digest=obj(sha256=_digest), name=word("manifest.json")), most=1, least=1),
)


def read_envelope(envelope: Any) -> bytes:
    """(1) (2) (3) The payload bytes of an envelope that has been parsed."""
    ENVELOPE(envelope)
    return base64.b64decode(envelope["payload"])


def read_payload(data: bytes) -> dict[str, Any]:
    """(9) (10) (11)"""
    payload = parse(data, MOST_BYTES)
    _PAYLOAD(payload)
    return payload


def pae(payload: bytes) -> bytes:
    """(4) What a signature is over."""
    kind = PAYLOAD_TYPE.encode()
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


def payload_of(predicate: dict[str, Any], manifest_sha256: str) -> bytes:
    """The payload bytes of a predicate, unchecked."""
    subject = [{"digest": {"sha256": manifest_sha256}, "name": "manifest.json"}]
    return dump({"_type": STATEMENT_TYPE, "predicate": predicate, "predicateType": PREDICATE_TYPE, "subject": subject})


def envelope_of(payload: bytes, signatures: list[bytes]) -> dict[str, Any]:
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": "", "sig": base64.b64encode(one).decode()} for one in signatures],
    }


def identity(payload: bytes) -> str:
    """(5)"""
    return H(payload).hex()


def cell(predicate: dict[str, Any], pool: str, asset: str) -> dict[str, Any] | None:
    found = [c for p in predicate["pools"] if p["pool"] == pool for c in p["assets"] if c["asset"] == asset]
    return found[0] if found else None


def pool_named(predicate: dict[str, Any], pool: str) -> dict[str, Any]:
    return next(p for p in predicate["pools"] if p["pool"] == pool)


def asset_named(predicate: dict[str, Any], asset: str) -> dict[str, Any]:
    return next(entry for entry in predicate["assets"] if entry["asset"] == asset)


def native_decimals(form: str) -> int | None:
    """The scale of a chain's own coin, which is a fact of the chain; None of any other form."""
    coin = re.fullmatch(r"(bip122|eip155):[^/]*/slip44:[0-9]*", form)
    return {"bip122": 8, "eip155": 18}[coin[1]] if coin else None


def check_structure(p: dict[str, Any]) -> None:
    """(13)"""

    def demand(holds: bool, note: str) -> None:
        if not holds:
            raise malformed(note, "structure")

    cells = [(pool["pool"], entry) for pool in p["pools"] for entry in pool["assets"]]
    trees = [entry[side] for _, entry in cells for side in ("liabilities", "reserves")]
    demand(all(tree["kind"] == 1 for tree in trees), "a kind is not 1")
    demand(all(tree["depth"] <= 48 for tree in trees), "a depth is above 48")
    beside = [*p["exclusions"], *p["disclosures"], *p["ledger"]["control_totals"]]
    registered = {entry["asset"] for entry in p["assets"]}
    named = {entry["asset"] for _, entry in cells} | {entry["asset"] for entry in [*beside, *p["house"]]}
    demand(named <= registered, "an asset is not registered")
    demand({entry["pool"] for entry in beside} <= {pool["pool"] for pool in p["pools"]}, "a pool is unknown")
    forms = [form for entry in p["assets"] for form in entry["forms"]]
    demand(len({form["form"] for form in forms}) == len(forms), "a form stands under two assets")
    for form in forms:
        demand(native_decimals(form["form"]) in (None, form["decimals"]), "not the chain's own scale")
    coins = [chain_of(form["form"]) for form in forms if native_decimals(form["form"]) is not None]
    demand(len(set(coins)) == len(coins), "a chain's own coin stands under two forms")
    for _, entry in cells:
        for part in entry["reserves"]["by_class"]:
            demand(int(part["amount"]) > 0 and part["class"] != "DECLARED_ONLY", "by_class lists what is none")
    demand(len(p["anchors"]) > 0, "no anchor")
    demand(p["as_of"] <= p["issued_at"] <= p["valid_until"], "times out of order")
    ages = [seconds(p["as_of"]) - seconds(anchor["time"]) for anchor in p["anchors"]]
    demand(all(0 <= age <= DAY for age in ages), "an anchor after as_of, or more than a day before it")
    pools = {pool["pool"] for pool in p["pools"]}
    demand(all(rule["pool"] in pools | {""} for rule in p["rules"]), "a rule's pool is unknown")
    demand((p["previous"] == "") == (p["sequence"] == 0), "previous and sequence 0")
    demand((p["corrects"]["payload_sha256"] == "") == (p["corrects"]["reason"] == ""), "half a correction")
    for _, entry in cells:
        reserves = entry["reserves"]
        if sum(int(part["amount"]) for part in reserves["by_class"]) != int(reserves["total"]):
            raise failed("by-class")


def check_verdict(p: dict[str, Any]) -> None:
    """(14)"""
    fails = any(rule["result"] == "FAIL" and severity(rule["id"]) == "X" for rule in p["rules"])
    heavy = [rule["result"] == "PASS" for rule in p["rules"] if severity(rule["id"]) in "XH"]
    if (p["verdict"] == "failing") != fails or (p["verdict"] == "clean" and not (heavy and all(heavy))):
        raise failed("verdict")


def read_account_chain(account: str, form: str) -> bool:
    """An account on a chain holds forms of that chain only (register, 3)."""
    return chain_of(account) in ("", chain_of(form))

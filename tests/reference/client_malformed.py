"""Vectors of kind `client` that step 1 refuses: bytes that are not what the format says."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from . import policies
from .canonical_json import dump, parse
from .cases import Vector, client, statement, tiny
from .edits import all_of, append, drop, put, swap
from .made_up import BTC_FORM, USDC_FORM, VAULT_USDC
from .policy_kind import mixed_key

HOUSE = {"account": VAULT_USDC, "asset": "USDC", "class": "house", "form": USDC_FORM, "observed": "5"}
DISCLOSURE = {"amount": "", "asset": "BTC", "code": "fees", "holders": 3, "pool": "omni", "text": "withheld"}
FULL = all_of(append("house", HOUSE), append("disclosures", DISCLOSURE))


def capitals(name: str) -> str:
    """The same account or form, its hex in capitals."""
    before, after = name.split(":0x")
    return f"{before}:0x{after.upper()}"


def refuses(name: str, why: str, **more: Any) -> Vector:
    return client(name, why, "malformed - 1", **more)


def vectors() -> Iterator[Vector]:
    yield from bytes_of_the_proof()
    yield from members()
    yield from proof_values()
    yield from envelopes()
    yield from statement_values()
    yield from readers()


def bytes_of_the_proof() -> Iterator[Vector]:
    def raw(name: str, why: str, edit: Callable[[bytes], bytes]) -> Vector:
        return refuses(name, why, who="frank", raw=edit)

    yield raw("json-key-twice", "A member twice, with equal values.", swap(b'"format":1', b'"format":1,"format":1'))
    last = b',"format":1}'
    yield raw("json-key-order", "Members descend.", lambda data: data.replace(b'"format":1,', b"", 1)[:-1] + last)
    yield raw("json-key-escaped", "A key with an escape.", swap(b'"format"', b'"\\u0066ormat"'))
    yield raw("json-space", "A space.", swap(b'"format":1', b'"format": 1'))
    yield raw("json-final-newline", "A line break at the end, as editors add.", lambda data: data + b"\n")
    yield raw("json-bom", "A byte order mark.", lambda data: b"\xef\xbb\xbf" + data)
    yield raw("json-not-utf8", "A byte that is no UTF-8.", swap(b'"log":""', b'"log":"\xff"'))
    yield raw("json-surrogate", "A lone surrogate.", swap(b'"log":""', b'"log":"\\ud83d"'))
    yield raw("json-control-character", "A tabulator in a text.", swap(b'"log":""', b'"log":"\t"'))
    yield raw("json-true", "true for 1.", swap(b'"format":1', b'"format":true'))
    yield raw("json-null", "null for an empty text.", swap(b'"log":""', b'"log":null'))
    yield raw("json-nan", "NaN for a number.", swap(b'"format":1', b'"format":NaN'))
    yield raw("json-float", "1.0 for 1.", swap(b'"format":1', b'"format":1.0'))
    yield raw("json-exponent", "1e0 for 1.", swap(b'"format":1', b'"format":1e0'))
    yield raw("json-number-as-text", "A number as text.", swap(b'"format":1', b'"format":"1"'))
    yield raw("json-amount-as-number", "An amount as a number.", swap(b'"credit":"3"', b'"credit":3'))
    yield raw("json-cut", "Half a file.", lambda data: data[: len(data) // 2])
    yield raw("json-empty", "No bytes at all.", lambda _: b"")
    yield raw("json-array", "An array with the proof in it.", lambda data: b"[" + data + b"]")
    yield raw("json-levels-25", "Nested too deeply.", swap(b'"log":""', b'"log":' + b"[" * 24 + b"]" * 24))


PREDICATE_OBJECTS = {
    "predicate": "",
    "custodian": "custodian.",
    "corrects": "corrects.",
    "anchor": "anchors.0.",
    "asset": "assets.0.",
    "form": "assets.0.forms.0.",
    "pool": "pools.0.",
    "cell": "pools.0.assets.0.",
    "liabilities": "pools.0.assets.0.liabilities.",
    "reserves": "pools.0.assets.0.reserves.",
    "by-class": "pools.0.assets.0.reserves.by_class.0.",
    "ledger": "ledger.",
    "control-total": "ledger.control_totals.0.",
    "rule": "rules.0.",
    "exclusion": "exclusions.0.",
    "disclosure": "disclosures.0.",
    "house": "house.0.",
    "dispute": "dispute.",
}
A_MEMBER = {
    "predicate": "notes",
    "custodian": "lei",
    "corrects": "reason",
    "anchor": "height",
    "asset": "kind",
    "form": "decimals",
    "pool": "term",
    "cell": "reserves",
    "liabilities": "kind",
    "reserves": "excluded",
    "by-class": "amount",
    "ledger": "extract_mac",
    "control-total": "credit",
    "rule": "pool",
    "exclusion": "amount",
    "disclosure": "holders",
    "house": "class",
    "dispute": "days",
}
PROOF_OBJECTS = {
    "proof": ("", "log"),
    "line": ("lines.0.", "index"),
    "bucket": ("lines.0.buckets.0.", "debit"),
    "dedicated": ("positions.0.", "tie_blind"),
    "position": ("positions.0.position.", "excluded"),
    "envelope": ("envelope.", "payloadType"),
    "signature": ("envelope.signatures.0.", "keyid"),
}
PAYLOAD_OBJECTS = {
    "payload": ("", "predicateType"),
    "subject": ("subject.0.", "name"),
    "digest": ("subject.0.digest.", "sha256"),
}


def of_payload(edit: Any) -> Any:
    """An edit of the payload's object, as one of its bytes."""

    def on_bytes(data: bytes) -> bytes:
        value = parse(data, 4 << 20)
        edit(value)
        return dump(value)

    return on_bytes


def members() -> Iterator[Vector]:
    for what, (place, member) in PROOF_OBJECTS.items():
        who = "carol" if what in ("dedicated", "position") else "frank"
        yield refuses(f"unknown-member-{what}", "An unknown member.", who=who, proof=put(place + "x", 1))
        yield refuses(f"missing-member-{what}", "A member is missing.", who=who, proof=drop(place + member))
    for what, (place, member) in PAYLOAD_OBJECTS.items():
        edit = of_payload(put(place + "x", 1))
        yield refuses(f"unknown-member-{what}", "An unknown member.", who="frank", payload=edit)
        edit = of_payload(drop(place + member))
        yield refuses(f"missing-member-{what}", "A member is missing.", who="frank", payload=edit)
    for what, place in PREDICATE_OBJECTS.items():
        edit = all_of(FULL, put(place + "x", 1))
        yield refuses(f"unknown-member-{what}", "An unknown member.", who="frank", predicate=edit)
        edit = all_of(FULL, drop(place + A_MEMBER[what]))
        yield refuses(f"missing-member-{what}", "A member is missing.", who="frank", predicate=edit)


def proof_values() -> Iterator[Vector]:
    def value(name: str, why: str, *edits: Any, who: str = "frank") -> Vector:
        return refuses(name, why, who=who, proof=all_of(*edits))

    for name, text in (
        ("negative", "-60"),
        ("minus-zero", "-0"),
        ("exponent", "-1e0"),
        ("positive-exponent", "1e3"),
        ("plus", "+1"),
        ("leading-zero", "01"),
        ("fraction", "1.0"),
        ("empty", ""),
        ("space", " 1"),
        ("full-width", "\uff11"),
        ("two-127", str(2**127)),
        ("two-128", str(2**128 - 60)),
        ("40-digits", "1" * 40),
    ):
        why = "A sibling's sum that is not an amount."
        yield value(f"sum-forgery-sibling-{name}", why, put("lines.0.path.0.1", text))
    yield value("credit-negative", "A negative credit.", put("lines.1.buckets.0.credit", "-1"))
    yield value("debit-negative", "A negative debit.", put("lines.1.buckets.0.debit", "-1"))
    for name, edit in (
        ("short", lambda old: old[:-2]),
        ("odd", lambda old: old[:-1]),
        ("long", lambda old: old + "00"),
        ("empty", lambda _: ""),
        ("upper-case", lambda _: "AB" * 32),
        ("prefix", lambda old: "0x" + old[2:]),
    ):
        yield value(f"digest-{name}-sibling", "A sibling's digest of another form.", put("lines.0.path.0.0", edit))
    yield value("digest-short-blind", "A blind of 31 bytes.", put("lines.0.blind", lambda old: old[:-2]))
    yield value("digest-short-statement", "31 bytes.", put("statement_sha256", lambda old: old[:-2]))
    yield value("path-single", "A sibling without a sum.", put("lines.0.path.0", lambda old: old[:1]))
    yield value("path-triple", "A sibling with a third item.", append("lines.0.path.0", "0"))
    yield value("path-object", "A sibling as an object.", put("lines.0.path.0", {"digest": "", "sum": "0"}))
    yield value("path-49", "49 siblings.", put("lines.0.path", [["00" * 32, "0"]] * 49))
    yield value("index-negative", "A negative index, as text.", put("lines.0.index", "-1"))
    yield value("index-2-48", "An index of 2^48.", put("lines.0.index", 2**48))
    yield value("buckets-empty", "A line without a bucket.", put("lines.0.buckets", []))
    yield value("bucket-0", "A bucket that is not known.", put("lines.0.buckets.0.bucket", 0))
    yield value("bucket-11", "A bucket that is not known.", put("lines.0.buckets.0.bucket", 11))
    yield value("bucket-name", "A bucket by its name.", put("lines.0.buckets.0.bucket", "available"))
    twin = put("lines.0.buckets", lambda old: [old[0], dict(old[0])])
    yield value("bucket-twice", "One bucket twice.", twin)
    yield value("buckets-descend", "Buckets descend.", put("lines.1.buckets", lambda old: old[::-1]))
    yield value("line-twice", "One (pool, asset) twice.", put("lines", lambda old: [old[0], *old]))
    yield value("lines-descend", "Lines descend.", put("lines", lambda old: old[::-1]))
    yield value("pool-upper-case", "Not a pool's name.", put("lines.0.pool", "Omni"))
    yield value("asset-lower-case", "Not an asset's id.", put("lines.0.asset", "btc"))
    yield value("format-0", "An older format.", put("format", 0))
    yield value("format-2", "A newer format.", put("format", 2))
    yield value("timestamps-descend", "Time stamps descend by their bytes.", put("timestamps", ["Ag==", "AQ=="]))
    yield value("timestamp-twice", "A time stamp twice.", put("timestamps", ["AQ==", "AQ=="]))
    yield value("timestamp-base64", "Base64 with stray bits.", put("timestamps", ["AR=="]))
    carol = "carol"
    twin = put("positions", lambda old: [old[0], *old])
    yield value("position-listed-twice", "One position twice in one cell.", twin, who=carol)
    yield value("positions-descend", "Positions descend.", put("positions", lambda old: old[::-1]), who=carol)
    place = "positions.2.position."
    checksummed = "eip155:1:0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe"
    yield value("account-checksummed", "An account in another case.", put(place + "account", checksummed), who=carol)
    long = "abcdefgh:" + "X" * 32 + ":" + "z" * 63
    yield value("account-105", "An account of 105 characters.", put(place + "account", long), who=carol)
    bech32 = "bip122:000000000019d6689c085ae165831e93:BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ"
    yield value("account-bech32-case", "A bech32 address in capitals.", put(place + "account", bech32), who=carol)
    upper_chain = "bip122:000000000019D6689C085AE165831E93:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
    yield value("account-chain-case", "A bip122 chain in capitals.", put(place + "account", upper_chain), who=carol)
    upper = capitals(USDC_FORM)
    yield value("form-case", "An eip155 form with capitals is no second form.", put(place + "form", upper), who=carol)
    yield value("class-unknown", "A class that is not known.", put(place + "class", "MPC"), who=carol)
    yield value("segregation-unknown", "mixed is no segregation.", put(place + "segregation", "mixed"), who=carol)
    yield value("position-negative", "A negative amount.", put(place + "excluded", "-1"), who=carol)


def envelopes() -> Iterator[Vector]:
    def envelope(name: str, why: str, *edits: Any) -> Vector:
        return refuses(name, why, who="frank", envelope=all_of(*edits))

    none = {"keyid": "", "sig": ""}
    yield envelope("signatures-33", "33 signatures.", append("signatures", *[none] * 31))
    yield envelope("payload-type", "Another type of payload.", put("payloadType", "application/json"))
    yield envelope(
        "payload-base64-space", "A space in the base64.", put("payload", lambda old: old[:8] + " " + old[8:])
    )
    yield envelope("payload-base64-newline", "A line break at its end.", put("payload", lambda old: old + "\u0020"))
    yield envelope("sig-base64-url", "The other alphabet.", put("signatures.0.sig", "-_-_"))
    yield envelope("sig-base64-no-padding", "No padding.", put("signatures.0.sig", lambda old: old.rstrip("=")))
    yield envelope("sig-base64-stray-bits", "Bits that decoding drops.", put("signatures.0.sig", "AB=="))
    yield envelope("sig-base64-more-padding", "Padding that is not needed.", put("signatures.0.sig", "AAAA===="))
    long = base64.b64encode(bytes(8193)).decode()
    yield envelope("sig-too-long", "A signature of 8,193 bytes.", put("signatures.0.sig", long))
    yield envelope("keyid-too-long", "A keyid of 201 characters.", put("signatures.0.keyid", "k" * 201))
    yield refuses(
        "envelope-beside-malformed",
        "The envelope beside is not canonical, though the one inside is whole.",
        who="frank",
        beside=dump(statement(tiny())[1]).decode() + "\n",
    )
    yield refuses(
        "envelope-beside-is-payload", "The payload itself is no envelope.", who="frank", inline=False, beside="{}"
    )


def statement_values() -> Iterator[Vector]:
    def payload(name: str, why: str, edit: Any) -> Vector:
        return refuses(name, why, who="frank", payload=edit)

    def predicate(name: str, why: str, *edits: Any) -> Vector:
        return refuses(name, why, who="frank", predicate=all_of(*edits))

    yield payload("payload-space", "A signed payload that is not canonical.", lambda data: data + b" ")
    yield payload("payload-key-twice", "A signed member twice.", swap(b'"subject"', b'"predicateType":"","subject"'))
    yield payload("payload-empty", "An empty payload.", lambda _: b"")
    yield payload("payload-float", "A number with a fraction.", swap(b'"sequence":7', b'"sequence":7.0'))
    yield payload("payload-minus-zero", "Minus zero.", swap(b'"sequence":7', b'"sequence":-0'))
    yield payload("payload-integer-2-53", "A number of 2^53.", swap(b'"sequence":7', b'"sequence":9007199254740992'))
    yield payload(
        "in-toto-type", "An older in-toto type.", of_payload(put("_type", "https://in-toto.io/Statement/v0.1"))
    )
    other = of_payload(put("predicateType", "https://slsa.dev/provenance/v1"))
    yield payload("predicate-type", "A predicate about something else.", other)
    yield payload("subject-none", "No subject.", of_payload(put("subject", [])))
    yield payload("subject-two", "Two subjects.", of_payload(put("subject", lambda old: old * 2)))
    yield payload("subject-name", "Another subject.", of_payload(put("subject.0.name", "register.json")))
    yield predicate("version-0", "An older version.", put("version", 0))
    yield predicate("version-2", "A newer version.", put("version", 2))
    yield predicate("version-text", "The version as text.", put("version", "1"))
    for what in ("pools", "assets", "rules", "anchors", "ledger.control_totals", "exclusions"):
        name = what.split(".")[-1].replace("_", "-")
        yield predicate(f"twin-{name}", f"An item of {name} twice.", put(what, lambda old: [old[0], *old]))
    for what in ("pools", "assets", "rules", "anchors", "ledger.control_totals"):
        name = what.split(".")[-1].replace("_", "-")
        edit = put(what, lambda old: old[::-1])
        yield refuses(f"descending-{name}", f"The items of {name} descend.", predicate=edit, who="erin")
    twin = put("pools.0.assets", lambda old: [old[0], *old])
    yield predicate("twin-cell", "One (pool, asset) twice: two totals for one pool.", twin)
    second = put("pools.0.assets", lambda old: [old[0], {**old[0], "liabilities": old[1]["liabilities"]}, *old[1:]])
    yield predicate("twin-cell-other-total", "One (pool, asset) with two roots.", second)
    split = put("pools.0.assets.0.reserves.by_class", [{"amount": "1", "class": "CUSTODIAN_CONFIRMATION"}] * 2)
    yield predicate("twin-class", "One class twice.", split)
    yield predicate("twin-form", "One form twice in an asset.", put("assets.1.forms", lambda old: [old[0], old[0]]))
    yield predicate("descending-forms", "Forms descend.", put("assets.1.forms", lambda old: old[::-1]))
    utf16 = put("logs", ["\U0001f600.example", "\uff5e.example"])
    yield predicate("utf-16-order", "Order by UTF-16 units is another order.", utf16)
    yield predicate("log-empty", "An origin without a name.", put("logs", [""]))
    yield predicate("depth-256", "A depth beyond a byte.", put("pools.0.assets.0.liabilities.depth", 256))
    yield predicate("kind-0", "A kind of 0.", put("pools.0.assets.0.liabilities.kind", 0))
    yield predicate("decimals-31", "31 decimals.", put("assets.0.decimals", 31))
    yield predicate("assets-none", "No asset.", put("assets", []))
    yield predicate("pools-none", "No pool.", put("pools", []))
    yield predicate("pool-without-assets", "A pool without an asset.", put("pools.0.assets", []))
    yield predicate("profiles-none", "A pool without a profile.", put("pools.0.profiles", []))
    yield predicate("forms-none", "An asset without a form.", put("assets.0.forms", []))
    yield predicate("residue-10001", "A cap above the whole.", put("pools.0.residue_bps", 10_001))
    yield predicate("total-two-127", "A total of 2^127.", put("pools.0.assets.0.liabilities.total", str(2**127)))
    yield predicate("total-negative", "A negative total.", put("pools.0.assets.0.liabilities.total", "-1"))
    yield predicate("root-short", "A root of 31 bytes.", put("pools.0.assets.0.liabilities.root", "00" * 31))
    yield predicate("form-capitals", "An eip155 form in capitals.", put("assets.1.forms.0.form", capitals(USDC_FORM)))
    zero = put("assets.1.forms.0.form", "eip155:1/slip44:060")
    yield predicate("form-leading-zero", "A number with a zero before it is no second form.", zero)
    item = put("assets.1.forms.0.form", USDC_FORM.replace("erc20", "erc721"))
    yield predicate("form-of-other-standard", "A form of eip155 that is neither coin nor ERC-20.", item)
    rune = put("assets.0.forms.0.form", BTC_FORM.replace("slip44", "rune"))
    yield predicate("form-of-bitcoin-token", "A form of bip122 that is not its coin.", rune)
    yield predicate("form-no-namespace", "A form that is not CAIP-19.", put("assets.0.forms.0.form", "bitcoin"))
    yield predicate(
        "account-capitals", "A house account in capitals.", FULL, put("house.0.account", capitals(VAULT_USDC))
    )
    yield predicate("house-client", "client is no class of the house.", FULL, put("house.0.class", "client"))
    twin_house = append("house", HOUSE)
    yield predicate("twin-house", "A house position twice.", FULL, twin_house)
    for name, time in (
        ("leap-second", "2026-06-30T23:59:60Z"),
        ("hour-24", "2026-06-30T24:00:00Z"),
        ("no-such-day", "2026-06-31T00:00:00Z"),
        ("offset", "2026-06-30T00:00:00+00:00"),
        ("fraction", "2026-06-30T00:00:00.0Z"),
        ("lower-case", "2026-06-30t00:00:00z"),
        ("space", "2026-06-30 00:00:00Z"),
        ("five-digits", "12026-06-30T00:00:00Z"),
    ):
        yield predicate(f"time-{name}", "Not a time.", put("as_of", time))
    for name, place, word in (
        ("legal-form", "pools.0.legal_form", "trust"),
        ("model", "pools.0.model", "segregated"),
        ("term", "pools.0.term", "fixed"),
        ("register", "pools.0.assets.0.reserves.register", "secret"),
        ("class", "pools.0.assets.0.reserves.by_class.0.class", "DECLARED"),
        ("verdict", "verdict", "solvent"),
        ("result", "rules.0.result", "pass"),
        ("asset-kind", "assets.0.kind", "coin"),
        ("side", "exclusions.0.side", "A"),
    ):
        yield predicate(f"word-{name}", "Not one of the words.", put(place, word))
    yield predicate("lei-lower-case", "Not a LEI.", put("custodian.lei", "5493001kjtiigc8y1r12"))
    yield predicate("custodian-name-empty", "A custodian without a name.", put("custodian.name", ""))
    yield predicate("rule-id", "Not a rule's id.", put("rules.0.id", "COV-1"))
    yield predicate("note-number", "A note that is no text.", put("notes", {"a": 1}))
    yield predicate("note-too-long", "A note of 2,001 characters.", put("notes", {"a": "x" * 2001}))
    yield predicate("name-201", "A name of 201 characters.", put("custodian.name", "x" * 201))
    yield predicate("dispute-days", "3,661 days.", put("dispute.days", 3661))
    yield predicate("previous-upper-case", "Upper-case hex.", put("previous", lambda old: old.upper()))


def readers() -> Iterator[Vector]:
    def policy(name: str, why: str, text: str) -> Vector:
        return refuses(name, why, who="frank", policy=text)

    def typed(name: str, why: str, *edits: Any) -> Vector:
        return client(name, why, "usage input 1", who="frank", claim=all_of(*edits))

    torsion = policies.signer("Mixed", "custodian", mixed_key())
    small = policies.signer("Small", "custodian", "ed25519:" + "01" + "00" * 31)
    same = policies.AUDITOR_SIGNER.replace("Ledger & Partners", "Ledger again")
    yield policy("policy-mixed-order-key", "A key with a torsion part.", policies.BASE + torsion)
    yield policy("policy-small-order-key", "A key of small order: anyone can sign for it.", policies.BASE + small)
    yield policy("policy-double-key", "One key under two names is one signer.", policies.BASE + same)
    yield policy(
        "policy-kind-2", "A policy that accepts more than version 1 has.", policies.BASE.replace("[1]", "[1, 2]")
    )
    yield policy("policy-empty", "No policy.", "")
    yield typed(
        "client-id-outer-space", "An id with a space after it is refused, not cut.", put("client_id", "AC-1006 ")
    )
    yield typed("client-id-empty", "No id.", put("client_id", ""))
    yield typed("client-id-not-ascii", "An id beyond ASCII.", put("client_id", "AC-\uff11"))
    yield typed("client-code-newline", "A code with a line break.", put("client_code", "code\n"))
    yield typed("typed-asset-lower-case", "An asset's id is in capitals.", put("balances.0.asset", "usdc"))
    yield typed("typed-pool-capitals", "A pool's name is lower-case.", put("balances.0.pool", "Omni"))
    yield typed(
        "typed-account-form",
        "What was typed is no account.",
        put("dedicated", ["0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae"]),
    )
    mixed = "bip122:000000000019d6689c085ae165831e93:bc1qAR0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
    yield typed("typed-account-mixed-case", "A bech32 address in mixed case is none.", put("dedicated", [mixed]))
    yield typed("typed-digest-short", "A digest that is none.", put("digest", "abcd"))
    yield client("no-statement", "The envelope is nowhere.", "usage no-statement 1", who="frank", inline=False)
    other = statement(tiny(), predicate=put("house_note", "Another statement, signed as well."))[1]
    yield client(
        "statement-differs-beside",
        "Inside and beside stand two statements, both signed.",
        "failed statement-differs 1",
        who="frank",
        beside=lambda _: other,
    )

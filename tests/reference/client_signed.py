"""Vectors of kind `client` about steps 2 to 5: signatures, statement, policy, sequence, publication."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from . import ed25519, policies
from .cases import Vector, client, statement, tiny
from .client_malformed import FULL
from .client_passed import CORRECTION
from .conventions import H
from .edits import all_of, append, put
from .made_up import AS_OF, BEFORE, BTC_FORM, ETH_FORM, USDC_FORM
from .policy_kind import torsion_point
from .signatures import P256_ORDER
from .signers import AUDITOR, HSM, LATTICE, OFFICER, SECOND_OFFICER, STRANGER, Key
from .statement import envelope_of, identity, pae
from .world import World

BTC_PIN = f'[[assets]]\nasset = "BTC"\ndecimals = 8\nforms = [{{form = "{BTC_FORM}", decimals = 8}}]\n'


def vectors() -> Iterator[Vector]:
    yield from quorum()
    yield from one_signature()
    yield from structure()
    yield from verdict()
    yield from policy()
    yield from sequence()
    yield from publication()


def signatures(edit: Any) -> Any:
    """An edit of the decoded signatures."""

    def on_envelope(envelope: dict[str, Any]) -> None:
        for number, new in enumerate(edit([base64.b64decode(one["sig"]) for one in envelope["signatures"]])):
            envelope["signatures"][number]["sig"] = base64.b64encode(new).decode()

    return on_envelope


def quorum() -> Iterator[Vector]:
    def no_quorum(name: str, why: str, **more: Any) -> Vector:
        return client(name, why, "policy quorum 2", **{"who": "frank", **more})

    yield client(
        "statement-sha256-differs",
        "The proof file is made for another statement.",
        "failed statement-differs 2",
        who="frank",
        proof=put("statement_sha256", "00" * 32),
    )
    yield no_quorum("no-signatures", "Nobody signed.", keys=())
    yield no_quorum(
        "trust-from-file",
        "A whole forged bundle, consistent in itself, signed by keys that the policy does not know.",
        keys=(STRANGER, SECOND_OFFICER),
    )
    yield no_quorum("auditor-missing", "One role of two.", keys=(OFFICER,))
    yield no_quorum("officer-missing", "The other role of two.", keys=(AUDITOR,))
    yield no_quorum("one-of-two-officers", "One of two of a role.", keys=(OFFICER,), policy=policies.TWO_OFFICERS)
    again = append("signatures", {"keyid": "second officer", "sig": ""})
    copy = put("signatures.1.sig", lambda _: None)

    def twice(envelope: dict[str, Any]) -> None:
        again(envelope)
        copy(envelope)
        envelope["signatures"][1]["sig"] = envelope["signatures"][0]["sig"]

    yield no_quorum(
        "same-signature-twice",
        "One signature under two key ids is one signer.",
        keys=(OFFICER,),
        envelope=twice,
        policy=policies.TWO_OFFICERS,
    )
    yield no_quorum(
        "hybrid-counts-once",
        "A signer's two keys are one signer.",
        keys=(OFFICER, LATTICE),
        policy=policies.HYBRID.replace("custodian = 1", "custodian = 2")
        + policies.signer("Second officer", "custodian", SECOND_OFFICER.text),
    )
    yield no_quorum("hybrid-without-mldsa", "Half of a signer.", keys=(OFFICER,), policy=policies.HYBRID)
    yield no_quorum("hybrid-without-ed25519", "The other half.", keys=(LATTICE,), policy=policies.HYBRID)
    ranged = policies.OFFICER_SIGNER
    for name, more in (
        ("first-sequence-later", "first_sequence = 8\n"),
        ("last-sequence-earlier", "last_sequence = 6\n"),
    ):
        text = policies.BASE.replace(ranged, ranged + more)
        yield no_quorum(name, "A signer outside its range of sequence numbers.", policy=text)
    yield no_quorum(
        "payload-altered",
        "The statement was altered after it was signed.",
        envelope=lambda envelope: envelope_of(
            statement(tiny(), predicate=put("house_note", "altered"))[0],
            [base64.b64decode(one["sig"]) for one in envelope["signatures"]],
        ),
        proof=put("statement_sha256", identity(statement(tiny(), predicate=put("house_note", "altered"))[0])),
    )


def ed_sign(key: Key, message: bytes) -> bytes:
    return ed25519.sign(key.seed, message)


def with_torsion(key: Key, message: bytes) -> bytes:
    """S B = R + k A holds but for a point of order 8 in R: a cofactored check would accept it."""
    scalar, prefix = ed25519.secret(key.seed)
    public = ed25519.public_key(key.seed)
    nonce = int.from_bytes(H(prefix + message), "little") % ed25519.ORDER
    commitment = ed25519.encode(ed25519.add(ed25519.times(nonce, ed25519.BASE), torsion_point()))
    k = ed25519._hash(commitment, public, message)
    return commitment + ((nonce + k * scalar) % ed25519.ORDER).to_bytes(32, "little")


def with_far_neutral(key: Key, message: bytes) -> bytes:
    """R is the neutral element, its y written as p + 1."""
    scalar, _ = ed25519.secret(key.seed)
    commitment = (ed25519.P + 1).to_bytes(32, "little")
    k = ed25519._hash(commitment, ed25519.public_key(key.seed), message)
    return commitment + (k * scalar % ed25519.ORDER).to_bytes(32, "little")


def der(r: int, s: int, padded: bool = False) -> bytes:
    def integer(n: int) -> bytes:
        data = n.to_bytes(n.bit_length() // 8 + 1, "big")
        data = b"\0" + data if padded else data
        return b"\x02" + bytes([len(data)]) + data

    body = integer(r) + integer(s)
    return b"\x30" + bytes([len(body)]) + body


def one_signature() -> Iterator[Vector]:
    payload, _ = statement(tiny())
    message = pae(payload)

    def ed(name: str, why: str, make: Any) -> Vector:
        edit = signatures(lambda old: [make(old[0]), old[1]])
        return client(f"ed25519-{name}", why, "policy quorum 2", who="frank", envelope=edit)

    def p256(name: str, why: str, make: Any) -> Vector:
        def edit(old: list[bytes]) -> list[bytes]:
            return [make(old[0], *decode_dss_signature(old[0]))]

        return client(
            f"p256-{name}",
            why,
            "policy quorum 2",
            who="frank",
            envelope=signatures(edit),
            keys=(HSM,),
            policy=policies.P256,
        )

    def more(sig: bytes) -> bytes:
        response = int.from_bytes(sig[32:], "little") + ed25519.ORDER
        return sig[:32] + response.to_bytes(32, "little")

    yield ed("s-above-order", "S plus the group order.", more)
    yield ed("bit-flipped", "One bit of the signature.", lambda sig: bytes([sig[0] ^ 1]) + sig[1:])
    yield ed("63-bytes", "A byte is missing.", lambda sig: sig[:-1])
    yield ed("65-bytes", "A byte too many.", lambda sig: sig + b"\0")
    yield ed("zero", "64 bytes of zero.", lambda _: bytes(64))
    yield ed("payload-without-pae", "Signed are the payload's bytes alone.", lambda _: ed_sign(OFFICER, payload))
    other = message.replace(b"28 application/vnd.in-toto+json", b"16 application/json")
    yield ed("other-payload-type", "Signed under another type of payload.", lambda _: ed_sign(OFFICER, other))
    yield ed("torsion-in-r", "Only a cofactored equation holds.", lambda _: with_torsion(OFFICER, message))
    yield ed("r-not-canonical", "R is not canonical.", lambda _: with_far_neutral(OFFICER, message))
    yield ed("of-another-key", "The auditor's signature in the officer's place.", lambda _: AUDITOR.sign(payload))
    yield p256("trailing-byte", "A byte after the DER.", lambda sig, r, s: sig + b"\0")
    yield p256("padded-integers", "Integers with a zero too many.", lambda sig, r, s: der(r, s, padded=True))
    yield p256("long-length", "A length in two bytes.", lambda sig, r, s: b"\x30\x81" + sig[1:])
    yield p256("raw", "r and s as 64 bytes.", lambda sig, r, s: r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    yield p256("s-plus-order", "s plus the order.", lambda sig, r, s: der(r, s + P256_ORDER))
    yield p256("zero", "r and s are 0.", lambda sig, r, s: der(0, 0))
    yield client(
        "mldsa-bit-flipped",
        "One bit of the second key's signature.",
        "policy quorum 2",
        who="frank",
        keys=(OFFICER, LATTICE),
        policy=policies.HYBRID,
        envelope=signatures(lambda old: [old[0], bytes([old[1][0] ^ 1]) + old[1][1:]]),
    )


def structure() -> Iterator[Vector]:
    def bad(name: str, why: str, *edits: Any) -> Vector:
        return client(name, why, "malformed structure 3", who="frank", predicate=all_of(*edits))

    cell = "pools.0.assets.0."
    yield bad("depth-49", "A depth above 48.", put(cell + "liabilities.depth", 49))
    yield bad("depth-255-reserves", "The same of the reserves.", put(cell + "reserves.depth", 255))
    yield bad("asset-dropped", "A cell of an asset that is not registered.", put("assets", lambda old: old[1:]))
    unknown = {"asset": "XRP", "pool": "omni"}
    yield bad("house-asset-unknown", "The same in the house's positions.", FULL, put("house.0.asset", "XRP"))
    yield bad("disclosure-asset-unknown", "The same in a disclosure.", FULL, put("disclosures.0.asset", "XRP"))
    yield bad("exclusion-asset-unknown", "The same in an exclusion.", put("exclusions.0.asset", "XRP"))
    control = append("ledger.control_totals", {**unknown, "credit": "0", "pool": "omni"})
    yield bad("control-asset-unknown", "The same in a control total.", control)
    yield bad("disclosure-pool-unknown", "A pool that is not there.", FULL, put("disclosures.0.pool", "other"))
    yield bad("exclusion-pool-unknown", "A pool that is not there.", put("exclusions.0.pool", "other"))
    control = append("ledger.control_totals", {"asset": "BTC", "credit": "0", "pool": "zoo"})
    yield bad("control-pool-unknown", "A pool that is not there.", control)
    twin = put("assets.1.forms", [{"decimals": 8, "form": BTC_FORM}])
    yield bad("form-under-two-assets", "One form counts as two assets.", twin)
    yield bad("scale-swap-bitcoin", "Bitcoin of 6 decimals.", put("assets.0.forms.0.decimals", 6))
    yield bad("scale-swap-ether", "Ether of 9 decimals.", put("assets.1.forms", [{"decimals": 9, "form": ETH_FORM}]))
    sepolia = put("assets.1.forms.0", {"decimals": 17, "form": "eip155:11155111/slip44:60"})
    yield bad("scale-swap-other-chain", "The same on another chain of its kind.", sepolia)
    classic = put("assets.1.forms.0", {"decimals": 8, "form": "eip155:61/slip44:61"})
    yield bad("scale-swap-other-number", "The same under another number.", classic)
    numbers = put("assets.0.forms", [{"decimals": 8, "form": form} for form in (BTC_FORM, BTC_FORM[:-1] + "1")])
    yield bad("coin-under-two-forms", "Bitcoin's own coin under two numbers, in one asset.", numbers)
    forms = [ETH_FORM, ETH_FORM[:-2] + "61"]
    ether = [
        {"asset": f"ETH{n}", "decimals": 18, "forms": [{"decimals": 18, "form": form}]} for n, form in enumerate(forms)
    ]
    ether = [{**one, "kind": "native", "name": "Ether"} for one in ether]
    two = put("assets", lambda old: [old[0], *ether, old[1]])
    yield bad("coin-under-two-assets", "Ether under two numbers, as two assets.", two)
    empty = append(cell + "reserves.by_class", {"amount": "0", "class": "KEY_SIGNATURE"})
    yield bad("class-of-nothing", "A class with nothing in it.", empty)
    declared = append(cell + "reserves.by_class", {"amount": "1", "class": "DECLARED_ONLY"})
    yield bad("declared-only-counts", "What is only declared never counts.", declared)
    yield bad("no-anchor", "No anchor.", put("anchors", []))
    yield bad("issued-before-as-of", "Issued before as_of.", put("issued_at", "2026-06-29T23:59:59Z"))
    yield bad("valid-before-issued", "Valid until before it was issued.", put("valid_until", "2026-07-03T11:59:59Z"))
    yield bad("anchor-after-as-of", "An anchor later than as_of.", put("anchors.1.time", "2026-06-30T00:00:01Z"))
    yield bad("anchor-too-old", "An anchor 86,401 seconds before as_of.", put("anchors.0.time", "2026-06-28T23:59:59Z"))
    unknown_pool = append("rules", rule("SEG-01", "PASS", "zoo"))
    yield bad("rule-pool-unknown", "A rule answered for a pool that is not there.", unknown_pool)
    yield bad("previous-missing", "A later statement without a previous one.", put("previous", ""))
    yield bad("previous-of-first", "The first statement with a previous one.", put("sequence", 0))
    yield bad("corrects-without-reason", "A correction without a reason.", put("corrects.payload_sha256", "11" * 32))
    yield bad("corrects-without-digest", "A reason without a correction.", put("corrects.reason", "why not"))

    def sums(name: str, why: str, *edits: Any) -> Vector:
        return client(name, why, "failed by-class 3", who="frank", predicate=all_of(*edits))

    yield sums("by-class-below", "The classes sum to less.", put(cell + "reserves.by_class.0.amount", "1"))
    yield sums("by-class-none", "No class, and a total.", put(cell + "reserves.by_class", []))
    more = append(cell + "reserves.by_class", {"amount": "1", "class": "KEY_SIGNATURE"})
    yield sums("by-class-above", "The classes sum to more.", more)


def rule(id_: str, result: str, pool: str = "") -> dict[str, Any]:
    return {"id": id_, "pool": pool, "profile": "baseline", "result": result, "rows": 1}


def verdict() -> Iterator[Vector]:
    def lies(name: str, why: str, said: str, *rules: dict[str, Any]) -> Vector:
        listed = sorted(rules, key=lambda one: (one["pool"], one["profile"], one["id"]))
        edit = all_of(put("verdict", said), put("rules", listed))
        return client(f"verdict-{name}", why, "failed verdict 3", who="frank", predicate=edit)

    good = rule("COV-01", "PASS")
    yield lies("clean-x-fails", "clean, though an X rule fails.", "clean", good, rule("SEG-01", "FAIL"))
    yield lies("qualified-x-fails", "qualified, though an X rule fails.", "qualified", good, rule("SEG-01", "FAIL"))
    yield lies("clean-h-fails", "clean, though an H rule fails.", "clean", good, rule("COV-07", "FAIL", "omni"))
    yield lies(
        "clean-not-assessed", "clean, though an H rule is not assessed.", "clean", good, rule("EVI-02", "NOT_ASSESSED")
    )
    yield lies(
        "clean-x-not-assessed",
        "clean, though an X rule is not assessed.",
        "clean",
        good,
        rule("EVI-10", "NOT_ASSESSED"),
    )
    yield lies("clean-no-rules", "clean, with no rule at all.", "clean")
    yield lies("unknown-rule-fails", "An unknown rule weighs as X.", "qualified", good, rule("ZZZ-99", "FAIL"))
    yield lies("unknown-rule-not-assessed", "The same for clean.", "clean", good, rule("ZZZ-99", "NOT_ASSESSED"))
    yield lies("failing-without-x", "failing, though no X rule fails.", "failing", good, rule("COV-07", "FAIL", "omni"))


def policy() -> Iterator[Vector]:
    def bad(name: str, why: str, reason: str, **more: Any) -> Vector:
        return client(name, why, f"policy {reason} 3", **{"who": "frank", **more})

    yield bad(
        "other-custodian",
        "A statement of another custodian.",
        "custodian",
        policy=policies.BASE.replace("acme-custody", "acme"),
    )
    yield bad("other-custodian-world", "All of it is another custodian's.", "custodian", world=World(custodian="acme"))
    for side in ("liabilities", "reserves"):
        edit = put(f"pools.0.assets.0.{side}.kind", 2)
        yield bad(f"kind-2-{side}", "A kind of tree that the policy does not accept.", "kind", predicate=edit)
    edit = put("assets.0.decimals", 9)
    yield bad("pins-decimals", "Another scale than pinned.", "pins", predicate=edit, policy=policies.BASE + BTC_PIN)
    wrapped = {"decimals": 8, "form": "eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"}
    yield bad(
        "pins-form",
        "A wrapped token as bitcoin.",
        "pins",
        predicate=append("assets.0.forms", wrapped),
        policy=policies.BASE + BTC_PIN,
    )
    base_usdc = BTC_PIN.replace("BTC", "USDC").replace("= 8", "= 6").replace(BTC_FORM, USDC_FORM)
    both = base_usdc.replace(
        "}]", '}, {form = "eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", decimals = 18}]'
    )
    yield bad("pins-form-missing", "A form that is not pinned.", "pins", policy=policies.BASE + base_usdc)
    yield bad("pins-form-decimals", "A pinned form of another scale.", "pins", policy=policies.BASE + both)
    yield bad("not-yet", "Issued 301 seconds after the clock.", "not-yet", at="2026-07-03T11:54:59Z")
    yield bad(
        "age",
        "as_of is a second older than the policy accepts.",
        "age",
        at="2026-09-28T00:00:01Z",
        policy=policies.BASE.replace("= 100", "= 90"),
    )
    yield bad("expired", "A second after valid_until.", "expired", at="2026-10-01T00:00:01Z")


def sequence() -> Iterator[Vector]:
    payload, _ = statement(tiny())

    def bad(name: str, why: str, expect: str, state: Any, **more: Any) -> Vector:
        return client(name, why, f"{expect} 4", who="frank", state=state, **more)

    same = {"sequence": 7, "payload_sha256": identity(payload), "as_of": AS_OF}
    yield bad("rollback", "A statement before the last one seen.", "policy rollback", {**same, "sequence": 8})
    yield bad(
        "equivocation",
        "The same sequence, another payload.",
        "failed equivocation",
        {**same, "payload_sha256": "22" * 32},
    )
    yield bad(
        "previous-differs",
        "The next statement follows another one.",
        "failed previous",
        {**BEFORE, "payload_sha256": "22" * 32},
    )
    yield bad(
        "as-of-earlier",
        "A later statement of an earlier time.",
        "failed as-of-order",
        {**BEFORE, "as_of": "2026-07-01T00:00:00Z"},
    )
    yield bad("as-of-equal", "A later statement of the same time.", "failed as-of-order", {**BEFORE, "as_of": AS_OF})
    yield bad(
        "as-of-earlier-skipped",
        "The same, where statements were skipped.",
        "failed as-of-order",
        {**BEFORE, "as_of": AS_OF, "sequence": 3},
    )
    yield bad(
        "interval",
        "A second less than min_interval_days.",
        "policy interval",
        {**BEFORE, "as_of": "2026-06-02T00:00:01Z"},
    )
    yield bad(
        "correction-moves-as-of",
        "A correction with another as_of.",
        "failed as-of-order",
        {**BEFORE, "as_of": "2026-03-30T00:00:00Z"},
        predicate=CORRECTION,
    )
    yield bad(
        "correction-previous-differs",
        "A correction that does not follow what it corrects.",
        "failed previous",
        BEFORE,
        predicate=all_of(CORRECTION, put("previous", "33" * 32)),
    )
    yield bad(
        "correction-of-another",
        "The next statement follows the last one and corrects another.",
        "failed corrects",
        BEFORE,
        predicate=all_of(CORRECTION, put("corrects.payload_sha256", "33" * 32)),
    )


def publication() -> Iterator[Vector]:
    digest = policies.BASE.replace('publication = "none"', 'publication = "digest"')
    log = policies.LOGGED
    payload, _ = statement(tiny())

    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return client(f"publication-{name}", why, f"{expect} 5", who="frank", **more)

    own = put("digest", identity(payload))
    yield bad("not-typed", "The policy asks for a digest, and none was typed.", "policy publication", policy=digest)
    yield bad(
        "differs",
        "Another statement was published.",
        "failed publication-digest",
        policy=digest,
        claim=put("digest", "44" * 32),
    )
    yield bad(
        "differs-unasked",
        "A typed digest is compared, whatever the policy asks.",
        "failed publication-digest",
        claim=put("digest", "44" * 32),
    )
    yield bad("log-with-digest", "A digest does not stand for the log.", "policy publication", policy=log, claim=own)

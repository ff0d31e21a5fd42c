"""Vectors of kind `client` that pass."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from . import policies
from .cases import Vector, base, client, statement
from .client_lines import ledger
from .edits import all_of, append, put
from .forged import one_view
from .made_up import (
    AS_OF,
    BEFORE,
    BTC_FORM,
    LEDGER,
    POOLS,
    POSITIONS,
    PUBLIC,
    USDC_FORM,
    VAULT_BTC,
    VAULT_BTC_2,
    VAULT_USDC,
)
from .signatures import P256_ORDER
from .signers import AUDITOR, HSM, LATTICE, OFFICER, SECOND_OFFICER, STRANGER
from .statement import identity
from .world import World

CORRECTION = all_of(
    put("corrects", {"payload_sha256": BEFORE["payload_sha256"], "reason": "a position was left out"}),
    put("as_of", BEFORE["as_of"]),
    put("anchors.0.time", "2026-03-30T23:50:00Z"),
    put("anchors.1.time", "2026-03-30T23:59:59Z"),
)


QUALIFIED = put("verdict", "qualified")
"""What a verdict must say where few rules are listed, once a bundle lets them be run."""


def no_evidence(entries: list[dict[str, Any]]) -> None:
    """Of the account that is declared only, no control."""
    for entry in entries:
        if entry["position"]["account"] == "ref:bank-9.carol":
            entry["position"].update({"class": "DECLARED_ONLY", "control": ""})


def high_s(envelope: dict[str, Any]) -> None:
    """The other signature that ECDSA allows, (r, n - s)."""
    one = envelope["signatures"][0]
    r, s = decode_dss_signature(base64.b64decode(one["sig"]))
    one["sig"] = base64.b64encode(encode_dss_signature(r, P256_ORDER - s)).decode()


def vectors() -> Iterator[Vector]:
    def passes(name: str, why: str, **more: object) -> Vector:
        return client(name, why, "passed", **more)  # type: ignore[arg-type]

    yield passes(
        "plain", "A client without code, debit or dedicated account; all amounts typed to the last digit.", who="erin"
    )
    yield passes("code", "The client registered a code of 20 base32 characters and types it.")
    yield passes("debit", "A debit stands beside the credits and is stated.", who="bob")
    yield passes(
        "dedicated", "Three dedicated accounts, two of them in one tree, and a tree of one holder.", who="carol"
    )
    checksummed = "eip155:1:0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe"
    chain, address = VAULT_BTC.rsplit(":", 1)
    yield passes(
        "dedicated-typed-in-capitals",
        "Accounts as wallets show them: a checksum's capitals, a bech32 address for a QR code.",
        who="carol",
        claim=put("dedicated", [f"{chain}:{address.upper()}", VAULT_BTC_2, checksummed]),
    )
    yield passes("dedicated-letter", "A dedicated account off chain, under a letter.", who="grace")
    none = all_of(put("balances", lambda old: [one for one in old if one["pool"] == "omni"]), put("dedicated", []))
    yield passes(
        "dedicated-nothing-held",
        "A line of zero in a pool of own accounts needs no account.",
        who="bob",
        world=ledger(("vault", "USDC"), bob={1: (0, 0)}),
        claim=none,
    )
    yield passes(
        "dedicated-mixed",
        "A pool that is mixed may hold all of a client's balance in omnibus accounts.",
        who="carol",
        world=World(pools={**POOLS, "vault": (POOLS["vault"][0], "mixed", "free")}),
        proof=put("positions", []),
        claim=put("dedicated", []),
    )
    declared = [*POSITIONS, ("vault", "USDC", "ref:bank-9.carol", USDC_FORM, 5, 0, 5, "carol")]
    yield passes(
        "dedicated-declared-apart",
        "An own account without evidence, of which nothing counts.",
        who="carol",
        world=World(positions=declared, edit_register=no_evidence),
    )
    zero = {"amount": "0", "asset": "BTC", "debit": "", "pool": "vault"}
    others = ({**zero, "amount": "0.00", "asset": "ETH", "debit": "0.0"}, {**zero, "asset": "XRP", "pool": ""})
    yield passes(
        "zero-without-line",
        "What is stated as 0 needs no line, not even a cell.",
        who="bob",
        claim=append("balances", zero, *others),
    )
    short = World(positions=[row for row in POSITIONS if row[:2] != ("omni", "ETH")])
    yield passes(
        "zero-without-line-not-covered",
        "What is stated as 0 and has no line is no matter of coverage.",
        who="bob",
        world=short,
        claim=append("balances", {**zero, "asset": "ETH", "pool": "omni"}),
    )
    yield passes("zero-other-line", "A line that is not stated is zero.", who="dave")
    yield passes("one-base-unit", "Amounts of 0.000003 and zero, in a tree padded by min_depth.", who="frank")
    yield passes(
        "cut-digits",
        "18 decimals typed with 8 digits in all; the rest is cut.",
        claim=put("balances.1.amount", "32.123456"),
    )
    yield passes(
        "cut-digits-six",
        "Exactly six significant digits, of which trailing ones count.",
        claim=put("balances.1.amount", "32.1234"),
    )
    yield passes(
        "equal-with-few-digits",
        "Few digits are enough where they are all there is.",
        claim=all_of(put("balances.0.amount", "1.3"), put("balances.2.amount", "2500")),
    )
    yield passes(
        "without-pool",
        "An amount without pool stands for the one pool that has the asset.",
        who="erin",
        world=one_pool(),
        claim=put("balances.0.pool", ""),
    )
    yield passes("state-next", "The next sequence, with the digest last seen as previous.", state=BEFORE)
    payload, _ = statement(base())
    yield passes(
        "state-same",
        "The statement last seen, again.",
        state={"sequence": 7, "payload_sha256": identity(payload), "as_of": AS_OF},
    )
    yield passes(
        "state-skipped",
        "Sequence numbers were skipped: listed, not refused.",
        state={**BEFORE, "sequence": 3, "payload_sha256": "00" * 32},
    )
    yield passes(
        "state-interval-exact",
        "as_of is exactly min_interval_days after the last.",
        state={**BEFORE, "as_of": "2026-06-02T00:00:00Z"},
    )
    yield passes(
        "correction",
        "A correction of the last statement, with its as_of.",
        predicate=CORRECTION,
        state=BEFORE,
    )
    yield passes(
        "correction-of-a-skipped-one",
        "Statements were skipped, and one of them is corrected: its as_of is not known here.",
        predicate=put("corrects", {"payload_sha256": "33" * 32, "reason": "a position was left out"}),
        state={**BEFORE, "sequence": 3, "payload_sha256": "00" * 32, "as_of": AS_OF},
        who="frank",
    )
    yield passes(
        "anchor-a-day-before",
        "An anchor is exactly 86,400 seconds before as_of.",
        predicate=put("anchors.0.time", "2026-06-29T00:00:00Z"),
        who="frank",
    )
    testnet = "bip122:000000000933ea01ad0ee984209779ba/slip44:1"
    yield passes(
        "coins-of-two-chains",
        "Each chain has its own coin, whatever its number; both count as one asset.",
        predicate=put("assets.0.forms", [{"decimals": 8, "form": form} for form in (BTC_FORM, testnet)]),
        who="frank",
    )
    yield passes(
        "first-statement",
        "Sequence 0 has no previous.",
        predicate=all_of(put("sequence", 0), put("previous", "")),
    )
    yield passes(
        "envelope-beside", "The envelope is given beside the proof file only.", inline=False, beside=lambda _: None
    )
    yield passes(
        "envelope-twice", "The envelope is given inside and beside, with equal payloads.", beside=lambda _: None
    )
    yield passes(
        "signatures-of-both-envelopes",
        "One envelope has the officer's signature, the other the auditor's; the payload is one.",
        envelope=put("signatures", lambda old: old[:1]),
        beside=lambda _: statement(base(), envelope=put("signatures", lambda old: old[1:]))[1],
    )
    yield passes(
        "keyid-is-ignored",
        "A keyid says nothing, and the order of signatures says nothing.",
        envelope=all_of(put("signatures", lambda old: old[::-1]), put("signatures.0.keyid", "officer")),
    )
    yield passes(
        "stranger-beside",
        "A signature under no pinned key counts for nothing and harms nothing.",
        keys=(STRANGER, OFFICER, AUDITOR),
    )
    yield passes(
        "signatures-32",
        "As many signatures as an envelope may have.",
        envelope=append("signatures", *[{"keyid": str(n), "sig": ""} for n in range(30)]),
    )
    yield passes(
        "hybrid",
        "A signer with an Ed25519 and an ML-DSA-44 key; both sign.",
        policy=policies.HYBRID,
        keys=(OFFICER, LATTICE),
    )
    yield passes("p256", "A signer with a P-256 key.", policy=policies.P256, keys=(HSM,))
    yield passes(
        "p256-high-s",
        "ECDSA signatures are not made unique: s may be above half the order.",
        policy=policies.P256,
        keys=(HSM,),
        envelope=high_s,
    )
    yield passes(
        "two-officers", "Two of two signers of a role.", policy=policies.TWO_OFFICERS, keys=(OFFICER, SECOND_OFFICER)
    )
    yield passes(
        "signer-sequence-range",
        "The statement's sequence is the first and the last of a signer.",
        policy=policies.BASE.replace(
            policies.OFFICER_SIGNER, policies.OFFICER_SIGNER + "first_sequence = 7\nlast_sequence = 7\n"
        ),
    )
    yield passes(
        "digest-publication",
        "The policy asks for the digest by another road, and the client typed it.",
        policy=policies.BASE.replace('publication = "none"', 'publication = "digest"'),
        claim=put("digest", identity(payload)),
    )
    yield passes(
        "pins",
        "Scale and forms are pinned in the policy; an asset that the statement does not have is no matter.",
        policy=policies.BASE
        + f'[[assets]]\nasset = "BTC"\ndecimals = 8\nforms = [{{form = "{BTC_FORM}", decimals = 8}}]\n'
        + '[[assets]]\nasset = "XRP"\ndecimals = 6\nforms = [{form = "iso4217:XRP", decimals = 6}]\n',
    )
    yield passes("clock-300-behind", "issued_at is exactly 300 seconds after the clock.", at="2026-07-03T11:55:00Z")
    yield passes(
        "age-exact",
        "as_of is exactly max_age_days before the clock.",
        at="2026-09-28T00:00:00Z",
        policy=policies.BASE.replace("= 100", "= 90"),
    )
    yield passes("valid-until-exact", "The clock is at valid_until.", at="2026-10-01T00:00:00Z")
    yield passes(
        "failing-elsewhere",
        "A rule of severity X fails in a pool in which the client states nothing.",
        who="erin",
        predicate=all_of(
            append("rules", {"id": "SEG-02", "pool": "yield", "profile": "baseline", "result": "FAIL", "rows": 1}),
            put("verdict", "failing"),
        ),
    )
    yield passes(
        "code-point-order",
        "Order is by UTF-8 bytes: U+FF5E stands before U+1F600, which UTF-16 order would turn round.",
        predicate=put("logs", ["\uff5e.example", "\U0001f600.example"]),
    )
    yield passes(
        "no-unicode-normalisation",
        "Two notes that differ by normalisation only are two texts.",
        predicate=put("notes", {"a": "\u00e9", "b": "e\u0301"}),
    )
    yield passes(
        "register-rebuilt",
        "The policy asks for a rebuilt register, and the bundle is given.",
        who="erin",
        policy=policies.BASE.replace('"signed"', '"register"'),
        predicate=QUALIFIED,
        bundle=lambda _: None,
    )
    yield passes(
        "statement-from-bundle",
        "The envelope stands in the bundle only.",
        who="erin",
        inline=False,
        predicate=QUALIFIED,
        bundle=lambda _: None,
    )
    yield passes(
        "sum-forgery-own-view",
        "The tree was built so that this client's own path holds, though another's does not (see "
        "sum-forgery-other-view): one check bounds the total from below by one amount, no more.",
        who="alice",
        world=one_view("alice", "erin", "alice"),
    )
    yield passes(
        "dedicated-twin-unseen",
        "One account stands in two pools, tied to two clients: either client alone cannot see it; "
        "public/position-in-two-pools does.",
        who="grace",
        world=twin_world(),
    )


def one_pool() -> World:
    """The omnibus pool alone."""
    ledger = {cell: rows for cell, rows in LEDGER.items() if cell[0] == "omni"}
    return World(ledger=ledger, positions=[row for row in POSITIONS if row[0] == "omni"], pools={"omni": POOLS["omni"]})


def twin_world() -> World:
    """grace is shown carol's account, in another pool."""
    twin = ("omni", "USDC", VAULT_USDC, USDC_FORM, 50_000_000_000, 0, 0, "grace")
    return World(positions=[*POSITIONS, twin], public=PUBLIC - {("omni", "USDC")})

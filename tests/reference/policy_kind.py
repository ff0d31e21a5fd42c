"""Vectors of the kind `policy`, and the keys that no policy may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import policies
from .cases import Vector
from .ed25519 import ORDER, P, add, decode, encode, is_neutral, times
from .made_up import BTC_FORM
from .policy import fingerprint, read
from .signers import HSM, LATTICE, LATTICE_WITNESS, LOG, OFFICER, SECOND_OFFICER, WITNESSES, Key
from .small_kinds import vector


def policy_vectors() -> Iterator[Vector]:
    def good(name: str, why: str, text: str) -> Vector:
        return vector("policy", name, why, {"toml": text}, "passed", fingerprint=fingerprint(read(text.encode())))

    def bad(name: str, why: str, text: str) -> Vector:
        return vector("policy", name, why, {"toml": text}, "malformed")

    def put(old: str, new: str) -> str:
        if old not in policies.BASE:
            raise ValueError(old)
        return policies.BASE.replace(old, new, 1)

    def more(*signers: str) -> str:
        return policies.BASE + "".join(signers)

    btc = '[[assets]]\nasset = "BTC"\ndecimals = 8\nforms = [{form = "' + BTC_FORM + '", decimals = 8}]\n'
    usd = '[[assets]]\nasset = "USD"\ndecimals = 2\nforms = [{form = "iso4217:USD", decimals = 2}]\n'
    officer = OFFICER.text.removeprefix("ed25519:")
    yield good("plain", "The policy of most other vectors.", policies.BASE)
    yield good(
        "comments",
        "Comments and spacing are not in the fingerprint: the same as plain.",
        "# mine\n" + put("format = 1", "format=1 # one"),
    )
    yield good("literal-strings", "Nor is the way a string is quoted: the same as plain.", put('"none"', "'none'"))
    yield good(
        "default-range",
        "Written defaults are the defaults: the same as plain.",
        policies.BASE + "first_sequence = 0\nlast_sequence = 9007199254740991\n",
    )
    yield good(
        "other-order",
        "The order of signers is in the fingerprint: another than plain.",
        put(policies.OFFICER_SIGNER + policies.AUDITOR_SIGNER, policies.AUDITOR_SIGNER + policies.OFFICER_SIGNER),
    )
    yield good("hybrid", "A signer with two keys.", policies.HYBRID)
    yield good("p256", "A P-256 key.", policies.P256)
    yield good("two-officers", "Two signers of one role.", policies.TWO_OFFICERS)
    yield good("pins", "Pinned assets, ascending.", policies.BASE + btc + usd)
    yield good(
        "pins-other-order", "Pinned assets ascend in the fingerprint: the same as pins.", policies.BASE + usd + btc
    )
    yield good(
        "spare-role",
        "A role without a threshold counts for nothing.",
        more(policies.signer("Notary", "notary", SECOND_OFFICER.text)),
    )
    yield good(
        "name-not-ascii",
        "A name may hold any character but control characters.",
        put("Ledger & Partners", "Łedger \U0001f600"),
    )
    yield good("auditor", "Reserves by an auditor's quorum.", put('"signed"', '"auditor"'))
    yield good(
        "sequence-range", "A signer with one sequence only.", policies.BASE + "first_sequence = 9\nlast_sequence = 9\n"
    )
    yield from _logs(good, bad)
    yield bad("not-toml", "Not TOML.", "format: 1\n")
    yield bad("key-of-table-twice", "TOML forbids a member twice.", put("format = 1", "format = 1\nformat = 1"))
    yield bad("empty", "Nothing.", "")
    for member in (
        "format",
        "custodian",
        "kinds",
        "least_assurance",
        "reserves",
        "publication",
        "max_age_days",
        "min_interval_days",
    ):
        line = next(one for one in policies.HEAD.splitlines() if one.startswith(member + " "))
        yield bad(f"missing-{member.replace('_', '-')}", "A member is missing.", put(line + "\n", ""))
    yield bad("unknown-member", "An unknown member.", "insecure = 1\n" + policies.BASE)
    yield bad("unknown-member-signer", "An unknown member of a signer.", policies.BASE + "weight = 2\n")
    yield bad("no-thresholds", "No role is needed.", put("auditor = 1\ncustodian = 1\n", ""))
    yield bad("no-signers", "No signers.", policies.HEAD + "signers = []\n[thresholds]\ncustodian = 1\n")
    yield bad("threshold-zero", "A threshold of nobody.", put("custodian = 1", "custodian = 0"))
    yield bad("threshold-33", "A threshold above 32.", put("custodian = 1", "custodian = 33"))
    yield bad("threshold-too-high", "More signers than there are.", put("custodian = 1", "custodian = 2"))
    yield bad("threshold-of-nobody", "A role that no signer has.", put("custodian = 1", "custodian = 1\nnotary = 1"))
    yield bad(
        "auditor-without-threshold",
        "An auditor stands for the reserves, and none need sign.",
        put('"signed"', '"auditor"').replace("auditor = 1\n", ""),
    )
    yield bad("format-2", "Another format.", put("format = 1", "format = 2"))
    yield bad("format-boolean", "true is not 1.", put("format = 1", "format = true"))
    yield bad("format-float", "1.0 is not 1.", put("format = 1", "format = 1.0"))
    yield bad("kinds-empty", "No kind.", put("[1]", "[]"))
    yield bad("kinds-2", "A kind that version 1 does not know.", put("[1]", "[1, 2]"))
    yield bad(
        "least-assurance-declared", "DECLARED_ONLY is no assurance.", put("CUSTODIAN_CONFIRMATION", "DECLARED_ONLY")
    )
    yield bad("reserves-word", "Not one of the words.", put('"signed"', '"any"'))
    yield bad("publication-word", "Not one of the words.", put('"none"', '"web"'))
    yield bad("max-age-zero", "At least a day.", put("max_age_days = 100", "max_age_days = 0"))
    yield bad("max-age-3661", "At most 3,660 days.", put("max_age_days = 100", "max_age_days = 3661"))
    yield bad("max-age-float", "Not an integer.", put("max_age_days = 100", "max_age_days = 100.0"))
    yield bad("min-interval-negative", "Below zero.", put("min_interval_days = 28", "min_interval_days = -1"))
    yield bad("custodian-upper-case", "Not a custodian id.", put("acme-custody", "Acme"))
    yield bad("name-empty", "A signer without a name.", put("Treasury officer", ""))
    yield bad("name-twice", "Two signers of one name.", put("Ledger & Partners", "Treasury officer"))
    yield bad(
        "name-control-character", "An escaped line break in a name.", put("Treasury officer", "Treasury\\nofficer")
    )
    yield bad("double-key", "One key in two signers.", more(policies.signer("Same", "custodian", OFFICER.text)))
    yield bad(
        "double-key-in-signer",
        "One key twice in a signer.",
        put(f'"{OFFICER.text}"', f'"{OFFICER.text}", "{OFFICER.text}"'),
    )
    yield bad(
        "double-key-upper-case",
        "Upper-case hex is no second spelling.",
        more(policies.signer("Same", "custodian", "ed25519:" + officer.upper())),
    )
    yield bad("no-keys", "A signer without a key.", more(policies.signer("None", "custodian")))
    yield bad(
        "three-keys", "Three keys.", more(policies.signer("Three", "x", HSM.text, SECOND_OFFICER.text, LATTICE.text))
    )
    yield bad("mldsa-alone", "An ML-DSA key that is the only one.", more(policies.signer("L", "x", LATTICE.text)))
    yield bad(
        "two-plain-keys",
        "A second key that is no ML-DSA key.",
        more(policies.signer("Two", "x", HSM.text, SECOND_OFFICER.text)),
    )
    yield bad(
        "mldsa-first", "An ML-DSA key that is the first.", more(policies.signer("L", "x", LATTICE.text, HSM.text))
    )
    yield bad(
        "sequence-range-empty",
        "The last sequence is below the first.",
        policies.BASE + "first_sequence = 9\nlast_sequence = 8\n",
    )
    yield bad("asset-twice", "A pinned asset twice.", policies.BASE + usd + usd)
    yield bad(
        "asset-without-forms",
        "A pinned asset without a form.",
        policies.BASE + usd.replace('{form = "iso4217:USD", decimals = 2}', ""),
    )
    yield bad(
        "form-twice",
        "A pinned form twice.",
        policies.BASE + usd.replace("}]", '}, {form = "iso4217:USD", decimals = 3}]'),
    )
    yield good(
        "forms-of-chains", "Coins, tokens and a form of a chain not known here.", policies.BASE + forms(*GOOD_FORMS)
    )
    for name, why, form in BAD_FORMS:
        yield bad(f"form-{name}", why, policies.BASE + forms(form))
    for name, why, key in bad_keys():
        yield bad(name, why, more(policies.signer("Other", "custodian", key)))


def _logs(good: Callable[..., Vector], bad: Callable[..., Vector]) -> Iterator[Vector]:
    """The table `log`."""
    one = policies.witness("w.example", WITNESSES[0].text)
    second = policies.witness("x.example", WITNESSES[1].text)

    def put(old: str, new: str) -> str:
        if old not in policies.LOGGED:
            raise ValueError(old)
        return policies.LOGGED.replace(old, new, 1)

    yield good("log", "A log and three witnesses, of whom two must have cosigned.", policies.LOGGED)
    yield good("log-without-witnesses", "A log alone.", policies.logged(needed=0))
    yield good(
        "log-empty-witnesses",
        "No witnesses, as an empty array: the same as log-without-witnesses.",
        policies.logged(needed=0).replace("witnesses_needed", "witnesses = []\nwitnesses_needed"),
    )
    yield good("log-witness-order", "The order of witnesses is in the fingerprint.", policies.logged(second, one))
    yield good("log-witness-order-other", "The same two the other way round.", policies.logged(one, second))
    both = policies.witness("oid/1.3.6", WITNESSES[0].text, LATTICE_WITNESS.text)
    yield good("log-hybrid-witness", "A witness with two keys.", policies.logged(both, needed=1))
    yield bad("log-missing", "The log is not named.", policies.BASE.replace('"none"', '"log"'))
    yield bad("log-unasked", "A log, and another publication.", put('publication = "log"', 'publication = "none"'))
    yield bad("log-unknown-member", "An unknown member.", put("witnesses_needed", "quorum = 1\nwitnesses_needed"))
    yield bad("log-needed-missing", "How many are needed is not said.", put("witnesses_needed = 2\n", ""))
    yield bad(
        "log-needed-too-many", "More witnesses than there are.", put("witnesses_needed = 2", "witnesses_needed = 4")
    )
    yield bad("log-needed-negative", "Below zero.", put("witnesses_needed = 2", "witnesses_needed = -1"))
    yield bad("log-needed-33", "Above 32.", put("witnesses_needed = 2", "witnesses_needed = 33"))
    yield bad("log-origin-scheme", "An origin with a scheme.", put('"acme.example', '"https://acme.example'))
    yield bad("log-key-p256", "A log's key is Ed25519.", policies.logged(needed=0, key=HSM))
    yield bad("log-key-of-signer", "A signer keeps the log with the same key.", policies.logged(needed=0, key=OFFICER))
    yield bad(
        "log-witness-name-twice", "Two witnesses of one name.", policies.logged(one, second.replace("x.e", "w.e"))
    )
    yield bad("log-witness-key-twice", "One key in two witnesses.", policies.logged(one, one.replace("w.e", "x.e")))
    self_seen = policies.witness("w.example", OFFICER.text)
    yield bad("log-witness-is-signer", "A signer as a witness.", policies.logged(self_seen, needed=1))
    self_seen = policies.witness("w.example", LOG.text)
    yield bad("log-witness-is-log", "The log as its own witness.", policies.logged(self_seen, needed=1))
    for name, why, keys in (
        ("no-key", "A witness without a key.", []),
        ("p256", "C2SP has no P-256 cosignatures.", [HSM.text]),
        ("two-ed25519", "Two keys of one kind.", [WITNESSES[0].text, WITNESSES[1].text]),
        ("small-order", "A key under which anyone can sign.", ["ed25519:" + encode((0, 1, 1, 0)).hex()]),
    ):
        yield bad(f"log-witness-{name}", why, policies.logged(policies.witness("w.example", *keys), needed=1))
    yield bad("log-witness-name-plus", "A plus in a name.", policies.logged(one.replace("w.e", "w+e"), needed=1))
    many = [policies.witness(f"w{n}.example", Key("ed25519", f"many {n}").text) for n in range(32)]
    why = "More cosignatures than a checkpoint has room for, beside the log's signature."
    yield bad("log-needed-no-room", why, policies.logged(*many, needed=32))
    yield bad("log-witness-name-space", "A space in a name.", policies.logged(one.replace("w.e", "w e"), needed=1))


TOKEN = "0x" + "ab" * 20
GOOD_FORMS = (
    "bip122:000000000933ea01ad0ee984209779ba/slip44:1",
    "eip155:10/slip44:0",
    "eip155:61/slip44:9999999999",
    f"eip155:{'9' * 32}/erc20:{TOKEN}",
    "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
)
BAD_FORMS = [
    ("leading-zero", "A number with a zero before it.", "eip155:1/slip44:060"),
    ("zeros", "00 is not 0.", BTC_FORM + "0"),
    ("eleven-digits", "A number of eleven digits.", "eip155:1/slip44:10000000000"),
    ("number-missing", "No number.", "eip155:1/slip44:"),
    ("number-hex", "A number in hex.", "eip155:1/slip44:0x3c"),
    ("token-short", "39 hex digits.", f"eip155:1/erc20:{TOKEN[:-1]}"),
    ("token-long", "41 hex digits.", f"eip155:1/erc20:{TOKEN}a"),
    ("token-capitals", "Hex in capitals.", f"eip155:1/erc20:0x{'AB' * 20}"),
    ("token-no-prefix", "Hex without 0x.", f"eip155:1/erc20:{TOKEN[2:]}"),
    ("other-standard", "Neither a coin nor an ERC-20.", f"eip155:1/erc1155:{TOKEN}"),
    ("namespace-capitals", "A namespace in capitals.", f"eip155:1/ERC20:{TOKEN}"),
    ("chain-zero", "A chain with a zero before its number.", "eip155:01/slip44:60"),
    ("bitcoin-chain-short", "A chain of 31 hex digits.", BTC_FORM.replace("bip122:0", "bip122:")),
    ("bitcoin-token", "A token on Bitcoin.", BTC_FORM.replace("slip44", "rune")),
    ("bitcoin-leading-zero", "The coin again, its number as 01.", BTC_FORM[:-1] + "01"),
]


def forms(*names: str) -> str:
    """Pins of one asset with these forms."""
    listed = ", ".join(f'{{form = "{name}", decimals = 8}}' for name in names)
    return f'[[assets]]\nasset = "BTC"\ndecimals = 8\nforms = [{listed}]\n'


def bad_keys() -> Iterator[tuple[str, str, str]]:
    """Keys that no policy may hold."""
    order_8 = torsion_point()
    officer = bytes.fromhex(OFFICER.text.removeprefix("ed25519:"))
    yield "key-unknown-kind", "A kind of key that is not known.", "rsa:" + "00" * 32
    yield "key-short", "31 bytes.", "ed25519:" + officer.hex()[:-2]
    yield "key-identity", "The neutral element.", "ed25519:" + encode((0, 1, 1, 0)).hex()
    yield "key-order-2", "The point of order 2.", "ed25519:" + (P - 1).to_bytes(32, "little").hex()
    yield "key-order-4", "A point of order 4.", "ed25519:" + bytes(32).hex()
    yield "key-order-8", "A point of order 8.", "ed25519:" + encode(order_8).hex()
    yield (
        "key-identity-not-canonical",
        "The neutral element, its y as p + 1.",
        "ed25519:" + (P + 1).to_bytes(32, "little").hex(),
    )
    yield (
        "key-identity-signed",
        "The neutral element with the sign bit.",
        "ed25519:" + (1 | 1 << 255).to_bytes(32, "little").hex(),
    )
    yield "key-y-not-canonical", "y of 3 written as p + 3.", "ed25519:" + (P + 3).to_bytes(32, "little").hex()
    yield "key-off-curve", "y of 2 is on no point.", "ed25519:" + (2).to_bytes(32, "little").hex()
    yield "key-mixed-order", "A good key plus a point of order 8.", mixed_key()
    yield "p256-off-curve", "x of 5 plus no point.", "p256:02" + off_p256().hex()
    yield "p256-uncompressed", "An uncompressed point.", "p256:04" + "11" * 32
    yield "p256-x-beyond", "x is not below p.", "p256:02" + "ff" * 32
    yield "p256-infinity", "The point at infinity.", "p256:00" + "00" * 32
    yield "mldsa-short", "An ML-DSA key of other length.", "mldsa44:" + LATTICE.text[8:-2]


def off_p256() -> bytes:
    """An x of the field on which P-256 has no point."""
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    x = next(x for x in range(5, 100) if pow((x**3 - 3 * x + b) % p, (p - 1) // 2, p) != 1)
    return x.to_bytes(32, "big")


def torsion_point() -> Any:
    """A point of order 8: the order times some point, until nothing smaller annuls it."""
    for y in range(2, 200):
        point = decode(y.to_bytes(32, "little"))
        if point is not None:
            small = times(ORDER, point)
            if not is_neutral(times(4, small)):
                return small
    raise ValueError("none found")


def mixed_key() -> str:
    point = decode(bytes.fromhex(OFFICER.text.removeprefix("ed25519:")))
    assert point is not None
    return "ed25519:" + encode(add(point, torsion_point())).hex()

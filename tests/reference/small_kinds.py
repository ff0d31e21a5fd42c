"""Vectors of the kinds that need neither statement nor policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import challenge, tree
from .canonical_json import dump
from .cases import Vector, base
from .conventions import typed_amount
from .made_up import CLIENTS, ETH_FORM, USDC_FORM


def vector(kind: str, name: str, why: str, given: dict[str, Any], expect: dict[str, Any] | str, **more: Any) -> Vector:
    if isinstance(expect, str):
        class_, _, reason = expect.partition(" ")
        expect = {"class": class_, "reason": reason, **more}
    return {"expect": expect, "input": given, "kind": kind, "name": name, "why": why}


def vectors() -> Iterator[Vector]:
    yield from holders()
    yield from lines()
    yield from challenges()
    yield from claims()
    yield from canonical()
    yield from typed()
    yield from compared()


def holders() -> Iterator[Vector]:
    def client(name: str, why: str, client_id: str, code: str, ok: bool = True) -> Vector:
        given = {"client_code": code, "client_id": client_id, "side": "L"}
        if not ok:
            return vector("holder", name, why, given, "usage input")
        return vector("holder", name, why, given, "passed", holder=tree.client_holder(client_id, code).hex())

    yield client("client-with-code", "Id and code of the client alice.", *CLIENTS["alice"])
    yield client("client-without-code", "No code is the empty code.", "AC-1002", "")
    yield client("client-joined-fields", "Id and code are delimited: not the holder of (AC-1002, ).", "AC-100", "2")
    yield client("client-longest", "128 and 64 bytes.", "x" * 128, "y" * 64)
    yield client("client-inner-space", "An inner space is part of the id.", "A  b", "c d")
    yield client("client-case", "Exact case.", "ac-1002", "")
    yield client("client-empty", "An id has at least one byte.", "", "", False)
    yield client("client-too-long", "129 bytes.", "x" * 129, "", False)
    yield client("client-code-too-long", "65 bytes.", "x", "y" * 65, False)
    yield client("client-outer-space", "An outer space is refused, not cut.", "AC-1002 ", "", False)
    yield client("client-code-outer-space", "The same for the code.", "AC-1002", " x", False)
    yield client("client-newline", "A line break at the end is not printable ASCII.", "AC-1002\n", "", False)
    yield client("client-not-ascii", "Nothing is normalised; other than ASCII is refused.", "Zo\u00eb", "", False)
    yield client("client-full-width", "Full-width digits are not ASCII.", "AC-\uff11", "", False)
    for name, why, account, form in (
        ("position-ethereum", "A native form.", "eip155:1:0x" + "ab" * 20, ETH_FORM),
        ("position-token", "The same account with a token is another position.", "eip155:1:0x" + "ab" * 20, USDC_FORM),
        ("position-letter", "An account off chain.", "ref:bank-7.fbo", "iso4217:USD"),
    ):
        given = {"account": account, "form": form, "side": "R"}
        yield vector("holder", name, why, given, "passed", holder=tree.position_holder(account, form).hex())


def lines() -> Iterator[Vector]:
    def line(name: str, why: str, rows: list[tuple[int, str, str]], ok: bool = True) -> Vector:
        given = [{"bucket": b, "credit": c, "debit": d} for b, c, d in rows]
        if not ok:
            return vector("line-details", name, why, {"buckets": given}, "malformed")
        credit = str(sum(int(c) for _, c, _ in rows))
        details = tree.line_details(given).hex()
        return vector("line-details", name, why, {"buckets": given}, "passed", details=details, sum=credit)

    yield line("one", "One bucket.", [(1, "1250000000", "0")])
    yield line("zero", "A row at zero is a row.", [(1, "0", "0")])
    yield line("debit-beside", "Debits are hashed and not netted.", [(1, "900250000", "0"), (7, "0", "250500000")])
    yield line("all-buckets", "Ten buckets.", [(b, str(b), str(10 - b)) for b in range(1, 11)])
    yield line("largest", "The largest amount.", [(1, str(2**127 - 1), str(2**127 - 1))])
    yield line("no-bucket", "A line has at least one row.", [], False)
    yield line("bucket-0", "Codes begin at 1.", [(0, "1", "0")], False)
    yield line("bucket-11", "Codes end at 10.", [(11, "1", "0")], False)
    yield line("bucket-twice", "A bucket stands once.", [(1, "1", "0"), (1, "2", "0")], False)
    yield line("descending", "Codes ascend.", [(2, "1", "0"), (1, "2", "0")], False)


def challenges() -> Iterator[Vector]:
    claimed = challenge.claim(base().predicate())
    longest = "eip155:1" + "0" * 31 + ":0x" + "ab" * 20
    widest = "abcdefgh:" + "X" * 32 + ":" + "z" * 62
    for name, why, account, custodian, pool, segregation in (
        ("ethereum", "An ordinary account.", "eip155:1:0x" + "cd" * 20, "acme-custody", "omni", "omnibus"),
        ("bitcoin-dedicated", "A dedicated account.", base().positions[6][2], "acme-custody", "vault", "dedicated"),
        (
            "longest-account",
            "104 characters, with every other part at its longest.",
            widest,
            "c" * 24,
            "p" * 24,
            "dedicated",
        ),
        ("longest-ethereum", "The longest chain reference.", longest, "c" * 24, "p" * 24, "dedicated"),
        (
            "letter",
            "An account off chain has a challenge too, though nobody signs it.",
            "ref:bank-7",
            "acme-custody",
            "omni",
            "omnibus",
        ),
    ):
        given = {
            "account": account,
            "claim": claimed.hex(),
            "custodian": custodian,
            "expires": "2026-07-07T00:00:00Z",
            "pool": pool,
            "segregation": segregation,
        }
        text = challenge.text(account, custodian, pool, segregation, claimed, given["expires"])
        compact = challenge.compact(account, text)
        yield vector("challenge", name, why, given, "passed", compact=compact, text=text)


def claims() -> Iterator[Vector]:
    plain, other_forms = base().predicate(), base().predicate()
    other_forms["assets"][2]["forms"][1]["decimals"] = 18
    later = base().predicate()
    later["sequence"], later["custodian"]["name"] = 99, "Another name"
    for name, why, predicate in (
        ("plain", "The claim of the small custodian's statement.", plain),
        ("form-decimals", "Only the decimals of one form differ: another claim.", other_forms),
        ("not-claimed", "Sequence and the custodian's name are no part of the claim: the same one.", later),
    ):
        given = {"predicate": dump(predicate).decode()}
        yield vector("claim", name, why, given, "passed", claim=challenge.claim(predicate).hex())


def canonical() -> Iterator[Vector]:
    def item(name: str, why: str, data: bytes | str, ok: bool = False) -> Vector:
        data = data.encode() if isinstance(data, str) else data
        return vector("canonical-json", name, why, {"hex": data.hex()}, "passed" if ok else "malformed")

    yield item(
        "conventions-example",
        "The example of the page.",
        '{"amount":"1250000000","asset":"USDC","height":19000000,"names":["a","é"]}',
        True,
    )
    yield item("empty-object", "An empty object.", "{}", True)
    yield item("empty-array", "An empty array.", "[]", True)
    yield item("empty-string", "An empty string.", '""', True)
    yield item("zero", "Zero.", "0", True)
    yield item("largest-integer", "2^53-1.", "9007199254740991", True)
    yield item("levels-24", "24 levels.", "[" * 24 + "]" * 24, True)
    yield item("levels-24-scalar", "24 levels with an integer inside.", "[" * 24 + "1" + "]" * 24, True)
    yield item("escapes", "The two escapes there are.", r'"a\"b\\c"', True)
    yield item("slash-and-separators", "Not escaped: slash, U+2028, U+2029, U+00A0.", '"/\u2028\u2029\u00a0"', True)
    yield item(
        "noncharacter",
        "U+FFFF, U+FEFF and U+10FFFF inside of a string stand as themselves.",
        '"\uffff\ufeff\U0010ffff"',
        True,
    )
    yield item("surrogate-pair-character", "A character beyond U+FFFF is four bytes of UTF-8.", '"\U0001f600"', True)
    yield item("not-normalised", "Two spellings of é are two strings.", '["\u00e9","e\u0301"]', True)
    yield item(
        "key-printable",
        "A key may hold any printable ASCII, also a space, a quote and a backslash.",
        r'{" ":1,"\"":2,"\\":3}',
        True,
    )
    yield item("key-128", "A key of 128 characters.", '{"' + "k" * 128 + '":1}', True)
    yield item(
        "proto-key",
        "A key that is special to some runtimes is a key like others.",
        '{"__proto__":1,"constructor":2}',
        True,
    )
    yield item("key-prefix-order", "A key stands before those that it begins.", '{"a":1,"aa":2,"b":3}', True)
    yield item("digits-are-keys", "Keys that look like numbers ascend as strings.", '{"10":1,"2":2}', True)
    yield item("digit-keys-as-numbers", "Keys in the order of numbers.", '{"2":2,"10":1}')
    yield item("empty", "No bytes.", "")
    yield item("white-space-inside", "A space after a colon.", '{"a": 1}')
    yield item("white-space-before", "A space before.", " {}")
    yield item("final-newline", "A line break at the end.", "{}\n")
    yield item("bom", "A byte order mark.", b"\xef\xbb\xbf{}")
    yield item("utf-16", "UTF-16.", "{}".encode("utf-16"))
    yield item("invalid-utf8", "A byte that begins no character.", b'"\xff"')
    yield item("overlong-utf8", "An overlong slash.", b'"\xc0\xaf"')
    yield item("surrogate-utf8", "A surrogate, encoded.", b'"\xed\xa0\x80"')
    yield item("two-values", "Something after the value.", "{}{}")
    yield item("key-order", "Keys descend.", '{"b":1,"a":2}')
    yield item("key-twice", "A key twice.", '{"a":1,"a":1}')
    yield item("key-twice-escaped", "The same key, spelled otherwise.", '{"a":1,"\\u0061":2}')
    yield item("key-empty", "An empty key.", '{"":1}')
    yield item("key-129", "A key of 129 characters.", '{"' + "k" * 129 + '":1}')
    yield item("key-not-ascii", "A key beyond ASCII.", '{"é":1}')
    yield item("true", "There is no true.", "true")
    yield item("false", "There is no false.", '{"a":false}')
    yield item("null", "There is no null.", '{"a":null}')
    yield item("nan", "NaN.", "NaN")
    yield item("infinity", "Infinity.", "Infinity")
    yield item("fraction", "A fraction of zero.", "1.0")
    yield item("exponent", "An exponent.", "1e0")
    yield item("negative", "A sign.", "-1")
    yield item("minus-zero", "Minus zero.", "-0")
    yield item("plus", "A plus sign.", "+1")
    yield item("leading-zero", "A leading zero.", "01")
    yield item("hexadecimal", "Hexadecimal.", "0x10")
    yield item("integer-2-53", "2^53.", "9007199254740992")
    yield item("integer-2-64", "2^64.", "18446744073709551616")
    yield item("control-character", "A raw line break in a string.", '"a\nb"')
    yield item("control-character-escaped", "An escaped line break.", '"a\\nb"')
    yield item("delete-character", "U+007F.", '"\x7f"')
    yield item("c1-character", "U+0085.", '"\u0085"')
    yield item("unicode-escape", "An escape that is not needed.", '"\\u0061"')
    yield item("slash-escape", "An escaped slash.", '"\\/"')
    yield item("lone-surrogate-escape", "An escaped lone surrogate.", '"\\ud800"')
    yield item("trailing-comma", "A comma at the end.", "[1,]")
    yield item("comment", "A comment.", "[1/**/]")
    yield item("single-quotes", "Single quotes.", "{'a':1}")
    yield item("levels-25", "25 levels.", "[" * 25 + "]" * 25)
    yield item("levels-25-objects", "25 levels of objects and arrays.", '{"a":[' * 12 + "[" + "]" + "]}" * 12)
    yield item("cut", "Cut off.", '{"a":"b')
    yield item("nul", "A NUL at the end.", b"{}\0")


def typed() -> Iterator[Vector]:
    def item(name: str, why: str, text: str, decimals: int, ok: bool = True) -> Vector:
        given = {"decimals": decimals, "text": text}
        if not ok:
            return vector("typed-amount", name, why, given, "usage typed-amount")
        return vector("typed-amount", name, why, given, "passed", amount=str(typed_amount(text, decimals)))

    yield item("whole", "A whole number.", "1250", 6)
    yield item("fraction", "Fewer digits than the asset has.", "1250.5", 6)
    yield item("all-digits", "18 decimals are exact.", "32.123456789012345678", 18)
    yield item("zero", "Zero.", "0", 8)
    yield item("zero-point-zero", "Zero with digits.", "0.00", 8)
    yield item("no-decimals", "An asset of whole units.", "7", 0)
    yield item("largest", "2^127-1.", str(2**127 - 1), 0)
    yield item("decimals-30", "30 decimals.", "170141183.460469231731687303715884105727", 30)
    yield item("too-many-digits", "A digit beyond the scale, even a zero.", "1.0000000", 6, False)
    yield item("fraction-of-whole-asset", "An asset of whole units has no point.", "7.0", 0, False)
    yield item("two-127", "2^127.", str(2**127), 0, False)
    yield item("characters-81", "81 characters.", "0." + "0" * 79, 30, False)
    for name, text in (
        ("empty", ""),
        ("sign-minus", "-1"),
        ("sign-plus", "+1.5"),
        ("exponent", "1e5"),
        ("thousands-comma", "1,250.5"),
        ("decimal-comma", "1250,5"),
        ("thousands-underscore", "1_000"),
        ("leading-zero", "01"),
        ("no-whole", ".5"),
        ("no-fraction", "1."),
        ("two-points", "1.2.3"),
        ("space-before", " 1"),
        ("space-after", "1 "),
        ("newline-after", "1\n"),
        ("full-width", "\uff11"),
        ("arabic-indic", "\u0661"),
        ("nan", "NaN"),
        ("infinity", "Infinity"),
        ("hexadecimal", "0x10"),
        ("nul", "1\0"),
    ):
        yield item(name, "Not a plain decimal.", text, 6, False)


def compared() -> Iterator[Vector]:
    def item(name: str, why: str, text: str, decimals: int, amount: int, expect: str) -> Vector:
        given = {"amount": str(amount), "decimals": decimals, "text": text}
        return vector("amount-compare", name, why, given, expect)

    yield item("equal", "Equal.", "1250.5", 6, 1_250_500_000, "passed")
    yield item("equal-zero", "Zero typed, zero found.", "0", 6, 0, "passed")
    yield item("equal-few-digits", "Equal with one digit typed.", "5", 6, 5_000_000, "passed")
    yield item("cut-six", "Six significant digits, cut.", "1250.50", 6, 1_250_500_001, "passed")
    yield item("cut-six-whole", "Six digits without a point.", "125050", 6, 125_050_999_999, "passed")
    yield item("cut-five", "Five significant digits, cut.", "1250.5", 6, 1_250_500_001, "usage digits")
    yield item(
        "cut-leading-zeros", "Leading zeros do not count: 0.00012 has two digits.", "0.00012", 8, 12_345, "usage digits"
    )
    yield item("cut-zero", "Zero typed, dust found: no significant digit at all.", "0", 6, 3, "usage digits")
    yield item("cut-zero-digits", "Many zeros are no significant digits.", "0.00000", 6, 3, "usage digits")
    yield item("trailing-zeros-count", "Trailing zeros count.", "100.000", 6, 100_000_999, "passed")
    yield item("rounded-up", "Rounding up is not cutting.", "1.234568", 8, 123_456_789, "failed amount-differs")
    yield item("above", "One unit more than found.", "1.30000001", 8, 130_000_000, "failed amount-differs")
    yield item(
        "below",
        "One unit less than found, with all digits typed.",
        "1.29999999",
        8,
        130_000_000,
        "failed amount-differs",
    )

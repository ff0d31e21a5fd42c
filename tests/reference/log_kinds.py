"""Vectors of the kinds `log-entry`, `log-proof`, `checkpoint` and `log-consistency`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import client_log, examples, log
from .canonical_json import parse
from .cases import Vector
from .conventions import H
from .edits import put
from .made_up_log import note, signed_by, text_of
from .policies import ORIGIN
from .signers import LOG
from .small_kinds import vector
from .statement import identity


def _entry(given: dict[str, Any]) -> dict[str, Any]:
    payload = given["payload"].encode()
    data = log.entry(parse(payload, 4 << 20)["predicate"], identity(payload))
    return {"entry": data.decode(), "leaf": log.leaf(data).hex()}


def _checkpoint(given: dict[str, Any]) -> dict[str, Any]:
    text, signatures = log.read_note(given["text"])
    found = log.read_checkpoint(text)
    names = [name for name, _, _ in signatures]
    return {"names": names, "origin": found["origin"], "root": found["root"].hex(), "size": found["size"]}


def _proof(given: dict[str, Any]) -> dict[str, Any]:
    found = log.read_proof(given["text"])
    return {"index": found["index"], "path": [one.hex() for one in found["path"]]}


def _consistency(given: dict[str, Any]) -> dict[str, Any]:
    hashes = [bytes.fromhex(one) for one in given["proof"]]
    old, new = bytes.fromhex(given["old_root"]), bytes.fromhex(given["root"])
    log.check_consistency(old, given["old_size"], new, given["size"], hashes)
    return {}


OUTCOMES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "checkpoint": _checkpoint,
    "log-consistency": _consistency,
    "log-entry": _entry,
    "log-proof": _proof,
}


def vectors() -> Iterator[Vector]:
    yield from entries()
    yield from checkpoints()
    yield from proofs()
    yield from consistencies()


def entries() -> Iterator[Vector]:
    for name, why, edit in (
        ("plain", "A statement's entry.", put("logs", [ORIGIN])),
        ("first", "The first statement has no previous one.", client_log.FIRST),
    ):
        payload = examples.payload_with(edit).decode()
        given = {"payload": payload}
        yield vector("log-entry", name, why, given, "passed", **_entry(given))


def checkpoints() -> Iterator[Vector]:
    text = text_of(ORIGIN, 3, H(b"root"))
    whole = note(text, signed_by(LOG, text), ("w.example", b"abcdefgh"))

    def good(name: str, why: str, written: str) -> Vector:
        given = {"text": written}
        return vector("checkpoint", name, why, given, "passed", **_checkpoint(given))

    def bad(name: str, why: str, written: str) -> Vector:
        return vector("checkpoint", name, why, {"text": written}, "malformed log")

    def put_text(old: str, new: str) -> str:
        if old not in whole:
            raise ValueError(old)
        return whole.replace(old, new, 1)

    yield good("plain", "Signed by the log, and by one more.", whole)
    yield good("empty-log", "A log of no entries.", put_text("\n3\n", "\n0\n"))
    yield good("largest", "A log of 2^53-1 entries.", put_text("\n3\n", f"\n{2**53 - 1}\n"))
    yield good("name-not-ascii", "A cosigner of another script.", put_text("w.example", "\u0142.example"))
    yield good("signatures-32", "32 signatures.", text + "\n" + "\u2014 w YWJjZGU=\n" * 32)
    yield bad("too-large", "A log of 2^53 entries.", put_text("\n3\n", f"\n{2**53}\n"))
    yield bad("size-signed", "A size with a sign.", put_text("\n3\n", "\n+3\n"))
    yield bad("size-other-digits", "Digits of another script.", put_text("\n3\n", "\n\u0663\n"))
    yield bad("origin-upper-case", "An origin that is not in its form.", put_text("acme", "Acme"))
    yield bad("origin-scheme", "An origin with a scheme.", put_text("acme", "https://acme"))
    yield bad(
        "root-short", "A root of 31 bytes.", note(f"{ORIGIN}\n3\n{log.to_base64(bytes(31))}\n", signed_by(LOG, text))
    )
    yield bad("two-lines", "No root.", note(f"{ORIGIN}\n3\n", signed_by(LOG, text)))
    yield bad("no-blank-line", "Signatures at once.", put_text("\n\n", "\n"))
    yield bad("line-after", "A line after the signatures.", whole + "more\n")
    yield bad("name-with-plus", "A plus in a name.", put_text("w.example", "w+example"))
    yield bad("name-with-space", "A space of another kind in a name.", put_text("w.example", "w\u3000example"))
    yield bad("tabulator", "A control character.", put_text("w.example", "w\texample"))
    yield bad("signature-empty", "A key id alone.", put_text(log.to_base64(b"abcdefgh"), log.to_base64(b"abcd")))
    yield bad(
        "base64-loose-bits", "Base64 that does not re-encode to itself.", put_text("YWJjZGVmZ2g=", "YWJjZGVmZ2h=")
    )
    yield bad("base64-url", "The other alphabet.", put_text("YWJjZGVmZ2g=", "YWJj-_VmZ2g="))
    yield bad("signatures-33", "33 signatures.", text + "\n" + "\u2014 w YWJjZGU=\n" * 33)


def proofs() -> Iterator[Vector]:
    whole = client_log.parts().written()

    def bad(name: str, why: str, text: str) -> Vector:
        return vector("log-proof", name, why, {"text": text}, "malformed log")

    for name, why, text in (
        ("plain", "Three hashes.", whole),
        ("no-hashes", "The only entry.", client_log.parts(client_log.FIRST, 1).written()),
    ):
        yield vector("log-proof", name, why, {"text": text}, "passed", **_proof({"text": text}))

    def swapped(name: str, why: str, old: str, new: str, every: bool = False) -> Vector:
        if old not in whole:
            raise ValueError(old)
        return bad(name, why, whole.replace(old, new) if every else whole.replace(old, new, 1))

    line = log.to_base64(bytes(32)) + "\n"
    yield swapped("carriage-returns", "Lines that end as on another system.", "\n", "\r\n", every=True)
    yield bad("no-final-line-feed", "The last line does not end.", whole[:-1])
    yield swapped("other-format", "Another version.", "@v1", "@v2")
    yield swapped("extra-line", "An extra line, which our profile has not.", "@v1\n", "@v1\nextra YWJj\n")
    yield swapped("index-leading-zero", "An index of two spellings.", "index 7", "index 07")
    yield swapped("index-missing", "No index.", "index 7\n", "")
    yield swapped("hash-short", "A hash of 31 bytes.", "index 7\n", f"index 7\n{log.to_base64(bytes(31))}\n")
    yield swapped("hyphen", "A hyphen in the place of the em dash.", "\u2014", "-")
    yield swapped("size-leading-zero", "A size of two spellings.", "\n8\n", "\n08\n")
    yield bad(
        "hashes-54",
        "More hashes than a log of 2^53-1 entries has.",
        whole.replace("index 7\n", "index 7\n" + line * 51),
    )
    yield bad("blank-line", "A blank line before the hashes.", whole.replace("index 7\n", "index 7\n\n"))
    yield bad("index-too-large", "An index of 2^53.", whole.replace("index 7", f"index {2**53}"))
    yield bad("cut", "Cut within the checkpoint.", whole[:330])


def consistencies() -> Iterator[Vector]:
    leaves = [log.leaf(bytes([number])) for number in range(14)]

    def given(old: int, size: int, **more: Any) -> dict[str, Any]:
        return {
            "old_root": log.root(leaves[:old]).hex(),
            "old_size": old,
            "proof": [one.hex() for one in log.consistency(old, leaves[:size])],
            "root": log.root(leaves[:size]).hex(),
            "size": size,
            **more,
        }

    for old, size in ((1, 1), (1, 2), (3, 7), (4, 7), (6, 7), (6, 8), (8, 14), (13, 14)):
        why = f"From {old} entries to {size}."
        yield vector("log-consistency", f"from-{old}-to-{size}", why, given(old, size), "passed")

    def bad(name: str, why: str, old: int, size: int, **more: Any) -> Vector:
        return vector("log-consistency", name, why, given(old, size, **more), "failed log-consistency")

    proof = given(6, 8)["proof"]
    yield bad("cut", "A hash is missing.", 6, 8, proof=proof[:-1])
    yield bad("extra", "A hash too many.", 6, 8, proof=[*proof, "00" * 32])
    yield bad("short-hash", "A hash of 31 bytes.", 6, 8, proof=[proof[0][:-2], *proof[1:]])
    yield bad("old-root-differs", "Another older log.", 6, 8, old_root="11" * 32)
    yield bad("root-differs", "Another log.", 6, 8, root="11" * 32)
    yield bad("same-size-differs", "Two roots of one size.", 7, 7, root="11" * 32)
    yield bad("shrinks", "The older log is the larger one.", 6, 8, old_size=9)
    yield bad("from-empty", "An empty log proves nothing.", 1, 8, old_size=0, proof=[])

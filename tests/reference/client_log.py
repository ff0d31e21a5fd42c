"""Vectors of kind `client` and `public` about step 5 with a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import log, policies
from .canonical_json import parse
from .cases import Edit, Vector, client, public, statement, tiny
from .edits import all_of, put
from .made_up import AS_OF, BEFORE
from .made_up_log import SEEN, Parts, cosigned_by, honest, leaves, note, proof_text, signed_by, text_of, two_witnesses
from .policies import LOGGED, ORIGIN, witness, witness_name
from .signers import LATTICE_WITNESS, LOG, OFFICER, STRANGER, WITNESSES
from .statement import identity

IN_LOG = put("logs", [ORIGIN])
FIRST = all_of(IN_LOG, put("sequence", 0), put("previous", ""))
OTHER = "other.example/log"
ONE = witness(witness_name(1), WITNESSES[0].text)
LATTICE_NAME = "oid/1.3.6.1.4.1.44363.47.9"


def parts(predicate: Edit = IN_LOG, size: int = 8, cosigners: Any = None) -> Parts:
    """An honest log proof of the tiny world's statement."""
    payload, _ = statement(tiny(), predicate=predicate)
    return honest(parse(payload, 1 << 20)["predicate"], identity(payload), size, cosigners)


def case(name: str, why: str, expect: str, made: Parts | str, *, predicate: Edit = IN_LOG, **more: Any) -> Vector:
    text = made if isinstance(made, str) else made.written()
    slot = log.to_base64(text.encode())
    expected = expect if expect == "passed" else f"{expect} 5"
    given = {"who": "frank", "predicate": predicate, "proof": put("log", slot), "policy": LOGGED, **more}
    return client(f"log-{name}", why, expected, **given)


def own_leaves(size: int) -> list[bytes]:
    payload, _ = statement(tiny(), predicate=IN_LOG)
    return leaves(log.entry(parse(payload, 1 << 20)["predicate"], identity(payload)), 7, size)


def state(size: int, root: bytes | None = None, **more: Any) -> dict[str, Any]:
    """The reader saw statement 6, and the log at this size."""
    seen = log.root(own_leaves(size)) if root is None else root
    return {**BEFORE, "log": {"origin": ORIGIN, "root": seen.hex(), "size": size}, **more}


def vectors() -> Iterator[Vector]:
    yield from passed()
    yield from proofs()
    yield from places()
    yield from checkpoints()
    yield from witnesses()
    yield from earlier()
    yield public(
        "log-plain",
        "The log proof stands beside the bundle.",
        "passed",
        predicate=IN_LOG,
        policy=LOGGED,
        log_proof=parts().written(),
    )
    yield public(
        "log-of-another-statement",
        "The log proof of another statement.",
        "failed log-inclusion 5",
        predicate=all_of(IN_LOG, put("house_note", "another")),
        policy=LOGGED,
        log_proof=parts().written(),
    )


def passed() -> Iterator[Vector]:
    def good(name: str, why: str, made: Parts | str, **more: Any) -> Vector:
        return case(name, why, "passed", made, **more)

    yield good("plain", "In the log, and two of three witnesses cosigned.", parts())
    yield good("newer-statements", "The log has two newer statements.", parts(size=10))
    yield good("first-statement", "The first statement, whose path is empty.", parts(FIRST, 1), predicate=FIRST)
    needless = policies.logged(needed=0)
    yield good("no-witness-needed", "A policy without witnesses.", parts(cosigners=lambda _: []), policy=needless)
    logs = all_of(IN_LOG, put("logs", [ORIGIN, OTHER]))
    yield good("two-logs", "The statement is in another log too.", parts(logs), predicate=logs)
    lattice = policies.logged(witness(LATTICE_NAME, LATTICE_WITNESS.text), needed=1)

    def by_lattice(text: str) -> list[Any]:
        return [cosigned_by(LATTICE_NAME, LATTICE_WITNESS, text)]

    yield good("mldsa-witness", "A witness with an ML-DSA key.", parts(cosigners=by_lattice), policy=lattice)
    hybrid = policies.logged(witness(LATTICE_NAME, WITNESSES[0].text, LATTICE_WITNESS.text), needed=1)

    def by_both(text: str) -> list[Any]:
        return [cosigned_by(LATTICE_NAME, key, text) for key in (LATTICE_WITNESS, WITNESSES[0])]

    yield good(
        "hybrid-witness", "A witness with two keys, both of which cosigned.", parts(cosigners=by_both), policy=hybrid
    )
    yield case(
        "hybrid-witness-half",
        "A witness counts when all its keys cosigned.",
        "policy witnesses",
        parts(cosigners=by_lattice),
        policy=hybrid,
    )

    def strangers(text: str) -> list[Any]:
        return [cosigned_by("f\u00fcnf.example", STRANGER, text), (ORIGIN, b"????what"), *two_witnesses(text)]

    yield good(
        "unknown-lines", "Lines of keys that the policy does not know count for nothing.", parts(cosigners=strangers)
    )

    def broken(text: str) -> list[Any]:
        name, data = cosigned_by(witness_name(3), WITNESSES[2], text)
        return [(name, data[:-1] + bytes([data[-1] ^ 1])), *two_witnesses(text)]

    yield good("broken-cosignature", "A broken cosignature, and enough others.", parts(cosigners=broken))

    def at_limit(text: str) -> list[Any]:
        return [cosigned_by(witness_name(n), WITNESSES[n - 1], text, SEEN + 3900) for n in (1, 2)]

    yield good("time-at-limit", "Cosigned 300 seconds after the clock.", parts(cosigners=at_limit))
    own = identity(statement(tiny(), predicate=IN_LOG)[0])
    yield good("and-digest", "A typed digest is compared, besides.", parts(), claim=put("digest", own))
    yield case(
        "and-digest-differs",
        "A typed digest is compared, besides.",
        "failed publication-digest",
        parts(),
        claim=put("digest", "44" * 32),
    )
    yield good("not-asked", "A slot that the policy does not ask for is not read.", "?", policy=policies.BASE)


def proofs() -> Iterator[Vector]:
    """Of the slot, and of the text in it."""
    yield case("slot-empty", "No log proof.", "policy publication", "")
    for name, logs in (("none", []), ("another", [OTHER]), ("longer", [ORIGIN + "/2"])):
        edit = put("logs", logs)
        why = "The statement does not name the policy's log."
        yield case(f"logs-{name}", why, "policy publication", parts(edit), predicate=edit)

    def bad(name: str, why: str, made: Parts | str, **more: Any) -> Vector:
        return case(name, why, "malformed log", made, **more)

    whole = parts().written()

    yield bad("slot-not-base64", "The text itself, not its base64.", "", proof=put("log", "index 7"))
    yield bad("slot-unpadded", "Base64 without its padding.", "", proof=put("log", "YWJjZA"))
    yield bad("slot-not-utf8", "Bytes that are not UTF-8.", "", proof=put("log", log.to_base64(b"\xff\xfe\n")))
    yield bad("no-signatures", "A checkpoint without signatures.", whole[: whole.index("\u2014")])
    made = parts()
    made.text += "extension\n"
    made.signatures = [signed_by(LOG, made.text), *two_witnesses(made.text)]
    yield bad("extension-line", "An extension line, which ML-DSA cosignatures would not cover.", made)


def altered(edit: Callable[[Parts], None], **more: Any) -> Parts:
    made = parts(**more)
    edit(made)
    return made


def places() -> Iterator[Vector]:
    """Of index and path."""

    def bad(name: str, why: str, reason: str, made: Parts | str, **more: Any) -> Vector:
        return case(name, why, f"failed {reason}", made, **more)

    everything = own_leaves(8)
    text = parts().text
    signatures = parts().signatures
    other_place = Parts(6, log.path(6, everything), text, signatures)
    yield bad("index-of-another", "The place of another statement, with a good path.", "log-index", other_place)
    moved = Parts(6, parts().path, text, signatures)
    yield bad("index-moved", "The index alone is moved.", "log-index", moved)
    yield bad("index-beyond", "A log that ends before the statement.", "log-index", shorter_log())
    replaced = all_of(IN_LOG, put("house_note", "another story"))
    why = "A statement in the place of the logged one."
    yield bad("statement-replaced", why, "log-inclusion", parts(), predicate=replaced)
    again = all_of(IN_LOG, put("snapshot_id", "2026-06-30.b"))
    yield bad("snapshot-replaced", "The logged one was of another snapshot.", "log-inclusion", parts(), predicate=again)

    def path(name: str, why: str, edit: Any) -> Vector:
        return bad(f"path-{name}", why, "log-inclusion", altered(lambda made: edit(made.path)))

    yield path("extra", "A hash too many.", lambda found: found.append(log.leaf(b"x")))
    yield path("missing", "A hash too few.", lambda found: found.pop())
    yield path("empty", "No hash.", lambda found: found.clear())
    yield path("reordered", "Hashes in another order.", lambda found: found.reverse())
    yield path("bit-flipped", "One bit.", lambda found: found.insert(0, bytes([found.pop(0)[0] ^ 1]) + bytes(31)))
    forked = text_of(ORIGIN, 8, log.root([*own_leaves(7), log.leaf(b"another")]))
    made = Parts(7, parts().path, forked, [signed_by(LOG, forked), *two_witnesses(forked)])
    yield bad("root-forked", "A signed and witnessed log without the statement.", "log-inclusion", made)
    as_node = text_of(ORIGIN, 8, log.leaf(b"node"))
    made = Parts(7, [], as_node, [signed_by(LOG, as_node), *two_witnesses(as_node)])
    yield bad("root-without-path", "A root that no path leads to.", "log-inclusion", made)


def shorter_log() -> Parts:
    everything = own_leaves(7)
    text = text_of(ORIGIN, 7, log.root(everything))
    return Parts(7, parts().path, text, [signed_by(LOG, text), *two_witnesses(text)])


def checkpoints() -> Iterator[Vector]:
    """Of the log's name and signature."""
    root = log.root(own_leaves(8))
    text = text_of(OTHER, 8, root)
    elsewhere = Parts(7, parts().path, text, [signed_by(LOG, text, OTHER), *two_witnesses(text)])
    yield case("origin-another", "The log of another name, signed by the same key.", "failed log-origin", elsewhere)

    def bad(name: str, why: str, make: Callable[[str], list[Any]]) -> Vector:
        own = parts().text
        made = Parts(7, parts().path, own, [*make(own), *two_witnesses(own)])
        return case(f"signature-{name}", why, "failed log-signature", made)

    yield bad("missing", "Witnesses alone.", lambda _: [])
    yield bad("of-another-key", "Signed by another key.", lambda text: [signed_by(STRANGER, text)])

    def named(text: str) -> list[Any]:
        return [(ORIGIN, log.key_id(ORIGIN, 1, LOG.text) + STRANGER.sign_bytes(text.encode()))]

    yield bad("under-its-id", "Signed by another key, under the id of the log's.", named)
    yield bad("of-a-signer", "Signed by the officer who signs statements.", lambda text: [signed_by(OFFICER, text)])
    yield bad("other-name", "The log's key under another name.", lambda text: [signed_by(LOG, text, OTHER)])
    yield bad("other-type", "The id of another type of signature.", lambda text: [signed_by(LOG, text, ORIGIN, 4)])
    yield bad("of-older-size", "The signature of an older checkpoint.", lambda _: [parts(size=10).signatures[0]])
    yield bad("as-cosignature", "The log cosigns, and does not sign.", lambda text: [cosigned_by(ORIGIN, LOG, text)])


def witnesses() -> Iterator[Vector]:
    def bad(name: str, why: str, make: Callable[[str], list[Any]], **more: Any) -> Vector:
        return case(f"witness-{name}", why, "policy witnesses", parts(cosigners=make), **more)

    def first(text: str, **more: Any) -> Any:
        return cosigned_by(witness_name(1), WITNESSES[0], text, **more)

    yield bad("none", "No witness.", lambda _: [])
    yield bad("one-of-two", "One witness of the two needed.", lambda text: [first(text)])
    yield bad("twice", "One witness twice is one.", lambda text: [first(text), first(text)])
    yield bad(
        "twice-other-time", "One witness at two times is one.", lambda text: [first(text), first(text, time=SEEN - 9)]
    )
    yield bad(
        "unknown",
        "A witness that the policy does not name.",
        lambda text: [first(text), cosigned_by("w.example", STRANGER, text)],
    )
    yield bad(
        "name-borrowed",
        "A stranger's key under a witness's name.",
        lambda text: [first(text), cosigned_by(witness_name(2), STRANGER, text)],
    )
    yield bad(
        "key-under-other-name",
        "A witness's key under another's name.",
        lambda text: [first(text), cosigned_by(witness_name(2), WITNESSES[0], text)],
    )

    def with_second(make: Callable[[str], Any]) -> Callable[[str], list[Any]]:
        return lambda text: [first(text), make(text)]

    name, key = witness_name(2), WITNESSES[1]

    def elsewhere(text: str) -> Any:
        return cosigned_by(name, key, text.replace(ORIGIN, OTHER))

    yield bad("of-another-log", "A cosignature of another log of the same root.", with_second(elsewhere))
    older = text_of(ORIGIN, 7, log.root(own_leaves(7)))
    yield bad(
        "of-older-size", "A cosignature of an older checkpoint.", with_second(lambda _: cosigned_by(name, key, older))
    )
    moved = with_second(lambda text: cosigned_by(name, key, text, says=SEEN + 1))
    yield bad("time-moved", "The time is signed too.", moved)
    yield bad("time-zero", "At time 0 nothing is said.", with_second(lambda text: cosigned_by(name, key, text, 0)))
    beyond = with_second(lambda text: cosigned_by(name, key, text, 2**63))
    yield bad("time-beyond", "A time above 2^63-1.", beyond)

    def plain(text: str) -> Any:
        return name, log.key_id(name, 4, key.text) + SEEN.to_bytes(8, "big") + key.sign_bytes(text.encode())

    yield bad("without-header", "A signature over the checkpoint alone.", with_second(plain))
    yield bad(
        "signs-as-log", "A witness's signature of a log's type.", with_second(lambda text: signed_by(key, text, name))
    )
    yield bad("short", "A cosignature without a signature.", with_second(lambda text: (name, elsewhere(text)[1][:12])))

    def late(number: int) -> Callable[[str], list[Any]]:
        return lambda text: [
            *two_witnesses(text)[:number],
            cosigned_by(witness_name(3), WITNESSES[2], text, SEEN + 3901),
        ]

    yield bad("late", "Cosigned 301 seconds after the clock.", late(1))
    why = "The same, beside enough others: it counts for nothing."
    yield case("witness-late-beside-enough", why, "passed", parts(cosigners=late(2)))
    lattice = policies.logged(witness(LATTICE_NAME, LATTICE_WITNESS.text), needed=1)

    def other_name(text: str) -> list[Any]:
        other = cosigned_by("w.example", LATTICE_WITNESS, text)[1][4:]
        return [(LATTICE_NAME, log.key_id(LATTICE_NAME, 6, LATTICE_WITNESS.text) + other)]

    yield bad("mldsa-other-name", "An ML-DSA cosignature names its cosigner.", other_name, policy=lattice)


def earlier() -> Iterator[Vector]:
    """Against the last checkpoint seen."""
    everything = own_leaves(10)
    fork = log.root([*own_leaves(6), log.leaf(b"another")])

    def check(name: str, why: str, expect: str, seen: Any, size: int = 8, **more: Any) -> Vector:
        return case(f"seen-{name}", why, expect, parts(size=size), state=seen, **more)

    def proof(old: int, size: int) -> str:
        return "".join([log.to_base64(one) + "\n" for one in log.consistency(old, everything[:size])])

    own = identity(statement(tiny(), predicate=IN_LOG)[0])
    now = {"as_of": AS_OF, "payload_sha256": own, "sequence": 7}
    yield check("before", "The path shows the log as it was seen before.", "passed", state(7))
    yield check("same", "The same checkpoint again.", "passed", state(8, **now))
    yield check("again-grown", "The statement was seen as the log's last.", "passed", state(8, **now), 10)
    yield check("proof", "A consistency proof from an older size.", "passed", state(5), consistency=proof(5, 8))
    yield check("proof-of-whole-tree", "The older log is one whole tree.", "passed", state(4), consistency=proof(4, 8))
    elsewhere = state(7)
    elsewhere["log"]["origin"] = OTHER
    yield check("another-log", "A checkpoint of another log is not compared.", "passed", elsewhere)
    yield check("smaller", "The log was longer.", "policy rollback", state(9, **now))
    yield check("forked", "A log of the same size and another root.", "failed log-fork", state(8, fork, **now))
    yield check("forked-before", "The log's beginning is another.", "failed log-fork", state(7, fork))
    yield check("forked-again", "The same, of a statement seen before.", "failed log-fork", state(8, fork, **now), 10)
    yield check("needed", "Nothing shows that the log only grew.", "policy consistency-needed", state(5))

    def wrong(name: str, why: str, seen: Any, text: str) -> Vector:
        return check(f"proof-{name}", why, "failed log-consistency", seen, consistency=text)

    yield wrong("forked", "The proof does not begin with what was seen.", state(5, fork), proof(5, 8))
    yield wrong("empty", "A proof of no hash.", state(5), "")
    yield wrong("cut", "A hash is missing.", state(5), proof(5, 8).partition("\n")[2])
    yield wrong("extra", "A hash too many.", state(5), proof(5, 8) + log.to_base64(bytes(32)) + "\n")
    yield wrong("of-another-size", "A proof from another size.", state(5), proof(6, 8))
    why = "A proof that is not lines of hashes."
    yield check("proof-malformed", why, "malformed log", state(5), consistency=proof(5, 8)[:-1])


__all__ = ["case", "note", "parts", "proof_text", "vectors"]

"""docs/spec/log.md: the entry of a statement, the tree of a log, its checkpoints, and step 5 of verification."""

from __future__ import annotations

import base64
import re
from typing import Any

from .canonical_json import dump
from .conventions import H, seconds
from .outcome import Refusal, failed, malformed, policy
from .signatures import verifies

Line = tuple[str, bytes, bytes]
"""A signature of a note: name, key id, and the bytes behind it."""

_SPACES = "\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
MOST = 2**53 - 1


# Entry and tree


def entry(predicate: dict[str, Any], payload_sha256: str) -> bytes:
    return dump(
        {
            "as_of": predicate["as_of"],
            "custodian": predicate["custodian"]["id"],
            "payload_sha256": payload_sha256,
            "previous": predicate["previous"],
            "sequence": predicate["sequence"],
            "snapshot_id": predicate["snapshot_id"],
        }
    )


def leaf(data: bytes) -> bytes:
    return H(b"\0" + data)


def node(left: bytes, right: bytes) -> bytes:
    return H(b"\1" + left + right)


def split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 if size == 2 else 2 * split((size + 1) // 2)


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1."""
    if not leaves:
        return H(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), root(leaves[k:])]
    return [*path(index - k, leaves[k:]), root(leaves[:k])]


def consistency(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*consistency(old, leaves[:k], whole), root(leaves[k:])]
    return [*consistency(old - k, leaves[k:], False), root(leaves[:k])]


def root_by_path(found: bytes, index: int, size: int, hashes: list[bytes]) -> bytes:
    if (size == 1) != (hashes == []):
        raise failed("log-inclusion")
    if size == 1:
        return found
    k = split(size)
    if index < k:
        return node(root_by_path(found, index, k, hashes[:-1]), hashes[-1])
    return node(hashes[-1], root_by_path(found, index - k, size - k, hashes[:-1]))


def first_root_by_path(found: bytes, index: int, size: int, hashes: list[bytes], first: int) -> bytes:
    """The root of the first entries, where they end before the entry of a path, or with it."""
    if size == 1:
        return found
    k = split(size)
    if index < k:
        return first_root_by_path(found, index, k, hashes[:-1], first)
    if first == k:
        return hashes[-1]
    return node(hashes[-1], first_root_by_path(found, index - k, size - k, hashes[:-1], first - k))


def roots_by_consistency(old_root: bytes, old: int, size: int, hashes: list[bytes], whole: bool) -> tuple[bytes, bytes]:
    """The roots of both sizes, as the hashes of a proof say."""
    if old == size:
        if len(hashes) != (not whole):
            raise failed("log-consistency")
        known = old_root if whole else hashes[0]
        return known, known
    if not hashes:
        raise failed("log-consistency")
    k = split(size)
    if old <= k:
        before, after = roots_by_consistency(old_root, old, k, hashes[:-1], whole)
        return before, node(after, hashes[-1])
    before, after = roots_by_consistency(old_root, old - k, size - k, hashes[:-1], False)
    return node(hashes[-1], before), node(hashes[-1], after)


def check_consistency(old_root: bytes, old: int, new_root: bytes, size: int, hashes: list[bytes]) -> None:
    if not 0 < old <= size or any(len(one) != 32 for one in (old_root, new_root, *hashes)):
        raise failed("log-consistency")
    if roots_by_consistency(old_root, old, size, hashes, True) != (old_root, new_root):
        raise failed("log-consistency")


def check_inclusion(found: bytes, index: int, size: int, hashes: list[bytes], wanted: bytes) -> None:
    if not 0 <= index < size or any(len(one) != 32 for one in (found, wanted, *hashes)):
        raise failed("log-inclusion")
    if root_by_path(found, index, size, hashes) != wanted:
        raise failed("log-inclusion")


# Texts


def _no(note: str) -> Refusal:
    return malformed(note, "log")


def _check_text(text: str) -> str:
    if len(text) > 65_536 or not text.endswith("\n") or re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", text):
        raise _no("too long, not whole lines, or with a control character")
    return text


def text_of(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _no("not UTF-8") from None


def of_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise _no("not base64") from None
    if not data or base64.b64encode(data).decode() != text:
        raise _no("base64 that does not re-encode to itself")
    return data


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _hash(line: str) -> bytes:
    data = of_base64(line)
    if len(data) != 32:
        raise _no("not a hash")
    return data


def _number(text: str) -> int:
    if not re.fullmatch("0|[1-9][0-9]{0,15}", text, re.ASCII) or int(text) > MOST:
        raise _no("not a number")
    return int(text)


def read_hashes(text: str) -> list[bytes]:
    """A consistency proof."""
    found = [_hash(line) for line in _check_text(text)[:-1].split("\n")] if text else []
    if len(found) > 54:
        raise _no("too many hashes")
    return found


def read_note(text: str) -> tuple[str, list[Line]]:
    """The text and the signatures of a signed note."""
    head, blank, tail = _check_text(text).rpartition("\n\n")
    lines = tail.split("\n")[:-1]
    if not blank or not 1 <= len(lines) <= 32:
        raise _no("not 1 to 32 signatures")
    found = []
    for line in lines:
        parts = re.fullmatch(f"\u2014 ([^ +\n{_SPACES}]+) ([^ ]+)", line)
        if parts is None:
            raise _no("not a signature line")
        data = of_base64(parts[2])
        if len(data) < 5:
            raise _no("no signature behind the key id")
        found.append((parts[1], data[:4], data[4:]))
    return head + "\n", found


def read_checkpoint(text: str) -> dict[str, Any]:
    lines = _check_text(text)[:-1].split("\n")
    if len(lines) != 3 or not re.fullmatch("[a-z0-9][a-z0-9./-]{0,127}", lines[0]):
        raise _no("not origin, size and root")
    return {"origin": lines[0], "root": _hash(lines[2]), "size": _number(lines[1])}


def read_proof(text: str) -> dict[str, Any]:
    """Index, path, the signed note and the checkpoint of a log proof."""
    head, _, note = _check_text(text).partition("\n\n")
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or len(lines) < 2 or lines[1][:6] != "index " or len(lines) > 55:
        raise _no("not a log proof")
    signed, signatures = read_note(note)
    return {
        "checkpoint": read_checkpoint(signed),
        "index": _number(lines[1][6:]),
        "path": [_hash(line) for line in lines[2:]],
        "signatures": signatures,
        "text": signed,
    }


# Signatures


def key_id(name: str, kind: int, key: str) -> bytes:
    return H(name.encode() + b"\n" + bytes([kind]) + bytes.fromhex(key.split(":")[1]))[:4]


def cosigned_message(kind: str, name: str, text: str, time: int) -> bytes:
    """What a witness signs: of the checkpoint's text, or of what the text says."""
    if kind == "ed25519":
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    log = read_checkpoint(text)
    names = [bytes([len(one)]) + one.encode() for one in (name, log["origin"])]
    numbers = [number.to_bytes(8, "big") for number in (time, 0, log["size"])]
    return b"subtree/v1\n\0" + names[0] + numbers[0] + names[1] + numbers[1] + numbers[2] + bytes(log["root"])


def times(proof: dict[str, Any], name: str, key: str, latest: int) -> list[int]:
    """When this key of a witness cosigned, up to the latest time."""
    kind = key.split(":")[0]
    wanted = key_id(name, {"ed25519": 4, "mldsa44": 6}[kind], key)
    found = []
    for line_name, line_id, data in proof["signatures"]:
        time = int.from_bytes(data[:8], "big")
        mine = (line_name, line_id) == (name, wanted) and 1 <= time < 2**63 and time <= latest
        if mine and verifies(key, cosigned_message(kind, name, proof["text"], time), data[8:]):
            found.append(time)
    return found


# Step 5


def check_log(
    predicate: dict[str, Any],
    payload_sha256: str,
    wanted: dict[str, Any],
    proof_text: str | None,
    at: str,
    last: Any,
    consistent: str | None,
) -> None:
    """Point by point. proof_text: None if there is none. last: the log in the reader's state, None if none."""
    if proof_text is None:
        raise policy("publication")
    proof = read_proof(proof_text)
    log = proof["checkpoint"]
    if wanted["origin"] not in predicate["logs"]:
        raise policy("publication")
    if log["origin"] != wanted["origin"]:
        raise failed("log-origin")
    own = (wanted["origin"], key_id(wanted["origin"], 1, wanted["key"]))
    given = [data for *who, data in proof["signatures"] if tuple(who) == own]
    if not any(verifies(wanted["key"], proof["text"].encode(), data) for data in given):
        raise failed("log-signature")
    if proof["index"] != predicate["sequence"] or log["size"] <= proof["index"]:
        raise failed("log-index")
    found = leaf(entry(predicate, payload_sha256))
    check_inclusion(found, proof["index"], log["size"], proof["path"], log["root"])
    counted = 0
    for witness in wanted["witnesses"]:
        counted += all(times(proof, witness["name"], key, seconds(at) + 300) for key in witness["keys"])
    if counted < wanted["witnesses_needed"]:
        raise policy("witnesses")
    if last is not None and last["origin"] == log["origin"]:
        _check_continues(last, log, proof, found, consistent)


def _check_continues(
    last: dict[str, Any], log: dict[str, Any], proof: dict[str, Any], found: bytes, consistent: str | None
) -> None:
    before = bytes.fromhex(last["root"])
    if log["size"] < last["size"]:
        raise policy("rollback")
    if log["size"] == last["size"]:
        if log["root"] != before:
            raise failed("log-fork")
    elif last["size"] in (proof["index"], proof["index"] + 1):
        if first_root_by_path(found, proof["index"], log["size"], proof["path"], last["size"]) != before:
            raise failed("log-fork")
    elif consistent is None:
        raise policy("consistency-needed")
    else:
        check_consistency(before, last["size"], log["root"], log["size"], read_hashes(consistent))

"""Attacks 42, 43, 45 and 46: on the programs that read hostile files. Killing is in test_44_kill.py."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from attacks.toolbox import (
    EXTRACT,
    PASSED,
    claims_of,
    client_vector,
    extract_rows,
    open_world,
    outcome,
    public,
    public_outcome,
    run,
    seen,
    table,
    write_audit,
    write_client,
    write_public,
)
from reference.canonical_json import dump
from reference.cases import tiny
from reserveproof.format import envelope, register
from reserveproof.format.errors import InputError, MalformedError, ReserveProofError
from reserveproof.format.times import parse_time
from reserveproof.verifier import audit_tables
from reserveproof.verifier.bundle import BundleInMemory
from reserveproof.verifier.claims import make_claims, parse_claims
from reserveproof.verifier.client import check_client
from reserveproof.verifier.policy import parse_policy
from reserveproof.verifier.public import check_bundle
from reserveproof.verifier.record import Record

# 42


OTHERS = b'"0129AZaz{}[],:=+/-. \n\0\xff\\'


def mutants(data: bytes, seed: int, step: int = 1) -> Iterator[bytes]:
    """Two changes of one byte at every offset: another byte, and one of flip, delete, insert, double, newline."""
    dice = random.Random(seed)  # noqa: S311 - a repeatable choice
    for at in range(0, len(data), step):
        old = data[at]
        yield (
            data[:at]
            + bytes([dice.choice([b for b in b'"0129AZaz{}[],:=+/-. \n\0\xff\\' if b != old])])
            + data[at + 1 :]
        )
        how = dice.randrange(5)
        if how == 0:
            yield data[:at] + bytes([old ^ 1 << dice.randrange(8)]) + data[at + 1 :]
        elif how == 1:
            yield data[:at] + data[at + 1 :]
        elif how == 2:
            yield data[:at] + bytes([dice.randrange(256)]) + data[at:]
        elif how == 3:
            yield data[:at] + bytes([old]) + data[at:]
        else:
            yield data[:at] + b"\n" + data[at:]


def survivors(data: bytes, judge: Callable[[bytes], object], *, step: int = 1) -> tuple[int, int]:
    """(tried, accepted). Every mutant is refused by a typed error, or means what the original means; anything else
    that is raised is a crash and ends the test."""
    honest = judge(data)
    tried = accepted = 0
    for mutant in mutants(data, 42, step):
        tried += 1
        try:
            found = judge(mutant)
        except ReserveProofError as error:
            assert error.exit_status in (2, 3, 4, 5) and error.reason and error.step, error
            continue
        accepted += 1
        assert found == honest, "a changed file is accepted, and means something else"
    return tried, accepted


def client_judge(vector: dict[str, Any], member: str) -> Callable[[bytes], object]:
    policy, claims = parse_policy(vector["policy"].encode()), make_claims(claims_of(vector))
    at, last = parse_time(vector["at"]), seen(vector["state"])

    def judge(data: bytes) -> object:
        given = {"proof": vector["proof"].encode(), "statement": vector["statement"].encode() or None, member: data}
        return check_client(
            given["proof"] or b"", statement=given["statement"], policy=policy, claims=claims, last=last, at=at,
            bundle=None, record=Record(),
        )  # fmt: skip

    return judge


def test_42_every_byte_of_a_proof_file():
    vector = client_vector("attack", "", "passed", world=tiny(), who="frank")
    tried, accepted = survivors(vector["proof"].encode(), client_judge(vector, "proof"))
    assert tried == 2 * len(vector["proof"])
    assert accepted < 100, "keyids alone may differ"


def test_42_every_byte_of_the_lines_of_a_larger_proof_file():
    """With dedicated positions and three trees; the envelope is beside, so every byte is the proof's own."""
    vector = client_vector(
        "attack", "", "passed", world=open_world(), who="carol", inline=False, beside=lambda _: None
    )  # fmt: skip
    tried, accepted = survivors(vector["proof"].encode(), client_judge(vector, "proof"))
    assert tried > 5000 and accepted < 40, "log and timestamps are carried and not checked"


def test_42_every_byte_of_an_envelope():
    vector = client_vector("attack", "", "passed", world=tiny(), who="frank", inline=False, beside=lambda _: None)
    tried, accepted = survivors(vector["statement"].encode(), client_judge(vector, "statement"))
    assert tried == 2 * len(vector["statement"]) and accepted < 40


def bundle_judge(files: dict[str, bytes], name: str, policy_text: str, at: str) -> Callable[[bytes], object]:
    policy, clock = parse_policy(policy_text.encode()), parse_time(at)

    def judge(data: bytes) -> object:
        found = check_bundle(
            BundleInMemory({**files, name: data}), policy=policy, last=None, at=clock, digest="", others=(),
            record=Record(),
        )  # fmt: skip
        return found.trusted.statement, found.trusted.payload_sha256, found.rebuilt, found.facts

    return judge


@pytest.mark.parametrize("name", ["register.json", "manifest.json", "statement.json", "evidence"])
def test_42_every_byte_of_a_bundle(name):
    vector = public(world=tiny())
    files = {found: data.encode() for found, data in vector["bundle"].items()}
    name = next(found for found in sorted(files) if found.startswith(name))
    tried, _ = survivors(files[name], bundle_judge(files, name, vector["policy"], vector["at"]))
    assert tried == 2 * len(files[name])


def test_42_every_byte_of_a_register_that_is_signed_again():
    """The custodian signs what the mutant is: no digest protects it, only the parser and the tree do."""
    world = tiny()
    data = world.files()["register.json"]
    honest = register.parse(data)
    for mutant in mutants(data, 7):
        try:
            parsed = register.parse(mutant)
        except MalformedError:
            continue
        assert parsed != honest, "two spellings of one register"
        got = public_outcome(world=world, files=lambda old, mutant=mutant: {**old, "register.json": mutant})
        assert got[0] in ("failed", "malformed") and got[1] in (7, 8, 9), got


def test_42_every_byte_of_policy_claims_and_state(tmp_path):
    """The reader's own files: refused by a typed error, or they say something else; never a crash."""
    vector = client_vector("attack", "", "passed", world=tiny(), who="frank")
    given = write_client(tmp_path, vector)
    claims = (given.folder / "claims.toml").read_bytes()
    for data, parse in ((vector["policy"].encode(), parse_policy), (claims, parse_claims)):
        for mutant in mutants(data, 3):
            assert outcome(lambda parse=parse, mutant=mutant: parse(mutant))[0] in ("passed", "malformed", "usage")


# 43


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def bombs() -> dict[str, tuple[Callable[[bytes], object], bytes, str]]:
    """name: (reader, bytes, reason)."""
    proof = json.loads(client_vector("attack", "", "passed", world=tiny(), who="frank")["proof"])

    def read_proof(data: bytes) -> object:
        from reserveproof.format.proof_file import parse

        return parse(data)

    whole = dump(proof)
    million = 10**6
    return {
        "deep arrays": (read_proof, nested(million), "nesting"),
        "deep objects": (read_proof, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nesting"),
        "deep, never closed": (read_proof, b"[" * million, "nesting"),
        "a huge integer": (read_proof, whole.replace(b'"format":1', b'"format":' + b"9" * million, 1), "value"),
        "a huge amount": (read_proof, whole.replace(b'"credit":"', b'"credit":"' + b"9" * million, 1), "amount"),
        "a huge exponent": (read_proof, whole.replace(b'"format":1', b'"format":1e999999999', 1), "value"),
        "a long string": (read_proof, dump({**proof, "log": "x" * million}), "text"),
        "a long key": (read_proof, b'{"' + b"k" * million + b'":1}', "key"),
        "many members": (read_proof, b"{" + b",".join(b'"%07d":0' % n for n in range(100_000)) + b"}", "members"),
        "one member again and again": (read_proof, b"{" + b",".join([b'"a":0'] * 100_000) + b"}", "duplicate-key"),
        "many lines": (read_proof, dump({**proof, "lines": [proof["lines"][0]] * 25_000}), "array"),
        "many signatures": (envelope.parse, dump({**proof["envelope"], "signatures": [{"keyid": "", "sig": ""}] *
                                                  100_000}), "array"),

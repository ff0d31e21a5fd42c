"""Proof files that would cost a careless reader its memory or its time: made by recipe, not stored."""

from __future__ import annotations

from collections.abc import Iterator

from .canonical_json import dump
from .cases import statement, tiny
from .world import with_statement


def bombs() -> Iterator[tuple[str, bytes]]:
    """(name, bytes of a proof file). Each is malformed in step 1."""
    payload, envelope = statement(tiny())
    proof = with_statement(tiny().proof("frank"), payload, envelope)
    whole = dump(proof)

    def log(text: bytes) -> bytes:
        return whole.replace(b'"log":""', b'"log":' + text, 1)

    yield "arrays 100,000 deep", log(b"[" * 100_000 + b"]" * 100_000)
    yield "objects 100,000 deep", log(b'{"a":' * 100_000 + b"1" + b"}" * 100_000)
    yield "arrays that never end", b"[" * 1_000_000
    yield "brackets that are not in a string", log(b'"' + b'\\"[' * 100_000 + b'"') + b"[" * 100_000
    yield "a text of quotes that never ends", b'"' + b'\\"' * 500_000
    yield "a text of quotes that never ends, as a member", whole[: whole.index(b'""')] + b'"' + b'\\"' * 500_000
    yield "a text of backslashes that never ends", b'"' + b"\\" * 1_000_001
    members = [b'"%06d":0' % n for n in range(100_000)]
    yield "100,000 members, the last of them twice", b"{" + b",".join([*members, members[-1]]) + b"}"
    yield "100,000 members, the first of them again", b"{" + b",".join([*members, members[0]]) + b"}"
    yield "an integer of 10^6 digits", whole.replace(b'"format":1', b'"format":' + b"1" * 1_000_000, 1)
    yield "an amount of 10^6 digits", whole.replace(b'"credit":"3"', b'"credit":"' + b"3" * 1_000_000 + b'"', 1)
    yield "a text of 10^6 characters", log(b'"' + b"x" * 1_000_000 + b'"')
    yield "a text of 65,537 characters", log(b'"' + b"x" * 65_537 + b'"')
    yield "a key of 10^6 characters", b'{"' + b"k" * 1_000_000 + b'":1}'
    yield "100,000 members", b"{" + b",".join(members) + b"}"
    yield "one member 100,000 times", b"{" + b",".join([b'"a":0'] * 100_000) + b"}"
    lines = [{**proof["lines"][0], "pool": f"p{n:05}"} for n in range(4097)]
    yield "4,097 lines", dump({**proof, "lines": lines})
    signatures = [{"keyid": "", "sig": ""}] * 100_000
    yield "100,000 signatures", dump({**proof, "envelope": {**envelope, "signatures": signatures}})
    yield (
        "a payload above 4 MiB",
        dump({**proof, "envelope": {**envelope, "payload": "AAAA" * (1 << 20) + "AAAA" * 400_000}}),
    )
    yield "a file above 16 MiB", whole + b" " * (16 << 20)
    sibling = b'["' + b"00" * 32 + b'","0"],'
    deep = whole.replace(b'"path":[', b'"path":[' + sibling * 100_000, 1)
    yield "100,000 siblings", deep

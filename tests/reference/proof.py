"""docs/spec/proof-file.md: the shape."""

from __future__ import annotations

import base64
from typing import Any

from .canonical_json import parse
from .outcome import malformed
from .register import POSITION, order
from .shape import a, amount, array, base64_of, by, number, obj, text
from .statement import ENVELOPE


def _pair(value: Any) -> None:
    if not isinstance(value, list) or len(value) != 2:
        raise malformed("not a pair of digest and sum")
    a("digest")(value[0])
    amount(value[1])


_STANDS = {
    "asset": a("asset id"),
    "blind": a("digest"),
    "index": number(0, 2**48 - 1),
    "path": array(_pair, most=48),
    "pool": a("pool"),
}
PROOF = obj(
    ("envelope",),
    format=number(1, 1),
    envelope=ENVELOPE,
    statement_sha256=a("digest"),
    lines=array(
        obj(
            **_STANDS,
            buckets=array(obj(bucket=number(1, 10), credit=amount, debit=amount), most=10, least=1, key=by("bucket")),
        ),
        most=4096,
        key=by("pool", "asset"),
    ),
    positions=array(obj(**_STANDS, position=POSITION, tie_blind=a("digest")), most=4096, key=order),
    log=text(65_536),
    timestamps=array(base64_of(65_536), most=16, key=lambda one: base64.b64decode(one)),
)


def read(data: bytes) -> dict[str, Any]:
    proof: dict[str, Any] = parse(data, 16 << 20)
    PROOF(proof)
    return proof

"""One vector of kind `client` or `public`, from a world and a mutation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

from . import policies
from . import world as worlds
from .canonical_json import dump
from .conventions import H
from .made_up import BEFORE, NOW
from .signers import AUDITOR, OFFICER, Key
from .statement import payload_of
from .world import World, claims, manifest, signed, with_statement

Edit = Callable[[Any], Any]
Vector = dict[str, Any]


@cache
def base() -> World:
    return World()


@cache
def tiny() -> World:
    return worlds.tiny()


def edited(value: Any, edit: Edit | None) -> Any:
    """A copy, altered in place or replaced by what the edit returns."""
    if edit is None:
        return value
    value = copy.deepcopy(value)
    result = edit(value)
    return value if result is None else result


def expectation(outcome: str) -> dict[str, Any]:
    """ "passed", or "CLASS REASON STEP" with - for no reason."""
    if outcome == "passed":
        return {"class": "passed", "reason": "", "step": 0}
    class_, reason, step = outcome.split()
    return {"class": class_, "reason": "" if reason == "-" else reason, "step": int(step)}


def statement(
    world: World,
    predicate: Edit | None = None,
    payload: Edit | None = None,
    keys: tuple[Key, ...] = (OFFICER, AUDITOR),
    envelope: Edit | None = None,
    manifest_bytes: bytes | None = None,
) -> tuple[bytes, dict[str, Any]]:
    """Payload and envelope; an edit of predicate or payload is signed, one of the envelope is not."""
    listed = manifest(world.files()) if manifest_bytes is None else manifest_bytes
    data = edited(payload_of(edited(world.predicate(), predicate), H(listed).hex()), payload)
    return data, edited(signed(data, keys), envelope)


def client(
    name: str,
    why: str,
    expect: str,
    *,
    world: World | None = None,
    who: str = "alice",
    predicate: Edit | None = None,
    payload: Edit | None = None,
    keys: tuple[Key, ...] = (OFFICER, AUDITOR),
    envelope: Edit | None = None,
    proof: Edit | None = None,
    raw: Callable[[bytes], bytes] | None = None,
    beside: Edit | str | None = None,
    inline: bool = True,
    policy: str = policies.BASE,
    claim: Edit | None = None,
    state: Any = "",
    at: str = NOW,
    bundle: Edit | None = None,
    consistency: str | None = None,
) -> Vector:
    """beside: an edit of the envelope for the file given beside, or its text. inline: whether the proof has it.
    consistency: the text of a consistency proof, if one is given."""
    world = world or (tiny() if who == "frank" else base())
    data, wrapped = statement(world, predicate, payload, keys, envelope)
    built = with_statement(world.proof(who), data, wrapped if inline else None)
    written = dump(edited(built, proof))
    if raw:
        written = raw(written)
    text = beside if isinstance(beside, str) else ""
    if beside is not None and not isinstance(beside, str):
        text = dump(edited(wrapped, beside)).decode()
    vector: Vector = {
        "at": at,
        "bundle": {},
        "claims": edited(claims(world, who), claim),
        "expect": expectation(expect),
        "kind": "client",
        "name": name,
        "policy": policy,
        "state": state,
        "statement": text,
        "why": why,
    }
    if consistency is not None:
        vector["consistency"] = consistency
    if bundle is not None:
        files = {**world.files(), "manifest.json": manifest(world.files()), "statement.json": dump(wrapped)}
        vector["bundle"] = {n: d.decode() for n, d in sorted(edited(files, bundle).items())}
    try:
        vector["proof"] = written.decode("utf-8")
    except UnicodeDecodeError:
        vector["proof_hex"] = written.hex()
    return vector


def public(
    name: str,
    why: str,
    expect: str,
    *,
    world: World | None = None,
    register: Edit | None = None,
    files: Edit | None = None,
    manifested: Edit | None = None,
    after: Edit | None = None,
    predicate: Edit | None = None,
    payload: Edit | None = None,
    keys: tuple[Key, ...] = (OFFICER, AUDITOR),
    envelope: Edit | None = None,
    policy: str = policies.BASE,
    state: Any = "",
    at: str = NOW,
    log_proof: str | None = None,
) -> Vector:
    """files: an edit before the manifest is made and signed; manifested: of the manifest's object, signed; after:
    of the finished bundle."""
    world = world or tiny()
    listed = edited(world.files(), files)
    named = manifest(listed)
    if manifested:
        entries = [{"name": n, "sha256": H(d).hex(), "size": len(d)} for n, d in sorted(listed.items())]
        found = edited({"files": entries, "format": 1}, manifested)
        named = found if isinstance(found, bytes) else dump(found)
    _, wrapped = statement(world, predicate, payload, keys, envelope, named)
    whole = edited({**listed, "manifest.json": named, "statement.json": dump(wrapped)}, after)
    given = {} if log_proof is None else {"log_proof": log_proof}
    return {
        "at": at,
        "bundle": {n: d.decode() for n, d in sorted(whole.items())},
        "expect": expectation(expect),
        "kind": "public",
        "name": name,
        "policy": policy,
        "state": state,
        "why": why,
        **given,
    }


__all__ = ["BEFORE", "NOW", "Vector", "base", "client", "edited", "expectation", "public", "statement"]

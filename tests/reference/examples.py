"""The examples of docs/spec: one snapshot with two clients and one position, from ledger to proof."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from . import challenge, log, made_up_log, policies, policy, tree
from .canonical_json import dump
from .conventions import H
from .edits import put
from .made_up import ASSETS, CLIENTS, LEDGER, POOLS, USDC_FORM
from .signers import OFFICER
from .world import World, manifest, payload_for, signed, with_statement

WIDTH = 110
CELL = ("omni", "USDC")
POLICY = policies.HEAD + "[thresholds]\ncustodian = 1\n\n" + policies.OFFICER_SIGNER


@cache
def world() -> World:
    return World(
        ledger={CELL: {who: LEDGER[CELL][who] for who in ("alice", "bob")}},
        positions=[(*CELL, "ref:bank-7.fbo", USDC_FORM, 3_410_000_000, 0, 0, "")],
        min_depth={},
        public={CELL},
        assets=[{**ASSETS[2], "forms": [{"decimals": 6, "form": USDC_FORM}]}],
        pools={"omni": POOLS["omni"]},
    )


@cache
def payload() -> bytes:
    return payload_with(lambda _: None)


def payload_with(edit: Callable[[Any], Any]) -> bytes:
    """The payload of an altered statement."""
    predicate = world().predicate()
    predicate["anchors"] = predicate["anchors"][1:]
    edit(predicate)
    return payload_for(world(), predicate)


@cache
def envelope() -> dict[str, Any]:
    return signed(payload(), (OFFICER,))


def proof() -> dict[str, Any]:
    return with_statement(world().proof("alice"), payload(), None)


def laid_out(value: Any, indent: int = 0) -> str:
    """JSON with members in canonical order, one line where it fits."""
    line = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if len(line) + indent <= WIDTH or not isinstance(value, dict | list):
        return line
    inside = " " * (indent + 2)
    if isinstance(value, dict):
        items = [f'{inside}"{key}": {laid_out(value[key], indent + 2)}' for key in sorted(value)]
        return "{\n" + ",\n".join(items) + "\n" + " " * indent + "}"
    items = [inside + laid_out(item, indent + 2) for item in value]
    return "[\n" + ",\n".join(items) + "\n" + " " * indent + "]"


def fenced(text: str, language: str = "") -> str:
    return f"```{language}\n{text}\n```"


def canonical(value: Any) -> str:
    """A value laid out to be read, and what its canonical bytes are."""
    data = dump(value)
    return f"{fenced(laid_out(value), 'json')}\n\nCanonically {len(data)} bytes, of SHA-256\n`{H(data).hex()}`."


def sum_tree() -> str:
    found = world().liabilities[CELL]
    lines = [
        "custodian acme-custody, snapshot 2026-06-30.a, pool omni, asset USDC, side L, min_depth 0",
        f"snapshot_key  {world().snapshot_key.hex()}",
        f"tree_id       {found.id.hex()}",
        f"tree_key      {found.key.hex()}",
    ]
    for index, holder in enumerate(found.order):
        name = next(who for who in world().ledger[CELL] if world().holder(who) == holder)
        leaf = world().leaf(CELL, name)
        rows = world().ledger[CELL][name]
        lines += [
            "",
            f"index {index}: client id {CLIENTS[name][0]}, client code {CLIENTS[name][1] or '(none)'}",
            *(f"  bucket {b}: credit {c}, debit {d}" for b, (c, d) in sorted(rows.items())),
            f"  holder      {holder.hex()}",
            f"  details     {leaf.details.hex()}",
            f"  blind       {tree.blind(found.key, holder).hex()}",
            f"  digest      {found.bottom[index].digest.hex()}",
            f"  sum         {leaf.sum}",
        ]
    lines += [
        "",
        f"depth {found.depth}, node (1, 0): sum {found.total}",
        f"  digest      {found.top.digest.hex()}",
        f"root          {found.root.hex()}",
    ]
    return fenced("\n".join(lines))


def statement() -> str:
    return canonical(json.loads(payload()))


def challenges() -> str:
    predicate = json.loads(payload())["predicate"]
    claim = challenge.claim(predicate)
    account = "eip155:1:0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae"
    text = challenge.text(account, "acme-custody", "omni", "omnibus", claim, predicate["claim_expires"])
    return fenced(
        "\n".join(["claim    " + claim.hex(), "text     " + text, "compact  " + challenge.compact(account, text)])
    )


def register() -> str:
    files = world().files()
    parts = ["`register.json`:", canonical(json.loads(files.pop("register.json")))]
    for data in files.values():
        parts += ["Evidence:", canonical(json.loads(data))]
    return "\n\n".join(parts)


def bundle() -> str:
    files = {**world().files(), "manifest.json": manifest(world().files()), "statement.json": dump(envelope())}
    listed = "\n".join(sorted(files))
    return f"{fenced(listed)}\n\n`manifest.json`:\n\n{canonical(json.loads(files['manifest.json']))}"


def trust_policy() -> str:
    found = policy.fingerprint(policy.read(POLICY.encode()))
    return f"{fenced(POLICY.rstrip(), 'toml')}\n\nFingerprint `{found}`."


LOG_TABLE = policies.LOGGED[policies.LOGGED.index("[log]") :]


@cache
def logged_payload() -> bytes:
    return payload_with(put("logs", [policies.ORIGIN]))


def log_parts() -> made_up_log.Parts:
    predicate = json.loads(logged_payload())["predicate"]
    return made_up_log.honest(predicate, H(logged_payload()).hex())


def log_entry() -> str:
    data = log.entry(json.loads(logged_payload())["predicate"], H(logged_payload()).hex())
    return f"{fenced(data.decode(), 'json')}\n\nIts leaf is\n`{log.leaf(data).hex()}`."


EXAMPLES: dict[str, Callable[[], str]] = {
    "bundle": bundle,
    "challenge": challenges,
    "envelope": lambda: fenced(dump(envelope()).decode(), "json"),
    "log-entry": log_entry,
    "log-policy": lambda: fenced(LOG_TABLE.rstrip(), "toml"),
    "log-proof": lambda: fenced(log_parts().written().rstrip("\n")),
    "proof-file": lambda: canonical(proof()),
    "register": register,
    "statement": statement,
    "sum-tree": sum_tree,
    "trust-policy": trust_policy,
}


def filled(text: str) -> str:
    """A page with its examples as they must be."""
    for name, make in EXAMPLES.items():
        marker = f"<!-- example: {name} -->\n"
        if marker not in text:
            continue
        before, after = text.split(marker)
        if "<!-- end -->\n" in after.split("<!-- example:")[0]:
            after = after.split("<!-- end -->\n", 1)[1]
        text = f"{before}{marker}\n{make()}\n\n<!-- end -->\n{after}"
    return text


def pages(folder: Path) -> dict[Path, str]:
    """The pages that have examples."""
    found = {path: path.read_text("utf-8") for path in sorted(folder.glob("*.md"))}
    return {path: text for path, text in found.items() if "<!-- example: " in text}

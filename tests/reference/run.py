"""What the reference finds for a vector, to be compared with what the vector expects."""

from __future__ import annotations

from typing import Any

from . import judge, log_kinds, policy, tree, tree_kinds
from .canonical_json import parse
from .challenge import claim, compact, text
from .conventions import amount, is_a, typed_amount
from .outcome import Refusal, malformed, usage
from .signed_steps import Reader


def outcome(vector: dict[str, Any]) -> Any:
    kind = vector["kind"]
    if kind == "client":
        return client(vector)
    if kind == "public":
        return judge.public(_files(vector["bundle"]), _reader(vector))
    if kind == "tree":
        return tree_kinds.outcome(vector["input"])
    if kind == "rolling":
        return tree_kinds.rolling()["expect"]
    try:
        return {"class": "passed", "reason": "", **_small(kind, vector["input"])}
    except Refusal as refusal:
        return {"class": refusal.class_, "reason": refusal.reason}


def _files(bundle: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in bundle.items()}


def _reader(vector: dict[str, Any]) -> Reader:
    return Reader(
        vector["policy"].encode(),
        vector["at"],
        vector["state"],
        **vector.get("claims", {}),
        log_proof=vector.get("log_proof"),
        consistency=vector.get("consistency"),
    )


def client(vector: dict[str, Any]) -> dict[str, Any]:
    proof = bytes.fromhex(vector["proof_hex"]) if "proof_hex" in vector else vector["proof"].encode()
    reader = _reader(vector)
    beside = vector["statement"].encode() if vector["statement"] else None
    return judge.client(proof, beside, reader, _files(vector["bundle"]) if vector["bundle"] else None)


def _small(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    if kind == "holder" and given["side"] == "L":
        if not is_a("client id", given["client_id"]) or not is_a("client code", given["client_code"]):
            raise usage("input")
        return {"holder": tree.client_holder(given["client_id"], given["client_code"]).hex()}
    if kind == "holder":
        return {"holder": tree.position_holder(given["account"], given["form"]).hex()}
    if kind == "line-details":
        details = tree.line_details(given["buckets"]).hex()
        return {"details": details, "sum": str(sum(amount(one["credit"]) for one in given["buckets"]))}
    if kind == "challenge":
        line = text(
            given["account"],
            given["custodian"],
            given["pool"],
            given["segregation"],
            bytes.fromhex(given["claim"]),
            given["expires"],
        )
        if len(line) > 330 or len(compact(given["account"], line)) > 164:
            raise malformed("too long")
        return {"compact": compact(given["account"], line), "text": line}
    if kind == "claim":
        return {"claim": claim(parse(given["predicate"].encode(), 4 << 20)).hex()}
    if kind == "canonical-json":
        parse(bytes.fromhex(given["hex"]), 1 << 20)
        return {}
    if kind == "typed-amount":
        return {"amount": str(typed_amount(given["text"], given["decimals"]))}
    if kind == "amount-compare":
        judge.compare_typed(given["text"], given["decimals"], int(given["amount"]), "amount-differs")
        return {}
    if kind in log_kinds.OUTCOMES:
        return log_kinds.OUTCOMES[kind](given)
    if kind == "policy":
        return {"fingerprint": policy.fingerprint(policy.read(given["toml"].encode()))}
    raise ValueError(kind)

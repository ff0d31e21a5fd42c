"""Every case of vectors/ against the verifier: class, step and reason."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from reserveproof.format import canonical_json, checkpoint, signed_note, tlog_proof
from reserveproof.format.amounts import from_json
from reserveproof.format.challenge import challenge, claim_of
from reserveproof.format.checkpoint import Checkpoint
from reserveproof.format.errors import ReserveProofError
from reserveproof.format.log_entry import entry_of
from reserveproof.format.proof_file import BUCKETS
from reserveproof.format.shape import account, to_json
from reserveproof.format.statement import STATEMENT, parse_payload
from reserveproof.format.times import parse_time
from reserveproof.verifier import client, log_tree, public
from reserveproof.verifier.bundle import BundleInMemory
from reserveproof.verifier.claims import make_claims, typed_amount
from reserveproof.verifier.hashing import (
    Tree,
    TreeName,
    blind,
    checked_sum,
    client_holder,
    line_details,
    pad,
    position_holder,
)
from reserveproof.verifier.last_seen import LastSeen
from reserveproof.verifier.log_step import LogGiven
from reserveproof.verifier.policy import parse_policy
from reserveproof.verifier.rebuild import commit, depth_for, in_order
from reserveproof.verifier.record import Record
from reserveproof.verifier.report import CLASSES

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


def cases(kind):
    found = sorted((VECTORS / kind).glob("*.json"))
    assert found or kind == "public", f"no vectors of kind {kind}"
    return [pytest.param(path, id=path.stem) for path in found if path.stem != "rolling"]


def load(path):
    return json.loads(path.read_text("utf-8"))


def outcome(run):
    """(class, step, reason) of a judgement."""
    try:
        run()
    except ReserveProofError as error:
        return CLASSES[error.exit_status], error.step, error.reason
    return "passed", 0, ""


def expect(case, got, *, step=True):
    wanted = case["expect"]
    assert got[0] == wanted["class"], got
    if step and "step" in wanted:
        assert got[1] == wanted["step"], got
    if wanted.get("reason"):
        assert got[2] == wanted["reason"], got


def last_seen(case):
    state = case["state"]
    if state == "":
        return None
    log = state.get("log")
    seen = (Checkpoint(log["origin"], log["size"], bytes.fromhex(log["root"])),) if log else ()
    return LastSeen(state["as_of"], "acme-custody", bytes.fromhex(state["payload_sha256"]), state["sequence"], seen)


def log_given(case):
    return LogGiven(proof=case.get("log_proof", ""), consistency=case.get("consistency"))


def in_memory(files):
    return BundleInMemory({name: text.encode("utf-8") for name, text in files.items()})


def run_client(case):
    claims = dict(case["claims"])
    claims["balances"] = [
        {member: value for member, value in balance.items() if value or member not in ("pool", "debit")}
        for balance in claims["balances"]
    ]
    proof = bytes.fromhex(case["proof_hex"]) if "proof_hex" in case else case["proof"].encode("utf-8")
    return client.check_client(
        proof,
        statement=case["statement"].encode("utf-8") if case["statement"] else None,
        policy=parse_policy(case["policy"].encode("utf-8")),
        claims=make_claims(claims),
        last=last_seen(case),
        at=parse_time(case["at"]),
        bundle=in_memory(case["bundle"]) if case["bundle"] else None,
        record=Record(),
        log=log_given(case),
    )


@pytest.mark.parametrize("path", cases("client"))
def test_client(path):
    case = load(path)
    expect(case, outcome(lambda: run_client(case)))


@pytest.mark.parametrize("path", cases("public"))
def test_public(path):
    case = load(path)
    expect(
        case,
        outcome(
            lambda: public.check_bundle(
                in_memory(case["bundle"]),
                policy=parse_policy(case["policy"].encode("utf-8")),
                last=last_seen(case),
                at=parse_time(case["at"]),
                digest="",
                others=None,
                record=Record(),
                log=log_given(case),
            )
        ),
    )


@pytest.mark.parametrize("path", cases("policy"))
def test_policy(path):
    case = load(path)
    expect(case, outcome(lambda: parse_policy(case["input"]["toml"].encode("utf-8"))))
    if case["expect"]["class"] == "passed":
        assert parse_policy(case["input"]["toml"].encode("utf-8")).fingerprint() == case["expect"]["fingerprint"]


@pytest.mark.parametrize("path", cases("canonical-json"))
def test_canonical_json(path):
    case = load(path)
    data = bytes.fromhex(case["input"]["hex"])
    expect(case, outcome(lambda: canonical_json.parse(data, max_bytes=1 << 20, what="the case")))
    if case["expect"]["class"] == "passed":
        assert canonical_json.dump(canonical_json.parse(data, max_bytes=1 << 20, what="the case")) == data


@pytest.mark.parametrize("path", cases("typed-amount"))
def test_typed_amount(path):
    case = load(path)
    text, decimals = case["input"]["text"], case["input"]["decimals"]
    expect(case, outcome(lambda: typed_amount(text, decimals, "amount")))
    if case["expect"]["class"] == "passed":
        assert str(typed_amount(text, decimals, "amount").amount) == case["expect"]["amount"]


@pytest.mark.parametrize("path", cases("amount-compare"))
def test_amount_compare(path):
    case = load(path)
    given = case["input"]

    def run():
        typed = typed_amount(given["text"], given["decimals"], "amount")
        if not client._agrees(int(given["amount"]), typed):
            raise client.EvidenceError("differs", reason="amount-differs", step=7)

    expect(case, outcome(run), step=False)


@pytest.mark.parametrize("path", cases("challenge"))
def test_challenge(path):
    case = load(path)
    given = case["input"]
    for profile in ("text", "compact"):
        text = challenge(
            account=given["account"],
            custodian_id=given["custodian"],
            pool=given["pool"],
            segregation=given["segregation"],
            claim=bytes.fromhex(given["claim"]),
            expires=given["expires"],
            profile=profile,
        )
        assert text == case["expect"][profile]
        assert len(text) <= {"text": 330, "compact": 164}[profile]


@pytest.mark.parametrize("path", cases("claim"))
def test_claim(path):
    case = load(path)
    predicate = canonical_json.parse(case["input"]["predicate"].encode("utf-8"), max_bytes=1 << 22, what="the case")
    assert claim_of(STATEMENT(predicate, "predicate")).hex() == case["expect"]["claim"]


@pytest.mark.parametrize("path", cases("holder"))
def test_holder(path):
    case = load(path)
    given = case["input"]

    def run():
        if given["side"] == "R":
            return position_holder(account(given["account"], "account"), given["form"])
        claims = make_claims({"client_id": given["client_id"], "client_code": given["client_code"]})
        return client_holder(claims.client_id, claims.client_code)

    expect(case, outcome(run))
    if case["expect"]["class"] == "passed":
        assert run().hex() == case["expect"]["holder"]


@pytest.mark.parametrize("path", cases("line-details"))
def test_line_details(path):
    case = load(path)
    expect(case, outcome(lambda: BUCKETS(case["input"]["buckets"], "buckets")))
    if case["expect"]["class"] == "passed":
        buckets = BUCKETS(case["input"]["buckets"], "buckets")
        assert line_details(buckets).hex() == case["expect"]["details"]
        assert str(sum(b.credit for b in buckets)) == case["expect"]["sum"]


@pytest.mark.parametrize("path", cases("log-entry"))
def test_log_entry(path):
    case = load(path)
    payload = case["input"]["payload"].encode()
    entry = entry_of(parse_payload(payload).statement, hashlib.sha256(payload).digest())
    assert (entry.decode(), log_tree.leaf_hash(entry).hex()) == (case["expect"]["entry"], case["expect"]["leaf"])


@pytest.mark.parametrize("path", cases("checkpoint"))
def test_checkpoint(path):
    case = load(path)
    text = case["input"]["text"]
    expect(case, outcome(lambda: checkpoint.parse(signed_note.parse(text).text)))
    if case["expect"]["class"] == "passed":
        note = signed_note.parse(text)
        found = checkpoint.parse(note.text)
        assert signed_note.dump(note) == text
        assert checkpoint.dump(found) == note.text
        assert {"names": [line.name for line in note.signatures], **to_json(found)}.items() <= case["expect"].items()


@pytest.mark.parametrize("path", cases("log-proof"))
def test_log_proof(path):
    case = load(path)
    text = case["input"]["text"]
    expect(case, outcome(lambda: tlog_proof.parse(text)))
    if case["expect"]["class"] == "passed":
        found = tlog_proof.parse(text)
        assert tlog_proof.dump(found) == text
        assert (found.index, to_json(found.path)) == (case["expect"]["index"], case["expect"]["path"])


@pytest.mark.parametrize("path", cases("log-consistency"))
def test_log_consistency(path):
    case = load(path)
    given = case["input"]
    old, new = bytes.fromhex(given["old_root"]), bytes.fromhex(given["root"])
    proof = [bytes.fromhex(item) for item in given["proof"]]
    expect(case, outcome(lambda: log_tree.check_consistency(given["old_size"], old, given["size"], new, proof)))


def build(tree, key, min_depth, leaves):
    """The verifier's rebuild over given (holder, details, sum)."""
    digests = [(tree.leaf(blind(key, h), h, d, s), s) for h, d, s in leaves]
    return commit(tree, key, depth_for(len(leaves), min_depth), in_order(digests))


# That a holder stands once is seen where holders are still known: in the ledger (check_rows) and in the register.
ABOVE_THE_TREE = {"holder-twice"}


@pytest.mark.parametrize("path", [case for case in cases("tree") if case.id not in ABOVE_THE_TREE])
def test_tree(path):
    case = load(path)
    given = case["input"]
    name = TreeName(given["side"].encode(), given["custodian"], given["snapshot"], given["pool"], given["asset"])
    tree, key = Tree(name), bytes.fromhex(given["tree_key"])

    def run():
        leaves = [
            (bytes.fromhex(leaf["holder"]), bytes.fromhex(leaf["details"]), from_json(leaf["sum"]))
            for leaf in given["leaves"]
        ]
        return build(tree, key, given["min_depth"], leaves)

    got = outcome(run)
    assert got[0] == case["expect"]["class"], got
    if got[0] == "passed":
        top = run()
        assert tree.tree_id.hex() == case["expect"]["tree_id"]
        assert (top.depth, top.root.hex(), str(top.total)) == (
            case["expect"]["depth"],
            case["expect"]["root"],
            case["expect"]["total"],
        )


def test_sum_bound():
    assert checked_sum(2**126, 2**126 - 1) == 2**127 - 1
    with pytest.raises(ReserveProofError):
        checked_sum(2**126, 2**126)


def test_pad_is_keyed():
    assert pad(b"k" * 32, 1, 2)[0] != pad(b"l" * 32, 1, 2)[0]
    assert pad(b"k" * 32, 1, 2)[0] != hashlib.sha256(b"").digest()

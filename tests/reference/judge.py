"""docs/spec/verification.md: the steps of a client, and of `public` over letters, each with its number."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from . import log, register, tree
from . import proof as proofs
from .conventions import BOUND, typed_account, typed_amount
from .outcome import failed, malformed, policy, usage
from .severities import severity
from .signed_steps import (
    Reader,
    Signed,
    against_policy,
    publication,
    quorum,
    read_reader,
    read_statement,
    read_typed,
    sequence,
    statement_of,
    steps,
)
from .statement import (
    asset_named,
    cell,
    identity,
    pool_named,
    read_envelope,
    read_payload,
)

BOUND_BUCKETS = {4, 5, 8, 9}


def client(
    proof: bytes, statement: bytes | None, reader: Reader, bundle: register.Files | None = None
) -> dict[str, Any]:
    case = _Client(proof, statement, reader, bundle)
    return steps(
        (1, case.parse),
        (2, case.signatures),
        (3, lambda: against_policy(case.signed, reader.at)),
        (4, lambda: sequence(case.signed, reader.state)),
        (5, case.publication),
        (6, case.lines),
        (7, case.each_line),
        (8, case.fold),
        (9, case.compare),
        (10, case.coverage),
        (11, case.dedicated),
    )


def public(files: register.Files, reader: Reader) -> dict[str, Any]:
    case = _Public(files, reader)
    return steps(
        (1, case.parse),
        (2, lambda: quorum(case.signed)),
        (3, lambda: against_policy(case.signed, reader.at)),
        (4, lambda: sequence(case.signed, reader.state)),
        (5, lambda: publication(case.signed, reader, reader.log_proof, must=False)),
        (6, lambda: case.bundle.check_files()),
        (7, lambda: case.bundle.check_register()),
        (8, lambda: case.bundle.check_evidence()),
        (9, lambda: case.bundle.check_trees()),
        (10, lambda: case.bundle.check_coverage()),
    )


class _Bundle:
    def __init__(self, files: register.Files, signed: Signed) -> None:
        self.given, self.signed = files, signed
        self.named: register.Files = {}
        self.entries: list[dict[str, Any]] = []

    def check_files(self) -> None:
        self.named = register.check_bundle(self.given, self.signed.payload_object)

    def check_register(self) -> None:
        self.entries = register.check_register(self.named, self.signed.predicate)

    def check_evidence(self) -> None:
        register.check_evidence(self.named, self.entries, self.signed.predicate)

    def check_trees(self) -> None:
        register.check_trees(self.entries, self.signed.predicate)

    def check_coverage(self) -> None:
        register.check_coverage(self.signed.predicate, self.signed.policy["least_assurance"])


class _Public:
    def __init__(self, files: register.Files, reader: Reader) -> None:
        self.files, self.reader = files, reader
        self.signed: Signed
        self.bundle: _Bundle

    def parse(self) -> None:
        """Step 1."""
        wanted = read_reader(self.reader)
        envelope = statement_of(self.files)
        payload = read_envelope(envelope)
        self.signed = Signed(envelope, payload, read_payload(payload), wanted)
        self.bundle = _Bundle(self.files, self.signed)


class _Client:
    def __init__(self, proof: bytes, statement: bytes | None, reader: Reader, bundle: register.Files | None) -> None:
        self.proof_bytes, self.statement_bytes, self.reader, self.bundle = proof, statement, reader, bundle
        self.proof: dict[str, Any] = {}
        self.signed: Signed
        self.stated: dict[tuple[str, str], dict[str, str]] = {}
        self.folded: dict[tuple[str, str], tree.Node] = {}

    @property
    def holder(self) -> bytes:
        return tree.client_holder(self.reader.client_id, self.reader.client_code)

    def tree_id(self, side: str, line: dict[str, Any]) -> bytes:
        p = self.signed.predicate
        return tree.tree_id(side, p["custodian"]["id"], p["snapshot_id"], line["pool"], line["asset"])

    def cell(self, line: dict[str, Any]) -> Any:
        return cell(self.signed.predicate, line["pool"], line["asset"])

    def parse(self) -> None:
        """Step 1."""
        wanted = read_reader(self.reader)
        read_typed(self.reader)
        self.proof = proofs.read(self.proof_bytes)
        given = [self.proof["envelope"]] if "envelope" in self.proof else []
        if self.statement_bytes is not None:
            given.append(read_statement(self.statement_bytes))
        if not given and self.bundle is not None:
            given.append(statement_of(self.bundle))
        if not given:
            raise usage("no-statement")
        payloads = [read_envelope(envelope) for envelope in given]
        objects = [read_payload(payload) for payload in payloads]
        if len(set(payloads)) > 1:
            raise failed("statement-differs")
        both = {**given[0], "signatures": [one for envelope in given for one in envelope["signatures"]]}
        self.signed = Signed(both, payloads[0], objects[0], wanted)

    def signatures(self) -> None:
        """Step 2."""
        if self.proof["statement_sha256"] != identity(self.signed.payload):
            raise failed("statement-differs")
        quorum(self.signed)

    def publication(self) -> None:
        """Step 5."""
        asked = self.signed.policy["publication"] == "log" and self.proof["log"] != ""
        text = log.text_of(log.of_base64(self.proof["log"])) if asked else None
        publication(self.signed, self.reader, text)

    def lines(self) -> None:
        """Step 6."""
        if not self.reader.balances:
            raise usage("no-balance")
        typed: dict[tuple[str, str], dict[str, str]] = {}
        for stated in self.reader.balances:
            pools = [stated["pool"]]
            if not stated["pool"]:
                pools = [
                    pool["pool"]
                    for pool in self.signed.predicate["pools"]
                    if any(known["asset"] == stated["asset"] for known in pool["assets"])
                ]
            if len(pools) > 1:
                raise usage("pool-needed")
            key = (pools[0] if pools else "", stated["asset"])
            if key in typed:
                raise usage("stated-twice")
            typed[key] = stated
        there = {(line["pool"], line["asset"]) for line in self.proof["lines"]}
        self.stated = {key: stated for key, stated in typed.items() if key in there}
        if not self.stated or any(not is_nothing(typed[key]) for key in typed.keys() - there):
            raise failed("line-missing")
        if any(self.cell(line) is None for line in self.proof["lines"]):
            raise failed("cell-unknown")
        for line in self.proof["lines"]:
            amounts = {bucket[side] for bucket in line["buckets"] for side in ("credit", "debit")}
            if (line["pool"], line["asset"]) not in self.stated and amounts != {"0"}:
                raise failed("unstated-line")

    def each_line(self) -> None:
        """Step 7."""
        for line in self.proof["lines"]:
            codes = {bucket["bucket"] for bucket in line["buckets"]}
            if pool_named(self.signed.predicate, line["pool"])["term"] == "free" and codes & BOUND_BUCKETS:
                raise failed("bound-bucket")
            if max(credit_of(line), debit_of(line)) >= BOUND:
                raise failed("sum")
            stated = self.stated.get((line["pool"], line["asset"]))
            if stated is None:
                continue
            decimals = asset_named(self.signed.predicate, line["asset"])["decimals"]
            compare_typed(stated["amount"], decimals, credit_of(line), "amount-differs")
            if stated["debit"]:
                compare_typed(stated["debit"], decimals, debit_of(line), "debit-differs")
            elif debit_of(line):
                raise failed("debit-differs")

    def fold(self) -> None:
        """Step 8."""
        for line in self.proof["lines"]:
            leaf = tree.Leaf(self.holder, tree.line_details(line["buckets"]), credit_of(line))
            depth = self.cell(line)["liabilities"]["depth"]
            self.folded[line["pool"], line["asset"]] = folded(self.tree_id("L", line), line, leaf, depth)

    def compare(self) -> None:
        """Step 9."""
        for line in self.proof["lines"]:
            top = self.folded[line["pool"], line["asset"]]
            compare_top(self.tree_id("L", line), top, self.cell(line)["liabilities"])

    def coverage(self) -> None:
        """Step 10."""
        wanted = self.signed.policy
        for pool, asset in self.stated:
            known = cell(self.signed.predicate, pool, asset)
            assert known is not None
            if int(known["reserves"]["total"]) < int(known["liabilities"]["total"]):
                raise failed("not-covered")
            register.check_assurance(known["reserves"], wanted["least_assurance"])
            for rule in self.signed.predicate["rules"]:
                if rule["pool"] in ("", pool) and rule["result"] == "FAIL" and severity(rule["id"]) == "X":
                    raise failed("rule-fails")
            if wanted["reserves"] == "register" and known["reserves"]["register"] != "public":
                raise policy("register-needed")
        if self.bundle is not None:
            if read_envelope(statement_of(self.bundle)) != self.signed.payload:
                raise failed("statement-differs")
            bundle = _Bundle(self.bundle, self.signed)
            bundle.check_files()
            bundle.check_register()
            bundle.check_evidence()
            bundle.check_trees()
        elif wanted["reserves"] == "register":
            raise policy("register-needed")

    def dedicated(self) -> None:
        """Step 11."""
        entries, stated = self.proof["positions"], {typed_account(one) for one in self.reader.dedicated}
        accounts = {entry["position"]["account"] for entry in entries}
        if stated - accounts:
            raise failed("dedicated-missing")
        if accounts - stated:
            raise failed("dedicated-unknown")
        if max(Counter(register.order(entry)[2:] for entry in entries).values(), default=1) > 1:
            raise failed("dedicated-twice")
        for entry in entries:
            if self.cell(entry) is None:
                raise failed("cell-unknown")
            register.check_form(self.signed.predicate, entry)
        for entry in entries:
            self._position(entry["position"], entry["tie_blind"])
        tops = []
        for entry in entries:
            leaf, depth = register.leaf_of(entry["position"]), self.cell(entry)["reserves"]["depth"]
            tops.append(folded(self.tree_id("R", entry), entry, leaf, depth))
        for entry, top in zip(entries, tops, strict=True):
            compare_top(self.tree_id("R", entry), top, self.cell(entry)["reserves"])
        counted: Counter[tuple[str, str]] = Counter()
        for entry in entries:
            counted[entry["pool"], entry["asset"]] += int(entry["position"]["counted"])
        credits = {(line["pool"], line["asset"]): credit_of(line) for line in self.proof["lines"]}
        dedicated = {pool["pool"] for pool in self.signed.predicate["pools"] if pool["model"] == "dedicated"}
        owed = {key for key in credits if key[0] in dedicated}
        if any(counted[key] < credits.get(key, 0) for key in owed | set(counted)):
            raise failed("dedicated-below")

    def _position(self, position: dict[str, Any], tie_blind: str) -> None:
        if position["segregation"] != "dedicated":
            raise failed("not-dedicated")
        register.check_sums(position)
        if position["counted"] != "0":
            if position["class"] == "DECLARED_ONLY":
                raise failed("declared-only")
            if "" in (position["control"], position["observation"]):
                raise failed("evidence-missing")
            part = {"by_class": [{"class": position["class"]}]}
            register.check_assurance(part, self.signed.policy["least_assurance"])
        if position["client_tie"] != tree.client_tie(bytes.fromhex(tie_blind), self.holder).hex():
            raise failed("tie-differs")


def is_nothing(stated: dict[str, str]) -> bool:
    """Whether a balance is stated as 0, with no debit but 0: it needs no line."""
    return all(re.fullmatch(r"0(\.0{1,30})?", text) for text in (stated["amount"], stated["debit"] or "0"))


def credit_of(line: dict[str, Any]) -> int:
    return sum(int(bucket["credit"]) for bucket in line["buckets"])


def debit_of(line: dict[str, Any]) -> int:
    return sum(int(bucket["debit"]) for bucket in line["buckets"])


def compare_typed(text: str, decimals: int, found: int, reason: str) -> None:
    """Step 7: a typed amount against the leaf's."""
    typed = typed_amount(text, decimals)
    if typed == found:
        return
    whole, _, fraction = text.partition(".")
    unit = 10 ** (decimals - len(fraction))
    if found // unit * unit != typed:
        raise failed(reason)
    if len((whole + fraction).lstrip("0")) < 6:
        raise usage("digits")


def folded(tid: bytes, entry: dict[str, Any], leaf: tree.Leaf, depth: int) -> tree.Node:
    """Step 8 for one leaf of either side."""
    if len(entry["path"]) != depth:
        raise malformed("not exactly depth siblings", "path-length")
    if entry["index"] >= 2**depth:
        raise malformed("the index is beyond the tree", "index")
    node = tree.leaf_node(tid, bytes.fromhex(entry["blind"]), leaf)
    return tree.fold(tid, node, entry["index"], entry["path"])


def compare_top(tid: bytes, top: tree.Node, committed: dict[str, Any]) -> None:
    """Step 9 for one leaf of either side."""
    if top.sum != int(committed["total"]):
        raise failed("total-differs")
    if tree.root_of(tid, committed["depth"], top).hex() != committed["root"]:
        raise failed("root-differs")

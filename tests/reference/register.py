"""docs/spec/register.md and docs/spec/bundle.md: shapes, and the steps 6 to 10 of `public`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from . import tree
from .canonical_json import parse
from .conventions import H, chain_of, converted_down
from .outcome import Refusal, failed, malformed, policy
from .shape import a, amount, array, by, number, obj, text, word
from .statement import ASSURANCE, asset_named, cell, read_account_chain

_digest_or_none = a("digest", empty=True)
METHODS = ("STATE_PROOF", "UTXO_SCAN", "BLOCK_REPLAY", "INDEX_HISTORY", "RPC_REPORTED", "QUORUM", "LETTER")

POSITION = obj(
    account=a("account"),
    class_=word(*ASSURANCE),
    client_tie=_digest_or_none,
    control=_digest_or_none,
    counted=amount,
    encumbered=amount,
    excluded=amount,
    form=a("form"),
    observation=_digest_or_none,
    observed=amount,
    segregation=word("omnibus", "dedicated"),
)


def order(entry: dict[str, Any]) -> tuple[str, ...]:
    return (entry["pool"], entry["asset"], entry["position"]["account"], entry["position"]["form"])


REGISTER = obj(
    format=number(1, 1),
    positions=array(obj(asset=a("asset id"), pool=a("pool"), position=POSITION), key=order),
)
MANIFEST = obj(
    format=number(1, 1),
    files=array(obj(name=a("file name"), sha256=a("digest"), size=number()), key=by("name")),
)
CONTROL = obj(
    account=a("account"),
    letter=obj(date=a("date", empty=True), issuer=text(200), sha256=_digest_or_none),
    profile=word("text", "compact"),
    scheme=a("slug"),
    signature=text(8192),
    type=word("control"),
)
OBSERVATION = obj(
    account=a("account"),
    form=a("form"),
    hash=text(88),
    height=number(),
    method=word(*METHODS),
    quantity=amount,
    source=text(2000),
    time=a("time"),
    type=word("observation"),
)
Files = dict[str, bytes]


def check_bundle(files: Files, payload: dict[str, Any]) -> Files:
    """Step 6 of `public`: the files that the manifest names, each as it says."""
    if "manifest.json" not in files:
        raise malformed("no manifest", "file-missing")
    manifest = files["manifest.json"]
    if H(manifest).hex() != payload["subject"][0]["digest"]["sha256"]:
        raise failed("manifest-differs")
    try:
        listed = parse(manifest, 64 << 20)
        MANIFEST(listed)
    except Refusal as refusal:
        raise malformed(refusal.note, "manifest") from None
    entries = {entry["name"]: entry for entry in listed["files"]}
    if entries.keys() & {"manifest.json", "statement.json"}:
        raise malformed("names itself or the statement", "manifest")
    if {"register.json", *entries} - files.keys() or "register.json" not in entries:
        raise malformed("a file is missing", "file-missing")
    if files.keys() - entries.keys() - {"manifest.json", "statement.json"}:
        raise malformed("a file is not named", "file-unknown")
    for name, entry in entries.items():
        if len(files[name]) != entry["size"] or H(files[name]).hex() != entry["sha256"]:
            raise failed("file-differs")
    return {name: files[name] for name in entries}


def check_register(files: Files, p: dict[str, Any]) -> list[dict[str, Any]]:
    """Step 7."""
    try:
        register = parse(files["register.json"], 256 << 20)
        REGISTER(register)
    except Refusal as refusal:
        raise malformed(refusal.note, "register") from None
    entries: list[dict[str, Any]] = register["positions"]
    for entry in entries:
        known = cell(p, entry["pool"], entry["asset"])
        if known is None or known["reserves"]["register"] != "public":
            raise failed("cell-unknown")
        check_form(p, entry)
    pools: dict[str, str] = {}
    for entry in entries:
        if pools.setdefault(entry["position"]["account"], entry["pool"]) != entry["pool"]:
            raise failed("position-twice")
    if max(Counter(order(entry)[2:] for entry in entries).values(), default=1) > 1:
        raise failed("position-twice")
    return entries


def check_form(p: dict[str, Any], entry: dict[str, Any]) -> None:
    forms = {form["form"] for form in asset_named(p, entry["asset"])["forms"]}
    position = entry["position"]
    if position["form"] not in forms or not read_account_chain(position["account"], position["form"]):
        raise failed("cell-unknown")


def check_sums(position: dict[str, Any]) -> None:
    """(2) of the register."""
    whole, counted, encumbered, excluded = (
        int(position[name]) for name in ("observed", "counted", "encumbered", "excluded")
    )
    if excluded != whole - counted - encumbered:
        raise failed("position-sum")


def check_evidence(files: Files, entries: list[dict[str, Any]], p: dict[str, Any]) -> None:
    """Step 8."""
    named = {(entry["position"][what], what) for entry in entries for what in ("control", "observation")}
    named -= {("", "control"), ("", "observation")}
    wanted = {f"evidence/{digest}.json" for digest, _ in named}
    if wanted != {name for name in files if name.startswith("evidence/")}:
        raise malformed("evidence is missing, or named by no position", "evidence")
    found: dict[str, Any] = {}
    for digest, what in sorted(named):
        data = files[f"evidence/{digest}.json"]
        try:
            found[digest] = parse(data, 1 << 16)
            (CONTROL if what == "control" else OBSERVATION)(found[digest])
        except Refusal as refusal:
            raise malformed(refusal.note, "evidence") from None
        if H(data).hex() != digest:
            raise malformed("evidence is not called by its digest", "evidence")
        check_letter_members(found[digest])
    for entry in entries:
        position = entry["position"]
        control, observation = found.get(position["control"]), found.get(position["observation"])
        for evidence in (control, observation):
            if evidence and any(evidence.get(n, position[n]) != position[n] for n in ("account", "form")):
                raise failed("evidence-differs")
    for entry in entries:
        check_control(entry["position"], found.get(entry["position"]["control"]))
    for entry in entries:
        check_observation(entry, found.get(entry["position"]["observation"]), p)
    for entry in entries:
        check_sums(entry["position"])


def check_letter_members(evidence: dict[str, Any]) -> None:
    if evidence["type"] == "control" and evidence["scheme"] != "letter" and any(evidence["letter"].values()):
        raise malformed("a letter where the scheme is another", "evidence")


def check_control(position: dict[str, Any], control: dict[str, Any] | None) -> None:
    """(9) of the register, with the one scheme that needs no wallet (challenge, 8)."""
    if control is None:
        if position["class"] != "DECLARED_ONLY" or position["counted"] != "0":
            raise failed("control")
        return
    if control["scheme"] != "letter":
        raise NotImplementedError("the reference judges letters only")
    is_letter = position["account"].startswith("ref:") and all(control["letter"].values())
    if not is_letter or position["class"] != "CUSTODIAN_CONFIRMATION":
        raise failed("control")


def check_observation(entry: dict[str, Any], seen: dict[str, Any] | None, p: dict[str, Any]) -> None:
    """(7) and (9) of the register."""
    position = entry["position"]
    if seen is None:
        if any(position[name] != "0" for name in ("observed", "counted", "encumbered", "excluded")):
            raise failed("observation")
        return
    asset = asset_named(p, entry["asset"])
    form = next(form for form in asset["forms"] if form["form"] == position["form"])
    if int(position["observed"]) != converted_down(int(seen["quantity"]), form["decimals"], asset["decimals"]):
        raise failed("observation")
    chain = chain_of(position["account"])
    anchors = {anchor["chain"]: anchor for anchor in p["anchors"]}
    stands = {"hash": seen["hash"], "height": seen["height"], "time": seen["time"]}
    if chain in anchors and stands != {name: anchors[chain][name] for name in stands}:
        raise failed("observation")
    if chain == "" and (seen["hash"], seen["height"]) != ("", 0):
        raise failed("observation")


def leaf_of(position: dict[str, Any]) -> tree.Leaf:
    holder = tree.position_holder(position["account"], position["form"])
    return tree.Leaf(holder, tree.position_details(position), int(position["counted"]))


def check_trees(entries: list[dict[str, Any]], p: dict[str, Any]) -> None:
    """Step 9, by (10) of the register."""
    for pool in p["pools"]:
        for known in pool["assets"]:
            if known["reserves"]["register"] != "public":
                continue
            mine = [e["position"] for e in entries if (e["pool"], e["asset"]) == (pool["pool"], known["asset"])]
            check_tree(mine, known["reserves"], p, pool["pool"], known["asset"])


def check_tree(
    positions: list[dict[str, Any]], reserves: dict[str, Any], p: dict[str, Any], pool: str, asset: str
) -> None:
    tid = tree.tree_id("R", p["custodian"]["id"], p["snapshot_id"], pool, asset)
    rebuilt = tree.Tree(tid, tree.public_tree_key(tid), [leaf_of(one) for one in positions], reserves["depth"])
    if rebuilt.depth != reserves["depth"] or rebuilt.root.hex() != reserves["root"]:
        raise failed("root-differs")
    if rebuilt.total != int(reserves["total"]):
        raise failed("total-differs")
    classes: Counter[str] = Counter()
    for one in positions:
        classes[one["class"]] += int(one["counted"])
    if {c: n for c, n in classes.items() if n} != {c["class"]: int(c["amount"]) for c in reserves["by_class"]}:
        raise failed("by-class")
    for part in ("encumbered", "excluded"):
        if sum(int(one[part]) for one in positions) != int(reserves[part]):
            raise failed(part)


def check_assurance(reserves: dict[str, Any], least: str) -> None:
    for part in reserves["by_class"]:
        if ASSURANCE.index(part["class"]) > ASSURANCE.index(least):
            raise policy("assurance")


def check_coverage(p: dict[str, Any], least: str) -> None:
    """Step 10 of `public`."""
    cells = [known for pool in p["pools"] for known in pool["assets"]]
    for known in cells:
        if int(known["reserves"]["total"]) < int(known["liabilities"]["total"]):
            raise failed("not-covered")
    for known in cells:
        check_assurance(known["reserves"], least)

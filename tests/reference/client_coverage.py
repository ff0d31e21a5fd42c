"""Vectors of kind `client` about step 10: coverage, rules, and a bundle that is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import policies
from .canonical_json import dump
from .cases import Vector, base, client, statement
from .client_signed import rule
from .edits import all_of, append, drop_file, put, put_file
from .made_up import POSITIONS
from .world import World

REGISTER = policies.BASE.replace('"signed"', '"register"')


def coverage() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return client(name, why, f"{expect} 10", **{"who": "erin", **more})

    short = World(positions=[row for row in POSITIONS if row[2] != "ref:subcustodian-2"])
    yield bad("not-covered", "The pool holds less bitcoin than it owes.", "failed not-covered", world=short)
    surplus = [
        (*row[:4], row[4] * 2, *row[5:]) if row[:2] == ("vault", "BTC") and row[7] == "grace" else row
        for row in POSITIONS
    ]
    netting = World(positions=[row for row in surplus if row[2] != "ref:subcustodian-2"])
    yield bad(
        "not-covered-other-pool-surplus", "Another pool's surplus does not help.", "failed not-covered", world=netting
    )
    rich = [(*row[:4], row[4] * 9, *row[5:]) if row[:2] == ("omni", "ETH") else row for row in POSITIONS]
    netting = World(positions=[row for row in rich if row[2] != "ref:subcustodian-2"])
    yield bad("cross-asset-netting", "Another asset's surplus does not help.", "failed not-covered", world=netting)
    one = [(*row[:4], 268_051_422, *row[5:]) if row[2] == "ref:subcustodian-1.btc" else row for row in POSITIONS]
    yield bad("not-covered-by-one-unit", "One base unit is missing.", "failed not-covered", world=World(positions=one))
    signature = policies.BASE.replace("CUSTODIAN_CONFIRMATION", "KEY_SIGNATURE")
    yield bad("assurance", "Letters where the policy asks for signatures.", "policy assurance", policy=signature)
    failing = put("verdict", "failing")
    for name, pool in (("whole", ""), ("pool", "omni")):
        listed = all_of(append("rules", rule("SEG-02", "FAIL", pool)), sort_rules, failing)
        yield bad(f"rule-fails-{name}", "A rule of severity X fails.", "failed rule-fails", predicate=listed)
    listed = all_of(append("rules", rule("ZZZ-01", "FAIL", "omni")), sort_rules, failing)
    yield bad("rule-fails-unknown", "A rule that is not known has severity X.", "failed rule-fails", predicate=listed)
    yield bad(
        "register-needed",
        "The policy asks for the register, and no bundle is given.",
        "policy register-needed",
        policy=REGISTER,
    )
    whole = bad(
        "register-blinded",
        "A stated cell has no public register.",
        "policy register-needed",
        who="alice",
        policy=REGISTER,
        bundle=lambda _: None,
    )
    yield whole

    def bundle(name: str, why: str, reason: str, edit: Any) -> Vector:
        return bad(f"bundle-{name}", why, reason, bundle=edit)

    yield bundle(
        "manifest-differs",
        "The bundle given is not what was signed.",
        "failed manifest-differs",
        put_file("manifest.json", lambda old: old + b" "),
    )
    yield bundle(
        "file-differs",
        "A file is not what the manifest says.",
        "failed file-differs",
        put_file("register.json", lambda old: old[:-1] + b"]"),
    )
    yield bundle("file-unknown", "A file that is not named.", "malformed file-unknown", put_file("extra.json", b"{}"))
    yield bundle("file-missing", "A file is missing.", "malformed file-missing", drop_file("register.json"))
    other = dump(statement(base(), predicate=put("house_note", "another"))[1])
    yield bundle(
        "other-statement",
        "The bundle is another statement's.",
        "failed statement-differs",
        put_file("statement.json", other),
    )
    yield client(
        "bundle-phantom-reserve",
        "The reserves tree has a leaf that the register does not list.",
        "failed root-differs 10",
        who="erin",
        world=Phantom(),
        bundle=lambda _: None,
    )


def sort_rules(p: dict[str, Any]) -> None:
    p["rules"].sort(key=lambda one: (one["pool"], one["profile"], one["id"]))


class Phantom(World):
    """A reserves leaf without a row in the register."""

    def listed(self) -> list[dict[str, Any]]:
        return [one for one in super().listed() if one["position"]["account"] != "ref:subcustodian-2"]


def vectors() -> Iterator[Vector]:
    yield from coverage()

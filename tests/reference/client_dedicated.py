"""Vectors of kind `client` about step 11: positions dedicated to the client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import policies, tree
from .cases import Vector, base, client
from .edits import append, drop, put
from .made_up import BTC_FORM, POSITIONS, USDC_BASE_FORM, USDC_FORM, VAULT_BTC, VAULT_BTC_2, VAULT_USDC
from .world import World

VAULT = ("vault", "BTC")
BELOW = "failed dedicated-below"
PHANTOM = "eip155:1:0x" + "12" * 20


def registered(account: str, **members: Any) -> World:
    """The base world with members of one account's position altered before the tree is built."""

    def edit(entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if entry["position"]["account"] == account:
                entry["position"].update(members)

    return World(edit_register=edit)


def shown(world: World, *accounts: str) -> Any:
    """An edit that puts these accounts' positions in the file, whoever they are tied to."""
    entries = [one for one in world.entries if one["position"]["account"] in accounts]
    return put("positions", [world.dedicated(one) for one in entries])


def vectors() -> Iterator[Vector]:
    yield from listed()
    yield from judged()
    yield from folded()


def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
    return client(f"dedicated-{name}", why, f"{expect} 11", **{"who": "carol", **more})


def listed() -> Iterator[Vector]:
    yield bad("missing", "An own account is not in the file.", "failed dedicated-missing", proof=drop("positions.1"))
    yield bad(
        "downgrade",
        "The dedicated part is left out of the file.",
        "failed dedicated-missing",
        proof=put("positions", []),
    )
    yield bad(
        "unknown",
        "An account in the file that the client does not know.",
        "failed dedicated-unknown",
        claim=drop("dedicated.0"),
    )
    yield bad("unknown-none-stated", "The client stated none.", "failed dedicated-unknown", claim=put("dedicated", []))
    world = base()
    twice = next(one for one in world.entries if one["position"]["account"] == VAULT_USDC)
    copy = {**world.dedicated(twice), "pool": "omni"}
    both = put("positions", lambda old: [copy, *old])
    yield bad("twice", "One position in two pools of the file.", "failed dedicated-twice", proof=both)
    moved = put("positions.2.pool", "zoo")
    yield bad("pool-unknown", "A pool that was not signed.", "failed cell-unknown", proof=moved)
    yield bad(
        "asset-not-in-pool",
        "An asset that the pool does not have.",
        "failed cell-unknown",
        proof=put("positions.2.asset", "ETH"),
    )
    other = put("positions.2.position.form", "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7")
    yield bad("form-not-listed", "A form that does not count as the asset.", "failed cell-unknown", proof=other)
    other = put("positions.2.position.form", USDC_BASE_FORM)
    yield bad("form-of-other-chain", "A form of another chain than the account's.", "failed cell-unknown", proof=other)
    other = put("positions.0.position.form", USDC_FORM)
    yield bad("form-of-other-asset", "A form of another asset.", "failed cell-unknown", proof=other)


def judged() -> Iterator[Vector]:
    world = registered(VAULT_USDC, segregation="omnibus")
    yield bad("omnibus", "The position is omnibus after all.", "failed not-dedicated", world=world)
    world = registered(VAULT_USDC, excluded="1")
    yield bad("position-sum", "More is excluded than there is.", "failed position-sum", world=world)
    more = registered(VAULT_USDC, observed="49999999999")
    yield bad("position-sum-counted", "More counts than was observed.", "failed position-sum", world=more)
    pledged = registered(VAULT_USDC, encumbered="50000000000")
    yield bad("encumbered-counted", "What is pledged counts.", "failed position-sum", world=pledged)

    def declared(p: dict[str, Any]) -> None:
        reserves = p["pools"][1]["assets"][1]["reserves"]
        reserves["by_class"] = [{"amount": "50000000000", "class": "KEY_SIGNATURE"}]

    world = registered(VAULT_USDC, **{"class": "DECLARED_ONLY"})
    yield bad("declared-only", "What is only declared counts.", "failed declared-only", world=world, predicate=declared)
    for what in ("control", "observation"):
        world = registered(VAULT_USDC, **{what: ""})
        why = f"What counts has no evidence of {what}."
        yield bad(f"{what}-missing", why, "failed evidence-missing", world=world)
    world = registered(VAULT_USDC, **{"class": "CUSTODIAN_CONFIRMATION"})
    letters = policies.BASE.replace("CUSTODIAN_CONFIRMATION", "ONCHAIN_MOVE")

    def lie(p: dict[str, Any]) -> None:
        for pool in p["pools"]:
            for known in pool["assets"]:
                known["reserves"]["by_class"] = [{"amount": known["reserves"]["total"], "class": "KEY_SIGNATURE"}]

    yield bad(
        "assurance",
        "The position's own class is weaker than the policy asks, whatever by_class says.",
        "policy assurance",
        world=world,
        policy=letters,
        predicate=lie,
    )
    grace = base().holder("grace")

    def tied(entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if entry["position"]["account"] == VAULT_BTC:
                blinded = base().tie_blind(VAULT, entry["position"])
                entry["position"]["client_tie"] = tree.client_tie(blinded, grace).hex()

    world = World(edit_register=tied)
    yield bad(
        "tie-of-another",
        "The account is tied to another client.",
        "failed tie-differs",
        world=world,
        proof=shown(world, VAULT_BTC, VAULT_BTC_2, VAULT_USDC),
        claim=put("dedicated", [VAULT_BTC, VAULT_BTC_2, VAULT_USDC]),
    )
    empty = registered(VAULT_USDC, client_tie="")
    yield bad(
        "tie-empty",
        "Tied to nobody.",
        "failed tie-differs",
        world=empty,
        proof=shown(empty, VAULT_BTC, VAULT_BTC_2, VAULT_USDC),
        claim=put("dedicated", [VAULT_BTC, VAULT_BTC_2, VAULT_USDC]),
    )
    yield bad(
        "tie-blind-altered",
        "A tie that does not open.",
        "failed tie-differs",
        proof=put("positions.0.tie_blind", "77" * 32),
    )
    yield client(
        "dedicated-code-missing",
        "Without the code the lines already fail.",
        "failed root-differs 9",
        who="carol",
        claim=put("client_code", ""),
    )


def folded() -> Iterator[Vector]:
    yield bad(
        "path-length",
        "A sibling too many.",
        "malformed path-length",
        proof=append("positions.0.path", ["00" * 32, "0"]),
    )
    yield bad("path-missing", "A sibling is missing.", "malformed path-length", proof=drop("positions.0.path.0"))
    yield bad("index", "An index beyond the tree.", "malformed index", proof=put("positions.0.index", 4))
    big = put("positions.0.path.0.1", str(2**127 - 1))
    yield bad("overflow", "A sum of 2^127 and more.", "failed sum", proof=big)
    one = put("positions.0.path.0.1", lambda old: str(int(old) + 1))
    yield bad("total-differs", "A sibling with one unit more.", "failed total-differs", proof=one)
    yield bad("root-differs", "Another sibling.", "failed root-differs", proof=put("positions.0.path.0.0", "88" * 32))
    yield bad("blind-altered", "Another blind.", "failed root-differs", proof=put("positions.0.blind", "99" * 32))
    control = put("positions.0.position.control", "aa" * 32)
    yield bad("control-altered", "Another control proof than was committed to.", "failed root-differs", proof=control)
    yield bad(
        "phantom-account",
        "An account that no leaf is for.",
        "failed root-differs",
        proof=put("positions.2.position.account", PHANTOM),
        claim=put("dedicated", [VAULT_BTC, VAULT_BTC_2, PHANTOM]),
    )
    short = [(*row[:4], 1_999_999_999, *row[5:]) if row[2] == VAULT_BTC else row for row in POSITIONS]
    more = [(*row[:4], 350_000_001, *row[5:]) if row[2] == "ref:subcustodian-1.grace" else row for row in short]
    yield bad(
        "below",
        "The pool is covered, the client's own accounts are one unit short.",
        "failed dedicated-below",
        world=World(positions=more),
    )
    none = {"proof": put("positions", []), "claim": put("dedicated", [])}
    yield bad("none-stated", "No account is stated, none shown, in a pool of own accounts.", BELOW, **none)
    part = [row for row in POSITIONS if row[2] != VAULT_BTC_2]
    rest = ("vault", "BTC", "ref:subcustodian-9", BTC_FORM, 100_000_000, 0, 0, "")
    yield bad(
        "below-omnibus-rest",
        "Part of the credit stands in an omnibus account.",
        "failed dedicated-below",
        world=World(positions=[*part, rest]),
    )

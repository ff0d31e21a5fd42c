"""Vectors of kind `public` that pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import policies
from .cases import Vector, public, tiny
from .edits import put_file
from .made_up import ASSETS, BEFORE, POOLS, USDC_BASE_FORM, USDC_FORM
from .public_worlds import BANK, BTC, USDC, VAULT_ROW, evidence_less, world
from .world import World


def passed() -> Iterator[Vector]:
    def passes(name: str, why: str, **more: Any) -> Vector:
        return public(name, why, "passed", **more)

    yield passes("plain", "Two cells, three letters, an encumbered and an excluded part.")
    small = list(tiny().positions)
    for count in (1, 2, 3, 5, 9):
        more = [("omni", "USDC", f"ref:bank-{n}", USDC_FORM, 990_000_000 // count + n, 0, 0, "") for n in range(count)]
        depth = {USDC: {1: 0, 3: 0, 5: 4}.get(count, 0)}
        yield passes(
            f"rebuild-{count}",
            f"Anyone rebuilds a register of {count}, with the pads that stand in it.",
            world=world([*small[:2], *more], min_depth=depth),
        )
    yield passes(
        "rebuild-padded",
        "A register of three under a least depth of 7.",
        world=world(min_depth={BTC: 7, USDC: 7}),
    )
    yield passes(
        "rebuild-empty",
        "A cell that owes nothing and holds nothing: one pad.",
        world=world(small[:2], ledger={BTC: tiny().ledger[BTC], USDC: {}}, min_depth={}),
    )
    form = {"decimals": 18, "form": USDC_BASE_FORM}
    wide = [ASSETS[0], {**ASSETS[2], "forms": [ASSETS[2]["forms"][0], form]}]  # type: ignore[index]
    row = ("omni", "USDC", BANK, USDC_BASE_FORM, 10_999_999_999_999_999_999, 0, 0, "")
    yield passes(
        "converted-down",
        "A form of 18 decimals counts as an asset of 6: what is beyond is cut down.",
        world=World(
            ledger=tiny().ledger,
            positions=[*small, row],
            assets=wide,
            pools={"omni": POOLS["omni"]},
            public={BTC, USDC},
        ),
    )
    yield passes(
        "two-pools", "A second pool, whose position is dedicated.", world=world([*small, VAULT_ROW], two_pools=True)
    )
    nothing = world(
        [*small, ("omni", "USDC", "ref:bank-9", USDC_FORM, 5, 0, 5, "")],
        edit_register=evidence_less("ref:bank-9", "control", **{"class": "DECLARED_ONLY"}),
    )
    yield passes("declared-only-apart", "A position without control has a leaf of zero.", world=nothing)
    unseen = world(
        [*small, ("omni", "USDC", "ref:bank-9", USDC_FORM, 0, 0, 0, "")],
        edit_register=evidence_less("ref:bank-9", "observation"),
    )
    yield passes("unobserved-apart", "A position without observation is all zero.", world=unseen)
    blinded = World(
        ledger=tiny().ledger,
        positions=small,
        assets=[ASSETS[0], ASSETS[2]],
        pools={"omni": POOLS["omni"]},
        public={BTC},
    )
    yield passes("blinded-beside", "A cell with a blinded register is not in register.json.", world=blinded)
    none = World(
        ledger=tiny().ledger,
        positions=small,
        assets=[ASSETS[0], ASSETS[2]],
        pools={"omni": POOLS["omni"]},
        public=set(),
    )
    yield passes("register-empty", "No register is public.", world=none)
    yield passes("state-next", "The next statement after the one last seen.", state=BEFORE)
    yield passes(
        "digest-not-typed",
        "Without a typed digest, publication is listed as not checked.",
        policy=policies.BASE.replace('publication = "none"', 'publication = "digest"'),
    )
    yield passes(
        "other-file", "The manifest may name more files.", files=put_file("notes.txt", b"minutes of the board")
    )

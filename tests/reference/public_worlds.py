"""Worlds and mutations of the vectors of kind `public`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .canonical_json import dump, parse
from .cases import tiny
from .edits import Edit
from .made_up import ASSETS, BTC_FORM, LEDGER, POOLS, USDC_BASE_FORM, USDC_FORM, Cell
from .register import order
from .world import World

BTC, USDC = ("omni", "BTC"), ("omni", "USDC")
FIRST, SECOND, BANK = "ref:subcustodian-1.btc", "ref:subcustodian-2", "ref:bank-7.fbo"


def world(
    rows: list[Any] | None = None, ledger: dict[Cell, Any] | None = None, two_pools: bool = False, **more: Any
) -> World:
    """The tiny world with other positions or ledger; with a second pool, `vault`, that owes and holds bitcoin."""
    small = tiny()
    ledger = dict(small.ledger) if ledger is None else ledger
    rows = list(small.positions) if rows is None else rows
    pools = {"omni": POOLS["omni"]}
    if two_pools:
        ledger["vault", "BTC"] = {"grace": LEDGER["vault", "BTC"]["grace"]}
        pools["vault"] = POOLS["vault"]
    return World(
        ledger=ledger,
        positions=rows,
        assets=[ASSETS[0], ASSETS[2]],
        pools=pools,
        public=set(ledger),
        **more,
    )


VAULT_ROW = ("vault", "BTC", "ref:subcustodian-3", BTC_FORM, 350_000_000, 0, 0, "grace")


def position(account: str, **members: Any) -> Callable[[list[dict[str, Any]]], None]:
    """An edit of the register before the tree is built."""

    def edit(entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if entry["position"]["account"] == account:
                entry["position"].update(members)

    return edit


def evidence_edit(account: str, type_: str, edit: Edit) -> Edit:
    def on_evidence(found: dict[str, Any]) -> None:
        if found["account"] == account and found["type"] == type_:
            edit(found)

    return on_evidence


def evidence_less(account: str, what: str, **members: Any) -> Callable[[list[dict[str, Any]]], None]:
    return position(account, **{what: ""}, **members)


def sort_files(found: dict[str, Any]) -> None:
    found["files"].sort(key=lambda one: one["name"])


def in_register(edit: Edit) -> Edit:
    """An edit of register.json alone, before the manifest is signed: the trees stay."""

    def on_files(found: dict[str, bytes]) -> None:
        value = parse(found["register.json"], 1 << 20)
        edit(value)
        found["register.json"] = dump(value)

    return on_files


def dedicated_twin() -> World:
    """What client/dedicated-twin-unseen shows to one client, with both registers public."""
    small = list(tiny().positions)
    twin = ("omni", "BTC", VAULT_ROW[2], BTC_FORM, 350_000_000, 0, 0, "bob")
    return world([*small, twin, VAULT_ROW], two_pools=True)


def swap_evidence(entries: list[dict[str, Any]]) -> None:
    one = entries[0]["position"]
    one["control"], one["observation"] = one["observation"], one["control"]


def one_for_both(entries: list[dict[str, Any]]) -> None:
    entries[0]["position"]["observation"] = entries[0]["position"]["control"]


def converted_up() -> World:
    form = {"decimals": 18, "form": USDC_BASE_FORM}
    wide = [ASSETS[0], {**ASSETS[2], "forms": [ASSETS[2]["forms"][0], form]}]  # type: ignore[index]
    row = ("omni", "USDC", BANK, USDC_BASE_FORM, 10_999_999_999_999_999_999, 0, 0, "")

    def raise_one(entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if entry["position"]["form"] == USDC_BASE_FORM:
                entry["position"].update(observed="11000000", counted="11000000")

    return World(
        ledger=tiny().ledger,
        positions=[*tiny().positions, row],
        assets=wide,
        pools={"omni": POOLS["omni"]},
        public={BTC, USDC},
        edit_register=raise_one,
    )


class Phantom(World):
    """Leaves of these accounts stand in the trees and not in the register."""

    hidden: tuple[str, ...] = (SECOND,)

    def listed(self) -> list[dict[str, Any]]:
        return [one for one in super().listed() if one["position"]["account"] not in self.hidden]


class Extra(World):
    """The register lists a position that no leaf is for."""

    def listed(self) -> list[dict[str, Any]]:
        row = ("omni", "USDC", "ref:bank-9", USDC_FORM, 5, 0, 0, "")
        return sorted([*super().listed(), self._entry(*row, None)], key=order)


class SecretKey(World):
    """A register that says it is public, its tree blinded with the secret key."""

    def _reserves(self, cell: Cell) -> Any:
        self.public -= {cell}
        found = super()._reserves(cell)
        self.public |= {cell}
        return found


def like_tiny(kind: type[World]) -> World:
    small = tiny()
    return kind(
        ledger=small.ledger,
        positions=list(small.positions),
        assets=[ASSETS[0], ASSETS[2]],
        pools={"omni": POOLS["omni"]},
        public={BTC, USDC},
    )


def like_tiny_over(rows: list[Any]) -> World:
    """Positions that no tree can hold, beside the tree of others."""

    class Over(World):
        def listed(self) -> list[dict[str, Any]]:
            return sorted([*(self._entry(*row, None) for row in rows), *super().listed()], key=order)

    return like_tiny(Over)

"""Vectors of kind `client` about steps 6 and 7: lines and amounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .cases import Vector, base, client
from .edits import all_of, append, drop, put
from .made_up import LEDGER, Cell
from .world import World, claims


def vectors() -> Iterator[Vector]:
    yield from lines()
    yield from each_line()


def ledger(cell: Cell, **rows: Any) -> World:
    return World(ledger={**LEDGER, cell: {**LEDGER[cell], **rows}})


def lines() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return client(name, why, f"{expect} 6", **more)

    xrp = {"amount": "1", "asset": "XRP", "debit": "", "pool": ""}
    yield bad("no-balance", "Nothing was stated: nothing is shown.", "usage no-balance", claim=put("balances", []))
    yield bad("pool-needed", "Two pools have the asset.", "usage pool-needed", claim=put("balances.0.pool", ""))
    again = append("balances", {"amount": "1.3", "asset": "BTC", "debit": "", "pool": "omni"})
    yield bad("stated-twice", "One line is stated twice.", "usage stated-twice", claim=again)
    yield bad(
        "line-missing", "A line of the client is left out of the file.", "failed line-missing", proof=drop("lines.0")
    )
    yield bad("lines-empty", "A file without a line.", "failed line-missing", proof=put("lines", []))
    yield bad(
        "line-of-unknown-asset",
        "The statement has no such asset.",
        "failed line-missing",
        claim=append("balances", xrp),
    )
    zero = {"amount": "0", "asset": "BTC", "debit": "", "pool": "vault"}
    yield bad(
        "zero-only-without-line",
        "Nothing but zeros is stated, and no line is there: nothing is shown.",
        "failed line-missing",
        who="frank",
        claim=put("balances", [zero]),
    )
    yield bad(
        "zero-with-debit-without-line",
        "A debit is stated beside the 0.",
        "failed line-missing",
        who="frank",
        claim=append("balances", {**zero, "debit": "0.1"}),
    )
    other = append("balances", {**xrp, "asset": "BTC", "pool": "cold"})
    yield bad("line-of-unknown-pool", "The statement has no such pool.", "failed line-missing", claim=other)
    moved = put("lines.0.pool", "attic")
    stated = put("balances.0.pool", "attic")
    yield bad(
        "cell-unknown",
        "The file has a line of a pool that was not signed.",
        "failed cell-unknown",
        proof=moved,
        claim=stated,
    )
    dropped = put("pools.0.assets", lambda old: old[1:])
    no_exclusions = put("exclusions", [])
    yield bad(
        "cell-dropped",
        "A cell was dropped from the statement.",
        "failed cell-unknown",
        predicate=all_of(dropped, no_exclusions),
    )
    yield bad(
        "unstated-line", "A credit that the client does not know of.", "failed unstated-line", claim=drop("balances.3")
    )
    debt = ledger(("yield", "ETH"), dave={1: (0, 1)})
    only = put("balances", lambda old: [one for one in old if one["pool"] == "omni"])
    yield bad(
        "unstated-debit-line",
        "A debt that the client does not know of.",
        "failed unstated-line",
        who="dave",
        world=debt,
        claim=only,
    )


def each_line() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return client(name, why, f"{expect} 7", **more)

    for code, what in ((4, "staked"), (5, "unbonding"), (8, "lent"), (9, "earn")):
        world = ledger(("omni", "USDC"), frank={1: (0, 0), code: (3, 0)})
        yield bad(
            f"bound-bucket-{what}", f"A {what} bucket in a free pool.", "failed bound-bucket", who="frank", world=world
        )
    world = ledger(("omni", "USDC"), frank={1: (3, 0), 4: (0, 0)})
    yield bad("bound-bucket-zero", "The same at zero.", "failed bound-bucket", who="frank", world=world)
    big = put("lines.1.buckets", [{"bucket": b, "credit": str(2**126), "debit": "0"} for b in (1, 2)])
    yield bad("credits-overflow", "Two credits of 2^126.", "failed sum", who="frank", proof=big)
    big = put("lines.1.buckets", [{"bucket": b, "credit": "0", "debit": str(2**126)} for b in (1, 2)])
    yield bad("debits-overflow", "Two debits of 2^126.", "failed sum", who="frank", proof=big)
    yield bad(
        "amount-differs",
        "Less is in the tree than was typed.",
        "failed amount-differs",
        claim=put("balances.0.amount", "1.30000001"),
    )
    yield bad(
        "amount-differs-above",
        "More is in the tree than was typed.",
        "failed amount-differs",
        claim=put("balances.0.amount", "1.29999999"),
    )
    yield bad(
        "amount-rounded",
        "Rounding up is not cutting.",
        "failed amount-differs",
        claim=put("balances.1.amount", "32.12346"),
    )
    small_row = put("lines.0.buckets", [{"bucket": 1, "credit": "100", "debit": "0"}])
    yield bad("amount-altered-in-file", "The file's own amount is lowered.", "failed amount-differs", proof=small_row)
    yield bad("digits", "Four digits of a balance with 20.", "usage digits", claim=put("balances.1.amount", "32.12"))
    yield bad("digits-five", "Five digits.", "usage digits", claim=put("balances.1.amount", "32.123"))
    dust = put("balances", lambda old: [{**old[0], "amount": "0"}])
    yield bad("digits-zero", "Zero typed for dust.", "usage digits", who="frank", claim=dust)
    for name, text in (
        ("exponent", "1e3"),
        ("comma", "2,500"),
        ("sign", "+2500"),
        ("digit-beyond-scale", "2500.0000000"),
        ("empty", ""),
        ("leading-zero", "02500"),
        ("two-127", str(2**127)),
    ):
        yield bad(
            f"typed-{name}",
            "Not an amount of the asset as people type it.",
            "usage typed-amount",
            claim=put("balances.2.amount", text),
        )
    yield bad(
        "typed-debit", "The same of a debit.", "usage typed-amount", who="bob", claim=put("balances.1.debit", "250,5")
    )
    yield bad(
        "unstated-debit",
        "A debit that the client does not know of.",
        "failed debit-differs",
        who="bob",
        claim=put("balances.1.debit", ""),
    )
    fraction = ledger(("omni", "USDC"), bob={1: (900_250_000, 0), 7: (0, 3)})
    yield bad(
        "unstated-debit-dust",
        "A debit that is not stated is exactly zero: it is not cut.",
        "failed debit-differs",
        who="bob",
        world=fraction,
        claim=put("balances.1.debit", ""),
    )
    yield bad(
        "debit-differs", "Another debit.", "failed debit-differs", who="bob", claim=put("balances.1.debit", "250.5001")
    )
    yield bad(
        "debit-digits", "A debit with too few digits.", "usage digits", who="bob", claim=put("balances.1.debit", "250")
    )
    netted = World(ledger={**LEDGER, ("omni", "USDC"): {**LEDGER["omni", "USDC"], "bob": {1: (649_750_000, 0)}}})
    typed = put("balances", claims(base(), "bob")["balances"])
    yield bad(
        "debit-netted",
        "The debit was taken off the credit.",
        "failed amount-differs",
        who="bob",
        world=netted,
        claim=typed,
    )

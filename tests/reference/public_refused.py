"""Vectors of kind `public` that are refused, but for their evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import policies
from .canonical_json import dump
from .cases import Vector, public, tiny
from .edits import all_of, append, drop_file, put, put_file
from .made_up import ASSETS, BEFORE, BTC_FORM, POOLS, USDC_FORM
from .public_evidence import evidence
from .public_worlds import (
    BANK,
    BTC,
    FIRST,
    SECOND,
    VAULT_ROW,
    Extra,
    Phantom,
    SecretKey,
    dedicated_twin,
    in_register,
    like_tiny,
    like_tiny_over,
    sort_files,
    world,
)
from .signers import OFFICER, STRANGER
from .world import World


def vectors() -> Iterator[Vector]:
    yield from first_steps()
    yield from files()
    yield from register()
    yield from evidence()
    yield from trees()
    yield from coverage()


def first_steps() -> Iterator[Vector]:
    yield public("statement-missing", "No statement.", "malformed file-missing 1", after=drop_file("statement.json"))
    yield public(
        "statement-malformed",
        "A statement with a line break at its end.",
        "malformed - 1",
        after=put_file("statement.json", lambda old: old + b"\n"),
    )
    yield public("trust-from-file", "A forged bundle, signed by a stranger.", "policy quorum 2", keys=(STRANGER,))
    yield public("auditor-missing", "One role of two.", "policy quorum 2", keys=(OFFICER,))
    yield public(
        "structure", "A depth of 49.", "malformed structure 3", predicate=put("pools.0.assets.0.reserves.depth", 49)
    )
    yield public("expired", "After valid_until.", "policy expired 3", at="2026-10-01T00:00:01Z")
    yield public("rollback", "Older than the last one seen.", "policy rollback 4", state={**BEFORE, "sequence": 8})
    yield public("log-missing", "The policy asks for a log.", "policy publication 5", policy=policies.LOGGED)


def files() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return public(name, why, f"{expect} 6", **more)

    yield bad(
        "manifest-differs",
        "Another manifest than was signed.",
        "failed manifest-differs",
        after=put_file("manifest.json", lambda old: old.replace(b'"size":', b'"size":1', 1)),
    )
    yield bad("manifest-missing", "No manifest.", "malformed file-missing", after=drop_file("manifest.json"))
    yield bad(
        "manifest-not-canonical",
        "A signed manifest with a space.",
        "malformed manifest",
        manifested=lambda found: dump(found) + b" ",
    )
    yield bad("manifest-order", "Names descend.", "malformed manifest", manifested=put("files", lambda old: old[::-1]))
    yield bad(
        "manifest-twice", "A name twice.", "malformed manifest", manifested=put("files", lambda old: [old[0], *old])
    )
    itself = append("files", {"name": "statement.json", "sha256": "00" * 32, "size": 1})
    yield bad("manifest-names-statement", "It names the statement.", "malformed manifest", manifested=itself)
    for name, path in (
        ("parent", "../secret.json"),
        ("absolute", "/etc/passwd"),
        ("hidden", ".git"),
        ("inner-parent", "evidence/../x"),
        ("backslash", "evidence\\x"),
        ("capitals", "Register.json"),
        ("five-parts", "a/b/c/d/e"),
        ("slash-at-end", "evidence/"),
    ):
        edit = put("files.0.name", path)
        yield bad(f"name-{name}", "A name that is none.", "malformed manifest", manifested=all_of(edit, sort_files))
    yield bad("file-missing", "A named file is missing.", "malformed file-missing", after=drop_file("register.json"))
    yield bad(
        "register-not-named",
        "The manifest names no register.",
        "malformed file-missing",
        manifested=put("files", lambda old: old[:-1]),
        after=drop_file("register.json"),
    )
    yield bad(
        "file-unknown", "A file that is not named.", "malformed file-unknown", after=put_file("extra.json", b"{}")
    )
    yield bad(
        "evidence-unknown",
        "Evidence that is not named.",
        "malformed file-unknown",
        after=put_file("evidence/" + "0" * 64 + ".json", b"{}"),
    )
    yield bad(
        "file-size",
        "A file is longer than it says.",
        "failed file-differs",
        after=put_file("register.json", lambda old: old + b"\n"),
    )
    yield bad(
        "file-digest",
        "A file of the same length.",
        "failed file-differs",
        after=put_file("register.json", lambda old: old.replace(b"140000000", b"940000000")),
    )
    sized = put("files.0.size", 1)
    yield bad("manifest-size", "A signed size that is wrong.", "failed file-differs", manifested=sized)


def register() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return public(name, why, f"{expect} 7", **more)

    space = put_file("register.json", lambda old: old + b" ")
    yield bad("register-not-canonical", "A register with a space.", "malformed register", files=space)
    yield bad(
        "register-order",
        "Entries descend.",
        "malformed register",
        files=in_register(put("positions", lambda old: old[::-1])),
    )
    twin = in_register(put("positions", lambda old: [old[0], *old]))
    yield bad("register-twin", "An entry twice.", "malformed register", files=twin)
    yield bad(
        "register-unknown-member",
        "An unknown member.",
        "malformed register",
        files=in_register(put("positions.0.position.note", "x")),
    )
    negative = in_register(put("positions.0.position.counted", "-60"))
    yield bad("register-negative", "A negative amount.", "malformed register", files=negative)
    yield bad("register-format-2", "Another format.", "malformed register", files=in_register(put("format", 2)))
    yield bad(
        "cell-unknown",
        "A pool that was not signed.",
        "failed cell-unknown",
        files=in_register(put("positions.2.pool", "zoo")),
    )
    yield bad(
        "cell-unknown-asset",
        "An asset that the pool does not have.",
        "failed cell-unknown",
        files=in_register(put("positions.2.asset", "XRP")),
    )
    blinded = World(
        ledger=tiny().ledger,
        positions=list(tiny().positions),
        assets=[ASSETS[0], ASSETS[2]],
        pools={"omni": POOLS["omni"]},
        public={BTC},
    )
    listed = in_register(append("positions", tiny().listed()[-1]))
    yield bad(
        "blinded-listed",
        "A position of a blinded register is listed.",
        "failed cell-unknown",
        world=blinded,
        files=listed,
    )
    other = in_register(put("positions.2.position.form", "iso4217:USD"))
    yield bad("form-not-listed", "A form that does not count as the asset.", "failed cell-unknown", files=other)
    chain = in_register(put("positions.0.position.account", "eip155:1:0x" + "12" * 20))
    yield bad("form-of-other-chain", "An account of one chain, a form of another.", "failed cell-unknown", files=chain)
    small = list(tiny().positions)
    moved = ("vault", "BTC", FIRST, BTC_FORM, 350_000_000, 0, 0, "grace")
    yield bad(
        "position-in-two-pools",
        "One position counts in two pools.",
        "failed position-twice",
        world=world([*small, moved], two_pools=True),
    )
    token = ("vault", "BTC", BANK, BTC_FORM, 350_000_000, 0, 0, "grace")
    yield bad(
        "account-in-two-pools",
        "One account holds for two pools, in two forms.",
        "failed position-twice",
        world=world([*small, token], two_pools=True),
    )
    yield bad(
        "dedicated-twin",
        "One dedicated account is tied to two clients, each in a pool of their own.",
        "failed position-twice",
        world=dedicated_twin(),
    )


def trees() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return public(name, why, f"{expect} 9", **more)

    yield bad(
        "phantom-reserve",
        "A leaf that no row of the register stands for.",
        "failed root-differs",
        world=like_tiny(Phantom),
    )
    yield bad("row-without-leaf", "A row that no leaf stands for.", "failed root-differs", world=like_tiny(Extra))
    yield bad(
        "secret-key",
        "A register called public whose blinds are not.",
        "failed root-differs",
        world=like_tiny(SecretKey),
    )
    moved = in_register(all_of(put("positions.0.pool", "omni"), put("positions.0.position.segregation", "dedicated")))
    yield bad("register-row-altered", "A row says other than its leaf.", "failed root-differs", files=moved)
    cell = "pools.0.assets.0.reserves."
    yield bad(
        "depth-too-small", "Two leaves in a tree of depth 0.", "failed root-differs", predicate=put(cell + "depth", 0)
    )
    yield bad("depth-too-large", "The root of another depth.", "failed root-differs", predicate=put(cell + "depth", 9))
    more = all_of(put(cell + "total", "145000001"), put(cell + "by_class.0.amount", "145000001"))
    yield bad("total-differs", "One unit more beside the same root.", "failed total-differs", predicate=more)
    yield bad(
        "by-class-word",
        "Letters as signatures.",
        "failed by-class",
        predicate=put(cell + "by_class.0.class", "KEY_SIGNATURE"),
    )
    split = put(
        cell + "by_class",
        [{"amount": "144999999", "class": "CUSTODIAN_CONFIRMATION"}, {"amount": "1", "class": "KEY_SIGNATURE"}],
    )
    yield bad("by-class-split", "One unit moved to a better class.", "failed by-class", predicate=split)
    yield bad(
        "encumbered", "Less is said to be encumbered.", "failed encumbered", predicate=put(cell + "encumbered", "0")
    )
    yield bad("excluded", "Less is said to be excluded.", "failed excluded", predicate=put(cell + "excluded", "0"))
    huge = [("omni", "USDC", f"ref:bank-{n}", USDC_FORM, 2**126, 0, 0, "") for n in (1, 2)]
    yield bad("overflow", "Two positions of 2^126.", "failed sum", world=like_tiny_over(huge))


def coverage() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return public(name, why, f"{expect} 10", **more)

    small = list(tiny().positions)
    yield bad("not-covered", "A pool holds less than it owes.", "failed not-covered", world=world([small[0], small[2]]))
    yield bad(
        "assurance",
        "Letters where the policy asks for signatures.",
        "policy assurance",
        policy=policies.BASE.replace("CUSTODIAN_CONFIRMATION", "KEY_SIGNATURE"),
    )
    rich = [*small, (*VAULT_ROW[:4], 450_000_000, *VAULT_ROW[5:])]
    poor = [row for row in rich if row[2] != SECOND]
    yield bad(
        "not-covered-other-pool-surplus",
        "Another pool's surplus does not help.",
        "failed not-covered",
        world=world(poor, two_pools=True),
    )

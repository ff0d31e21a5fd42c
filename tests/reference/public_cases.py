"""Vectors of kind `public`: a bundle whose positions are controlled by letters, beside a public chain's anchor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import policies
from .canonical_json import dump, parse
from .cases import BEFORE, Vector, public, tiny
from .conventions import H
from .edits import Edit, all_of, append, drop_file, put, put_file
from .register import order
from .signers import OFFICER, STRANGER
from .world import (
    ASSETS,
    BTC_FORM,
    LEDGER,
    POOLS,
    USDC_BASE_FORM,
    USDC_FORM,
    Cell,
    World,
)

BTC, USDC = ("omni", "BTC"), ("omni", "USDC")
FIRST, SECOND, BANK = "ref:subcustodian-1.btc", "ref:subcustodian-2", "ref:bank-7.fbo"


def vectors() -> Iterator[Vector]:
    yield from passed()
    yield from first_steps()
    yield from files()
    yield from register()
    yield from evidence()
    yield from trees()
    yield from coverage()


def world(
    rows: list[Any] | None = None, ledger: dict[Cell, Any] | None = None, two_pools: bool = False, **more: Any
) -> World:
    """The tiny world with other positions or ledger; with a second pool, `reserve`, that owes and holds bitcoin."""
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


def evidence_less(account: str, what: str, **members: Any) -> Callable[[list[dict[str, Any]]], None]:
    return position(account, **{what: ""}, **members)


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
    log = policies.BASE.replace('publication = "none"', 'publication = "log"')
    yield public("log", "A log cannot be checked in this version.", "policy publication 5", policy=log)


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


def sort_files(found: dict[str, Any]) -> None:
    found["files"].sort(key=lambda one: one["name"])


def in_register(edit: Edit) -> Edit:
    """An edit of register.json alone, before the manifest is signed: the trees stay."""

    def on_files(found: dict[str, bytes]) -> None:
        value = parse(found["register.json"], 1 << 20)
        edit(value)
        found["register.json"] = dump(value)

    return on_files


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


def dedicated_twin() -> World:
    """What client/dedicated-twin-unseen shows to one client, with both registers public."""
    small = list(tiny().positions)
    twin = ("omni", "BTC", VAULT_ROW[2], BTC_FORM, 350_000_000, 0, 0, "bob")
    return world([*small, twin, VAULT_ROW], two_pools=True)


def evidence() -> Iterator[Vector]:
    def bad(name: str, why: str, expect: str, **more: Any) -> Vector:
        return public(name, why, f"{expect} 8", **more)

    def altered(name: str, why: str, expect: str, account: str, type_: str, *edits: Edit) -> Vector:
        return bad(name, why, expect, world=world(edit_evidence=evidence_edit(account, type_, all_of(*edits))))

    first = min(name for name in tiny().files() if name.startswith("evidence/"))
    yield bad(
        "evidence-missing",
        "A file that a position names is neither there nor in the manifest.",
        "malformed evidence",
        files=drop_file(first),
    )
    spare = {"x": "of nothing"}
    data = dump(spare)
    name = f"evidence/{H(data).hex()}.json"
    yield bad(
        "evidence-of-nothing", "Evidence that no position names.", "malformed evidence", files=put_file(name, data)
    )
    same = tiny().files()[first].replace(b"ref:", b"ref:x")
    yield bad(
        "evidence-not-called-by-digest",
        "Whole evidence that is called by another digest.",
        "malformed evidence",
        files=put_file(first, same),
    )
    yield altered(
        "evidence-unknown-member", "An unknown member.", "malformed evidence", BANK, "control", put("claim", "00" * 32)
    )
    yield altered(
        "evidence-method",
        "A method that is not known.",
        "malformed evidence",
        BANK,
        "observation",
        put("method", "TRUST"),
    )
    yield altered(
        "evidence-quantity", "A negative quantity.", "malformed evidence", BANK, "observation", put("quantity", "-1")
    )
    swapped = world(edit_register=swap_evidence)
    yield bad("evidence-swapped", "Control and observation in each other's place.", "malformed evidence", world=swapped)
    both = world(edit_register=one_for_both)
    yield bad("evidence-for-both", "One file as control and as observation.", "malformed evidence", world=both)
    yield altered(
        "letter-under-other-scheme",
        "A letter's members where the scheme is another.",
        "malformed evidence",
        BANK,
        "control",
        put("scheme", "eip191"),
    )
    yield altered(
        "evidence-of-other-account",
        "A letter about another account.",
        "failed evidence-differs",
        BANK,
        "control",
        put("account", "ref:bank-8"),
    )
    yield altered(
        "observation-of-other-account",
        "An observation of another account.",
        "failed evidence-differs",
        BANK,
        "observation",
        put("account", "ref:bank-8"),
    )
    yield altered(
        "observation-of-other-form",
        "An observation of another form.",
        "failed evidence-differs",
        BANK,
        "observation",
        put("form", USDC_BASE_FORM),
    )
    yield altered(
        "letter-without-digest",
        "A letter that nobody can ask for.",
        "failed control",
        BANK,
        "control",
        put("letter.sha256", ""),
    )
    yield altered(
        "letter-without-date", "A letter without a date.", "failed control", BANK, "control", put("letter.date", "")
    )
    yield altered(
        "letter-without-issuer", "A letter of nobody.", "failed control", BANK, "control", put("letter.issuer", "")
    )
    for class_ in ("KEY_SIGNATURE", "DECLARED_ONLY"):
        low = class_.lower().replace("_", "-")
        edit = position(
            BANK, **{"class": class_}, **({"counted": "0", "excluded": "990000000"} if low[0] == "d" else {})
        )
        yield bad(
            f"control-class-{low}", f"A letter is not {class_}.", "failed control", world=world(edit_register=edit)
        )
    edit = evidence_less(BANK, "control")
    yield bad("control-missing", "A class without control.", "failed control", world=world(edit_register=edit))
    declared = evidence_less(BANK, "control", **{"class": "DECLARED_ONLY"})

    def hide(p: dict[str, Any]) -> None:
        p["pools"][0]["assets"][1]["reserves"]["by_class"][0]["class"] = "CUSTODIAN_CONFIRMATION"

    yield bad(
        "declared-only-counts",
        "What is only declared counts.",
        "failed control",
        world=world(edit_register=declared),
        predicate=hide,
    )
    edit = evidence_less(BANK, "observation")
    yield bad(
        "observation-missing", "An amount without observation.", "failed observation", world=world(edit_register=edit)
    )
    edit = position(BANK, observed="990000001", counted="990000001")
    yield bad("observed-above", "More is observed than was.", "failed observation", world=world(edit_register=edit))
    edit = position(BANK, observed="989999999", counted="989999999")
    yield bad("observed-below", "Less is observed than was.", "failed observation", world=world(edit_register=edit))
    yield altered(
        "observation-with-block",
        "A block off chain.",
        "failed observation",
        BANK,
        "observation",
        put("height", 25_430_011),
    )
    yield altered(
        "observation-with-hash",
        "A block hash off chain.",
        "failed observation",
        BANK,
        "observation",
        put("hash", "00" * 32),
    )
    up = converted_up()
    yield bad("converted-up", "A form of 18 decimals, rounded up to an asset of 6.", "failed observation", world=up)
    edit = position(BANK, excluded="1")
    yield bad(
        "position-sum", "The parts are more than the whole.", "failed position-sum", world=world(edit_register=edit)
    )
    freed = position(SECOND, counted="35000000")
    yield bad("encumbered-counted", "What is pledged counts.", "failed position-sum", world=world(edit_register=freed))


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


def like_tiny_over(rows: list[Any]) -> World:
    """Positions that no tree can hold, beside the tree of others."""

    class Over(World):
        def listed(self) -> list[dict[str, Any]]:
            return sorted([*(self._entry(*row, None) for row in rows), *super().listed()], key=order)

    return like_tiny(Over)


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

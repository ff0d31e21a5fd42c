"""Vectors of kind `public` about step 8: evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .canonical_json import dump
from .cases import Vector, public, tiny
from .conventions import H
from .edits import Edit, all_of, drop_file, put, put_file
from .made_up import USDC_BASE_FORM
from .public_worlds import (
    BANK,
    SECOND,
    converted_up,
    evidence_edit,
    evidence_less,
    one_for_both,
    position,
    swap_evidence,
    world,
)


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

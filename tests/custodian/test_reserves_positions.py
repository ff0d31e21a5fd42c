"""What of a quantity counts: sums that always hold, whatever the register says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reserveproof.custodian.challenge_record import Challenge, Responses, wallets_of
from reserveproof.custodian.positions import Holding, Secrets, check_codes, judge_positions
from reserveproof.custodian.register_input import RegisterRow
from reserveproof.custodian.reserves import by_cell, reserves_record, reserves_tree
from reserveproof.format.errors import InputError, MalformedError
from reserveproof.format.evidence import Control, Letter
from reserveproof.verifier.fold import Committed
from reserveproof.verifier.hashing import Tree, TreeName
from reserveproof.verifier.hashing import blind as verifier_blind
from reserveproof.verifier.hashing import position_details as verifier_details
from reserveproof.verifier.hashing import position_holder as verifier_holder
from reserveproof.verifier.rebuild import commit

SECRETS = Secrets("acme", "s1", bytes(range(32)))


def row(number: int, **changes: object) -> RegisterRow:
    """A letter's position: its control needs no key."""
    sound = RegisterRow(
        row=number, account=f"ref:bank-{number}", form="iso4217:USD", asset="USD", form_decimals=4, asset_decimals=2,
        pool="trust", owner_class="client", segregation="omnibus", client_id="", client_code="", function="vault",
        opened="", quantity=0, height=0, hash="", time="2026-06-30T00:00:00Z", method="LETTER", source="",
        encumbered=0, encumbrance="", counts="", excluded=0, exclusion_reason="",
    )  # fmt: skip
    return dataclasses.replace(sound, **changes)  # type: ignore[arg-type]


def judged(
    rows: list[RegisterRow], own: Mapping[tuple[str, str, str], int], answered: frozenset[str]
) -> tuple[Holding, ...]:
    challenge = Challenge((), bytes(32), "2026-07-07T00:00:00Z", "acme", "", (), "s1", wallets_of(rows))
    letter = Letter("2026-07-01", "Bank", bytes(31) + b"1")
    controls = tuple(Control(name, letter, "text", "letter", "") for name in sorted(answered))
    return judge_positions(rows, challenge=challenge, responses=Responses(controls), own=own, secrets=SECRETS)


@st.composite
def registers(draw: st.DrawFn) -> list[RegisterRow]:
    rows = []
    for number in range(draw(st.integers(1, 6))):
        quantity = draw(st.integers(0, 10**6))
        encumbered = draw(st.integers(0, quantity))
        excluded = draw(st.integers(0, quantity - encumbered))
        dedicated = draw(st.booleans())
        rows.append(
            row(
                number,
                quantity=quantity,
                encumbered=encumbered,
                encumbrance="pledge" if encumbered else "",
                counts=draw(st.sampled_from(["yes", "no", "apart"])) if encumbered else "",
                excluded=excluded,
                exclusion_reason="disputed" if excluded else "",
                segregation="dedicated" if dedicated else "omnibus",
                client_id=draw(st.sampled_from(["a", "b"])) if dedicated else "",
            )
        )
    return rows


@given(registers(), st.sets(st.integers(0, 5)), st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_sums_hold(rows: list[RegisterRow], answered: set[int], own_a: int, own_b: int) -> None:
    own = {("a", "trust", "USD"): own_a, ("b", "trust", "USD"): own_b}
    holdings = judged(rows, own, frozenset(f"ref:bank-{number}" for number in answered))
    counted = {"a": 0, "b": 0}
    for holding in holdings:
        position, source = holding.position, holding.row
        assert position.observed == source.quantity // 100
        assert position.observed == position.counted + position.encumbered + position.excluded
        assert position.excluded == sum(amount for _, amount in holding.reasons)
        assert min(position.counted, position.encumbered, position.excluded) >= 0
        if int(source.account.rsplit("-", 1)[1]) not in answered:
            assert (position.counted, position.control, position.class_) == (0, None, "DECLARED_ONLY")
        if source.counts != "yes":
            # What another may take or is left out is never rounded in our favour.
            assert position.counted * 100 <= source.quantity - source.encumbered - source.excluded
        if source.segregation == "dedicated":
            counted[source.client_id] += position.counted
            assert position.client_tie is not None
        else:
            assert position.client_tie is None
    assert counted["a"] <= own_a
    assert counted["b"] <= own_b


@pytest.mark.parametrize("kind", ["public", "blinded"])
@given(rows=registers(), min_depth=st.integers(0, 6))
def test_the_verifier_builds_the_same_tree(kind: str, rows: list[RegisterRow], min_depth: int) -> None:
    holdings = judged(rows, {}, frozenset(r.account for r in rows))
    positions = by_cell(h.entry for h in holdings)["trust", "USD"]
    tree = reserves_tree(SECRETS, ("trust", "USD"), positions, register_kind=kind, min_depth=min_depth)
    other = Tree(TreeName(b"R", "acme", "s1", "trust", "USD"))
    key = other.public_key() if kind == "public" else other.secret_key(SECRETS.snapshot_key)
    leaves = []
    for position in positions:
        holder = verifier_holder(position.account, position.form)
        blind = verifier_blind(key, holder)
        leaves.append((other.leaf(blind, holder, verifier_details(position), position.counted), position.counted))
    top = commit(other, key, tree.built.depth, iter(sorted(leaves)))
    assert top == Committed(tree.built.depth, tree.built.root, tree.built.total)
    record = reserves_record(tree.built, positions, register_kind=kind)
    assert sum(entry.amount for entry in record.by_class) == record.total
    for position in positions:
        blind, index, path = tree.inclusion(position)
        node = (other.leaf(blind, verifier_holder(position.account, position.form), verifier_details(position),
                           position.counted), position.counted)  # fmt: skip
        for level, sibling in enumerate(path):
            pair = (sibling, node) if index >> level & 1 else (node, sibling)
            node = other.node(level + 1, *pair)
        assert other.root(tree.built.depth, node) == tree.built.root


def test_a_position_that_is_not_there_has_no_path() -> None:
    (holding,) = judged([row(1, quantity=500)], {}, frozenset({"ref:bank-1"}))
    tree = reserves_tree(SECRETS, ("trust", "USD"), [holding.position], register_kind="public", min_depth=0)
    with pytest.raises(MalformedError, match="not in its reserves tree"):
        tree.inclusion(dataclasses.replace(holding.position, counted=4))


def test_a_code_that_is_not_the_ledgers_is_named() -> None:
    rows = [row(2, segregation="dedicated", client_id="a", client_code="x")]
    check_codes(rows, {"a": "x"}, file="register.csv")
    check_codes(rows, {}, file="register.csv")
    with pytest.raises(InputError, match=r"register\.csv, row 2, column client_code"):
        check_codes(rows, {"a": "y"}, file="register.csv")

"""What a verifier would refuse for its structure is refused, or left out, before anybody signs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from custodian import demo_steps
from custodian.demo_steps import WORLD, attest, challenge
from reserveproof.custodian.demo_config import demo_config
from reserveproof.custodian.register_input import parse_anchors
from reserveproof.custodian.snapshot import LedgerInput, take_ledger
from reserveproof.custodian.workspace import Snapshot, create_workspace
from reserveproof.format.errors import InputError
from reserveproof.format.limits import MAX_ANCHORS


def test_a_control_total_of_nothing_is_not_named(tmp_path: Path) -> None:
    """A general ledger has totals of zero for registered assets that nobody uses."""
    unused = b'[[assets]]\nasset = "EUR"\nkind = "fiat"\nname = "Euro"\ndecimals = 2\n'
    unused += b'forms = [{ form = "iso4217:EUR", decimals = 2 }]\n\n[[pools]]'
    workspace = create_workspace(tmp_path / "w", demo_config().replace(b"[[pools]]", unused, 1))
    totals = WORLD.control_totals_csv() + b"client-trust,EUR,0\n"
    for name, data in (("l.csv", WORLD.ledger_csv()), ("a.csv", WORLD.accounts_csv()), ("t.csv", totals)):
        (tmp_path / name).write_bytes(data)
    with workspace.lock():
        snapshot = demo_steps.open_snapshot(workspace, "s1", WORLD)
        given = LedgerInput((tmp_path / "l.csv",), tmp_path / "a.csv", tmp_path / "t.csv")
        take_ledger(snapshot, workspace.config(), given)
    challenge(snapshot)
    statement = attest(snapshot).statement
    named = {(total.pool, total.asset) for total in statement.ledger.control_totals}
    assert named == {(pool.pool, cell.asset) for pool in statement.pools for cell in pool.assets}
    assert statement.verdict == "clean"


def test_an_old_anchor_is_refused_before_anything_is_frozen(with_ledger: Snapshot) -> None:
    path = with_ledger.path / "anchors.csv"
    path.write_bytes(path.read_bytes() + f"eip155:10,100,{'ab' * 32},2020-01-01T00:00:00Z\n".encode())
    with pytest.raises(InputError, match="more than a day before it"):
        challenge(with_ledger)
    assert not (with_ledger.path / "challenge.json").exists()


def test_one_anchor_too_many_is_refused() -> None:
    rows = [f"eip155:{number},1,{'ab' * 32},2026-01-01T00:00:00Z" for number in range(1, MAX_ANCHORS + 2)]
    header = "chain,height,hash,time"
    assert len(parse_anchors("\n".join([header, *rows[:-1], ""]).encode(), file="anchors.csv")) == MAX_ANCHORS
    with pytest.raises(InputError, match="one more than the 64"):
        parse_anchors("\n".join([header, *rows, ""]).encode(), file="anchors.csv")

"""Faults of the register and the anchors that only show beside each other: `check` names row and column."""

from __future__ import annotations

import datetime as dt

import pytest

from custodian import demo_steps
from reserveproof.custodian import command
from reserveproof.custodian.demo_world import VAULTS
from reserveproof.custodian.workspace import Snapshot
from reserveproof.format.times import format_time, parse_time


def check(snapshot: Snapshot, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    """The problems that check names, as they begin."""
    capsys.readouterr()
    status = command.run(("check", str(snapshot.workspace.path), snapshot.id, *more))
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("hint: ")]
    assert status == (4 if lines else 0)
    names = [line.removeprefix("reserveproof: ").removeprefix("error: ") for line in lines]
    return [name.removeprefix(f"{snapshot.path}/") for name in names]


def edit_anchors(snapshot: Snapshot, chain: str, /, **changes: str) -> None:
    path = snapshot.path / "anchors.csv"
    lines = path.read_text().splitlines()
    columns = lines[0].split(",")
    rows = [dict(zip(columns, line.split(","), strict=True)) for line in lines[1:]]
    rows = [row | changes if row["chain"].startswith(chain) else row for row in rows]
    text = "".join(",".join(row.values()) + "\n" for row in rows if row["chain"])
    path.write_text(lines[0] + "\n" + text)


def test_nothing_is_wrong_with_the_demo(with_ledger: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(with_ledger, capsys) == []


@pytest.mark.parametrize("column", ["height", "hash", "time"])
def test_an_observation_off_the_anchor(with_ledger: Snapshot, capsys: pytest.CaptureFixture[str], column: str) -> None:
    account = demo_steps.account_of("trust-eth-1")
    other = {"height": "7", "hash": "ab" * 32, "time": "2020-01-01T00:00:00Z"}[column]
    demo_steps.edit_register(with_ledger, lambda row: row | {column: other} if row["account"] == account else row)
    found = check(with_ledger, capsys)
    assert found
    for line in found:
        assert (
            line.startswith("register.csv, row ") and f", column {column}: {other!r} is not that of the anchor" in line
        )


def test_a_chain_without_an_anchor_is_named_once(with_ledger: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    edit_anchors(with_ledger, "eip155:1", chain="")
    (line,) = [line for line in check(with_ledger, capsys) if "eip155:1, which has no anchor" in line]
    assert line.startswith("register.csv, row ") and ", column account: " in line


@pytest.mark.parametrize(("seconds", "rule"), [(1, "is after the snapshot"), (-86_401, "is more than 86400 s before")])
def test_an_anchor_away_from_the_as_of(
    with_ledger: Snapshot, capsys: pytest.CaptureFixture[str], seconds: int, rule: str
) -> None:
    time = format_time(parse_time(with_ledger.opened().as_of) + dt.timedelta(seconds=seconds))
    edit_anchors(with_ledger, "bip122", time=time)
    (line,) = [line for line in check(with_ledger, capsys) if line.startswith("anchors.csv")]
    assert line.startswith("anchors.csv, row ") and f", column time: {time!r} {rule}" in line


def test_an_anchor_of_exactly_a_day_before_is_taken(with_ledger: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    time = format_time(parse_time(with_ledger.opened().as_of) - dt.timedelta(seconds=86_400))
    edit_anchors(with_ledger, "bip122", time=time)
    assert not [line for line in check(with_ledger, capsys) if line.startswith("anchors.csv")]


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize(("column", "value"), [("client_id", "nobody"), ("client_code", "ANOTHER")])
def test_a_dedicated_wallet_at_odds_with_the_ledger(
    with_ledger: Snapshot, capsys: pytest.CaptureFixture[str], column: str, value: str, frozen: bool
) -> None:
    demo_steps.edit_register(
        with_ledger, lambda row: row | {column: value} if row["segregation"] == "dedicated" else row
    )
    given: tuple[str, ...] = ()
    if not frozen:
        (with_ledger.path / "ledger.json").unlink()
        ledger = with_ledger.workspace.path.parent / "ledger.csv"
        ledger.write_bytes(demo_steps.WORLD.ledger_csv())
        given = ("--ledger", str(ledger))
    found = check(with_ledger, capsys, *given)
    assert found
    for line in found:
        assert line.partition(", ")[0].endswith("register.csv")
        # A client's code is a secret, also in the error that says that it is wrong.
        assert f", column {column}:{'' if column == 'client_code' else f' {value!r}'} is " in line


def test_a_public_register_that_shows_balances_is_warned_of(
    with_ledger: Snapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a dedicated wallet counts is at most its client's balance, and everyone would read it."""
    path = with_ledger.workspace.config_path
    path.write_text(path.read_text().replace('register = "blinded"', 'register = "public"'))
    assert command.run(("check", str(with_ledger.workspace.path), with_ledger.id)) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "public register" in line]
    assert line.startswith(f"reserveproof: pool {VAULTS} has dedicated wallets and a public register: ")
    assert "balances of 6 clients" in line
    assert 'register = "blinded"' in line
    assert not [client for client in demo_steps.WORLD.clients if client.id in line]

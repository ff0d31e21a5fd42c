"""What an audit must not take for granted: that nothing was lost on the way, that clients are whole, that sums fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from attacks.toolbox import extract_rows, open_world, table, write_audit
from reserveproof.format.errors import InputError
from reserveproof.format.limits import AMOUNT_BOUND
from reserveproof.segregation.published_text import PublishedText
from reserveproof.verifier import audit_ledger, command
from reserveproof.verifier.audit_ledger import AuditTables, JudgedLedger, Means, check_rows, judge_ledger, read_tables
from reserveproof.verifier.audit_sort import SIZES, Map, Sizes, cuts, open_source
from reserveproof.verifier.progress import SILENT

COMMAS = "pool,asset,client_id,client_code,bucket,credit,debit"
TABS = COMMAS.replace(",", "\t")
TINY = Sizes(block=64, chunk=300, clients=250, piece=3)


class Given:
    """Tables of an audit, in a folder of their own."""

    def __init__(self, folder: Path, ledger: list[str], previous: list[str] | None = None) -> None:
        self.folder = folder
        self.ledger, self.previous = self._write("ledger", ledger), self._write("previous", previous)

    def _write(self, name: str, lines: list[str] | None) -> Path | None:
        if lines is None:
            return None
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))
        return self.folder / name

    def read(self, map_: Map = map, sizes: Sizes = SIZES) -> AuditTables:
        return read_tables([self.ledger], None, self.previous, {"BTC": 8}, self._means(map_, sizes))

    def judge(self, tables: AuditTables) -> JudgedLedger:
        return judge_ledger(tables, {}, frozenset(), PublishedText(()), self._means())

    def _means(self, map_: Map = map, sizes: Sizes = SIZES) -> Means:
        folder = self.folder / f"work-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        return Means(folder, map_, SILENT, sizes)


# The earlier ledger


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("credit", ["170141184", "5" * 39, f"{'9' * 39}.{'9' * 30}", "0.5", "0." + "0" * 29 + "1"])
def test_an_earlier_ledger_is_not_scaled(tmp_path, credit, quote):
    """The decimals of its assets are not known: only who had something counts. A quote is for the strict reader."""
    before = [f"{quote}omni{quote},OLD,C9,,available,{credit},{credit}", "omni,OLD,C8,,available,0.00,7"]
    given = Given(tmp_path, [COMMAS, "omni,BTC,C1,,available,1,0"], [COMMAS, *before])
    assert given.judge(given.read()).dropped == ["C9"]


@pytest.mark.parametrize("column", ["credit", "debit"])
@pytest.mark.parametrize("amount", ["", "-1", "1e5", "01", "1.", ".5", "1_0", "0." + "0" * 31, "1" * 81, "x"])
def test_the_form_of_an_earlier_ledger_is_judged(tmp_path, column, amount):
    amounts = f"{amount},0" if column == "credit" else f"0,{amount}"
    given = Given(tmp_path, [COMMAS, "omni,BTC,C1,,available,1,0"], [COMMAS, f"omni,OLD,C9,,available,{amounts}"])
    with pytest.raises(InputError) as refused:
        given.read()
    assert (refused.value.row, refused.value.column) == (2, column)


@pytest.mark.parametrize("amount", [str(AMOUNT_BOUND), "9" * 39])
def test_base_units_of_an_earlier_extract_are_bounded(tmp_path, amount):
    """They are what they are: nothing is scaled."""
    before = ["omni\tOLD\tC9\t\t1\t{}\t0", "omni\tOLD\tC9\t\t2\t1\t0"]
    now = [TABS, "omni\tBTC\tC1\t\t1\t1\t0"]
    given = Given(tmp_path, now, [TABS, *(line.format(AMOUNT_BOUND - 1) for line in before)])
    assert given.judge(given.read()).dropped == ["C9"]
    given = Given(tmp_path, now, [TABS, *(line.format(amount) for line in before)])
    with pytest.raises(InputError):
        given.read()


def without_previous(answer):
    """A chunk's answer that lacks the lines of the earlier ledger."""
    count, parts = answer
    return count, tuple(replace(part, length=0) if "earlier" in part.path else part for part in parts)


def test_a_lost_part_of_the_earlier_ledger_is_a_fault(tmp_path):
    """Who left would not be missed."""
    before = [COMMAS, "omni,BTC,C1,,available,1,0", "omni,BTC,C9,,earn,1,0", "omni,BTC,C8,,earn,0,0"]
    given = Given(tmp_path, [COMMAS, "omni,BTC,C1,,available,1,0"], before)
    tables = given.read()
    assert given.judge(tables).dropped == ["C9"]
    assert tables.previous is not None
    ((part,),) = tables.previous.ranges
    assert part.length == len("C1\t\nC9\t\n")
    for left in ((), (replace(part, length=4),)):
        with pytest.raises(RuntimeError, match="lost"):
            given.judge(replace(tables, previous=replace(tables.previous, ranges=(left,))))
    with pytest.raises(RuntimeError, match="lost"):
        given.judge(given.read(lambda function, tasks: map(without_previous, map(function, tasks))))


# Clients are whole


def test_only_ids_in_their_form_are_cut_at(tmp_path):
    """A tab in one would fall between a client's id and its code."""
    ids = [f"C{number}" for number in range(40)]
    lines = [
        f'omni,BTC,"{name}\tK1x",,available,1,0' if name > "C3" else f"omni,BTC,{name},,available,1,0" for name in ids
    ]
    given = Given(tmp_path, [COMMAS, *lines, f"omni,BTC,{'C' * 129},,available,1,0", "omni,BTC, C,,available,1,0"])
    found = cuts([open_source(given.ledger, tuple(COMMAS.split(",")))], 20)
    assert found
    assert set(found) <= set(ids)
    given = Given(tmp_path, [COMMAS, *(line for line in lines if "\t" in line)])
    assert cuts([open_source(given.ledger, tuple(COMMAS.split(",")))], 20) == ()


@pytest.mark.parametrize("table", ["ledger", "previous"])
def test_a_client_in_two_ranges_is_a_fault(tmp_path, monkeypatch, table):
    """Its two codes, or its rows that stand twice, would not meet."""
    two = [COMMAS, "omni,BTC,C1,K1,available,1,0", "omni,BTC,C1,K2,available,1,0"]
    given = Given(tmp_path, two)
    found = given.judge(given.read())
    with pytest.raises(InputError, match="another client_code"):
        check_rows(given.read(), found)
    if table == "previous":
        given = Given(tmp_path, [COMMAS, "omni,BTC,C1,K2,available,1,0"], [COMMAS, "omni,BTC,C1,,available,1,0"])
    monkeypatch.setattr(audit_ledger, "cuts", lambda *_: ("C1\tK1x",))
    with pytest.raises(RuntimeError, match="two ranges"):
        given.judge(given.read())


def test_ranges_in_another_order_are_a_fault(tmp_path):
    given = Given(tmp_path, [COMMAS, *(f"omni,BTC,C{number},,available,1,0" for number in range(100))])
    tables = given.read(sizes=TINY)
    assert len(tables.ledger.ranges) > 3
    given.judge(tables)
    moved = replace(tables.ledger, ranges=tables.ledger.ranges[1:] + tables.ledger.ranges[:1])
    with pytest.raises(RuntimeError, match="order"):
        given.judge(replace(tables, ledger=moved))


# Sums of a pool and asset


@pytest.mark.parametrize("debit", [AMOUNT_BOUND // 2, AMOUNT_BOUND // 2 - 1])
def test_debits_of_a_pool_and_asset_are_bounded(tmp_path, capsys, debit):
    """docs/spec/extract.md, point 3; no client's own sum is too large."""
    world = open_world()
    two = list({row[2]: row for row in extract_rows(world) if row[:2] == ("omni", "BTC")}.values())[:2]
    changed = [(*row[:6], str(debit)) if row in two else (*row[:6], "0") for row in extract_rows(world)]
    arguments = write_audit(tmp_path, world, ledger=table(tuple(TABS.split("\t")), changed), mac_rows=changed)
    assert command.run([*arguments, "--json"]) == 3
    failed = json.loads(capsys.readouterr().out)
    assert failed["failure"]["reason"] == ("sum" if debit == AMOUNT_BOUND // 2 else "root-differs")

"""What an audit must not take for granted: that nothing was lost on the way, that clients are whole, that sums fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attacks.toolbox import extract_rows, open_world, table, write_audit
from reserveproof.format.errors import InputError
from reserveproof.format.limits import AMOUNT_BOUND
from reserveproof.segregation.published_text import PublishedText
from reserveproof.verifier import command
from reserveproof.verifier.audit_ledger import AuditTables, JudgedLedger, Means, judge_ledger, read_tables
from reserveproof.verifier.audit_sort import SIZES, Map, Sizes
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

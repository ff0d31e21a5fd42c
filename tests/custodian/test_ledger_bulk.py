"""The bulk judgement of a ledger is that of the plain one, row by row, and holds nothing beyond its cap."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ledger_maker
from custodian.test_ledger_import import COLUMNS, DECIMALS, POOLS, csv_of, ledgers, load
from custodian.test_ledger_tables import GOOD, MUTATIONS
from reserveproof.custodian import ledger_engine
from reserveproof.custodian.ledger_arrow import open_parquet
from reserveproof.custodian.ledger_csv import scan
from reserveproof.custodian.ledger_engine import Engine
from reserveproof.custodian.ledger_load import load_lines
from reserveproof.custodian.ledger_rules import LEDGER_COLUMNS, Findings, Grid
from reserveproof.custodian.progress import Advance
from reserveproof.format.amounts import from_typed
from reserveproof.format.errors import InputError, TransportError
from reserveproof.format.vocabulary import BUCKET_CODES

GRID = Grid(POOLS, DECIMALS)
ODD = st.sampled_from(["", " ", "\t", "\n", "é", "１", "\x7f", "\x1f", "~", '"', ",", "A" * 63, "A" * 64, "B" * 127])
TEXTS = st.lists(ODD | st.sampled_from(["a", "b"]), max_size=3).map("".join)
AMOUNTS = st.one_of(
    st.from_regex(r"(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{0,32})?", fullmatch=True),
    st.integers(2**127 - 2, 2**127 + 2).map(lambda n: f"{str(n)[:-8]}.{str(n)[-8:]}"),
    st.integers(2**127 - 2, 2**127 + 2).map(str),
    st.text("0123456789.eE+-_, ", max_size=8),
    st.sampled_from(
        ["0", "00", "0.0", "0." + "0" * 30, "1\n", "１", "NaN", "inf", "1e3", ".5", "5.", "9" * 38, "9" * 39]
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.one_of(st.just("ann"), TEXTS),
            st.sampled_from([*sorted(POOLS)] * 3 + ["trust-c", "Trust-a", "trust-a ", ""]),
            st.sampled_from([*sorted(DECIMALS)] * 3 + ["btc", "BTC ", ""]),
            st.sampled_from([*BUCKET_CODES] * 2 + ["", "1", "Locked"]),
            AMOUNTS,
            st.one_of(st.just(""), TEXTS),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_a_row_is_sound_in_bulk_if_it_is_sound_by_itself(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    """Through Parquet, where any text can stand."""
    values = [(*row[:5], str(number), row[5]) for number, row in enumerate(rows)]
    table = pa.table({name: [value[at] for value in values] for at, name in enumerate(COLUMNS)})
    path = tmp_path / "odd.parquet"
    pq.write_table(table, path)
    with tempfile.TemporaryDirectory(dir=tmp_path) as work, Engine(Path(work), []) as engine:
        load_lines(engine, GRID, [open_parquet(path, LEDGER_COLUMNS)], lambda _done: None)
        columns = "pool, asset, client_id, client_code, bucket, credit"
        found = engine.run(f"SELECT {columns} FROM lines WHERE pool IS NOT NULL")  # noqa: S608
    sound = []
    for value in values:
        record = dict(zip(COLUMNS, value, strict=True))
        if not list(GRID.ledger(record)):
            credit = from_typed(record["credit"], DECIMALS[record["asset"]])
            sound.append((record["pool"], record["asset"], record["client_id"], record["client_code"],
                          record["bucket"], credit))  # fmt: skip
    assert sorted(found) == sorted(sound)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=ledgers(), kinds=st.lists(st.sampled_from(["retail", "operator", ""]), min_size=6, max_size=6))
def test_holders_credits_and_debits_by_type(tmp_path: Path, lines: list[tuple[str, ...]], kinds: list[str]) -> None:
    clients = sorted({line[0] for line in lines})
    kind = {client: kinds[at] for at, client in enumerate(clients) if kinds[at]} | {"~": "retail"}
    (tmp_path / "l.csv").write_bytes(csv_of(lines))
    (tmp_path / "a.csv").write_bytes(
        csv_of([(client, what, "active", "no") for client, what in kind.items()],
               ("client_id", "account_type", "status", "related_party"))
    )  # fmt: skip
    sums: dict[tuple[str, str, str], list[tuple[str, int, int]]] = defaultdict(list)
    for client, pool, asset, _bucket, credit, debit, _code in lines:
        if client in kind:
            both = (from_typed(text, DECIMALS[asset]) for text in (credit, debit))
            sums[pool, asset, kind[client]].append((client, *both))
    facts = load(tmp_path, tmp_path / "l.csv", accounts=tmp_path / "a.csv")[0].facts
    assert facts.by_type == {
        key: (len({row[0] for row in rows if row[1]}), sum(row[1] for row in rows), sum(row[2] for row in rows))
        for key, rows in sums.items()
    }
    assert facts.untagged is not None and facts.untagged.first == tuple(c for c in clients if c not in kind)


@pytest.mark.parametrize("name", MUTATIONS)
def test_an_earlier_extract_is_refused_in_bulk_by_the_same_row(tmp_path: Path, name: str) -> None:
    data, row, words = MUTATIONS[name]
    (tmp_path / "l.csv").write_bytes(csv_of([("ann", "trust-a", "BTC", "available", "1", "0", "")]))
    (tmp_path / "before.tsv").write_bytes(data)
    with pytest.raises(InputError) as caught:
        load(tmp_path, tmp_path / "l.csv", previous=tmp_path / "before.tsv")
    assert (caught.value.row, words in caught.value.rule) == (row, True)
    (tmp_path / "before.tsv").write_bytes(GOOD)
    summary, _ = load(tmp_path, tmp_path / "l.csv", previous=tmp_path / "before.tsv")
    assert summary.previous is not None and summary.previous.rows == GOOD.count(b"\n") - 1


def test_a_double_far_from_its_first_row_is_found(tmp_path: Path) -> None:
    lines = [(f"c{at:06}", "trust-a", "BTC", "available", "1", "0", "") for at in range(70_000)]
    for number in (2, 3):
        again = ("c000001", "trust-a", "BTC", "available", "2", "0", "")
        (tmp_path / "l.csv").write_bytes(csv_of([*lines, *[again] * (number - 1)]))
        with pytest.raises(InputError, match=r"first in .*row 3") as caught:
            load(tmp_path, tmp_path / "l.csv")
        assert caught.value.row == 70_002


class Stages:
    """A Progress that remembers, for each stage, its total and what was said to be done."""

    def __init__(self) -> None:
        self.seen: dict[str, list[int]] = {}

    @contextmanager
    def stage(self, what: str, total: int, unit: str) -> Iterator[Advance]:
        entry = self.seen.setdefault(what, [total, 0])

        def advance(done: int) -> None:
            entry[1] += done

        yield advance


def test_every_stage_tells_all_that_it_does(tmp_path: Path) -> None:
    made = ledger_maker.make(tmp_path / "made", rows=3_000)
    (tmp_path / "before.tsv").write_bytes(GOOD)
    stages = Stages()
    load(
        tmp_path, made.ledger, pools=frozenset(ledger_maker.POOLS), decimals=ledger_maker.DECIMALS,
        accounts=made.accounts, control_totals=made.control_totals, previous=tmp_path / "before.tsv", progress=stages,
    )  # fmt: skip
    assert {total == done > 0 for total, done in stages.seen.values()} == {True}, stages.seen
    assert list(stages.seen) == [
        "reading ledger.csv", "reading accounts.csv", "reading before.tsv", "loading before.tsv", "sorting the ledger",
        "looking for doubles", "comparing clients and accounts", "writing accounts.tsv", "writing extract.tsv",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> ledger_maker.Made:
    return ledger_maker.make(tmp_path_factory.mktemp("wide"), rows=300_000)


def test_what_does_not_fit_is_spilled_into_the_private_directory(
    tmp_path: Path, wide: ledger_maker.Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_engine, "MEMORY", "60MB")
    grid = Grid(frozenset(ledger_maker.POOLS), ledger_maker.DECIMALS)
    table = scan(wide.ledger, LEDGER_COLUMNS, Findings())
    with Engine(tmp_path, [wide.ledger]) as engine:
        assert load_lines(engine, grid, [table], lambda _done: None)
        spilled = engine.run("SELECT path, size FROM duckdb_temporary_files()")
    assert sum(size for _, size in spilled) > 1_000_000
    assert {Path(path).parent for path, _ in spilled} == {tmp_path / "spill"}


def test_no_memory_is_a_transport_error(
    tmp_path: Path, wide: ledger_maker.Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_engine, "MEMORY", "12MB")
    grid = Grid(frozenset(ledger_maker.POOLS), ledger_maker.DECIMALS)
    table = scan(wide.ledger, LEDGER_COLUMNS, Findings())
    with pytest.raises(TransportError, match="working database failed"), Engine(tmp_path, [wide.ledger]) as engine:
        load_lines(engine, grid, [table], lambda _done: None)

"""The extract is a function of the ledger's rows alone, and exact to the last base unit."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ledger_maker
from reserveproof.custodian import ledger_engine
from reserveproof.custodian.ledger import Cell, LedgerSummary, SourceFile, check_ledger, import_ledger
from reserveproof.custodian.ledger_facts import Listed
from reserveproof.format.errors import InputError, TransportError, UsageError
from reserveproof.format.tables import ExtractRow, read_accounts, read_control_totals, read_extract
from reserveproof.format.vocabulary import BUCKET_CODES

COLUMNS = ("client_id", "pool", "asset", "bucket", "credit", "debit", "client_code")
POOLS = frozenset({"trust-a", "trust-b"})
DECIMALS = {"BTC": 8, "ETH": 18, "JPY": 0, "WIDE": 30}
Line = tuple[str, ...]


def csv_of(lines: list[Line], columns: Line = COLUMNS, newline: str = "\n") -> bytes:
    quoted = [
        ",".join('"' + field.replace('"', '""') + '"' if set(field) & set('",') else field for field in line)
        for line in [columns, *lines]
    ]
    return "".join(line + newline for line in quoted).encode()


def load(root: Path, *sources: object, **more: object) -> tuple[LedgerSummary, bytes]:
    out = Path(tempfile.mkdtemp(dir=root))
    arguments: dict[str, object] = {"pools": POOLS, "decimals": DECIMALS, "scratch": root} | more
    summary = import_ledger(sources, out_dir=out, **arguments)  # type: ignore[arg-type]
    return summary, (out / "extract.tsv").read_bytes()


def expected(lines: list[Line], decimals: dict[str, int] = DECIMALS) -> bytes:
    """The extract by plain Python integers, by another way than the code under test."""
    rows = []
    for client, pool, asset, bucket, credit, debit, code in lines:
        units = [Fraction(text) * 10 ** decimals[asset] for text in (credit, debit)]
        assert all(unit.denominator == 1 for unit in units)
        rows.append((pool, asset, client.encode(), BUCKET_CODES[bucket], code, *map(int, units)))
    rows.sort()
    text = "pool\tasset\tclient_id\tclient_code\tbucket\tcredit\tdebit\n"
    for pool, asset, client_bytes, bucket_code, code, credit_units, debit_units in rows:
        text += f"{pool}\t{asset}\t{client_bytes.decode()}\t{code}\t{bucket_code}\t{credit_units}\t{debit_units}\n"
    return text.encode()


@st.composite
def ledgers(draw: st.DrawFn) -> list[Line]:
    printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=20)
    ids = draw(st.lists(printable.filter(lambda text: text == text.strip(" ")), min_size=1, max_size=6, unique=True))
    codes = {client: draw(st.sampled_from(["", "X", 'a"b,c', "ABCDEFGHIJKLMNOPQRST"])) for client in ids}
    keys = draw(
        st.lists(
            st.tuples(
                st.sampled_from(ids),
                st.sampled_from(sorted(POOLS)),
                st.sampled_from(sorted(DECIMALS)),
                st.sampled_from(sorted(BUCKET_CODES)),
            ),
            min_size=1,
            max_size=12,
            unique=True,
        )
    )
    lines = []
    for client, pool, asset, bucket in keys:
        digits = DECIMALS[asset]
        amounts = []
        for _ in range(2):
            # At most 12 rows: every total stays below 2^127.
            units = draw(st.one_of(st.integers(0, 10**9), st.integers(0, 2**123), st.sampled_from([0, 2**64, 2**123])))
            text = str(units).rjust(digits + 1, "0")
            text = f"{text[:-digits]}.{text[-digits:]}" if digits else text
            if "." in text and draw(st.booleans()):
                text = text.rstrip("0").rstrip(".")
            amounts.append(text)
        lines.append((client, pool, asset, bucket, *amounts, codes[client]))
    return lines


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=ledgers(), order=st.permutations(range(7)), newline=st.sampled_from(["\n", "\r\n"]), data=st.data())
def test_the_extract_equals_a_plain_computation(
    tmp_path: Path, lines: list[Line], order: list[int], newline: str, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(lines))
    columns = tuple(COLUMNS[at] for at in order)
    path = tmp_path / "ledger.csv"
    path.write_bytes(csv_of([tuple(line[at] for at in order) for line in shuffled], columns, newline))
    summary, extract = load(tmp_path, path)
    assert extract == expected(lines)
    assert summary.extract_sha256 == hashlib.sha256(extract).hexdigest()
    assert summary.rows == len(lines)
    for (pool, asset), cell in summary.cells.items():
        mine = [line for line in lines if line[1:3] == (pool, asset)]
        assert cell.rows == len(mine)
        assert cell.credit == sum(Fraction(line[4]) * 10 ** DECIMALS[asset] for line in mine)
        assert cell.debit == sum(Fraction(line[5]) * 10 ** DECIMALS[asset] for line in mine)


def rows_of(count: int, seed: int = 7) -> list[Line]:
    rng = random.Random(seed)  # noqa: S311 - test data
    lines = []
    for at in range(count):
        asset = rng.choice(sorted(DECIMALS))
        units, digits = rng.randrange(2 ** rng.choice([1, 40, 90])), DECIMALS[asset]
        text = str(units).rjust(digits + 1, "0")
        credit = f"{text[:-digits]}.{text[-digits:]}" if digits else text
        bucket = rng.choice(sorted(BUCKET_CODES))
        lines.append((f"client {at % 400}", rng.choice(sorted(POOLS)), asset, bucket, credit, "0", f"K{at % 400}"))
    unique = {line[:4]: line for line in lines}
    return list(unique.values())


def parquet_of(lines: list[Line], path: Path, kind: Callable[[list[str]], pa.Array] | None = None) -> Path:
    make = kind or (lambda values: pa.array(values, pa.string()))
    pq.write_table(
        pa.table({name: make([line[at] for line in lines]) for at, name in enumerate(COLUMNS)}),
        path,
        row_group_size=500,
    )
    return path


def test_order_splitting_and_format_do_not_change_the_bytes(tmp_path: Path) -> None:
    lines = rows_of(3000)
    (tmp_path / "one.csv").write_bytes(csv_of(lines))
    _, extract = load(tmp_path, tmp_path / "one.csv")
    assert extract == expected(lines)
    random.Random(3).shuffle(lines)  # noqa: S311 - test data
    (tmp_path / "mixed.csv").write_bytes(csv_of(lines))
    assert load(tmp_path, tmp_path / "mixed.csv")[1] == extract
    parts = []
    for at in range(3):
        (tmp_path / f"part{at}.csv").write_bytes(csv_of(lines[at::3]))
        parts.append(tmp_path / f"part{at}.csv")
    summary, split = load(tmp_path, *parts)
    assert split == extract
    assert [source.rows for source in summary.sources] == [len(lines[at::3]) for at in range(3)]
    assert summary.sources[0] == SourceFile(
        str(parts[0]), hashlib.sha256(parts[0].read_bytes()).hexdigest(), len(lines[0::3])
    )
    for name, kind in (
        ("plain", None),
        ("large", lambda values: pa.array(values, pa.large_string())),
        ("dictionary", lambda values: pa.array(values).dictionary_encode()),
    ):
        assert load(tmp_path, parquet_of(lines, tmp_path / f"{name}.parquet", kind))[1] == extract
    both = [parquet_of(lines[:1000], tmp_path / "a.parquet"), tmp_path / "b.csv"]
    both[1].write_bytes(csv_of(lines[1000:]))
    assert load(tmp_path, *both)[1] == extract


def test_parquet_numbers_count_by_value(tmp_path: Path) -> None:
    def write(credit: pa.Array, asset: str = "JPY") -> Path:
        count = len(credit)
        columns = {name: pa.array(["x"] * count) for name in COLUMNS} | {
            "client_id": pa.array(range(100, 100 + count), pa.int64()),
            "pool": pa.array(["trust-a"] * count),
            "asset": pa.array([asset] * count),
            "bucket": pa.array(["available"] * count),
            "credit": credit,
            "debit": pa.array([0] * count, pa.uint64()),
        }
        pq.write_table(pa.table(columns), tmp_path / "n.parquet")
        return tmp_path / "n.parquet"

    def credit_of(credit: pa.Array, asset: str = "JPY") -> int:
        return load(tmp_path, write(credit, asset))[0].cells["trust-a", asset].credit

    assert credit_of(pa.array([100, 2**64 - 1], pa.uint64())) == 2**64 + 99
    wide = [Decimal("100.000000000000000000"), Decimal("0.000000000000000001"), Decimal("0")]
    assert credit_of(pa.array(wide, pa.decimal128(38, 18)), "ETH") == 10**20 + 1
    cents = pa.array([Decimal("100.50"), Decimal("200.00")], pa.decimal128(12, 2))
    assert credit_of(cents, "BTC") == 30050000000
    whole = pa.array([Decimal("100"), Decimal("2000")], pa.decimal128(12, 0))
    assert credit_of(whole) == 2100
    for bad, rule in (
        (pa.array([1.0]), "float column"),
        (pa.array([b"1"]), "neither text"),
        (pa.array([True]), "neither text"),
        (pa.array([Decimal(1)], pa.decimal256(60, 0)), "neither text nor"),
        (pa.array([None], pa.null()), "neither"),
    ):
        with pytest.raises(InputError, match=rule) as caught:
            load(tmp_path, write(bad))
        assert caught.value.column == "credit"
    for value, row in (
        (pa.array([1, None]), 2),
        (pa.array([1, 2, -3]), 3),
        (cents, 1),
        (pa.array(["1", "2", "１"]), 3),
        (pa.array(["1", "1\n"]), 2),
    ):
        with pytest.raises(InputError) as caught:
            load(tmp_path, write(value))
        assert (caught.value.row, caught.value.column) == (row, "credit")


def test_a_parquet_file_that_lies(tmp_path: Path) -> None:
    lines = rows_of(50)
    good = parquet_of(lines, tmp_path / "good.parquet")
    cases = {
        "cut": good.read_bytes()[:-20],
        "empty": b"",
        "csv": csv_of(lines),
    }
    for name, data in cases.items():
        (tmp_path / f"{name}.parquet").write_bytes(data)
        with pytest.raises(InputError, match="not a readable Parquet"):
            load(tmp_path, tmp_path / f"{name}.parquet")
    table = pq.read_table(good)
    for changed, rule in (
        (table.drop_columns(["debit"]), "is missing"),
        (table.append_column("email", table["pool"]), "not a column"),
        (table.append_column("pool", table["pool"]), "stands twice"),
        (table.slice(0, 0), "has no row"),
    ):
        pq.write_table(changed, tmp_path / "x.parquet")
        with pytest.raises(InputError, match=rule):
            load(tmp_path, tmp_path / "x.parquet")
    bad = [*lines[:7], ("x" * 200, *lines[7][1:])]
    with pytest.raises(InputError) as caught:
        load(tmp_path, parquet_of(bad, tmp_path / "x.parquet"))
    assert (caught.value.row, caught.value.column) == (8, "client_id")
    with pytest.raises(InputError, match="first in") as caught:
        load(tmp_path, parquet_of([*lines[:7], lines[0]], tmp_path / "x.parquet"))
    assert caught.value.row == 8
    assert "row 1" in caught.value.rule
    raw = pa.array([b"a", b"\xff"]).view(pa.string())
    columns = {name: pa.array([line[at] for line in lines[:2]]) for at, name in enumerate(COLUMNS)}
    pq.write_table(pa.table(columns | {"client_code": raw}), tmp_path / "x.parquet")
    with pytest.raises(InputError) as caught:
        load(tmp_path, tmp_path / "x.parquet")
    assert (caught.value.row, caught.value.column) == (2, "client_code")


def test_facts(tmp_path: Path) -> None:
    lines: list[Line] = [
        ("ann", "trust-a", "BTC", "available", "1", "0", ""),
        ("ann", "trust-a", "BTC", "locked", "2", "0", ""),
        ("bob", "trust-a", "BTC", "available", "4", "0", ""),
        ("cal", "trust-a", "BTC", "available", "0", "5", ""),
        ("dee", "trust-b", "JPY", "available", "7", "0", ""),
        ("eve", "trust-a", "BTC", "available", "3", "0", ""),
    ]
    path, accounts, control = tmp_path / "l.csv", tmp_path / "a.csv", tmp_path / "c.csv"
    path.write_bytes(csv_of(lines))
    accounts.write_bytes(
        b"status,client_id,account_type,related_party\nactive,ann,retail,no\nactive,bob,operator,no\n"
        b"dormant,cal,retail,yes\nfrozen,eve,employee,yes\nactive,zoe,retail,no\nclosed,yan,retail,no\n"
    )
    control.write_bytes(b"asset,pool,credit\nJPY,trust-b,7\nBTC,trust-a,9.5\n")
    previous = tmp_path / "previous.tsv"
    previous.write_bytes(
        expected(
            [
                ("ann", "trust-a", "BTC", "available", "1", "0", ""),
                ("gus", "trust-a", "BTC", "available", "1", "0", ""),
                ("hal", "trust-a", "BTC", "available", "0", "0", ""),
                ("yan", "trust-a", "BTC", "available", "9", "0", ""),
                ('q"u,o', "trust-a", "BTC", "available", "9", "0", ""),
            ]
        )
    )
    out = tmp_path / "out"
    out.mkdir()
    summary = import_ledger(
        [path],
        pools=POOLS,
        decimals=DECIMALS,
        accounts=accounts,
        control_totals=control,
        previous=previous,
        out_dir=out,
        scratch=tmp_path,
    )
    assert summary.cells == {
        ("trust-a", "BTC"): Cell(5, 10 * 10**8, 5 * 10**8),
        ("trust-b", "JPY"): Cell(1, 7, 0),
    }
    facts = summary.facts
    assert facts.by_type == {
        ("trust-a", "BTC", "employee"): (1, 3 * 10**8, 0),
        ("trust-a", "BTC", "operator"): (1, 4 * 10**8, 0),
        ("trust-a", "BTC", "retail"): (1, 3 * 10**8, 5 * 10**8),
    }
    assert facts.untagged == Listed(1, ("dee",))
    assert facts.mistagged == Listed(2, ("bob", "cal"))
    assert facts.absent == Listed(1, ("zoe",))
    assert facts.dropped == Listed(2, ("gus", 'q"u,o'))
    assert facts.control == {("trust-a", "BTC"): 950000000, ("trust-b", "JPY"): 7}
    assert summary.previous == SourceFile(str(previous), hashlib.sha256(previous.read_bytes()).hexdigest(), 5)
    with (out / "accounts.tsv").open("rb") as stream:
        assert [row.client_id for row in read_accounts(stream, file="a")] == ["ann", "bob", "cal", "eve", "yan", "zoe"]
    with (out / "control-totals.tsv").open("rb") as stream:
        assert [tuple(row) for row in read_control_totals(stream, file="c")] == [
            ("trust-a", "BTC", 950000000),
            ("trust-b", "JPY", 7),
        ]
    assert summary.accounts_sha256 == hashlib.sha256((out / "accounts.tsv").read_bytes()).hexdigest()
    assert summary.control_totals_sha256 == hashlib.sha256((out / "control-totals.tsv").read_bytes()).hexdigest()
    alone, _ = load(tmp_path, path, previous=previous)
    assert alone.facts.dropped == Listed(3, ("gus", 'q"u,o', "yan"))
    assert (alone.facts.by_type, alone.facts.untagged, alone.facts.control) == (None, None, None)
    bare, _ = load(tmp_path, path)
    assert bare.facts.dropped is None
    assert facts.clients == alone.facts.clients == bare.facts.clients == 5
    previous.write_bytes(previous.read_bytes() + b"x\n")
    with pytest.raises(InputError, match=r"previous\.tsv, row 7"):
        load(tmp_path, path, previous=previous)


def test_lists_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes(
        csv_of([(f"c{at:04}", "trust-a", "BTC", "available", "1", "0", "") for at in range(250)])
    )
    (tmp_path / "a.csv").write_bytes(b"client_id,account_type,status,related_party\nz,retail,active,no\n")
    untagged = load(tmp_path, tmp_path / "l.csv", accounts=tmp_path / "a.csv")[0].facts.untagged
    assert untagged == Listed(250, tuple(f"c{at:04}" for at in range(100)))


def test_a_made_ledger_comes_back_whole(tmp_path: Path) -> None:
    made = ledger_maker.make(tmp_path / "made", rows=20_000, seed=5)
    again = ledger_maker.make(tmp_path / "again", rows=20_000, seed=5)
    assert made.ledger.read_bytes() == again.ledger.read_bytes()
    given: dict[str, object] = {
        "pools": frozenset(ledger_maker.POOLS),
        "decimals": ledger_maker.DECIMALS,
        "accounts": made.accounts,
        "control_totals": made.control_totals,
    }
    summary, extract = load(tmp_path, made.ledger, **given)
    assert {key: (cell.credit, cell.debit) for key, cell in summary.cells.items()} == made.totals
    assert summary.facts.clients == len({line.split(b"\t")[2] for line in extract.splitlines()[1:]})
    assert summary.facts.control == {key: credit for key, (credit, _) in made.totals.items()}
    assert max(cell.credit for cell in summary.cells.values()) > 2**64
    assert extract.count(b"\n") == 20_001
    assert check_ledger([made.ledger], scratch=tmp_path, **given) == ()  # type: ignore[arg-type]


def test_a_small_memory_cap_spills_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ledger_maker.make(tmp_path / "made", rows=60_000)
    given: dict[str, object] = {"pools": frozenset(ledger_maker.POOLS), "decimals": ledger_maker.DECIMALS}
    _, extract = load(tmp_path, made.ledger, **given)
    monkeypatch.setattr(ledger_engine, "MEMORY", "40MB")
    assert load(tmp_path, made.ledger, **given)[1] == extract


def test_the_engine_reads_no_other_file_and_no_python_object(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(b"a,b\n1,2\n")
    work = tmp_path / "work"
    work.mkdir()
    with ledger_engine.Engine(work, []) as engine:
        for sql in (
            f"FROM read_csv('{secret}')",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SELECT * FROM secret",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            "SET memory_limit = '9GB'",
        ):
            with pytest.raises(TransportError):
                engine.run(sql)


def test_the_grid_and_the_scratch_directory_are_judged(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes(csv_of(rows_of(3)))
    for changed in (
        {"pools": frozenset()},
        {"pools": frozenset({"Bad'"})},
        {"decimals": {}},
        {"decimals": {"BTC": 31}},
        {"decimals": {"btc": 1}},
    ):
        with pytest.raises(UsageError):
            load(tmp_path, tmp_path / "l.csv", **changed)
    odd = tmp_path / "a*b"
    odd.mkdir()
    with pytest.raises(UsageError, match="scratch"):
        load(tmp_path, tmp_path / "l.csv", scratch=odd)
    with pytest.raises(TransportError):
        load(tmp_path, tmp_path / "l.csv", scratch=tmp_path / "absent")


def test_the_extract_reads_back(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes(csv_of([("a b", "trust-a", "ETH", "suspense", "1.5", "0.000000000000000001", "")]))
    _, extract = load(tmp_path, tmp_path / "l.csv")
    (tmp_path / "e.tsv").write_bytes(extract)
    with (tmp_path / "e.tsv").open("rb") as stream:
        assert list(read_extract(stream, file="e")) == [ExtractRow("trust-a", "ETH", "a b", "", 10, 15 * 10**17, 1)]

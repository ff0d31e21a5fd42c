"""The audit's sorting and hashing in parts, against the plain way: everything in memory, one row after another."""

from __future__ import annotations

import csv
import hashlib
import io
import random
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks.toolbox import read_strictly
from reserveproof.format.amounts import to_readable
from reserveproof.format.errors import EvidenceError, InputError, TransportError
from reserveproof.format.proof_file import Bucket
from reserveproof.format.tables import AccountRow, ExtractRow, write_accounts, write_extract
from reserveproof.format.vocabulary import BUCKETS
from reserveproof.segregation.published_text import PublishedText
from reserveproof.verifier import audit_sort
from reserveproof.verifier.audit_ledger import (
    Means,
    check_rows,
    extract_digest,
    judge_ledger,
    leaves_of,
    read_tables,
)
from reserveproof.verifier.audit_sort import Sizes
from reserveproof.verifier.audit_trees import build_tree_piece, commit_pieces, pieces_of
from reserveproof.verifier.hashing import Tree, TreeName, blind, client_holder, line_details
from reserveproof.verifier.progress import SILENT
from reserveproof.verifier.rebuild import commit, depth_for

DECIMALS = {"BTC": 8, "ETH": 18, "JPY": 0}
TINY = Sizes(block=64, chunk=300, clients=250, piece=3)
SMALL = Sizes(block=500, chunk=3000, clients=4000, piece=10)
COLUMNS = ("client_id", "pool", "asset", "bucket", "credit", "debit", "client_code")
CLIENTS = ("a", "ab", "a b", "b", 'q"x', "c,d", "~z", "!", "C1", "C10", "C2", "long" + "g" * 120, "m-1", "m-2", "zz.9")
CELLS = [(pool, asset) for pool in ("trust-a", "trust.b") for asset in DECIMALS]
KEYS = {
    cell: (TreeName(b"L", "acme", "s1", *cell), hashlib.sha256(repr(cell).encode()).digest()) for cell in CELLS
}  # fmt: skip
TYPES = ("retail", "institutional", "employee")


@st.composite
def ledgers(draw: st.DrawFn) -> list[ExtractRow]:
    """Rows of the extract in its order."""
    codes = {client: draw(st.sampled_from(["", "K5XW633EMVZGM2LUOQQQ", "x y", 'c"o,de'])) for client in CLIENTS}
    amounts = st.one_of(st.just(0), st.integers(0, 10**6), st.integers(0, 2**120))
    keys = draw(
        st.sets(st.tuples(st.sampled_from(CELLS), st.sampled_from(CLIENTS), st.sampled_from(list(BUCKETS))), min_size=1)
    )
    rows = [
        ExtractRow(*cell, client, codes[client], bucket, draw(amounts), draw(st.sampled_from([0, 0, 7])))
        for cell, client, bucket in keys
    ]
    return sorted(rows, key=lambda row: (*row[:3], row.bucket))


def as_csv(rows: list[ExtractRow], columns: tuple[str, ...] = COLUMNS, end: str = "\n", quoting: int = 0) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end, quoting=quoting)
    writer.writerow(columns)
    for row in rows:
        fields = row._asdict() | {
            "bucket": BUCKETS[row.bucket],
            "credit": to_readable(row.credit, DECIMALS[row.asset]),
            "debit": to_readable(row.debit, DECIMALS[row.asset]),
        }
        writer.writerow([fields[column] for column in columns])
    return out.getvalue().encode()


def as_extract(rows: list[ExtractRow]) -> bytes:
    return b"".join(write_extract(sorted(rows, key=lambda row: (*row[:3], row.bucket))))


class Audited:
    """Steps 13 and 14 over files, in a folder of their own."""

    def __init__(
        self,
        ledger: list[bytes],
        accounts: bytes | None = None,
        previous: bytes | None = None,
        dedicated: frozenset[str] = frozenset(),
        published: tuple[object, ...] = (),
        sizes: Sizes = SMALL,
    ) -> None:
        with tempfile.TemporaryDirectory() as base:
            paths = []
            for number, data in enumerate(ledger):
                paths.append(Path(base) / f"ledger-{number}")
                paths[-1].write_bytes(data)
            beside = [Path(base) / "accounts", Path(base) / "previous"]
            for path, data in zip(beside, (accounts, previous), strict=True):
                if data is not None:
                    path.write_bytes(data)
            scratch = Path(base) / "scratch"
            scratch.mkdir()
            means = Means(scratch, map, SILENT, sizes)
            try:
                tables = read_tables(
                    paths, beside[0] if accounts else None, beside[1] if previous else None, DECIMALS, means
                )
                self.found = judge_ledger(tables, KEYS, dedicated, PublishedText(published), means)
                assert {path.stat().st_mode & 0o777 for path in scratch.iterdir()} == {0o600}
                check_rows(tables, self.found)
                self.ranges = len(tables.ledger.ranges)
                self.digest = extract_digest(self.found, means)
                self.roots = {}
                for cell, (name, key) in KEYS.items():
                    runs = leaves_of(self.found, cell)
                    pieces = [build_tree_piece(piece) for piece in pieces_of(name, runs, sizes.piece)]
                    count = sum(piece.leaves for piece in pieces)
                    self.roots[cell] = commit_pieces(name, key, depth_for(count, 3), count, pieces)
            except InputError as error:
                error.file = Path(error.file).name
                error.message = error.message.replace(f"{base}/", "")
                raise


def leaves_in_memory(rows: list[ExtractRow]) -> dict[tuple[str, str], dict[str, list[ExtractRow]]]:
    cells: dict[tuple[str, str], dict[str, list[ExtractRow]]] = {cell: defaultdict(list) for cell in CELLS}
    for row in rows:
        cells[row.pool, row.asset][row.client_id].append(row)
    return cells


def root_in_memory(cell: tuple[str, str], clients: dict[str, list[ExtractRow]]):
    name, key = KEYS[cell]
    tree = Tree(name)
    leaves = []
    for client, rows in clients.items():
        holder = client_holder(client, rows[0].client_code)
        details = line_details([Bucket(row.bucket, row.credit, row.debit) for row in rows])
        amount = sum(row.credit for row in rows)
        leaves.append((tree.leaf(blind(key, holder), holder, details, amount), amount))
    return commit(tree, key, depth_for(len(leaves), 3), sorted(leaves))


@given(rows=ledgers(), data=st.data())
def test_parts_of_any_size_say_what_the_whole_says(rows, data):
    """Digest, roots, sums, types, samples: for any cut, order, dialect and number of files."""
    accounts = [
        AccountRow(client, data.draw(st.sampled_from(TYPES)), data.draw(st.sampled_from(["active", "closed"])), related)
        for client in sorted(data.draw(st.sets(st.sampled_from([*CLIENTS, "gone", "new"]), min_size=1)))
        for related in [data.draw(st.booleans())]
    ]
    before = data.draw(st.lists(st.sampled_from(rows), min_size=1, unique=True))
    before = [*before, before[0]._replace(client_id="left", credit=1)]
    order = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(order) - 1))
    columns = tuple(data.draw(st.permutations(COLUMNS)))
    end, quoting = data.draw(st.sampled_from(["\n", "\r\n"])), data.draw(st.sampled_from([0, 1]))
    files = [as_csv(order[cut:], columns, end, quoting)] + ([as_extract(order[:cut])] if cut else [])
    dedicated = frozenset(CLIENTS[:4])
    sizes = data.draw(st.sampled_from([TINY, Sizes(block=200, chunk=1000, clients=2000, piece=1), Sizes()]))
    got = Audited(
        files, b"".join(write_accounts(accounts)), as_extract(before), dedicated, ({"text": "seen C10."},), sizes
    )
    assert got.digest == hashlib.sha256(as_extract(rows)).digest()
    found, types = got.found, {account.client_id: account.account_type for account in accounts}
    assert found.rows == len(rows)
    by_type: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    own = {}
    for cell, clients in leaves_in_memory(rows).items():
        assert got.roots[cell] == root_in_memory(cell, clients)
        credits = {client: sum(row.credit for row in its) for client, its in clients.items()}
        debits = {client: sum(row.debit for row in its) for client, its in clients.items()}
        if clients:
            sums = found.sums[cell]
            assert (sums.leaves, sums.holders) == (len(clients), sum(credit > 0 for credit in credits.values()))
            assert (sums.credit, sums.debit) == (sum(credits.values()), sum(debits.values()))
        else:
            assert cell not in found.sums
        for client in clients:
            if client in types:
                its = by_type[*cell, types[client]]
                its[0] += credits[client] > 0
                its[1] += credits[client]
                its[2] += debits[client]
            if client in dedicated:
                own[client, *cell] = credits[client]
    assert {key: [its.holders, its.credit, its.debit] for key, its in found.by_type.items()} == by_type
    assert found.own == own
    present = {row.client_id for row in rows}
    closed = {account.client_id for account in accounts if account.status == "closed"}
    related = {"employee"}
    assert found.untagged == sorted(present - types.keys())
    assert found.absent == sorted(types.keys() - present - closed)
    assert found.mistagged == [a.client_id for a in accounts if a.related_party != (a.account_type in related)]
    assert found.dropped == sorted({row.client_id for row in before if row.credit} - present - closed)
    assert found.direct == (["C10 in text"] if "C10" in present else [])
    assert found.not_searched == len([client for client in present if len(client) < 6 and client[-1] not in "0129"])


def many(count: int, seed: int = 1) -> list[ExtractRow]:
    dice = random.Random(seed)  # noqa: S311 - a repeatable choice
    keys = sorted({(dice.choice(CELLS), f"C{dice.randrange(count // 2)}", dice.randrange(1, 11)) for _ in range(count)})
    dice.shuffle(keys)
    return [
        ExtractRow(*cell, client, f"code-{client}", bucket, dice.randrange(10**9), 0) for cell, client, bucket in keys
    ]


def test_a_ledger_in_many_ranges():
    """Cells of more leaves than a piece holds, clients of more ranges than one."""
    rows = many(3000)
    sizes = Sizes(block=1000, chunk=10_000, clients=5_000, piece=50)
    got = Audited([as_csv(rows)], sizes=sizes)
    assert got.ranges > 20
    assert got.digest == hashlib.sha256(as_extract(rows)).digest()
    assert got.roots == {
        cell: root_in_memory(cell, {client: sorted(its) for client, its in clients.items()})
        for cell, clients in leaves_in_memory(sorted(rows, key=lambda row: row.bucket)).items()
    }


@pytest.mark.parametrize("apart", [1, 300, 590])
@pytest.mark.parametrize("files", [1, 2])
def test_twin_rows_are_named_wherever_they_stand(apart, files):
    rows = many(600)[:500]
    first = 3
    twin = rows[first]._replace(credit=rows[first].credit + 1)
    rows.insert(min(first + apart, len(rows)), twin)
    place = rows.index(twin)
    cut = len(rows) if files == 1 else 251
    ledger = [as_csv(rows[:cut])] + ([as_csv(rows[cut:])] if files == 2 else [])
    with pytest.raises(InputError) as refused:
        Audited(ledger)
    file, number = divmod(place, cut)
    assert (refused.value.file, refused.value.row) == (f"ledger-{file}", number + 2)
    assert refused.value.message.endswith(f"is the same pool, asset, client and bucket as ledger-0 row {first + 2}")


def test_of_several_twins_the_first_of_the_extract_is_named():
    rows = many(600)[:500]
    ordered = sorted(rows, key=lambda row: (*row[:3], row.bucket))
    with pytest.raises(InputError) as refused:
        Audited([as_csv([*rows, ordered[400], ordered[7], ordered[200]])])
    assert refused.value.row == len(rows) + 3
    assert f"as ledger-0 row {rows.index(ordered[7]) + 2}" in refused.value.message


def test_more_than_a_hundred_rows_of_one_key_are_a_refusal_too():
    row = ExtractRow("trust-a", "BTC", "C1", "", 1, 5, 0)
    with pytest.raises(InputError, match=r"row 3: .*as ledger-0 row 2"):
        Audited([as_csv([row] * 400)])


def test_two_codes_of_a_client_in_different_cells_and_files():
    rows = [row._replace(client_id=f"X{row.client_id}") for row in many(600)[:500]]
    rows[10] = ExtractRow("trust-a", "BTC", "A-1", "first", 1, 5, 0)
    rows[20] = ExtractRow("trust-a", "JPY", "A-1", "first", 1, 5, 0)
    other = ExtractRow("trust.b", "ETH", "A-1", "second", 4, 5, 0)
    with pytest.raises(InputError) as refused:
        Audited([as_csv(rows), as_csv([*rows[:0], other])])
    assert (refused.value.file, refused.value.row, refused.value.column) == ("ledger-1", 2, "client_code")
    assert refused.value.message.endswith("has another client_code than ledger-0 row 22")
    assert "second" not in refused.value.message
    Audited([as_csv(rows), as_csv([other._replace(client_code="first")])])


def test_an_account_that_stands_twice():
    rows = many(300)
    accounts = b"".join(write_accounts([AccountRow(f"C{n:03}", "retail", "active", False) for n in range(200)]))
    again = accounts + b"C007\tretail\tclosed\tno\n"
    with pytest.raises(InputError) as refused:
        Audited([as_csv(rows)], again)
    assert (refused.value.file, refused.value.row, refused.value.column) == ("accounts", 202, "client_id")
    Audited([as_csv(rows)], accounts)


DAMAGE = {
    "a sign": lambda line: line.replace(b",available,", b",available,-"),
    "a bucket": lambda line: line.replace(b",available,", b",avail,"),
    "an asset": lambda line: line.replace(b",BTC,", b",DOGE,"),
    "too many decimals": lambda line: line.replace(b",available,", b",available,0.123456789"),
    "2^127": lambda line: line.replace(b",available,", b",available,1" + b"0" * 31),
    "a field more": lambda line: line[:-1] + b",\n",
    "a field less": lambda line: line[:-2] + b"\n" if line.endswith(b",\n") else line.rpartition(b",")[0] + b"\n",
    "an open quote": lambda line: b'"' + line,
    "a line break in quotes": lambda line: line.replace(b"C1", b'"C\n1"'),
    "a byte above ASCII": lambda line: line.replace(b"C1", b"C\xe9"),
    "a lone carriage return": lambda line: line.replace(b"C1", b"C\r1"),
    "a tab": lambda line: line.replace(b"C1", b"C\t1"),
    "a space before": lambda line: b" " + line,
    "an empty line": lambda line: line + b"\n",
    "an empty id": lambda line: line[line.index(b",") :],
    "a long line": lambda line: b"C" * 70_000 + line,
}


@pytest.mark.parametrize("where", [150, 299])
@pytest.mark.parametrize("damage", DAMAGE)
def test_the_first_refused_row_is_named_as_the_strict_reader_names_it(damage, where):
    row = ExtractRow("trust-a", "BTC", "C1", "", 1, 150_000_000, 0)
    lines = as_csv([row._replace(client_id=f"C1{n}") for n in range(300)]).splitlines(keepends=True)
    assert read_strictly(b"".join(lines), file="ledger-0", decimals=DECIMALS)
    for place in {where, 299}:
        lines[place + 1] = DAMAGE[damage](lines[place + 1])
    data = b"".join(lines)
    with pytest.raises(InputError) as strict:
        read_strictly(data, file="ledger-0", decimals=DECIMALS)
    for sizes in (SMALL, Sizes()):
        with pytest.raises(InputError) as refused:
            Audited([data], sizes=sizes)
        assert refused.value.message == strict.value.message
        assert (refused.value.row, refused.value.column) == (strict.value.row, strict.value.column)


@pytest.mark.parametrize(
    "data", [b"", b",".join(c.encode() for c in COLUMNS) + b"\n", as_csv(many(10))[:-1], b"\xef\xbb\xbf"]
)
def test_files_that_are_no_ledger(data):
    with pytest.raises(InputError):
        Audited([as_csv(many(20)), data])


def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "ledger.csv"
    path.write_bytes(as_csv(many(100)))
    means = Means(tmp_path, map, SILENT, TINY)
    cuts = audit_sort.cuts

    def grow(*given):
        with path.open("ab") as file:
            file.write(as_csv(many(10, 2)).split(b"\n", 1)[1])
        return cuts(*given)

    monkeypatch.setattr("reserveproof.verifier.audit_ledger.cuts", grow)
    with pytest.raises(TransportError, match="changed while it was read"):
        read_tables([path], None, None, DECIMALS, means)


def test_a_client_whose_sum_is_too_large_is_handed_on():
    rows = [ExtractRow("trust-a", "JPY", "C1", "", bucket, 2**126, 0) for bucket in (1, 2)]
    with tempfile.TemporaryDirectory() as base:
        path = Path(base) / "l"
        path.write_bytes(as_extract_unchecked(rows))
        means = Means(Path(base), map, SILENT, TINY)
        tables = read_tables([path], None, None, DECIMALS, means)
        found = judge_ledger(tables, KEYS, frozenset(), PublishedText(()), means)
    assert found.too_large == {("trust-a", "JPY")}


def as_extract_unchecked(rows: list[ExtractRow]) -> bytes:
    return ("\n".join(["\t".join(ExtractRow._fields), *("\t".join(map(str, row)) for row in rows)]) + "\n").encode()


# The trees in pieces


@given(count=st.integers(0, 70), seed=st.integers(0, 99), piece=st.integers(1, 80), more=st.integers(0, 3))
def test_every_cut_of_the_leaves_gives_one_root(count, seed, piece, more):
    from reserveproof.verifier.scratch import write_parts

    dice = random.Random(seed)  # noqa: S311 - a repeatable choice
    leaves = sorted((dice.randbytes(32), dice.randrange(2**100)) for _ in range(count))
    name, key = TreeName(b"L", "acme", "s1", "trust-a", "BTC"), b"k" * 32
    whole = commit(Tree(name), key, depth_for(count) + more, leaves)
    runs: list[list[bytes]] = [[], [], []]
    for digest, amount in leaves:
        dice.choice(runs).append(digest + amount.to_bytes(16, "big"))
    with tempfile.TemporaryDirectory() as base:
        parts = write_parts(Path(base) / "runs", map(b"".join, runs))
        built = [build_tree_piece(one) for one in pieces_of(name, parts, piece)]
    assert commit_pieces(name, key, depth_for(count) + more, count, built) == whole
    if count:
        with pytest.raises(EvidenceError) as refused:
            commit_pieces(name, key, depth_for(count) - 1 if count > 1 else 49, count, built)
        assert refused.value.reason == "depth"
        for lost in range(len(built)):
            if built[lost].leaves:
                with pytest.raises(RuntimeError):
                    commit_pieces(name, key, depth_for(count), count, built[:lost] + built[lost + 1 :])


def test_a_leaf_that_stands_twice_is_no_tree():
    from reserveproof.verifier.scratch import write_parts

    name = TreeName(b"L", "acme", "s1", "trust-a", "BTC")
    leaf = b"d" * 32
    with tempfile.TemporaryDirectory() as base:
        parts = write_parts(Path(base) / "runs", [leaf + bytes(16), leaf + bytes(15) + b"\1"])
        with pytest.raises(EvidenceError) as refused:
            build_tree_piece(pieces_of(name, parts, 10)[0])
    assert refused.value.reason == "leaf-order"


# What workers report must add up


def without_a_part(answer):
    """A chunk's answer that lacks the rows of one range."""
    rows, parts = answer
    place = next(number for number, part in enumerate(parts) if part.length)
    return rows, (*parts[:place], parts[place].__class__("", 0, 0), *parts[place + 1 :])


def without_texts(judged):
    judged.texts.popitem()
    return judged


def without_leaves(judged):
    judged.leaves.popitem()
    return judged


def with_a_leaf_more(judged):
    judged.sums[next(iter(judged.sums))].leaves += 1
    return judged


def with_a_row_less(judged):
    judged.rows -= 1
    return judged


@pytest.mark.parametrize(
    ("stage", "lie"),
    [(0, without_a_part), (1, without_texts), (1, without_leaves), (1, with_a_leaf_more), (1, with_a_row_less)],
)
def test_an_answer_that_leaves_something_out_is_a_fault(tmp_path, stage, lie):
    stages = iter((0, 1, 2))

    def lying(function, tasks):
        answers = list(map(function, tasks))
        if next(stages) == stage:
            answers[-1] = lie(answers[-1])
        return iter(answers)

    path = tmp_path / "ledger.csv"
    path.write_bytes(as_csv(many(300)))
    for map_ in (map, lying):
        scratch = tmp_path / map_.__name__
        scratch.mkdir()
        means = Means(scratch, map_, SILENT, SMALL)

        def audit(means=means):
            tables = read_tables([path], None, None, DECIMALS, means)
            found = judge_ledger(tables, KEYS, frozenset(), PublishedText(()), means)
            extract_digest(found, means)
            return [leaves_of(found, cell) for cell in CELLS]

        if map_ is map:
            assert audit()
        else:
            with pytest.raises(RuntimeError):
                audit()

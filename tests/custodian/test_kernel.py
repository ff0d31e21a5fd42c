"""The native kernel against the recursive reference at small sizes, and against the verifier's code at large ones."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_trees import add_rows, needs_kernel, new_cell, nodes_of
from reference import tree as reference
from reference.outcome import Refusal
from reserveproof.custodian import kernel
from reserveproof.custodian.extract_columns import extract_rows
from reserveproof.custodian.tree_hashing import TreeHasher, entry
from reserveproof.format import tables
from reserveproof.format.errors import InputError, UsageError
from reserveproof.format.proof_file import Bucket
from reserveproof.format.tables import ExtractRow
from reserveproof.verifier import hashing, rebuild
from workspace_maker import numbered_entry, some_hasher

pytestmark = needs_kernel
VECTORS = Path(__file__).resolve().parents[2] / "vectors"
LARGE = 100_000

amounts = st.one_of(st.integers(0, 300), st.integers(0, 2**127 - 1), st.sampled_from([2**64 - 1, 2**64, 2**127 - 1]))
texts = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=12)
buckets = st.dictionaries(st.integers(1, 10), st.tuples(amounts, amounts), min_size=1, max_size=4)
ledgers = st.dictionaries(texts.filter(bool), st.tuples(texts, buckets), min_size=1, max_size=12)
Ledger = dict[str, tuple[str, dict[int, tuple[int, int]]]]


def rows_of(ledger: Ledger) -> list[ExtractRow]:
    return [
        ExtractRow("pool", "BTC", client, code, bucket, *own)
        for client, (code, lines) in sorted(ledger.items())
        for bucket, own in sorted(lines.items())
    ]


def leaves_of(ledger: Ledger) -> list[reference.Leaf]:
    return [
        reference.Leaf(
            reference.client_holder(client, code),
            reference.line_details(
                [{"bucket": b, "credit": str(c), "debit": str(d)} for b, (c, d) in sorted(lines.items())]
            ),
            sum(credit for credit, _ in lines.values()),
        )
        for client, (code, lines) in ledger.items()
    ]


def stored(tree: reference.Tree) -> bytes:
    """Every node that is stored, level after level."""
    found = []
    for level in range(tree.depth + 1):
        covering = -(-len(tree.bottom) // 2**level)
        count = 1 if level == tree.depth else covering + covering % 2
        found += [tree.node(level, index) for index in range(count)]
    return b"".join(node.digest + node.sum.to_bytes(16, "big") for node in found)


@given(ledgers, st.integers(0, 7), st.data())
def test_small_ledgers_as_the_reference(tmp_path_factory: Any, ledger: Ledger, min_depth: int, data: Any) -> None:
    hasher, rows = some_hasher(), rows_of(ledger)
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=3))
    cell = new_cell(hasher)
    credits = [sum(credit for credit, _ in lines.values()) for _, lines in ledger.values()]
    debits = [sum(debit for _, debit in lines.values()) for _, lines in ledger.values()]
    folder = tmp_path_factory.getbasetemp()
    if max(sum(credits), sum(debits)) >= 2**127:
        with pytest.raises(ValueError, match="2\\^127") as caught:
            add_rows(cell, rows, folder, cuts)
            cell.finish(min_depth)
        assert caught.value.args[0] == "sum"
        return
    add_rows(cell, rows, folder, cuts)
    wanted = reference.Tree(hasher.tree_id, hasher.tree_key, leaves_of(ledger), min_depth)
    root, total, nodes, depth = nodes_of(cell, min_depth)
    assert (root, total, depth) == (wanted.root, wanted.total, wanted.depth)
    assert nodes == stored(wanted)
    holders = sum(credit > 0 for credit in credits)
    assert cell.summary() == (len(rows), len(ledger), holders, sum(credits), sum(debits))
    assert kernel.native is not None
    fresh = bytearray(len(nodes))
    assert kernel.native.same_nodes(hasher.tree_id, hasher.tree_key, nodes, fresh, len(ledger), depth)
    paths = kernel.native.Paths(hasher.tree_id, bytes(nodes), len(ledger), depth)
    for index in range(len(ledger)):
        leaf, found, path = paths.prove(index)
        assert leaf == nodes[48 * index : 48 * index + 48]
        assert found == root
        assert json.loads(path) == wanted.path(index)
    changed = data.draw(st.integers(0, len(nodes) - 1))
    nodes[changed] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert not kernel.native.same_nodes(hasher.tree_id, hasher.tree_key, nodes, fresh, len(ledger), depth) or (
            # A changed leaf that is alone is its own top node: the root tells it.
            depth == 0
        )
    except ValueError as error:
        assert error.args[0] == "sum"


@given(st.lists(st.integers(0, 40), max_size=14), st.integers(0, 50))
def test_entries_as_the_reference(numbers: list[int], min_depth: int) -> None:
    hasher, cell = some_hasher(), new_cell(some_hasher())
    entries = [numbered_entry(number) for number in numbers]
    leaves = [reference.Leaf(e[:32], e[32:64], int.from_bytes(e[64:], "big")) for e in entries]
    try:
        wanted = reference.Tree(hasher.tree_id, hasher.tree_key, leaves, min_depth)
    except Refusal as refused:
        cell.add_entries(b"".join(entries))
        with pytest.raises(ValueError, match="tree") as caught:
            cell.finish(min_depth)
        assert caught.value.args[0] == refused.reason
        return
    half = len(entries) // 2
    for part in (entries[half:], entries[:half]):
        cell.add_entries(b"".join(part))
    root, total, nodes, _ = nodes_of(cell, min_depth)
    assert (root, total) == (wanted.root, wanted.total)
    assert nodes == stored(wanted) if leaves else nodes == hasher.pad(wanted.depth, 0)


def test_a_large_ledger_as_the_verifier(tmp_path: Path) -> None:
    """Many runs, many tasks, every bucket, amounts of every size: one root with the verifier's own code."""
    rng = random.Random(11)  # noqa: S311 - a made-up ledger
    ledger: Ledger = {}
    for number in range(LARGE):
        lines = {
            bucket: (rng.getrandbits(rng.choice((0, 7, 40, 64, 100))), rng.getrandbits(rng.choice((0, 0, 30))))
            for bucket in rng.sample(range(1, 11), rng.choice((1, 1, 1, 2, 3)))
        }
        ledger[f"C{rng.getrandbits(40):010x}-{number}"] = (f"{rng.getrandbits(60):x}" if number % 3 else "", lines)
    tree = hashing.Tree(hashing.TreeName(b"L", "acme", "s1", "pool", "BTC"))
    key = tree.secret_key(b"\x01" * 32)
    cell = new_cell(TreeHasher(tree.tree_id, key))
    (tmp_path / "x").write_bytes(b"".join(tables.write_extract(rows_of(ledger))))
    runs = list(extract_rows(tmp_path / "x", hashlib.sha256()))
    assert sum(run.count for run in runs) == sum(len(lines) for _, lines in ledger.values())
    for run in runs:
        cell.add_lines(*run.columns)
    root, total, _, depth = nodes_of(cell, 18)
    leaves = []
    for client, (code, lines) in ledger.items():
        holder = hashing.client_holder(client, code)
        buckets = [Bucket(bucket, *own) for bucket, own in sorted(lines.items())]
        amount = sum(bucket.credit for bucket in buckets)
        digest = tree.leaf(hashing.blind(key, holder), holder, hashing.line_details(buckets), amount)
        leaves.append((digest, amount))
    wanted = rebuild.commit(tree, key, 18, rebuild.in_order(leaves))
    assert (root, total, depth) == (wanted.root, wanted.total, wanted.depth)


ROWS = [
    ExtractRow("p", "A", "a", "", 1, 5, 0),
    ExtractRow("p", "A", "b", "c", 1, 7, 0),
    ExtractRow("p", "A", "b", "c", 2, 0, 9),
]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([ROWS[1], ROWS[0]], "order"),
        ([ROWS[2], ROWS[1]], "order"),
        ([ROWS[0], ROWS[0]], "order"),
        ([ROWS[1], ROWS[2]._replace(client_code="d")], "code"),
        ([ROWS[0]._replace(credit=2**127 - 1), ROWS[1]], "sum"),
        ([ROWS[1]._replace(credit=2**127 - 1), ROWS[2]._replace(credit=1)], "sum"),
        ([ROWS[0]._replace(debit=2**127 - 1), ROWS[2]], "sum"),
    ],
)
def test_rows_that_a_reader_of_the_extract_refuses(tmp_path: Path, rows: list[ExtractRow], reason: str) -> None:
    cell = new_cell(some_hasher())
    with pytest.raises(ValueError, match=r"\w") as caught:
        for row in rows:
            add_rows(cell, [row], tmp_path)
        cell.finish(0)
    assert caught.value.args[0] == reason


def test_columns_that_lie_are_refused() -> None:
    """Offsets beyond the text, columns of other lengths, a cut amount: an error, never memory of others."""
    good = [(0).to_bytes(4, "little") + (1).to_bytes(4, "little"), b"a"] * 2 + [b"\x01", bytes(32), bytes(32)]
    new_cell(some_hasher()).add_lines(*good)
    for at, wrong in (
        (0, (0).to_bytes(4, "little") + (2).to_bytes(4, "little")),
        (0, (1).to_bytes(4, "little") + (0).to_bytes(4, "little")),
        (0, b""),
        (0, bytes(12)),
        (2, bytes(7)),
        (4, b"\x01\x01"),
        (5, bytes(31)),
        (6, bytes(64)),
        (5, b"\xff" * 32),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            cell = new_cell(some_hasher())
            cell.add_lines(*good[:at], wrong, *good[at + 1 :])
            cell.finish(0)
    cell = new_cell(some_hasher())
    cell.add_entries(numbered_entry(1))
    depth, counts = cell.finish(0)
    with pytest.raises(ValueError, match="bytes for a tree"):
        cell.write(bytearray(48 * sum(counts) + 1), depth)
    with pytest.raises(BufferError):
        cell.write(bytes(48 * sum(counts)), depth)
    for call in (lambda: new_cell(some_hasher()).add_entries(bytes(79)), lambda: new_cell(some_hasher()).finish(49)):
        with pytest.raises(ValueError, match=r"\w"):
            call()


def test_every_byte_of_an_extract_is_in_its_digest(tmp_path: Path) -> None:
    """Arrow takes 05 and 1E3 for numbers: the digest tells them from what was written."""
    text = b"".join(tables.write_extract(ROWS))
    for data in (text, text.replace(b"\t5\t", b"\t05\t"), text.replace(b"\t9\n", b"\t9E0\n")):
        (tmp_path / "x").write_bytes(data)
        digest = hashlib.sha256()
        assert sum(run.count for run in extract_rows(tmp_path / "x", digest)) == len(ROWS)
        assert digest.digest() == hashlib.sha256(data).digest()


def test_shapes_that_no_tree_has_are_refused() -> None:
    assert kernel.native is not None
    for leaves, depth in ((2**64 - 1, 3), (3, 1), (1, 49), (2**48 + 1, 48)):
        with pytest.raises(ValueError, match="depth"):
            kernel.native.Paths(b"\x01" * 32, b"", leaves, depth)
        with pytest.raises(ValueError, match="depth"):
            kernel.native.same_nodes(b"\x01" * 32, b"\x01" * 32, b"", bytearray(), leaves, depth)
    cell = new_cell(some_hasher())
    cell.add_entries(b"".join(numbered_entry(number) for number in range(3)))
    cell.finish(0)
    with pytest.raises(ValueError, match="depth"):
        cell.write(bytearray(48 * 3), 1)
    room = bytearray(48)
    with pytest.raises(BufferError, match="overlap"):
        kernel.native.same_nodes(b"\x01" * 32, b"\x01" * 32, room, room, 1, 0)


def test_a_book_that_is_being_written_is_not_waited_for() -> None:
    """Its callback runs Python: a second call from there, or from another thread, must not hang."""
    assert kernel.native is not None
    book = kernel.native.Book()

    def allocate(_clients: int, _leaves: int, _records: int) -> tuple[bytearray, bytearray]:
        with pytest.raises(ValueError, match="being written"):
            book.write(allocate)
        return bytearray(), bytearray()

    book.write(allocate)


@pytest.mark.parametrize(
    "body", [b"p\tA\ta\t\t1\t5\n", b"p\tA\ta\t\t1\t5\t0\t0\n", b"p\tA\ta\t\t256\t5\t0\n", b"p\tA\ta\t\t1\tx\t0\n",
             b"p\tA\ta\t\t1\t\t0\n", b"p\tA\ta\t\t1\t" + b"9" * 40 + b"\t0\n"]
)  # fmt: skip
def test_an_extract_that_is_none(tmp_path: Path, body: bytes) -> None:
    header = b"".join(tables.write_extract(ROWS[:1])).splitlines(keepends=True)[0]
    for text in (header + body, body, header[1:] + body):
        (tmp_path / "x").write_bytes(text)
        with pytest.raises(InputError) as caught:
            list(extract_rows(tmp_path / "x", hashlib.sha256()))
        assert caught.value.reason == "damaged"
        assert "p\tA" not in str(caught.value)


def test_vectors_of_lines() -> None:
    """Every holder and every line of the vectors, through a tree of that one leaf."""
    seen = 0
    for path in sorted((VECTORS / "line-details").glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        if case["expect"]["class"] == "passed":
            lines = [(b["bucket"], int(b["credit"]), int(b["debit"])) for b in case["input"]["buckets"]]
            seen += one_leaf("a", "", lines, details=case["expect"]["details"])
    for path in sorted((VECTORS / "holder").glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        if case["expect"]["class"] == "passed" and case["input"]["side"] == "L":
            seen += one_leaf(case["input"]["client_id"], case["input"]["client_code"], holder=case["expect"]["holder"])
    assert seen > 10


def one_leaf(
    client: str, code: str, lines: list[tuple[int, int, int]] | None = None, *, holder: str = "", details: str = ""
) -> int:
    lines, hasher = lines or [(1, 0, 0)], some_hasher()
    if sum(debit for _, _, debit in lines) >= 2**127 or sum(credit for _, credit, _ in lines) >= 2**127:
        return 0
    cell = new_cell(hasher)
    offsets = [n.to_bytes(4, "little") for n in range(0, (len(lines) + 1) * len(client), len(client))]
    codes = [(n * len(code)).to_bytes(4, "little") for n in range(len(lines) + 1)]
    cell.add_lines(
        b"".join(offsets), client.encode() * len(lines), b"".join(codes), code.encode() * len(lines),
        bytes(bucket for bucket, _, _ in lines), b"".join(c.to_bytes(32, "little") for _, c, _ in lines),
        b"".join(d.to_bytes(32, "little") for _, _, d in lines),
    )  # fmt: skip
    wanted_holder = bytes.fromhex(holder) if holder else reference.client_holder(client, code)
    wanted_details = (
        bytes.fromhex(details)
        if details
        else reference.line_details([{"bucket": b, "credit": str(c), "debit": str(d)} for b, c, d in lines])
    )
    leaf = hasher.leaf(entry(wanted_holder, wanted_details, sum(credit for _, credit, _ in lines)))
    assert nodes_of(cell, 0)[2] == leaf
    return 1


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "VERSION", "9.9.9")
    with pytest.raises(UsageError, match=r"needs 9\.9\.9"):
        kernel.checked()

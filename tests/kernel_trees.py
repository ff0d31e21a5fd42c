"""Trees by the native kernel, for tests: from entries, or from ledger rows by way of an extract on the disk."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reserveproof.custodian import kernel
from reserveproof.custodian.extract_columns import extract_rows
from reserveproof.custodian.proof_store import MappedTree
from reserveproof.custodian.tree_builder import BuiltTree
from reserveproof.custodian.tree_hashing import TreeHasher
from reserveproof.format import tables
from reserveproof.format.tables import ExtractRow

needs_kernel = pytest.mark.skipif(kernel.native is None, reason="the native kernel is not installed")
INDEX_KEY = b"\x09" * 32


def new_cell(hasher: TreeHasher) -> Any:
    assert kernel.native is not None
    return kernel.native.Cell(hasher.tree_id, hasher.tree_key, INDEX_KEY)


def finish(cell: Any, hasher: TreeHasher, path: Path, min_depth: int, side: Any = "L") -> BuiltTree:
    """Write a cell's tree to path."""
    depth, counts = cell.finish(min_depth)
    with MappedTree(path, counts, side) as stored:
        root, total = cell.write(stored.nodes, depth)
        built = BuiltTree(depth, cell.summary()[1], root, total)
        stored.finish(hasher.tree_id, built)
    return built


def nodes_of(cell: Any, min_depth: int) -> tuple[bytes, int, bytearray, int]:
    """Root, total, all nodes and depth."""
    depth, counts = cell.finish(min_depth)
    nodes = bytearray(48 * sum(counts))
    root, total = cell.write(nodes, depth)
    return root, total, nodes, depth


def add_rows(cell: Any, rows: Sequence[ExtractRow], folder: Path, cuts: Sequence[int] = ()) -> None:
    """Add the rows of one (pool, asset), in as many calls as they are cut into."""
    for first, end in itertools.pairwise([0, *sorted(cuts), len(rows)]):
        if first == end:
            continue
        path = folder / "extract-of-a-test.tsv"
        path.write_bytes(b"".join(tables.write_extract(rows[first:end])))
        for found in extract_rows(path, hashlib.sha256()):
            cell.add_lines(*found.columns)

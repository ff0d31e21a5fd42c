"""Figures of the native kernel: one tree from lines to nodes, held against OpenSSL's SHA-256 on the same cores.

The bench counts the blocks that docs/spec/sum-tree.md has hashed for these lines, without those that never change
inside a tree (an HMAC's two pads; tag and tree id before a leaf or a node), which need hashing once. Bytes of those
blocks a second, on all cores, for what one OpenSSL stream a core hashes a second, all cores at once, before and after.

hash: lines to leaves, and all levels above them. whole: that, sorting the leaves, and writing into a file that is
mapped (fsync is in the figure of `snapshot`). Both have in them what the kernel does beside: the clients' index keys,
the short forms of lines, and, in hash, comparing the levels.

    PYTHONPATH=tests python -m bench.kernel LEAVES FILE
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import mmap
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from reserveproof.custodian.tree_hashing import NODE_BYTES, TreeName, blinded_key

from . import measure
from .figure import Figure, at_least
from .ground import Ground

HASH = Figure("kernel-hash", "of OpenSSL", at_least(0.55))
WHOLE = Figure("kernel-whole", "of OpenSSL", at_least(0.40))
FIGURES = (HASH, WHOLE)
_BLOCK, _PADDING = 64, 9
_BATCH = 1 << 16
_MIN_DEPTH = 20
_ID, _CODE = 14, 20
Columns = tuple[memoryview, ...]


def take(ground: Ground) -> list[Figure]:
    if importlib.util.find_spec("reserveproof_kernel") is None:
        return [figure.without("the kernel is not installed") for figure in FIGURES]
    runs: list[dict[str, float]] = []
    for number in range(ground.runs):
        ground.say(f"kernel, run {number + 1} of {ground.runs}")
        nodes = ground.scratch / "kernel.nodes"
        runs.append(json.loads(measure.run(["-m", "bench.kernel", str(ground.rows), nodes], ground.scratch).output))
        nodes.unlink()
    middle = sorted(runs, key=lambda run: run["hash"])[len(runs) // 2]
    detail: dict[str, float | str] = {name: value for name, value in middle.items() if name not in ("hash", "whole")}
    return [HASH.of([run["hash"] for run in runs], detail), WHOLE.of([run["whole"] for run in runs])]


def one_tree(leaves: int, file: Path) -> dict[str, float]:
    """Build a tree of so many clients, one row each, into a file; what it took."""
    import reserveproof_kernel

    tree_id = TreeName("bench-custody", "s1", "custody-a", "BTC", "L").tree_id
    key = blinded_key(b"\x07" * 32, tree_id)
    before = openssl()
    cell = reserveproof_kernel.Cell(tree_id, key, b"\x09" * 32)
    adding = 0.0
    coded = 0
    for columns, with_code in batches(leaves):
        coded += with_code
        began = time.perf_counter()
        cell.add_lines(*columns)
        adding += time.perf_counter() - began
    began = time.perf_counter()
    depth, counts = cell.finish(_MIN_DEPTH)
    size = sum(counts) * NODE_BYTES
    with file.open("xb+") as stream:
        os.posix_fallocate(stream.fileno(), 0, size)
        with mmap.mmap(stream.fileno(), size) as nodes:
            cell.write(nodes, depth)
            writing = time.perf_counter() - began
            fresh = bytearray(size)
            began = time.perf_counter()
            if not reserveproof_kernel.same_nodes(tree_id, key, nodes, fresh, leaves, depth):
                raise RuntimeError("the kernel's nodes are not what it computes again")
            levels = time.perf_counter() - began
    stream_rate = (before + openssl()) / 2
    size_hashed = blocks(leaves, coded, counts) * _BLOCK
    return {
        "hash": size_hashed / (adding + levels) / stream_rate,
        "whole": size_hashed / (adding + writing) / stream_rate,
        "leaves": leaves, "blocks_a_leaf": round(size_hashed / _BLOCK / leaves, 2),
        "hash_with_the_constant_blocks": round(
            (size_hashed + constant_blocks(leaves, counts) * _BLOCK) / (adding + levels) / stream_rate, 3
        ),
        "adding_s": round(adding, 3),
        "levels_s": round(levels, 3), "sort_levels_write_s": round(writing, 3),
        "openssl_mb_a_second_a_core": round(stream_rate / cores() / 1e6),
    }  # fmt: skip


def blocks(leaves: int, coded: int, counts: list[int]) -> int:
    """SHA-256 blocks of the spec's formulas: points 3 and 9, padding with them, constant first blocks left out."""

    def needed(length: int) -> int:
        return -(-(length + _PADDING) // _BLOCK)

    holders = coded * needed(32 + 4 + _ID + 4 + _CODE) + (leaves - coded) * needed(32 + 4 + _ID + 4)
    details = leaves * needed(32 + 1 + 33)
    blinds = leaves * (needed(1 + 32) + needed(32))
    digests = leaves * needed(32 + 32 + 32 + 16)
    nodes = sum(counts[1:]) * needed(1 + 2 * NODE_BYTES)
    return holders + details + blinds + digests + nodes


def constant_blocks(leaves: int, counts: list[int]) -> int:
    """The blocks that `blocks` leaves out: two pads and the prefix of each leaf, the prefix of each node."""
    return 3 * leaves + sum(counts[1:])


def batches(leaves: int) -> Iterator[tuple[Columns, int]]:
    """Arrow's columns of so many lines, as the snapshot hands them over; and how many have a client code (3 of 5)."""
    rng = np.random.default_rng(1)
    letters = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", np.uint8)
    for start in range(0, leaves, _BATCH):
        numbers = np.arange(start, min(start + _BATCH, leaves))
        rows = len(numbers)
        # Thirteen digits after a C: ascending as text.
        ids = np.full((rows, _ID), ord("C"), np.uint8)
        for place in range(1, _ID):
            ids[:, place] = ord("0") + numbers // 10 ** (_ID - 1 - place) % 10
        lengths = np.where(numbers % 5 < 3, _CODE, 0)
        credits = np.zeros((rows, 4), np.uint64)
        credits[:, 0] = rng.integers(0, 2**63, rows)
        columns = (
            np.arange(0, (rows + 1) * _ID, _ID, dtype=np.int32),
            ids,
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
            letters[rng.integers(0, 32, int(lengths.sum()))],
            np.ones(rows, np.uint8),
            credits,
            np.zeros((rows, 4), np.uint64),
        )
        yield tuple(np.ascontiguousarray(c).data.cast("B") for c in columns), int((lengths > 0).sum())


def cores() -> int:
    return len(os.sched_getaffinity(0))


def openssl(seconds: float = 1.0) -> float:
    """Bytes a second of SHA-256 by OpenSSL over large buffers, a stream on each core, all at once."""

    def stream(_number: int) -> float:
        data, done = bytes(1 << 24), 0
        state = hashlib.sha256()
        began = time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            state.update(data)  # lets go of the interpreter's lock
            done += len(data)
        return done / took

    with ThreadPoolExecutor(cores()) as pool:
        return sum(pool.map(stream, range(cores())))


if __name__ == "__main__":
    print(json.dumps(one_tree(int(sys.argv[1]), Path(sys.argv[2]))))

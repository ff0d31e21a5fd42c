"""The figure of one path: from a leaf over 24 levels to the signed total and root, by the verifier's fold.py."""

from __future__ import annotations

import hashlib
import time

from reserveproof.verifier.fold import Committed, check_path_shape, compare, fold
from reserveproof.verifier.hashing import Tree, TreeName

from .figure import Figure, at_most
from .ground import Ground

FOLD = Figure("fold", "us", at_most(60))
FIGURES = (FOLD,)
DEPTH, PATHS = 24, 2_000


def take(ground: Ground) -> list[Figure]:
    ground.say(f"fold, {ground.runs} runs of {PATHS} paths")
    runs = [one_run() for _ in range(ground.runs)]
    return [FOLD.of(runs, {"depth": DEPTH, "paths_a_run": PATHS})]


def one_run() -> float:
    """Microseconds a path, the mean over many paths, no two of which share a node: shape, fold, total and root."""
    tree = Tree(TreeName(b"L", "bench-custody", "s1", "custody-a", "BTC"))
    cases = []
    for number in range(PATHS):
        seeds = [hashlib.sha256(b"%d %d" % (number, level)).digest() for level in range(DEPTH + 1)]
        nodes = [(seed, int.from_bytes(seed[:11], "big")) for seed in seeds]  # amounts of some 26 digits
        index = int.from_bytes(seeds[0][-3:], "big")
        top = fold(tree, DEPTH, nodes[0], index, nodes[1:])
        cases.append((nodes[0], index, tuple(nodes[1:]), Committed(DEPTH, tree.root(DEPTH, top), top[1])))
    began = time.perf_counter()
    for leaf, index, path, committed in cases:
        check_path_shape(DEPTH, index, path, "bench")
        compare(tree, committed, fold(tree, DEPTH, leaf, index, path), "bench", "")
    return (time.perf_counter() - began) / PATHS * 1e6

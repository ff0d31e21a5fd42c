"""Figures of the serving set: `prove --all`, every client of a statement at once.

The rate is of the whole command, with fsync. The set's size is what it takes beyond the snapshot's own trees and book.
"""

from __future__ import annotations

import shutil

from . import measure
from .figure import Figure, at_least, at_most
from .ground import Ground
from .snapshots import BOOK, TREES
from .world import SNAPSHOT

RATE = Figure("set-rate", "clients a second", at_least(20_000))
SIZE = Figure("set-size", "bytes a client beside the store", at_most(300))
FIGURES = (RATE, SIZE)


def take(ground: Ground) -> list[Figure]:
    help_text = measure.run(["-m", "reserveproof.custodian", "prove", "--help"], ground.scratch).output
    if "--all" not in help_text:
        return [figure.without("`prove --all` is not there") for figure in FIGURES]
    world = ground.published("large")
    clients = int(world.made.statistics["clients"])
    folder = world.base / "serving"  # the tokens are written beside the set
    target = folder / "set"
    runs: list[measure.Run] = []
    for number in range(ground.runs):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        ground.say(f"serving set, run {number + 1} of {ground.runs}")
        runs.append(world.custodian("prove", world.workspace, SNAPSHOT, "--all", "--to", target))
        ground.say(f"  {clients:,} clients: {runs[-1].wall:.2f} s, {runs[-1].memory / 1e6:.0f} MB")
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    store = sum(path.stat().st_size for kind in (TREES, BOOK) for path in world.ledger_folder.rglob(kind))
    middle = sorted(runs, key=lambda run: run.wall)[len(runs) // 2]
    return [
        RATE.of([clients / run.wall for run in runs], measure.heading(middle) | {"clients": clients}),
        SIZE.of([(size - store) / clients], {"set_mb": round(size / 1e6), "store_mb": round(store / 1e6)}),
    ]

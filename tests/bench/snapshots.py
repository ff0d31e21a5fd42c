"""Figures of `snapshot`: from the ledger as CSV to trees, index and lines on disk, with fsync."""

from __future__ import annotations

from pathlib import Path

from . import measure
from .figure import Figure, at_most
from .ground import Ground

TIME = Figure("snapshot-time", "B", at_most(4))
MEMORY = Figure("snapshot-memory", "GB", at_most(3))
DISK = Figure("snapshot-disk", "bytes a leaf", at_most(160))
GROWTH = Figure("snapshot-growth", "times", at_most(12.5))
FIGURES = (TIME, MEMORY, DISK, GROWTH)
TREES, BOOK, EXTRACT = "*.tree", "*.book", "extract.tsv"


def take(ground: Ground) -> list[Figure]:
    large: list[measure.Run] = []
    small: list[measure.Run] = []
    baselines: list[float] = []
    for number in range(ground.runs):
        ground.say(f"snapshot, run {number + 1} of {ground.runs}")
        baselines.append(ground.run_baseline())
        large.append(ground.opened("large").take())
        ground.say(f"  {ground.rows:,} lines: {large[-1].wall:.2f} s, {large[-1].memory / 1e6:.0f} MB")
        small.append(ground.opened("small").take())
    world = ground.opened_last("large")
    return [
        in_baselines(TIME, large, baselines),
        memory(MEMORY, large),
        disk(world.ledger_folder, world.leaves()),
        growth(GROWTH, large, small),
    ]


def in_baselines(figure: Figure, runs: list[measure.Run], baselines: list[float]) -> Figure:
    """Time as a multiple of B. Each run is held against the baseline that was run beside it."""
    ratios = [run.wall / b for run, b in zip(runs, baselines, strict=True)]
    return figure.of(ratios, measure.heading(_middle(runs)) | {"b_s": _median(baselines)})


def memory(figure: Figure, runs: list[measure.Run]) -> Figure:
    """Anonymous memory of all processes, in GB of 10^9 bytes."""
    return figure.of([run.memory / 1e9 for run in runs])


def growth(figure: Figure, large: list[measure.Run], small: list[measure.Run]) -> Figure:
    """Time over the whole ledger for the time over a tenth of it."""
    ratios = [one.wall / tenth.wall for one, tenth in zip(large, small, strict=True)]
    return figure.of(ratios, {"tenth_s": _median([run.wall for run in small])})


def disk(ledger: Path, leaves: int) -> Figure:
    """Bytes a leaf of what proofs are made from: trees, and the book of clients (index and lines). The canonical
    extract is what the auditor is given; it counts where there is no book, so that it is what lines are read from."""
    sizes = {kind: sum(path.stat().st_size for path in ledger.rglob(kind)) for kind in (TREES, BOOK, EXTRACT)}
    store = sizes[TREES] + (sizes[BOOK] or sizes[EXTRACT])
    detail: dict[str, float | str] = {kind: round(size / leaves, 1) for kind, size in sizes.items()}
    return DISK.of([store / leaves], {"leaves": leaves} | detail)


def _middle(runs: list[measure.Run]) -> measure.Run:
    return sorted(runs, key=lambda run: run.wall)[len(runs) // 2]


def _median(values: list[float]) -> float:
    return round(sorted(values)[len(values) // 2], 3)

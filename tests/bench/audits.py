"""Figures of `audit`: everything rebuilt from the custodian's own CSV and the snapshot key."""

from __future__ import annotations

import json

from . import measure
from .figure import Figure, at_most
from .ground import Ground
from .snapshots import growth, in_baselines, memory
from .world import World

TIME = Figure("audit-time", "B", at_most(10))
MEMORY = Figure("audit-memory", "GB", at_most(1))
GROWTH = Figure("audit-growth", "times", at_most(12.5))
FIGURES = (TIME, MEMORY, GROWTH)


def take(ground: Ground) -> list[Figure]:
    worlds = ground.published("large"), ground.published("small")
    large: list[measure.Run] = []
    small: list[measure.Run] = []
    baselines: list[float] = []
    for number in range(ground.runs):
        ground.say(f"audit, run {number + 1} of {ground.runs}")
        baselines.append(ground.run_baseline())
        large.append(audit(worlds[0]))
        ground.say(f"  {ground.rows:,} lines: {large[-1].wall:.2f} s, {large[-1].memory / 1e6:.0f} MB")
        small.append(audit(worlds[1]))
    return [in_baselines(TIME, large, baselines), memory(MEMORY, large), growth(GROWTH, large, small)]


def audit(world: World) -> measure.Run:
    """The whole command, with all that the auditor's folder has. CommandFailedError if it does not pass."""
    run = measure.run(
        [
            "-m", "reserveproof.verifier", "audit", world.bundle, "--policy", world.policy, *world.given,
            "--snapshot-key", world.snapshot / "snapshot.key", "--wallets", world.snapshot / "audit" / "wallets.tsv",
            "--no-other-registers", "--json",
        ],
        world.base,
    )  # fmt: skip
    rows = json.loads(run.output)["facts"]["ledger_rows"]
    if rows != world.made.statistics["rows"]:
        raise measure.CommandFailedError(f"audit read {rows} lines")
    return run

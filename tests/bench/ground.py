"""What the figures share: the ledgers, their statistics asserted, the baseline, and custodians over them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from . import baseline, measure, world
from .large_ledger import Made, make

SMALL_PART = 10
"""The ledger that growth is measured against has a tenth of the lines."""
_FEWEST_FOR_STATISTICS = 20_000
"""Below it chance moves the shares out of any useful band."""


class NotThatLedgerError(Exception):
    """The generator did not make the ledger that the figures are promised for."""


def check_statistics(made: Made, rows: int) -> None:
    """Assert the shape of a ledger before anything is timed on it. NotThatLedgerError names what is off."""
    found = made.statistics
    bands = {
        "rows": (rows, rows),
        "clients": (0.37 * rows * 0.98, 0.37 * rows * 1.02),
        "trees": (128, 128),
        "zero_accounts": (0.30, 0.50),
        "debit_clients": (0.005, 0.02),
        "share_of_the_richest_hundredth": (0.5, 1),
        "staked_lines": (0.08, 0.13),
        "largest_total_bits": (65, 127),
        "related": (0.001, 0.003),
        "dormant": (0.025, 0.035),
    }
    off = [f"{name} is {found[name]:g}" for name, (low, high) in bands.items() if not low <= found[name] <= high]
    if off:
        raise NotThatLedgerError("; ".join(off))


def tell(line: str) -> None:
    """Progress, on stderr: a run of everything takes long."""
    print(line, file=sys.stderr, flush=True)


@dataclass(slots=True)
class Ground:
    """rows, runs: as asked for. scratch: a folder of the bench's own, emptied at the start."""

    rows: int
    runs: int
    scratch: Path
    say: Callable[[str], None] = tell
    large: Made = field(init=False)
    small: Made = field(init=False)
    baselines: list[float] = field(default_factory=list)
    baseline_memory: int = 0
    _worlds: dict[str, world.World] = field(default_factory=dict)
    _published: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        self.large = self._ledger("large", self.rows)
        self.small = self._ledger("small", self.rows // SMALL_PART)

    def _ledger(self, name: str, rows: int) -> Made:
        self.say(f"making a ledger of {rows:,} lines")
        made = make(self.scratch / name, rows=rows)
        if rows >= _FEWEST_FOR_STATISTICS:
            check_statistics(made, rows)
        return made

    def run_baseline(self) -> float:
        """One run of B over the large ledger; its seconds."""
        seconds, run = baseline.run(self.large.ledger, self.scratch)
        self.baselines.append(seconds)
        self.baseline_memory = max(self.baseline_memory, run.memory)
        self.say(f"  baseline B: {seconds:.2f} s")
        return seconds

    @property
    def b(self) -> float:
        """The median of all runs of B so far."""
        return median(self.baselines)

    def opened(self, size: str) -> world.World:
        """A new custodian over the "large" or "small" ledger, in place of the one before."""
        base = self.scratch / f"custodian-{size}"
        shutil.rmtree(base, ignore_errors=True)
        self._published.discard(size)
        self._worlds[size] = world.opened(base, self.large if size == "large" else self.small)
        return self._worlds[size]

    def opened_last(self, size: str) -> world.World:
        """The custodian over that ledger as the last run left it."""
        return self._worlds[size]

    def steps(self) -> dict[str, measure.Run]:
        """What the commands took that have no figure, over the large ledger, by their names."""
        found = self._worlds["large"].took if "large" in self._worlds else {}
        return {name: run for name, run in found.items() if name in ("challenge", "attest", "sign", "publish")}

    def published(self, size: str) -> world.World:
        """The custodian of that ledger with its statement published; made now if no figure has made it yet."""
        if size not in self._worlds:
            self.say(f"taking the {size} ledger")
            self.opened(size).take()
        found = self._worlds[size]
        if size not in self._published:
            self.say(f"publishing over the {size} ledger")
            found.publish()
            self._published.add(size)
        return found

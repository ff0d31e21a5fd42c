"""The benchmark as a command: `make bench`, or

    PYTHONPATH=tests python -m bench --rows 1000000 --runs 3 --only snapshot audit --json results.json

The table goes to stdout, progress to stderr, all else into --scratch, which is emptied first. Exit status 0 if all that
was asked for was measured and met, 3 if not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from . import audits, clients, folding, kernel, proofs, report, serving, snapshots, wallet_checks
from .figure import Figure
from .ground import Ground
from .measure import CommandFailedError

FAMILIES: dict[str, tuple[tuple[Figure, ...], Callable[[Ground], list[Figure]]]] = {
    "kernel": (kernel.FIGURES, kernel.take),
    "snapshot": (snapshots.FIGURES, snapshots.take),
    "proof": (proofs.FIGURES, proofs.take),
    "set": (serving.FIGURES, serving.take),
    "fold": (folding.FIGURES, folding.take),
    "client": (clients.FIGURES, clients.take),
    "public": (wallet_checks.FIGURES, wallet_checks.take),
    "audit": (audits.FIGURES, audits.take),
}
"""Families of figures, in the order of a run: what needs a snapshot uses the one that `snapshot` left."""
FEWEST_ROWS = 20_000
NOT_MET = 3
FAILED = "a command failed"


def bench(rows: int, runs: int, only: Sequence[str], scratch: Path) -> tuple[dict[str, object], str]:
    """Measure; the JSON document and the table."""
    on = report.machine()
    ground = Ground(rows, runs, scratch)
    made: list[Figure] = []
    for name, (figures, take) in FAMILIES.items():
        if name not in only:
            continue
        try:
            made += take(ground)
        except CommandFailedError as error:
            # What was measured before is kept; nothing of this family is.
            ground.say(str(error))
            made += [figure.without(FAILED) for figure in figures]
    return report.as_json(made, ground, on), report.as_table(made, ground, on)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description="Measure what the project promises.")
    parser.add_argument("--rows", type=int, default=10_000_000, help=f"lines of the ledger, {FEWEST_ROWS} at least")
    parser.add_argument("--runs", type=int, default=5, help="runs of each figure; the median counts")
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES), metavar="NAME",
                        help=", ".join(FAMILIES))  # fmt: skip
    parser.add_argument("--scratch", type=Path, default=Path("build/bench/scratch"), help="emptied first")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    chosen = parser.parse_args()
    if chosen.rows < FEWEST_ROWS or chosen.runs < 1:
        parser.error(f"--rows has to be {FEWEST_ROWS} at least, and --runs 1")
    document, table = bench(chosen.rows, chosen.runs, chosen.only, chosen.scratch.resolve())
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(document, indent=1) + "\n")
    print(table)
    figures = document["figures"]
    return 0 if isinstance(figures, list) and all(figure["met"] for figure in figures) else NOT_MET


if __name__ == "__main__":
    sys.exit(main())

"""Figures of one proof: from the store on disk to the bytes of the proof file, for clients by chance.

Each run is a new process that opens the store once and then proves up to 10,000 clients, none twice; opening is not
part of a proof's time, the first touch of each page is.

    PYTHONPATH=tests python -m bench.proofs WORKSPACE SNAPSHOT CLIENTS
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

from . import measure
from .figure import Figure, at_most
from .ground import Ground
from .world import SNAPSHOT, World

MEDIAN = Figure("proof-median", "us", at_most(100))
P99 = Figure("proof-p99", "us", at_most(400))
FIGURES = (MEDIAN, P99)
_MOST, _LINES_A_CLIENT = 10_000, 100
"""Clients of a run: one for each hundred lines of the ledger, and no more than the bar is stated for."""


def some_clients(world: World, number: int, seed: int = 1) -> list[str]:
    """Client ids by chance; fewer if the ledger has no more."""
    with duckdb.connect() as db:
        rows = db.execute(
            f"""SELECT client_id FROM read_csv('{world.made.accounts}', header = true, all_varchar = true)
                ORDER BY hash(client_id || '{seed}') LIMIT {number}"""  # noqa: S608
        ).fetchall()
    return [client_id for (client_id,) in rows]


def take(ground: Ground) -> list[Figure]:
    world = ground.published("large")
    clients = world.base / "clients.txt"
    clients.write_text("".join(f"{name}\n" for name in some_clients(world, min(_MOST, ground.rows // _LINES_A_CLIENT))))
    medians: list[float] = []
    slowest: list[float] = []
    detail: dict[str, float | str] = {}
    for number in range(ground.runs):
        ground.say(f"proofs, run {number + 1} of {ground.runs}")
        run = measure.run(["-m", "bench.proofs", world.workspace, SNAPSHOT, clients], world.base)
        found = json.loads(run.output)
        medians.append(found["median_us"])
        slowest.append(found["p99_us"])
        detail = {"proofs": found["proofs"], "bytes_each": found["bytes_each"], "open_s": found["open_s"]}
    return [MEDIAN.of(medians, detail), P99.of(slowest)]


def prove_all(workspace: Path, snapshot_id: str, clients: list[str]) -> dict[str, float]:
    """Prove each client; what it took."""
    from reserveproof.custodian.command_prove import BUNDLE_FOLDER
    from reserveproof.custodian.prover import Prover
    from reserveproof.custodian.reserves import DedicatedBook
    from reserveproof.custodian.workspace import open_workspace
    from reserveproof.format import envelope
    from reserveproof.format.manifest import STATEMENT_FILE

    snapshot = open_workspace(workspace).snapshot(snapshot_id)
    sealed = envelope.parse((snapshot.path / BUNDLE_FOLDER / STATEMENT_FILE).read_bytes())
    began = time.perf_counter()
    took: list[int] = []
    size = 0
    # Over 128 trees the envelope is too large to stand in each file: it is given beside.
    with Prover(
        snapshot.ledger_folder, snapshot_key=snapshot.key(), envelope=sealed, dedicated=DedicatedBook(snapshot),
        inline=False,
    ) as prover:  # fmt: skip
        opened = time.perf_counter()
        for client_id in clients:
            at = time.perf_counter_ns()
            proof = prover.prove(client_id)
            took.append(time.perf_counter_ns() - at)
            size += len(proof)
    took.sort()
    return {
        "open_s": round(opened - began, 4), "median_us": took[len(took) // 2] / 1000,
        "p99_us": took[len(took) * 99 // 100] / 1000, "proofs": len(took), "bytes_each": round(size / len(took)),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(prove_all(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text().split())))

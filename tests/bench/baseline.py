"""Baseline B: DuckDB alone, with two threads and at most 3 GB, does the part of the work that it can do.

It reads the ledger with decimals, groups it by client, pool and asset, orders it by pool, asset and client, and writes
Parquet. B is the time from the connection to the closed file, without the start of Python: the stricter reading.

    PYTHONPATH=tests python -m bench.baseline LEDGER PARQUET
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

from . import measure

THREADS, MEMORY = 2, "3GB"
_COLUMNS = {
    "client_id": "VARCHAR", "pool": "VARCHAR", "asset": "VARCHAR", "bucket": "VARCHAR", "credit": "DECIMAL(38,18)",
    "debit": "DECIMAL(38,18)", "client_code": "VARCHAR",
}  # fmt: skip


def write(ledger: Path, parquet: Path) -> float:
    """Do it; returns the seconds."""
    began = time.perf_counter()
    with duckdb.connect(config={"threads": str(THREADS), "memory_limit": MEMORY}) as db:
        # The paths are the bench's own.
        db.execute(
            f"""COPY (SELECT pool, asset, client_id, sum(credit) AS credit, sum(debit) AS debit
                      FROM read_csv('{ledger}', header = true, auto_detect = false, columns = {_COLUMNS})
                      GROUP BY pool, asset, client_id ORDER BY pool, asset, client_id)
                TO '{parquet}' (FORMAT parquet)"""  # noqa: S608
        )
    return time.perf_counter() - began


def run(ledger: Path, scratch: Path) -> tuple[float, measure.Run]:
    """B in a process of its own: its seconds, and what the process took."""
    parquet = scratch / "baseline.parquet"
    parquet.unlink(missing_ok=True)
    done = measure.run(["-m", "bench.baseline", ledger, parquet], scratch)
    return float(json.loads(done.output)["seconds"]), done


if __name__ == "__main__":
    print(json.dumps({"seconds": write(Path(sys.argv[1]), Path(sys.argv[2]))}))

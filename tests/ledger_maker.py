"""Synthetic ledgers that look real: a heavy tail, many zero accounts, debits, related parties, dust.

Deterministic: the same seed and sizes give the same bytes. Nothing here is a rule of the format.

    python tests/ledger_maker.py --rows 200000 --out DIR
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

POOLS = ("custody-trust", "staking-trust")
DECIMALS = {"BTC": 8, "ETH": 18, "JPY": 0, "SHIB": 18, "SOL": 9, "USDC": 6}
PRICES = {"BTC": 60_000.0, "ETH": 3_000.0, "JPY": 0.0067, "SHIB": 0.00001, "SOL": 150.0, "USDC": 1.0}
"""Rough prices in US dollars: they shape the amounts, nothing else."""
BUCKETS = (("available", 0.80), ("locked", 0.08), ("staked", 0.10), ("margin", 0.02))
RELATED = ("affiliate", "operator", "employee", "market-maker")
COLUMNS = ("client_id", "pool", "asset", "bucket", "credit", "debit", "client_code")


@dataclass(frozen=True, slots=True)
class Made:
    """What was written, and its totals in base units, summed in Python while writing."""

    ledger: Path
    accounts: Path
    control_totals: Path
    rows: int
    totals: dict[tuple[str, str], tuple[int, int]]


def typed(units: int, decimals: int) -> str:
    """A decimal without trailing zeros."""
    digits = str(units).rjust(decimals + 1, "0")
    return digits if not decimals else f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".")


def dollars(rng: random.Random) -> float:
    """What one client holds: 97 % lognormal (median 45, sigma 2.4), 3 % Pareto (from 15k, alpha 1.25, cap 20M)."""
    if rng.random() < 0.97:
        return rng.lognormvariate(3.8067, 2.4)
    return min(15_000 * rng.paretovariate(1.25), 20e6)


def make(out: Path, *, rows: int, seed: int = 1, related_types: tuple[str, ...] = RELATED) -> Made:
    """Write ledger.csv, accounts.csv and control-totals.csv of about a real exchange's shape into out. related_types:
    of the related parties among the clients; operators and affiliates make an omnibus pool fail (SEG-04)."""
    rng = random.Random(seed)  # noqa: S311 - synthetic data, nothing secret
    out.mkdir(parents=True, exist_ok=True)
    made = Made(out / "ledger.csv", out / "accounts.csv", out / "control-totals.csv", rows, {})
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    assets = list(DECIMALS)
    weights = [1 / rank for rank in range(1, len(assets) + 1)]
    names, shares = [name for name, _ in BUCKETS], [share for _, share in BUCKETS]
    with made.ledger.open("w", newline="") as ledger_file, made.accounts.open("w", newline="") as accounts_file:
        ledger = csv.writer(ledger_file, lineterminator="\n")
        accounts = csv.writer(accounts_file, lineterminator="\n")
        ledger.writerow(COLUMNS)
        accounts.writerow(("client_id", "account_type", "status", "related_party"))
        written = client = 0
        while written < rows:
            client += 1
            # Ids in no order that means anything, as a real primary key after years of imports.
            client_id = f"C{hashlib.sha256(f'{seed}/{client}'.encode()).hexdigest()[:10]}-{client}"
            code = base64.b32encode(rng.randbytes(13)).decode()[:20] if rng.random() < 0.6 else ""
            zero = rng.random() < 0.4
            wealth = dollars(rng)
            seen: set[tuple[str, str]] = set()
            count = 1
            while count < 8 and rng.random() < 0.6:
                count += 1
            for asset in rng.choices(assets, weights, k=count):
                (bucket,) = rng.choices(names, shares)
                if written == rows or (asset, bucket) in seen:
                    continue
                seen.add((asset, bucket))
                pool = POOLS[bucket == "staked"]
                scale = DECIMALS[asset]
                units = 0 if zero else int(wealth / count / PRICES[asset] * 10**9) * 10**scale // 10**9
                if units and scale == 18:
                    units += rng.randrange(10**9)  # dust, down to the last wei
                debit = rng.randrange(1, units + 2) if rng.random() < 0.01 else 0
                ledger.writerow((client_id, pool, asset, bucket, typed(units, scale), typed(debit, scale), code))
                totals[pool, asset][0] += units
                totals[pool, asset][1] += debit
                written += 1
            related = rng.random() < 0.002
            kind = rng.choice(related_types) if related else ("institutional" if wealth > 1e6 else "retail")
            status = "dormant" if rng.random() < 0.03 else "active"
            accounts.writerow((client_id, kind, status, "yes" if related else "no"))
    with made.control_totals.open("w", newline="") as control_file:
        control = csv.writer(control_file, lineterminator="\n")
        control.writerow(("pool", "asset", "credit"))
        for (pool, asset), (credit, _) in sorted(totals.items()):
            control.writerow((pool, asset, typed(credit, DECIMALS[asset])))
    made.totals.update({cell: (credit, debit) for cell, (credit, debit) in totals.items()})
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a synthetic client ledger.")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    made = make(chosen.out, rows=chosen.rows, seed=chosen.seed)
    print(f"{made.rows} rows in {made.ledger}")


if __name__ == "__main__":
    main()

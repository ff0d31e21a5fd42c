"""A ledger of millions of lines with the shape of a real one, made in columns: the input of the benchmarks.

97 % of the clients' wealth is lognormal, 3 % Pareto; 40 % of the accounts hold nothing; assets follow Zipf's law; one
client in a hundred has a debit. Four free pools and the four bound ones for what is staked, 16 assets: 128 trees.
Deterministic: the same seed and sizes give the same values. Nothing here is a rule of the format.

    python tests/bench/large_ledger.py --rows 10000000 --out DIR
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

FREE = ("custody-a", "custody-b", "custody-c", "custody-d")
BOUND = ("staking-a", "staking-b", "staking-c", "staking-d")
POOLS = FREE + BOUND
ASSETS = {
    "BTC": (8, 60_000.0), "ETH": (18, 3_000.0), "USDC": (6, 1.0), "USDT": (6, 1.0), "SOL": (9, 150.0),
    "XRP": (6, 0.5), "DOGE": (8, 0.1), "SHIB": (18, 0.00001), "ADA": (6, 0.4), "JPY": (0, 0.0067),
    "LINK": (18, 15.0), "AVAX": (18, 30.0), "LTC": (8, 80.0), "DOT": (10, 6.0), "PEPE": (18, 0.00001),
    "ATOM": (6, 7.0),
}  # fmt: skip
"""Asset to its decimals and a rough price in US dollars, which shapes amounts and nothing else."""
BUCKETS = ("available", "locked", "staked", "margin")
BUCKET_SHARES = (0.80, 0.08, 0.10, 0.02)
STAKED = 2
LINES_A_CLIENT = 2.7
TYPES = ("retail", "institutional", "employee", "market-maker")
"""Only such related parties as may stand in an omnibus pool: the ledger is one that passes (rule SEG-04)."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written. statistics: measured on what was made, for the benchmark to assert."""

    ledger: Path
    accounts: Path
    control_totals: Path
    statistics: dict[str, float]


def make(out: Path, *, rows: int, seed: int = 1) -> Made:
    """Write ledger.csv, accounts.csv and control-totals.csv into out: exactly rows lines."""
    out.mkdir(parents=True, exist_ok=True)
    made = Made(out / "ledger.csv", out / "accounts.csv", out / "control-totals.csv", {})
    rng = np.random.default_rng(seed)
    client, asset, bucket = _keys(rng, rows)
    clients = int(client[-1]) + 1
    wealth = np.where(
        rng.random(clients) < 0.97,
        rng.lognormal(np.log(45), 2.4, clients),
        np.minimum(15_000 * (1 + rng.pareto(1.25, clients)), 20e6),
    )
    wealth[rng.random(clients) < 0.4] = 0
    decimals = np.array([d for d, _ in ASSETS.values()])
    scale = 10 ** decimals[asset].astype(np.int64)
    units = wealth[client] / LINES_A_CLIENT / np.array([p for _, p in ASSETS.values()])[asset]
    whole = units.astype(np.int64)
    part = ((units - whole) * scale).astype(np.int64)
    # Dust, down to the last unit: doubles have no more than 53 bits of it.
    part = np.where((units > 0) & (scale > 10**15), part // 10**6 * 10**6 + rng.integers(0, 10**6, rows), part)
    part = np.minimum(part, scale - 1)
    debit = np.where(rng.random(clients)[client] < 0.01, rng.integers(1, 10**6, rows), 0)
    pool = rng.integers(0, len(FREE), clients)[client] + np.where(bucket == STAKED, len(FREE), 0)
    related = rng.random(clients) < 0.002
    kind = np.where(related, rng.integers(2, 4, clients), (wealth > 1e6).astype(np.int64))
    dormant = rng.random(clients) < 0.03
    letters = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", np.uint8)
    codes = letters[rng.integers(0, 32, (clients, 20))].view("S20").ravel()
    mark = rng.integers(0, 2**40, clients)
    coded = rng.random(clients) < 0.6

    with duckdb.connect(config={"threads": 2, "preserve_insertion_order": "true"}) as db:
        people = pa.table({
            "client": np.arange(clients), "mark": mark, "code": pa.array(codes).cast(pa.string()), "coded": coded,
            "kind": kind, "related": related, "dormant": dormant,
        })  # fmt: skip
        lines = pa.table({
            "client": client, "pool": pool, "asset": asset, "bucket": bucket, "whole": whole, "part": part,
            "debit": debit, "decimals": decimals[asset].astype(np.int32),
        })  # fmt: skip
        db.register("people", people)
        db.register("lines", lines)
        words = {"pools": list(POOLS), "assets": list(ASSETS), "buckets": list(BUCKETS), "types": list(TYPES)}
        typed = (
            "CASE WHEN {0} = 0 THEN {1}::VARCHAR ELSE {1} || '.' || rtrim(lpad({0}::VARCHAR, decimals, '0'), '0') END"
        )
        # All that is put together here is this module's own.
        select = f"""
            SELECT printf('C%010x-%d', mark, client) AS client_id, $pools[pool + 1] AS pool,
                   $assets[asset + 1] AS asset, $buckets[bucket + 1] AS bucket,
                   {typed.format("part", "whole")} AS credit,
                   {typed.format("(debit % power)", "(debit // power)")} AS debit,
                   CASE WHEN coded THEN code ELSE '' END AS client_code
            FROM (SELECT *, (10::BIGINT ** decimals)::BIGINT AS power FROM lines) lines JOIN people USING (client)
        """  # noqa: S608
        given = {name: words[name] for name in ("pools", "assets", "buckets")}
        _copy(db, f"{select} ORDER BY lines.client, asset, bucket", made.ledger, given)
        _copy(
            db,
            """SELECT printf('C%010x-%d', mark, client) AS client_id, $types[kind + 1] AS account_type,
                      CASE WHEN dormant THEN 'dormant' ELSE 'active' END AS status,
                      CASE WHEN related THEN 'yes' ELSE 'no' END AS related_party FROM people ORDER BY client""",
            made.accounts,
            {"types": list(TYPES)},
        )
        totals = db.execute(
            """SELECT $pools[pool + 1], $assets[asset + 1], any_value(decimals), sum(whole), sum(part) FROM lines
               GROUP BY pool, asset ORDER BY 1, 2""",
            {"pools": list(POOLS), "assets": list(ASSETS)},
        ).fetchall()
    largest = 0
    with made.control_totals.open("w") as file:
        file.write("pool,asset,credit\n")
        for name, symbol, digits, wholes, parts in totals:
            total = int(wholes) * 10**digits + int(parts)
            largest = max(largest, total)
            text = str(total).rjust(digits + 1, "0")
            file.write(f"{name},{symbol},{text[: len(text) - digits]}{'.' + text[-digits:] if digits else ''}\n")
    ordered = np.sort(wealth)
    made.statistics.update(
        rows=rows, clients=clients, trees=len(totals), bytes=made.ledger.stat().st_size,
        zero_accounts=float((wealth == 0).mean()), debit_clients=len(np.unique(client[debit > 0])) / clients,
        share_of_the_richest_hundredth=float(ordered[-clients // 100 :].sum() / ordered.sum()),
        staked_lines=float((bucket == STAKED).mean()), largest_total_bits=largest.bit_length(),
        related=float(related.mean()), dormant=float(dormant.mean()),
    )  # fmt: skip
    return made


def _keys(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(client, asset, bucket) of every line, each once; clients without a gap."""
    weights = 1 / np.arange(1, len(ASSETS) + 1)
    keys = np.empty(0, np.int64)
    start = 0
    while len(keys) < rows:
        clients = int((rows - len(keys)) / LINES_A_CLIENT * 1.02) + 100
        count = np.minimum(rng.geometric(1 / 3.17, clients), 40)
        client = np.repeat(np.arange(start, start + clients), count)
        asset = rng.choice(len(ASSETS), len(client), p=weights / weights.sum())
        bucket = rng.choice(len(BUCKETS), len(client), p=BUCKET_SHARES)
        keys = np.concatenate([keys, np.unique((client * len(ASSETS) + asset) * len(BUCKETS) + bucket)])
        start += clients
    keys = keys[:rows]
    return keys // len(BUCKETS) // len(ASSETS), keys // len(BUCKETS) % len(ASSETS), keys % len(BUCKETS)


def _copy(db: duckdb.DuckDBPyConnection, sql: str, path: Path, values: dict[str, list[str]]) -> None:
    names = {f"${name}": "[" + ", ".join(f"'{word}'" for word in words) + "]" for name, words in values.items()}
    for name, literal in names.items():
        sql = sql.replace(name, literal)
    db.execute(f"COPY ({sql}) TO '{path}' (HEADER, DELIMITER ',')")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a synthetic client ledger of millions of lines.")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    made = make(chosen.out, rows=chosen.rows, seed=chosen.seed)
    print(json.dumps({key: str(value) if isinstance(value, Path) else value for key, value in asdict(made).items()}))


if __name__ == "__main__":
    main()

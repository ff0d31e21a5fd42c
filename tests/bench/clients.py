"""Figures of the `client` command: a whole check from a cold process, with and without rebuilding the reserves.

Cold means a new process; the page cache is left as it is. A run before the first that is timed leaves the bytecode,
which pip makes when it installs.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from . import measure
from .figure import Figure, at_most
from .ground import Ground
from .proofs import some_clients
from .world import SNAPSHOT, World

CLIENT = Figure("client", "s", at_most(0.3))
WITH_BUNDLE = Figure("client-with-bundle", "s", at_most(0.3))
FIGURES = (CLIENT, WITH_BUNDLE)


def take(ground: Ground) -> list[Figure]:
    world = ground.published("large")
    proof, claims, lines = a_proof(world)
    # The custody's own policy asks for the reserves to be rebuilt; this one trusts the signed statement for them.
    signed = world.base / "policy-signed.toml"
    signed.write_text(world.policy.read_text().replace('reserves = "register"', 'reserves = "signed"'))
    ground.say(f"client, {ground.runs} runs")
    alone = [check(world, proof, claims, signed) for _ in range(ground.runs + 1)][1:]
    rebuilt = [check(world, proof, claims, world.policy, "--bundle", world.bundle) for _ in range(ground.runs + 1)][1:]
    detail: dict[str, float | str] = {"lines": lines, "memory_mb": round(max(run.memory for run in alone) / 1e6, 1)}
    return [CLIENT.of([run.wall for run in alone], detail), WITH_BUNDLE.of([run.wall for run in rebuilt])]


def a_proof(world: World) -> tuple[Path, Path, int]:
    """(proof file, claims file, lines of the ledger) of a client who has several lines, by the `prove` command."""
    few = some_clients(world, 100, seed=2)
    with world.made.ledger.open() as file:
        counts = dict.fromkeys(few, 0)
        for line in file:
            client_id = line.partition(",")[0]
            if client_id in counts:
                counts[client_id] += 1
    client_id = max(few, key=lambda name: counts[name])
    folder = world.base / "proofs"
    shutil.rmtree(folder, ignore_errors=True)
    answer = world.custodian("prove", world.workspace, SNAPSHOT, client_id, "--to", folder).output
    proof = Path(next(word for word in answer.split() if word.endswith(".json")))
    claims = folder / "claims.toml"
    rows = world.lines_of(client_id)
    claims.write_text("\n".join(_claims(rows)) + "\n")
    return proof, claims, len(rows)


def _claims(rows: list[dict[str, str]]) -> list[str]:
    sums: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in rows:
        sums.setdefault((row["pool"], row["asset"]), []).append((_units(row["credit"]), _units(row["debit"])))
    lines = [f'client_id = "{rows[0]["client_id"]}"', f'client_code = "{rows[0]["client_code"]}"']
    for (pool, asset), amounts in sums.items():
        credit, debit = (sum(column) for column in zip(*amounts, strict=True))
        lines += ["[[balances]]", f'pool = "{pool}"', f'asset = "{asset}"']
        lines += [f'amount = "{_typed(credit)}"', f'debit = "{_typed(debit)}"']
    return lines


_DIGITS = 18


def _units(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(_DIGITS, "0"))


def _typed(units: int) -> str:
    text = str(units).rjust(_DIGITS + 1, "0")
    part = text[-_DIGITS:].rstrip("0")
    return text[:-_DIGITS] + (f".{part}" if part else "")


def check(world: World, proof: Path, claims: Path, policy: Path, *more: str | Path) -> measure.Run:
    """The `client` command; CommandFailedError if it does not pass."""
    beside = proof.parent / "statement.json"
    statement: tuple[str | Path, ...] = ("--statement", beside) if beside.exists() else ()
    return measure.run(
        ["-m", "reserveproof.verifier", "client", proof, "--policy", policy, "--claims", claims, *statement, *more],
        world.base,
    )

"""The benchmark runs through on a small ledger, and what it stands on is right. No bar is asserted here."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from bench import baseline, ground, measure
from bench.__main__ import FAILED, FAMILIES
from bench.figure import Figure, at_least, at_most
from bench.large_ledger import Made, make

FIGURES = [figure for figures, _ in FAMILIES.values() for figure in figures]


PAGE = Path(__file__).parents[2] / "docs" / "reference" / "benchmarks.md"


def test_the_page_has_every_figure_with_its_bar() -> None:
    rows = re.findall(r"^\| ([a-z0-9-]+) \| ([<>]= .+?) \|", PAGE.read_text(), re.MULTILINE)
    assert rows == [(figure.name, f"{figure.bar} {figure.unit}") for figure in FIGURES]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("ledger"), rows=200_000)


def test_the_ledger_has_the_shape_that_the_figures_are_promised_for(made: Made) -> None:
    ground.check_statistics(made, 200_000)
    with made.ledger.open() as file:
        assert sum(1 for _ in file) == 200_001


def test_another_shape_is_refused(made: Made) -> None:
    for name, value in {"zero_accounts": 0.1, "largest_total_bits": 64, "trees": 127, "rows": 199_999}.items():
        with pytest.raises(ground.NotThatLedgerError, match=name):
            ground.check_statistics(replace(made, statistics=made.statistics | {name: value}), 200_000)


def test_the_baseline_adds_up_to_the_control_totals(made: Made, tmp_path: Path) -> None:
    assert baseline.write(made.ledger, tmp_path / "out.parquet") > 0
    with duckdb.connect() as db:
        found = db.execute(
            f"SELECT pool, asset, sum(credit) FROM '{tmp_path / 'out.parquet'}' GROUP BY ALL"  # noqa: S608
        ).fetchall()
    with made.control_totals.open(newline="") as file:
        totals = {(row["pool"], row["asset"]): Decimal(row["credit"]) for row in csv.DictReader(file)}
    assert {(pool, asset): credit for pool, asset, credit in found} == totals


def test_what_was_not_measured_is_never_met() -> None:
    assert Figure("x", "s", at_most(1)).without("not there").met is None
    assert Figure("x", "s", at_most(1)).of([3, 1, 0.5]).met is True
    assert Figure("x", "s", at_least(1)).of([0.5]).met is False


def test_memory_is_that_of_all_processes(tmp_path: Path) -> None:
    """Two processes of 40 MB each, one below the other."""
    child = "import time; kept = bytearray(b'x' * 40_000_000); time.sleep(0.5)"
    parent = (
        "import subprocess, sys; kept = bytearray(b'x' * 40_000_000); "
        f"subprocess.run([sys.executable, '-c', {child!r}])"
    )
    run = measure.run(["-c", parent], tmp_path)
    assert 80_000_000 < run.memory < 200_000_000
    assert run.wall > 0.5


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(measure.CommandFailedError, match="no such thing"):
        measure.run(["-c", "import sys; sys.exit('no such thing')"], tmp_path)


def test_the_bench_runs_through(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "bench", "--rows", "20000", "--runs", "1", "--scratch", tmp_path / "scratch",
            "--json", tmp_path / "figures.json",
        ],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": measure.python_path()},
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    document = json.loads((tmp_path / "figures.json").read_text())
    figures = {figure["name"]: figure for figure in document["figures"]}
    assert list(figures) == [figure.name for figure in FIGURES]
    assert document["rows"] == document["statistics"]["rows"] == 20_000
    for name, figure in figures.items():
        assert figure["bar"] and figure["unit"]
        assert f"| {name} | {figure['bar']} {figure['unit']} |" in done.stdout
        if figure["value"] is None:
            assert figure["met"] is None and figure["why_not"] and figure["why_not"] != FAILED, done.stderr
        else:
            assert figure["value"] > 0 and len(figure["runs"]) == 1 and not figure["why_not"]

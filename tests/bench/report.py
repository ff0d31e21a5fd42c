"""The figures as JSON and as a table that can stand in docs/reference/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

import duckdb

from . import measure
from .figure import Figure
from .ground import Ground


def machine() -> dict[str, str | int | float]:
    """What the figures were taken on; no name of a host."""
    with open("/proc/cpuinfo") as file:  # noqa: PTH123
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)), "model": model, "memory_gb": round(memory / 1e9, 1),
        "load": round(os.getloadavg()[0], 2), "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(), "duckdb": duckdb.__version__,
    }  # fmt: skip


def as_json(figures: Sequence[Figure], ground: Ground, on: dict[str, str | int | float]) -> dict[str, object]:
    """One document: what was asked, on what, the ledger's statistics, the baseline, the figures."""
    return {
        "rows": ground.rows, "runs": ground.runs, "machine": on, "statistics": ground.large.statistics,
        "baseline": {
            "seconds": ground.b if ground.baselines else None, "runs": ground.baselines,
            "memory_mb": round(ground.baseline_memory / 1e6, 1),
        },
        "steps": {name: measure.heading(run) for name, run in ground.steps().items()},
        "figures": [figure.as_json() for figure in figures],
    }  # fmt: skip


def as_table(figures: Sequence[Figure], ground: Ground, on: dict[str, str | int | float]) -> str:
    """Markdown: figure, bar, value, met or not, and the spread of the runs."""
    lines = [
        f"{ground.rows:,} lines, median of {ground.runs} run{'s' if ground.runs > 1 else ''}; {on['cores']} cores "
        f"({on['model']}), {on['memory_gb']} GB; load at the start {on['load']}",
    ]
    if ground.baselines:
        lines.append(f"B = {ground.b:.2f} s (median of {len(ground.baselines)})")
    lines += ["", "| figure | bar | measured | met | lowest to highest |", "|---|---|---|---|---|"]
    for figure in figures:
        if figure.value is None:
            lines.append(f"| {figure.name} | {figure.bar} {figure.unit} | not measured: {figure.why_not} | | |")
            continue
        spread = f"{_number(min(figure.runs))} to {_number(max(figure.runs))}"
        met = "yes" if figure.met else "**no**"
        lines.append(f"| {figure.name} | {figure.bar} {figure.unit} | {_number(figure.value)} | {met} | {spread} |")
    details = [f"- {figure.name}: {_detail(figure)}" for figure in figures if figure.detail]
    steps = [f"{name} {_number(run.wall)} s, {_number(run.memory / 1e6)} MB" for name, run in ground.steps().items()]
    details += [f"- without a bar: {'; '.join(steps)}"] if steps else []
    return "\n".join([*lines, "", *details])


def _detail(figure: Figure) -> str:
    return ", ".join(
        f"{name} {value if isinstance(value, str) else _number(value)}" for name, value in figure.detail.items()
    )


def _number(value: float) -> str:
    """Three digits at least that say something, all of them before the point."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"

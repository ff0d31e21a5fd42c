"""Writes vectors/ and the examples of docs/spec. `--check` compares and writes nothing.

Run as `PYTHONPATH=tests python -m reference.make_vectors`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from . import (
    client_coverage,
    client_dedicated,
    client_lines,
    client_log,
    client_malformed,
    client_passed,
    client_signed,
    client_trees,
    examples,
    log_kinds,
    policy_kind,
    public_passed,
    public_refused,
    run,
    small_kinds,
    tree_kinds,
)
from .cases import Vector

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "docs" / "spec"
SOURCES = (
    small_kinds.vectors,
    policy_kind.policy_vectors,
    client_passed.vectors,
    client_malformed.vectors,
    client_signed.vectors,
    client_lines.vectors,
    client_trees.vectors,
    client_coverage.vectors,
    client_dedicated.vectors,
    client_log.vectors,
    log_kinds.vectors,
    public_passed.passed,
    public_refused.vectors,
)


def all_vectors() -> Iterator[tuple[str, Vector]]:
    """Each vector with the name of its file."""
    for one in tree_kinds.vectors():
        yield f"tree/{one['name']}.json", one
    yield "tree/rolling.json", tree_kinds.rolling()
    for source in SOURCES:
        for one in source():
            yield f"{one['kind']}/{one['name']}.json", one


@cache
def files() -> dict[str, bytes]:
    """Every file under vectors/ but the README; each expectation is what the reference finds."""
    out: dict[str, bytes] = {}
    wrong = []
    for name, one in all_vectors():
        if name in out:
            raise ValueError(f"two vectors are called {name}")
        found = run.outcome(one)
        if found is not None and found != one["expect"]:
            wrong.append(f"{name}: expected {one['expect']}, the reference finds {found}")
        out[name] = (json.dumps(one, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()
    if wrong:
        raise ValueError("\n".join(wrong))
    return out


def differences(folder: Path) -> list[str]:
    made = files()
    there = {str(path.relative_to(folder)): path for path in folder.rglob("*.json")}
    lines = [f"{name} is missing" for name in sorted(made.keys() - there.keys())]
    lines += [f"{name} is not made by the reference" for name in sorted(there.keys() - made.keys())]
    both = sorted(made.keys() & there.keys())
    return lines + [f"{name} differs" for name in both if there[name].read_bytes() != made[name]]


def write(folder: Path) -> None:
    made = files()
    for path in folder.rglob("*.json"):
        if str(path.relative_to(folder)) not in made:
            path.unlink()
    for name, data in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--to", type=Path, default=ROOT / "vectors", help="folder of the vectors")
    given = parser.parse_args()
    if not given.check:
        write(given.to)
        for page, text in examples.pages(SPEC).items():
            page.write_text(examples.filled(text), "utf-8")
    found = differences(given.to)
    found += [f"{page.name} differs" for page, text in examples.pages(SPEC).items() if examples.filled(text) != text]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The vectors against a verifier in another language, written from the specification alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from reference import bombs

ROOT = Path(__file__).parent.parent
VERIFIER = ROOT / "tests" / "foreign" / "verify.mjs"
VECTORS = ROOT / "vectors"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def run(folder: Path) -> tuple[int, int, int, str]:
    """Exit status, passed, failed, and all that was printed."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, str(VERIFIER), str(folder)], capture_output=True, text=True, timeout=300, check=False, encoding="utf-8"
    )
    closing = re.fullmatch(r"(\d+) passed, (\d+) failed", done.stdout.splitlines()[-1])
    assert closing is not None, done.stdout + done.stderr
    return done.returncode, int(closing[1]), int(closing[2]), done.stdout


def copy_with(tmp_path: Path, source: str, **changes: object) -> Path:
    """A folder with one vector, some members of whose expectation are altered."""
    vector = json.loads((VECTORS / source).read_text(encoding="utf-8"))
    vector["expect"].update(changes)
    target = tmp_path / source
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps(vector), encoding="utf-8")
    return tmp_path


def test_every_vector_passes() -> None:
    status, passed, failed, output = run(VECTORS)
    assert (status, failed) == (0, 0), output
    assert passed == len(list(VECTORS.rglob("*.json"))) > 0


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("holder/client-with-code.json", {"holder": "00" * 32}),
        ("tree/leaves-5.json", {"total": "1"}),
        ("client/plain.json", {"class": "failed", "reason": "root-differs", "step": 9}),
        ("client/not-covered.json", {"reason": "rule-fails"}),
        ("client/not-covered.json", {"step": 9}),
        ("public/plain.json", {"class": "malformed"}),
        ("policy/format-2.json", {"class": "passed"}),
        ("policy/plain.json", {"unheard-of": ""}),
    ],
)
def test_an_altered_expectation_fails(tmp_path: Path, source: str, changes: dict[str, object]) -> None:
    status, passed, failed, output = run(copy_with(tmp_path, source, **changes))
    assert (status, passed, failed) == (1, 0, 1)
    assert output.startswith(source)


def test_bombs_are_refused_in_bounded_time(tmp_path: Path) -> None:
    vector = json.loads((VECTORS / "client/one-base-unit.json").read_text(encoding="utf-8"))
    del vector["proof"]
    expect = {"class": "malformed", "reason": "", "step": 1}
    count = 0
    for count, (_, proof) in enumerate(bombs.bombs(), 1):
        case = {**vector, "name": str(count), "proof_hex": proof.hex(), "expect": expect}
        (tmp_path / f"{count}.json").write_text(json.dumps(case), encoding="utf-8")
    started = time.monotonic()
    assert run(tmp_path)[:3] == (0, count, 0)
    assert time.monotonic() - started < 60


def test_an_unknown_kind_fails(tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text(
        json.dumps({"name": "new", "kind": "new", "expect": {"class": "passed", "reason": ""}}), encoding="utf-8"
    )
    assert run(tmp_path)[:3] == (1, 0, 1)


def test_what_is_no_vector_fails(tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text("{", encoding="utf-8")
    assert run(tmp_path)[:3] == (1, 0, 1)


def test_an_empty_folder_fails(tmp_path: Path) -> None:
    assert run(tmp_path)[:3] == (1, 0, 0)

"""Attack 44 on a large build: `snapshot` killed at fifty seeded instants, `prove --all` at ten.

What looks finished is whole to the last byte, what a killed run left is named as such and goes with the next one, and
the next one completes. RESERVEPROOF_KILL_ROWS gives another size than the suite's (10000000 is the benchmark's).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench import large_ledger, world
from reserveproof.custodian.client_book import ClientBook
from reserveproof.custodian.proof_store import TreeFile, tree_file
from reserveproof.custodian.serving_set import ServingSet, tokens_path

ROWS = int(os.environ.get("RESERVEPROOF_KILL_ROWS", "60000"))
KILLS, SET_KILLS = 50, 10
PATIENCE = 60 + ROWS // 10_000
Words = Sequence[str | Path]


def start(words: Words) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "reserveproof.custodian", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def whole(words: Words) -> float:
    """Run to the end; how long it took."""
    began = time.monotonic()
    process = start(words)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return time.monotonic() - began


def killed(words: Words, after: float) -> bool:
    """Start, and kill when so many seconds have passed; whether that hit it while it ran."""
    process = start(words)
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
    return process.returncode == -signal.SIGKILL


def check_private(folder: Path) -> None:
    for path in folder.rglob("*"):
        assert not stat.S_IMODE(path.lstat().st_mode) & 0o077 or path.is_symlink(), path


def check_snapshot(snapshot: Path) -> None:
    """No ledger.json, or one whose extract, trees and book are there to the last byte."""
    check_private(snapshot)
    names = {path.name for path in snapshot.iterdir() if not path.name.startswith(".tmp-")}
    assert names <= {"snapshot.json", "snapshot.key", "register.csv", "anchors.csv", "ledger", "ledger.json"}
    if "ledger.json" not in names:
        return
    said = json.loads((snapshot / "ledger.json").read_text())
    with (snapshot / "ledger" / "extract.tsv").open("rb") as stream:
        assert hashlib.file_digest(stream, "sha256").hexdigest() == said["extract_sha256"]
    with ClientBook(snapshot / "ledger" / "clients.book", "C") as book:
        book.verify()
        assert book.clients == said["clients"]
        roots = [root.hex() for _, root in book.trees]
    assert roots == [cell["root"] for cell in said["cells"]]
    for cell in said["cells"]:
        with TreeFile(snapshot / "ledger" / "trees" / tree_file(cell["pool"], cell["asset"])) as tree:
            tree.verify()
            assert (tree.header.root.hex(), tree.header.leaves) == (cell["root"], cell["leaves"])


def test_44_kill_a_large_build_at_fifty_instants(tmp_path: Path) -> None:
    made = large_ledger.make(tmp_path / "inputs", rows=ROWS)
    custody = world.opened(tmp_path / "world", made)
    words = ("snapshot", custody.workspace, world.SNAPSHOT, *custody.given)
    honest = world.opened(tmp_path / "honest", made)
    seconds = whole(("snapshot", honest.workspace, world.SNAPSHOT, *honest.given))
    dice = random.Random(44)  # noqa: S311 - a repeatable choice
    hit = 0
    for number in range(KILLS):
        # Before that it still imports; every part of the build is hit.
        hit += killed(words, seconds * dice.uniform(0.15, 1.0))
        check_snapshot(custody.snapshot)
        if (custody.snapshot / "ledger.json").exists():
            # It was done before the kill: once more from the start.
            custody = world.opened(tmp_path / f"world-{number}", made)
            words = ("snapshot", custody.workspace, world.SNAPSHOT, *custody.given)
    assert hit >= KILLS // 2, "at least half were killed while they ran"
    whole(words)
    check_snapshot(custody.snapshot)
    assert (custody.snapshot / "ledger.json").exists()
    assert not [path for path in custody.workspace.rglob("*") if path.name.startswith((".tmp-", "reserveproof-"))]


def test_44_kill_the_making_of_a_set(tmp_path: Path) -> None:
    made = large_ledger.make(tmp_path / "inputs", rows=min(ROWS, 200_000))
    custody = world.opened(tmp_path / "world", made)
    custody.take()
    custody.publish()
    out = tmp_path / "out"
    out.mkdir()
    words = ("prove", custody.workspace, world.SNAPSHOT, "--all", "--to")
    seconds = whole((*words, out / "honest"))
    dice = random.Random(45)  # noqa: S311 - a repeatable choice
    hit = 0
    target = out / "set"
    for _ in range(SET_KILLS):
        hit += killed((*words, target), seconds * dice.uniform(0.3, 1.0))
        check_private(out)
        names = {path.name for path in out.iterdir() if not path.name.startswith(".set.partial-")}
        assert names <= {"honest", "honest.tokens.tsv", "set", "set.tokens.tsv"}
        if target.exists():
            assert tokens_path(target).exists(), "a set whose tokens nobody knows"
            with ServingSet(target) as served:
                served.verify()
            shutil.rmtree(target)
        tokens_path(target).unlink(missing_ok=True)
    assert hit >= SET_KILLS // 2, "at least half were killed while they ran"
    whole((*words, target))
    assert not list(out.glob(".set.partial-*"))
    with ServingSet(target) as served:
        served.verify()
        lines = tokens_path(target).read_text("ascii").splitlines()
        assert served.clients == len(lines) - 1 == made.statistics["clients"]
        assert served.proof(lines[-1].split("\t")[1])

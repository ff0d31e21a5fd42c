"""A publish into the log that is killed for real, wherever it brings something to the disk: the next completes it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from custodian import demo_steps
from custodian.log_steps import holds, leftovers, log_key_file, passed, publish_logged
from reserveproof.custodian.publish import load_published
from reserveproof.custodian.workspace import State, open_workspace

PROGRAM = """
import os, signal, sys
from pathlib import Path
from reserveproof.custodian import publish as publishing
from reserveproof.custodian.log_publish import Logging
from reserveproof.custodian.workspace import open_workspace

folder, key, now, last = sys.argv[1:]
real, calls = os.fsync, 0

def fsync(handle):
    global calls
    calls += 1
    if calls == int(last):
        os.kill(os.getpid(), signal.SIGKILL)
    real(handle)

os.fsync = fsync
publishing.verify = lambda *_, **__: None
workspace = open_workspace(Path(folder))
with workspace.lock():
    publishing.publish(workspace.snapshot("s2"), now=now, logging=Logging(Path(key)))
print(calls)
"""
PLACES = 12
"""At how many of its calls, spread over all, a run is killed."""


def run(folder: Path, last: int) -> subprocess.CompletedProcess[str]:
    key = log_key_file(folder.parent)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(key), demo_steps.NOW, str(last)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_a_publish_that_is_killed_anywhere_is_completed(
    two_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed(monkeypatch)
    whole = run(demo_steps.copied(two_base, tmp_path / "whole").workspace.path, 0)
    calls = int(whole.stdout)
    assert calls > PLACES
    for number in range(PLACES):
        folder = tmp_path / f"w{number}"
        demo_steps.copied(two_base, folder)
        killed = run(folder, calls - number * calls // PLACES)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        workspace = open_workspace(folder)
        snapshot = workspace.snapshot("s2")
        if snapshot.state() is not State.PUBLISHED:
            publish_logged(snapshot)
        assert load_published(snapshot).sequence == 1
        assert holds(workspace)[:2] == [
            "2 entries; 2 of them rebuilt from their statements", "2 checkpoints; each continues the one before",
        ]  # fmt: skip
        assert leftovers(workspace) == [] or snapshot.state() is State.PUBLISHED

"""A publish into the log that is killed for real, wherever it brings something to the disk: the next completes it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from custodian import demo_steps
from custodian.log_steps import correction, holds, kept, leftovers, log_key_file, passed, publish_logged, with_log
from reserveproof.custodian import log_publish
from reserveproof.custodian import publish as publishing
from reserveproof.custodian.log_history import published_bundles
from reserveproof.custodian.log_site import write_site
from reserveproof.custodian.publish import RefusedByVerifierError, load_published
from reserveproof.custodian.workspace import Snapshot, State, open_workspace
from reserveproof.format.errors import EvidenceError, InputError, UsageError

Patch = pytest.MonkeyPatch

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


def appended_and_killed(snapshot: Snapshot, monkeypatch: Patch) -> None:
    """A publish that was killed when the log and the checkpoint had the statement."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(log_publish, "write_site", stop)
        with pytest.raises(KeyboardInterrupt):
            publish_logged(snapshot)
    assert kept(snapshot.workspace).sizes()[-1] == 2


def test_what_is_in_the_log_is_completed_as_of_its_append(two_base: Path, tmp_path: Path, monkeypatch: Patch) -> None:
    snapshot = demo_steps.copied(two_base, tmp_path / "w").workspace.snapshot("s2")
    appended_and_killed(snapshot, monkeypatch)
    real, asked = publishing.verify, []

    def years_later(*given: Path, at: str = "", **named: Path | None) -> None:
        asked.append(at)
        real(*given, at=at or "2099-01-01T00:00:00Z", **named)

    monkeypatch.setattr(publishing, "verify", years_later)
    publish_logged(snapshot)
    assert asked == [demo_steps.NOW]
    assert len(holds(snapshot.workspace)) == 4
    with pytest.raises(RefusedByVerifierError, match="days"):  # one that is not in the log has the clock's time
        publish_logged(correction(snapshot.workspace, "s3"))
    assert asked[1:] == [""]


def test_what_was_left_behind_in_the_log_is_named(two_base: Path, tmp_path: Path, monkeypatch: Patch) -> None:
    snapshot = demo_steps.copied(two_base, tmp_path / "w").workspace.snapshot("s2")
    workspace = snapshot.workspace
    passed(monkeypatch)
    appended_and_killed(snapshot, monkeypatch)

    def refuse(*_: object, **__: object) -> None:
        raise RefusedByVerifierError(5, "another policy")

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "verify", refuse)
        with pytest.raises(RefusedByVerifierError):
            publish_logged(snapshot)
    with_log(workspace, lambda log, points: write_site(log, points, published_bundles(workspace)))
    with pytest.raises(EvidenceError, match=r"in the log and not published: statement 1$"):
        holds(workspace)
    third = correction(workspace, "s3")
    with pytest.raises(UsageError, match="statement 1, of snapshot s2, was signed and is not published"):
        publish_logged(third)
    publish_logged(third, 1)
    assert "logged by --log-unpublished and not published: statement 1" in holds(workspace)
    (workspace.path / "log" / "appended" / "1.json").write_bytes(b"{}")
    with pytest.raises(InputError, match="is damaged"):
        holds(workspace)

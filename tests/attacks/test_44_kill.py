"""Attack 44: kill the custodian's commands at any instant, or fill the disk under them.

Then no file that looks finished is unfinished, a rerun completes, and nothing secret can be read by others.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from attacks.toolbox import run
from reserveproof.custodian import demo
from reserveproof.custodian.demo_world import make_world

KILLS = {"open": 8, "snapshot": 14, "challenge": 6, "attest": 10, "sign": 6, "publish": 6}
FINISHED = {
    "open": "snapshot.json",
    "snapshot": "ledger.json",
    "challenge": "challenge.json",
    "attest": "draft.json",
    "sign": "signatures.json",
    "publish": "published.json",
}
assert sum(KILLS.values()) == 50

Before = Callable[[str, list[str], Path], None]
"""Told each of these commands, its words and the folder, before it is run."""


def tour(folder: Path, before: Before) -> None:
    """The demonstration's custodian up to the publication; `before` is told each command once, the first time."""
    told: set[str] = set()

    class Watched(demo.Tour):
        def run(self, *arguments: str | Path, expect: int = 0, lines: int = 0) -> str:
            words = [str(argument) for argument in arguments]
            name = words[1]
            if words[0] == "reserveproof" and name in KILLS and name not in told and expect == 0:
                told.add(name)
                before(name, words[1:], self.folder)
            return super().run(*arguments, expect=expect, lines=lines)

    folder.mkdir(mode=0o700)
    shown = Watched(folder, make_world(dt.datetime.now(dt.UTC).date()), lambda line: None)
    demo._prepare(shown)
    demo._challenge(shown)
    demo._attest(shown)
    shown.run("reserveproof", "publish", shown.workspace, demo.SNAPSHOT)
    assert told == set(KILLS)


def moved(words: list[str], old: Path, new: Path) -> list[str]:
    return [word.replace(str(old), str(new)) for word in words]


def start(words: list[str], **more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-P", "-m", "reserveproof.custodian", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **more,
    )  # fmt: skip


def snapshot_folder(folder: Path) -> Path:
    return folder / "workspace" / "snapshots" / demo.SNAPSHOT


PUBLIC_NAMES = ("bundle", "draft", "policy.toml")


def check_nothing_unfinished(folder: Path) -> None:
    """What looks finished is: state files parse, trees and extract are as ledger.json says, a bundle verifies."""
    snapshot = snapshot_folder(folder)
    for path in sorted(snapshot.glob("*.json")) if snapshot.exists() else ():
        assert json.loads(path.read_text()), path
    key = snapshot / "snapshot.key"
    if (snapshot / "snapshot.json").exists():
        assert len(key.read_text()) == 65
    if (snapshot / "ledger.json").exists():
        said = json.loads((snapshot / "ledger.json").read_text())
        extract = (snapshot / "ledger" / "extract.tsv").read_bytes()
        assert hashlib.sha256(extract).hexdigest() == said["extract_sha256"]
    if (snapshot / "bundle").exists():
        ran = run(["public", str(snapshot / "bundle"), "--policy", str(folder / "workspace" / "policy.toml")])
        assert ran.status == 0, ran
    drafted = {path.read_bytes() for path in (snapshot / "draft").rglob("*") if path.is_file()}
    for place, _, files in os.walk(folder / "workspace"):
        for name in files:
            path = Path(place) / name
            public = any(part.startswith(PUBLIC_NAMES) for part in path.relative_to(folder).parts)
            if path.parent.name.startswith(".tmp-") or path.parent.parent.name.startswith(".tmp-"):
                # The bundle while it is put together: what it holds was drafted to be public.
                public = path.name == "statement.json" or path.read_bytes() in drafted
            mode = stat.S_IMODE(path.stat().st_mode)
            assert public or not mode & 0o077, f"{path} has the mode {mode:o}"
    for place in (folder / "workspace", folder / "workspace" / "snapshots", snapshot):
        if place.exists():
            assert not stat.S_IMODE(place.stat().st_mode) & 0o077, place


def completes(words: list[str], name: str, folder: Path) -> None:
    """The command again: it ends well, or says that it is done already and is."""
    again = start(words)
    out, err = again.communicate(timeout=60)
    finished = (snapshot_folder(folder) / FINISHED[name]).exists()
    assert finished, (name, out, err)
    assert again.returncode in (0, 2), (name, again.returncode, out, err)  # 2: it was done before the kill
    check_nothing_unfinished(folder)
    status = start(["status", str(folder / "workspace")])
    status.communicate(timeout=60)
    assert status.returncode == 0


def test_44_kill_at_fifty_instants(tmp_path):
    dice = random.Random(44)  # noqa: S311 - a repeatable choice
    killed: dict[str, list[bool]] = {}

    def before(name: str, words: list[str], folder: Path) -> None:
        kept = tmp_path / f"kept-{name}"
        shutil.copytree(folder, kept)
        started = time.monotonic()
        trial = tmp_path / "trial"
        shutil.copytree(kept, trial)
        honest = start(moved(words, folder, trial))
        honest.communicate(timeout=60)
        assert honest.returncode == 0
        whole = time.monotonic() - started
        shutil.rmtree(trial)
        for _ in range(KILLS[name]):
            shutil.copytree(kept, trial)
            victim = start(moved(words, folder, trial))
            time.sleep(whole * dice.uniform(0.35, 1.0))  # before that it still imports
            victim.send_signal(signal.SIGKILL)
            victim.communicate(timeout=60)
            killed.setdefault(name, []).append(victim.returncode == -signal.SIGKILL)
            check_nothing_unfinished(trial)
            completes(moved(words, folder, trial), name, trial)
            shutil.rmtree(trial)
        shutil.rmtree(kept)

    tour(tmp_path / "tour", before)
    assert {name: len(found) for name, found in killed.items()} == KILLS
    assert sum(sum(found) for found in killed.values()) >= 25, "at least half were killed while they ran"


def refused(status: int, err: str, trial: Path) -> str:
    """What is wrong with how a command ended on a full disk; "" if it ended with 6 and left nothing half-written."""
    if status != 6:
        return f"exit status {status}: {err.strip().splitlines()[-1:]}"
    if "Traceback" in err or len(err.strip().splitlines()) > 3:
        return f"not a line or two: {err}"
    check_nothing_unfinished(trial)
    return ""


def limited_files(words: list[str], name: str, folder: Path, trial: Path) -> list[str]:
    """Runs a command with files bounded to a few sizes, each on a copy; what went wrong."""
    found = []
    stopped = False
    for bound in (0, 40, 200, 1500, 6000):
        shutil.copytree(folder, trial)

        def limit(bound: int = bound) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))

        ran = start(moved(words, folder, trial), preexec_fn=limit)
        _, err = ran.communicate(timeout=60)
        if ran.returncode:
            stopped = True
            found.append(refused(ran.returncode, err, trial))
            completes(moved(words, folder, trial), name, trial)
        shutil.rmtree(trial)
    return [problem for problem in found if problem] + ([] if stopped else ["no bound stopped it"])


def full_file_system(words: list[str], name: str, folder: Path, disk: Path) -> list[str]:
    trial = disk / "tour"
    shutil.copytree(folder, trial)
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    ran = start(moved(words, folder, trial))
    _, err = ran.communicate(timeout=60)
    problem = refused(ran.returncode, err, trial)
    filler.unlink()
    completes(moved(words, folder, trial), name, trial)
    return [problem] if problem else []


def mounted(place: Path) -> bool:
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", str(place)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def full_disks(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[str] | None]:
    """(command, how): what went wrong; None where no file system could be mounted."""
    root = tmp_path_factory.mktemp("full")
    found: dict[tuple[str, str], list[str] | None] = {}

    def before(name: str, words: list[str], folder: Path) -> None:
        found[name, "limit"] = limited_files(words, name, folder, root / "trial")
        disk = root / f"disk-{name}"
        if not mounted(disk):
            found[name, "mount"] = None
            return
        try:
            found[name, "mount"] = full_file_system(words, name, folder, disk)
        finally:
            subprocess.run(["umount", str(disk)], check=True)

    tour(root / "tour", before)
    return found


@pytest.mark.parametrize("how", ["limit", "mount"])
@pytest.mark.parametrize("name", KILLS)
def test_44_kill_by_a_full_disk(full_disks, name, how):
    """Exit status 6, a line or two, nothing half-written; and a rerun completes once there is room."""
    problems = full_disks[name, how]
    if problems is None:
        pytest.skip("no file system can be mounted here")
    assert problems == []

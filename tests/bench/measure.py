"""Runs a command as a new process and says what it took: time, and memory over all its processes.

Memory is what cannot be given back to a file: anonymous and shared pages (RssAnon and RssShmem of /proc/PID/status),
summed over the process and all below it, at its highest of all samples. A page that two processes share after a fork
is counted twice, so that the sum is never too low for that; a peak between two samples can be missed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
_INTERVAL = 0.02


@dataclass(frozen=True, slots=True)
class Run:
    """One process from start to end. Seconds; memory: bytes. user and system include the processes below it."""

    wall: float
    user: float
    system: float
    memory: int
    output: str


class CommandFailedError(Exception):
    """A command that was to be measured did not end with 0."""


def python_path() -> str:
    """Where modules are looked for: this package, then what the environment says."""
    return os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH", "")]))


def run(arguments: Sequence[str | Path], scratch: Path) -> Run:
    """Run it and wait for it. arguments: of the Python that runs the bench. scratch: a folder for its output.

    CommandFailedError if it does not end with 0."""
    command = [sys.executable, *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": python_path(), "TMPDIR": str(scratch)}
    # Bytecode is kept, as an installation has it.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    out, err = scratch / "stdout.txt", scratch / "stderr.txt"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environment)
        watch = _Watch(process.pid)
        watch.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
            wall = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait again
        finally:
            watch.end()
            if process.returncode is None:
                process.kill()
    if process.returncode:
        told = err.read_text(errors="replace")[-2000:] or out.read_text(errors="replace")[-2000:]
        raise CommandFailedError(f"{' '.join(command)}\nended with {process.returncode}\n{told}")
    return Run(wall, used.ru_utime, used.ru_stime, watch.peak, out.read_text())


class _Watch(threading.Thread):
    """Samples the memory of a process and of all below it."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._ours = {pid}
        self._others: set[int] = set()
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(_INTERVAL):
            self._find()
            self.peak = max(self.peak, sum(map(_memory, self._ours)))

    def end(self) -> None:
        self._ended.set()
        self.join()

    def _find(self) -> None:
        """Take in new processes whose parent is ours. Each process is asked for its parent once only."""
        there = {int(name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208
        self._ours &= there
        self._others &= there
        for pid in sorted(there - self._ours - self._others):
            (self._ours if _field(pid, "PPid:") in self._ours else self._others).add(pid)


def _memory(pid: int) -> int:
    return (_field(pid, "RssAnon:") + _field(pid, "RssShmem:")) * 1024


def _field(pid: int, name: str) -> int:
    """A number of /proc/PID/status; 0 if the process is gone. Read many times a second: no Path is made."""
    try:
        with open(f"/proc/{pid}/status") as file:  # noqa: PTH123
            return next((int(line.split()[1]) for line in file if line.startswith(name)), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


def heading(run: Run) -> dict[str, float | str]:
    """What a run took, for a figure's detail."""
    return {
        "wall_s": round(run.wall, 3), "user_s": round(run.user, 3), "system_s": round(run.system, 3),
        "memory_mb": round(run.memory / 1e6, 1),
    }  # fmt: skip

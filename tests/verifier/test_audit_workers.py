"""The audit's processes: answers in order, refusals as they were made, and no verdict without every answer."""

from __future__ import annotations

import contextlib
import io
import math
import operator
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from attacks.toolbox import PASSED, Ran, open_world, write_audit
from reserveproof.format.amounts import from_json
from reserveproof.format.errors import InputError, MalformedError, TransportError
from reserveproof.verifier.audit_sort import open_source
from reserveproof.verifier.command_progress import Terminal, picture, progress_on
from reserveproof.verifier.command_workers import Workers
from reserveproof.verifier.progress import SILENT

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(2) as started:
        yield started


def test_answers_come_in_the_order_of_the_tasks(workers):
    assert list(workers.map(math.sqrt, [n * n for n in range(50)])) == [float(n) for n in range(50)]
    assert list(workers.map(time.sleep, [0.2, 0, 0, 0])) == [None] * 4
    assert list(workers.map(math.sqrt, [])) == []


def test_the_first_refusal_in_the_order_of_the_tasks(workers):
    taken = workers.map(from_json, ["1", "2", "x", "3", "y"])
    assert [next(taken), next(taken)] == [1, 2]
    with pytest.raises(MalformedError) as refused:
        next(taken)
    with pytest.raises(MalformedError) as here:
        from_json("x")
    assert type(refused.value) is type(here.value)
    assert vars(refused.value) == vars(here.value) and str(refused.value) == str(here.value)


def test_a_refusal_that_names_a_row_is_the_same_from_a_worker(workers, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    work = partial(open_source, columns=("a", "c"))
    with pytest.raises(InputError) as refused:
        list(workers.map(work, [tmp_path / "t.csv"]))
    with pytest.raises(InputError) as here:
        work(tmp_path / "t.csv")
    assert vars(refused.value) == vars(here.value) and refused.value.row == 1


def test_a_worker_that_is_killed_is_no_answer(workers):
    with pytest.raises(TransportError, match=r"signal 9.*no verdict") as refused:
        list(workers.map(signal.raise_signal, [signal.SIGKILL]))
    assert refused.value.exit_status == 6


def test_a_worker_that_leaves_is_no_answer(workers):
    with pytest.raises(TransportError, match="status 0"):
        list(workers.map(os._exit, [0]))


def test_a_worker_without_memory_is_no_answer(workers):
    with pytest.raises(TransportError, match="memory"):
        list(workers.map(partial(operator.mul, b"x"), [1 << 62]))


def test_a_fault_is_a_fault(workers):
    with pytest.raises(RuntimeError, match="math domain error"):
        list(workers.map(math.sqrt, [-1]))


def test_nothing_is_left_when_not_all_answers_are_taken():
    workers = Workers(2)
    processes = list(workers._workers.values())
    taken = workers.map(time.sleep, [0, 60, 60])
    next(taken)
    taken.close()
    assert not any(process.is_alive() for process in processes)
    workers.close()


# The command

FORCED = """
import sys, time, signal
from reserveproof.verifier import command, command_audit
command_audit.WORTH_WORKERS = 0
command_audit.processors = lambda: 2
{}
if __name__ == "__main__":
    command.main()
"""
STARTING = """
plain = command_audit.Workers
command_audit.Workers = lambda count: (print("starting", flush=True), plain(count))[1]
"""
ON = "command.check_audit = lambda *given: {}"


def as_from_a_terminal() -> None:
    """Heed the signals that whatever runs the tests may ignore, and hand on: nohup, or a shell in the background."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(program: list[str], arguments: list[str], tmp: Path, **more: object) -> subprocess.Popen[str]:
    tmp.mkdir(exist_ok=True)
    more.setdefault("preexec_fn", as_from_a_terminal)
    return subprocess.Popen(
        [sys.executable, *program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONWARNINGS": "error", "TMPDIR": str(tmp)},
        start_new_session=True, **more,
    )  # fmt: skip


def pack(folder: Path, main: str) -> Path:
    """The one-file verifier with another __main__."""
    subprocess.run([sys.executable, ROOT / "packaging" / "build_verifier.py", folder / "a.pyz"], check=True)
    with zipfile.ZipFile(folder / "a.pyz") as built, zipfile.ZipFile(folder / "b.pyz", "w") as forced:
        for name in built.namelist():
            forced.writestr(name, main if name == "__main__.py" else built.read(name))
    return folder / "b.pyz"


def ended(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=60)
    return Ran(process.returncode, out, err)


def gone(group: int) -> bool:
    """Whether no process of the group is left, within some seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_the_command_with_workers_says_what_it_says_without(tmp_path):
    arguments = [*write_audit(tmp_path, open_world()), "--json"]
    alone = ended(start(["-m", "reserveproof.verifier"], arguments, tmp_path / "tmp"))
    process = start(["-c", FORCED.format("")], arguments, tmp_path / "tmp")
    together = ended(process)
    assert alone.verdict() == together.verdict() == PASSED
    assert (together.out, together.err) == (alone.out, alone.err)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert gone(process.pid)


def test_the_one_file_verifier_with_workers(tmp_path):
    """Workers are started from within the archive, whose __main__ they do not run."""
    packed = pack(tmp_path, FORCED.format(""))
    arguments = [*write_audit(tmp_path, open_world()), "--json"]
    ran = ended(start(["-I", str(packed)], arguments, tmp_path / "tmp", cwd=tmp_path))
    assert ran.verdict() == PASSED, ran.err
    ledger = Path(arguments[arguments.index("--ledger") + 1])
    ledger.write_bytes(ledger.read_bytes().replace(b"\t125000000\t", b"\t125_000_000\t", 1))
    ran = ended(start(["-I", str(packed)], arguments[:-1], tmp_path / "tmp", cwd=tmp_path))
    assert ran.status == 4 and not ran.said_success
    assert "row 2, column credit" in ran.err
    assert list((tmp_path / "tmp").iterdir()) == []


HOSTILE = ("multiprocessing", "pickle", "json", "selectors", "reserveproof", "sitecustomize")
"""Modules that a worker, or what Python starts beside it, imports."""


@pytest.mark.parametrize("flags", [[], ["-E"], ["-I"]], ids=["plain", "-E", "-I"])
@pytest.mark.parametrize("packed", [False, True], ids=["script", "one file"])
def test_no_code_of_the_current_folder_is_run(tmp_path, packed, flags):
    """The folder that an auditor was handed, and works in, is the custodian's."""
    handed = tmp_path / "handed"
    handed.mkdir()
    for name in HOSTILE:
        (handed / f"{name}.py").write_text(f"open({str(tmp_path / 'was-run')!r}, 'w').close()\nraise SystemExit(0)\n")
    program = tmp_path / "apart" / "verify.py"
    program.parent.mkdir()
    program.write_text(FORCED.format(""))
    if packed:
        program = pack(tmp_path / "apart", FORCED.format(""))
    arguments = [*write_audit(tmp_path, open_world()), "--json"]
    ran = ended(start([*flags, str(program)], arguments, tmp_path / "tmp", cwd=handed))
    assert not (tmp_path / "was-run").exists()
    assert ran.verdict() == PASSED, ran.err


def test_a_killed_worker_ends_the_command_without_a_verdict(tmp_path):
    killed = ON.format("list(given[-1].map_(signal.raise_signal, [9]))")
    ran = ended(start(["-c", FORCED.format(killed)], write_audit(tmp_path, open_world()), tmp_path / "tmp"))
    assert ran.status == 6 and not ran.said_success
    assert "worker" in ran.err and "Traceback" not in ran.err
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
@pytest.mark.parametrize("count", [1, 2])
def test_what_is_stopped_leaves_no_file_and_no_process(tmp_path, number, send, count):
    lines = "(print('working', flush=True), list(given[-1].map_(time.sleep, [60, 60])))"
    waiting = ON.format(lines) + f"\ncommand_audit.processors = lambda: {count}"
    process = start(["-c", FORCED.format(waiting)], write_audit(tmp_path, open_world()), tmp_path / "tmp")
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    (folder,) = (tmp_path / "tmp").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir())
    for _ in range(2):  # a terminal that closes sends two
        send(process.pid, number)
    ran = ended(process)
    assert ran.status == 128 + number and not ran.said_success
    assert ran.err == "reserveproof-verify: stopped before a verdict\n"
    assert list((tmp_path / "tmp").iterdir()) == []
    assert gone(process.pid)


@pytest.mark.parametrize("delay", [0.0, 0.005, 0.02, 0.1, 0.3])
def test_it_can_be_stopped_at_any_time(tmp_path, delay):
    """While workers are started, while they work, while the folder is removed."""
    process = start(["-c", FORCED.format(STARTING)], write_audit(tmp_path, open_world()), tmp_path / "tmp")
    assert process.stdout is not None
    assert process.stdout.readline() == "starting\n"
    time.sleep(delay)
    for number in (signal.SIGTERM, signal.SIGHUP):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
    ran = ended(process)
    assert ran.err in ("reserveproof-verify: stopped before a verdict\n", "")
    if not ran.said_success:  # or it came after the verdict
        assert ran.status in (128 + signal.SIGTERM, 128 + signal.SIGHUP)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert gone(process.pid)


def test_a_signal_that_is_ignored_stays_so(tmp_path):
    """nohup."""
    hung_up = ON.format("signal.raise_signal(signal.SIGHUP) or sys.exit(7)")
    ignore = partial(signal.signal, signal.SIGHUP, signal.SIG_IGN)
    arguments = write_audit(tmp_path, open_world())
    assert ended(start(["-c", FORCED.format(hung_up)], arguments, tmp_path / "tmp", preexec_fn=ignore)).status == 7


def test_a_worker_whose_command_is_gone_says_nothing(tmp_path):
    waiting = ON.format("(print('working', flush=True), list(given[-1].map_(time.sleep, [0.5, 0.5])))")
    process = start(["-c", FORCED.format(waiting)], write_audit(tmp_path, open_world()), tmp_path / "tmp")
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    process.kill()
    assert ended(process).err == ""
    assert gone(process.pid)


@pytest.mark.parametrize("forced", [False, True])
def test_a_full_disk_is_said(tmp_path, forced):
    import resource

    arguments = write_audit(tmp_path, open_world())
    program = ["-c", FORCED.format("")] if forced else ["-m", "reserveproof.verifier"]
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (64, 64))
    ran = ended(start(program, arguments, tmp_path / "tmp", preexec_fn=limit))
    assert ran.status == 6 and not ran.said_success
    assert "does not take more" in ran.err and "TMPDIR" in ran.err
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_refused_ledger_leaves_no_file(tmp_path):
    arguments = write_audit(tmp_path, open_world(), ledger=b"pool\tasset\n")
    ran = ended(start(["-c", FORCED.format("")], arguments, tmp_path / "tmp"))
    assert ran.status == 4 and "header" in ran.err
    assert list((tmp_path / "tmp").iterdir()) == []


# Progress


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_for_a_terminal_alone():
    assert progress_on(io.StringIO()) is SILENT
    screen = Screen()
    clock = iter([0.0, 0.1, 1.0, 2.0]).__next__
    with Terminal(screen, clock).stage("reading the ledger", 4_000_000, "bytes") as advance:
        for _ in range(3):
            advance(1_000_000)
    drawn = screen.getvalue().split("\r\x1b[K")
    assert drawn == [
        "",
        "reading the ledger ...",
        "reading the ledger: 50 %, 2.0 Mbytes/s, 1 s left",
        "reading the ledger: 75 %, 1.5 Mbytes/s, 1 s left",
        "",
    ]


def test_a_picture_of_nothing_done_yet():
    assert picture("x", 0, 0, "rows", 0.0) == "x: 0.0 rows/s"
    assert picture("x", 5, 10, "rows", 1.0) == "x: 50 %, 5.0 rows/s, 1 s left"

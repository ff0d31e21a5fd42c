"""Processes that work on an audit's tasks side by side.

Started anew (spawn), never forked: nothing of the command's memory is in them, and it is the same on every system and
from the one-file verifier. Nothing that is started looks for code in the current folder: an auditor works in what the
custodian handed over. The command itself has no thread. A worker that ends before it answered ends the audit: what
it had in hand is never taken as done.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, TypeVar

from ..format.errors import ReserveProofError, TransportError
from .command_signals import ENDING, held_back

MOST = 8
"""Workers at most: each holds some hundred megabytes."""
SAFE_PATH = "PYTHONSAFEPATH"
Task = TypeVar("Task")
Answer = TypeVar("Answer")


def processors() -> int:
    """How many workers this machine is for."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST, available)


def startable() -> bool:
    """Whether workers can be kept from the current folder: what says so is in the environment, which -E ignores."""
    return bool(sys.flags.safe_path) or not sys.flags.ignore_environment


class Workers:
    """Call map() as the builtin; close() ends them, whatever they do. Only where startable()."""

    def __init__(self, count: int) -> None:
        if not startable():
            raise RuntimeError("workers would run code of the current folder")
        context = multiprocessing.get_context("spawn")
        self._workers: dict[Connection, SpawnProcess] = {}
        try:
            with _safe_path():
                if hasattr(signal, "pthread_sigmask"):
                    resource_tracker.ensure_running()  # before: it lets go of all that is held back
                with held_back():  # they go to every process of a terminal; the command ends the workers
                    for _ in range(count):
                        ours, theirs = context.Pipe()
                        process = context.Process(target=_work, args=(theirs,), daemon=True)
                        process.start()
                        theirs.close()
                        self._workers[ours] = process
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with held_back():
            for process in self._workers.values():
                process.kill()
            for connection, process in self._workers.items():
                process.join()
                connection.close()
            self._workers.clear()

    def map(self, function: Callable[[Task], Answer], tasks: Sequence[Task], /) -> Iterator[Answer]:
        """Answers in the order of the tasks; the first error in that order. After an error, or if not all answers are
        taken, the workers are ended: what they still have in hand belongs to no one."""
        answers: dict[int, tuple[str, Any]] = {}
        following = given = 0
        busy: dict[Connection, int] = {}
        try:
            for connection in self._workers:
                self._send(connection, ("function", function))
            while following < len(tasks):
                for connection in self._workers:
                    if connection not in busy and given < len(tasks):
                        self._send(connection, ("task", tasks[given]))
                        busy[connection] = given
                        given += 1
                for ready in wait(list(busy)):
                    connection = next(one for one in busy if one is ready)
                    answers[busy.pop(connection)] = self._receive(connection)
                while following in answers:
                    answer: Answer = _opened(*answers.pop(following))
                    following += 1
                    yield answer
        finally:
            if following < len(tasks):
                self.close()

    def _send(self, connection: Connection, message: tuple[str, Any]) -> None:
        try:
            connection.send(message)
        except OSError:
            raise self._ended(connection) from None

    def _receive(self, connection: Connection) -> tuple[str, Any]:
        try:
            received: tuple[str, Any] = connection.recv()
        except (EOFError, OSError):
            raise self._ended(connection) from None
        return received

    def _ended(self, connection: Connection) -> TransportError:
        process = self._workers[connection]
        process.join()
        status = process.exitcode or 0
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return TransportError(
            f"a worker process of the audit ended before its work was done ({how}): no verdict",
            reason="worker",
            hint="memory may have run out, or someone ended it: run the audit again",
        )


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """What is started here, with `python -c`, would have the current folder before all others on its path."""
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before


def _work(connection: Connection) -> None:
    """A worker: tasks one by one, until the command is gone."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    function: Callable[[Any], Any] | None = None
    with contextlib.suppress(EOFError, OSError):
        while True:
            kind, given = connection.recv()
            if kind == "function" or function is None:
                function = given
            else:
                connection.send(_answer(function, given))


def _answer(function: Callable[[Any], Any], task: object) -> tuple[str, Any]:
    """What is sent back. A refusal travels in its parts: it is made again with the same words on the other side."""
    try:
        return "done", function(task)
    except ReserveProofError as error:
        return "refused", (type(error), error.args, error.__dict__)
    except MemoryError:
        return "memory", None
    except Exception as fault:  # noqa: BLE001 - the command ends with it, and says that it is no verdict
        return "fault", repr(fault)


def _opened(kind: str, content: Any) -> Any:
    if kind == "done":
        return content
    if kind == "refused":
        its_type, args, members = content
        error = its_type.__new__(its_type)
        error.args = args
        error.__dict__.update(members)
        raise error
    if kind == "memory":
        raise TransportError("memory ran out in a worker process: no verdict", reason="worker")
    raise RuntimeError(f"in a worker: {content}")

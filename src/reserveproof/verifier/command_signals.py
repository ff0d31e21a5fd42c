"""The signals that end a command before its verdict: in order, once, and not while it starts or clears something up."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

ENDING = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in signal.Signals.__members__
)  # fmt: skip


def end_in_order() -> None:
    """From here on the first of them raises KeyboardInterrupt with its number. One that is ignored (nohup) stays so."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    nothing_to_end()  # they come in pairs (a terminal that closes): the second would cut off what the first set going
    raise KeyboardInterrupt(number)


def nothing_to_end() -> None:
    """From here on they change nothing: the command ends by itself."""
    for number in ENDING:
        signal.signal(number, _pass)


def _pass(_number: int, _frame: FrameType | None) -> None:
    pass


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """They wait until the end. What is started within inherits that they wait, for good."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

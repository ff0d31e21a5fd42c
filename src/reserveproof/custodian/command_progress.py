"""Progress on a terminal's stderr: the stage, a bar, how much is done, the rate and the time left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from .progress import Advance


class Bars:
    """A progress.Progress that draws one line: the stage that runs, or what is worked on while none does."""

    def __init__(self, what: str, console: Console) -> None:
        self._bars = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), _Done(), TimeElapsedColumn(),
            console=console, transient=True,
        )  # fmt: skip
        self._idle = self._bars.add_task(what, total=None, unit="")

    @contextlib.contextmanager
    def stage(self, what: str, total: int, unit: str) -> Iterator[Advance]:
        task = self._bars.add_task(what, total=total or None, unit=unit)
        self._bars.update(self._idle, visible=False)
        try:
            yield lambda done: self._bars.advance(task, done)
        finally:
            self._bars.remove_task(task)
            self._bars.update(self._idle, visible=True)

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()


class _Done(ProgressColumn):
    """ "41 % of 10.0 M lines, 1.2 M lines/s, 5 s left", as far as it is known."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        unit = str(task.fields["unit"])
        if not unit:
            return Text()
        done = f"{task.percentage:.0f} % of {short(task.total)}" if task.total else short(task.completed)
        words = [f"{done} {unit}"]
        if task.speed:
            words.append(f"{short(task.speed)} {unit}/s")
        if task.time_remaining is not None and task.total:
            words.append(f"{task.time_remaining:.0f} s left")
        return Text(", ".join(words))


def short(number: float) -> str:
    """A number in three digits or four: 999, 1.0 k, 682.9 M."""
    for mark in ("", " k", " M"):
        if number < 1000:
            return f"{number:.1f}{mark}" if mark else f"{number:.0f}"
        number /= 1000
    return f"{number:.1f} G"

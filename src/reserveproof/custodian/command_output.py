"""What the commands print: results on stdout, errors and progress on stderr, progress only on a terminal."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..format.times import format_time
from .progress import SILENT, Progress

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The custodian's workspace.", show_default=False)]
SnapshotId = Annotated[str, typer.Argument(metavar="ID", help="The snapshot.", show_default=False)]


def say(text: str = "") -> None:
    """One line of the result. What a terminal's encoding does not have is escaped, never an error."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def explain(message: str, expected: str = "", found: str = "", hint: str = "") -> None:
    """An error on stderr: one line, and a second one with what can be done. Further lines of a message are its
    quotation of another program."""
    message, *quoted = message.splitlines() or [""]
    line = message + (f"; expected {expected}" if expected else "") + (f"; found {found}" if found else "")
    _stderr(f"reserveproof: error: {line}")
    for further in quoted:
        _stderr(further)
    if hint:
        _stderr(f"hint: {hint}")


def show_help(text: str) -> None:
    """The help that was not asked for, on stderr and in its own lines."""
    for line in text.splitlines():
        _stderr(line)


def warn(message: str, hint: str = "") -> None:
    """A problem on stderr that is not the last one said."""
    _stderr(f"reserveproof: {message}" + (f" ({hint})" if hint else ""))


def _stderr(text: str) -> None:
    encoding = sys.stderr.encoding or "utf-8"
    one_line = " ".join(text.splitlines())
    print(one_line.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)


@contextlib.contextmanager
def working(what: str) -> Iterator[Progress]:
    """Show on a terminal what takes time, and how far each stage of it is; silent anywhere else."""
    if not sys.stderr.isatty():
        yield SILENT
        return
    from rich.console import Console

    from .command_progress import Bars

    with Bars(what, Console(stderr=True)) as bars:
        yield bars


def now() -> str:
    """The clock, read here and nowhere else: the time as the formats spell it."""
    return format_time(dt.datetime.now(dt.UTC))

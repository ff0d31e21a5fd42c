"""`reserveproof demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..format.times import parse_time
from .command_output import now, say


def add(app: typer.Typer) -> None:
    app.command("demo", short_help="Show it all with a made-up custodian.")(demo)


def demo(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)]) -> None:
    """Show the whole life of a snapshot with a made-up custodian, and verify it as client, public and auditor."""
    from .demo import demonstrate

    demonstrate(folder, today=parse_time(now()).date(), say=say)

"""`reserveproof key`: signing keys in files, for custodians without a key service of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import keys
from .command_output import say


def add(app: typer.Typer) -> None:
    group = typer.Typer(help="Signing keys in files.", no_args_is_help=True, rich_markup_mode=None)
    group.command("new")(new)
    group.command("show")(show)
    app.add_typer(group, name="key")


def new(file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.", show_default=False)]) -> None:
    """Make an Ed25519 signing key and print its public half."""
    say(keys.create_key(file))


def show(file: Annotated[Path, typer.Argument(metavar="FILE", help="A key file.", show_default=False)]) -> None:
    """Print the public half of a key file."""
    say(keys.public_text(keys.load_key(file)))

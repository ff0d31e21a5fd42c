"""`reserveproof prove`."""

from __future__ import annotations

import typer


def add(app: typer.Typer) -> None:
    """Added with prover.py."""

"""`reserveproof init`, `open`, `status`, `policy` and `version`."""

from __future__ import annotations

import secrets
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from ..format import canonical_json
from ..format.errors import MalformedError, UsageError
from ..format.times import parse_time
from . import atomic_files, kernel
from .command_output import Folder, now, say
from .config_template import CONFIG_TEMPLATE
from .csv_rows import dump_rows
from .policy_draft import policy_toml
from .register_input import ANCHOR_COLUMNS, REGISTER_COLUMNS
from .status import describe, status_json
from .workspace import create_workspace, open_workspace


def add(app: typer.Typer) -> None:
    app.command("init")(init)
    app.command("open")(open_)
    app.command("status")(status)
    app.command("policy")(policy)
    app.command("version")(show_version)


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)]) -> None:
    """Make a workspace with a custodian.toml to edit."""
    workspace = create_workspace(folder, CONFIG_TEMPLATE.encode("ascii"))
    say(f"made {workspace.path}")
    say(f"next: edit {workspace.config_path}, then reserveproof check {workspace.path}")


def open_(
    folder: Folder,
    as_of: Annotated[str, typer.Option(metavar="TIME", help="The instant of the books: YYYY-MM-DDTHH:MM:SSZ.")],
    snapshot_id: Annotated[
        str, typer.Option("--id", metavar="ID", help="The snapshot's id; without it, the day of TIME.")
    ] = "",
) -> None:
    """Open a snapshot: its id, its instant and its secret key."""
    try:
        parse_time(as_of, "--as-of")
    except MalformedError as error:
        raise UsageError(error.message, expected=error.expected, found=error.found) from None
    workspace = open_workspace(folder)
    with workspace.lock():
        workspace.config()
        snapshot = workspace.open_snapshot(
            snapshot_id or as_of[:10],
            as_of=as_of,
            now=now(),
            key=secrets.token_bytes(32),
            templates={
                "register.csv": dump_rows(REGISTER_COLUMNS, []),
                "anchors.csv": dump_rows(ANCHOR_COLUMNS, []),
            },
        )
    say(f"opened {snapshot.id} as of {as_of} in {snapshot.path}")
    say(f"keep {snapshot.path / 'snapshot.key'} secret, and keep a copy: without it no client can be given a proof")
    say("next: fill in register.csv and anchors.csv there")
    say(f"then: reserveproof snapshot {folder} {snapshot.id} --ledger FILE")


def status(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say the state of each snapshot and the next command to run."""
    workspace = open_workspace(folder)
    found = describe(workspace)
    if as_json:
        say(canonical_json.dump(status_json(found)).decode("utf-8"))
        return
    for line in found.lines():
        say(line)


def policy(folder: Folder) -> None:
    """Write policy.toml, the trust policy draft, from custodian.toml."""
    workspace = open_workspace(folder)
    with workspace.lock():
        text = policy_toml(workspace.config())
        atomic_files.write_file(workspace.policy_path, text.encode("utf-8"), mode=atomic_files.PUBLIC_FILE)
    say(f"wrote {workspace.policy_path}")
    say(f"next: give it to readers by a road other than the bundle; reserveproof-verify policy {workspace.policy_path}")


def show_version() -> None:
    """Print the version, and what builds the trees."""
    say(f"reserveproof {version('reserveproof')}")
    say(kernel.described())

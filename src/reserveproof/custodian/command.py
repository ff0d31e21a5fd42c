"""The command line `reserveproof`: one application put together from the command modules, and what errors look like.

Every command module gives `add(app)`. A command raises; only `run` prints an error and chooses the exit status.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

import typer

from ..format.errors import ReserveProofError
from . import (
    command_attest,
    command_demo,
    command_keys,
    command_log,
    command_prove,
    command_snapshot,
    command_workspace,
)
from .command_output import explain, show_help

ORDER = (
    "init", "open", "check", "snapshot", "challenge", "attest", "sign", "publish", "prove", "log", "status", "policy",
    "key", "demo", "version",
)  # fmt: skip
"""Commands in the order of a snapshot's life, as help shows them; any other stands last."""

PARTS = (
    command_workspace, command_snapshot, command_attest, command_prove, command_log, command_keys, command_demo,
)  # fmt: skip
"""The command modules; each gives `add(app)`."""

INTERRUPTED = 130


def application() -> typer.Typer:
    """All commands. No completion is installed and no pretty traceback: errors go through run."""
    app = typer.Typer(
        name="reserveproof",
        help="Proof-of-reserves attestations for segregated custody: the custodian's side.\n\n"
        "A snapshot is opened, given its ledger, challenged, attested, signed and published; then clients get "
        "their proofs. `reserveproof status DIR` says what comes next.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for part in PARTS:
        part.add(app)
    for group in (app.registered_commands, app.registered_groups):
        group.sort(key=lambda entry: ORDER.index(entry.name) if entry.name in ORDER else len(ORDER))
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit status. Never raises for what a user, a file or the disk can cause."""
    before = os.umask(0o077)  # also for what libraries write; what is published is opened file by file
    try:
        return _run(arguments)
    finally:
        os.umask(before)


def _run(arguments: Sequence[str]) -> int:
    command = typer.main.get_command(application())
    try:
        with command.make_context("reserveproof", list(arguments)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except ReserveProofError as error:
        explain(error.message, error.expected, error.found if error.expected else "", error.hint)
        return error.exit_status
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more can be said to them, and nothing was left undone.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 6
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        explain(f"{where}{error.strerror or error}")
        return 6
    except Exception as error:
        say = getattr(error, "format_message", None)
        if say is None:
            raise  # a fault of our own: the traceback is what there is to report
        if type(error).__name__ == "NoArgsIsHelpError":
            show_help(str(say()))
            return 2
        context_of = getattr(error, "ctx", None)
        path = context_of.command_path if context_of is not None else "reserveproof"
        explain(str(say()).replace("\n", " "), hint=f"{path} --help")
        return 2
    return 0

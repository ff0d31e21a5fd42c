"""`reserveproof log`: the custodian's attestation log, its checkpoints and what witnesses say of them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..format import canonical_json, note_text, signed_note, tlog_proof
from ..format import checkpoint as checkpoints
from ..format.errors import UsageError
from ..format.limits import MAX_NOTE_CHARACTERS
from ..format.signed_note import Note, NoteSignature
from ..format.times import parse_time
from . import log_site
from .atomic_files import read_file
from .attestation_log import AttestationLog
from .command_output import Folder, now, say, warn
from .log_check import check as check_log
from .log_checkpoints import Checkpoints, open_log
from .log_cosignatures import cosigners
from .log_history import published_bundles
from .workspace import open_workspace

_TEXT = "x\n"
"""Stands above lines of signatures that came without a note, for the parser."""

From = Annotated[
    int | None, typer.Option("--from", metavar="SIZE", help="A size that was seen before.", show_default=False)
]


def add(app: typer.Typer) -> None:
    group = typer.Typer(help="The attestation log.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list")(list_)
    group.command("checkpoint")(checkpoint)
    group.command("prove")(prove)
    group.command("check")(check)
    group.command("cosign")(cosign)
    group.command("site")(site)
    app.add_typer(group, name="log")


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[tuple[AttestationLog, Checkpoints]]:
    """The log and its checkpoints, under the workspace's lock."""
    workspace = open_workspace(folder)
    terms = workspace.config().log
    if terms is None:
        raise UsageError("custodian.toml has no [log]", reason="no-log", hint="docs/reference/config.md says how")
    with workspace.lock(), contextlib.closing(open_log(workspace)) as log:
        yield log, Checkpoints(workspace, terms)


def list_(folder: Folder) -> None:
    """List the entries, and the checkpoints with those who cosigned them."""
    with _opened(folder) as (log, kept):
        for index in range(log.size):
            entry = canonical_json.parse(log.entry(index), max_bytes=MAX_NOTE_CHARACTERS, what="the entry")
            if not isinstance(entry, dict):
                raise RuntimeError("an entry that is no object was appended")
            say(f"entry {index}: {entry['snapshot_id']} as of {entry['as_of']}, payload {entry['payload_sha256']}")
        for size in kept.sizes():
            names = cosigners(kept.note(size), kept.terms)
            say(f"checkpoint of size {size}: cosigned by {', '.join(names) or 'nobody yet'}")
        if not log.size:
            say("nothing was logged yet")


def checkpoint(folder: Folder, old: From = None) -> None:
    """Print the newest signed checkpoint.

    With --from it is printed as a witness takes it: the size that the witness has seen, the proof from there, and the
    checkpoint.
    """
    with _opened(folder) as (log, kept):
        note = kept.newest()
        head = ""
        if old is not None:
            hashes = log.consistency(old, checkpoints.parse(note.text).size)
            head = f"old {old}\n{note_text.dump_hashes(hashes)}\n"
        _print(head + signed_note.dump(note))


def prove(
    folder: Folder,
    sequence: Annotated[int, typer.Argument(metavar="SEQUENCE", help="The statement's number.", show_default=False)],
    old: From = None,
) -> None:
    """Print the log proof of a statement.

    With --from it prints the hashes that prove, from that size to the checkpoint's, that the log only grew.
    """
    with _opened(folder) as (log, kept):
        proof = log_site.LogProver(log, kept).prove(sequence)
        if old is None:
            _print(tlog_proof.dump(proof))
        else:
            size = checkpoints.parse(proof.checkpoint_note.text).size
            _print(note_text.dump_hashes(log.consistency(old, size)))


def check(folder: Folder) -> None:
    """Check the own history: entries, statements, checkpoints and the site. Exit status 3 if they disagree."""
    with _opened(folder) as (log, kept):
        for line in check_log(log, kept):
            say(line)
    say("the log holds")


def cosign(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What a witness returned.", show_default=False)],
) -> None:
    """Add cosignatures that a witness returned, those that hold, and write the site again.

    Those that do not hold are named on stderr. Exit status 3 if there is none that does.
    """
    lines = _signature_lines(file)
    with _opened(folder) as (log, kept):
        kept.check_past(log)
        added = kept.add(lines, now=int(parse_time(now()).timestamp()))
        log_site.write_site(log, kept, published_bundles(kept.workspace))
        names = cosigners(kept.note(added.size), kept.terms)
    for line in added.lines:
        say(f"added a cosignature of {line.name} to the checkpoint of size {added.size}")
    for wrong in added.wrong:
        warn(f"not added: {wrong}", hint="ask the witness again")
    say(f"cosigned by {len(names)} of {len(kept.terms.witnesses)} witnesses; {kept.terms.witnesses_needed} are needed")


def site(folder: Folder) -> None:
    """Write the published site again, from the log, its checkpoints and the bundles."""
    with _opened(folder) as (log, kept):
        kept.check_past(log)
        say(f"wrote {log_site.write_site(log, kept, published_bundles(kept.workspace))}")


def _signature_lines(file: Path) -> tuple[NoteSignature, ...]:
    """The signatures in a file: below a whole note, or lines alone as tlog-witness returns them."""
    text = note_text.decode(read_file(file, limit=4 * MAX_NOTE_CHARACTERS), str(file))
    note: Note = signed_note.parse(f"{_TEXT}\n{text}" if text.startswith("—") else text, str(file))
    return note.signatures


def _print(text: str) -> None:
    """Exactly these bytes: what is printed here goes into files that are compared byte for byte."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()

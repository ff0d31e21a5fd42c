"""What `reserveproof-verify` reads for a log: log proofs, consistency proofs, and the entries of a published site."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..format import note_text
from ..format.errors import MalformedError
from ..format.limits import MAX_NOTE_CHARACTERS
from ..format.log_entry import MAX_ENTRY_BYTES
from .bundle import BundleFolder
from .files import read_file
from .log_step import LogGiven

_MAX_BYTES = 4 * MAX_NOTE_CHARACTERS


def log_given(options: argparse.Namespace) -> LogGiven:
    """What the reader has of the log, as `--log-proof` and `--consistency` say. Nothing in it is believed yet."""
    proof = getattr(options, "log_proof", None)
    consistency: Path | None = options.consistency
    return LogGiven(
        proof=_text(proof, "the log proof") if proof else "",
        consistency=_text(consistency, "the consistency proof") if consistency and not consistency.is_dir() else None,
        entries=_entries(consistency) if consistency and consistency.is_dir() else None,
    )


def is_note(data: bytes) -> bool:
    """Whether a file is a signed note and no envelope, which begins with a brace."""
    return not data.lstrip().startswith(b"{")


def _text(path: Path, what: str) -> str:
    return note_text.decode(read_file(path, _MAX_BYTES, what), what)


def _entries(site: Path) -> list[bytes]:
    """Every entry of a published site, up to the first that is not there."""
    folder, found = BundleFolder(site), list[bytes]()
    while True:
        try:
            found.append(folder.read(f"entries/{len(found)}.json", MAX_ENTRY_BYTES))
        except MalformedError as error:
            if error.reason != "file-missing":
                raise
            return found

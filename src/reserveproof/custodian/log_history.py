"""What the log must say: the entry of every statement that has a number, rebuilt from its signed payload."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

from ..format.errors import EvidenceError, InputError, UsageError
from ..format.limits import MAX_STATEMENT_BYTES
from ..format.log_entry import entry_of
from ..format.statement import parse_payload
from . import draft_store
from .atomic_files import read_file
from .attestation_log import AttestationLog
from .workspace import BUNDLE_FOLDER, Numbered, State, Workspace


def entry_of_statement(workspace: Workspace, numbered: Numbered) -> bytes:
    """The entry of a signed statement. InputError if its payload is not the one that was signed."""
    path = draft_store.folder_of(workspace.snapshot(numbered.snapshot_id)) / draft_store.PAYLOAD_FILE
    payload = read_file(path, limit=MAX_STATEMENT_BYTES)
    if hashlib.sha256(payload).digest() != numbered.payload_sha256:
        raise InputError("is not the payload that was signed", file=str(path), reason="damaged",
                         hint="restore the snapshot's folder from a copy")  # fmt: skip
    return entry_of(parse_payload(payload).statement, numbered.payload_sha256)


def entries_through(
    workspace: Workspace, log: AttestationLog, sequence: int, unpublished: Collection[int] = ()
) -> list[bytes]:
    """The entries from 0 to that of a statement which is about to be published, as the log has or shall have them.

    Statements before it that are not logged yet are logged with it: they were published before there was a log, or
    by a run that was killed. UsageError for one that was signed and never published, in the log or not, unless
    unpublished names it.
    EvidenceError if the log has another entry, or a number is nobody's.
    """
    numbered = {entry.sequence: entry for entry in workspace.numbered()}
    size, found = log.size, []
    for index in range(max(size, sequence + 1)):
        entry = numbered.get(index)
        if entry is None and index < size:
            found.append(log.entry(index))  # the snapshot's folder was archived
            continue
        if entry is None:
            raise EvidenceError(f"statement {index} is in no snapshot and not in the log: it would be a gap",
                                reason="log-gap", hint="restore its snapshot's folder from a copy")  # fmt: skip
        rebuilt = entry_of_statement(workspace, entry)
        if index < size and log.entry(index) != rebuilt:
            raise EvidenceError(
                f"entry {index} of the log is of another statement than that of snapshot {entry.snapshot_id}",
                reason="log-fork", hint="the log or the snapshot was changed: restore the newest copy of both",
            )  # fmt: skip
        if index < sequence and index not in unpublished and not is_published(workspace, entry):
            raise UsageError(
                f"statement {index}, of snapshot {entry.snapshot_id}, was signed and is not published",
                reason="log-gap",
                hint=f"reserveproof publish {workspace.path} {entry.snapshot_id}; or, if readers will never see it, "
                f"--log-unpublished {index}: it then stands in the log by its digest",
            )
        found.append(rebuilt)
    return found


def left_out(workspace: Workspace, sequence: int, unpublished: Collection[int]) -> tuple[int, ...]:
    """Those of unpublished that are before a statement and not published, ascending."""
    found = [entry.sequence for entry in workspace.numbered() if not is_published(workspace, entry)]
    return tuple(index for index in found if index < sequence and index in unpublished)


def is_published(workspace: Workspace, numbered: Numbered) -> bool:
    return workspace.snapshot(numbered.snapshot_id).has(State.PUBLISHED)


def published_bundles(workspace: Workspace) -> dict[int, Path]:
    """The bundle of every published statement, by its sequence."""
    return {
        entry.sequence: workspace.snapshot(entry.snapshot_id).path / BUNDLE_FOLDER
        for entry in workspace.numbered()
        if is_published(workspace, entry)
    }

"""Where each snapshot stands and which command comes next. Reads only; judges nothing but the order of states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from ..format import canonical_json
from ..format.errors import ReserveProofError
from . import draft_store, signing
from .thresholds import lacking
from .workspace import Snapshot, State, Workspace


@dataclass(frozen=True, slots=True)
class SnapshotStatus:
    """state, as_of and sequence are "" and None where they cannot be read; problem then says why. note: what the
    next command is for, where it is not plainly the next step."""

    id: str
    as_of: str
    state: str
    sequence: int | None
    next: str
    problem: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class WorkspaceStatus:
    folder: str
    config_problem: str
    snapshots: tuple[SnapshotStatus, ...]

    def lines(self) -> Iterator[str]:
        """The same for people."""
        if self.config_problem:
            yield f"custodian.toml: {self.config_problem}"
        if not self.snapshots:
            yield "no snapshot yet"
            yield f"next: reserveproof open {self.folder} --as-of TIME"
        for entry in self.snapshots:
            number = "" if entry.sequence is None else f", statement {entry.sequence}"
            as_of = f" as of {entry.as_of}" if entry.as_of else ""
            yield f"{entry.id}{as_of}: {entry.state or 'unknown'}{number}"
            if entry.note:
                yield f"  {entry.note}"
            yield f"  problem: {entry.problem}" if entry.problem else f"  next: {entry.next}"


def describe(workspace: Workspace) -> WorkspaceStatus:
    """The status of a workspace. What is wrong with one snapshot stands in its line and hides no other."""
    problem = ""
    try:
        workspace.config()
    except ReserveProofError as error:
        problem = error.message
    return WorkspaceStatus(
        str(workspace.path), problem, tuple(_describe(workspace, snapshot) for snapshot in workspace.snapshots())
    )


def _describe(workspace: Workspace, snapshot: Snapshot) -> SnapshotStatus:
    as_of = state = ""
    sequence = None
    try:
        reached = snapshot.state()
        state, as_of = reached.value, snapshot.opened().as_of
        snapshot.key()
        numbered = snapshot.numbered()
        sequence = numbered.sequence if numbered else None
        note, following = _next(snapshot, reached)
    except ReserveProofError as error:
        return SnapshotStatus(snapshot.id, as_of, state, sequence, "", error.message)
    return SnapshotStatus(snapshot.id, as_of, state, sequence, following, "", note)


def _next(snapshot: Snapshot, reached: State) -> tuple[str, str]:
    """A note, and the next command."""
    workspace = snapshot.workspace
    if reached is State.ATTESTED and draft_store.load_state(snapshot).verdict == "failing":
        again = State.CHALLENGED.following(workspace.path, snapshot.id)
        return "the draft is failing, and is not signed: put right what attest names, then attest again", again
    if reached is State.SIGNED:
        if lines := missing_signatures(snapshot):
            return f"to be signed by {'; '.join(lines)}", State.ATTESTED.following(workspace.path, snapshot.id)
        if not workspace.policy_path.is_file():
            return "", f"reserveproof policy {workspace.path}"  # a bundle is published only as readers will judge it
    following = reached.following(workspace.path, snapshot.id)
    logged = reached is State.SIGNED and workspace.config().log is not None
    return "", following + (" --log-key FILE" if logged else "")


def missing_signatures(snapshot: Snapshot) -> tuple[str, ...]:
    """Whose signatures a signed statement still lacks for the thresholds of custodian.toml."""
    signatures = signing.load_signatures(snapshot)
    signed = {entry.key for entry in signatures.signatures} if signatures else set()
    return tuple(lacking(snapshot.workspace.config(), signed))


def status_json(status: WorkspaceStatus) -> canonical_json.Json:
    """The one document of `status --json`. sequence is "" where no statement has a number yet."""
    return cast(
        canonical_json.Json,
        {
            "config_problem": _plain(status.config_problem),
            "folder": _plain(status.folder),
            "format": 1,
            "snapshots": [
                {
                    "as_of": entry.as_of,
                    "id": entry.id,
                    "next": _plain(entry.next),
                    "note": _plain(entry.note),
                    "problem": _plain(entry.problem),
                    "sequence": "" if entry.sequence is None else entry.sequence,
                    "state": entry.state,
                }
                for entry in status.snapshots
            ],
        },
    )


def _plain(text: str) -> str:
    """Text that canonical JSON can hold: a path may have any byte in it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)

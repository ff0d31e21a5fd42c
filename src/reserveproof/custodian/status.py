"""Where each snapshot stands and which command comes next. Reads only; judges nothing but the order of states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from ..format import canonical_json
from ..format.errors import ReserveProofError
from .workspace import Snapshot, State, Workspace

_NEXT = {
    State.OPENED: "snapshot {0} {1} --ledger FILE",
    State.LEDGER: "challenge {0} {1} --kit OUT",
    State.CHALLENGED: "attest {0} {1}",
    State.ATTESTED: "sign {0} {1} --key FILE",
    State.SIGNED: "publish {0} {1}",
    State.PUBLISHED: "prove {0} {1} CLIENT",
}


@dataclass(frozen=True, slots=True)
class SnapshotStatus:
    """state, as_of and sequence are "" and None where they cannot be read; problem then says why."""

    id: str
    as_of: str
    state: str
    sequence: int | None
    next: str
    problem: str


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
    except ReserveProofError as error:
        return SnapshotStatus(snapshot.id, as_of, state, sequence, "", error.message)
    template = _NEXT[reached]
    if reached is State.SIGNED and not workspace.policy_path.is_file():
        template = "policy {0}"  # a bundle is published only as readers will judge it
    following = "reserveproof " + template.format(workspace.path, snapshot.id)
    return SnapshotStatus(snapshot.id, as_of, state, sequence, following, "")


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

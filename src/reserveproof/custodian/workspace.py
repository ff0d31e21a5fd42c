"""The custodian's folder: its configuration, its snapshots, the state of each, and the lock.

A snapshot's state is the last of its state files that is there. Each is put in place whole and is never taken
away; one may be written again only while no later one exists. Another ledger is another snapshot with another key.
"""

from __future__ import annotations

import contextlib
import enum
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..format import canonical_json, identifiers
from ..format.errors import InputError, MalformedError, UsageError
from ..format.shape import digest, integer, time
from ..format.times import parse_time
from . import atomic_files
from .config import CONFIG_FILE, Config, load_config
from .snapshot_records import FORMAT, LedgerState, Opened, parse_ledger_state, parse_opened, state_json

T = TypeVar("T")
SNAPSHOTS = "snapshots"
POLICY_FILE = "policy.toml"
KEY_FILE = "snapshot.key"
LEDGER_FOLDER = "ledger"
TREES_FOLDER = "trees"
BUNDLE_FOLDER = "bundle"
MAX_STATE_BYTES = 64 << 20
_KEY = re.compile(rb"[0-9a-f]{64}\n")


class State(enum.StrEnum):
    """States in their order; the value is the word that people see."""

    OPENED = "opened"
    LEDGER = "ledger"
    CHALLENGED = "challenged"
    ATTESTED = "attested"
    SIGNED = "signed"
    PUBLISHED = "published"

    @property
    def file(self) -> str:
        return _FILES[self]

    @property
    def rank(self) -> int:
        return list(State).index(self)

    @property
    def said(self) -> str:
        """The word as it stands in a sentence."""
        return "given its ledger" if self is State.LEDGER else self.value

    def following(self, workspace: Path, snapshot_id: str) -> str:
        """The command that comes next."""
        return "reserveproof " + _NEXT[self].format(workspace, snapshot_id)


_FILES = {
    State.OPENED: "snapshot.json",
    State.LEDGER: "ledger.json",
    State.CHALLENGED: "challenge.json",
    State.ATTESTED: "draft.json",
    State.SIGNED: "signatures.json",
    State.PUBLISHED: "published.json",
}


_NEXT = {
    State.OPENED: "snapshot {0} {1} --ledger FILE",
    State.LEDGER: "challenge {0} {1} --kit OUT",
    State.CHALLENGED: "attest {0} {1}",
    State.ATTESTED: "sign {0} {1} --key FILE",
    State.SIGNED: "publish {0} {1}",
    State.PUBLISHED: "prove {0} {1} CLIENT",
}
_FINAL = {
    State.LEDGER: "another ledger is another snapshot with another key: reserveproof open",
    State.SIGNED: "what is signed stays; a correction is another snapshot, and attest --corrects names this statement",
    State.PUBLISHED: "what is published stays; a correction is another snapshot, and attest --corrects names this one",
}
"""What to do instead, where a state was reached that is never taken back."""


def _hex(key: bytes) -> bytes:
    return key.hex().encode("ascii")


@dataclass(frozen=True, slots=True)
class Numbered:
    """What the next statement must know of one that was given a number."""

    snapshot_id: str
    sequence: int
    payload_sha256: bytes
    as_of: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot's folder. It exists; nothing in it has been judged."""

    workspace: Workspace
    id: str

    @property
    def path(self) -> Path:
        return self.workspace.path / SNAPSHOTS / self.id

    @property
    def ledger_folder(self) -> Path:
        return self.path / LEDGER_FOLDER

    @property
    def trees_folder(self) -> Path:
        return self.ledger_folder / TREES_FOLDER

    def has(self, state: State) -> bool:
        return (self.path / state.file).is_file()

    def state(self) -> State:
        """The last state reached. InputError where a state file is there and one before it is not."""
        there = [self.has(state) for state in State]
        reached = there.index(False) if False in there else len(there)
        if not reached or any(there[reached:]):
            raise InputError(
                f"is missing in snapshot {self.id}",
                file=list(State)[reached].file,
                hint="a state file was removed or the folder was copied in part; restore it from a copy",
                reason="state",
            )
        return list(State)[reached - 1]

    def require(self, state: State) -> None:
        """UsageError unless the snapshot has reached the state."""
        found = self.state()
        if found.rank < state.rank:
            raise UsageError(
                f"snapshot {self.id} is {found.said}, and this needs it to be {state.said}",
                reason="state",
                hint=f"first: {found.following(self.workspace.path, self.id)}",
            )

    def require_not(self, state: State) -> None:
        """UsageError if the snapshot has reached the state: it never goes back."""
        if self.has(state):
            raise UsageError(
                f"snapshot {self.id} is already {self.state().said}",
                reason="state",
                hint=_FINAL.get(state, f"reserveproof status {self.workspace.path}"),
            )

    def read_state(self, state: State, parse: Callable[[canonical_json.Json], T]) -> T:
        """A state file, through the shape that the caller gives. UsageError if the state is not reached."""
        self.require(state)
        path = self.path / state.file
        data = atomic_files.read_file(path, limit=MAX_STATE_BYTES)
        try:
            return parse(canonical_json.parse(data, max_bytes=MAX_STATE_BYTES, what=state.file))
        except MalformedError as error:
            raise InputError(f"is damaged: {error.message}", file=str(path), reason="damaged",
                             hint="restore it from a copy; it is never edited by hand") from error  # fmt: skip

    def write_state(self, state: State, value: canonical_json.Json, *, replace: bool = False) -> None:
        """Reach a state, under the workspace's lock. The state before must be reached. A state file is written
        again only with replace and while no later one is there (UsageError)."""
        if state is not State.OPENED:
            self.require(list(State)[state.rank - 1])
        for other in State:
            if other.rank > state.rank or (other is state and not replace):
                self.require_not(other)
        atomic_files.write_file(self.path / state.file, canonical_json.dump(value))

    def opened(self) -> Opened:
        """snapshot.json. InputError if it names another snapshot."""
        opened = self.read_state(State.OPENED, parse_opened)
        if opened.snapshot_id != self.id:
            raise InputError(
                f"is of snapshot {opened.snapshot_id}, in the folder of {self.id}",
                file=str(self.path / State.OPENED.file),
                hint="a snapshot is never copied or renamed: open another",
                reason="damaged",
            )
        return opened

    def ledger(self) -> LedgerState:
        """ledger.json."""
        return self.read_state(State.LEDGER, parse_ledger_state)

    def key(self) -> bytes:
        """The snapshot key. InputError if it is open to others, damaged, or the key of another snapshot too."""
        own = self._read_key()
        for other in self.workspace.snapshots():
            if other.id != self.id and other._has_key(own):
                raise InputError(
                    f"is the key of snapshot {other.id} as well",
                    file=str(self.path / KEY_FILE),
                    hint="one key for two snapshots lets clients be followed from one to the other: open another",
                    reason="key-reused",
                )
        return own

    def _read_key(self) -> bytes:
        path = self.path / KEY_FILE
        data = atomic_files.read_file(path, limit=64 + 1, private=True)
        if not _KEY.fullmatch(data):
            raise InputError("is not 64 hex digits and a newline", file=str(path), reason="damaged",
                             hint="restore it from a copy; without it no proof can be made")  # fmt: skip
        return bytes.fromhex(data[:64].decode("ascii"))

    def _has_key(self, key: bytes) -> bool:
        """Whether the key stands here too. What else is wrong with this snapshot's key is its own affair."""
        path = self.path / KEY_FILE
        return path.is_file() and atomic_files.read_file(path, limit=MAX_STATE_BYTES).strip().lower() == _hex(key)

    def numbered(self) -> Numbered | None:
        """The number of this snapshot's statement once a signature exists; None before. Of draft.json only the
        members as_of, payload_sha256 and sequence are looked at."""
        if not self.has(State.SIGNED):
            return None

        def parse(value: canonical_json.Json) -> Numbered:
            found = value if isinstance(value, dict) else {}
            return Numbered(
                self.id,
                integer()(found.get("sequence"), "draft.sequence"),
                digest(found.get("payload_sha256"), "draft.payload_sha256"),
                time(found.get("as_of"), "draft.as_of"),
            )

        return self.read_state(State.ATTESTED, parse)


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder. open_workspace and create_workspace give one that is there."""

    path: Path

    @property
    def config_path(self) -> Path:
        return self.path / CONFIG_FILE

    @property
    def policy_path(self) -> Path:
        return self.path / POLICY_FILE

    def config(self) -> Config:
        """custodian.toml. InputError names what is wrong with it."""
        return load_config(self.config_path)

    def snapshots(self) -> tuple[Snapshot, ...]:
        """All snapshots, by id."""
        with atomic_files.transport(f"read {self.path}"):
            names = [entry.name for entry in (self.path / SNAPSHOTS).iterdir() if entry.is_dir()]
        found = [Snapshot(self, name) for name in names if identifiers.SNAPSHOT_ID.fullmatch(name)]
        return tuple(sorted(found, key=lambda s: s.id))

    def snapshot(self, snapshot_id: str) -> Snapshot:
        """The snapshot of that id. UsageError if there is none."""
        if not identifiers.SNAPSHOT_ID.fullmatch(snapshot_id) or not (self.path / SNAPSHOTS / snapshot_id).is_dir():
            known = ", ".join(s.id for s in self.snapshots()) or "none yet"
            raise UsageError(f"there is no snapshot {snapshot_id!r} in {self.path}", reason="no-snapshot",
                             hint=f"snapshots here: {known}")  # fmt: skip
        return Snapshot(self, snapshot_id)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace alone, and first tidy away what a killed run left. Everything that changes state
        does so inside. TransportError if another run holds it."""
        with atomic_files.locked(self.path):
            atomic_files.sweep(self.path)
            atomic_files.sweep(self.path / SNAPSHOTS)
            for snapshot in self.snapshots():
                atomic_files.sweep(snapshot.path)
            yield

    def open_snapshot(
        self, snapshot_id: str, *, as_of: str, now: str, key: bytes, templates: dict[str, bytes]
    ) -> Snapshot:
        """Make a snapshot's folder, whole or not at all; its key is on the disk before anything else. Under the lock.

        key: 32 bytes from the system's random generator. templates: files for the custodian to fill in. UsageError
        for an id that is in use or not in its form, an as_of that is not past, or a key that another snapshot has.
        """
        if not identifiers.SNAPSHOT_ID.fullmatch(snapshot_id):
            raise UsageError(f"{snapshot_id!r} is not a snapshot id", hint="1 to 32 of a-z, 0-9, dot and hyphen")
        if parse_time(as_of, "as-of") > parse_time(now, "now"):
            raise UsageError(f"as-of {as_of} is in the future", hint="open a snapshot when the instant has passed")
        if len(key) != 32:
            raise ValueError("a snapshot key has 32 bytes")
        folder = self.path / SNAPSHOTS / snapshot_id
        if folder.exists():
            raise UsageError(f"snapshot {snapshot_id} exists; an id is never used twice", reason="exists",
                             hint="give another with --id")  # fmt: skip
        for other in self.snapshots():
            if other._has_key(key):
                raise UsageError(f"the key is that of snapshot {other.id}", reason="key-reused")
        with atomic_files.new_folder(folder) as partial:
            atomic_files.write_file(partial / KEY_FILE, _hex(key) + b"\n")
            for name, data in templates.items():
                atomic_files.write_file(partial / name, data)
            opened = Opened(as_of=as_of, format=FORMAT, opened_at=now, snapshot_id=snapshot_id)
            atomic_files.write_file(partial / State.OPENED.file, canonical_json.dump(state_json(opened)))
        return Snapshot(self, snapshot_id)

    def numbered(self) -> tuple[Numbered, ...]:
        """Every statement that a signature exists for, by sequence. InputError if two have one number."""
        found = sorted(
            (entry for entry in (s.numbered() for s in self.snapshots()) if entry), key=lambda entry: entry.sequence
        )
        for before, after in itertools.pairwise(found):
            if before.sequence == after.sequence:
                raise InputError(
                    f"has sequence {after.sequence}, which snapshot {before.snapshot_id} has as well",
                    file=str(self.path / SNAPSHOTS / after.snapshot_id / State.ATTESTED.file),
                    hint="two signed statements with one number are equivocation; publish neither",
                    reason="sequence-twice",
                )
        return tuple(found)

    def last_numbered(self) -> Numbered | None:
        """The statement that the next one follows: next sequence is its sequence + 1 (0 if None), previous its
        payload_sha256."""
        found = self.numbered()
        return found[-1] if found else None


def open_workspace(path: Path) -> Workspace:
    """The workspace in a folder. UsageError if it is none."""
    if not (path / CONFIG_FILE).is_file() or not (path / SNAPSHOTS).is_dir():
        raise UsageError(f"{path} is not a workspace of reserveproof", reason="no-workspace",
                         hint=f"reserveproof init {path}")  # fmt: skip
    return Workspace(path)


def create_workspace(path: Path, config: bytes) -> Workspace:
    """A new workspace in a folder that is not there or empty, with custodian.toml holding config."""
    with atomic_files.transport(f"make {path}"):
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise UsageError(f"{path} is there and is no folder", reason="exists")
        path.mkdir(mode=atomic_files.PRIVATE_FOLDER, parents=True, exist_ok=True)
        path.chmod(atomic_files.PRIVATE_FOLDER)
        with atomic_files.locked(path):
            atomic_files.sweep(path)
            left = sorted(entry.name for entry in path.iterdir())
            if [name for name in left if name not in (atomic_files.LOCK_FILE, SNAPSHOTS)] or any(
                (path / SNAPSHOTS).glob("*")
            ):
                raise UsageError(f"{path} is not empty", reason="exists", hint="give a new folder")
            (path / SNAPSHOTS).mkdir(mode=atomic_files.PRIVATE_FOLDER, exist_ok=True)
            atomic_files.create_file(path / CONFIG_FILE, config)
    return Workspace(path)

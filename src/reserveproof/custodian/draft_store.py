"""The unsigned draft on disk: what will be published, byte for byte, and beside it what stays private.

    draft/payload.json  manifest.json  register.json  evidence/HEX.json      what will be published
    draft/private/register.json  wallets.tsv  evidence/HEX.json              all positions, blinded ones too

draft.json says which payload the draft is. A draft whose files disagree with it is refused: attest again.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from ..format import canonical_json, limits, manifest, vocabulary
from ..format.errors import InputError, TransportError
from ..format.manifest import EVIDENCE_FOLDER, MANIFEST_FILE, REGISTER_FILE
from ..format.shape import choice, digest, digest_or_empty, integer, record, time, to_json
from ..format.statement import Attested, parse_payload
from . import atomic_files
from .workspace import Snapshot, State

DRAFT_FOLDER = "draft"
PAYLOAD_FILE = "payload.json"
PRIVATE_FOLDER = "private"
FORMAT = 1
_AGAIN = "run reserveproof attest again"


@dataclass(frozen=True, slots=True)
class DraftState:
    """draft.json. sequence and previous were fixed when it was attested; sign looks whether they still are next."""

    as_of: str
    format: int
    issued_at: str
    payload_sha256: bytes
    previous: bytes | None
    sequence: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The bytes of a draft. public: files of the bundle by name, the manifest and the payload apart. private: files
    of the private folder by name."""

    payload: bytes
    manifest: bytes
    public: Mapping[str, bytes]
    private: Mapping[str, bytes] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """Every file below draft/."""
        kept = {f"{PRIVATE_FOLDER}/{name}": data for name, data in self.private.items()}
        return {PAYLOAD_FILE: self.payload, MANIFEST_FILE: self.manifest, **self.public, **kept}


_STATE = record(
    DraftState,
    {
        "as_of": time,
        "format": integer(FORMAT, FORMAT),
        "issued_at": time,
        "payload_sha256": digest,
        "previous": digest_or_empty,
        "sequence": integer(),
        "verdict": choice(vocabulary.VERDICTS),
    },
)


def parse_state(value: canonical_json.Json) -> DraftState:
    return _STATE(value, "draft")


def folder_of(snapshot: Snapshot) -> Path:
    return snapshot.path / DRAFT_FOLDER


def save(snapshot: Snapshot, draft: Draft, state: DraftState) -> None:
    """Put a draft in place of the one before, under the workspace's lock; refused (UsageError) once it is signed."""
    snapshot.require(State.CHALLENGED)
    snapshot.require_not(State.SIGNED)
    folder = folder_of(snapshot)
    aside = atomic_files.temporary_name(snapshot.path)
    with atomic_files.transport(f"write {folder}"):
        if folder.exists():
            folder.rename(aside)
        try:
            with atomic_files.new_folder(folder) as partial:
                for name, data in sorted(draft.files().items()):
                    target = partial / name
                    target.parent.mkdir(mode=atomic_files.PRIVATE_FOLDER, parents=True, exist_ok=True)
                    target.write_bytes(data)
                    target.chmod(atomic_files.PRIVATE_FILE)
        except BaseException:
            if aside.exists():
                aside.rename(folder)
            raise
    snapshot.write_state(State.ATTESTED, cast(canonical_json.Json, to_json(state)), replace=True)
    shutil.rmtree(aside, ignore_errors=True)


def load_state(snapshot: Snapshot) -> DraftState:
    """draft.json. UsageError if nothing was attested yet."""
    return snapshot.read_state(State.ATTESTED, parse_state)


def load(snapshot: Snapshot) -> tuple[Draft, DraftState, Attested]:
    """The draft that draft.json names, its files compared with the manifest and the manifest with the payload."""
    state = load_state(snapshot)
    folder = folder_of(snapshot)

    def refuse(name: str, rule: str) -> InputError:
        return InputError(rule, file=str(folder / name), hint=_AGAIN, reason="draft")

    def read(name: str, limit: int) -> bytes:
        try:
            return atomic_files.read_file(folder / name, limit=limit)
        except TransportError as error:
            raise refuse(name, f"cannot be read: {error.message}") from None

    payload = read(PAYLOAD_FILE, limits.MAX_STATEMENT_BYTES)
    if hashlib.sha256(payload).digest() != state.payload_sha256:
        raise refuse(PAYLOAD_FILE, "is not the payload that draft.json names")
    listed = read(MANIFEST_FILE, limits.MAX_MANIFEST_BYTES)
    # A payload of the digest that attest wrote down is one that attest made: it parses.
    attested = parse_payload(payload)
    if hashlib.sha256(listed).digest() != attested.manifest_sha256:
        raise refuse(MANIFEST_FILE, "is not the manifest that the payload names")
    entries = manifest.parse(listed)
    public: dict[str, bytes] = {}
    for entry in entries:
        data = read(entry.name, limits.MAX_REGISTER_BYTES)
        if hashlib.sha256(data).digest() != entry.sha256 or len(data) != entry.size:
            raise refuse(entry.name, "is not the file that the manifest names")
        public[entry.name] = data
    return Draft(payload, listed, public, _read_private(folder / PRIVATE_FOLDER)), state, attested


def _read_private(folder: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with atomic_files.transport(f"read {folder}"):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = path.relative_to(folder).as_posix()
                found[name] = atomic_files.read_file(path, limit=limits.MAX_REGISTER_BYTES)
    return found


def manifest_of(public: Mapping[str, bytes]) -> bytes:
    """The manifest of the files to be published. register.json must be among them."""
    if REGISTER_FILE not in public:
        raise RuntimeError("a bundle without register.json")
    return manifest.dump(
        tuple(manifest.FileEntry(name, hashlib.sha256(data).digest(), len(data)) for name, data in public.items())
    )


def evidence_name(sha256: bytes) -> str:
    return f"{EVIDENCE_FOLDER}/{sha256.hex()}.json"

"""The folder for the auditor: everything that the rebuild needs but the snapshot key, which is handed over apart."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..format import limits
from ..format.envelope import Envelope, dump, parse
from ..format.errors import MalformedError, TransportError
from ..format.manifest import EVIDENCE_FOLDER, MANIFEST_FILE, STATEMENT_FILE
from ..format.tables import ACCOUNTS_FILE, CONTROL_TOTALS_FILE, EXTRACT_FILE
from . import atomic_files, draft_store
from .draft_store import Draft
from .workspace import Snapshot

AUDIT_FOLDER = "audit"
DRAFT_BUNDLE = "draft"
README = "README.txt"


def write_audit_pack(snapshot: Snapshot) -> Path:
    """Put audit/ in place of the one before, from the draft, under the workspace's lock. Readable by its owner only.

    Large tables are linked, not copied, where the file system can: nobody writes to them again.
    """
    draft, state, _attested = draft_store.load(snapshot)
    folder = snapshot.path / AUDIT_FOLDER
    aside = atomic_files.temporary_name(snapshot.path)
    with atomic_files.transport(f"write {folder}"):
        if folder.exists():
            folder.rename(aside)
        try:
            with atomic_files.new_folder(folder) as partial:
                for name in (EXTRACT_FILE, ACCOUNTS_FILE, CONTROL_TOTALS_FILE):
                    _link(snapshot.ledger_folder / name, partial / name)
                (partial / EVIDENCE_FOLDER).mkdir(mode=atomic_files.PRIVATE_FOLDER)
                for name, data in {**draft.private, **_draft_bundle(draft)}.items():
                    _write(partial / name, data)
                _write(partial / README, _readme(snapshot, state.payload_sha256.hex()).encode("utf-8"))
        except BaseException:
            if aside.exists():
                aside.rename(folder)
            raise
    shutil.rmtree(aside, ignore_errors=True)
    return folder


def show_signatures(snapshot: Snapshot, envelope: Envelope) -> None:
    """Put the signatures so far on the auditor's copy of the bundle, so that it can be judged before it is complete.
    A folder that is not of this payload (attest was killed before it wrote the new one) is written anew first."""
    folder = snapshot.path / AUDIT_FOLDER / DRAFT_BUNDLE
    if _shown_payload(folder / STATEMENT_FILE) != envelope.payload:
        write_audit_pack(snapshot)
    atomic_files.write_file(folder / STATEMENT_FILE, dump(envelope))


def _shown_payload(path: Path) -> bytes | None:
    """The payload of an envelope on disk; None where there is none that can be read."""
    try:
        return parse(atomic_files.read_file(path, limit=2 * limits.MAX_STATEMENT_BYTES)).payload
    except (MalformedError, TransportError):
        return None


def _draft_bundle(draft: Draft) -> dict[str, bytes]:
    """The bundle as it would be published, with no signature on it."""
    files = {STATEMENT_FILE: dump(Envelope(draft.payload, ())), MANIFEST_FILE: draft.manifest, **draft.public}
    return {f"{DRAFT_BUNDLE}/{name}": data for name, data in files.items()}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=atomic_files.PRIVATE_FOLDER, parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(atomic_files.PRIVATE_FILE)


def _link(source: Path, target: Path) -> None:
    if not source.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        target.chmod(atomic_files.PRIVATE_FILE)


def _readme(snapshot: Snapshot, payload_sha256: str) -> str:
    return f"""For the auditor of the snapshot {snapshot.id}. Private: it names clients and wallets.

extract.tsv          the ledger in its canonical form; every liabilities tree is made of it
accounts.tsv         the client accounts, if they were given
control-totals.tsv   the general ledger's totals as the custodian has them; take your own instead
register.json        every position that counts or was excluded, those of blinded pools too
evidence/            control proofs and observations of blinded pools; those of public pools are in the bundle
wallets.tsv          the whole wallet register, house wallets too
draft/               the bundle as it would be published, with the signatures so far

Payload SHA-256 of the draft: {payload_sha256}
The snapshot key (snapshot.key) is handed over by another road. It opens everything that is blinded.
Letters of banks and other custodians are not here: ask for them, and compare their SHA-256 with the evidence.

Judging draft/ before your own signature is on it takes a copy of the policy that does not ask for it yet.

    reserveproof-verify audit BUNDLE --policy POLICY --snapshot-key KEY \\
        --ledger extract.tsv --accounts accounts.tsv --control-totals YOUR-OWN.tsv \\
        --wallets wallets.tsv --register register.json --evidence evidence
"""

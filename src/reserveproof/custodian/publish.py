"""Publishing: the bundle is put together under a temporary name, the verifier's own command judges it in another
process, and only what passed is renamed into place. There is no way round it.

Where custodian.toml has a log, the statement is then logged, and the site written, before it counts as published.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..format import canonical_json
from ..format.envelope import Envelope, dump
from ..format.errors import EvidenceError, UsageError
from ..format.manifest import MANIFEST_FILE, STATEMENT_FILE
from ..format.shape import digest, integer, record, time, to_json
from . import atomic_files, draft_store, signing
from .draft_store import Draft
from .log_publish import Entry, Logging, check_logs, check_policy
from .workspace import BUNDLE_FOLDER, Snapshot, State

FORMAT = 1
SHOWN_OUTPUT = 2000
"""Characters of the verifier's answer that a refusal repeats."""


@dataclass(frozen=True, slots=True)
class Published:
    """published.json."""

    as_of: str
    format: int
    payload_sha256: bytes
    published_at: str
    sequence: int


_PUBLISHED = record(
    Published,
    {
        "as_of": time,
        "format": integer(FORMAT, FORMAT),
        "payload_sha256": digest,
        "published_at": time,
        "sequence": integer(),
    },
)


class RefusedByVerifierError(EvidenceError):
    """The verifier did not pass the bundle. verifier_status: its exit status; output: what it said, in its lines,
    without the hint, which is for readers."""

    def __init__(self, verifier_status: int, output: str) -> None:
        super().__init__(
            f"the verifier refused the bundle with exit status {verifier_status}:\n{output[:SHOWN_OUTPUT]}",
            reason="refused", hint="nothing was published; put right what it names",
        )  # fmt: skip
        self.verifier_status, self.output = verifier_status, output


def parse_published(value: canonical_json.Json) -> Published:
    return _PUBLISHED(value, "published")


def publish(snapshot: Snapshot, *, now: str, logging: Logging | None = None) -> tuple[Path, Published]:
    """Put the bundle in place and reach the state published, under the workspace's lock.

    logging: given if, and only if, custodian.toml has a log. RefusedByVerifierError if the verifier does not pass it
    for the workspace's policy.toml; UsageError if it is not signed, was published, or the policy is missing or names
    another log; what Entry raises, if it cannot be logged. Then nothing is left behind. A run that is killed later is
    completed by the next.
    """
    snapshot.require(State.SIGNED)
    snapshot.require_not(State.PUBLISHED)
    policy = snapshot.workspace.policy_path
    if not policy.is_file():
        raise UsageError(f"there is no {policy}: a bundle is published only as readers will judge it",
                         reason="no-policy", hint=f"reserveproof policy {snapshot.workspace.path}")  # fmt: skip
    draft, state, attested = draft_store.load(snapshot)
    signatures = signing.load_signatures(snapshot)
    if signatures is None or signatures.payload_sha256 != state.payload_sha256:
        raise UsageError("the signatures are of another draft", reason="signatures", hint="restore it from a copy")
    terms = snapshot.workspace.config().log
    check_logs(attested.statement, terms, logging)
    if terms:
        check_policy(policy, terms)
    folder = snapshot.path / BUNDLE_FOLDER
    if folder.exists():
        # A run was killed after it had renamed the folder and before published.json said so.
        with atomic_files.transport(f"tidy {snapshot.path}"):
            shutil.rmtree(folder)
    with contextlib.ExitStack() as opened:
        entry = None
        if terms and logging:
            entry = opened.enter_context(contextlib.closing(Entry(snapshot, state.sequence, terms, logging)))
        with atomic_files.new_folder(folder, mode=atomic_files.PUBLIC_FOLDER) as partial:
            _write_bundle(partial, draft, signatures.envelope(draft.payload))
            if entry:
                entry.judge(partial, policy, verify)
            else:
                verify(partial, policy)
        if entry:
            entry.append(now)
            entry.write_site(folder)
    published = Published(state.as_of, FORMAT, state.payload_sha256, now, state.sequence)
    snapshot.write_state(State.PUBLISHED, cast(canonical_json.Json, to_json(published)))
    return folder, published


def _write_bundle(folder: Path, draft: Draft, envelope: Envelope) -> None:
    files = {STATEMENT_FILE: dump(envelope), MANIFEST_FILE: draft.manifest, **draft.public}
    for name, data in files.items():
        path = folder / name
        if path.parent != folder:
            path.parent.mkdir(exist_ok=True)
            path.parent.chmod(atomic_files.PUBLIC_FOLDER)
        path.write_bytes(data)
        path.chmod(atomic_files.PUBLIC_FILE)


def verify(bundle: Path, policy: Path, *, log_proof: Path | None = None, at: str = "") -> None:
    """Run the verifier's own command on a bundle. RefusedByVerifierError for any exit status but 0. log_proof: a file,
    where the policy asks for a log. at: the time to judge by, "" for now."""
    # Our own interpreter and our own module, never one that lies in the current folder (-P); no shell.
    command = [sys.executable, "-P", "-m", "reserveproof.verifier", "public", str(bundle), "--policy", str(policy)]
    if log_proof is not None:
        command += ["--log-proof", str(log_proof)]
    if at:
        command += ["--at", at]
    found = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    if found.returncode:
        said = [line for line in found.stderr.splitlines() if line.strip()] or found.stdout.splitlines()
        kept = [line.rstrip() for line in said if not line.startswith("hint: ")]
        raise RefusedByVerifierError(found.returncode, "\n".join(f"  {line}" for line in kept))


def load_published(snapshot: Snapshot) -> Published:
    """published.json. UsageError if the snapshot is not published."""
    return snapshot.read_state(State.PUBLISHED, parse_published)

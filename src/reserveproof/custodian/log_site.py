"""The published site: static files that a custodian serves as they are, each put in place whole.

    SITE/checkpoint                      the newest signed checkpoint that enough witnesses cosigned; where there is
                                         none, the newest of all
    SITE/checkpoint.pending              the newest of all, with the cosignatures so far, where it is another
    SITE/entries/NUMBER.json             every entry of the log
    SITE/statements/NUMBER/              the bundle of a published statement
    SITE/proofs/NUMBER.tlog-proof        where its entry stands, by SITE/checkpoint or, for one that is not in it, by
                                         the newest

Readers who take the site while witnesses have not answered are given what witnesses answered before.

Everything is made from the log, its checkpoints and the bundles: a run that was killed is completed by the next.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..format import checkpoint as checkpoints
from ..format import note_text, signed_note, tlog_proof
from ..format.errors import EvidenceError, InputError, MalformedError, UsageError
from ..format.limits import MAX_NOTE_CHARACTERS, MAX_REGISTER_BYTES, MAX_STATEMENT_BYTES
from ..format.manifest import STATEMENT_FILE
from ..format.tlog_proof import LogProof
from .atomic_files import PUBLIC_FILE, PUBLIC_FOLDER, new_folder, read_file, sweep, transport, write_file
from .attestation_log import AttestationLog
from .log_checkpoints import Checkpoints
from .workspace import Workspace

SITE_FOLDER = "site"
CHECKPOINT_FILE, PENDING_FILE = "checkpoint", "checkpoint.pending"
ENTRIES_FOLDER, STATEMENTS_FOLDER, PROOFS_FOLDER = "entries", "statements", "proofs"


def site_of(workspace: Workspace) -> Path:
    return workspace.path / SITE_FOLDER


def proof_path(workspace: Workspace, sequence: int) -> Path:
    """Where the log proof of a statement is published."""
    return site_of(workspace) / PROOFS_FOLDER / f"{sequence}.tlog-proof"


class LogProver:
    """Log proofs of statements: under the newest checkpoint that enough witnesses cosigned, or, for a statement that is
    not in it yet, under the newest of all."""

    def __init__(self, log: AttestationLog, kept: Checkpoints) -> None:
        newest = kept.newest()
        self._log = log
        self.readers, self.newest = kept.cosigned() or newest, newest
        self._notes = [(checkpoints.parse(note.text).size, note) for note in (self.readers, newest)]

    def prove(self, sequence: int) -> LogProof:
        """The log proof. UsageError if no checkpoint has the statement."""
        for size, note in self._notes:
            if 0 <= sequence < size:
                return LogProof(sequence, self._log.inclusion(sequence, size), note)
        raise UsageError(f"no checkpoint has entry {sequence}", reason="log-index",
                         hint="reserveproof log list DIR")  # fmt: skip


def write_site(
    log: AttestationLog, kept: Checkpoints, bundles: Mapping[int, Path], unfinished: int | None = None
) -> Path:
    """Bring the site to what the log and its checkpoints say, under the workspace's lock; its folder.

    bundles: of the published statements, by sequence. unfinished: the one that is being published, whose bundle may be
    the second that a run puts there, with more signatures. A file that is as it should be is not touched; the
    checkpoint for readers is written last, when everything that it commits to is there. InputError if another bundle
    stands in a statement's place.
    """
    site = site_of(kept.workspace)
    folders = [site, *(site / name for name in (ENTRIES_FOLDER, STATEMENTS_FOLDER, PROOFS_FOLDER))]
    with transport(f"make {site}"):
        for folder in folders:
            folder.mkdir(mode=PUBLIC_FOLDER, exist_ok=True)
            folder.chmod(PUBLIC_FOLDER)
            sweep(folder)
    for sequence, bundle in sorted(bundles.items()):
        _put_bundle(bundle, site / STATEMENTS_FOLDER / str(sequence), replace=sequence == unfinished)
    for path, data in site_files(log, kept):
        if not _holds(path, data):
            write_file(path, data, mode=PUBLIC_FILE)
    if not is_pending(kept):
        with transport(f"tidy {site}"):
            (site / PENDING_FILE).unlink(missing_ok=True)
    return site


def is_pending(kept: Checkpoints) -> bool:
    """Whether the newest checkpoint is not the one for readers yet."""
    return (kept.cosigned() or kept.newest()) != kept.newest()


def site_files(log: AttestationLog, kept: Checkpoints) -> Iterator[tuple[Path, bytes]]:
    """Every file of the site but the bundles, the checkpoint last."""
    site, prover = site_of(kept.workspace), LogProver(log, kept)
    for sequence in range(checkpoints.parse(prover.newest.text).size):
        yield site / ENTRIES_FOLDER / f"{sequence}.json", log.entry(sequence)
        yield proof_path(kept.workspace, sequence), tlog_proof.dump(prover.prove(sequence)).encode("utf-8")
    if prover.newest != prover.readers:
        yield site / PENDING_FILE, signed_note.dump(prover.newest).encode("utf-8")
    yield site / CHECKPOINT_FILE, signed_note.dump(prover.readers).encode("utf-8")


def check_site(log: AttestationLog, kept: Checkpoints, bundles: Mapping[int, Path]) -> None:
    """EvidenceError at the first file that write_site would write otherwise."""
    site = site_of(kept.workspace)

    def every() -> Iterator[tuple[Path, bytes]]:
        yield from site_files(log, kept)
        for sequence, bundle in sorted(bundles.items()):
            for path in sorted(path for path in bundle.rglob("*") if path.is_file()):
                data = read_file(path, limit=MAX_REGISTER_BYTES)
                yield site / STATEMENTS_FOLDER / str(sequence) / path.relative_to(bundle), data

    for path, data in every():
        if not _holds(path, data):
            raise _not_as_published(path)
    if not is_pending(kept) and (site / PENDING_FILE).exists():
        raise _not_as_published(site / PENDING_FILE)


def _not_as_published(path: Path) -> EvidenceError:
    return EvidenceError(f"{path} is not what was published", reason="log-site",
                         hint="move away what stands there, and reserveproof log site DIR")  # fmt: skip


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(data) and read_file(path, limit=len(data)) == data


def _put_bundle(bundle: Path, target: Path, *, replace: bool) -> None:
    if target.is_dir() and replace:
        with transport(f"tidy {target}"):
            shutil.rmtree(target)
    if target.is_dir():
        if _statement(target) != _statement(bundle):
            raise InputError("is another bundle than the one that was published", file=str(target), reason="site",
                             hint="move it away, and run this again")  # fmt: skip
        return
    with new_folder(target, mode=PUBLIC_FOLDER) as partial:
        shutil.copytree(bundle, partial, dirs_exist_ok=True)
        partial.chmod(PUBLIC_FOLDER)


def _statement(bundle: Path) -> bytes:
    return read_file(bundle / STATEMENT_FILE, limit=2 * MAX_STATEMENT_BYTES)


def proof_member(path: Path, sequence: int) -> str:
    """What a proof file says in its member `log`, from the published log proof of a statement; "" where there is no
    such file. InputError if it is damaged or another statement's."""
    if not path.is_file():
        return ""
    try:
        text = note_text.decode(read_file(path, limit=4 * MAX_NOTE_CHARACTERS), path.name)
        proof = tlog_proof.parse(text)
        if proof.index != sequence:
            raise MalformedError(f"it is of statement {proof.index}", reason="log", expected=str(sequence))
        return tlog_proof.to_member(proof)
    except MalformedError as error:
        raise InputError(f"is damaged: {error.message}", file=str(path), reason="damaged",
                         hint="reserveproof log check DIR") from None  # fmt: skip

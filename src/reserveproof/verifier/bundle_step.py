"""Step 6 of a public verification: the bundle's files are exactly those that were signed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..format import manifest
from ..format.errors import EvidenceError, MalformedError
from ..format.limits import MAX_EVIDENCE_BYTES, MAX_MANIFEST_BYTES, MAX_REGISTER_BYTES
from .bundle import Bundle
from .hashing import sha256
from .statement_steps import Trusted


@contextmanager
def as_reason(reason: str) -> Iterator[None]:
    """Whatever makes a file of the bundle unreadable has the file's reason; the message says the rest."""
    try:
        yield
    except MalformedError as error:
        error.reason = reason
        raise


def is_evidence(name: str) -> bool:
    return name.startswith(f"{manifest.EVIDENCE_FOLDER}/")


# (6)
def read_manifest(bundle: Bundle, trusted: Trusted) -> dict[str, manifest.FileEntry]:
    """The manifest that the statement names; every file there and none beside, each with its size and digest."""
    data = bundle.read(manifest.MANIFEST_FILE, MAX_MANIFEST_BYTES)
    if sha256(data) != trusted.manifest_sha256:
        raise EvidenceError(
            "the manifest is not the one that was signed",
            reason="manifest-differs",
            expected=trusted.manifest_sha256.hex(),
            found=sha256(data).hex(),
            hint="get the whole bundle again",
        )
    with as_reason("manifest"):
        files = {entry.name: entry for entry in manifest.parse(data)}
        if manifest.MANIFEST_FILE in files or manifest.STATEMENT_FILE in files:
            raise MalformedError("the manifest names itself or the statement")
    if manifest.REGISTER_FILE not in files:
        raise MalformedError("the manifest names no register", reason="file-missing")
    unknown = sorted(bundle.names() - set(files) - {manifest.MANIFEST_FILE, manifest.STATEMENT_FILE})
    if unknown:
        raise MalformedError(
            "the bundle has a file that its manifest does not name",
            reason="file-unknown",
            found=ascii(unknown[0])[:96],
            hint="remove it if your own computer made it, like .DS_Store; else get the whole bundle again",
        )
    for name, entry in files.items():
        read_signed(bundle, entry, MAX_EVIDENCE_BYTES if is_evidence(name) else MAX_REGISTER_BYTES)
    return files


def read_signed(bundle: Bundle, entry: manifest.FileEntry, limit: int) -> bytes:
    """A file's bytes, compared with the manifest at every use: a disk may answer twice in two ways."""
    content = bundle.read(entry.name, limit)
    if len(content) != entry.size or sha256(content) != entry.sha256:
        raise EvidenceError(
            f"{entry.name} is not the file that was signed",
            reason="file-differs",
            expected=entry.sha256.hex(),
            found=sha256(content).hex(),
            hint="get the whole bundle again",
        )
    return content

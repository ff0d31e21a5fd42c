"""The manifest of a published bundle: every file beside the statement, with its digest. docs/spec/bundle.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from . import canonical_json, identifiers, limits
from .shape import array, digest, integer, members, pattern, record, to_json

FORMAT = 1
STATEMENT_FILE = "statement.json"
MANIFEST_FILE = "manifest.json"
REGISTER_FILE = "register.json"
EVIDENCE_FOLDER = "evidence"


def evidence_file(sha256: bytes) -> str:
    """The name of an evidence file inside a bundle: it is called by its own digest."""
    return f"{EVIDENCE_FOLDER}/{sha256.hex()}.json"


@dataclass(frozen=True, slots=True)
class FileEntry:
    name: str
    sha256: bytes
    size: int


_FILES = array(
    record(FileEntry, {"name": pattern(identifiers.FILE_NAME), "sha256": digest, "size": integer()}),
    key=lambda entry: entry.name,
    limit=limits.MAX_BUNDLE_FILES,
)


def parse(data: bytes) -> tuple[FileEntry, ...]:
    """The entries, ascending by name. MalformedError for anything else."""
    root = members(
        canonical_json.parse(data, max_bytes=limits.MAX_MANIFEST_BYTES, what="the manifest"),
        frozenset({"files", "format"}),
        "manifest",
    )
    integer(FORMAT, FORMAT)(root["format"], "manifest.format")
    return _FILES(root["files"], "manifest.files")


def dump(entries: tuple[FileEntry, ...]) -> bytes:
    ordered = sorted(entries, key=lambda entry: entry.name)
    return canonical_json.dump(cast(canonical_json.Json, {"files": to_json(ordered), "format": FORMAT}))

"""The custodian's attestation log: one entry for each statement, index = sequence, in a durable Merkle tree.

pymerkle keeps the entries and their hashes in SQLite and gives roots and inclusion paths as RFC 6962 has them (its
indices begin at 1, and the first hash of its path is the leaf itself). Its consistency proofs are not those of
RFC 9162: they are built here over the leaf hashes. Whatever is proved is held against pymerkle's root and against
log_tree, so a mistake in either gives an error and no proof.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

from ..format.errors import EvidenceError, TransportError, UsageError
from . import log_tree
from .atomic_files import PRIVATE_FILE, transport

WANTED_VERSION = re.compile(r"7\.[0-9]+\.[0-9]+")
_INSTALL = "pip install 'pymerkle>=7,<8', which the custodian's extra asks for"


def checked_library() -> ModuleType:
    """pymerkle, at a version whose proofs were looked at. UsageError for any other, or none: version 6.1, to which a
    resolver may go back in silence, accepts forged sizes."""
    try:
        import pymerkle
    except ImportError:
        raise UsageError("the log needs pymerkle, which is not installed", reason="pymerkle", hint=_INSTALL) from None
    found = str(getattr(pymerkle, "__version__", "unknown"))
    if not WANTED_VERSION.fullmatch(found):
        raise UsageError("the log needs another version of pymerkle", reason="pymerkle", expected="7.x", found=found,
                         hint=_INSTALL)  # fmt: skip
    module: ModuleType = pymerkle
    return module


@contextlib.contextmanager
def _storage(path: Path) -> Iterator[None]:
    """What the database says, as TransportError where the disk or another program is in the way, and as EvidenceError
    where the file is not what was written."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise TransportError(f"cannot use {path}: {error}", reason="io") from error
    except (sqlite3.DatabaseError, ValueError) as error:
        raise EvidenceError(
            f"{path} is damaged: {error}", reason="log-damaged", hint="restore it from a copy"
        ) from error


class AttestationLog:
    """The log in a file, made if there is none; a context manager. Only under the workspace's lock.

    UsageError for another version of pymerkle; TransportError where the file cannot be used; EvidenceError where it is
    damaged.
    """

    def __init__(self, path: Path) -> None:
        library = checked_library()
        self._path = path
        with transport(f"open {path}"):
            # SQLite would make it by the umask.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE))
        with _storage(path):
            self._tree: Any = library.SqliteTree(str(path))
        # What was looked at once stays as it was: an entry is never changed, and every size has one root.
        self._leaves: list[bytes] = []
        self._roots: dict[int, bytes] = {}

    @property
    def size(self) -> int:
        """How many entries it has."""
        with _storage(self._path):
            return int(self._tree.get_size())

    def append(self, index: int, entry: bytes) -> None:
        """Put an entry at its index, on the disk when this returns. Doing it again changes nothing.

        EvidenceError if another entry has that index, or one before it is missing: what a log says is never taken back.
        """
        size = self.size
        if index > size:
            raise EvidenceError(f"the log has {size} entries, and entry {index} would leave a gap", reason="log-gap",
                                hint="an earlier statement was not logged; reserveproof log check DIR")  # fmt: skip
        if index < size:
            if self.entry(index) != entry:
                raise EvidenceError(
                    f"entry {index} of the log is of another statement", reason="log-fork",
                    hint="two statements with one number are equivocation: publish neither, and look how it came about",
                )  # fmt: skip
            return
        with _storage(self._path):
            stored = self._tree.append_entry(entry)
        if stored != index + 1 or self.entry(index) != entry:
            raise EvidenceError(f"entry {index} was not stored where it belongs", reason="log-damaged",
                                hint="restore the log from a copy")  # fmt: skip

    def entry(self, index: int) -> bytes:
        """The entry at an index, which its leaf hash is of. UsageError if there is none; EvidenceError if damaged."""
        if not 0 <= index < self.size:
            raise UsageError(f"the log has no entry {index}", reason="log-index", hint="reserveproof log list DIR")
        with _storage(self._path):
            found, leaf = self._tree.get_entry(index + 1), self._tree.get_leaf(index + 1)
        if not isinstance(found, bytes) or log_tree.leaf_hash(found) != leaf:
            raise EvidenceError(f"entry {index} of the log is not what its hash is of", reason="log-damaged",
                                hint="restore the log from a copy")  # fmt: skip
        return found

    def leaves(self, size: int) -> list[bytes]:
        """The first leaf hashes, each the hash of its entry."""
        for index in range(len(self._leaves), self._within(size)):
            self._leaves.append(log_tree.leaf_hash(self.entry(index)))
        return self._leaves[:size]

    def root(self, size: int) -> bytes:
        """The root of the first entries, which pymerkle and log_tree agree on."""
        return self._root(size, self.leaves(size))

    def _root(self, size: int, leaves: list[bytes]) -> bytes:
        if size in self._roots:
            return self._roots[size]
        with _storage(self._path):
            found = self._tree.get_root(size)
        if found != log_tree.root_of(leaves):
            raise EvidenceError(f"the log's root of size {size} is not that of its entries", reason="log-damaged",
                                hint="restore the log from a copy")  # fmt: skip
        self._roots[size] = bytes(found)
        return self._roots[size]

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The path that leads from an entry to the root of the first entries. UsageError if it is not among them."""
        leaves = self.leaves(size)
        if not 0 <= index < size:
            raise UsageError(f"entry {index} is not among the first {size}", reason="log-index")
        root = self._root(size, leaves)
        with _storage(self._path):
            first, *path = self._tree.prove_inclusion(index + 1, size).path
        if first != leaves[index]:
            raise EvidenceError(f"the log's path of entry {index} begins elsewhere", reason="log-damaged")
        log_tree.check_inclusion(leaves[index], index, size, path, root)
        return tuple(path)

    def consistency(self, old: int, size: int) -> tuple[bytes, ...]:
        """The proof that the first old entries are a beginning of the first size. UsageError unless old <= size."""
        leaves = self.leaves(size)
        if not 0 <= old <= size:
            raise UsageError(f"a log of {size} entries has no beginning of {old}", reason="log-index")
        path = log_tree.consistency_path(old, leaves)
        log_tree.check_consistency(old, size, path, self._root(old, leaves[:old]), self._root(size, leaves))
        return path

    def _within(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise UsageError(f"the log has {self.size} entries, and not {size}", reason="log-index",
                             hint="reserveproof log list DIR")  # fmt: skip
        return size

    def close(self) -> None:
        """Let go of the file."""
        self._tree.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

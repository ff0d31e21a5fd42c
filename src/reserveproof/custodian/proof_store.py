"""A tree on disk: every node of every level, flat, memory-mapped, so that a path costs one look a level.

    header   HEADER_BYTES: magic and version, kind, side, depth, leaves, tree id, root, total, SHA-256 of the nodes,
             number of nodes of each level, SHA-256 of all that
    nodes    level 0 to depth, 48 bytes each (digest, sum as u128), pads in their places

Leaves ascend by digest, so a leaf that can be computed is found by halving. Which leaves a client has, and what they
hold, stands in the book beside the trees (client_book.py).
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

from ..format.errors import InputError
from ..format.limits import AMOUNT_BOUND, MAX_DEPTH
from ..format.proof_file import PathNode
from ..format.vocabulary import TREE_TRANSPARENT
from . import kernel
from .atomic_files import PRIVATE_FILE, transport
from .mapped_file import MappedFile
from .tree_builder import BuiltTree, Level
from .tree_hashing import DIGEST_BYTES, NODE_BYTES, SUM_BYTES, TreeHasher

MAGIC = b"RPTREE\x00\x01"
"""The last byte is the version: another layout is another byte, and an older program refuses it."""
_LEVELS = MAX_DEPTH + 1
_FIELDS = struct.Struct(f">8sBcBxQ32s32s16s32s{_LEVELS}Q")
HEADER_BYTES = 576
"""Twelve nodes, so that every node of the file stands at a multiple of its size."""
_RESTORE = "restore the snapshot's folder from a copy; the trees are not built a second time"


def tree_file(pool: str, asset: str, side: Literal["L", "R"] = "L") -> str:
    """The name of a tree's file. Neither a pool nor an asset has an underscore, so that no two trees share one."""
    return f"{side}_{pool}_{asset}.tree"


class StoreWriter:
    """Takes the levels of one tree and writes its file; nothing can open the file before finish().

    The caller puts it in a folder that is renamed into place when all is there.
    """

    def __init__(self, path: Path, side: Literal["L", "R"] = "L") -> None:
        self._path, self._side = path, side
        self._counts: list[int] = []
        self._digest = hashlib.sha256()
        with transport(f"write {path}"):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
            self._stream: BinaryIO = os.fdopen(handle, "wb")
            self._stream.write(bytes(HEADER_BYTES))

    def level(self, number: int, nodes: Level) -> None:
        """The nodes of one level; levels come from 0 to depth. What build_tree calls."""
        if number != len(self._counts) or len(nodes) % NODE_BYTES:
            raise ValueError("levels come whole and in order")
        with transport(f"write {self._path}"):
            self._stream.write(nodes)
        self._digest.update(nodes)
        self._counts.append(len(nodes) // NODE_BYTES)

    def finish(self, tree_id: bytes, built: BuiltTree) -> None:
        """Write the header, and bring the file to the disk."""
        if len(self._counts) != built.depth + 1:
            raise ValueError("not every level was written")
        with transport(f"write {self._path}"):
            self._stream.seek(0)
            self._stream.write(_header(self._side, tree_id, built, self._counts, self._digest.digest()))
            self._stream.flush()
            os.fsync(self._stream.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with transport(f"write {self._path}"):
            self._stream.close()


class MappedTree:
    """The file of one tree whose size is known, to be filled where it lies; a context manager. What StoreWriter gives,
    for a builder that writes all levels itself."""

    def __init__(self, path: Path, counts: Sequence[int], side: Literal["L", "R"] = "L") -> None:
        """counts: nodes of each level from 0 to depth, pads among them."""
        self._counts, self._side = counts, side
        self._file = MappedFile(path, HEADER_BYTES + sum(counts) * NODE_BYTES)
        self.nodes = self._file.view[HEADER_BYTES:]
        """The levels one after the other."""

    def finish(self, tree_id: bytes, built: BuiltTree) -> None:
        """Write the header over the nodes as they are now, and bring the file to the disk."""
        digest = hashlib.sha256(self.nodes).digest()
        self._file.view[:HEADER_BYTES] = _header(self._side, tree_id, built, self._counts, digest)
        self._file.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.nodes.release()
        self._file.close()


def _counts(leaves: int, depth: int) -> tuple[int, ...]:
    """How many nodes of each level are stored: those that cover a leaf, with the pad beside an odd last one."""
    stored = []
    for level in range(depth):
        covering = -(-leaves >> level) if leaves else 0
        stored.append(covering + covering % 2)
    return (*stored, 1, *([0] * (_LEVELS - depth - 1)))


def _header(side: str, tree_id: bytes, built: BuiltTree, counts: Sequence[int], nodes_sha256: bytes) -> bytes:
    fields = _FIELDS.pack(
        MAGIC, TREE_TRANSPARENT, side.encode("ascii"), built.depth, built.leaves, tree_id, built.root,
        built.total.to_bytes(SUM_BYTES, "big"), nodes_sha256, *counts, *([0] * (_LEVELS - len(counts))),
    )  # fmt: skip
    body = fields.ljust(HEADER_BYTES - DIGEST_BYTES, b"\x00")
    return body + hashlib.sha256(body).digest()


@dataclass(frozen=True, slots=True)
class TreeHeader:
    """What the header says, its digest checked."""

    side: str
    depth: int
    leaves: int
    tree_id: bytes
    root: bytes
    total: int
    nodes_sha256: bytes
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A leaf as it is stored, and its siblings as the proof file's canonical JSON. They lead to the tree's root."""

    leaf: bytes
    path: bytes


class TreeFile:
    """A tree's file, open for reading; a context manager.

    Opening checks the header, the exact size and that the top node gives the root, in constant time; verify() reads
    all. InputError (reason="damaged") says what does not fit. A caller that hands a path on folds it first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with transport(f"read {path}"), path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(HEADER_BYTES)
            self.header = self._judge(head, size)
            self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        starts, at = [], HEADER_BYTES
        for count in self.header.counts:
            starts.append(at)
            at += count * NODE_BYTES
        self._starts = tuple(starts)
        # Paths and the root's digest need no key.
        self._hasher = TreeHasher(self.header.tree_id, bytes(DIGEST_BYTES))
        self._paths: Any = None
        top = self._hasher.root(self.header.depth, self._node(self.depth, 0))
        if top != self.header.root or self.node(self.depth, 0)[1] != self.header.total:
            self.close()
            raise self._damaged("its top node does not give its root")
        native = kernel.checked()
        if native is not None:
            try:
                self._paths = native.Paths(self.header.tree_id, self.nodes(), self.header.leaves, self.depth)
            except ValueError:
                self.close()
                raise self._damaged("its nodes are not those of its leaves") from None

    @property
    def depth(self) -> int:
        return self.header.depth

    def _damaged(self, rule: str) -> InputError:
        return InputError(f"is damaged: {rule}", file=str(self._path), hint=_RESTORE, reason="damaged")

    def _judge(self, head: bytes, size: int) -> TreeHeader:
        if len(head) < len(MAGIC) or not head.startswith(MAGIC[:-1]):
            raise self._damaged("it is not a tree's file")
        if head[len(MAGIC) - 1] != MAGIC[-1]:
            raise InputError(f"has version {head[len(MAGIC) - 1]} of the tree file, and this program reads {MAGIC[-1]}",
                             file=str(self._path), reason="version")  # fmt: skip
        if len(head) != HEADER_BYTES or hashlib.sha256(head[:-DIGEST_BYTES]).digest() != head[-DIGEST_BYTES:]:
            raise self._damaged("its header does not have its digest")
        _, kind, side, depth, leaves, tree_id, root, total, nodes_sha256, *counts = _FIELDS.unpack_from(head)
        if (
            kind != TREE_TRANSPARENT
            or depth > MAX_DEPTH
            or leaves > 1 << depth
            or tuple(counts) != _counts(leaves, depth)
        ):
            raise self._damaged("its header is not of a tree")
        wanted = HEADER_BYTES + sum(counts) * NODE_BYTES
        if size != wanted:
            raise self._damaged(f"it has {size} bytes where its header says {wanted}")
        return TreeHeader(
            side.decode("latin-1"), depth, leaves, tree_id, root, int.from_bytes(total, "big"), nodes_sha256,
            tuple(counts[: depth + 1]),
        )  # fmt: skip

    def _node(self, level: int, index: int) -> bytes:
        if not 0 <= index < self.header.counts[level]:
            raise IndexError(f"no node at level {level}, index {index}")
        at = self._starts[level] + index * NODE_BYTES
        return self._map[at : at + NODE_BYTES]

    def node(self, level: int, index: int) -> PathNode:
        """Digest and sum of a stored node. IndexError if there is none."""
        found = self._node(level, index)
        return found[:DIGEST_BYTES], int.from_bytes(found[DIGEST_BYTES:], "big")

    def rank(self, digest: bytes) -> int | None:
        """The index of the leaf with that digest, or None if the tree has none."""
        start = self._starts[0]

        def digest_at(rank: int) -> bytes:
            at = start + rank * NODE_BYTES
            return self._map[at : at + DIGEST_BYTES]

        rank = bisect_left(range(self.header.leaves), digest, key=digest_at)
        return rank if rank < self.header.leaves and digest_at(rank) == digest else None

    def path(self, index: int) -> tuple[PathNode, ...]:
        """The siblings of a leaf from level 0 to level depth - 1."""
        return tuple(self.node(level, (index >> level) ^ 1) for level in range(self.depth))

    def prove(self, index: int) -> Inclusion:
        """The leaf of a rank and its path, folded. InputError (reason="damaged") where there is none, or the path does
        not lead to the header's root."""
        if not 0 <= index < self.header.leaves:
            raise self._damaged(f"no leaf has rank {index}")
        if self._paths is not None:
            try:
                leaf, root, text = self._paths.prove(index)
            except ValueError as error:
                raise self._damaged(str(error.args[-1])) from None
        else:
            leaf, root, text = self._folded(index)
        if root != self.header.root:
            raise self._damaged(f"the path of rank {index} does not lead to its root")
        return Inclusion(leaf, text)

    def _folded(self, index: int) -> tuple[bytes, bytes, bytes]:
        """What the kernel's paths give, in Python."""
        leaf = node = self._node(0, index)
        parts = []
        for level in range(self.depth):
            sibling = self._node(level, (index >> level) ^ 1)
            amount = int.from_bytes(sibling[DIGEST_BYTES:], "big")
            if amount + int.from_bytes(node[DIGEST_BYTES:], "big") >= AMOUNT_BOUND:
                raise self._damaged("a path has sums that are not below 2^127")
            parts.append(f'["{sibling[:DIGEST_BYTES].hex()}","{amount}"]')
            node = self._hasher.node(level + 1, *((sibling, node) if index >> level & 1 else (node, sibling)))
        return leaf, self._hasher.root(self.depth, node), f"[{','.join(parts)}]".encode("ascii")

    def leaves(self) -> memoryview:
        """Level 0 without pads; the caller releases it before close()."""
        return memoryview(self._map)[HEADER_BYTES : HEADER_BYTES + self.header.leaves * NODE_BYTES]

    def nodes(self) -> memoryview:
        """Every level; the caller releases it before close()."""
        return memoryview(self._map)[HEADER_BYTES:]

    def verify(self) -> None:
        """Read every byte and compare with the header's digest of the nodes."""
        digest = hashlib.sha256()
        for at in range(HEADER_BYTES, len(self._map), 1 << 20):
            digest.update(self._map[at : at + (1 << 20)])
        if digest.digest() != self.header.nodes_sha256:
            raise self._damaged("its nodes do not have their digest")

    def close(self) -> None:
        self._paths = None  # it holds the map
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

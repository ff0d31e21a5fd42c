"""A book on disk: for each client, where its leaves stand and what they hold, found by one look at a hashed key.

    header   HEADER_BYTES: magic and version, kind, clients, leaves, trees, bytes of the records, a mark of the key that
             ids are hashed with, SHA-256 of the body, SHA-256 of all that
    trees    tree id and root of each, by number
    slots    a client each, ascending by key: the key, where its record starts among the records (u64)
    records  one after the other: of kind C each with a check at its end, the first 8 bytes of SHA-256(key || record);
             of kind T each sealed under its token by ChaCha20-Poly1305 (serving_set.py)

    record of kind C (a snapshot's): code (a byte's length, then it), number of lines (u16), lines
    record of kind T (a serving set's): number of lines, lines, positions as JSON (a u32's length, then it)
    line     tree (u16), rank (6 bytes), of kind T the blind (32 bytes), number of buckets (u8), and of each its code,
             then credit and debit, each a byte's length and as many bytes, big-endian, no leading zero

A client's key in a snapshot's book is a keyed hash of its id: the book alone does not say whether somebody stands in
it. Nothing in it is trusted: what is read is folded to the signed root before it is handed on.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import mmap
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from ..format.challenge import tag
from ..format.errors import InputError
from .atomic_files import transport
from .mapped_file import MappedFile

MAGIC = b"RPBOOK\x00\x01"
"""The last byte is the version: another layout is another byte, and an older program refuses it."""
BOOK_FILE = "clients.book"
KEY_BYTES = 16
_FIELDS = struct.Struct(">8sc7xQQQQ16s32s")
HEADER_BYTES = 128
_TREE_BYTES = 64
_SLOT = struct.Struct(f">{KEY_BYTES}sQ")
_CHECK_BYTES = 8
_PLACE = struct.Struct(">HHI")
MAX_TREES = (1 << 16) - 1
"""Trees of one book: their numbers, and how many lines a client has, have 16 bits."""
_RANK_BITS = 32
"""A rank has 48 bits: the high 16 of them stand first."""
Kind = Literal["C", "T"]


def index_key(snapshot_key: bytes) -> bytes:
    """The key that client ids are hashed with in a snapshot's book."""
    return hmac.digest(snapshot_key, tag("client-index"), "sha256")


def key_mark(index: bytes) -> bytes:
    """What a book's header says of its index key, so that another key is told from a client who is not there."""
    return hashlib.sha256(tag("client-index-mark") + index).digest()[:KEY_BYTES]


NO_MARK = bytes(KEY_BYTES)
"""Of a serving set, whose tokens are hashed with no key."""


def client_key(index: bytes, client_id: str) -> bytes:
    """index: index_key of the snapshot."""
    return hmac.digest(index, client_id.encode("ascii"), "sha256")[:KEY_BYTES]


@dataclass(frozen=True, slots=True)
class BookLine:
    """One leaf of a client. tree: its number in the book; blind: b"" in a snapshot's book, which has none; buckets:
    (code, credit, debit)."""

    tree: int
    rank: int
    buckets: tuple[tuple[int, int, int], ...]
    blind: bytes = b""

    def dump(self) -> bytes:
        parts = [_PLACE.pack(self.tree, self.rank >> _RANK_BITS, self.rank % (1 << _RANK_BITS)), self.blind]
        parts.append(bytes([len(self.buckets)]))
        for code, credit, debit in self.buckets:
            parts.append(bytes([code]))
            for amount in (credit, debit):
                length = (amount.bit_length() + 7) // 8
                parts.append(bytes([length]) + amount.to_bytes(length, "big"))
        return b"".join(parts)


def client_record(client_code: str, lines: Sequence[BookLine]) -> bytes:
    """A record of kind C, without its check."""
    code = client_code.encode("ascii")
    return bytes([len(code)]) + code + len(lines).to_bytes(2, "big") + b"".join(line.dump() for line in lines)


def token_record(lines: Sequence[BookLine], positions: bytes) -> bytes:
    """A record of kind T, without its check. positions: their JSON, b"" for none."""
    body = len(lines).to_bytes(2, "big") + b"".join(line.dump() for line in lines)
    return body + len(positions).to_bytes(4, "big") + positions


def parse_client_record(record: bytes) -> tuple[str, list[BookLine]]:
    """Code and lines of a record of kind C. InputError (reason="damaged") if it is none."""
    with _in_form():
        end = 1 + record[0]
        lines, at = _lines(record, end, blinded=False)
        _whole(record, at)
        return record[1:end].decode("ascii"), lines


def parse_token_record(record: bytes) -> tuple[list[BookLine], bytes]:
    """Lines and positions of a record of kind T, opened. InputError (reason="damaged") if it is none."""
    with _in_form():
        lines, at = _lines(record, 0, blinded=True)
        end = at + 4 + int.from_bytes(record[at : at + 4], "big")
        _whole(record, end)
        return lines, record[at + 4 : end]


@contextlib.contextmanager
def _in_form() -> Iterator[None]:
    try:
        yield
    except (struct.error, IndexError, UnicodeDecodeError):
        raise InputError("has a record that is not in its form", file=BOOK_FILE, reason="damaged") from None


def _whole(record: bytes, at: int) -> None:
    if at != len(record):
        raise IndexError("a record has another length than its parts")


def _lines(record: bytes, at: int, *, blinded: bool) -> tuple[list[BookLine], int]:
    lines = []
    count, at = int.from_bytes(record[at : at + 2], "big"), at + 2
    for _ in range(count):
        tree, high, low = _PLACE.unpack_from(record, at)
        at += _PLACE.size
        blind = b""
        if blinded:
            blind, at = record[at : at + 32], at + 32
        buckets = []
        first, at = record[at], at + 1
        for _ in range(first):
            middle = at + 2 + record[at + 1]
            end = middle + 1 + record[middle]
            buckets.append(
                (
                    record[at],
                    int.from_bytes(record[at + 2 : middle], "big"),
                    int.from_bytes(record[middle + 1 : end], "big"),
                )
            )
            at = end
        lines.append(BookLine(tree, high << _RANK_BITS | low, tuple(buckets), blind))
    return lines, at


class BookWriter:
    """A new book whose size is known; a context manager. Fill slots and records, then finish()."""

    def __init__(
        self,
        path: Path,
        kind: Kind,
        *,
        trees: Sequence[tuple[bytes, bytes]],
        clients: int,
        leaves: int,
        records: int,
        mark: bytes = NO_MARK,
    ) -> None:
        """trees: tree id and root of each, by number; records: their bytes; mark: key_mark of a snapshot's book."""
        self._fields = (MAGIC, kind.encode("ascii"), clients, leaves, len(trees), records, mark)
        slots_at = HEADER_BYTES + len(trees) * _TREE_BYTES
        records_at = slots_at + clients * _SLOT.size
        self._file = MappedFile(path, records_at + records)
        self._file.view[HEADER_BYTES:slots_at] = b"".join(tree_id + root for tree_id, root in trees)
        self.slots = self._file.view[slots_at:records_at]
        self.records = self._file.view[records_at:]

    def put(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Fill the slots and the records. records: (key, record as it is stored), ascending by key."""
        at = 0
        for number, (key, record) in enumerate(records):
            _SLOT.pack_into(self.slots, number * _SLOT.size, key, at)
            end = at + len(record)
            self.records[at:end] = record
            at = end

    def finish(self) -> None:
        """Write the header, and bring the file to the disk."""
        with self._file.view[HEADER_BYTES:] as body:
            fields = _FIELDS.pack(*self._fields, hashlib.sha256(body).digest()).ljust(HEADER_BYTES - 32, b"\x00")
        self._file.view[:HEADER_BYTES] = fields + hashlib.sha256(fields).digest()
        self._file.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.slots.release()
        self.records.release()
        self._file.close()


def records_bytes(records: Iterable[tuple[bytes, bytes]]) -> int:
    """Bytes that these take in a book."""
    return sum(len(record) for _, record in records)


def checked_record(key: bytes, record: bytes) -> bytes:
    """A record of kind C as it is stored."""
    return record + _check(key, record)


def _first_half(key: bytes) -> int:
    return int.from_bytes(key[:8], "big")


def _check(key: bytes, record: bytes) -> bytes:
    return hashlib.sha256(key + record).digest()[:_CHECK_BYTES]


class ClientBook:
    """A book, open for reading; a context manager.

    Opening checks header and size in constant time; a record is checked when it is read; verify() reads all. InputError
    (reason="damaged") says what does not fit, ("version") that another program wrote it.
    """

    def __init__(self, path: Path, kind: Kind) -> None:
        self._path, self._kind = path, kind
        with transport(f"read {path}"), path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(HEADER_BYTES)
            self._judge(head, size, kind)
            self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        table = self._map[HEADER_BYTES : HEADER_BYTES + self._trees * _TREE_BYTES]
        self.trees = tuple((table[at : at + 32], table[at + 32 : at + 64]) for at in range(0, len(table), _TREE_BYTES))
        """Tree id and root of each tree, by number."""
        self._slots_at = HEADER_BYTES + len(table)
        self._records_at = self._slots_at + self.clients * _SLOT.size

    def _damaged(self, rule: str) -> InputError:
        return InputError(f"is damaged: {rule}", file=str(self._path), reason="damaged",
                          hint="restore its folder from a copy")  # fmt: skip

    def _judge(self, head: bytes, size: int, kind: Kind) -> None:
        if not head.startswith(MAGIC[:-1]) or len(head) < len(MAGIC):
            raise self._damaged("it is not a book of clients")
        if head[len(MAGIC) - 1] != MAGIC[-1]:
            raise InputError(f"has version {head[len(MAGIC) - 1]} of the book, and this program reads {MAGIC[-1]}",
                             file=str(self._path), reason="version")  # fmt: skip
        if len(head) != HEADER_BYTES or hashlib.sha256(head[:-32]).digest() != head[-32:]:
            raise self._damaged("its header does not have its digest")
        _, found, self.clients, self.leaves, self._trees, records, self.mark, self._sha256 = _FIELDS.unpack_from(head)
        if found != kind.encode("ascii"):
            raise self._damaged("it is a book of another kind")
        wanted = HEADER_BYTES + self._trees * _TREE_BYTES + self.clients * _SLOT.size + records
        if size != wanted:
            raise self._damaged(f"it has {size} bytes where its header says {wanted}")

    def _slot(self, number: int) -> tuple[bytes, int]:
        key, start = _SLOT.unpack_from(self._map, self._slots_at + number * _SLOT.size)
        return key, start

    def record(self, key: bytes) -> bytes | None:
        """The record of a key, of kind C without its check, which was right; None if there is none."""
        # Keys are even over their range: guess where one stands, and guess again inside what is left.
        wanted = _first_half(key)
        low, high, least, most = 0, self.clients, 0, 1 << 64
        while low < high:
            guess = min(low + (wanted - least) * (high - low) // (most - least), high - 1)
            found, start = self._slot(guess)
            if found == key:
                return self._record(guess, key, start)
            if found < key:
                low, least = guess + 1, _first_half(found)
            else:
                high, most = guess, _first_half(found) + 1
        return None

    def _record(self, number: int, key: bytes, start: int) -> bytes:
        end = self._slot(number + 1)[1] if number + 1 < self.clients else len(self._map) - self._records_at
        whole = self._map[self._records_at + start : self._records_at + end]
        if self._kind == "T":
            return whole
        record, check = whole[:-_CHECK_BYTES], whole[-_CHECK_BYTES:]
        if start > end or not record or _check(key, record) != check:
            raise self._damaged("a record does not have its check")
        return record

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """(key, record as `record` gives it) of every client, ascending by key."""
        for number in range(self.clients):
            key, start = self._slot(number)
            yield key, self._record(number, key, start)

    def views(self) -> tuple[memoryview, memoryview]:
        """Slots and records where they lie; the caller releases both before close()."""
        view = memoryview(self._map)
        return view[self._slots_at : self._records_at], view[self._records_at :]

    def verify(self) -> None:
        """Read every byte and compare with the header's digest of the body."""
        with memoryview(self._map) as view, view[HEADER_BYTES:] as body:
            if hashlib.sha256(body).digest() != self._sha256:
                raise self._damaged("its body does not have its digest")

    def close(self) -> None:
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

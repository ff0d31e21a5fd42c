"""The first half of an audit's sorting: every table cut by client into ranges, each sorted in itself.

A table is read in chunks of whole lines, each by one worker: judged, put into lines that sort by client, sorted, and
written in parts, one a range of clients. All tables are cut at the same clients, so that whatever is to be said of one
client stands in one range: its rows, its codes, its account. Where the cuts fall is a matter of memory only.
"""

from __future__ import annotations

import bisect
import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from ..format.errors import InputError, TransportError
from ..format.identifiers import CLIENT_ID
from .audit_lines import Judge, lines_of_block
from .audit_tables import MAX_ROW_BYTES, Layout, no_row, open_table, read_layout
from .progress import Progress
from .scratch import Part, write_parts

Task = TypeVar("Task")
Answer = TypeVar("Answer")


class Map(Protocol):
    """As the builtin: a function over tasks, answers in the order of the tasks, the first error in that order. The
    command's may work on several at a time, in other processes."""

    def __call__(self, function: Callable[[Task], Answer], tasks: Sequence[Task], /) -> Iterator[Answer]: ...


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much one worker holds at a time. Nothing that is found depends on them."""

    block: int = 1 << 16
    """Bytes that are judged at once."""
    chunk: int = 16 << 20
    """Bytes of a table that are sorted at once."""
    clients: int = 12 << 20
    """Bytes of all tables of one range of clients."""
    piece: int = 200_000
    """Leaves of one piece of a tree."""


SIZES = Sizes()


@dataclass(frozen=True, slots=True)
class Source:
    """A table that was opened: where its rows begin and end, and its state when it was."""

    path: Path
    layout: Layout
    start: int
    end: int
    modified: int


@dataclass(frozen=True, slots=True)
class Chunk:
    source: Source
    start: int
    end: int
    target: Path


@dataclass(frozen=True, slots=True)
class SortedTable:
    """A table in parts: ranges[k] holds the parts of range k, each sorted. lines: of all of them."""

    lines: int
    ranges: tuple[tuple[Part, ...], ...]


def open_source(path: Path, columns: tuple[str, ...]) -> Source:
    """A table with its header read. InputError if it has another one, or no row below it."""
    with open_table(path) as stream:
        layout = read_layout(stream, columns, file=str(path))
        start = stream.tell()
        end = stream.seek(0, 2)
    if start == end:
        raise no_row(str(path))
    return Source(path, layout, start, end, path.stat().st_mtime_ns)


def cuts(sources: Sequence[Source], ranges: int) -> tuple[str, ...]:
    """The clients at which the ranges begin, but for the first: quantiles of ids from all over the tables. An id in
    a line that will be refused is as good as any other that is one: what is none could fall inside a client's line."""
    wanted = 64 * ranges
    whole = sum(source.end - source.start for source in sources)
    found: list[str] = []
    for source in sources:
        size = source.end - source.start
        with open_table(source.path) as stream:
            for place in range(wanted * size // whole + 1):
                stream.seek(source.start + size * place // (wanted * size // whole + 1))
                stream.readline(MAX_ROW_BYTES)
                found.append(_id_of(stream.readline(MAX_ROW_BYTES).decode("latin-1"), source.layout))
    found = sorted(filter(CLIENT_ID.fullmatch, found))
    return tuple(dict.fromkeys(found[len(found) * k // ranges] for k in range(1, ranges) if found))


def _id_of(line: str, layout: Layout) -> str:
    try:
        fields = line.split("\t") if layout.tabs else next(csv.reader([line]), [])
        return fields[layout.header.index("client_id")]
    except (csv.Error, IndexError):
        return ""


def sort_table(
    sources: Sequence[Source],
    judge: Judge,
    cut_at: tuple[str, ...],
    folder: Path,
    *,
    sizes: Sizes,
    map_: Map,
    progress: Progress,
) -> SortedTable:
    """The rows of all files as one table. InputError names the first row in file order that is refused."""
    stretches = [(source, *stretch) for source in sources for stretch in _chunks(source, sizes.chunk)]
    chunks = [Chunk(*stretch, folder / f"{judge.name}-{number}") for number, stretch in enumerate(stretches)]
    ranges: list[list[Part]] = [[] for _ in range(len(cut_at) + 1)]
    lines = 0
    work = partial(sort_chunk, judge, cut_at, sizes.block)
    whole = sum(source.end - source.start for source in sources)
    with progress.stage(f"reading the {judge.name}", whole, "bytes") as advance:
        for chunk, (count, parts) in zip(chunks, map_(work, chunks), strict=True):
            advance(chunk.end - chunk.start)
            lines += count
            for place, part in zip(ranges, parts, strict=True):
                if part.length:
                    place.append(part)
    for source in sources:
        status = source.path.stat()
        if (status.st_size, status.st_mtime_ns) != (source.end, source.modified):
            raise TransportError(f"{source.path} changed while it was read")
    return SortedTable(lines, tuple(map(tuple, ranges)))


def _chunks(source: Source, size: int) -> Iterator[tuple[int, int]]:
    """Stretches of whole lines of about this size. Only a line that will be refused for its length is cut."""
    start = source.start
    with open_table(source.path) as stream:
        while source.end - start > size:
            stream.seek(start + size)
            stream.readline(MAX_ROW_BYTES)
            yield start, stream.tell()
            start = stream.tell()
    if start < source.end:
        yield start, source.end


def sort_chunk(judge: Judge, cut_at: tuple[str, ...], block: int, chunk: Chunk) -> tuple[int, tuple[Part, ...]]:
    """A worker's task: (lines that were written, sorted, in one part a range)."""
    source = chunk.source
    rows = 0
    lines: list[str] = []
    with open_table(source.path) as stream:
        for at, data in _blocks(stream, chunk, block):
            try:
                lines += lines_of_block(judge, data, source.layout)
            except InputError:
                _refuse(judge, source, at)
            rows += data.count(b"\n")
    if judge.every_row and rows != len(lines):
        raise RuntimeError("a row was lost, or read twice")
    lines.sort()
    places = [0, *(bisect.bisect_left(lines, f"{client}\t") for client in cut_at), len(lines)]
    stretches = (lines[start:end] for start, end in itertools.pairwise(places))
    return len(lines), write_parts(chunk.target, map(_joined, stretches))


def _joined(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode("ascii") if lines else b""


def _blocks(stream: BinaryIO, chunk: Chunk, size: int) -> Iterator[tuple[int, bytes]]:
    """(place in the file, bytes) of blocks of whole lines; a line above the bound, or without an end, comes as it is,
    for the strict reader to refuse."""
    at = chunk.start
    stream.seek(at)
    rest = b""
    while at + len(rest) < chunk.end:
        more = stream.read(min(size, chunk.end - at - len(rest)))
        if not more:
            raise TransportError(f"{chunk.source.path} changed while it was read")
        data = rest + more
        end = data.rfind(b"\n") + 1
        if end == 0 and len(data) <= MAX_ROW_BYTES and at + len(data) < chunk.end:
            rest = data
            continue
        end = end or len(data)
        yield at, data[:end]
        at, rest = at + end, data[end:]
    if rest:
        yield at, rest


def _refuse(judge: Judge, source: Source, at: int) -> None:
    """Raises what the strict reader says from this line on, with the row of the file."""
    with open_table(source.path) as stream:
        before, left = 0, at
        while left > 0 and (data := stream.read(min(left, 1 << 20))):
            before, left = before + data.count(b"\n"), left - len(data)
        for _line in judge.strict(stream, source.layout, before):
            pass
    raise RuntimeError("a row that was refused is not refused when it is read again")

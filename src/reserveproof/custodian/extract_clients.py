"""Every client of an extract once, in columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .column_memory import text_memory
from .extract_scan import frozen_extract
from .progress import SILENT, Progress

_BATCH = 1 << 16


@dataclass(frozen=True, slots=True)
class ClientColumns:
    """Clients, ascending by id; those who have positions and no ledger row stand last.

    ids, codes: Arrow texts; positions: Arrow binaries, the JSON of what is dedicated to each, empty for none.
    """

    ids: Any
    codes: Any
    positions: Any

    @property
    def count(self) -> int:
        return len(self.ids)

    def columns(self) -> tuple[memoryview, ...]:
        """The memory that the kernel reads: offsets and bytes of each column."""
        return (*text_memory(self.ids), *text_memory(self.codes), *text_memory(self.positions))

    def rows(self) -> Iterator[tuple[str, str, bytes]]:
        """(id, code, positions) of each."""
        for at in range(0, self.count, _BATCH):
            columns = (column.slice(at, _BATCH).to_pylist() for column in (self.ids, self.codes, self.positions))
            yield from zip(*columns, strict=True)

    def token_list(self, tokens: bytes, width: int) -> bytes:
        """The table that says which client has which token; tokens: width bytes each, in the order of the clients."""
        parts = [b"client_id\ttoken\n"]
        for at in range(0, self.count, _BATCH):
            names = self.ids.slice(at, _BATCH).to_pylist()
            digits = tokens[at * width : (at + len(names)) * width].hex()
            lines = (f"{name}\t{digits[2 * width * n : 2 * width * (n + 1)]}\n" for n, name in enumerate(names))
            parts.append("".join(lines).encode("ascii"))
        return b"".join(parts)


def extract_clients(
    extract: Path, dedicated: Mapping[str, tuple[str, bytes]], *, sha256: bytes, scratch: Path,
    progress: Progress = SILENT,
) -> ClientColumns:  # fmt: skip
    """The clients of a snapshot's extract, and those to whom positions are dedicated.

    dedicated: client id to its code and its positions as JSON. sha256: of the extract as it was imported. scratch: a
    private folder on a disk with room. InputError if it is another extract; TransportError where the disk fails.
    """
    with frozen_extract(extract, sha256=sha256, scratch=scratch, progress=progress) as frozen:
        table = frozen.clients()
    ids, codes = (table.column(name).combine_chunks().cast(pa.string()) for name in ("client_id", "client_code"))
    known = set(pc.filter(ids, pc.is_in(ids, pa.array(list(dedicated), pa.string()))).to_pylist())
    others = sorted(set(dedicated) - known)
    ids = pa.concat_arrays([ids, pa.array(others, pa.string())])
    codes = pa.concat_arrays([codes, pa.array([dedicated[client][0] for client in others], pa.string())])
    at = pc.index_in(ids, pa.array(list(dedicated), pa.string()))
    positions = pc.fill_null(pa.array([text for _, text in dedicated.values()], pa.binary()).take(at), b"")
    return ClientColumns(ids, codes, positions)

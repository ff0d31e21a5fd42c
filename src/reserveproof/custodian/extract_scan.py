"""What the rules need of a frozen extract: read in bulk, after its digest, and searched for in what is published."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..format.errors import InputError, TransportError
from ..segregation.published_text import PublishedText, is_searchable
from .atomic_files import TEMPORARY, transport
from .progress import SILENT, Progress

if TYPE_CHECKING:
    # DuckDB is heavy; it is loaded when an extract is read.
    from .ledger_engine import Engine

Cell = tuple[str, str]

_OWN = """
SELECT client_id, pool, asset, any_value(client_code), sum(credit::HUGEINT) FROM (<source>)
WHERE list_contains($clients, client_id) OR list_contains($pools, pool) GROUP BY client_id, pool, asset
"""
_LEAVES = """
SELECT pool, asset, count(*), count(*) FILTER (first)
FROM (SELECT pool, asset, coalesce(client_id <> lag(client_id) OVER () OR asset <> lag(asset) OVER ()
                                   OR pool <> lag(pool) OVER (), true) AS first FROM (<source>))
GROUP BY pool, asset
"""
_WITH_CODES = "SELECT DISTINCT client_id, client_code FROM (<source>) ORDER BY client_id"
_CLIENTS = "SELECT client_id || chr(10) FROM (SELECT DISTINCT client_id FROM (<source>))"


@dataclass(slots=True)
class ExtractScan:
    """own: credits by (client, pool, asset), and codes, of the clients asked for. leaves: clients of each (pool,
    asset). shown, hashed: what was found in the published text; not_searched: clients whose ids are no good for it."""

    own: dict[tuple[str, str, str], int] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    leaves: dict[Cell, int] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    hashed: list[str] = field(default_factory=list)
    not_searched: int = 0


class FrozenExtract:
    """The extract of a snapshot, whose digest was found to be that of the import. Made by `frozen_extract`."""

    def __init__(self, engine: Engine, source: str, rows: int) -> None:
        self._engine, self._source, self._rows = engine, source, rows

    def scan(
        self, clients: Collection[str], whole_pools: Collection[str] = (), *, progress: Progress = SILENT
    ) -> ExtractScan:
        """clients: whose credits and codes are wanted; whole_pools: pools of which everyone's are."""
        found = ExtractScan()
        wanted = {"clients": sorted(clients), "pools": sorted(whole_pools)}
        with progress.stage("reading the extract", 2 * self._rows, "lines") as advance:
            if clients or whole_pools:
                own = self._engine.run_long(self._sql(_OWN), self._rows, advance, wanted)
                for client, pool, asset, code, credit in own:
                    found.own[client, pool, asset], found.codes[client] = int(credit), str(code)
            cells = self._engine.run_long(self._sql(_LEAVES), self._rows, advance)
        if sum(rows for _, _, rows, _ in cells) != self._rows:
            raise RuntimeError("the extract was read with other rows than it has")
        found.leaves = {(str(pool), str(asset)): int(leaves) for pool, asset, _, leaves in cells}
        return found

    def look_for_clients(self, published: PublishedText, found: ExtractScan, *, progress: Progress = SILENT) -> None:
        """Look every client's id and its plain hashes up in what will be published; the finds go into found."""
        with progress.stage("looking for clients in what is published", 0, "clients") as advance:
            for rows, piece in self._engine.pieces(self._sql(_CLIENTS)):
                for client in bytes(piece).decode("ascii").splitlines():
                    found.not_searched += not is_searchable(client)
                    if member := published.where(client):
                        found.shown.append(f"{client} in {member}")
                    if published.shows_hash(client):
                        found.hashed.append(f"of {client}")
                advance(rows)
        found.shown.sort()
        found.hashed.sort()

    def clients(self) -> Any:
        """An Arrow table of every client once, ascending: client_id, client_code."""
        return self._engine.table(self._sql(_WITH_CODES))

    def _sql(self, sql: str) -> str:
        return sql.replace("<source>", self._source)


@contextmanager
def frozen_extract(path: Path, *, sha256: bytes, scratch: Path, progress: Progress = SILENT) -> Iterator[FrozenExtract]:
    """Open the extract of a snapshot. scratch: a directory on a disk with room; a private one inside it is used.

    InputError if it is not the file that was imported: every row of that one was judged, so here they are only read.
    TransportError if it cannot be read, or where the disk fails.
    """
    from .ledger_engine import Engine
    from .ledger_load import extract_source
    from .ledger_previous import scan_previous

    try:
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").digest() != sha256:
                raise InputError("is not the extract that was imported", file=str(path), reason="changed",
                                 hint="restore it from a copy; another ledger is another snapshot")  # fmt: skip
    except OSError as error:
        raise TransportError(f"cannot read {path}: {error.strerror}", reason="unreadable") from None
    _, rows = scan_previous(path, progress)
    with (
        transport(f"work in {scratch}"),
        tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=scratch) as work,
        Engine(Path(work), [path]) as engine,
    ):
        yield FrozenExtract(engine, extract_source(engine, path), rows)

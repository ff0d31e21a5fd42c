"""DuckDB under a cap: one working database in memory, which spills into a private directory.

Nothing is guessed, nothing is fetched (no extension, no file but those named), memory and threads are capped. What
is asked of it stands in ledger_load.py (tables in), ledger_checks.py and ledger_facts.py.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from ..format.errors import TransportError
from .progress import Advance

MEMORY = "1500MB"
"""What DuckDB may hold; the process has some 200 MB of its own beside it. A ledger of ten million lines just fits."""
THREADS = 2
_BATCH = 1 << 16
_LOOK = 0.25
"""Seconds between two looks at how far a statement is."""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def fill(sql: str, **words: str) -> str:
    """SQL with its <words> filled in: patterns and names of our own, or text that went through quoted."""
    for word, value in words.items():
        sql = sql.replace(f"<{word}>", value)
    return sql


def _failed(error: duckdb.Error) -> TransportError:
    text = (str(error).splitlines() or [""])[0]
    return TransportError(
        f"the working database failed: {text[:200]}", reason="engine", hint="is the disk full, or memory short?"
    )


class Engine:
    """One working database. A context manager; every method raises TransportError when DuckDB itself fails (disk
    full, out of memory).

    work: a private directory on a disk with room for what is loaded; what does not fit into memory goes there.
    files: those that may be read.

    Rows of a table come back in the order in which they were put in (preserve_insertion_order), which is what makes
    a second sort unnecessary.
    """

    def __init__(self, work: Path, files: Iterable[Path]) -> None:
        self._links: dict[Path, Path] = {}
        # DuckDB expands `*`, `?` and `[` in a file name: a link with a plain name stands for each file.
        for at, path in enumerate(dict.fromkeys(files)):
            self._links[path] = work / f"source-{at}"
            self._links[path].symlink_to(path.resolve())
        allowed = [str(name) for pair in self._links.items() for name in (pair[0].resolve(), pair[1])]
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": str(THREADS),
            "memory_limit": MEMORY,
            "temp_directory": str(work / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "preserve_insertion_order": "true",
        }
        try:
            self._con = duckdb.connect(":memory:", config=config)
        except duckdb.Error as error:
            raise _failed(error) from error
        for setting in (
            "SET python_enable_replacements = false",
            "SET enable_progress_bar = true",
            "SET enable_progress_bar_print = false",
            fill("SET allowed_directories = [<work>]", work=quoted(f"{work}{os.sep}")),
            fill("SET allowed_paths = [<paths>]", paths=", ".join(map(quoted, allowed))),
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            self.run(setting)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._con.close()

    def run(self, sql: str, values: Any = None) -> list[tuple[Any, ...]]:
        """The rows of one statement, run to its end."""
        with _guarded():
            return self._con.execute(sql, values).fetchall()

    def run_long(self, sql: str, total: int, advance: Advance, values: Any = None) -> list[tuple[Any, ...]]:
        """As run, for a statement that takes total units: advance is told from time to time how many more are done."""
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=(ended, total, advance), daemon=True)
        watch.start()
        try:
            return self.run(sql, values)
        finally:
            ended.set()
            watch.join()

    def _watch(self, ended: threading.Event, total: int, advance: Advance) -> None:
        told = 0
        while not ended.wait(_LOOK):
            done = int(total * max(self._con.query_progress(), 0) / 100)
            if done > told:
                advance(done - told)
                told = done
        advance(total - told)

    def pieces(self, sql: str) -> Iterator[tuple[int, memoryview]]:
        """The bytes of a query's one column of text, row after row, in pieces with the number of their rows."""
        # An Arrow column of texts is one buffer of their bytes: it is the file, with no object for a row.
        with _guarded():
            for batch in self._con.sql(sql).to_arrow_reader(_BATCH):
                column = batch.column(0)
                _, starts, data = column.buffers()
                wide = memoryview(starts).cast("q" if str(column.type) == "large_string" else "i")
                yield len(column), memoryview(data)[wide[column.offset] : wide[column.offset + len(column)]]

    def table(self, sql: str) -> Any:
        """A query's rows as an Arrow table, held in memory."""
        with _guarded():
            return self._con.sql(sql).to_arrow_table()

    @contextmanager
    def streams(self, readers: Mapping[str, Callable[[], object]]) -> Iterator[None]:
        """Streams of Arrow batches by the name under which SQL reads each, once, inside the block."""
        try:
            for name, reader in readers.items():
                self._con.register(name, reader())
            yield
        finally:
            for name in readers:
                self._con.unregister(name)

    def file(self, path: Path) -> str:
        """The name, quoted for SQL, by which DuckDB reads one of the files it may read."""
        return quoted(str(self._links[path]))

    def words(self, name: str, words: Iterable[str]) -> None:
        """A type of these words, which sort in their order."""
        self.run(f"CREATE TYPE {name} AS ENUM ({', '.join(map(quoted, words))})")


@contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise _failed(error) from error

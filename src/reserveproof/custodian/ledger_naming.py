"""A second, plain pass over tables, to name the file, row, column and value of what DuckDB found in bulk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from ..format.errors import InputError
from .csv_rows import tellable
from .ledger_load import Table
from .ledger_rules import Findings, Problem, Record


def name_unsound(tables: Sequence[Table], rules: Callable[[Record], Iterator[Problem]], findings: Findings) -> None:
    """Name the rows of tables in which DuckDB found some that are not sound."""
    before = len(findings.found)
    name_rows(tables, rules, findings)
    if len(findings.found) == before:
        raise _disagreement(tables)


def _disagreement(tables: Sequence[Table]) -> RuntimeError:
    """Two readers of one file disagree: a fault of ours, and nothing may be built on either."""
    names = " and ".join(table.name for table in tables)
    return RuntimeError(f"rows of {names} were refused in bulk and accepted one by one")


def name_rows(tables: Sequence[Table], rules: Callable[[Record], Iterator[Problem]], findings: Findings) -> None:
    """Give findings every problem of every row, in order."""
    for table in tables:
        for row, record in table.records():
            for column, value, rule in rules(record):
                told = tellable(column, value)
                findings.add(InputError(rule, file=table.name, row=row, column=column, value=told, reason="value"))


def name_doubles(
    tables: Sequence[Table], columns: tuple[str, ...], keys: Collection[tuple[str, ...]], findings: Findings
) -> None:
    """Name both rows of every key that is known to stand twice."""
    if not keys:
        return
    before = len(findings.found)
    first: dict[tuple[str | None, ...], str] = {}
    for table in tables:
        for row, record in table.records():
            key = tuple(record[column] for column in columns)
            if key in keys:
                if key in first:
                    rule = f"stands twice: first in {first[key]}"
                    findings.add(
                        InputError(
                            rule,
                            file=table.name,
                            row=row,
                            column=", ".join(columns),
                            value=" ".join(map(str, key)),
                            reason="duplicate",
                        )
                    )
                first.setdefault(key, f"{table.name}, row {row}")
    if len(findings.found) == before:
        raise _disagreement(tables)


def name_codes(tables: Sequence[Table], clients: set[str], findings: Findings) -> None:
    """Name both rows of every client that is known to have two codes."""
    if not clients:
        return
    first: dict[str, tuple[str | None, str]] = {}
    for table in tables:
        for row, record in table.records():
            client, code = str(record["client_id"]), record["client_code"]
            if client in clients:
                before, place = first.setdefault(client, (code, f"{table.name}, row {row}"))
                if code != before:
                    clients.discard(client)
                    rule = f"is another code for client {client!r} than in {place}"
                    findings.add(InputError(rule, file=table.name, row=row, column="client_code", reason="two-codes"))

"""Makes a serving set from a published snapshot: by the native kernel, or in Python where it is not installed.

Nothing is taken on trust from the store: every node is hashed anew from the leaves below it, and every leaf from the
line that the client will be shown.
"""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ..format.errors import InputError, UsageError
from ..format.limits import MAX_NOTE_CHARACTERS
from ..format.manifest import STATEMENT_FILE
from ..format.tables import EXTRACT_FILE
from . import kernel
from .atomic_files import PRIVATE_FOLDER, new_folder, read_file, transport, write_file
from .client_book import BOOK_FILE, BookLine, BookWriter, client_key, index_key, parse_client_record, records_bytes
from .client_book import token_record as record_of
from .extract_clients import ClientColumns, extract_clients
from .progress import SILENT, Progress
from .proof_store import tree_file
from .proof_text import positions_text
from .prover import DedicatedSource, Prover
from .serving_set import LOG_PROOF_FILE, TOKEN_BYTES, new_tokens, token_key, tokens_path
from .tree_hashing import client_holder, entry, line_details
from .workspace import TREES_FOLDER


@dataclass(frozen=True, slots=True)
class Made:
    """A set that was made. tokens: the list beside it."""

    clients: int
    tokens: Path


def make_set(
    target: Path,
    prover: Prover,
    *,
    ledger_folder: Path,
    sealed: bytes,
    snapshot_key: bytes,
    dedicated: DedicatedSource,
    log_proof: Path | None = None,
    progress: Progress = SILENT,
) -> Made:
    """Write the set into target, a new folder, and the list of its tokens beside it. All of it, or nothing.

    Under the workspace's lock. prover: of the statement in sealed, an envelope. log_proof: where its log
    proof is published; put in if there is such a file. UsageError if target or the list is
    there. InputError where the store is damaged; TransportError where the disk fails.
    """
    tokens_file = tokens_path(target)
    if tokens_file.exists() or tokens_file.is_symlink():
        raise UsageError(
            f"{tokens_file} exists and is not replaced", reason="exists",
            hint="it lists the tokens of a set that was made before, or of a run that was stopped: move it away",
        )  # fmt: skip
    _check_nodes(prover, progress)
    # The folder above is anybody's: what a stopped run left there is known by this set's name, and by nothing else.
    partial = target.with_name(f".{target.name}.partial")
    if partial.is_dir() and not partial.is_symlink():
        with transport(f"tidy {partial}"):
            shutil.rmtree(partial)
    with new_folder(target, partial=partial) as folder:
        write_file(folder / STATEMENT_FILE, sealed)
        if log_proof is not None and log_proof.is_file():
            write_file(folder / LOG_PROOF_FILE, read_file(log_proof, limit=4 * MAX_NOTE_CHARACTERS))
        trees = folder / TREES_FOLDER
        trees.mkdir(mode=PRIVATE_FOLDER)
        for tree in prover.trees:
            name = tree_file(tree.pool, tree.asset)
            _link(ledger_folder / TREES_FOLDER / name, trees / name)
        with progress.stage("listing the clients", 0, "clients") as advance:
            positions = {
                client: (code, positions_text(own))
                for client, code in sorted(dedicated.clients())
                if (own := prover.positions(client, code))
            }
            clients = extract_clients(ledger_folder / EXTRACT_FILE, positions, scratch=folder)
            advance(clients.count)
        tokens = new_tokens(clients.count)
        with progress.stage("writing the proofs", clients.count, "clients") as advance:
            if native := kernel.checked():
                found = _by_kernel(native, folder / BOOK_FILE, prover, clients, tokens, snapshot_key)
            else:
                found = _in_python(folder / BOOK_FILE, prover, clients, tokens, snapshot_key)
            advance(clients.count)
        if found != prover.book.clients:
            raise InputError(
                f"has {found} clients where the book has {prover.book.clients}", file=str(ledger_folder / EXTRACT_FILE),
                reason="damaged", hint="restore the snapshot's folder from a copy",
            )  # fmt: skip
        listed = folder / "tokens"
        write_file(listed, clients.token_list(tokens, TOKEN_BYTES))
        # In place before the set is: a set whose tokens nobody knows would look finished. A link never replaces.
        with transport(f"write {tokens_file}"):
            os.link(listed, tokens_file)
            listed.unlink()
    return Made(clients.count, tokens_file)


def _check_nodes(prover: Prover, progress: Progress) -> None:
    """Every node of every tree is what its leaves give."""
    native = kernel.checked()
    total = sum(tree.file.header.leaves for tree in prover.trees)
    with progress.stage("checking the trees", total, "leaves") as advance:
        for tree, hasher in zip(prover.trees, prover.hashers, strict=True):
            if native is None:
                tree.file.verify()  # each path is folded when it is written
            else:
                header = tree.file.header
                nodes = tree.file.nodes()
                with mmap.mmap(-1, len(nodes)) as fresh:
                    same = native.same_nodes(
                        hasher.tree_id, hasher.tree_key, nodes, fresh, header.leaves, header.depth
                    )  # fmt: skip
                nodes.release()
                if not same:
                    raise InputError("is damaged: its leaves do not give its nodes", reason="damaged",
                                     file=tree_file(tree.pool, tree.asset),
                                     hint="restore the snapshot's folder from a copy")  # fmt: skip
            advance(tree.file.header.leaves)


def _link(source: Path, target: Path) -> None:
    """Node arrays are large and never written to again: linked where the file system can, else copied."""
    with transport(f"write {target}"):
        try:
            os.link(source, target)
        except OSError:
            write_file(target, source.read_bytes())


def _book(path: Path, prover: Prover, clients: ClientColumns, records: int) -> BookWriter:
    return BookWriter(
        path, "T", trees=prover.book.trees, clients=clients.count, leaves=prover.book.leaves, records=records
    )


def _by_kernel(
    native: ModuleType, path: Path, prover: Prover, clients: ClientColumns, tokens: bytes, snapshot_key: bytes
) -> int:
    with ExitStack() as opened:
        slots, records = (opened.enter_context(view) for view in prover.book.views())
        trees = [
            (hasher.tree_id, hasher.tree_key, opened.enter_context(tree.file.leaves()))
            for tree, hasher in zip(prover.trees, prover.hashers, strict=True)
        ]
        columns = clients.columns()
        made: list[BookWriter] = []

        def allocate(size: int) -> tuple[memoryview, memoryview]:
            book = opened.enter_context(_book(path, prover, clients, size))
            made.append(book)
            return book.slots, book.records

        try:
            found = native.write_set(
                (slots, records), [*columns[:4], tokens, *columns[4:]], index_key(snapshot_key), trees, allocate
            )
        except ValueError as error:
            raise InputError(f"is damaged: {error.args[-1]}", file=BOOK_FILE, reason="damaged",
                             hint="restore the snapshot's folder from a copy") from error  # fmt: skip
        made[0].finish()
    return int(found)


def _in_python(path: Path, prover: Prover, clients: ClientColumns, tokens: bytes, snapshot_key: bytes) -> int:
    index, found = index_key(snapshot_key), 0
    records: list[tuple[bytes, bytes]] = []
    for number, (client_id, code, positions) in enumerate(clients.rows()):
        record = prover.book.record(client_key(index, client_id))
        lines: Sequence[BookLine] = ()
        if record is not None:
            own, lines = parse_client_record(record)
            if own != code:
                raise InputError("a client has another code in the book", file=BOOK_FILE, reason="damaged")
            lines = tuple(_blinded(prover, client_holder(client_id, code), lines))
            found += 1
        token = tokens[TOKEN_BYTES * number : TOKEN_BYTES * (number + 1)]
        records.append((token_key(token), record_of(lines, positions)))
    records.sort()
    with _book(path, prover, clients, records_bytes(records)) as book:
        book.put(records)
        book.finish()
    return found


def _blinded(prover: Prover, holder: bytes, lines: Iterable[BookLine]) -> Iterable[BookLine]:
    """The lines with their blinds, each the leaf that its tree has, under the root."""
    for line in lines:
        tree, hasher = prover.trees[line.tree], prover.hashers[line.tree]
        made = entry(holder, line_details(line.buckets), sum(credit for _, credit, _ in line.buckets))
        if tree.file.prove(line.rank).leaf != hasher.leaf(made):
            raise InputError("a client's line is not the leaf that its tree has", file=BOOK_FILE, reason="damaged")
        yield BookLine(line.tree, line.rank, line.buckets, hasher.blind(holder))

"""Makes a serving set from a published snapshot: by the native kernel, or in Python where it is not installed.

Nothing is taken on trust from the store: every node is hashed anew from the leaves below it, and every leaf from the
line that the client will be shown.
"""

from __future__ import annotations

import mmap
import os
import secrets
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
from .atomic_files import LOCK_FILE, PRIVATE_FILE, PRIVATE_FOLDER, locked, new_folder, read_file, transport, write_file
from .client_book import BOOK_FILE, BookLine, BookWriter, client_key, index_key, parse_client_record, records_bytes
from .client_book import token_record as record_of
from .extract_clients import ClientColumns, extract_clients
from .progress import SILENT, Progress
from .proof_store import tree_file
from .proof_text import positions_text
from .prover import DedicatedSource, Prover
from .serving_set import LOG_PROOF_FILE, NONCE, TOKEN_BYTES, new_tokens, record_cipher, token_key, tokens_path
from .tree_hashing import client_holder, entry, line_details
from .workspace import TREES_FOLDER


@dataclass(frozen=True, slots=True)
class Made:
    """A set that was made. tokens: the list beside it."""

    clients: int
    tokens: Path


@dataclass(frozen=True, slots=True)
class SetSource:
    """What a set is made of, beside the proofs. extract_sha256: of the extract in ledger_folder. sealed: the signed
    envelope. log_proof: where the statement's log proof is published; None, or no file there, if it is in no log."""

    ledger_folder: Path
    extract_sha256: bytes
    sealed: bytes
    snapshot_key: bytes
    dedicated: DedicatedSource
    log_proof: Path | None = None


def make_set(target: Path, prover: Prover, source: SetSource, *, progress: Progress = SILENT) -> Made:
    """Write the set into target, a new folder, and the list of its tokens beside it. All of it, or nothing.

    Under the workspace's lock. prover: of the source's statement. UsageError if target or the list is there; InputError
    where the store is damaged; TransportError where the disk fails, or another run makes the same set.
    """
    tokens_file = tokens_path(target)
    if tokens_file.exists() or tokens_file.is_symlink():
        raise UsageError(
            f"{tokens_file} exists and is not replaced", reason="exists",
            hint="it lists the tokens of a set that was made before, or of a run that was stopped: move it away",
        )  # fmt: skip
    _check_nodes(prover, progress)
    _tidy(target)
    partial = target.with_name(f"{_partial_of(target)}{secrets.token_hex(8)}")
    listed = False
    try:
        # The lock is held until the folder has its name: what another run finds locked is not left over.
        with ExitStack() as held, new_folder(target, partial=partial) as folder:
            held.enter_context(locked(folder))
            made = _fill(folder, prover, source, progress)
            tokens = folder / "tokens"
            write_file(tokens, made.clients.token_list(made.tokens, TOKEN_BYTES))
            # In place before the set is: a set whose tokens nobody knows would look finished. A link never replaces.
            with transport(f"write {tokens_file}"):
                os.link(tokens, tokens_file)
                listed = True
                tokens.unlink()
    except BaseException:
        if listed and not target.exists():
            tokens_file.unlink(missing_ok=True)
        raise
    with transport(f"write {target}"):
        (target / LOCK_FILE).unlink(missing_ok=True)
    return Made(made.clients.count, tokens_file)


def _partial_of(target: Path) -> str:
    return f".{target.name}.partial-"


def _tidy(target: Path) -> None:
    """Remove what stopped runs left of this set. The folder above is anybody's: only what has this set's name and a
    lock of ours, held by nobody, is touched."""
    with transport(f"tidy {target.parent}"):
        for left in [path for path in target.parent.iterdir() if path.name.startswith(_partial_of(target))]:
            if left.is_symlink() or not left.is_dir():
                continue
            if (left / LOCK_FILE).is_file():
                with locked(left):
                    shutil.rmtree(left)
            elif not any(left.iterdir()):
                left.rmdir()  # stopped before its lock was there


@dataclass(frozen=True, slots=True)
class _Filled:
    """Who is in a set, and their tokens one after the other."""

    clients: ClientColumns
    tokens: bytes


def _fill(folder: Path, prover: Prover, source: SetSource, progress: Progress) -> _Filled:
    """Everything that the folder of a set holds."""
    write_file(folder / STATEMENT_FILE, source.sealed)
    if source.log_proof is not None and source.log_proof.is_file():
        write_file(folder / LOG_PROOF_FILE, read_file(source.log_proof, limit=4 * MAX_NOTE_CHARACTERS))
    trees = folder / TREES_FOLDER
    trees.mkdir(mode=PRIVATE_FOLDER)
    for tree in prover.trees:
        name = tree_file(tree.pool, tree.asset)
        _copy(source.ledger_folder / TREES_FOLDER / name, trees / name)
    positions = {
        client: (code, positions_text(own))
        for client, code in sorted(source.dedicated.clients())
        if (own := prover.positions(client, code))
    }
    extract = source.ledger_folder / EXTRACT_FILE
    clients = extract_clients(extract, positions, sha256=source.extract_sha256, scratch=folder, progress=progress)
    tokens = new_tokens(clients.count)
    with progress.stage("writing the proofs", clients.count, "clients") as advance:
        if native := kernel.checked():
            found = _by_kernel(native, folder / BOOK_FILE, prover, clients, tokens, source.snapshot_key)
        else:
            found = _in_python(folder / BOOK_FILE, prover, clients, tokens, source.snapshot_key)
        advance(clients.count)
    if found != prover.book.clients:
        raise InputError(
            f"has {found} clients where the book has {prover.book.clients}", file=str(extract),
            reason="damaged", hint="restore the snapshot's folder from a copy",
        )  # fmt: skip
    return _Filled(clients, tokens)


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


def _copy(source: Path, target: Path) -> None:
    """A copy, not a link: the set is for others to have, and its modes and owners are theirs."""
    with transport(f"write {target}"), source.open("rb") as read:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
        with os.fdopen(handle, "wb") as written:
            shutil.copyfileobj(read, written, 1 << 20)


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
        elif not positions:
            raise InputError("is damaged: a client is in no tree and has no position", file=BOOK_FILE, reason="damaged")
        token = tokens[TOKEN_BYTES * number : TOKEN_BYTES * (number + 1)]
        key = token_key(token)
        records.append((key, record_cipher(token).encrypt(NONCE, record_of(lines, positions), key)))
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

"""Makes proof files: a client's lines over all liabilities trees, and the positions dedicated to the client.

Every path is folded to the signed root before a proof is given: a damaged store gives an error, never a proof that
fails at the client's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from ..format.envelope import Envelope
from ..format.errors import InputError, UsageError
from ..format.identifiers import CLIENT_CODE, CLIENT_ID
from ..format.limits import AMOUNT_BOUND
from ..format.proof_file import DedicatedPosition, PathNode
from ..format.statement import Statement, parse_payload
from .client_book import BOOK_FILE, BookLine, ClientBook, client_key, index_key, key_mark, parse_client_record
from .proof_store import TreeFile, tree_file
from .proof_text import ProofText, line_text, positions_text
from .tree_hashing import (
    DIGEST_BYTES,
    SUM_BYTES,
    TreeHasher,
    TreeName,
    blinded_key,
    client_holder,
    client_tie,
    entry,
    line_details,
    position_details,
    position_holder,
    public_key,
    tie_blind,
    tie_key,
)
from .workspace import TREES_FOLDER


class DedicatedSource(Protocol):
    """Who has dedicated wallets, and where their positions stand. reserves.DedicatedBook is one."""

    def clients(self) -> frozenset[tuple[str, str]]:
        """(client id, client code) of every client with a dedicated wallet."""
        ...

    def positions(self, client_id: str, client_code: str) -> Sequence[DedicatedPosition]:
        """The positions dedicated to a client, with their paths; () if none."""
        ...


@dataclass(frozen=True, slots=True)
class StatementTree:
    """A liabilities tree on disk that is the statement's."""

    pool: str
    asset: str
    file: TreeFile


def open_trees(folder: Path, statement: Statement, trees: Sequence[tuple[bytes, bytes]]) -> tuple[StatementTree, ...]:
    """The trees of a book, by its numbers. folder: of their files; trees: tree id and root of each.

    InputError unless they are the statement's liabilities trees, and all of those in which anybody has something.
    """
    named = {
        TreeName(statement.custodian.id, statement.snapshot_id, pool.pool, cell.asset, "L").tree_id: (pool.pool, cell)
        for pool in statement.pools
        for cell in pool.assets
    }
    found: list[StatementTree] = []
    try:
        for tree_id, root in trees:
            pool, cell = named.pop(tree_id, (None, None))
            if pool is None or cell is None or cell.liabilities.root != root:
                raise _other_tree(folder)
            path = folder / tree_file(pool, cell.asset)
            file = TreeFile(path)
            found.append(StatementTree(pool, cell.asset, file))
            if file.header.tree_id != tree_id or file.header.root != root:
                raise _other_tree(path)
        # Where nobody has a row the tree is one pad, and no client has a leaf in it.
        if any(cell.liabilities.total for _, cell in named.values()):
            raise _other_tree(folder)
    except BaseException:
        for tree in found:
            tree.file.close()
        raise
    return tuple(found)


def _other_tree(path: Path) -> InputError:
    return InputError(
        "is not the tree that the statement commits to", file=str(path), reason="other-tree",
        hint="the statement is of another snapshot, or the snapshot's folder was changed",
    )  # fmt: skip


class Prover:
    """Proofs of one statement; a context manager, since it holds its files open.

    folder: the snapshot's ledger folder, with book and trees. snapshot_key: 32 bytes. envelope: the signed statement,
    not judged here but for its shape. dedicated: None if no wallet is dedicated to anyone. inline: whether the envelope
    is put into the proofs. log: their member `log`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        snapshot_key: bytes,
        envelope: Envelope,
        dedicated: DedicatedSource | None = None,
        inline: bool = True,
        log: str = "",
    ) -> None:
        self.statement = parse_payload(envelope.payload).statement
        self._key, self._dedicated = snapshot_key, dedicated
        self._index = index_key(snapshot_key)
        self._text = ProofText(envelope, inline=inline, log=log)
        self._verified = False
        self.book = ClientBook(folder / BOOK_FILE, "C")
        try:
            if self.book.mark != key_mark(self._index):
                raise InputError("was made under another snapshot key", file=str(folder / BOOK_FILE),
                                 hint="the key or the folder is another snapshot's", reason="other-key")  # fmt: skip
            self.trees = open_trees(folder / TREES_FOLDER, self.statement, self.book.trees)
        except BaseException:
            self.book.close()
            raise
        self.hashers = tuple(
            TreeHasher(tree.file.header.tree_id, blinded_key(snapshot_key, tree.file.header.tree_id))
            for tree in self.trees
        )

    def _record(self, client_id: str) -> tuple[str, list[BookLine]] | None:
        record = self.book.record(client_key(self._index, client_id))
        if record is None and not self._verified:
            # Slots have no check each: "not in the ledger" is said of a book that is whole.
            self.book.verify()
            self._verified = True
        return None if record is None else parse_client_record(record)

    def check(self, client_id: str) -> None:
        """UsageError if there is nothing to prove to that client, as prove says it."""
        if not CLIENT_ID.fullmatch(client_id):
            raise _no_id(client_id)
        if self._record(client_id) is None and (
            self._dedicated is None or all(client != client_id for client, _ in self._dedicated.clients())
        ):
            raise _no_client(client_id)

    def prove(self, client_id: str, client_code: str | None = None) -> bytes:
        """The proof file of one client.

        client_code: None takes the one registered in the ledger; one that is given must be that. UsageError if the
        client is not in the ledger and has no dedicated position, or has another code. InputError if the store does not
        lead to the signed root.
        """
        if not CLIENT_ID.fullmatch(client_id) or not CLIENT_CODE.fullmatch(client_code or ""):
            raise _no_id(client_id)
        found = self._record(client_id)
        lines: list[bytes] = []
        if found is not None:
            if client_code is None:
                client_code = found[0]
            if found[0] != client_code:
                raise UsageError(f"client {client_id!r} has another code in the ledger", reason="code")
            holder = client_holder(client_id, client_code)
            lines = [self._line(holder, line) for line in found[1]]
        positions = self.positions(client_id, client_code)
        if not lines and not positions:
            raise _no_client(client_id)
        return self._text.proof(lines, positions_text(positions))

    def _line(self, holder: bytes, line: BookLine) -> bytes:
        tree, hasher = self.trees[line.tree], self.hashers[line.tree]
        made = entry(holder, line_details(line.buckets), sum(credit for _, credit, _ in line.buckets))
        proved = tree.file.prove(line.rank)
        if proved.leaf != hasher.leaf(made):
            raise _unfit(f"{tree.asset} in {tree.pool}", "has no leaf for the client's rows")
        return line_text(tree.pool, tree.asset, hasher.blind(holder), line, proved.path)

    def positions(self, client_id: str, client_code: str | None) -> list[DedicatedPosition]:
        """The positions dedicated to a client, each folded to the signed root. client_code: None where only the
        register says it."""
        if self._dedicated is None:
            return []
        if client_code is None:
            # A client may have a wallet and no ledger row: the register then says the code.
            client_code = next((code for client, code in self._dedicated.clients() if client == client_id), "")
        found = list(self._dedicated.positions(client_id, client_code))
        for item in found:
            self._check_position(item, client_id, client_code)
        return found

    def _check_position(self, item: DedicatedPosition, client_id: str, client_code: str) -> None:
        what = f"{item.position.account} in {item.pool}"
        cell = self.statement.pool_asset(item.pool, item.asset)
        if cell is None:
            raise _unfit(what, "is in no tree of the statement")
        tree_id = TreeName(self.statement.custodian.id, self.statement.snapshot_id, item.pool, item.asset, "R").tree_id
        holder = position_holder(item.position.account, item.position.form)
        tie = client_tie(tie_blind(tie_key(self._key, tree_id), holder), client_holder(client_id, client_code))
        if item.position.client_tie != tie or item.tie_blind != tie_blind(tie_key(self._key, tree_id), holder):
            raise _unfit(what, f"is not tied to client {client_id!r}")
        public = cell.reserves.register == "public"
        hasher = TreeHasher(tree_id, public_key(tree_id) if public else blinded_key(self._key, tree_id))
        leaf = hasher.leaf(entry(holder, position_details(item.position), item.position.counted))
        if item.blind != hasher.blind(holder):
            raise _unfit(what, "has another blind")
        _fold(hasher, leaf, item.index, item.path, cell.reserves.root, what)

    def close(self) -> None:
        """Let go of the files."""
        self.book.close()
        for tree in self.trees:
            tree.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _no_id(client_id: str) -> UsageError:
    return UsageError(f"{client_id!r} is not a client id", reason="client", hint="printable ASCII without outer space")


def _no_client(client_id: str) -> UsageError:
    return UsageError(f"client {client_id!r} is not in the ledger of this snapshot", reason="no-client",
                      hint="the exact id, in the case of the ledger")  # fmt: skip


def _fold(hasher: TreeHasher, leaf: bytes, index: int, path: Sequence[PathNode], root: bytes, what: str) -> None:
    """Refuse a path that does not lead from the leaf to the signed root."""
    node = leaf
    for level, (digest, amount) in enumerate(path):
        if amount + int.from_bytes(node[DIGEST_BYTES:], "big") >= AMOUNT_BOUND:
            raise _unfit(what, "has a path whose sums are not below 2^127")
        sibling = digest + amount.to_bytes(SUM_BYTES, "big")
        node = hasher.node(level + 1, *((sibling, node) if index >> level & 1 else (node, sibling)))
    if hasher.root(len(path), node) != root:
        raise _unfit(what, "does not lead to the signed root")


def _unfit(what: str, rule: str) -> InputError:
    return InputError(f"{what} {rule}", file="the proof store", reason="damaged",
                      hint="the book, a tree or the key was changed; restore the snapshot from a copy")  # fmt: skip

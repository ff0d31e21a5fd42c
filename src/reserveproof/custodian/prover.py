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
from ..format.pool import Tree
from ..format.proof_file import Bucket, DedicatedPosition, Line, PathNode, ProofFile
from ..format.statement import parse_payload
from .proof_store import TreeFile, tree_file
from .table_lookup import ExtractTable
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


class DedicatedSource(Protocol):
    """Who has dedicated wallets, and where their positions stand. reserves.DedicatedBook is one."""

    def clients(self) -> frozenset[tuple[str, str]]:
        """(client id, client code) of every client with a dedicated wallet."""
        ...

    def positions(self, client_id: str, client_code: str) -> Sequence[DedicatedPosition]:
        """The positions dedicated to a client, with their paths; () if none."""
        ...


@dataclass(frozen=True, slots=True)
class _Cell:
    pool: str
    asset: str
    committed: Tree
    hasher: TreeHasher
    file: TreeFile


class Prover:
    """Proofs of one statement; a context manager, since it holds its files open.

    extract, trees: the snapshot's files. snapshot_key: 32 bytes. envelope: the signed statement, not judged here but
    for its shape. dedicated: None if no wallet is dedicated to anyone.
    """

    def __init__(
        self,
        *,
        extract: Path,
        trees: Path,
        snapshot_key: bytes,
        envelope: Envelope,
        dedicated: DedicatedSource | None = None,
    ) -> None:
        self.envelope = envelope
        self.statement = parse_payload(envelope.payload).statement
        self._key, self._dedicated = snapshot_key, dedicated
        self._extract = ExtractTable(extract)
        self._cells: list[_Cell] = []
        try:
            for pool in self.statement.pools:
                for cell in pool.assets:
                    self._open(trees / tree_file(pool.pool, cell.asset), pool.pool, cell.asset, cell.liabilities)
        except BaseException:
            self.close()
            raise

    def _open(self, path: Path, pool: str, asset: str, committed: Tree) -> None:
        name = TreeName(self.statement.custodian.id, self.statement.snapshot_id, pool, asset, "L")
        hasher = TreeHasher(name.tree_id, blinded_key(self._key, name.tree_id))
        if committed.total == 0 and not path.exists():
            return  # nobody has a row there: the tree is one pad, and no client has a leaf in it
        file = TreeFile(path)
        if file.header.tree_id != name.tree_id or file.header.root != committed.root:
            file.close()
            raise InputError(
                "is not the tree that the statement commits to", file=str(path), reason="other-tree",
                hint="the statement is of another snapshot, or the snapshot's folder was changed",
            )  # fmt: skip
        self._cells.append(_Cell(pool, asset, committed, hasher, file))

    def check(self, client_id: str) -> None:
        """UsageError if there is nothing to prove to that client, as prove says it."""
        if not CLIENT_ID.fullmatch(client_id):
            raise UsageError(f"{client_id!r} is not a client id", reason="client",
                             hint="printable ASCII without outer space")  # fmt: skip
        if any(self._extract.rows(cell.pool, cell.asset, client_id) for cell in self._cells):
            return
        if self._dedicated is None or all(client != client_id for client, _ in self._dedicated.clients()):
            raise UsageError(f"client {client_id!r} is not in the ledger of this snapshot", reason="no-client",
                             hint="the exact id, in the case of the ledger")  # fmt: skip

    def prove(self, client_id: str, client_code: str | None = None, *, inline: bool = True) -> ProofFile:
        """The proof of one client.

        client_code: None takes the one registered in the ledger; one that is given must be that. inline: whether the
        envelope is put into the proof. UsageError if the client is not in the ledger and has no dedicated position, or
        has another code. InputError if the store does not lead to the signed root.
        """
        if not CLIENT_ID.fullmatch(client_id) or not CLIENT_CODE.fullmatch(client_code or ""):
            raise UsageError(f"{client_id!r} is not a client id", reason="client",
                             hint="printable ASCII without outer space")  # fmt: skip
        lines: list[Line] = []
        for cell in self._cells:
            rows = self._extract.rows(cell.pool, cell.asset, client_id)
            if not rows:
                continue
            if client_code is None:
                client_code = rows[0].client_code
            if rows[0].client_code != client_code:
                raise UsageError(f"client {client_id!r} has another code in the ledger", reason="code")
            buckets = tuple(Bucket(row.bucket, row.credit, row.debit) for row in rows)
            holder = client_holder(client_id, client_code)
            details = line_details((b.bucket, b.credit, b.debit) for b in buckets)
            leaf = cell.hasher.leaf(entry(holder, details, sum(b.credit for b in buckets)))
            what = f"{cell.asset} in {cell.pool}"
            index = cell.file.rank(leaf[:DIGEST_BYTES])
            if index is None:
                raise _unfit(what, "has no leaf for the client's rows")
            path = cell.file.path(index)
            _fold(cell.hasher, leaf, index, path, cell.committed.root, what)
            lines.append(Line(cell.asset, cell.hasher.blind(holder), buckets, index, path, cell.pool))
        positions = self._positions(client_id, client_code)
        if not lines and not positions:
            raise UsageError(f"client {client_id!r} is not in the ledger of this snapshot", reason="no-client",
                             hint="the exact id, in the case of the ledger")  # fmt: skip
        return ProofFile(
            envelope=self.envelope if inline else None,
            lines=tuple(lines),
            log="",
            positions=tuple(positions),
            statement_sha256=self.envelope.payload_sha256,
            timestamps=(),
        )

    def _positions(self, client_id: str, client_code: str | None) -> list[DedicatedPosition]:
        if self._dedicated is None:
            return []
        if client_code is None:
            # A client may have a wallet and no ledger row: the register then says the code.
            client_code = next((code for client, code in self._dedicated.clients() if client == client_id), "")
        found = list(self._dedicated.positions(client_id, client_code))
        for item in found:
            what = f"{item.position.account} in {item.pool}"
            cell = self.statement.pool_asset(item.pool, item.asset)
            if cell is None:
                raise _unfit(what, "is in no tree of the statement")
            tree_id = TreeName(
                self.statement.custodian.id, self.statement.snapshot_id, item.pool, item.asset, "R"
            ).tree_id
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
        return found

    def close(self) -> None:
        """Let go of the files."""
        self._extract.close()
        for cell in self._cells:
            cell.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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
                      hint="the extract, a tree or the key was changed; restore the snapshot from a copy")  # fmt: skip

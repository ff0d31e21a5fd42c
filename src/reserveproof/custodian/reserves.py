"""The reserves trees: one for each (pool, asset), over the positions of the register.

Held in memory whole: a register has thousands of positions where a ledger has millions of lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..format import limits, register
from ..format.errors import InputError, MalformedError
from ..format.manifest import REGISTER_FILE
from ..format.pool import ClassAmount, Reserves
from ..format.proof_file import DedicatedPosition, PathNode
from ..format.register import Position, RegisterEntry
from ..format.statement import Statement
from ..format.vocabulary import TREE_TRANSPARENT
from ..format.wallet_table import WALLETS_FILE, parse_wallets
from . import draft_store
from .positions import Secrets
from .tree_builder import BuiltTree, Level, build_tree
from .tree_hashing import (
    DIGEST_BYTES,
    NODE_BYTES,
    TreeHasher,
    blinded_key,
    client_holder,
    client_tie,
    entry,
    position_details,
    position_holder,
    public_key,
)
from .workspace import Snapshot

Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ReservesTree:
    """A tree with all its levels, so that any position's path can be read off."""

    built: BuiltTree
    hasher: TreeHasher
    levels: tuple[bytes, ...]
    index: Mapping[bytes, int]
    """Stored leaf to its rank."""

    def inclusion(self, position: Position) -> tuple[bytes, int, tuple[PathNode, ...]]:
        """Blind, index and path of a position. MalformedError if it is not in the tree."""
        holder = position_holder(position.account, position.form)
        leaf = self.hasher.leaf(entry(holder, position_details(position), position.counted))
        index = self.index.get(leaf)
        if index is None:
            raise MalformedError("the position is not in its reserves tree", reason="position", found=position.account)
        path = tuple(self._sibling(level, index >> level) for level in range(self.built.depth))
        return self.hasher.blind(holder), index, path

    def _sibling(self, level: int, index: int) -> PathNode:
        at = (index ^ 1) * NODE_BYTES
        node = self.levels[level][at : at + NODE_BYTES]
        return node[:DIGEST_BYTES], int.from_bytes(node[DIGEST_BYTES:], "big")


def reserves_tree(
    secrets: Secrets, cell: Cell, positions: Iterable[Position], *, register_kind: str, min_depth: int
) -> ReservesTree:
    """The tree of one (pool, asset). register_kind: public, so that anyone can rebuild it, or blinded.

    min_depth: levels at least; for a public register it hides nothing, and is 0.
    """
    tree_id = secrets.tree(*cell).tree_id
    key = public_key(tree_id) if register_kind == "public" else blinded_key(secrets.snapshot_key, tree_id)
    hasher = TreeHasher(tree_id, key)
    levels: list[bytes] = []

    def keep(_number: int, level: Level) -> None:
        levels.append(bytes(level))

    entries = [entry(position_holder(p.account, p.form), position_details(p), p.counted) for p in positions]
    built = build_tree(hasher, entries, min_depth=min_depth, write=keep)
    leaves = (levels[0][at * NODE_BYTES : (at + 1) * NODE_BYTES] for at in range(built.leaves))
    return ReservesTree(built, hasher, tuple(levels), {leaf: at for at, leaf in enumerate(leaves)})


def reserves_record(tree: BuiltTree, positions: Iterable[Position], *, register_kind: str) -> Reserves:
    """What the statement says of one cell's reserves."""
    found = list(positions)
    by_class: dict[str, int] = {}
    for position in found:
        by_class[position.class_] = by_class.get(position.class_, 0) + position.counted
    return Reserves(
        by_class=tuple(ClassAmount(amount, name) for name, amount in sorted(by_class.items()) if amount),
        depth=tree.depth,
        encumbered=sum(position.encumbered for position in found),
        excluded=sum(position.excluded for position in found),
        kind=TREE_TRANSPARENT,
        register=register_kind,
        root=tree.root,
        total=tree.total,
    )


def by_cell(entries: Iterable[RegisterEntry]) -> dict[Cell, list[Position]]:
    """The positions of each (pool, asset)."""
    cells: dict[Cell, list[Position]] = {}
    for item in entries:
        cells.setdefault((item.pool, item.asset), []).append(item.position)
    return cells


class DedicatedBook:
    """The dedicated positions of a snapshot's draft, by client: what proof files carry of reserves.

    Trees are built once each, when a client needs them. Everything is read from the draft's private folder and held
    against the roots that the statement has.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        draft, _state, attested = draft_store.load(snapshot)
        statement = attested.statement
        try:
            entries = register.parse(draft.private[REGISTER_FILE])
            wallets = parse_wallets(draft.private[WALLETS_FILE])
        except (KeyError, MalformedError) as error:
            raise InputError(f"is missing or damaged: {error}", file=str(draft_store.folder_of(snapshot)),
                             hint="restore it from a copy", reason="draft") from None  # fmt: skip
        self._secrets = Secrets(statement.custodian.id, statement.snapshot_id, snapshot.key())
        self._statement: Statement = statement
        self._cells = by_cell(entries)
        self._trees: dict[Cell, ReservesTree] = {}
        placed: dict[str, list[tuple[Cell, Position]]] = {}
        for item in entries:
            placed.setdefault(item.position.account, []).append(((item.pool, item.asset), item.position))
        self._own: dict[tuple[str, str], dict[str, list[tuple[Cell, Position]]]] = {}
        for wallet in wallets:
            if wallet.segregation == "dedicated":
                own = self._own.setdefault((wallet.client_id, wallet.client_code), {})
                own[wallet.account] = placed.get(wallet.account, [])

    def clients(self) -> frozenset[tuple[str, str]]:
        """(client id, client code) of every client with a dedicated wallet."""
        return frozenset(self._own)

    def positions(self, client_id: str, client_code: str) -> tuple[DedicatedPosition, ...]:
        """The positions of the client's dedicated wallets; () if there are none."""
        client = client_holder(client_id, client_code)
        own = self._own.get((client_id, client_code), {})
        found = [self._proof(cell, position, client) for places in own.values() for cell, position in places]
        if len(found) > limits.MAX_LINES:
            raise InputError(f"has more than {limits.MAX_LINES} dedicated positions", file=client_id, reason="size")
        return tuple(sorted(found, key=lambda d: (d.pool, d.asset, d.position.account, d.position.form)))

    def _proof(self, cell: Cell, position: Position, client: bytes) -> DedicatedPosition:
        blind, index, path = self._tree(cell).inclusion(position)
        tie = self._secrets.tie_blind(*cell, position_holder(position.account, position.form))
        if client_tie(tie, client) != position.client_tie:
            raise InputError("is tied to another client than the wallet table says", file=position.account,
                             hint="restore the draft from a copy", reason="draft")  # fmt: skip
        return DedicatedPosition(
            asset=cell[1], blind=blind, index=index, path=path, pool=cell[0], position=position, tie_blind=tie
        )

    def _tree(self, cell: Cell) -> ReservesTree:
        if cell not in self._trees:
            stated = self._statement.pool_asset(*cell)
            if stated is None:
                raise InputError("is not in the statement", file=" ".join(cell), reason="draft")
            reserves = stated.reserves
            tree = reserves_tree(self._secrets, cell, self._cells[cell], register_kind=reserves.register,
                                 min_depth=reserves.depth)  # fmt: skip
            if tree.built.root != reserves.root:
                raise InputError("gives another root than the statement's", file=" ".join(cell),
                                 hint="restore the draft from a copy", reason="draft")  # fmt: skip
            self._trees[cell] = tree
        return self._trees[cell]


def statement_registers(cells: Mapping[Cell, list[Position]], kinds: Mapping[str, str]) -> tuple[RegisterEntry, ...]:
    """The entries that are published: those of pools whose register is public, in order."""
    found = [RegisterEntry(asset, pool, p) for (pool, asset), items in cells.items() if kinds[pool] == "public"
             for p in items]  # fmt: skip
    return tuple(sorted(found, key=lambda e: e.key))

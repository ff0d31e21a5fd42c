"""Proof files: byte for byte what the recursive reference makes, and never one that a damaged store would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reference import world
from reference.canonical_json import dump
from reference.statement import identity
from reserveproof.custodian import reserves
from reserveproof.custodian.config import Config, parse_config
from reserveproof.custodian.proof_store import TreeFile, tree_file
from reserveproof.custodian.prover import Prover
from reserveproof.custodian.snapshot import build_liabilities
from reserveproof.custodian.table_lookup import AccountsTable, ExtractTable
from reserveproof.format import envelope as envelopes
from reserveproof.format import proof_file, tables
from reserveproof.format.errors import InputError, UsageError
from reserveproof.format.proof_file import DedicatedPosition
from reserveproof.format.tables import AccountRow, ExtractRow
from workspace_maker import CONFIG

WORLD = world.World(min_depth={})
PAYLOAD = world.payload_for(WORLD, WORLD.predicate())
ENVELOPE = envelopes.parse(dump(world.signed(PAYLOAD)))


def rows_of(given: world.World) -> list[ExtractRow]:
    found = [
        ExtractRow(pool, asset, *world.CLIENTS[client], bucket, credit, debit)
        for (pool, asset), clients in given.ledger.items()
        for client, lines in clients.items()
        for bucket, (credit, debit) in lines.items()
    ]
    return sorted(found)


def config_of(given: world.World) -> Config:
    config = parse_config(CONFIG.encode())
    pools = tuple(replace(config.pools[0], pool=name, min_depth=0) for name in given.pools)
    return replace(config, custodian=replace(config.custodian, id=given.custodian), pools=pools)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The extract and the trees of the reference's world."""
    (tmp_path / "extract.tsv").write_bytes(b"".join(tables.write_extract(rows_of(WORLD))))
    (tmp_path / "trees").mkdir()
    cells = list(
        build_liabilities(
            rows_of(WORLD), config_of(WORLD), WORLD.snapshot, snapshot_key=WORLD.snapshot_key, folder=tmp_path / "trees"
        )
    )
    for cell in cells:
        owed = WORLD.liabilities[cell.pool, cell.asset]
        assert (cell.root, cell.depth, cell.credit) == (owed.root, owed.depth, owed.total)
        assert (cell.leaves, cell.rows) == (
            len(owed.order),
            sum(map(len, WORLD.ledger[cell.pool, cell.asset].values())),
        )
    return tmp_path


class Book:
    """A DedicatedSource over the reference's own positions."""

    def clients(self) -> frozenset[tuple[str, str]]:
        return frozenset(world.CLIENTS.values())

    def positions(self, client_id: str, client_code: str) -> tuple[DedicatedPosition, ...]:
        name = next(name for name, (known, _) in world.CLIENTS.items() if known == client_id)
        return proof_file.parse(expected(name)).positions


def expected(client: str) -> bytes:
    envelope = world.signed(PAYLOAD)
    return dump({**WORLD.proof(client), "envelope": envelope, "statement_sha256": identity(PAYLOAD)})


def prover_at(folder: Path, dedicated: Book | None = None) -> Prover:
    return Prover(
        extract=folder / "extract.tsv", trees=folder / "trees", snapshot_key=WORLD.snapshot_key, envelope=ENVELOPE,
        dedicated=dedicated,
    )  # fmt: skip


@pytest.mark.parametrize("client", list(world.CLIENTS))
def test_a_proof_is_the_references(store: Path, client: str) -> None:
    with prover_at(store, Book()) as prover:
        client_id, code = world.CLIENTS[client]
        assert proof_file.dump(prover.prove(client_id)) == expected(client)
        assert proof_file.dump(prover.prove(client_id, code)) == expected(client)
        outside = prover.prove(client_id, inline=False)
        assert outside.envelope is None
        assert outside.statement_sha256.hex() == identity(PAYLOAD)


def test_the_reserves_tree_beside_it_is_the_references_too() -> None:
    secrets = reserves.Secrets(WORLD.custodian, WORLD.snapshot, WORLD.snapshot_key)
    cell = ("vault", "BTC")
    parsed = proof_file.parse(expected("carol"))
    own = [item.position for item in parsed.positions if (item.pool, item.asset) == cell]
    other = [item.position for item in proof_file.parse(expected("grace")).positions if (item.pool, item.asset) == cell]
    tree = reserves.reserves_tree(secrets, cell, [*own, *other], register_kind="blinded", min_depth=0)
    assert tree.built.root == WORLD.reserves[cell].root


def test_who_is_not_there_gets_nothing(store: Path) -> None:
    with prover_at(store) as prover:
        for stranger in ("AC-1008", "ac-1001", "AC-100", "A", "zz"):
            with pytest.raises(UsageError, match="not in the ledger"):
                prover.prove(stranger)
        with pytest.raises(UsageError, match="another code"):
            prover.prove("AC-1001", "")
        for bad in ("", " AC-1001", "AC-1001 ", "é", "x" * 129, "a\tb"):
            with pytest.raises(UsageError, match="not a client id"):
                prover.prove(bad)


def test_a_proof_holds_nobody_elses_data(store: Path) -> None:
    with prover_at(store) as prover:
        data = proof_file.dump(prover.prove("AC-1002", inline=False))
        others = [proof_file.dump(prover.prove(i, inline=False)) for i, _ in world.CLIENTS.values() if i != "AC-1002"]
    assert b"AC-1" not in data
    blinds = {line.blind.hex() for other in others for line in proof_file.parse(other).lines}
    assert not any(blind.encode() in data for blind in blinds)
    assert WORLD.snapshot_key.hex().encode() not in data


def damaged_nodes(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    for at in range(576, len(data), 5):
        yield data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]


def test_a_damaged_tree_never_gives_a_wrong_proof(store: Path) -> None:
    path = store / "trees" / tree_file("omni", "USDC")
    with prover_at(store) as prover:
        wanted = proof_file.dump(prover.prove("AC-1004"))
    refused = 0
    for data in damaged_nodes(path):
        path.write_bytes(data)
        try:
            with prover_at(store) as prover:
                assert proof_file.dump(prover.prove("AC-1004")) == wanted
        except InputError as error:
            assert error.reason == "damaged"
            refused += 1
    assert refused > 30


def test_a_changed_extract_is_noticed(store: Path) -> None:
    path = store / "extract.tsv"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"900250000", b"900250001"))
    with prover_at(store) as prover:
        prover.prove("AC-1001")
        with pytest.raises(InputError, match="no leaf for the client's rows"):
            prover.prove("AC-1002")
    path.write_bytes(data[:-1])
    with prover_at(store) as prover, pytest.raises(InputError, match="line does not end"):
        prover.prove("AC-1007")
    path.write_bytes(b"pool\tasset\n")
    with pytest.raises(InputError, match="header of its table"):
        prover_at(store)


def test_another_snapshots_tree_key_or_statement_is_refused(store: Path) -> None:
    with pytest.raises(InputError, match="not the tree that the statement commits to"):
        predicate = WORLD.predicate()
        predicate["snapshot_id"] = "2026-06-30.b"
        payload = world.payload_for(WORLD, predicate)
        Prover(
            extract=store / "extract.tsv", trees=store / "trees", snapshot_key=WORLD.snapshot_key,
            envelope=envelopes.parse(dump(world.signed(payload))),
        )  # fmt: skip
    with (
        Prover(
            extract=store / "extract.tsv", trees=store / "trees", snapshot_key=b"\x00" * 32, envelope=ENVELOPE
        ) as prover,
        pytest.raises(InputError, match="no leaf"),
    ):
        prover.prove("AC-1001")
    (store / "trees" / tree_file("omni", "ETH")).rename(store / "trees" / tree_file("omni", "BTC"))
    with pytest.raises(InputError, match="not the tree"):
        prover_at(store)


def test_a_position_of_another_client_is_refused(store: Path) -> None:
    class Wrong(Book):
        def positions(self, client_id: str, client_code: str) -> tuple[DedicatedPosition, ...]:
            return super().positions("AC-1003", "")

    class Altered(Book):
        def positions(self, client_id: str, client_code: str) -> tuple[DedicatedPosition, ...]:
            found = super().positions(client_id, client_code)
            return tuple(replace(item, index=item.index ^ 1) for item in found)

    with prover_at(store, Wrong()) as prover, pytest.raises(InputError, match="not tied to client"):
        prover.prove("AC-1007")
    with prover_at(store, Altered()) as prover, pytest.raises(InputError, match="signed root"):
        prover.prove("AC-1003")


def test_every_row_of_an_extract_is_found(tmp_path: Path) -> None:
    ids = ["a", "a b", "ab", "b", "zz", *(f"C-{n:03}" for n in range(0, 300, 3))]
    rows = sorted(
        ExtractRow(pool, asset, one, "", bucket, 1, 0)
        for pool in ("p", "p-q", "p.q")
        for asset in ("A", "A-B", "AB")
        for one in ids
        for bucket in ((1, 2) if len(one) % 2 else (10,))
    )
    path = tmp_path / "e"
    path.write_bytes(b"".join(tables.write_extract(rows)))
    with ExtractTable(path) as table:
        for pool, asset, one in {row[:3] for row in rows}:
            assert table.rows(pool, asset, one) == tuple(row for row in rows if row[:3] == (pool, asset, one))
        for stranger in ("", "A", "C-001", "C-0030", "a ", "zzz", "~"):
            assert table.rows("p", "A", stranger) == ()
        assert table.rows("o", "A", "a") == table.rows("q", "A", "a") == ()


def test_accounts_are_found(tmp_path: Path) -> None:
    rows = [AccountRow(f"c{n:02}", "retail", "active", n == 7) for n in range(40)]
    (tmp_path / "a").write_bytes(b"".join(tables.write_accounts(rows)))
    with AccountsTable(tmp_path / "a") as table:
        assert [table.account(row.client_id) for row in rows] == rows
        assert table.account("c4") is None


def test_stored_files_are_those_of_the_statement(store: Path) -> None:
    for pool, asset in WORLD.cells:
        with TreeFile(store / "trees" / tree_file(pool, asset)) as tree:
            tree.verify()

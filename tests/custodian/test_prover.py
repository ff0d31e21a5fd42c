"""Proof files: byte for byte what the recursive reference makes, and never one that a damaged store would give."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reference import world
from reference.canonical_json import dump
from reference.statement import identity
from reserveproof.custodian import kernel, reserves
from reserveproof.custodian.client_book import (
    BookWriter,
    ClientBook,
    checked_record,
    client_key,
    client_record,
    index_key,
    parse_client_record,
    records_bytes,
)
from reserveproof.custodian.config import Config, parse_config
from reserveproof.custodian.proof_store import TreeFile, tree_file
from reserveproof.custodian.prover import Prover
from reserveproof.custodian.snapshot_trees import build_liabilities
from reserveproof.format import envelope as envelopes
from reserveproof.format import proof_file, tables
from reserveproof.format.errors import InputError, UsageError
from reserveproof.format.proof_file import DedicatedPosition
from reserveproof.format.tables import ExtractRow
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


@pytest.fixture(params=["kernel", "python"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The extract, the trees and the book of the reference's world, with the kernel and without."""
    if request.param == "python":
        monkeypatch.setattr(kernel, "native", None)
    elif kernel.native is None:
        pytest.skip("the native kernel is not installed")
    (tmp_path / "extract.tsv").write_bytes(b"".join(tables.write_extract(rows_of(WORLD))))
    extract = (tmp_path / "extract.tsv").read_bytes()
    cells = build_liabilities(
        tmp_path, config_of(WORLD), WORLD.snapshot, snapshot_key=WORLD.snapshot_key,
        extract_sha256=hashlib.sha256(extract).digest(),
    )  # fmt: skip
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


def prover_at(folder: Path, dedicated: Book | None = None, *, inline: bool = True) -> Prover:
    return Prover(folder, snapshot_key=WORLD.snapshot_key, envelope=ENVELOPE, dedicated=dedicated, inline=inline)


@pytest.mark.parametrize("client", list(world.CLIENTS))
def test_a_proof_is_the_references(store: Path, client: str) -> None:
    with prover_at(store, Book()) as prover:
        client_id, code = world.CLIENTS[client]
        assert prover.prove(client_id) == expected(client)
        assert prover.prove(client_id, code) == expected(client)
    with prover_at(store, Book(), inline=False) as prover:
        outside = proof_file.parse(prover.prove(client_id))
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
    with prover_at(store, inline=False) as prover:
        data = prover.prove("AC-1002")
        others = [prover.prove(i) for i, _ in world.CLIENTS.values() if i != "AC-1002"]
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
        wanted = prover.prove("AC-1004")
    refused = 0
    for data in damaged_nodes(path):
        path.write_bytes(data)
        try:
            with prover_at(store) as prover:
                assert prover.prove("AC-1004") == wanted
        except InputError as error:
            assert error.reason == "damaged"
            refused += 1
    assert refused > 30


def test_every_changed_byte_of_the_book_is_noticed_or_leaves_the_proofs(store: Path) -> None:
    """A record that was changed is told by its check; one that was changed with its check, by the tree."""
    path = store / "clients.book"
    data = path.read_bytes()
    with prover_at(store) as prover:
        wanted = {client_id: prover.prove(client_id) for client_id, _ in world.CLIENTS.values()}
    noticed = 0
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        before = noticed
        try:
            with prover_at(store) as prover:
                for client_id, proof in wanted.items():
                    try:
                        assert prover.prove(client_id) == proof
                    except (InputError, UsageError):
                        noticed = before + 1
        except InputError as error:
            assert error.reason in ("damaged", "version", "other-tree", "other-key")
            noticed = before + 1
    assert noticed == len(data)


def test_an_extract_changed_since_it_was_written_builds_no_tree(store: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    text = (store / "extract.tsv").read_bytes()
    (again / "extract.tsv").write_bytes(text.replace(b"\t900250000\t", b"\t0900250000\t"))
    with pytest.raises(InputError) as caught:
        build_liabilities(
            again, config_of(WORLD), WORLD.snapshot, snapshot_key=WORLD.snapshot_key,
            extract_sha256=hashlib.sha256(text).digest(),
        )  # fmt: skip
    assert caught.value.reason == "damaged"


def test_a_damaged_slot_is_not_a_client_who_is_not_there(store: Path) -> None:
    path = store / "clients.book"
    data = bytearray(path.read_bytes())
    key = client_key(index_key(WORLD.snapshot_key), "AC-1002")
    data[data.index(key) + 15] ^= 1
    path.write_bytes(data)
    with prover_at(store) as prover, pytest.raises(InputError, match="damaged"):
        prover.prove("AC-1002")


def test_a_line_that_is_not_the_leaf_is_refused(store: Path) -> None:
    path = store / "clients.book"
    with ClientBook(path, "C") as book:
        trees, leaves, mark = book.trees, book.leaves, book.mark
        records = dict(book.records())
    key = client_key(index_key(WORLD.snapshot_key), "AC-1002")
    code, lines = parse_client_record(records[key])
    first = lines[0].buckets[0]
    altered = replace(lines[0], buckets=((first[0], first[1] + 1, first[2]), *lines[0].buckets[1:]))
    records[key] = client_record(code, [altered, *lines[1:]])
    path.unlink()
    made = sorted((key, checked_record(key, record)) for key, record in records.items())
    with BookWriter(
        path, "C", trees=trees, clients=len(made), leaves=leaves, records=records_bytes(made), mark=mark
    ) as writer:
        writer.put(made)
        writer.finish()
    with prover_at(store) as prover:
        prover.prove("AC-1001")
        with pytest.raises(InputError, match="no leaf for the client's rows"):
            prover.prove("AC-1002")


def test_another_snapshots_tree_key_or_statement_is_refused(store: Path) -> None:
    with pytest.raises(InputError, match="not the tree that the statement commits to"):
        predicate = WORLD.predicate()
        predicate["snapshot_id"] = "2026-06-30.b"
        payload = world.payload_for(WORLD, predicate)
        Prover(store, snapshot_key=WORLD.snapshot_key, envelope=envelopes.parse(dump(world.signed(payload))))
    with pytest.raises(InputError, match="another snapshot key"):
        Prover(store, snapshot_key=b"\x00" * 32, envelope=ENVELOPE)
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


def test_stored_files_are_those_of_the_statement(store: Path) -> None:
    for pool, asset in WORLD.cells:
        with TreeFile(store / "trees" / tree_file(pool, asset)) as tree:
            tree.verify()

"""The small custodian that the vectors are about: trees, register, statement, proofs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from . import tree
from .canonical_json import dump
from .conventions import HMAC, H, T, converted_down
from .made_up import (
    AS_OF,
    ASSETS,
    BITCOIN,
    BTC_FORM,
    CLIENTS,
    EXPIRES,
    ISSUED,
    LEDGER,
    MIN_DEPTH,
    POOLS,
    POSITIONS,
    PREVIOUS,
    PUBLIC,
    RULES,
    USDC_FORM,
    VALID,
    Cell,
)
from .register import leaf_of, order
from .signers import AUDITOR, OFFICER, Key
from .statement import envelope_of, identity, payload_of


def buckets(row: dict[int, tuple[int, int]]) -> list[dict[str, Any]]:
    return [{"bucket": b, "credit": str(c), "debit": str(d)} for b, (c, d) in sorted(row.items())]


class World:
    """One snapshot: trees, register, evidence, statement, proofs. Options replace parts before it is built."""

    def __init__(
        self,
        *,
        custodian: str = "acme-custody",
        snapshot: str = "2026-06-30.a",
        ledger: dict[Cell, Any] | None = None,
        positions: list[Any] | None = None,
        min_depth: dict[Cell, int] | None = None,
        public: set[Cell] | None = None,
        edit_register: Callable[[list[dict[str, Any]]], None] | None = None,
        edit_evidence: Callable[[dict[str, Any]], None] | None = None,
        assets: list[dict[str, Any]] | None = None,
        pools: dict[str, Any] | None = None,
        anchors: list[dict[str, Any]] | None = None,
    ) -> None:
        self.custodian, self.snapshot = custodian, snapshot
        self.ledger = copy.deepcopy(LEDGER if ledger is None else ledger)
        self.positions = list(POSITIONS if positions is None else positions)
        self.min_depth = dict(MIN_DEPTH if min_depth is None else min_depth)
        self.public = set(PUBLIC if public is None else public)
        self.assets = copy.deepcopy(ASSETS if assets is None else assets)
        self.pools = POOLS if pools is None else pools
        self.anchors = anchors or [
            {"chain": BITCOIN, "hash": H(b"block btc").hex(), "height": 955_123, "time": "2026-06-29T23:51:07Z"},
            {"chain": "eip155:1", "hash": H(b"block eth").hex(), "height": 25_430_011, "time": "2026-06-29T23:59:59Z"},
        ]
        self.snapshot_key = H(b"reserveproof vector snapshot key " + snapshot.encode())
        self.evidence: dict[str, bytes] = {}
        self.entries = [self._entry(*row, edit_evidence) for row in self.positions]
        if edit_register:
            edit_register(self.entries)
        self.entries.sort(key=order)
        self.cells = sorted(self.ledger)
        self.liabilities = {cell: self._liabilities(cell) for cell in self.cells}
        self.reserves = {cell: self._reserves(cell) for cell in self.cells}

    def tree_id(self, side: str, cell: Cell) -> bytes:
        return tree.tree_id(side, self.custodian, self.snapshot, *cell)

    def holder(self, client: str) -> bytes:
        return tree.client_holder(*CLIENTS[client])

    def tie_blind(self, cell: Cell, position: dict[str, Any]) -> bytes:
        key = tree.tie_key(self.snapshot_key, self.tree_id("R", cell))
        return HMAC(key, b"\0" + tree.position_holder(position["account"], position["form"]))

    def _file(self, evidence: dict[str, Any]) -> str:
        data = dump(evidence)
        self.evidence[H(data).hex()] = data
        return H(data).hex()

    def _entry(
        self,
        pool: str,
        asset: str,
        account: str,
        form: str,
        quantity: int,
        encumbered: int,
        excluded: int,
        client: str,
        edit: Callable[[dict[str, Any]], None] | None,
    ) -> dict[str, Any]:
        registered = next(entry for entry in self.assets if entry["asset"] == asset)
        decimals = next(entry["decimals"] for entry in registered["forms"] if entry["form"] == form)
        observed = converted_down(quantity, decimals, registered["decimals"])
        letter = account.startswith("ref:")
        chain = next((one for one in self.anchors if account.startswith(one["chain"] + ":")), None)
        issuer = account[4:].split(".")[0]
        control = {
            "account": account,
            "letter": {
                "date": "2026-06-30" if letter else "",
                "issuer": issuer if letter else "",
                "sha256": H(b"letter " + account.encode()).hex() if letter else "",
            },
            "profile": "text",
            "scheme": "letter" if letter else "eip191",
            "signature": "" if letter else "0x",
            "type": "control",
        }
        observation = {
            "account": account,
            "form": form,
            "hash": chain["hash"] if chain else "",
            "height": chain["height"] if chain else 0,
            "method": "LETTER" if letter else "RPC_REPORTED",
            "quantity": str(quantity),
            "source": "statement of account",
            "time": chain["time"] if chain else AS_OF,
            "type": "observation",
        }
        for evidence in (control, observation):
            if edit:
                edit(evidence)
        position = {
            "account": account,
            "class": "CUSTODIAN_CONFIRMATION" if letter else "KEY_SIGNATURE",
            "client_tie": "",
            "control": self._file(control),
            "counted": str(observed - encumbered - excluded),
            "encumbered": str(encumbered),
            "excluded": str(excluded),
            "form": form,
            "observation": self._file(observation),
            "observed": str(observed),
            "segregation": "dedicated" if client else "omnibus",
        }
        if client:
            blinded = self.tie_blind((pool, asset), position)
            position["client_tie"] = tree.client_tie(blinded, self.holder(client)).hex()
        return {"asset": asset, "pool": pool, "position": position}

    def _liabilities(self, cell: Cell) -> tree.Tree:
        tid = self.tree_id("L", cell)
        return tree.Tree(
            tid,
            tree.secret_tree_key(self.snapshot_key, tid),
            [self.leaf(cell, client) for client in self.ledger[cell]],
            self.min_depth.get(cell, 0),
        )

    def leaf(self, cell: Cell, client: str) -> tree.Leaf:
        row = self.ledger[cell][client]
        return tree.Leaf(self.holder(client), tree.line_details(buckets(row)), sum(c for c, _ in row.values()))

    def _reserves(self, cell: Cell) -> tree.Tree:
        tid = self.tree_id("R", cell)
        key = tree.public_tree_key(tid) if cell in self.public else tree.secret_tree_key(self.snapshot_key, tid)
        return tree.Tree(tid, key, [leaf_of(one) for one in self.of(cell)], self.min_depth.get(cell, 0))

    def of(self, cell: Cell) -> list[dict[str, Any]]:
        return [entry["position"] for entry in self.entries if (entry["pool"], entry["asset"]) == cell]

    def pool_asset(self, cell: Cell) -> dict[str, Any]:
        owed, held, positions = self.liabilities[cell], self.reserves[cell], self.of(cell)
        classes: dict[str, int] = {}
        for one in positions:
            if int(one["counted"]):
                classes[one["class"]] = classes.get(one["class"], 0) + int(one["counted"])
        return {
            "asset": cell[1],
            "liabilities": {"depth": owed.depth, "kind": 1, "root": owed.root.hex(), "total": str(owed.total)},
            "reserves": {
                "by_class": [{"amount": str(n), "class": name} for name, n in sorted(classes.items())],
                "depth": held.depth,
                "encumbered": str(sum(int(one["encumbered"]) for one in positions)),
                "excluded": str(sum(int(one["excluded"]) for one in positions)),
                "kind": 1,
                "register": "public" if cell in self.public else "blinded",
                "root": held.root.hex(),
                "total": str(held.total),
            },
        }

    def predicate(self) -> dict[str, Any]:
        """The statement's predicate, fresh, to be altered."""
        pools = [
            {
                "assets": [self.pool_asset(cell) for cell in self.cells if cell[0] == name],
                "law": "England and Wales",
                "legal_form": legal_form,
                "model": model,
                "pool": name,
                "profiles": ["baseline"],
                "residue_bps": 400,
                "term": term,
                "trustee": "Harbour Trustees Ltd",
            }
            for name, (legal_form, model, term) in self.pools.items()
        ]
        controls = [
            {"asset": cell[1], "credit": str(self.liabilities[cell].total), "pool": cell[0]} for cell in self.cells
        ]
        rules = [
            {"id": rule, "pool": pool, "profile": "baseline", "result": "PASS", "rows": 0}
            for rule, pool in RULES
            if pool in ("", *self.pools)
        ]
        return {
            "anchors": copy.deepcopy(self.anchors),
            "as_of": AS_OF,
            "assets": copy.deepcopy(self.assets),
            "claim_expires": EXPIRES,
            "client_id_hint": "the account number on your statements",
            "corrects": {"payload_sha256": "", "reason": ""},
            "custodian": {
                "id": self.custodian,
                "jurisdiction": "GB",
                "lei": "5493001KJTIIGC8Y1R12",
                "licence": "",
                "name": "Acme Custody Ltd",
            },
            "disclosures": [],
            "dispute": {"contact": "disputes@acme.example", "days": 30},
            "exclusions": [
                {
                    "amount": known["reserves"]["excluded"],
                    "asset": known["asset"],
                    "pool": pool["pool"],
                    "reason": "awaiting-confirmation",
                    "side": "R",
                }
                for pool in pools
                for known in pool["assets"]
                if known["reserves"]["excluded"] != "0"
            ],
            "house": [],
            "house_note": "",
            "issued_at": ISSUED,
            "ledger": {
                "control_totals": controls,
                "extract_mac": HMAC(self.snapshot_key, T("extract") + H(b"the extract")).hex(),
            },
            "logs": [],
            "notes": {},
            "pools": pools,
            "previous": PREVIOUS,
            "rules": sorted(rules, key=lambda r: (r["pool"], r["profile"], r["id"])),
            "rules_version": "2026-06",
            "sequence": 7,
            "snapshot_id": self.snapshot,
            "tool": "reserveproof reference",
            "valid_until": VALID,
            "verdict": "clean",
            "version": 1,
        }

    def listed(self) -> list[dict[str, Any]]:
        """The entries of public cells."""
        return [entry for entry in self.entries if (entry["pool"], entry["asset"]) in self.public]

    def files(self) -> dict[str, bytes]:
        """Register and evidence of the bundle."""
        entries = self.listed()
        files = {"register.json": dump({"format": 1, "positions": entries})}
        for entry in entries:
            for what in ("control", "observation"):
                digest = entry["position"][what]
                if digest in self.evidence:
                    files[f"evidence/{digest}.json"] = self.evidence[digest]
        return files

    def line(self, cell: Cell, client: str) -> dict[str, Any]:
        committed = self.liabilities[cell]
        holder = self.holder(client)
        index = committed.order.index(holder)
        return {
            "asset": cell[1],
            "blind": tree.blind(committed.key, holder).hex(),
            "buckets": buckets(self.ledger[cell][client]),
            "index": index,
            "path": committed.path(index),
            "pool": cell[0],
        }

    def dedicated(self, entry: dict[str, Any]) -> dict[str, Any]:
        cell = (entry["pool"], entry["asset"])
        committed, position = self.reserves[cell], entry["position"]
        holder = tree.position_holder(position["account"], position["form"])
        index = committed.order.index(holder)
        return {
            **copy.deepcopy(entry),
            "blind": tree.blind(committed.key, holder).hex(),
            "index": index,
            "path": committed.path(index),
            "tie_blind": self.tie_blind(cell, position).hex(),
        }

    def proof(self, client: str) -> dict[str, Any]:
        """The proof file of a client but for its envelope and the statement's digest."""
        ties = [self.dedicated(entry) for entry in self.entries if self.belongs(entry, client)]
        return {
            "format": 1,
            "lines": [self.line(cell, client) for cell in self.cells if client in self.ledger[cell]],
            "log": "",
            "positions": ties,
            "timestamps": [],
        }

    def belongs(self, entry: dict[str, Any], client: str) -> bool:
        blinded = self.tie_blind((entry["pool"], entry["asset"]), entry["position"])
        return bool(entry["position"]["client_tie"] == tree.client_tie(blinded, self.holder(client)).hex())


def tiny() -> World:
    """One omnibus pool with two assets, three clients and three letters: enough for most mutations."""
    rows = [
        ("omni", "BTC", "ref:subcustodian-1.btc", BTC_FORM, 140_000_000, 0, 0, ""),
        ("omni", "BTC", "ref:subcustodian-2", BTC_FORM, 40_000_000, 30_000_000, 5_000_000, ""),
        ("omni", "USDC", "ref:bank-7.fbo", USDC_FORM, 990_000_000, 0, 0, ""),
    ]
    cells = [("omni", "BTC"), ("omni", "USDC")]
    return World(
        ledger={cell: {who: LEDGER[cell][who] for who in ("bob", "erin", "frank")} for cell in cells},
        positions=rows,
        assets=[ASSETS[0], ASSETS[2]],
        pools={"omni": POOLS["omni"]},
        public=set(cells),
    )


def manifest(files: dict[str, bytes]) -> bytes:
    entries = [{"name": n, "sha256": H(data).hex(), "size": len(data)} for n, data in sorted(files.items())]
    return dump({"files": entries, "format": 1})


def signed(payload: bytes, keys: tuple[Key, ...] = (OFFICER, AUDITOR)) -> dict[str, Any]:
    return envelope_of(payload, [key.sign(payload) for key in keys])


def payload_for(world: World, predicate: dict[str, Any]) -> bytes:
    return payload_of(predicate, H(manifest(world.files())).hex())


def with_statement(proof: dict[str, Any], payload: bytes, envelope: dict[str, Any] | None) -> dict[str, Any]:
    beside = {} if envelope is None else {"envelope": envelope}
    return {**proof, **beside, "statement_sha256": identity(payload)}


def typed(amount: int, decimals: int) -> str:
    digits = str(amount).rjust(decimals + 1, "0")
    return digits if decimals == 0 else f"{digits[:-decimals]}.{digits[-decimals:]}"


def claims(world: World, client: str) -> dict[str, Any]:
    """What the client types: every line that is not zero, exactly; own accounts."""
    decimals = {entry["asset"]: entry["decimals"] for entry in world.assets}
    balances = []
    for cell in world.cells:
        row = world.ledger[cell].get(client, {})
        credit, debit = (sum(pair[side] for pair in row.values()) for side in (0, 1))
        if credit or debit:
            balances.append(
                {
                    "amount": typed(credit, decimals[cell[1]]),
                    "asset": cell[1],
                    "debit": typed(debit, decimals[cell[1]]) if debit else "",
                    "pool": cell[0],
                }
            )
    own = {entry["position"]["account"] for entry in world.entries if world.belongs(entry, client)}
    client_id, code = CLIENTS[client]
    return {
        "balances": balances,
        "client_code": code,
        "client_id": client_id,
        "dedicated": sorted(own),
        "digest": "",
    }

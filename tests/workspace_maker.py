"""Small custodians for tests: a configuration, a workspace, a ledger."""

from __future__ import annotations

import hashlib
from pathlib import Path

from reserveproof.custodian.config_template import CONFIG_TEMPLATE
from reserveproof.custodian.tree_hashing import TreeHasher, TreeName, blinded_key, entry
from reserveproof.custodian.workspace import Snapshot, Workspace, create_workspace

CONFIG = CONFIG_TEMPLATE.replace("min_depth = 20", "min_depth = 3")
HEADER = "client_id,pool,asset,bucket,credit,debit,client_code\n"
LEDGER = HEADER + "".join(
    f"{line}\n"
    for line in (
        "bob,client-trust,BTC,available,0.6,0,",
        "alice,client-trust,BTC,available,1.25,0,K5XW633EMVZGM2LUOQQQ",
        "alice,client-trust,BTC,withdrawal_pending,0.05,0,K5XW633EMVZGM2LUOQQQ",
        "carol,client-trust,BTC,margin,0,2.5,",
        "alice,client-trust,USD,available,12.34,0,K5XW633EMVZGM2LUOQQQ",
        "dave,client-trust,BTC,available,0,0,",
    )
)
ACCOUNTS = (
    "client_id,account_type,status,related_party\n"
    "alice,retail,active,no\nbob,employee,active,yes\ncarol,operator,active,yes\ndave,retail,dormant,no\n"
)
AS_OF, NOW = "2026-06-30T00:00:00Z", "2026-07-01T09:00:00Z"


def workspace_in(folder: Path, config: str = CONFIG) -> Workspace:
    return create_workspace(folder, config.encode())


def opened(workspace: Workspace, snapshot_id: str = "s1", key: bytes = b"\x07" * 32) -> Snapshot:
    return workspace.open_snapshot(snapshot_id, as_of=AS_OF, now=NOW, key=key, templates={"register.csv": b"x\n"})


def ledger_in(folder: Path, text: str = LEDGER, name: str = "ledger.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="ascii")
    return path


def numbered_entry(number: int, amount: int | None = None) -> bytes:
    """An entry that is nobody's."""
    holder = hashlib.sha256(b"holder %d" % number).digest()
    details = hashlib.sha256(b"details %d" % number).digest()
    return entry(holder, details, number * 1000 + 7 if amount is None else amount)


def some_hasher() -> TreeHasher:
    tree_id = TreeName("acme", "s1", "pool", "BTC", "L").tree_id
    return TreeHasher(tree_id, blinded_key(b"\x01" * 32, tree_id))

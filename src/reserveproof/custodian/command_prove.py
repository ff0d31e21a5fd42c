"""`reserveproof prove`: proof files for clients of a published statement."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..format import envelope as envelopes
from ..format import limits, proof_file
from ..format.challenge import tag
from ..format.errors import UsageError
from ..format.manifest import STATEMENT_FILE
from ..format.tables import EXTRACT_FILE
from . import atomic_files
from .atomic_files import transport
from .command_output import Folder, SnapshotId, say, working
from .prover import Prover
from .reserves import DedicatedBook
from .workspace import Snapshot, State, open_workspace

BUNDLE_FOLDER = "bundle"
PROOFS_FOLDER = "proofs"
_MAX_CLIENTS_BYTES = 256 << 20


def add(app: typer.Typer) -> None:
    app.command("prove")(prove)


def prove(
    folder: Folder,
    snapshot_id: SnapshotId,
    client: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLIENT]...", help="Client ids as the ledger has them.", show_default=False),
    ] = None,
    clients: Annotated[
        Path | None, typer.Option("--clients", metavar="FILE", help="A file with one id a line.", show_default=False)
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Where to; else the snapshot's own.", show_default=False),
    ] = None,
) -> None:
    """Write the proof files of clients. Each is private to its client; its name does not show whose it is."""
    workspace = open_workspace(folder)
    snapshot = workspace.snapshot(snapshot_id)
    snapshot.require(State.PUBLISHED)
    ids = list(dict.fromkeys([*(client or ()), *_ids(clients)]))
    if not ids:
        raise UsageError("no client was given", hint="give client ids, or --clients FILE")
    target = to or snapshot.path / PROOFS_FOLDER
    with transport(f"make {target}"):
        target.mkdir(mode=atomic_files.PRIVATE_FOLDER, parents=True, exist_ok=True)
    with atomic_files.locked(target):
        atomic_files.sweep(target)
        with working(f"proving {len(ids)} clients"):
            for name, client_id in write_proofs(snapshot, ids, target):
                say(f"{target / name}  {client_id}")


def _ids(path: Path | None) -> list[str]:
    if path is None:
        return []
    data = atomic_files.read_file(path, limit=_MAX_CLIENTS_BYTES)
    try:
        lines = data.decode("ascii").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not ASCII at byte {error.start}", hint="one client id a line") from None
    return [line for line in lines if line]


def write_proofs(snapshot: Snapshot, client_ids: Sequence[str], target: Path) -> Iterator[tuple[str, str]]:
    """Write a proof for each client into target; its file's name and its id, as each is there.

    UsageError, and nothing written, if one of them is no client of the snapshot. Where the envelope is large it is
    given beside, as statement.json. Files of an earlier run are replaced.
    """
    key = snapshot.key()
    sealed = atomic_files.read_file(
        snapshot.path / BUNDLE_FOLDER / STATEMENT_FILE, limit=2 * limits.MAX_STATEMENT_BYTES
    )
    inline = len(sealed) <= limits.INLINE_ENVELOPE_BYTES
    with Prover(
        extract=snapshot.ledger_folder / EXTRACT_FILE,
        trees=snapshot.trees_folder,
        snapshot_key=key,
        envelope=envelopes.parse(sealed),
        dedicated=DedicatedBook(snapshot),
    ) as prover:
        for client_id in client_ids:
            prover.check(client_id)
        if not inline:
            atomic_files.write_file(target / STATEMENT_FILE, sealed)
        for client_id in client_ids:
            data = proof_file.dump(prover.prove(client_id, inline=inline))
            name = proof_name(key, snapshot.id, client_id)
            atomic_files.write_file(target / name, data)
            yield name, client_id


def proof_name(snapshot_key: bytes, snapshot_id: str, client_id: str) -> str:
    """The name of a client's proof file: the same in every run, and nobody without the key can tell whose it is."""
    mark = hmac.digest(snapshot_key, tag("proof-name") + client_id.encode("utf-8", "surrogateescape"), "sha256")
    return f"proof-{snapshot_id}-{mark[:10].hex()}.json"

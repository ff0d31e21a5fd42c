"""`reserveproof prove`: proof files for clients of a published statement, one by one or as a serving set."""

from __future__ import annotations

import contextlib
import hmac
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..format import envelope as envelopes
from ..format import limits
from ..format.challenge import tag
from ..format.errors import UsageError
from ..format.manifest import STATEMENT_FILE
from . import atomic_files
from .atomic_files import transport
from .command_output import say, working
from .log_site import proof_member, proof_path
from .prover import Prover
from .publish import load_published
from .reserves import DedicatedBook
from .serving_set import ServingSet, is_inline, tokens_path
from .workspace import BUNDLE_FOLDER, Snapshot, State, open_workspace

PROOFS_FOLDER = "proofs"
STDIN = "-"
"""In place of a token: the token is read, so that it does not stand in the list of processes."""
_MAX_CLIENTS_BYTES = 256 << 20


def add(app: typer.Typer) -> None:
    app.command("prove")(prove)


def prove(
    folder: Annotated[str, typer.Argument(metavar="[DIR]", help="The custodian's workspace.", show_default=False)] = "",
    snapshot_id: Annotated[str, typer.Argument(metavar="[ID]", help="The snapshot.", show_default=False)] = "",
    client: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLIENT]...", help="Client ids as the ledger has them.", show_default=False),
    ] = None,
    clients: Annotated[
        Path | None, typer.Option("--clients", metavar="FILE", help="A file with one id a line.", show_default=False)
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Every client, as a serving set that is written to the folder of --to.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Where to; else the snapshot's own.", show_default=False),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="SET", help="Print the proof that a serving set has under a token, which stands "
                     "in place of DIR; - reads it from stdin.", show_default=False),
    ] = None,
) -> None:  # fmt: skip
    """Write the proof files of clients. Each is private to its client; its name does not show whose it is."""
    if source is not None:
        if clients or everyone or to or not folder or snapshot_id:
            raise UsageError("--from takes one token and no other option", hint="reserveproof prove --from SET TOKEN")
        _print_proof(source, folder)
        return
    if not folder or not snapshot_id:
        raise UsageError("a workspace and a snapshot are missing", hint="reserveproof prove DIR ID CLIENT")
    snapshot = open_workspace(Path(folder)).snapshot(snapshot_id)
    snapshot.require(State.PUBLISHED)
    if everyone:
        if client or clients or to is None:
            raise UsageError("--all takes no clients, and needs --to", hint="reserveproof prove DIR ID --all --to SET")
        _make_set(snapshot, to)
        return
    ids = list(dict.fromkeys([*(client or ()), *_ids(clients)]))
    if not ids:
        raise UsageError("no client was given", hint="give client ids, --clients FILE, or --all --to SET")
    target = to or snapshot.path / PROOFS_FOLDER
    with transport(f"make {target}"):
        target.mkdir(mode=atomic_files.PRIVATE_FOLDER, parents=True, exist_ok=True)
    with atomic_files.locked(target):
        atomic_files.sweep(target)
        with working("proving") as progress, progress.stage("proving", len(ids), "clients") as advance:
            for name, client_id in write_proofs(snapshot, ids, target):
                say(f"{target / name}  {client_id}")
                advance(1)


def _make_set(snapshot: Snapshot, target: Path) -> None:
    # DuckDB and Arrow are heavy: they are loaded where they are used.
    from .serving_set_maker import SetSource, make_set

    with (
        snapshot.workspace.lock(),
        _opened(snapshot) as (prover, sealed, key, dedicated),
        working(f"proving all of {snapshot.id}") as progress,
    ):
        source = SetSource(
            snapshot.ledger_folder, snapshot.ledger().extract_sha256, sealed, key, dedicated,
            proof_path(snapshot.workspace, prover.statement.sequence),
        )  # fmt: skip
        made = make_set(target.absolute(), prover, source, progress=progress)
    say(f"{target}: the proofs of {made.clients} clients, each under a token; no key and no client id is in it")
    say(f"{tokens_path(target)}: which client has which token; for whoever delivers them; keep it apart from the set")


def _print_proof(folder: Path, token: str) -> None:
    if token == STDIN:
        token = sys.stdin.readline(128).strip()
    with ServingSet(folder) as served:
        sys.stdout.buffer.write(served.proof(token))


def _ids(path: Path | None) -> list[str]:
    if path is None:
        return []
    data = atomic_files.read_file(path, limit=_MAX_CLIENTS_BYTES)
    try:
        lines = data.decode("ascii").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not ASCII at byte {error.start}", hint="one client id a line") from None
    return [line for line in lines if line]


@contextlib.contextmanager
def _opened(snapshot: Snapshot) -> Iterator[tuple[Prover, bytes, bytes, DedicatedBook]]:
    """Prover, signed envelope, key and dedicated positions of a published snapshot."""
    key = snapshot.key()
    sealed = atomic_files.read_file(
        snapshot.path / BUNDLE_FOLDER / STATEMENT_FILE, limit=2 * limits.MAX_STATEMENT_BYTES
    )
    dedicated = DedicatedBook(snapshot)
    sequence = load_published(snapshot).sequence
    log = proof_member(proof_path(snapshot.workspace, sequence), sequence)
    with Prover(
        snapshot.ledger_folder, snapshot_key=key, envelope=envelopes.parse(sealed), dedicated=dedicated,
        inline=is_inline(sealed), log=log,
    ) as prover:  # fmt: skip
        yield prover, sealed, key, dedicated


def write_proofs(snapshot: Snapshot, client_ids: Sequence[str], target: Path) -> Iterator[tuple[str, str]]:
    """Write a proof for each client into target; its file's name and its id, as each is there.

    UsageError, and nothing written, if one of them is no client of the snapshot. Where the envelope is large it is
    given beside, as statement.json. Files of an earlier run are replaced.
    """
    with _opened(snapshot) as (prover, sealed, key, _):
        for client_id in client_ids:
            prover.check(client_id)
        if not is_inline(sealed):
            atomic_files.write_file(target / STATEMENT_FILE, sealed)
        for client_id in client_ids:
            name = proof_name(key, snapshot.id, client_id)
            atomic_files.write_file(target / name, prover.prove(client_id))
            yield name, client_id


def proof_name(snapshot_key: bytes, snapshot_id: str, client_id: str) -> str:
    """The name of a client's proof file: the same in every run, and nobody without the key can tell whose it is."""
    mark = hmac.digest(snapshot_key, tag("proof-name") + client_id.encode("utf-8", "surrogateescape"), "sha256")
    return f"proof-{snapshot_id}-{mark[:10].hex()}.json"

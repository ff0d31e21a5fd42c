"""`reserveproof prove`: what a client receives passes the client's own verifier, and shows nobody's id."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from custodian import demo_steps
from reserveproof.custodian import command, command_prove
from reserveproof.custodian.workspace import Snapshot
from reserveproof.format import limits, proof_file
from reserveproof.format.amounts import to_typed
from reserveproof.verifier import command as verifier

CLIENTS = [client.id for client in demo_steps.WORLD.clients]


@pytest.fixture(scope="session")
def published_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_steps.published_workspace(tmp_path_factory.mktemp("published") / "w").path


@pytest.fixture
def published(published_base: Path, tmp_path: Path) -> Snapshot:
    return demo_steps.copied(published_base, tmp_path / "w")


def proofs_of(text: str) -> dict[str, Path]:
    """Client id to file, from what the command printed."""
    return {line.split("  ")[1]: Path(line.split("  ")[0]) for line in text.splitlines()}


def test_one_wrong_id_and_nothing_is_written(
    published: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for wrong in ("nobody", "C-1\u00e9"):
        place = (str(published.workspace.path), "s1", CLIENTS[0], wrong)
        assert command.run(("prove", *place, "--to", str(out))) == 2
        said, err = capsys.readouterr()
        assert said == "" and "client" in err
        assert not list(out.glob("*.json"))


def test_every_client_gets_a_proof(published: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "ids"
    listed.write_text("".join(f"{client}\n" for client in CLIENTS))
    arguments = ("prove", str(published.workspace.path), "s1", "--clients", str(listed), "--to", str(tmp_path / "out"))
    assert command.run(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    files = proofs_of(out)
    assert list(files) == CLIENTS
    for client, path in files.items():
        assert client not in path.name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert client.encode() not in path.read_bytes()
    before = {path: path.read_bytes() for path in files.values()}
    assert command.run(arguments) == 0
    assert proofs_of(capsys.readouterr().out) == files
    assert {path: path.read_bytes() for path in files.values()} == before


def claims_file(snapshot: Snapshot, client: str, proof: Path, folder: Path) -> Path:
    """The client's own words, from the ledger that was handed in."""
    decimals = snapshot.workspace.config().decimals
    parsed = proof_file.parse(proof.read_bytes())
    code = next(one.code for one in demo_steps.WORLD.clients if one.id == client)
    lines = [f"client_id = {json.dumps(client)}", f"client_code = {json.dumps(code)}"]
    lines.append(f'digest = "{parsed.statement_sha256.hex()}"')
    lines.append(f"dedicated = {json.dumps(sorted({item.position.account for item in parsed.positions}))}")
    for line in parsed.lines:
        digits = decimals[line.asset]
        typed = [to_typed(value, digits) for value in (line.credit, line.debit)]
        lines += ["[[balances]]", f'pool = "{line.pool}"', f'asset = "{line.asset}"', f'amount = "{typed[0]}"']
        lines += [f'debit = "{typed[1]}"'] if line.debit else []
    path = folder / "claims.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_clients_verifier_passes_each(
    published: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = published.workspace.path
    chosen = CLIENTS[::7]
    assert command.run(("prove", str(workspace), "s1", *chosen)) == 0
    for client, proof in proofs_of(capsys.readouterr().out).items():
        claims = claims_file(published, client, proof, tmp_path)
        arguments = ["client", str(proof), "--policy", str(workspace / "policy.toml"), "--claims", str(claims)]
        assert verifier.run(arguments) == 0, capsys.readouterr()
        capsys.readouterr()


def test_a_large_envelope_is_given_beside(
    published: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INLINE_ENVELOPE_BYTES", 100)
    assert command.run(("prove", str(published.workspace.path), "s1", CLIENTS[0], "--to", str(tmp_path / "out"))) == 0
    (proof,) = proofs_of(capsys.readouterr().out).values()
    assert proof_file.parse(proof.read_bytes()).envelope is None
    beside = tmp_path / "out" / "statement.json"
    assert beside.read_bytes() == (published.path / "bundle" / "statement.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no client was given"),
        (("nobody",), "'nobody' is not in the ledger"),
        (("\u202ebad",), "is not a client id"),
        (("x" * 200,), "is not a client id"),
    ],
)
def test_refused(
    published: Snapshot, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert command.run(("prove", str(published.workspace.path), "s1", *arguments)) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "\u202e" not in err
    assert not list(published.path.glob("proofs/proof-*"))


def test_a_damaged_store_gives_no_proof(published: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    for path in published.trees_folder.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert command.run(("prove", str(published.workspace.path), "s1", CLIENTS[0])) == 4
    assert "is damaged" in capsys.readouterr().err


def test_the_name_says_whose_it_is_to_the_custodian_only(published: Snapshot) -> None:
    names = {command_prove.proof_name(published.key(), "s1", client) for client in CLIENTS}
    assert len(names) == len(CLIENTS)
    assert not names & {command_prove.proof_name(b"\x00" * 32, "s1", client) for client in CLIENTS}

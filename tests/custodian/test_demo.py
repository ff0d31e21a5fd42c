"""The demonstration and the commands that it runs, as a user runs them."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from custodian import demo_steps
from custodian.demo_steps import TODAY, WORLD, account_of
from reserveproof.custodian import command, demo
from reserveproof.custodian.demo_world import AUDITOR, CLIENTS, DECIMALS, OFFICER, clients, make_world, owed, wallets
from reserveproof.custodian.workspace import Snapshot, State
from reserveproof.format.errors import EvidenceError, UsageError


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demonstration run whole, as a process."""
    folder = tmp_path_factory.mktemp("tour") / "demo"
    words = [sys.executable, "-m", "reserveproof.custodian", "demo", str(folder)]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return folder, found.stdout


def test_the_tour_ends_well(told: tuple[Path, str]) -> None:
    folder, text = told
    assert text.splitlines()[-1] == "demo passed"
    assert "never use them for anything" in text
    for command_line in ("init", "open", "check", "snapshot", "challenge", "attest", "sign", "publish", "prove"):
        assert f"$ reserveproof {command_line} " in text
    for command_line in ("policy", "client", "public", "audit"):
        assert f"$ reserveproof-verify {command_line} " in text
    assert "verdict: clean" in text
    assert "register.json is not the file that was signed" in text
    assert (folder / "workspace" / "snapshots" / "demo-1" / "bundle" / "statement.json").is_file()


def test_no_secret_is_shown_or_open(told: tuple[Path, str]) -> None:
    folder, text = told
    key = (folder / "workspace" / "snapshots" / "demo-1" / "snapshot.key").read_text().strip()
    secrets = [key, *(path.read_text().strip() for path in (folder / "keys").iterdir())]
    bundle = b"".join(path.read_bytes() for path in (folder / "tampered").rglob("*") if path.is_file())
    for secret in secrets:
        assert secret not in text
        assert secret.encode() not in bundle
    assert {path.stat().st_mode & 0o077 for path in (folder / "keys").iterdir()} == {0}
    assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        demo.demonstrate(tmp_path, today=TODAY, say=lambda _: None)


def test_a_surprise_ends_the_tour(tmp_path: Path) -> None:
    said: list[str] = []
    tour = demo.Tour(tmp_path, WORLD, said.append)
    with pytest.raises(EvidenceError, match="exit status 2 where 0 was expected"):
        tour.run("reserveproof", "open", tmp_path / "a b", "--as-of", "now")
    assert said[0] == f"$ reserveproof open '{tmp_path / 'a b'}' --as-of now"


def test_what_is_cut_keeps_its_last_line(tmp_path: Path) -> None:
    said: list[str] = []
    tour = demo.Tour(tmp_path, WORLD, said.append)
    whole = tour.run("reserveproof", "--help", lines=1000).splitlines()
    said.clear()
    tour.run("reserveproof", "--help", lines=3)
    assert said[4:] == [f"  … {len(whole) - 4} more lines", f"  {whole[-1]}"]
    said.clear()
    tour.run("reserveproof", "--help", lines=len(whole) - 1)
    assert [line.strip() for line in said[1:]] == [line.strip() for line in whole]


def test_the_world_is_as_it_is_told() -> None:
    world = make_world(dt.date(2026, 7, 1))
    assert world.as_of == "2026-06-30T00:00:00Z"
    assert len(world.clients) == CLIENTS == len({client.id for client in world.clients})
    assert make_world(dt.date(2026, 7, 1)) == world
    assert len(wallets(clients())) == 29
    assert {asset for _, asset in owed(world.clients)} == set(DECIMALS)
    for cell in owed(world.clients):
        assert sum(1 for client in world.clients if client.credit(*cell)) >= 5
    assert any(client.debit("holdings-ii", "USD") for client in world.clients)
    assert sum(1 for client in world.clients if not any(credit for credit, _ in client.rows.values())) >= 4
    assert len({wallet.account for wallet in world.wallets}) == len(world.wallets)


def run(*words: str | Path) -> int:
    return command.run([str(word) for word in words])


def test_the_commands_take_a_snapshot_to_the_end(
    with_ledger: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, keys = with_ledger.workspace.path, tmp_path / "keys"
    keys.mkdir()
    assert run("challenge", folder, "s1", "--kit", tmp_path / "kit") == 0
    assert "27 missing" in capsys.readouterr().out
    assert run("attest", folder, "s1", "--no-other-registers") == 3
    out = capsys.readouterr().out
    assert "verdict: failing" in out
    assert "the draft is kept" in out


def test_answers_come_in_by_command(with_ledger: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = with_ledger.workspace.path
    assert run("challenge", folder, "s1", "--kit", tmp_path / "kit") == 0
    path = tmp_path / "kit" / "responses.csv"
    account = account_of("trust-eth-1")
    text = path.read_text()
    path.write_text(text.replace(f"{account},eip191,text,,,,", f"{account},eip191,text,0x{'0' * 130},,,"))
    capsys.readouterr()
    assert run("challenge", folder, "s1", "--import", path) == 3
    out = capsys.readouterr().out
    assert "1 answers: 0 accepted, 1 refused" in out
    path.write_text(text.replace("eip191,text", "eip191,TEXT", 1).replace("TEXT,,,,", "TEXT,x,,,"))
    assert run("challenge", folder, "s1", "--import", path) == 4
    assert "column profile" in capsys.readouterr().err
    assert run("challenge", folder, "s1", "--kit", tmp_path / "kit") == 2


def test_attest_sign_and_publish_by_command(
    challenged: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = challenged.workspace.path
    (tmp_path / "prices.csv").write_bytes(WORLD.prices_csv())
    given = ["attest", folder, "s1", "--prices", tmp_path / "prices.csv", "--no-other-registers"]
    assert run(*given, "--json") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert '"verdict":"clean"' in out
    assert run(*given, "--other-register", tmp_path / "x") == 2
    assert run("sign", folder, "s1") == 2
    assert run("sign", folder, "s1", "--import", tmp_path / "x") == 2
    officer = demo_steps.key_file(tmp_path, OFFICER)
    assert run("sign", folder, "s1", "--export", tmp_path / "bytes") == 0
    assert run(*given) == 2
    assert "went out to be signed" in capsys.readouterr().err
    assert run("sign", folder, "s1", "--key", officer) == 0
    assert run("publish", folder, "s1") == 3
    captured = capsys.readouterr()
    assert "the verifier refused the bundle" in captured.err
    assert "auditor" in captured.err
    key = demo_steps.signing_seed(AUDITOR)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    signature = Ed25519PrivateKey.from_private_bytes(key).sign((tmp_path / "bytes").read_bytes())
    (tmp_path / "signature").write_bytes(signature)
    assert run("sign", folder, "s1", "--import", tmp_path / "signature", "--signer", OFFICER) == 3
    assert run("sign", folder, "s1", "--import", tmp_path / "signature", "--signer", AUDITOR) == 0
    assert run("publish", folder, "s1") == 0
    assert challenged.state() == State.PUBLISHED
    assert run(*given) == 2
    assert "already published" in capsys.readouterr().err

"""`reserveproof-witness` on files: keys, cosigning, and what its user is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reserveproof.format import signed_note
from reserveproof.witness.command import run
from witness.log_world import KEY, LEAVES, NAME, OTHERS, note, policy, policy_file, request

Say = pytest.CaptureFixture[str]


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Say) -> Path:
    monkeypatch.chdir(tmp_path)
    policy_file(tmp_path)
    assert run(["key", "ed.pem"]) == 0 and run(["key", "ml.pem", "--algorithm", "mldsa44"]) == 0
    capsys.readouterr()
    return tmp_path


BOTH = ("--key", "ed.pem", "--key", "ml.pem")


def init(state: str = "state") -> int:
    return run(["init", "--state", state, "--name", NAME, *BOTH])


def cosign(folder: Path, data: bytes, *more: str) -> int:
    (folder / "request").write_bytes(data)
    given = more or BOTH
    return run(["cosign", "--state", "state", "--name", NAME, "--policy", "policy.toml", *given, "request"])


def test_keys_are_private_and_shown_in_the_form_of_a_policy(ready: Path, capsys: Say) -> None:
    for name, head, length in (("ed.pem", "ed25519:", 64), ("ml.pem", "mldsa44:", 2624)):
        assert (ready / name).stat().st_mode & 0o777 == 0o600
        assert run(["key", name, "--show"]) == 0
        said = capsys.readouterr().out.strip()
        assert said.startswith(head) and len(said) == len(head) + length
        assert run(["key", name]) == 2 and "not replaced" in capsys.readouterr().err
    (ready / "ed.pem").chmod(0o640)
    assert init() == 2 and not (ready / "state").exists()
    assert cosign(ready, request(0, 3)) == 2 and "chmod 600" in capsys.readouterr().err
    (ready / "x.pem").touch(0o600)
    assert run(["key", "x.pem", "--show"]) == 2
    assert run(["key", "none.pem", "--show"]) == 6


def test_cosignatures_are_printed_as_they_stand_below_a_note(ready: Path, capsys: Say) -> None:
    assert init() == 0
    capsys.readouterr()
    assert cosign(ready, request(0, 3)) == 0
    said = capsys.readouterr().out
    found = signed_note.parse(note(LEAVES[:3]) + said)
    assert [line.name for line in found.signatures[1:]] == [NAME, NAME]
    assert (ready / "state").stat().st_mode & 0o777 == 0o700
    assert cosign(ready, request(3, 7)) == 0


def test_refusals_have_the_statuses_of_the_verifier(ready: Path, capsys: Say) -> None:
    assert init() == 0
    capsys.readouterr()
    assert cosign(ready, request(0, 5)) == 0
    capsys.readouterr()
    for data, status, word in (
        (request(0, 6), 5, "not the 5 that was cosigned last"),
        (request(5, 5, OTHERS), 5, "forked"),
        (request(5, 7, OTHERS), 3, "proof"),
        (b"x", 4, "does not begin as one"),
        (request(5, 7, origin="other.example"), 2, "no log that is watched"),
    ):
        assert cosign(ready, data) == status
        out, err = capsys.readouterr()
        assert word in err and not out, word
        assert err.startswith("reserveproof-witness: error: ")


def test_a_witness_without_its_memory_cosigns_nothing(ready: Path, capsys: Say) -> None:
    assert cosign(ready, request(0, 5)) == 2 and not (ready / "state").exists()
    assert init() == 0 and cosign(ready, request(0, 5)) == 0
    capsys.readouterr()
    (ready / "state").rename(ready / "lost")
    assert cosign(ready, request(0, 5, OTHERS)) == 2
    said = capsys.readouterr()
    assert "state is no folder of a witness" in said.err and "mounted" in said.err and not said.out
    (ready / "state").mkdir(mode=0o700)  # where a disk should have been mounted
    assert cosign(ready, request(0, 5, OTHERS)) == 2 and not list((ready / "state").iterdir())
    (ready / "state").rmdir()
    (ready / "lost").rename(ready / "state")
    assert cosign(ready, request(5, 6)) == 0 and init() == 2
    capsys.readouterr()
    assert cosign(ready, request(6, 7), "--key", "ed.pem") == 2
    assert "of another witness" in capsys.readouterr().err


def test_what_it_watches_is_in_policies(ready: Path, capsys: Say) -> None:
    (ready / "other.toml").write_text(policy(key=Ed25519PrivateKey.generate()))
    more = ("--policy", "other.toml", "--key", "ed.pem")
    assert cosign(ready, request(0, 3), *more) == 2 and "different keys" in capsys.readouterr().err
    head, _, tail = policy().partition("[log]")
    quiet = head.replace('"log"', '"none"') + "[[signers]]" + tail.partition("[[signers]]")[2]
    (ready / "other.toml").write_text(quiet)
    assert cosign(ready, request(0, 3), *more) == 2 and "names no log" in capsys.readouterr().err
    assert cosign(ready, request(0, 3), "--key", "ed.pem", "--key", "ed.pem") == 2
    assert not (ready / "state").exists()


def test_a_log_does_not_witness_itself(ready: Path, capsys: Say) -> None:
    data = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (ready / "log.pem").write_bytes(data)
    (ready / "log.pem").chmod(0o600)
    given = ("--key", "log.pem", "--key", "ml.pem")
    assert run(["init", "--state", "state", "--name", NAME, *given]) == 0
    assert cosign(ready, request(0, 3), *given) == 2
    said = capsys.readouterr()
    assert "is the key of the log" in said.err and said.out.count("\n") == 1


def test_version_and_module(capsys: Say) -> None:
    assert run(["version"]) == 0 and capsys.readouterr().out.startswith("reserveproof-witness 0.")
    done = subprocess.run(
        [sys.executable, "-m", "reserveproof.witness", "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and "add-checkpoint" not in done.stderr and "exit status" in done.stdout


def test_without_its_extra_it_serves_nothing(ready: Path, capsys: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "reserveproof.witness.http_form", raising=False)
    monkeypatch.delattr("reserveproof.witness.http_form", raising=False)
    given = ["serve", "--state", "state", "--name", NAME, "--policy", "policy.toml", "--key", "ed.pem", "--port", "0"]
    assert run(given) == 2
    assert "reserveproof[witness]" in capsys.readouterr().err

"""`reserveproof log` as its users run it, and what proofs carry of it."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from custodian import demo_steps
from custodian.demo_steps import WORLD
from custodian.log_steps import (
    ONE,
    ORIGIN,
    TWO,
    correction,
    cosign_ed,
    cosign_ml,
    log_key_file,
    publish_logged,
    put_log_into,
)
from reserveproof.custodian import command, log_tree
from reserveproof.custodian import publish as publishing
from reserveproof.custodian.serving_set import ServingSet, tokens_path
from reserveproof.custodian.workspace import Snapshot, open_workspace
from reserveproof.format import note_text, proof_file, signed_note, tlog_proof

CLIENT = WORLD.clients[0].id


@pytest.fixture(scope="session")
def logged_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a log, two statements of which are published; the verifier is not asked."""
    workspace = demo_steps.ledger_workspace(tmp_path_factory.mktemp("logged") / "w")
    put_log_into(workspace)
    snapshot = workspace.snapshot("s1")
    demo_steps.challenge(snapshot)
    assert demo_steps.attest(snapshot).verdict == "clean"
    demo_steps.sign(snapshot)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "verify", lambda *_, **__: None)
        publish_logged(snapshot)
        publish_logged(correction(workspace, "s2"))
    correction(workspace, "s3")
    return workspace.path


class Program:
    """The program in a folder. out: stdout of the last command; err: its stderr."""

    def __init__(self, folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        self.folder, self.capture, self.out, self.err = folder, capfdbinary, "", ""

    def run(self, *arguments: str | Path) -> int:
        status = command.run([str(argument) for argument in arguments])
        out, err = self.capture.readouterr()
        self.out, self.err = out.decode(), err.decode()
        assert "Traceback" not in self.err
        return status

    def ok(self, *arguments: str | Path) -> str:
        assert self.run(*arguments) == 0, self.err
        return self.out


@pytest.fixture
def program(
    logged_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Program:
    demo_steps.copied(logged_base, tmp_path / "w")
    monkeypatch.chdir(tmp_path)
    return Program(tmp_path, capfdbinary)


def site(program: Program) -> Path:
    return program.folder / "w" / "site"


def test_publish_asks_for_the_key_and_says_what_comes_next(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "verify", lambda *_, **__: None)
    assert program.run("publish", "w", "s3") == 2 and "--log-key FILE" in program.err
    assert program.run("publish", "w", "s3", "--log-unpublished", "1") == 2 and "needs --log-key" in program.err
    said = program.ok("publish", "w", "s3", "--log-key", log_key_file(program.folder))
    assert "logged as entry 2; the site to serve: w/site" in said
    assert "for witnesses to cosign: reserveproof log checkpoint w --from SIZE" in said


def test_list_and_check(program: Program) -> None:
    said = program.ok("log", "list", "w").splitlines()
    sha256 = hashlib.sha256((program.folder / "w/snapshots/s2/draft/payload.json").read_bytes()).hexdigest()
    assert said[1] == f"entry 1: s2 as of {WORLD.as_of}, payload {sha256}"
    assert said[2:] == ["checkpoint of size 1: cosigned by nobody yet", "checkpoint of size 2: cosigned by nobody yet"]
    assert program.ok("log", "check", "w").splitlines()[-1] == "the log holds"
    (site(program) / "checkpoint").write_text("x")
    assert program.run("log", "check", "w") == 3 and "hint: " in program.err
    (site(program) / "checkpoint").unlink()
    assert program.ok("log", "site", "w") == "wrote w/site\n"
    program.ok("log", "check", "w")


def test_a_checkpoint_is_printed_byte_for_byte(program: Program) -> None:
    note = (site(program) / "checkpoint").read_text("utf-8")
    assert program.ok("log", "checkpoint", "w") == note
    assert program.ok("log", "checkpoint", "w", "--from", "0") == f"old 0\n\n{note}"
    first = (site(program) / "entries" / "0.json").read_bytes()
    second = (site(program) / "entries" / "1.json").read_bytes()
    leaf = base64.b64encode(log_tree.leaf_hash(second)).decode()
    assert program.ok("log", "checkpoint", "w", "--from", "1") == f"old 1\n{leaf}\n\n{note}"
    assert program.ok("log", "checkpoint", "w", "--from", "2") == f"old 2\n\n{note}"
    assert program.run("log", "checkpoint", "w", "--from", "3") == 2
    proof = tlog_proof.parse(program.ok("log", "prove", "w", "1"))
    assert (proof.index, proof.path) == (1, (log_tree.leaf_hash(first),))
    assert program.out == (site(program) / "proofs" / "1.tlog-proof").read_text("utf-8")
    hashes = note_text.parse_hashes(program.ok("log", "prove", "w", "0", "--from", "1"))
    assert hashes == (log_tree.leaf_hash(second),)
    assert program.run("log", "prove", "w", "2") == 2 and "log list" in program.err


def test_cosignatures_are_checked_and_added(program: Program) -> None:
    note = program.ok("log", "checkpoint", "w")
    text = signed_note.parse(note).text
    answer = program.folder / "answer"
    answer.write_text(cosign_ed(ONE, text) + cosign_ml(text), "utf-8")
    said = program.ok("log", "cosign", "w", answer).splitlines()
    assert said == [f"added a cosignature of {ONE} to the checkpoint of size 2"] * 2 + [
        "cosigned by 1 of 2 witnesses; 2 are needed"
    ]
    answer.write_text(note + cosign_ed(TWO, text), "utf-8")  # a whole note
    assert "cosigned by 2 of 2" in program.ok("log", "cosign", "w", answer)
    found = signed_note.parse((site(program) / "checkpoint").read_text("utf-8"))
    assert [line.name for line in found.signatures] == [ORIGIN, ONE, ONE, TWO]
    program.ok("log", "cosign", "w", answer)  # once more changes nothing
    assert signed_note.parse((site(program) / "checkpoint").read_text("utf-8")) == found
    answer.write_text(cosign_ed(TWO, text, 1_600_000_000), "utf-8")  # an older one does not take its place
    program.ok("log", "cosign", "w", answer)
    assert signed_note.parse((site(program) / "checkpoint").read_text("utf-8")) == found
    assert f"checkpoint of size 2: cosigned by {ONE}, {TWO}" in program.ok("log", "list", "w")
    program.ok("log", "check", "w")


def test_what_holds_is_added_whatever_stands_beside_it(program: Program) -> None:
    text = signed_note.parse(program.ok("log", "checkpoint", "w")).text
    bad = cosign_ed(TWO, text.replace("\n2\n", "\n3\n")) + cosign_ml(text.replace("\n2\n", "\n3\n"))
    (program.folder / "answer").write_text(bad + cosign_ed(ONE, text), "utf-8")
    said = program.ok("log", "cosign", "w", "answer").splitlines()
    assert said[0] == f"added a cosignature of {ONE} to the checkpoint of size 2" and len(said) == 2
    assert program.err.splitlines() == [
        f"reserveproof: not added: the cosignature of {name} does not hold for the checkpoint of size 2 "
        "(ask the witness again)"
        for name in (TWO, ONE)
    ]
    (program.folder / "answer").write_text(bad, "utf-8")
    assert program.run("log", "cosign", "w", "answer") == 3
    assert ONE in program.err and TWO in program.err and not program.out


def test_what_is_no_cosignature_is_refused(program: Program) -> None:
    text = signed_note.parse(program.ok("log", "checkpoint", "w")).text
    answer = program.folder / "answer"
    for data, status in (
        (cosign_ed(TWO, text.replace("\n2\n", "\n3\n")), 3),
        (cosign_ed(TWO, text).replace(TWO, "other.example"), 3),
        ("nothing", 4),
        ("\u2014 x", 4),
    ):
        answer.write_text(data, "utf-8")
        assert program.run("log", "cosign", "w", answer) == status, data
    assert "cosigned by nobody yet" in program.ok("log", "list", "w")


def test_without_a_log_there_is_nothing_to_show(program: Program) -> None:
    (program.folder / "w" / "custodian.toml").write_bytes(demo_steps.demo_config())
    for words in (("list",), ("checkpoint",), ("check",), ("prove",)):
        given = ("0",) if words == ("prove",) else ()
        assert program.run("log", *words, "w", *given) == 2
        assert "no [log]" in program.err


def proof_of(snapshot: Snapshot, folder: Path) -> bytes:
    assert command.run(("prove", str(snapshot.workspace.path), snapshot.id, CLIENT, "--to", str(folder))) == 0
    (path,) = folder.glob("proof-*.json")
    return path.read_bytes()


def test_proof_files_and_sets_carry_the_log_proof(program: Program) -> None:
    snapshot = open_workspace(program.folder / "w").snapshot("s2")
    published = (site(program) / "proofs" / "1.tlog-proof").read_text("utf-8")
    data = proof_of(snapshot, program.folder / "one")
    member = proof_file.parse(data).log
    assert tlog_proof.dump(tlog_proof.parse_member(member)) == published
    assert proof_file.dump(proof_file.parse(data)) == data
    assert json.loads(data)["log"] == base64.b64encode(published.encode()).decode()
    program.ok("prove", "w", "s2", "--all", "--to", "set")
    assert (program.folder / "set" / "tlog-proof").read_text("utf-8") == published
    tokens = dict(line.split("\t") for line in tokens_path(program.folder / "set").read_text().splitlines()[1:])
    with ServingSet(program.folder / "set") as served:
        assert served.proof(tokens[CLIENT]) == data
    # Cosigned later: proofs that are made then say so, a set says what was published when it was made.
    text = signed_note.parse(program.ok("log", "checkpoint", "w")).text
    (program.folder / "answer").write_text(cosign_ed(TWO, text), "utf-8")
    program.ok("log", "cosign", "w", "answer")
    assert proof_of(snapshot, program.folder / "one") != data
    with ServingSet(program.folder / "set") as served:
        assert served.proof(tokens[CLIENT]) == data
    (site(program) / "proofs" / "1.tlog-proof").write_bytes((site(program) / "proofs" / "0.tlog-proof").read_bytes())
    assert program.run("prove", "w", "s2", CLIENT) == 4 and "it is of statement 0" in program.err
    (site(program) / "proofs" / "1.tlog-proof").write_text("damaged\n")
    assert program.run("prove", "w", "s2", CLIENT) == 4 and "tlog-proof: is damaged" in program.err

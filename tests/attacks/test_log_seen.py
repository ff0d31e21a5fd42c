"""What a reader remembers of a log and of its statements is neither forgotten nor taken back, whatever runs beside."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from attacks.test_log import honest, told
from attacks.toolbox import PASSED, Outcome, run, write_client, write_public
from reference import client_log, log
from reference.cases import public
from reference.client_log import case, own_leaves, parts
from reference.edits import put
from reference.made_up_log import Parts, signed_by, text_of, two_witnesses
from reference.policies import LOGGED, ORIGIN
from reference.signers import LOG
from reserveproof.verifier import command, command_state


def test_a_fork_is_known_after_another_log_was_checked(tmp_path):
    """One custodian in two logs: what was seen of the one is kept while the other is checked."""
    two = client_log.all_of(client_log.IN_LOG, put("logs", [ORIGIN, client_log.OTHER]))
    text = parts(two).text.replace(ORIGIN, client_log.OTHER)
    elsewhere = parts(two)
    elsewhere.text, elsewhere.signatures = text, [signed_by(LOG, text, client_log.OTHER), *two_witnesses(text)]
    policy = LOGGED.replace(ORIGIN, client_log.OTHER)
    assert told(tmp_path, case("attack", "", "passed", parts(two), predicate=two)) == PASSED
    assert told(tmp_path, case("attack", "", "passed", elsewhere, predicate=two, policy=policy)) == PASSED
    logs = json.loads((tmp_path / "state.json").read_text())["seen"][0]["logs"]
    assert [one["origin"] for one in logs] == [ORIGIN, client_log.OTHER]
    forked = own_leaves(8)
    forked[0], forked[7] = log.leaf(b"another story"), log.leaf(entry_of(two))
    text = text_of(ORIGIN, 8, log.root(forked))
    fork = Parts(7, log.path(7, forked), text, [signed_by(LOG, text), *two_witnesses(text)])
    assert told(tmp_path, case("attack", "", "passed", fork, predicate=two)) == ("failed", 5, "log-fork")


def entry_of(predicate: Any) -> bytes:
    payload, _ = client_log.statement(client_log.tiny(), predicate=predicate)
    return log.entry(json.loads(payload)["predicate"], client_log.identity(payload))


def beside(monkeypatch: pytest.MonkeyPatch, folder: Path, vector: dict[str, Any], meanwhile: Any) -> Outcome:
    """What a run is told during which something else happens, after its checks and before it writes the state."""
    check = command.check_client

    def slow(*given: Any, **more: Any) -> Any:
        result = check(*given, **more)
        monkeypatch.setattr(command, "check_client", check)
        meanwhile()
        return result

    given = write_client(folder, vector)
    monkeypatch.setattr(command, "check_client", slow)
    return run(given.arguments("--json")).verdict()


def test_a_run_takes_back_nothing_that_another_saw_meanwhile(tmp_path, monkeypatch):
    state = tmp_path / "state.json"

    def another() -> None:
        assert told(tmp_path, honest(10)) == PASSED
        whole = json.loads(state.read_text())
        whole["seen"].append({**whole["seen"][0], "custodian": "other-custody"})
        state.write_text(json.dumps(whole, sort_keys=True, separators=(",", ":")))

    assert beside(monkeypatch, tmp_path, honest(8), another) == PASSED
    kept = json.loads(state.read_text())["seen"]
    assert [one["custodian"] for one in kept] == ["acme-custody", "other-custody"]
    assert kept[0]["logs"][0]["size"] == 10
    assert told(tmp_path, honest(8)) == ("policy", 5, "rollback")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda seen: seen.update(payload_sha256="44" * 32), ("failed", 4, "equivocation")),
        (lambda seen: seen["logs"][0].update(root="44" * 32), ("failed", 5, "log-fork")),
    ],
)
def test_two_runs_that_were_told_two_stories(tmp_path, monkeypatch, edit, expected):
    """Neither has seen the other's state before; whoever writes last tells."""
    state = tmp_path / "state.json"
    assert told(tmp_path, honest(8)) == PASSED
    other = json.loads(state.read_text())
    edit(other["seen"][0])
    text = json.dumps(other, sort_keys=True, separators=(",", ":"))
    state.unlink()
    assert beside(monkeypatch, tmp_path, honest(8), lambda: state.write_text(text)) == expected
    assert state.read_text() == text


def test_a_later_statement_is_not_taken_back(tmp_path, monkeypatch):
    state = tmp_path / "state.json"
    later = {"as_of": "2026-09-30T00:00:00Z", "custodian": "acme-custody", "payload_sha256": "44" * 32, "sequence": 8}
    text = json.dumps({"format": 1, "seen": [later]}, sort_keys=True, separators=(",", ":"))
    assert beside(monkeypatch, tmp_path, honest(8), lambda: state.write_text(text)) == PASSED
    kept = json.loads(state.read_text())["seen"][0]
    assert {name: kept[name] for name in later} == later
    assert kept["logs"][0]["size"] == 8


def test_the_state_is_read_again_and_written_under_one_lock(tmp_path, monkeypatch):
    """A run that would write waits for one that is between reading and writing."""
    held: list[bool] = []

    def locked() -> bool:
        with (tmp_path / "state.json.lock").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    for name in ("read_file", "write_private"):
        real = getattr(command_state, name)

        def watched(path: Path, *given: Any, real: Any = real) -> Any:
            if (tmp_path / "state.json.lock").exists():
                held.append(locked())
            return real(path, *given)

        monkeypatch.setattr(command_state, name, watched)
    assert told(tmp_path, honest(8)) == PASSED
    assert told(tmp_path, honest(8)) == PASSED
    assert held == [True, False, True, True], "written; looked at; read again, and written"
    assert not locked()


def test_the_folder_of_the_state_is_on_the_disk_too(tmp_path, monkeypatch):
    """Without that the new file may be the old one again after a power cut."""
    synced: list[bool] = []
    real = os.fsync

    def watched(handle: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    assert told(tmp_path, honest(8)) == PASSED
    assert synced == [False, True], "the file, then its folder"


@pytest.mark.parametrize(
    ("needed", "witnesses", "result"),
    [(0, 0, "NOT_ASSESSED"), (0, 2, "NOT_ASSESSED"), (1, 1, "PASS"), (2, 2, "PASS")],
)
def test_all_see_one_statement_only_by_the_quorum_that_the_policy_asks_for(tmp_path, needed, witnesses, result):
    few = put("rules", lambda old: [rule for rule in old if rule["id"] != "COV-07"])
    edit = client_log.all_of(client_log.IN_LOG, few, put("verdict", "qualified"))
    policy = LOGGED.replace("witnesses_needed = 2", f"witnesses_needed = {needed}")
    given = write_public(tmp_path, public("attack", "", "passed", predicate=edit, policy=policy))
    proof = tmp_path / "7.tlog-proof"
    proof.write_text(parts(edit, cosigners=lambda text: two_witnesses(text)[:witnesses]).written())
    ran = run([*given, "--json", "--log-proof", str(proof)])
    assert ran.verdict() == PASSED
    report = json.loads(ran.out)
    assert [rule["result"] for rule in report["facts"]["rules"] if rule["id"] == "EVI-12"] == [result]
    unwitnessed = "that every reader is shown this same log: the policy asks for no witness" in report["not_checked"]
    assert unwitnessed == (result != "PASS")
    assert "the log's other entries: `history` reads them all" in report["not_checked"]

"""Attacks on the log: forks, rollback, gaps, reordering, replaced statements, lying witnesses, late timestamps.

Each is refused at its step and for its reason, and the reader's state stays as it was.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from attacks import made_up_site
from attacks.made_up_site import Site, site
from attacks.toolbox import PASSED, Outcome, in_memory, open_world, run, write_audit, write_client, write_public
from reference import client_log, log, policies
from reference.cases import public
from reference.client_log import case, own_leaves, parts
from reference.edits import put
from reference.made_up_log import SEEN, cosigned_by, note, signed_by, text_of, two_witnesses
from reference.made_up_log import honest as honest_proof
from reference.policies import LOGGED, ORIGIN, witness_name
from reference.signers import AUDITOR, LOG, OFFICER, STRANGER, WITNESSES
from reserveproof.format.errors import PolicyError
from reserveproof.format.times import parse_time
from reserveproof.verifier.policy import parse_policy
from reserveproof.verifier.public import check_bundle
from reserveproof.verifier.record import Record


def told(folder: Path, vector: dict[str, Any], *more: str, before: dict[str, Any] | None = None) -> Outcome:
    """What a client is told of a proof file; a refusal leaves the state file as it was."""
    state = folder / "state.json"
    given = write_client(folder, vector)
    if before is not None:
        entry = {"custodian": "acme-custody", **before}
        state.write_text(json.dumps({"format": 1, "seen": [entry]}, sort_keys=True, separators=(",", ":")))
    kept = state.read_bytes() if state.exists() else None
    got = run(given.arguments("--json", *more)).verdict()
    if got != PASSED:
        assert (state.read_bytes() if state.exists() else None) == kept, "what is refused is not remembered"
    return got


def honest(size: int = 8, **more: Any) -> dict[str, Any]:
    return case("attack", "an attack", "passed", parts(size=size), **more)


FORK = log.root([*own_leaves(6), log.leaf(b"another story")])
NOW = {"as_of": "2026-06-30T00:00:00Z", "payload_sha256": client_log.identity(client_log.statement(
    client_log.tiny(), predicate=client_log.IN_LOG)[0]), "sequence": 7}  # fmt: skip


def test_the_log_seen_last_is_kept_and_grows(tmp_path):
    assert told(tmp_path, honest()) == PASSED
    first = json.loads((tmp_path / "state.json").read_text())["seen"][0]["logs"][0]
    assert first == {"origin": ORIGIN, "root": log.root(own_leaves(8)).hex(), "size": 8}
    assert told(tmp_path, honest(10)) == PASSED
    assert json.loads((tmp_path / "state.json").read_text())["seen"][0]["logs"][0]["size"] == 10


def test_a_policy_without_a_log_does_not_forget_the_log(tmp_path):
    assert told(tmp_path, honest()) == PASSED
    kept = (tmp_path / "state.json").read_bytes()
    assert told(tmp_path, honest(policy=policies.BASE)) == PASSED
    assert (tmp_path / "state.json").read_bytes() == kept


@pytest.mark.parametrize(
    ("size", "seen", "before"),
    [
        (8, client_log.state(8, FORK, **NOW), "the same size"),
        (8, client_log.state(7, FORK), "the log before this statement"),
        (10, client_log.state(8, FORK, **NOW), "the log up to this statement"),
    ],
)
def test_fork_two_logs_of_one_name(tmp_path, size, seen, before):
    assert told(tmp_path, honest(size), before=seen) == ("failed", 5, "log-fork"), before


def test_fork_behind_a_consistency_proof(tmp_path):
    proof = tmp_path / "consistency"
    proof.write_text("".join([log.to_base64(one) + "\n" for one in log.consistency(5, own_leaves(8))]))
    folder = tmp_path / "c"
    seen = client_log.state(5, FORK)
    assert told(folder, honest(), "--consistency", str(proof), before=seen) == ("failed", 5, "log-consistency")
    assert told(folder, honest(), before=client_log.state(5)) == ("policy", 5, "consistency-needed")
    assert told(folder, honest(), "--consistency", str(proof), before=client_log.state(5)) == PASSED


def test_rollback_to_a_shorter_log(tmp_path):
    assert told(tmp_path, honest(10)) == PASSED
    assert told(tmp_path, honest(8)) == ("policy", 5, "rollback")


def test_replaced_statement(tmp_path):
    """Signed by all who must, and never logged: the path is the logged one's."""
    other = client_log.all_of(client_log.IN_LOG, put("house_note", "another story"))
    assert told(tmp_path, case("attack", "", "passed", parts(), predicate=other)) == ("failed", 5, "log-inclusion")


LIES: list[tuple[str, Any]] = [
    ("late", lambda text: [two_witnesses(text)[0], cosigned_by(witness_name(2), WITNESSES[1], text, SEEN + 3901)]),
    ("twice", lambda text: [two_witnesses(text)[0]] * 2),
    ("stranger", lambda text: [two_witnesses(text)[0], cosigned_by("w.example", STRANGER, text)]),
    ("moved", lambda text: [two_witnesses(text)[0], cosigned_by(witness_name(2), WITNESSES[1], text, says=SEEN - 1)]),
]


@pytest.mark.parametrize(("name", "cosigners"), LIES, ids=[name for name, _ in LIES])
def test_lying_witness_and_late_timestamp(tmp_path, name, cosigners):
    assert told(tmp_path, honest()) == PASSED
    lied = case("attack", "", "passed", parts(cosigners=cosigners))
    assert told(tmp_path, lied) == ("policy", 5, "witnesses")


def test_a_broken_cosignature_beside_enough_is_listed(tmp_path):
    def broken(text: str) -> list[Any]:
        name, data = cosigned_by(witness_name(3), WITNESSES[2], text)
        return [(name, data[:-1] + bytes([data[-1] ^ 1])), *two_witnesses(text)]

    given = write_client(tmp_path, case("attack", "", "passed", parts(cosigners=broken)))
    ran = run(given.arguments("--json"))
    assert ran.verdict() == PASSED
    assert "1 cosignature(s) of pinned keys do not verify" in ran.out


def test_a_late_cosignature_beside_enough_is_listed(tmp_path):
    """One witness whose clock is wrong, or who lies, takes no statement from its readers."""

    def late(text: str) -> list[Any]:
        return [*two_witnesses(text), cosigned_by(witness_name(3), WITNESSES[2], text, 2**40)]

    ran = run(write_client(tmp_path, case("attack", "", "passed", parts(cosigners=late))).arguments("--json"))
    assert ran.verdict() == PASSED
    assert "1 cosignature(s) of pinned keys are of a time that has not come" in ran.out
    assert json.loads(ran.out)["facts"]["log"]["witnesses"] == [witness_name(1), witness_name(2)]


def test_too_few_beside_a_late_cosignature_says_so(tmp_path):
    def late(text: str) -> list[Any]:
        return [two_witnesses(text)[0], cosigned_by(witness_name(2), WITNESSES[1], text, 2**40)]

    ran = run(write_client(tmp_path, case("attack", "", "passed", parts(cosigners=late))).arguments("--json"))
    assert ran.verdict() == ("policy", 5, "witnesses")
    assert "check the clock of this machine: 1 cosignature(s) are of after" in ran.out


def test_public_reads_the_log_proof_beside_the_bundle(tmp_path):
    few = put("rules", lambda old: [rule for rule in old if rule["id"] != "COV-07"])
    edit = client_log.all_of(client_log.IN_LOG, few, put("verdict", "qualified"))
    vector = public("attack", "", "passed", predicate=edit, policy=LOGGED)
    state = ["--state", str(tmp_path / "state.json")]
    given = [*write_public(tmp_path, vector), "--json", *state]
    assert run(given).verdict() == ("policy", 5, "publication")
    assert not (tmp_path / "state.json").exists()
    proof = tmp_path / "7.tlog-proof"
    proof.write_text(parts(edit).written())
    ran = run([*given, "--log-proof", str(proof)])
    assert ran.verdict() == PASSED
    facts = json.loads(ran.out)["facts"]
    assert facts["log"]["size"] == 8
    assert [rule["result"] for rule in facts["rules"] if rule["id"] == "EVI-12"] == ["PASS"], "all see this statement"
    kept = (tmp_path / "state.json").read_bytes()
    proof.write_text(parts().written())
    assert run([*given, "--log-proof", str(proof)]).verdict() == ("failed", 5, "log-inclusion")
    assert (tmp_path / "state.json").read_bytes() == kept


def test_audit_reads_the_log_proof_beside_the_bundle(tmp_path):
    few = put("rules", lambda old: [rule for rule in old if rule["id"] != "COV-07"])
    edit = client_log.all_of(client_log.IN_LOG, few, put("verdict", "qualified"))
    given = [*write_audit(tmp_path, open_world(), predicate=edit), "--json", "--state", str(tmp_path / "state.json")]
    (tmp_path / "policy.toml").write_text(LOGGED)
    assert run(given).verdict() == ("policy", 5, "publication")
    payload = base64.b64decode(json.loads((tmp_path / "bundle" / "statement.json").read_bytes())["payload"])
    proof = tmp_path / "7.tlog-proof"
    proof.write_text(honest_proof(json.loads(payload)["predicate"], client_log.identity(payload)).written())
    assert run([*given, "--log-proof", str(proof)]).verdict() == PASSED
    assert json.loads((tmp_path / "state.json").read_text())["seen"][0]["logs"][0]["size"] == 8
    kept = (tmp_path / "state.json").read_bytes()
    proof.write_text(parts().written())
    assert run([*given, "--log-proof", str(proof)]).verdict() == ("failed", 5, "log-inclusion")
    assert (tmp_path / "state.json").read_bytes() == kept


def test_another_custodians_bundle_needs_no_log_proof_and_that_is_listed():
    """It is given to compare wallets; whether all readers see its statement is asked of its own readers."""
    vector = public("attack", "", "passed", policy=LOGGED)
    given = {"policy": parse_policy(LOGGED.encode()), "last": None, "at": parse_time(vector["at"]), "digest": ""}
    record = Record()
    check_bundle(in_memory(vector["bundle"]), **given, others=None, record=record, log=None)
    assert f"the log {ORIGIN}: no log proof was given" in record.not_checked
    with pytest.raises(PolicyError):
        check_bundle(in_memory(vector["bundle"]), **given, others=None, record=Record())


# The history of a site


def swap(a: str, b: str) -> Any:
    def edit(files: dict[str, bytes]) -> None:
        files[a], files[b] = files[b], files[a]

    return edit


def statement_file(number: int) -> str:
    return f"statements/{number}/statement.json"


def retold(number: int) -> Site:
    """The same history but for one statement, and those after it follow on the new one."""
    made = site(number).grow(put("house_note", "another story"))
    for _ in range(number + 1, 4):
        made = made.grow()
    return made


def replaced(number: int, **more: Any) -> Any:
    """Another statement in a place, the rest as it was: the checkpoint knows nothing of it."""

    def edit(files: dict[str, bytes]) -> None:
        files[statement_file(number)] = retold(number).files()[statement_file(number)]

    return edit


def with_entry_too(files: dict[str, bytes]) -> None:
    for name in (statement_file(3), "entries/3.json"):
        files[name] = retold(3).files()[name]


def resigned(files: dict[str, bytes]) -> None:
    whole = site().grow(keys=(STRANGER, AUDITOR))
    files.update(whole.files())


TAMPERED: list[tuple[str, Any, Outcome]] = [
    ("gap", lambda files: [files.pop(statement_file(2)), files.pop("entries/2.json")],
     ("malformed", 1, "file-missing")),
    ("no checkpoint", lambda files: files.pop("checkpoint"), ("malformed", 1, "file-missing")),
    ("no entry", lambda files: files.pop("entries/1.json"), ("malformed", 5, "file-missing")),
    ("reordered", swap(statement_file(1), statement_file(2)), ("failed", 4, "sequence")),
    ("entries reordered", swap("entries/1.json", "entries/2.json"), ("failed", 5, "log-entry")),
    ("replaced in the middle", replaced(2), ("failed", 4, "previous")),
    ("replaced at the end", replaced(3), ("failed", 5, "log-entry")),
    ("replaced with its entry", with_entry_too, ("failed", 5, "log-inclusion")),
    ("signed by a stranger", resigned, ("policy", 2, "quorum")),
    ("checkpoint cut", lambda files: files.update(checkpoint=files["checkpoint"][:-1]), ("malformed", 1, "log")),
    ("checkpoint of a stranger", lambda files: files.update(checkpoint=site().note(STRANGER).encode()),
     ("failed", 5, "log-signature")),
    ("checkpoint unseen", lambda files: files.update(checkpoint=site().note(cosigners=lambda _: []).encode()),
     ("policy", 5, "witnesses")),
    ("checkpoint of a fork", lambda files: files.update(checkpoint=retold(1).note().encode()),
     ("failed", 5, "log-inclusion")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "expected"), TAMPERED, ids=[name for name, _, _ in TAMPERED])
def test_history_tampered(tmp_path, name, edit, expected):
    folder = tmp_path / "reader"
    assert run(made_up_site.arguments(folder, site(3).write(tmp_path / "good"))).verdict() == PASSED
    kept = (folder / "state.json").read_bytes()
    ran = run(made_up_site.arguments(folder, site().write(tmp_path / "bad", edit)))
    assert ran.verdict() == expected
    assert (folder / "state.json").read_bytes() == kept
    assert run(made_up_site.arguments(folder, site().write(tmp_path / "whole"))).verdict() == PASSED


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (retold(1), ("failed", 5, "log-fork")),
        (retold(2), ("failed", 4, "equivocation")),
        (site(2), ("policy", 4, "rollback")),
        (retold(3), PASSED),
    ],
    ids=["retold before", "retold in place", "shorter", "retold after"],
)
def test_history_retold_whole(tmp_path, second, expected):
    """Consistent in itself, signed and witnessed: only who saw the first can tell."""
    folder = tmp_path / "reader"
    assert run(made_up_site.arguments(folder, site(3).write(tmp_path / "first"))).verdict() == PASSED
    kept = (folder / "state.json").read_bytes()
    if expected == ("failed", 5, "log-fork"):  # whoever checked single statements saw the third one of them
        seen = json.loads(kept)
        seen["seen"][0]["payload_sha256"] = client_log.identity(second.payloads[2])
        kept = json.dumps(seen, sort_keys=True, separators=(",", ":")).encode()
        (folder / "state.json").write_bytes(kept)
    assert run(made_up_site.arguments(folder, second.write(tmp_path / "second"))).verdict() == expected
    assert ((folder / "state.json").read_bytes() == kept) == (expected != PASSED)


def test_history_needs_a_log(tmp_path):
    given = made_up_site.arguments(tmp_path / "reader", site(1).write(tmp_path / "site"), policies.BASE)
    assert run(given).verdict() == ("usage", 0, "input")


def test_history_lists_a_statement_that_is_not_logged(tmp_path):
    def unlogged(files: dict[str, bytes]) -> None:
        files[statement_file(4)] = site(5).files()[statement_file(4)]

    ran = run(made_up_site.arguments(tmp_path / "reader", site().write(tmp_path / "site", unlogged)))
    assert ran.verdict() == PASSED
    assert "statement 4: it is on the site, and not in the log's checkpoint" in ran.out


BEYOND = ("failed", 9, "root-differs")
"""The log is passed; the trees beside this statement are another snapshot's."""


def test_the_site_shows_that_its_log_only_grew(tmp_path):
    """`--consistency SITE` rebuilds both roots; another site's entries do not."""
    last = {"as_of": "2025-12-31T00:00:00Z", "payload_sha256": client_log.identity(site().payloads[1]), "sequence": 1}
    entry = {**last, "log": {"origin": ORIGIN, "root": log.root(site().leaves[:2]).hex(), "size": 2}}
    vector = public("attack", "", "passed", policy=LOGGED)
    vector["bundle"]["statement.json"] = site().files()[statement_file(3)].decode()
    vector["at"] = "2026-07-05T12:00:00Z"
    given = [*write_public(tmp_path, vector), "--json", "--state", str(tmp_path / "state.json")]
    (tmp_path / "proof").write_text(site().proof(3))
    given += ["--log-proof", str(tmp_path / "proof")]

    def judged(*more: str) -> Outcome:
        state = {"format": 1, "seen": [{"custodian": "acme-custody", **entry}]}
        (tmp_path / "state.json").write_text(json.dumps(state, sort_keys=True, separators=(",", ":")))
        kept = (tmp_path / "state.json").read_bytes()
        got = run([*given, *more]).verdict()
        assert got == PASSED or (tmp_path / "state.json").read_bytes() == kept
        return got

    assert judged() == ("policy", 5, "consistency-needed")
    assert judged("--consistency", str(site().write(tmp_path / "site"))) == BEYOND
    assert judged("--consistency", str(retold(1).write(tmp_path / "other"))) == ("failed", 5, "log-consistency")
    entry["log"]["root"] = log.root(retold(1).leaves[:2]).hex()
    assert judged("--consistency", str(tmp_path / "site")) == ("failed", 5, "log-fork")


# Two checkpoints


def compared(folder: Path, first: str, second: str, *more: str) -> Any:
    (folder / "policy.toml").write_text(LOGGED)
    for name, text in (("a", first), ("b", second)):
        (folder / name).write_text(text)
    given = ["compare", str(folder / "a"), str(folder / "b"), "--policy", str(folder / "policy.toml"), "--json"]
    return run([*given, *more])


def test_compare_a_forked_log_is_evidence(tmp_path):
    ran = compared(tmp_path, site().note(), retold(1).note())
    assert ran.verdict() == ("failed", 5, "log-fork")
    assert ran.status == 3
    failure = json.loads(ran.out)["failure"]
    assert {failure["expected"], failure["found"]} == {log.root(one.leaves).hex() for one in (site(), retold(1))}
    assert "both are cosigned by witness-1.example, witness-2.example" in failure["message"], "they lied as well"
    alone = compared(tmp_path, site().note(cosigners=lambda _: []), retold(1).note())
    assert "cosigned" not in json.loads(alone.out)["failure"]["message"]


def test_compare_accuses_nobody_by_what_the_log_did_not_sign(tmp_path):
    assert compared(tmp_path, site().note(), retold(1).note(STRANGER)).verdict() == ("policy", 2, "log-signature")
    text = text_of("other.example/log", 4, log.root(retold(1).leaves))
    assert compared(tmp_path, site().note(), note(text, signed_by(LOG, text))).verdict() == ("policy", 2, "log-origin")
    assert compared(tmp_path, site().note(), retold(1).note(OFFICER)).verdict() == ("policy", 2, "log-signature")


def test_compare_checkpoints_of_two_sizes(tmp_path):
    proof = tmp_path / "proof"
    proof.write_text(site().consistency(3))
    assert compared(tmp_path, site().note(), site(3).note(), "--consistency", str(proof)).verdict() == PASSED
    assert compared(tmp_path, site(3).note(), site().note(), "--consistency", str(proof)).verdict() == PASSED
    where = str(site().write(tmp_path / "site"))
    assert compared(tmp_path, site(3).note(), site().note(), "--consistency", where).verdict() == PASSED
    ran = compared(tmp_path, site(3).note(), retold(1).note(), "--consistency", str(proof))
    assert ran.verdict() == ("failed", 5, "log-consistency")
    forked = str(retold(1).write(tmp_path / "forked"))
    ran = compared(tmp_path, site(3).note(), retold(1).note(), "--consistency", forked)
    assert ran.verdict() == ("failed", 5, "log-fork"), "the entries themselves show two histories"
    unasked = compared(tmp_path, site(3).note(), retold(1).note())
    assert unasked.verdict() == PASSED
    assert "no --consistency was given" in unasked.out
    assert compared(tmp_path, site().note(), site().note()).verdict() == PASSED


def test_compare_mixes_nothing(tmp_path):
    envelope = site().files()[statement_file(1)].decode()
    assert compared(tmp_path, site().note(), envelope).verdict() == ("usage", 0, "input")
    other = site().files()[statement_file(2)].decode()
    assert compared(tmp_path, envelope, other, "--consistency", str(tmp_path / "a")).verdict() == ("usage", 0, "input")
    assert compared(tmp_path, envelope, other).verdict() == PASSED

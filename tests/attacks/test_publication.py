"""Attacks 21 to 28: on what is published, by whom, in which order, and on a success that nothing stands behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from attacks.toolbox import (
    PASSED,
    check_client,
    client_outcome,
    client_vector,
    moved_to,
    open_world,
    outcome,
    policies,
    public,
    public_outcome,
    run,
    signed_world,
    start,
    write_audit,
    write_client,
    write_public,
)
from reference.canonical_json import dump
from reference.cases import statement
from reference.edits import all_of, append, drop, put
from reference.made_up import BEFORE
from reference.signers import AUDITOR, OFFICER, SECOND_OFFICER, STRANGER
from reference.statement import identity
from reserveproof.format.errors import MalformedError
from reserveproof.verifier.policy import parse_policy


def write_statements(folder: Any, *edits: Any, keys: Any = (OFFICER, AUDITOR)) -> list[str]:
    """The arguments of a comparison of statements."""
    (folder / "policy.toml").write_text(policies.BASE)
    paths = []
    for number, edit in enumerate(edits):
        path = folder / f"{number}.json"
        path.write_bytes(dump(statement(open_world(), predicate=edit, keys=keys)[1]))
        paths.append(str(path))
    return ["compare", *paths, "--policy", str(folder / "policy.toml"), "--json"]


OTHER = put("house_note", "another story")
NEXT = all_of(put("sequence", 8), put("previous", "11" * 32), put("snapshot_id", "next"))


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (OTHER, ("failed", 4, "equivocation")),
        (all_of(NEXT, put("sequence", 7)), ("failed", 4, "equivocation")),
        (all_of(NEXT, put("previous", BEFORE["payload_sha256"])), ("failed", 4, "equivocation")),
        (all_of(NEXT, put("snapshot_id", "2026-06-30.a")), ("failed", 4, "equivocation")),
        (NEXT, PASSED),
        (None, PASSED),
    ],
)
def test_21_equivocation_makes_evidence_that_anyone_can_check(tmp_path, second, expected):
    ran = run(write_statements(tmp_path, None, second))
    assert ran.verdict() == expected
    if expected != PASSED:
        failure = json.loads(ran.out)["failure"]
        assert {failure["expected"], failure["found"]} == {
            identity(statement(open_world(), predicate=edit)[0]) for edit in (None, second)
        }


def test_21_equivocation_is_no_evidence_if_the_custodian_did_not_sign(tmp_path):
    """A stranger's second statement must not frame the custodian."""
    given = write_statements(tmp_path, None, OTHER)
    (tmp_path / "1.json").write_bytes(dump(statement(open_world(), predicate=OTHER, keys=(STRANGER, AUDITOR))[1]))
    assert run(given).verdict() == ("policy", 2, "quorum")


def test_21_equivocation_is_seen_by_who_saw_the_first(tmp_path):
    first = write_client(tmp_path / "c", client_vector("attack", "", "passed", world=open_world()))
    assert run(first.arguments("--json")).verdict() == PASSED
    kept = (tmp_path / "c" / "state.json").read_bytes()
    write_client(tmp_path / "c", client_vector("attack", "", "passed", world=open_world(), predicate=OTHER))
    assert run(first.arguments("--json")).verdict() == ("failed", 4, "equivocation")
    assert (tmp_path / "c" / "state.json").read_bytes() == kept, "the refused one is not remembered"


def test_22_trust_from_file_a_forged_bundle_with_its_own_key():
    """Whole and consistent: only who signed is wrong. The keyids and names are the custodian's."""
    named = all_of(put("signatures.0.keyid", "Treasury officer"), put("signatures.1.keyid", OFFICER.text))
    for keys in ((STRANGER, SECOND_OFFICER), (STRANGER, AUDITOR), (OFFICER, STRANGER)):
        forged = {"world": open_world(), "keys": keys, "envelope": named}
        assert public_outcome(**forged) == ("policy", 2, "quorum")
        assert client_outcome(**forged) == ("policy", 2, "quorum")
    assert client_outcome(world=open_world(), envelope=named) == PASSED
    assert public_outcome(world=open_world()) == PASSED


def test_22_trust_from_file_a_policy_inside_the_bundle_is_not_read(tmp_path):
    own = policies.BASE.replace(OFFICER.text, STRANGER.text).replace(AUDITOR.text, SECOND_OFFICER.text)
    forged = public(
        world=open_world(), keys=(STRANGER, SECOND_OFFICER), files=lambda found: {**found, "policy.toml": own.encode()}
    )
    given = write_public(tmp_path, forged)
    assert run([*given, "--json"]).verdict() == ("policy", 2, "quorum")
    given[given.index("--policy") + 1] = str(tmp_path / "bundle" / "policy.toml")
    assert run([*given, "--json"]).verdict() == PASSED, (
        "a reader who is led there is lost: policies come by another road"
    )
    ran = start([*given[:2], "--at", given[-1]])
    assert ran.status == 2 and not ran.said_success, "there is no policy by default"


STALE = [
    (("policy", 4, "rollback"), {"state": {**BEFORE, "sequence": 8}}),
    (("policy", 3, "expired"), {"at": "2026-10-01T00:00:01Z"}),
    (("policy", 3, "age"), {"at": "2026-09-30T00:00:00Z", "policy": policies.BASE.replace("= 100", "= 90")}),
    (("policy", 3, "not-yet"), {"at": "2026-07-03T11:54:59Z"}),
    (("failed", 4, "equivocation"), {"state": {**BEFORE, "sequence": 7}}),
    (PASSED, {"state": BEFORE}),
]


@pytest.mark.parametrize(("expected", "more"), STALE)
def test_23_stale_replay(expected, more):
    assert client_outcome(world=open_world(), **more) == expected
    assert public_outcome(world=open_world(), **more) == expected


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_23_stale_replay_at_the_ends_of_time(at):
    """A clock that is set wrong is told so; it does not crash the verifier."""
    assert client_outcome(at=at) == ("policy", 3, "not-yet" if at < "2" else "age")


def test_24_history_drop_fork_reorder(tmp_path):
    """Three statements in a chain; every road but the honest one is refused or listed, and state is kept only on
    success."""
    first, second, third = chain()
    (tmp_path / "c").mkdir()
    assert walk(tmp_path / "a", first, second, third) == [PASSED] * 3
    assert walk(tmp_path / "b", first, third) == [PASSED] * 2, "a dropped one is listed"
    listed = json.loads(run([*last_run(tmp_path / "b"), "--json"]).out)
    assert listed["class"] == "passed"
    assert walk(tmp_path / "d", second, first) == [PASSED, ("policy", 4, "rollback")], "reordered"
    fork = all_of(second, put("previous", "22" * 32))
    assert walk(tmp_path / "e", first, fork) == [PASSED, ("failed", 4, "previous")], "forked"
    other = all_of(second, OTHER)
    assert walk(tmp_path / "f", first, second, other) == [PASSED, PASSED, ("failed", 4, "equivocation")]
    early = all_of(second, moved_to("2026-06-30T00:00:00Z"))
    assert walk(tmp_path / "g", first, early) == [PASSED, ("failed", 4, "as-of-order")]


def test_24_history_skipped_statements_are_listed(tmp_path):
    first, _, third = chain()
    walk(tmp_path / "a", first)
    given = write_client(tmp_path / "a", client_vector("attack", "", "passed", world=open_world(), predicate=third))
    document = json.loads(run([*given.arguments("--json")[:-1], "--json", "--at", LATER]).out)
    assert document["class"] == "passed"
    assert any("8 to 8" in text for text in document["not_checked"])


LATER = "2026-09-20T00:00:00Z"


def chain() -> list[Any]:
    """Edits that make sequence 7, 8 and 9, each on the one before."""
    made: list[Any] = [put("notes", {})]
    for sequence, as_of in ((8, "2026-07-31T00:00:00Z"), (9, "2026-08-31T00:00:00Z")):
        before = identity(statement(open_world(), predicate=made[-1])[0])
        made.append(all_of(put("sequence", sequence), put("previous", before), moved_to(as_of),
                           put("issued_at", as_of)))  # fmt: skip
    return made


def last_run(folder: Any) -> list[str]:
    from attacks.toolbox import Client

    return Client(folder, LATER).arguments()


def walk(folder: Any, *edits: Any) -> list[tuple[str, int, str]]:
    """One client who is shown these statements one after the other and keeps a state file."""
    found = []
    for edit in edits:
        given = write_client(
            folder, client_vector("attack", "", "passed", world=open_world(), predicate=edit, at=LATER)
        )
        state = folder / "state.json"
        before = state.read_bytes() if state.exists() else b""
        ran = run(given.arguments("--json"))
        found.append(ran.verdict())
        after = state.read_bytes() if state.exists() else b""
        assert (after == before) == (ran.status != 0 or edit is None), "kept exactly on success"
    return found


def failures(folder: Any) -> dict[str, tuple[list[str], int]]:
    """Commands that must not succeed, with the exit status that each must have."""
    folder.mkdir(exist_ok=True)
    good = write_client(folder / "good", client_vector("attack", "", "passed", world=open_world()))
    bundle = write_public(folder / "public", public(world=open_world()))
    (folder / "empty").mkdir(exist_ok=True)
    none = write_client(folder / "none", client_vector("attack", "", "passed", claim=put("balances", [])))
    hollow = write_client(folder / "hollow", client_vector("attack", "", "passed", proof=put("lines", [])))
    stranger = write_client(folder / "stranger", client_vector("attack", "", "passed", keys=(STRANGER,)))
    wrong = write_client(folder / "wrong", client_vector("attack", "", "passed", claim=put("client_id", "AC-9")))
    binary = write_client(folder / "binary", client_vector("attack", "", "passed", raw=lambda _: b"\0" * 100))
    policy = str(folder / "public" / "policy.toml")
    return {
        "no such proof": (["client", str(folder / "nothing"), "--policy", policy], 6),
        "an empty folder": (["public", str(folder / "empty"), "--policy", policy], 4),
        "no such folder": (["public", str(folder / "nothing"), "--policy", policy], 6),
        "no policy": (bundle[:2], 2),
        "an unreadable policy": (["policy", str(folder / "nothing")], 6),
        "no balance stated": (none.arguments(), 2),
        "a file without lines": (hollow.arguments(), 3),
        "no quorum": (stranger.arguments(), 5),
        "another id": (wrong.arguments(), 3),
        "not JSON": (binary.arguments(), 4),
        "an empty digest": ([*bundle, "--digest", ""], 2),
        "a digest of another": ([*bundle, "--digest", "00" * 32], 3),
        "a folder as the proof": (["client", str(folder), "--policy", policy], 6),
        "a folder as the state": (good.arguments("--state", str(folder)), 6),
        "a broken state": (good.arguments("--state", policy), 4),
        "an unwritable receipt": (good.arguments("--receipt", str(folder / "no" / "receipt")), 6),
        "no command": ([], 2),
        "an abbreviated option": ([*bundle, "--dig", "00" * 32], 2),
        "a clock that is none": ([*bundle[:-1], "yesterday"], 2),
    }


def test_25_false_success(tmp_path):
    """Empty folder, no asset, zero matches, exceptions: non-zero, and no line says passed."""
    for name, (arguments, status) in failures(tmp_path).items():
        ran = run(arguments)
        assert ran.status == status, (name, ran)
        assert not ran.said_success, (name, ran.out)
        assert ran.err.strip(), name
    ran = run(write_public(tmp_path / "p", public(world=open_world())))
    assert ran.status == 0 and ran.last.startswith("passed: "), "the verdict is the last line"
    given = write_client(tmp_path / "c", client_vector("attack", "", "passed", world=open_world()))
    ran = start(given.arguments())
    assert ran.status == 0 and ran.last.startswith("passed: ") and ran.err == ""


def test_25_false_success_an_asset_of_nothing():
    """A zero that was typed with no decimals decides nothing; typed out, it is another balance."""
    for text, expected in (("0", ("usage", 7, "digits")), ("0.000000", ("failed", 7, "amount-differs"))):
        vector = client_vector("attack", "", "passed", who="frank", claim=put("balances.0.amount", text))
        assert outcome(lambda vector=vector: check_client(vector)) == expected


def test_25_false_success_a_fault_is_no_verdict(tmp_path, monkeypatch, capsys):
    """An exception that nobody foresaw ends with 1, says so, and prints nothing that reads as a verdict."""
    import sys

    from reserveproof.verifier import command

    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError("AC-1001")

    given = write_client(tmp_path, client_vector("attack", "", "passed"))
    monkeypatch.setattr(command, "check_client", fault)
    monkeypatch.setattr(sys, "argv", ["reserveproof-verify", *given.arguments("--json")])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    assert printed.out == "" and "no verdict" in printed.err
    assert not (tmp_path / "state.json").exists()


def test_25_false_success_of_a_full_output(tmp_path):
    """The report cannot be written: the exit status is not 0."""
    import subprocess
    import sys

    given = write_client(tmp_path, client_vector("attack", "", "passed"))
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        ended = subprocess.run(
            [sys.executable, "-m", "reserveproof.verifier", *given.arguments()],
            stdout=full, stderr=subprocess.PIPE, check=False, text=True,
        )  # fmt: skip
    assert ended.returncode != 0
    assert "passed" not in ended.stderr


@pytest.mark.parametrize(
    ("expected", "more"),
    [
        (("malformed", 1, "members"), {"proof": put("algorithm", "sha1")}),
        (("malformed", 1, "members"), {"proof": put("lines.0.depth", 3)}),
        (("malformed", 1, "members"), {"proof": put("decimals", 2)}),
        (("malformed", 1, "members"), {"proof": put("lines.0.root", "00" * 32)}),
        (("malformed", 1, "members"), {"proof": put("policy", "format = 1")}),
        (("malformed", 1, "members"), {"proof": put("key", STRANGER.text)}),
        (("malformed", 1, "members"), {"envelope": put("signatures.0.alg", "none")}),
        (("policy", 2, "quorum"), {"envelope": put("signatures.0.sig", ""), "keys": (STRANGER, AUDITOR)}),
        (("malformed", 8, "path-length"), {"proof": put("lines.0.path", [])}),
        (("policy", 3, "kind"), {"predicate": put("pools.0.assets.0.liabilities.kind", 255)}),
        (("failed", 7, "amount-differs"), {"predicate": put("assets.2.decimals", 4),
                                           "claim": put("balances.2.amount", "2500.0000")}),
        (("malformed", 3, "structure"), {"predicate": put("assets.0.forms.0.decimals", 6)}),
        (("failed", 9, "root-differs"), {"predicate": put("custodian.id", "acme-custody"),
                                         "proof": put("lines.0.blind", "11" * 32)}),
    ],
)  # fmt: skip
def test_26_prover_chooses_nothing(expected, more):
    """Algorithm, depth, range, scale, root and key come from the statement and the policy, never from a proof."""
    got = client_outcome(**more)
    assert got == expected
    assert client_outcome() == PASSED


def test_27_double_key():
    twice = policies.BASE + policies.signer("A second person", "custodian", OFFICER.text)
    with pytest.raises(MalformedError) as refused:
        parse_policy(twice.encode())
    assert refused.value.reason == "key-twice"
    same = append("signatures", {"keyid": "second", "sig": ""})

    def copied(envelope: dict[str, Any]) -> None:
        same(envelope)
        envelope["signatures"][-1]["sig"] = envelope["signatures"][0]["sig"]

    got = client_outcome(policy=policies.TWO_OFFICERS, keys=(OFFICER,), envelope=copied)
    assert got == ("policy", 2, "quorum")
    assert client_outcome(policy=policies.TWO_OFFICERS, keys=(OFFICER, SECOND_OFFICER)) == PASSED


def test_28_optimised_python(tmp_path):
    """One failure of each class, and a success, with and without -O: the same exit status and JSON."""
    wrong = {
        "failed": (3, {"claim": put("client_id", "AC-9999")}),
        "amount": (3, {"claim": put("balances.0.amount", "1.3000001")}),
        "malformed": (4, {"proof": drop("log")}),
        "policy": (5, {"keys": (STRANGER, AUDITOR)}),
        "usage": (2, {"claim": put("balances", [])}),
        "passed": (0, {}),
    }
    for name, (status, more) in wrong.items():
        given = write_client(tmp_path / name, client_vector("attack", "", "passed", world=open_world(), **more))
        arguments = given.arguments("--json")
        arguments[arguments.index("--state") + 1] = str(tmp_path / name / "nothing.json")
        plain = start(arguments)
        (tmp_path / name / "nothing.json").unlink(missing_ok=True)
        optimised = start(arguments, "-O")
        assert (plain.status, plain.out, plain.err) == (optimised.status, optimised.out, optimised.err), name
        assert plain.status == status, (name, plain)
    short = signed_world(positions=[])
    audited = [*write_audit(tmp_path / "audit", short), "--json"]
    plain, optimised = start(audited), start(audited, "-O")
    assert plain.status == optimised.status == 3 and plain.out == optimised.out
    assert plain.verdict() == ("failed", 10, "not-covered")

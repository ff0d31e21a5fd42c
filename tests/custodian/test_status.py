"""Status: what is wrong with one snapshot hides no other, and the next command is the right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from reserveproof.custodian.status import describe, status_json
from reserveproof.custodian.thresholds import lacking
from reserveproof.custodian.workspace import State
from reserveproof.format import canonical_json
from workspace_maker import AS_OF, CONFIG, NOW, opened, workspace_in

DRAFT = {
    "as_of": AS_OF, "format": 1, "issued_at": NOW, "payload_sha256": "0" * 64, "previous": "", "sequence": 3,
    "verdict": "clean",
}  # fmt: skip
SIGNATURES = {
    "format": 1, "payload_sha256": "0" * 64,
    "signatures": [{"key": "ed25519:" + "0" * 64, "sig": "AA==", "signer": "Jane"}],
}  # fmt: skip
STATES = {State.ATTESTED: DRAFT, State.SIGNED: SIGNATURES}
SIGNER = '[[signers]]\nname = "{}"\nrole = "officer"\nkeys = ["ed25519:{}"]\n'
SIGNERS = CONFIG + SIGNER.format("Jane", "0" * 64)


def test_an_empty_workspace(tmp_path: Path) -> None:
    status = describe(workspace_in(tmp_path / "w"))
    assert list(status.lines()) == ["no snapshot yet", f"next: reserveproof open {tmp_path / 'w'} --as-of TIME"]


@pytest.mark.parametrize(
    ("state", "following"),
    [
        (State.OPENED, "snapshot"),
        (State.LEDGER, "challenge"),
        (State.CHALLENGED, "attest"),
        (State.ATTESTED, "sign"),
        (State.SIGNED, "publish"),
        (State.PUBLISHED, "prove"),
    ],
)
def test_the_next_command(tmp_path: Path, state: State, following: str) -> None:
    workspace = workspace_in(tmp_path / "w", SIGNERS)
    snapshot = opened(workspace)
    workspace.policy_path.write_text("")
    for one in list(State)[1 : state.rank + 1]:
        snapshot.write_state(one, STATES.get(one, {}))  # type: ignore[arg-type]
    (found,) = describe(workspace).snapshots
    assert (found.state, found.as_of, found.problem) == (state.value, AS_OF, "")
    assert found.next.startswith(f"reserveproof {following} {workspace.path} s1")
    assert found.sequence == (3 if state.rank >= State.SIGNED.rank else None)


def test_a_policy_comes_before_publishing(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path / "w", SIGNERS)
    snapshot = opened(workspace)
    for one in list(State)[1:-1]:
        snapshot.write_state(one, STATES.get(one, {}))  # type: ignore[arg-type]
    assert describe(workspace).snapshots[0].next == f"reserveproof policy {workspace.path}"


def test_a_failing_draft_is_attested_again(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path / "w", SIGNERS)
    snapshot = opened(workspace)
    for one in list(State)[1 : State.SIGNED.rank]:
        snapshot.write_state(one, DRAFT | {"verdict": "failing"})  # type: ignore[arg-type]
    status = describe(workspace)
    assert status.snapshots[0].next == f"reserveproof attest {workspace.path} s1"
    assert "the draft is failing" in "\n".join(status.lines())


def test_signers_who_are_missing_are_named(tmp_path: Path) -> None:
    config = SIGNERS + SIGNER.format("John", "1" * 64) + SIGNER.format("Mary", "2" * 64)
    config = config.replace("officer = 1", "officer = 2\nauditor = 1")
    workspace = workspace_in(tmp_path / "w", config)
    snapshot = opened(workspace)
    for one in list(State)[1:-1]:
        snapshot.write_state(one, STATES.get(one, {}))  # type: ignore[arg-type]
    (found,) = describe(workspace).snapshots
    assert found.next == f"reserveproof sign {workspace.path} s1 --key FILE"
    assert found.note == (
        "to be signed by 1 more of the role auditor (nobody has it); 1 more of the role officer (John, Mary)"
    )


def test_a_signer_with_two_keys_counts_with_both(tmp_path: Path) -> None:
    keys = ("ed25519:" + "0" * 64, "ed25519:" + "1" * 64)
    text = SIGNERS.replace(f'keys = ["{keys[0]}"]', f'keys = ["{keys[0]}", "{keys[1]}"]')
    config = workspace_in(tmp_path / "w", text).config()
    assert list(lacking(config, keys[:1])) == ["1 more of the role officer (Jane)"]
    assert list(lacking(config, keys)) == []


def test_problems_stand_where_they_belong(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path / "w")
    good, bad = opened(workspace, "a"), opened(workspace, "b", b"\x01" * 32)
    worse = opened(workspace, "c", b"\x02" * 32)
    (bad.path / "snapshot.key").chmod(0o644)
    (worse.path / "snapshot.json").unlink()
    workspace.config_path.write_text("format = 9")
    status = describe(workspace)
    assert "members" in status.config_problem
    problems = {entry.id: entry.problem for entry in status.snapshots}
    assert problems[bad.id].endswith("is secret")
    assert "missing" in problems[worse.id]
    assert problems[good.id] == ""
    text = "\n".join(status.lines())
    assert "custodian.toml: " in text and "c: unknown" in text
    assert b"\x07".hex() * 32 not in text


def test_one_json_document(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path / "w \u202e\n")
    opened(workspace)
    data = canonical_json.dump(status_json(describe(workspace)))
    found = canonical_json.parse(data, max_bytes=10_000, what="status")
    assert isinstance(found, dict)
    assert set(found) == {"config_problem", "folder", "format", "snapshots"}
    assert "\\u202e\\n" in str(found["folder"]).replace("\\\\", "\\")

"""The published site: what readers make of it, and what is done when it is not as it was written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from custodian.demo_steps import NOW
from custodian.log_steps import (
    ONE,
    TWO,
    correction,
    cosign_ed,
    cosign_ml,
    entry,
    holds,
    kept,
    leftovers,
    passed,
    publish_logged,
    put_log_into,
    with_log,
)
from reserveproof.custodian import log_site
from reserveproof.custodian import publish as publishing
from reserveproof.custodian.attestation_log import AttestationLog
from reserveproof.custodian.log_checkpoints import Checkpoints
from reserveproof.custodian.publish import RefusedByVerifierError
from reserveproof.custodian.workspace import Snapshot
from reserveproof.format import checkpoint as checkpoints
from reserveproof.format import signed_note, tlog_proof
from reserveproof.format.errors import EvidenceError, InputError

Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("name", ["checkpoint", "entries/0.json", "proofs/0.tlog-proof", "statements/0/statement.json"])
def test_a_site_that_says_something_else_is_seen_and_written_again(second: Snapshot, name: str) -> None:
    workspace = second.workspace
    path = workspace.path / "site" / name
    good = path.read_bytes()
    for wrong in (good[:-1], None):
        if wrong is None:
            path.unlink()
        else:
            path.write_bytes(wrong)
        with pytest.raises(EvidenceError, match="not what was published"):
            holds(workspace)
    if name.startswith("statements"):
        shutil.rmtree(path.parent)
    (path.parent.parent if name.startswith("statements") else path.parent).joinpath(".tmp-killed").write_bytes(b"x")
    bundles = {0: workspace.snapshot("s1").path / "bundle"}
    with_log(workspace, lambda log, points: log_site.write_site(log, points, bundles))
    assert path.read_bytes() == good
    assert leftovers(workspace) == []
    assert len(holds(workspace)) == 4


def test_another_bundle_in_a_statements_place_is_refused(second: Snapshot) -> None:
    workspace = second.workspace
    (workspace.path / "site" / "statements" / "0" / "statement.json").write_bytes(b"{}")
    with pytest.raises(InputError, match="another bundle"):
        with_log(
            workspace,
            lambda log, points: log_site.write_site(log, points, {0: workspace.snapshot("s1").path / "bundle"}),
        )


def test_proofs_take_the_newest_checkpoint_that_enough_have_cosigned(second: Snapshot, monkeypatch: Patch) -> None:
    passed(monkeypatch)
    workspace = second.workspace
    site = workspace.path / "site" / "proofs"

    def sizes() -> list[int]:
        found = [tlog_proof.parse((site / f"{n}.tlog-proof").read_text("utf-8")) for n in (0, 1)]
        return [checkpoints.parse(proof.checkpoint_note.text).size for proof in found]

    def cosign(size: int, *lines: str) -> None:
        note = signed_note.parse("x\n\n" + "".join(lines))

        def add(log: AttestationLog, points: Checkpoints) -> None:
            assert points.add(note.signatures, now=2_000_000_000).size == size
            log_site.write_site(log, points, {})

        with_log(workspace, add)

    one = kept(workspace).note(1).text
    cosign(1, cosign_ed(ONE, one), cosign_ml(one), cosign_ed(TWO, one))
    publish_logged(second)
    assert sizes() == [1, 2]
    two = kept(workspace).note(2).text
    cosign(2, cosign_ed(ONE, two), cosign_ed(TWO, two))
    assert sizes() == [1, 2]  # the first witness has two keys, and one of them has not cosigned
    cosign(2, cosign_ml(two))
    assert sizes() == [2, 2]
    assert len(holds(workspace)) == 4


def test_readers_pass_what_was_logged(first: Snapshot) -> None:
    """With the verifier's own command: as it is published, and under the policy itself once witnesses have cosigned."""
    bundle = publish_logged(first)
    workspace = first.workspace
    proof = workspace.path / "site" / "proofs" / "0.tlog-proof"
    with pytest.raises(RefusedByVerifierError) as caught:
        publishing.verify(bundle, workspace.policy_path, log_proof=proof)
    assert caught.value.verifier_status == 5
    text = kept(workspace).note(1).text
    lines = signed_note.parse("x\n\n" + cosign_ed(ONE, text) + cosign_ml(text) + cosign_ed(TWO, text)).signatures

    def add(log: AttestationLog, points: Checkpoints) -> None:
        points.add(lines, now=2_000_000_000)
        log_site.write_site(log, points, {})

    with_log(workspace, add)
    publishing.verify(bundle, workspace.policy_path, log_proof=proof)


def read(*words: str | Path) -> tuple[int, str]:
    """The verifier's own command: exit status, and all that it said."""
    command = [sys.executable, "-m", "reserveproof.verifier", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_readers_follow_the_site_from_one_statement_to_the_next(second: Snapshot, tmp_path: Path) -> None:
    workspace = second.workspace
    site, policy = workspace.path / "site", workspace.policy_path
    state = ("--policy", policy, "--state", tmp_path / "seen.json")

    def cosign(size: int) -> None:
        text = kept(workspace).note(size).text
        lines = signed_note.parse("x\n\n" + cosign_ed(ONE, text) + cosign_ml(text) + cosign_ed(TWO, text)).signatures

        def add(log: AttestationLog, points: Checkpoints) -> None:
            points.add(lines, now=2_000_000_000)
            log_site.write_site(log, points, {})

        with_log(workspace, add)

    def public(number: int, *more: str | Path) -> tuple[int, str]:
        proof = site / "proofs" / f"{number}.tlog-proof"
        return read("public", site / "statements" / str(number), *state, "--log-proof", proof, *more)

    cosign(1)
    assert public(0)[0] == 0
    assert read("history", site, "--policy", policy)[0] == 0
    publish_logged(second)
    # The witnesses have not answered: readers have what they had.
    status, said = read("history", site, "--policy", policy)
    assert status == 0, said
    assert [checkpoints.parse(signed_note.parse((site / name).read_text("utf-8")).text).size
            for name in ("checkpoint", "checkpoint.pending")] == [1, 2]  # fmt: skip
    assert len(holds(workspace)) == 4
    cosign(2)
    assert not (site / "checkpoint.pending").exists()
    (site / "checkpoint.pending").write_bytes((site / "checkpoint").read_bytes())
    with pytest.raises(EvidenceError, match="pending is not what was published"):
        holds(workspace)
    with_log(workspace, lambda log, points: log_site.write_site(log, points, {}))
    assert len(holds(workspace)) == 4
    status, said = public(1, "--consistency", site)
    assert status == 0, said
    status, said = read("history", site, "--policy", policy)
    assert status == 0, said
    (site / "entries" / "0.json").write_bytes(entry(second))
    assert read("history", site, "--policy", policy)[0] in (3, 4)


def test_readers_are_told_what_was_logged_afterwards_or_is_not_shown(signed: Snapshot, monkeypatch: Patch) -> None:
    passed(monkeypatch)
    workspace = signed.workspace
    with workspace.lock():
        publishing.publish(signed, now=NOW)
    put_log_into(workspace, 0)
    correction(workspace, "s2")
    publish_logged(correction(workspace, "s3"), 1)
    status, said = read("history", workspace.path / "site", "--policy", workspace.policy_path)
    assert status == 0, said
    assert "statement 1: not shown" in said and "these statements were logged: 0; they do not name the log" in said

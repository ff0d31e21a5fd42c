"""A statement's way into the log: judged, appended, signed, put on the site; and every place where a run can be killed.

What readers would say is asked of the verifier's own command in the tests that say so; the others take it as passed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from custodian import demo_steps
from custodian.demo_steps import NOW
from custodian.log_steps import (
    ED,
    LOG,
    ONE,
    ORIGIN,
    TWO,
    correction,
    cosign_ed,
    cosign_ml,
    log_key_file,
    logging_of,
    publish_logged,
    put_log_into,
)
from reserveproof.custodian import log_publish, log_site, log_tree
from reserveproof.custodian import publish as publishing
from reserveproof.custodian.attestation_log import AttestationLog
from reserveproof.custodian.log_check import check
from reserveproof.custodian.log_checkpoints import Checkpoints, open_log
from reserveproof.custodian.log_publish import Logging
from reserveproof.custodian.publish import RefusedByVerifierError, load_published, publish
from reserveproof.custodian.status import describe
from reserveproof.custodian.workspace import Snapshot, State, Workspace
from reserveproof.format import checkpoint as checkpoints
from reserveproof.format import signed_note, tlog_proof
from reserveproof.format.errors import EvidenceError, InputError, TransportError, UsageError
from reserveproof.format.statement import parse_payload

Patch = pytest.MonkeyPatch


@pytest.fixture(scope="session")
def signed_with_log_base(challenged_base: Path) -> Path:
    """A workspace with a log, whose statement 0 is signed."""
    snapshot = demo_steps.copied(challenged_base, challenged_base.parent / "with-log")
    put_log_into(snapshot.workspace)
    assert demo_steps.attest(snapshot).verdict == "clean"
    demo_steps.sign(snapshot)
    return snapshot.workspace.path


@pytest.fixture(scope="session")
def two_base(signed_with_log_base: Path) -> Path:
    """The same, with statement 0 published and statement 1 signed."""
    snapshot = demo_steps.copied(signed_with_log_base, signed_with_log_base.parent / "two")
    with pytest.MonkeyPatch.context() as patch:
        passed(patch)
        publish_logged(snapshot)
    correction(snapshot.workspace, "s2")
    return snapshot.workspace.path


@pytest.fixture
def first(signed_with_log_base: Path, tmp_path: Path) -> Snapshot:
    return demo_steps.copied(signed_with_log_base, tmp_path / "w")


@pytest.fixture
def second(two_base: Path, tmp_path: Path) -> Snapshot:
    return demo_steps.copied(two_base, tmp_path / "w").workspace.snapshot("s2")


def passed(patch: Patch) -> list[tuple[Path, Path, Path | None]]:
    """A verifier that passes everything; what it was asked."""
    seen: list[tuple[Path, Path, Path | None]] = []

    def look(bundle: Path, policy: Path, *, log_proof: Path | None = None) -> None:
        seen.append((bundle, policy, log_proof))

    patch.setattr(publishing, "verify", look)
    return seen


def kept(workspace: Workspace) -> Checkpoints:
    terms = workspace.config().log
    assert terms
    return Checkpoints(workspace, terms)


def with_log(workspace: Workspace, use: Callable[[AttestationLog, Checkpoints], object]) -> object:
    with workspace.lock(), open_log(workspace) as log:
        return use(log, kept(workspace))


def holds(workspace: Workspace) -> list[str]:
    found: list[str] = []
    with_log(workspace, lambda log, points: found.extend(check(log, points)))
    return found


def payload_of(snapshot: Snapshot) -> bytes:
    return (snapshot.path / "draft" / "payload.json").read_bytes()


def entry(snapshot: Snapshot) -> bytes:
    """The entry as the format says, written out here."""
    payload = payload_of(snapshot)
    statement = parse_payload(payload).statement
    fields = {
        "as_of": statement.as_of, "custodian": "demo-custody", "payload_sha256": hashlib.sha256(payload).hexdigest(),
        "previous": statement.previous.hex() if statement.previous else "", "sequence": statement.sequence,
        "snapshot_id": snapshot.id,
    }  # fmt: skip
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def leftovers(workspace: Workspace) -> list[str]:
    return [path.name for path in workspace.path.rglob(".tmp-*")]


def test_the_statement_says_its_log_and_the_site_shows_it(first: Snapshot, monkeypatch: Patch) -> None:
    passed(monkeypatch)
    bundle = publish_logged(first)
    assert parse_payload(payload_of(first)).statement.logs == (ORIGIN,)
    site = first.workspace.path / "site"
    note = signed_note.parse((site / "checkpoint").read_text("utf-8"))
    point = checkpoints.parse(note.text)
    assert (point.origin, point.size) == (ORIGIN, 1)
    assert point.root == hashlib.sha256(b"\x00" + entry(first)).digest()
    LOG.public_key().verify(note.signatures[0].signature, note.text.encode())
    assert [line.name for line in note.signatures] == [ORIGIN]
    assert (site / "entries" / "0.json").read_bytes() == entry(first)
    proof = tlog_proof.parse((site / "proofs" / "0.tlog-proof").read_text("utf-8"))
    assert (proof.index, proof.path, proof.checkpoint_note) == (0, (), note)
    shown = {
        p.relative_to(site / "statements" / "0"): p.read_bytes() for p in (site / "statements" / "0").rglob("*.json")
    }
    assert shown == {p.relative_to(bundle): p.read_bytes() for p in bundle.rglob("*.json")}
    assert {p.stat().st_mode & 0o777 for p in site.rglob("*") if p.is_file()} == {0o644}
    assert {p.stat().st_mode & 0o777 for p in [site, *site.rglob("*")] if p.is_dir()} == {0o755}
    log = first.workspace.path / "log"
    assert {p.stat().st_mode & 0o777 for p in log.rglob("*") if p.is_file()} == {0o600}
    assert log.stat().st_mode & 0o777 == 0o700
    assert leftovers(first.workspace) == []
    assert holds(first.workspace)[0] == "1 entries; 1 of them rebuilt from their statements"


def test_the_verifier_sees_the_log_proof_that_will_be_published(first: Snapshot, monkeypatch: Patch) -> None:
    looked: list[tuple[str, bytes, int]] = []

    def look(bundle: Path, policy: Path, *, log_proof: Path | None = None) -> None:
        assert log_proof and (log_proof.stat().st_mode & 0o777, log_proof.parent.stat().st_mode & 0o777) == (
            0o600,
            0o700,
        )
        assert not (first.workspace.path / "site").exists() and not (first.path / "bundle").exists()
        assert (bundle / "statement.json").is_file()
        looked.append((policy.read_text(), log_proof.read_bytes(), AttestationLog(
            first.workspace.path / "log" / "entries.sqlite").size))  # fmt: skip

    monkeypatch.setattr(publishing, "verify", look)
    publish_logged(first)
    ((policy, proof, size),) = looked
    assert (proof, size) == ((first.workspace.path / "site" / "proofs" / "0.tlog-proof").read_bytes(), 0)
    meant = tomllib.loads(first.workspace.policy_path.read_text())
    meant["log"]["witnesses_needed"] = 0
    assert tomllib.loads(policy) == meant


def test_what_the_verifier_refuses_is_not_logged(first: Snapshot, monkeypatch: Patch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RefusedByVerifierError(3, "no")

    monkeypatch.setattr(publishing, "verify", refuse)
    with pytest.raises(RefusedByVerifierError):
        publish_logged(first)
    assert with_log(first.workspace, lambda log, points: (log.size, points.sizes())) == (0, ())
    assert not (first.workspace.path / "site").exists() and not (first.path / "bundle").exists()
    assert leftovers(first.workspace) == []
    assert first.state() == State.SIGNED


def test_without_a_log_nothing_is_logged(signed: Snapshot) -> None:
    with signed.workspace.lock():
        with pytest.raises(UsageError, match=r"no \[log\]"):
            publish(signed, now=NOW, logging=logging_of(signed))
        publish(signed, now=NOW)
    assert parse_payload(payload_of(signed)).statement.logs == ()
    assert not {"log", "site"} & {path.name for path in signed.workspace.path.iterdir()}


def test_config_command_and_statement_must_agree(first: Snapshot, tmp_path: Path, monkeypatch: Patch) -> None:
    passed(monkeypatch)
    workspace = first.workspace
    with workspace.lock():
        with pytest.raises(UsageError, match="key was not given"):
            publish(first, now=NOW)
        other = tmp_path / "other.pem"
        shutil.copy(log_key_file(tmp_path), other)
        other.chmod(0o644)
        with pytest.raises(InputError, match="open to others"):
            publish(first, now=NOW, logging=Logging(other))
        from reserveproof.custodian.keys import create_key

        create_key(tmp_path / "new.pem")
        with pytest.raises(UsageError, match="not the log's"):
            publish(first, now=NOW, logging=Logging(tmp_path / "new.pem"))
        text = workspace.config_path.read_text()
        workspace.config_path.write_text(text.replace(ORIGIN, "elsewhere.example"))
        with pytest.raises(UsageError, match=f"logged in {ORIGIN}"):
            publish(first, now=NOW, logging=logging_of(first))
        workspace.config_path.write_text(demo_steps.demo_config().decode())
        with pytest.raises(UsageError, match=f"logged in {ORIGIN}"):
            publish(first, now=NOW)
    assert first.state() == State.SIGNED and not (workspace.path / "site").exists()


STEPS = (
    (log_publish.Entry, "append"),
    (AttestationLog, "append"),
    (Checkpoints, "sign"),
    (Checkpoints, "_write"),
    (log_publish, "write_site"),
    (log_site, "_put_bundle"),
    (log_site, "write_file"),
    (Snapshot, "write_state"),
)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
def test_a_killed_publish_is_completed_by_the_next(
    first: Snapshot, monkeypatch: Patch, owner: object, name: str, after: bool
) -> None:
    passed(monkeypatch)
    real = getattr(owner, name)

    def stop(*given: object, **named: object) -> None:
        if after:
            real(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, stop)
        with pytest.raises(KeyboardInterrupt):
            publish_logged(first)
    if first.state() != State.PUBLISHED:
        # Somebody else signs again before the next run: the envelope is another, the statement is not.
        demo_steps.sign(first)
        publish_logged(first)
    assert load_published(first).sequence == 0
    assert with_log(first.workspace, lambda log, points: (log.size, points.sizes())) == (1, (1,))
    assert len(holds(first.workspace)) == 4
    assert leftovers(first.workspace) == []


def test_the_next_statement_continues_the_log(second: Snapshot, monkeypatch: Patch) -> None:
    passed(monkeypatch)
    publish_logged(second)
    workspace = second.workspace
    assert len(holds(workspace)) == 4
    entries = [entry(workspace.snapshot("s1")), entry(second)]
    leaves = [log_tree.leaf_hash(data) for data in entries]
    for sequence in (0, 1):
        proof = tlog_proof.parse((workspace.path / "site" / "proofs" / f"{sequence}.tlog-proof").read_text("utf-8"))
        point = checkpoints.parse(proof.checkpoint_note.text)
        assert (point.size, point.root, proof.path) == (2, log_tree.root_of(leaves), (leaves[1 - sequence],))
    assert sorted(path.name for path in (workspace.path / "site" / "statements").iterdir()) == ["0", "1"]


def test_a_statement_that_was_signed_and_not_published_is_no_gap_in_silence(
    second: Snapshot, tmp_path: Path, monkeypatch: Patch
) -> None:
    passed(monkeypatch)
    third = correction(second.workspace, "s3")
    with pytest.raises(UsageError, match="statement 1, of snapshot s2, was signed and is not published") as caught:
        publish_logged(third)
    assert "--log-unpublished 1" in caught.value.hint
    publish_logged(third, 1)
    assert with_log(second.workspace, lambda log, _: log.entry(1)) == entry(second)
    assert sorted(path.name for path in (second.workspace.path / "site" / "statements").iterdir()) == ["0", "2"]
    assert len(holds(second.workspace)) == 4
    # It is published later after all: its entry is there already.
    publish_logged(second)
    assert with_log(second.workspace, lambda log, _: log.size) == 3
    assert len(holds(second.workspace)) == 4


def test_statements_from_before_the_log_are_logged_with_the_next(signed: Snapshot, monkeypatch: Patch) -> None:
    passed(monkeypatch)
    with signed.workspace.lock():
        publish(signed, now=NOW)
    put_log_into(signed.workspace)
    later = correction(signed.workspace, "s2")
    publish_logged(later)
    assert with_log(signed.workspace, lambda log, _: [log.entry(0), log.entry(1)]) == [entry(signed), entry(later)]
    assert len(holds(signed.workspace)) == 4
    # An archived snapshot stays in the log; one that was never logged would be a gap.
    shutil.rmtree(signed.path)
    third = correction(signed.workspace, "s3")
    publish_logged(third)
    assert with_log(signed.workspace, lambda log, _: log.size) == 3
    fourth = correction(signed.workspace, "s4")
    fifth = correction(signed.workspace, "s5")
    shutil.rmtree(fourth.path)
    with pytest.raises(EvidenceError, match="statement 3 is in no snapshot"):
        publish_logged(fifth)


def test_status_says_that_the_logs_key_is_needed(second: Snapshot) -> None:
    found = {entry.id: entry.next for entry in describe(second.workspace).snapshots}
    assert found["s2"] == f"reserveproof publish {second.workspace.path} s2 --log-key FILE"
    assert found["s1"].endswith("s1 CLIENT")


def test_a_fork_is_refused(second: Snapshot, monkeypatch: Patch) -> None:
    passed(monkeypatch)
    workspace = second.workspace
    path = workspace.path / "log" / "entries.sqlite"
    good = path.read_bytes()
    path.unlink()
    with AttestationLog(path) as log:
        log.append(0, b"another entry")
    with pytest.raises(EvidenceError, match="not the one that was signed"):
        publish_logged(second)
    path.unlink()
    with pytest.raises(EvidenceError, match="not the one that was signed"):  # an old copy
        publish_logged(second)
    path.write_bytes(good)
    shutil.rmtree(workspace.path / "log" / "checkpoints")
    with AttestationLog(path) as log:
        log.append(1, b"another entry")
    with pytest.raises(EvidenceError, match="of another statement"):
        publish_logged(second)
    assert second.state() == State.SIGNED


def test_a_checkpoint_that_contradicts_a_signed_one_is_not_signed(second: Snapshot) -> None:
    points = kept(second.workspace)
    with pytest.raises(EvidenceError, match="another root at size 1"):
        points.next_text(bytes(32), 1)
    note = points.folder / "1.note"
    text = note.read_text("utf-8")
    note.write_text(text.replace(ORIGIN, "other.example"), "utf-8")
    with pytest.raises(EvidenceError, match="not a checkpoint of"):
        points.newest()
    note.write_text(text[:-1], "utf-8")
    with pytest.raises(EvidenceError, match="damaged"):
        points.newest()


def test_a_payload_that_was_changed_is_seen(second: Snapshot, monkeypatch: Patch) -> None:
    passed(monkeypatch)
    path = second.workspace.snapshot("s1").path / "draft" / "payload.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(InputError, match="not the payload that was signed"):
        publish_logged(second)


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


def test_a_full_disk_leaves_nothing_half(first: Snapshot, monkeypatch: Patch) -> None:
    passed(monkeypatch)

    def stop(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stop)
        with pytest.raises(TransportError):
            publish_logged(first)
    assert leftovers(first.workspace) == []
    publish_logged(first)
    assert len(holds(first.workspace)) == 4


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
            assert points.add(note.signatures, now=2_000_000_000)[0] == size
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
    assert ED and len(holds(workspace)) == 4


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

"""A statement's way into the log: judged, appended, signed, put on the site; and every place where a run can be killed.

The verifier is taken to pass everything here; what it really says is asked in test_log_site.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tomllib
from pathlib import Path

import pytest

from custodian import demo_steps
from custodian.demo_steps import NOW
from custodian.log_steps import (
    ED,
    LOG,
    ORIGIN,
    TWO,
    correction,
    ed_raw,
    entry,
    holds,
    kept,
    leftovers,
    log_key_file,
    logging_of,
    passed,
    payload_of,
    publish_logged,
    put_log_into,
    with_log,
)
from reserveproof.custodian import log_publish, log_site, log_tree
from reserveproof.custodian import publish as publishing
from reserveproof.custodian.attestation_log import AttestationLog
from reserveproof.custodian.keys import create_key
from reserveproof.custodian.log_checkpoints import Checkpoints
from reserveproof.custodian.log_publish import Logging
from reserveproof.custodian.publish import RefusedByVerifierError, load_published, publish
from reserveproof.custodian.status import describe
from reserveproof.custodian.workspace import Snapshot, State
from reserveproof.format import checkpoint as checkpoints
from reserveproof.format import signed_note, tlog_proof
from reserveproof.format.errors import EvidenceError, InputError, TransportError, UsageError
from reserveproof.format.statement import parse_payload

Patch = pytest.MonkeyPatch


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

    def look(bundle: Path, policy: Path, *, log_proof: Path | None = None, at: str = "") -> None:
        assert (
            not at
            and log_proof
            and (log_proof.stat().st_mode & 0o777, log_proof.parent.stat().st_mode & 0o777)
            == (
                0o600,
                0o700,
            )
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


@pytest.mark.parametrize(
    ("old", "new", "member"),
    [
        (ORIGIN, "other.example", "origin"),
        (ed_raw(LOG).hex(), "11" * 32, "key"),
        ("witnesses_needed = 2", "witnesses_needed = 1", "witnesses_needed"),
        (ed_raw(ED[TWO]).hex(), "11" * 32, "witnesses"),
        (TWO, "other.example", "witnesses"),
        ("witnesses_needed = 2", "witnesses_needed = 3", "log"),
    ],
)
def test_policy_and_config_name_one_log(first: Snapshot, monkeypatch: Patch, old: str, new: str, member: str) -> None:
    passed(monkeypatch)
    policy = first.workspace.policy_path
    good = policy.read_text("utf-8")
    assert old in good
    policy.write_text(good.replace(old, new), "utf-8")
    with pytest.raises(UsageError, match=f"custodian.toml differ: {member}$"):
        publish_logged(first)
    assert first.state() == State.SIGNED and not (first.workspace.path / "site").exists()
    # In another order it is the same.
    head, _, tail = good.partition("[[log.witnesses]]")
    one, two = tail.partition("[[signers]]")[0].split("[[log.witnesses]]")
    rest = "[[signers]]" + tail.partition("[[signers]]")[2]
    policy.write_text(f"{head}[[log.witnesses]]{two}[[log.witnesses]]{one}{rest}", "utf-8")
    publish_logged(first)


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
    said = holds(second.workspace)
    assert len(said) == 5 and said[1] == "logged by --log-unpublished and not published: statement 1"
    publish_logged(correction(second.workspace, "s4"))  # it was said once
    # It is published later after all: its entry is there already.
    publish_logged(second)
    assert with_log(second.workspace, lambda log, _: log.size) == 4
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

"""Attest, sign and publish, killed at any moment: nothing that looks finished is unfinished, and a rerun completes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from custodian.demo_steps import NOW, attest, copied, sign
from reserveproof.custodian import draft_store, publish, signing
from reserveproof.custodian.audit_pack import write_audit_pack
from reserveproof.custodian.workspace import Snapshot, State
from reserveproof.format.errors import InputError

CALLS = ("fsync", "rename", "replace", "link", "mkdir", "chmod", "open")
KILLED = 9


def killed_at(moment: int, work: Callable[[], object]) -> bool:
    """Do the work in another process that ends, with no clean-up, before its system call number `moment`. Whether it
    was killed (False: the work was done before)."""
    child = os.fork()
    if child == 0:
        left = moment
        real = {name: getattr(os, name) for name in CALLS}

        def count(name: str) -> Callable[..., object]:
            def call(*given: object, **named: object) -> object:
                nonlocal left
                left -= 1
                if left <= 0:
                    os._exit(KILLED)
                result: object = real[name](*given, **named)
                return result

            return call

        try:
            for name in CALLS:
                setattr(os, name, count(name))
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - whatever it is, this process must not go on as a test run
            os._exit(1)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED)
    return code == KILLED


def tidy(snapshot: Snapshot) -> None:
    with snapshot.workspace.lock():
        pass
    assert not [path for path in snapshot.path.iterdir() if path.name.startswith(".tmp-")]
    assert not [path for path in snapshot.path.rglob("*") if path.is_file() and "bundle" not in path.parts
                and path.stat().st_mode & 0o077]  # fmt: skip


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_attest_killed(challenged_base: Path, tmp_path: Path, again: bool) -> None:
    moment, alive = 1, True
    while alive:
        snapshot = copied(challenged_base, tmp_path / str(moment))
        first = attest(snapshot).payload_sha256 if again else None

        def work(snapshot: Snapshot = snapshot) -> None:
            attest(snapshot, now=NOW.replace("00:00:01", "00:00:09"))
            with snapshot.workspace.lock():
                write_audit_pack(snapshot)

        alive = killed_at(moment, work)
        tidy(snapshot)
        assert snapshot.state() in (State.CHALLENGED, State.ATTESTED)
        if snapshot.has(State.ATTESTED):
            try:
                assert draft_store.load(snapshot)[0].public
            except InputError as error:
                assert "attest again" in error.hint
        else:
            assert first is None
        assert attest(snapshot).verdict == "clean"
        sign(snapshot)
        moment += 41


def test_publish_killed(signed_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The verifier itself is tried elsewhere; here it would only take time.
    monkeypatch.setattr(publish, "verify", lambda *_: None)
    moment, alive = 1, True
    while alive:
        snapshot = copied(signed_base, tmp_path / str(moment))

        def work(snapshot: Snapshot = snapshot) -> None:
            with snapshot.workspace.lock():
                publish.publish(snapshot, now=NOW)

        alive = killed_at(moment, work)
        tidy(snapshot)
        bundle = snapshot.path / "bundle"
        draft, _state, _ = draft_store.load(snapshot)
        if bundle.exists():
            found = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
            assert found == {*draft.public, "manifest.json", "statement.json"}
        if not snapshot.has(State.PUBLISHED):
            work()
        assert publish.load_published(snapshot).sequence == 0
        moment += 13


def test_sign_killed(challenged_base: Path, tmp_path: Path) -> None:
    moment, alive = 1, True
    while alive:
        snapshot = copied(challenged_base, tmp_path / str(moment))
        attest(snapshot)

        def work(snapshot: Snapshot = snapshot) -> None:
            sign(snapshot)

        alive = killed_at(moment, work)
        tidy(snapshot)
        there = signing.load_signatures(snapshot)
        assert there is None or 1 <= len(there.signatures) <= 2
        assert len(sign(snapshot).signatures) == 2
        moment += 3

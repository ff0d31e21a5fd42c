"""The workspace: states go forward, keys and ids are used once, secrets are private, a killed run leaves nothing."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from reserveproof.custodian import atomic_files
from reserveproof.custodian.workspace import State, Workspace, create_workspace, open_workspace
from reserveproof.format import canonical_json
from reserveproof.format.errors import InputError, TransportError, UsageError
from workspace_maker import AS_OF, CONFIG, NOW, opened, workspace_in


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workspace_in(tmp_path / "w")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def draft(sequence: int, payload: int = 1) -> canonical_json.Json:
    return {"as_of": AS_OF, "other": "x", "payload_sha256": f"{payload:064x}", "sequence": sequence}


def brought_to(workspace: Workspace, snapshot_id: str, state: State, sequence: int = 0, key: int = 7) -> None:
    snapshot = opened(workspace, snapshot_id, bytes([key]) * 32)
    for one in list(State)[1 : state.rank + 1]:
        snapshot.write_state(one, draft(sequence) if one is State.ATTESTED else {"x": 1})


def test_everything_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        workspace = workspace_in(tmp_path / "a" / "w")
        with workspace.lock():
            snapshot = opened(workspace)
    finally:
        os.umask(before)
    assert mode(workspace.path) == mode(snapshot.path) == mode(snapshot.path.parent) == 0o700
    for path in workspace.path.rglob("*"):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_create_only_in_a_new_folder(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".tmp-left").write_text("of a killed run")
    workspace_in(tmp_path / "w")
    with pytest.raises(UsageError, match="not empty"):
        workspace_in(tmp_path / "w")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no folder"):
        create_workspace(tmp_path / "file", CONFIG.encode())
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        create_workspace(tmp_path / "link", CONFIG.encode())
    with pytest.raises(UsageError, match="not a workspace"):
        open_workspace(tmp_path)
    assert open_workspace(tmp_path / "w").config().custodian.id == "example-custody"


def test_open_a_snapshot(workspace: Workspace) -> None:
    snapshot = opened(workspace)
    assert snapshot.state() is State.OPENED
    assert (snapshot.opened().as_of, snapshot.opened().opened_at) == (AS_OF, NOW)
    assert snapshot.key() == b"\x07" * 32
    assert (snapshot.path / "snapshot.key").read_bytes() == b"07" * 32 + b"\n"
    assert (snapshot.path / "register.csv").read_bytes() == b"x\n"
    assert workspace.snapshots() == (snapshot,) == (workspace.snapshot("s1"),)


@pytest.mark.parametrize("name", ["", "S1", "../x", "a/b", ".s", "s" * 33, "s 1"])
def test_ids_in_their_form(workspace: Workspace, name: str) -> None:
    with pytest.raises(UsageError):
        opened(workspace, name)
    with pytest.raises(UsageError, match="no snapshot"):
        workspace.snapshot(name)


def test_snapshot_reuse(workspace: Workspace) -> None:
    """Attack 19: the same id or the same key twice is refused."""
    first = opened(workspace)
    with pytest.raises(UsageError, match="never used twice"):
        opened(workspace, "s1", b"\x08" * 32)
    with pytest.raises(UsageError, match="key is that of snapshot s1"):
        opened(workspace, "s2")
    second = opened(workspace, "s2", b"\x08" * 32)
    (second.path / "snapshot.key").write_bytes((first.path / "snapshot.key").read_bytes())
    for one in (first, second):
        with pytest.raises(InputError) as caught:
            one.key()
        assert caught.value.reason == "key-reused"


def test_a_copied_snapshot_is_refused(workspace: Workspace) -> None:
    first = opened(workspace)
    (workspace.path / "snapshots" / "s1").rename(workspace.path / "snapshots" / "s9")
    with pytest.raises(InputError, match="of snapshot s1, in the folder of s9"):
        workspace.snapshot("s9").opened()
    assert first.id == "s1"


def test_as_of_is_past(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="future"):
        workspace.open_snapshot("s1", as_of="2030-01-01T00:00:00Z", now=NOW, key=b"\x01" * 32, templates={})
    assert workspace.snapshots() == ()
    with pytest.raises(ValueError, match="32 bytes"):
        workspace.open_snapshot("s1", as_of=AS_OF, now=NOW, key=b"\x01" * 16, templates={})


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_read_is_refused(workspace: Workspace, bits: int) -> None:
    snapshot = opened(workspace)
    (snapshot.path / "snapshot.key").chmod(bits)
    with pytest.raises(InputError) as caught:
        snapshot.key()
    assert caught.value.reason == "permissions"
    assert "07" * 32 not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"07" * 32, b"07" * 31 + b"\n", b"0G" * 32 + b"\n", b"07" * 32 + b"\n\n"])
def test_a_damaged_key_is_refused(workspace: Workspace, data: bytes) -> None:
    snapshot = opened(workspace)
    (snapshot.path / "snapshot.key").write_bytes(data)
    with pytest.raises((InputError, TransportError)):
        snapshot.key()


def test_a_key_that_is_a_link_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    snapshot = opened(workspace)
    (snapshot.path / "snapshot.key").rename(tmp_path / "k")
    (snapshot.path / "snapshot.key").symlink_to(tmp_path / "k")
    with pytest.raises(TransportError):
        snapshot.key()


def test_states_go_forward_only(workspace: Workspace) -> None:
    snapshot = opened(workspace)
    with pytest.raises(UsageError, match="is opened, and this needs it to be given its ledger"):
        snapshot.write_state(State.CHALLENGED, {})
    with pytest.raises(UsageError, match="needs it to be given its ledger"):
        snapshot.ledger()
    for state in list(State)[1:]:
        snapshot.write_state(state, {"n": 1})
        assert snapshot.state() is state
        with pytest.raises(UsageError, match="already"):
            snapshot.write_state(state, {"n": 2})
        snapshot.write_state(state, {"n": 3}, replace=True)
        for before in list(State)[: state.rank]:
            with pytest.raises(UsageError, match="already"):
                snapshot.write_state(before, {"n": 2}, replace=True)
    assert snapshot.read_state(State.PUBLISHED, lambda value: value) == {"n": 3}


def test_a_hole_in_the_states_is_refused(workspace: Workspace) -> None:
    brought_to(workspace, "s1", State.CHALLENGED)
    snapshot = workspace.snapshot("s1")
    (snapshot.path / "ledger.json").unlink()
    with pytest.raises(InputError, match=r"ledger\.json: is missing in snapshot s1"):
        snapshot.state()
    (snapshot.path / "snapshot.json").unlink()
    with pytest.raises(InputError, match=r"snapshot\.json: is missing"):
        snapshot.state()


@pytest.mark.parametrize("data", [b"", b"{}", b'{"as_of":1}', b'{"as_of": "x"}', b"\xff"])
def test_a_damaged_state_file_is_refused(workspace: Workspace, data: bytes) -> None:
    snapshot = opened(workspace)
    (snapshot.path / "snapshot.json").write_bytes(data)
    with pytest.raises(InputError, match="is damaged"):
        snapshot.opened()


def test_numbers_are_those_of_signed_statements(workspace: Workspace) -> None:
    assert workspace.last_numbered() is None
    brought_to(workspace, "s1", State.SIGNED, 0, 1)
    brought_to(workspace, "s2", State.ATTESTED, 1, 2)
    brought_to(workspace, "s3", State.PUBLISHED, 4, 3)
    brought_to(workspace, "s4", State.SIGNED, 2, 4)
    last = workspace.last_numbered()
    assert last is not None
    assert (last.snapshot_id, last.sequence, last.as_of) == ("s3", 4, AS_OF)
    assert [entry.sequence for entry in workspace.numbered()] == [0, 2, 4]
    brought_to(workspace, "s5", State.SIGNED, 2, 5)
    with pytest.raises(InputError) as caught:
        workspace.last_numbered()
    assert caught.value.reason == "sequence-twice"


def test_the_lock_is_held_alone_and_tidies(workspace: Workspace) -> None:
    snapshot = opened(workspace)
    left = [workspace.path / ".tmp-1", snapshot.path / ".tmp-2", snapshot.path.parent / ".tmp-3" / "snapshot.key"]
    left[2].parent.mkdir()
    for path in left:
        path.write_text("left by a killed run")
    (workspace.path / ".tmp-link").symlink_to(snapshot.path)
    with workspace.lock():
        assert not any(path.exists() for path in left)
        with pytest.raises(TransportError) as caught, workspace.lock():
            raise AssertionError("two runs at once")
        assert caught.value.reason == "locked"
    assert (snapshot.path / "snapshot.key").is_file(), "what a link points to is not touched"
    with workspace.lock():
        pass


def hold(path: str, ready: object) -> None:
    with atomic_files.locked(Path(path)):
        ready.set()  # type: ignore[attr-defined]
        os.kill(os.getpid(), 9)


def test_a_killed_run_lets_go(workspace: Workspace) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(str(workspace.path), ready))
    process.start()
    process.join(30)
    assert process.exitcode == -9
    with workspace.lock():
        pass


def test_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TransportError, match="No space left"):
        atomic_files.write_file(tmp_path / "f", b"new")
    with pytest.raises(TransportError, match="No space left"):
        atomic_files.create_file(tmp_path / "g", b"new")
    with pytest.raises(TransportError, match="No space left"), atomic_files.new_folder(tmp_path / "d") as partial:
        (partial / "x").write_bytes(b"")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"old")]


def fill(partial: Path) -> None:
    (partial / "sub").mkdir()
    for number in range(100):
        (partial / "sub" / str(number)).write_bytes(b"x")


def test_a_folder_has_its_name_when_every_file_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[int] = set()
    real = os.fsync

    def sync(handle: int) -> None:
        assert not (tmp_path / "d").exists() or os.fstat(handle).st_ino == tmp_path.stat().st_ino
        real(handle)
        synced.add(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fsync", sync)
    with atomic_files.new_folder(tmp_path / "d") as partial:
        fill(partial)
    assert {path.stat().st_ino for path in (tmp_path, tmp_path / "d", *(tmp_path / "d").rglob("*"))} == synced


def test_one_file_of_many_that_fails_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, bad = os.fsync, set[int]()

    def sync(handle: int) -> None:
        if os.fstat(handle).st_ino in bad:
            raise OSError(5, "Input/output error")
        real(handle)

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(TransportError, match="Input/output"), atomic_files.new_folder(tmp_path / "d") as partial:
        fill(partial)
        bad.add((partial / "sub" / "57").stat().st_ino)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic_files.new_folder(tmp_path / "d") as partial:
        (partial / "x").write_bytes(b"")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_files_are_new_or_whole(tmp_path: Path) -> None:
    atomic_files.create_file(tmp_path / "f", b"1")
    with pytest.raises(UsageError, match="not replaced"):
        atomic_files.create_file(tmp_path / "f", b"2")
    atomic_files.write_file(tmp_path / "f", b"3", mode=0o644)
    assert (tmp_path / "f").read_bytes() == b"3"
    assert mode(tmp_path / "f") == 0o644
    with atomic_files.new_folder(tmp_path / "d") as partial:
        (partial / "sub").mkdir()
        (partial / "sub" / "x").write_bytes(b"x")
    with pytest.raises(UsageError, match="not replaced"), atomic_files.new_folder(tmp_path / "d"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "f"]


def test_reading(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    assert atomic_files.read_file(tmp_path / "f", limit=5) == b"12345"
    with pytest.raises(TransportError, match="larger"):
        atomic_files.read_file(tmp_path / "f", limit=4)
    (tmp_path / "l").symlink_to(tmp_path / "f")
    os.mkfifo(tmp_path / "p")
    assert atomic_files.read_file(tmp_path / "l", limit=5) == b"12345"
    for wrong in ("p", "none", "."):
        with pytest.raises(TransportError):
            atomic_files.read_file(tmp_path / wrong, limit=5)
    with pytest.raises(TransportError):
        atomic_files.read_file(tmp_path / "l", limit=5, private=True)

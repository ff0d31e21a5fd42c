"""The durable log: appended once, never changed, and every proof held against the root."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pymerkle
import pytest

from reserveproof.custodian import log_tree
from reserveproof.custodian.attestation_log import AttestationLog
from reserveproof.format.errors import EvidenceError, TransportError, UsageError

LARGEST = 40


def entry(number: int) -> bytes:
    return b"entry %d" % number


def filled(path: Path, size: int) -> Path:
    with AttestationLog(path) as log:
        for number in range(size):
            log.append(number, entry(number))
    return path


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("log") / "entries.sqlite", LARGEST)


def test_it_is_private_and_still_there_the_next_time(tmp_path: Path) -> None:
    path = filled(tmp_path / "entries.sqlite", 3)
    assert path.stat().st_mode & 0o777 == 0o600
    with AttestationLog(path) as log:
        assert (log.size, log.entry(2)) == (3, entry(2))
        assert log.root(3) == log_tree.root_of([log_tree.leaf_hash(entry(n)) for n in range(3)])
        assert log.root(0) == log_tree.EMPTY_ROOT


def test_appending_again_changes_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path / "entries.sqlite", 3)
    with AttestationLog(path) as log:
        before = log.root(3)
        for number in (0, 2, 1):
            log.append(number, entry(number))
        assert (log.size, log.root(3)) == (3, before)


def test_a_gap_or_another_entry_is_refused(tmp_path: Path) -> None:
    with AttestationLog(filled(tmp_path / "entries.sqlite", 2)) as log:
        with pytest.raises(EvidenceError, match="gap") as gap:
            log.append(3, entry(3))
        with pytest.raises(EvidenceError, match="another statement") as fork:
            log.append(1, b"something else")
        assert (gap.value.reason, fork.value.reason, log.size) == ("log-gap", "log-fork", 2)


def test_every_proof_of_every_size(full: Path) -> None:
    with AttestationLog(full) as log:
        leaves = log.leaves(LARGEST)
        for size in range(1, LARGEST + 1):
            assert log.inclusion(size - 1, size) == log_tree.inclusion_path(size - 1, leaves[:size])
            assert log.inclusion(size // 2, size) == log_tree.inclusion_path(size // 2, leaves[:size])
        for old in (0, 1, 7, 8, 31, LARGEST):
            assert log.consistency(old, LARGEST) == log_tree.consistency_path(old, leaves)


def test_what_is_not_in_it_is_not_proved(full: Path) -> None:
    with AttestationLog(full) as log:
        for ask in (
            lambda: log.entry(LARGEST), lambda: log.entry(-1), lambda: log.inclusion(5, 5),
            lambda: log.inclusion(0, LARGEST + 1), lambda: log.consistency(6, 5), lambda: log.consistency(-1, 5),
        ):  # fmt: skip
            with pytest.raises(UsageError):
                ask()


def changed(path: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER leaf_no_update")
        database.execute(statement, values)
    database.close()


def test_a_store_that_was_changed_gives_no_proof(tmp_path: Path) -> None:
    path = filled(tmp_path / "a.sqlite", 5)
    changed(path, "UPDATE leaf SET entry = ? WHERE id = 2", b"forged")
    with AttestationLog(path) as log, pytest.raises(EvidenceError, match="entry 1"):
        log.inclusion(4, 5)
    path = filled(tmp_path / "b.sqlite", 5)
    changed(path, "UPDATE leaf SET hash = ? WHERE id = 5", bytes(32))
    with AttestationLog(path) as log, pytest.raises(EvidenceError):
        log.root(5)


def test_a_library_that_lies_is_caught(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with AttestationLog(full) as log:
        with monkeypatch.context() as patch:
            patch.setattr(pymerkle.SqliteTree, "get_root", lambda *_: bytes(32))
            with pytest.raises(EvidenceError, match="root"):
                log.root(3)
        with monkeypatch.context() as patch:
            proof = pymerkle.SqliteTree.prove_inclusion
            patch.setattr(pymerkle.SqliteTree, "prove_inclusion", lambda tree, _index, size: proof(tree, 1, size))
            with pytest.raises(EvidenceError, match="begins elsewhere"):
                log.inclusion(3, 5)


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "entries.sqlite"
    path.write_bytes(b"not a database, and long enough to look at" * 30)
    with pytest.raises(EvidenceError, match="damaged"):
        AttestationLog(path)
    other = tmp_path / "link"
    other.symlink_to(path)
    with pytest.raises(TransportError):
        AttestationLog(other)


@pytest.mark.parametrize("version", ["6.1.0", "6.99", "8.0.0", "7.0.0rc1", "17.0.0", ""])
def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(pymerkle, "__version__", version)
    with pytest.raises(UsageError, match="another version") as caught:
        AttestationLog(tmp_path / "entries.sqlite")
    assert (caught.value.found, "pip install" in caught.value.hint) == (version, True)
    assert not (tmp_path / "entries.sqlite").exists()


def test_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymerkle", None)
    with pytest.raises(UsageError, match="not installed"):
        AttestationLog(tmp_path / "entries.sqlite")


APPENDER = """
import sys
from pathlib import Path
from reserveproof.custodian.attestation_log import AttestationLog
with AttestationLog(Path(sys.argv[1])) as log:
    for number in range(log.size, 100000):
        log.append(number, b"entry %d" % number)
        print(number, flush=True)
"""


def test_a_killed_run_leaves_a_whole_log(tmp_path: Path) -> None:
    path = tmp_path / "entries.sqlite"
    said = -1
    for _ in range(3):
        run = subprocess.Popen([sys.executable, "-c", APPENDER, str(path)], stdout=subprocess.PIPE, text=True)
        assert run.stdout
        for line, _more in zip(run.stdout, range(7), strict=False):
            said = int(line)
        os.kill(run.pid, signal.SIGKILL)
        run.communicate(timeout=30)
        with AttestationLog(path) as log:
            assert log.size > said
            assert [log.entry(n) for n in range(log.size)] == [entry(n) for n in range(log.size)]
            log.root(log.size)

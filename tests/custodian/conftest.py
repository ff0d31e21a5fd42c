"""Workspaces that are slow to make, made once: tests take copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from custodian import demo_steps, log_steps
from reserveproof.custodian.workspace import Snapshot


@pytest.fixture(scope="session")
def ledger_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose snapshot s1 has its ledger."""
    folder = tmp_path_factory.mktemp("demo") / "ledger"
    demo_steps.ledger_workspace(folder)
    return folder


@pytest.fixture(scope="session")
def challenged_base(ledger_base: Path) -> Path:
    """The same, with every wallet's answer taken in but one."""
    snapshot = demo_steps.copied(ledger_base, ledger_base.parent / "challenged")
    demo_steps.challenge(snapshot)
    return snapshot.workspace.path


@pytest.fixture(scope="session")
def signed_base(challenged_base: Path) -> Path:
    """The same, attested and signed by both signers."""
    snapshot = demo_steps.copied(challenged_base, challenged_base.parent / "signed")
    assert demo_steps.attest(snapshot).verdict == "clean"
    demo_steps.sign(snapshot)
    return snapshot.workspace.path


@pytest.fixture
def with_ledger(ledger_base: Path, tmp_path: Path) -> Snapshot:
    return demo_steps.copied(ledger_base, tmp_path / "w")


@pytest.fixture
def challenged(challenged_base: Path, tmp_path: Path) -> Snapshot:
    return demo_steps.copied(challenged_base, tmp_path / "w")


@pytest.fixture
def attested(challenged: Snapshot) -> Snapshot:
    demo_steps.attest(challenged)
    return challenged


@pytest.fixture
def signed(signed_base: Path, tmp_path: Path) -> Snapshot:
    return demo_steps.copied(signed_base, tmp_path / "signed")


@pytest.fixture(scope="session")
def signed_with_log_base(challenged_base: Path) -> Path:
    """A workspace with a log, whose statement 0 is signed."""
    snapshot = demo_steps.copied(challenged_base, challenged_base.parent / "with-log")
    log_steps.put_log_into(snapshot.workspace)
    assert demo_steps.attest(snapshot).verdict == "clean"
    demo_steps.sign(snapshot)
    return snapshot.workspace.path


@pytest.fixture(scope="session")
def two_base(signed_with_log_base: Path) -> Path:
    """The same, with statement 0 published and statement 1 signed."""
    snapshot = demo_steps.copied(signed_with_log_base, signed_with_log_base.parent / "two")
    with pytest.MonkeyPatch.context() as patch:
        log_steps.passed(patch)
        log_steps.publish_logged(snapshot)
    log_steps.correction(snapshot.workspace, "s2")
    return snapshot.workspace.path


@pytest.fixture
def first(signed_with_log_base: Path, tmp_path: Path) -> Snapshot:
    return demo_steps.copied(signed_with_log_base, tmp_path / "w")


@pytest.fixture
def second(two_base: Path, tmp_path: Path) -> Snapshot:
    return demo_steps.copied(two_base, tmp_path / "w").workspace.snapshot("s2")

"""Publishing: only what the verifier's own command has passed, whole, and once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from custodian.demo_steps import NOW, account_of, attest, challenge, edit_register, sign
from reserveproof.custodian import draft_store, signing
from reserveproof.custodian import publish as publishing
from reserveproof.custodian.demo_world import OFFICER
from reserveproof.custodian.publish import RefusedByVerifierError, load_published, publish
from reserveproof.custodian.workspace import Snapshot, State
from reserveproof.format import envelope
from reserveproof.format.errors import InputError, TransportError, UsageError


def leftovers(snapshot: Snapshot) -> list[str]:
    return [path.name for path in snapshot.path.iterdir() if path.name.startswith(".tmp-") or path.name == "bundle"]


def published(snapshot: Snapshot) -> Path:
    with snapshot.workspace.lock():
        return publish(snapshot, now=NOW)[0]


def test_a_signed_draft_is_published_as_it_was_signed(signed: Snapshot) -> None:
    bundle = published(signed)
    draft, state, _ = draft_store.load(signed)
    assert envelope.parse((bundle / "statement.json").read_bytes()).payload == draft.payload
    found = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    assert found.pop("manifest.json") == draft.manifest
    found.pop("statement.json")
    assert found == draft.public
    assert load_published(signed).payload_sha256 == state.payload_sha256
    assert signed.state() == State.PUBLISHED
    assert {path.stat().st_mode & 0o777 for path in bundle.rglob("*") if path.is_file()} == {0o644}
    assert (bundle.stat().st_mode & 0o777, (bundle / "evidence").stat().st_mode & 0o777) == (0o755, 0o755)
    with pytest.raises(UsageError, match="already published") as twice:
        published(signed)
    assert "--corrects" in twice.value.hint and "ledger" not in twice.value.hint
    with pytest.raises(UsageError, match="already published"):
        sign(signed, OFFICER)
    policy = str(signed.workspace.policy_path)
    command = [sys.executable, "-m", "reserveproof.verifier", "public", str(bundle), "--policy", policy]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_too_few_signatures_are_refused(attested: Snapshot) -> None:
    with pytest.raises(UsageError, match="needs it to be signed"):
        published(attested)
    sign(attested, OFFICER)
    with pytest.raises(RefusedByVerifierError, match="auditor") as caught:
        published(attested)
    assert caught.value.verifier_status == 5
    assert "do not trust" not in str(caught.value)
    assert len(str(caught.value).splitlines()) > 1
    assert leftovers(attested) == []
    assert attested.state() == State.SIGNED


def sign_failing(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures over a failing draft, which signing itself refuses: what publishing then does is its own fence."""
    with monkeypatch.context() as patch:
        patch.setattr(signing, "_refuse_failing", lambda _state: None)
        sign(snapshot)


def test_a_failing_statement_is_refused(with_ledger: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    one = account_of("trust-btc-2")
    edit_register(with_ledger, lambda row: row | {"height": "919999"} if row["account"] == one else row)
    challenge(with_ledger)
    assert attest(with_ledger).verdict == "failing"
    sign_failing(with_ledger, monkeypatch)
    with pytest.raises(RefusedByVerifierError) as caught:
        published(with_ledger)
    assert caught.value.verifier_status == 3
    assert leftovers(with_ledger) == []


def test_a_blocking_rule_that_only_the_custodian_runs_is_refused(
    with_ledger: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = account_of("vault-btc-0")
    edit_register(with_ledger, lambda row: row | {"quantity": "500"} if row["account"] == poor else row)
    other = account_of("vault-btc-1")
    edit_register(with_ledger, lambda row: row | {"quantity": "0.5"} if row["account"] == other else row)
    challenge(with_ledger)
    assert attest(with_ledger).verdict == "failing"
    sign_failing(with_ledger, monkeypatch)
    with pytest.raises(RefusedByVerifierError):
        published(with_ledger)


def test_another_policy_or_none_is_refused(signed: Snapshot) -> None:
    policy = signed.workspace.policy_path
    text = policy.read_text()
    policy.write_text(text.replace('custodian = "demo-custody"', 'custodian = "other"'))
    with pytest.raises(RefusedByVerifierError, match="custodian"):
        published(signed)
    policy.unlink()
    with pytest.raises(UsageError, match="no "):
        published(signed)
    assert leftovers(signed) == []


@pytest.mark.parametrize("name", ["register.json", "manifest.json", "payload.json"])
def test_a_draft_that_was_touched_is_not_published(signed: Snapshot, name: str) -> None:
    path = draft_store.folder_of(signed) / name
    path.write_bytes(path.read_bytes().replace(b'"', b"'", 1))
    with pytest.raises(InputError):
        published(signed)
    assert leftovers(signed) == []


def test_signatures_of_another_draft_are_refused(signed: Snapshot) -> None:
    path = signed.path / "signatures.json"
    sha256 = draft_store.load_state(signed).payload_sha256.hex()
    path.write_bytes(path.read_bytes().replace(sha256.encode(), b"0" * 64))
    with pytest.raises(UsageError, match="another draft"):
        published(signed)


def test_a_run_that_was_killed_is_finished_by_the_next(signed: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stop)
        with pytest.raises(TransportError):
            published(signed)
    assert leftovers(signed) == []
    # Killed between the two renames: the folder is there, published.json is not.
    (signed.path / "bundle").mkdir()
    (signed.path / "bundle" / "half").write_text("x")
    bundle = published(signed)
    assert not (bundle / "half").exists()


def test_the_verifier_is_asked_about_the_folder_that_is_renamed(
    signed: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def look(bundle: Path, policy: Path) -> None:
        seen.append(bundle)
        assert not (signed.path / "bundle").exists()
        assert policy == signed.workspace.policy_path

    monkeypatch.setattr(publishing, "verify", look)
    published(signed)
    assert [path.name.startswith(".tmp-") for path in seen] == [True]


def test_what_the_verifier_says_is_shown(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("")
    with pytest.raises(RefusedByVerifierError) as caught:
        publishing.verify(tmp_path, policy)
    assert caught.value.verifier_status in (2, 4, 5, 6)
    assert "error" in caught.value.output

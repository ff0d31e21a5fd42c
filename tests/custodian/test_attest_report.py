"""What attest tells the custodian: why a position has no proof, and where a finding can still be put right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from custodian import demo_steps
from reserveproof.custodian import challenge_step, command
from reserveproof.custodian.attest_report import omission_lines, report_lines
from reserveproof.custodian.challenge_kit import RESPONSE_COLUMNS
from reserveproof.custodian.csv_rows import dump_rows
from reserveproof.custodian.demo_world import SILENT_WALLET
from reserveproof.custodian.workspace import Snapshot


def test_a_refused_answer_is_not_called_no_answer(challenged: Snapshot, tmp_path: Path) -> None:
    account = demo_steps.account_of(SILENT_WALLET)
    assert f"{account}: no answer" in "\n".join(report_lines(demo_steps.attest(challenged)))
    answers = tmp_path / "responses.csv"
    scheme = "eip191" if account.startswith("eip155") else "bip322-smp"
    answers.write_bytes(dump_rows(RESPONSE_COLUMNS, [(account, scheme, "text", "smpAAAA", "", "", "")]))
    with challenged.workspace.lock():
        ((answer,), _) = challenge_step.import_answers(challenged, answers)
    assert answer.why
    report = "\n".join(report_lines(demo_steps.attest(challenged)))
    assert f"{account}: the answer was refused: {answer.why}" in report


def test_a_finding_of_the_ledger_needs_another_snapshot(
    challenged: Snapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    path = challenged.path / "ledger.json"
    state = json.loads(path.read_text())
    state["control_totals"][0][0]["credit"] += "0"
    path.write_text(json.dumps(state, sort_keys=True, separators=(",", ":")))
    assert command.run(("attest", str(challenged.workspace.path), challenged.id, "--no-other-registers")) == 3
    said = capsys.readouterr().out.splitlines()
    assert "LIA-04: the ledger is frozen, so that this is put right in another snapshot only" in said
    assert command.run(("status", str(challenged.workspace.path))) == 0
    assert "the draft is failing" in capsys.readouterr().out


def test_sign_says_who_is_missing(attested: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    folder = attested.workspace.path.parent
    seen = []
    for name in (demo_steps.OFFICER, demo_steps.AUDITOR):
        key = demo_steps.key_file(folder, name)
        assert command.run(("sign", str(attested.workspace.path), attested.id, "--key", str(key))) == 0
        seen.append(capsys.readouterr().out.splitlines()[1:])
    place = f"{attested.workspace.path} {attested.id}"
    assert seen[0][-2:] == [
        f"still missing: 1 more of the role auditor ({demo_steps.AUDITOR})",
        f"next: reserveproof sign {place} --key FILE",
    ]
    assert seen[1] == ["signatures so far: 2", f"next: reserveproof publish {place}"]


@pytest.mark.parametrize(
    ("clients", "omitted", "checkers", "percent"),
    [
        (2, "1", "1", "50.0"),
        (60, "1", "6", "10.0"),
        (1_001, "11", "100", "68.7"),
        (100_000, "1,000", "100", "63.4"),
    ],
)
def test_the_chance_of_finding_an_omission_is_told_as_one(
    clients: int, omitted: str, checkers: str, percent: str
) -> None:
    first, second = omission_lines(clients)
    assert "by chance only" in first
    assert second == (
        f"  if 1 % of {clients:,} clients ({omitted}) were left out and {checkers} picked at random checked, "
        f"at least one would notice in {percent} % of cases"
    )


def test_one_client_makes_no_chance() -> None:
    assert list(omission_lines(1)) == []


def test_the_report_counts_the_clients_of_the_ledger(challenged: Snapshot) -> None:
    report = "\n".join(report_lines(demo_steps.attest(challenged)))
    assert f"of {challenged.ledger().clients:,} clients" in report

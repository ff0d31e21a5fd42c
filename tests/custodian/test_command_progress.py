"""Progress is for a person at a terminal: one line on stderr, and nothing anywhere else."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from reserveproof.custodian import command_output
from reserveproof.custodian.command_progress import Bars, short
from reserveproof.custodian.progress import SILENT


def drawn(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_stage_says_how_much_is_done_of_what() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    with Bars("taking the ledger", console) as bars:
        with bars.stage("reading ledger.csv", 8_000_000, "bytes") as advance:
            advance(2_000_000)
        with bars.stage("looking for doubles", 0, ""):
            pass
    text = drawn(console)
    for words in ("taking the ledger", "reading ledger.csv", "% of 8.0 M bytes", "looking for doubles"):
        assert words in text


def test_an_error_in_a_stage_is_not_swallowed() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with pytest.raises(ValueError, match="wrong"), Bars("work", console) as bars, bars.stage("stage", 1, "lines"):
        raise ValueError("wrong")


def test_nothing_is_shown_where_stderr_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with command_output.working("work") as progress:
        assert progress is SILENT
        with progress.stage("stage", 10, "lines") as advance:
            advance(10)
    assert capfd.readouterr() == ("", "")


def test_a_terminal_gets_it_on_stderr(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with command_output.working("work") as progress:
        assert isinstance(progress, Bars)
        with progress.stage("stage", 10, "lines") as advance:
            advance(10)
    said = capsys.readouterr()
    assert said.out == ""


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1000, "1.0 k"), (682_864_000, "682.9 M"), (2e9, "2.0 G")]
)
def test_numbers_are_short(number: float, text: str) -> None:
    assert short(number) == text

"""`reserveproof` as its users run it: exit status, one or two lines of error, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reserveproof.custodian import atomic_files, command, command_output, command_snapshot, publish
from reserveproof.format.errors import TransportError
from workspace_maker import ACCOUNTS, CONFIG, HEADER, LEDGER, ledger_in

SIGNER = """
[[signers]]
name = "Jane Example"
role = "officer"
keys = ["{}"]
"""
OPEN = ("open", "w", "--as-of", "2026-06-30T00:00:00Z", "--id", "s1")


class Custodian:
    """A folder in which commands are run. said: stdout of the last one; errors: the lines of its stderr."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.said, self.errors = "", [""]

    def run(self, *arguments: str) -> int:
        status = command.run(arguments)
        self.said, errors = self.capsys.readouterr()
        self.errors = errors.splitlines()
        assert "Traceback" not in errors
        if status not in (0, 130):
            assert self.errors[-1 - self.errors[-1].startswith("hint: ")].startswith("reserveproof: error: ")
        return status

    def ok(self, *arguments: str) -> str:
        assert self.run(*arguments) == 0, self.errors
        return self.said

    def with_config(self, text: str = CONFIG) -> None:
        (self.folder / "w" / "custodian.toml").write_text(text)


@pytest.fixture
def custodian(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Custodian:
    monkeypatch.chdir(tmp_path)
    return Custodian(tmp_path, capsys)


@pytest.fixture
def ready(custodian: Custodian) -> Custodian:
    """A workspace with the snapshot s1 opened, and a ledger beside it."""
    custodian.ok("init", "w")
    custodian.with_config()
    custodian.ok(*OPEN)
    ledger_in(custodian.folder)
    ledger_in(custodian.folder, ACCOUNTS, "accounts.csv")
    return custodian


def test_help_names_every_command_in_order_of_life(custodian: Custodian) -> None:
    text = custodian.ok("--help")
    at = [text.index(f"\n  {name} ") for name in command.ORDER if name not in ("key", "log")]
    assert at == sorted(at)
    assert "\n  log " in text and "\n  key " in text  # groups stand below the commands
    for name in command.ORDER:
        assert "Usage: reserveproof" in custodian.ok(name, "--help")


def test_version(custodian: Custodian) -> None:
    assert custodian.ok("version").startswith("reserveproof 0.")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("init",),
        ("init", "a", "b"),
        ("open", "w"),
        ("status", "w", "--xml"),
        ("snapshot", "w", "s1", "--ledger", "not-there.csv"),
        ("key",),
        ("key", "nonsense"),
    ],
)
def test_usage_errors_exit_2(custodian: Custodian, arguments: tuple[str, ...]) -> None:
    assert command.run(arguments) == 2
    assert "Traceback" not in custodian.capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("key",)])
def test_without_a_command_the_help_is_printed_in_its_lines(custodian: Custodian, arguments: tuple[str, ...]) -> None:
    assert command.run(arguments) == 2
    out, err = custodian.capsys.readouterr()
    assert out == "" and "error:" not in err
    custodian.ok(*arguments, "--help")
    assert err.split() == custodian.said.split()
    assert len(err.splitlines()) > 8


def test_a_quoted_answer_keeps_its_lines(custodian: Custodian) -> None:
    error = publish.RefusedByVerifierError(5, "  first\n  second \x1b")
    command_output.explain(error.message, hint=error.hint)
    assert custodian.capsys.readouterr().err.splitlines() == [
        "reserveproof: error: the verifier refused the bundle with exit status 5:",
        "  first",
        "  second \x1b",
        "hint: nothing was published; put right what it names",
    ]


def test_non_ascii_is_shown_with_one_backslash(ready: Custodian) -> None:
    (ready.folder / "bad.csv").write_text(LEDGER.replace("alice,", "alic\u00e9,"), encoding="utf-8")
    assert ready.run("snapshot", "w", "s1", "--ledger", "bad.csv") == 4
    assert "'alic\\xe9'" in ready.errors[0]


def test_a_step_too_early_is_told_the_step_that_comes_next(ready: Custodian) -> None:
    assert ready.run("publish", "w", "s1") == 2
    assert ready.errors == [
        "reserveproof: error: snapshot s1 is opened, and this needs it to be signed",
        "hint: first: reserveproof snapshot w s1 --ledger FILE",
    ]


def test_the_first_steps(ready: Custodian) -> None:
    assert "opened" in ready.ok("status", "w")
    said = ready.ok("snapshot", "w", "s1", "--ledger", "ledger.csv", "--accounts", "accounts.csv")
    assert "client-trust BTC: 1.9 owed to 2 holders, debits of 2.5 apart (4 leaves, depth 3)" in said
    assert "fewer than 5 holders" in said
    assert "--control-totals was not given" in said
    assert said.splitlines()[-1] == "next: reserveproof challenge w s1"
    assert ready.run("snapshot", "w", "s1", "--ledger", "ledger.csv") == 2
    assert "already given its ledger" in ready.errors[0]


def test_status_as_one_document(ready: Custodian) -> None:
    found = json.loads(ready.ok("status", "w", "--json"))
    assert found["snapshots"][0] == {
        "as_of": "2026-06-30T00:00:00Z", "id": "s1", "next": "reserveproof snapshot w s1 --ledger FILE", "note": "",
        "problem": "", "sequence": "", "state": "opened",
    }  # fmt: skip


def test_the_default_id_is_the_day(custodian: Custodian) -> None:
    custodian.ok("init", "w")
    assert "opened 2026-06-30 " in custodian.ok("open", "w", "--as-of", "2026-06-30T00:00:00Z")
    assert custodian.run("open", "w", "--as-of", "2026-06-30T12:00:00Z") == 2
    assert custodian.errors == [
        "reserveproof: error: snapshot 2026-06-30 exists; an id is never used twice",
        "hint: give another with --id",
    ]


@pytest.mark.parametrize("time", ["2026-06-30", "2999-01-01T00:00:00Z", "", "yesterday"])
def test_open_needs_a_past_instant(custodian: Custodian, time: str) -> None:
    custodian.ok("init", "w")
    assert custodian.run("open", "w", "--as-of", time) == 2
    assert list((custodian.folder / "w" / "snapshots").iterdir()) == []


def test_two_snapshots_have_two_keys(ready: Custodian) -> None:
    ready.ok("open", "w", "--as-of", "2026-06-30T00:00:00Z", "--id", "s2")
    keys = {path.read_bytes() for path in (ready.folder / "w").rglob("snapshot.key")}
    assert len(keys) == 2
    assert not any(key.strip().decode() in ready.said for key in keys)


def test_exit_status_is_the_errors_class(ready: Custodian) -> None:
    ready.with_config("format = 2")
    assert ready.run("check", "w") == 4
    assert ready.errors[0].startswith("reserveproof: error: w/custodian.toml: ")
    ready.with_config()
    assert ready.run("status", "elsewhere") == 2
    assert ready.run("prove", "w", "s1", "alice") == 2
    assert ready.run("prove", "w", "s9", "alice") == 2
    assert ready.errors[-1] == "hint: snapshots here: s1"
    (ready.folder / "w" / "snapshots" / "s1" / "snapshot.key").chmod(0o644)
    assert ready.run("snapshot", "w", "s1", "--ledger", "ledger.csv") == 4
    assert "chmod 600" in ready.errors[-1]


def test_a_bad_ledger_names_its_row(ready: Custodian) -> None:
    ledger_in(ready.folder, LEDGER.replace("0.6", "+0.6"), "bad.csv")
    assert ready.run("snapshot", "w", "s1", "--ledger", "bad.csv") == 4
    assert ready.errors[0].startswith("reserveproof: error: bad.csv, row 2, column credit: '+0.6' ")
    assert json.loads(ready.ok("status", "w", "--json"))["snapshots"][0]["state"] == "opened"


def test_check_names_every_problem(ready: Custodian) -> None:
    bad = HEADER + "a,client-trust,BTC,available,1e5,0,\nb,client-trust,XRP,available,1,0,\n"
    ledger_in(ready.folder, bad, "bad.csv")
    assert ready.run("check", "w", "s1", "--ledger", "bad.csv") == 4
    text = "\n".join(ready.errors)
    for part in ("has no signers", "register.csv", "anchors.csv", "bad.csv, row 2", "bad.csv, row 3"):
        assert part in text
    key = ready.ok("key", "new", "officer.pem").strip()
    ready.with_config(CONFIG + SIGNER.format(key))
    said = ready.ok("check", "w", "--ledger", "ledger.csv", "--accounts", "accounts.csv")
    assert said.splitlines()[-1] == "ledger: ok"
    assert "not checked" in ready.ok("check", "w")
    assert ready.run("check", "w", "--accounts", "accounts.csv") == 2
    assert not [path for path in (ready.folder / "w").iterdir() if path.name.startswith(".tmp-")]


def test_a_finding_stops_the_snapshot_until_it_is_accepted(ready: Custodian) -> None:
    key = ready.ok("key", "new", "officer.pem").strip()
    ready.with_config(CONFIG + SIGNER.format(key))
    ledger_in(ready.folder, "pool,asset,credit\nclient-trust,BTC,1.9\nclient-trust,USD,12.35\n", "totals.csv")
    given = ("--ledger", "ledger.csv", "--accounts", "accounts.csv", "--control-totals", "totals.csv")
    assert ready.run("check", "w", *given) == 4
    assert "rule LIA-04" in ready.errors[0]
    assert ready.run("snapshot", "w", "s1", *given) == 4
    assert ready.errors[0].startswith("reserveproof: totals.csv: client-trust USD: lines sum to 1234, ")
    assert "nothing was frozen" in ready.errors[1] and "--accept-findings" in ready.errors[2]
    assert json.loads(ready.ok("status", "w", "--json"))["snapshots"][0]["state"] == "opened"
    assert "client-trust USD" in ready.ok("snapshot", "w", "s1", *given, "--accept-findings")
    assert ready.errors[0].startswith("reserveproof: totals.csv: client-trust USD: ")
    assert "will say that it fails" in ready.errors[-1]
    ready.ok("open", "w", "--as-of", "2026-07-01T00:00:00Z", "--id", "s2")
    said = ready.ok("snapshot", "w", "s2", "--ledger", "ledger.csv")
    assert "--previous was not given: clients who are gone since s1 were not looked for" in said
    ledger_in(ready.folder, LEDGER.replace("bob", "rob"), "next.csv")
    assert ready.run("check", "w", "--ledger", "next.csv", "--previous", "s1") == 4
    assert "in the previous extract, not in this one: bob" in ready.errors[0]
    assert ready.run("check", "w", "--previous", "s1") == 2


def test_a_ledger_from_a_database(ready: Custodian) -> None:
    import sqlite3

    base = sqlite3.connect(ready.folder / "books.db")
    columns = ("client_id", "pool", "asset", "bucket", "credit", "debit", "code")
    base.execute("CREATE TABLE l (" + ", ".join(f"{column} TEXT" for column in columns) + ")")
    base.execute("INSERT INTO l VALUES ('alice', 'client-trust', 'BTC', 'available', '1.25', '0', '')")
    base.commit()
    base.close()
    (ready.folder / "q.sql").write_text(
        "SELECT client_id, pool, asset, bucket, credit, debit, code AS client_code FROM l"
    )
    (ready.folder / "connection").write_text(str(ready.folder / "books.db"))
    (ready.folder / "connection").chmod(0o600)
    given = ("--query", "q.sql", "--connection-file", "connection")
    assert ready.run("snapshot", "w", "s1", *given) == 2
    assert "--driver" in ready.errors[0]
    assert ready.run("snapshot", "w", "s1", "--driver", "sqlite") == 2
    assert ready.run("snapshot", "w", "s1") == 2
    said = ready.ok("snapshot", "w", "s1", *given, "--driver", "sqlite")
    assert "client-trust BTC: 1.25 owed to 1 holders" in said


def test_policy(ready: Custodian) -> None:
    assert ready.run("policy", "w") == 4
    key = ready.ok("key", "new", "officer.pem").strip()
    ready.with_config(CONFIG + SIGNER.format(key))
    ready.ok("policy", "w")
    assert key in (ready.folder / "w" / "policy.toml").read_text()


def test_keys(custodian: Custodian) -> None:
    text = custodian.ok("key", "new", "k").strip()
    assert custodian.ok("key", "show", "k").strip() == text
    assert custodian.run("key", "new", "k") == 2
    assert custodian.run("key", "new", "none/k") == 6
    assert custodian.run("key", "show", "none") == 6
    (custodian.folder / "k").chmod(0o644)
    assert custodian.run("key", "show", "k") == 4


def test_a_locked_workspace_is_transport(ready: Custodian) -> None:
    with atomic_files.locked(ready.folder / "w"):
        assert ready.run("snapshot", "w", "s1", "--ledger", "ledger.csv") == 6
    assert ready.errors == [
        "reserveproof: error: another run is at work in w", "hint: wait until it has ended",
    ]  # fmt: skip


def test_an_interrupt_exits_130(ready: Custodian, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_snapshot, "take_ledger", interrupted)
    assert ready.run("snapshot", "w", "s1", "--ledger", "ledger.csv") == 130
    assert ready.errors == []


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), TransportError("the disk is full"), PermissionError(13, "no")]
)
def test_a_full_disk_exits_6(ready: Custodian, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def full(*_: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(command_snapshot, "take_ledger", full)
    assert ready.run("snapshot", "w", "s1", "--ledger", "ledger.csv") == 6


def test_our_own_fault_is_not_hidden(ready: Custodian, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object, **_more: object) -> None:
        raise RuntimeError("our own fault")

    monkeypatch.setattr(command_snapshot, "take_ledger", wrong)
    with pytest.raises(RuntimeError):
        command.run(("snapshot", "w", "s1", "--ledger", "ledger.csv"))


def started(*arguments: str, cwd: Path, **more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "reserveproof.custodian", *arguments], cwd=cwd, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, **more,  # type: ignore[call-overload]
    )  # fmt: skip


def test_without_the_extra_one_line_and_2(tmp_path: Path) -> None:
    for module in ("typer", "duckdb"):
        (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError('none', name={module!r})")
        arguments = ("--help",) if module == "typer" else ("snapshot", "w", "s1", "--ledger", "ledger.csv")
        if module == "duckdb":
            (tmp_path / "typer.py").unlink()
            for step in (("init", "w"), OPEN):
                process = started(*step, cwd=tmp_path)
                assert process.communicate()[1] == ""
            ledger_in(tmp_path)
        process = started(*arguments, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)})
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (2, "")
        assert err.count("\n") == 1
        assert f"the module {module} is missing; install 'reserveproof[custodian]'" in err


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from reserveproof.custodian.command import application; import typer; "
        "typer.main.get_command(application()); "
        "print([m for m in ('duckdb', 'pyarrow', 'numpy', 'rich', 'coincurve') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_reader_that_has_gone_is_no_traceback(tmp_path: Path) -> None:
    process = started("--help", cwd=tmp_path)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(60)


def test_a_signal_leaves_nothing_behind(tmp_path: Path) -> None:
    lines = "".join(f"c{n:06},client-trust,BTC,available,{n},0,\n" for n in range(60_000))
    for step in (("init", "w"), OPEN):
        started(*step, cwd=tmp_path).communicate()
    ledger_in(tmp_path, HEADER + lines)
    folder = tmp_path / "w" / "snapshots" / "s1"
    before = sorted(path.name for path in folder.iterdir())
    # A shell starts its background jobs with SIGINT ignored, and children inherit that; a person's terminal does not.
    was = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = started("snapshot", "w", "s1", "--ledger", "ledger.csv", cwd=tmp_path)
    signal.signal(signal.SIGINT, was)
    while process.poll() is None and not any(path.name.startswith(".tmp-") for path in folder.iterdir()):
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == ""
    assert sorted(path.name for path in folder.iterdir()) == before


def test_what_libraries_write_is_private_too(ready: Custodian, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []
    before = os.umask(0o022)
    try:
        monkeypatch.setattr(command_snapshot, "take_ledger", lambda *_, **_more: found.append(os.umask(0o077)))
        with pytest.raises(AttributeError):
            command.run(("snapshot", "w", "s1", "--ledger", "ledger.csv"))
        assert found == [0o077]
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)

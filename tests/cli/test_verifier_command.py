"""`reserveproof-verify` as its users run it: exit status, last line, one JSON document, no trace of secrets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reserveproof.verifier import command

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


class Case:
    """A client vector as files, and the arguments that check it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.case = json.loads((VECTORS / "client" / f"{name}.json").read_text("utf-8"))
        self.folder = folder
        self.claims = self.case["claims"]
        lines = [f'client_id = "{self.claims["client_id"]}"', f'client_code = "{self.claims["client_code"]}"']
        lines.append(f"dedicated = {json.dumps(self.claims['dedicated'])}")
        for balance in self.claims["balances"]:
            lines += ["[[balances]]", *(f'{key} = "{value}"' for key, value in balance.items() if value)]
        self.write("proof.json", self.case["proof"])
        self.write("policy.toml", self.case["policy"])
        self.write("claims.toml", "\n".join(lines))

    def write(self, name, text):
        (self.folder / name).write_text(text, "utf-8")

    def aged(self):
        """The policy, but for statements of the last day only."""
        return re.sub(r"max_age_days = \d+", "max_age_days = 1", self.case["policy"])

    def arguments(self, *more):
        base = ["client", "proof.json", "--policy", "policy.toml", "--at", self.case["at"]]
        return [*base, *more]


@pytest.fixture
def plain(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Case(tmp_path, "plain")


def test_success_is_the_last_line(plain, capsys):
    assert command.run(plain.arguments("--claims", "claims.toml")) == 0
    out, err = capsys.readouterr()
    assert out.rstrip().splitlines()[-1].startswith("passed: ")
    assert "Not checked:" in out
    assert err == ""


def test_json_is_one_document_and_exit_status_is_in_it(plain, capsys):
    assert command.run(plain.arguments("--claims", "claims.toml", "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["class"] == "passed"
    assert [step["number"] for step in document["steps"]] == list(range(1, 13))
    assert document["not_checked"]


def test_failure_says_step_expected_found_and_what_to_do(plain, capsys):
    plain.write("claims.toml", (plain.folder / "claims.toml").read_text().replace('amount = "', 'amount = "9', 1))
    assert command.run(plain.arguments("--claims", "claims.toml")) == 3
    out, err = capsys.readouterr()
    assert "passed:" not in out
    assert err.startswith("reserveproof-verify: error: step 7: ")
    for word in ("expected:", "found:", "hint:", "included, but with"):
        assert word in err
    assert err.rstrip().endswith("failed (amount-differs)")


@pytest.mark.parametrize("wrong", [False, True])
def test_shareable_and_receipt_hold_no_id_code_balance_or_blind(plain, capsys, wrong):
    if wrong:
        plain.write("policy.toml", plain.aged())
    status = command.run(plain.arguments("--claims", "claims.toml", "--receipt", "receipt.json", "--shareable"))
    assert status == (5 if wrong else 0)
    texts = [capsys.readouterr().out]
    if not wrong:
        receipt = plain.folder / "receipt.json"
        assert receipt.stat().st_mode & 0o777 == 0o600
        texts.append(receipt.read_text())
    else:
        assert not (plain.folder / "receipt.json").exists()
    proof = json.loads(plain.case["proof"])
    secrets = [plain.claims["client_id"], plain.claims["client_code"]]
    for line in proof["lines"]:
        secrets += [line["blind"], *(b["credit"] for b in line["buckets"] if len(b["credit"]) > 4)]
        secrets += [node[0] for node in line["path"]]
    secrets += [balance["amount"] for balance in plain.claims["balances"]]
    for text in texts:
        json.loads(text)
        assert not [secret for secret in secrets if secret and secret in text]


def test_state_is_kept_only_after_success(plain, capsys):
    plain.write("bad.toml", plain.aged())
    base = plain.arguments("--claims", "claims.toml", "--state", "state.json")
    refused = [a if a != "policy.toml" else "bad.toml" for a in base]
    assert command.run(refused) == 5
    assert not (plain.folder / "state.json").exists()
    assert command.run(base) == 0
    first = (plain.folder / "state.json").read_bytes()
    assert (plain.folder / "state.json").stat().st_mode & 0o777 == 0o600
    assert command.run(refused) == 5
    assert (plain.folder / "state.json").read_bytes() == first
    assert command.run(base) == 0
    assert "this is the first one seen" not in capsys.readouterr().out.split("Steps:")[-1]


def test_prompts_ask_the_same_whatever_the_file_holds(plain, capsys, monkeypatch, tmp_path):
    answers = [plain.claims["client_id"], plain.claims["client_code"]]
    for balance in plain.claims["balances"]:
        answers += [balance["asset"], "no Pool!", balance["pool"], "1e5", balance["amount"], balance["debit"]]
    answers += ["", "", ""]
    (tmp_path / "answers").write_text("\n".join(answers) + "\n")
    questions = []
    for proof in (plain.case["proof"], "not a proof at all"):
        plain.write("proof.json", proof)
        with (tmp_path / "answers").open() as source:
            monkeypatch.setattr(sys, "stdin", source)
            status = command.run(plain.arguments())
        assert status == (0 if proof == plain.case["proof"] else 4)
        questions.append(capsys.readouterr().err.split("reserveproof-verify: error")[0].strip())
    assert questions[0] == questions[1]


def test_prompts_that_end_early_are_no_verdict(plain, capsys, monkeypatch):
    with Path(os.devnull).open() as source:
        monkeypatch.setattr(sys, "stdin", source)
        assert command.run(plain.arguments()) == 2


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["client", "nowhere.json", "--policy", "policy.toml", "--claims", "claims.toml"], 6),
        (["client", "proof.json", "--policy", "nowhere.toml", "--claims", "claims.toml"], 6),
        (["client", "proof.json", "--policy", "proof.json", "--claims", "claims.toml"], 4),
        (["client", "proof.json", "--policy", "policy.toml", "--claims", "policy.toml"], 2),
        (["client", "policy.toml", "--policy", "policy.toml", "--claims", "claims.toml"], 4),
        (["client", "proof.json", "--policy", "policy.toml", "--claims", "claims.toml", "--at", "tomorrow"], 2),
        (["public", "nowhere", "--policy", "policy.toml"], 6),
        (["public", ".", "--policy", "policy.toml"], 4),
        (["public", ".", "--policy", "policy.toml", "--digest", "abc"], 2),
        (["compare", "proof.json", "proof.json", "--policy", "policy.toml"], 4),
        (["policy", "nowhere.toml"], 6),
    ],
)
def test_refusals_are_short_and_have_their_status(plain, capsys, arguments, status):
    assert command.run(arguments) == status
    out, err = capsys.readouterr()
    assert "passed" not in out
    assert err.startswith("reserveproof-verify: error: ")
    assert len(err.splitlines()) <= 6
    assert command.run([*arguments, "--json"]) == status
    out, err = capsys.readouterr()
    assert json.loads(out)["exit_status"] == status
    assert err == ""


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["client"], ["client", "p"], ["policy"], ["compare", "a"]])
def test_usage_errors_are_two(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.run(arguments)
    assert stopped.value.code == 2


def test_policy_says_what_it_demands(plain, capsys):
    assert command.run(["policy", "policy.toml"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"\n  [A-Z2-7]{4}(-[A-Z2-7]{4}){4}\n$", text)
    for words in ("signed by", "Days old", "Reserves:", "Publication:"):
        assert words in text


def test_code_is_strong_and_new_each_time(capsys):
    codes = set()
    for _ in range(20):
        assert command.run(["code"]) == 0
        codes.add(capsys.readouterr().out.strip())
    assert len(codes) == 20
    assert all(re.fullmatch("[A-Z2-7]{20}", code) for code in codes)


def test_a_fault_of_our_own_is_one_line_and_no_verdict(plain):
    program = (
        "import sys, reserveproof.verifier.command as c\n"
        "def broken(*a, **k): raise ZeroDivisionError('inside')\n"
        "c.check_client = broken\nsys.argv[1:] = " + repr(plain.arguments("--claims", "claims.toml")) + "\nc.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=plain.folder)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no verdict" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_output_is_not_success(plain):
    """A verdict that nobody could read is not one that was given."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "reserveproof.verifier", *plain.arguments("--claims", "claims.toml")],
        stdout=write, stderr=subprocess.PIPE, text=True, cwd=plain.folder,
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 6
    assert "Traceback" not in done.stderr

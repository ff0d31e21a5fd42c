"""README.md cannot rot: its help text and its exit statuses are the program's and the specification's.

COLUMNS is fixed, since argparse fits its text to the terminal.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from reserveproof.verifier.report import CLASSES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_help_is_the_programs():
    shown = re.search(r"<!-- help: reserveproof-verify -->\n```\n(.*?)```\n<!-- end -->", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-m", "reserveproof.verifier", "--help"],
        capture_output=True, text=True, check=True, env={"COLUMNS": "100"},
    )  # fmt: skip
    assert shown is not None
    assert shown.group(1) == done.stdout


def exit_table(text):
    return re.findall(r"^\| ([0-6]) \| ([a-z]+) \| (.+) \|$", text, re.MULTILINE)


def test_exit_statuses_are_the_specifications_and_the_programs():
    spec = (ROOT / "docs" / "spec" / "verification.md").read_text("utf-8")
    assert exit_table(README) == exit_table(spec)
    assert {int(status): name for status, name, _ in exit_table(README)} == CLASSES


def test_the_two_commands_are_make_targets():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^    make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_resolve():
    for link in re.findall(r"\]\(([^)#]+)", README):
        assert (ROOT / link).exists(), link

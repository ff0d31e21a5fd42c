"""Documentation is held to the code: help texts, exit statuses, links, words, tables and the tutorials themselves.

`python tests/test_docs.py` writes the generated parts of docs/reference/commands.md and the outputs in docs/tutorial;
the tests compare them.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import reserveproof
from reserveproof.format import errors
from reserveproof.segregation import RULES, detection_chance
from reserveproof.verifier import report
from reserveproof.verifier.command import build_parser
from reserveproof.witness.command import build_parser as build_witness_parser

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md"])
COMMANDS = DOCS / "reference" / "commands.md"
EXIT_CODES = DOCS / "reference" / "exit-codes.md"
TUTORIALS = [DOCS / "tutorial" / f"{name}.md" for name in ("custodian", "client", "auditor", "log")]

MARK = "<!-- generated: {} -->\n"
END = "<!-- end -->"

FORBIDDEN = re.compile(
    r"\b(audited|certified|guarantee[ds]|safe(?!-pysha3)|solvent|insured|bankruptcy.proof|regulator.approved|real.time)\b",
    re.I,
)


# -- The two commands --------------------------------------------------------------------------------------------


def _table(rows: list[tuple[str, str]]) -> list[str]:
    if not rows:
        return []
    return ["| argument or option | |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in rows), ""]


def verifier_reference() -> str:
    """Every command and option of the verifier, from its parser."""
    return parser_reference("reserveproof-verify", build_parser())


def witness_reference() -> str:
    """Every command and option of the witness, from its parser."""
    return parser_reference("reserveproof-witness", build_witness_parser())


def parser_reference(program: str, whole: argparse.ArgumentParser) -> str:
    (commands,) = (a for a in whole._actions if isinstance(a, argparse._SubParsersAction))
    lines: list[str] = []
    for name, parser in commands.choices.items():
        actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
        positional = " ".join(str(action.metavar) for action in actions if not action.option_strings)
        lines += [f"### `{f'{program} {name} {positional}'.rstrip()}`", "", _sentence(parser.description), ""]
        rows = []
        for action in actions:
            value = f" {action.metavar}" if action.metavar and action.option_strings else ""
            if action.nargs == "+":
                value += f" [{action.metavar} ...]"
            text = action.help or {"policy": "the policy", "compare": "the other one"}.get(name, "the bundle's folder")
            text += " (required)" if action.required and action.option_strings else ""
            text += " (may be given again)" if isinstance(action, argparse._AppendAction) else ""
            rows.append((f"{action.option_strings[0] if action.option_strings else action.metavar}{value}", text))
        lines += _table(rows)
    return "\n".join(lines)


def custodian_reference() -> str:
    """Every command and option of the custodian, from its application."""
    import typer

    from reserveproof.custodian.command import application

    def walk(command: object, path: str) -> Iterator[str]:
        inner = getattr(command, "commands", None)
        if inner is not None:
            for name, below in inner.items():
                yield from walk(below, f"{path} {name}")
            return
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option"]
        yield f"### `{' '.join([path, *(p.metavar for p in arguments)])}`"
        yield ""
        yield from (" ".join(part.split()) + "\n" for part in command.help.split("\n\n"))
        rows = [(p.metavar, p.help or "") for p in arguments]
        rows += [(f"{p.opts[0]}{'' if p.is_flag else ' ' + p.metavar}", _option_help(p)) for p in options]
        yield from _table(rows)

    return "\n".join(walk(typer.main.get_command(application()), "reserveproof"))


def _option_help(option: object) -> str:
    text = str(option.help or "").strip()
    return text + (" (required)" if option.required else "") + (" (may be given again)" if option.multiple else "")


def _sentence(text: str | None) -> str:
    words = text or ""
    return words[:1].upper() + words[1:] + "."


GENERATED = {
    "reserveproof": custodian_reference,
    "reserveproof-verify": verifier_reference,
    "reserveproof-witness": witness_reference,
}


@pytest.mark.parametrize("program", GENERATED)
def test_commands_page_is_what_the_programs_say(program: str) -> None:
    assert MARK.format(program) + "\n" + GENERATED[program]() in COMMANDS.read_text("utf-8")


def test_every_command_is_on_its_page() -> None:
    """The page is generated per command; this looks at the programs as a user does."""
    text = COMMANDS.read_text("utf-8")
    for module, program in (("verifier", "reserveproof-verify"), ("custodian", "reserveproof")):
        shown = subprocess.run(
            [sys.executable, "-m", f"reserveproof.{module}", "--help"], capture_output=True, text=True, check=True
        ).stdout
        names = re.findall(r"^ {2,4}([a-z]+) {2,}\S", shown, re.M)
        assert len(names) > 5
        for name in names:
            assert f"`{program} {name}" in text, name


# -- Exit statuses -----------------------------------------------------------------------------------------------


def _rows(text: str) -> dict[int, str]:
    """Status to class, from a table that begins with these two columns."""
    return {int(status): word for status, word in re.findall(r"^\| (\d+) \| (\w+) \|", text, re.M)}


def test_exit_statuses_are_the_same_everywhere() -> None:
    page = {status: word for status, word in _rows(EXIT_CODES.read_text("utf-8")).items() if status != 130}
    assert page == report.CLASSES
    assert _rows((DOCS / "spec" / "verification.md").read_text("utf-8")) == report.CLASSES


def test_exit_statuses_are_those_of_the_errors() -> None:
    text = EXIT_CODES.read_text("utf-8")
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.ReserveProofError)]
    assert len(classes) > 5
    for error in classes:
        row = next(line for line in text.splitlines() if line.startswith(f"| {error.exit_status} |"))
        assert f"`{error.__name__}`" in row
        assert error.exit_status in report.CLASSES
    assert set(report.CLASSES) == {0} | {error.exit_status for error in classes}


# -- Links and paths ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_resolve(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text("utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_paths_and_cases_that_are_named_exist(page: Path) -> None:
    for code in re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)):
        if re.fullmatch(r"(?:src|tests|docs|vectors)/[\w./-]+", code):
            assert (ROOT / code).exists(), f"{page.name} names {code}"
        elif re.fullmatch(r"(?:client|public)/[a-z0-9-]+", code):
            assert (ROOT / "vectors" / f"{code}.json").is_file(), f"{page.name} names the case {code}"
        elif re.fullmatch(r"(?:format|segregation|chains|verifier|custodian)/[\w/]+\.py", code):
            assert (ROOT / "src" / "reserveproof" / code).is_file(), f"{page.name} names {code}"


def test_rules_that_are_named_exist() -> None:
    for page in PAGES:
        for name in re.findall(r"\b(?:SEG|COV|LIA|ENC|EVI|PRV)-\d\d\b", page.read_text("utf-8")):
            assert name in RULES, f"{page.name} names {name}"


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).as_posix()
        if name == "README.md" or (name.startswith("spec/") and name != "spec/README.md"):
            continue  # the specification has an index of its own
        assert f"]({name})" in index, name


def test_decisions_are_numbered_without_gap() -> None:
    names = sorted(page.name for page in (DOCS / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for name in names:
        text = (DOCS / "decisions" / name).read_text("utf-8")
        assert re.findall(r"^## (.*)$", text, re.M) == ["Context", "Decision", "Consequences"], name
        assert len(text.split()) < 450, name  # one page


# -- Words -------------------------------------------------------------------------------------------------------


def _strings(path: Path) -> Iterator[str]:
    """Every string of a module that can reach a reader: all but docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    quiet = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quiet:
            yield node.value


REPORTING = (
    "verifier/report.py", "verifier/command.py", "verifier/client.py", "verifier/public.py", "verifier/audit.py",
    "verifier/dedicated.py", "verifier/statement_steps.py", "verifier/register_steps.py", "verifier/compare.py",
    "custodian/attest_report.py", "custodian/audit_pack.py", "custodian/challenge_kit.py",
)  # fmt: skip


@pytest.mark.parametrize("module", REPORTING)
def test_reports_promise_nothing(module: str) -> None:
    for text in _strings(Path(reserveproof.__file__).parent / module):
        assert not FORBIDDEN.search(text), text


def test_documents_promise_nothing() -> None:
    for page in PAGES:
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
            # What `open` says of a key file is advice, no claim.
            promised = FORBIDDEN.search(line.replace("secret and safe", ""))
            assert not promised, f"{page.name}:{number}: {line}"


def test_every_limit_of_a_report_is_explained() -> None:
    said = " ".join((DOCS / "explanation" / "what-an-attestation-does-not-say.md").read_text("utf-8").split())
    for words in ("not an audit", "one instant", "ledger", "legal title", "borrowed", "as declared"):
        assert words in said


# -- Examples ----------------------------------------------------------------------------------------------------


def test_the_table_of_completeness_is_computed() -> None:
    text = (DOCS / "explanation" / "completeness.md").read_text("utf-8")
    assert detection_chance(10, 1, 5) == 0.5
    (program,) = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    (table,) = re.findall(r"^```text\n(.*?)^```", text, re.M | re.S)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == table


BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
MASKS = (
    (re.compile(r"\b(?:[A-Z2-7]{4}-){4}[A-Z2-7]{4}\b"), "FINGERPRINT"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"\bproof-first-[0-9a-f]{20}\b"), "PROOF"),
    (re.compile(r"^[A-Z2-7]{20}$", re.M), "CODE"),
)
"""What differs from run to run: keys, digests, days. Everything else is compared."""


def _masked(text: str) -> list[str]:
    for mask, word in MASKS:
        text = mask.sub(word, text)
    return [line.rstrip() for line in text.splitlines()]


def _agrees(shown: list[str], real: list[str]) -> bool:
    """Whether the real lines are those shown, where a line "…" stands for any number of lines."""
    if not shown:
        return not real
    if shown[0] == "…":
        return any(_agrees(shown[1:], real[cut:]) for cut in range(len(real) + 1))
    return bool(real) and shown[0] == real[0] and _agrees(shown[1:], real[1:])


def test_shortened_output() -> None:
    assert _agrees(["a", "…", "d"], ["a", "b", "c", "d"])
    assert _agrees(["a", "…"], ["a"])
    assert not _agrees(["a", "…", "d"], ["a", "b", "d", "e"])
    assert not _agrees(["a"], ["a", "b"])


@dataclass(frozen=True)
class Shown:
    """An `sh` block with the `text` block below it: where that stands in its page, and what was really printed."""

    page: Path
    start: int
    end: int
    text: str
    real: str

    def agrees(self) -> bool:
        return _agrees(_masked(self.text), _masked(self.real))


def run_tutorials(folder: Path) -> list[Shown]:
    """Run every `sh` block of the tutorials in one shell, in order, as a reader would who does them all."""
    script, wanted = [], []
    (folder / "desk").mkdir()
    for page in TUTORIALS:
        script.append(f"cd '{folder}/desk'")
        found = list(BLOCK.finditer(page.read_text("utf-8")))
        for block, below in zip(found, [*found[1:], None], strict=True):
            if block[1] != "sh":
                continue
            out = folder / f"{page.stem}-{block.start()}"
            script.append(f"{{\n{block[2]}}} > '{out}' 2>&1")
            if below is not None and below[1] == "text":
                wanted.append((page, below, out))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=environment, timeout=600, check=False)
    return [Shown(page, b.start(2), b.end(2), b[2], out.read_text("utf-8")) for page, b, out in wanted]


def test_tutorials_do_what_they_show(tmp_path: Path) -> None:
    blocks = run_tutorials(tmp_path)
    assert len(blocks) > 20
    wrong = [
        "\n".join(difflib.unified_diff(_masked(b.text), _masked(b.real), b.page.name, "printed", lineterm=""))
        for b in blocks
        if not b.agrees()
    ]
    assert not wrong, "\n".join(["what the tutorials show is not what the programs print", *wrong])


def write_tutorials() -> None:
    """Put what is really printed into the blocks that differ; those shortened with "…" are left to a person."""
    with tempfile.TemporaryDirectory() as folder:
        for block in reversed(run_tutorials(Path(folder))):
            if block.agrees():
                continue
            if "…" in block.text:
                print(f"{block.page.name}: put right by hand:\n{block.real}")
                continue
            text = block.page.read_text("utf-8")
            block.page.write_text(text[: block.start] + block.real + text[block.end :], "utf-8")


def write_commands() -> None:
    text = COMMANDS.read_text("utf-8")
    for program, make in GENERATED.items():
        mark = MARK.format(program)
        start = text.index(mark) + len(mark)
        text = text[:start] + "\n" + make() + "\n" + text[text.index(END, start) :]
    COMMANDS.write_text(text, "utf-8")


if __name__ == "__main__":
    write_commands()
    write_tutorials()

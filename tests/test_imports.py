"""Who may import whom, tried out: import-linter reads imports, it does not see importlib or a lazy one that runs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import reserveproof

PACKAGE = Path(reserveproof.__file__).parent
VECTORS = Path(__file__).resolve().parent.parent / "vectors"

BLOCK = """
import importlib.abc, sys
class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if any(name == b or name.startswith(b + ".") for b in BLOCKED):
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
sys.meta_path.insert(0, Blocked())
"""
EXTRAS = [
    "typer", "rich", "orjson", "duckdb", "pyarrow", "adbc_driver_manager", "coincurve", "sha3", "pymerkle",
    "reserveproof_kernel", "starlette", "uvicorn",
]  # fmt: skip


def run_blocked(blocked, code, *arguments):
    program = f"BLOCKED = {blocked!r}\n{BLOCK}\n{code}"
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60)


def test_client_needs_nothing_but_cryptography(tmp_path):
    """The base install verifies a client's proof: neither extras nor the custodian's package are importable."""
    case = json.loads((VECTORS / "client" / "plain.json").read_text("utf-8"))
    claims = case["claims"]
    lines = [f'client_id = "{claims["client_id"]}"', f'client_code = "{claims["client_code"]}"']
    for balance in claims["balances"]:
        lines += ["[[balances]]", *(f'{k} = "{v}"' for k, v in balance.items() if v)]
    for name, text in (
        ("proof.json", case["proof"]),
        ("policy.toml", case["policy"]),
        ("claims.toml", "\n".join(lines)),
    ):
        (tmp_path / name).write_text(text, "utf-8")
    arguments = [
        "client", str(tmp_path / "proof.json"), "--policy", str(tmp_path / "policy.toml"),
        "--claims", str(tmp_path / "claims.toml"), "--at", case["at"],
    ]  # fmt: skip
    done = run_blocked(
        [*EXTRAS, "reserveproof.custodian"],
        "import sys\nfrom reserveproof.verifier.command import run\nsys.exit(run(sys.argv[1:]))",
        *arguments,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("passed: ")


@pytest.mark.parametrize(
    ("package", "blocked"),
    [
        ("custodian", "verifier"), ("custodian", "witness"), ("verifier", "custodian"), ("verifier", "witness"),
        ("witness", "custodian"),
    ],
)  # fmt: skip
def test_sides_never_import_each_other(package, blocked):
    names = [
        "reserveproof." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in sorted((PACKAGE / package).rglob("*.py"))
        if path.stem not in ("__init__", "__main__", "http_form")  # that one needs the witness's extra
    ]
    assert names
    code = "import importlib\nfor name in " + repr(names) + ":\n    importlib.import_module(name)"
    done = run_blocked([f"reserveproof.{blocked}", *(EXTRAS if package == "witness" else ())], code)
    assert done.returncode == 0, done.stderr


def test_format_and_segregation_need_the_standard_library_only():
    code = "import reserveproof.segregation, reserveproof.format.statement, reserveproof.format.proof_file"
    done = run_blocked([*EXTRAS, "cryptography"], code)
    assert done.returncode == 0, done.stderr


def test_nothing_imports_a_command_module():
    """Command modules are the edge to clock, network and terminal: only they and `python -m` use one another."""
    for path in PACKAGE.rglob("*.py"):
        if path.stem.startswith("command") or path.stem == "__main__":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(alias.name for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                assert not name.split(".")[-1].startswith("command"), f"{path} imports {name}"


def test_no_check_is_an_assert():
    """`python -O` drops asserts, so none may judge anything in the package."""
    for path in PACKAGE.rglob("*.py"):
        asserts = [node.lineno for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Assert)]
        assert not asserts, f"{path} asserts at {asserts}"

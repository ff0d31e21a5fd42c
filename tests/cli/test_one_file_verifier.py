"""The one-file verifier: the same bytes each time, and a plain word where cryptography is missing."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def build(target: Path) -> Path:
    subprocess.run([sys.executable, ROOT / "packaging" / "build_verifier.py", target], check=True)
    return target


def test_the_same_sources_give_the_same_bytes(tmp_path):
    assert build(tmp_path / "a.pyz").read_bytes() == build(tmp_path / "b" / "c.pyz").read_bytes()


def test_it_holds_the_verifier_and_not_the_custodian(tmp_path):
    names = zipfile.ZipFile(build(tmp_path / "a.pyz")).namelist()
    assert "reserveproof/verifier/client.py" in names
    assert not [name for name in names if "custodian" in name]


def test_it_says_what_is_missing(tmp_path):
    program = (
        "import sys, runpy\n"
        "sys.modules['cryptography'] = None\n"
        f"sys.argv = ['reserveproof-verify', 'version']\nrunpy.run_path({str(build(tmp_path / 'a.pyz'))!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "cryptography" in done.stderr
    assert "Traceback" not in done.stderr

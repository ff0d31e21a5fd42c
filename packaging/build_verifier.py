"""Builds the verifier as one file that Python runs: format, segregation, chains and verifier, nothing else.

    python packaging/build_verifier.py dist/reserveproof-verify.pyz

The same sources give the same bytes. It needs Python 3.11 and `cryptography`; `public` and `audit` need the wallet
libraries beside it, as the package does.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"
PARTS = ("format", "segregation", "chains", "verifier")
MAIN = b"""import sys

try:
    from reserveproof.verifier.command import main
except ModuleNotFoundError as missing:
    if str(missing.name).partition(".")[0] != "cryptography":
        raise
    print("reserveproof-verify: error: this file needs the Python package cryptography, 48 or later", file=sys.stderr)
    print("hint: python3 -m pip install cryptography", file=sys.stderr)
    sys.exit(2)

main()
"""
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say; a build time would change the bytes


def build(target: Path) -> None:
    files = {"__main__.py": MAIN}
    package = SOURCE / "reserveproof"
    for path in [package / "__init__.py", *(p for part in PARTS for p in (package / part).rglob("*.py"))]:
        files[path.relative_to(SOURCE).as_posix()] = path.read_bytes()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        out.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(out, "w") as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, 9)
    target.chmod(0o755)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: build_verifier.py TARGET")
    build(Path(sys.argv[1]))

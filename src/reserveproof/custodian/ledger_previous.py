"""The extract of the snapshot before, judged in bulk: its bytes here, its rows in the working database."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..format.tables import EXTRACT_COLUMNS, read_extract
from .ledger_csv import opened
from .ledger_shape import PlainLines
from .progress import Progress

_BLOCK = 1 << 20
_HEADER = ("\t".join(EXTRACT_COLUMNS) + "\n").encode("ascii")


def scan_previous(path: Path, progress: Progress) -> tuple[str, int]:
    """SHA-256 and number of rows of an earlier extract whose every line has the shape of one.

    InputError, as read_extract raises it, names the first row that has not. The digest is to be compared with what
    was attested then.
    """
    digest, plain = hashlib.sha256(), PlainLines(len(EXTRACT_COLUMNS), b"\t", b"\n")
    lines, carry, sound = 0, b"", True
    with (
        opened(path) as stream,
        progress.stage(f"reading {path.name}", os.fstat(stream.fileno()).st_size, "bytes") as advance,
    ):
        sound = stream.read(len(_HEADER)) == _HEADER
        stream.seek(0)
        while sound and (block := stream.read(_BLOCK)):
            digest.update(block)
            advance(len(block))
            block = carry + block
            cut = block.rfind(b"\n") + 1
            count = plain.count(block[:cut])
            carry, lines, sound = block[cut:], lines + count, count > 0
    if not sound or carry or lines < 2:
        name_previous(path)
    return digest.hexdigest(), lines - 1


def name_previous(path: Path) -> None:
    """Refuse an earlier extract by its first row that is not such as are written, which is known to be there."""
    with opened(path) as stream:
        for _ in read_extract(stream, file=str(path)):
            pass
    # Two readers of one file disagree: a fault of ours, and nothing may be built on either.
    raise RuntimeError(f"rows of {path} were refused in bulk and accepted one by one")

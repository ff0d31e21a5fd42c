"""The bytes of a proof file, put together from ready parts: what proof_file.dump gives, at a tenth of its cost.

Canonical JSON whose members are known: they stand here in their order, and tests hold it against the format's own
writer.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..format import canonical_json, envelope
from ..format.envelope import Envelope
from ..format.proof_file import FORMAT, DedicatedPosition
from .client_book import BookLine


def line_text(pool: str, asset: str, blind: bytes, line: BookLine, path: bytes) -> bytes:
    """One line. pool and asset: in the forms of the format, which need no escape; path: proof_store.Inclusion.path."""
    buckets = ",".join(
        f'{{"bucket":{code},"credit":"{credit}","debit":"{debit}"}}' for code, credit, debit in line.buckets
    )
    head = f'{{"asset":"{asset}","blind":"{blind.hex()}","buckets":[{buckets}],"index":{line.rank},"path":'
    return b'%b%b,"pool":"%b"}' % (head.encode("ascii"), path, pool.encode("ascii"))


def positions_text(positions: Iterable[DedicatedPosition]) -> bytes:
    """The member `positions`, b"[]" for none."""
    return canonical_json.dump(
        [
            {
                "asset": item.asset,
                "blind": item.blind.hex(),
                "index": item.index,
                "path": [[digest.hex(), str(amount)] for digest, amount in item.path],
                "pool": item.pool,
                "position": item.position.to_json(),
                "tie_blind": item.tie_blind.hex(),
            }
            for item in positions
        ]
    )


class ProofText:
    """The parts that all proof files of one statement have in common. inline: whether the envelope is put into them.
    log: the member `log`, which needs no escape."""

    def __init__(self, sealed: Envelope, *, inline: bool, log: str = "") -> None:
        inside = b'"envelope":%b,' % canonical_json.dump(envelope.to_json(sealed)) if inline else b""
        self._head = b'{%b"format":%d,"lines":[' % (inside, FORMAT)
        self._log = log.encode("ascii")
        self._tail = b',"statement_sha256":"%b","timestamps":[]}' % sealed.payload_sha256.hex().encode("ascii")

    def proof(self, lines: Iterable[bytes], positions: bytes) -> bytes:
        """The file. lines: of line_text, by (pool, asset); positions: of positions_text."""
        return b'%b%b],"log":"%b","positions":%b%b' % (
            self._head, b",".join(lines), self._log, positions, self._tail,
        )  # fmt: skip

"""The log of the made-up custodian: seven earlier statements, the vectors' own, and newer ones; its checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from . import log
from .canonical_json import dump
from .conventions import H, seconds
from .made_up import NOW, PREVIOUS
from .policies import ORIGIN, witness_name
from .signers import LOG, WITNESSES, Key

SEEN = seconds(NOW) - 3600
"""When the witnesses cosigned."""
Signature = tuple[str, bytes]
"""Name, and key id with signature."""


def other_entry(sequence: int) -> bytes:
    """The entry of a statement of which nothing else is shown."""
    digest = PREVIOUS if sequence == 6 else H(b"payload %d" % sequence).hex()
    return dump(
        {
            "as_of": f"20{10 + sequence}-03-31T00:00:00Z",
            "custodian": "acme-custody",
            "payload_sha256": digest,
            "previous": H(b"payload %d" % (sequence - 1)).hex() if sequence else "",
            "sequence": sequence,
            "snapshot_id": f"s{sequence}",
        }
    )


def leaves(own: bytes, sequence: int, size: int) -> list[bytes]:
    """The log's leaves: the entry given in its place, made-up ones in every other."""
    return [log.leaf(own if number == sequence else other_entry(number)) for number in range(size)]


def text_of(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{log.to_base64(root)}\n"


def signed_by(key: Key, text: str, name: str = ORIGIN, kind: int = 1) -> Signature:
    """The log's own signature."""
    return name, log.key_id(name, kind, key.text) + key.sign_bytes(text.encode())


def cosigned_by(name: str, key: Key, text: str, time: int = SEEN, says: int | None = None) -> Signature:
    """A witness's. says: the time that it carries, if not the one that it is over."""
    kind = {"ed25519": 4, "mldsa44": 6}[key.kind]
    signature = key.sign_bytes(log.cosigned_message(key.kind, name, text, time))
    carried = time if says is None else says
    return name, log.key_id(name, kind, key.text) + carried.to_bytes(8, "big") + signature


def note(text: str, *signatures: Signature) -> str:
    return text + "\n" + "".join([f"\u2014 {name} {log.to_base64(data)}\n" for name, data in signatures])


def proof_text(index: int, path: Sequence[bytes], signed: str) -> str:
    hashes = "".join([log.to_base64(one) + "\n" for one in path])
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n{signed}"


@dataclass
class Parts:
    """What a log proof is made of; a mutation alters one of them."""

    index: int
    path: list[bytes]
    text: str
    signatures: list[Signature]

    def written(self) -> str:
        return proof_text(self.index, self.path, note(self.text, *self.signatures))


def honest(
    predicate: dict[str, Any],
    payload_sha256: str,
    size: int = 8,
    cosigners: Callable[[str], list[Signature]] | None = None,
) -> Parts:
    """The log proof of a statement, cosigned by two of the three witnesses, or by those given."""
    own, index = log.entry(predicate, payload_sha256), predicate["sequence"]
    all_leaves = leaves(own, index, size)
    text = text_of(ORIGIN, size, log.root(all_leaves))
    seen = two_witnesses(text) if cosigners is None else cosigners(text)
    return Parts(index, log.path(index, all_leaves), text, [signed_by(LOG, text), *seen])


def two_witnesses(text: str) -> list[Signature]:
    return [cosigned_by(witness_name(number), WITNESSES[number - 1], text) for number in (1, 2)]

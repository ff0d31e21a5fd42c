"""A published site of a made-up custodian, and every part of it to be tampered with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attacks.toolbox import write_bundle
from reference import log
from reference.canonical_json import dump, parse
from reference.cases import statement, tiny
from reference.edits import Edit, all_of, put
from reference.made_up_log import Signature, note, proof_text, signed_by, text_of, two_witnesses
from reference.policies import LOGGED, ORIGIN
from reference.signers import AUDITOR, LOG, OFFICER, Key
from reference.statement import identity

DATES = ("2025-09-30", "2025-12-31", "2026-03-31", "2026-06-30", "2026-09-30")
NOW = "2026-10-05T12:00:00Z"


def one(number: int, previous: str, edit: Edit | None = None, keys: Sequence[Key] = (OFFICER, AUDITOR)) -> Any:
    """Payload and envelope of statement N of the chain."""
    at = f"{DATES[number]}T00:00:00Z"
    edits = [
        put("sequence", number),
        put("previous", previous),
        put("snapshot_id", f"s{number}"),
        put("as_of", at),
        put("issued_at", f"{DATES[number]}T12:00:00Z"),
        put("valid_until", "2027-01-31T00:00:00Z"),
        put("anchors.0.time", at),
        put("anchors.1.time", at),
        put("logs", [ORIGIN]),
    ]
    return statement(tiny(), predicate=all_of(*edits, *([edit] if edit else [])), keys=tuple(keys))


@dataclass
class Site:
    """payloads and envelopes by sequence; leaves, signatures and checkpoint are made of them when it is written."""

    payloads: list[bytes] = field(default_factory=list)
    envelopes: list[Any] = field(default_factory=list)

    def grow(self, edit: Edit | None = None, **more: Any) -> Site:
        """One statement longer; the one it is made from stays as it is."""
        previous = identity(self.payloads[-1]) if self.payloads else ""
        payload, envelope = one(len(self.payloads), previous, edit, **more)
        return Site([*self.payloads, payload], [*self.envelopes, envelope])

    @property
    def entries(self) -> list[bytes]:
        return [log.entry(parse(data, 1 << 20)["predicate"], identity(data)) for data in self.payloads]

    @property
    def leaves(self) -> list[bytes]:
        return [log.leaf(entry) for entry in self.entries]

    def text(self) -> str:
        return text_of(ORIGIN, len(self.payloads), log.root(self.leaves))

    def note(self, key: Key = LOG, cosigners: Callable[[str], list[Signature]] = two_witnesses) -> str:
        return note(self.text(), signed_by(key, self.text()), *cosigners(self.text()))

    def consistency(self, old: int) -> str:
        return "".join([log.to_base64(item) + "\n" for item in log.consistency(old, self.leaves)])

    def proof(self, index: int) -> str:
        return proof_text(index, log.path(index, self.leaves), self.note())

    def files(self) -> dict[str, bytes]:
        found = {"checkpoint": self.note().encode()}
        found |= {f"entries/{number}.json": entry for number, entry in enumerate(self.entries)}
        found |= {f"statements/{n}/statement.json": dump(envelope) for n, envelope in enumerate(self.envelopes)}
        return found

    def write(self, folder: Path, edit: Callable[[dict[str, bytes]], object] | None = None) -> Path:
        files = self.files()
        if edit:
            edit(files)
        return write_bundle(folder, files)


def site(count: int = 4) -> Site:
    made = Site()
    for _ in range(count):
        made = made.grow()
    return made


def arguments(folder: Path, where: Path, policy: str = LOGGED) -> list[str]:
    """Of `history`, with a state that is kept in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.toml").write_text(policy)
    given = ["history", str(where), "--policy", str(folder / "policy.toml"), "--at", NOW, "--json"]
    return [*given, "--state", str(folder / "state.json")]

"""Looking for clients in what is published: the facts behind PRV-01.

Words of published documents are gathered once; each client id is then looked up, so a scan of millions of ids
against a large bundle is linear in both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

LEAST_ID_LENGTH = 6
"""Shorter ids coincide with ordinary words and numbers: they are not looked for, and the rule says so."""

TEXT_MEMBERS = frozenset(
    {
        "account",
        "client_id_hint",
        "code",
        "contact",
        "house_note",
        "issuer",
        "jurisdiction",
        "law",
        "licence",
        "logs",
        "name",
        "notes",
        "reason",
        "source",
        "text",
        "tool",
        "trustee",
    }
)
"""Members that somebody wrote freely. The others are amounts, digests and words of the format."""

_WORD = re.compile(r"[A-Za-z0-9._@+-]+")
_DIGEST = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9a-f])")


class PublishedText:
    """The words and the hex digests of published JSON documents."""

    def __init__(self, documents: Iterable[object]) -> None:
        self._words: set[str] = set()
        self._digests: set[str] = set()
        for document in documents:
            self._read(document, free=False)

    def _read(self, value: object, *, free: bool) -> None:
        if isinstance(value, Mapping):
            for member, item in value.items():
                self._digests.update(_DIGEST.findall(str(member)))
                if free:
                    self._words.update(_WORD.findall(str(member)))
                self._read(item, free=free or member in TEXT_MEMBERS)
        elif isinstance(value, list | tuple):
            for item in value:
                self._read(item, free=free)
        elif isinstance(value, str):
            self._digests.update(_DIGEST.findall(value))
            if free:
                words = _WORD.findall(value)
                # A sentence ends in a point that is not part of the last word.
                self._words.update(words, (word.rstrip(".-") for word in words), (value,))

    def shows(self, client_id: str) -> bool:
        """Whether the id stands in a free text, whole or as a word of it."""
        return len(client_id) >= LEAST_ID_LENGTH and client_id in self._words

    def shows_hash(self, client_id: str) -> bool:
        """Whether a plain hash of the id stands anywhere: anyone can compute it over a list of ids."""
        data = client_id.encode("ascii")
        return any(
            hashlib.new(name, data, usedforsecurity=False).hexdigest() in self._digests
            for name in ("sha256", "sha1", "md5", "sha3_256")
        )

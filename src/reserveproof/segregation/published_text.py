"""Looking for clients in what is published: the facts behind PRV-01.

Words of published documents are gathered once; each client id is then looked up, so a scan of millions of ids
against a large bundle is linear in both.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping

LEAST_ID_LENGTH = 6
"""Shorter ids are searched for only if they mix letters and digits: others coincide with words and numbers. Who
holds such an id is counted, and the rule is then not assessed."""

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


def is_searchable(client_id: str) -> bool:
    """Whether an id can be told from ordinary words and numbers in a text."""
    if len(client_id) >= LEAST_ID_LENGTH:
        return True
    return any(c.isdigit() for c in client_id) and any(c.isalpha() for c in client_id)


_HASHES = (
    (functools.partial(hashlib.sha256, usedforsecurity=False), 32),
    (functools.partial(hashlib.sha1, usedforsecurity=False), 20),
    (functools.partial(hashlib.md5, usedforsecurity=False), 16),
    (functools.partial(hashlib.sha3_256, usedforsecurity=False), 32),
)
"""Each with the bytes of its digest."""


class PublishedText:
    """The words, each with the member it stands in, and the hex digests of published JSON documents."""

    def __init__(self, documents: Iterable[object]) -> None:
        self._words: dict[str, str] = {}
        self._digests: dict[int, set[bytes]] = {}
        for document in documents:
            self._read(document, member="")

    def _read(self, value: object, *, member: str) -> None:
        """member: the freely written member that the value stands in, "" if in none."""
        if isinstance(value, Mapping):
            for name, item in value.items():
                self._add_digests(str(name))
                if member:
                    self._add(_WORD.findall(str(name)), member)
                self._read(item, member=member or (name if name in TEXT_MEMBERS else ""))
        elif isinstance(value, list | tuple):
            for item in value:
                self._read(item, member=member)
        elif isinstance(value, str):
            self._add_digests(value)
            if member:
                words = _WORD.findall(value)
                # A sentence ends in a point that is not part of the last word.
                self._add([value, *words, *(word.rstrip(".-") for word in words)], member)

    def _add(self, words: Iterable[str], member: str) -> None:
        for word in words:
            self._words.setdefault(word, member)

    def _add_digests(self, text: str) -> None:
        for digest in map(bytes.fromhex, _DIGEST.findall(text)):
            self._digests.setdefault(len(digest), set()).add(digest)

    def where(self, client_id: str) -> str:
        """The member in which the id stands, whole or as a word; "" if in none, or if it is not searchable."""
        return self._words.get(client_id, "") if is_searchable(client_id) else ""

    def shows_hash(self, client_id: str) -> bool:
        """Whether a plain hash of the id stands anywhere: anyone can compute it over a list of ids."""
        data = client_id.encode("ascii")
        for function, size in _HASHES:
            # What is published of that length, if anything: asked for every client of a ledger.
            if (published := self._digests.get(size)) and function(data).digest() in published:
                return True
        return False

"""A serving set: every proof of a statement, to be handed out by token where neither key nor client id is.

    SET/statement.json   the signed envelope, once
    SET/tlog-proof       its log proof, if it is in a log: as it was published when the set was made
    SET/trees/           the node arrays
    SET/clients.book     a record a client under the hash of its token, sealed under the token (client_book.py, kind T)
    SET.tokens.tsv       beside it: which client has which token, for the delivery system alone

A token is 128 random bits: whoever has it gets that client's proof, and who has none opens no record, not even with the
set at hand. In the clear the blinds in it would let guesses at ids be tested. What a set shows without tokens is the
amounts in the trees, and how long each record is.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ..format import envelope, limits
from ..format.challenge import tag
from ..format.errors import InputError, UsageError
from ..format.manifest import STATEMENT_FILE
from ..format.statement import parse_payload
from .atomic_files import read_file
from .client_book import BOOK_FILE, KEY_BYTES, BookLine, ClientBook, parse_token_record
from .log_site import proof_member
from .proof_text import ProofText, line_text
from .prover import StatementTree, open_trees
from .workspace import TREES_FOLDER

LOG_PROOF_FILE = "tlog-proof"
TOKEN_BYTES = 16
_TOKEN = re.compile(f"[0-9a-f]{{{2 * TOKEN_BYTES}}}")


def new_tokens(count: int, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """Tokens one after the other, from the system's random generator."""
    return random(TOKEN_BYTES * count)


def token_key(token: bytes) -> bytes:
    """The key of a token's record. Hashed: who reads the set, or times look-ups in it, does not learn tokens."""
    return hashlib.sha256(tag("token") + token).digest()[:KEY_BYTES]


def record_cipher(token: bytes) -> ChaCha20Poly1305:
    """What a token's record is sealed with. Nothing else is sealed under that key, so the nonce is zero."""
    return ChaCha20Poly1305(hashlib.sha256(tag("token-record") + token).digest())


NONCE = bytes(12)


def tokens_path(folder: Path) -> Path:
    """Where the list of a set's tokens is written."""
    if not folder.name:
        raise UsageError(f"{folder} cannot be a serving set", reason="name", hint="give a folder that is not there")
    return folder.with_name(folder.name + ".tokens.tsv")


class ServingSet:
    """A set, open for reading; a context manager.

    InputError where it is damaged or not of one statement. Paths are folded to the signed root before a proof is given;
    that a line is the leaf of its client was checked when the set was made, and each record is sealed. The files are
    mapped: they are not to be cut or written to while a set is open.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / STATEMENT_FILE
        if not path.is_file():
            raise UsageError(f"{folder} is not a serving set", reason="no-set",
                             hint="reserveproof prove DIR ID --all --to SET makes one")  # fmt: skip
        sealed = read_file(path, limit=2 * limits.MAX_STATEMENT_BYTES)
        signed = envelope.parse(sealed)
        statement = parse_payload(signed.payload).statement
        log = proof_member(folder / LOG_PROOF_FILE, statement.sequence)
        self._text = ProofText(signed, inline=is_inline(sealed), log=log)
        self._book = ClientBook(folder / BOOK_FILE, "T")
        try:
            self._trees: tuple[StatementTree, ...] = open_trees(folder / TREES_FOLDER, statement, self._book.trees)
        except BaseException:
            self._book.close()
            raise

    @property
    def clients(self) -> int:
        """How many have a proof in it."""
        return int(self._book.clients)

    def proof(self, token: str) -> bytes:
        """The proof file under a token. UsageError (reason="token") if there is none; it does not repeat the token."""
        secret = bytes.fromhex(token) if _TOKEN.fullmatch(token) else b""
        key = token_key(secret)
        record = self._book.record(key) if secret else None
        if record is None:
            raise UsageError("the set has no proof under that token", reason="token",
                             hint=f"{2 * TOKEN_BYTES} hex digits, from the list of this set")  # fmt: skip
        try:
            opened = record_cipher(secret).decrypt(NONCE, record, key)
        except InvalidTag:
            raise InputError("has a record that its token does not open", file=BOOK_FILE, reason="damaged",
                             hint="make the set again, or restore it from a copy") from None  # fmt: skip
        lines, positions = parse_token_record(opened)
        return self._text.proof(map(self._line, lines), positions or b"[]")

    def _line(self, line: BookLine) -> bytes:
        if line.tree >= len(self._trees):
            raise InputError("names a tree that it does not have", file=BOOK_FILE, reason="damaged")
        tree = self._trees[line.tree]
        return line_text(tree.pool, tree.asset, line.blind, line, tree.file.prove(line.rank).path)

    def verify(self) -> None:
        """Read every byte and compare with the digests in the headers."""
        self._book.verify()
        for tree in self._trees:
            tree.file.verify()

    def close(self) -> None:
        """Let go of the files."""
        self._book.close()
        for tree in self._trees:
            tree.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def is_inline(sealed: bytes) -> bool:
    """Whether proof files hold the envelope; a large one is given beside them."""
    return len(sealed) <= limits.INLINE_ENVELOPE_BYTES

"""Asking the client: the questions are the same whatever the proof file holds."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TextIO

from ..format import identifiers
from ..format.amounts import TYPED_AMOUNT
from ..format.errors import ReserveProofError, UsageError
from .claims import Claims, account_as_typed, make_claims

MAX_ANSWER = 1000
MAX_BALANCES = 256
MAX_TRIES = 5
"""Times that a question is asked again: a script that answers wrongly comes to an end."""


def _ask(question: str, source: TextIO, fits: Callable[[str], object], wanted: str) -> str:
    """An answer that fits, or "" (an empty answer skips). wanted: what an answer looks like."""
    for _ in range(MAX_TRIES):
        print(question, end=" ", file=sys.stderr, flush=True)
        answer = source.readline(MAX_ANSWER + 1)
        if not answer.endswith("\n"):
            raise UsageError("the questions were not answered", reason="input", hint="or give --claims FILE")
        answer = answer.rstrip("\r\n")
        if not answer or fits(answer):
            return answer
        print(f"  that is not {wanted}; once more", file=sys.stderr)
    raise UsageError("the questions were not answered", reason="input", expected=wanted)


def _is_account(answer: str) -> bool:
    try:
        account_as_typed(answer)
    except ReserveProofError:
        return False
    return True


def ask_claims(source: TextIO) -> Claims:
    """The claims, from a person. UsageError where input ends, or an answer is wrong again and again."""

    def ask(question: str, pattern: re.Pattern[str], wanted: str) -> str:
        return _ask(question, source, pattern.fullmatch, wanted)

    print(
        "Use your own records, not the file: balances as they were at the statement's as-of.\n"
        "An empty answer skips a question.",
        file=sys.stderr,
    )
    client_id = ask("Your client id:", identifiers.CLIENT_ID, "a client id")
    code = ask("Your client code:", identifiers.CLIENT_CODE, "a client code")
    amount = "an amount like 1250.5"
    balances: list[dict[str, str]] = []
    while len(balances) < MAX_BALANCES:
        asset = ask("An asset you hold, like BTC (empty when done):", identifiers.ASSET, "an asset's name in capitals")
        if not asset:
            break
        pool = ask("  its pool, as your terms name it (empty if it is in one only):", identifiers.POOL, "a pool's name")
        held = ask("  its amount:", TYPED_AMOUNT, amount)
        owed = ask("  what you owe in it:", TYPED_AMOUNT, amount)
        balances.append({"asset": asset, "pool": pool, "amount": held, "debit": owed})
    dedicated: list[str] = []
    while len(dedicated) < MAX_BALANCES:
        account = _ask(
            "An account dedicated to you alone (empty if there is none, or no more):",
            source,
            _is_account,
            "an account: eip155:1:0x... , bip122:000000000019d6689c085ae165831e93:bc1... or ref:...",
        )
        if not account:
            break
        dedicated.append(account)
    digest = ask("The statement's digest from another source:", re.compile(r"[0-9a-fA-F ]{64,90}"), "64 hex digits")
    return make_claims(
        {"client_id": client_id, "client_code": code, "balances": balances, "dedicated": dedicated, "digest": digest}
    )

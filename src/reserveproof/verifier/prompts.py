"""Asking the client: the questions are the same whatever the proof file holds."""

from __future__ import annotations

import sys
from typing import TextIO

from ..format.errors import UsageError
from .claims import Claims, make_claims

MAX_ANSWER = 1000
MAX_BALANCES = 256


def _ask(question: str, source: TextIO) -> str:
    print(question, end=" ", file=sys.stderr, flush=True)
    answer = source.readline(MAX_ANSWER + 1)
    if not answer.endswith("\n"):
        raise UsageError("the questions were not answered", reason="input", hint="or give --claims FILE")
    return answer.rstrip("\r\n")


def ask_claims(source: TextIO) -> Claims:
    """The claims, from a person. UsageError for an answer that is not usable, or where input ends."""
    print("Use what you know from your own records, not from the file. Empty answers skip.", file=sys.stderr)
    client_id = _ask("Your client id:", source)
    code = _ask("Your client code (empty if none):", source)
    balances: list[dict[str, str]] = []
    while len(balances) < MAX_BALANCES:
        asset = _ask("An asset you hold, like BTC (empty when done):", source)
        if not asset:
            break
        balance = {"asset": asset, "amount": _ask("  its amount on that day:", source)}
        balance["debit"] = _ask("  what you owe there (empty if nothing):", source)
        balance["pool"] = _ask("  its pool (empty if the asset is in one only):", source)
        balances.append(balance)
    dedicated: list[str] = []
    while len(dedicated) < MAX_BALANCES:
        account = _ask("An account dedicated to you alone, like eip155:1:0x... (empty when done):", source)
        if not account:
            break
        dedicated.append(account)
    digest = _ask("The statement's digest from another source (empty if none):", source)
    return make_claims(
        {"client_id": client_id, "client_code": code, "balances": balances, "dedicated": dedicated, "digest": digest}
    )

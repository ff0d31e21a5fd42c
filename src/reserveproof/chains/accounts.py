"""The spelling of an account, before any chain looks at its address: CAIP-10, or `ref:` off chain."""

from __future__ import annotations

import re

from reserveproof.format.errors import MalformedError, shown
from reserveproof.format.identifiers import ACCOUNT, MAX_ACCOUNT

REF = "ref"
_OFF_CHAIN = re.compile(r"ref:[A-Za-z0-9.-]{1,64}")


def split_account(account: str) -> tuple[str, str, str]:
    """(namespace, reference, address) of a CAIP-10 account; ("ref", "", name) of an account off chain.
    MalformedError(reason="account") for any other spelling, or one beyond MAX_ACCOUNT characters."""
    off_chain = account.startswith("ref:")  # and not CAIP-10, whose pattern `ref:a:b` would match
    if len(account) > MAX_ACCOUNT or not (_OFF_CHAIN if off_chain else ACCOUNT).fullmatch(account):
        raise MalformedError(
            "the account is neither CAIP-10 nor ref:",
            reason="account",
            expected="namespace:reference:address or ref:NAME",
            found=shown(account),
        )
    if off_chain:
        return REF, "", account[4:]
    namespace, reference, address = account.split(":")
    return namespace, reference, address

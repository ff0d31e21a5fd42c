"""Ethereum and its kin: addresses and the EIP-55 checksum (CAIP-2 namespace eip155)."""

from __future__ import annotations

import re

from reserveproof.format.errors import MalformedError, shown

from .accounts import split_account
from .wallet_libraries import keccak256

NAMESPACE = "eip155"
CHAIN_ID = re.compile(r"[1-9][0-9]{0,31}")
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
DECIMALS = 18


def checksummed(lower: str) -> str:
    """The EIP-55 spelling of a lower-case address: a letter is upper case where the digit of keccak-256 of
    the 40 characters at its place is 8 or more."""
    digest = keccak256(lower[2:].encode("ascii")).hex()
    return "0x" + "".join(c.upper() if d >= "8" else c for c, d in zip(lower[2:], digest[:40], strict=True))


def normalise_address(address: str) -> str:
    """The lower-case address. All lower and all upper hex carry no checksum and are taken; a mixed case must
    be right by EIP-55 (UsageError without the wallet libraries). MalformedError(reason="account")."""
    if not ADDRESS.fullmatch(address):
        raise MalformedError("the address is not 0x and 40 hex digits", reason="account", found=shown(address))
    digits, lower = address[2:], address.lower()
    if digits not in (digits.lower(), digits.upper()) and checksummed(lower) != address:
        raise MalformedError(
            "the address's EIP-55 checksum is wrong",
            reason="account",
            found=shown(address),
            hint="copy the address again from its source: at least one character or its case is wrong",
        )
    return lower


def address_of(account: str) -> str:
    """The lower-case address of an eip155 account. MalformedError(reason="account") if it does not decode."""
    namespace, reference, address = split_account(account)
    if namespace != NAMESPACE or not CHAIN_ID.fullmatch(reference):
        raise MalformedError("the account is not on an eip155 chain", reason="account", found=shown(account))
    return normalise_address(address)


class EthereumAccounts:
    """AccountCodec: lower-case hex."""

    namespace = NAMESPACE

    def normalise(self, reference: str, address: str) -> str:
        if not CHAIN_ID.fullmatch(reference):
            raise MalformedError("the eip155 chain id is not a number", reason="account", found=shown(reference))
        return normalise_address(address)

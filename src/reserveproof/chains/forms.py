"""Forms of an asset: CAIP-19 asset types, or a currency that stands on no chain."""

from __future__ import annotations

import re

from reserveproof.format.errors import MalformedError, shown
from reserveproof.format.identifiers import FORM, chain_of, is_normal_form, is_own_coin

from . import bitcoin, ethereum

_BITCOIN_REFERENCE = re.compile(r"[0-9a-f]{32}")
_COIN_TYPE = re.compile(r"0|[1-9][0-9]{0,9}")  # SLIP-44: below 2^31
_TOKENS = frozenset({"erc20", "erc721", "erc1155"})


def _refuse(what: str, form: str) -> MalformedError:
    return MalformedError(what, reason="form", found=shown(form))


def _check_chain(namespace: str, reference: str, form: str) -> None:
    """The references of the namespaces that have a module; others are taken as CAIP-2 spells them."""
    if namespace == bitcoin.NAMESPACE and not _BITCOIN_REFERENCE.fullmatch(reference):
        raise _refuse("a bip122 chain is named by 32 lower-case hex digits of its genesis block's hash", form)
    if namespace == ethereum.NAMESPACE and not ethereum.CHAIN_ID.fullmatch(reference):
        raise _refuse("an eip155 chain is named by its number", form)


def normalise_form(form: str) -> str:
    """The one normal form of a form: `iso4217:USD` and CAIP-19 as given, a token contract of eip155
    lower-cased (a mixed case must be right by EIP-55).

    Every CAIP-19 asset type is taken, also on chains that no module knows; what a known chain cannot have
    is refused. MalformedError(reason="form").
    """
    if not FORM.fullmatch(form):
        raise _refuse("the form is neither a CAIP-19 asset type nor iso4217:XXX", form)
    if form.startswith("iso4217:"):
        if "/" in form:
            raise _refuse("a currency stands on no chain", form)
        return form
    chain, asset = form.split("/")
    namespace, reference = chain.split(":")
    if namespace == "ref":
        raise _refuse("ref: names accounts, not forms", form)
    _check_chain(namespace, reference, form)
    kind, name = asset.split(":")
    if kind == "slip44" and (not _COIN_TYPE.fullmatch(name) or int(name) >= 1 << 31):
        raise _refuse("a slip44 coin type is a plain number below 2^31", form)
    if namespace == ethereum.NAMESPACE and kind in _TOKENS:
        try:
            return f"{chain}/{kind}:{ethereum.normalise_address(name)}"
        except MalformedError as error:
            raise _refuse(error.message.replace("address", "token contract"), form) from error
    return form


def form_chain(form: str) -> str:
    """CAIP-2 chain of a form; "" for a currency. MalformedError(reason="form") if it is not one."""
    return chain_of(normalise_form(form))


def native_decimals(form: str) -> int | None:
    """Decimals of a form where they are a fact of the chain, so that a registry that says otherwise is wrong: 8 for
    the own coin of a bip122 chain, 18 for that of an eip155 chain, whatever its slip44 number. None where they are a
    contract's or a convention's (tokens, currencies), and for what is not a form in its one spelling."""
    if not is_normal_form(form) or not is_own_coin(form):
        return None
    return bitcoin.DECIMALS if form.startswith(f"{bitcoin.NAMESPACE}:") else ethereum.DECIMALS


# A block of one of these is made by many independent parties, so its hash gives a "not before". Test networks and
# private chains are not here, however well known; a chain that is missing is not guessed.
_PUBLIC_CHAINS = frozenset(
    {"bip122:000000000019d6689c085ae165831e93"}
    | {f"eip155:{number}" for number in (1, 10, 56, 100, 137, 8453, 42161, 43114)}
)


def is_public_chain(chain: str) -> bool:
    """Whether a CAIP-2 chain is known here as one that a block hash can anchor a time to."""
    return chain in _PUBLIC_CHAINS

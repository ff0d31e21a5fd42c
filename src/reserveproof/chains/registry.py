"""The built-in codecs and schemes, in one explicit table, and the questions that the two sides ask of them."""

from __future__ import annotations

from reserveproof.format.errors import MalformedError, shown

from .accounts import REF, split_account
from .bip322 import Bip322Simple
from .bitcoin import BitcoinAccounts
from .eip191 import Eip191
from .ethereum import EthereumAccounts
from .forms import form_chain
from .interfaces import AccountCodec, ControlEvidence, ControlResult, ControlScheme, invalid, unsupported
from .letters import Letter

CODECS: dict[str, AccountCodec] = {codec.namespace: codec for codec in (BitcoinAccounts(), EthereumAccounts())}

SCHEMES: dict[str, ControlScheme] = {scheme.name: scheme for scheme in (Bip322Simple(), Eip191(), Letter())}


def normalise_account(account: str, form: str = "") -> str:
    """The one normal form of an account: CAIP-10 as its chain module spells it, `ref:NAME` as given.

    form: if given, the form held there; an account on a chain must be on the form's. MalformedError
    (reason="account") for an address that does not decode, another network's, a chain without a module, or
    more than MAX_ACCOUNT characters; (reason="form") for a form that is none. UsageError where the check of
    an EIP-55 checksum needs the wallet libraries.
    """
    namespace, reference, address = split_account(account)
    if namespace == REF:
        if form:
            form_chain(form)
        return account
    codec = CODECS.get(namespace)
    if codec is None:
        raise MalformedError(
            f"no module decodes addresses of {namespace}",
            reason="account",
            found=shown(account),
            expected=" or ".join((*CODECS, REF)),
            hint="an account that cannot be decoded cannot be counted",
        )
    normal = f"{namespace}:{reference}:{codec.normalise(reference, address)}"
    if form and form_chain(form) != f"{namespace}:{reference}":
        raise MalformedError(
            "the account is not on the chain of the form it is said to hold",
            reason="account",
            expected=shown(form),
            found=shown(account),
        )
    return normal


def schemes_for(account: str) -> tuple[str, ...]:
    """Names of the schemes meant for accounts of this kind; () if there are none. Nothing is decoded."""
    return tuple(name for name, scheme in SCHEMES.items() if scheme.applicable(account))


def _is_text(message: str) -> bool:
    try:
        message.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def check_control(account: str, message: str, evidence: ControlEvidence) -> ControlResult:
    """Whether the evidence shows control of the account for exactly this message.

    message: the challenge text as the caller rebuilt it, never as a file gives it. Never raises for hostile
    evidence; UsageError if the wallet libraries are needed and missing. "valid" says that a key signed
    (KEY_SIGNATURE) or that a letter is named (CUSTODIAN_CONFIRMATION), not that the signer owns the funds
    or has not lent the key.
    """
    scheme = SCHEMES.get(evidence.scheme)
    if scheme is None:
        return unsupported("unknown-scheme", f"No scheme called {shown(evidence.scheme)!r} is known here.")
    if not scheme.applicable(account):
        return invalid("scheme-not-for-account", f"The scheme {scheme.name} is not for accounts of this kind.")
    letter = evidence.letter_sha256 + evidence.letter_issuer + evidence.letter_date
    if evidence.signature if scheme.name == Letter.name else letter:
        return invalid("stray-member", f"The evidence has members that the scheme {scheme.name} does not use.")
    if not _is_text(message):
        return invalid("message", "The challenge is not text that can be encoded as UTF-8.")
    try:
        return scheme.verify(account, message, evidence)
    except MalformedError as error:
        return invalid("account", f"The account does not decode: {error.message}.")

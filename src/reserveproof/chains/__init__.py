"""Control schemes and offline account codecs, one module a chain. Judges only; run by both sides."""

from .forms import form_chain, is_public_chain, native_decimals, normalise_form
from .interfaces import AccountCodec, ControlEvidence, ControlResult, ControlScheme
from .letters import letter_is_fresh
from .registry import check_control, normalise_account, schemes_for

__all__ = [
    "AccountCodec",
    "ControlEvidence",
    "ControlResult",
    "ControlScheme",
    "check_control",
    "form_chain",
    "is_public_chain",
    "letter_is_fresh",
    "native_decimals",
    "normalise_account",
    "normalise_form",
    "schemes_for",
]

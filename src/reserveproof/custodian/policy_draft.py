"""The trust policy draft: TOML from custodian.toml, as docs/spec/trust-policy.md has it.

It is a draft because its reader decides; it says what the custodian proposes to be held to.
"""

from __future__ import annotations

import json

from ..format.errors import InputError
from ..format.vocabulary import TREE_TRANSPARENT
from .config import CONFIG_FILE, Config


def _text(value: str) -> str:
    # A TOML basic string is a JSON string (TOML 1.0, Strings), and canonical text has no control character.
    return json.dumps(value, ensure_ascii=False)


def policy_toml(config: Config) -> str:
    """The policy as text. InputError if there is no signer, or fewer of a role than its threshold."""
    if not config.signers:
        raise InputError("has no signers, so that no policy can be met", file=CONFIG_FILE, reason="signers",
                         hint="reserveproof key new FILE, then add [[signers]]")  # fmt: skip
    for role, needed in config.policy.thresholds.items():
        have = sum(1 for signer in config.signers if signer.role == role)
        if have < needed:
            raise InputError(f"policy.thresholds.{role} is {needed}, and {have} signers have that role",
                             file=CONFIG_FILE, reason="thresholds")  # fmt: skip
    terms = config.policy
    lines = [
        f"# Trust policy for {_comment(config.custodian.name)}, proposed by the custodian. Compare its fingerprint.",
        "format = 1",
        f"custodian = {_text(config.custodian.id)}",
        f"kinds = [{TREE_TRANSPARENT}]",
        f"least_assurance = {_text(terms.least_assurance)}",
        f"reserves = {_text(terms.reserves)}",
        f"publication = {_text(terms.publication)}",
        f"max_age_days = {terms.max_age_days}",
        f"min_interval_days = {terms.min_interval_days}",
        "",
        "[thresholds]",
    ]
    lines += [f"{role} = {number}" for role, number in sorted(terms.thresholds.items())]
    lines += _log(config)
    for signer in config.signers:
        keys = ", ".join(map(_text, signer.keys))
        lines += [
            "", "[[signers]]", f"name = {_text(signer.name)}", f"role = {_text(signer.role)}", f"keys = [{keys}]",
        ]  # fmt: skip
    for asset in config.assets:
        forms = ", ".join(f"{{ form = {_text(form.form)}, decimals = {form.decimals} }}" for form in asset.forms)
        lines += [
            "", "[[assets]]", f"asset = {_text(asset.asset)}", f"decimals = {asset.decimals}", f"forms = [{forms}]",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _log(config: Config) -> list[str]:
    """The table [log], which a policy has if readers are to look for statements in one."""
    log = config.log
    if log is None or config.policy.publication != "log":
        return []
    lines = [
        "", "[log]", f"origin = {_text(log.origin)}", f"key = {_text(log.key)}",
        f"witnesses_needed = {log.witnesses_needed}",
    ]  # fmt: skip
    for witness in log.witnesses:
        keys = ", ".join(map(_text, witness.keys))
        lines += ["", "[[log.witnesses]]", f"name = {_text(witness.name)}", f"keys = [{keys}]"]
    return lines


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)

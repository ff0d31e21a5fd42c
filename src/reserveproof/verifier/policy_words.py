"""A trust policy in words, for a person to agree with."""

from __future__ import annotations

from ..format.vocabulary import ASSURANCE
from .log_terms import LogTerms
from .policy import LAST_SEQUENCE, Policy
from .report import shown_line
from .signatures import PublicKey


def policy_in_words(policy: Policy) -> str:
    """What a policy demands, line by line, its fingerprint last."""
    lines = [f"Trust policy for the custodian {policy.custodian}", "", "A statement is accepted if it is signed by"]
    for role, count in sorted(policy.thresholds.items()):
        able = [signer for signer in policy.signers if signer.role == role]
        lines.append(f"  at least {count} of {len(able)} of the role {role}:")
        for signer in able:
            until = "" if signer.last_sequence == LAST_SEQUENCE else f" to {signer.last_sequence}"
            span = f", statements {signer.first_sequence}{until or ' on'}" if signer.first_sequence or until else ""
            lines.append(f"    {shown_line(signer.name)}{span}")
            lines += [_key(key) for key in signer.keys]
    reserves = {
        "register": "the register of reserves must be rebuilt by you, from the published bundle",
        "auditor": "an auditor's quorum must stand behind the reserves",
        "signed": "the reserves are taken as the custodian signed them",
    }
    publication = {
        "log": "the statement must be in the log named below",
        "digest": "you must type the statement's digest from another source",
        "none": "nothing shows that others see the same statement",
    }
    weaker = ASSURANCE[: ASSURANCE.index(policy.least_assurance) + 1]
    lines += [
        "",
        f"Days old, at most: {policy.max_age_days}. Days after the one before, at least: {policy.min_interval_days}.",
        f"Control of wallets: {', '.join(weaker)}.",
        f"Reserves: {reserves[policy.reserves]}.",
        f"Publication: {publication[policy.publication]}.",
        *_log(policy.log),
        "Pinned assets: "
        + (", ".join(f"{pin.asset} ({pin.decimals} decimals)" for pin in policy.assets) or "none")
        + ".",
        "",
        "Compare this fingerprint with one from another source:",
        f"  {policy.fingerprint()}",
    ]
    return "\n".join(lines)


def _key(key: PublicKey) -> str:
    return f"      {key}" if len(str(key)) < 90 else f"      {str(key)[:60]}... ({len(key.raw)} bytes)"


def _log(log: LogTerms | None) -> list[str]:
    if log is None:
        return []
    lines = [f"  log {shown_line(log.origin)}, which signs with", _key(log.key)]
    if not log.witnesses_needed:
        lines.append("  no witness is needed: it shows what the log's keeper signed, not that others see the same")
    else:
        lines.append(f"  at least {log.witnesses_needed} of {len(log.witnesses)} witnesses must have cosigned it:")
    for witness in log.witnesses:
        lines += [f"    {shown_line(witness.name)}", *(_key(key) for key in witness.keys)]
    return lines

"""Whose signatures a statement still lacks before the policy of custodian.toml passes it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .config import Config


def lacking(config: Config, signed: Collection[str]) -> Iterator[str]:
    """What is missing, a line for each role of the thresholds; none if they are met.

    signed: the keys that have signed. A signer with two keys counts when both have.
    """
    for role, needed in sorted(config.policy.thresholds.items()):
        signers = [signer for signer in config.signers if signer.role == role]
        left = [signer.name for signer in signers if not set(signer.keys) <= set(signed)]
        more = needed - (len(signers) - len(left))
        if more > 0:
            yield f"{more} more of the role {role} ({', '.join(left) or 'nobody has it'})"

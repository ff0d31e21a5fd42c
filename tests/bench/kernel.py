"""Figures of the native kernel: leaves and nodes in bulk, held against OpenSSL's SHA-256 on the same cores.

Not measured while the kernel does not exist.
"""

from __future__ import annotations

from .figure import Figure, at_least, not_measured
from .ground import Ground

HASH, WHOLE = "kernel-hash", "kernel-whole"


def figures(ground: Ground) -> list[Figure]:
    ground.say("kernel: not there yet")
    why = "the kernel is not there"
    return [
        not_measured(HASH, "of OpenSSL", at_least(0.55), why),
        not_measured(WHOLE, "of OpenSSL", at_least(0.40), why),
    ]

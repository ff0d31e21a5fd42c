"""How a check ends: docs/spec/verification.md, outcome."""

from __future__ import annotations


class Refusal(Exception):
    """A check that did not pass: class (failed, malformed, policy, usage), reason and, once known, the step.

    The specification names no reason for most of what is malformed; the reason is then "".
    """

    def __init__(self, class_: str, reason: str = "", note: str = "", step: int = 0) -> None:
        super().__init__(f"{class_} {reason} {note}".strip())
        self.class_, self.reason, self.note, self.step = class_, reason, note, step


def malformed(note: str, reason: str = "") -> Refusal:
    return Refusal("malformed", reason, note)


def failed(reason: str, note: str = "") -> Refusal:
    return Refusal("failed", reason, note)


def policy(reason: str, note: str = "") -> Refusal:
    return Refusal("policy", reason, note)


def usage(reason: str, note: str = "") -> Refusal:
    return Refusal("usage", reason, note)

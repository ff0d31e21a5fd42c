"""The error tree. Evidence, input, policy, usage and transport are kept apart, because a reader acts
differently on each; every class knows the exit status that a command ends with.

A fault of our own is never one of these: it stays an ordinary exception, and a command ends with 1.
"""

from __future__ import annotations

from typing import ClassVar

SHOWN_CHARACTERS = 96
"""How much of a foreign value a message repeats: enough to find it, too little to flood a terminal."""


def shown(value: object) -> str:
    """A foreign value, safe to print: control, bidirectional and other non-ASCII characters escaped
    (a terminal or a page must not be steered by a hostile file), cut to SHOWN_CHARACTERS."""
    text = value if isinstance(value, str) else str(value)
    head = text[: SHOWN_CHARACTERS + 1].encode("unicode_escape").decode("ascii").replace("\\\\", "\\")
    return head if len(head) <= SHOWN_CHARACTERS else head[: SHOWN_CHARACTERS - 3] + "..."


class ReserveProofError(Exception):
    """A refusal, in the parts that a report needs.

    message: one sentence. step: the number of the verification step (0 outside of them). reason: a
    stable slug. expected and found: what was compared. hint: what the reader can do.
    """

    exit_status: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        step: int = 0,
        expected: str = "",
        found: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.step = step
        self.expected = expected
        self.found = found
        self.hint = hint

    def __str__(self) -> str:
        return self.message

    def at_step(self, step: int) -> ReserveProofError:
        """The same error, with the step set where none was (a parser does not know who called it)."""
        if not self.step:
            self.step = step
        return self


class UsageError(ReserveProofError):
    """The command line or the reader's own input is unusable."""

    exit_status = 2


class EvidenceError(ReserveProofError):
    """Verification failed: a digest, a sum, a signature or a comparison does not hold."""

    exit_status = 3


class MalformedError(ReserveProofError):
    """Bytes that are not what the format says: structure, not content."""

    exit_status = 4


class InputError(MalformedError):
    """A file handed in by its owner (a ledger, a register) is refused: file, row and column are named."""

    def __init__(
        self,
        rule: str,
        *,
        file: str,
        row: int = 0,
        column: str = "",
        value: str | None = None,
        hint: str = "",
        reason: str = "input",
    ) -> None:
        place = file + (f", row {row}" if row else "") + (f", column {column}" if column else "")
        # Not repr: what shown() escaped would be escaped a second time.
        mark = '"' if "'" in (value or "") else "'"
        text = "" if value is None else f" {mark}{shown(value)}{mark}"
        super().__init__(f"{place}:{text} {rule}", reason=reason, hint=hint, found=value or "")
        self.file, self.row, self.column, self.rule = file, row, column, rule


class PolicyError(ReserveProofError):
    """The evidence may hold, but not to the standard that the reader's policy sets."""

    exit_status = 5


class TransportError(ReserveProofError):
    """A file, a node or a database could not be read or written."""

    exit_status = 6

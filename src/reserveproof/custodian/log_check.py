"""The custodian's check of its own log: what it keeps, what it signed and what it publishes say the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..format.errors import EvidenceError
from .attestation_log import AttestationLog
from .log_appended import AppendedNotes
from .log_checkpoints import LOG_FOLDER, Checkpoints
from .log_cosignatures import cosigners
from .log_history import entry_of_statement, published_bundles
from .log_site import STATEMENTS_FOLDER, check_site, site_of


def check(log: AttestationLog, kept: Checkpoints) -> Iterator[str]:
    """What was found to hold, a line for each thing; under the workspace's lock.

    EvidenceError at the first that does not: an entry that is of another statement, a statement that is missing,
    entries whose statements are not published though nobody said that they are not to be, a checkpoint that is of
    another log, a file of the site that says something else.
    """
    workspace, size = kept.workspace, log.size
    numbered = {entry.sequence: entry for entry in workspace.numbered()}
    rebuilt = 0
    for index in range(size):
        entry = log.entry(index)
        if index in numbered:
            if entry_of_statement(workspace, numbered[index]) != entry:
                raise EvidenceError(f"entry {index} is not that of statement {index}, of {numbered[index].snapshot_id}",
                                    reason="log-entry", hint="restore the newest copy of the workspace")  # fmt: skip
            rebuilt += 1
    bundles, statements = published_bundles(workspace), site_of(workspace) / STATEMENTS_FOLDER
    late = sorted(sequence for sequence in bundles if sequence >= size)
    if late:
        raise EvidenceError(f"statement {late[0]} is published and not in the log", reason="log-gap",
                            hint="it is logged when the next one is published")  # fmt: skip
    yield f"{size} entries; {rebuilt} of them rebuilt from their statements"
    shown = {index for index in range(size) if index in bundles or (statements / str(index)).is_dir()}
    hidden = set(range(size)) - shown
    meant = AppendedNotes(workspace.path / LOG_FOLDER).unpublished(hidden)
    if hidden - meant:
        raise EvidenceError(
            f"in the log and not published: {_statements(hidden - meant)}", reason="log-unpublished",
            hint="reserveproof publish DIR ID completes one; or, if readers will never see it, --log-unpublished "
            "NUMBER with the next",
        )  # fmt: skip
    if meant:
        yield f"logged by --log-unpublished and not published: {_statements(meant)}"
    kept.check_past(log)
    sizes = kept.sizes()
    if not sizes or sizes[-1] != size:
        raise EvidenceError(f"the log has {size} entries, and is signed up to {sizes[-1] if sizes else 0}",
                            reason="log-unsigned", hint="publish the statement again, which completes it")  # fmt: skip
    before = 0
    for signed in sizes:
        log.consistency(before, signed)
        before = signed
    yield f"{len(sizes)} checkpoints; each continues the one before"
    needed = kept.terms.witnesses_needed
    found = cosigners(kept.newest(), kept.terms)
    yield f"the newest is cosigned by {len(found)} of {len(kept.terms.witnesses)} witnesses; {needed} are needed"
    check_site(log, kept, bundles)
    yield f"the site says the same: {site_of(workspace)}"


def _statements(numbers: Collection[int]) -> str:
    return f"statement{'s' if len(numbers) > 1 else ''} {', '.join(map(str, sorted(numbers)))}"

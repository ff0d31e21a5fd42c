"""Publishing into the log: a statement's entry is appended, the checkpoint is signed and the site is written.

The verifier judges the bundle before anything is appended, with the log proof that it will have: an entry's place and
bytes are fixed by the signed statement, and so are the tree and the log's signature over it. Only the witnesses are
left out of that judgement, for they cosign what is published. docs/decisions/0025.
"""

from __future__ import annotations

import contextlib
import shutil
import tomllib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..format import tlog_proof
from ..format.errors import InputError, MalformedError, UsageError
from ..format.statement import Statement
from ..format.tlog_proof import LogProof
from . import log_tree
from .atomic_files import PRIVATE_FOLDER, read_file, temporary_name, transport, write_file
from .attestation_log import AttestationLog
from .log_appended import PUBLISH, UNPUBLISHED, AppendedNotes
from .log_checkpoints import LOG_FOLDER, Checkpoints, load_log_key, open_log, signed
from .log_config import LogTerms, parse_log
from .log_history import entries_through, left_out, published_bundles
from .log_site import write_site
from .workspace import Snapshot

MAX_POLICY_BYTES = 1 << 20
NO_WITNESS = "witnesses_needed = 0"
Verify = Callable[..., None]
"""publish.verify: (bundle, policy), the time to judge by and, where the policy asks for a log, log_proof."""


@dataclass(frozen=True, slots=True)
class Logging:
    """What a custodian with a log gives to publish. unpublished: numbers of signed statements that are logged though
    readers will never see them."""

    key: Path
    unpublished: Collection[int] = field(default=())


def check_logs(statement: Statement, terms: LogTerms | None, logging: Logging | None) -> None:
    """UsageError unless the statement, custodian.toml and the command agree whether there is a log, and which."""
    if terms is None and logging is not None:
        raise UsageError("custodian.toml has no [log]", reason="no-log", hint="leave the log's options out")
    if terms is not None and logging is None:
        raise UsageError("custodian.toml has a [log], and its key was not given", reason="log-key",
                         hint="--log-key FILE")  # fmt: skip
    origins = (terms.origin,) if terms else ()
    if not set(statement.logs) <= set(origins):
        raise UsageError(
            f"the signed statement says that it is logged in {', '.join(statement.logs)}", reason="log-origin",
            found=", ".join(origins) or "no log in custodian.toml",
            hint="put [log] back as it was when the statement was attested",
        )  # fmt: skip


def check_policy(policy: Path, terms: LogTerms) -> None:
    """UsageError unless the policy names the log and the witnesses of custodian.toml: readers judge by the one, and
    `log cosign` by the other. A policy that names no log, or is none, is left to the verifier."""
    found = _meant(read_file(policy, limit=MAX_POLICY_BYTES)).get("log")
    if found is None:
        return
    try:
        theirs = _compared(parse_log(found, frozenset()))
    except MalformedError as error:
        theirs = {"log": error.message}
    for member, ours in _compared(terms).items():
        if theirs.get(member) != ours:
            raise UsageError(
                f"[log] of {policy} and [log] of custodian.toml differ: {member if member in theirs else 'log'}",
                reason="log-policy", expected=ours, found=theirs.get(member, theirs.get("log", "")),
                hint="put back the one that is wrong; reserveproof policy DIR writes the policy anew, and readers then "
                "need it",
            )  # fmt: skip


def _compared(terms: LogTerms) -> dict[str, str]:
    """What must be the same, as it is shown."""
    return {
        "origin": terms.origin,
        "key": terms.key,
        "witnesses_needed": str(terms.witnesses_needed),
        "witnesses": "; ".join(sorted(f"{one.name} {', '.join(sorted(one.keys))}" for one in terms.witnesses)),
    }


def _meant(data: bytes) -> dict[str, object]:
    """What a policy says; nothing if it is none, which the verifier says better."""
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return {}


class Entry:
    """A statement's way into the log, under the workspace's lock; close lets go of the log's file.

    UsageError for another key than custodian.toml's, or an earlier statement that was signed and not published;
    EvidenceError if the log is not the one that was signed before, or has another entry in the statement's place.
    """

    def __init__(self, snapshot: Snapshot, sequence: int, terms: LogTerms, logging: Logging) -> None:
        self._snapshot, self._sequence, self._terms = snapshot, sequence, terms
        self._key: Ed25519PrivateKey = load_log_key(logging.key, terms)
        self._kept = Checkpoints(snapshot.workspace, terms)
        self._log: AttestationLog = open_log(snapshot.workspace)
        try:
            self._kept.check_past(self._log)
            self._notes = AppendedNotes(snapshot.workspace.path / LOG_FOLDER)
            known = self._notes.unpublished(range(min(sequence, self._log.size)))
            self._entries = entries_through(snapshot.workspace, self._log, sequence, known | set(logging.unpublished))
            self._unpublished = left_out(snapshot.workspace, sequence, logging.unpublished)
        except BaseException:
            self.close()
            raise

    def judge(self, bundle: Path, policy: Path, verify: Verify) -> None:
        """Have the verifier judge the bundle as readers will once it is logged, but for the witnesses.

        An entry that a killed run has appended was judged then, and stays: it is judged by that instant again, so that
        no time that has passed since keeps it from being completed.
        """
        note = self._notes.of(self._sequence) if self._sequence < self._log.size else None
        at = note.at if note and note.by == PUBLISH else ""
        text = without_witnesses(policy)
        if text is None:
            verify(bundle, policy, at=at)
            return
        leaves = [log_tree.leaf_hash(entry) for entry in self._entries]
        checkpoint = signed(self._kept.next_text(log_tree.root_of(leaves), len(leaves)), self._key, self._terms.origin)
        proof = LogProof(self._sequence, log_tree.inclusion_path(self._sequence, leaves), checkpoint)
        with _aside(self._snapshot.path) as folder:
            write_file(folder / "policy.toml", text.encode("utf-8"))
            write_file(folder / "log-proof", tlog_proof.dump(proof).encode("utf-8"))
            verify(bundle, folder / "policy.toml", log_proof=folder / "log-proof", at=at)

    def append(self, now: str) -> None:
        """Append what is not there yet, and sign the checkpoint. now: what is noted of it."""
        for index in self._unpublished:
            self._notes.write(index, now, UNPUBLISHED)
        if self._sequence >= self._log.size:
            self._notes.write(self._sequence, now, PUBLISH)
        for index, entry in enumerate(self._entries):
            self._log.append(index, entry)
        self._kept.sign(self._log, self._key)

    def write_site(self, bundle: Path) -> Path:
        """Write the site, with the bundle that is about to count as published; its folder."""
        bundles = published_bundles(self._snapshot.workspace) | {self._sequence: bundle}
        return write_site(self._log, self._kept, bundles, unfinished=self._sequence)

    def close(self) -> None:
        """Let go of the log's file."""
        self._log.close()


@contextlib.contextmanager
def _aside(place: Path) -> Iterator[Path]:
    """A private folder that is gone afterwards; after a kill the next run sweeps it."""
    folder = temporary_name(place)
    with transport(f"write {folder}"):
        folder.mkdir(mode=PRIVATE_FOLDER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def without_witnesses(policy: Path) -> str | None:
    """The text of the policy with no witness needed; None if it does not ask for a log, or is no policy at all, which
    the verifier says better. InputError if its line witnesses_needed is not found."""
    data = read_file(policy, limit=MAX_POLICY_BYTES)
    meant = _meant(data)
    log = meant.get("log")
    if meant.get("publication") != "log" or not isinstance(log, dict):
        return None
    lines = data.decode("utf-8").splitlines(keepends=True)
    places = [at for at, line in enumerate(lines) if line.split("=")[0].strip() == "witnesses_needed"]
    if len(places) == 1:
        lines[places[0]] = f"{NO_WITNESS}\n"
        log["witnesses_needed"] = 0
        changed = "".join(lines)
        if tomllib.loads(changed) == meant:
            return changed
    raise InputError("has no line of its own `witnesses_needed = N` below [log]", file=str(policy), reason="log",
                     hint="write it as reserveproof policy does")  # fmt: skip

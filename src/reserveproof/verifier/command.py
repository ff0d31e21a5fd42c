"""`reserveproof-verify`: for clients, for anyone, for auditors. The verifier's edge to files, clock and terminal."""

from __future__ import annotations

import argparse
import base64
import contextlib
import datetime as dt
import json
import secrets
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from .. import __version__
from ..format import limits
from ..format.errors import MalformedError, ReserveProofError, TransportError, UsageError
from ..format.identifiers import DIGEST
from ..format.manifest import STATEMENT_FILE
from ..format.times import parse_time
from ..segregation import RULES
from . import report
from .audit import check_audit
from .bundle import BundleFolder
from .claims import parse_claims
from .client import check_client
from .command_arguments import build_parser
from .command_audit import audit_inputs, audit_means
from .command_log import is_note, log_given
from .command_signals import end_in_order, nothing_to_end
from .command_state import keep_state, read_state
from .compare import check_compare
from .compare_checkpoints import check_compare_checkpoints
from .files import read_file, read_secret, write_private
from .history import check_history
from .policy import Policy, parse_policy
from .policy_words import policy_in_words
from .prompts import ask_claims
from .public import check_bundle, check_public
from .record import Record
from .register_steps import RebuiltRegister

MAX_ENVELOPE_BYTES = 2 * limits.MAX_STATEMENT_BYTES


def run(arguments: Sequence[str]) -> int:
    """Runs one command; returns the exit status. Prints the report, the failure last."""
    options = build_parser().parse_args(arguments)
    finished = report.Report(options.command, Record())
    try:
        printed = _COMMANDS[options.command](options, finished)
    except ReserveProofError as error:
        finished.error = error
        printed = ""
    except OSError as error:
        finished.error = TransportError(f"{error.filename or 'a file'}: {error.strerror}", reason="transport")
        printed = ""
    if getattr(options, "shareable", False):
        printed = report.shareable(finished)
    elif options.json and not printed:
        printed = report.as_json(finished)
    elif not printed and finished.record.steps:
        printed = report.as_text(finished)
    _print(printed)
    if finished.error is not None and getattr(options, "shareable", False):
        # What stands in a terminal is pasted as a whole: nothing beside the result may show more than it (attack 20).
        print("hint: run it again without --shareable to see why", file=sys.stderr)
    elif finished.error is not None and not options.json:
        print(report.error_text(finished.error), file=sys.stderr)
    return finished.exit_status


def _print(text: str) -> None:
    if text:
        print(text)
    sys.stdout.flush()


# Each command fills the report in; what it returns is printed in its place.
def _policy(options: argparse.Namespace, finished: report.Report) -> str:
    policy = _read_policy(options.file)
    if options.json:
        return json.dumps({"custodian": policy.custodian, "fingerprint": policy.fingerprint()}, sort_keys=True)
    return policy_in_words(policy)


def _code(options: argparse.Namespace, finished: report.Report) -> str:
    code = base64.b32encode(secrets.token_bytes(13)).decode("ascii")[:20]
    return json.dumps({"client_code": code}) if options.json else code


def _version(options: argparse.Namespace, finished: report.Report) -> str:
    version = {"version": __version__, "format": 1, "rules": len(RULES)}
    return json.dumps(version, sort_keys=True) if options.json else f"reserveproof-verify {__version__}, format 1"


def _client(options: argparse.Namespace, finished: report.Report) -> str:
    policy = _read_policy(options.policy)
    at, state = _clock(options), read_state(options.state)
    proof = read_file(options.proof, limits.MAX_PROOF_BYTES, "the proof file")
    beside = read_file(options.statement, MAX_ENVELOPE_BYTES, "the statement") if options.statement else None
    bundle = BundleFolder(options.bundle) if options.bundle else None
    if options.claims:
        claims = parse_claims(read_file(options.claims, limits.MAX_TOML_BYTES, "the claims file"))
    else:
        claims = ask_claims(sys.stdin)
    result = check_client(
        proof,
        statement=beside,
        policy=policy,
        claims=claims,
        last=state.get(policy.custodian),
        at=at,
        bundle=bundle,
        record=finished.record,
        log=log_given(options),
    )
    report.describe_client(finished, result)
    keep_state(options.state, result.trusted.seen())
    if options.receipt:  # last, so that no receipt outlives a run that failed
        write_private(options.receipt, report.receipt(finished, policy.fingerprint(), at).encode("ascii") + b"\n")
    return ""


def _public(options: argparse.Namespace, finished: report.Report) -> str:
    policy = _read_policy(options.policy)
    state = read_state(options.state)
    result = check_public(
        BundleFolder(options.bundle),
        policy=policy,
        last=state.get(policy.custodian),
        at=_clock(options),
        digest=_digest(options),
        others=_others(options, policy, _clock(options)),
        record=finished.record,
        log=log_given(options),
    )
    report.describe_bundle(finished, result)
    keep_state(options.state, result.trusted.seen())
    return ""


def _audit(options: argparse.Namespace, finished: report.Report) -> str:
    policy = _read_policy(options.policy)
    state = read_state(options.state)
    key = read_secret(options.snapshot_key)
    bundle = BundleFolder(options.bundle)
    public = check_bundle(
        bundle,
        policy=policy,
        last=state.get(policy.custodian),
        at=_clock(options),
        digest=_digest(options),
        others=_others(options, policy, _clock(options)),
        record=finished.record,
        log=log_given(options),
    )
    decimals = {asset.asset: asset.decimals for asset in public.trusted.statement.assets}
    with audit_means(options) as means:
        inputs = audit_inputs(options, key, bundle, decimals, means)
        if options.no_other_registers and not options.other:
            public = replace(public, facts=replace(public.facts, other_accounts=frozenset()))
        result = check_audit(public, inputs, policy, finished.record, means)
    report.describe_audit(finished, result)
    keep_state(options.state, public.trusted.seen())
    return ""


def _compare(options: argparse.Namespace, finished: report.Report) -> str:
    policy = _read_policy(options.policy)
    both = [
        read_file(path / STATEMENT_FILE if path.is_dir() else path, MAX_ENVELOPE_BYTES, "the statement")
        for path in (options.first, options.second)
    ]
    if any(is_note(data) for data in both):
        return _compare_checkpoints(options, finished, policy, both)
    if options.consistency:
        raise UsageError("--consistency is for two checkpoints, and these are statements", reason="input")
    compared = check_compare(both[0], both[1], policy=policy, record=finished.record)
    finished.headline = (
        "both files carry the same statement"
        if compared.same_payload
        else "the statements do not contradict each other"
    )
    finished.facts = {"sequences": [compared.first.sequence, compared.second.sequence], "same": compared.same_payload}
    return ""


def _compare_checkpoints(
    options: argparse.Namespace, finished: report.Report, policy: Policy, both: Sequence[bytes]
) -> str:
    if not all(is_note(data) for data in both):
        raise UsageError("one file is a checkpoint and the other a statement", reason="input")
    found = check_compare_checkpoints(both[0], both[1], policy=policy, given=log_given(options), record=finished.record)
    finished.headline = (
        "the checkpoints do not contradict each other"
        if found.continued
        else "the checkpoints are of two sizes; whether one continues the other was not asked"
    )
    finished.facts = {"sizes": [found.smaller.size, found.larger.size], "continued": found.continued}
    return ""


def _history(options: argparse.Namespace, finished: report.Report) -> str:
    policy = _read_policy(options.policy)
    state = read_state(options.state)
    result = check_history(
        BundleFolder(options.site),
        policy=policy,
        last=state.get(policy.custodian),
        at=_clock(options),
        record=finished.record,
    )
    report.describe_history(finished, result)
    keep_state(options.state, result.seen())
    return ""


_COMMANDS = {
    "policy": _policy,
    "code": _code,
    "client": _client,
    "public": _public,
    "audit": _audit,
    "history": _history,
    "compare": _compare,
    "version": _version,
}


def _read_policy(path: Path) -> Policy:
    return parse_policy(read_file(path, limits.MAX_TOML_BYTES, "the policy"))


def _clock(options: argparse.Namespace) -> dt.datetime:
    try:
        return parse_time(options.at, "--at") if options.at else dt.datetime.now(dt.UTC)
    except MalformedError as error:
        raise UsageError(error.message, reason="input", expected=error.expected, found=error.found) from None


def _digest(options: argparse.Namespace) -> str:
    """The digest as typed, "" if the option is absent. An empty one is refused: a check that was asked for and left
    out would read as made."""
    if options.digest is None:
        return ""
    digest: str = options.digest.replace(" ", "").lower()
    if not DIGEST.fullmatch(digest):
        raise UsageError("--digest is not 64 hex digits", reason="input", found=digest[:96])
    return digest


def _others(options: argparse.Namespace, policy: Policy, at: dt.datetime) -> tuple[RebuiltRegister, ...] | None:
    """Registers that may not claim the same wallets, each verified whole by its own policy: a bundle that anybody can
    make up accuses nobody. The custodian's own earlier ones claim its wallets, and may. None if none was given."""
    found: list[RebuiltRegister] = []
    for folder, policy_file in options.other:
        its = _read_policy(Path(policy_file))
        if its.custodian == policy.custodian:
            raise UsageError(f"--other {folder} is {policy.custodian}'s own bundle", reason="input")
        try:
            verified = check_bundle(
                BundleFolder(Path(folder)),
                policy=its,
                last=None,
                at=at,
                digest="",
                others=None,
                record=Record(),
                log=None,
            )
        except TransportError:
            raise
        except ReserveProofError as error:
            # It says nothing of the custodian that is being checked: the reader handed in something unusable.
            raise UsageError(
                f"--other {folder} does not verify: {error.message}",
                reason="other",
                expected=error.expected,
                found=error.found,
            ) from None
        found.append(verified.rebuilt)
    return tuple(found) if found else None


def main() -> NoReturn:
    """The command; a fault of our own ends with 1 and one line, never with a verdict."""
    try:
        end_in_order()
        status = run(sys.argv[1:])
        nothing_to_end()
    except KeyboardInterrupt as ended:
        with contextlib.suppress(OSError):  # the terminal may be gone
            print("reserveproof-verify: stopped before a verdict", file=sys.stderr)
        status = 128 + (ended.args[0] if ended.args else signal.SIGINT)
    except BrokenPipeError:
        sys.stderr.write("reserveproof-verify: error: the output could not be written\n")
        sys.stdout = None  # the interpreter would try to flush it once more
        status = 6
    except Exception as fault:  # noqa: BLE001 - whatever it is, it must not read as a verdict
        print(f"reserveproof-verify: error: internal fault, no verdict: {fault!r}", file=sys.stderr)
        print("hint: please report this, without your proof file", file=sys.stderr)
        status = 1
    sys.exit(status)

"""`reserveproof-verify`: for clients, for anyone, for auditors. The verifier's edge to files, clock and terminal."""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import json
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from .. import __version__
from ..format import canonical_json, envelope, limits, register
from ..format.errors import MalformedError, ReserveProofError, TransportError, UsageError
from ..format.identifiers import DIGEST
from ..format.manifest import EVIDENCE_FOLDER, MANIFEST_FILE, REGISTER_FILE, STATEMENT_FILE
from ..format.statement import parse_payload
from ..format.times import parse_time
from ..format.vocabulary import ASSURANCE
from ..format.wallet_table import parse_wallets
from ..segregation import RULES
from . import audit_tables, report
from .audit import AuditInputs, check_audit
from .audit_store import AuditStore
from .bundle import Bundle, BundleFolder
from .claims import parse_claims
from .client import check_client
from .compare import check_compare
from .files import read_file, read_secret, write_private
from .last_seen import MAX_STATE_BYTES, LastSeen, dump_state, parse_state
from .policy import LAST_SEQUENCE, Policy, parse_policy
from .prompts import ask_claims
from .public import check_bundle, check_public
from .record import Record

EXIT_STATUSES = (
    "exit status: 0 every requested check passed; 2 usage; 3 verification failed; 4 malformed input; "
    "5 policy not met; 6 a file could not be read or written; 1 a fault of the verifier"
)
MAX_ENVELOPE_BYTES = 2 * limits.MAX_STATEMENT_BYTES


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reserveproof-verify",
        description="Verify a proof-of-reserves attestation, trusting no custodian's software.",
        epilog=EXIT_STATUSES,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=help_text, description=help_text, epilog=EXIT_STATUSES, allow_abbrev=False
        )

    def common(sub: argparse.ArgumentParser, *, policy: bool = True) -> None:
        if policy:
            sub.add_argument("--policy", type=Path, required=True, metavar="FILE", help="your trust policy (TOML)")
        sub.add_argument("--json", action="store_true", help="print one JSON document instead of text")

    def reader(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--state", type=Path, metavar="FILE", help="where the last statement seen is kept")
        sub.add_argument("--at", metavar="T", help="the time to judge by, YYYY-MM-DDTHH:MM:SSZ (default: now)")

    sub = command("policy", "say in words what a trust policy demands, with a fingerprint to compare")
    sub.add_argument("file", type=Path, metavar="FILE")
    common(sub, policy=False)

    sub = command("code", "make a client code to register with your custodian")
    common(sub, policy=False)

    sub = command("client", "check that your balances are included and covered")
    sub.add_argument("proof", type=Path, metavar="PROOF", help="the proof file you were given")
    common(sub)
    sub.add_argument(
        "--claims", type=Path, metavar="FILE", help="your id, code and balances (TOML); asked for if absent"
    )
    sub.add_argument("--statement", type=Path, metavar="FILE", help="the statement, if it was given beside the proof")
    sub.add_argument("--bundle", type=Path, metavar="DIR", help="the published bundle: rebuild the reserves here")
    reader(sub)
    sub.add_argument("--receipt", type=Path, metavar="FILE", help="write what was checked, without id, code or balance")
    sub.add_argument("--shareable", action="store_true", help="print a result without id, balance or blind")

    sub = command("public", "check a published bundle: signatures, wallets, reserves, rules")
    sub.add_argument("bundle", type=Path, metavar="BUNDLE")
    common(sub)
    sub.add_argument(
        "--other",
        type=Path,
        action="append",
        default=[],
        metavar="BUNDLE",
        help="a bundle that may not claim the same wallets",
    )
    sub.add_argument("--digest", metavar="HEX", help="the statement's digest from another source")
    reader(sub)

    sub = command("audit", "rebuild everything from the ledger and the snapshot key")
    sub.add_argument("bundle", type=Path, metavar="BUNDLE")
    common(sub)
    sub.add_argument(
        "--ledger", type=Path, required=True, nargs="+", metavar="FILE", help="the ledger, in any row order"
    )
    sub.add_argument(
        "--snapshot-key", type=Path, required=True, metavar="FILE", help="the snapshot key (only you can read it)"
    )
    sub.add_argument("--accounts", type=Path, metavar="FILE", help="the client accounts")
    sub.add_argument("--control-totals", type=Path, metavar="FILE", help="your own totals from the general ledger")
    sub.add_argument("--wallets", type=Path, metavar="FILE", help="the private wallet register (wallets.tsv)")
    sub.add_argument("--register", type=Path, metavar="FILE", help="the register of all pools, blinded ones too")
    sub.add_argument("--evidence", type=Path, metavar="DIR", help="folder of the sealed evidence, beside --register")
    sub.add_argument("--previous-ledger", type=Path, metavar="FILE", help="the ledger of the snapshot before")
    sub.add_argument(
        "--other",
        type=Path,
        action="append",
        default=[],
        metavar="BUNDLE",
        help="a bundle that may not claim the same wallets",
    )
    sub.add_argument("--digest", metavar="HEX", help="the statement's digest from another source")
    reader(sub)

    sub = command("compare", "see whether two statements of one custodian contradict each other")
    sub.add_argument("first", type=Path, metavar="A", help="a statement, or a bundle's folder")
    sub.add_argument("second", type=Path, metavar="B")
    common(sub)

    sub = command("version", "print the version")
    common(sub, policy=False)
    return parser


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


def policy_in_words(policy: Policy) -> str:
    """What a policy demands, for a person to agree with."""
    lines = [f"Trust policy for the custodian {policy.custodian}", "", "A statement is accepted if it is signed by"]
    for role, count in sorted(policy.thresholds.items()):
        able = [signer for signer in policy.signers if signer.role == role]
        lines.append(f"  at least {count} of {len(able)} of the role {role}:")
        for signer in able:
            until = "" if signer.last_sequence == LAST_SEQUENCE else f" to {signer.last_sequence}"
            span = f", statements {signer.first_sequence}{until or ' on'}" if signer.first_sequence or until else ""
            lines.append(f"    {report.shown_line(signer.name)}{span}")
            lines += [
                f"      {key}" if len(str(key)) < 90 else f"      {str(key)[:60]}... ({len(key.raw)} bytes)"
                for key in signer.keys
            ]
    reserves = {
        "register": "the register of reserves must be rebuilt by you, from the published bundle",
        "auditor": "an auditor's quorum must stand behind the reserves",
        "signed": "the reserves are taken as the custodian signed them",
    }
    publication = {
        "log": "the statement must be in a witnessed log (this version cannot check that)",
        "digest": "you must type the statement's digest from another source",
        "none": "nothing shows that others see the same statement",
    }
    weaker = ASSURANCE[: ASSURANCE.index(policy.least_assurance) + 1]
    lines += [
        "",
        f"It must be at most {policy.max_age_days} days old, and {policy.min_interval_days} days after the one before.",
        f"Control of wallets: {', '.join(weaker)}.",
        f"Reserves: {reserves[policy.reserves]}.",
        f"Publication: {publication[policy.publication]}.",
        "Pinned assets: "
        + (", ".join(f"{pin.asset} ({pin.decimals} decimals)" for pin in policy.assets) or "none")
        + ".",
        "",
        "Compare this fingerprint with one from another source:",
        f"  {policy.fingerprint()}",
    ]
    return "\n".join(lines)


def _code(options: argparse.Namespace, finished: report.Report) -> str:
    code = base64.b32encode(secrets.token_bytes(13)).decode("ascii")[:20]
    return json.dumps({"client_code": code}) if options.json else code


def _version(options: argparse.Namespace, finished: report.Report) -> str:
    version = {"version": __version__, "format": 1, "rules": len(RULES)}
    return json.dumps(version, sort_keys=True) if options.json else f"reserveproof-verify {__version__}, format 1"


def _client(options: argparse.Namespace, finished: report.Report) -> str:
    policy = _read_policy(options.policy)
    at, state = _clock(options), _read_state(options.state)
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
    )
    report.describe_client(finished, result)
    if options.receipt:
        write_private(options.receipt, report.receipt(finished, policy.fingerprint(), at).encode("ascii") + b"\n")
    _keep_state(options.state, state, result.trusted.seen())
    return ""


def _public(options: argparse.Namespace, finished: report.Report) -> str:
    policy = _read_policy(options.policy)
    state = _read_state(options.state)
    result = check_public(
        BundleFolder(options.bundle),
        policy=policy,
        last=state.get(policy.custodian),
        at=_clock(options),
        digest=_digest(options),
        others=_others(options, policy),
        record=finished.record,
    )
    report.describe_bundle(finished, result)
    _keep_state(options.state, state, result.trusted.seen())
    return ""


def _audit(options: argparse.Namespace, finished: report.Report) -> str:
    policy = _read_policy(options.policy)
    state = _read_state(options.state)
    key = read_secret(options.snapshot_key)
    bundle = BundleFolder(options.bundle)
    public = check_bundle(
        bundle,
        policy=policy,
        last=state.get(policy.custodian),
        at=_clock(options),
        digest=_digest(options),
        others=_others(options, policy),
        record=finished.record,
    )
    decimals = {asset.asset: asset.decimals for asset in public.trusted.statement.assets}
    with tempfile.TemporaryDirectory(prefix="reserveproof-audit-") as folder:  # 0700
        store = AuditStore(Path(folder) / "store.sqlite")
        try:
            inputs = _audit_inputs(options, store, key, bundle, decimals)
            result = check_audit(public, inputs, finished.record)
        finally:
            store.close()
    report.describe_audit(finished, result)
    _keep_state(options.state, state, public.trusted.seen())
    return ""


def _audit_inputs(
    options: argparse.Namespace, store: AuditStore, key: bytes, bundle: Bundle, decimals: dict[str, int]
) -> AuditInputs:
    rows = 0
    for path in options.ledger:
        with audit_tables.open_table(path) as stream:
            rows += store.add_ledger(
                audit_tables.read_ledger(stream, file=str(path), decimals=decimals), file=str(path)
            )
    if options.accounts:
        with audit_tables.open_table(options.accounts) as stream:
            store.add_accounts(
                audit_tables.read_accounts(stream, file=str(options.accounts)), file=str(options.accounts)
            )
    if options.previous_ledger:
        with audit_tables.open_table(options.previous_ledger) as stream:
            before = audit_tables.read_ledger(stream, file=str(options.previous_ledger), decimals=None)
            store.add_previous(row.client_id for _number, row in before if row.credit)
    totals = None
    if options.control_totals:
        with audit_tables.open_table(options.control_totals) as stream:
            totals = tuple(
                audit_tables.read_control_totals(stream, file=str(options.control_totals), decimals=decimals)
            )
    wallets = sealed = None
    if options.wallets:
        data = read_file(options.wallets, limits.MAX_REGISTER_BYTES, "the wallet register")
        wallets = parse_wallets(data, file=str(options.wallets))
    if options.register:
        sealed = register.parse(read_file(options.register, limits.MAX_REGISTER_BYTES, "the register"))
    evidence_folder = options.evidence
    if evidence_folder is not None and evidence_folder.name == EVIDENCE_FOLDER:
        evidence_folder = evidence_folder.parent  # files are called evidence/HEX.json, from the folder above
    return AuditInputs(
        snapshot_key=key,
        store=store,
        ledger_rows=rows,
        accounts_given=options.accounts is not None,
        previous_given=options.previous_ledger is not None,
        control_totals=totals,
        wallets=wallets,
        sealed_register=sealed,
        sealed_evidence=BundleFolder(evidence_folder) if evidence_folder else None,
        published=_published_documents(bundle),
    )


def _published_documents(bundle: Bundle) -> tuple[object, ...]:
    """Every document of a bundle that has been checked: the statement's payload in place of its envelope, and files
    that the format does not know as text."""
    documents: list[object] = []
    for name in sorted(bundle.names()):
        data = bundle.read(name, limits.MAX_REGISTER_BYTES)
        if name == STATEMENT_FILE:
            data = envelope.parse(data).payload
        if name in (STATEMENT_FILE, REGISTER_FILE) or name.startswith(f"{EVIDENCE_FOLDER}/"):
            documents.append(canonical_json.parse(data, max_bytes=limits.MAX_REGISTER_BYTES, what=name))
        elif name != MANIFEST_FILE:
            documents.append({"text": data.decode("utf-8", "replace")})
    return tuple(documents)


def _compare(options: argparse.Namespace, finished: report.Report) -> str:
    policy = _read_policy(options.policy)
    both = [
        read_file(path / STATEMENT_FILE if path.is_dir() else path, MAX_ENVELOPE_BYTES, "the statement")
        for path in (options.first, options.second)
    ]
    compared = check_compare(both[0], both[1], policy=policy, record=finished.record)
    finished.headline = (
        "both files carry the same statement"
        if compared.same_payload
        else "the statements do not contradict each other"
    )
    finished.facts = {"sequences": [compared.first.sequence, compared.second.sequence], "same": compared.same_payload}
    return ""


_COMMANDS = {
    "policy": _policy,
    "code": _code,
    "client": _client,
    "public": _public,
    "audit": _audit,
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


def _others(options: argparse.Namespace, policy: Policy) -> list[Bundle]:
    """Bundles that may not claim the same wallets. The custodian's own earlier ones claim them, and may."""
    others: list[Bundle] = []
    for path in options.other:
        other = BundleFolder(path)
        parsed = envelope.parse(other.read(STATEMENT_FILE, MAX_ENVELOPE_BYTES))
        if parse_payload(parsed.payload).statement.custodian.id == policy.custodian:
            raise UsageError(f"--other {path} is {policy.custodian}'s own bundle", reason="input")
        others.append(other)
    return others


def _read_state(path: Path | None) -> dict[str, LastSeen]:
    if path is None or not path.exists():
        return {}
    return parse_state(read_file(path, MAX_STATE_BYTES, "the state file"))


def _keep_state(path: Path | None, state: dict[str, LastSeen], seen: LastSeen) -> None:
    """Only after every check has passed, so a refused statement is never remembered as seen."""
    if path is not None:
        write_private(path, dump_state({**state, seen.custodian: seen}))


def main() -> NoReturn:
    """The command; a fault of our own ends with 1 and one line, never with a verdict."""
    try:
        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        print("reserveproof-verify: stopped before a verdict", file=sys.stderr)
        status = 130
    except BrokenPipeError:
        sys.stderr.write("reserveproof-verify: error: the output could not be written\n")
        sys.stdout = None  # the interpreter would try to flush it once more
        status = 6
    except Exception as fault:  # noqa: BLE001 - whatever it is, it must not read as a verdict
        print(f"reserveproof-verify: error: internal fault, no verdict: {fault!r}", file=sys.stderr)
        print("hint: please report this, without your proof file", file=sys.stderr)
        status = 1
    sys.exit(status)

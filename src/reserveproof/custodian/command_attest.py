"""`reserveproof challenge`, `attest`, `sign` and `publish`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from ..format import canonical_json
from ..format.errors import UsageError
from . import attest as attesting
from . import challenge_step, draft_store, signing
from .attest import Given
from .attest_report import frozen_findings, report_lines
from .audit_pack import show_signatures, write_audit_pack
from .challenge_kit import standings
from .command_output import Folder, SnapshotId, now, say, working
from .facts import read_prices
from .log_publish import Logging
from .log_site import site_of
from .publish import publish as publish_bundle
from .thresholds import lacking
from .workspace import open_workspace

FAILED = 3


def add(app: typer.Typer) -> None:
    app.command("challenge", short_help="Have the wallets sign: write the kit, take in the answers.")(challenge)
    app.command("attest")(attest)
    app.command("sign", short_help="Sign the draft, with a key file or elsewhere.")(sign)
    app.command("publish", short_help="Publish the bundle, if the verifier passes it.")(publish)


def challenge(
    folder: Folder,
    snapshot_id: SnapshotId,
    kit: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the kit into this new folder.")] = None,
    answers: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="A responses.csv with signatures.")
    ] = None,
) -> None:
    """Freeze what the wallets sign, write the kit for them, and take in their answers.

    Exit status 3 if an answer was refused; the others are kept.
    """
    workspace = open_workspace(folder)
    refused = 0
    with workspace.lock():
        snapshot = workspace.snapshot(snapshot_id)
        if answers is not None:
            given, frozen = challenge_step.import_answers(snapshot, answers, now=now())
            for answer in given:
                if answer.why:
                    say(f"refused, row {answer.row}, {answer.account}: {answer.why}")
            refused = sum(1 for answer in given if answer.why)
            say(f"{len(given)} answers: {len(given) - refused} accepted, {refused} refused")
        else:
            frozen = challenge_step.freeze_challenge(snapshot, now=now())
            words = "was frozen before" if frozen.again else "is frozen"
            say(f"the claim {words}: {frozen.challenge.claim.hex()}")
            say(f"to be signed before {frozen.challenge.claim_expires}")
        if kit is not None:
            challenge_step.write_kit(frozen, kit)
            say(f"wrote the kit for {len(frozen.challenge.wallets)} wallets into {kit}")
    found = standings(frozen.challenge, frozen.responses)
    states = Counter(standing.state for standing in found)
    say(f"wallets: {states['received']} received, {states['refused']} refused, {states['missing']} missing")
    for standing in found:
        if standing.state != "received":
            say(f"  {standing.state}  {standing.wallet.pool}  {standing.wallet.account}: {standing.why}")
    if states["received"] == len(found):
        say(f"next: reserveproof attest {folder} {snapshot_id}")
    if refused:
        raise typer.Exit(FAILED)


def attest(
    folder: Folder,
    snapshot_id: SnapshotId,
    prices: Annotated[Path | None, typer.Option(metavar="FILE", help="asset,price,quote,time,source")] = None,
    other_register: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A register.json that may not claim the same wallets.")
    ] = None,
    no_other_registers: Annotated[
        bool, typer.Option("--no-other-registers", help="Say that no other register of this group exists.")
    ] = False,
    corrects: Annotated[str, typer.Option(metavar="SHA256", help="The payload that this statement corrects.")] = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is corrected.")] = "",
    unsafe_discard_export: Annotated[
        bool, typer.Option("--unsafe-discard-export", help="Nobody has signed, nor will, what --export gave out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make the unsigned statement and its verdict. Exit status 3, with the draft kept, if it is failing."""
    workspace = open_workspace(folder)
    if other_register and no_other_registers:
        raise UsageError("--other-register and --no-other-registers contradict each other", reason="options")
    config = workspace.config()
    others = attesting.read_other_registers(other_register) if other_register else None
    given = Given(
        prices=read_prices(prices, [asset.asset for asset in config.assets]) if prices else None,
        others=frozenset() if no_other_registers else others,
        corrects=attesting.parse_digest(corrects) if corrects else None,
        reason=reason,
        discard_export=unsafe_discard_export,
    )
    with workspace.lock(), working("attesting") as progress:
        snapshot = workspace.snapshot(snapshot_id)
        made = attesting.attest(snapshot, now=now(), given=given, progress=progress)
        pack = write_audit_pack(snapshot)
    if as_json:
        say(canonical_json.dump(attesting.draft_json(made)).decode("utf-8"))
    else:
        for line in report_lines(made):
            say(line)
        say()
        say(f"payload SHA-256: {made.payload_sha256.hex()}")
        say(f"draft: {draft_store.folder_of(snapshot)}; for the auditor: {pack}")
        if made.verdict == "failing":
            say("the draft is kept, and says that it fails; put right what blocks, then attest again")
            if frozen := frozen_findings(made.results):
                say(f"{', '.join(frozen)}: the ledger is frozen, so that this is put right in another snapshot only")
        else:
            say(f"next: reserveproof sign {folder} {snapshot_id} --key FILE")
    if made.verdict == "failing":
        raise typer.Exit(FAILED)


def sign(
    folder: Folder,
    snapshot_id: SnapshotId,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="A key file, mode 0600.")] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the bytes to sign into a new file.")
    ] = None,
    signature: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="A signature that was made elsewhere.")
    ] = None,
    signer: Annotated[str, typer.Option(metavar="NAME", help="Whose signature it is, as in custodian.toml.")] = "",
) -> None:
    """Sign the draft: with a key file, or elsewhere with --export and --import."""
    if [key, export, signature].count(None) != 2:
        raise UsageError("give one of --key, --export and --import", reason="options")
    if signature is not None and not signer:
        raise UsageError("--import needs --signer NAME", reason="options")
    workspace = open_workspace(folder)
    with workspace.lock():
        snapshot = workspace.snapshot(snapshot_id)
        config = workspace.config()
        draft, state, _attested = draft_store.load(snapshot)
        message = signing.signed_bytes(draft.payload)
        if export is not None:
            signing.check_next(snapshot, state)
            signing.export(snapshot, export, draft.payload)
            say(f"wrote the {len(message)} bytes to sign into {export}")
            say(f"next: sign them, then reserveproof sign {folder} {snapshot_id} --import FILE --signer NAME")
            return
        if key is not None:
            made = signing.sign_with_key(config, key, message, signer)
        elif signature is not None:
            made = signing.read_signature(signature, signing.signer_named(config, signer), message)
        else:
            raise RuntimeError("no way to sign was chosen")
        after = signing.accept(snapshot, made, draft.payload)
        show_signatures(snapshot, after.envelope(draft.payload))
    say(f"signed by {made.signer}; statement {state.sequence}, payload SHA-256 {state.payload_sha256.hex()}")
    for name, missing in after.missing(config.signers):
        say(f"{name} counts only when the other key has signed too: {missing[:24]}…")
    say(f"signatures so far: {len(after.signatures)}")
    lines = tuple(lacking(config, {entry.key for entry in after.signatures}))
    for line in lines:
        say(f"still missing: {line}")
    option = " --key FILE" if lines else " --log-key FILE" if config.log else ""
    say(f"next: reserveproof {'sign' if lines else 'publish'} {folder} {snapshot_id}{option}")


def publish(
    folder: Folder,
    snapshot_id: SnapshotId,
    log_key: Annotated[
        Path | None, typer.Option("--log-key", metavar="FILE", help="The log's key, where custodian.toml has a log.")
    ] = None,
    log_unpublished: Annotated[
        list[int] | None,
        typer.Option("--log-unpublished", metavar="NUMBER", help="Log an earlier statement that was signed and that "
                     "nobody will see."),
    ] = None,
) -> None:  # fmt: skip
    """Put the bundle together, have the verifier judge it, and publish it only if it passes.

    With a log, the statement is then appended to it and the site is written.
    """
    if log_unpublished and log_key is None:
        raise UsageError("--log-unpublished is for a log, and needs --log-key", reason="options")
    workspace = open_workspace(folder)
    with workspace.lock(), working("the verifier is judging the bundle"):
        snapshot = workspace.snapshot(snapshot_id)
        logging = Logging(log_key, frozenset(log_unpublished or ())) if log_key else None
        bundle, published = publish_bundle(snapshot, now=now(), logging=logging)
    say("the verifier passed the bundle")
    say(f"published statement {published.sequence}: {bundle}")
    if log_key is not None:
        say(f"logged as entry {published.sequence}; the site to serve: {site_of(workspace)}")
        say(f"for witnesses to cosign: reserveproof log checkpoint {folder} --from SIZE")
    say(f"payload SHA-256 {published.payload_sha256.hex()}: publish it by another road than the bundle")
    say(f"next: reserveproof prove {folder} {snapshot_id}")

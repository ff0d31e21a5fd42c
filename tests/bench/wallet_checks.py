"""Figures of control proofs a second a core: step 8 of `public`, as the verifier runs it, over wallets in a folder.

The wallets are signed beforehand, no key twice, with the claim of a published statement; BIP-322 half over P2WPKH and
half over P2TR addresses. A control proof costs what it costs in `public`: its file opened, read and hashed, parsed, the
challenge rebuilt, the signature judged. Beside it, in the detail: the whole of step 8, where each position has its
observation too, and challenge and signature alone, with nothing read or parsed. Each run is a new process on one core.

    PYTHONPATH=tests python -m bench.wallet_checks FOLDER STATEMENT
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from reserveproof.chains import ControlEvidence, check_control
from reserveproof.custodian import demo_wallets
from reserveproof.format import envelope, evidence, manifest, register
from reserveproof.format.challenge import challenge, claim_of
from reserveproof.format.evidence import Control, Letter, Observation
from reserveproof.format.register import Position, RegisterEntry
from reserveproof.format.statement import Statement, parse_payload
from reserveproof.verifier.bundle import BundleFolder
from reserveproof.verifier.evidence_step import check_evidence

from . import measure
from .figure import Figure, at_least
from .ground import Ground
from .world import BITCOIN, ETHEREUM, FORMS

BIP322 = Figure("public-bip322", "a second", at_least(8_000))
EIP191 = Figure("public-eip191", "a second", at_least(12_000))
FIGURES = (BIP322, EIP191)
_MOST, _LINES_A_WALLET = 10_000, 100
_POOL = "custody-a"


def take(ground: Ground) -> list[Figure]:
    world = ground.published("large")
    statement_file = world.bundle / manifest.STATEMENT_FILE
    statement = read_statement(statement_file)
    wallets = min(_MOST, ground.rows // _LINES_A_WALLET)
    made = []
    for figure in FIGURES:
        name = figure.name
        ground.say(f"{name}: signing {wallets:,} wallets")
        folder = world.base / name
        write_wallets(folder, statement, name, wallets)
        runs: list[dict[str, float]] = []
        for number in range(ground.runs):
            ground.say(f"{name}, run {number + 1} of {ground.runs}")
            run = measure.run(["-m", "bench.wallet_checks", folder, statement_file], world.base)
            found = json.loads(run.output)
            runs.append(found)
        proofs = [found.pop("control_proofs") for found in runs]
        detail: dict[str, float | str] = {f"{what}_a_second": round(median(r[what] for r in runs)) for what in runs[0]}
        made.append(figure.of(proofs, {"wallets": wallets} | detail))
    return made


def read_statement(path: Path) -> Statement:
    return parse_payload(envelope.parse(path.read_bytes()).payload).statement


def write_wallets(folder: Path, statement: Statement, name: str, wallets: int) -> None:
    """register.json and evidence/ of so many wallets in a folder: positions that step 8 passes."""
    (folder / manifest.EVIDENCE_FOLDER).mkdir(parents=True)
    chain, asset = (BITCOIN, "BTC") if name == BIP322.name else (ETHEREUM, "ETH")
    anchor = next(anchor for anchor in statement.anchors if anchor.chain == chain)
    claim = claim_of(statement)
    entries = []
    for number in range(wallets):
        secret = hashlib.sha256(b"%s %d" % (name.encode(), number)).digest()
        account, scheme, signer = _wallet(name, secret, number)
        message = challenge(
            account=account, custodian_id=statement.custodian.id, pool=_POOL, segregation="omnibus", claim=claim,
            expires=statement.claim_expires, profile="text",
        )  # fmt: skip
        control = Control(account, Letter("", "", None), "text", scheme, signer(secret, message))
        form = FORMS[asset]
        seen = Observation(account, form, anchor.hash, anchor.height, "RPC_REPORTED", number + 1, "node", anchor.time)
        digests = []
        for item in (control, seen):
            data = evidence.dump(item)
            digests.append(hashlib.sha256(data).digest())
            (folder / manifest.evidence_file(digests[-1])).write_bytes(data)
        entries.append(
            RegisterEntry(
                asset, _POOL,
                Position(account, "KEY_SIGNATURE", None, digests[0], number + 1, 0, 0, form, digests[1], number + 1,
                         "omnibus"),
            )
        )  # fmt: skip
    (folder / manifest.REGISTER_FILE).write_bytes(register.dump(tuple(entries)))


def _wallet(name: str, secret: bytes, number: int) -> tuple[str, str, Callable[[bytes, str], str]]:
    """(account, scheme, what signs for it)."""
    if name == EIP191.name:
        return f"{ETHEREUM}:{demo_wallets.eip191_address(secret)}", "eip191", demo_wallets.sign_eip191
    if number % 2:
        return f"{BITCOIN}:{demo_wallets.bip322_p2tr_address(secret)}", "bip322-smp", demo_wallets.sign_bip322_p2tr
    return f"{BITCOIN}:{demo_wallets.bip322_p2wpkh_address(secret)}", "bip322-smp", demo_wallets.sign_bip322_p2wpkh


def check(folder: Path, statement_file: Path) -> dict[str, float]:
    """Step 8 over all wallets of a folder, with their control proofs only, then whole; then what is judged once it is
    parsed. Each a second, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    statement = read_statement(statement_file)
    entries = register.parse((folder / manifest.REGISTER_FILE).read_bytes())
    files = dict(_entries_of(folder))
    bundle = BundleFolder(folder)
    # A position without a quantity needs no observation.
    bare = [
        replace(entry, position=replace(entry.position, counted=0, observed=0, observation=None)) for entry in entries
    ]
    of_control = {
        entry.position.account: (name, files[name])
        for entry in entries
        for name in [manifest.evidence_file(entry.position.control or b"")]
    }
    # One wallet before the clock runs: the wallet libraries are loaded at the first.
    check_evidence(bundle, dict([of_control[bare[0].position.account]]), statement, bare[:1])
    began = time.perf_counter()
    check_evidence(bundle, dict(of_control.values()), statement, bare)
    proofs = time.perf_counter() - began
    began = time.perf_counter()
    shown = check_evidence(bundle, files, statement, entries)
    whole = time.perf_counter() - began
    if any(position.control is None or position.anchored is not True for position in shown):
        raise RuntimeError("a position passed without its evidence")
    claim = claim_of(statement)
    controls = [position.control for position in shown if position.control is not None]
    began = time.perf_counter()
    verdicts = {_judged(statement, claim, control) for control in controls}
    judged = time.perf_counter() - began
    if verdicts != {"valid"}:
        raise RuntimeError("a signature of the bench is not valid")
    return {
        "control_proofs": len(entries) / proofs, "with_observation": len(entries) / whole,
        "judged_alone": len(controls) / judged,
    }  # fmt: skip


def _judged(statement: Statement, claim: bytes, control: Control) -> str:
    """What step 8 does once a control proof is parsed."""
    message = challenge(
        account=control.account, custodian_id=statement.custodian.id, pool=_POOL, segregation="omnibus", claim=claim,
        expires=statement.claim_expires, profile=control.profile,
    )  # fmt: skip
    return check_control(control.account, message, ControlEvidence(control.scheme, control.signature)).verdict


def _entries_of(folder: Path) -> Iterator[tuple[str, manifest.FileEntry]]:
    """The files as a manifest would list them: step 6 has read them all before step 8 does."""
    for path in sorted(folder.rglob("*.json")):
        data = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        if name != manifest.REGISTER_FILE:
            yield name, manifest.FileEntry(name, hashlib.sha256(data).digest(), len(data))


if __name__ == "__main__":
    print(json.dumps(check(Path(sys.argv[1]), Path(sys.argv[2]))))

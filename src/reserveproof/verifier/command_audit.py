"""The files that an auditor hands to `reserveproof-verify audit`, and what the audit works with."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..format import canonical_json, envelope, limits, register
from ..format.manifest import EVIDENCE_FOLDER, MANIFEST_FILE, REGISTER_FILE, STATEMENT_FILE
from ..format.wallet_table import parse_wallets
from . import audit_tables
from .audit_facts import AuditInputs
from .audit_ledger import Means, read_tables
from .bundle import Bundle, BundleFolder
from .command_progress import progress_on
from .command_signals import held_back
from .command_workers import Workers, processors, startable
from .files import read_file, read_secret

WORTH_WORKERS = 8 << 20
"""Bytes of a ledger from which on starting workers saves time."""


@contextlib.contextmanager
def audit_means(options: argparse.Namespace) -> Iterator[Means]:
    """A working folder that only its owner can read, and workers if the tables are long. Both are gone at the end,
    however it ends: the workers first, so that none writes into a folder that goes."""
    size = sum(path.stat().st_size for path in options.ledger)
    count = processors() if size >= WORTH_WORKERS and startable() else 1
    progress = progress_on(sys.stderr)
    with _working_folder() as folder:
        if count == 1:
            yield Means(folder, map, progress)
            return
        with Workers(count) as workers:
            yield Means(folder, workers.map, progress)


@contextlib.contextmanager
def _working_folder() -> Iterator[Path]:
    made: tempfile.TemporaryDirectory[str] | None = None
    try:
        with held_back():
            made = tempfile.TemporaryDirectory(prefix="reserveproof-audit-")  # 0700
        yield Path(made.name)
    finally:
        with held_back():
            if made:
                made.cleanup()


def audit_inputs(
    options: argparse.Namespace, key: bytes, bundle: Bundle, decimals: dict[str, int], means: Means
) -> AuditInputs:
    given = read_tables(options.ledger, options.accounts, options.previous_ledger, decimals, means)
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
        previous_key=read_secret(options.previous_key) if options.previous_key else None,
        tables=given,
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

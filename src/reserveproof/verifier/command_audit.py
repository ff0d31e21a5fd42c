"""The files that an auditor hands to `reserveproof-verify audit`."""

from __future__ import annotations

import argparse

from ..format import canonical_json, envelope, limits, register
from ..format.manifest import EVIDENCE_FOLDER, MANIFEST_FILE, REGISTER_FILE, STATEMENT_FILE
from ..format.wallet_table import parse_wallets
from . import audit_tables
from .audit import AuditInputs
from .audit_store import AuditStore
from .bundle import Bundle, BundleFolder
from .files import read_file, read_secret


def audit_inputs(
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
        previous_key=read_secret(options.previous_key) if options.previous_key else None,
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

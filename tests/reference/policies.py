"""Trust policies of the vectors, as people write them."""

from __future__ import annotations

from .signers import AUDITOR, HSM, LATTICE, OFFICER, SECOND_OFFICER

HEAD = """\
format = 1
custodian = "acme-custody"
kinds = [1]
least_assurance = "CUSTODIAN_CONFIRMATION"
reserves = "signed"
publication = "none"
max_age_days = 100
min_interval_days = 28

"""


def signer(name: str, role: str, *keys: str, more: str = "") -> str:
    listed = ", ".join(f'"{key}"' for key in keys)
    return f'[[signers]]\nname = "{name}"\nrole = "{role}"\nkeys = [{listed}]\n{more}\n'


OFFICER_SIGNER = signer("Treasury officer", "custodian", OFFICER.text)
AUDITOR_SIGNER = signer("Ledger & Partners", "auditor", AUDITOR.text)
BASE = HEAD + "[thresholds]\nauditor = 1\ncustodian = 1\n\n" + OFFICER_SIGNER + AUDITOR_SIGNER
HYBRID = HEAD + "[thresholds]\ncustodian = 1\n\n" + signer("Treasury officer", "custodian", OFFICER.text, LATTICE.text)
P256 = HEAD + "[thresholds]\ncustodian = 1\n\n" + signer("Treasury module", "custodian", HSM.text)
TWO_OFFICERS = (
    HEAD
    + "[thresholds]\ncustodian = 2\n\n"
    + OFFICER_SIGNER
    + signer("Second officer", "custodian", SECOND_OFFICER.text)
)

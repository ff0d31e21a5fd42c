"""Trust policies of the vectors, as people write them."""

from __future__ import annotations

from .signers import AUDITOR, HSM, LATTICE, LOG, OFFICER, SECOND_OFFICER, WITNESSES, Key

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
ORIGIN = "acme.example/attestations"


def witness(name: str, *keys: str) -> str:
    listed = ", ".join(f'"{key}"' for key in keys)
    return f'[[log.witnesses]]\nname = "{name}"\nkeys = [{listed}]\n\n'


def witness_name(number: int) -> str:
    return f"witness-{number}.example"


def logged(*witnesses: str, needed: int = 2, key: Key = LOG, base: str = BASE) -> str:
    """A policy that asks for the log, with these witnesses."""
    table = f'[log]\norigin = "{ORIGIN}"\nkey = "{key.text}"\nwitnesses_needed = {needed}\n\n'
    return base.replace('publication = "none"', 'publication = "log"') + table + "".join(witnesses)


LOGGED = logged(*(witness(witness_name(number), key.text) for number, key in enumerate(WITNESSES, 1)))

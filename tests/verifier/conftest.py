"""What the run from the one-file verifier cannot load."""

from __future__ import annotations

import importlib.util

# These are made with the attacker's tools, which sign as the custodian's wallets do, and the one file has no custodian.
# They run from the checkout, where they build and start the one file themselves.
WITH_WALLETS = ["test_audit_faults.py", "test_audit_partitions.py", "test_audit_workers.py"]
collect_ignore = [] if importlib.util.find_spec("reserveproof.custodian") else WITH_WALLETS

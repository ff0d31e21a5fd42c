"""Coverage of one (pool, asset): step 10 of docs/spec/verification.md, a client's and the public's."""

from __future__ import annotations

from ..format.amounts import to_readable
from ..format.errors import EvidenceError, PolicyError
from ..format.pool import PoolAsset
from ..format.vocabulary import ASSURANCE
from .policy import Policy


def weakest_class(cell: PoolAsset) -> str:
    """The weakest class of control that counts in a cell's reserves, "" if they are zero."""
    classes = [entry.class_ for entry in cell.reserves.by_class]
    return max(classes, key=ASSURANCE.index) if classes else ""


def check_cell_coverage(policy: Policy, pool: str, cell: PoolAsset, decimals: int) -> None:
    """reserves >= liabilities in this (pool, asset) alone; classes as the policy demands."""
    if cell.reserves.total < cell.liabilities.total:
        raise EvidenceError(
            f"{pool} {cell.asset}: the reserves do not cover what is owed",
            reason="not-covered",
            expected=f"at least {to_readable(cell.liabilities.total, decimals)}",
            found=to_readable(cell.reserves.total, decimals),
            hint="this is what the custodian itself signed; ask how and when the shortfall is covered",
        )
    weakest = weakest_class(cell)
    if weakest and not policy.accepts_assurance(weakest):
        raise PolicyError(
            f"{pool} {cell.asset}: some reserves are shown by weaker means than the policy accepts",
            reason="assurance",
            expected=policy.least_assurance,
            found=weakest,
        )

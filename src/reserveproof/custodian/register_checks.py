"""What is sound in the register and the anchors each by itself, and not beside each other, the as-of or the ledger.

No parser refuses these, and a rule says some of them of the finished draft. By then the wallets have signed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from ..format.errors import InputError
from ..format.identifiers import chain_of
from ..format.limits import OLDEST_ANCHOR_SECONDS
from ..format.statement import Anchor
from ..format.times import parse_time
from .challenge_step import REGISTER_FILE
from .csv_rows import split_rows
from .register_input import ANCHOR_COLUMNS, RegisterRow

__all__ = ["REGISTER_FILE", "anchors_at_odds", "clients_at_odds", "dedicated_clients", "off_anchor", "shown_balances"]


def dedicated_clients(rows: Sequence[RegisterRow]) -> frozenset[str]:
    """Ids of clients with a dedicated wallet."""
    return frozenset(row.client_id for row in rows if row.segregation == "dedicated")


def clients_at_odds(rows: Sequence[RegisterRow], codes: Mapping[str, str], *, file: str) -> Iterator[InputError]:
    """Dedicated wallets of a client that the ledger does not have, or has with another code.

    codes: of the clients of dedicated_clients that stand in the ledger.
    """
    for row in rows:
        if row.segregation != "dedicated":
            continue
        if row.client_id not in codes:
            yield InputError("is no client of the ledger, and the wallet would count nothing", file=file, row=row.row,
                             column="client_id", value=row.client_id, reason="client")  # fmt: skip
        elif codes[row.client_id] != row.client_code:
            yield InputError("is not the code that the ledger has for this client", file=file, row=row.row,
                             column="client_code", reason="code")  # fmt: skip


def shown_balances(rows: Sequence[RegisterRow], registers: Mapping[str, str]) -> Iterator[str]:
    """A warning for each pool whose public register shows what single clients have: a dedicated wallet counts no more
    than its client is owed. registers: each pool's, public or blinded."""
    clients: dict[str, set[str]] = {}
    for row in rows:
        if row.segregation == "dedicated" and registers.get(row.pool) == "public":
            clients.setdefault(row.pool, set()).add(row.client_id)
    for pool, found in sorted(clients.items()):
        whose = "the balance of one client" if len(found) == 1 else f"the balances of {len(found)} clients"
        yield f"pool {pool} has dedicated wallets and a public register: everyone reads {whose} off it, without a name"


def off_anchor(rows: Sequence[RegisterRow], anchors: Collection[Anchor], *, file: str) -> Iterator[InputError]:
    """Positions in a pool that were not read in the anchor's block, and chains of positions without an anchor."""
    found = {anchor.chain: anchor for anchor in anchors}
    lacking: set[str] = set()
    for row in rows:
        chain = chain_of(row.account)
        if not row.in_pool or not chain:
            continue
        anchor = found.get(chain)
        if anchor is None:
            if chain not in lacking:
                yield InputError(f"is on {chain}, which has no anchor", file=file, row=row.row, column="account",
                                 value=row.account, hint="give the chain a row in anchors.csv",
                                 reason="anchor")  # fmt: skip
            lacking.add(chain)
            continue
        for column, here, there in (
            ("height", str(row.height), str(anchor.height)),
            ("hash", row.hash, anchor.hash),
            ("time", row.time, anchor.time),
        ):
            if here != there:
                yield InputError(f"is not that of the anchor of {chain}, {there}", file=file, row=row.row,
                                 column=column, value=here, reason="anchor",
                                 hint="read every balance of a chain in its anchor's block")  # fmt: skip


def anchors_at_odds(data: bytes, anchors: Collection[Anchor], as_of: str, *, file: str) -> Iterator[InputError]:
    """Anchors after the as-of, or more than a day before it. data: the bytes that anchors were read from."""
    rows = {row.fields["chain"]: row.row for row in split_rows(data, ANCHOR_COLUMNS, file=file)}
    for anchor in anchors:
        before = (parse_time(as_of) - parse_time(anchor.time)).total_seconds()
        if 0 <= before <= OLDEST_ANCHOR_SECONDS:
            continue
        rule = (
            f"is after the snapshot's as-of {as_of}"
            if before < 0
            else f"is more than {OLDEST_ANCHOR_SECONDS} s before the snapshot's as-of {as_of}"
        )
        yield InputError(rule, file=file, row=rows[anchor.chain], column="time", value=anchor.time, reason="anchor",
                         hint="the anchor is the last block at or before it")  # fmt: skip

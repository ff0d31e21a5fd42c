"""Whose a wallet is: SEG-01, SEG-02, SEG-04, SEG-07, SEG-10."""

from __future__ import annotations

from ..format.vocabulary import ACCOUNT_TYPES, HOUSE_TYPES
from .facts import Facts
from .outcome import Finding, Outcome, Parameters, settle
from .views import (
    COVER_CLASSES,
    NO_ACCOUNTS,
    NO_WALLETS,
    is_private,
    owner_classes,
    pool_of,
    position_gaps,
    same_account,
    same_owner,
)

CLIENT_TYPES = ACCOUNT_TYPES - HOUSE_TYPES
"""Types that may stand in a pool of clients; an unknown type is not one of them."""


def _hidden(facts: Facts) -> set[str]:
    """Accounts that stand in a register that is not public: that one of them is shown elsewhere tells of it."""
    return {same_account(p.account) for p in facts.positions or () if is_private(facts, p)}


def one_owner_class(facts: Facts, _: Parameters, __: str) -> Outcome:
    """SEG-01. A position in a pool is a claim that the account is the clients', unless its one class is own cover
    that stands in the pool on purpose (whether that may count is COV-05)."""
    classes = owner_classes(facts.house)
    for owner, more in owner_classes(facts.wallets or ()).items():
        classes.setdefault(owner, set()).update(more)
    for position in facts.positions or ():
        known = classes.setdefault(same_owner(position.account), set())
        if not (len(known) == 1 and known <= COVER_CLASSES):
            known.add("client")
    public = {same_owner(p.account) for p in facts.positions or ()} | {same_owner(h.account) for h in facts.house}
    public -= {same_owner(p.account) for p in facts.positions or () if is_private(facts, p)}
    rows = [
        Finding("", "", owner, "owner classes " + ", ".join(sorted(known)), "one", private=owner not in public)
        for owner, known in classes.items()
        if len(known) > 1
    ]
    return settle(rows, [*position_gaps(facts), NO_WALLETS if facts.wallets is None else ""])


def one_client(facts: Facts, _: Parameters, __: str) -> Outcome:
    """SEG-02. Ties are blinded for each tree and position, so positions alone do not show that two forms of one
    account are tied to two clients; the wallet register does."""
    limit = "a dedicated wallet of exactly one client"
    rows: list[Finding] = []
    clients: dict[str, set[tuple[str, str]]] = {}
    kinds: dict[str, set[str]] = {}
    for wallet in facts.wallets or ():
        account = same_account(wallet.account)
        kinds.setdefault(account, set()).add(wallet.segregation)
        if wallet.client_id:
            clients.setdefault(account, set()).add((wallet.client_id, wallet.client_code))
        if wallet.segregation == "dedicated" and not wallet.client_id:
            rows.append(Finding(wallet.pool, "", wallet.account, "dedicated, with no client", limit, True))
        if wallet.segregation == "omnibus" and wallet.client_id:
            rows.append(Finding(wallet.pool, "", wallet.account, "omnibus, with a client", limit, True))
    rows += [
        Finding("", "", account, f"{len(ids)} clients", limit, True) for account, ids in clients.items() if len(ids) > 1
    ]
    rows += [
        Finding("", "", account, "registered as dedicated and as omnibus", limit, True)
        for account, both in kinds.items()
        if {"dedicated", "omnibus"} <= both
    ]
    hidden = _hidden(facts)
    seen: dict[tuple[str, str], int] = {}
    shown: dict[str, set[str]] = {}
    for position in facts.positions or ():
        where = (position.pool, position.asset, position.account)
        account = same_account(position.account)
        private = account in hidden
        if position.segregation == "dedicated":
            seen[account, position.form] = seen.get((account, position.form), 0) + 1
            if not position.client_tie:
                rows.append(Finding(*where, "dedicated, tied to no client", limit, private))
            if seen[account, position.form] > 1:
                rows.append(Finding(*where, "the same position more than once", limit, private))
        elif position.client_tie:
            rows.append(Finding(*where, "omnibus, tied to a client", limit, private))
        shown.setdefault(account, set()).add(position.segregation)
        if len(shown[account]) > 1:
            rows.append(Finding(*where, "dedicated and omnibus positions of one account", limit, private))
    return settle(rows, [*position_gaps(facts), NO_WALLETS if facts.wallets is None else ""])


def clients_only(facts: Facts, _: Parameters, pool: str) -> Outcome:
    """SEG-04. Credit and debit alike: an operator who owes the pool has been lent the clients' assets."""
    if facts.accounts is None:
        return settle([], [NO_ACCOUNTS])
    if pool_of(facts, pool).model == "dedicated":
        return settle([])
    credit = {key: amount for key, (_holders, amount) in facts.accounts.by_type.items()}
    debit = facts.accounts.debits_by_type
    rows: list[Finding] = []
    for owner, asset, kind in set(credit) | set(debit):
        has, owes = credit.get((owner, asset, kind), 0), debit.get((owner, asset, kind), 0)
        if owner == pool and kind not in CLIENT_TYPES and (has > 0 or owes > 0):
            rows.append(Finding(pool, asset, "", f"{kind}: credit {has}, debit {owes}", "clients only", True))
    gaps = []
    if facts.accounts.untagged or facts.accounts.mistagged:
        gaps.append("accounts without a sound type may be the house's (LIA-02)")
    return settle(rows, gaps)


def attributed(facts: Facts, parameters: Parameters, _: str) -> Outcome:
    """SEG-07. A suspense wallet that holds something and whose age is unknown is not shown to be young."""
    rows: list[Finding] = []
    gaps: list[str] = [] if facts.wallets is not None else [NO_WALLETS]
    today = facts.as_of.date()
    for house in facts.house:
        if house.owner_class == "unattributed" and house.observed > 0:
            rows.append(Finding("", house.asset, house.account, f"unattributed, holds {house.observed}", "an owner"))
    for wallet in facts.wallets or ():
        if wallet.observed <= 0:
            continue
        if wallet.owner_class == "unattributed":
            found = f"unattributed, holds {wallet.observed}"
            rows.append(Finding(wallet.pool, "", wallet.account, found, "an owner", True))
        if wallet.function == "suspense" and wallet.opened is None:
            gaps.append("the age of a suspense wallet is unknown")
        elif wallet.function == "suspense" and wallet.opened is not None:
            age = (today - wallet.opened).days
            if not 0 <= age <= parameters.suspense_days:
                limit = f"at most {parameters.suspense_days} days"
                rows.append(Finding(wallet.pool, "", wallet.account, f"in suspense for {age} days", limit, True))
    return settle(rows, gaps)


def counted_once(facts: Facts, _: Parameters, __: str) -> Outcome:
    """SEG-10. Case forms of an account are one; networks are not (each holds its own assets)."""
    rows: list[Finding] = []
    times: dict[tuple[str, str], int] = {}
    pools: dict[str, set[str]] = {}
    elsewhere = {(same_account(account), form) for account, form in facts.other_accounts or ()}
    hidden = _hidden(facts)
    listed = [(p.pool, p.asset, p.account, p.form) for p in facts.positions or ()]
    listed += [("", h.asset, h.account, h.form) for h in facts.house]
    for pool, asset, account, form in listed:
        key = (same_account(account), form)
        private = key[0] in hidden
        times[key] = times.get(key, 0) + 1
        if times[key] > 1:
            rows.append(Finding(pool, asset, account, "the same position more than once", "once", private))
        if key in elsewhere:
            rows.append(Finding(pool, asset, account, "also claimed in another register", "once", private))
        if pool:
            pools.setdefault(key[0], set()).add(pool)
            if len(pools[key[0]]) > 1:
                found = "one account in the pools " + ", ".join(sorted(pools[key[0]]))
                rows.append(Finding(pool, asset, account, found, "one pool", private))
    gaps = [*position_gaps(facts), "other registers are not given" if facts.other_accounts is None else ""]
    return settle(rows, gaps)

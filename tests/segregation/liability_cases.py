"""Cases of what is owed, and of what a publication gives away."""

from __future__ import annotations

from dataclasses import replace

from reserveproof.segregation import facts as f

from .case import (
    Change,
    both,
    case,
    ledger_lacks,
    ledger_map,
    no,
    no_totals,
    related,
    says,
    typed,
)
from .world import (
    OMNI,
    VAULT,
    swap_accounts,
    swap_ledger,
    swap_totals,
)

case("LIA-01", "fails", "a negative credit", lambda w: swap_ledger(w, negative_credits=("row 3: -5",)))
case("LIA-01", "fails", "credits less debits", lambda w: swap_totals(w, OMNI, "ETH", liabilities=470))
case("LIA-01", "fails", "one less than the credits", lambda w: swap_totals(w, OMNI, "BTC", liabilities=999))
case("LIA-01", "fails", "one more than the credits", lambda w: swap_totals(w, OMNI, "BTC", liabilities=1001))
case("LIA-01", "fails", "a cell left out of the statement", ledger_map("credits", OMNI, "SOL", 5))
case("LIA-01", "fails", "a cell left out of the ledger", ledger_lacks("credits", OMNI, "USD"))
case("LIA-01", "honest", "debits beside the credits", ledger_map("debits", OMNI, "BTC", 400))
case("LIA-01", "honest", "a cell without debits", ledger_lacks("debits", OMNI, "USD"))
case("LIA-01", "unknown", "no ledger", no("ledger"))
case("LIA-01", "unknown", "nothing on either side", lambda w: swap_ledger(replace(w, totals={}), credits={}))


case("LIA-02", "fails", "no account", lambda w: swap_accounts(w, untagged=("zoe",)))
case("LIA-02", "fails", "a retail account of a related party", lambda w: swap_accounts(w, mistagged=("zoe",)))
case("LIA-02", "fails", "not disclosed", lambda w: replace(w, disclosures=()))
case("LIA-02", "fails", "disclosed under another code", related(1, 20, (OMNI, "ETH", "dormant", 1, None)))
case("LIA-02", "fails", "fewer holders than there are", related(7, 20, says(6, 20)))
case("LIA-02", "fails", "more holders than there are", related(7, 20, says(8, 20)))
case("LIA-02", "fails", "a lower amount", related(7, 20, says(7, 19)))
case("LIA-02", "fails", "a higher amount", related(7, 20, says(7, 21)))
case("LIA-02", "fails", "an amount withheld for five", related(5, 20, says(5, None)))
case("LIA-02", "fails", "a disclosure of nobody", related(0, 0, says(3, None)))
case("LIA-02", "fails", "a credit without holders", related(0, 9))
case("LIA-02", "fails", "a debit alone", both(related(0, 0), typed(OMNI, "ETH", "market-maker", 0, 9)))
case(
    "LIA-02",
    "fails",
    "two types, one disclosed",
    both(related(6, 20, says(6, 20)), typed(OMNI, "ETH", "market-maker", 9, 0)),
)
case("LIA-02", "honest", "an amount withheld for four", related(4, 20, says(4, None)))
case("LIA-02", "honest", "five with their amount", related(5, 20, says(5, 20)))
case(
    "LIA-02",
    "honest",
    "two types together",
    both(typed(OMNI, "ETH", "market-maker", 9, 0), related(6, 20, says(7, 29))),
)
case(
    "LIA-02",
    "honest",
    "a debit that is disclosed",
    both(related(0, 0, says(0, 0)), typed(OMNI, "ETH", "market-maker", 0, 9)),
)
case("LIA-02", "honest", "no related party", related(0, 0))
case("LIA-02", "honest", "a fee account is not one of them", typed(OMNI, "BTC", "fee", 2, 1))
case("LIA-02", "honest", "a related account at zero", typed(OMNI, "BTC", "operator", 0, 0))
case("LIA-02", "unknown", "no accounts", no("accounts"))

case("LIA-03", "fails", "a second row", lambda w: swap_ledger(w, duplicates=("row 9",)))
case("LIA-03", "fails", "an open account without a row", lambda w: swap_accounts(w, absent=("zoe",)))
case("LIA-03", "fails", "a client dropped", lambda w: replace(w, population=f.Population(("zoe",))))
case(
    "LIA-03",
    "fails",
    "dropped, seen without accounts",
    both(no("accounts"), no("ledger"), lambda w: replace(w, population=f.Population(("zoe",)))),
)
case(
    "LIA-03",
    "fails",
    "a second row, seen alone",
    both(no("accounts"), no("population"), lambda w: swap_ledger(w, duplicates=("row 9",))),
)
case("LIA-03", "honest", "a first statement", both(no("population"), lambda w: replace(w, sequence=0)))
case("LIA-03", "honest", "many rows", lambda w: swap_ledger(w, rows=10**6))
case("LIA-03", "unknown", "no ledger", no("ledger"))
case("LIA-03", "unknown", "no accounts", no("accounts"))
case("LIA-03", "unknown", "no population", no("population"))
case(
    "LIA-03",
    "unknown",
    "a first statement without accounts",
    both(no("accounts"), no("population"), lambda w: replace(w, sequence=0)),
)


def control(amount: int | None, asset: str = "USD") -> Change:
    def run(w: f.Facts) -> f.Facts:
        totals = {cell: t for cell, t in (w.control_totals or {}).items() if cell != (OMNI, asset)}
        return replace(w, control_totals=totals if amount is None else {**totals, (OMNI, asset): amount})

    return run


case("LIA-04", "fails", "one more in the books", control(301))
case("LIA-04", "fails", "one less in the books", control(299))
case("LIA-04", "fails", "not in the books", control(None))
case("LIA-04", "fails", "not in the ledger", control(5, "SOL"))
case("LIA-04", "fails", "nothing in the books but a zero", lambda w: replace(w, control_totals={(OMNI, "USD"): 0}))
case("LIA-04", "fails", "nothing in the ledger", lambda w: swap_ledger(w, credits={}))
case("LIA-04", "fails", "no books at all", lambda w: replace(w, control_totals={}))
case("LIA-04", "honest", "zero on both sides", both(ledger_map("credits", OMNI, "USD", 0), control(0)))
case("LIA-04", "honest", "a zero that is not in the books", both(ledger_map("credits", OMNI, "USD", 0), control(None)))
case("LIA-04", "honest", "a zero that is not in the ledger", control(0, "SOL"))
case("LIA-04", "honest", "debits are apart", ledger_map("debits", OMNI, "USD", 40))
case("LIA-04", "unknown", "no ledger", no("ledger"))
case("LIA-04", "unknown", "no control totals", no("control_totals"))
case(
    "LIA-04",
    "unknown",
    "no books, and nothing owed",
    lambda w: replace(swap_ledger(w, credits={(OMNI, "USD"): 0}), control_totals={}),
)
case("LIA-04", "unknown", "nothing on either side", lambda w: replace(swap_ledger(w, credits={}), control_totals={}))


def privacy(**more: object) -> Change:
    return lambda w: replace(w, privacy=replace(w.privacy, **more) if w.privacy else None)


case("PRV-01", "fails", "a name", privacy(direct_identifiers=("notes",)))
case("PRV-01", "fails", "a hash of a name", privacy(unsalted_hashes=("file 3",)))
case("PRV-01", "fails", "seen without the ledger", both(no("ledger"), privacy(direct_identifiers=("notes",))))
case("PRV-01", "honest", "blinds used twice are another rule", privacy(blind_duplicates=1, key_reused=True))
case("PRV-01", "unknown", "not searched", no("privacy"))
case("PRV-01", "unknown", "searched for nobody", no("ledger"))
case("PRV-02", "fails", "a blind twice", privacy(blind_duplicates=1))
case("PRV-02", "fails", "a key twice", privacy(key_reused=True))
case("PRV-02", "honest", "a name is another rule", privacy(direct_identifiers=("notes",)))
case("PRV-02", "unknown", "not compared", no("privacy"))
case("PRV-03", "fails", "four holders", ledger_map("holders", OMNI, "BTC", 4))
case("PRV-03", "fails", "one holder", ledger_map("holders", OMNI, "BTC", 1))
case("PRV-03", "fails", "an amount of four", related(4, 20, says(4, 20)))
case("PRV-03", "fails", "an amount of one, in public", both(no("ledger"), related(1, 20, says(1, 20))))
case("PRV-03", "honest", "five holders", ledger_map("holders", OMNI, "BTC", 5))
case("PRV-03", "honest", "an amount of five", related(5, 20, says(5, 20)))
case("PRV-03", "honest", "an amount withheld", related(1, 20, says(1, None)))
case("PRV-03", "honest", "own assets have no holder", related(1, 20, (OMNI, "BTC", "shortfall-cover", 0, 9)))
case("PRV-03", "honest", "another pool's amount", lambda w: replace(w, disclosures=((OMNI, "ETH", "x", 2, 3),)), VAULT)
case(
    "PRV-03",
    "honest",
    "nothing owed to nobody",
    both(ledger_map("holders", OMNI, "USD", 0), lambda w: swap_totals(w, OMNI, "USD", liabilities=0)),
)
case("PRV-03", "unknown", "no ledger", no("ledger"))
case("PRV-03", "unknown", "a total of nobody", ledger_map("holders", OMNI, "BTC", 0))
case("PRV-03", "unknown", "no totals", no_totals(OMNI, "USD"))

"""A ledger of 200,000 lines through every step, by the commands, and the audit on it.

The ledger has the shape of a real one (tests/ledger_maker.py): a heavy tail, zero accounts, debits, related parties,
totals of 18-decimal assets above 2^64. Two wallets with real keys and a letter a pool hold it.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ledger_maker
from reserveproof.custodian import demo_wallets

ROWS = 200_000
TODAY = dt.datetime.now(dt.UTC).date()
AS_OF = f"{TODAY - dt.timedelta(days=1)}T00:00:00Z"
BITCOIN, ETHEREUM = "bip122:000000000019d6689c085ae165831e93", "eip155:1"
FORMS = {
    "BTC": f"{BITCOIN}/slip44:0",
    "ETH": f"{ETHEREUM}/slip44:60",
    "JPY": "iso4217:JPY",
    "SHIB": f"{ETHEREUM}/erc20:0x95ad61b0a150d79219dcf64e1e6cc01f0b64c4ce",
    "SOL": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501",
    "USDC": f"{ETHEREUM}/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
}
KINDS = {"BTC": "native", "ETH": "native", "JPY": "fiat", "SHIB": "native", "SOL": "native", "USDC": "stable"}
ANCHORS = {BITCOIN: (930_000, "00" * 32), ETHEREUM: (24_000_000, "ab" * 32)}


def run(*arguments, expect=0, program="custodian"):
    done = subprocess.run(
        [sys.executable, "-m", f"reserveproof.{program}", *map(str, arguments)],
        capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == expect, done.stderr
    return done.stdout


def config(public_key):
    lines = [
        "format = 1", "[custodian]", 'id = "large-custody"', 'name = "Large Custody"', 'lei = ""',
        'jurisdiction = "XX"', 'licence = ""', "[statement]", 'client_id_hint = "account number"',
        'dispute_contact = "proofs@example.com"', "dispute_days = 30", "valid_days = 90", "claim_days = 7",
        'house_note = ""',
    ]  # fmt: skip
    for asset, decimals in ledger_maker.DECIMALS.items():
        form = FORMS[asset]
        lines += ["[[assets]]", f'asset = "{asset}"', f'kind = "{KINDS[asset]}"', f'name = "{asset}"']
        lines += [f"decimals = {decimals}", f'forms = [{{ form = "{form}", decimals = {decimals} }}]']
    for pool, term in zip(ledger_maker.POOLS, ("free", "bound"), strict=True):
        lines += ["[[pools]]", f'pool = "{pool}"', 'legal_form = "express_trust"', 'law = "Example law"']
        lines += ['trustee = ""', 'model = "omnibus"', f'term = "{term}"', "residue_bps = 0"]
        lines += ['profiles = ["baseline"]', 'register = "public"', "min_depth = 20"]
    lines += ["[policy]", 'least_assurance = "CUSTODIAN_CONFIRMATION"', 'reserves = "register"']
    lines += [
        'publication = "none"',
        "max_age_days = 30",
        "min_interval_days = 1",
        "[policy.thresholds]",
        "officer = 1",
    ]
    lines += ["[[signers]]", 'name = "Officer"', 'role = "officer"', f'keys = ["{public_key}"]']
    return "\n".join(lines) + "\n"


def wallets(pool):
    """(secret, account, assets) of a pool; the account off chain has no secret."""
    bitcoin, ether = (hashlib.sha256(f"{pool} {chain}".encode()).digest() for chain in ("bitcoin", "ether"))
    return [
        (bitcoin, f"{BITCOIN}:{demo_wallets.bip322_p2wpkh_address(bitcoin)}", ("BTC",)),
        (ether, f"{ETHEREUM}:{demo_wallets.eip191_address(ether)}", ("ETH", "SHIB", "USDC")),
        (b"", f"ref:bank-{pool}", ("JPY", "SOL")),
    ]


def write_register(snapshot: Path, totals):
    """Exactly what is owed is held, but for one pool's BTC, which has a little more and is cut to the cap."""
    header = (snapshot / "register.csv").read_text().splitlines()[0]
    with (snapshot / "register.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, header.split(","), lineterminator="\n", restval="")
        rows.writeheader()
        for pool in ledger_maker.POOLS:
            for _secret, account, assets in wallets(pool):
                chain = account.rsplit(":", 1)[0]
                height, block = ANCHORS.get(chain, (0, ""))
                for asset in assets:
                    held = totals[pool, asset][0]
                    rows.writerow(
                        {
                            "account": account, "form": FORMS[asset], "pool": pool, "owner_class": "client",
                            "segregation": "omnibus", "function": "vault", "height": height, "hash": block,
                            "time": AS_OF,
                            "quantity": ledger_maker.typed(held, ledger_maker.DECIMALS[asset]),
                            "method": "RPC_REPORTED" if block else "LETTER", "encumbered": "0", "excluded": "0",
                        }
                    )  # fmt: skip
    lines = ["chain,height,hash,time"] + [f"{c},{h},{b},{AS_OF}" for c, (h, b) in ANCHORS.items()]
    (snapshot / "anchors.csv").write_text("\n".join(lines) + "\n")


def sign_kit(kit: Path):
    """Fill responses.csv in: real signatures over the kit's own messages."""
    messages = {p.read_text().split(" ")[3].rstrip(","): p.read_text() for p in (kit / "messages").glob("*.text.txt")}
    secrets = {account: secret for pool in ledger_maker.POOLS for secret, account, _ in wallets(pool)}
    (kit / "letter.txt").write_text("We hold the balances named, for its clients, free of lien.\n")
    with (kit / "responses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        secret = secrets[row["account"]]
        row["profile"] = "text" if secret else row["profile"]
        if not secret:
            row |= {"letter_file": "letter.txt", "letter_issuer": "Example Bank", "letter_date": AS_OF[:10]}
        elif row["account"].startswith(BITCOIN):
            row["signature"] = demo_wallets.sign_bip322_p2wpkh(secret, messages[row["account"]])
        else:
            row["signature"] = demo_wallets.sign_eip191(secret, messages[row["account"]])
    with (kit / "responses.csv").open("w", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The workspace after publish, the inputs, and what was made."""
    base = tmp_path_factory.mktemp("large")
    made = ledger_maker.make(base / "inputs", rows=ROWS, related_types=("employee", "market-maker"))
    assert max(credit for credit, _ in made.totals.values()) > 2**64
    workspace = base / "custody"
    run("init", workspace)
    public_key = run("key", "new", base / "officer.pem").split()[-1]
    (workspace / "custodian.toml").write_text(config(public_key))
    run("policy", workspace)
    run("open", workspace, "--as-of", AS_OF, "--id", "s1")
    snapshot = workspace / "snapshots" / "s1"
    write_register(snapshot, made.totals)
    given = ["--ledger", made.ledger, "--accounts", made.accounts, "--control-totals", made.control_totals]
    run("check", workspace, "s1", *given)
    run("snapshot", workspace, "s1", *given)
    run("challenge", workspace, "s1", "--kit", base / "kit")
    sign_kit(base / "kit")
    run("challenge", workspace, "s1", "--import", base / "kit" / "responses.csv")
    attested = run("attest", workspace, "s1", "--no-other-registers")
    assert "verdict: clean" in attested
    run("sign", workspace, "s1", "--key", base / "officer.pem")
    run("publish", workspace, "s1")
    return base, made, workspace, snapshot


def test_audit_passes_on_it(published):
    _base, made, workspace, snapshot = published
    answer = run(
        "audit", snapshot / "bundle", "--policy", workspace / "policy.toml", "--ledger", made.ledger,
        "--snapshot-key", snapshot / "snapshot.key", "--accounts", made.accounts,
        "--control-totals", made.control_totals, "--wallets", snapshot / "audit" / "wallets.tsv", "--json",
        program="verifier",
    )  # fmt: skip
    facts = json.loads(answer)["facts"]
    assert facts["ledger_rows"] == ROWS
    # Only an auditor who is given other registers can say that none claims the same wallets.
    assert {rule["id"] for rule in facts["rules"] if rule["result"] != "PASS"} <= {"SEG-10", "EVI-12"}


def test_audit_refuses_one_unit_less(published, tmp_path):
    """One line of 200,000 changed in its last digit: the audit does not pass."""
    _base, made, workspace, snapshot = published
    lines = made.ledger.read_text().splitlines(keepends=True)
    row = next(i for i, line in enumerate(lines) if ",BTC,available," in line and line.split(",")[4] != "0")
    fields = lines[row].split(",")
    fields[4] = "0"
    lines[row] = ",".join(fields)
    (tmp_path / "ledger.csv").write_text("".join(lines))
    answer = run(
        "audit", snapshot / "bundle", "--policy", workspace / "policy.toml", "--ledger", tmp_path / "ledger.csv",
        "--snapshot-key", snapshot / "snapshot.key", "--json", program="verifier", expect=3,
    )  # fmt: skip
    failure = json.loads(answer)["failure"]
    assert (failure["step"], failure["reason"]) == (13, "extract-differs")


def test_a_client_of_it_verifies(published, tmp_path):
    """The holder of the largest line, by prove and client with the bundle."""
    _base, made, workspace, snapshot = published
    with made.ledger.open(newline="") as file:
        rows = list(csv.DictReader(file))
    client = max((row for row in rows if row["asset"] == "SHIB"), key=lambda row: float(row["credit"]))
    answer = run("prove", workspace, "s1", client["client_id"], "--to", tmp_path / "proofs")
    proof = next(word for word in answer.split() if word.endswith(".json"))
    claims = [f'client_id = "{client["client_id"]}"', f'client_code = "{client["client_code"]}"']
    sums: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        if row["client_id"] == client["client_id"]:
            cell = sums.setdefault((row["pool"], row["asset"]), [0, 0])
            for place, column in enumerate(("credit", "debit")):
                whole, _, part = row[column].partition(".")
                cell[place] += int(whole + part.ljust(ledger_maker.DECIMALS[row["asset"]], "0"))
    for (pool, asset), (credit, debit) in sums.items():
        claims += ["[[balances]]", f'pool = "{pool}"', f'asset = "{asset}"']
        claims += [f'amount = "{ledger_maker.typed(credit, ledger_maker.DECIMALS[asset])}"']
        claims += [f'debit = "{ledger_maker.typed(debit, ledger_maker.DECIMALS[asset])}"']
    (tmp_path / "claims.toml").write_text("\n".join(claims) + "\n")
    answer = run(
        "client", proof, "--policy", workspace / "policy.toml", "--claims", tmp_path / "claims.toml",
        "--bundle", snapshot / "bundle", program="verifier",
    )  # fmt: skip
    assert answer.rstrip().splitlines()[-1].startswith("passed: ")

"""Attesting: what counts, what the draft says, and what makes it fail or be refused."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from custodian import demo_steps
from custodian.demo_steps import CLEAN, NOW, WORLD, account_of, add_row, attest, challenge, edit_register, sign
from reserveproof.custodian import challenge_step, draft_store, signing
from reserveproof.custodian.attest import Given, parse_digest, read_other_registers
from reserveproof.custodian.attest_report import coverage, report_lines
from reserveproof.custodian.audit_pack import show_signatures, write_audit_pack
from reserveproof.custodian.csv_rows import split_rows
from reserveproof.custodian.demo_world import ENTITY, TRUST, VAULTS
from reserveproof.custodian.positions import Holding
from reserveproof.custodian.register_input import REGISTER_COLUMNS
from reserveproof.custodian.reserves import DedicatedBook
from reserveproof.custodian.workspace import Snapshot, State
from reserveproof.format import envelope, register
from reserveproof.format.errors import InputError, TransportError, UsageError
from reserveproof.format.statement import Statement, parse_payload
from reserveproof.segregation import RuleResult


def result(results: tuple[RuleResult, ...], rule: str, pool: str = "") -> str:
    return next(r.result for r in results if (r.id, r.pool) == (rule, pool))


def holding(holdings: tuple[Holding, ...], label: str) -> Holding:
    return next(h for h in holdings if h.position.account == account_of(label))


def excluded(statement: Statement) -> dict[tuple[str, str, str], int]:
    return {(e.pool, e.asset, e.reason): e.amount for e in statement.exclusions}


def test_the_demo_world_is_clean_and_says_what_is_left_out(challenged: Snapshot) -> None:
    made = attest(challenged)
    assert made.verdict == "clean"
    assert {r.result for r in made.results} == {"PASS"}
    assert excluded(made.statement) == {(TRUST, "BTC", "awaiting-sweep"): 250_000, (TRUST, "BTC", "no-control"): 10**6}
    silent = holding(made.holdings, "old-btc").position
    assert (silent.class_, silent.counted, silent.excluded, silent.control) == ("DECLARED_ONLY", 0, 10**6, None)
    pledged = holding(made.holdings, "trust-eth-3").position
    assert (pledged.counted, pledged.encumbered) == (0, 3 * 10**18)
    cell = made.statement.pool_asset(TRUST, "ETH")
    assert cell
    assert cell.reserves.encumbered == 3 * 10**18
    usd = made.statement.pool_asset(ENTITY, "USD")
    assert usd
    assert [c.class_ for c in usd.reserves.by_class] == ["CUSTODIAN_CONFIRMATION"]
    assert [h.class_ for h in made.statement.house] == ["house", "house"]


def test_related_parties_are_disclosed_and_small_groups_withheld(challenged: Snapshot) -> None:
    found = {(d.pool, d.asset): (d.holders, d.amount) for d in attest(challenged).statement.disclosures}
    holders, amount = found[TRUST, "BTC"]
    assert holders == 6
    assert amount
    assert found[TRUST, "USDC"] == (2, None)


def test_what_is_blinded_stays_out_of_what_is_published(challenged: Snapshot) -> None:
    attest(challenged)
    draft, _state, attested = draft_store.load(challenged)
    public = register.parse(draft.public["register.json"])
    everything = register.parse(draft.private["register.json"])
    assert {entry.pool for entry in public} == {TRUST, ENTITY}
    assert {entry.pool for entry in everything} == {TRUST, ENTITY, VAULTS}
    published = draft.payload + b"".join(draft.public.values())
    for wallet in WORLD.wallets:
        assert (wallet.account.encode() in published) == (wallet.pool != VAULTS)
    for client in WORLD.clients:
        assert client.id.encode() not in published
    assert {name.split("/")[0] for name in draft.public} == {"register.json", "evidence"}
    cell = attested.statement.pool_asset(VAULTS, "BTC")
    assert cell
    assert (cell.reserves.register, cell.reserves.depth) == ("blinded", 10)


def test_attesting_again_gives_the_same_bytes(challenged: Snapshot) -> None:
    first = attest(challenged)
    before = draft_store.load(challenged)[0]
    assert attest(challenged).payload_sha256 == first.payload_sha256
    assert draft_store.load(challenged)[0] == before
    assert attest(challenged, now=NOW.replace("00:00:01", "00:00:02")).payload_sha256 != first.payload_sha256


def test_without_a_look_at_other_registers_it_is_qualified(challenged: Snapshot) -> None:
    made = attest(challenged, Given())
    assert (made.verdict, result(made.results, "SEG-10")) == ("qualified", "NOT_ASSESSED")
    assert any("SEG-10" in line for line in report_lines(made))


def test_an_account_in_another_register_fails(challenged: Snapshot) -> None:
    one = next(wallet for wallet in WORLD.wallets if wallet.label == "trust-btc-1")
    made = attest(challenged, Given(others=frozenset({(one.account, one.form)})))
    assert (made.verdict, result(made.results, "SEG-10")) == ("failing", "FAIL")


def test_a_missing_signature_leaves_a_hole_that_is_said(with_ledger: Snapshot) -> None:
    challenge(with_ledger, silent=("old-btc", "trust-btc-1"))
    made = attest(with_ledger)
    assert made.verdict == "failing"
    assert result(made.results, "COV-01", TRUST) == "FAIL"
    position = holding(made.holdings, "trust-btc-1").position
    assert position.counted == 0
    assert excluded(made.statement)[TRUST, "BTC", "no-control"] == 10**6 + position.observed
    lines = list(report_lines(made))
    assert "verdict: failing" in "\n".join(lines)
    assert any("COV-01 client-trust" in line for line in lines)
    assert any(account_of("trust-btc-1") in line and "no answer" in line for line in lines)
    assert with_ledger.has(State.ATTESTED)


def test_a_pledge_that_is_said_to_count_fails(with_ledger: Snapshot) -> None:
    pledged = account_of("trust-eth-3")
    edit_register(with_ledger, lambda row: row | {"counts": "yes"} if row["account"] == pledged else row)
    challenge(with_ledger)
    made = attest(with_ledger)
    assert (made.verdict, result(made.results, "ENC-01", TRUST)) == ("failing", "FAIL")


def test_a_house_wallet_that_is_a_client_wallet_too_fails(with_ledger: Snapshot) -> None:
    wallet = next(w for w in WORLD.wallets if w.label == "trust-btc-1")
    add_row(with_ledger, account=wallet.account, pool="", owner_class="house", segregation="none", quantity="0")
    challenge(with_ledger)
    made = attest(with_ledger)
    assert result(made.results, "SEG-01") == "FAIL"
    assert result(made.results, "SEG-10") == "FAIL"


def test_a_dedicated_wallet_counts_no_more_than_its_client_is_owed(with_ledger: Snapshot) -> None:
    own = WORLD.clients[0].credit(VAULTS, "BTC")
    rich = account_of("vault-btc-0")
    edit_register(with_ledger, lambda row: row | {"quantity": "500"} if row["account"] == rich else row)
    challenge(with_ledger)
    made = attest(with_ledger)
    position = holding(made.holdings, "vault-btc-0").position
    assert (position.counted, position.excluded) == (own, 500 * 10**8 - own)
    assert excluded(made.statement)[VAULTS, "BTC", "above-own-balance"] == 500 * 10**8 - own
    assert made.verdict == "clean"


def test_a_dedicated_wallet_below_its_client_is_not_helped_by_another(with_ledger: Snapshot) -> None:
    poor, rich = account_of("vault-btc-0"), account_of("vault-btc-1")
    amounts = {poor: "0.5", rich: "500"}
    edit_register(with_ledger, lambda row: row | {"quantity": amounts.get(row["account"], row["quantity"])})
    challenge(with_ledger)
    made = attest(with_ledger)
    assert result(made.results, "COV-06", VAULTS) == "FAIL"


def test_an_observation_away_from_the_anchor_fails(with_ledger: Snapshot) -> None:
    moved = account_of("trust-btc-2")
    edit_register(with_ledger, lambda row: row | {"height": "919999"} if row["account"] == moved else row)
    challenge(with_ledger)
    made = attest(with_ledger)
    assert (made.verdict, result(made.results, "EVI-03")) == ("failing", "FAIL")


def test_a_client_id_in_free_text_fails(with_ledger: Snapshot) -> None:
    words = f"read for {WORLD.clients[7].id} by hand"
    one = account_of("trust-btc-2")
    edit_register(with_ledger, lambda row: row | {"source": words} if row["account"] == one else row)
    challenge(with_ledger)
    made = attest(with_ledger)
    assert (made.verdict, result(made.results, "PRV-01")) == ("failing", "FAIL")


def test_a_plain_hash_of_a_client_id_fails(with_ledger: Snapshot) -> None:
    digest = hashlib.sha256(WORLD.clients[7].id.encode()).hexdigest()
    one = account_of("trust-btc-2")
    edit_register(with_ledger, lambda row: row | {"source": digest} if row["account"] == one else row)
    challenge(with_ledger)
    assert result(attest(with_ledger).results, "PRV-01") == "FAIL"


def test_a_cell_that_nobody_is_owed_in_has_the_empty_tree(with_ledger: Snapshot) -> None:
    add_row(with_ledger, account="ref:till", form="iso4217:USD", pool=TRUST, quantity="0", height="", hash="",
            time=WORLD.as_of, method="LETTER")  # fmt: skip
    challenge(with_ledger)
    made = attest(with_ledger)
    cell = made.statement.pool_asset(TRUST, "USD")
    assert cell
    assert (cell.liabilities.total, cell.liabilities.depth, cell.reserves.total) == (0, 10, 0)


def test_dust_that_nobody_is_owed_does_not_fail(with_ledger: Snapshot) -> None:
    """Anyone can send 1 wei to a wallet: the general ledger has no row for it, and none is needed for zero."""
    one = next(w for w in WORLD.wallets if w.pool == ENTITY and w.kind == "eoa")
    ether = {"form": "eip155:1/slip44:60", "quantity": "0.000000000000000001"}
    for row in split_rows((with_ledger.path / "register.csv").read_bytes(), REGISTER_COLUMNS, file="r"):
        if row.fields["account"] == one.account:
            add_row(with_ledger, **(dict(row.fields) | ether))
            break
    challenge(with_ledger)
    made = attest(with_ledger)
    cell = made.statement.pool_asset(ENTITY, "ETH")
    assert cell
    assert (cell.liabilities.total, cell.reserves.total) == (0, 1)
    assert result(made.results, "LIA-04") == "PASS"
    assert made.verdict != "failing"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("register", "other wallets"),
        ("asset", "claim would be another"),
        ("extract", "not the extract that was imported"),
        ("code", "not the code that the ledger has"),
        ("register-bad", "plain decimal"),
    ],
)
def test_what_was_changed_since_is_refused(challenged: Snapshot, change: str, words: str) -> None:
    one = account_of("trust-btc-1")
    config = challenged.workspace.config_path
    match change:
        case "register":
            edit_register(challenged, lambda row: None if row["account"] == one else row)
        case "register-bad":
            edit_register(challenged, lambda row: row | {"quantity": "x"} if row["account"] == one else row)
        case "code":
            own = account_of("vault-btc-0")
            edit_register(challenged, lambda row: row | {"client_code": "WRONGCODE"} if row["account"] == own else row)
        case "asset":
            config.write_text(config.read_text().replace('id = "demo-custody"', 'id = "other"'))
        case _:
            path = challenged.ledger_folder / "extract.tsv"
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data.replace(b"\t1\t", b"\t2\t", 1))
    with pytest.raises((UsageError, InputError), match=words) as caught:
        attest(challenged)
    assert "WRONGCODE" not in caught.value.message + caught.value.found
    assert not challenged.has(State.ATTESTED)
    assert not (challenged.path / "draft").exists()


def test_attest_needs_a_challenge_and_no_signature(with_ledger: Snapshot, signed: Snapshot) -> None:
    with pytest.raises(UsageError, match="needs it to be challenged"):
        attest(with_ledger)
    with pytest.raises(UsageError, match="already signed"):
        attest(signed)
    with pytest.raises(UsageError, match="already"), signed.workspace.lock():
        challenge_step.freeze_challenge(signed, now=NOW)


def test_a_draft_that_went_out_to_be_signed_is_not_made_again(attested: Snapshot, tmp_path: Path) -> None:
    draft, _state, _ = draft_store.load(attested)
    with attested.workspace.lock():
        signing.export(attested, tmp_path / "to-sign", draft.payload)
    with pytest.raises(UsageError, match="went out to be signed"):
        attest(attested)
    made = attest(attested, dataclasses.replace(CLEAN, discard_export=True))
    assert made.verdict == "clean"
    assert signing.exported(attested) is None


def test_the_next_statement_follows_the_last(signed: Snapshot) -> None:
    last = signed.workspace.last_numbered()
    assert last
    other = next_snapshot(signed, "s2", WORLD.as_of)
    with pytest.raises(UsageError, match="is not 1 days after"):
        attest(other)
    with pytest.raises(UsageError, match="does not name the last"):
        attest(other, dataclasses.replace(CLEAN, corrects=bytes(32), reason="wrong"))
    with pytest.raises(UsageError, match="needs a reason"):
        attest(other, dataclasses.replace(CLEAN, corrects=last.payload_sha256))
    with pytest.raises(UsageError, match="without --corrects"):
        attest(other, dataclasses.replace(CLEAN, reason="wrong"))
    made = attest(other, dataclasses.replace(CLEAN, corrects=last.payload_sha256, reason="a wallet was left out"))
    assert (made.statement.sequence, made.statement.previous) == (1, last.payload_sha256)
    assert made.statement.corrects.reason == "a wallet was left out"
    # Without the earlier population nothing shows that no client was dropped.
    assert made.verdict == "qualified"
    sign(other)
    assert [n.sequence for n in signed.workspace.numbered()] == [0, 1]


def next_snapshot(snapshot: Snapshot, name: str, as_of: str) -> Snapshot:
    """Another snapshot of the workspace, challenged, with the same world."""
    from reserveproof.custodian.snapshot import LedgerInput, take_ledger

    folder = snapshot.workspace.path.parent / "again"
    folder.mkdir()
    (folder / "ledger.csv").write_bytes(WORLD.ledger_csv())
    (folder / "accounts.csv").write_bytes(WORLD.accounts_csv())
    (folder / "totals.csv").write_bytes(WORLD.control_totals_csv())
    with snapshot.workspace.lock():
        other = demo_steps.open_snapshot(snapshot.workspace, name, WORLD, as_of=as_of)
        given = LedgerInput((folder / "ledger.csv",), folder / "accounts.csv", folder / "totals.csv")
        take_ledger(other, snapshot.workspace.config(), given)
    challenge(other)
    return other


def test_a_killed_attest_leaves_nothing_that_looks_finished(
    challenged: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = attest(challenged)

    def stop(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stop)
        with pytest.raises(TransportError):
            attest(challenged, now=NOW.replace("00:00:01", "00:00:05"))
    assert draft_store.load(challenged)[1].payload_sha256 == first.payload_sha256
    with challenged.workspace.lock():
        pass
    assert not [path for path in challenged.path.iterdir() if path.name.startswith(".tmp-")]


@pytest.mark.parametrize("name", ["payload.json", "manifest.json", "register.json"])
def test_a_draft_that_was_touched_is_refused(attested: Snapshot, name: str) -> None:
    path = draft_store.folder_of(attested) / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(InputError, match=name):
        draft_store.load(attested)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        draft_store.load(attested)


def test_dedicated_positions_are_the_clients_own(attested: Snapshot) -> None:
    client = WORLD.clients[0]
    book = DedicatedBook(attested)
    found = book.positions(client.id, client.code)
    assert [(d.pool, d.asset, d.position.account) for d in found] == [
        (VAULTS, "BTC", account_of("vault-btc-0")),
        (VAULTS, "ETH", account_of("vault-eth-0")),
    ]
    assert all(len(d.path) == 10 for d in found)
    assert book.positions(client.id, "another code") == ()
    assert book.positions(WORLD.clients[40].id, WORLD.clients[40].code) == ()
    assert len(book.clients()) == 6


def test_the_auditors_folder_is_private_and_whole(attested: Snapshot) -> None:
    with attested.workspace.lock():
        folder = write_audit_pack(attested)
        assert write_audit_pack(attested) == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "extract.tsv", "accounts.tsv", "control-totals.tsv", "register.json", "wallets.tsv", "evidence", "README.txt",
        "draft",
    }  # fmt: skip
    assert len(list((folder / "evidence").iterdir())) == 24
    key = (attested.path / "snapshot.key").read_text().strip()
    assert all(key.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert {path.stat().st_mode & 0o077 for path in folder.rglob("*") if path.is_file()} == {0}


def pack_agrees(snapshot: Snapshot) -> bool:
    """Whether the statement in the auditor's folder is the draft, and the rest is what it commits to."""
    folder, state = snapshot.path / "audit", draft_store.load_state(snapshot)
    signed = envelope.parse((folder / "draft" / "statement.json").read_bytes())
    manifest = hashlib.sha256((folder / "draft" / "manifest.json").read_bytes()).digest()
    return (
        signed.payload_sha256 == state.payload_sha256
        and parse_payload(signed.payload).manifest_sha256 == manifest
        and state.payload_sha256.hex() in (folder / "README.txt").read_text()
    )


@pytest.mark.parametrize("damage", ["stale", "gone", "half", "none"])
def test_signing_leaves_no_auditors_folder_of_an_earlier_draft(attested: Snapshot, damage: str) -> None:
    """A run was killed between the two things that attest writes."""
    with attested.workspace.lock():
        folder = write_audit_pack(attested)
    if damage == "stale":
        edit_register(attested, lambda row: row | {"source": row["source"] + " again"})
        attest(attested)
        assert not pack_agrees(attested)
    elif damage == "gone":
        shutil.rmtree(folder)
    elif damage == "half":
        (folder / "draft" / "statement.json").write_bytes(b"{}")
    before = (folder / "README.txt").stat().st_ino if damage == "none" else 0
    signatures = sign(attested)
    draft = draft_store.load(attested)[0]
    with attested.workspace.lock():
        show_signatures(attested, signatures.envelope(draft.payload))
    assert pack_agrees(attested)
    shown = envelope.parse((folder / "draft" / "statement.json").read_bytes())
    assert shown == signatures.envelope(draft.payload)
    if damage == "none":
        assert (folder / "README.txt").stat().st_ino == before


def test_coverage_is_cut_down() -> None:
    assert coverage(3, 2) == "66.66 %"
    assert coverage(10**30, 10**30 - 1) == "99.99 %"
    assert coverage(0, 5) == "nothing owed"


def test_options_are_read_strictly(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        parse_digest("AB" * 32)
    assert parse_digest("ab" * 32) == bytes.fromhex("ab" * 32)
    path = tmp_path / "register.json"
    path.write_bytes(b"{}")
    with pytest.raises(UsageError, match="no register"):
        read_other_registers([path])
    path.write_bytes(register.dump(()))
    assert read_other_registers([path]) == frozenset()

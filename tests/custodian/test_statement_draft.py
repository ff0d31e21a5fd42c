"""The statement draft: what stands in it, where it comes from, and that a reader can parse it."""

from __future__ import annotations

from pathlib import Path

import pytest

from custodian.demo_steps import NOW, WORLD, account_of, add_row, attest, challenge, edit_register
from reserveproof.custodian import challenge_step, draft_store
from reserveproof.custodian.demo_world import DECIMALS, ENTITY, TRUST, VAULTS, owed
from reserveproof.custodian.statement_draft import Numbering, add_days, draft_statement
from reserveproof.custodian.workspace import Snapshot
from reserveproof.format.challenge import claim_of
from reserveproof.format.errors import InputError, UsageError
from reserveproof.format.statement import parse_payload


def test_the_payload_is_what_a_reader_parses(challenged: Snapshot) -> None:
    made = attest(challenged)
    draft, state, _ = draft_store.load(challenged)
    assert parse_payload(draft.payload).statement == made.statement
    assert (state.sequence, state.previous, state.verdict) == (0, None, "clean")
    config = challenged.workspace.config()
    statement = made.statement
    assert statement.custodian == config.custodian
    assert statement.notes == dict(config.statement.notes)
    assert (statement.as_of, statement.issued_at) == (WORLD.as_of, NOW)
    assert statement.valid_until == add_days(NOW, 90)
    assert [asset.asset for asset in statement.assets] == sorted(DECIMALS)
    assert [pool.pool for pool in statement.pools] == [TRUST, ENTITY, VAULTS]
    totals = {(c.pool, c.asset): c.credit for c in statement.ledger.control_totals}
    assert totals == owed(WORLD.clients)
    assert {(p.pool, c.asset): c.liabilities.total for p in statement.pools for c in p.assets} == totals


def test_wallets_signed_the_statements_own_claim(challenged: Snapshot) -> None:
    assert claim_of(attest(challenged).statement) == challenge_step.load_challenge(challenged).claim


def test_a_pool_with_nothing_in_it_is_not_in_the_statement(challenged: Snapshot) -> None:
    path = challenged.workspace.config_path
    text = path.read_text()
    pool = text[text.index("[[pools]]") : text.index("[[pools]]", text.index("[[pools]]") + 1)]
    path.write_text(text.replace(pool, pool + pool.replace(TRUST, "empty"), 1))
    assert [pool.pool for pool in attest(challenged).statement.pools] == [TRUST, ENTITY, VAULTS]


def test_shortfall_cover_is_disclosed_and_counts(with_ledger: Snapshot) -> None:
    one = account_of("trust-btc-2")
    edit_register(with_ledger, lambda row: row | {"owner_class": "shortfall_cover"} if row["account"] == one else row)
    challenge(with_ledger)
    made = attest(with_ledger)
    held = next(h for h in made.holdings if h.position.account == one).position.counted
    found = [(d.pool, d.asset, d.holders, d.amount) for d in made.statement.disclosures if d.code == "shortfall-cover"]
    assert found == [(TRUST, "BTC", 0, held)]
    assert held > 0
    assert made.verdict == "clean"


def test_a_position_outside_of_the_challenged_cells_is_refused(challenged: Snapshot) -> None:
    add_row(challenged, account="ref:till", form="iso4217:USD", pool=VAULTS, quantity="1", height="", hash="")
    with pytest.raises(UsageError, match="other wallets"):
        attest(challenged)


def test_every_challenged_cell_needs_a_tree(challenged: Snapshot) -> None:
    frozen = challenge_step.load_challenge(challenged)
    with pytest.raises(RuntimeError, match="no reserves tree"):
        draft_statement(
            challenged.workspace.config(), numbering=Numbering(WORLD.as_of, NOW, 0, None), challenge=frozen,
            ledger=challenged.ledger(), rows=(), holdings=(), reserves={}, snapshot_key=bytes(32),
        )  # fmt: skip


def test_the_claim_is_frozen_and_the_wallets_until_attested(with_ledger: Snapshot) -> None:
    with with_ledger.workspace.lock():
        first = challenge_step.freeze_challenge(with_ledger, now=NOW)
        again = challenge_step.freeze_challenge(with_ledger, now=NOW.replace("00:00:01", "11:11:11"))
    assert (first.again, again.again) == (False, True)
    assert again.challenge == first.challenge
    gone = account_of("old-btc")
    edit_register(with_ledger, lambda row: None if row["account"] == gone else row)
    with with_ledger.workspace.lock():
        fewer = challenge_step.freeze_challenge(with_ledger, now=NOW)
    assert fewer.challenge.claim == first.challenge.claim
    assert len(fewer.challenge.wallets) == len(first.challenge.wallets) - 1
    challenge(with_ledger)
    attest(with_ledger)
    add_row(with_ledger, account="ref:late", form="iso4217:USD", pool=ENTITY, quantity="1", height="", hash="")
    with with_ledger.workspace.lock(), pytest.raises(UsageError):
        challenge_step.freeze_challenge(with_ledger, now=NOW)


@pytest.mark.parametrize("change", ["anchor", "late", "no-anchor", "empty"])
def test_a_challenge_that_cannot_stand_is_refused(with_ledger: Snapshot, change: str) -> None:
    anchors, register = with_ledger.path / "anchors.csv", with_ledger.path / "register.csv"
    with with_ledger.workspace.lock():
        if change == "anchor":
            challenge_step.freeze_challenge(with_ledger, now=NOW)
            anchors.write_text(anchors.read_text().replace(",920000,", ",920001,"))
        elif change == "late":
            anchors.write_text(anchors.read_text().replace(WORLD.anchor("eip155:1")[2], NOW))
        elif change == "no-anchor":
            anchors.write_text("chain,height,hash,time\n")
        else:
            register.write_text(register.read_text().splitlines()[0] + "\n")
        with pytest.raises((UsageError, InputError)):
            challenge_step.freeze_challenge(with_ledger, now=NOW)


def test_the_kit_is_written_once_and_is_private(challenged: Snapshot, tmp_path: Path) -> None:
    frozen = challenge_step.Frozen(
        challenge_step.load_challenge(challenged), challenge_step.load_responses(challenged), True
    )
    number = challenge_step.write_kit(frozen, tmp_path / "kit")
    files = [path for path in (tmp_path / "kit").rglob("*") if path.is_file()]
    assert len(files) == number == 2 * 27 + 3
    assert {path.stat().st_mode & 0o077 for path in files} == {0}
    with pytest.raises(UsageError, match="exists"):
        challenge_step.write_kit(frozen, tmp_path / "kit")
    challenge_step.write_kit(frozen, tmp_path / "again")
    for path in files:
        assert (tmp_path / "again" / path.relative_to(tmp_path / "kit")).read_bytes() == path.read_bytes()


def test_damaged_answers_are_refused(challenged: Snapshot) -> None:
    path = challenged.path / "responses.json"
    path.write_bytes(path.read_bytes().replace(b"eip191", b"EIP191", 1))
    with pytest.raises(InputError, match="damaged"):
        attest(challenged)


def test_an_answer_that_was_altered_in_the_store_does_not_count(challenged: Snapshot) -> None:
    path = challenged.path / "responses.json"
    text = path.read_text()
    own = text.index(account_of("trust-eth-1"))
    at = text.index('"signature":"0x', own) + len('"signature":"0x')
    path.write_text(text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :])
    made = attest(challenged)
    assert made.verdict == "failing"
    assert any(h.result is not None and h.result.verdict == "invalid" for h in made.holdings)

"""From a ledger to the state "ledger": all or nothing, and what the state says is what the ledger holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reserveproof.custodian import kernel, snapshot_trees
from reserveproof.custodian.ledger_findings import LedgerFindingsError
from reserveproof.custodian.proof_store import TreeFile, tree_file
from reserveproof.custodian.snapshot import LedgerInput, check_inputs, take_ledger
from reserveproof.custodian.snapshot_records import LedgerState, NamedClients, TypeSummary
from reserveproof.custodian.workspace import Snapshot, State, Workspace
from reserveproof.format.errors import InputError, TransportError, UsageError
from reserveproof.format.proof_file import Bucket
from reserveproof.verifier import hashing
from workspace_maker import ACCOUNTS, HEADER, LEDGER, ledger_in, opened, workspace_in

CONTROL = "pool,asset,credit\nclient-trust,BTC,1.9\nclient-trust,USD,12.34\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workspace_in(tmp_path / "w")


def taken(snapshot: Snapshot, folder: Path, **given: object) -> LedgerState:
    with snapshot.workspace.lock():
        source = ledger_in(folder)
        return take_ledger(snapshot, snapshot.workspace.config(), LedgerInput([source], **given))  # type: ignore[arg-type]


def test_the_state_says_what_the_ledger_holds(workspace: Workspace, tmp_path: Path) -> None:
    snapshot = opened(workspace)
    accounts = ledger_in(tmp_path, ACCOUNTS, "accounts.csv")
    control = ledger_in(tmp_path, CONTROL, "control.csv")
    state = taken(snapshot, tmp_path, accounts=accounts, control_totals=control)
    assert snapshot.state() is State.LEDGER
    assert snapshot.ledger() == state
    (btc, usd) = state.cells
    assert (btc.pool, btc.asset, usd.asset) == ("client-trust", "BTC", "USD")
    assert (btc.rows, btc.leaves, btc.holders, btc.credit, btc.debit, btc.depth) == (
        5, 4, 2, 190_000_000, 250_000_000, 3,
    )  # fmt: skip
    assert (usd.rows, usd.leaves, usd.holders, usd.credit, usd.depth) == (1, 1, 1, 1234, 3)
    assert state.cell("client-trust", "USD") is usd
    assert state.cell("client-trust", "ETH") is None
    assert state.rows == 6
    assert {c.asset: c.credit for c in state.control_totals[0]} == {"BTC": 190_000_000, "USD": 1234}
    facts = state.accounts[0]
    assert TypeSummary("operator", "BTC", 0, 250_000_000, 0, "client-trust") in facts.by_type
    assert TypeSummary("employee", "BTC", 60_000_000, 0, 1, "client-trust") in facts.by_type
    assert facts.untagged == facts.mistagged == facts.absent == NamedClients(0, ())
    assert [(source.role, source.rows) for source in state.sources] == [
        ("ledger", 6), ("accounts", 4), ("control-totals", 2),
    ]  # fmt: skip
    assert {path.name for path in snapshot.ledger_folder.iterdir()} == {
        "extract.tsv", "accounts.tsv", "control-totals.tsv", "clients.book", "trees",
    }  # fmt: skip
    assert not [path for path in workspace.path.rglob("*") if path.name.startswith((".tmp-", "reserveproof-ledger"))]


def test_the_trees_are_the_verifiers(workspace: Workspace, tmp_path: Path) -> None:
    snapshot = opened(workspace)
    state = taken(snapshot, tmp_path)
    lines = {
        ("alice", "K5XW633EMVZGM2LUOQQQ"): (Bucket(1, 125_000_000, 0), Bucket(3, 5_000_000, 0)),
        ("bob", ""): (Bucket(1, 60_000_000, 0),),
        ("carol", ""): (Bucket(7, 0, 250_000_000),),
        ("dave", ""): (Bucket(1, 0, 0),),
    }
    tree = hashing.Tree(hashing.TreeName(b"L", "example-custody", "s1", "client-trust", "BTC"))
    key = tree.secret_key(b"\x07" * 32)
    digests = []
    for (client, code), buckets in lines.items():
        holder = hashing.client_holder(client, code)
        amount = sum(bucket.credit for bucket in buckets)
        digests.append((tree.leaf(hashing.blind(key, holder), holder, hashing.line_details(buckets), amount), amount))
    level = sorted(digests)
    for height in range(3):
        if len(level) % 2:
            level.append(hashing.pad(key, height, len(level)))
        level = [tree.node(height + 1, level[at], level[at + 1]) for at in range(0, len(level), 2)]
    cell = state.cell("client-trust", "BTC")
    assert cell is not None
    assert cell.root == tree.root(3, level[0])
    with TreeFile(snapshot.trees_folder / tree_file("client-trust", "BTC")) as stored:
        assert stored.header.root == cell.root
        stored.verify()


def test_another_ledger_is_another_snapshot(workspace: Workspace, tmp_path: Path) -> None:
    snapshot = opened(workspace)
    taken(snapshot, tmp_path)
    before = {path: path.read_bytes() for path in snapshot.path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="already given its ledger"):
        taken(snapshot, tmp_path)
    assert {path: path.read_bytes() for path in snapshot.path.rglob("*") if path.is_file()} == before


def test_one_bad_row_and_nothing_is_there(workspace: Workspace, tmp_path: Path) -> None:
    snapshot = opened(workspace)
    before = set(workspace.path.rglob("*"))
    bad = ledger_in(tmp_path, LEDGER + "eve,client-trust,BTC,available,1e5,0,\n", "bad.csv")
    config = workspace.config()
    with workspace.lock(), pytest.raises(InputError, match=r"bad\.csv, row 8, column credit"):
        take_ledger(snapshot, config, LedgerInput([bad]))
    assert set(workspace.path.rglob("*")) - before <= {workspace.path / ".lock"}
    assert snapshot.state() is State.OPENED
    (problem,) = check_inputs(config, LedgerInput([bad]), tmp_path)
    assert problem.row == 8
    assert check_inputs(config, LedgerInput([ledger_in(tmp_path)]), tmp_path) == ()
    assert taken(snapshot, tmp_path).rows == 6


def test_a_run_killed_before_its_last_step_is_done_again(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = opened(workspace)
    with monkeypatch.context() as patch:
        patch.setattr(Snapshot, "write_state", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            taken(snapshot, tmp_path)
    assert snapshot.ledger_folder.is_dir()
    assert snapshot.state() is State.OPENED
    (snapshot.ledger_folder / "extract.tsv").write_text("half")
    assert taken(snapshot, tmp_path).rows == 6
    assert snapshot.state() is State.LEDGER


@pytest.mark.parametrize("fails", ["MappedTree", "StoreWriter", "BookWriter"])
def test_a_disk_that_is_full_leaves_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    snapshot = opened(workspace)

    def full(*_: object, **__: object) -> None:
        raise TransportError("cannot write: No space left on device", reason="io")

    with monkeypatch.context() as patch:
        if fails == "StoreWriter":
            patch.setattr(kernel, "native", None)
        elif kernel.native is None:
            pytest.skip("the native kernel is not installed")
        patch.setattr(getattr(snapshot_trees, fails), "finish", full)
        with pytest.raises(TransportError):
            taken(snapshot, tmp_path)
    assert {path.name for path in snapshot.path.iterdir()} == {"snapshot.json", "snapshot.key", "register.csv"}
    assert taken(snapshot, tmp_path).rows == 6


def test_the_previous_population(workspace: Workspace, tmp_path: Path) -> None:
    first, second = opened(workspace, "s1"), opened(workspace, "s2", b"\x08" * 32)
    taken(first, tmp_path)
    rest = LEDGER.replace("bob,client-trust,BTC,available,0.6,0,\n", "")
    with workspace.lock():
        given = LedgerInput([ledger_in(tmp_path, rest, "rest.csv")], previous=first)
        with pytest.raises(LedgerFindingsError) as refused:
            take_ledger(second, workspace.config(), given)
        (finding,) = refused.value.findings
        assert finding.reason == "LIA-03" and "bob" in finding.message and "status closed" in finding.hint
        assert second.state() is State.OPENED and not second.ledger_folder.exists()
        assert [f.message for f in check_inputs(workspace.config(), given, tmp_path)] == [finding.message]
        accepted: list[InputError] = []
        state = take_ledger(second, workspace.config(), replace(given, accepted=accepted))
    assert [f.message for f in accepted] == [finding.message]
    assert state.dropped == (NamedClients(1, ("bob",)),)
    assert state.previous == "s1"
    third = opened(workspace, "s3", b"\x09" * 32)
    with pytest.raises(UsageError, match="not its own previous"):
        taken(third, tmp_path, previous=third)
    with pytest.raises(UsageError, match="needs it to be given its ledger"):
        taken(third, tmp_path, previous=opened(workspace, "s4", b"\x0a" * 32))
    extract = first.ledger_folder / "extract.tsv"
    extract.write_bytes(extract.read_bytes().replace(b"60000000", b"60000001"))
    with pytest.raises(InputError, match="not the extract that its snapshot was made of"):
        taken(third, tmp_path, previous=first)


def test_what_the_rules_will_fail_is_said_before_it_is_frozen(workspace: Workspace, tmp_path: Path) -> None:
    """LIA-02, LIA-03 and LIA-04, each finding by itself, in check and in snapshot alike."""
    snapshot = opened(workspace)
    accounts = ACCOUNTS.replace("dave,retail,dormant,no\n", "eve,retail,active,no\n").replace(
        "operator,active,yes", "operator,active,no"
    )
    given = LedgerInput(
        [ledger_in(tmp_path)],
        ledger_in(tmp_path, accounts, "accounts.csv"),
        ledger_in(tmp_path, CONTROL.replace("1.9", "1.8") + "client-trust,ETH,0\n", "control.csv"),
    )
    with workspace.lock(), pytest.raises(LedgerFindingsError, match="4 findings") as refused:
        take_ledger(snapshot, workspace.config(), given)
    found = [(f.reason, Path(f.file).name, f.rule) for f in refused.value.findings]
    assert found == [
        ("LIA-02", "accounts.csv", "in the ledger with no account: dave, where the rule asks for an account with a "
         "type (rule LIA-02)"),
        ("LIA-02", "accounts.csv", "type and related-party flag disagree: carol, where the rule asks for one answer "
         "(rule LIA-02)"),
        ("LIA-03", "accounts.csv", "open, and in no ledger row: eve, where the rule asks for a row for every open "
         "account (rule LIA-03)"),
        ("LIA-04", "control.csv", "client-trust BTC: lines sum to 190000000, where the rule asks for the control "
         "account's 180000000 (rule LIA-04)"),
    ]  # fmt: skip
    assert all(finding.hint for finding in refused.value.findings)
    assert snapshot.state() is State.OPENED
    assert [p.message for p in check_inputs(workspace.config(), given, tmp_path)] == [
        p.message for p in refused.value.findings
    ]
    assert taken(snapshot, tmp_path).accounts == ()


def test_a_long_list_says_how_many_are_left_out(workspace: Workspace, tmp_path: Path) -> None:
    lines = "".join(f"c{n:03},client-trust,USD,available,{n},0,\n" for n in range(130))
    given = LedgerInput(
        [ledger_in(tmp_path, HEADER + lines, "l.csv")],
        ledger_in(tmp_path, "client_id,account_type,status,related_party\nc000,retail,active,no\n", "a.csv"),
    )
    found = check_inputs(workspace.config(), given, tmp_path)
    assert len(found) == 101
    assert found[-1].rule == "and 29 more of these (rule LIA-02)"


def test_check_looks_for_the_previous_extract(workspace: Workspace, tmp_path: Path) -> None:
    first = opened(workspace)
    taken(first, tmp_path)
    extract = first.ledger_folder / "extract.tsv"
    extract.write_bytes(extract.read_bytes().replace(b"60000000", b"60000001"))
    with pytest.raises(InputError, match="not the extract that its snapshot was made of"):
        check_inputs(workspace.config(), LedgerInput([ledger_in(tmp_path)], previous=first), tmp_path)


def test_guessable_blind(workspace: Workspace, tmp_path: Path) -> None:
    """Attack 15: the same ledger under another key or id has no digest in common."""
    roots, digests = set(), []
    for number in (1, 2):
        snapshot = opened(workspace, f"s{number}", bytes([number]) * 32)
        taken(snapshot, tmp_path)
        with TreeFile(snapshot.trees_folder / tree_file("client-trust", "BTC")) as tree:
            roots.add(tree.header.root)
            digests.append({tree.node(0, index)[0] for index in range(4)})
    assert len(roots) == 2
    assert not digests[0] & digests[1]


def test_aimed_neighbour(workspace: Workspace, tmp_path: Path) -> None:
    """Attack 16: the order of the leaves follows the key, not the ids."""
    lines = "".join(f"c{n:03},client-trust,USD,available,{n},0,\n" for n in range(60))
    orders = []
    for number in (1, 2):
        snapshot = opened(workspace, f"s{number}", bytes([number]) * 32)
        with workspace.lock():
            take_ledger(snapshot, workspace.config(), LedgerInput([ledger_in(tmp_path, HEADER + lines, "l.csv")]))
        with TreeFile(snapshot.trees_folder / tree_file("client-trust", "USD")) as tree:
            orders.append([tree.node(0, index)[1] for index in range(60)])
    assert sorted(orders[0]) == sorted(orders[1]) == [100 * n for n in range(60)]
    assert orders[0] != orders[1] and orders[0] != sorted(orders[0])


def test_size_leak(workspace: Workspace, tmp_path: Path) -> None:
    """Attack 18: with min_depth, two populations have one depth and as many siblings."""
    depths = []
    for number, clients in ((1, 2), (2, 7)):
        lines = "".join(f"c{n},client-trust,USD,available,{n},0,\n" for n in range(clients))
        snapshot = opened(workspace, f"s{number}", bytes([number]) * 32)
        with workspace.lock():
            source = ledger_in(tmp_path, HEADER + lines, "l.csv")
            state = take_ledger(snapshot, workspace.config(), LedgerInput([source]))
        with TreeFile(snapshot.trees_folder / tree_file("client-trust", "USD")) as tree:
            depths.append((state.cells[0].depth, len(tree.path(0))))
    assert depths == [(3, 3), (3, 3)]


def test_only_a_state_of_ours_is_read(workspace: Workspace, tmp_path: Path) -> None:
    snapshot = opened(workspace)
    taken(snapshot, tmp_path)
    path = snapshot.path / "ledger.json"
    data = path.read_bytes()
    for changed in (data.replace(b'"rows":6', b'"rows":"6"'), data[:-1], data.replace(b'"format":1', b'"format":2')):
        path.write_bytes(changed)
        with pytest.raises(InputError, match=r"ledger\.json: is damaged"):
            snapshot.ledger()

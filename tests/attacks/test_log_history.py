"""Sites of honest custodians that a history must read, and what may not hide behind the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from attacks import made_up_site
from attacks.made_up_site import Site, site
from attacks.test_log import compared, retold, statement_file
from attacks.toolbox import PASSED, Ran, run
from reference import client_log
from reference.canonical_json import dump
from reference.edits import put
from reference.policies import ORIGIN
from reserveproof.verifier.history_changes import COMPARED

UNLOGGED = put("logs", [])


def history(folder: Path, made: Site, edit: Any = None) -> Ran:
    return run(made_up_site.arguments(folder / "reader", made.write(folder / "site", edit)))


def test_statements_from_before_the_log_are_logged_afterwards(tmp_path):
    ran = history(tmp_path, Site().grow(UNLOGGED).grow(UNLOGGED).grow().grow())
    assert ran.verdict() == PASSED
    assert json.loads(ran.out)["facts"]["logged_afterwards"] == [0, 1]
    assert "when these statements were logged: 0, 1; they do not name the log, it was afterwards" in ran.out


def test_a_log_that_no_statement_names_shows_nothing(tmp_path):
    """Entries alone are the log keeper's word: nothing signed says that the log is the custodian's."""
    ran = history(tmp_path, Site().grow(UNLOGGED).grow(UNLOGGED))
    assert ran.verdict() == ("policy", 5, "publication")


def test_a_statement_that_leaves_the_log_again(tmp_path):
    made = Site().grow(UNLOGGED).grow().grow(put("logs", ["other.example/log"])).grow()
    ran = history(tmp_path, made)
    assert ran.verdict() == ("policy", 5, "publication")
    assert ORIGIN in ran.out


def without(*numbers: int) -> Any:
    return lambda files: [files.pop(statement_file(number)) for number in numbers]


@pytest.mark.parametrize(("hidden", "newest"), [((1,), 3), ((0,), 3), ((1, 2), 3), ((3,), 2), ((0, 2), 3)])
def test_a_statement_that_is_not_shown_is_listed_and_not_checked(tmp_path, hidden, newest):
    ran = history(tmp_path, site(4), without(*hidden))
    assert ran.verdict() == PASSED
    facts = json.loads(ran.out)["facts"]
    assert [one["sequence"] for one in facts["not_shown"]] == list(hidden)
    assert [one["sequence"] for one in facts["statements"]] == [n for n in range(4) if n not in hidden]
    for number in hidden:
        assert f"statement {number}: not shown, the log has its digest" in ran.out
    seen = json.loads((tmp_path / "reader" / "state.json").read_text())["seen"][0]
    assert seen["sequence"] == newest, "what is kept as seen was shown"
    plain = [item for item in made_up_site.arguments(tmp_path / "reader", tmp_path / "site") if item != "--json"]
    ran = run(plain)
    assert ran.last.endswith(f"{len(hidden)} of the chain not shown")
    assert ("compared with statement 0:" in ran.out) == (hidden in ((1,), (1, 2)))


def test_a_site_that_shows_nothing(tmp_path):
    assert history(tmp_path, site(2), without(0, 1)).verdict() == ("malformed", 1, "file-missing")


class Forged(Site):
    """A log that has, in place 1, an entry of which no statement is shown."""

    said: Any = None

    @property
    def entries(self) -> list[bytes]:
        found = super().entries
        found[1] = dump({**json.loads(found[1]), **(self.said or {})})
        return found


def hiding(**said: Any) -> Site:
    honest = site(4)
    made = Forged(honest.payloads, honest.envelopes)
    made.said = said
    return made


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, PASSED),
        ({"custodian": "other-custody"}, ("policy", 3, "custodian")),
        ({"sequence": 2}, ("failed", 4, "sequence")),
        ({"previous": "44" * 32}, ("failed", 4, "previous")),
        ({"payload_sha256": "44" * 32}, ("failed", 4, "previous")),
        ({"snapshot_id": "s0"}, ("failed", 4, "equivocation")),
        ({"snapshot_id": "s3"}, ("failed", 4, "equivocation")),
        ({"as_of": "2026-05-31T00:00:00Z"}, ("failed", 4, "as-of-order")),
        ({"more": ""}, ("malformed", 1, "log")),
    ],
)
def test_what_is_not_shown_fits_the_chain(tmp_path, said, expected):
    assert history(tmp_path, hiding(**said), without(1)).verdict() == expected


def test_what_is_not_shown_is_the_logs_entry(tmp_path):
    def other(files: dict[str, bytes]) -> None:
        without(1)(files)
        files["entries/1.json"] = hiding(as_of="2026-01-01T00:00:00Z").entries[1]

    assert history(tmp_path, site(4), other).verdict() == ("failed", 5, "log-inclusion")

    def spaced(files: dict[str, bytes]) -> None:
        without(1)(files)
        files["entries/1.json"] += b"\n"

    assert history(tmp_path / "b", site(4), spaced).verdict() == ("malformed", 1, "log")


def test_what_was_seen_is_the_entry_that_is_not_shown(tmp_path):
    assert history(tmp_path, site(3)).verdict() == PASSED
    assert history(tmp_path / "again", site(3)).verdict() == PASSED
    where = retold(2).write(tmp_path / "other", without(2))
    assert run(made_up_site.arguments(tmp_path / "reader", where)).verdict() == ("failed", 4, "equivocation")
    where = site(4).write(tmp_path / "grown", without(2))
    assert run(made_up_site.arguments(tmp_path / "reader", where)).verdict() == PASSED


def test_one_snapshot_id_twice_is_two_stories(tmp_path):
    """`compare` calls the two files so; a history of both is no better."""
    made = site(2).grow(put("snapshot_id", "s0"))
    assert history(tmp_path, made).verdict() == ("failed", 4, "equivocation")
    first, _, third = (made.files()[statement_file(number)].decode() for number in range(3))
    assert compared(tmp_path, first, third).verdict() == ("failed", 4, "equivocation")


def test_history_says_what_changed(tmp_path):
    cell = "pools.0.assets.0."
    more = client_log.all_of(put(cell + "reserves.total", "170000000"), put("pools.0.law", "Scots law"),
        put(cell + "reserves.by_class.0.amount", "170000000"), put(cell + "liabilities.depth", 9),
        put("exclusions", []))  # fmt: skip
    where = site(2).grow(more).write(tmp_path / "site")
    ran = run(made_up_site.arguments(tmp_path / "reader", where))
    assert ran.verdict() == PASSED
    first, second, third = json.loads(ran.out)["facts"]["statements"]
    assert first["changed"] == second["changed"] == []
    text = "\n".join(third["changed"])
    for words in ("omni BTC, held: ", " -> 1.7", "law: England and Wales -> Scots law", "depth of ", "exclusion "):
        assert words in text
    plain = [item for item in made_up_site.arguments(tmp_path / "reader", where) if item != "--json"]
    assert run(plain).last.startswith("passed: 3 statements in one unbroken chain")


def amounts(*amounts: tuple[str, int]) -> Any:
    classes = [{"amount": str(amount), "class": name} for name, amount in amounts]
    return put("pools.0.assets.0.reserves.by_class", classes)


def test_history_says_what_moved_between_control_classes(tmp_path):
    """Held as before in sum, and almost all of it by a letter now."""
    one, two = "CUSTODIAN_CONFIRMATION", "KEY_SIGNATURE"
    ran = history(tmp_path, Site().grow(amounts((one, 1), (two, 144999999))).grow(amounts((one, 144999999), (two, 1))))
    assert ran.verdict() == PASSED
    changed = json.loads(ran.out)["facts"]["statements"][1]["changed"]
    assert changed == [
        "omni BTC, held by CUSTODIAN_CONFIRMATION: 0.00000001 -> 1.44999999",
        "omni BTC, held by KEY_SIGNATURE: 1.44999999 -> 0.00000001",
    ]


def test_history_says_another_house_note_and_what_was_compared(tmp_path):
    made = Site().grow().grow().grow(put("house_note", "we lend client assets out"))
    ran = history(tmp_path, made)
    first, second, third = [one["changed"] for one in json.loads(ran.out)["facts"]["statements"]]
    assert (first, second) == ([], [])
    assert third == ["house note: none -> we lend client assets out"]
    ran = run([item for item in made_up_site.arguments(tmp_path / "reader", tmp_path / "site") if item != "--json"])
    assert f"nothing changed in {COMPARED}" in ran.out

"""[log] of custodian.toml, what statements and policies say of it, and what is refused."""

from __future__ import annotations

import re
import tomllib

import pytest

from custodian.log_steps import ED, LOG, ONE, ORIGIN, TWO, config_with_log, ed_raw
from reserveproof.custodian.config import parse_config
from reserveproof.custodian.demo_config import demo_config
from reserveproof.custodian.demo_world import OFFICER, signing_public
from reserveproof.custodian.log_config import MAX_KEPT_CHARACTERS, parse_log
from reserveproof.custodian.log_publish import without_witnesses
from reserveproof.custodian.policy_draft import policy_toml
from reserveproof.format import checkpoint as checkpoints
from reserveproof.format import signed_note
from reserveproof.format.checkpoint import Checkpoint
from reserveproof.format.errors import InputError, MalformedError
from reserveproof.format.limits import MAX_LOG_SIZE
from reserveproof.format.signed_note import Note, NoteSignature
from reserveproof.verifier.policy import parse_policy

CONFIG = config_with_log()


def test_it_is_read_and_may_be_absent() -> None:
    log = parse_config(CONFIG.encode()).log
    assert log and (log.origin, log.witnesses_needed) == (ORIGIN, 2)
    assert [(w.name, len(w.keys), w.url) for w in log.witnesses] == [(ONE, 2, "https://auditor.example/"), (TWO, 1, "")]
    assert parse_config(demo_config()).log is None


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (f'origin = "{ORIGIN}"', 'origin = "https://demo.example"', "log.origin"),
        (f'origin = "{ORIGIN}"', "", "members"),
        ('key = "ed25519:', 'key = "p256:', "log.key"),
        ("witnesses_needed = 2", "witnesses_needed = 3", "2 witnesses are named"),
        ("witnesses_needed = 2", "witnesses_needed = -1", "witnesses_needed"),
        (TWO, ONE, "stands twice"),
        (TWO, "a name", "name"),
        (TWO, ORIGIN, "stands twice"),
        (ed_raw(ED[TWO]).hex(), ed_raw(ED[ONE]).hex(), "stands twice"),
        (ed_raw(ED[TWO]).hex(), ed_raw(LOG).hex(), "stands twice"),
        (f"ed25519:{ed_raw(ED[TWO]).hex()}", signing_public(OFFICER), "signer's key"),
        ("mldsa44:", "p256:", "keys"),
        ('url = "https', 'url = "ftp', "url"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, why: str) -> None:
    assert old in CONFIG
    with pytest.raises(InputError, match=why):
        parse_config(CONFIG.replace(old, new).encode())


def test_two_keys_of_a_witness_are_of_two_algorithms() -> None:
    _, _, rest = CONFIG.partition('"mldsa44:')
    key, _, _ = rest.partition('"')
    with pytest.raises(InputError, match="different algorithms"):
        parse_config(CONFIG.replace(f"mldsa44:{key}", f"ed25519:{'11' * 32}").encode())


def table(needed: int, *algorithms: str) -> dict[str, object]:
    """[log] with witnesses that have keys of these algorithms."""
    digits = {"ed25519": 64, "mldsa44": 2624}
    witnesses = [
        {"name": f"w{at}", "keys": [f"{name}:{at:0{digits[name]}x}" for name in names.split("+")]}
        for at, names in enumerate(algorithms)
    ]
    return {"origin": ORIGIN, "key": f"ed25519:{'f' * 64}", "witnesses_needed": needed, "witnesses": witnesses}


@pytest.mark.parametrize(
    ("needed", "keys"),
    [
        (31, ["ed25519"] * 40),
        (13, ["mldsa44"] * 13),
        (13, ["ed25519+mldsa44"] * 40 + ["mldsa44"] * 13),
        (0, ["ed25519+mldsa44"] * 64),
    ],
)
def test_a_quorum_that_fits_a_note(needed: int, keys: list[str]) -> None:
    terms = parse_log(table(needed, *keys), frozenset())
    with pytest.raises(MalformedError, match="no checkpoint has room"):
        parse_log(table(32, *keys, *["ed25519"] * (32 - len(keys))), frozenset())
    # What it says of the room is what a note takes.
    text = checkpoints.dump(Checkpoint(ORIGIN, MAX_LOG_SIZE, bytes(32)))
    quorum = sorted(terms.witnesses, key=lambda witness: (len(witness.keys), sum(map(len, witness.keys))))[:needed]
    lines = [
        NoteSignature(witness.name, bytes(4), bytes({"ed25519": 72, "mldsa44": 2428}[key.partition(":")[0]]))
        for witness in quorum
        for key in witness.keys
    ]
    note = signed_note.dump(Note(text, (NoteSignature(ORIGIN, bytes(4), bytes(64)), *lines)))
    assert len(note) <= MAX_KEPT_CHARACTERS


@pytest.mark.parametrize(
    ("needed", "keys", "found"),
    [
        (32, ["ed25519"] * 32, "at least 33 signatures"),
        (16, ["ed25519+mldsa44"] * 16, "at least 33 signatures"),
        (14, ["mldsa44"] * 14, "and 45[0-9]{3} characters"),
        (15, ["ed25519"] + ["mldsa44"] * 14, "and 45[0-9]{3} characters"),
    ],
)
def test_a_quorum_that_fits_no_note_is_refused(needed: int, keys: list[str], found: str) -> None:
    with pytest.raises(MalformedError, match="no checkpoint has room") as caught:
        parse_log(table(needed, *keys), frozenset())
    assert re.search(found, caught.value.found)


def test_a_policy_that_asks_for_a_log_needs_one() -> None:
    with pytest.raises(InputError, match="there is no log"):
        parse_config(demo_config().replace(b'publication = "digest"', b'publication = "log"'))


def test_the_policy_says_the_log_and_the_verifier_reads_it() -> None:
    text = policy_toml(parse_config(CONFIG.encode()))
    assert tomllib.loads(text)["log"]["witnesses"][1] == {"name": TWO, "keys": [f"ed25519:{ed_raw(ED[TWO]).hex()}"]}
    policy = parse_policy(text.encode())
    assert policy.publication == "log" and policy.log
    assert (policy.log.origin, policy.log.witnesses_needed, len(policy.log.witnesses)) == (ORIGIN, 2, 2)
    # A log that readers are not asked to look at yet stands in statements alone.
    quiet = policy_toml(parse_config(CONFIG.replace('publication = "log"', 'publication = "digest"').encode()))
    assert "[log]" not in quiet and quiet == policy_toml(parse_config(demo_config()))


def test_the_policy_without_witnesses_says_all_else(tmp_path) -> None:
    path = tmp_path / "policy.toml"
    text = policy_toml(parse_config(CONFIG.encode()))
    path.write_text(text)
    found = without_witnesses(path)
    assert found and tomllib.loads(found)["log"]["witnesses_needed"] == 0
    assert found.replace("witnesses_needed = 0", "witnesses_needed = 2") == text
    path.write_text(text.replace("witnesses_needed = 2", "witnesses_needed = 2 # of them"))
    assert without_witnesses(path) == found
    for other in ("publication = 'digest'", "not toml", "\xff", "publication = 'log'"):
        path.write_text(other, "latin-1")
        assert without_witnesses(path) is None
    for hidden in (
        "publication = 'log'\nlog = { witnesses_needed = 2 }",
        "publication = 'log'\nx = '''\nwitnesses_needed = 2\n'''\n[log]\n\"witnesses_needed\" = 2",
        "publication = 'log'\n[other]\nwitnesses_needed = 2\n[log]\nwitnesses_needed = 2",
    ):
        path.write_text(hidden)
        with pytest.raises(InputError, match="witnesses_needed = N"):
            without_witnesses(path)

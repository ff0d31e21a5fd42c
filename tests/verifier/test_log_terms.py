"""The policy's log in words and in the fingerprint, and the reader's state with a checkpoint in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reference import policies
from reference import policy as reference_policy
from reference.outcome import Refusal
from reference.signers import LATTICE_WITNESS, LOG, Key
from reserveproof.format.checkpoint import Checkpoint
from reserveproof.format.errors import MalformedError
from reserveproof.verifier.last_seen import LastSeen, dump_state, parse_state, remember
from reserveproof.verifier.policy import parse_policy
from reserveproof.verifier.policy_words import policy_in_words

SEEN = LastSeen("2026-06-30T00:00:00Z", "acme-custody", b"p" * 32, 7)
LOGGED = LastSeen(SEEN.as_of, "other-custody", b"q" * 32, 8, (Checkpoint("a.example/log", 9, b"r" * 32),))


def test_the_policy_says_in_words_who_must_have_seen_the_log() -> None:
    text = policies.LOGGED + policies.witness("oid/1.3.6", LATTICE_WITNESS.text)
    words = policy_in_words(parse_policy(text.encode()))
    assert f"log {policies.ORIGIN}, which signs with\n      {LOG.text}" in words
    assert "at least 2 of 4 witnesses must have cosigned it:" in words
    assert "oid/1.3.6\n      mldsa44:" in words
    assert "(1312 bytes)" in words
    alone = policy_in_words(parse_policy(policies.logged(needed=0).encode()))
    assert "no witness is needed" in alone


def test_every_member_of_the_log_is_in_the_fingerprint() -> None:
    texts = [
        policies.BASE,
        policies.LOGGED,
        policies.LOGGED.replace("/attestations", "/statements"),
        policies.LOGGED.replace("needed = 2", "needed = 1"),
        policies.LOGGED.replace("witness-3.example", "witness-4.example"),
        policies.logged(needed=0),
    ]
    assert len({parse_policy(text.encode()).fingerprint() for text in texts}) == len(texts)


def test_the_state_keeps_the_checkpoint() -> None:
    state = {"acme-custody": SEEN, "other-custody": LOGGED}
    data = dump_state(state)
    assert parse_state(data) == state
    assert data.count(b'"logs"') == 1, "a state of before there was a log is written as it was"


def test_a_state_of_one_log_is_still_read() -> None:
    data = dump_state({"other-custody": LOGGED})
    older = data.replace(b'"logs":[', b'"log":').replace(b'"size":9}]', b'"size":9}')
    assert parse_state(older) == {"other-custody": LOGGED}
    both = data.replace(b'"logs":[', b'"log":{"origin":"a.example/log","root":"%s","size":9},"logs":[' % (b"72" * 32))
    with pytest.raises(MalformedError, match="both log"):
        parse_state(both)


def test_a_checkpoint_replaces_only_its_own_logs() -> None:
    other = replace(LOGGED, sequence=9, logs=(Checkpoint("b.example/log", 1, b"s" * 32),))
    state = remember({"other-custody": LOGGED}, other)
    assert state["other-custody"].sequence == 9
    assert [one.origin for one in state["other-custody"].logs] == ["a.example/log", "b.example/log"]
    assert parse_state(dump_state(state)) == state
    grown = replace(other, logs=(Checkpoint("a.example/log", 10, b"t" * 32),))
    assert [one.size for one in remember(state, grown)["other-custody"].logs] == [10, 1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"size":9', b'"size":0'),
        (b'"a.example/log"', b'"A"'),
        (b',"size":9', b""),
        (b'"size":9', b'"size":9,"time":1'),
    ],
)
def test_no_other_state_is_read(old: bytes, new: bytes) -> None:
    data = dump_state({"other-custody": LOGGED})
    assert old in data
    with pytest.raises(MalformedError):
        parse_state(data.replace(old, new))


MANY = [Key("ed25519", f"many {number}").text for number in range(32)]


def lattice(count: int, names: Callable[[int], str]) -> list[str]:
    """Witnesses with made-up ML-DSA keys."""
    return [policies.witness(names(n), "mldsa44:" + bytes([n + 1] * 1312).hex()) for n in range(count)]


def name_of(length: int) -> Callable[[int], str]:
    return lambda number: f"{number:02}".ljust(length, "w")


def hybrids(count: int) -> list[str]:
    made = (bytes([n + 1] * 1312).hex() for n in range(count))
    return [policies.witness(f"w{n}", MANY[n], f"mldsa44:{key}") for n, key in enumerate(made)]


PLAIN = [policies.witness(f"w{n}", key) for n, key in enumerate(MANY)]
LEAST = 20 * (3244 + 4) + 121 + 49 + len(policies.ORIGIN)
"""Characters of a checkpoint of size 0 with 20 ML-DSA cosignatures, but for their names."""
EXACT = [*lattice(19, name_of(19)), *lattice(20, name_of(65_536 - LEAST - 19 * 19))[19:]]
OVER = [*lattice(19, name_of(19)), *lattice(20, name_of(65_537 - LEAST - 19 * 19))[19:]]


@pytest.mark.parametrize(
    ("witnesses", "needed", "fits"),
    [
        (PLAIN, 31, True),
        (PLAIN, 32, False),
        (hybrids(16), 15, True),
        (hybrids(16), 16, False),
        ([*hybrids(16), *PLAIN[16:]], 16, True),
        (EXACT, 20, True),
        (OVER, 20, False),
        (OVER, 19, True),
        ([*OVER, policies.witness("v", MANY[0])], 20, True),
    ],
)
def test_a_quorum_that_no_checkpoint_has_room_for(witnesses: list[str], needed: int, fits: bool) -> None:
    text = policies.logged(*witnesses, needed=needed).encode()
    if fits:
        terms = parse_policy(text).log
        assert terms is not None
        assert terms.witnesses_needed == needed
        reference_policy.read(text)
        return
    with pytest.raises(MalformedError, match="no room") as refused:
        parse_policy(text)
    assert refused.value.reason == "thresholds"
    with pytest.raises(Refusal):
        reference_policy.read(text)

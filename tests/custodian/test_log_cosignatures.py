"""Cosignatures: the bytes that C2SP tlog-cosignature says, and only those of the keys of custodian.toml."""

from __future__ import annotations

import base64
import hashlib

import pytest

from custodian.log_steps import ED, ONE, ORIGIN, TIME, TWO, config_with_log, cosign_ed, cosign_ml, ed_raw, key_line
from reserveproof.custodian.config import parse_config
from reserveproof.custodian.log_config import LogTerms
from reserveproof.custodian.log_cosignatures import accepted, cosigners, pinned_keys, time_of
from reserveproof.format import signed_note
from reserveproof.format.signed_note import Note, NoteSignature

ROOT = base64.b64encode(hashlib.sha256(b"root").digest()).decode()
TEXT = f"{ORIGIN}\n7\n{ROOT}\n"


def terms() -> LogTerms:
    found = parse_config(config_with_log().encode()).log
    assert found
    return found


TERMS = terms()


def parsed(*lines: str) -> tuple[NoteSignature, ...]:
    return signed_note.parse("x\n\n" + "".join(lines)).signatures


def test_each_key_has_the_id_of_its_type() -> None:
    wanted = [line.key_id for line in parsed(cosign_ed(ONE, TEXT), cosign_ml(TEXT), cosign_ed(TWO, TEXT))]
    assert [pinned.key_id for pinned in pinned_keys(TERMS)] == wanted


def test_both_algorithms_are_accepted() -> None:
    lines = parsed(cosign_ed(ONE, TEXT), cosign_ml(TEXT), cosign_ed(TWO, TEXT))
    assert accepted(lines, TEXT, TERMS, now=TIME) == (lines, ())
    assert [time_of(line) for line in lines] == [TIME] * 3


def test_a_witness_counts_when_all_its_keys_have_cosigned() -> None:
    assert cosigners(Note(TEXT, parsed(cosign_ed(ONE, TEXT), cosign_ed(TWO, TEXT))), TERMS) == (TWO,)
    assert cosigners(Note(TEXT, parsed(cosign_ed(ONE, TEXT), cosign_ml(TEXT))), TERMS) == (ONE,)
    other = TEXT.replace("7", "8", 1)
    assert cosigners(Note(TEXT, parsed(cosign_ed(TWO, other))), TERMS) == ()


def test_strangers_are_left_out() -> None:
    strange = key_line("who.example", 4, ed_raw(ED[ONE]), bytes(72))
    renamed = key_line(TWO, 4, ed_raw(ED[ONE]), bytes(72))
    other_type = key_line(TWO, 6, ed_raw(ED[TWO]), bytes(72))
    good = cosign_ed(TWO, TEXT)
    assert accepted(parsed(strange, renamed, good, other_type), TEXT, TERMS, now=TIME) == (parsed(good), ())


@pytest.mark.parametrize(
    "line",
    [
        cosign_ed(TWO, TEXT.replace("7", "8", 1)),
        cosign_ml(TEXT.replace(ORIGIN, "other.example")),
        key_line(TWO, 4, ed_raw(ED[TWO]), bytes(72)),
        key_line(TWO, 4, ed_raw(ED[TWO]), TIME.to_bytes(8, "big") + bytes(63)),
        cosign_ed(TWO, TEXT, 0),
    ],
    ids=["another size", "another origin", "zeros", "short", "no time"],
)
def test_what_does_not_hold_is_refused(line: str) -> None:
    good = cosign_ed(ONE, TEXT)
    found, wrong = accepted(parsed(line, good), TEXT, TERMS, now=TIME)
    assert found == parsed(good)
    assert [" ".join(said.split()[4:]) for said in wrong] == ["does not hold for the checkpoint of size 7"]


def test_a_time_that_was_changed_does_not_hold() -> None:
    for line in parsed(cosign_ed(ONE, TEXT), cosign_ml(TEXT)):
        later = (TIME - 1).to_bytes(8, "big") + line.signature[8:]
        found, (wrong,) = accepted([NoteSignature(line.name, line.key_id, later)], TEXT, TERMS, now=TIME)
        assert not found and line.name in wrong and "does not hold" in wrong


def test_the_future_is_refused() -> None:
    lines = parsed(cosign_ed(TWO, TEXT, TIME + 300))
    assert accepted(lines, TEXT, TERMS, now=TIME) == (lines, ())
    assert "future" in accepted(parsed(cosign_ed(TWO, TEXT, TIME + 301)), TEXT, TERMS, now=TIME)[1][0]
    # The largest time that fits its field is no other error.
    assert "does not hold" in accepted(parsed(cosign_ed(TWO, TEXT, 2**63)), TEXT, TERMS, now=TIME)[1][0]

"""Whatever is given beside two checkpoints is looked at before it is said that the one continues the other."""

from __future__ import annotations

import json

import pytest

from attacks.made_up_site import Site, site
from attacks.test_log import compared, retold
from attacks.toolbox import PASSED
from reference import log
from reference.made_up_log import note, signed_by, text_of
from reference.policies import ORIGIN
from reference.signers import LOG


def empty(root: bytes) -> str:
    text = text_of(ORIGIN, 0, root)
    return note(text, signed_by(LOG, text))


NOTHING = empty(log.root([]))
WRONG = empty(b"\x11" * 32)
HASH = (log.to_base64(b"\1" * 32) + "\n").encode()
MALFORMED = ("malformed", 5, "log")
INCONSISTENT = ("failed", 5, "log-consistency")


@pytest.mark.parametrize(
    ("smaller", "proof", "expected"),
    [
        (NOTHING, None, PASSED),
        (NOTHING, b"", PASSED),
        (NOTHING, HASH, INCONSISTENT),
        (NOTHING, b"no hash\n", MALFORMED),
        (WRONG, None, INCONSISTENT),
        (WRONG, b"", INCONSISTENT),
        (site().note(), None, PASSED),
        (site().note(), b"", PASSED),
        (site().note(), HASH, INCONSISTENT),
        (site().note(), b"no hash\n", MALFORMED),
    ],
)
def test_a_proof_is_read_also_where_the_sizes_say_enough(tmp_path, smaller, proof, expected):
    more = []
    if proof is not None:
        (tmp_path / "proof").write_bytes(proof)
        more = ["--consistency", str(tmp_path / "proof")]
    ran = compared(tmp_path, smaller, site().note(), *more)
    assert ran.verdict() == expected
    if expected == PASSED:
        assert json.loads(ran.out)["facts"]["continued"] is True


@pytest.mark.parametrize("smaller", [NOTHING, site().note()], ids=["none", "same"])
def test_entries_are_looked_at_too(tmp_path, smaller):
    def asked(made: Site) -> object:
        where = str(made.write(tmp_path / str(len(list(tmp_path.iterdir())))))
        return compared(tmp_path, smaller, site().note(), "--consistency", where).verdict()

    assert asked(site()) == PASSED
    assert asked(site(5)) == PASSED
    assert asked(site(3)) == asked(retold(1)) == INCONSISTENT


def test_nothing_given_nothing_shown(tmp_path):
    ran = compared(tmp_path, site(3).note(), site().note())
    assert json.loads(ran.out)["facts"]["continued"] is False

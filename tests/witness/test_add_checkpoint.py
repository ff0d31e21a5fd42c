"""The witness as a state machine: what it cosigns, what it refuses, and that it remembers before it answers."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from reserveproof.format import checkpoint as checkpoints
from reserveproof.format import signed_note
from reserveproof.format.errors import MalformedError, ReserveProofError, TransportError, UsageError
from reserveproof.verifier.checkpoints import SignedCheckpoint, check_witnesses
from reserveproof.verifier.log_terms import LogTerms
from reserveproof.verifier.log_terms import Witness as Pinned
from reserveproof.verifier.signatures import parse_key
from reserveproof.witness import keys
from reserveproof.witness.add_checkpoint import (
    ConflictError,
    InconsistentError,
    UnknownLogError,
    Witness,
    WrongSignatureError,
    http_status,
)
from reserveproof.witness.cosigner import cosigner_of, lines_text
from reserveproof.witness.request import MAX_REQUEST_BYTES
from reserveproof.witness.seen import SeenFolder, create_seen, open_seen
from witness.log_world import KEY, LEAVES, NAME, NOW, ORIGIN, OTHERS, note, request, terms

ED, ML = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32), MLDSA44PrivateKey.from_seed_bytes(b"\x02" * 32)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    cosigner = cosigner_of(NAME, (ED, ML))
    return Witness(cosigner, {ORIGIN: terms()}, create_seen(tmp_path / "state", cosigner))


def size_of(witness: Witness) -> int:
    seen = witness.seen.last(ORIGIN)
    return seen.size if seen else 0


def refused(witness: Witness, data: bytes, kind: type[ReserveProofError], status: int) -> ReserveProofError:
    before = size_of(witness)
    with pytest.raises(kind) as caught:
        witness.add_checkpoint(data, now=NOW)
    assert http_status(caught.value) == status
    assert size_of(witness) == before
    return caught.value


def test_every_step_forward_is_cosigned_and_readers_count_it(witness: Witness) -> None:
    import datetime as dt

    pinned = Pinned(NAME, tuple(parse_key(keys.public_text(key)) for key in (ED, ML)))
    policy = LogTerms(ORIGIN, terms().key, (pinned,), 1)
    for old, size in itertools.pairwise((0, 1, 2, 5, 8, 11, 12)):
        lines = witness.add_checkpoint(request(old, size), now=NOW)
        assert [len(line.signature) for line in lines] == [72, 2428]
        whole = signed_note.parse(note(LEAVES[:size]) + lines_text(lines))
        found = check_witnesses(
            SignedCheckpoint(checkpoints.parse(whole.text), whole), policy, dt.datetime.fromtimestamp(NOW, dt.UTC)
        )
        assert [(one.name, one.last) for one in found.witnesses] == [(NAME, NOW)]
        assert size_of(witness) == size


def test_the_same_checkpoint_is_cosigned_again(witness: Witness) -> None:
    witness.add_checkpoint(request(0, 5), now=NOW)
    again = witness.add_checkpoint(request(5, 5), now=NOW + 60)
    assert int.from_bytes(again[0].signature[:8], "big") == NOW + 60
    data = request(5, 5).replace(b"old 5\n", b"old 5\n" + b"A" * 43 + b"=\n")
    refused(witness, data, InconsistentError, 422)


def test_a_rollback_is_refused(witness: Witness) -> None:
    witness.add_checkpoint(request(0, 5), now=NOW)
    for old, size in ((0, 5), (3, 5), (3, 4), (0, 8), (6, 8)):
        error = refused(witness, request(old, size), ConflictError, 409)
        assert isinstance(error, ConflictError) and error.size == 5
    refused(witness, request(5, 4), MalformedError, 400)
    refused(witness, request(5, 8)[:6] + request(3, 8)[6:], InconsistentError, 422)


def test_a_fork_is_refused(witness: Witness) -> None:
    witness.add_checkpoint(request(0, 5), now=NOW)
    error = refused(witness, request(5, 5, OTHERS), ConflictError, 409)
    assert (error.reason, error.size) == ("fork", 5)  # type: ignore[attr-defined]
    for size in range(6, 13):
        refused(witness, request(5, size, OTHERS), InconsistentError, 422)
    refused(witness, b"old 5\n\n" + note(OTHERS[:8]).encode(), InconsistentError, 422)
    witness.add_checkpoint(request(5, 8), now=NOW)
    fresh = Witness(witness.cosigner, witness.logs, witness.seen)
    refused(fresh, request(5, 9), ConflictError, 409)
    fresh.add_checkpoint(request(8, 9), now=NOW)


def test_a_first_checkpoint_needs_no_proof(witness: Witness) -> None:
    refused(witness, request(0, 5).replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"=\n"), InconsistentError, 422)
    refused(witness, request(2, 5), ConflictError, 409)
    witness.add_checkpoint(request(0, 5), now=NOW)


def test_only_watched_logs_and_their_key(witness: Witness) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)
    refused(witness, request(0, 5, origin="other.example"), UnknownLogError, 404)
    refused(witness, request(0, 5, key=other), WrongSignatureError, 403)
    moved = note(LEAVES[:5]).partition("\n\n")[2]
    forged = f"old 0\n\n{note(LEAVES[:6]).partition(chr(10) * 2)[0]}\n\n{moved}"
    refused(witness, forged.encode(), WrongSignatureError, 403)
    # Signatures of others beside it are ignored.
    strange = "\u2014 who.example AAAAAAAA\n"
    witness.add_checkpoint(request(0, 5) + strange.encode(), now=NOW)
    assert KEY


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        b"old 00\n\n" + note(LEAVES[:5]).encode(),
        b"old -1\n\n" + note(LEAVES[:5]).encode(),
        b"old 0 \n\n" + note(LEAVES[:5]).encode(),
        b"new 0\n\n" + note(LEAVES[:5]).encode(),
        b"old 99999999999999999\n\n" + note(LEAVES[:5]).encode(),
        b"old 0\r\n\r\n" + note(LEAVES[:5]).encode(),
        b"old 0\nAAAA\n\n" + note(LEAVES[:5]).encode(),
        b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + note(LEAVES[:5]).encode(),
        b"old 0\n\n" + note(LEAVES[:5]).encode()[:-1],
        b"old 0\n\n" + note(LEAVES[:5]).encode() + b"\xff",
        b"old 0\n\n" + note(LEAVES[:5]).replace("\n5\n", "\n5\nmore\n", 1).encode(),
        b"old 0\n\n" + note([]).encode(),
        b"old 0\n\n" + note(LEAVES[:5]).encode() + b"x" * MAX_REQUEST_BYTES,
    ],
)
def test_what_is_no_request_is_refused(witness: Witness, data: bytes) -> None:
    refused(witness, data, MalformedError, 400)


def test_it_remembers_before_it_answers(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    witness.add_checkpoint(request(0, 5), now=NOW)
    path = next(witness.seen.path.glob("?" * 64 + ".json"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        error = refused(witness, request(5, 8), TransportError, 500)
    assert "No space" in error.message
    with monkeypatch.context() as patch:

        def stop(_: SeenFolder, __: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(SeenFolder, "remember", stop)
        with pytest.raises(KeyboardInterrupt):
            witness.add_checkpoint(request(5, 8), now=NOW)
    (witness.seen.path / f".tmp-{path.name}").write_bytes(b"of a killed run")
    witness.add_checkpoint(request(5, 8), now=NOW)
    assert sorted(entry.name for entry in witness.seen.path.iterdir()) == sorted([".lock", path.name, "witness.json"])


@pytest.mark.parametrize("wrong", [b"", b"{}", b"null", b"size", b"origin", b"root"])
def test_a_memory_that_is_damaged_cosigns_nothing(witness: Witness, wrong: bytes) -> None:
    witness.add_checkpoint(request(0, 5), now=NOW)
    path = next(witness.seen.path.glob("?" * 64 + ".json"))
    good = path.read_bytes()
    changed = {
        b"size": (b'"size":5', b'"size":0'),
        b"origin": (ORIGIN.encode(), b"x"),
        b"root": (b'root":"', b'root":"0'),
    }
    path.write_bytes(good.replace(*changed[wrong]) if wrong in changed else wrong)
    for data in (request(5, 8), request(0, 8)):
        with pytest.raises(MalformedError, match="damaged") as caught:
            witness.add_checkpoint(data, now=NOW)
        assert http_status(caught.value) == 500


def test_a_memory_that_others_may_change_is_refused(witness: Witness) -> None:
    witness.seen.path.chmod(0o755)
    with pytest.raises(UsageError, match="open to others"):
        open_seen(witness.seen.path, witness.cosigner)


def test_a_memory_is_made_once_and_is_of_one_witness(witness: Witness, tmp_path: Path) -> None:
    path = witness.seen.path
    assert open_seen(path, witness.cosigner) == witness.seen
    assert open_seen(path, cosigner_of(NAME, (ML, ED))) == witness.seen
    with pytest.raises(UsageError, match="not replaced"):
        create_seen(path, witness.cosigner)
    for other in (cosigner_of(NAME, (ED,)), cosigner_of("other.example", (ED, ML))):
        with pytest.raises(UsageError, match="of another witness") as caught:
            open_seen(path, other)
        assert NAME in caught.value.found and other.name in caught.value.expected
    (path / "witness.json").unlink()
    for wrong in (path, tmp_path / "none", tmp_path / "no" / "folder"):
        with pytest.raises(UsageError, match="no folder of a witness"):
            open_seen(wrong, witness.cosigner)
    with pytest.raises(TransportError):
        create_seen(tmp_path / "no" / "folder", witness.cosigner)


def test_a_memory_that_cannot_be_made_leaves_nothing(
    witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def watch(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", watch)
    create_seen(tmp_path / "new", witness.cosigner)
    assert synced[-2:] == [str(tmp_path / "new"), str(tmp_path)]
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(TransportError, match="No space"):
        create_seen(tmp_path / "full", witness.cosigner)
    assert not (tmp_path / "full").exists()


def race(folder: str, leaves: list[bytes], size: int) -> bool:
    cosigner = cosigner_of(NAME, (ED, ML))
    witness = Witness(cosigner, {ORIGIN: terms()}, open_seen(Path(folder), cosigner))
    try:
        witness.add_checkpoint(request(3, size, leaves), now=NOW)
    except ReserveProofError:
        return False
    return True


def test_of_two_at_once_one_is_cosigned(witness: Witness) -> None:
    witness.add_checkpoint(request(0, 3), now=NOW)
    asked = [(str(witness.seen.path), LEAVES if number % 2 else OTHERS, 4 + number % 5) for number in range(8)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert sum(pool.starmap(race, asked)) == 1


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "x" * 200])
def test_a_name_that_no_policy_takes_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        cosigner_of(name, (ED,))


def test_one_key_of_an_algorithm() -> None:
    for wrong in ((), (ED, Ed25519PrivateKey.generate())):
        with pytest.raises(UsageError, match="or one of each"):
            cosigner_of(NAME, wrong)

"""The formats of the log read back what they wrote, and refuse every other spelling."""

from __future__ import annotations

import hashlib

import pytest

from reserveproof.format import checkpoint, note_text, signed_note, tlog_proof
from reserveproof.format.checkpoint import Checkpoint
from reserveproof.format.errors import MalformedError
from reserveproof.format.limits import MAX_LOG_PATH, MAX_LOG_SIZE, MAX_NOTE_SIGNATURES
from reserveproof.format.signed_note import Note, NoteSignature
from reserveproof.format.tlog_proof import LogProof

ROOT = hashlib.sha256(b"").digest()
LINE = NoteSignature("acme.example/attestations", b"abcd", b"s" * 64)
CHECKPOINT = Checkpoint("acme.example/attestations", 8, ROOT)
NOTE = Note(checkpoint.dump(CHECKPOINT), (LINE, NoteSignature("witness.example/w1", b"efgh", b"t" * 72)))
PROOF = LogProof(7, (ROOT, ROOT, ROOT), NOTE)

PUBLISHED = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501
"""The example of C2SP tlog-cosignature."""


def test_the_published_example_reads_and_writes() -> None:
    note = signed_note.parse(PUBLISHED)
    assert signed_note.dump(note) == PUBLISHED
    assert [line.name for line in note.signatures] == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    assert [len(line.signature) for line in note.signatures] == [64, 72]
    assert checkpoint.parse(note.text).size == 20852163
    assert checkpoint.dump(checkpoint.parse(note.text)) == note.text


def test_each_reads_back_what_it_wrote() -> None:
    assert signed_note.parse(signed_note.dump(NOTE)) == NOTE
    assert checkpoint.parse(checkpoint.dump(CHECKPOINT)) == CHECKPOINT
    assert tlog_proof.parse(tlog_proof.dump(PROOF)) == PROOF
    assert tlog_proof.parse_member(tlog_proof.to_member(PROOF)) == PROOF
    alone = LogProof(0, (), NOTE)
    assert tlog_proof.parse(tlog_proof.dump(alone)) == alone
    for hashes in ((), (ROOT,), (ROOT, ROOT)):
        assert note_text.parse_hashes(note_text.dump_hashes(hashes)) == hashes


def test_a_note_may_be_of_paragraphs_and_its_signers_of_any_script() -> None:
    text = "one\n\ntwo\n\n\u2014 f\u00fcnf.example YWJjZGVm\n"
    note = signed_note.parse(text)
    assert (note.text, note.signatures) == ("one\n\ntwo\n", (NoteSignature("f\u00fcnf.example", b"abcd", b"ef"),))
    assert signed_note.dump(note) == text


def test_a_key_id_is_of_name_type_and_key() -> None:
    assert signed_note.key_id("a", 1, b"k") == hashlib.sha256(b"a\n\x01k").digest()[:4]
    assert len({signed_note.key_id(n, t, k) for n in "ab" for t in (1, 4, 6) for k in (b"k", b"l")}) == 12


GOOD = signed_note.dump(NOTE)
TEXT = checkpoint.dump(CHECKPOINT)
WHOLE = tlog_proof.dump(PROOF)
SIGNATURE = GOOD.split("\n")[4]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        TEXT,
        TEXT + "\n",
        GOOD[:-1],
        GOOD + "\n",
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\u2014", "-"),
        GOOD.replace("\u2014 acme", "\u2014  acme"),
        GOOD.replace("\u2014 acme", "\u2014 ac+me"),
        GOOD.replace("\u2014 acme", "\u2014 ac\u00a0me"),
        GOOD.replace("\u2014 acme", "\u2014 ac\u3000me"),
        GOOD.replace(SIGNATURE, SIGNATURE + " "),
        GOOD.replace(SIGNATURE, SIGNATURE + "="),
        GOOD.replace(SIGNATURE, SIGNATURE.replace("=", "")),
        GOOD.replace(SIGNATURE, "\u2014 acme YWJjZA=="),
        GOOD.replace(SIGNATURE, "\u2014 acme YWJjZGV="),
        GOOD.replace("acme", "acme\x7f"),
        GOOD.replace("acme", "acme\ud800"),
        GOOD + SIGNATURE,
        TEXT + "\n" + (SIGNATURE + "\n") * (MAX_NOTE_SIGNATURES + 1),
        "x" * 65_536 + GOOD,
    ],
)
def test_no_other_note_reads(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        signed_note.parse(text)
    assert caught.value.reason == "log"


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "extension\n",
        TEXT.replace("8", "08"),
        TEXT.replace("8", "+8"),
        TEXT.replace("8", "\u0668"),
        TEXT.replace("8", str(MAX_LOG_SIZE + 1)),
        TEXT.replace("acme", "Acme"),
        TEXT.replace("acme.example/attestations", ""),
        TEXT.replace("acme.example/attestations", "a" * 129),
        TEXT.replace("=", ""),
        TEXT.replace("47DE", "47D"),
        "acme.example/attestations\n8\nYWJj\n",
    ],
)
def test_no_other_checkpoint_reads(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        checkpoint.parse(text)
    assert caught.value.reason == "log"


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD,
        WHOLE.replace("@v1", "@v2"),
        WHOLE.replace("@v1", "@v1\nextra YWJj"),
        WHOLE.replace("index 7", "index 07"),
        WHOLE.replace("index 7", "index -7"),
        WHOLE.replace("index 7", "7"),
        WHOLE.replace("index 7\n", ""),
        WHOLE.replace("index 7", "index 7\nYWJj"),
        WHOLE.replace("index 7\n", "index 7\n\n"),
        WHOLE.replace("index 7\n", "index 7\n" + TEXT.split("\n")[2] + " \n"),
        WHOLE.replace("index 7\n", "index 7\n" + (TEXT.split("\n")[2] + "\n") * MAX_LOG_PATH),
        WHOLE[:-1],
    ],
)
def test_no_other_log_proof_reads(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        tlog_proof.parse(text)
    assert caught.value.reason == "log"


@pytest.mark.parametrize(
    "text", ["\n", "YWJj\n", note_text.base64_text(ROOT), (note_text.base64_text(ROOT) + "\n") * 55]
)
def test_no_other_list_of_hashes_reads(text: str) -> None:
    with pytest.raises(MalformedError):
        note_text.parse_hashes(text)


def test_nothing_is_written_that_would_not_be_read() -> None:
    for wrong in (
        lambda: signed_note.dump(Note("no line feed", (LINE,))),
        lambda: signed_note.dump(Note(TEXT, ())),
        lambda: checkpoint.dump(Checkpoint("acme.example/attestations", 8, b"short")),
        lambda: checkpoint.dump(Checkpoint("a\nb", 8, ROOT)),
        lambda: tlog_proof.dump(LogProof(-1, (), NOTE)),
        lambda: tlog_proof.dump(LogProof(7, (b"short",), NOTE)),
        lambda: tlog_proof.parse_member("YWJjZA"),
        lambda: note_text.decode(b"\xff", "the file"),
        lambda: note_text.decode(b"a" * 300_000, "the file"),
    ):
        with pytest.raises(MalformedError):
            wrong()

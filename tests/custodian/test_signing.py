"""Signing: which keys, which bytes, which encodings; and what a signature fixes."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from custodian import demo_steps
from custodian.demo_steps import WORLD, attest, challenge, sign
from reserveproof.custodian import draft_store, signing
from reserveproof.custodian.config import Signer
from reserveproof.custodian.demo_world import AUDITOR, OFFICER, signing_seed
from reserveproof.custodian.snapshot import LedgerInput, take_ledger
from reserveproof.custodian.workspace import Snapshot, State
from reserveproof.format.errors import EvidenceError, InputError, UsageError

MESSAGE = b"DSSEv1 these bytes"
ED = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"7")
P256 = ec.derive_private_key(7, ec.SECP256R1())
MLDSA = mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(31) + b"7")


def public(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey | mldsa.MLDSA44PrivateKey) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return "p256:" + key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint).hex()
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    return ("ed25519:" if isinstance(key, Ed25519PrivateKey) else "mldsa44:") + raw


SIGNATURES = {
    public(ED): ED.sign(MESSAGE),
    public(P256): P256.sign(MESSAGE, ec.ECDSA(hashes.SHA256())),
    public(MLDSA): MLDSA.sign(MESSAGE),
}
SIGNER = Signer("Jane", "officer", (public(P256), public(MLDSA)))


@pytest.mark.parametrize("key", SIGNATURES, ids=lambda key: key[:6])
def test_a_signature_verifies_under_its_own_key_and_bytes_only(key: str) -> None:
    signature = SIGNATURES[key]
    assert signing.verifies(key, signature, MESSAGE)
    assert not signing.verifies(key, signature, MESSAGE + b" ")
    assert not signing.verifies(key, signature[:-1], MESSAGE)
    assert not signing.verifies(key, signature + b"\0", MESSAGE)
    assert not signing.verifies(key, bytes(len(signature)), MESSAGE)
    for other in SIGNATURES:
        assert signing.verifies(other, signature, MESSAGE) == (other == key)


def test_p256_is_strict_der() -> None:
    r, s = decode_dss_signature(SIGNATURES[public(P256)])
    assert signing.verifies(public(P256), encode_dss_signature(r, s), MESSAGE)
    for bad in ((r + signing.P256_ORDER, s), (0, s), (r, 0)):
        assert not signing.verifies(public(P256), encode_dss_signature(*bad), MESSAGE)
    der = SIGNATURES[public(P256)]
    loose = bytes([der[0], 0x81, der[1]]) + der[2:]
    assert not signing.verifies(public(P256), loose, MESSAGE)


@pytest.mark.parametrize("spelling", ["raw", "hex", "HEX", "base64", "wrapped"])
@pytest.mark.parametrize("key", [public(P256), public(MLDSA)], ids=lambda key: key[:6])
def test_a_signature_made_elsewhere_is_read(tmp_path: Path, spelling: str, key: str) -> None:
    raw = SIGNATURES[key]
    text = base64.b64encode(raw).decode()
    path = tmp_path / "sig"
    path.write_bytes(
        {
            "raw": raw,
            "hex": raw.hex().encode(),
            "HEX": raw.hex().upper().encode() + b"\n",
            "base64": text.encode() + b"\n",
            "wrapped": "\n".join(text[at : at + 64] for at in range(0, len(text), 64)).encode() + b"\n",
        }[spelling]
    )
    assert signing.read_signature(path, SIGNER, MESSAGE) == signing.SignerSignature(key, raw, "Jane")
    with pytest.raises(EvidenceError, match="no signature of Jane"):
        signing.read_signature(path, SIGNER, MESSAGE + b" ")


@pytest.mark.parametrize("data", [b"", b"\n", b"zz", b"AAAA", b"ab" * 64, b"\xff" * 64, ED.sign(MESSAGE)])
def test_what_is_no_signature_of_the_signer_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "sig"
    path.write_bytes(data)
    with pytest.raises(EvidenceError):
        signing.read_signature(path, SIGNER, MESSAGE)


def test_a_key_file_is_pem_or_hex_and_private(tmp_path: Path) -> None:
    path = tmp_path / "key"
    for data in (
        (bytes(31) + b"7").hex().encode(),
        (bytes(31) + b"7").hex().encode() + b"\n",
        ED.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ):
        path.write_bytes(data)
        path.chmod(0o600)
        assert signing.load_signing_key(path).sign(MESSAGE) == ED.sign(MESSAGE)
        path.chmod(0o640)
        with pytest.raises(InputError, match="open to others"):
            signing.load_signing_key(path)
    path.chmod(0o600)
    for bad in (
        b"no key", b"AB" * 32,
        P256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ):  # fmt: skip
        path.write_bytes(bad)
        with pytest.raises(InputError):
            signing.load_signing_key(path)


def test_a_key_must_be_a_signers(attested: Snapshot, tmp_path: Path) -> None:
    config = attested.workspace.config()
    stranger = tmp_path / "stranger"
    stranger.write_bytes((bytes(31) + b"7").hex().encode())
    stranger.chmod(0o600)
    with pytest.raises(UsageError, match="no signer's"):
        signing.sign_with_key(config, stranger, MESSAGE)
    own = demo_steps.key_file(tmp_path, OFFICER)
    with pytest.raises(UsageError, match="not Demo Auditor's"):
        signing.sign_with_key(config, own, MESSAGE, AUDITOR)
    assert signing.sign_with_key(config, own, MESSAGE, OFFICER).signer == OFFICER
    with pytest.raises(UsageError, match="no signer 'Nobody'"):
        signing.signer_named(config, "Nobody")


def test_signatures_are_kept_one_a_key(attested: Snapshot) -> None:
    sign(attested, OFFICER)
    assert attested.state() == State.SIGNED
    after = sign(attested, AUDITOR, OFFICER)
    assert [entry.signer for entry in after.signatures] == [AUDITOR, OFFICER]
    assert signing.load_signatures(attested) == after
    draft, state, _ = draft_store.load(attested)
    assert after.envelope(draft.payload).payload_sha256 == state.payload_sha256
    assert {entry.keyid for entry in after.envelope(draft.payload).signatures} == {AUDITOR, OFFICER}


def test_a_signer_with_two_keys_begins_and_is_not_done() -> None:
    half = signing.Signatures(bytes(32), (signing.SignerSignature(public(P256), b"x", "Jane"),))
    assert half.missing([SIGNER]) == (("Jane", public(MLDSA)),)
    assert half.missing([Signer("Joe", "officer", (public(ED),))]) == ()


def _emptied(row: demo_steps.Row) -> demo_steps.Row:
    """The row of a wallet in which nothing was found."""
    return row | {
        "quantity": "0",
        "encumbered": "0",
        "encumbrance": "",
        "counts": "",
        "excluded": "0",
        "exclusion_reason": "",
    }


def test_a_failing_draft_is_not_signed(attested: Snapshot) -> None:
    """It could never be published, and its number would be gone."""
    demo_steps.edit_register(attested, _emptied)
    made = demo_steps.attest(attested)
    assert made.verdict == "failing"
    state = draft_store.load_state(attested)
    with pytest.raises(UsageError, match="failing"):
        signing.check_next(attested, state)
    signature = signing.SignerSignature(public(ED), SIGNATURES[public(ED)], OFFICER)
    with pytest.raises(UsageError, match="failing"):
        signing.accept(attested, signature, b"payload")
    assert not attested.has(State.SIGNED)


def test_a_number_that_was_taken_is_not_given_again(challenged: Snapshot) -> None:
    other = _second(challenged)
    attest(challenged)
    attest(other)
    assert [draft_store.load_state(s).sequence for s in (challenged, other)] == [0, 0]
    sign(challenged)
    with pytest.raises(UsageError, match="the next is 1"):
        sign(other)
    assert not other.has(State.SIGNED)
    with pytest.raises(UsageError, match="the next is 1"):
        signing.check_next(other, draft_store.load_state(other))
    signing.check_next(challenged, draft_store.load_state(challenged))


def _give_out(snapshot: Snapshot, path: Path) -> bytes:
    draft, _state, _ = draft_store.load(snapshot)
    with snapshot.workspace.lock():
        signing.export(snapshot, path, draft.payload)
    return draft.payload


def test_while_bytes_are_out_no_other_snapshot_takes_their_number(challenged: Snapshot, tmp_path: Path) -> None:
    """The device may sign them at any time, and both payloads would have number 0: proof of equivocation."""
    other = _second(challenged)
    attest(challenged)
    attest(other)
    payload = _give_out(challenged, tmp_path / "to-sign")
    for step in (
        lambda: attest(other),
        lambda: sign(other),
        lambda: _give_out(other, tmp_path / "other-to-sign"),
        lambda: signing.check_next(other, draft_store.load_state(other)),
    ):
        with pytest.raises(UsageError, match="s1 went out to be signed") as caught:
            step()
        assert "s1 --import" in caught.value.hint
        assert "s1 --unsafe-discard-export" in caught.value.hint
    assert (other.has(State.SIGNED), signing.is_out(other)) == (False, False)
    assert not (tmp_path / "other-to-sign").exists()
    # The snapshot itself may go on: its signature comes back, and then the next one follows it.
    made = signing.sign_with_key(
        challenged.workspace.config(), demo_steps.key_file(tmp_path, OFFICER), signing.signed_bytes(payload)
    )
    with challenged.workspace.lock():
        signing.accept(challenged, made, payload)
    with pytest.raises(UsageError, match="the next is 1"):
        sign(other)


def test_bytes_that_were_discarded_block_nobody(challenged: Snapshot, tmp_path: Path) -> None:
    other = _second(challenged)
    attest(challenged)
    attest(other)
    _give_out(challenged, tmp_path / "to-sign")
    attest(challenged, dataclasses.replace(demo_steps.CLEAN, discard_export=True))
    sign(other)
    assert other.state() == State.SIGNED


def test_discarding_holds_even_if_the_draft_is_then_refused(challenged: Snapshot, tmp_path: Path) -> None:
    """Where the bytes of two are out, each would wait for the other."""
    other = _second(challenged)
    attest(challenged)
    attest(other)
    _give_out(challenged, tmp_path / "to-sign")
    (other.path / signing.EXPORTED_FILE).write_bytes((challenged.path / signing.EXPORTED_FILE).read_bytes())
    discarding = dataclasses.replace(demo_steps.CLEAN, discard_export=True)
    with pytest.raises(UsageError, match="s2 went out to be signed"):
        attest(challenged, discarding)
    attest(other, discarding)
    attest(challenged)


def test_a_signed_snapshot_takes_more_signatures_while_the_next_is_out(attested: Snapshot, tmp_path: Path) -> None:
    sign(attested, OFFICER)
    last = draft_store.load_state(attested).payload_sha256
    other = _second(attested)
    attest(other, dataclasses.replace(demo_steps.CLEAN, corrects=last, reason="a wallet was left out"))
    _give_out(other, tmp_path / "to-sign")
    assert len(sign(attested, AUDITOR).signatures) == 2


@pytest.mark.parametrize("write", ["create_file", "write_file"])
def test_bytes_are_never_out_without_their_marker(
    attested: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(signing, write, stop)
        _give_out(attested, tmp_path / "to-sign")
    assert not (tmp_path / "to-sign").exists()
    assert signing.is_out(attested) == (write == "create_file")


def test_a_file_that_is_there_lets_nothing_out(attested: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "to-sign").write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists"):
        _give_out(attested, tmp_path / "to-sign")
    assert not signing.is_out(attested)
    attest(attested)


def _second(snapshot: Snapshot) -> Snapshot:
    folder = snapshot.workspace.path.parent
    (folder / "ledger.csv").write_bytes(WORLD.ledger_csv())
    with snapshot.workspace.lock():
        other = demo_steps.open_snapshot(snapshot.workspace, "s2", WORLD)
        take_ledger(other, snapshot.workspace.config(), LedgerInput((folder / "ledger.csv",)))
    challenge(other)
    return other


def test_the_exported_bytes_are_what_is_signed(attested: Snapshot, tmp_path: Path) -> None:
    draft, state, _ = draft_store.load(attested)
    out = tmp_path / "to-sign"
    with attested.workspace.lock():
        signing.export(attested, out, draft.payload)
    assert signing.exported(attested) == state.payload_sha256
    assert out.read_bytes().startswith(b"DSSEv1 28 application/vnd.in-toto+json ")
    (tmp_path / "sig").write_bytes(Ed25519PrivateKey.from_private_bytes(signing_seed(OFFICER)).sign(out.read_bytes()))
    signer = signing.signer_named(attested.workspace.config(), OFFICER)
    made = signing.read_signature(tmp_path / "sig", signer, signing.signed_bytes(draft.payload))
    with attested.workspace.lock():
        signing.accept(attested, made, draft.payload)
    with pytest.raises(UsageError, match="exists"):
        signing.export(attested, out, draft.payload)


def test_damaged_records_are_refused(signed: Snapshot) -> None:
    path = signed.path / "signatures.json"
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2'))
    with pytest.raises(InputError, match="damaged"):
        signing.load_signatures(signed)
    (signed.path / signing.EXPORTED_FILE).write_bytes(b"{}")
    with pytest.raises(InputError, match="damaged"):
        signing.exported(signed)

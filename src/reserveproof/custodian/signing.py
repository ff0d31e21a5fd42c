"""Signatures of a custodian's own signers over the draft: by key file, or made elsewhere and brought back.

The signed bytes are the DSSE encoding of the payload. A signature is accepted only if it verifies here under a key
of custodian.toml. With the first one the statement's number is taken: the draft is never made again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ..format import canonical_json, limits
from ..format.envelope import MAX_SIGNATURE_BYTES, Envelope, Signature, pre_authentication_encoding
from ..format.errors import EvidenceError, InputError, MalformedError, UsageError
from ..format.shape import array, base64_bytes, digest, integer, members, pattern, record, text
from . import draft_store, keys
from .atomic_files import create_file, read_file, transport, write_file
from .config import KEY, Config, Signer
from .workspace import Numbered, Snapshot, State

FORMAT = 1
EXPORTED_FILE = "exported.json"
"""Says that the bytes to sign left this folder: a signature over them may exist that we do not see."""
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_RAW_KEY = re.compile(rb"[0-9a-f]{64}\n?")


@dataclass(frozen=True, slots=True)
class SignerSignature:
    """One accepted signature. key: as custodian.toml spells it."""

    key: str
    sig: bytes
    signer: str


@dataclass(frozen=True, slots=True)
class Signatures:
    """signatures.json."""

    payload_sha256: bytes
    signatures: tuple[SignerSignature, ...]

    def missing(self, signers: Iterable[Signer]) -> tuple[tuple[str, str], ...]:
        """(signer, key) of signers who began and whose other key has not signed: they do not count yet."""
        there = {entry.key for entry in self.signatures}
        return tuple((s.name, k) for s in signers if there & set(s.keys) for k in s.keys if k not in there)

    def envelope(self, payload: bytes) -> Envelope:
        """The envelope to publish. keyid carries the signer's name; nobody decides by it."""
        return Envelope(payload, tuple(Signature(entry.signer, entry.sig) for entry in self.signatures))


_SIGNATURE = record(
    SignerSignature,
    {"key": pattern(KEY), "sig": base64_bytes(MAX_SIGNATURE_BYTES), "signer": text(limits.MAX_NAME, empty=False)},
)


def parse_signatures(value: canonical_json.Json) -> Signatures:
    root = members(value, frozenset({"format", "payload_sha256", "signatures"}), "signatures")
    integer(FORMAT, FORMAT)(root["format"], "signatures.format")
    found = array(_SIGNATURE, key=lambda s: (s.signer, s.key), limit=limits.MAX_SIGNATURES, least=1)
    return Signatures(
        digest(root["payload_sha256"], "signatures.payload_sha256"), found(root["signatures"], "signatures.signatures")
    )


def signatures_json(signatures: Signatures) -> canonical_json.Json:
    items = [
        {"key": entry.key, "sig": base64.b64encode(entry.sig).decode("ascii"), "signer": entry.signer}
        for entry in signatures.signatures
    ]
    root = {"format": FORMAT, "payload_sha256": signatures.payload_sha256.hex(), "signatures": items}
    return cast(canonical_json.Json, root)


def verifies(key: str, signature: bytes, message: bytes) -> bool:
    """Whether a signature verifies under a key of custodian.toml: Ed25519, P-256 with strict DER, or ML-DSA-44."""
    algorithm, _, digits = key.partition(":")
    raw = bytes.fromhex(digits)
    try:
        if algorithm == "ed25519":
            Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
        elif algorithm == "p256":
            r, s = decode_dss_signature(signature)
            if not (0 < r < P256_ORDER and 0 < s < P256_ORDER) or encode_dss_signature(r, s) != signature:
                return False
            point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
            point.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        else:
            mldsa.MLDSA44PublicKey.from_public_bytes(raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 key in a file of mode 0600: PEM PKCS#8, or the 64 hex digits of its seed. InputError otherwise."""
    data = read_file(path, limit=1 << 14, private=True)
    if _RAW_KEY.fullmatch(data):
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(data.decode("ascii").strip()))
    return keys.load_key(path)


def signer_named(config: Config, name: str) -> Signer:
    """The signer of custodian.toml with that name. UsageError if there is none."""
    for signer in config.signers:
        if signer.name == name:
            return signer
    known = "; ".join(signer.name for signer in config.signers) or "none"
    raise UsageError(f"custodian.toml has no signer {name!r}", reason="signer", hint=f"signers: {known}")


def sign_with_key(config: Config, path: Path, message: bytes, name: str = "") -> SignerSignature:
    """A signature by the key in a file, whose public half must be one of the signers' (of name, if given)."""
    key = load_signing_key(path)
    public = keys.public_text(key)
    for signer in config.signers:
        if public in signer.keys:
            if name and signer.name != name:
                raise UsageError(f"the key in {path} is {signer.name}'s, not {name}'s", reason="signer")
            return SignerSignature(public, key.sign(message), signer.name)
    raise UsageError(f"the key in {path} is no signer's of custodian.toml", reason="signer",
                     hint=f"add it to [[signers]], and give readers the new policy: {public}")  # fmt: skip


def read_signature(path: Path, signer: Signer, message: bytes) -> SignerSignature:
    """A signature that was made elsewhere, in a file as raw bytes, base64 or hex. EvidenceError unless it verifies
    under one of the signer's keys over exactly these bytes."""
    data = read_file(path, limit=8 * MAX_SIGNATURE_BYTES)
    for candidate in _spellings(data):
        for key in signer.keys:
            if verifies(key, candidate, message):
                return SignerSignature(key, candidate, signer.name)
    raise EvidenceError(
        f"{path} holds no signature of {signer.name} over this draft", reason="signature",
        hint="sign exactly the bytes of --export; a draft that was made again has other bytes",
    )  # fmt: skip


def _spellings(data: bytes) -> Iterator[bytes]:
    if len(data) <= MAX_SIGNATURE_BYTES:
        yield data
    try:
        line = data.decode("ascii").strip()
        compact = "".join(line.split())
    except UnicodeDecodeError:
        return
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", compact):
        yield bytes.fromhex(compact)
    try:
        decoded = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return
    if base64.b64encode(decoded).decode("ascii") == compact:
        yield decoded


def signed_bytes(payload: bytes) -> bytes:
    """What a signature is over."""
    return pre_authentication_encoding(payload)


def load_signatures(snapshot: Snapshot) -> Signatures | None:
    """signatures.json, None if nobody has signed."""
    return snapshot.read_state(State.SIGNED, parse_signatures) if snapshot.has(State.SIGNED) else None


def _refuse_failing(state: draft_store.DraftState) -> None:
    """UsageError for a draft whose verdict is failing: no verifier passes it, so it can never be published, and its
    number would be taken by a payload that nobody sees."""
    if state.verdict == "failing":
        raise UsageError("the draft is failing, and a failing statement is not signed", reason="failing",
                         hint="put right what attest says blocks, and attest again")  # fmt: skip


def check_next(snapshot: Snapshot, state: draft_store.DraftState) -> None:
    """check_still_next for a draft that nobody has signed; one that is signed has its number."""
    snapshot.require_not(State.PUBLISHED)
    _refuse_failing(state)
    if not snapshot.has(State.SIGNED):
        check_still_next(snapshot, state)


def check_still_next(snapshot: Snapshot, state: draft_store.DraftState) -> None:
    """UsageError unless the draft's number and predecessor are still the next ones, as they were when attested, and
    no other draft is out that may be signed with them."""
    refuse_others_out(snapshot)
    last = snapshot.workspace.last_numbered()
    sequence, previous = following(last)
    if (state.sequence, state.previous) != (sequence, previous):
        taken = last.snapshot_id if last else ""
        raise UsageError(
            f"the draft has number {state.sequence}, and the next is {sequence}: {taken} was signed since",
            reason="sequence", hint="run reserveproof attest again",
        )  # fmt: skip


def refuse_others_out(snapshot: Snapshot) -> None:
    """UsageError while another snapshot's bytes are out to be signed and no signature over them came back: whoever
    has them may sign at any time, and two payloads with one number are equivocation."""
    for other in snapshot.workspace.snapshots():
        if other.id != snapshot.id and is_out(other) and not other.has(State.SIGNED):
            place = f"{snapshot.workspace.path} {other.id}"
            raise UsageError(
                f"the draft of {other.id} went out to be signed, and that of {snapshot.id} would have the same number",
                reason="exported",
                hint=f"reserveproof sign {place} --import FILE --signer NAME; or, if it is certain that nobody has "
                f"signed it or will, reserveproof attest {place} --unsafe-discard-export",
            )


def following(last: Numbered | None) -> tuple[int, bytes | None]:
    """Sequence and previous of the statement after the last one that has a number."""
    return (last.sequence + 1, last.payload_sha256) if last else (0, None)


def accept(snapshot: Snapshot, signature: SignerSignature, payload: bytes) -> Signatures:
    """Keep an accepted signature, under the workspace's lock. The first one takes the statement's number.

    UsageError if the statement is published, or its number was taken; a key that has signed before is replaced by
    the same key's new signature.
    """
    snapshot.require_not(State.PUBLISHED)
    state = draft_store.load_state(snapshot)
    _refuse_failing(state)
    sha256 = hashlib.sha256(payload).digest()
    before = load_signatures(snapshot)
    if before is None:
        check_still_next(snapshot, state)
    elif before.payload_sha256 != sha256:
        raise InputError("names another payload than the draft", file=str(snapshot.path / State.SIGNED.file),
                         hint="restore the folder from a copy", reason="damaged")  # fmt: skip
    kept = {(s.signer, s.key): s for s in (before.signatures if before else ())}
    kept[signature.signer, signature.key] = signature
    if len(kept) > limits.MAX_SIGNATURES:
        raise UsageError(f"an envelope has at most {limits.MAX_SIGNATURES} signatures", reason="signatures")
    after = Signatures(sha256, tuple(kept[place] for place in sorted(kept)))
    snapshot.write_state(State.SIGNED, signatures_json(after), replace=True)
    return after


def export(snapshot: Snapshot, path: Path, payload: bytes) -> None:
    """Remember that the bytes to sign go out, then write them into a new file. Under the workspace's lock.

    UsageError if the file is there, or another draft is out: then nothing went out and nothing is remembered. If
    writing it fails later, the mark stays: some of the bytes may have reached the folder, and to say that they are
    out is the cautious side.
    """
    if not snapshot.has(State.SIGNED):
        refuse_others_out(snapshot)
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} exists and is not replaced", reason="exists")
    marker = {"format": FORMAT, "payload_sha256": hashlib.sha256(payload).hexdigest()}
    write_file(snapshot.path / EXPORTED_FILE, canonical_json.dump(cast(canonical_json.Json, marker)))
    create_file(path, signed_bytes(payload))


def is_out(snapshot: Snapshot) -> bool:
    """Whether the bytes to sign were given out, and not discarded since. A damaged mark counts."""
    return (snapshot.path / EXPORTED_FILE).exists()


def discard_export(snapshot: Snapshot) -> None:
    """Forget that bytes went out, on the word of a person that nobody has signed them or will."""
    with transport(f"tidy {snapshot.path}"):
        (snapshot.path / EXPORTED_FILE).unlink(missing_ok=True)


def exported(snapshot: Snapshot) -> bytes | None:
    """SHA-256 of the payload whose bytes were given out to be signed, None if none was."""
    path = snapshot.path / EXPORTED_FILE
    if not is_out(snapshot):
        return None
    try:
        value = canonical_json.parse(read_file(path, limit=4096), max_bytes=4096, what=EXPORTED_FILE)
        root = members(value, frozenset({"format", "payload_sha256"}), "exported")
        return digest(root["payload_sha256"], "exported.payload_sha256")
    except MalformedError as error:
        raise InputError(f"is damaged: {error.message}", file=str(path), reason="damaged") from None

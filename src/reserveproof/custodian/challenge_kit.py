"""The kit that wallets sign from, and the answers that come back.

A kit is a folder for those who hold the keys: one message a wallet in two lengths, a table to fill in, a table of
what is missing, and plain words. It holds no secret and no client's name; it does name accounts and pools.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..chains import letter_is_fresh, normalise_account, schemes_for
from ..format import limits, times
from ..format.errors import InputError, MalformedError, TransportError
from ..format.evidence import CHALLENGE_PROFILES, MAX_SIGNATURE_TEXT, Control, Letter
from .atomic_files import read_file
from .challenge_record import Challenge, Refused, Responses, Wallet, judge
from .csv_rows import CsvRow, dump_rows, read_bytes, split_rows

RESPONSES_CSV = "responses.csv"
MANIFEST_CSV = "manifest.csv"
README = "README.txt"
RESPONSE_COLUMNS = ("account", "scheme", "profile", "signature", "letter_file", "letter_issuer", "letter_date")
MANIFEST_COLUMNS = ("account", "pool", "segregation", "schemes", "state", "why")
LETTER = "letter"
_LETTER_NAME = re.compile(r"[^./\\][^/\\]{0,254}")
MAX_LETTER_BYTES = 64 << 20
"""A letter as a scanned document."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one wallet stands: state is missing, received or refused, and why says it in a sentence."""

    wallet: Wallet
    schemes: tuple[str, ...]
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered row of a responses.csv: accepted (why is "") or not."""

    row: int
    account: str
    scheme: str
    why: str
    control: Control


def standings(challenge: Challenge, responses: Responses) -> tuple[Standing, ...]:
    """Every challenged wallet, judged anew: an answer that was for another pool or claim is no answer."""
    refused = {entry.account: entry for entry in responses.refused}
    received = {control.account: control for control in responses.received}
    found: list[Standing] = []
    for wallet in challenge.wallets:
        schemes = schemes_for(wallet.account)
        control = received.get(wallet.account)
        if control is not None:
            result = judge(challenge, wallet, control)
            state = "received" if result.verdict == "valid" else "refused"
            found.append(Standing(wallet, schemes, state, "" if state == "received" else result.detail))
        elif wallet.account in refused:
            found.append(Standing(wallet, schemes, "refused", refused[wallet.account].why))
        else:
            why = "no answer yet" if schemes else "no scheme is known for accounts of this kind: it cannot count"
            found.append(Standing(wallet, schemes, "missing", why))
    return tuple(found)


def manifest_csv(standing: tuple[Standing, ...]) -> bytes:
    return dump_rows(
        MANIFEST_COLUMNS,
        (
            (s.wallet.account, s.wallet.pool, s.wallet.segregation, " ".join(s.schemes), s.state, s.why)
            for s in standing
        ),
    )


def kit_files(challenge: Challenge, responses: Responses) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file of the kit. The same challenge and answers give the same bytes."""
    width = max(4, len(str(len(challenge.wallets))))
    for number, wallet in enumerate(challenge.wallets, 1):
        stem = f"messages/{number:0{width}}_{wallet.account.replace(':', '_').replace('%', '_')}"
        for profile in CHALLENGE_PROFILES:
            # No newline at the end: wallets that sign a file sign every byte of it.
            yield f"{stem}.{profile}.txt", challenge.message(wallet, profile).encode("ascii")
    yield RESPONSES_CSV, dump_rows(RESPONSE_COLUMNS, (_blank(wallet) for wallet in challenge.wallets))
    yield MANIFEST_CSV, manifest_csv(standings(challenge, responses))
    yield README, _readme(challenge).encode("utf-8")


def _blank(wallet: Wallet) -> tuple[str, ...]:
    schemes = schemes_for(wallet.account)
    return (wallet.account, schemes[0] if schemes else "", "text", "", "", "", "")


@dataclass(frozen=True, slots=True)
class LetterDays:
    """The instants that bound a letter's date (docs/reference/register-csv.md). handed_in: when it is imported."""

    as_of: dt.datetime
    handed_in: dt.datetime
    claim_expires: dt.datetime

    def why(self, control: Control) -> str:
        """Why a letter's date is not accepted; "" if it is, or if this is no letter."""
        day = control.letter.date
        if control.scheme != LETTER or letter_is_fresh(day, self.as_of, self.handed_in, self.claim_expires):
            return ""
        first, last = min(times.business_days(self.as_of)), min(self.handed_in, self.claim_expires).date()
        return f"letter_date {day} is not a day from {first} to {last}"


def read_responses(path: Path, challenge: Challenge, days: LetterDays | None = None) -> tuple[Answer, ...]:
    """The answers of a responses.csv, each judged at once; rows that are not answered are left out.

    The file is taken whole or refused whole as a table (InputError: a column, an account that was not challenged, a
    word, an account twice, a letter that is not there). In a sound table each answer stands alone: Answer.why is ""
    if it was accepted. days: what letters' dates are held to, None for nothing. TransportError if
    the file cannot be read.
    """
    seen: dict[str, int] = {}
    answers: list[Answer] = []
    wallets = {wallet.account: wallet for wallet in challenge.wallets}
    for row in split_rows(read_bytes(path), RESPONSE_COLUMNS, file=str(path)):
        wallet = _wallet(row, wallets, str(path))
        if wallet.account in seen:
            raise _refuse(row, "account", f"stands twice: first in row {seen[wallet.account]}", str(path))
        seen[wallet.account] = row.row
        control = _control(row, wallet, path)
        if control is None:
            continue
        result = judge(challenge, wallet, control)
        why = result.detail if result.verdict != "valid" else days.why(control) if days else ""
        answers.append(Answer(row.row, wallet.account, control.scheme, why, control))
    return tuple(answers)


def merge(responses: Responses, answers: tuple[Answer, ...]) -> Responses:
    """The responses with these answers put in; a refused answer never displaces an accepted one."""
    return responses.merged(
        (answer.control for answer in answers if not answer.why),
        (Refused(answer.account, answer.scheme, answer.why) for answer in answers if answer.why),
    )


def _refuse(row: CsvRow, column: str, rule: str, file: str, hint: str = "") -> InputError:
    return InputError(rule, file=file, row=row.row, column=column, value=row.fields[column], hint=hint, reason="value")


def _wallet(row: CsvRow, wallets: Mapping[str, Wallet], file: str) -> Wallet:
    try:
        account = normalise_account(row.fields["account"])
    except MalformedError as error:
        raise _refuse(row, "account", f"is not an account: {error.message}", file) from None
    if account not in wallets:
        raise _refuse(row, "account", "is not an account that was challenged", file)
    return wallets[account]


def _control(row: CsvRow, wallet: Wallet, path: Path) -> Control | None:
    """The evidence of a row, None if it is not answered."""
    found, file = row.fields, str(path)
    letter = tuple(found[column] for column in RESPONSE_COLUMNS[4:])
    if not found["signature"] and not any(letter):
        return None
    schemes = schemes_for(wallet.account)
    if found["scheme"] not in schemes:
        known = " or ".join(schemes) or "none"
        raise _refuse(row, "scheme", f"is not a scheme for this account ({known})", file)
    if found["profile"] not in CHALLENGE_PROFILES:
        raise _refuse(row, "profile", "is not text or compact: say which message was signed", file)
    if len(found["signature"]) > MAX_SIGNATURE_TEXT:
        raise _refuse(row, "signature", f"is longer than {MAX_SIGNATURE_TEXT} characters", file)
    if found["scheme"] != LETTER:
        for column in RESPONSE_COLUMNS[4:]:
            if found[column]:
                raise _refuse(row, column, "is given for a scheme that is not letter", file)
        return Control(wallet.account, Letter("", "", None), found["profile"], found["scheme"], found["signature"])
    if found["signature"]:
        raise _refuse(row, "signature", "is given for a letter", file)
    if not found["letter_issuer"] or len(found["letter_issuer"]) > limits.MAX_NAME:
        raise _refuse(row, "letter_issuer", f"is not 1 to {limits.MAX_NAME} characters", file)
    try:
        times.parse_date(found["letter_date"])
    except MalformedError:
        raise _refuse(row, "letter_date", "is not a day like 2026-06-30", file) from None
    sha256 = _letter_digest(row, path)
    return Control(wallet.account, Letter(found["letter_date"], found["letter_issuer"], sha256), found["profile"],
                   LETTER, "")  # fmt: skip


def _letter_digest(row: CsvRow, path: Path) -> bytes:
    name = row.fields["letter_file"]
    # The table may come from outside: it must not make us publish a digest of some other file of ours.
    if not _LETTER_NAME.fullmatch(name) or (path.parent / name).is_symlink():
        raise _refuse(row, "letter_file", "is not the plain name of a file beside responses.csv", str(path))
    try:
        data = read_file(path.parent / name, limit=MAX_LETTER_BYTES)
    except TransportError as error:
        raise _refuse(row, "letter_file", f"names a letter that cannot be read: {error.message}", str(path),
                      hint="letters stand beside responses.csv") from None  # fmt: skip
    if not data:
        raise _refuse(row, "letter_file", "is an empty file", str(path))
    return hashlib.sha256(data).digest()


def _readme(challenge: Challenge) -> str:
    return f"""Ownership challenge of the snapshot {challenge.snapshot_id}, custodian {challenge.custodian}

Each account in a client pool is asked to sign one line. The line names the account, the custodian, the pool, and a
claim that stands for everything owed to clients at the snapshot. It moves no funds and gives no permission.

1. messages/ has two files for each account:
     NUMBER_ACCOUNT.text.txt     the line to sign
     NUMBER_ACCOUNT.compact.txt  a shorter line, for devices that cannot sign the longer one
   Sign the bytes of one of them exactly: they end without a line break.
2. How to sign:
     bip322-smp  Bitcoin: BIP-322, "simple". The signature begins with smp and goes on in base64.
     eip191      Ethereum and its kin: personal_sign. 0x and 130 lower-case hex digits.
     letter      An account at a bank or another custodian: a letter of theirs that confirms it.
3. Fill in responses.csv, one row for each account:
     scheme       as above
     profile      text or compact: which of the two lines was signed
     signature    as the wallet gave it; empty for a letter
     letter_file  the letter's file, placed beside responses.csv; letter_issuer: who wrote it;
     letter_date  its date, like 2026-06-30: not before the days that a balance of the snapshot may be of, and not
                  after today. The letter is not published, only its SHA-256, issuer and date are.
   Rows without an answer may stay as they are. The file may be handed in as often as needed.
4. Hand it in:
     reserveproof challenge WORKSPACE {challenge.snapshot_id} --import responses.csv
   Every answer is checked at once. What is not accepted is named, with the reason.

manifest.csv says which accounts have answered. What has no accepted answer is not counted as a reserve.
Sign before {challenge.claim_expires}. Claim {challenge.claim.hex()}
"""

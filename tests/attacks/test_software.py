"""Attacks 42, 43, 45 and 46: on the programs that read hostile files. Killing is in test_44_kill.py."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from attacks.toolbox import (
    EXTRACT,
    PASSED,
    claims_of,
    client_vector,
    extract_rows,
    open_world,
    outcome,
    public,
    public_outcome,
    read_strictly,
    run,
    seen,
    table,
    write_audit,
    write_client,
    write_public,
)
from reference.canonical_json import dump
from reference.cases import tiny
from reserveproof.format import envelope, register
from reserveproof.format.errors import InputError, MalformedError, ReserveProofError
from reserveproof.format.times import parse_time
from reserveproof.verifier.bundle import BundleFolder, BundleInMemory
from reserveproof.verifier.claims import Claims, make_claims, parse_claims
from reserveproof.verifier.client import check_client
from reserveproof.verifier.policy import Policy, parse_policy
from reserveproof.verifier.public import check_bundle
from reserveproof.verifier.record import Record

# 42


OTHERS = b'"0129AZaz{}[],:=+/-. \n\0\xff\\'


def mutants(data: bytes, seed: int, step: int = 1) -> Iterator[bytes]:
    """Two changes of one byte at every offset: another byte, and one of flip, delete, insert, double, newline."""
    dice = random.Random(seed)  # noqa: S311 - a repeatable choice
    for at in range(0, len(data), step):
        old = data[at]
        yield (
            data[:at]
            + bytes([dice.choice([b for b in b'"0129AZaz{}[],:=+/-. \n\0\xff\\' if b != old])])
            + data[at + 1 :]
        )
        how = dice.randrange(5)
        if how == 0:
            yield data[:at] + bytes([old ^ 1 << dice.randrange(8)]) + data[at + 1 :]
        elif how == 1:
            yield data[:at] + data[at + 1 :]
        elif how == 2:
            yield data[:at] + bytes([dice.randrange(256)]) + data[at:]
        elif how == 3:
            yield data[:at] + bytes([old]) + data[at:]
        else:
            yield data[:at] + b"\n" + data[at:]


def survivors(data: bytes, judge: Callable[[bytes], object], *, step: int = 1) -> tuple[int, int]:
    """(tried, accepted). Every mutant is refused by a typed error, or means what the original means; anything else
    that is raised is a crash and ends the test."""
    honest = judge(data)
    tried = accepted = 0
    for mutant in mutants(data, 42, step):
        tried += 1
        try:
            found = judge(mutant)
        except ReserveProofError as error:
            assert error.exit_status in (2, 3, 4, 5) and error.reason and error.step, error
            continue
        accepted += 1
        assert found == honest, "a changed file is accepted, and means something else"
    return tried, accepted


def client_judge(vector: dict[str, Any], member: str) -> Callable[[bytes], object]:
    policy, claims = parse_policy(vector["policy"].encode()), make_claims(claims_of(vector))
    at, last = parse_time(vector["at"]), seen(vector["state"])

    def judge(data: bytes) -> object:
        given = {"proof": vector["proof"].encode(), "statement": vector["statement"].encode() or None, member: data}
        return check_client(
            given["proof"] or b"", statement=given["statement"], policy=policy, claims=claims, last=last, at=at,
            bundle=None, record=Record(),
        )  # fmt: skip

    return judge


def test_42_every_byte_of_a_proof_file():
    vector = client_vector("attack", "", "passed", world=tiny(), who="frank")
    tried, accepted = survivors(vector["proof"].encode(), client_judge(vector, "proof"))
    assert tried == 2 * len(vector["proof"])
    assert accepted < 100, "keyids alone may differ"


def test_42_every_byte_of_the_lines_of_a_larger_proof_file():
    """With dedicated positions and three trees; the envelope is beside, so every byte is the proof's own."""
    vector = client_vector(
        "attack", "", "passed", world=open_world(), who="carol", inline=False, beside=lambda _: None
    )  # fmt: skip
    tried, accepted = survivors(vector["proof"].encode(), client_judge(vector, "proof"))
    assert tried > 5000 and accepted < 40, "log and timestamps are carried and not checked"


def test_42_every_byte_of_an_envelope():
    vector = client_vector("attack", "", "passed", world=tiny(), who="frank", inline=False, beside=lambda _: None)
    tried, accepted = survivors(vector["statement"].encode(), client_judge(vector, "statement"))
    assert tried == 2 * len(vector["statement"]) and accepted < 40


def bundle_judge(files: dict[str, bytes], name: str, policy: Policy, clock: dt.datetime) -> Callable[[bytes], object]:
    def judge(data: bytes) -> object:
        found = check_bundle(
            BundleInMemory({**files, name: data}), policy=policy, last=None, at=clock, digest="", others=None,
            record=Record(),
        )  # fmt: skip
        return found.trusted.statement, found.trusted.payload_sha256, found.rebuilt, found.facts

    return judge


@pytest.mark.parametrize("name", ["register.json", "manifest.json", "statement.json", "evidence"])
def test_42_every_byte_of_a_bundle(name):
    vector = public(world=tiny())
    files = {found: data.encode() for found, data in vector["bundle"].items()}
    name = next(found for found in sorted(files) if found.startswith(name))
    policy = parse_policy(vector["policy"].encode())
    tried, _ = survivors(files[name], bundle_judge(files, name, policy, parse_time(vector["at"])))
    assert tried == 2 * len(files[name])


def test_42_every_byte_of_a_register_that_is_signed_again():
    """The custodian signs what the mutant is: no digest protects it, only the parser and the tree do."""
    world = tiny()
    data = world.files()["register.json"]
    honest = register.parse(data)
    for mutant in mutants(data, 7):
        try:
            parsed = register.parse(mutant)
        except MalformedError:
            continue
        assert parsed != honest, "two spellings of one register"
        got = public_outcome(world=world, files=lambda old, mutant=mutant: {**old, "register.json": mutant})
        assert got[0] in ("failed", "malformed") and got[1] in (7, 8, 9), got


def test_42_bytes_of_the_demonstrations_files(demo_folder):
    """Every offset of what the custodian's own commands wrote."""
    now = dt.datetime.now(dt.UTC)
    policy = parse_policy((demo_folder / "workspace" / "policy.toml").read_bytes())
    bundle = demo_folder / "workspace" / "snapshots" / "demo-1" / "bundle"
    files = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    for name in ("register.json", "manifest.json", "statement.json"):
        judge = bundle_judge(files, name, policy, now)
        tried, _ = survivors(files[name], judge)
        assert tried > 500
    proof = sorted((demo_folder / "proofs").glob("proof-*.json"))[0].read_bytes()
    passing = 0
    for path in sorted((demo_folder / "claims").glob("*.toml")):
        claims = parse_claims(path.read_bytes())

        def judge(data: bytes, claims: Claims = claims) -> object:
            return check_client(
                data, statement=None, policy=policy, claims=claims, last=None, at=now, bundle=None, record=Record()
            )

        if outcome(lambda judge=judge: judge(proof)) == PASSED:
            passing += 1
            tried, _ = survivors(proof, judge)
            assert tried > 2000
    assert passing == 1, "one client's file is that client's alone"


def test_42_every_byte_of_policy_claims_and_state(tmp_path):
    """The reader's own files: refused by a typed error, or they say something else; never a crash."""
    vector = client_vector("attack", "", "passed", world=tiny(), who="frank")
    given = write_client(tmp_path, vector)
    claims = (given.folder / "claims.toml").read_bytes()
    for data, parse in ((vector["policy"].encode(), parse_policy), (claims, parse_claims)):
        for mutant in mutants(data, 3):
            assert outcome(lambda parse=parse, mutant=mutant: parse(mutant))[0] in ("passed", "malformed", "usage")


# 43


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def bombs() -> dict[str, tuple[Callable[[bytes], object], bytes, str]]:
    """name: (reader, bytes, reason)."""
    proof = json.loads(client_vector("attack", "", "passed", world=tiny(), who="frank")["proof"])

    def read_proof(data: bytes) -> object:
        from reserveproof.format.proof_file import parse

        return parse(data)

    whole = dump(proof)
    million = 10**6
    return {
        "deep arrays": (read_proof, nested(million), "nesting"),
        "deep objects": (read_proof, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nesting"),
        "deep, never closed": (read_proof, b"[" * million, "nesting"),
        "a huge integer": (read_proof, whole.replace(b'"format":1', b'"format":' + b"9" * million, 1), "value"),
        "a huge amount": (read_proof, whole.replace(b'"credit":"', b'"credit":"' + b"9" * million, 1), "amount"),
        "a huge exponent": (read_proof, whole.replace(b'"format":1', b'"format":1e999999999', 1), "value"),
        "a long string": (read_proof, dump({**proof, "log": "x" * million}), "text"),
        "a long key": (read_proof, b'{"' + b"k" * million + b'":1}', "key"),
        "many members": (read_proof, b"{" + b",".join(b'"%07d":0' % n for n in range(100_000)) + b"}", "members"),
        "one member again and again": (read_proof, b"{" + b",".join([b'"a":0'] * 100_000) + b"}", "duplicate-key"),
        "many lines": (read_proof, dump({**proof, "lines": [proof["lines"][0]] * 25_000}), "array"),
        "many signatures": (envelope.parse, dump({**proof["envelope"], "signatures": [{"keyid": "", "sig": ""}] *
                                                  100_000}), "array"),
        "a file above its bound": (read_proof, b" " * (16 << 20) + b" ", "size"),
        "a string that never ends": (read_proof, b'"' + b"a" * million, "syntax"),
        "TOML of dots": (parse_policy, b".".join([b"a"] * 100_000) + b" = 1", "syntax"),
        "TOML tables of dots": (parse_policy, b"[" + b".".join([b"a"] * 100_000) + b"]", "syntax"),
        "TOML arrays": (parse_policy, b"a = " + nested(100_000), "syntax"),
        "TOML tables in tables": (parse_policy, b"a = " + b"{a=" * 100_000 + b"1" + b"}" * 100_000, "syntax"),
        "TOML dots in tables": (parse_policy, b"a = " + b"{a.a.a.a.a=" * 100 + b"1" + b"}" * 100, "syntax"),
        "TOML of a huge integer": (parse_policy, b"format = " + b"9" * million, "syntax"),
        "TOML of a huge hexadecimal": (parse_policy, b"format = 0x" + b"f" * million, "syntax"),
        "TOML of a long text": (parse_policy, b'custodian = "' + b"a" * million + b'"', "members"),
        "TOML of many tables": (parse_policy, b"[[signers]]\n" * 80_000, "members"),
        "TOML above its bound": (parse_policy, b"#" * ((1 << 20) + 1), "size"),
        "claims of dots": (parse_claims, b".".join([b"a"] * 100_000) + b" = 1", "input"),
        "claims of many balances": (parse_claims, b"[[balances]]\n" * 80_000, "input"),
        "claims above their bound": (parse_claims, b"#" * ((1 << 20) + 1), "input"),
    }  # fmt: skip


def measured(read: Callable[[bytes], object], data: bytes) -> tuple[str, float, int]:
    """(reason, seconds, bytes of memory) of a refusal, in a child that is forked for it."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started, reason = time.process_time(), "accepted"
        try:
            read(data)
        except ReserveProofError as error:
            reason = error.reason if len(error.message) < 500 and len(error.found) < 500 else "a flood of words"
        except BaseException as error:  # noqa: BLE001 - said to the parent
            reason = f"crash: {error!r}"
        spent = time.process_time() - started
        used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        os.write(theirs, json.dumps([reason, spent, used]).encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        found = json.loads(pipe.read())
    os.waitpid(child, 0)
    return found[0], found[1], found[2]


BOMBS = bombs()


@pytest.mark.parametrize("name", BOMBS)
def test_43_bombs(name):
    """Each ends within 2 seconds and 300 MB, with a clear refusal."""
    read, data, reason = BOMBS[name]
    found, seconds, memory = measured(read, data)
    assert found == reason
    assert seconds < 2
    assert memory < 300 << 20


SLOW = {
    "escaped quotes in a string that never ends": b'"' + b'\\"' * 50_000,
    "one member twice after many others": b"{" + b",".join(b'"%07d":0' % n for n in range(60_000)) + b',"0059999":0}',
}


@pytest.mark.parametrize("name", SLOW)
def test_43_bombs_that_take_time_with_the_square_of_the_bytes(name):
    """A hundred kilobytes, of the 16 MB that a proof file may have."""
    program = (
        "import sys\nfrom reserveproof.format import canonical_json\n"
        "from reserveproof.format.errors import MalformedError\n"
        "try:\n    canonical_json.parse(sys.stdin.buffer.read(), max_bytes=1 << 24, what='it')\n"
        "except MalformedError:\n    sys.exit(4)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], input=SLOW[name], timeout=5, check=False)
    assert ended.returncode == 4


def test_43_bombs_a_payload_above_its_bound_in_bounded_memory():
    """Six megabytes of base64, in a file that may have eight."""
    whole = {"payload": "AAAA" * (3 << 19), "payloadType": "application/vnd.in-toto+json", "signatures": []}
    found, seconds, memory = measured(envelope.parse, dump(whole))
    assert found == "base64"
    assert seconds < 2 and memory < 300 << 20


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))


def test_43_bombs_a_register_of_300_mb_is_refused_by_its_size(tmp_path):
    """Sparse on disk: it must not be read whole to be refused."""
    given = write_public(tmp_path, public(world=open_world()))
    path = tmp_path / "bundle" / "register.json"
    with path.open("r+b") as file:
        file.truncate(300 << 20)
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "reserveproof.verifier", *given, "--json"],
        capture_output=True, text=True, check=False, preexec_fn=limited, timeout=60,
    )  # fmt: skip
    document = json.loads(ended.stdout)
    assert (ended.returncode, document["class"], document["failure"]["step"]) == (4, "malformed", 6)
    assert document["failure"]["reason"] == "size"
    assert time.monotonic() - started < 5


def test_43_bombs_through_the_command(tmp_path):
    """A bomb as the proof, the state, the policy and the claims of a real process with bounded memory."""
    good = write_client(tmp_path / "c", client_vector("attack", "", "passed"))
    for name, status in (("proof.json", 4), ("state.json", 4), ("policy.toml", 4), ("claims.toml", 2)):
        path = tmp_path / "c" / name
        kept = path.read_bytes() if path.exists() else None
        path.write_bytes(b"a=" * 10 + nested(200_000))
        ended = subprocess.run(
            [sys.executable, "-m", "reserveproof.verifier", *good.arguments()],
            capture_output=True, text=True, check=False, preexec_fn=limited, timeout=30,
        )  # fmt: skip
        assert ended.returncode == status, (name, ended.stderr)
        assert "Traceback" not in ended.stderr and len(ended.stderr) < 2000
        path.unlink() if kept is None else path.write_bytes(kept)
    assert run(good.arguments()).status == 0


# 45

TRAVERSAL = [
    "../../../etc/passwd", "/etc/passwd", "evidence/../../x.json", "./register.json", "evidence//x.json", "..", ".",
    "evidence/%2e%2e/x", "evidence\\..\\x", "C:x", "EVIDENCE/x.json", ".hidden", "a/b/c/d/e/f.json", "x\u0000y", "",
    "evidence/x.json/", "a" * 101, "é.json",
]  # fmt: skip


@pytest.mark.parametrize("name", TRAVERSAL)
def test_45_path_traversal_in_the_manifest(name):
    """The custodian itself signs the name."""
    entry = {"name": name, "sha256": "00" * 32, "size": 1}

    def listed(manifest: dict[str, Any]) -> None:
        manifest["files"] = sorted([*manifest["files"], entry], key=lambda one: one["name"])

    if "\0" in name:  # no canonical file can spell it
        raw = dump({"files": [], "format": 1}).replace(b"[]", b'[{"name":"x\\u0000y"}]')
        assert public_outcome(world=open_world(), manifested=lambda _: raw)[:2] == ("malformed", 6)
        return
    assert public_outcome(world=open_world(), manifested=listed)[:2] == ("malformed", 6)


def test_45_path_traversal_opens_nothing_outside(tmp_path):
    (tmp_path / "secret.json").write_text("{}")
    (tmp_path / "b" / "evidence").mkdir(parents=True)
    folder = BundleFolder(tmp_path / "b")
    for name in [*TRAVERSAL, "../secret.json", str(tmp_path / "secret.json")]:
        with pytest.raises(MalformedError):
            folder.read(name, 100)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink()
    try:
        os.mknod(path, 0o020666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("devices cannot be made here")


def link(path: Path) -> None:
    """The same bytes, outside of the bundle."""
    kept = next(one for one in path.parents if one.name == "bundle").parent / "kept"
    path.rename(kept)
    path.symlink_to(kept, target_is_directory=kept.is_dir())


def folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


EVIDENCE = "evidence/*"
HOSTILE: dict[str, tuple[str, Callable[[Path], None], int, str]] = {
    # how: (which file, what replaces it, step, reason)
    "a link to the same bytes": (EVIDENCE, link, 6, "link"),
    "a folder that is a link": ("evidence", link, 6, ""),
    "the statement is a link": ("statement.json", link, 1, "link"),
    "the manifest is a link": ("manifest.json", link, 6, "link"),
    "the register is a link to itself": ("register.json", link_to_itself, 6, "link"),
    "a named pipe": (EVIDENCE, pipe, 6, "link"),
    "a pipe as the statement": ("statement.json", pipe, 1, "link"),
    "a folder as a file": (EVIDENCE, folder_there, 6, "link"),
    "a folder as the statement": ("statement.json", folder_there, 1, "link"),
    "a device": (EVIDENCE, device, 6, "link"),
    "a further link": ("extra", lambda path: path.symlink_to("/etc/passwd"), 6, "file-unknown"),
    "a further pipe": ("extra", lambda path: os.mkfifo(path), 6, "file-unknown"),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_45_symlinks_pipes_and_devices_in_a_bundle(tmp_path, how):
    given = write_public(tmp_path, public(world=open_world()))
    assert run([*given, "--json"]).verdict() == PASSED
    which, replace, step, reason = HOSTILE[how]
    bundle = tmp_path / "bundle"
    replace(next(iter(sorted(bundle.glob(which))), bundle / which))
    started = time.monotonic()
    ran = run([*given, "--json"])
    failure = json.loads(ran.out)["failure"]
    assert (ran.status, failure["step"]) == (4, step), failure
    assert not reason or failure["reason"] == reason
    assert time.monotonic() - started < 2, "nothing waits for a writer"


@pytest.mark.parametrize("which", ["proof.json", "policy.toml", "claims.toml", "state.json"])
def test_45_pipes_given_as_the_readers_files(tmp_path, which):
    given = write_client(tmp_path, client_vector("attack", "", "passed"))
    path = tmp_path / which
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    started = time.monotonic()
    ran = run([*given.arguments(), "--json"])
    assert ran.verdict()[0] == "transport" and time.monotonic() - started < 2


def test_45_symlinks_a_state_file_is_replaced_and_not_written_through(tmp_path):
    given = write_client(tmp_path, client_vector("attack", "", "passed"))
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "state.json").symlink_to(elsewhere)
    assert run(given.arguments()).status == 0
    assert not elsewhere.exists() and not (tmp_path / "state.json").is_symlink()


# 46

HEAD = ",".join(EXTRACT)
GOOD = "omni,BTC,AC-1,,available,1.5,0"
DECIMALS = {"BTC": 8, "JPY": 0}


def row(**changes: str) -> str:
    fields = dict(zip(EXTRACT, GOOD.split(","), strict=True)) | {"client_id": "AC-2"} | changes
    return ",".join(fields.values())


LIES: dict[str, tuple[bytes, int]] = {
    "header twice": (f"{HEAD}\n{GOOD}\n{HEAD}\n".encode(), 3),
    "column missing": (f"{HEAD[:-6]}\nomni,BTC,AC-1,,available,1\n".encode(), 1),
    "column twice": (f"{HEAD.replace('debit', 'credit')}\n{GOOD}\n".encode(), 1),
    "column more": (f"{HEAD},email\n{GOOD},a\n".encode(), 1),
    "column renamed": (f"{HEAD.replace('credit', 'Credit')}\n{GOOD}\n".encode(), 1),
    "no header": (f"{GOOD}\n{GOOD}\n".encode(), 1),
    "no row": (f"{HEAD}\n".encode(), 0),
    "empty": (b"", 0),
    "quoted newline": (f'{HEAD}\n{GOOD}\nomni,BTC,"AC\n-2",,available,1,0\n'.encode(), 3),
    "quote inside": (f'{HEAD}\n{GOOD}\nomni,BTC,"AC"-2,,available,1,0\n'.encode(), 3),
    "quote not closed": (f'{HEAD}\n{GOOD}\nomni,BTC,"AC-2,,available,1,0\n'.encode(), 3),
    "BOM": (b"\xef\xbb\xbf" + f"{HEAD}\n{GOOD}\n".encode(), 1),
    "UTF-16": (f"{HEAD}\n{GOOD}\n".encode("utf-16"), 1),
    "NUL": (f"{HEAD}\n{GOOD}\n{row(client_id=chr(0) + 'AC')}\n".encode(), 3),
    "escape": (f"{HEAD}\n{GOOD}\n{row(client_id='AC[31m')}\n".replace("[", "\x1b[").encode(), 3),
    "lone CR": (f"{HEAD}\n{GOOD}\n{row(client_id=chr(13) + 'AC')}\n".encode(), 3),
    "not UTF-8": (f"{HEAD}\n{GOOD}\n".encode() + b"omni,BTC,\xff,,available,1,0\n", 3),
    "empty line": (f"{HEAD}\n{GOOD}\n\n".encode(), 3),
    "cut": (f"{HEAD}\n{GOOD}\n{row(credit='100')}".encode(), 3),
    "semicolons": (f"{HEAD}\n{GOOD}\n{GOOD.replace(',', ';')}\n".encode(), 3),
    "one field more": (f"{HEAD}\n{GOOD}\n{GOOD},0\n".encode(), 3),
    "a long line": (f"{HEAD}\n{GOOD}\n{'x' * 70_000}\n".encode(), 3),
    **{
        f"credit {text!r}": (f"{HEAD}\n{GOOD}\n{row(credit=text)}\n".encode(), 3)
        for text in ("1_000", "NaN", "inf", "1e5", "+1.5", "-1", "-0", " 1", "1 ", ".5", "1.", "01", "0x10", "1.2.3",
                     "", "1.123456789", "one", "9" * 39, "5%", "NULL", "\uff11", "\u0661", "1\u00a0000", '"1,000"',
                     "1" * 81, "\\N", "1'000", "TRUE")
    },
    **{
        f"{column} {text!r}": (f"{HEAD}\n{GOOD}\n{row(**{column: text})}\n".encode(), 3)
        for column, text in (("client_id", " AC"), ("client_id", "AC "), ("client_id", ""), ("client_id", "A" * 129),
                             ("client_code", " x"), ("client_code", "x" * 65), ("pool", "Omni"), ("pool", ""),
                             ("asset", "btc"), ("asset", "XRP"), ("bucket", "Available"), ("bucket", "1"),
                             ("bucket", " available"), ("debit", "-1"), ("debit", "1e1"))
    },
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_46_csv_lies_to_the_auditor(lie):
    """The verifier's own reader refuses the whole file and names it, and the row."""
    data, number = LIES[lie]
    with pytest.raises(InputError) as refused:
        read_strictly(data, file="ledger.csv", decimals=DECIMALS)
    assert (refused.value.file, refused.value.row) == ("ledger.csv", number)
    assert "ledger.csv" in refused.value.message
    assert refused.value.exit_status == 4
    read = read_strictly(f"{HEAD}\n{GOOD}\n{row()}\n".encode(), file="l", decimals=DECIMALS)
    assert [one.credit for one in read] == [150_000_000] * 2


TABBED: dict[str, tuple[Callable[[list[list[str]]], object], int]] = {
    "a decimal": (lambda rows: rows[1].__setitem__(5, "1.5"), 3),
    "a leading zero": (lambda rows: rows[1].__setitem__(5, "01"), 3),
    "minus": (lambda rows: rows[1].__setitem__(6, "-1"), 3),
    "2^127": (lambda rows: rows[1].__setitem__(5, str(2**127)), 3),
    "a bucket by name": (lambda rows: rows[1].__setitem__(4, "available"), 3),
    "bucket 0": (lambda rows: rows[1].__setitem__(4, "0"), 3),
    "bucket 11": (lambda rows: rows[1].__setitem__(4, "11"), 3),
    "bucket 01": (lambda rows: rows[1].__setitem__(4, "01"), 3),
    "a field less": (lambda rows: rows[1].pop(), 3),
    "columns moved": (lambda rows: rows.insert(0, [""] * 7), 2),
}


@pytest.mark.parametrize("lie", TABBED)
def test_46_csv_lies_in_a_canonical_extract(lie):
    rows = [list(one) for one in extract_rows(open_world())]
    TABBED[lie][0](rows)
    data = table(EXTRACT, [tuple(one) for one in rows])
    scales = {"BTC": 8, "ETH": 18, "USDC": 6}
    with pytest.raises(InputError) as refused:
        read_strictly(data, file="extract.tsv", decimals=scales)
    assert (refused.value.file, refused.value.row) == ("extract.tsv", TABBED[lie][1])
    honest = table(EXTRACT, extract_rows(open_world()))
    assert len(read_strictly(honest, file="extract.tsv", decimals=scales)) == 26


def test_46_csv_lies_through_the_command(tmp_path):
    lie = table(EXTRACT, extract_rows(open_world())).replace(b"\t125000000\t", b"\t125_000_000\t", 1)
    ran = run(write_audit(tmp_path / "lie", open_world(), ledger=lie))
    assert ran.status == 4 and not ran.said_success
    assert "extract.tsv, row 2, column credit" in ran.err
    assert run(write_audit(tmp_path / "honest", open_world())).status == 0


def test_46_csv_lies_no_code_is_printed(tmp_path):
    """A client's code is a secret: a refusal names the row and the column."""
    rows = [list(one) for one in extract_rows(open_world())]
    number = next(n for n, one in enumerate(rows) if one[3])
    code = rows[number][3]
    rows[number][3] = code + " "
    ran = run(write_audit(tmp_path / "a", open_world(), ledger=table(EXTRACT, [tuple(one) for one in rows])))
    assert ran.status == 4 and code not in ran.out + ran.err
    rows[number][3] = "another"
    ran = run(write_audit(tmp_path / "b", open_world(), ledger=table(EXTRACT, [tuple(one) for one in rows])))
    assert ran.status == 4 and code not in ran.out + ran.err and "another client_code" in ran.err


def test_46_csv_lies_to_the_custodian_are_all_in_its_own_table():
    """tests/custodian/test_ledger_lies.py holds the cases; here only that none of the list is missing."""
    text = (Path(__file__).parents[1] / "custodian" / "test_ledger_lies.py").read_text()
    words = (
        "header_twice missing_column quoted_newline bom nul 1_000 NaN 1e5 +1.5 leading_space trailing_space "
        "full_width_digits utf16 duplicate_column"
    )
    for word in words.split():
        assert f'"{word}"' in text, word

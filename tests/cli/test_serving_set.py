"""`prove --all` and `prove --from`: the proofs of `prove`, byte for byte, and neither key nor ids in a set."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from custodian import demo_steps
from reserveproof.custodian import command, kernel, serving_set_maker
from reserveproof.custodian.atomic_files import locked
from reserveproof.custodian.client_book import ClientBook
from reserveproof.custodian.serving_set import NONCE, ServingSet, record_cipher, token_key, tokens_path
from reserveproof.custodian.workspace import Snapshot
from reserveproof.format import proof_file
from reserveproof.format.errors import InputError, TransportError, UsageError

CLIENTS = {client.id: client.code for client in demo_steps.WORLD.clients}
Say = pytest.CaptureFixture[str]


@pytest.fixture(scope="session")
def published_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_steps.published_workspace(tmp_path_factory.mktemp("published") / "w").path


@pytest.fixture
def published(published_base: Path, tmp_path: Path) -> Snapshot:
    return demo_steps.copied(published_base, tmp_path / "w")


@pytest.fixture(params=["kernel", "python"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test with the native kernel and without."""
    if request.param == "python":
        monkeypatch.setattr(kernel, "native", None)
    elif kernel.native is None:
        pytest.skip("the native kernel is not installed")
    return str(request.param)


def made(snapshot: Snapshot, folder: Path) -> dict[str, str]:
    """Make a set; the token of each client."""
    assert command.run(("prove", str(snapshot.workspace.path), "s1", "--all", "--to", str(folder))) == 0
    header, *lines = tokens_path(folder).read_text("ascii").splitlines()
    assert header == "client_id\ttoken"
    return dict(line.split("\t") for line in lines)


def test_every_proof_is_the_one_of_the_command(published: Snapshot, tmp_path: Path, engine: str, capsys: Say) -> None:
    tokens = made(published, tmp_path / "set")
    assert list(tokens) == sorted(CLIENTS)
    assert len(set(tokens.values())) == len(tokens)
    assert f"the proofs of {len(CLIENTS)} clients" in capsys.readouterr().out
    assert command.run(("prove", str(published.workspace.path), "s1", *CLIENTS, "--to", str(tmp_path / "one"))) == 0
    files = dict(reversed(line.split("  ")) for line in capsys.readouterr().out.splitlines())
    dedicated = 0
    with ServingSet(tmp_path / "set") as served:
        served.verify()
        assert served.clients == len(CLIENTS)
        for client, token in tokens.items():
            data = served.proof(token)
            assert data == Path(files[client]).read_bytes()
            dedicated += bool(proof_file.parse(data).positions)
    assert dedicated


def test_the_command_prints_the_same_bytes(
    published: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    client, token = next(iter(made(published, tmp_path / "set").items()))
    assert command.run(("prove", str(published.workspace.path), "s1", client, "--to", str(tmp_path / "one"))) == 0
    (file,) = (tmp_path / "one").glob("*.json")
    capfdbinary.readouterr()
    assert command.run(("prove", "--from", str(tmp_path / "set"), token)) == 0
    assert capfdbinary.readouterr().out == file.read_bytes()
    monkeypatch.setattr("sys.stdin", io.StringIO(token + "\n"))
    assert command.run(("prove", "--from", str(tmp_path / "set"), "-")) == 0
    assert capfdbinary.readouterr().out == file.read_bytes()


def test_neither_key_nor_ids_nor_codes_are_inside(published: Snapshot, tmp_path: Path, engine: str) -> None:
    tokens = made(published, tmp_path / "set")
    key = published.key()
    secret = [key, key.hex().encode(), *(word.encode() for own in CLIENTS.items() for word in own if word)]
    secret += [form for token in tokens.values() for form in (token.encode(), bytes.fromhex(token))]
    files = [path for path in (tmp_path / "set").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"statement.json", "clients.book"}
    for path in files:
        data = path.read_bytes()
        assert not [word for word in secret if word in data], path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (tmp_path / "set", tmp_path / "set" / "trees"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(tokens_path(tmp_path / "set").stat().st_mode) == 0o600


def test_both_ways_of_writing_give_one_set(
    published: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kernel.native is None:
        pytest.skip("the native kernel is not installed")
    monkeypatch.setattr(
        serving_set_maker, "new_tokens",
        lambda count: b"".join(hashlib.sha256(b"%d" % number).digest()[:16] for number in range(count)),
    )  # fmt: skip
    made(published, tmp_path / "native")
    monkeypatch.setattr(kernel, "native", None)
    made(published, tmp_path / "python")
    assert (tmp_path / "native" / "clients.book").read_bytes() == (tmp_path / "python" / "clients.book").read_bytes()
    assert tokens_path(tmp_path / "native").read_bytes() == tokens_path(tmp_path / "python").read_bytes()


def test_the_store_is_the_same_with_and_without_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if kernel.native is None:
        pytest.skip("the native kernel is not installed")
    with_kernel = demo_steps.ledger_workspace(tmp_path / "native").snapshot("s1")
    key = with_kernel.key()
    monkeypatch.setattr(kernel, "native", None)
    monkeypatch.setattr("secrets.token_bytes", lambda _count: key)
    without = demo_steps.ledger_workspace(tmp_path / "python").snapshot("s1")
    assert without.key() == key
    found = [
        {p.relative_to(one.ledger_folder): p.read_bytes() for p in one.ledger_folder.rglob("*") if p.is_file()}
        for one in (with_kernel, without)
    ]
    assert found[0] == found[1]
    assert Path("clients.book") in found[0]


@pytest.mark.parametrize("token", ["", "00", "0" * 32, "G" * 32, "0" * 31 + "\n", "../../etc/passwd", "ÿ" * 32])
def test_another_token_gets_nothing(published: Snapshot, tmp_path: Path, token: str, capsys: Say) -> None:
    made(published, tmp_path / "set")
    with ServingSet(tmp_path / "set") as served, pytest.raises(UsageError, match="no proof under that token") as caught:
        served.proof(token)
    assert token == "" or token not in caught.value.message


def test_a_set_is_whole_and_new(published: Snapshot, tmp_path: Path, capsys: Say) -> None:
    place = (str(published.workspace.path), "s1", "--all", "--to")
    made(published, tmp_path / "set")
    before = tokens_path(tmp_path / "set").read_bytes()
    assert command.run(("prove", *place, str(tmp_path / "set"))) == 2
    assert "exists and is not replaced" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "set")
    assert command.run(("prove", *place, str(tmp_path / "set"))) == 2, "the tokens of a set that was moved stay"
    assert tokens_path(tmp_path / "set").read_bytes() == before
    for wrong in (
        ("prove", *place[:3]), ("prove", *place, str(tmp_path / "x"), "--clients", os.devnull),
        ("prove", "--from", str(tmp_path / "nowhere"), "00"), ("prove", "--from", str(tmp_path / "set")),
        ("prove", "--from", str(tmp_path / "set"), "a", "b"), ("prove", str(published.workspace.path)),
        ("prove", *place, "/"),
    ):  # fmt: skip
        assert command.run(wrong) == 2
        assert "hint: " in capsys.readouterr().err


def test_a_failure_leaves_nothing(
    published: Snapshot, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch, capsys: Say
) -> None:
    def full(*_: object, **__: object) -> None:
        raise TransportError("cannot write: No space left on device", reason="io")

    out = tmp_path / "out"
    out.mkdir()
    place = ("prove", str(published.workspace.path), "s1", "--all", "--to", str(out / "set"))
    (out / ".tmp-of-another-program").write_text("kept")
    (out / ".set.partial-of-another-program").mkdir()
    (out / ".set.partial-of-another-program" / "kept").touch()
    kept = {path.name for path in out.iterdir()}
    for what in (
        f"{serving_set_maker.__name__}.BookWriter.finish", "os.link",
        "reserveproof.custodian.atomic_files.sync_tree",
    ):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(what, full)
            assert command.run(place) == 6
        assert {path.name for path in out.iterdir()} == kept, what
    # What a stopped run left is locked by nobody, and goes; what another run holds stays.
    for number in range(2):
        (out / f".set.partial-{number}").mkdir()
        (out / f".set.partial-{number}" / ".lock").touch()
    with locked(out / ".set.partial-1"):
        assert command.run(place) == 6
        assert "another run is at work" in capsys.readouterr().err
        assert (out / ".set.partial-1").is_dir()
    made(published, out / "set")
    assert {path.name for path in out.iterdir()} == {*kept, "set", "set.tokens.tsv"}
    assert {path.name for path in (out / "set").iterdir()} == {"clients.book", "statement.json", "trees"}


def test_a_set_is_its_own(published: Snapshot, tmp_path: Path, engine: str) -> None:
    """Who gets the set sets its modes: the snapshot's trees are not the same files."""
    made(published, tmp_path / "set")
    for path in (tmp_path / "set" / "trees").iterdir():
        path.chmod(0o644)
        assert stat.S_IMODE((published.trees_folder / path.name).stat().st_mode) == 0o600


def test_a_set_without_its_tokens_opens_for_nobody(published: Snapshot, tmp_path: Path, engine: str) -> None:
    """Blinds in the clear would let whoever has the set test guesses at ids against the leaves."""
    tokens = made(published, tmp_path / "set")
    book = (tmp_path / "set" / "clients.book").read_bytes()
    looked = 0
    with ServingSet(tmp_path / "set") as served:
        for token in tokens.values():
            for line in proof_file.parse(served.proof(token)).lines:
                assert line.blind not in book
                looked += 1
    assert looked > len(tokens)
    with ClientBook(tmp_path / "set" / "clients.book", "T") as opened:
        for key, record in opened.records():
            for token in tokens.values():
                if token_key(bytes.fromhex(token)) != key:
                    with pytest.raises(InvalidTag):
                        record_cipher(bytes.fromhex(token)).decrypt(NONCE, record, key)
                    break


def damaged(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Write a changed copy in place of a file, which may be linked to the snapshot's own."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(change(data))


def test_a_damaged_store_makes_no_set(published: Snapshot, tmp_path: Path, engine: str, capsys: Say) -> None:
    place = ("prove", str(published.workspace.path), "s1", "--all", "--to", str(tmp_path / "set"))
    trees = sorted(published.trees_folder.glob("*.tree"), key=lambda path: path.stat().st_size)
    for path, at in ((trees[-1], 600), (trees[-1], -200), (published.ledger_folder / "clients.book", -100)):
        kept = path.read_bytes()
        damaged(path, lambda data, at=at: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])  # type: ignore[misc]
        assert command.run(place) != 0
        assert "damaged" in capsys.readouterr().err
        assert not (tmp_path / "set").exists() and not tokens_path(tmp_path / "set").exists()
        damaged(path, lambda _data, kept=kept: kept)  # type: ignore[misc]
    # The extract names the clients: one row more or less is another extract.
    extract = published.ledger_folder / "extract.tsv"
    lines = extract.read_bytes().splitlines(keepends=True)
    ghost = lines[-1].replace(lines[-1].split(b"\t")[2], b"zzz-ghost")
    for changed in (lines[:-1], [*lines, ghost]):
        damaged(extract, lambda _, changed=changed: b"".join(changed))  # type: ignore[misc]
        assert command.run(place) != 0
        assert "is not the extract that was imported" in capsys.readouterr().err
        assert not (tmp_path / "set").exists() and not tokens_path(tmp_path / "set").exists()


def test_a_damaged_set_never_gives_a_wrong_proof(published: Snapshot, tmp_path: Path, engine: str) -> None:
    tokens = made(published, tmp_path / "set")
    with ServingSet(tmp_path / "set") as served:
        wanted = {token: served.proof(token) for token in tokens.values()}
    book = tmp_path / "set" / "clients.book"
    tree = max((tmp_path / "set" / "trees").glob("*.tree"), key=lambda path: path.stat().st_size)
    for path, step in ((book, 397), (tree, 53)):
        data, noticed, tried = path.read_bytes(), 0, 0
        for at in range(0, len(data), step):
            damaged(path, lambda _, data=data, at=at: data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])  # type: ignore[misc]
            tried += 1
            try:
                with ServingSet(tmp_path / "set") as served:
                    told = False
                    for token, proof in wanted.items():
                        try:
                            assert served.proof(token) == proof
                        except (InputError, UsageError):
                            told = True
                    noticed += told
            except InputError:
                noticed += 1
        assert noticed > tried * 0.9
        damaged(path, lambda _, data=data: data)  # type: ignore[misc]
    whole = book.read_bytes()
    for cut in (0, 5, 127, 128, 600, -1):
        damaged(book, lambda _, cut=cut: whole[:cut])  # type: ignore[misc]
        with pytest.raises(InputError, match="damaged"):
            ServingSet(tmp_path / "set")

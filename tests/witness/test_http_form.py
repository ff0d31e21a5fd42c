"""The witness over HTTP on loopback: the statuses of C2SP tlog-witness, bounded bodies, a memory that outlives it."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra [witness] is not installed")
pytest.importorskip("uvicorn", reason="the extra [witness] is not installed")

from reserveproof.format import signed_note
from reserveproof.witness.command import run
from reserveproof.witness.http_form import ACCEPTED, AT_A_TIME, HEAD_SECONDS
from reserveproof.witness.request import MAX_REQUEST_BYTES
from witness.log_world import LEAVES, NAME, OTHERS, note, policy_file, request

SECONDS = 20


class Served:
    """A witness as a process of its own, with its state in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        given = {"--state": "state", "--policy": "policy.toml", "--key": "ed.pem"}
        files = [word for option, name in given.items() for word in (option, str(self.folder / name))]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reserveproof.witness", "serve", "--name", NAME, *files, "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.startswith("listening at http://127.0.0.1:") and line.endswith("/add-checkpoint\n")
        self.port = int(line.split(":")[2].split("/")[0])

    def stop(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.communicate(timeout=SECONDS)

    def ask(self, data: bytes, method: str = "POST", path: str = "/add-checkpoint") -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, path, body=data)
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"] or "", answer.read().decode()
        finally:
            connection.close()


@pytest.fixture
def served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Served]:
    policy_file(tmp_path)
    assert run(["key", str(tmp_path / "ed.pem")]) == 0
    assert run(["init", "--state", str(tmp_path / "state"), "--name", NAME, "--key", str(tmp_path / "ed.pem")]) == 0
    found = Served(tmp_path)
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.stop()


def test_the_statuses_of_the_specification(served: Served) -> None:
    status, kind, said = served.ask(request(0, 5))
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    assert [line.name for line in signed_note.parse(note(LEAVES[:5]) + said).signatures][1:] == [NAME]
    assert served.ask(request(0, 8)) == (409, "text/x.tlog.size", "5\n")
    assert served.ask(request(5, 5, OTHERS)) == (409, "text/x.tlog.size", "5\n")
    assert served.ask(request(5, 8, OTHERS))[0] == 422
    assert served.ask(request(5, 8, origin="other.example"))[0] == 404
    forged = request(5, 8).replace(note(LEAVES[:8]).split("\n")[2].encode(), note(OTHERS[:8]).split("\n")[2].encode())
    assert served.ask(forged)[0] == 403
    assert served.ask(request(5, 4))[0] == 400
    assert served.ask(b"")[0] == 400
    assert served.ask(request(5, 8))[0] == 200
    assert served.ask(b"", "GET")[0] == 405
    assert served.ask(request(8, 9), path="/other")[0] == 404


def test_a_large_body_is_refused_before_it_is_read(served: Served) -> None:
    assert served.ask(b"x" * (MAX_REQUEST_BYTES + 1))[0] == 400
    head = f"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 40}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", served.port), timeout=SECONDS) as line:
        line.sendall(head + b"x" * (2 * MAX_REQUEST_BYTES))
        assert line.recv(64).startswith(b"HTTP/1.1 400")
    assert served.ask(request(0, 5))[0] == 200


def test_it_remembers_when_it_was_killed(served: Served) -> None:
    assert served.ask(request(0, 5))[0] == 200
    served.stop(signal.SIGKILL)
    served.start()
    assert served.ask(request(0, 5, OTHERS)) == (409, "text/x.tlog.size", "5\n")
    assert served.ask(request(5, 8, OTHERS))[0] == 422
    assert served.ask(request(5, 8))[0] == 200


def test_its_own_trouble_is_not_told_to_senders(served: Served) -> None:
    assert served.ask(request(0, 5))[0] == 200
    next((served.folder / "state").glob("?" * 64 + ".json")).write_bytes(b"damaged")
    status, _, said = served.ask(request(5, 8))
    assert (status, said) == (500, "the witness has trouble of its own\n")


def ends(line: socket.socket) -> bool:
    """Whether the other side closed the connection without an answer."""
    try:
        return line.recv(64) == b""
    except ConnectionResetError:
        return True


def test_a_connection_without_a_head_is_closed(served: Served) -> None:
    here = ("127.0.0.1", served.port)
    with contextlib.ExitStack() as opened:
        lines = [opened.enter_context(socket.create_connection(here, timeout=SECONDS)) for _ in range(AT_A_TIME)]
        for number, line in enumerate(lines):
            if number % 2:
                line.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n")
        assert served.ask(request(0, 5))[0] == 503
        assert all(ends(line) for line in lines)
    assert served.ask(request(0, 5))[0] == 200


def test_accepted_connections_are_counted(served: Served) -> None:
    here = ("127.0.0.1", served.port)
    with contextlib.ExitStack() as opened:
        lines = [opened.enter_context(socket.create_connection(here, timeout=SECONDS)) for _ in range(ACCEPTED)]
        begun = time.monotonic()
        more = [opened.enter_context(socket.create_connection(here, timeout=SECONDS)) for _ in range(ACCEPTED)]
        assert all(ends(line) for line in more)
        assert time.monotonic() - begun < HEAD_SECONDS
        assert len(list(Path(f"/proc/{served.process.pid}/fd").iterdir())) < ACCEPTED + 32
        assert all(ends(line) for line in lines)
    assert served.ask(request(0, 5))[0] == 200


def test_a_connection_has_one_request(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=SECONDS) as line:
        line.sendall(b"GET /add-checkpoint HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        with line.makefile("rb") as answer:
            assert answer.read().count(b"HTTP/1.1 405") == 1

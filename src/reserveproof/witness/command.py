"""`reserveproof-witness`: cosign checkpoints of custodians' logs, on files or over HTTP. The witness's edge to files,
clock, terminal and network.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from ..format import limits
from ..format.errors import ReserveProofError, TransportError, UsageError
from ..verifier.files import read_file
from ..verifier.log_terms import LogTerms
from ..verifier.policy import parse_policy
from . import keys
from .add_checkpoint import Witness
from .cosigner import Cosigner, cosigner_of, lines_text
from .request import MAX_REQUEST_BYTES
from .seen import create_seen, open_seen

LOOPBACK = "127.0.0.1"
PORT = 8089


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="reserveproof-witness", description="See that custodians' logs only grow, and cosign what was seen.",
        epilog="exit status: 0 cosigned; 2 usage; 3 the log's signature or its proof does not hold; 4 malformed input; "
        "5 another checkpoint was cosigned before; 6 a file could not be read or written; 1 a fault of the witness",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    key = command("key", "make a key in a new file and print its public half")
    key.add_argument("file", metavar="FILE", type=Path, help="a new file, or with --show one that is there")
    key.add_argument("--algorithm", choices=keys.ALGORITHMS, default="ed25519", help="ed25519 (the default) or mldsa44")
    key.add_argument("--show", action="store_true", help="print the public half of a key that is there")
    for name, text in (
        ("init", "make the folder of a witness that never cosigned; it remembers there what it cosigned"),
        ("cosign", "cosign the checkpoint of a request in a file, and print the cosignatures"),
        ("serve", "answer requests over HTTP, as C2SP tlog-witness says"),
    ):
        some = command(name, text)
        some.add_argument(
            "--state", metavar="DIR", type=Path, required=True, help="the folder with what was cosigned before; private"
        )
        some.add_argument("--name", metavar="NAME", required=True, help="the witness's name, as policies pin it")
        some.add_argument(
            "--key", metavar="FILE", type=Path, required=True, action="append", help="a key of the witness"
        )
        if name == "init":
            continue
        some.add_argument("--policy", metavar="FILE", type=Path, required=True, action="append",
                          help="a trust policy that names a log to watch")  # fmt: skip
        if name == "cosign":
            some.add_argument("request", metavar="FILE", type=Path, help="from reserveproof log checkpoint --from SIZE")
        else:
            some.add_argument(
                "--host", metavar="HOST", default=LOOPBACK, help=f"where to listen; {LOOPBACK} if not given"
            )
            some.add_argument(
                "--port", metavar="PORT", type=int, default=PORT, help=f"0 takes a free one; {PORT} if not given"
            )
    command("version", "print the version")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        if options.command == "version":
            print(f"reserveproof-witness {__version__}")
        elif options.command == "key":
            _key(options)
        elif options.command == "init":
            create_seen(options.state, _cosigner(options))
            print(f"made {options.state}: never lose it, and never go back to an older copy")
        elif options.command == "cosign":
            _cosign(options)
        else:
            _serve(options)
        sys.stdout.flush()
    except ReserveProofError as error:
        _explain(error)
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    return 0


def _key(options: argparse.Namespace) -> None:
    if options.show:
        print(keys.public_text(keys.load_key(options.file)))
    else:
        print(keys.create_key(options.file, options.algorithm))


def _witness(options: argparse.Namespace) -> Witness:
    logs: dict[str, LogTerms] = {}
    for path in options.policy:
        terms = parse_policy(read_file(path, limits.MAX_TOML_BYTES, "the policy")).log
        if terms is None:
            raise UsageError(f"the policy {path} names no log", reason="no-log",
                             hint='its publication is not "log"')  # fmt: skip
        if logs.setdefault(terms.origin, terms).key != terms.key:
            raise UsageError(f"two policies have different keys for the log {terms.origin}", reason="log-key")
    cosigner = _cosigner(options)
    own = {keys.public_text(key) for key in cosigner.keys}
    for terms in logs.values():
        if str(terms.key) in own:
            raise UsageError(f"a key of the witness is the key of the log {terms.origin}", reason="key",
                             hint="a log does not vouch for itself: make a key for the witness alone")  # fmt: skip
    return Witness(cosigner, logs, open_seen(options.state, cosigner))


def _cosigner(options: argparse.Namespace) -> Cosigner:
    return cosigner_of(options.name, [keys.load_key(path) for path in options.key])


def _cosign(options: argparse.Namespace) -> None:
    witness = _witness(options)
    data = read_file(options.request, MAX_REQUEST_BYTES, "the request")
    lines = witness.add_checkpoint(data, now=int(time.time()))
    sys.stdout.flush()
    sys.stdout.buffer.write(lines_text(lines).encode("utf-8"))
    sys.stdout.buffer.flush()


def _serve(options: argparse.Namespace) -> None:
    try:
        from . import http_form
    except ModuleNotFoundError as error:
        raise UsageError(f"serving needs {error.name}, which is not installed", reason="extra",
                         hint="pip install 'reserveproof[witness]'") from None  # fmt: skip
    witness = _witness(options)
    if not 0 <= options.port <= 65535:
        raise UsageError("--port is not a port", reason="options")
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as bound:
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((options.host, options.port))
            bound.listen(128)
        except OSError as error:
            raise TransportError(f"cannot listen at {options.host}, port {options.port}: {error.strerror or error}",
                                 reason="io") from None  # fmt: skip
        host = f"[{options.host}]" if family == socket.AF_INET6 else options.host
        print(f"listening at http://{host}:{bound.getsockname()[1]}{http_form.PATH}", flush=True)
        http_form.serve(http_form.application(witness, lambda: int(time.time()), _explain), bound)


def _explain(error: ReserveProofError) -> None:
    line = error.message + (f"; expected {error.expected}" if error.expected else "")
    line += f"; found {error.found}" if error.expected and error.found else ""
    _stderr(f"reserveproof-witness: error: {line}")
    if error.hint:
        _stderr(f"hint: {error.hint}")


def _stderr(text: str) -> None:
    encoding = sys.stderr.encoding or "utf-8"
    print(
        " ".join(text.splitlines()).encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True
    )


def main() -> None:
    sys.exit(run(sys.argv[1:]))

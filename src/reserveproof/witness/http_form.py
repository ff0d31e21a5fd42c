"""The HTTP form of add-checkpoint (C2SP tlog-witness): one path, one method, one request a connection, small bodies,
short waits.

These limits bound what senders can make it hold. They do not keep it answering those who are honest when others take
all of its connections: whoever shows it to the world puts a reverse proxy with TLS, timeouts and limits for each
sender before it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..format.errors import MalformedError, ReserveProofError
from .add_checkpoint import ConflictError, Witness, http_status
from .cosigner import lines_text
from .request import MAX_REQUEST_BYTES

PATH = "/add-checkpoint"
HEAD_SECONDS = 5
"""How long a connection may take until the head of its request has arrived; then it is closed."""
BODY_SECONDS = 10
"""How long a body may take to arrive."""
AT_A_TIME = 64
"""Connections; more are answered with 503."""
ACCEPTED = 2 * AT_A_TIME
"""Connections that are held at all; more are closed without an answer."""
SIZE_TYPE = "text/x.tlog.size"


def application(witness: Witness, clock: Callable[[], int], complain: Callable[[ReserveProofError], None]) -> Starlette:
    """The application. clock: POSIX seconds. complain: is told of the witness's own trouble, which senders are not."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request)
            lines = await run_in_threadpool(lambda: witness.add_checkpoint(body, now=clock()))
        except TimeoutError:
            return PlainTextResponse("the body took too long\n", 400)
        except ConflictError as error:
            # By its header: a media type of text would be given a charset, which the specification does not have.
            return Response(f"{error.size}\n", 409, headers={"Content-Type": SIZE_TYPE})
        except ReserveProofError as error:
            status = http_status(error)
            if status == 500:
                complain(error)
                return PlainTextResponse("the witness has trouble of its own\n", status)
            return PlainTextResponse(f"{error.message}\n", status)
        return PlainTextResponse(lines_text(lines))

    return Starlette(routes=[Route(PATH, add_checkpoint, methods=["POST"])])


async def _body(request: Request) -> bytes:
    """The body, no more of which is read than is needed to refuse it. MalformedError if it is too large."""
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > MAX_REQUEST_BYTES:
            raise MalformedError(f"the request has more than {MAX_REQUEST_BYTES} bytes", reason="size")
    return bytes(found)


class BoundedProtocol(H11Protocol):
    """uvicorn's own, which waits for a head for ever and holds whatever it accepts."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= ACCEPTED:
            transport.abort()
            return
        super().connection_made(transport)
        self.loop.call_later(HEAD_SECONDS, self._close_without_head)

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self.connections:
            super().connection_lost(exc)

    def _close_without_head(self) -> None:
        if self.cycle is None:
            self.transport.abort()


def serve(app: Starlette, bound: socket.socket) -> None:
    """Answer on a socket until the process is told to stop."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, limit_concurrency=AT_A_TIME, timeout_keep_alive=5,
        timeout_graceful_shutdown=5, lifespan="off", ws="none", server_header=False, http=BoundedProtocol,
        # Every head has its connection, and so its time.
        headers=[("Connection", "close")],
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[bound])

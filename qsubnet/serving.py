"""Serve an ASGI application on a socket that is bound before anybody hears of it.

Port 0 picks a free port. SIGTERM and SIGINT end the server gracefully: what `drain` does comes
first, while requests are still answered; then it stops listening, answers what it has begun, and
returns, so that the caller closes the rest and exits with 0. A second signal ends the draining at
once, and one that comes later still changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import uvicorn

from qsubnet.errors import ConfigurationError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_GRACE_S = 5


def bind(host: str, port: int) -> socket.socket:
    """Bind a listening socket.

    Raises:
        ConfigurationError: The address cannot be bound.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    listener.listen(256)
    return listener


def url_of(listener: socket.socket) -> str:
    """Give the base URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(
    app: ASGIApp, listener: socket.socket, *, drain: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Serve until a signal.

    Signals reach it in the main thread only; elsewhere, cancel it.

    Args:
        app: Answers.
        listener: Bound already.
        drain: Run after the first signal, before the server stops listening.
    """
    server = _Server(_config(app))
    end = _End(server, drain)
    if threading.current_thread() is threading.main_thread():
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # They take the place of any that were there, and stay: closing is not cut short.
            loop.add_signal_handler(number, end.hear)
    try:
        await server.serve(sockets=[listener])
    finally:
        await end.close()


async def serve_beside(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until cancelled, whatever signals come; for a port beside the main one."""
    server = _Server(_config(app))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(task)
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_S,
        server_header=False,
    )


class _Server(uvicorn.Server):
    """Leaves signals to `serve`; uvicorn would raise them again before anything is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class _End:
    """What a signal begins: draining, then the end of the server."""

    def __init__(self, server: uvicorn.Server, drain: Callable[[], Awaitable[None]] | None) -> None:
        self._server = server
        self._drain = drain
        self._draining: asyncio.Task[None] | None = None

    def hear(self) -> None:
        """Take a signal."""
        if self._drain is None or self._draining is not None:
            self._server.should_exit = True
        else:
            self._draining = asyncio.create_task(self._drain_first(self._drain))

    async def close(self) -> None:
        """Give up draining, if that still goes on."""
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.gather(self._draining, return_exceptions=True)

    async def _drain_first(self, drain: Callable[[], Awaitable[None]]) -> None:
        try:
            await drain()
        finally:
            self._server.should_exit = True


@contextlib.asynccontextmanager
async def background(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run endless works beside the body; a work that fails ends the body with its error."""
    tasks = [asyncio.create_task(work) for work in works]
    body = asyncio.current_task()
    failures: list[BaseException] = []
    ended = False

    def notice(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not ended and body is not None:
            failures.append(error)
            body.cancel()

    for task in tasks:
        task.add_done_callback(notice)
    try:
        yield
    except asyncio.CancelledError:
        if failures and body is not None and body.uncancel() == 0:
            raise failures[0] from None
        raise
    finally:
        ended = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""Serve an ASGI application on a socket that is bound before anybody hears of it.

Port 0 picks a free port. SIGTERM and SIGINT end the server gracefully: it stops listening, answers
what it has begun, and returns, so that the caller closes the rest and exits with 0. A second SIGINT
does not wait for what has begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
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


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until a signal."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_S,
        server_header=False,
    )
    await _Server(config).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends by a signal and returns; uvicorn would raise it again before anything is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let signals end the server inside the block; they are restored after it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        wanted = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


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

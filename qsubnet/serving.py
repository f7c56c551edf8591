"""Serve an ASGI application on a socket that is bound before anybody hears of it.

Port 0 picks a free port. SIGTERM and SIGINT end the server gracefully: it stops listening, answers
what it has begun, and returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Coroutine
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
    await uvicorn.Server(config).serve(sockets=[listener])


@contextlib.asynccontextmanager
async def background(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run endless works beside the body; a work that fails ends the body with its error."""
    tasks = [asyncio.create_task(work) for work in works]
    body = asyncio.current_task()

    def fail(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() and body:
            body.cancel()

    for task in tasks:
        task.add_done_callback(fail)
    try:
        yield
    except asyncio.CancelledError:
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error from None
        raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

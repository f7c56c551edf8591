"""Signals at the border: SIGTERM ends a command as Ctrl-C does, and a closed stdin can, too."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """Run `work`; SIGTERM or SIGINT cancels it, and it gets the time to clean up.

    Raises:
        KeyboardInterrupt: A signal came.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    came = False

    def stop() -> None:
        nonlocal came
        came = True
        task.cancel()

    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if came:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def end_when_stdin_closes() -> None:
    """Send ourselves SIGTERM once stdin closes: a service ends with the process that started it."""

    def watch() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="stdin", daemon=True).start()

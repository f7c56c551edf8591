"""Serving: bound before it is announced, ended by a signal, and not without its works."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest

from qsubnet.errors import ConfigurationError
from qsubnet.serving import background, bind, url_of

_DRAINED = """
import asyncio, sys
from qsubnet.cli.signals import interruptible
from qsubnet.serving import bind, serve, serve_beside, url_of, background

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})

async def drain():
    print("draining", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print("drained", flush=True)

async def main():
    listener, side = bind("127.0.0.1", 0), bind("127.0.0.1", 0)
    print(url_of(listener), flush=True)
    print(url_of(side), flush=True)
    async with background(serve_beside(app, side)):
        await serve(app, listener, drain=drain)
    side.close()
    print("closed", flush=True)

asyncio.run(interruptible(main()))
"""

_SERVER = """
import asyncio, sys
from qsubnet.serving import bind, serve, url_of, background

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    print("begun", flush=True)
    await asyncio.sleep(0.3)
    await send({"type": "http.response.body", "body": b"whole"})

async def endless():
    try:
        await asyncio.Event().wait()
    finally:
        print("closed", flush=True)

async def main():
    listener = bind("127.0.0.1", 0)
    print(url_of(listener), flush=True)
    async with background(endless()):
        await serve(app, listener)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_begun_requests_end_and_closes_everything(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()

        async def ask() -> str:
            async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
                asked = asyncio.create_task(http.get(url))
                assert process.stdout is not None
                begun = await asyncio.to_thread(process.stdout.readline)
                assert begun == "begun\n"
                process.send_signal(number)
                return (await asked).text

        assert asyncio.run(ask()) == "whole"
        rest, _ = process.communicate(timeout=20)
        assert (rest, process.returncode) == ("closed\n", 0)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("twice", [False, True])
def test_requests_are_answered_while_it_drains_and_a_second_signal_ends_that(twice: bool) -> None:  # noqa: FBT001 - pytest's parameter
    process = subprocess.Popen(
        [sys.executable, "-c", _DRAINED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        urls = [process.stdout.readline().strip() for _ in range(2)]

        def both() -> list[str]:
            return [httpx.get(url, trust_env=False, timeout=20).text for url in urls]

        assert both() == ["here", "here"]
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "draining\n"
        assert both() == ["here", "here"]
        if twice:
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == "closed\n"
        rest, _ = process.communicate("go on\n", timeout=20)
        assert (rest, process.returncode) == ("" if twice else "drained\nclosed\n", 0)
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_is_refused_with_its_address() -> None:
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    try:
        assert url_of(listener) == f"http://127.0.0.1:{port}"
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
            bind("127.0.0.1", port)
    finally:
        listener.close()


async def _forever() -> None:
    await asyncio.Event().wait()


async def _fails() -> None:
    raise ZeroDivisionError("a work that fails")


def test_a_work_that_fails_ends_the_body_with_its_error(tools: Any) -> None:
    async def story() -> None:
        with pytest.raises(ZeroDivisionError):
            async with background(_forever(), _fails()):
                await _forever()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0  # so that timeouts around it still work
        async with asyncio.timeout(5):
            await asyncio.sleep(0)

    tools.run(story())


def test_works_end_with_the_body_and_a_late_failure_cancels_nobody(tools: Any) -> None:
    ended = []

    async def sore_loser() -> None:
        try:
            await _forever()
        finally:
            ended.append("work")
            raise ZeroDivisionError

    async def story() -> None:
        async with background(sore_loser()):
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        ended.append("body")

    tools.run(story())
    assert ended == ["work", "body"]


def test_a_cancelled_body_stays_cancelled(tools: Any) -> None:
    async def story() -> None:
        async def body() -> None:
            async with background(_forever()):
                await _forever()

        task = asyncio.create_task(body())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    tools.run(story())

"""The client for asyncio; see `qsubnet.client.sync.Client` for what each method promises."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

import httpx

from qsubnet.client import core, transport
from qsubnet.client.connection import Connection
from qsubnet.wire.research import DeviceView, Format, HealthView, JobList, JobView, ResultView

T = TypeVar("T")


class AsyncClient:
    """Asks one gateway, as coroutines.

    Args:
        gateway: Base URL.
        api_key: Bearer key.
        http_transport: Carries requests in place of the network, for tests and embedding.
        sleep: Waits so many seconds.
        clock: Seconds that only grow.

    Raises:
        ConfigurationError: The URL or the key cannot be one.
    """

    def __init__(
        self,
        gateway: str,
        api_key: str,
        *,
        http_transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connection = Connection(gateway, api_key)
        self._http = httpx.AsyncClient(
            headers=transport.headers(self.connection),
            timeout=transport.TIMEOUT_S,
            transport=http_transport,
            trust_env=False,
        )
        self._sleep = sleep
        self._clock = clock

    async def devices(self) -> list[DeviceView]:
        """List every device that the gateway knows of."""
        return await self._drive(core.devices())

    async def health(self) -> HealthView:
        """Ask whether the gateway serves."""
        return await self._drive(core.health())

    async def submit(
        self,
        program: str | Sequence[str],
        *,
        shots: int,
        device: str | None = None,
        format: Format = "auto",  # noqa: A002 - the word of the interface
        memory: bool = False,
        optimization: int | None = None,
        idempotency_key: str | None = None,
    ) -> JobView:
        """Submit without waiting for the result."""
        return await self._drive(
            core.submit(
                program,
                shots=shots,
                device=device,
                format=format,
                memory=memory,
                optimization=optimization,
                idempotency_key=idempotency_key,
            )
        )

    async def job(self, job_id: str) -> JobView:
        """Ask where a job stands."""
        return await self._drive(core.job(job_id))

    async def jobs(self, *, limit: int = 50, after: str | None = None) -> JobList:
        """List a page of your jobs, newest first."""
        return await self._drive(core.jobs(limit=limit, after=after))

    async def result(
        self, job_id: str, *, wait: bool = True, timeout_s: float = 600.0
    ) -> ResultView:
        """Fetch a result, waiting for it unless told not to."""
        return await self._drive(
            core.result(job_id, wait=wait, timeout_s=timeout_s, clock=self._clock)
        )

    async def run(
        self,
        program: str | Sequence[str],
        *,
        shots: int,
        device: str | None = None,
        format: Format = "auto",  # noqa: A002 - the word of the interface
        memory: bool = False,
        optimization: int | None = None,
        timeout_s: float = 600.0,
    ) -> ResultView:
        """Submit and wait for the result."""
        return await self._drive(
            core.run(
                program,
                shots=shots,
                device=device,
                format=format,
                memory=memory,
                optimization=optimization,
                timeout_s=timeout_s,
                clock=self._clock,
            )
        )

    async def cancel(self, job_id: str) -> JobView:
        """Cancel a job; one that has ended stays as it is."""
        return await self._drive(core.cancel(job_id))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Use the client in a block that closes it."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def _drive(self, steps: core.Steps[T]) -> T:
        """Do what the steps ask for until they return."""
        reply: core.Reply | None = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            if isinstance(step, core.Pause):
                await self._sleep(step.seconds)
                reply = None
            else:
                reply = await self._exchange(step)

    async def _exchange(self, ask: core.Ask) -> core.Reply:
        request = transport.request_of(self._http, self.connection, ask)
        try:
            response = await self._http.send(request, stream=True)
            try:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    transport.gather(body, chunk)
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            return transport.lost(error)
        return transport.reply_of(response, bytes(body))

"""The client for scripts and notebooks: blocking methods over the same steps as `AsyncClient`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

import httpx

from qsubnet.client import core, transport
from qsubnet.client.connection import Connection
from qsubnet.wire.research import DeviceView, Format, HealthView, JobList, JobView, ResultView

T = TypeVar("T")


class Client:
    """Asks one gateway.

    Every method raises `QsubnetError` only: `BadInput` (mend the call), `ConfigurationError` (the
    key or address), `NotFound`, `JobFailed`, `Unreachable` (retry later; `StillRunning` is one).

    Args:
        gateway: Base URL, such as `http://127.0.0.1:8080`.
        api_key: Bearer key.
        http_transport: Carries requests in place of the network, for tests and embedding.
        sleep: Waits so many seconds.
        clock: Seconds that only grow.

    Raises:
        ConfigurationError: The URL or the key cannot be one.

    Example:
        >>> client = Client("http://127.0.0.1:9", "key", sleep=lambda seconds: None)
        >>> client.job("job-0")
        Traceback (most recent call last):
        ...
        qsubnet.errors.Unreachable: the gateway does not answer GET /v1/jobs/job-0: ...
        >>> client.close()
    """

    def __init__(
        self,
        gateway: str,
        api_key: str,
        *,
        http_transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connection = Connection(gateway, api_key)
        self._http = httpx.Client(
            headers=transport.headers(self.connection),
            timeout=transport.TIMEOUT_S,
            transport=http_transport,
            trust_env=False,
        )
        self._sleep = sleep
        self._clock = clock

    def devices(self) -> list[DeviceView]:
        """List every device that the gateway knows of."""
        return self._drive(core.devices())

    def health(self) -> HealthView:
        """Ask whether the gateway serves."""
        return self._drive(core.health())

    def submit(
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
        """Submit without waiting for the result.

        Args:
            program: OpenQASM 2 or 3, or a list of texts that run as one job.
            shots: Of each program.
            device: `name` or `hotkey/name`; None lets the gateway choose.
            format: The language, where a text has no version line.
            memory: Keep the shots in order.
            optimization: How hard the gateway compiles, 0 (only placed and translated) to 3; None:
                as hard as suits the device.
            idempotency_key: Names this submission, so that a second call is the same job. Made
                up anew for every call unless given.
        """
        return self._drive(
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

    def job(self, job_id: str) -> JobView:
        """Ask where a job stands."""
        return self._drive(core.job(job_id))

    def jobs(self, *, limit: int = 50, after: str | None = None) -> JobList:
        """List a page of your jobs, newest first; `after` is the last page's `next`."""
        return self._drive(core.jobs(limit=limit, after=after))

    def result(self, job_id: str, *, wait: bool = True, timeout_s: float = 600.0) -> ResultView:
        """Fetch a result, waiting for it unless told not to.

        Raises:
            StillRunning: It has not ended (in time). The job goes on; ask again.
            JobFailed: It failed or was cancelled.
        """
        return self._drive(core.result(job_id, wait=wait, timeout_s=timeout_s, clock=self._clock))

    def run(
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
        """Submit and wait for the result; see `submit` and `result`."""
        return self._drive(
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

    def cancel(self, job_id: str) -> JobView:
        """Cancel a job; one that has ended stays as it is."""
        return self._drive(core.cancel(job_id))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """Use the client in a block that closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def _drive(self, steps: core.Steps[T]) -> T:
        """Do what the steps ask for until they return."""
        reply: core.Reply | None = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            if isinstance(step, core.Pause):
                self._sleep(step.seconds)
                reply = None
            else:
                reply = self._exchange(step)

    def _exchange(self, ask: core.Ask) -> core.Reply:
        request = transport.request_of(self._http, self.connection, ask)
        try:
            response = self._http.send(request, stream=True)
            try:
                body = bytearray()
                for chunk in response.iter_bytes():
                    transport.gather(body, chunk)
            finally:
                response.close()
        except httpx.TransportError as error:
            return transport.lost(error)
        return transport.reply_of(response, bytes(body))

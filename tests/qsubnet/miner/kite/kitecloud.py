"""An adapter of an invented cloud (`kite_service.py`), installed as an outsider's package would be.

It is careless on purpose: its errors and records repeat the request with its key, as SDKs do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

from circuits.counts import Counts
from circuits.topology import complete
from providers.base import Device, DeviceClass, JobState, ProgramResult, ResultKind
from providers.errors import OutcomeUnknown, Rejected, RetryLater, UnknownHandle
from providers.options import Options
from providers.remote import RemoteProvider
from providers.vendor import Standing, Task, TaskResult

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Context, Cost, Json, Provider


def create(options: Mapping[str, Json], context: Context) -> Provider:
    """Make the adapter; the option `url` says where the cloud is."""
    given = Options("kitecloud", options)
    url = given.text("url", "")
    given.done()
    vendor = Kite(url, os.environ.get("KITE_API_KEY", "no-key"))
    if url == "wrong":
        raise Rejected(f"no cloud at {url!r}, tried with {vendor.headers}")
    if url == "broken":
        raise ValueError(f"no address {url!r} for {vendor.headers}")
    return RemoteProvider(vendor, context=context)


class Kite:
    """Speaks to the cloud."""

    name = "kitecloud"
    programs_per_task = 8

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self.headers = {"Authorization": f"apiKey {key}", "X-Kite-Key": key}

    async def devices(self) -> tuple[Device, ...]:
        topology = complete(2, ("cx", "u"))
        return (Device("kite", DeviceClass.SIMULATOR, topology, None, self.name),)

    def admit(self, device: Device, program: Program) -> None:
        return None

    async def send(self, task: Task) -> str:
        body = {"token": task.token, "programs": [p.text for p in task.programs]}
        found = await self._call("POST", "/jobs", {**body, "shots": task.shots})
        return str(found["id"])

    async def lookup(self, task: Task) -> str | None:
        found = await self._call("GET", f"/jobs?token={task.token}")
        return str(found["id"]) if found["id"] else None

    async def standing(self, task: Task, task_id: str) -> Standing:
        found = await self._call("GET", f"/jobs/{task_id}")
        return Standing(JobState(str(found["state"])), str(found["detail"]))

    async def fetch(self, task: Task, task_id: str) -> TaskResult:
        record = await self._call("GET", f"/jobs/{task_id}")
        results = tuple(
            ProgramResult(Counts(p.num_bits, {"0" * p.num_bits: task.shots}), ResultKind.COUNTS)
            for p in task.programs
        )
        return TaskResult(results, {**record, "request": {"headers": dict(self.headers)}})

    async def stop(self, task: Task, task_id: str) -> None:
        await self._call("POST", f"/jobs/{task_id}/cancel")

    async def calibration(self, device: str) -> Mapping[str, Json]:
        return {}

    async def cost(self, task: Task) -> Cost | None:
        return None

    async def _call(self, method: str, path: str, body: object = None) -> dict[str, Json]:
        async with httpx.AsyncClient(trust_env=False, timeout=30, headers=self.headers) as http:
            try:
                answer = await http.request(method, self._url + path, json=body)
            except httpx.ConnectError as error:
                raise RetryLater(f"{method} {path} {self.headers}: {error}") from error
            except httpx.TransportError as error:
                raise OutcomeUnknown(f"{method} {path} {self.headers}: {error}") from error
        if answer.status_code == 404:
            raise UnknownHandle(f"no such job: {path}")
        if answer.status_code >= 500:
            raise ValueError(f"{answer.text} for {self.headers}")  # an adapter's bug
        if answer.status_code == 429:
            raise RetryLater(f"429 for {self.headers}")
        if answer.status_code >= 400:
            raise Rejected(f"{answer.status_code} {answer.text} for {method} {self.headers}")
        found: dict[str, Json] = answer.json()
        return found

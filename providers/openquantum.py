"""A device behind Open Quantum, or behind any host that speaks its wire.

A job takes four calls before it costs anything (a place to upload to, the upload, a preparation,
its quote) and one that starts it. Our token is the job's name, by which a job whose answer was lost
is found among the organization's newest ones. The plan is `private` unless told otherwise: the
platform's cheapest one makes circuits and results public. Missing shots are never made up.

Its SDK is not used: it cuts gate definitions out of programs, waits without end, and takes the
cheapest plan and the first organization where nothing is said.

Blind spots: a job in doubt that is older than the newest `lookup_jobs` stays in doubt, and is not
sent again, until that option is raised; the platform promises nowhere to run a circuit as it
stands.
Source: openquantum-sdk 1.0.0 (`clients`, `models`, `enums`).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from providers.base import Cost, DeviceClass, JobState, ProgramResult, ResultKind
from providers.errors import AdapterFault, JobFailed, Rejected, RetryLater
from providers.openquantum_access import Access, found
from providers.openquantum_answers import PLANS, PRIORITIES, chosen, counts_of, hostly
from providers.openquantum_classes import (
    check,
    device_of,
    features,
    least_shots,
    openqasm3,
    spelling,
)
from providers.options import Options
from providers.remote import RemoteProvider
from providers.rest import Answer, SecretUrl, amount, entries, item, text
from providers.rest_jobs import beyond, created_id, in_doubt, path_step, placed
from providers.state_words import translated
from providers.vendor import Standing, Task, TaskResult

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Context, Device, Json

_PAGE = 100
_LOOKS = 300


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options say.

    Attributes:
        backend: The class's short code or id.
        device: Our name for it.
        organization: Who pays; '' where the key has one organization only.
        subcategory: The platform wants one of every job.
        plan: `private` or `public`.
        priority: `standard`, `priority` or `instant`.
        max_credits: A job that is quoted more is not started.
        poll_s: Between two looks at a preparation.
        lookup_jobs: How many of the newest jobs are looked through for a lost one.
        fee: In rao per shot.
    """

    backend: str
    device: str
    organization: str
    subcategory: str
    plan: str
    priority: str
    max_credits: int
    poll_s: float
    lookup_jobs: int
    fee: int


def create(options: Mapping[str, Json], context: Context) -> RemoteProvider:
    """Make the provider of one backend class.

    Args:
        options: `backend` (its short code, such as "iqm:garnet"; needed), `device` (ours, the
            short code with '-' for ':'), `organization_id` (OPENQUANTUM_ORGANIZATION_ID, or the
            only one there is), `subcategory` ("phys:oth"), `plan` ("private" or "public"),
            `priority` ("standard", "priority" or "instant"), `max_credits` (of one job, 10^9),
            `poll_s` (2), `lookup_jobs` (1000), `timeout_s` (30) and `fee_rao_per_shot` (0).
        context: Where the journal lies.

    Raises:
        Rejected: An option is unknown, wrong or missing, or there are no credentials.
    """
    read = Options("openquantum", options)
    backend = read.text("backend", "")
    settings = Settings(
        backend=backend,
        device=read.text("device", backend.lower().replace(":", "-")),
        organization=read.text(
            "organization_id", os.environ.get("OPENQUANTUM_ORGANIZATION_ID", "").strip()
        ),
        subcategory=read.text("subcategory", "phys:oth"),
        plan=read.word("plan", "private", PLANS),
        priority=read.word("priority", "standard", PRIORITIES),
        max_credits=read.whole("max_credits", 10**9, low=0, high=10**9),
        poll_s=read.real("poll_s", 2.0, low=0.0, high=60.0),
        lookup_jobs=read.whole("lookup_jobs", 1_000, low=1, high=100_000),
        fee=read.whole("fee_rao_per_shot", 0, low=0, high=10**12),
    )
    timeout_s = read.real("timeout_s", 30.0, low=0.01, high=600.0)
    read.done()
    if not backend:
        raise Rejected("openquantum needs the option 'backend': a short code, such as iqm:garnet")
    return RemoteProvider(OpenQuantum(settings, found(timeout_s)), context=context)


class OpenQuantum:
    """Open Quantum's half of the provider boundary: see `providers.vendor.Vendor`."""

    def __init__(self, settings: Settings, access: Access) -> None:
        self._settings = settings
        self._access = access
        self._jobs = f"{access.scheduler}/v1/jobs"
        self._record: Json = None
        self._device: Device | None = None
        self._organization = settings.organization

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        return "openquantum"

    @property
    def programs_per_task(self) -> int:
        """One: an upload holds one circuit."""
        return 1

    async def devices(self) -> tuple[Device, ...]:
        """Describe the class as it is now."""
        code = quote(self._settings.backend, safe=":")
        url = f"{self._access.scheduler}/v1/backends/classes/{code}"
        self._record = (await self._access.call("GET", url)).json("openquantum")
        fee = self._settings.fee
        self._device = device_of(self._record, name=self._settings.device, fee=fee)
        return (self._device,)

    def admit(self, device: Device, program: Program) -> None:
        """Refuse what the class's document does not allow."""
        machine = device.device_class is DeviceClass.QPU
        check(program, machine=machine, can=features(self._record))

    async def send(self, task: Task) -> str:
        """Upload, prepare, choose from the quote, and start."""
        preparation, quoted = await self._prepared(task)
        plan, priority, price = self._chosen(quoted)
        if price > self._settings.max_credits:
            raise Rejected(
                f"openquantum asks {amount(price)} credits, the option max_credits allows "
                f"{self._settings.max_credits}"
            )
        body: dict[str, Json] = {
            "job_preparation_id": preparation,
            "execution_plan_id": plan,
            "queue_priority_id": priority,
        }
        answer = await self._access.call("POST", self._jobs, body=body, starts=True)
        return created_id(answer, vendor="openquantum")

    async def lookup(self, task: Task) -> str | None:
        """Look through the organization's newest jobs for the one of our name."""
        with in_doubt("openquantum"):
            return await self._sought(_name(task))

    async def standing(self, task: Task, task_id: str) -> Standing:  # noqa: ARG002 - the protocol's
        """Read the job's status and message."""
        return self._standing(await self._job(task_id))

    async def fetch(self, task: Task, task_id: str) -> TaskResult:
        """Read the job, its counts and, where there is one, its calibration snapshot."""
        job = await self._job(task_id)
        standing = self._standing(job)
        if standing.state is not JobState.COMPLETED:
            raise JobFailed(standing.detail or f"openquantum: the job is {standing.state}")
        answer = await self._download(text(job, "output_data_url", vendor="openquantum"))
        where = job.get("calibration_data_url") if isinstance(job, dict) else None
        snapshot: Json = None
        if isinstance(where, str) and where:
            snapshot = (await self._download(where)).json("openquantum")
        raw: Json = {"sha256": hashlib.sha256(answer.content).hexdigest()}
        counts = counts_of(answer.json("openquantum"), task.programs[0])
        record = {"job": hostly(job), "calibration": snapshot, "result": raw}
        return TaskResult((ProgramResult(counts, ResultKind.COUNTS),), record)

    async def stop(self, task: Task, task_id: str) -> None:  # noqa: ARG002 - the protocol's
        """Cancel; 409 says that it is too late."""
        await self._access.call(
            "DELETE", f"{self._jobs}/{path_step(task_id, vendor=self.name)}", known=(409,)
        )

    async def calibration(self, device: str) -> Mapping[str, Json]:  # noqa: ARG002 - one device
        """Give the class's document; a snapshot with its time comes with each result."""
        await self.devices()
        return self._record if isinstance(self._record, dict) else {}

    async def cost(self, task: Task) -> Cost | None:
        """Prepare the job, which is how the platform quotes, and start nothing."""
        _, quoted = await self._prepared(task)
        return Cost(amount(self._chosen(quoted)[2]), "CREDITS")

    async def _sought(self, name: str) -> str | None:
        """Find the job of a name; None only where the list has come to its end."""
        organization = quote(await self._payer(), safe="")
        url = f"{self._access.scheduler}/v1/organizations/{organization}/jobs"
        query = {"limit": str(_PAGE)}
        seen = 0
        while seen < self._settings.lookup_jobs:
            page = (await self._access.call("GET", url, query=query)).json("openquantum")
            jobs = entries(item(page, "jobs", vendor="openquantum"), vendor="openquantum")
            for job in jobs:
                if isinstance(job, dict) and job.get("name") == name:
                    return text(job, "id", vendor="openquantum")
            pages = page.get("pagination") if isinstance(page, dict) else None
            if not isinstance(pages, dict) or not pages.get("next_cursor"):
                return None
            query["cursor"] = text(pages, "next_cursor", vendor="openquantum")
            seen += max(1, len(jobs))
        raise beyond("openquantum", lookup_jobs=self._settings.lookup_jobs)

    async def _prepared(self, task: Task) -> tuple[str, Json]:
        """Upload and prepare a program: (preparation id, quote)."""
        if self._device is None:  # a fresh process goes on with what an old one had in hand
            await self.devices()
        least = least_shots(self._record)
        if task.shots < least:
            raise Rejected(
                f"{self._settings.backend} takes at least {least} shots, got {task.shots}"
            )
        place = (await self._access.call("POST", f"{self._jobs}/upload")).json("openquantum")
        url = SecretUrl(self._trusted(text(place, "url", vendor="openquantum")))
        await self._access.rest.call("PUT", url, content=self._text(task).encode())
        configuration: Json = {"shots": task.shots}
        body: dict[str, Json] = {
            "organization_id": await self._payer(),
            "backend_class_id": self._settings.backend,
            "name": _name(task),
            "upload_endpoint_id": text(place, "id", vendor="openquantum"),
            "job_subcategory_id": self._settings.subcategory,
            "shots": task.shots,
            "configuration_data": configuration,
            "submitted_with": "sdk",
            "input_format": "qasm",
        }
        answer = await self._access.call("POST", f"{self._jobs}/prepare", body=body)
        preparation = text(answer.json("openquantum"), "id", vendor="openquantum")
        return preparation, await self._quoted(preparation)

    async def _quoted(self, preparation: str) -> Json:
        """Wait for a preparation's quote."""
        url = f"{self._jobs}/prepare/{quote(preparation, safe='')}"
        for _ in range(_LOOKS):
            answer = await self._access.call("GET", url, known=(404,))  # 404: not visible yet
            if answer.status != 404:
                told = answer.json("openquantum")
                status = text(told, "status", vendor="openquantum")
                if status == "Completed":
                    return item(told, "quote", vendor="openquantum")
                if status == "Failed":
                    message = told.get("message") if isinstance(told, dict) else None
                    raise Rejected(f"openquantum did not prepare it: {str(message)[:400]}")
            await asyncio.sleep(self._settings.poll_s)
        raise RetryLater("openquantum has not prepared the job yet, and nothing was started")

    def _chosen(self, quoted: Json) -> tuple[str, str, float]:
        return chosen(quoted, plan=self._settings.plan, priority=self._settings.priority)

    async def _payer(self) -> str:
        """The organization that pays; never a guess among several."""
        if not self._organization:
            url = f"{self._access.management}/v1/users/organizations"
            answer = (await self._access.call("GET", url)).json("openquantum")
            listed = entries(item(answer, "organizations", vendor="openquantum"), vendor=self.name)
            names = [text(one, "id", vendor="openquantum") for one in listed]
            if len(names) != 1:
                raise Rejected(f"name the organization that pays (organization_id): {names}")
            self._organization = names[0]
        return self._organization

    def _text(self, task: Task) -> str:
        device = self._device
        if device is None:
            raise AdapterFault("openquantum: a task came before its device was described")
        program = placed(task)
        machine = device.device_class is DeviceClass.QPU
        return openqasm3(
            program,
            width=device.topology.num_qubits if machine else program.num_qubits,
            words=spelling(self._record) if machine else {},
            barriers="barriers" in features(self._record) or not machine,
        )

    def _standing(self, job: Json) -> Standing:
        state = translated("openquantum", text(job, "status", vendor="openquantum"))
        message = job.get("message") if isinstance(job, dict) else None
        detail = self._access.rest.hidden(str(message))[:500] if message else ""
        return Standing(state, detail)

    def _trusted(self, url: str) -> str:
        """Refuse an address that is less safe than the platform itself."""
        if urlsplit(url).scheme != urlsplit(self._access.scheduler).scheme:
            raise AdapterFault("openquantum gave an address that is not as safe as itself")
        return url

    async def _download(self, url: str) -> Answer:
        return await self._access.rest.call("GET", SecretUrl(self._trusted(url)))

    async def _job(self, task_id: str) -> Json:
        url = f"{self._jobs}/{path_step(task_id, vendor=self.name)}"
        return (await self._access.call("GET", url)).json("openquantum")


def _name(task: Task) -> str:
    return f"qsubnet {task.token}"

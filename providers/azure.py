"""Machines and simulators behind Azure Quantum, over its REST interface.

The job's id at Azure is made of our token, so that a second request for the same job meets the
first one (a 409, which counts only where Azure then has a job of that id), and a job whose answer
was lost is found by asking for its id. The program goes into the
workspace's own storage, and the result is read from there, by addresses that Azure signs for each
use; those signatures are kept nowhere.

Azure publishes no error rates: what a machine claims comes from a sheet that the miner names.

Blind spots: a maker's own compiler is told to leave the circuit alone (`providers.azure_formats`),
which Azure passes on without a promise. Quantinuum moves its ions, so that q[j] is no fixed ion.
Source: azure-quantum 3.13.0 (`_client`, `job`, `workspace`, `storage`), API 2026-01-15-preview.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from circuits.draws import Draws
from circuits.topology import complete
from providers.azure_access import Door, found
from providers.azure_addresses import bare, beside, blob_name, unsigned
from providers.azure_formats import IONQ_SIMULATOR, Format, format_of
from providers.base import Device, DeviceClass, JobState
from providers.errors import AdapterFault, JobFailed, OutcomeUnknown, Rejected, UnknownHandle
from providers.options import Options
from providers.remote import RemoteProvider
from providers.rest import entries, item, text
from providers.rest_jobs import created_id, in_doubt, path_step, placed
from providers.sheet import device_from_sheet, read_sheet
from providers.state_words import translated
from providers.vendor import Standing, Task, TaskResult

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Context, Cost, Json, ProgramResult
    from providers.rest import Answer

_SIMULATOR_QUBITS = 29
_MACHINE_SHOTS = 10_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options say.

    Attributes:
        target: Azure's name.
        device: Ours.
        sheet: The claim's content; None for the exact simulator.
        num_qubits: Width of the exact simulator.
        fee: In rao per shot.
    """

    target: str
    device: str
    sheet: Json
    num_qubits: int
    fee: int


def create(options: Mapping[str, Json], context: Context) -> RemoteProvider:
    """Make the provider of one Azure target.

    Args:
        options: `target` (Azure's name, "ionq.simulator"), `device` (ours, the same unless told),
            `sheet` (the file with the claim, see `providers.sheet`; all but ionq.simulator need
            one), `num_qubits` (of ionq.simulator, 29), `resource_id` and `location` of the
            workspace (or Azure's own environment variables), `endpoint` (made of the location),
            `timeout_s` (30) and `fee_rao_per_shot` (0).
        context: Where the journal lies and the simulator's seeds come from.

    Raises:
        Rejected: An option is unknown or wrong, the target is none that can be run as it stands,
            or workspace or credentials are missing.
    """
    read = Options("azure", options)
    target = read.text("target", IONQ_SIMULATOR)
    path = read.text("sheet", "")
    settings = Settings(
        target=target,
        device=read.text("device", target),
        sheet=read_sheet(path) if path else None,
        num_qubits=read.whole("num_qubits", _SIMULATOR_QUBITS, low=1, high=_SIMULATOR_QUBITS),
        fee=read.whole("fee_rao_per_shot", 0, low=0, high=10**12),
    )
    timeout_s = read.real("timeout_s", 30.0, low=0.01, high=600.0)
    resource_id, location = read.text("resource_id", ""), read.text("location", "")
    endpoint = read.text("endpoint", "")
    read.done()
    form = format_of(target)
    device = _device(settings, form)
    door = found(resource_id=resource_id, location=location, endpoint=endpoint, timeout_s=timeout_s)
    return RemoteProvider(Azure(settings, form, device, door, context), context=context)


class Azure:
    """Azure's half of the provider boundary: see `providers.vendor.Vendor`."""

    def __init__(
        self, settings: Settings, form: Format, device: Device, door: Door, context: Context
    ) -> None:
        self._settings = settings
        self._format = form
        self._device = device
        self._door = door
        self._context = context

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        return "azure"

    @property
    def programs_per_task(self) -> int:
        """One: the formats hold one circuit."""
        return 1

    async def devices(self) -> tuple[Device, ...]:
        """Describe the target, once the workspace has it."""
        await self._target()
        return (self._device,)

    def admit(self, device: Device, program: Program) -> None:  # noqa: ARG002 - one device
        """Refuse what the target's format cannot say."""
        self._format.check(program)

    async def send(self, task: Task) -> str:
        """Upload the program, then create the job under its own id."""
        job_id = self._job_id(task)
        container = await self._signed(job_id, "")
        where = beside(container, "inputData")
        program = self._format.write(placed(task))
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": self._format.kind}
        await self._door.rest.call("PUT", where, headers=headers, content=program)
        body = self._body(task, job_id, container)
        answer = await self._door.call(
            "PUT", f"jobs/{job_id}", body=body, starts=True, known=(409,)
        )
        await self._confirm(task, answer)
        return job_id

    async def lookup(self, task: Task) -> str | None:
        """Ask for the id that the job has if it exists."""
        job_id = self._job_id(task)
        with in_doubt("azure"):
            try:
                found = text(await self._job(job_id), "id", vendor="azure")
            except UnknownHandle:
                return None
            _agree(found, job_id)
        return job_id

    async def standing(self, task: Task, task_id: str) -> Standing:  # noqa: ARG002 - the protocol's
        """Read the job's status and error."""
        standing = _standing(await self._job(task_id))
        return replace(standing, detail=self._door.rest.hidden(standing.detail))

    async def fetch(self, task: Task, task_id: str) -> TaskResult:
        """Read the job, and its output from the storage."""
        job = await self._job(task_id)
        standing = _standing(job)
        if standing.state is not JobState.COMPLETED:
            raise JobFailed(standing.detail or f"azure: the job is {standing.state}")
        where = await self._signed(task_id, blob_name(job, task_id))
        answer = await self._door.rest.call("GET", where)
        result = self._result(task, answer.json("azure"))
        raw: Json = {
            "format": self._format.gives,
            "sha256": hashlib.sha256(answer.content).hexdigest(),
        }
        return TaskResult((result,), {"job": unsigned(job), "result": raw})

    async def stop(self, task: Task, task_id: str) -> None:
        """Cancel, unless it has ended."""
        if not (await self.standing(task, task_id)).state.final:
            await self._door.call("POST", f"jobs/{path_step(task_id, vendor='azure')}:cancel")

    async def calibration(self, device: str) -> Mapping[str, Json]:  # noqa: ARG002 - one device
        """Give the target's status, the maker's quotas, and the sheet that is claimed."""
        quotas: list[Json] = [
            quota
            for quota in await self._listed("quotas")
            if isinstance(quota, dict) and quota.get("providerId") == self._format.provider
        ]
        return {"target": await self._target(), "quotas": quotas, "sheet": self._settings.sheet}

    async def cost(self, task: Task) -> Cost | None:  # noqa: ARG002 - the protocol's
        """Azure tells no price before; its estimate is in a finished job's record."""
        return None

    async def _confirm(self, task: Task, answer: Answer) -> None:
        """Make sure that the answer to a new job is about ours, or that a conflict is with it.

        Raises:
            OutcomeUnknown: Something else stands in the way, or something else has answered.
        """
        if answer.status != 409:
            with in_doubt("azure"):
                _agree(created_id(answer, vendor="azure"), self._job_id(task))
        elif await self.lookup(task) is None:
            raise OutcomeUnknown(
                "azure answered 409 to a new job, and has no job of its id: "
                f"{self._door.rest.words(answer)}"
            )

    def _result(self, task: Task, content: Json) -> ProgramResult:
        draws = Draws(self._context.seed, task.device, task.token)
        result = self._format.read(content, placed(task), task.shots, draws)
        return result if task.memory else replace(result, memory=None)

    def _job_id(self, task: Task) -> str:
        """Spell the task's own digest as Azure spells ids: one task, one id, at one target."""
        parts = (self._settings.target, task.token, str(task.shots), task.programs[0].digest)
        half = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
        return "-".join((half[:8], half[8:12], half[12:16], half[16:20], half[20:]))

    def _body(self, task: Task, job_id: str, container: str) -> Json:
        return {
            "itemType": "Job",
            "name": f"qsubnet {job_id}",
            "providerId": self._format.provider,
            "target": self._settings.target,
            "containerUri": container,
            "inputDataUri": bare(beside(container, "inputData")),
            "inputDataFormat": self._format.takes,
            "outputDataFormat": self._format.gives,
            "inputParams": {"shots": task.shots, **self._format.params},
            "tags": [task.token],
        }

    async def _target(self) -> Json:
        """The target's own entry among the workspace's."""
        targets: dict[str, Json] = {}
        for provider in await self._listed("providerStatus"):
            for target in entries(item(provider, "targets", vendor="azure"), vendor="azure"):
                targets[text(target, "id", vendor="azure")] = target
        if self._settings.target not in targets:
            raise Rejected(
                f"the azure workspace has no target {self._settings.target[:80]!r}, "
                f"there are {sorted(targets)}"
            )
        return targets[self._settings.target]

    async def _listed(self, path: str) -> list[Json]:
        """Read a list of the workspace's."""
        answer = (await self._door.call("GET", path)).json("azure")
        return entries(item(answer, "value", vendor="azure"), vendor="azure")

    async def _signed(self, job_id: str, blob: str) -> str:
        """Ask for a signed address of the job's container, or of a blob in it."""
        body: dict[str, Json] = {"containerName": f"job-{path_step(job_id, vendor='azure')}"}
        if blob:
            body["blobName"] = blob
        answer = (await self._door.call("POST", "storage/sasUri", body=body)).json("azure")
        where = text(answer, "sasUri", vendor="azure")
        if urlsplit(where).scheme != urlsplit(self._door.workspace.endpoint).scheme:
            raise AdapterFault("azure gave an address of its storage that is not as safe as itself")
        return where

    async def _job(self, job_id: str) -> Json:
        return (await self._door.call("GET", f"jobs/{path_step(job_id, vendor='azure')}")).json(
            "azure"
        )


def _device(settings: Settings, form: Format) -> Device:
    """Make the claim: the exact simulator's, or the sheet's."""
    if settings.target == IONQ_SIMULATOR:
        topology = complete(settings.num_qubits, ("cx", "u"))
        return Device(
            settings.device,
            DeviceClass.SIMULATOR,
            topology,
            None,
            "azure",
            fee_rao_per_shot=settings.fee,
        )
    if settings.sheet is None:
        raise Rejected(
            f"azure publishes no error rates of {settings.target}: name a sheet of it (option "
            "'sheet')"
        )
    claim = device_from_sheet(settings.sheet, provider="azure", name=settings.device)
    if (claim.device_class is DeviceClass.QPU) != form.machine:
        raise Rejected(
            f"the sheet's class is {claim.device_class}, but {settings.target} is "
            f"{'a machine' if form.machine else 'an emulator'}"
        )
    foreign = sorted(set(claim.topology.native_gates) - set(form.gates))
    if foreign:
        raise Rejected(
            f"the sheet's native gates of {settings.target} are among {', '.join(form.gates)}, "
            f"got {foreign[0]}"
        )
    return replace(claim, max_shots=_MACHINE_SHOTS, fee_rao_per_shot=settings.fee)


def _agree(given: str, job_id: str) -> None:
    """Raise AdapterFault where Azure speaks of another job than ours."""
    if given.lower() != job_id:
        raise AdapterFault(f"azure answered with the job {given[:80]!r}, need {job_id}")


def _standing(job: Json) -> Standing:
    state = translated("azure", text(job, "status", vendor="azure"))
    error = job.get("errorData") if isinstance(job, dict) else None
    if not isinstance(error, dict):
        return Standing(state)
    told = [str(error[word]) for word in ("code", "message") if error.get(word)]
    return Standing(state, ": ".join(told)[:500])

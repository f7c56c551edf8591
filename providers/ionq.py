"""IonQ's machines and simulator over REST, version 0.4.

A machine gets native gates, which IonQ runs as they stand: nothing is compiled, merged or
cancelled, and error mitigation is off unless asked for. The simulator is exact and returns
probabilities, from which shots are drawn. One program is one job at IonQ.

IonQ has no idempotency key and no filter by metadata: the token stands in a job's metadata, and
after a doubtful send the newest jobs of the backend are looked through for it.

Blind spots: IonQ publishes medians, not a number per element, so every element of a machine
claims the same; a job in doubt that is older than the newest `lookup_jobs` stays in doubt, and is
not sent again, until that option is raised.
Source: IonQ's OpenAPI v0.4 (2026-09); qiskit-ionq 1.1.1; cirq-ionq 1.7.0.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from circuits.draws import Draws
from circuits.gates import GATES
from providers.base import Cost, DeviceClass, JobState, ProgramResult
from providers.errors import AdapterFault, JobFailed, Rejected
from providers.ionq_devices import SIMULATOR, Settings, machine, simulator
from providers.ionq_gates import check, circuit, width
from providers.ionq_results import (
    SHOTS,
    artifact,
    digest,
    from_histogram,
    from_machine,
    from_shots,
    from_simulator,
)
from providers.options import Options
from providers.remote import RemoteProvider
from providers.rest import Answer, Rest, amount, credential, entries, item, text
from providers.rest_jobs import beyond, created_id, in_doubt, path_step, placed
from providers.state_words import translated
from providers.vendor import Standing, Task, TaskResult

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Context, Device, Json

_PAGE = 100


def create(options: Mapping[str, Json], context: Context) -> RemoteProvider:
    """Make the provider of one IonQ backend.

    Args:
        options: `backend` (IonQ's name, "simulator"), `device` (ours, the same unless told),
            `token_env` (the environment variable with the API key, "IONQ_API_KEY"), `url`
            (IONQ_API_URL, or IonQ's own), `num_qubits` (0: all), `debiasing` ("off" or "on"),
            `lookup_jobs` (1000), `timeout_s` (30) and `fee_rao_per_shot` (0).
        context: Where the journal lies and the simulator's seeds come from.

    Raises:
        Rejected: An option is unknown or wrong, or there is no key.
    """
    read = Options("ionq", options)
    backend = read.text("backend", SIMULATOR)
    own = os.environ.get("IONQ_API_URL", "").strip() or "https://api.ionq.co/v0.4"
    settings = Settings(
        backend=backend,
        device=read.text("device", backend),
        url=read.text("url", own).rstrip("/"),
        num_qubits=read.whole("num_qubits", 0, low=0, high=1_024),
        debiasing=read.word("debiasing", "off", ("off", "on")) == "on",
        lookup_jobs=read.whole("lookup_jobs", 1_000, low=1, high=100_000),
        fee=read.whole("fee_rao_per_shot", 0, low=0, high=10**12),
    )
    timeout_s = read.real("timeout_s", 30.0, low=0.01, high=600.0)
    token_env = read.text("token_env", "IONQ_API_KEY")
    read.done()
    key = credential(token_env, vendor="ionq")
    vendor = IonQ(settings, Rest("ionq", timeout_s, (key,)), key=key, context=context)
    return RemoteProvider(vendor, context=context)


class IonQ:
    """IonQ's half of the provider boundary: see `providers.vendor.Vendor`."""

    def __init__(self, settings: Settings, rest: Rest, *, key: str, context: Context) -> None:
        self._settings = settings
        self._rest = rest
        self._context = context
        self._headers = {"Authorization": f"apiKey {key}", "Content-Type": "application/json"}

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        return "ionq"

    @property
    def programs_per_task(self) -> int:
        """One: a job of many circuits gives only probabilities."""
        return 1

    async def devices(self) -> tuple[Device, ...]:
        """Describe the backend as IonQ publishes it now."""
        record = await self._record()
        claim = machine if self._settings.machine else simulator
        return (claim(self._settings, record),)

    def admit(self, device: Device, program: Program) -> None:
        """Refuse resets, gates behind measurements, and angles beyond a machine's."""
        check(program, native=device.device_class is DeviceClass.QPU)

    async def send(self, task: Task) -> str:
        """Create the job."""
        answer = await self._call("POST", "jobs", body=_body(self._settings, task), starts=True)
        return created_id(answer, vendor="ionq")

    async def lookup(self, task: Task) -> str | None:
        """Look through the newest jobs of the backend for the token."""
        with in_doubt("ionq"):
            return await self._sought(task.token)

    async def standing(self, task: Task, task_id: str) -> Standing:  # noqa: ARG002 - the protocol's
        """Read the job's status, and the failure that goes with it."""
        return _standing(await self._job(task_id))

    async def fetch(self, task: Task, task_id: str) -> TaskResult:
        """Read the job, its result and its cost."""
        job = await self._job(task_id)
        standing = _standing(job)
        if standing.state is not JobState.COMPLETED:
            raise JobFailed(standing.detail or f"ionq: the job is {standing.state}")
        form, identity = artifact(job) if self._settings.machine else ("", "")
        where = f"artifacts/{identity}" if form else "results/probabilities"
        answer = await self._call("GET", f"jobs/{path_step(task_id, vendor='ionq')}/{where}")
        debiased = self._settings.machine and (self._settings.debiasing or _debiased(job))
        result = self._result(task, form, answer, debiased=debiased)
        if debiased:
            steps = ("IonQ's debiasing", *result.processing)
            result = ProgramResult(result.counts, result.kind, steps)
        raw: Json = {"format": form or "probabilities", "sha256": digest(answer.content)}
        record = {"job": job, "cost": await self._bill(task_id), "result": raw}
        return TaskResult((result,), record)

    async def stop(self, task: Task, task_id: str) -> None:  # noqa: ARG002 - the protocol's
        """Cancel, unless it has ended: IonQ would call a completed job cancelled."""
        if not _standing(await self._job(task_id)).state.final:
            await self._call("PUT", f"jobs/{path_step(task_id, vendor='ionq')}/status/cancel")

    async def calibration(self, device: str) -> Mapping[str, Json]:  # noqa: ARG002 - one device
        """Give the backend's entry and its newest characterization, whose time is `date`."""
        return await self._record()

    async def cost(self, task: Task) -> Cost | None:
        """Ask for IonQ's estimate; the simulator has none."""
        if not self._settings.machine:
            return None
        program = task.programs[0]
        one = sum(op.name in GATES and len(op.qubits) == 1 for op in program.operations)
        query = {
            "backend": self._settings.backend,
            "type": "ionq.circuit.v1",
            "qubits": str(width(program)),
            "shots": str(task.shots),
            "1q_gates": str(one),
            "2q_gates": str(program.two_qubit_gates),
            "error_mitigation": str(self._settings.debiasing).lower(),
        }
        told = (await self._call("GET", "jobs/estimate", query=query)).json("ionq")
        value = item(told, "estimated_total_cost", vendor="ionq")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise AdapterFault(f"ionq estimates a cost of {str(value)[:80]!r}, need a number")
        return Cost(amount(value), text(told, "estimated_unit", vendor="ionq").upper())

    def _result(self, task: Task, form: str, answer: Answer, *, debiased: bool) -> ProgramResult:
        program = placed(task)
        content = answer.json("ionq")
        if form == SHOTS:
            result = from_shots(content, program)
            return result if task.memory else ProgramResult(result.counts, result.kind)
        if form:
            return from_histogram(content, program)
        if self._settings.machine:
            return from_machine(content, program, shots=task.shots, debiased=debiased)
        draws = Draws(self._context.seed, task.device, task.token)
        return from_simulator(content, program, shots=task.shots, draws=draws)

    async def _sought(self, token: str) -> str | None:
        """Find a token's job; None only where the list has come to its end."""
        query = {"target": self._settings.backend, "limit": str(_PAGE)}
        seen = 0
        while seen < self._settings.lookup_jobs:
            page = (await self._call("GET", "jobs", query=query)).json("ionq")
            jobs = entries(item(page, "jobs", vendor="ionq"), vendor="ionq")
            for job in jobs:
                metadata = job.get("metadata") if isinstance(job, dict) else None
                if isinstance(metadata, dict) and metadata.get("token") == token:
                    return text(job, "id", vendor="ionq")
            if not isinstance(page, dict) or not page.get("next"):
                return None
            query["next"] = text(page, "next", vendor="ionq")
            seen += max(1, len(jobs))
        raise beyond("ionq", lookup_jobs=self._settings.lookup_jobs)

    async def _record(self) -> dict[str, Json]:
        """The backend's entry in the list, and its newest characterization where it has one."""
        listed = entries((await self._call("GET", "backends")).json("ionq"), vendor="ionq")
        named = {text(entry, "backend", vendor="ionq"): entry for entry in listed}
        backend = self._settings.backend
        if backend not in named:
            raise Rejected(f"ionq has no backend {backend[:80]!r}, there are {sorted(named)}")
        record: dict[str, Json] = {"backend": named[backend]}
        if self._settings.machine:
            path, query = f"backends/{backend}/characterizations", {"limit": "1"}
            answer = (await self._call("GET", path, query=query)).json("ionq")
            found = entries(item(answer, "characterizations", vendor="ionq"), vendor="ionq")
            record["characterization"] = found[0] if found else None
        return record

    async def _job(self, task_id: str) -> Json:
        return (await self._call("GET", f"jobs/{path_step(task_id, vendor='ionq')}")).json("ionq")

    async def _bill(self, task_id: str) -> Json:
        """What the job cost, where IonQ says."""
        try:
            return (await self._call("GET", f"jobs/{path_step(task_id, vendor='ionq')}/cost")).json(
                "ionq"
            )
        except Rejected:
            return None

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json = None,
        starts: bool = False,
    ) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        url = f"{self._settings.url}/{path}"
        return await self._rest.call(
            method, url, headers=self._headers, query=query, content=content, starts=starts
        )


def _body(settings: Settings, task: Task) -> Json:
    """Write the job; what is not asked for is switched off by name, never left to a default."""
    program = placed(task)
    body: dict[str, Json] = {
        "type": "ionq.circuit.v1",
        "name": f"qsubnet {task.token[:16]}",
        "backend": settings.backend,
        "shots": task.shots,
        "metadata": {"token": task.token},
        "input": {
            "qubits": width(program),
            "gateset": "native" if settings.machine else "qis",
            "circuit": list(circuit(program, native=settings.machine)),
        },
    }
    if settings.machine:
        body["settings"] = {
            "error_mitigation": {"debiasing": settings.debiasing},
            "compilation": {"opt": 0},
        }
    else:
        body["noise"] = {"model": "ideal"}
    return body


def _standing(job: Json) -> Standing:
    state = translated("ionq", text(job, "status", vendor="ionq"))
    failure = job.get("failure") if isinstance(job, dict) else None
    if not isinstance(failure, dict):
        return Standing(state)
    told = [str(failure[word]) for word in ("code", "message", "error") if failure.get(word)]
    return Standing(state, ": ".join(told)[:500])


def _debiased(job: Json) -> bool:
    """True where the job itself says that its results were mitigated."""
    settings = job.get("settings") if isinstance(job, dict) else None
    asked = settings.get("error_mitigation") if isinstance(settings, dict) else None
    return isinstance(asked, dict) and bool(asked.get("debiasing"))

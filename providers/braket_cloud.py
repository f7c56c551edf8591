"""Amazon Braket's service, spoken through boto3: any machine or managed simulator by its ARN.

A task is one program. `clientToken` is the task's token, for which the service returns the same
task however often it is asked, and a tag has it too, so that a task is found again among the
account's tasks. Results lie in the miner's own S3 bucket. boto3's retries are off.

Programs reach a machine in a verbatim box on physical qubits, whether the job says `verbatim` or
not: it runs what it is given, and admits only what is native.

Blind spot: a search returns the account's tasks page by page and can not filter by tag; it looks at
the first pages only, and leaves the rest to the client token.
Source: botocore's service model of Braket, 2019-09-01.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from providers.braket_capabilities import Capabilities, read_capabilities
from providers.braket_devices import (
    NAME,
    Claim,
    Machine,
    calibration_record,
    machine,
    price,
    simulator,
)
from providers.braket_errors import Ended, asked
from providers.braket_results import read_result
from providers.errors import AdapterFault, JobFailed, OutcomeUnknown, Rejected
from providers.state_words import translated
from providers.vendor import Standing, TaskResult

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Cost, Device, Json
    from providers.braket_account import Account
    from providers.vendor import Task

TAG = "qsubnet-task"
PAGES = 50
"""Pages of a hundred tasks that are looked through for a tag."""

MOST_RESULT_BYTES = 512_000_000

_T = TypeVar("_T")
_Answer = Mapping[str, Any]


class BraketCloud:
    """The vendor behind one ARN.

    Args:
        account: How to reach it.
        arn: The device.
        claim: What the miner decides about it.
    """

    def __init__(self, account: Account, arn: str, claim: Claim) -> None:
        self._account = account
        self._arn = arn
        self._claim = claim
        self._described: tuple[Machine, Capabilities] | None = None

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        return NAME

    @property
    def programs_per_task(self) -> int:
        """One."""
        return 1

    async def devices(self) -> tuple[Device, ...]:
        """Describe the device, as of now.

        Raises:
            Rejected: It can not be offered: no verbatim box, or no error rates and no sheet.
        """
        answer = await self._ask(partial(self._account.braket.get_device, deviceArn=self._arn))
        described, _ = self._describe(answer)
        return (described.device,)

    def admit(self, _device: Device, program: Program) -> None:
        """Raise Rejected where the device can not be given the program."""
        if self._described is not None:
            self._described[0].text(program)

    async def send(self, task: Task) -> str:
        """Start a task and return its ARN."""
        described, _ = await self._known()
        if task.shots < described.least_shots:
            raise Rejected(
                f"{described.device.name!r} takes at least {described.least_shots} shots a task, "
                f"got {task.shots}"
            )
        answer = await self._ask(
            partial(
                self._account.braket.create_quantum_task,
                clientToken=task.token,
                deviceArn=self._arn,
                shots=task.shots,
                outputS3Bucket=self._account.bucket,
                outputS3KeyPrefix=self._account.prefix,
                action=action(described.text(task.programs[0])),
                tags={TAG: task.token},
            ),
            sending=True,
        )
        # An answer without the ARN is no refusal: the task may well be there.
        if "quantumTaskArn" not in answer:
            raise OutcomeUnknown("Braket: an answer without the task's ARN")
        return str(answer["quantumTaskArn"])

    async def lookup(self, task: Task) -> str | None:
        """Look for the task's tag among the device's tasks."""
        search = self._account.braket.search_quantum_tasks
        ours = [{"name": "deviceArn", "operator": "EQUAL", "values": [self._arn]}]
        page: dict[str, str] = {}
        for _ in range(PAGES):
            answer = await self._ask(partial(search, filters=ours, maxResults=100, **page))
            for found in answer["quantumTasks"]:
                if found.get("tags", {}).get(TAG) == task.token:
                    return str(found["quantumTaskArn"])
            if not answer.get("nextToken"):
                break
            page = {"nextToken": answer["nextToken"]}
        return None

    async def standing(self, _task: Task, task_id: str) -> Standing:
        """Tell where the task stands, with Braket's reason where it failed."""
        answer = await self._task(task_id)
        detail = str(answer.get("failureReason", ""))
        return Standing(translated(NAME, str(answer["status"])), detail)

    async def fetch(self, task: Task, task_id: str) -> TaskResult:
        """Fetch the results from S3.

        Raises:
            JobFailed: The task has none.
            RetryLater: They are not there yet.
        """
        answer = await self._task(task_id)
        if answer["status"] != "COMPLETED":
            reason = answer.get("failureReason") or f"the task is {answer['status']}"
            raise JobFailed(f"Braket: {reason}")
        key = f"{answer['outputS3Directory']}/results.json"
        data = await self._ask(partial(self._download, str(answer["outputS3Bucket"]), key))
        succeeded = answer.get("numSuccessfulShots")
        # In a thread: a large file takes a while, and the loop has other jobs to answer for.
        result, rest = await asyncio.to_thread(
            read_result, data, task.programs[0], memory=task.memory, shots=succeeded
        )
        record: dict[str, Json] = {"task": plain(answer), "results": rest}
        cost = await self.cost(task)
        if cost is not None:
            record["cost"] = {"amount": cost.amount, "currency": cost.currency}
        return TaskResult((result,), record)

    async def stop(self, task: Task, task_id: str) -> None:
        """Ask for the task's cancellation; no error where it has ended."""
        call = partial(
            self._account.braket.cancel_quantum_task,
            quantumTaskArn=task_id,
            clientToken=task.token,
        )
        try:
            await self._ask(call)
        except Ended:
            return

    async def calibration(self, _device: str) -> Mapping[str, Json]:
        """Give the device's capabilities as published; `service.updatedAt` is their time."""
        answer = await self._ask(partial(self._account.braket.get_device, deviceArn=self._arn))
        described, record = self._describe(answer)
        words = ("deviceArn", "deviceName", "providerName", "deviceType", "deviceStatus")
        head: dict[str, Json] = {word: str(answer[word]) for word in words if word in answer}
        return {**head, **calibration_record(record, described)}

    async def cost(self, task: Task) -> Cost | None:
        """What the task costs in US dollars, where the device is billed by tasks and shots."""
        _, said = await self._known()
        return price(said, self._claim, shots=task.shots)

    async def _known(self) -> tuple[Machine, Capabilities]:
        """The description of before, or one of now."""
        if self._described is None:
            await self.devices()
        if self._described is None:
            raise AdapterFault("a device without a description")
        return self._described

    def _describe(self, answer: _Answer) -> tuple[Machine, dict[str, Json]]:
        said, record = read_capabilities(str(answer["deviceCapabilities"]))
        kind = str(answer["deviceType"])
        if kind not in ("QPU", "SIMULATOR"):
            raise AdapterFault(f"Braket says {kind[:40]!r} of a device, known are QPU, SIMULATOR")
        if kind == "SIMULATOR":
            described = simulator(said, self._claim)
        else:
            described = machine(said, self._claim, maker=self._arn.split("/")[-2].lower())
        self._described = described, said
        return described, record

    async def _task(self, task_id: str) -> _Answer:
        return await self._ask(
            partial(self._account.braket.get_quantum_task, quantumTaskArn=task_id)
        )

    def _download(self, bucket: str, key: str) -> bytes:
        answer = self._account.storage.get_object(Bucket=bucket, Key=key)
        with answer["Body"] as body:
            data: bytes = body.read(MOST_RESULT_BYTES + 1)
        if len(data) > MOST_RESULT_BYTES:
            raise AdapterFault(f"results.json has more than {MOST_RESULT_BYTES} bytes")
        return data

    async def _ask(self, call: Callable[[], _T], *, sending: bool = False) -> _T:
        secrets = self._account.secrets
        return await asyncio.to_thread(asked, call, secrets=secrets, sending=sending)


def action(source: str) -> str:
    """Write Braket's envelope of a program.

    Example:
        >>> print(action("OPENQASM 3.0;").partition('"source"')[2])
        : "OPENQASM 3.0;"}
    """
    header = {"name": "braket.ir.openqasm.program", "version": "1"}
    return json.dumps({"braketSchemaHeader": header, "source": source})


def plain(answer: _Answer) -> dict[str, Json]:
    """An answer of boto3 as JSON: times in ISO 8601, no transport headers."""

    def written(value: object) -> str:
        return value.isoformat() if isinstance(value, datetime) else str(value)

    kept = {word: value for word, value in answer.items() if word != "ResponseMetadata"}
    read: dict[str, Json] = json.loads(json.dumps(kept, default=written))
    return read

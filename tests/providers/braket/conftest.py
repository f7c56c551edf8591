"""Four devices as Braket publishes them, and a Braket on loopback that runs what it is sent.

The capabilities have the shape of records that Amazon publishes beside its examples (IQM Garnet,
Rigetti Ankaa-3, IonQ Forte Enterprise; amazon-braket-examples on GitHub), cut down to a few qubits,
and of `GateModelSimulatorDeviceCapabilities` in amazon-braket-schemas.

The service takes its shapes from botocore's own service model of Braket: every request and every
answer is validated against it. One client token is one task. Programs are read and run by Braket's
own OpenQASM interpreter; results.json is written by Braket's own schema. S3 is GetObject only.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from providers.base import Context, Json
from providers.braket_account import Account, open_account
from providers.braket_cloud import BraketCloud
from providers.braket_devices import Claim
from providers.remote import RemoteProvider

GARNET = "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet"
ANKAA = "arn:aws:braket:us-west-1::device/qpu/rigetti/Ankaa-3"
FORTE = "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-Enterprise-1"
SV1 = "arn:aws:braket:::device/quantum-simulator/amazon/sv1"
SECRET = "wJalrPlanted+Secret/Access+Key0000000000"
TOKEN = "PlantedSessionToken" * 8
BUCKET = "results-of-ours"

_SCHEMA = "braket.device_schema"


def _header(name: str, version: str = "1") -> Json:
    return {"name": f"{_SCHEMA}.{name}", "version": version}


def _service(least: int, most: int, price: float, unit: str) -> Json:
    return {
        "braketSchemaHeader": _header("device_service_properties"),
        "executionWindows": [],
        "shotsRange": [least, most],
        "deviceCost": {"price": price, "unit": unit},
        "deviceLocation": "somewhere",
        "updatedAt": "2025-11-06T21:04:31.777315+00:00",
    }


def _action(operations: list[str]) -> Json:
    names: list[Json] = [*operations]
    return {
        "braket.ir.openqasm.program": {
            "version": ["1.0"],
            "actionType": "braket.ir.openqasm.program",
            "supportedOperations": names,
            "supportedPragmas": ["verbatim", "braket_result_type_sample"],
            "supportPhysicalQubits": True,
            "requiresAllQubitsMeasurement": False,
            "supportedResultTypes": [{"name": "Probability", "minShots": 1, "maxShots": 1000}],
        }
    }


def _paradigm(native: list[str], graph: dict[str, list[str]], *, whole: bool = False) -> Json:
    return {
        "braketSchemaHeader": _header("gate_model_qpu_paradigm_properties"),
        "connectivity": {
            "fullyConnected": whole,
            "connectivityGraph": {label: [*ends] for label, ends in graph.items()},
        },
        "qubitCount": len(graph),
        "nativeGateSet": [*native],
    }


def _fidelity(kind: str, value: float) -> Json:
    return {
        "fidelityType": {"name": kind, "description": None},
        "fidelity": value,
        "standardError": None,
    }


def _qubit(*fidelities: Json) -> Json:
    time: Json = {"value": 4.2e-05, "standardError": None, "unit": "S"}
    return {"T1": time, "T2": time, "oneQubitFidelity": [*fidelities]}


def _pair(gate: str, value: float) -> Json:
    one: dict[str, Json] = {
        "direction": None,
        "gateName": gate,
        "fidelity": value,
        "standardError": None,
        "fidelityType": {"name": "INTERLEAVED_RANDOMIZED_BENCHMARKING", "description": None},
    }
    return {"twoQubitGateFidelity": [one, {**one, "gateName": "Two_Qubit_Clifford"}]}


def _garnet() -> dict[str, Json]:
    """Qubits 1, 2, 5, 6 and 11; readout ERRORS stand among the fidelities, as IQM has them."""
    graph = {"1": ["2", "5"], "2": ["1", "6"], "5": ["1", "6", "11"], "6": ["2", "5"], "11": ["5"]}
    qubits: dict[str, Json] = {
        label: _qubit(
            _fidelity("SIMULTANEOUS_RANDOMIZED_BENCHMARKING", 0.999 - 0.0001 * int(label)),
            _fidelity("READOUT_ERROR_0_TO_1", 0.015),
            _fidelity("READOUT_ERROR_1_TO_0", 0.045),
            _fidelity("READOUT", 0.98 - 0.001 * int(label)),
        )
        for label in graph
    }
    pairs = {"1-2": 0.995, "1-5": 0.994, "2-6": 0.993, "5-6": 0.992, "5-11": 0.991}
    return {
        "braketSchemaHeader": _header("iqm.iqm_device_capabilities"),
        "service": _service(1, 20_000, 0.0016, "shot"),
        "action": _action(["cz", "prx", "h", "cnot", "rx", "ry", "rz"]),
        "deviceParameters": {},
        "paradigm": _paradigm(["cz", "prx", "cc_prx", "measure_ff"], graph),
        "standardized": {
            "braketSchemaHeader": _header("standardized_gate_model_qpu_device_properties"),
            "oneQubitProperties": qubits,
            "twoQubitProperties": {pair: _pair("CZ", value) for pair, value in pairs.items()},
        },
    }


def _ankaa() -> dict[str, Json]:
    """Qubits 36, 43, 49 and 50; 36-43 is coupled but has no number, 49 two kinds of fidelity."""
    graph = {"36": ["43"], "43": ["36", "50"], "49": ["50"], "50": ["43", "49"]}
    qubits: dict[str, Json] = {
        label: _qubit(
            _fidelity("RANDOMIZED_BENCHMARKING", 0.9992),
            _fidelity("SIMULTANEOUS_RANDOMIZED_BENCHMARKING", 0.9981),
            _fidelity("READOUT", 0.963),
        )
        for label in graph
    }
    return {
        "braketSchemaHeader": _header("rigetti.rigetti_device_capabilities", "2"),
        "service": _service(10, 50_000, 0.0009, "shot"),
        "action": _action(["cz", "xy", "iswap", "rx", "rz", "barrier"]),
        "deviceParameters": {},
        "paradigm": _paradigm(["rx", "rz", "iswap"], graph),
        "standardized": {
            "braketSchemaHeader": _header("standardized_gate_model_qpu_device_properties"),
            "oneQubitProperties": qubits,
            "twoQubitProperties": {
                "43-50": _pair("ISWAP", 0.98),
                "49-50": _pair("ISWAP", 0.97),
            },
        },
    }


def _forte() -> dict[str, Json]:
    """Four ions, one number for all of them."""
    graph = {str(a): [str(b) for b in range(4) if b != a] for a in range(4)}
    return {
        "braketSchemaHeader": _header("ionq.ionq_device_capabilities"),
        "service": _service(100, 5_000, 0.08, "shot"),
        "action": _action(["x", "y", "z", "h", "cnot", "zz"]),
        "deviceParameters": {},
        "paradigm": _paradigm(["GPI", "GPI2", "ZZ"], graph, whole=True),
        "provider": {
            "braketSchemaHeader": _header("ionq.ionq_provider_properties"),
            "fidelity": {"1Q": {"mean": 0.9999}, "2Q": {"mean": 0.9925}, "spam": {"mean": 0.9955}},
            "timing": {"T1": 188.0, "T2": 0.95, "1Q": 6.3e-05, "2Q": 0.00065},
        },
    }


def _sv1() -> dict[str, Json]:
    """A managed simulator without the gates that came late (u, gpi, gpi2, prx)."""
    gates = "ccnot cnot cphaseshift cz ecr h i iswap phaseshift rx ry rz s si swap t ti v vi x xx"
    return {
        "braketSchemaHeader": _header("simulators.gate_model_simulator_device_capabilities"),
        "service": _service(0, 100_000, 0.075, "minute"),
        "action": _action([*gates.split(), "xy", "y", "z", "zz"]),
        "deviceParameters": {},
        "paradigm": {
            "braketSchemaHeader": _header("simulators.gate_model_simulator_paradigm_properties"),
            "qubitCount": 6,
        },
    }


@pytest.fixture
def capabilities() -> dict[str, dict[str, Json]]:
    """By ARN."""
    return {GARNET: _garnet(), ANKAA: _ankaa(), FORTE: _forte(), SV1: _sv1()}


@dataclass
class Fault:
    """What one call gets instead of its answer.

    `done` says whether the service does what it was asked first; a status of 0 cuts the
    connection, -1 never answers.
    """

    status: int
    code: str = ""
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict)
    done: bool = False
    body: str | None = None


@dataclass
class Kept:
    """A task at the service."""

    arn: str
    request: dict[str, Any]
    states: list[str]
    failure: str | None = None
    result: dict[str, Any] | None = None


@cache
def _model() -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model("braket")


class Service:
    """The fake; its state may be looked at and changed by a test."""

    def __init__(self, capabilities: dict[str, dict[str, Json]]) -> None:
        self.capabilities = capabilities
        self.model = _model()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.faults: dict[str, list[Fault]] = {}
        self.tasks: dict[str, Kept] = {}
        self.course = ["CREATED", "QUEUED", "RUNNING", "COMPLETED"]
        self.failure: str | None = None
        self.succeeded: int | None = None
        self.mangle: Callable[[dict[str, Any]], dict[str, Any]] = lambda result: result
        self.released = threading.Event()
        self.lock = threading.Lock()

    def called(self, operation: str) -> int:
        """How often an operation arrived."""
        return sum(name == operation for name, _ in self.calls)

    def fail(
        self,
        operation: str,
        status: int,
        code: str = "",
        message: str = "no",
        *,
        headers: dict[str, str] | None = None,
        done: bool = False,
        body: str | None = None,
    ) -> None:
        """Let the next call of an operation that has no fault yet fail; see `Fault`."""
        fault = Fault(status, code, message, headers or {}, done, body)
        self.faults.setdefault(operation, []).append(fault)

    def texts(self) -> list[str]:
        """The programs that tasks were made of."""
        return [json.loads(task.request["action"])["source"] for task in self.tasks.values()]

    def ask(self, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Validate, do, validate."""
        from botocore.validate import ParamValidator

        told = self.model.operation_model(operation)
        wrong = ParamValidator().validate(asked, told.input_shape)
        if wrong.has_errors():
            return _refused("ValidationException", wrong.generate_report())
        status, answer = getattr(self, f"_{_snake(operation)}")(asked)
        if status < 400:
            wrong = ParamValidator().validate(answer, told.output_shape)
            assert not wrong.has_errors(), wrong.generate_report()
        return status, answer

    def _get_device(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        arn = asked["deviceArn"]
        if arn not in self.capabilities:
            return _refused("ResourceNotFoundException", f"no device {arn}", 404)
        simulator = "quantum-simulator" in arn
        return 200, {
            "deviceArn": arn,
            "deviceName": arn.split("/")[-1],
            "providerName": arn.split("/")[-2],
            "deviceType": "SIMULATOR" if simulator else "QPU",
            "deviceStatus": "ONLINE",
            "deviceCapabilities": json.dumps(self.capabilities[arn]),
        }

    def _create_quantum_task(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            known = self.tasks.get(asked["clientToken"])
            if known is None:
                number = f"{len(self.tasks):08d}-0000-4000-8000-000000000000"
                arn = f"arn:aws:braket:us-east-1:123456789012:quantum-task/{number}"
                known = Kept(arn, asked, list(self.course), self.failure)
                self.tasks[asked["clientToken"]] = known
        if known.request != asked:
            return _refused("ValidationException", "the client token was used before")
        return 201, {"quantumTaskArn": known.arn}

    def _get_quantum_task(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        task = self._of(asked["quantumTaskArn"])
        if task is None:
            return _refused("ResourceNotFoundException", "no such quantum task", 404)
        state = task.states[0]
        if len(task.states) > 1:
            task.states.pop(0)
        answer = {**self._summary(task, state), "deviceParameters": "{}"}
        if state == "FAILED" and task.failure:
            answer["failureReason"] = task.failure
        if self.succeeded is not None:
            answer["numSuccessfulShots"] = self.succeeded
        return 200, answer

    def _cancel_quantum_task(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        task = self._of(asked["quantumTaskArn"])
        if task is None:
            return _refused("ResourceNotFoundException", "no such quantum task", 404)
        if len(task.states) == 1:
            return _refused("ConflictException", f"the task is {task.states[0]}", 409)
        task.states[:] = ["CANCELLING", "CANCELLED"]
        return 200, {"quantumTaskArn": task.arn, "cancellationStatus": "CANCELLING"}

    def _search_quantum_tasks(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        (of_device,) = [f["values"] for f in asked["filters"] if f["name"] == "deviceArn"]
        found = [
            self._summary(task, task.states[0])
            for task in self.tasks.values()
            if task.request["deviceArn"] in of_device
        ]
        at = int(asked.get("nextToken", "0"))
        page: dict[str, Any] = {"quantumTasks": found[at : at + 2]}
        if len(found) > at + 2:
            page["nextToken"] = str(at + 2)
        return 200, page

    def _of(self, arn: str) -> Kept | None:
        return next((task for task in self.tasks.values() if task.arn == arn), None)

    def _summary(self, task: Kept, state: str) -> dict[str, Any]:
        asked = task.request
        return {
            "quantumTaskArn": task.arn,
            "status": state,
            "deviceArn": asked["deviceArn"],
            "shots": asked["shots"],
            "outputS3Bucket": asked["outputS3Bucket"],
            "outputS3Directory": f"{asked['outputS3KeyPrefix']}/{task.arn.split('/')[-1]}",
            "createdAt": "2026-01-02T03:04:05.678Z",
            "tags": asked.get("tags", {}),
        }

    def stored(self, path: str) -> bytes | None:
        """What S3 has at /bucket/directory/results.json; runs the program the first time."""
        for task in self.tasks.values():
            place = self._summary(task, "")
            at = f"/{place['outputS3Bucket']}/{place['outputS3Directory']}/results.json"
            if at == path:
                if task.result is None:
                    task.result = self.mangle(_executed(task))
                return json.dumps(task.result).encode()
        return None


def _executed(task: Kept) -> dict[str, Any]:
    """Run a task's program with Braket's own interpreter, and write its own result."""
    from braket.devices import LocalSimulator
    from braket.ir.openqasm import Program
    from braket.task_result import AdditionalMetadata, GateModelTaskResult, TaskMetadata

    program = Program.parse_raw(task.request["action"])
    done = LocalSimulator().run(program, shots=task.request["shots"]).result()
    told = GateModelTaskResult(
        measurements=done.measurements.tolist(),
        measuredQubits=[int(qubit) for qubit in done.measured_qubits],
        taskMetadata=TaskMetadata(
            id=task.arn, shots=task.request["shots"], deviceId=task.request["deviceArn"]
        ),
        additionalMetadata=AdditionalMetadata(action=program),
    )
    read: dict[str, Any] = json.loads(told.json())
    return read


def _refused(code: str, message: str, status: int = 400) -> tuple[int, dict[str, Any]]:
    return status, {"__type": code, "message": message}


def _snake(operation: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")


class _Handler(BaseHTTPRequestHandler):
    """Routes of the service model; whatever else is asked is S3's."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass

    @property
    def service(self) -> Service:
        """The fake of the test that runs."""
        return cast("_Server", self.server).service

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def _serve(self, verb: str) -> None:
        service = self.service
        body = self.rfile.read(int(self.headers.get("Content-Length", "0") or 0))
        operation, asked = self._route(verb, body)
        service.calls.append((operation, asked))
        service.headers.append(dict(self.headers.items()))
        waiting = service.faults.get(operation)
        fault = waiting.pop(0) if waiting else None
        if fault is None or fault.done:
            self._answer(operation, asked, silent=fault is not None)
        if fault is not None:
            self._fail(fault)

    def _route(self, verb: str, body: bytes) -> tuple[str, dict[str, Any]]:
        parts = urlsplit(self.path)
        _, first, *rest = parts.path.split("/")
        named = unquote("/".join(rest))
        if first == "device":
            return "GetDevice", {"deviceArn": named}
        if first == "quantum-task" and verb == "POST":
            return "CreateQuantumTask", json.loads(body)
        if first == "quantum-task" and verb == "PUT":
            return "CancelQuantumTask", {
                "quantumTaskArn": named.removesuffix("/cancel"),
                **json.loads(body),
            }
        if first == "quantum-task":
            more = parse_qs(parts.query)
            return "GetQuantumTask", {"quantumTaskArn": named, **more}
        if first == "quantum-tasks":
            return "SearchQuantumTasks", json.loads(body)
        return "GetObject", {"path": parts.path}

    def _answer(self, operation: str, asked: dict[str, Any], *, silent: bool) -> None:
        if operation == "GetObject":
            data = self.service.stored(asked["path"])
            if data is None:
                return self._send(404, _xml("NoSuchKey", "no such key"), "application/xml")
            return None if silent else self._send(200, data, "application/json")
        status, answer = self.service.ask(operation, asked)
        return None if silent else self._send(status, json.dumps(answer).encode())

    def _fail(self, fault: Fault) -> None:
        if fault.status == -1:
            self.service.released.wait(30)
        if fault.status <= 0:
            self.close_connection = True
            self.connection.close()
            return
        if self.path.startswith(f"/{BUCKET}"):
            data, kind = _xml(fault.code, fault.message), "application/xml"
        else:
            data = json.dumps({"message": fault.message}).encode()
            kind = "application/json"
        if fault.body is not None:
            data = fault.body.encode()
        self._send(fault.status, data, kind, {"x-amzn-ErrorType": fault.code, **fault.headers})

    def _send(
        self,
        status: int,
        data: bytes,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        more = headers or {}
        if status >= 400 and kind == "application/json" and "x-amzn-ErrorType" not in more:
            more = {"x-amzn-ErrorType": json.loads(data).get("__type", "")}
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _xml(code: str, message: str) -> bytes:
    return (
        f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    ).encode()


class _Server(ThreadingHTTPServer):
    """Listens on loopback for the whole session; each test brings its own service."""

    daemon_threads = True
    service: Service

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAPLANTEDACCESSKEY",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_SESSION_TOKEN": TOKEN,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
    "NO_PROXY": "127.0.0.1",
}


def _settle(url: str, patch: pytest.MonkeyPatch) -> None:
    """Let this process's AWS settings lead to the fake, with planted credentials."""
    for name, value in {
        **ENVIRONMENT,
        "BRAKET_ENDPOINT": url,
        "AWS_ENDPOINT_URL_S3": url,
    }.items():
        patch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AMZN_BRAKET_OUT_S3_BUCKET"):
        patch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def server() -> Iterator[_Server]:
    """The loopback server."""
    made = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture(scope="session")
def account(server: _Server) -> Account:
    """boto3's clients, made once: that takes a second of reading its service models."""
    with pytest.MonkeyPatch.context() as patch:
        _settle(server.url, patch)
        return open_account(GARNET, bucket=BUCKET, prefix="qsubnet")


@pytest.fixture
def service(
    server: _Server, capabilities: dict[str, dict[str, Json]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """A fresh fake, with this process's AWS settings leading to it."""
    made = server.service = Service(capabilities)
    _settle(server.url, monkeypatch)
    yield made
    made.released.set()


@pytest.fixture
def opened(account: Account, service: Service) -> Callable[..., RemoteProvider]:
    """Open a device by its ARN, over the session's clients."""

    def open_device(arn: str, context: Context | None = None, fee: int = 0) -> RemoteProvider:
        claim = Claim(arn.rpartition("/")[2].lower(), fee)
        cloud = BraketCloud(account, arn, claim)
        return RemoteProvider(cloud, context=context or Context(b"seed", lambda: 0))

    return open_device

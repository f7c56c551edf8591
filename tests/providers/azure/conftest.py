"""Azure Quantum on loopback: workspace, storage and token service in one, running what it is sent.

Shapes: azure-quantum 3.13.0 (`_client.models`: JobDetails, ProviderStatus, SasUriResponse, Quota,
CostEstimate, WorkspaceItemError; `storage`; `target`), and its readers of results in `qiskit.job`
and `target.rigetti.result`. Programs are read by Qiskit's OpenQASM 2 importer, and by two short
readers of Quil and of IonQ's JSON into Qiskit's own gates; Aer runs them.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from qiskit import QuantumCircuit, qasm2
from qiskit_aer import AerSimulator

SUBSCRIPTION = "677fc922-91d0-4bf6-9b06-4274d319a0fa"
ROOT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/labs/providers/Microsoft.Quantum/workspaces/ours"
)
KEY, SECRET, TOKEN = "planted-azure-key-5510", "planted-azure-secret-9f", "planted-azure-token-e3"
SIGNATURE = "planted-azure-signature-77"

# Quantinuum's hqslib1.inc: U1q(theta, phi) turns by theta about cos(phi) X + sin(phi) Y. Its names
# have capitals, which Qiskit's importer takes for no names: there they are small.
HQSLIB1 = """
gate rz(phi) a { U(0, 0, phi) a; }
gate u1q(theta, phi) a { U(theta, phi - pi/2, pi/2 - phi) a; }
gate rzz(theta) a, b { CX a, b; U(0, 0, theta) b; CX a, b; }
"""
IONQ_NAMES = {"si": "sdg", "ti": "tdg", "v": "sx", "vi": "sxdg", "not": "x"}


def from_ionq(given: Mapping[str, Any]) -> QuantumCircuit:
    """IonQ's JSON in Qiskit's gates; phases and native angles are turns."""
    circuit, tau = QuantumCircuit(given["qubits"]), 2 * math.pi
    for gate in given["circuit"]:
        name = gate["gate"]
        targets = gate.get("targets", [gate.get("target")])
        if name in ("gpi", "gpi2"):
            circuit.r(math.pi / (1 if name == "gpi" else 2), gate["phase"] * tau, *targets)
        elif name == "ms":
            assert gate["phases"] == [0, 0]
            circuit.rxx(gate["angle"] * tau, *targets)
        elif name == "zz" and given["gateset"] == "native":
            circuit.rzz(gate["angle"] * tau, *targets)
        elif name in ("xx", "yy", "zz"):
            getattr(circuit, f"r{name}")(gate["rotation"], *targets)
        elif gate.get("controls"):
            names = {("x", 1): "cx", ("z", 1): "cz", ("x", 2): "ccx"}
            getattr(circuit, names[name, len(gate["controls"])])(*gate["controls"], *targets)
        else:
            angles = [gate["rotation"]] if "rotation" in gate else []
            getattr(circuit, IONQ_NAMES.get(name, name))(*angles, *targets)
    circuit.measure_all()
    return circuit


def from_quil(text: str) -> QuantumCircuit:
    first, *lines = text.strip().split("\n")
    declared = re.fullmatch(r"DECLARE ro BIT\[(\d+)\]", first)
    assert declared
    qubits = [int(q) for line in lines for q in re.findall(r" (\d+)(?= |$)", line)]
    circuit = QuantumCircuit(max(qubits) + 1, int(declared[1]))
    for line in lines:
        word, *rest = line.split(" ")
        name, _, angle = word.rstrip(")").partition("(")
        if name == "MEASURE":
            found = re.fullmatch(r"ro\[(\d+)\]", rest[1])
            assert found
            circuit.measure(int(rest[0]), int(found[1]))
        elif name == "FENCE":
            circuit.barrier(*map(int, rest))
        elif name == "ISWAP":
            a, b = map(int, rest)
            for step, places in (("s", a), ("s", b), ("h", a)):
                getattr(circuit, step)(places)
            circuit.cx(a, b)
            circuit.cx(b, a)
            circuit.h(b)
        else:
            angles = [float(angle)] if angle else []
            assert name != "RX" or abs(math.remainder(angles[0], math.pi / 2)) < 1e-9
            getattr(circuit, {"RX": "rx", "RZ": "rz", "CZ": "cz"}[name])(*angles, *map(int, rest))
    return circuit


def from_qasm(text: str) -> QuantumCircuit:
    assert 'include "hqslib1.inc";' in text
    inside = text.replace('include "hqslib1.inc";', HQSLIB1)
    small = inside.replace("U1q(", "u1q(").replace("RZZ(", "rzz(")
    return qasm2.loads(small).decompose(reps=3)


@dataclass
class Fault:
    """What goes wrong once.

    `answer` in the place of the service, `garbled` after it has done its work; `lost`, `cut`,
    `hang`. A body of bytes is sent as it stands.
    """

    method: str
    path: str
    kind: str
    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class FakeAzure:
    """The service, which outlives every process of ours."""

    base: str = ""
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    circuits: dict[str, QuantumCircuit] = field(default_factory=dict)
    output: Any = None
    returned: float = 1.0
    tokens: int = 0
    valid: str = TOKEN
    steps: tuple[str, ...] = ("Waiting", "Executing", "Finishing", "Succeeded")
    release: threading.Event = field(default_factory=threading.Event)

    def created(self) -> list[Any]:
        """The bodies of the jobs that were asked for."""
        return [body for method, path, body in self.seen if method == "PUT" and "/jobs/" in path]

    def reply(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/providerStatus":
            return 200, {"value": self.providers()}
        if path == "/quotas":
            quota = {"dimension": "hqc", "scope": "Workspace", "providerId": "quantinuum"}
            return 200, {"value": [{**quota, "utilization": 3.5, "holds": 0, "limit": 40.0}]}
        if path == "/storage/sasUri":
            where = "/".join(body[key] for key in ("containerName", "blobName") if key in body)
            return 200, {"sasUri": f"{self.base}/storage/{where}?sv=2026&sig={SIGNATURE}"}
        found = re.fullmatch(r"/jobs/([0-9a-f-]+)(:cancel)?", path)
        assert found
        if method == "PUT":
            return self.create(found[1], body)
        if found[1] not in self.jobs:
            return 404, {"error": {"code": "JobNotFound", "message": "No such job."}}
        job = self.jobs[found[1]]
        if found[2]:
            job["status"] = "Cancelled"
        elif job["status"] in self.steps[:-1]:
            job["status"] = self.steps[self.steps.index(job["status"]) + 1]
            if job["status"] == "Succeeded":
                self.finish(job)
        return 200, job

    def providers(self) -> list[dict[str, Any]]:
        names = ("ionq.simulator", "ionq.qpu.forte-1", "quantinuum.qpu.h2-1", "rigetti.qpu.cepheus")
        entry = {"currentAvailability": "Available", "averageQueueTime": 87742}
        targets = [{"id": name, **entry} for name in names]
        return [{"id": "all", "currentAvailability": "Available", "targets": targets}]

    def create(self, job_id: str, body: Any) -> tuple[int, Any]:
        if job_id in self.jobs:
            return 409, {"error": {"code": "JobConflict", "message": "The job exists."}}
        assert urlsplit(body["inputDataUri"]).query == ""
        data = self.blobs[f"job-{job_id}/inputData"]
        takes = body["inputDataFormat"]
        if takes == "ionq.circuit.v1":
            self.circuits[job_id] = from_ionq(json.loads(data))
        elif takes == "rigetti.quil.v1":
            self.circuits[job_id] = from_quil(data.decode())
        else:
            self.circuits[job_id] = from_qasm(data.decode())
        self.jobs[job_id] = {**body, "id": job_id, "status": self.steps[0]}
        self.jobs[job_id] |= {"creationTime": "2026-11-22T04:00:00Z"}
        return 201, self.jobs[job_id]

    def finish(self, job: dict[str, Any]) -> None:
        """Run the circuit and lay the output where Azure's makers lay it."""
        shots = round(job["inputParams"]["shots"] * self.returned)
        simulator = AerSimulator(seed_simulator=7)
        memory = simulator.run(self.circuits[job["id"]], shots=shots, memory=True).result()
        rows = [row.replace(" ", "") for row in memory.get_memory()]
        output: Any
        if job["outputDataFormat"] == "ionq.quantum-results.v1":
            states = [str(int(row, 2)) for row in rows]
            output = {"histogram": {s: states.count(s) / shots for s in sorted(set(states))}}
        elif job["outputDataFormat"] == "rigetti.quil-results.v1":
            output = {"ro": [[int(bit) for bit in reversed(row)] for row in rows]}
        else:
            names = [register.name for register in self.circuits[job["id"]].cregs]
            columns = [[row[-1 - i] for row in rows] for i in range(len(names))]
            output = dict(zip(names, columns, strict=True)) | {"access_token": SECRET}
        where = f"job-{job['id']}/rawOutputData"
        self.blobs[where] = json.dumps(self.output if self.output is not None else output).encode()
        job["outputDataUri"] = f"{self.base}/storage/{where}?sig={SIGNATURE}"
        job["costEstimate"] = {"currencyCode": "USD", "estimatedTotal": 12.5, "events": []}


class Handler(BaseHTTPRequestHandler):
    fake: FakeAzure

    def log_message(self, *args: Any) -> None:
        pass

    def handle_any(self) -> None:
        split = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        kind = self.headers.get("content-type", "")
        storage = split.path.startswith("/storage/")
        body = json.loads(data) if data and kind == "application/json" and not storage else None
        self.fake.seen.append((self.command, split.path, body))
        fault = self.due(split.path)
        if fault and fault.kind in ("cut", "hang"):
            if fault.kind == "hang":
                self.fake.release.wait(30)
            return
        if fault and fault.kind == "answer":
            plain = isinstance(fault.body, bytes)
            data = fault.body if plain else json.dumps(fault.body).encode()
            self.send(fault.status, data, fault.headers)
            return
        if storage:
            self.stored(split.path.removeprefix("/storage/"), parse_qs(split.query), data)
            return
        if split.path == "/contoso/oauth2/v2.0/token":
            self.token(parse_qs(data.decode()))
            return
        key, bearer = self.headers.get("x-ms-quantum-api-key"), self.headers.get("authorization")
        if key != KEY and bearer != f"Bearer {self.fake.valid}":
            told = {"code": "Unauthorized", "message": f"{key or bearer} is not valid"}
            self.send(401, json.dumps({"error": told}).encode())
            return
        assert split.path.startswith(ROOT), split.path
        assert parse_qs(split.query)["api-version"]
        status, answer = self.fake.reply(self.command, split.path.removeprefix(ROOT), body)
        if fault and fault.kind == "garbled":
            self.send(fault.status, fault.body)
        elif not (fault and fault.kind == "lost"):
            self.send(status, json.dumps(answer).encode())

    do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - http.server's names

    def stored(self, where: str, query: Mapping[str, list[str]], data: bytes) -> None:
        if query.get("sig") != [SIGNATURE]:
            self.send(403, b"<Error><Code>AuthenticationFailed</Code></Error>")
        elif self.command == "PUT":
            assert self.headers["x-ms-blob-type"] == "BlockBlob"
            assert self.headers["authorization"] is None
            self.fake.blobs[where] = data
            self.send(201, b"")
        else:
            self.send(200, self.fake.blobs[where])

    def token(self, form: Mapping[str, list[str]]) -> None:
        assert form["grant_type"] == ["client_credentials"]
        assert form["scope"] == ["https://quantum.microsoft.com/.default"]
        if form["client_secret"] != [SECRET]:
            told = {"error": "invalid_client", "error_description": f"{form['client_secret']} no"}
            self.send(401, json.dumps(told).encode())
            return
        self.fake.tokens += 1
        self.fake.valid = f"{TOKEN}-{self.fake.tokens}"
        answer = {"access_token": self.fake.valid, "expires_in": 3599, "token_type": "Bearer"}
        self.send(200, json.dumps(answer).encode())

    def due(self, path: str) -> Fault | None:
        for fault in self.fake.faults:
            if fault.method == self.command and re.search(fault.path, path):
                self.fake.faults.remove(fault)
                return fault
        return None

    def send(self, status: int, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "content-length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAzure]:
    """The service, and an environment in which Azure's own tools find it."""
    fake = FakeAzure()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"fake": fake}))
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    fake.base = f"http://127.0.0.1:{server.server_port}"
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "QUANTUM_TOKEN", "QUANTUM_TOKEN_FILE"):
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    monkeypatch.setenv(
        "AZURE_QUANTUM_CONNECTION_STRING",
        f"SubscriptionId={SUBSCRIPTION};ResourceGroupName=labs;WorkspaceName=ours;"
        f"ApiKey={KEY};QuantumEndpoint={fake.base}/;",
    )
    yield fake
    fake.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def azure_fault() -> type[Fault]:
    return Fault


@pytest.fixture
def azure_secrets() -> tuple[str, ...]:
    return (KEY, SECRET, TOKEN, SIGNATURE)


@pytest.fixture
def azure_root() -> str:
    return ROOT


@pytest.fixture
def azure_sheet(tmp_path: Path) -> Any:
    """Write the sheet of a small machine of one maker."""
    gates = {
        "ionq": (["gpi", "gpi2"], "rzz"),
        "quantinuum": (["prx", "rz"], "rzz"),
        "rigetti": (["rx", "rz"], "iswap"),
    }

    def written(maker: str, **other: Any) -> str:
        native, pair = gates[maker]
        sheet = {
            "name": maker,
            "class": "qpu",
            "num_qubits": 5,
            "native_gates": native,
            "two_qubit_gate": pair,
            "coupling": "all" if maker != "rigetti" else [[0, 1], [1, 2], [2, 4], [4, 3]],
            "errors": {"one_qubit": 0.0001, "two_qubit": 0.004, "readout": 0.003},
        }
        path = tmp_path / f"{maker}.json"
        path.write_text(json.dumps(sheet | other))
        return str(path)

    return written

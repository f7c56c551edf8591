"""Open Quantum on loopback: keycloak, management, scheduler and storage in one.

Shapes: openquantum-sdk 1.0.0 (`clients`, `models`, `enums`, `auth`, `backends`), whose unmodified
clients were run against this server. Programs are read by Qiskit's OpenQASM 3 importer, once the
words that it lacks have the meaning that Amazon Braket's gates of those names have; Aer runs them.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from qiskit import QuantumCircuit, qasm3
from qiskit_aer import AerSimulator

SECRET, TOKEN, UPLOAD = "planted-oq-secret-31", "planted-oq-token-b8", "planted-oq-upload-6d"
PRIVATE, PUBLIC = "f83fd52f-c691-470f-9521-26b81c4e53bd", "072f7eb6-574b-4bae-aafa-d3399c4abe7a"
STANDARD = "0f7b91a3-d1bf-46fb-af9c-55b77fa72bed"
ORGANIZATION = "9a1f6c1e-0000-4000-8000-000000000001"

MEANING = """
gate prx(a, b) t { rz(-b) t; rx(a) t; rz(b) t; }
gate xx(a) s, t { h s; h t; cx s, t; rz(a) t; cx s, t; h s; h t; }
"""


def read(text: str) -> QuantumCircuit:
    assert "gate " not in text
    opening = 'include "stdgates.inc";'
    return qasm3.loads(text.replace(opening, opening + MEANING)).decompose(["prx", "xx"])


def machine() -> dict[str, Any]:
    """A class like iqm:garnet, of five qubits in a bent line."""
    coupling = [[0, 1], [1, 2], [2, 4], [4, 3]]
    errors = [{"op": "prx", "qubits": [q], "prob": 0.0008 + q / 1e5} for q in range(5)]
    errors += [{"op": "cz", "qubits": pair[::-1], "prob": 0.006} for pair in coupling]
    errors += [{"op": "measure", "qubits": [q], "prob": 0.02} for q in range(5)]
    return {
        "id": "0d5fd7f2-0000-4000-8000-00000000000a",
        "name": "Garnet",
        "description": "",
        "type": "QPU",
        "provider_id": "iqm",
        "short_code": "iqm:garnet",
        "accepting_jobs": True,
        "constraint_data": {
            "version": "1.0",
            "n_qubits": 5,
            "native_ops": [
                {"name": "cz", "arity": 2, "params": []},
                {"name": "prx", "arity": 1, "params": ["theta", "phi"]},
                {"name": "measure", "arity": 1, "params": []},
            ],
            "topology": {"directed_edges": False, "coupling_map": coupling},
            "noise": {"gate_error": errors},
            "limits": {"max_circuits": 1024, "min_shots": 1, "max_shots": 3000},
            "features": ["barriers"],
            "supported_formats": ["qasm"],
        },
    }


def simulator() -> dict[str, Any]:
    data = {"version": "1.0", "n_qubits": 6, "native_ops": [], "limits": {"max_shots": 5000}}
    data["features"] = ["reset", "mid_circuit_measure"]
    return {**machine(), "type": "Simulator", "short_code": "oq:sim", "constraint_data": data}


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
class FakeOpenQuantum:
    """The service, which outlives every process of ours."""

    base: str = ""
    classes: dict[str, Any] = field(
        default_factory=lambda: {"iqm:garnet": machine(), "oq:sim": simulator()}
    )
    organizations: tuple[str, ...] = (ORGANIZATION,)
    prices: Mapping[str, int] = field(default_factory=lambda: {PUBLIC: 1, PRIVATE: 7})
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    preparations: dict[str, Any] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    output: Any = None
    returned: float = 1.0
    refuse: str = ""
    tokens: int = 0
    valid: str = TOKEN
    steps: tuple[str, ...] = ("Pending", "Queued", "Running", "Completed")
    release: threading.Event = field(default_factory=threading.Event)

    def created(self) -> list[Any]:
        """The jobs that were asked for, as they were sent."""
        return [body for method, path, body in self.seen if (method, path) == ("POST", "/v1/jobs")]

    def reply(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        if path == "/v1/users/organizations":
            found = [{"id": one, "name": one} for one in self.organizations]
            return 200, {"organizations": found, "pagination": {"next_cursor": None}}
        if path.startswith("/v1/backends/classes/"):
            code = path.removeprefix("/v1/backends/classes/")
            return (200, self.classes[code]) if code in self.classes else missing("backend class")
        if path == f"/v1/organizations/{ORGANIZATION}/jobs":
            return 200, self.listed(query)
        if path == "/v1/jobs/upload":
            place = f"u{len(self.uploads)}"
            self.uploads[place] = b""
            return 200, {"id": place, "url": f"{self.base}/put/{UPLOAD}/{place}"}
        if path == "/v1/jobs/prepare":
            return self.prepare(body)
        if path.startswith("/v1/jobs/prepare/"):
            return self.prepared(self.preparations[path.removeprefix("/v1/jobs/prepare/")])
        if path == "/v1/jobs":
            return self.create(body)
        return self.about(method, path.removeprefix("/v1/jobs/"))

    def about(self, method: str, job_id: str) -> Any:
        job = self.jobs.get(job_id)
        if job is None:
            return missing("job")
        if method == "DELETE":
            if job["status"] in ("Completed", "Failed"):
                told = {"message": ["It has ended."], "type": "JOB_NOT_CANCELABLE"}
                return 409, {"status_code": 409, "error_code": "r-1", **told}
            job["status"] = "Canceled"
            return 204, None
        self.advance(job)
        return 200, job

    def prepare(self, body: Any) -> Any:
        assert body["organization_id"] == ORGANIZATION
        assert body["shots"] == body["configuration_data"]["shots"]
        name = f"p{len(self.preparations)}"
        self.preparations[name] = {**body, "id": name, "looks": 0}
        return 200, {"id": name}

    def prepared(self, preparation: dict[str, Any]) -> Any:
        """Not visible at the first look, running at the second, then done."""
        preparation["looks"] += 1
        if preparation["looks"] == 1:
            return missing("preparation")
        told: dict[str, Any] = {"job_category_id": "phys"}
        told |= {**preparation, "input_data_url": f"{self.base}/x?sig={UPLOAD}", "quote": []}
        if preparation["looks"] == 2:
            return 200, {**told, "status": "Running"}
        if self.refuse:
            return 200, {**told, "status": "Failed", "message": self.refuse}
        paces = [{"name": "Standard", "price_increase": 0, "queue_priority_id": STANDARD}]
        plans = [
            {"name": plan, "price": price, "execution_plan_id": plan, "queue_priorities": paces}
            for plan, price in self.prices.items()
        ]
        return 200, {**told, "status": "Completed", "quote": plans}

    def create(self, body: Any) -> Any:
        preparation = self.preparations[body["job_preparation_id"]]
        job_id = f"6f1d2c3b-0000-4000-8000-{len(self.jobs):012x}"
        self.jobs[job_id] = {
            **body,
            "id": job_id,
            "status": self.steps[0],
            "name": preparation["name"],
            "backend_class_id": preparation["backend_class_id"],
            "input_data_url": f"{self.base}/put/{UPLOAD}/again",
            "submitted_at": "2026-11-22T04:30:00Z",
            "message": None,
        }
        return 200, self.jobs[job_id]

    def listed(self, query: Mapping[str, str]) -> Any:
        newest = list(reversed(self.jobs.values()))
        at = int(query.get("cursor", "0"))
        cursor = str(at + 2) if at + 2 < len(newest) else None
        return {"jobs": newest[at : at + 2], "pagination": {"next_cursor": cursor}}

    def advance(self, job: dict[str, Any]) -> None:
        if job["status"] not in self.steps[:-1]:
            return
        job["status"] = self.steps[self.steps.index(job["status"]) + 1]
        if job["status"] != "Completed":
            return
        preparation = self.preparations[job["job_preparation_id"]]
        text = self.uploads[preparation["upload_endpoint_id"]].decode()
        circuit = read(text)
        shots = round(preparation["shots"] * self.returned)
        counts = AerSimulator(seed_simulator=3).run(circuit, shots=shots).result().get_counts()
        self.outputs[job["id"]] = dict(counts) if self.output is None else self.output
        job["output_data_url"] = f"{self.base}/get/{UPLOAD}/{job['id']}?sig={UPLOAD}"
        job["calibration_data_url"] = f"{self.base}/get/{UPLOAD}/calibration"
        self.outputs["calibration"] = {"measured_at": "2026-11-22T03:00:00Z", "t1_s": [1e-5]}


def missing(what: str) -> Any:
    told = {"message": [f"No such {what}."], "type": "NOT_FOUND", "error_code": "r-404"}
    return 404, {"status_code": 404, **told}


class Handler(BaseHTTPRequestHandler):
    fake: FakeOpenQuantum

    def log_message(self, *args: Any) -> None:
        pass

    def handle_any(self) -> None:
        split = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        signed = split.path.startswith("/v1/")
        body = json.loads(data) if data and signed else None
        self.fake.seen.append((self.command, split.path, body))
        fault = self.due(split.path)
        if fault and fault.kind in ("cut", "hang"):
            if fault.kind == "hang":
                self.fake.release.wait(30)
            return
        if fault and fault.kind == "answer":
            self.send(fault.status, json.dumps(fault.body).encode(), fault.headers)
            return
        if not signed:
            self.unsigned(split.path, data)
            return
        bearer = self.headers.get("authorization")
        if bearer != f"Bearer {self.fake.valid}":
            told = {"status_code": 401, "message": [f"{bearer} is not valid"], "error_code": "r"}
            self.send(401, json.dumps(told).encode())
            return
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        status, answer = self.fake.reply(self.command, split.path, query, body)
        if fault and fault.kind == "garbled":
            self.send(fault.status, fault.body)
        elif not (fault and fault.kind == "lost"):
            self.send(status, b"" if answer is None else json.dumps(answer).encode())

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def unsigned(self, path: str, data: bytes) -> None:
        """Storage behind addresses that are capabilities, and the token service."""
        if path == "/realms/platform/protocol/openid-connect/token":
            form = parse_qs(data.decode())
            if form["client_secret"] != [SECRET]:
                self.send(401, json.dumps({"error_description": f"no {data.decode()}"}).encode())
                return
            self.fake.tokens += 1
            self.fake.valid = f"{TOKEN}-{self.fake.tokens}"
            answer = {"access_token": self.fake.valid, "expires_in": 300}
            self.send(200, json.dumps(answer).encode())
            return
        assert UPLOAD in path
        assert self.headers.get("authorization") is None
        last = path.rpartition("/")[2]
        if self.command == "PUT":
            self.fake.uploads[last] = data
            self.send(200, b"")
        else:
            self.send(200, json.dumps(self.fake.outputs[last]).encode())

    def due(self, path: str) -> Fault | None:
        for fault in self.fake.faults:
            if fault.method == self.command and re.fullmatch(fault.path, path):
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
def openquantum(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenQuantum]:
    """The service, and an environment in which its SDK finds it."""
    fake = FakeOpenQuantum()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"fake": fake}))
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    fake.base = f"http://127.0.0.1:{server.server_port}"
    for name in ("SCHEDULER_URL", "MANAGEMENT_URL", "KEYCLOAK_BASE"):
        monkeypatch.setenv(f"OPENQUANTUM_{name}", fake.base)
    for name in ("KEYCLOAK_REALM", "SDK_KEY", "TOKEN", "ORGANIZATION_ID"):
        monkeypatch.delenv(f"OPENQUANTUM_{name}", raising=False)
    monkeypatch.setenv("OPENQUANTUM_CLIENT_ID", "s_us")
    monkeypatch.setenv("OPENQUANTUM_CLIENT_SECRET", SECRET)
    yield fake
    fake.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def openquantum_fault() -> type[Fault]:
    return Fault


@pytest.fixture
def openquantum_secrets() -> tuple[str, ...]:
    return (SECRET, TOKEN, UPLOAD)

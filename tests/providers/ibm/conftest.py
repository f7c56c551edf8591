"""A service on loopback that speaks IBM's wire format, for the real SDK client.

Shapes: paths, payloads and answers as qiskit-ibm-runtime 0.51 writes and reads them (`api/rest`,
`runtime_job_v2`), programs and results by IBM's own models (`ibm_quantum_schemas.executor`,
version 2.0), configuration and properties as IBM published them of a machine, job metrics as the
vendor documents them. Programs are read by the SDK's decoder and run by Aer, without noise.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import numpy as np
import pytest
import qiskit_ibm_runtime
from ibm_quantum_schemas.common import CompressedTensorModel
from ibm_quantum_schemas.executor.version_2_0 import (
    ItemMetadataModel,
    MetadataModel,
    ParamsModel,
    QuantumProgramResultItemModel,
    QuantumProgramResultModel,
)
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime.quantum_program.converters.converters_2_0 import quantum_program_from_2_0

from providers.base import Context
from providers.ibm_vendor import IbmVendor
from providers.ibm_wire import service_type
from providers.remote import RemoteProvider

TOKEN = "planted-0123456789-api-token-abcdef"
CRN = (
    "crn:v1:bluemix:public:quantum-computing:us-east:a/0f00:11111111-2222-3333-4444-555555555555::"
)
LIMA = Path(qiskit_ibm_runtime.__file__).parent / "fake_provider" / "backends" / "lima"
LATER = 4_000_000_000


@dataclass
class Answer:
    """One scripted answer: a status, or `cut` (the connection ends) or `slow` (no answer).

    `accepts`: the request does its work before the answer is spoilt.
    """

    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    slow: bool = False
    accepts: bool = False


@dataclass
class Service:
    """What IBM has. `script` maps `METHOD /path` (ids as `*`) to faults for the coming requests."""

    url: str = ""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    script: dict[str, list[Answer]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    circuits: list[QuantumCircuit] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)
    spoil: Callable[[list[np.ndarray[Any, Any]]], list[np.ndarray[Any, Any]]] = lambda arrays: (
        arrays
    )
    end: dict[str, Any] = field(default_factory=lambda: {"status": "Completed"})
    hold: threading.Event = field(default_factory=threading.Event)
    ignores_tags: bool = False
    last_body: dict[str, Any] = field(default_factory=dict)

    def plan(self, request: str, *faults: Mapping[str, Any]) -> None:
        """Script the coming answers to one kind of request."""
        self.script[request] = [Answer(**one) for one in faults]

    def posts(self) -> int:
        return self.calls.count("POST /jobs")

    def get(self, path: str, query: dict[str, list[str]]) -> Any:
        parts = path.strip("/").split("/")
        match parts:
            case ["backends"]:
                status = {"name": "online", "reason": "available"}
                return {"devices": [{"name": "ibm_lima", "status": status, "queue_length": 3}]}
            case ["backends", "ibm_lima", "configuration"]:
                return json.loads((LIMA / "conf_lima.json").read_bytes()) | {
                    "backend_name": "ibm_lima"
                }
            case ["backends", "ibm_lima", "properties"]:
                return json.loads((LIMA / "props_lima.json").read_bytes())
            case ["backends", "ibm_lima", "status"]:
                return {"state": True, "status": "active", "length_queue": 3}
            case ["instances", "usage"]:
                return {"usage_consumed_seconds": 12, "usage_limit_seconds": 600}
            case ["jobs"]:
                tags = set() if self.ignores_tags else set(query.get("tags", []))
                found = [self.document(i) for i, j in self.jobs.items() if tags <= set(j["tags"])]
                return {"jobs": found[::-1], "count": len(found), "limit": 20, "offset": 0}
            case ["jobs", job_id] if job_id in self.jobs:
                self.advance(self.jobs[job_id])
                return self.document(job_id)
            case ["jobs", job_id, "results"] if job_id in self.jobs:
                return self.jobs[job_id]["result"]
            case ["jobs", job_id, "metrics"] if job_id in self.jobs:
                return {
                    "timestamps": {"created": "2026-11-20T08:00:00Z", "running": None},
                    "usage": {"status": "complete", "qpu_charge_time_seconds": 2},
                    "position_in_queue": 1,
                }
        return None

    def post(self, path: str, body: Any) -> Any:
        match path.strip("/").split("/"):
            case ["jobs"]:
                return self.run(body)
            case ["jobs", job_id, "cancel"] if job_id in self.jobs:
                self.jobs[job_id]["state"] = {"status": "Cancelled"}
                return {}
        return None

    def document(self, job_id: str) -> dict[str, Any]:
        kept = self.jobs[job_id]
        return {
            "id": job_id,
            "backend": "ibm_lima",
            "state": dict(kept["state"]),
            "status": kept["state"]["status"],
            "tags": kept["tags"],
            "program": {"id": kept["program_id"]},
            "created": "2026-11-20T08:00:00.000Z",
            "estimated_running_time_seconds": 2.5,
        }

    def advance(self, job: dict[str, Any]) -> None:
        """One step a look: queued, running, ended."""
        steps = {"Queued": {"status": "Running"}, "Running": self.end}
        job["state"] = steps.get(job["state"]["status"], job["state"])

    def run(self, body: Any) -> Any:
        self.last_body = body
        program, _options = quantum_program_from_2_0(ParamsModel.model_validate(body["params"]))
        circuits = [item.circuit for item in program.items]
        self.circuits += circuits
        arrays = self.spoil([measured(circuit, program.shots) for circuit in circuits])
        items = [
            QuantumProgramResultItemModel(
                results={"c": CompressedTensorModel.from_numpy(array)},
                metadata=ItemMetadataModel(),
            )
            for array in arrays
        ]
        span = {
            "start": "2026-11-20T08:00:01",
            "stop": "2026-11-20T08:00:03",
            "parts": [{"idx_item": 0, "size": 1, "permutation": [], "element_range": (0, 1, 1)}],
        }
        result = QuantumProgramResultModel(
            data=items,
            metadata=MetadataModel.model_validate({"chunk_timing": [span]}),
            passthrough_data=program.passthrough_data,
        )
        job_id = f"d{len(self.jobs):019d}"
        self.jobs[job_id] = {
            "state": {"status": "Queued"},
            "tags": body.get("tags", []),
            "program_id": body["program_id"],
            "result": result.model_dump_json(),
        }
        return {"id": job_id, "backend": body["backend"]}


def measured(circuit: QuantumCircuit, shots: int) -> np.ndarray[Any, Any]:
    """Shots x bits, column i = clbit i, as IBM's executor returns a register."""
    counts = AerSimulator(seed_simulator=7, max_parallel_threads=1).run(circuit, shots=shots)
    table = counts.result().get_counts()
    rows = [[c == "1" for c in reversed(key)] for key, n in table.items() for _ in range(n)]
    return np.array(rows, dtype=bool)


class Handler(BaseHTTPRequestHandler):
    """HTTP around the service, with its faults."""

    protocol_version = "HTTP/1.1"
    service: Service

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's word
        return

    def do_GET(self) -> None:
        self.serve("GET")

    def do_POST(self) -> None:
        self.serve("POST")

    def serve(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        address = urlsplit(self.path)
        if address.path == "/identity/token":
            claims = {"iat": int(time.time()), "exp": LATER}
            token = jwt.encode(claims, "k" * 32, algorithm="HS256")
            self.answer(200, {"access_token": token, "expires_in": 3600, "expiration": LATER})
            return
        service = self.service
        service.authorizations.add(self.headers.get("Authorization", ""))
        path = "/".join("*" if part in service.jobs else part for part in address.path.split("/"))
        name = f"{method} {path}"
        service.calls.append(name)
        scripted = service.script.get(name)
        fault = scripted.pop(0) if scripted else None
        done = None
        if fault is None or fault.accepts:
            query = parse_qs(address.query)
            if method == "POST":
                done = service.post(address.path, json.loads(data) if data else None)
            else:
                done = service.get(address.path, query)
        if fault is None:
            missing = {"error": {"message": "Job not found", "code": 1291}}
            self.answer(200 if done is not None else 404, done if done is not None else missing)
        elif fault.slow:
            service.hold.wait(5)
            self.close_connection = True
        elif fault.cut:
            self.close_connection = True
        else:
            self.answer(fault.status, fault.body, fault.headers)

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    kept = Service()
    handler = type("Bound", (Handler,), {"service": kept})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("IAM_URL", kept.url)
    monkeypatch.setenv("QISKIT_FUNCTIONS_EXPERIMENTAL", "1")
    yield kept
    kept.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def planted() -> str:
    return TOKEN


@pytest.fixture
def plan(service: Service) -> Callable[..., None]:
    return service.plan


@pytest.fixture
def kept(tmp_path: Path) -> Context:
    return Context(b"seed", lambda: 0, tmp_path)


@pytest.fixture
def started(service: Service, kept: Context) -> Callable[[], RemoteProvider]:
    """A process of ours, fresh, with the real SDK client in it."""

    def connect() -> Any:
        return service_type(timeout_s=0.5)(
            channel="ibm_quantum_platform",
            token=TOKEN,
            url=service.url,
            instance=CRN,
            url_resolver=lambda url, *_: url,
        )

    def start() -> RemoteProvider:
        vendor = IbmVendor(connect, ("ibm_lima",), secrets=lambda: (TOKEN,))
        return RemoteProvider(vendor, context=kept)

    return start

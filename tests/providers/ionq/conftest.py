"""IonQ on loopback: it reads the JSON that it is sent and runs it, with matrices of its own.

Shapes: IonQ's OpenAPI v0.4 of 2026-09 (`Backend`, `Characterization`, `CircuitJobCreationPayload`,
`SingleCircuitJob`, `GetJobsResponse`, `GetJobCostResponse`, `GetJobEstimateResponse`, the formats
`ionq.result.*.json.v1`). Matrices: IonQ's native gate guide, written as the operators' exponents.
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

import numpy as np
import pytest
from numpy.typing import NDArray

KEY = "planted-ionq-key-71c4"
Matrix = NDArray[Any]
Reply = tuple[int, Any]

I2 = np.eye(2, dtype=np.complex128)
X = np.array([[0, 1], [1, 0]], dtype=np.complex128)
Y = np.array([[0, -1j], [1j, 0]], dtype=np.complex128)
Z = np.diag([1, -1]).astype(np.complex128)


def turned(pauli: Matrix, radians: float) -> Matrix:
    """exp(-i radians/2 pauli)."""
    half = radians / 2
    return np.asarray(np.cos(half) * np.eye(len(pauli)) - 1j * np.sin(half) * pauli)


ABSTRACT: dict[str, Matrix] = {
    "x": X,
    "not": X,
    "cnot": X,
    "y": Y,
    "z": Z,
    "h": (X + Z) / np.sqrt(2),
    "s": np.diag([1, 1j]),
    "si": np.diag([1, -1j]),
    "t": np.diag([1, np.exp(0.25j * np.pi)]),
    "ti": np.diag([1, np.exp(-0.25j * np.pi)]),
    "v": turned(X, np.pi / 2),
    "vi": turned(X, -np.pi / 2),
}
AXES = {"rx": X, "ry": Y, "rz": Z}
PAIRS = {"xx": np.kron(X, X), "yy": np.kron(Y, Y), "zz": np.kron(Z, Z)}
SWAP = (np.eye(4) + PAIRS["xx"] + PAIRS["yy"] + PAIRS["zz"]) / 2


def native(gate: Mapping[str, Any]) -> Matrix:
    """Native gates; for two qubits the first target is the left factor."""
    tau = 2 * np.pi
    if gate["gate"] in ("gpi", "gpi2"):
        phase = gate["phase"] * tau
        flip = np.array([[0, np.exp(-1j * phase)], [np.exp(1j * phase), 0]])
        return flip if gate["gate"] == "gpi" else (I2 - 1j * flip) / np.sqrt(2)
    if gate["gate"] == "ms":
        first, second = ((np.cos(p * tau) * X + np.sin(p * tau) * Y) for p in gate["phases"])
        return turned(np.kron(first, second), gate.get("angle", 0.25) * tau)
    assert gate["gate"] == "zz"
    return turned(PAIRS["zz"], gate["angle"] * tau)


def abstract(gate: Mapping[str, Any]) -> Matrix:
    name = gate["gate"]
    if name in AXES:
        return turned(AXES[name], gate["rotation"])
    if name in PAIRS:
        return turned(PAIRS[name], gate["rotation"])
    return SWAP if name == "swap" else ABSTRACT[name]


def operands(gate: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """(controls, targets), each as one number or a list."""
    controls = gate.get("controls", [gate["control"]] if "control" in gate else [])
    return controls, gate.get("targets", [gate["target"]] if "target" in gate else [])


def law(given: Mapping[str, Any]) -> NDArray[np.float64]:
    """Run `input` of a job: probabilities by decimal state, qubit 0 least significant."""
    n = given["qubits"]
    state = np.zeros((2,) * n, dtype=np.complex128)
    state[(0,) * n] = 1
    for gate in given["circuit"]:
        controls, targets = operands(gate)
        matrix = native(gate) if given["gateset"] == "native" else abstract(gate)
        assert not set(controls) & set(targets)
        where = tuple(1 if n - 1 - axis in controls else slice(None) for axis in range(n))
        inside = state[where]
        left = [n - 1 - q for q in range(n) if q not in controls]
        kept = sorted(left)
        places = [kept.index(n - 1 - q) for q in targets]
        k = len(places)
        shaped = matrix.reshape((2,) * (2 * k))
        moved = np.tensordot(shaped, inside, axes=(list(range(k, 2 * k)), places))
        state[where] = np.moveaxis(moved, list(range(k)), places)
    probabilities: NDArray[np.float64] = (np.abs(state) ** 2).reshape(-1)
    return probabilities


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


ALLOWED = {"name", "metadata", "shots", "backend", "session_id", "settings", "dry_run", "noise"}


@dataclass
class FakeIonQ:
    """The service, which outlives every process of ours."""

    url: str = ""
    gates: tuple[str, ...] = ("gpi", "gpi2", "zz")
    formats: tuple[str, ...] = ("shots",)
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    laws: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    returned: float = 1.0
    results: dict[str, Any] = field(default_factory=dict)
    steps: tuple[str, ...] = ("submitted", "ready", "started", "completed")
    release: threading.Event = field(default_factory=threading.Event)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))

    def created(self) -> list[Any]:
        """The jobs that were asked for, as they were sent."""
        return [body for method, path, body in self.seen if (method, path) == ("POST", "/jobs")]

    def reply(self, method: str, path: str, query: dict[str, str], body: Any) -> Reply:
        if path == "/backends":
            return 200, self.backends()
        if path.endswith("/characterizations"):
            return 200, {"characterizations": [self.characterization()], "pages": 3}
        if path == "/jobs/estimate":
            per_gate = 0.0001645 * int(query["1q_gates"]) + 0.0011213 * int(query["2q_gates"])
            total = per_gate * int(query["shots"])
            return 200, {"estimated_total_cost": round(total, 4), "estimated_unit": "usd"}
        if path == "/jobs":
            return self.create(body) if method == "POST" else (200, self.listed(query))
        found = re.fullmatch(r"/jobs/([0-9a-f-]+)(/.*)?", path)
        if not found or found[1] not in self.jobs:
            return 404, {"statusCode": 404, "error": "Not Found Error", "message": "No such job."}
        return self.about(self.jobs[found[1]], method, found[2] or "")

    def backends(self) -> list[dict[str, Any]]:
        entry = {"status": "available", "average_queue_time": 1181215, "degraded": False}
        entry["last_updated"] = "2026-09-02T00:00:00Z"
        machine = {**entry, "backend": "qpu.forte-1", "qubits": 5}
        machine["supported_native_gates"] = list(self.gates)
        return [{**entry, "backend": "simulator", "qubits": 7}, machine]

    def characterization(self) -> dict[str, Any]:
        return {
            "id": "617a1f8b-59d4-435d-aa33-695433d7155e",
            "backend": "qpu.forte-1",
            "date": "2026-09-02T03:04:05Z",
            "qubits": 5,
            "connectivity": [[a, b] for b in range(5) for a in range(b)],
            "fidelity": {"spam": {"median": 0.9962, "stderr": None}}
            | {"1q": {"median": 0.9998}, "2q": {"median": 0.993}},
            "timing": {"readout": 0.00015, "reset": 0.00005, "1q": 0.00011, "2q": 0.0009},
        }

    def create(self, body: Any) -> Reply:
        if set(body) - ALLOWED - {"type", "input"} or body["type"] != "ionq.circuit.v1":
            return 400, {"statusCode": 400, "error": "Bad Request", "message": f"{sorted(body)}"}
        assert all(isinstance(value, str) for value in body["metadata"].values())
        job_id = f"0197379a-c3b8-7548-9da4-{len(self.jobs):012x}"
        self.laws[job_id] = law(body["input"])
        self.jobs[job_id] = {"id": job_id, "status": self.steps[0], "failure": None} | {
            key: body[key] for key in ("type", "backend", "metadata", "shots", "name")
        }
        self.jobs[job_id] |= {
            "settings": body.get("settings", {}),
            "submitted_at": "2026-09-02T20:47:05.440Z",
            "execution_duration_ms": 4200,
            "results": None,
        }
        return 201, {"id": job_id, "status": self.steps[0], "session_id": None}

    def listed(self, query: dict[str, str]) -> dict[str, Any]:
        newest = [job for job in reversed(self.jobs.values()) if job["backend"] == query["target"]]
        at = int(query.get("next", "0"))
        page = newest[at : at + 2]
        return {"jobs": page, "next": str(at + 2) if at + 2 < len(newest) else None}

    def about(self, job: dict[str, Any], method: str, rest: str) -> Reply:
        if rest == "/status/cancel":
            job["status"] = "canceled"
            return 200, {"id": job["id"], "status": "canceled"}
        if rest == "/cost":
            told = {"value": 24.83, "unit": "usd"}
            return 200, {"dry_run": False, "estimated_cost": told, "cost": told}
        if rest == "":
            self.advance(job)
            return 200, job
        shots = round(job["shots"] * self.returned)
        probabilities = self.laws[job["id"]]
        states = self.random.choice(len(probabilities), shots, p=probabilities)
        values, numbers = np.unique(states, return_counts=True)
        histogram = {str(v): int(k) for v, k in zip(values, numbers, strict=True)}
        kept = {str(k): p for k, p in enumerate(probabilities) if p > 1e-12}
        shares = {state: k / shots for state, k in histogram.items()}
        answers = {
            "/artifacts/a-shots": [str(state) for state in states],
            "/artifacts/a-histogram": histogram,
            "/results/probabilities": kept if job["backend"] == "simulator" else shares,
        }
        return 200, {**answers, **self.results}[rest]

    def advance(self, job: dict[str, Any]) -> None:
        """One step on at every look."""
        if job["status"] in self.steps[:-1]:
            job["status"] = self.steps[self.steps.index(job["status"]) + 1]
        if job["status"] == "completed":
            names = [f"ionq.result.{kind}.json.v1" for kind in self.formats]
            job["results"] = {
                name: {"id": f"a-{name.split('.')[2]}", "format": name} for name in names
            }


class Handler(BaseHTTPRequestHandler):
    fake: FakeIonQ

    def log_message(self, *args: Any) -> None:
        pass

    def handle_any(self) -> None:
        split = urlsplit(self.path)
        size = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        path = split.path.removeprefix("/v0.4")
        self.fake.seen.append((self.command, path, body))
        fault = self.due(path)
        if fault and fault.kind == "cut":
            self.close_connection = True
            return
        if fault and fault.kind == "hang":
            self.fake.release.wait(30)
            return
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        if fault and fault.kind == "answer":
            self.send(fault.status, fault.body, fault.headers)
            return
        public = path.startswith("/backends")
        if not public and self.headers.get("authorization") != f"apiKey {KEY}":
            told = f"Invalid key provided: {self.headers.get('authorization')}"
            self.send(401, {"statusCode": 401, "error": "Unauthorized", "message": told})
            return
        status, answer = self.fake.reply(self.command, path, query, body)
        if fault and fault.kind == "lost":
            self.close_connection = True
            return
        if fault and fault.kind == "garbled":
            status, answer = fault.status, fault.body
        self.send(status, answer)

    do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - http.server's names

    def due(self, path: str) -> Fault | None:
        for fault in self.fake.faults:
            if fault.method == self.command and re.fullmatch(fault.path, path):
                self.fake.faults.remove(fault)
                return fault
        return None

    def send(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "content-length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def ionq(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIonQ]:
    """The service, and an environment in which its users' tools find it."""
    fake = FakeIonQ()
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Handler", (Handler,), {"fake": fake}), bind_and_activate=True
    )
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}/v0.4"
    monkeypatch.setenv("IONQ_API_KEY", KEY)
    monkeypatch.setenv("IONQ_API_URL", fake.url)
    yield fake
    fake.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ionq_fault() -> type[Fault]:
    return Fault


@pytest.fixture
def ionq_law() -> Any:
    """The independent reader: `input` of a job -> probabilities by decimal state."""
    return law


@pytest.fixture
def ionq_key() -> str:
    return KEY

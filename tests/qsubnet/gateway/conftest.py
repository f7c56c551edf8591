"""A small subnet in this process: a ledger, one operator, miners behind signed HTTP, no sockets."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest

from circuits.counts import Counts
from circuits.draws import Draws
from circuits.parsing import parse
from circuits.program import Program
from circuits.topology import Topology, complete
from providers.base import (
    Context,
    Device,
    DeviceClass,
    ErrorRates,
    Job,
    ProgramResult,
    ResultKind,
)
from providers.errors import Rejected
from providers.local import LocalProvider
from qsubnet.chain.calls import Announcement
from qsubnet.chain.genesis import ChainParams, Genesis
from qsubnet.chain.local import LocalChain, create_local, open_local
from qsubnet.gateway.preparing import Workshop
from qsubnet.gateway.serve import Gateway, make_gateway
from qsubnet.miner.app import miner_app
from qsubnet.miner.service import MinerService
from qsubnet.store import evaluation
from qsubnet.store.database import Store, sqlite_url
from qsubnet.wire.keys import Sr25519Signer, Sr25519Verifier
from qsubnet.wire.nonces import SqliteNonceStore
from qsubnet.wire.signed_app import SignedApp

T = TypeVar("T")

BELL = (
    'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\n'
    "h q[0];\ncx q[0], q[1];\nc[0] = measure q[0];\nc[1] = measure q[1];\n"
)
_START_NS = 1_752_076_800_000_000_000


def signer_of(name: str) -> Sr25519Signer:
    return Sr25519Signer(hashlib.sha256(name.encode()).digest())


def line(name: str, num_qubits: int, *, two: str = "cz") -> Device:
    """A qpu whose qubits form a line."""
    edges = tuple((q, q + 1) for q in range(num_qubits - 1))
    rates = ErrorRates((0.001,) * num_qubits, (0.01,) * len(edges), (0.02,) * num_qubits)
    topology = Topology(num_qubits, edges, (two, "rz", "sx", "x"))
    return Device(name, DeviceClass.QPU, topology, rates, "invented")


def simulator(name: str, num_qubits: int) -> Device:
    return Device(name, DeviceClass.SIMULATOR, complete(num_qubits, ("cx", "u")), None, "invented")


def exact(program: Program, shots: int, draws: Draws) -> Counts:
    """Sample a program's own distribution, as Qiskit's state vector gives it."""
    from qiskit.quantum_info import Statevector

    from circuits.emitters.qiskit import to_qiskit
    from circuits.program import final_measurements

    small, _ = program.compacted()
    read = final_measurements(small)
    circuit = to_qiskit(small).remove_final_measurements(inplace=False)
    law = Statevector(circuit).probabilities(list(read.values()))
    table: dict[str, int] = {}
    numbers = np.random.Generator(np.random.PCG64(draws.integer(2**63)))
    for outcome, count in enumerate(numbers.multinomial(shots, law / law.sum())):
        bits = {bit: outcome >> place & 1 for place, bit in enumerate(read)}
        key = "".join(str(bits.get(bit, 0)) for bit in reversed(range(small.num_bits)))
        table[key] = table.get(key, 0) + int(count)
    return Counts(small.num_bits, table)


@dataclass
class Backend:
    """What a miner's backend does; `faults` are words that make it lie."""

    device: Device
    faults: set[str] = field(default_factory=set)
    executed: list[str] = field(default_factory=list)

    def provider(self) -> LocalProvider:
        return LocalProvider(
            "invented",
            [self.device],
            execute=self._execute,
            context=Context(b"seed", lambda: 0),
            admit=self._admit,
        )

    def _admit(self, _device: Device, _program: Program) -> None:
        if "refuses" in self.faults:
            raise Rejected("the engine is too small")

    def _execute(self, _device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        self.executed.append(job.key)
        counts = exact(job.programs[index], job.shots, draws)
        memory = tuple(key for key, n in counts.table.items() for _ in range(n))
        if "narrow" in self.faults:
            counts = Counts(counts.num_bits + 1, {"0" + k: n for k, n in counts.table.items()})
        if "padded" in self.faults:
            counts = Counts(counts.num_bits, {k: 2 * n for k, n in counts.table.items()})
        if "fewer" in self.faults:
            counts = Counts(counts.num_bits, {k: (n + 1) // 2 for k, n in counts.table.items()})
        if "reordered" in self.faults:
            memory = ("00",) * job.shots
        return ProgramResult(counts, ResultKind.SHOTS, (), memory if job.memory else None)


@dataclass
class Miner:
    """One miner: its key, its backend, its store; `restart` forgets what only memory held."""

    name: str
    backend: Backend
    folder: Path
    clock: Callable[[], int]
    identity: str = ""  # whose key signs its replies; its own unless told

    def __post_init__(self) -> None:
        self.signer = signer_of(self.name)
        self.url = f"http://{self.name}.test:80"
        self.incarnation = 0

    def app(self, service: MinerService) -> SignedApp:
        async def admit(_hotkey: str) -> bool:
            return True

        nonces = SqliteNonceStore(
            self.folder / f"nonces-{self.name}-{self.incarnation}.db", now_ns=self.clock
        )
        return SignedApp(
            miner_app(service, admit=admit),
            signer=signer_of(self.identity or self.name),
            nonces=nonces,
            now_ns=self.clock,
        )

    def service(self) -> MinerService:
        async def nothing() -> None:
            return None

        return MinerService(
            self.backend.provider(),
            store=Store(sqlite_url(self.folder / f"miner-{self.name}.db")),
            signer=self.signer,
            now_ms=lambda: self.clock() // 1_000_000,
            refresh_epoch=nothing,
            sleep=lambda _seconds: asyncio.sleep(0),
        )

    def lose_everything(self) -> None:
        for path in self.folder.glob(f"miner-{self.name}.db*"):
            path.unlink()


class Post(httpx.AsyncBaseTransport):
    """Carries requests to miners in this process, with faults of the line."""

    def __init__(self) -> None:
        self.apps: dict[str, httpx.ASGITransport] = {}
        self.down: set[str] = set()
        self.deaf_after_submit: set[str] = set()
        self.seen: list[tuple[str, str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host.removesuffix(".test")
        if host in self.down or host not in self.apps:
            raise httpx.ConnectError("connection refused", request=request)
        self.seen.append((host, request.method, request.url.path))
        response = await self.apps[host].handle_async_request(request)
        if host in self.deaf_after_submit and request.method == "POST":
            raise httpx.ReadError("connection reset", request=request)
        return response


class Subnet:
    """The rig that tests drive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ticks = itertools.count(_START_NS, 1_000_000)
        self.clock: Callable[[], int] = ticks.__next__
        self.operator = signer_of("operator")
        self.miners: dict[str, Miner] = {}
        self.post = Post()
        self.database = sqlite_url(folder / "operator.db")
        cold = signer_of("cold")
        self._cold = cold
        verify = Sr25519Verifier().verify
        genesis = Genesis(
            seed=7, params=ChainParams(tempo=5), balances=((cold.ss58_address, 10**12),)
        )
        self.chain: LocalChain = create_local(folder / "ledger.db", genesis, verify=verify)

    async def found(self, *devices: Device, permitted: bool = True) -> None:
        """Register the operator and one miner for each device."""
        registrar = self.chain.registrar(self._cold)
        await registrar.register(self.operator.identity)
        await registrar.add_stake(self.operator.identity, 10**9)
        for device in devices:
            miner = Miner(f"miner-{device.name}", Backend(device), self.folder, self.clock)
            self.miners[device.name] = miner
            await registrar.register(miner.signer.identity)
            mine = open_local(
                self.folder / "ledger.db", verify=Sr25519Verifier().verify, signer=miner.signer
            )
            await mine.announce(Announcement(miner.url))
            mine.close()
        if permitted:
            await self.chain.produce(5)

    @asynccontextmanager
    async def mining(self) -> AsyncIterator[None]:
        """Let every miner serve inside the block; leaving it kills them."""
        works = []
        for miner in self.miners.values():
            miner.incarnation += 1
            service = miner.service()
            await service.start()
            self.post.apps[miner.name] = httpx.ASGITransport(miner.app(service))
            works.append(asyncio.create_task(service.work()))
        try:
            yield
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            self.post.apps.clear()

    @asynccontextmanager
    async def gateway(self, workshop: Workshop | None = None) -> AsyncIterator[Gateway]:
        """Start a gateway on the operator's store; leaving the block kills it."""
        store = Store(self.database)
        async with httpx.AsyncClient(transport=self.post) as http:
            made = make_gateway(
                store,
                chain=self.chain,
                http=http,
                signer=self.operator,
                secret=bytes(32),
                workshop=workshop or Workshop(read=lambda text, _format: parse(text)),
                now_ns=self.clock,
            )
            await made.market.refresh()
            yield made
            await made.carrier.close()
        store.close()

    async def settle(self, gateway: Gateway) -> None:
        """Drive the gateway until no job is open."""
        async with asyncio.timeout(60):
            left = 1
            while left:
                left, _ = await gateway.carrier.step()
                await asyncio.sleep(0)  # a step that has nothing to wait for does not yield

    def judge(self, device: str, verdict: str = "verified", *, score: float = 10.0) -> None:
        """Write a verdict as this operator's validator would."""
        miner = self.miners[device]
        claimed = miner.backend.device
        document = {
            "class": claimed.device_class.value,
            "num_qubits": claimed.topology.num_qubits,
            "verdict": verdict,
            "grade": "S1" if verdict == "verified" else "S0",
            "reason": "written by a test",
            "score": score if verdict == "verified" else 0.0,
            "fidelity": {"estimate": 0.9, "low": 0.8, "high": 1.0, "estimator": "test"},
        }
        store = Store(self.database)
        with store.write() as connection:
            evaluation.add_verdict(connection, 1, miner.signer.identity, device, document)
        store.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def keys_run(self, device: str) -> list[str]:
        return self.miners[device].backend.executed


@pytest.fixture
def subnet(tmp_path: Path) -> Iterator[Subnet]:
    made = Subnet(tmp_path)
    yield made
    made.chain.close()


@pytest.fixture
def bell() -> str:
    return BELL


@pytest.fixture
def make_line() -> Callable[..., Device]:
    return line


@pytest.fixture
def make_simulator() -> Callable[[str, int], Device]:
    return simulator


@pytest.fixture
def as_json() -> Callable[[Any], str]:
    return json.dumps

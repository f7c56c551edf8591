"""A small subnet in one process: a real ledger, real keys, signed HTTP without sockets.

Every service can be built again on its files at any moment, which is what a restart after a kill
comes to: whatever only memory held is gone. `Town` has the pieces; each test puts its own together.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest
from starlette.types import ASGIApp

from circuits.counts import Counts
from circuits.draws import Draws
from circuits.program import Operation, Program, measure
from circuits.topology import complete
from providers.base import (
    Context,
    Device,
    DeviceClass,
    Job,
    ProgramResult,
    Provider,
    ResultKind,
)
from providers.local import LocalProvider
from qsubnet.chain.calls import Announcement
from qsubnet.chain.genesis import ChainParams, Genesis
from qsubnet.chain.local import LocalChain, create_local, open_local
from qsubnet.directory import ChainDirectory
from qsubnet.dispatcher import Dispatcher
from qsubnet.miner.admission import Permits
from qsubnet.miner.app import OPEN, miner_app
from qsubnet.miner.service import MinerService
from qsubnet.receipts import ReceiptDesk
from qsubnet.store.database import Store, sqlite_url
from qsubnet.store.dispatches import Dispatch
from qsubnet.wire.domain import claim_from_device, request_from_job
from qsubnet.wire.keys import Sr25519Signer, Sr25519Verifier
from qsubnet.wire.nonces import NonceSource, SqliteNonceStore
from qsubnet.wire.signed_app import SignedApp
from qsubnet.wire.signed_client import SignedClient

if TYPE_CHECKING:
    from qsubnet.validating.service import ValidatingService

T = TypeVar("T")

_NOW_NS = 1_752_076_800_000_000_000
TEMPO = 20


def seed_of(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def signer_of(name: str) -> Sr25519Signer:
    return Sr25519Signer(seed_of(name))


class Streets(httpx.AsyncBaseTransport):
    """Delivers a request to the application at its host; nobody at home refuses the connection."""

    def __init__(self) -> None:
        self.apps: dict[str, ASGIApp] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        app = self.apps.get(request.url.host)
        if app is None:
            raise httpx.ConnectError("nobody listens", request=request)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return await transport.handle_async_request(request)


@dataclass
class Backend:
    """What a small miner's machine does, and what it did."""

    device: Device
    answer: Callable[[Job, int], ProgramResult] | None = None
    executed: list[str] = field(default_factory=list)

    def provider(self) -> LocalProvider:
        return LocalProvider(
            "invented", [self.device], execute=self._execute, context=Context(b"seed", lambda: 0)
        )

    def _execute(self, _device: Device, job: Job, index: int, _draws: Draws) -> ProgramResult:
        self.executed.append(job.key)
        if self.answer is not None:
            return self.answer(job, index)
        bits = job.programs[index].num_bits
        return ProgramResult(Counts(bits, {"0" * bits: job.shots}), ResultKind.SHOTS)


@dataclass
class Home:
    """One miner's files and key; `service` is as after a start of its process."""

    town: Town
    name: str
    make: Callable[[], Provider]
    services: int = 0

    @property
    def signer(self) -> Sr25519Signer:
        return signer_of(self.name)

    @property
    def hotkey(self) -> str:
        return self.signer.identity

    async def start(self) -> MinerService:
        """Build the service on this home's files and put it on the street."""
        self.services += 1
        store = self.town.keep(Store(sqlite_url(self.town.folder / f"{self.name}.db")))
        service = MinerService(
            self.make(),
            store=store,
            signer=self.signer,
            now_ms=lambda: _NOW_NS // 1_000_000,
            refresh_epoch=_nothing,
            sleep=_soon,
        )
        await service.start()
        chain = self.town.chain(self.name)
        permits = Permits(chain, now_s=lambda: 0.0)
        self.serve(miner_app(service, admit=permits.admits))
        return service

    def serve(self, app: ASGIApp, *, signer: Sr25519Signer | None = None) -> None:
        """Put an application behind this miner's address, signed by its key unless told."""
        path = self.town.folder / f"{self.name}-nonces.db"
        nonces = self.town.keep(SqliteNonceStore(path, now_ns=lambda: _NOW_NS))
        self.town.streets.apps[f"{self.name}.test"] = SignedApp(
            app,
            signer=signer or self.signer,
            nonces=nonces,
            now_ns=lambda: _NOW_NS,
            open_paths=OPEN,
        )

    def leave(self) -> None:
        """Stop listening, as a killed process does."""
        self.town.streets.apps.pop(f"{self.name}.test", None)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[MinerService]:
        """Start the service and let it work inside the block; after it the process is gone."""
        service = await self.start()
        work = asyncio.create_task(service.work())
        try:
            yield service
        finally:
            self.leave()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


async def _nothing() -> None:
    pass


async def _soon(_seconds: float) -> None:
    await asyncio.sleep(0.001)


class Town:
    """The ledger, and everybody on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.streets = Streets()
        self._opened: list[Any] = []
        self._nonces = NonceSource(now_ns=lambda: _NOW_NS)
        self.cold = signer_of("cold")
        params = ChainParams(tempo=TEMPO, emission_per_epoch_rao=1_000_000)
        balances = ((self.cold.ss58_address, 10**12),)
        self.ledger: LocalChain = self.keep(
            create_local(
                folder / "ledger.db",
                Genesis(seed=7, params=params, balances=balances),
                verify=Sr25519Verifier().verify,
            )
        )

    def keep(self, opened: T) -> T:
        self._opened.append(opened)
        return opened

    def close(self) -> None:
        for opened in reversed(self._opened):
            opened.close()

    def chain(self, name: str) -> LocalChain:
        return self.keep(
            open_local(
                self.folder / "ledger.db",
                verify=Sr25519Verifier().verify,
                signer=signer_of(name),
            )
        )

    async def settle_in(
        self, *, validators: Sequence[str] = ("val",), miners: Sequence[str] = ()
    ) -> None:
        """Register everybody, and end epoch 0, so that validators have their permits."""
        registrar = self.ledger.registrar(self.cold)
        for name in (*validators, *miners):
            await registrar.register(signer_of(name).identity)
        for name in miners:
            await self.chain(name).announce(Announcement(f"http://{name}.test:80"))
        for name in validators:
            await registrar.add_stake(signer_of(name).identity, 1_000)
        await self.ledger.advance_to(TEMPO)

    def home(self, name: str, make: Callable[[], Provider]) -> Home:
        return Home(self, name, make)

    def client(self, name: str, *, timeout_s: float = 10.0) -> SignedClient:
        http = httpx.AsyncClient(transport=self.streets)
        return SignedClient(http, signer=signer_of(name), nonces=self._nonces, timeout_s=timeout_s)

    def store(self, name: str = "val") -> Store:
        return self.keep(Store(sqlite_url(self.folder / f"{name}-operator.db")))

    def store_of(self, home: Home) -> Store:
        """A second connection to a miner's store."""
        return self.keep(Store(sqlite_url(self.folder / f"{home.name}.db")))

    async def directory(self, name: str, *, timeout_s: float = 10.0) -> ChainDirectory:
        directory = ChainDirectory(self.chain(name), self.client(name, timeout_s=timeout_s))
        await directory.refresh()
        return directory

    async def dispatcher(
        self,
        store: Store,
        name: str = "val",
        *,
        timeout_s: float = 10.0,
        patience_s: float = 10.0,
        prompt_s: float = 10.0,
    ) -> Dispatcher:
        return Dispatcher(
            store,
            directory=await self.directory(name, timeout_s=timeout_s),
            desk=ReceiptDesk(signer_of(name)),
            owner=name,
            now_ms=itertools.count(_NOW_NS // 1_000_000).__next__,
            patience_s=patience_s,
            prompt_s=prompt_s,
        )

    async def validator(
        self,
        name: str = "val",
        *,
        store: Store | None = None,
        chain: Any = None,
        prompt_s: float = 10.0,
        timeout_s: float = 10.0,
    ) -> ValidatingService:
        """Build a validating service on its files, as after a start of its process."""
        from qsubnet.validating.service import ValidatingService
        from validator.references.reference import Reference, best_engine

        store = store or self.store(name)
        chain = chain or self.chain(name)
        dispatcher = await self.dispatcher(
            store, name, prompt_s=prompt_s, patience_s=timeout_s, timeout_s=timeout_s
        )
        return ValidatingService(
            chain=chain,
            directory=ChainDirectory(chain, self.client(name, timeout_s=timeout_s)),
            dispatcher=dispatcher,
            desk=ReceiptDesk(signer_of(name)),
            store=store,
            reference=Reference(best_engine()),
            secret=hashlib.sha256(b"secret of " + name.encode()).digest(),
            hotkey=signer_of(name).identity,
        )


def small_device(name: str = "toy", **changes: Any) -> Device:
    values: dict[str, Any] = {
        "name": name,
        "device_class": DeviceClass.SIMULATOR,
        "topology": complete(2, ("cx", "u")),
        "errors": None,
        "provider": "invented",
    }
    return Device(**(values | changes))


def program(bits: int = 2) -> Program:
    operations = (Operation("x", (0,)), *(measure(q, q) for q in range(bits)))
    return Program(bits, bits, operations)


def dispatch_to(
    hotkey: str,
    *,
    number: int = 0,
    device: Device | None = None,
    programs: int = 1,
    shots: int = 10,
    epoch: int = 1,
) -> Dispatch:
    """A test for a miner, ready to be sent."""
    device = device or small_device()
    key = hashlib.sha256(f"job {hotkey} {number}".encode()).hexdigest()
    job = Job(key, device.name, (program(),) * programs, shots)
    return Dispatch(
        job_key=key,
        purpose="test",
        miner_hotkey=hotkey,
        device=device.name,
        claim=claim_from_device(device).model_dump_json(),
        request=request_from_job(job).model_dump_json(),
        epoch=epoch,
    )


async def eventually(look: Callable[[], Awaitable[bool]]) -> None:
    """Wait until `look` is true; a test that waits for ever fails."""
    async with asyncio.timeout(60):
        while not await look():
            await _soon(0)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    built = Town(tmp_path)
    yield built
    built.close()


@dataclass(frozen=True)
class Tools:
    """What tests take from here; a conftest cannot be imported."""

    seed_of: Callable[[str], bytes] = seed_of
    signer_of: Callable[[str], Sr25519Signer] = signer_of
    backend: Callable[..., Backend] = Backend
    device: Callable[..., Device] = small_device
    program: Callable[..., Program] = program
    dispatch_to: Callable[..., Dispatch] = dispatch_to
    eventually: Callable[[Callable[[], Awaitable[bool]]], Coroutine[Any, Any, None]] = eventually
    run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run


@pytest.fixture
def tools() -> Tools:
    return Tools()

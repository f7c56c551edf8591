"""Run a localnet: start the services, let epochs pass, send users' jobs, and read the board.

Blocks are made here, in lockstep: an epoch ends when every validator has set its weights in it. If
one does not for a long time, blocks go on all the same, as they would on a real chain.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qsubnet.chain.model import WeightState
from qsubnet.client import AsyncClient, Connection, write_state_file
from qsubnet.errors import QsubnetError, Unreachable
from qsubnet.localnet import board
from qsubnet.localnet.cast import VALIDATORS, Miner
from qsubnet.localnet.founding import TEMPO, found
from qsubnet.localnet.place import Place, occupied, prepare, write_private
from qsubnet.localnet.processes import Processes, child_environment
from qsubnet.localnet.users import Users, first_devices
from qsubnet.serving import bind
from qsubnet.store.database import sqlite_url

if TYPE_CHECKING:
    from qsubnet.chain.local import LocalChain

log = logging.getLogger(__name__)

_POLL_S = 0.1
_START_S = 180.0
_EPOCH_S = 300.0
_LATE_S = 60.0


@dataclass(frozen=True, slots=True)
class LocalnetOptions:
    """What `qsubnet localnet` was asked for.

    Attributes:
        state: State directory.
        epochs: Epochs to run, at least 1; an interrupted one counts.
        seed: Start anew from it; None resumes.
        fresh: Start anew.
        serve: Keep everything running afterwards, until a signal.
        miners: Names from the cast; none for all.
    """

    state: Path
    epochs: int
    seed: int | None
    fresh: bool
    serve: bool
    miners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """Progress, for whoever watches.

    Attributes:
        text: One sentence.
        lines: The board as it stands, where it has changed.
    """

    text: str
    lines: list[board.Line] | None = None


Watch = Callable[[Moment], None]
Ready = Callable[[str, str], None]
Done = Callable[[dict[str, Any], list[board.Line]], None]


async def run_localnet(options: LocalnetOptions, *, watch: Watch, ready: Ready, done: Done) -> None:
    """Run epochs, tell the board, and go on serving if that was asked for.

    Args:
        options: What to do.
        watch: Hears of every step.
        ready: Hears the gateway's address and key once users are served by verified devices.
        done: Hears the board and its document once the epochs have passed.

    Raises:
        Busy: Another localnet runs in that directory.
        QsubnetError: A service does not start.
    """
    with occupied(options.state):
        place = prepare(
            options.state, seed=options.seed, fresh=options.fresh, miners=options.miners
        )
        # Left by a run that was killed; whoever listens there now must not be sent our key.
        place.gateway_file.unlink(missing_ok=True)
        chain = await found(place)
        processes = Processes(place, child_environment())
        try:
            await _Localnet(place, chain, processes, watch).run(options, ready, done)
        finally:
            watch(Moment("stopping the services"))
            place.gateway_file.unlink(missing_ok=True)
            await processes.close()
            chain.close()


class _Localnet:
    """One run over a prepared place."""

    def __init__(self, place: Place, chain: LocalChain, processes: Processes, watch: Watch) -> None:
        self._place = place
        self._chain = chain
        self._processes = processes
        self._watch = watch

    async def run(self, options: LocalnetOptions, ready: Ready, done: Done) -> None:
        began = time.monotonic()
        self._watch(Moment(f"starting {len(self._place.miners) + len(VALIDATORS) + 1} services"))
        url = await self._start_services()
        started_s = time.monotonic() - began
        self._watch(Moment(f"services are up after {started_s:.1f} s, gateway at {url}"))
        async with AsyncClient(url, self._place.api_key) as client:
            users = Users(client)
            try:
                await self._epochs(options.epochs, users, lambda: ready(url, self._place.api_key))
                await users.settle()
            finally:
                users.abandon()
        lines = await board.read_board(self._place, self._chain)
        result = board.document(
            lines,
            users.tally,
            seed=self._place.seed,
            epochs=options.epochs,
            block=(await self._chain.head()).number,
            state_digest=await self._chain.state_digest(),
            restarts=self._processes.restarts,
            seconds={
                "start": round(started_s, 1),
                "all": round(time.monotonic() - began, 1),
            },
        )
        done(result, lines)
        if options.serve:
            self._watch(Moment("serving until a signal"))
            while True:
                self._check()
                await asyncio.sleep(1.0)

    async def _start_services(self) -> str:
        place, processes = self._place, self._processes
        for miner in place.miners:
            await processes.start(miner.name, _miner_arguments(place, miner))
        listener = bind("127.0.0.1", 0)
        port = listener.getsockname()[1]
        listener.close()
        url = f"http://127.0.0.1:{port}"
        key_file = place.operator(VALIDATORS[0]) / "api-key"
        write_private(key_file, f"localnet {place.api_key}\n")
        await processes.start("gateway", _gateway_arguments(place, port, key_file))
        await self._until(self._miners_serve, _START_S, "the miners to serve")
        for name in VALIDATORS:
            await processes.start(name, _validator_arguments(place, name))
        async with AsyncClient(url, place.api_key) as client:
            names = {miner.name for miner in place.miners}
            await self._until(lambda: _lists(client, names), _START_S, "the gateway's market")
        write_state_file(place.gateway_file, Connection(url, place.api_key))
        return url

    async def _epochs(self, count: int, users: Users, ready: Callable[[], None]) -> None:
        for number in range(count):
            epoch = (await self._chain.metagraph()).epoch
            self._watch(Moment(f"epoch {epoch}: testing every device, users' jobs beside it"))
            users.send(first_devices(self._place.miners) if number == 0 else {})
            await self._pass_epoch(epoch)
            lines = await board.read_board(self._place, self._chain)
            self._watch(Moment(f"epoch {epoch} has ended", lines))
            if number == 0:
                ready()

    async def _pass_epoch(self, epoch: int) -> None:
        """Wait for every validator's weights, then make the blocks up to the next epoch."""
        try:
            await self._until(lambda: self._weights_are_set(epoch), _EPOCH_S, "weights")
        except Unreachable:
            self._watch(Moment(f"epoch {epoch}: a validator is late, its blocks run out"))
            await self._chain.advance_to((epoch + 1) * TEMPO - 1)
            try:
                await self._until(lambda: self._weights_are_set(epoch), _LATE_S, "late weights")
            except Unreachable as error:
                log.warning("epoch without all weights", extra={"error": str(error)})
        await self._chain.advance_to((epoch + 1) * TEMPO)

    async def _weights_are_set(self, epoch: int) -> bool:
        for name in VALIDATORS:
            hotkey = self._place.signer(name).ss58_address
            for mechanism in (0, 1):
                status = await self._chain.weight_status(hotkey, mechanism=mechanism, epoch=epoch)
                if status.state is WeightState.MISSING:
                    return False
        return True

    async def _miners_serve(self) -> bool:
        """True once every miner has announced itself in this run."""
        neurons = {neuron.hotkey: neuron for neuron in (await self._chain.metagraph()).neurons}
        for miner in self._place.miners:
            neuron = neurons.get(self._place.signer(miner.name).ss58_address)
            if neuron is None or neuron.endpoint is None or not await _health(neuron.endpoint):
                return False
        return True

    async def _until(self, holds: Callable[[], Any], limit_s: float, what: str) -> None:
        """Poll until `holds()` does.

        Raises:
            Unreachable: It did not in `limit_s`.
        """
        deadline = time.monotonic() + limit_s
        while not await holds():
            self._check()
            if time.monotonic() > deadline:
                raise Unreachable(f"waited {limit_s:g} s in vain for {what}")
            await asyncio.sleep(_POLL_S)

    def _check(self) -> None:
        if self._processes.failure:
            raise QsubnetError(str(self._processes.failure))


async def _health(endpoint: str) -> bool:
    import httpx

    try:
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
            return (await http.get(endpoint + "/v1/health")).status_code == 200
    except httpx.TransportError:
        return False


async def _lists(client: AsyncClient, names: set[str]) -> bool:
    """True once the gateway answers and has heard of every device."""
    try:
        return names <= {device.name for device in await client.devices()}
    except Unreachable:
        return False


def _miner_arguments(place: Place, miner: Miner) -> list[str]:
    return [
        "miner",
        "serve",
        f"--adapter={miner.adapter}",
        f"--options={json.dumps(dict(miner.options))}",
        f"--key-file={place.key_file(miner.name)}",
        f"--ledger={place.ledger}",
        f"--state={place.miner(miner.name)}",
        f"--seed={place.seed}/{miner.name}",
    ]


def _operator_arguments(place: Place, name: str) -> list[str]:
    return [
        f"--key-file={place.key_file(name)}",
        f"--ledger={place.ledger}",
        f"--state={place.operator(name)}",
        f"--database={sqlite_url(place.operator(name) / 'operator.db')}",
    ]


def _gateway_arguments(place: Place, port: int, key_file: Path) -> list[str]:
    return [
        "gateway",
        "serve",
        *_operator_arguments(place, VALIDATORS[0]),
        f"--port={port}",
        f"--api-key-file={key_file}",
    ]


def _validator_arguments(place: Place, name: str) -> list[str]:
    return ["validator", "run", "--wait", "--every=0.2", *_operator_arguments(place, name)]

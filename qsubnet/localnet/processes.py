"""The services of a localnet as child processes: started, watched, started again, ended.

Each child has its own session, so that Ctrl-C reaches localnet alone and localnet ends the children
in order; each reads our end of a pipe on its stdin and ends when that closes, so that no child
outlives a localnet that was killed. A child that ends by itself is started again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qsubnet.localnet.place import Place

log = logging.getLogger(__name__)

_GRACE_S = 8.0
_PAUSE_S = 0.2
_QUICK_END_S = 20.0
_MOST_QUICK_ENDS = 4

UNTIL_STDIN_CLOSES = "--until-stdin-closes"


@dataclass(slots=True)
class Service:
    """One child process.

    Attributes:
        name: Of the service and of its log.
        arguments: Of the `qsubnet` command.
        restarts: How often it ended by itself.
    """

    name: str
    arguments: Sequence[str]
    restarts: int = 0
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)


class ServiceKeepsEnding(Exception):
    """A service ends again and again right after its start."""


class Processes:
    """Runs services until it is closed.

    Args:
        place: Where logs and the list of processes go.
        environment: Of the children.
    """

    def __init__(self, place: Place, environment: Mapping[str, str]) -> None:
        self._place = place
        self._environment = dict(environment)
        self._services: dict[str, Service] = {}
        self._watches: list[asyncio.Task[None]] = []
        self._closing = False
        self.failure: ServiceKeepsEnding | None = None

    @property
    def restarts(self) -> int:
        """How often any service ended by itself."""
        return sum(service.restarts for service in self._services.values())

    async def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start a service and watch it."""
        service = Service(name, [*arguments, UNTIL_STDIN_CLOSES])
        self._services[name] = service
        await self._spawn(service)
        self._watches.append(asyncio.create_task(self._watch(service)))

    async def close(self) -> None:
        """End every service, gently first, and wait until all are gone."""
        self._closing = True
        running = [s.process for s in self._services.values() if _runs(s.process)]
        for process in running:
            if process and process.stdin:
                process.stdin.close()
            if process:
                process.terminate()
        waits = [asyncio.create_task(process.wait()) for process in running if process]
        if waits:
            _, late = await asyncio.wait(waits, timeout=_GRACE_S)
            if late:
                for process in running:
                    if process and _runs(process):
                        process.kill()
                await asyncio.wait(late)
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        self._place.processes_file.unlink(missing_ok=True)

    async def _spawn(self, service: Service) -> None:
        with self._place.log_file(service.name).open("ab") as log_file:
            service.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "qsubnet.cli",
                *service.arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=log_file,
                stderr=log_file,
                env=self._environment,
                start_new_session=True,
            )
        self._tell()

    async def _watch(self, service: Service) -> None:
        """Start the service again whenever it ends, until it ends too quickly too often."""
        quick_ends = 0
        while service.process is not None:
            started = asyncio.get_running_loop().time()
            code = await service.process.wait()
            if self._closing:
                return
            service.restarts += 1
            quick = asyncio.get_running_loop().time() - started < _QUICK_END_S
            # A negative code is a signal: somebody killed it, which says nothing about the service.
            quick_ends = quick_ends + 1 if quick and code > 0 else 0
            if quick_ends >= _MOST_QUICK_ENDS:
                path = self._place.log_file(service.name)
                self.failure = ServiceKeepsEnding(
                    f"{service.name} ended {quick_ends} times right after its start "
                    f"(exit code {code}); see {path}"
                )
                return
            log.warning("restarting", extra={"service": service.name, "exit_code": code})
            await asyncio.sleep(_PAUSE_S)
            if not self._closing:
                await self._spawn(service)

    def _tell(self) -> None:
        """Write down which processes run, for whoever wants to look or to kill one."""
        table = {s.name: s.process.pid for s in self._services.values() if s.process}
        draft = self._place.processes_file.with_suffix(".draft")
        draft.write_text(json.dumps(table, indent=1) + "\n")
        draft.replace(self._place.processes_file)


def _runs(process: asyncio.subprocess.Process | None) -> bool:
    return process is not None and process.returncode is None


def child_environment() -> dict[str, str]:
    """Give the children our environment, quiet about threads that would only spin."""
    calm = {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("QSUBNET_")}
    return {**calm, **inherited}

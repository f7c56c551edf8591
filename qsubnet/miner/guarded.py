"""A provider behind a border: its words without credentials, its calls timed and counted.

Everything that an adapter says reaches the miner through here: errors, records, calibrations. An
error keeps its class, which says what to do, and its sentence, redacted; its cause stays behind,
because a traceback shows the unredacted one.

Blind spot: an error that is none of `providers.errors` is a bug in the adapter and passes as it
is, for the log, which redacts by itself.
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from providers import errors
from providers.errors import NotReady, ProviderError, RetryLater
from providers.vendor import Withdrawing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from providers.base import Device, Handle, Job, JobResult, JobState, Json, Provider, Quote
    from qsubnet.miner.redaction import Redactor

T = TypeVar("T")


class Observer(Protocol):
    """Hears how each call to the backend went."""

    def called(self, call: str, *, seconds: float, error: str) -> None:
        """Take one call; `error` is the class of a `ProviderError`, or empty."""
        ...


class Nobody:
    """An observer that forgets."""

    def called(self, call: str, *, seconds: float, error: str) -> None:
        """Forget it."""


class Guarded:
    """The whole Provider protocol around another one.

    Args:
        inner: Does the work.
        redactor: Masks credentials in what it says.
        observer: Hears of every call.
        now_s: A clock that never goes back, in seconds.
    """

    def __init__(
        self,
        inner: Provider,
        *,
        redactor: Redactor,
        observer: Observer,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._redactor = redactor
        self._observer = observer
        self._now_s = now_s
        self._reachable = True

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        return self._inner.name

    @property
    def reachable(self) -> bool:
        """False after a call that has to be tried again, until one goes through."""
        return self._reachable

    async def devices(self) -> tuple[Device, ...]:
        """Describe every device on offer."""
        return await self._asked("devices", self._inner.devices())

    async def submit(self, job: Job) -> Handle:
        """Start `job`, or return the handle of the job that has its key already."""
        return await self._asked("submit", self._inner.submit(job))

    async def find(self, key: str) -> Handle | None:
        """Look a job up by its key."""
        return await self._asked("find", self._inner.find(key))

    async def state(self, handle: Handle) -> JobState:
        """Tell where the job stands."""
        return await self._asked("state", self._inner.state(handle))

    async def result(self, handle: Handle) -> JobResult:
        """Fetch the results of a completed job, its record without credentials."""
        found = await self._asked("result", self._inner.result(handle))
        return dataclasses.replace(found, backend_record=self._clean(found.backend_record))

    async def cancel(self, handle: Handle) -> None:
        """Ask the backend to stop the job."""
        await self._asked("cancel", self._inner.cancel(handle))

    async def withdraw(self, key: str) -> None:
        """Ask the backend to stop the job of this key; nothing where it needs a handle for it."""
        if isinstance(self._inner, Withdrawing):
            await self._asked("withdraw", self._inner.withdraw(key))

    async def calibration(self, device: str) -> Mapping[str, Json]:
        """Give the backend's own calibration record, without credentials."""
        return self._clean(await self._asked("calibration", self._inner.calibration(device)))

    async def quote(self, job: Job) -> Quote:
        """Tell what `job` would cost."""
        return await self._asked("quote", self._inner.quote(job))

    async def _asked(self, call: str, answer: Awaitable[T]) -> T:
        began, failure = self._now_s(), ""
        try:
            found = await answer
        except ProviderError as error:
            failure = _known(error).__name__
            # Any answer of the backend's own, a refusal too, shows that it is there.
            self._reachable = not isinstance(error, RetryLater)
            raise _known(error)(self._redactor.text(str(error))) from None
        else:
            self._reachable = True
            return found
        finally:
            if failure != NotReady.__name__:
                self._observer.called(call, seconds=self._now_s() - began, error=failure)

    def _clean(self, record: Mapping[str, Json]) -> Mapping[str, Json]:
        cleaned = self._redactor.json(dict(record))
        return cleaned if isinstance(cleaned, dict) else {}


def _known(error: ProviderError) -> type[ProviderError]:
    """Find the class in the providers' tree of errors; an adapter may have derived its own."""
    for kind in type(error).__mro__:
        if kind.__module__ == errors.__name__ and issubclass(kind, ProviderError):
            return kind
    return ProviderError

"""The guard before a backend: same errors by class, no credentials in their words, calls timed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from providers import errors
from providers.base import Handle, JobResult, ProgramResult
from qsubnet.miner.guarded import Guarded
from qsubnet.miner.redaction import Redactor

KEY = "planted-credential-1"
HANDLE = Handle("x", "y", "0" * 64, "z")

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.ProviderError)
]


class Leaky:
    """A backend whose every word repeats its credential."""

    name = "leaky"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def _maybe(self) -> None:
        if self.error is not None:
            raise self.error

    async def state(self, _handle: Handle) -> Any:
        self._maybe()
        return "running"

    async def result(self, handle: Handle) -> JobResult:
        self._maybe()
        results: tuple[ProgramResult, ...] = ()
        return JobResult(results, handle.backend_job_id, {"sent": {"X-Key": KEY}, "shots": 3})

    async def withdraw(self, _key: str) -> None:
        self._maybe()

    async def calibration(self, _device: str) -> dict[str, Any]:
        return {"url": f"https://x/?apikey={KEY}"}


class Heard:
    """An observer with a memory."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float, str]] = []

    def called(self, call: str, *, seconds: float, error: str) -> None:
        self.calls.append((call, seconds, error))


def _guarded(inner: Any, heard: Heard | None = None) -> Guarded:
    ticks = itertools.count(0.0, 0.5)
    return Guarded(inner, redactor=Redactor([KEY]), observer=heard or Heard(), now_s=ticks.__next__)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_keeps_its_class_and_loses_the_credential(
    kind: type[Exception], tools: Any
) -> None:
    with pytest.raises(kind) as caught:
        tools.run(_guarded(Leaky(kind(f"401 for {KEY}"))).state(HANDLE))
    assert type(caught.value) is kind
    assert str(caught.value) == "401 for [redacted]"
    assert caught.value.__suppress_context__  # a traceback shows no unredacted cause
    assert caught.value.__cause__ is None


def test_an_adapter_s_own_kind_of_error_becomes_the_nearest_of_ours(tools: Any) -> None:
    class Throttled(errors.RetryLater):
        def __init__(self, status: int) -> None:
            super().__init__(f"{status} for {KEY}")

    with pytest.raises(errors.RetryLater, match=r"^429 for \[redacted\]$") as caught:
        tools.run(_guarded(Leaky(Throttled(429))).state(HANDLE))
    assert type(caught.value) is errors.RetryLater


def test_records_and_calibrations_lose_credentials_and_nothing_else(tools: Any) -> None:
    guarded = _guarded(Leaky())
    found = tools.run(guarded.result(HANDLE))
    assert found.backend_record == {"sent": {"X-Key": "[redacted]"}, "shots": 3}
    assert tools.run(guarded.calibration("y")) == {"url": "https://x/?apikey=[redacted]"}


def test_calls_are_timed_and_failures_counted_by_class(tools: Any) -> None:
    heard, inner = Heard(), Leaky()
    guarded = _guarded(inner, heard)
    tools.run(guarded.state(HANDLE))
    inner.error = errors.JobFailed("warm")
    with pytest.raises(errors.JobFailed):
        tools.run(guarded.result(HANDLE))
    assert heard.calls == [("state", 0.5, ""), ("result", 0.5, "JobFailed")]


def test_a_backend_is_out_of_reach_from_one_retry_until_it_answers_again(tools: Any) -> None:
    inner = Leaky(errors.RetryLater("no connection"))
    guarded = _guarded(inner)
    assert guarded.reachable
    with pytest.raises(errors.RetryLater):
        tools.run(guarded.state(HANDLE))
    assert not guarded.reachable
    inner.error = errors.Rejected("a refusal is an answer")
    with pytest.raises(errors.Rejected):
        tools.run(guarded.state(HANDLE))
    assert guarded.reachable


def test_a_bug_in_an_adapter_passes_as_it_is(tools: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        tools.run(_guarded(Leaky(ZeroDivisionError("bug"))).state(HANDLE))


def test_a_withdrawal_is_passed_on_as_every_call(tools: Any) -> None:
    heard = Heard()
    guarded = _guarded(Leaky(errors.RetryLater(f"503 for {KEY}")), heard)
    with pytest.raises(errors.RetryLater, match=r"^503 for \[redacted\]$"):
        tools.run(guarded.withdraw("0" * 64))
    assert heard.calls == [("withdraw", 0.5, "RetryLater")]


def test_a_backend_that_cannot_withdraw_is_not_asked_to(tools: Any) -> None:
    heard = Heard()
    tools.run(_guarded(object(), heard).withdraw("0" * 64))
    assert heard.calls == []

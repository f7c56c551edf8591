"""A miner's metrics: counted as things happen, and asked of the store when somebody looks."""

from __future__ import annotations

from typing import Any

from providers.base import JobState
from qsubnet.miner.metrics import MinerMetrics
from qsubnet.wire.peer import JobRequest


def test_calls_errors_refusals_and_ends_are_counted_by_their_words() -> None:
    metrics = MinerMetrics()
    metrics.called("submit", seconds=0.3, error="")
    metrics.called("submit", seconds=0.1, error="RetryLater")
    metrics.refused("busy")
    metrics.ended(JobState.COMPLETED, 90.0)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"qsubnet_miner_{name}", labels)

    assert value("backend_seconds_count", call="submit") == 2
    assert value("backend_seconds_sum", call="submit") == 0.4
    assert value("backend_errors_total", call="submit", error="RetryLater") == 1
    assert value("refusals_total", reason="busy") == 1
    assert value("job_seconds_bucket", state="completed", le="60.0") == 0
    assert value("job_seconds_bucket", state="completed", le="600.0") == 1


def test_jobs_and_queue_are_what_the_store_says_at_that_moment(town: Any, tools: Any) -> None:
    async def story() -> None:
        await town.settle_in(miners=["m"])
        home = town.home("m", tools.backend(tools.device()).provider)
        service, metrics = await home.start(), MinerMetrics()
        metrics.watch(service)

        def value(name: str, **labels: str) -> float | None:
            return metrics.registry.get_sample_value(f"qsubnet_miner_{name}", labels)

        assert (value("jobs", state="queued"), value("queue_length")) == (0, 0)
        for number in range(3):
            text = tools.dispatch_to(home.hotkey, number=number).request
            request = JobRequest.model_validate_json(text)
            await service.accept(request, requester="val")
        await service.cancel(tools.dispatch_to(home.hotkey).job_key, requester="val")
        assert (value("jobs", state="queued"), value("jobs", state="cancelled")) == (2, 1)
        assert (value("queue_length"), value("jobs_under_way")) == (2, 0)
        assert (value("accepting"), value("maintenance")) == (1, 0)
        service.gate.drain()
        assert (value("accepting"), value("maintenance")) == (0, 0)

    tools.run(story())

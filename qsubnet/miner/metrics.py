"""A miner's metrics: jobs, queue, backend and refusals, by closed sets of labels.

Jobs and queue are counted in the store whenever somebody looks; the rest is counted as it happens
and begins at zero with every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily

from qsubnet.telemetry import new_registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

    from providers.base import JobState
    from qsubnet.miner.service import MinerService

PREFIX: Final = "qsubnet_miner"
_CALL_BUCKETS: Final = (0.01, 0.05, 0.2, 1.0, 5.0, 20.0, 60.0)
_JOB_BUCKETS: Final = (0.1, 0.5, 2.0, 10.0, 60.0, 600.0, 3_600.0, 21_600.0, 86_400.0)


class MinerMetrics:
    """Counts; `called` makes it an observer of the backend (`qsubnet.miner.guarded`)."""

    def __init__(self) -> None:
        self.registry: CollectorRegistry = new_registry("miner")
        self._refusals = Counter(
            f"{PREFIX}_refusals",
            "Jobs that were not taken, by the last word of the problem's type.",
            ["reason"],
            registry=self.registry,
        )
        self._calls = Histogram(
            f"{PREFIX}_backend_seconds",
            "Time that a call to the backend took.",
            ["call"],
            registry=self.registry,
            buckets=_CALL_BUCKETS,
        )
        self._errors = Counter(
            f"{PREFIX}_backend_errors",
            "Calls to the backend that failed, by the class of the error.",
            ["call", "error"],
            registry=self.registry,
        )
        self._jobs = Histogram(
            f"{PREFIX}_job_seconds",
            "Time from a job's acceptance to its end.",
            ["state"],
            registry=self.registry,
            buckets=_JOB_BUCKETS,
        )

    def watch(self, service: MinerService) -> None:
        """Show what the service's store and gate say."""
        self.registry.register(_Standing(service))

    def called(self, call: str, *, seconds: float, error: str) -> None:
        """Take one call to the backend."""
        self._calls.labels(call=call).observe(seconds)
        if error:
            self._errors.labels(call=call, error=error).inc()

    def refused(self, reason: str) -> None:
        """Take one refusal."""
        self._refusals.labels(reason=reason).inc()

    def ended(self, state: JobState, seconds: float) -> None:
        """Take the end of one job."""
        self._jobs.labels(state=state.value).observe(seconds)


class _Standing:
    """Asks the service whenever somebody looks."""

    def __init__(self, service: MinerService) -> None:
        self._service = service

    def collect(self) -> Iterable[Metric]:
        """Give the gauges of this moment."""
        service = self._service
        jobs = GaugeMetricFamily(f"{PREFIX}_jobs", "Jobs in the store.", labels=["state"])
        for state, count in service.jobs_by_state().items():
            jobs.add_metric([state.value], count)
        yield jobs
        yield GaugeMetricFamily(
            f"{PREFIX}_queue_length",
            "Jobs that wait for their turn.",
            value=service.worker.queue_length(),
        )
        yield GaugeMetricFamily(
            f"{PREFIX}_jobs_under_way",
            "Jobs at the backend, or on their way there or back.",
            value=service.worker.under_way,
        )
        closed = service.gate.closed()
        yield GaugeMetricFamily(
            f"{PREFIX}_accepting", "1 while new jobs are taken.", value=float(closed is None)
        )
        yield GaugeMetricFamily(
            f"{PREFIX}_maintenance",
            "1 within a declared window of maintenance.",
            value=float(closed is not None and closed.word == "maintenance"),
        )

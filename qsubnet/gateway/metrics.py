"""A gateway's metrics: requests (`qsubnet.telemetry`), jobs, dispatches and what is on offer.

No label names an account, a job or a hotkey. Everything here is counted whenever somebody looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.core import GaugeMetricFamily

from qsubnet.store.counting import dispatches_by_state
from qsubnet.telemetry import new_registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

    from qsubnet.gateway.service import GatewayService
    from qsubnet.store.database import Store

PREFIX: Final = "qsubnet_gateway"


def gateway_registry(service: GatewayService, *, store: Store) -> CollectorRegistry:
    """Make the registry of a gateway."""
    registry = new_registry("gateway")
    registry.register(_Standing(service, store))
    return registry


def obstacles(service: GatewayService) -> list[str]:
    """Say what stands in the way of new jobs."""
    health = service.health()
    found = []
    if health.status != "ok":
        found.append("the gateway's hotkey may not send jobs yet")
    if not health.devices:
        found.append("no device is on offer")
    return found


class _Standing:
    """Asks service and store whenever somebody looks."""

    def __init__(self, service: GatewayService, store: Store) -> None:
        self._service = service
        self._store = store

    def collect(self) -> Iterable[Metric]:
        """Give the gauges of this moment."""
        health = self._service.health()
        yield GaugeMetricFamily(
            f"{PREFIX}_jobs_open", "Users' jobs that have not ended.", value=health.jobs_open
        )
        sent = GaugeMetricFamily(
            f"{PREFIX}_dispatches", "Users' jobs as handed to miners.", labels=["state"]
        )
        with self._store.read() as connection:
            for state, count in dispatches_by_state(connection, "user").items():
                sent.add_metric([state.value], count)
        yield sent
        yield GaugeMetricFamily(f"{PREFIX}_devices", "Devices on offer.", value=health.devices)
        yield GaugeMetricFamily(
            f"{PREFIX}_permitted",
            "1 while the gateway's hotkey may send jobs.",
            value=float(health.status == "ok"),
        )

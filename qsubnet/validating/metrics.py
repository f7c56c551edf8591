"""A validator's metrics, as a file for node exporter's textfile collector.

A run from cron ends before anybody could ask it, so it leaves a file. The file appears whole or not
at all. Only the time of the last success is taken over from the file before.

Source: node exporter's textfile collector; the file must end in `.prom` to be read.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from prometheus_client import Gauge, write_to_textfile
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import SQLAlchemyError

from qsubnet.store import counting
from qsubnet.telemetry import new_registry

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from qsubnet.store.database import Store
    from qsubnet.validating.service import Round

log = logging.getLogger(__name__)

PREFIX: Final = "qsubnet_validator"
_LAST_SUCCESS: Final = f"{PREFIX}_last_success_timestamp_seconds"


def write_metrics(
    path: Path, *, store: Store, found: Round | None, seconds: float, now_s: float
) -> None:
    """Write what a round found; a file that cannot be written is logged and ends nothing.

    Args:
        path: The file, in an existing folder.
        store: The operator's.
        found: The round; None if it failed.
        seconds: How long it took.
        now_s: Unix time in seconds.
    """
    try:
        last = now_s if found is not None else _last_success(path)
        registry = validator_registry(
            store, found=found, seconds=seconds, now_s=now_s, last_success_s=last
        )
        write_to_textfile(str(path), registry)
    except (OSError, ValueError, SQLAlchemyError) as error:
        log.warning("metrics not written", extra={"path": str(path), "error": str(error)})


def validator_registry(
    store: Store,
    *,
    found: Round | None,
    seconds: float,
    now_s: float,
    last_success_s: float | None,
) -> CollectorRegistry:
    """Fill a registry with what a round found, see `write_metrics`."""
    registry = new_registry("validator")

    def gauge(name: str, text: str, value: float) -> None:
        Gauge(f"{PREFIX}_{name}", text, registry=registry).set(value)

    gauge("last_run_timestamp_seconds", "When the last round ended, Unix time.", now_s)
    gauge("last_run_success", "1 if the last round went through.", float(found is not None))
    if last_success_s is not None:
        Gauge(_LAST_SUCCESS, "When a round went through last.", registry=registry).set(
            last_success_s
        )
    gauge("round_seconds", "How long the last round took.", seconds)
    if found is not None:
        gauge("epoch", "The open epoch.", found.epoch)
        gauge("open_tests", "Tests of the epoch that have not ended.", found.open_tests)
        gauge("epoch_closed", "1 once the epoch's weights were sent.", float(found.closed))
        _from_store(registry, store, epoch=found.epoch)
    return registry


def _from_store(registry: CollectorRegistry, store: Store, *, epoch: int) -> None:
    with store.read() as connection:
        records = counting.record_count(connection)
        verdicts = counting.devices_by_verdict(connection)
        weights = counting.weights_taken(connection, epoch)
    Gauge(f"{PREFIX}_records", "Records of all epochs.", registry=registry).set(records)
    devices = Gauge(
        f"{PREFIX}_devices", "Devices by their newest verdict.", ["verdict"], registry=registry
    )
    for word, count in verdicts.items():
        devices.labels(verdict=word).set(count)
    taken = Gauge(
        f"{PREFIX}_weights_set",
        "1 if the chain took the epoch's weights.",
        ["mechanism"],
        registry=registry,
    )
    for mechanism, done in weights.items():
        taken.labels(mechanism=str(mechanism)).set(float(done))


def _last_success(path: Path) -> float | None:
    """Read the time of the last success from the file before; None where there is none."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == _LAST_SUCCESS:
                return float(sample.value)
    return None

"""What Open Quantum answers: quotes, counts, and records without their signed addresses.

Counts are {bitstring: count}, classical bit 0 rightmost, and are taken exactly as they are: its own
SDK fills missing shots up with zeros, which is never done here.
Source: openquantum-sdk 1.0.0 (`enums`, `models`), its Qiskit plugin 1.0.0 (`oq_sampler`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from circuits.counts import Counts
from circuits.errors import CircuitError
from providers.errors import AdapterFault, Rejected
from providers.rest import entries, item, text

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Json

PLANS = {
    "private": "f83fd52f-c691-470f-9521-26b81c4e53bd",
    "public": "072f7eb6-574b-4bae-aafa-d3399c4abe7a",
}
PRIORITIES = {
    "standard": "0f7b91a3-d1bf-46fb-af9c-55b77fa72bed",
    "priority": "4ea2b9de-2d20-46d4-b1b5-0b71537a584f",
    "instant": "74cebc3d-14d8-455d-900e-daedc1566384",
}


def chosen(quoted: Json, *, plan: str, priority: str) -> tuple[str, str, float]:
    """Find a plan and a priority in a quote.

    Returns:
        Plan id, priority id, credits in all.

    Raises:
        Rejected: They are not offered; the cheapest one never takes their place.

    Example:
        >>> pace = {"queue_priority_id": PRIORITIES["standard"], "price_increase": 1}
        >>> offer = {"execution_plan_id": PLANS["private"], "price": 4, "queue_priorities": [pace]}
        >>> chosen([offer], plan="private", priority="standard")[2]
        5
    """
    wanted, pace = PLANS[plan], PRIORITIES[priority]
    for offer in entries(quoted, vendor="openquantum"):
        if text(offer, "execution_plan_id", vendor="openquantum") != wanted:
            continue
        paces = item(offer, "queue_priorities", vendor="openquantum")
        for one in entries(paces, vendor="openquantum"):
            if text(one, "queue_priority_id", vendor="openquantum") == pace:
                return wanted, pace, _credits(offer, "price") + _credits(one, "price_increase")
    raise Rejected(f"openquantum quotes no plan {plan!r} with priority {priority!r}")


def _credits(entry: Json, name: str) -> float:
    value = item(entry, name, vendor="openquantum")
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise AdapterFault(f"openquantum quotes {name} = {str(value)[:40]!r}, need a number >= 0")
    return value


def counts_of(content: Json, program: Program) -> Counts:
    """Read {bitstring: count}, bit 0 rightmost, exactly as it is."""
    if not isinstance(content, dict):
        raise AdapterFault(f"openquantum: need an object of counts, got {str(content)[:80]}")
    table = {key: value for key, value in content.items() if isinstance(value, int)}
    if len(table) < len(content):
        raise AdapterFault(f"openquantum: need whole numbers of shots, got {str(content)[:80]}")
    try:
        return Counts(program.num_bits, table)
    except CircuitError as error:
        raise AdapterFault(f"openquantum's counts: {error}") from None


def hostly(job: Json) -> Json:
    """The job's record, its signed addresses cut down to their hosts."""
    if not isinstance(job, dict):
        return job
    return {
        key: f"{urlsplit(value).scheme}://{urlsplit(value).netloc}/..."
        if key.endswith("_url") and isinstance(value, str)
        else value
        for key, value in job.items()
    }

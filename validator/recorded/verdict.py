"""The verdict on recorded executions: the table of `validator.verdict`, and what it assumes here.

Three sentences are added to that table and nothing is taken away. Without a sheet the device is
judged as a `qpu` that promises nothing; a `simulator` is shown to be exact only by circuits on all
the qubits that it claims; a wrong order of bits is named.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from circuits.topology import Topology
from providers.base import Device, DeviceClass, ErrorRates
from validator.hardware import CHEAP_CLASSES
from validator.mistakes import MISTAKE_THRESHOLD
from validator.recorded.order import Order
from validator.score import Grade
from validator.verdict import Outcome, Verdict, judge

if TYPE_CHECKING:
    from validator.recorded.evidence import Recorded

__all__ = ["UNCLAIMED", "judge_recorded"]

UNCLAIMED = Device(
    "unnamed",
    DeviceClass.QPU,
    Topology(1, (), ("rz", "sx")),
    ErrorRates((1.0,), (), (1.0,)),
    "records",
)
"""Stands in where there is no sheet: a `qpu` that promises nothing."""


def judge_recorded(found: Recorded) -> Verdict:
    """Judge the device that the records are of."""
    verdict = judge(found.evidence, found.device or UNCLAIMED)
    silent = [name for name in CHEAP_CLASSES if name in found.evidence.hardware]
    silent = [name for name in silent if name.value not in found.classes]
    if verdict.outcome is Outcome.UNVERIFIED and silent and found.evidence.shots_used:
        words = f"{verdict.reason} (no data on {', '.join(silent)})"
        verdict = replace(verdict, reason=words)
    if verdict.outcome is Outcome.MISCONFIGURED and _permuted(found):
        words = f"the answers match if they are read with {found.order}"
        numbers = verdict.reason[verdict.reason.rfind("(") :]
        return replace(verdict, reason=f"{words} {numbers}")
    if found.device is None and verdict.outcome in (Outcome.VERIFIED, Outcome.UNVERIFIED):
        return replace(
            verdict, reason=f"judged as a qpu, for no record has a sheet: {verdict.reason}"
        )
    if verdict.outcome is Outcome.VERIFIED and _too_narrow(found):
        width = found.device.topology.num_qubits if found.device else 0
        reason = f"no recorded circuit uses all {width} qubits that the sheet claims"
        return Verdict(Outcome.UNVERIFIED, Grade.S0, reason, 0.0, found.evidence)
    return verdict


def _permuted(found: Recorded) -> bool:
    """Tell whether an order other than the plainly reversed one decided."""
    evidence = found.evidence
    return (
        found.order is not Order.REVERSED
        and evidence.reversed_bits < MISTAKE_THRESHOLD <= evidence.permuted_bits
    )


def _too_narrow(found: Recorded) -> bool:
    device = found.device
    return (
        device is not None and device.device_class is DeviceClass.SIMULATOR and not found.at_width
    )

"""How long the circuits of a decay are: from one layer to about what the sheet says is 1/e.

Assumes nothing but uses the sheet: where the device is worse than it, the longest circuits say less
and the estimate is wider, not wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from providers.base import Device

EXACT: Final = (1, 8, 32)
"""Where there is no sheet."""

_SHORTEST, _LONGEST = 3, 64


def decay_lengths(device: Device, *, qubits: int, pairs: int) -> tuple[int, ...]:
    """Choose three lengths for layers of so many one-qubit and two-qubit gates.

    Args:
        device: Its worst two-qubit rate and mean one-qubit rate count.
        qubits: One-qubit gates of a layer.
        pairs: Two-qubit gates of a layer.

    Example:
        >>> from circuits.topology import Topology
        >>> from providers.base import Device, DeviceClass, ErrorRates
        >>> rates = ErrorRates((0.0, 0.0), (0.02,), (0.0, 0.0))
        >>> pair = Topology(2, ((0, 1),), ("cz", "rz", "sx"))
        >>> decay_lengths(Device("d", DeviceClass.QPU, pair, rates, "aer"), qubits=2, pairs=1)
        (1, 10, 40)
    """
    sheet = device.errors
    if sheet is None:
        return EXACT
    one = sum(sheet.one_qubit) / len(sheet.one_qubit)
    error = 1.5 * qubits * one + 1.25 * pairs * max(sheet.two_qubit)
    longest = _LONGEST if error * _LONGEST <= 1.0 else max(_SHORTEST, round(1.0 / error))
    return (1, max(2, longest // 4), longest)

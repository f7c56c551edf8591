"""What a device's own sheet promises for one circuit, and the floor below which that is accused.

Vendors' error rates are average gate infidelities r; products of survival need process units.
Assumes: the sheet lists one rate for every operation that the circuit uses. Blind spot: real
devices run simultaneous layers at 2-3 times their sheet at 20 qubits and far more at 100, which
is why the floor is the cube of the claim, halved, and why wide circuits never accuse.
Source: M. A. Nielsen, Phys. Lett. A 303, 249 (2002) (average against process infidelity).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

__all__ = ["LEAST_CLAIM", "WIDEST_ACCUSED", "Measure", "accusation_floor", "claimed_fidelity"]

WIDEST_ACCUSED = 20
LEAST_CLAIM = 0.5


class Measure(StrEnum):
    """Which success a circuit is scored by: polarization S, or the rate of exact hits."""

    POLARIZATION = "polarization"
    HITS = "hits"


def _survival(rates: Sequence[float], factor: float) -> float:
    for rate in rates:
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"need error rates in [0, 1], got {rate}")
    return math.prod(max(0.0, 1.0 - factor * rate) for rate in rates)


def claimed_fidelity(
    *,
    two_qubit: Sequence[float] = (),
    one_qubit: Sequence[float] = (),
    readout: Sequence[float] = (),
    measure: Measure = Measure.POLARIZATION,
) -> float:
    """Return F_claim = prod(1 - e) in process units, one entry per operation of the circuit.

    Factors: 1 - 5r/4 per two-qubit gate, 1 - 3r/2 per one-qubit gate, readout 1 - 3e/2 for
    polarization and 1 - e for hits.

    Args:
        two_qubit: Average infidelity r of each two-qubit gate executed.
        one_qubit: The same for each one-qubit gate.
        readout: Assignment error e of each measured qubit, averaged over 0 and 1.
        measure: What the circuit will be scored by.

    Raises:
        ValueError: A rate lies outside [0, 1].

    Example:
        >>> round(claimed_fidelity(two_qubit=[0.01] * 10, readout=[0.02] * 4), 4)
        0.7807
    """
    readout_factor = 1.5 if measure is Measure.POLARIZATION else 1.0
    return (
        _survival(two_qubit, 1.25) * _survival(one_qubit, 1.5) * _survival(readout, readout_factor)
    )


def accusation_floor(claim: float, *, width: int) -> float | None:
    """Return the success F_claim^3 / 2 below which a circuit speaks against its device.

    To be frozen before the answer is known.

    Args:
        claim: F_claim of the circuit, 0 .. 1.
        width: Number of qubits.

    Returns:
        The floor, or None where the circuit may measure but never accuse: more than 20 qubits,
        or a claim below .5.

    Raises:
        ValueError: The claim lies outside [0, 1].

    Example:
        >>> accusation_floor(0.8, width=10), accusation_floor(0.8, width=21)
        (0.25600000000000006, None)
    """
    if not 0.0 <= claim <= 1.0:
        raise ValueError(f"need a claim in [0, 1], got {claim}")
    if width > WIDEST_ACCUSED or claim < LEAST_CLAIM:
        return None
    return claim**3 / 2.0

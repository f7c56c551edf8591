"""Too good to be a machine: the upper-side bet of class `qpu` on readout probes.

Null: "on a readout probe the success, given the past, is at most the ceiling", where the
ceiling is what a third of the sheet's own readout error would leave; but for a share of at most
2 % of probes. A "QPU" without readout error is a simulator. Assumes: the sheet's error is an
average over 0 and 1, and reading a 1 is at least a third as wrong as that average (on published
machines it is the worse side nearly always). A qubit prepared in 0 counts as free of error, so
the all-zeros probe never accuses. Blind spot: a fake that adds the sheet's error; and a sheet
that claims no error promises nothing that could be exceeded.
Source: as `validator.sequential`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from validator.sequential import capped, hit_wealth

__all__ = ["readout_ceiling", "too_good"]

_SHARE_OF_SHEET = 1.0 / 3.0
_SHARE_OF_ALTERNATIVE = 0.1
_WORST = 0.1
"""A qubit that is listed as worse may be stuck, or mended since, and read a 1 without error."""


def readout_ceiling(errors: Sequence[float], *, target: str) -> float:
    """Return the success on a readout probe that an honest device does not exceed.

    Args:
        errors: The sheet's assignment error of the qubit behind each classical bit, 0 first.
        target: The prepared bitstring, bit 0 RIGHTMOST.

    Raises:
        ValueError: Lengths differ or a rate lies outside [0, 1].

    Example:
        >>> readout_ceiling([0.03, 0.06], target="01")
        0.99
    """
    if len(errors) != len(target) or not all(0.0 <= e <= 1.0 for e in errors):
        raise ValueError(f"need {len(target)} error rates in [0, 1], got {list(errors)}")
    ones = [
        e for e, bit in zip(errors, reversed(target), strict=True) if bit == "1" and e <= _WORST
    ]
    return math.prod(1.0 - _SHARE_OF_SHEET * e for e in ones)


def too_good(hits: int, *, shots: int, ceiling: float) -> float:
    """Return one probe's e-value (log10, capped as in E_fraud) against "success <= ceiling".

    W = prod(1 + lambda (x - ceiling)) with the stake best against a tenth of the null's error.
    Fold probes with `sequential.run_mixture`.

    Args:
        hits: Shots that read exactly the prepared string.
        shots: Shots that came back.
        ceiling: From `readout_ceiling`; at 1 there is no bet and the value is 0.

    Raises:
        ValueError: The counts contradict each other or not 0 < ceiling <= 1.

    Example:
        >>> too_good(500, shots=500, ceiling=1.0)
        0.0
        >>> too_good(500, shots=500, ceiling=0.9) > 1.4
        True
    """
    if not 0.0 < ceiling <= 1.0:
        raise ValueError(f"need 0 < ceiling <= 1, got {ceiling}")
    if not 0 <= hits <= shots:
        raise ValueError(f"need 0 <= hits <= shots, got hits={hits} shots={shots}")
    if ceiling == 1.0 or shots == 0:
        return 0.0
    # Success at most c is failure at least 1 - c: the lower-side bet on failures.
    floor = 1.0 - ceiling
    stake = (1.0 - _SHARE_OF_ALTERNATIVE) / ceiling
    return capped(hit_wealth(shots - hits, shots=shots, floor=floor, stake=stake))

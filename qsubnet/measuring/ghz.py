"""GHZ fidelity: cats over so many qubits, each judged by one random stabilizer.

F = 2^-n + (1 - 2^-n) E[(-1)^wrong] over uniformly random stabilizers other than the identity
(direct fidelity estimation). Each circuit lies on a random connected set of qubits, so the figure
is a mean over sets, not the best one.
Assumes: nothing about the noise. Blind spot: see `TRAP`.
Source: Flammia and Liu, PRL 106, 230501 (2011).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from circuits.case import ParityAnswer
from circuits.ghz import GHZ
from qsubnet.measuring.figure import CONFIDENCE, Figure
from qsubnet.measuring.wish import widest
from validator.interval import Interval, over_circuits

if TYPE_CHECKING:
    from qsubnet.measuring.subject import Answer, Subject
    from qsubnet.measuring.wish import Wish

TRAP: Final = (
    "Preparation and readout errors count as infidelity, the qubits are random connected sets and "
    "not the device's best, and any Clifford simulator makes a perfect cat."
)


def right_parities(answer: Answer, known: ParityAnswer) -> int:
    """Count the shots of the right parity.

    Example:
        >>> right_parities({"01": 3, "11": 5}, ParityAnswer("10", 1))
        5
    """
    return sum(shots for bits, shots in answer.items() if known.holds(bits))


def cat_fidelity(parities: Sequence[tuple[int, int]], *, width: int) -> Interval:
    """Estimate the fidelity from (shots of the right parity, shots), a circuit each.

    Cluster-t over circuits; a perfect record counts one right and one wrong shot more, so that it
    has an error.

    Returns:
        Unclamped; (2^(1 - n) - 1, 2^-n, 1) without a circuit.

    Example:
        >>> cat_fidelity([(100, 100)] * 8, width=2).estimate
        1.0
    """
    smoothed = [(right + 1) / (shots + 2) for right, shots in parities]
    within = [p * (1 - p) / n for p, (_, n) in zip(smoothed, parities, strict=True)]
    share = over_circuits(
        [right / shots for right, shots in parities],
        confidence=CONFIDENCE,
        shot_variance=math.fsum(within) / max(1, len(within)),
    )
    rest = 0.5**width
    return share.affine(scale=2.0 * (1.0 - rest), shift=2.0 * rest - 1.0)


async def measure_ghz(subject: Subject, wish: Wish) -> list[Figure]:
    """Measure the widths, or 2, 4, 8 ... and the largest connected part."""
    most = widest(subject.device)
    doubling = [1 << k for k in range(1, most.bit_length()) if 1 << k < most]
    figures = []
    for width in wish.widths or (*doubling, most):
        cases = [
            GHZ().generate(
                subject.key("ghz", width, index),
                width=width,
                depth=0,
                topology=subject.device.topology,
            )
            for index in range(wish.circuits)
        ]
        what = f"ghz, {width} qubits"
        answers = await subject.answers([case.program for case in cases], what=what)
        parities = [
            (right_parities(answer, case.answer), sum(answer.values()))
            for case, answer in zip(cases, answers, strict=True)
            if answer is not None and isinstance(case.answer, ParityAnswer)
        ]
        figures.append(_figure(parities, width))
    return figures


def _figure(parities: list[tuple[int, int]], width: int) -> Figure:
    bounds = cat_fidelity(parities, width=width)
    above = bounds.low > 0.5
    return Figure(
        name="GHZ fidelity",
        of=f"{width} qubits",
        bounds=bounds,
        circuits=len(parities),
        shots=sum(shots for _, shots in parities),
        trap=TRAP,
        note=f"above 1/2: all {width} qubits are entangled" if above else "",
        about={"width": width},
    )

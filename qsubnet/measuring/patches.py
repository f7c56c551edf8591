"""XEB fidelity of every patch while all patches of the chip run at the same time.

Each circuit splits the qubits anew; a patch's own interval is that of its one circuit and split.
The mean weighs each patch by what its law tells, D sum p^2 - 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from circuits.case import PatchedAnswer
from circuits.counts import Counts
from circuits.patches import Patches
from qsubnet.measuring.figure import CONFIDENCE, Figure
from qsubnet.measuring.wish import widest
from validator.estimators.xeb import XebCircuit, linear_xeb, xeb_circuit

if TYPE_CHECKING:
    from circuits.case import Case
    from providers.base import Json
    from qsubnet.measuring.subject import Answer, Subject
    from qsubnet.measuring.wish import Wish
    from validator.references.product_law import ProductLaw

TRAP: Final = (
    "An XEB fidelity is a fidelity only for white noise: local noise lies above it, and readout "
    "error is inside; it speaks for this one circuit."
)
MEAN_TRAP: Final = (
    "Nothing entangles two patches, so any simulator of one patch does the whole chip; and an XEB "
    "fidelity is a fidelity only for white noise."
)
USUAL_DEPTH: Final = 8


async def measure_patches(subject: Subject, wish: Wish) -> list[Figure]:
    """Measure one set of qubits, the largest connected part and 8 cycles unless told."""
    width = wish.only_width(widest(subject.device))
    depth = wish.only_depth(USUAL_DEPTH)
    cases = [
        Patches().generate(
            subject.key("patches", width, depth, index),
            width=width,
            depth=depth,
            topology=subject.device.topology,
        )
        for index in range(wish.circuits)
    ]
    what = f"patches, {width} qubits, {depth} cycles"
    answers = await subject.answers([case.program for case in cases], what=what)
    together: list[XebCircuit] = []
    figures: list[Figure] = []
    for number, (case, answer) in enumerate(zip(cases, answers, strict=True), start=1):
        if answer is not None and isinstance(case.answer, PatchedAnswer):
            law = wish.reference.product(case.program, case.answer)
            together.append(_joined(answer, law, width=width))
            figures += _figures(case, answer, law, number)
    return [_mean(together, width=width, depth=depth), *figures]


def _joined(answer: Answer, law: ProductLaw, *, width: int) -> XebCircuit:
    """Join all patches shot by shot: w - 1 and D sum p^2 - 1 are sums over the patches."""
    outcomes, counts = Counts(width, answer).distinct()
    gain = np.zeros(len(counts))
    excess = 0.0
    for own, bits in zip(law.laws, law.places, strict=True):
        index = outcomes[:, list(bits)].astype(np.int64) @ (1 << np.arange(len(bits)))
        gain += len(own) * own[index] - 1.0
        excess += len(own) * float((own * own).sum()) - 1.0
    return XebCircuit(1.0 + gain, counts, excess)


def _figures(case: Case, answer: Answer, law: ProductLaw, number: int) -> list[Figure]:
    figures = []
    for patch, (own, bits) in enumerate(zip(law.laws, law.places, strict=True)):
        qubits: list[Json] = [case.qubits[bit] for bit in bits]
        circuit = xeb_circuit(law.patch_counts(answer, patch), ideal=own)
        figures.append(
            Figure(
                name="patch XEB fidelity",
                of=f"circuit {number}, qubits {' '.join(map(str, qubits))}",
                bounds=linear_xeb([circuit], confidence=CONFIDENCE),
                circuits=1,
                shots=circuit.shots,
                trap=TRAP,
                about={"circuit": number, "patch": patch, "qubits": qubits},
            )
        )
    return figures


def _mean(together: list[XebCircuit], *, width: int, depth: int) -> Figure:
    return Figure(
        name="mean patch XEB fidelity",
        of=f"{width} qubits, {depth} cycles",
        bounds=linear_xeb(together, confidence=CONFIDENCE),
        circuits=len(together),
        shots=sum(circuit.shots for circuit in together),
        trap=MEAN_TRAP,
        note="of one circuit alone" if len(together) == 1 else "",
        about={"width": width, "depth": depth},
    )

"""Layer fidelity and EPLG: every coupling of the qubits under test, in layers of disjoint pairs.

A circuit that did not come back is left out: this is a report. What is paid by must not be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from circuits.case import ParitiesAnswer
from circuits.layer_fidelity import device_layers, layer_case
from qsubnet.measuring.figure import CONFIDENCE, Figure
from qsubnet.measuring.ghz import right_parities
from qsubnet.measuring.lengths import decay_lengths
from qsubnet.measuring.wish import widest
from validator.estimators.layer_fidelity import LayerFidelity, LayerRun, layer_fidelity

if TYPE_CHECKING:
    from circuits.case import Case
    from providers.base import Json
    from qsubnet.measuring.subject import Answer, Subject
    from qsubnet.measuring.wish import Wish
    from validator.interval import Interval

TRAP: Final = (
    "Vendors report their best chain and this is every coupling of the qubits under test, so "
    "compare like with like; it is a rate of decay, so a device that spoils short circuits looks "
    "better."
)
EPLG_TRAP: Final = (
    "A process error, while vendors' sheets list average gate errors, which are .8 of it; "
    "else the traps of the layer fidelity."
)


async def measure_layer_fidelity(subject: Subject, wish: Wish) -> list[Figure]:
    """Measure one set of qubits, the largest connected part unless told."""
    width = wish.only_width(widest(subject.device))
    _, layers = device_layers(subject.device.topology, width=width)
    lengths = wish.depths or decay_lengths(subject.device, qubits=2, pairs=1)
    runs: list[list[LayerRun]] = []
    units: list[tuple[int, ...]] = []
    for layer in range(len(layers)):
        cases = _cases(subject, wish.circuits, layer, width, lengths)
        what = f"layer-fidelity, layer {layer + 1} of {len(layers)}"
        answers = await subject.answers([case.program for case in cases], what=what)
        runs.append(_runs(cases, answers))
        units.append(_sizes(cases[0]))
    about: dict[str, Json] = {"width": width, "lengths": list(lengths)}
    found = layer_fidelity(runs, units=units, confidence=CONFIDENCE)
    pairs = sum(map(len, layers))
    whole = _About(
        f"{pairs} pairs in {len(layers)} layers", [r for own in runs for r in own], about
    )
    figures = [
        whole.figure("layer fidelity", found, found.fidelity, TRAP),
        whole.figure("EPLG", found, found.eplg, EPLG_TRAP),
        whole.figure("average gate error", found, found.gate_error, TRAP),
    ]
    for layer, edges in enumerate(layers):
        found = layer_fidelity([runs[layer]], units=[units[layer]], confidence=CONFIDENCE)
        of = f"layer {layer + 1}: {len(edges)} pairs"
        part = _About(of, runs[layer], {**about, "edges": [list(edge) for edge in edges]})
        figures.append(part.figure("layer fidelity", found, found.fidelity, TRAP))
    return figures


def _cases(
    subject: Subject, circuits: int, layer: int, width: int, lengths: tuple[int, ...]
) -> list[Case]:
    return [
        layer_case(
            subject.key("layer_fidelity", layer, length, index),
            layer=layer,
            width=width,
            depth=length,
            topology=subject.device.topology,
        )
        for length in lengths
        for index in range(circuits)
    ]


def _sizes(case: Case) -> tuple[int, ...]:
    """How many qubits each unit of the case's layer has."""
    units = case.answer.units if isinstance(case.answer, ParitiesAnswer) else ()
    return tuple(map(len, units))


def _runs(cases: list[Case], answers: list[Answer | None]) -> list[LayerRun]:
    runs = []
    for case, answer in zip(cases, answers, strict=True):
        if answer is not None and isinstance(case.answer, ParitiesAnswer):
            shots = sum(answer.values())
            rights = (right_parities(answer, parity) for parity in case.answer.parities)
            values = tuple((2 * right - shots) / shots for right in rights)
            runs.append(LayerRun(case.depth, shots, values))
    return runs


@dataclass(frozen=True, slots=True)
class _About:
    """What figures are about, and the circuits that they rest on."""

    of: str
    runs: list[LayerRun]
    about: Mapping[str, Json]

    def figure(self, name: str, found: LayerFidelity, bounds: Interval, trap: str) -> Figure:
        return Figure(
            name=name,
            of=self.of,
            bounds=None if found.reason else bounds,
            circuits=len(self.runs),
            shots=sum(run.shots for run in self.runs),
            trap=trap,
            note=found.reason,
            about=self.about,
        )

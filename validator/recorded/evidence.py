"""Evidence from recorded executions of any circuits, in the words of the validators' own tests.

Records are read in the order given, every bet looks at the past alone. What a record can be
tested for follows from its circuit:

- any circuit: its shape, replayed and scaled counts; a static twin where it ran again.
- with an ideal law: fidelity, rounded counts, a wrong order of bits, and the classes uniform,
  noiseless and white noise.
- with one certain answer: independent flips; and if nothing couples the qubits, average twins.
- native circuits of a device with a sheet: the claims.

Without a sheet the device is taken for a `qpu` that claims nothing: no claim can accuse it, and the
classes of simulators decide. Equal answers are then compared only between programs of different
laws, because a simulator with a fixed seed repeats itself honestly.

Blind spot: the circuits are the owner's choice, no secret was in them, and whoever writes a record
can write anything; the verdict is as good as the record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.draws import Draws
from providers.base import DeviceClass
from validator.estimators.xeb import likelihood_xeb
from validator.evidence import Evidence
from validator.folding import Peak
from validator.hardware import CHEAP_CLASSES, SimulatorClass
from validator.integrity import Scaled, replay_factors
from validator.interval import NO_SHOTS, Interval
from validator.mistakes import Shape, shape_of
from validator.recorded.fidelity import in_words, mean_fidelity
from validator.recorded.gathering import MOST_WORK, Watch, gathered
from validator.recorded.hardware import class_evidence
from validator.recorded.order import Order
from validator.score import Work, capacity
from validator.sequential import Accusation, StartMixture, hedged, log10_mean, rounded_down

if TYPE_CHECKING:
    from providers.base import Device
    from validator.recorded.execution import Execution
    from validator.recorded.study import Answer
    from validator.references.reference import Reference

__all__ = ["Recorded", "recorded_evidence"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The evidence of a file of records.

    Attributes:
        evidence: In the words that `validator.verdict` judges; a class without data counts 0 there.
        device: The newest sheet; None where no record has one.
        classes: log10 e-value by class of simulator, only where there is data.
        fidelities: Of each record, in the order of the file; None where there is none.
        without_reference: Answered records whose circuit has no ideal law.
        order: The wrong order of bits that fits best.
        at_width: Whether some circuit with a law uses all qubits that the sheet claims.
    """

    evidence: Evidence
    device: Device | None
    classes: Mapping[str, float]
    fidelities: tuple[float | None, ...]
    without_reference: int
    order: Order
    at_width: bool

    @property
    def is_qpu(self) -> bool:
        """Whether the device is judged as a `qpu`: it says so, or it says nothing."""
        return self.device is None or self.device.device_class is DeviceClass.QPU


def recorded_evidence(
    executions: Sequence[Execution],
    *,
    reference: Reference,
    most_work: int = MOST_WORK,
    watch: Watch = lambda _: None,
) -> Recorded:
    """Compute the evidence of one device.

    Args:
        executions: Of one device, in the order of time; their places are distinct.
        reference: Exact distributions.
        most_work: What the references may cost, see `validator.recorded.gathering`.
        watch: Told what takes long.

    Raises:
        ValueError: No record at all.
    """
    if not executions:
        raise ValueError("need at least one record, got none")
    device = next((e.device for e in reversed(executions) if e.device), None)
    answers = gathered(executions, reference=reference, most_work=most_work, watch=watch)
    is_simulator = device is not None and device.device_class is DeviceClass.SIMULATOR
    classes = {} if is_simulator else class_evidence(answers, draws=Draws(_key(executions)))
    at_width = [a for a in answers if a.law and _uses_all(a.execution, device)]
    fidelity, estimator = _fidelity((at_width or answers) if is_simulator else answers, device)
    orders = {order: _order(answers, order) for order in Order}
    others = [orders[Order.INSIDE_REGISTERS], orders[Order.REGISTERS]]
    evidence = Evidence(
        programs_asked=len(executions),
        programs_answered=sum(execution.answered for execution in executions),
        shots_used=sum(_returned(execution) for execution in executions),
        shapes=_shapes(executions),
        fidelity=fidelity,
        estimator=estimator,
        user_like=fidelity,
        margins={},
        unread=(),
        layer_error=None,
        accusations=_accusations(answers, device),
        reversed_bits=orders[Order.REVERSED],
        permuted_bits=rounded_down(log10_mean(others)),
        hardware={} if is_simulator else _by_class(classes),
        served={},
        qubit_shots=_qubit_shots(executions),
    )
    by_place = {answer.execution.place: answer for answer in answers}
    return Recorded(
        evidence=evidence,
        device=device,
        classes=classes,
        fidelities=tuple(_rounded(by_place[place]) for place in sorted(by_place)),
        without_reference=sum(not a.law and a.execution.answered for a in answers),
        order=max(Order, key=lambda order: orders[order]),
        at_width=bool(at_width),
    )


def _by_class(classes: Mapping[str, float]) -> dict[SimulatorClass, float]:
    """Count 0 for a class without data that a verdict asks for.

    Circuits too narrow for a blend are not held against a device, as in `validator.hardware`.
    """
    needed = {*CHEAP_CLASSES, SimulatorClass.STATIC_TWIN} - {SimulatorClass.BLEND}
    return {
        name: classes.get(name.value, 0.0)
        for name in SimulatorClass
        if name in needed or name.value in classes
    }


def _key(executions: Sequence[Execution]) -> bytes:
    """Derive the permutations' key from the records, so that the same file is judged the same."""
    listed = [[e.identity, sorted(e.counts.items()), e.shots] for e in executions]
    return hashlib.sha256(json.dumps(listed).encode()).digest()


def _returned(execution: Execution) -> int:
    if not execution.counted:
        return execution.shots if execution.answered else 0
    return sum(execution.table.values())


def _rounded(answer: Answer) -> float | None:
    return None if answer.fidelity is None else round(answer.fidelity.value, 9)


def _uses_all(execution: Execution, device: Device | None) -> bool:
    program = execution.program
    if device is None or program is None:
        return False
    return len(program.used_qubits) >= device.topology.num_qubits


def _shapes(executions: Sequence[Execution]) -> dict[Shape, int]:
    found = [_shape(execution) for execution in executions if execution.answered]
    return {shape: found.count(shape) for shape in Shape}


def _shape(execution: Execution) -> Shape:
    if not execution.fits:
        return Shape.WRONG_WIDTH
    if not execution.counted:
        return Shape.WHOLE
    return shape_of(execution.table, width=execution.num_bits, shots_asked=execution.shots)


def _fidelity(answers: Sequence[Answer], device: Device | None) -> tuple[Interval, str]:
    """Estimate by the estimator of the class: the sharp one for a simulator's exactness."""
    if device is not None and device.device_class is DeviceClass.SIMULATOR:
        circuits = [answer.xeb for answer in answers if answer.xeb is not None]
        return likelihood_xeb(circuits) if circuits else NO_SHOTS, "XEB fidelity"
    programs: dict[str, list[Answer]] = {}
    for answer in answers:
        if answer.fidelity is not None:
            programs.setdefault(answer.execution.identity, []).append(answer)
    groups = list(programs.values())
    bounds = mean_fidelity([[a.fidelity for a in group if a.fidelity] for group in groups])
    return bounds, in_words([group[0].certain for group in groups])


def _order(answers: Sequence[Answer], order: Order) -> float:
    state = StartMixture()
    for answer in answers:
        factor = answer.orders.get(order, 0.0)
        state = state if factor == 0.0 else state.after(factor)
    return state.log10_e


def _accusations(answers: Sequence[Answer], device: Device | None) -> dict[Accusation, float]:
    whole = [answer for answer in answers if answer.execution.fits and answer.execution.counted]
    is_qpu = device is not None and device.device_class is DeviceClass.QPU
    return {
        Accusation.BELOW_CLAIM: _peak(a.below_claim for a in whole),
        Accusation.TOO_GOOD: _peak(a.too_good for a in whole),
        Accusation.REPLAYED: _peak(_replays(whole, is_qpu=is_qpu)),
        Accusation.SCALED: _scaled(whole, is_qpu=is_qpu),
        Accusation.ROUNDED: _peak(hedged(a.rounded) for a in whole if a.rounded is not None),
    }


def _scaled(answers: Iterable[Answer], *, is_qpu: bool) -> float:
    """Look for a common divisor; of all but a `qpu`, in the first answer to each program.

    A simulator with a fixed seed gives one program's answer again and again, which is one draw.
    """
    state, known = Scaled(), set()
    for answer in answers:
        if is_qpu or answer.execution.identity not in known:
            state = state.after(answer.execution.table)
        known.add(answer.execution.identity)
    return state.highest


def _peak(factors: Iterable[float | None]) -> float:
    state = Peak()
    for factor in factors:
        state = state if factor is None else state.after(factor)
    return state.highest


def _replays(answers: Sequence[Answer], *, is_qpu: bool) -> list[float]:
    """Compare answers that must differ: all of a `qpu`, else those of different laws."""
    return replay_factors(
        (str(a.execution.place) if is_qpu else a.law, a.execution.num_bits, a.execution.table)
        for a in answers
        if is_qpu or a.law
    )


def _qubit_shots(executions: Sequence[Execution]) -> int:
    return capacity(
        Work(
            program=execution.identity,
            width=execution.num_bits,
            shots_returned=min(_returned(execution), execution.shots),
            in_time=True,
        )
        for execution in executions
        if execution.fits
    )

"""Error of every qubit, every coupled pair and every readout, from which bits came out wrong.

Minus the logarithm of a bit's correctness is a sum over the errors that it sees
(`propagation`), so many bits of many circuits are a linear system in the elements'
errors, solved by weighted non-negative least squares. Readout is met by probes (products of X
alone), which hold little else. A pair, the pulses of its qubits and their waiting always come
together, and a few circuits cannot share the blame; so each element is drawn weakly to its sheet
times the scale that fits the whole device, with a standard deviation as large as that value. The
more circuits, the less that matters.

Intervals are those of the fit (data and draw together), widened where bits scatter more than
shots explain. Near 0 they are cut off there.

Assumes: Pauli errors, alike in all circuits; errors within about a factor 3 of the scaled sheet,
or many circuits. Blind spot: an error that always comes with another is shared between the two in
proportion to the sheet. For showing, not for verdicts: the solver's floats are not the same on
every machine.
Source: Flammia & Wallman, ACM Trans. Quantum Comput. 1, 1 (2020) (Pauli eigenvalues are products);
Lawson & Hanson, Solving Least Squares Problems (1974); Hoerl & Kennard, Technometrics 12, 55 (1970)
(the draw is a ridge).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from circuits.topology import Edge
from providers.base import Device
from validator.estimators.correctness import LayerCircuit, Observed, observe
from validator.estimators.decay import Circuits, Fit, Proportions, fit_scales
from validator.estimators.layers import proportions
from validator.estimators.propagation import VISIBLE, Place
from validator.interval import Interval
from validator.special import check_level, normal_quantile

__all__ = ["ErrorMap", "error_map", "error_map_of"]

_READ = "readout"
_LOST = 3.0  # standard deviations of a random bit: below, its logarithm tells nothing
_LEAST = 0.1
_SURE = 0.45

_Unknown = tuple[str, tuple[int, ...]]
_Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ErrorMap:
    """What each element of a device costs; elements that never ran are absent.

    Attributes:
        qubits: Error of one one-qubit pulse, process units (any Pauli but I).
        waiting: Error of a qubit that waits through a layer of two-qubit gates, likewise.
        edges: Error of one two-qubit gate, process units; lower qubit first.
        readout: Probability of a wrong bit, averaged over the values it had.
    """

    qubits: Mapping[int, Interval]
    waiting: Mapping[int, Interval]
    edges: Mapping[Edge, Interval]
    readout: Mapping[int, Interval]


def error_map(
    circuits: Sequence[LayerCircuit], *, device: Device, confidence: float = 0.95
) -> ErrorMap:
    """Fit the errors of all elements that ran.

    Args:
        circuits: Mirrors, readout probes and other Clifford circuits with known answers, of any
            widths; those that are not Clifford or have no shot are set aside.
        device: Whose sheet and topology.
        confidence: Two-sided level of each interval by itself.

    Raises:
        ValueError: Counts of another width than their program, or a circuit that is not the
            device's.
    """
    seen = [observed for circuit in circuits if (observed := observe(circuit)) is not None]
    return error_map_of(seen, device=device, confidence=confidence)


def error_map_of(seen: Sequence[Observed], *, device: Device, confidence: float = 0.95) -> ErrorMap:
    """Fit circuits that were set beside their answers before; see `error_map`."""
    quantile = normal_quantile(1.0 - check_level(confidence))
    unknowns = sorted({unknown for observed in seen for unknown in _unknowns(observed)})
    if not unknowns:
        return ErrorMap({}, {}, {}, {})
    drawn = _expected(seen, unknowns, proportions(device))
    # Weights from what the fit expects, not from what a bit showed: luck must not weigh more.
    first, _ = _solve(seen, unknowns, drawn, weights_from=drawn)
    found, deviation = _solve(seen, unknowns, drawn, weights_from=first)
    return _named(unknowns, found.tolist(), (quantile * deviation).tolist())


def _unknowns(observed: Observed) -> list[_Unknown]:
    """Name the columns of one circuit: its elements, then the readout of each of its bits."""
    gates = [(place.value, qubits) for place, qubits in observed.elements]
    return gates + [(_READ, (qubit,)) for qubit in observed.carried.qubits]


def _visible(name: str) -> float:
    return 2.0 if name == _READ else VISIBLE[Place(name)]


def _expected(seen: Sequence[Observed], unknowns: Sequence[_Unknown], shape: Proportions) -> _Reals:
    """Scale the sheet to the whole device; nothing below a tenth of the mean of its kind."""
    fit = fit_scales(Circuits(seen, shape)) or Fit(1.0, 1.0, 0.0)
    errors = [
        fit.readout * shape.readout[qubits[0]]
        if name == _READ
        else fit.gates * shape.gates[Place(name), qubits]
        for name, qubits in unknowns
    ]
    kinds: dict[str, list[float]] = {}
    for (name, _), error in zip(unknowns, errors, strict=True):
        kinds.setdefault(name, []).append(error)
    least = {name: _LEAST * math.fsum(own) / len(own) + 1e-6 for name, own in kinds.items()}
    return np.array(
        [
            -math.log1p(-_visible(name) * min(max(error, least[name]), _SURE))
            for (name, _), error in zip(unknowns, errors, strict=True)
        ]
    )


def _solve(
    seen: Sequence[Observed], unknowns: Sequence[_Unknown], drawn: _Reals, *, weights_from: _Reals
) -> tuple[_Reals, _Reals]:
    """Return the best x >= 0 near `drawn`, and the standard deviation of each entry."""
    from scipy.optimize import nnls

    column = {unknown: number for number, unknown in enumerate(unknowns)}
    square, side = np.diag(drawn**-2.0), 1.0 / drawn
    systems = []
    for observed in seen:
        where = np.array([column[unknown] for unknown in _unknowns(observed)])
        rows, right = _equations(observed, weights_from[where])
        square[np.ix_(where, where)] += rows.T @ rows
        side[where] += rows.T @ right
        systems.append((where, rows, right))
    lower = np.linalg.cholesky(square)
    found, _ = nnls(lower.T, np.linalg.solve(lower, side), maxiter=30 * len(side))
    missed = sum(
        float(((right - rows @ found[where]) ** 2).sum()) for where, rows, right in systems
    )
    told = sum(int(np.count_nonzero(rows.any(axis=1))) for _, rows, _ in systems)
    dispersion = max(1.0, missed / max(1, told))
    return found, np.sqrt(dispersion * np.diag(np.linalg.inv(square)))


def _equations(observed: Observed, expected: _Reals) -> tuple[_Reals, _Reals]:
    """Write -ln(correctness) of each bit as a sum of its errors, divided by its deviation."""
    width, shots = observed.width, observed.answer.shots
    rows = np.hstack([observed.exposure.T.astype(np.float64), np.eye(width)])
    wrong = np.array(observed.wrong, dtype=np.float64)
    correct = 1.0 - 2.0 * (wrong + 0.5) / (shots + 1.0)
    kept, lost = np.exp(-rows @ expected), _LOST / math.sqrt(shots)
    told = (correct > lost) & (kept > lost)
    kept, correct = kept.clip(lost, 1.0 - 1.0 / shots), correct.clip(lost)
    weight = np.where(told, kept * np.sqrt(shots / (1.0 - kept**2)), 0.0)
    return rows * weight[:, None], -np.log(correct) * weight


def _named(unknowns: Sequence[_Unknown], found: list[float], half: list[float]) -> ErrorMap:
    """Turn sums of logarithms back into errors and sort them by what they are."""
    tables: dict[str, dict[tuple[int, ...], Interval]] = {}
    for (name, qubits), x, margin in zip(unknowns, found, half, strict=True):
        low, mid, high = (
            -math.expm1(-max(0.0, value)) / _visible(name) for value in (x - margin, x, x + margin)
        )
        tables.setdefault(name, {})[qubits] = Interval(low, mid, high)
    one, waiting, read = (
        {qubits[0]: bounds for qubits, bounds in tables.get(name, {}).items()}
        for name in (Place.ONE_QUBIT.value, Place.IDLE.value, _READ)
    )
    pairs = tables.get(Place.TWO_QUBIT.value, {})
    return ErrorMap(one, waiting, {(q[0], q[1]): bounds for q, bounds in pairs.items()}, read)

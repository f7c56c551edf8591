"""The scales of gate and readout errors on correctness that is computed, not sampled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.case import KnownAnswer
from circuits.mirror import Mirror
from circuits.topology import Topology
from providers.base import Device, DeviceClass
from validator.estimators.correctness import LayerCircuit, Observed, observe
from validator.estimators.decay import (
    MOST_SCALE,
    Circuits,
    Proportions,
    fit_scales,
    scale_given_readout,
)
from validator.estimators.layers import proportions
from validator.estimators.propagation import VISIBLE

LINE = Topology(8, tuple((k, k + 1) for k in range(7)), ("cz", "rz", "sx", "x"))
SHOTS = 10**9


def _shape() -> Proportions:
    return proportions(Device("s", DeviceClass.SIMULATOR, LINE, None, "p"))


def _observed(depth: int, *, gates: float, readout: float, key: bytes = b"key") -> Observed:
    """Write down what a device with these scales shows on average in 1e9 shots."""
    case = Mirror().generate(key, width=8, depth=depth, topology=LINE)
    assert isinstance(case.answer, KnownAnswer)
    bits = case.answer.bits
    seen = observe(LayerCircuit(case.program, bits, {bits: SHOTS}))
    assert seen is not None
    shape, wrong = _shape(), []
    for column, qubit in enumerate(seen.carried.qubits):
        kept = 1.0 - 2.0 * readout * shape.readout[qubit]
        for (kind, qubits), count in zip(seen.elements, seen.exposure[:, column], strict=True):
            kept *= (1.0 - VISIBLE[kind] * gates * shape.gates[kind, qubits]) ** int(count)
        wrong.append(round(SHOTS * (1.0 - kept) / 2.0))
    return replace(seen, wrong=tuple(wrong))


@pytest.mark.parametrize(("gates", "readout"), [(0.3, 2.0), (1.0, 1.0), (3.0, 0.5), (8.0, 0.0)])
def test_exact_correctness_gives_back_its_scales(gates: float, readout: float) -> None:
    seen = [
        _observed(depth, gates=gates, readout=readout, key=key)
        for depth in (2, 4, 16)
        for key in (b"a", b"b")
    ]
    fit = fit_scales(Circuits(seen, _shape()))
    assert fit is not None
    assert fit.gates == pytest.approx(gates, rel=1e-5)
    assert fit.readout == pytest.approx(readout, rel=1e-4, abs=1e-4)


def test_with_the_readout_given_one_depth_is_enough() -> None:
    circuits = Circuits([_observed(4, gates=2.5, readout=1.0)], _shape())
    assert scale_given_readout(circuits) == pytest.approx(2.5, rel=1e-5)


def test_answers_better_than_the_readout_allows_give_0_and_random_ones_the_most() -> None:
    seen = _observed(4, gates=0.0, readout=0.5)
    assert scale_given_readout(Circuits([seen], _shape())) == 0.0
    lost = replace(seen, wrong=(SHOTS // 2,) * 8)
    assert scale_given_readout(Circuits([lost], _shape())) == MOST_SCALE


def test_a_negative_readout_error_is_never_fitted() -> None:
    # The shallow circuit is better than the deep one allows: all is put on the gates.
    seen = [_observed(2, gates=0.5, readout=0.0), _observed(8, gates=1.0, readout=0.0)]
    fit = fit_scales(Circuits(seen, _shape()))
    assert fit is not None
    assert fit.readout == 0.0
    assert 0.5 < fit.gates < 1.0


def test_an_element_that_the_proportions_lack_is_refused() -> None:
    seen = _observed(2, gates=1.0, readout=1.0)
    with pytest.raises(ValueError, match="need elements of the device"):
        Circuits([seen], Proportions({}, _shape().readout))

"""Expected values: stim runs of the programs; the decay of a known noise; layers by hand."""

import math

import numpy as np
import pytest
import stim
from numpy.typing import NDArray

from circuits.case import Case, ParitiesAnswer
from circuits.emitters.stim import stim_rows, to_stim
from circuits.errors import FamilyError
from circuits.layer_fidelity import LayerFidelity, device_layers, layer_case
from circuits.topology import Topology, complete


def line(width: int, gates: tuple[str, ...] = ("cz", "rz", "sx", "x")) -> Topology:
    return Topology(width, tuple((q, q + 1) for q in range(width - 1)), gates)


def draw(key: bytes, layer: int, depth: int, topology: Topology) -> Case:
    width = topology.num_qubits
    return layer_case(key, layer=layer, width=width, depth=depth, topology=topology)


def parities(case: Case) -> ParitiesAnswer:
    assert isinstance(case.answer, ParitiesAnswer)
    return case.answer


def wrong(case: Case, circuit: stim.Circuit, shots: int, seed: int = 0) -> NDArray[np.int64]:
    """(shots x units): 1 where a unit's parity is not its answer's."""
    rows = stim_rows(circuit.compile_sampler(seed=seed).sample(shots), case.program)
    masks = [[int(bit) for bit in reversed(p.mask)] for p in parities(case).parities]
    signs = [p.sign for p in parities(case).parities]
    return np.asarray((rows.astype(np.int64) @ np.array(masks).T + signs) % 2)


@pytest.mark.parametrize("gate", ["cx", "cz", "cp", "ecr", "iswap", "rzz", "rxx"])
def test_stim_always_finds_every_units_parity(gate: str) -> None:
    topology = line(9, (gate, "rz", "sx"))
    for layer in (0, 1):
        for index in range(4):
            case = draw(b"noiseless %d" % index, layer, 7, topology)
            assert not wrong(case, to_stim(case.program), 8).any()


def test_a_whole_chip_keeps_its_parities_too() -> None:
    case = LayerFidelity().generate(b"wide", width=127, depth=12, topology=line(127))
    assert not wrong(case, to_stim(case.program), 8).any()


def test_layers_cover_every_coupling_once_and_units_every_qubit_once() -> None:
    topology = Topology(6, ((0, 1), (2, 1), (1, 3), (3, 4), (5, 4)), ("cz", "rz", "sx"))
    qubits, layers = device_layers(topology, width=6)
    assert qubits == (0, 1, 2, 3, 4, 5)
    assert sorted(edge for layer in layers for edge in layer) == sorted(topology.edges)
    for layer, edges in enumerate(layers):
        answer = parities(draw(b"units", layer, 2, topology))
        assert sorted(bit for unit in answer.units for bit in unit) == list(range(6))
        pairs = {unit for unit in answer.units if len(unit) == 2}
        assert pairs == {(min(edge), max(edge)) for edge in edges}
        for unit, parity in zip(answer.units, answer.parities, strict=True):
            counted = {k for k, bit in enumerate(reversed(parity.mask)) if bit == "1"}
            assert counted
            assert counted <= set(unit)


def test_every_two_qubit_layer_is_the_one_layer() -> None:
    case = draw(b"same", 1, 5, line(7))
    layers: list[list[tuple[int, ...]]] = [[]]
    for op in case.program.operations:
        if op.name == "barrier":
            layers.append([])
        elif op.name == "cz":
            layers[-1].append(op.qubits)
    assert [layer for layer in layers if layer] == [[(1, 2), (3, 4), (5, 6)]] * 5


def test_all_keys_of_a_width_tell_about_the_same_layers_and_each_is_drawn() -> None:
    topology = line(20)
    cases = [
        LayerFidelity().generate(b"key %d" % k, width=6, depth=2, topology=topology)
        for k in range(30)
    ]
    assert len({case.qubits for case in cases}) == 1
    assert len({parities(case).units for case in cases}) == 2


def test_a_pair_and_an_idle_qubit_decay_by_their_own_polarizations() -> None:
    # DEPOLARIZE2(p) leaves 1 - 16/15 p of each non-identity Pauli of the pair, DEPOLARIZE1(q)
    # 1 - 4/3 q of the idle qubit's: E = r^m each.
    p, q, depth, shots = 0.05, 0.02, 6, 100
    topology = line(3)
    rates = []
    for index in range(60):
        case = draw(b"decay %d" % index, 0, depth, topology)
        lines, layer = [], 0
        for text in str(to_stim(case.program)).splitlines():
            lines.append(text)
            layer += text == "TICK"
            if text == "TICK" and layer % 2 == 0:
                lines += [f"DEPOLARIZE2({p}) 0 1", f"DEPOLARIZE1({q}) 2"]
        rates.append(wrong(case, stim.Circuit("\n".join(lines)), shots, seed=index).mean(axis=0))
    assert parities(draw(b"decay 0", 0, depth, topology)).units == ((0, 1), (2,))
    for rate, kept in zip(np.mean(rates, axis=0), (1 - 16 / 15 * p, 1 - 4 / 3 * q), strict=True):
        deviation = math.sqrt((1 - kept ** (2 * depth)) / (60 * shots))
        assert 1 - 2 * rate == pytest.approx(kept**depth, abs=4 * deviation)


def test_parities_stay_out_of_a_log() -> None:
    assert "mask" not in repr(draw(b"log", 0, 2, line(4)).answer)
    assert "Parity" not in repr(draw(b"log", 0, 2, line(4)).answer)


@pytest.mark.parametrize("layer", [-1, 2])
def test_a_layer_that_is_not_there_is_refused(layer: int) -> None:
    with pytest.raises(FamilyError, match=rf"need a layer 0 \.\. 1, got {layer}"):
        draw(b"key", layer, 2, line(5))


def test_a_gate_that_is_no_clifford_is_refused() -> None:
    with pytest.raises(FamilyError, match=r"needs a Clifford among cx, .* got sqrt_iswap"):
        draw(b"key", 0, 2, complete(3, ["sqrt_iswap", "u"]))

"""Expected values: Qiskit's statevector; stim at full width; graphs by hand."""

import itertools

import numpy as np
import pytest
from qiskit.quantum_info import Statevector
from scipy import stats

from circuits.case import Case, ParityAnswer
from circuits.emitters.qiskit import to_qiskit
from circuits.emitters.stim import stim_rows, to_stim
from circuits.errors import FamilyError
from circuits.ghz import GHZ, growth
from circuits.program import BARRIER, Operation, Program
from circuits.topology import Topology, complete

GATES = ["cx", "cz", "cp", "ecr", "iswap", "rzz", "rxx"]


def line(width: int, gates: tuple[str, ...] = ("cz", "rz", "sx", "x")) -> Topology:
    """A line whose couplings point now one way, now the other."""
    edges = tuple((q, q + 1) if q % 3 else (q + 1, q) for q in range(width - 1))
    return Topology(width, edges, gates)


def draw(key: bytes, width: int, topology: Topology) -> Case:
    return GHZ().generate(key, width=width, depth=0, topology=topology)


def parity(case: Case) -> ParityAnswer:
    assert isinstance(case.answer, ParityAnswer)
    return case.answer


def before_the_last_layer(program: Program) -> Program:
    """The gates that grow the cat; those that are still due on single qubits are left out."""
    fences = [k for k, op in enumerate(program.operations) if op.name == BARRIER]
    return Program(program.num_qubits, program.num_bits, program.operations[: fences[-2]])


def purities(program: Program) -> list[float]:
    state = Statevector(to_qiskit(program)).data
    n = program.num_qubits
    found = []
    for kept in itertools.chain([(0,), (n - 1,)], itertools.combinations(range(n), 2)):
        tensor = np.moveaxis(state.reshape([2] * n), [n - 1 - q for q in kept], range(len(kept)))
        rows = tensor.reshape(2 ** len(kept), -1)
        found.append(float(np.sum(np.abs(rows @ rows.conj().T) ** 2)))
    return found


@pytest.mark.parametrize("gate", GATES)
def test_the_state_is_a_cat_up_to_turns_of_single_qubits(gate: str) -> None:
    # Any part of a cat of five qubits has the spectrum (1/2, 1/2); of graph states only the star's
    # and the complete graph's, which are cats up to local Cliffords, have that for all pairs.
    case = draw(b"cat", 5, line(5, (gate, "rz", "sx")))
    assert purities(before_the_last_layer(case.program)) == pytest.approx([0.5] * 12)


@pytest.mark.parametrize("gate", GATES)
def test_stim_always_finds_the_parity(gate: str) -> None:
    for index in range(8):
        case = draw(b"parity %d" % index, 7, line(9, (gate, "rz", "sx")))
        rows = stim_rows(to_stim(case.program).compile_sampler().sample(16), case.program)
        for row in rows:
            assert parity(case).holds("".join(map(str, row[::-1])))


def test_a_whole_chip_is_one_cat() -> None:
    case = draw(b"wide", 127, line(127))
    rows = stim_rows(to_stim(case.program).compile_sampler().sample(8), case.program)
    assert all(parity(case).holds("".join(map(str, row[::-1]))) for row in rows)
    assert case.program.two_qubit_gates == 126


def test_stabilizers_are_uniform_with_fair_signs() -> None:
    # Of the 2^3 - 1 of a cat of three, 4 act on all three qubits and 3 on two of them.
    answers = [parity(draw(b"uniform %d" % k, 3, line(3))) for k in range(500)]
    masks = [answer.mask for answer in answers]
    counts = [masks.count(mask) for mask in ("111", "011", "101", "110")]
    assert sum(counts) == 500
    assert stats.chisquare(counts, [500 * share / 7 for share in (4, 1, 1, 1)]).pvalue > 1e-4
    assert stats.binomtest(sum(answer.sign for answer in answers), 500, 0.5).pvalue > 1e-4


def test_a_cat_grows_from_the_middle_as_fast_as_the_graph_allows() -> None:
    assert growth(line(9), tuple(range(9)))[0] == 4
    assert len(growth(line(9), tuple(range(9)))[1]) == 5
    steps = growth(complete(16, ["cx"]), tuple(range(16)))[1]
    assert [len(step) for step in steps] == [1, 2, 4, 8]
    grid = Topology(4, ((0, 1), (0, 2), (1, 3), (2, 3)), ("cz",))
    assert growth(grid, (0, 1, 2, 3)) == (0, (((0, 1),), ((0, 2), (1, 3))))


def test_gates_of_one_step_share_a_layer() -> None:
    case = draw(b"layers", 16, complete(16, ["cx", "u"]))
    layers: list[list[Operation]] = [[]]
    for op in case.program.operations:
        if op.name == BARRIER:
            layers.append([])
        elif op.name == "cx":
            layers[-1].append(op)
    assert [len(layer) for layer in layers if layer] == [1, 2, 4, 8]


@pytest.mark.parametrize(("gate", "message"), [("swap", "entangles"), ("sqrt_iswap", "Clifford")])
def test_a_gate_that_grows_no_cat_is_refused(gate: str, message: str) -> None:
    with pytest.raises(FamilyError, match=f"ghz needs a .*{message}.*got {gate}"):
        draw(b"key", 3, line(3, (gate, "rz", "sx")))


def test_another_depth_than_0_is_refused() -> None:
    with pytest.raises(FamilyError, match="depth 0 only, got 3"):
        GHZ().generate(b"key", width=3, depth=3, topology=line(3))

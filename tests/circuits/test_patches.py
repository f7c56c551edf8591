"""Expected values: a dense simulation of the whole circuit; graphs drawn by hand."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.case import Case, PatchedAnswer
from circuits.draws import Draws
from circuits.errors import FamilyError, ProgramError
from circuits.patches import PATCH_LIMIT, Patches, patch_programs, split
from circuits.program import Operation, Program, measure
from circuits.topology import Topology, complete

Law = dict[str, float]
BASIS = ("cz", "rz", "sx", "x")


def line(width: int, gates: tuple[str, ...] = BASIS) -> Topology:
    return Topology(width, tuple((q, q + 1) for q in range(width - 1)), gates)


def grid(rows: int, columns: int) -> Topology:
    along = [
        (r * columns + c, r * columns + c + 1) for r in range(rows) for c in range(columns - 1)
    ]
    across = [
        (r * columns + c, (r + 1) * columns + c) for r in range(rows - 1) for c in range(columns)
    ]
    return Topology(rows * columns, (*along, *across), BASIS)


def draw(key: bytes, width: int, depth: int, topology: Topology) -> Case:
    return Patches().generate(key, width=width, depth=depth, topology=topology)


def patches(case: Case) -> PatchedAnswer:
    assert isinstance(case.answer, PatchedAnswer)
    return case.answer


def connected(topology: Topology, qubits: tuple[int, ...]) -> bool:
    reached, waiting = {qubits[0]}, [qubits[0]]
    while waiting:
        new = set(topology.neighbours(waiting.pop())) & set(qubits) - reached
        reached |= new
        waiting.extend(new)
    return reached == set(qubits)


DEVICES = [line(31), grid(6, 7), complete(27, ["cx", "u"])]


@pytest.mark.parametrize("topology", DEVICES)
def test_patches_are_connected_disjoint_and_cover_every_bit_once(topology: Topology) -> None:
    for index in range(20):
        case = draw(b"cover %d" % index, topology.num_qubits, 1, topology)
        bits = [bit for patch in patches(case).patches for bit in patch]
        assert sorted(bits) == list(range(case.width))
        for patch in patches(case).patches:
            assert len(patch) <= PATCH_LIMIT
            assert list(patch) == sorted(patch)
            assert connected(topology, tuple(case.qubits[bit] for bit in patch))


@pytest.mark.parametrize("topology", [line(31), complete(31, ["cx", "u"])])
def test_all_patches_but_two_are_full_where_the_walk_is_a_path(topology: Topology) -> None:
    # A line that is walked from its middle has two ends, so up to two patches are not full.
    for index in range(20):
        parts = split(topology, tuple(range(31)), Draws(b"full %d" % index))
        assert sum(len(part) < PATCH_LIMIT for part in parts) <= 2


def test_a_star_leaves_leaves_alone_but_loses_none() -> None:
    star = Topology(15, tuple((0, q) for q in range(1, 15)), BASIS)
    parts = split(star, tuple(range(15)), Draws(b"star"))
    assert sorted(map(len, parts)) == [1] * 5 + [10]
    assert draw(b"star", 15, 2, star).program.two_qubit_gates == 2


@pytest.mark.parametrize("topology", DEVICES)
def test_no_gate_crosses_from_one_patch_to_another(topology: Topology) -> None:
    case = draw(b"cross", topology.num_qubits, 6, topology)
    home = {case.qubits[b]: k for k, patch in enumerate(patches(case).patches) for b in patch}
    for op in case.program.operations:
        if len(op.qubits) == 2:
            assert home[op.qubits[0]] == home[op.qubits[1]]


def test_every_patch_couples_in_every_cycle_at_the_same_time() -> None:
    case = draw(b"together", 31, 6, line(31))
    home = {case.qubits[b]: k for k, patch in enumerate(patches(case).patches) for b in patch}
    layers: list[set[int]] = [set()]
    for op in case.program.operations:
        if op.name == "barrier":
            layers.append(set())
        elif op.name == "cz":
            layers[-1].add(home[op.qubits[0]])
    wide = {k for k, patch in enumerate(patches(case).patches) if len(patch) > 1}
    assert [layer for layer in layers if layer] == [wide] * 6


def product(case: Case, distribution: Callable[[Program], Law]) -> NDArray[np.float64]:
    """The whole law from the laws of the patches, by outcome index."""
    law = np.ones(2**case.width)
    for patch, own in zip(
        patches(case).patches, patch_programs(case.program, patches(case)), strict=True
    ):
        table = distribution(own)
        for outcome in range(law.size):
            key = "".join(str(outcome >> bit & 1) for bit in reversed(patch))
            law[outcome] *= table.get(key, 0.0)
    return law


def test_the_law_is_the_product_of_the_patches_laws(
    distribution: Callable[[Program], Law],
) -> None:
    for index, topology in enumerate((line(7, ("ecr", "rz", "sx")), grid(2, 4))):
        key = b"product %d" % index
        case = Patches(limit=3).generate(key, width=7, depth=4, topology=topology)
        assert len(patches(case).patches) > 2
        whole, _ = case.program.compacted()
        expected = np.zeros(2**7)
        for bits, weight in distribution(whole).items():
            expected[int(bits, 2)] = weight
        np.testing.assert_allclose(product(case, distribution), expected, atol=1e-9)


def test_small_programs_keep_the_order_of_bits(distribution: Callable[[Program], Law]) -> None:
    # Bits 0 and 2 read qubits 4 and 1, so the patch's own bits 0 and 1 do.
    program = Program(
        5,
        3,
        (
            Operation("x", (4,)),
            Operation("cx", (4, 1)),
            Operation("x", (4,)),
            *(measure(4, 0), measure(3, 1), measure(1, 2)),
        ),
    )
    first, second = patch_programs(program, PatchedAnswer(((0, 2), (1,))))
    assert distribution(first) == pytest.approx({"10": 1.0})
    assert distribution(second) == pytest.approx({"0": 1.0})


def test_a_gate_between_patches_is_refused() -> None:
    program = Program(2, 2, (Operation("cx", (0, 1)), measure(0, 0), measure(1, 1)))
    with pytest.raises(ProgramError, match=r"cx on \[0, 1\] is not inside one patch"):
        patch_programs(program, PatchedAnswer(((0,), (1,))))


def test_a_gate_on_a_qubit_that_no_patch_reads_is_refused() -> None:
    program = Program(2, 1, (Operation("x", (1,)), measure(0, 0)))
    with pytest.raises(ProgramError, match=r"x on \[1\] is not inside one patch"):
        patch_programs(program, PatchedAnswer(((0,),)))


def test_a_bit_that_nothing_measures_is_refused() -> None:
    with pytest.raises(ProgramError, match="bit 1 of patch 0 is never measured"):
        patch_programs(Program(2, 2, (measure(0, 0),)), PatchedAnswer(((0, 1),)))


def test_a_gate_that_does_not_entangle_is_refused() -> None:
    with pytest.raises(FamilyError, match="entangles, got swap"):
        draw(b"key", 2, 2, line(2, ("swap", "rz", "sx")))

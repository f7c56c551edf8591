"""Expected values: a dense simulation of both texts; counts by hand."""

from collections.abc import Callable

import pytest
from scipy import stats

from circuits.brickwork import Brickwork
from circuits.case import Case, KnownAnswer, NoAnswer, SimulatedAnswer
from circuits.errors import FamilyError
from circuits.mirror import Mirror
from circuits.program import Program
from circuits.topology import Topology, complete
from circuits.twins import Masked, Twins, masked

Law = dict[str, float]


def line(width: int, gates: tuple[str, ...] = ("cz", "rz", "sx", "x")) -> Topology:
    return Topology(width, tuple((q, q + 1) for q in range(width - 1)), gates)


def draw(key: bytes, width: int, topology: Topology) -> Case:
    return Twins().generate(key, width=width, depth=4, topology=topology)


def test_a_narrow_twin_can_be_simulated_and_a_wide_one_has_no_answer() -> None:
    wide = line(60)
    assert draw(b"key", 20, wide).answer == SimulatedAnswer()
    assert draw(b"key", 60, wide).answer == NoAnswer()
    assert draw(b"key", 60, wide).program.two_qubit_gates == 2 * 30 + 2 * 29


def test_twins_share_no_draws_with_the_brickwork_of_the_same_key() -> None:
    other = Brickwork().generate(b"key", width=5, depth=4, topology=line(5))
    assert draw(b"key", 5, line(5)).program != other.program


@pytest.mark.parametrize("gate", ["cx", "cz", "ecr", "iswap", "rzz"])
def test_a_masked_twin_has_the_same_law_once_the_mask_is_undone(
    gate: str, distribution: Callable[[Program], Law]
) -> None:
    topology = line(6, (gate, "rz", "sx"))
    case = draw(b"law", 5, topology)
    expected = distribution(case.program.compacted()[0])
    for key in (b"first", b"second"):
        other = masked(case, key, topology)
        law = distribution(other.program.compacted()[0])
        flips = int(other.mask, 2)
        back = {f"{int(bits, 2) ^ flips:05b}": weight for bits, weight in law.items()}
        assert back == pytest.approx(expected, abs=1e-9)


def test_a_masked_twin_differs_gate_by_gate_but_not_in_its_two_qubit_gates() -> None:
    topology = line(6)
    case = draw(b"text", 6, topology)
    other = masked(case, b"mask", topology).program
    pairs = [
        [op.qubits for op in program.operations if op.name == "cz"]
        for program in (case.program, other)
    ]
    assert pairs[0] == pairs[1]
    turns = [
        {op for op in program.operations if op.name == "rz"} for program in (case.program, other)
    ]
    assert len(turns[0] & turns[1]) < len(turns[0]) / 2


def test_a_masked_mirror_keeps_its_answer(distribution: Callable[[Program], Law]) -> None:
    topology = complete(4, ["cx", "u"])
    case = Mirror().generate(b"key", width=4, depth=4, topology=topology)
    other = masked(case, b"mask", topology)
    assert isinstance(case.answer, KnownAnswer)
    (bits,) = distribution(other.program)
    assert other.undo({bits: 9}) == {case.answer.bits: 9}


def test_masks_are_uniform_and_hidden_from_a_log() -> None:
    topology = line(2)
    case = draw(b"uniform", 2, topology)
    masks = [masked(case, b"%d" % k, topology).mask for k in range(400)]
    assert stats.chisquare([masks.count(m) for m in ("00", "01", "10", "11")]).pvalue > 1e-4
    assert "mask=" not in repr(masked(case, b"key", topology))


def test_the_same_key_gives_the_same_mask() -> None:
    case = draw(b"same", 5, line(5))
    assert masked(case, b"key", line(5)) == masked(case, b"key", line(5))


def test_counts_of_another_width_can_not_be_unmasked() -> None:
    with pytest.raises(ValueError, match="need keys of 3 bits, got"):
        Masked(Program(3, 3, ()), "101").undo({"0101": 1})


@pytest.mark.parametrize("depth", [0, 1025])
def test_a_depth_out_of_range_is_refused(depth: int) -> None:
    with pytest.raises(FamilyError, match=rf"depth 1 \.\. 1024, got {depth}"):
        Twins().generate(b"key", width=2, depth=depth, topology=line(2))


def test_a_gate_that_does_not_entangle_is_refused() -> None:
    with pytest.raises(FamilyError, match="entangles, got swap"):
        draw(b"key", 2, line(2, ("swap", "rz", "sx")))


def test_a_gate_that_is_no_clifford_has_twins_but_no_masks() -> None:
    topology = line(3, ("rz", "sqrt_iswap", "sx"))
    case = draw(b"key", 3, topology)
    with pytest.raises(FamilyError, match=r"need a Clifford among .* got sqrt_iswap"):
        masked(case, b"mask", topology)

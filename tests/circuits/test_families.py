"""The contract of every family in the table, on devices of every supported kind.

Expected values: the Family protocol; answers by a dense simulation with the gates' matrices (own
tests of the families check them against stim); golden digests, which validators must share.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

import circuits
from circuits.case import Case, Family, KnownAnswer, ParitiesAnswer, ParityAnswer
from circuits.errors import FamilyError
from circuits.families import FAMILIES, family
from circuits.gates import GATES, matrix
from circuits.parsing import parse
from circuits.program import BARRIER, MEASURE, Program
from circuits.topology import Topology, complete

LINE = ((0, 1), (1, 2), (2, 3), (3, 4))
TOPOLOGIES = {
    "line, cz": Topology(5, LINE, ("cz", "rz", "sx", "x")),
    "directed, ecr": Topology(
        7, ((1, 0), (1, 2), (3, 1), (3, 5), (5, 4), (6, 5)), ("ecr", "id", "rz", "sx", "x")
    ),
    "complete, cx": complete(5, ["cx", "u"]),
    "complete, trapped ions with gpi": complete(5, ["gpi", "gpi2", "rxx"]),
    "complete, trapped ions with prx": complete(5, ["prx", "rz", "rzz"]),
    "star, prx": Topology(5, ((0, 2), (1, 2), (3, 2), (4, 2)), ("cz", "prx")),
    "line, iswap": Topology(5, LINE, ("iswap", "rx", "rz")),
}
DEPTHS = {
    "readout": (0,),
    "repeated_gates": (8, 16),
    "mirror": (2, 6),
    "brickwork": (1, 5),
    "binary_rb": (1, 6),
    "patches": (1, 5),
    "trap": (1, 4),
    "trap_m2": (1, 4),
    "trap_m3": (1, 4),
    "ghz": (0,),
    "layer_fidelity": (1, 5),
    "random_all": (16, 18),
    "twins": (1, 5),
    "volume": (1, 4),
}
# iswap is no controlled-NOT, which a volume circuit is made of: its own tests say so.
UNFIT = {("volume", "line, iswap")}
GOLDEN = {
    ("binary_rb", "line, cz"): "7f631aab61d950fd",
    ("binary_rb", "directed, ecr"): "75e86db1f828ff72",
    ("binary_rb", "complete, cx"): "2b57226c63eae338",
    ("brickwork", "line, cz"): "0c0a6d32bcdcc391",
    ("brickwork", "directed, ecr"): "8006c1e9dc8c34ac",
    ("brickwork", "complete, cx"): "f656705f0485944f",
    ("mirror", "line, cz"): "f4ee9c148bfa467d",
    ("mirror", "directed, ecr"): "2b64f6620e4272c4",
    ("mirror", "complete, cx"): "b636258dbb214a81",
    ("patches", "line, cz"): "a8862eefc545aab1",
    ("patches", "directed, ecr"): "26c03ca792f67ada",
    ("patches", "complete, cx"): "91c2a3d64bf10e5f",
    ("readout", "line, cz"): "0750aef87f564c22",
    ("readout", "directed, ecr"): "bf7b1758674c7b6b",
    ("readout", "complete, cx"): "b86799a85e034a5b",
    ("repeated_gates", "line, cz"): "609dd74effdaf102",
    ("repeated_gates", "directed, ecr"): "4232104dd43b6d9d",
    ("repeated_gates", "complete, cx"): "b55e6b0505fba104",
    ("trap", "line, cz"): "abdd1d710a80c611",
    ("trap", "directed, ecr"): "6b32bac1619113e0",
    ("trap", "complete, cx"): "efb8998cc3f8e11d",
    ("trap_m2", "line, cz"): "dd91bc92dbb564f7",
    ("trap_m2", "directed, ecr"): "95b538568f344dd3",
    ("trap_m2", "complete, cx"): "72f6b6e0eae4d681",
    ("trap_m3", "line, cz"): "8dedc7bf9bbcdbda",
    ("trap_m3", "directed, ecr"): "9b3ab780ab0adfbe",
    ("trap_m3", "complete, cx"): "0478bd306ef269bf",
    ("twins", "line, cz"): "f3a8d7e3d45649e4",
    ("twins", "directed, ecr"): "3da307e0536b11a6",
    ("twins", "complete, cx"): "790c09e097974cd4",
    ("ghz", "line, cz"): "77a1e65a846f80a9",
    ("ghz", "directed, ecr"): "c78f4a9067c200a7",
    ("ghz", "complete, cx"): "ff4ef6e5a45bd9b0",
    ("layer_fidelity", "line, cz"): "46f1e644acffa74f",
    ("layer_fidelity", "directed, ecr"): "3cb6beb9b2519ce1",
    ("layer_fidelity", "complete, cx"): "4bd390d983d37ed1",
    ("random_all", "line, cz"): "680fdd77054a8c84",
    ("random_all", "directed, ecr"): "dd50297ea7a4f3af",
    ("random_all", "complete, cx"): "4088e39a82662330",
    ("volume", "line, cz"): "23d76252c706da33",
    ("volume", "directed, ecr"): "2403f465e40e7cae",
    ("volume", "complete, cx"): "441da36b2ef6643a",
}


@pytest.fixture(params=FAMILIES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=TOPOLOGIES)
def topology(request: pytest.FixtureRequest, name: str) -> Topology:
    if (name, request.param) in UNFIT:
        pytest.skip(f"{name} does not fit {request.param}")
    return TOPOLOGIES[request.param]


@cache
def cases(name: str, topology: Topology) -> tuple[Case, ...]:
    return tuple(drawn(name, topology))


def drawn(name: str, topology: Topology) -> Iterator[Case]:
    for width in (2, 4, topology.num_qubits):
        for depth in DEPTHS[name]:
            key = b"contract %d %d" % (width, depth)
            yield FAMILIES[name].generate(key, width=width, depth=depth, topology=topology)


def probabilities(program: Program) -> NDArray[np.float64]:
    """Ideal outcome probabilities by index, qubit 0 of the compacted program least significant."""
    small, _ = program.compacted()
    n = small.num_qubits
    state = np.zeros((2,) * n, dtype=complex)
    state[(0,) * n] = 1
    for op in small.operations:
        if op.name in GATES:
            axes = [n - 1 - q for q in reversed(op.qubits)]
            gate = matrix(op.name, op.angles).reshape((2,) * (2 * len(axes)))
            state = np.tensordot(gate, state, axes=(range(len(axes), 2 * len(axes)), axes))
            state = np.moveaxis(state, range(len(axes)), axes)
    return np.asarray(np.abs(state.ravel()) ** 2)


def test_every_family_of_the_package_is_in_the_table() -> None:
    found = set()
    for module in pkgutil.iter_modules(circuits.__path__):
        for value in vars(importlib.import_module(f"circuits.{module.name}")).values():
            if isinstance(value, type) and hasattr(value, "generate") and value is not Family:
                found.add(value)
    assert found == {type(member) for member in FAMILIES.values()}


def test_every_family_of_the_table_is_in_these_contract_tests() -> None:
    assert set(DEPTHS) == set(FAMILIES)
    assert {name for name, _ in GOLDEN} == set(FAMILIES)


def test_a_family_stands_under_its_own_name(name: str) -> None:
    assert family(name) is FAMILIES[name]
    assert family(name).name == name


def test_an_unknown_family_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(FamilyError, match=r"unknown family 'ghost', allowed are .*mirror"):
        family("ghost")


def test_the_same_arguments_give_the_same_case(name: str, topology: Topology) -> None:
    first, second = drawn(name, topology), drawn(name, topology)
    assert [(c, c.program.text) for c in first] == [(c, c.program.text) for c in second]


def test_another_key_gives_another_program(name: str, topology: Topology) -> None:
    depth, width = DEPTHS[name][-1], topology.num_qubits
    digests = {
        FAMILIES[name]
        .generate(b"other %d" % k, width=width, depth=depth, topology=topology)
        .program.digest
        for k in range(12)
    }
    # Readout has 2**5 strings only: 12 draws hit 10 of them on average, never as few as 3; repeated
    # gates have a few matchings besides.
    assert len(digests) > 3 if name in ("readout", "repeated_gates") else len(digests) == 12


def test_the_text_parses_back_to_the_program(name: str, topology: Topology) -> None:
    for case in cases(name, topology):
        assert parse(case.program.text) == case.program


def test_the_program_runs_on_the_device_as_it_is(name: str, topology: Topology) -> None:
    for case in cases(name, topology):
        assert case.program.num_qubits == topology.num_qubits
        for op in case.program.operations:
            assert set(op.qubits) <= set(case.qubits)
            if op.name in GATES:
                assert op.name in topology.native_gates
                assert len(op.qubits) == 1 or op.qubits in topology.edges
            else:
                assert op.name in (BARRIER, MEASURE)


def test_a_case_says_what_its_program_does(name: str, topology: Topology) -> None:
    for case in cases(name, topology):
        measured = [op for op in case.program.operations if op.name == MEASURE]
        assert case.family == name
        assert case.width == len(case.qubits) == case.program.num_bits
        assert list(case.qubits) == sorted(set(case.qubits))
        assert [(op.qubits, op.bit) for op in measured] == [
            ((qubit,), bit) for bit, qubit in enumerate(case.qubits)
        ]
        assert tuple(case.program.operations[-case.width :]) == tuple(measured)
        assert case.program.used_qubits == case.qubits


def test_a_known_answer_comes_back_with_certainty(name: str, topology: Topology) -> None:
    for case in cases(name, topology):
        if isinstance(case.answer, KnownAnswer):
            assert len(case.answer.bits) == case.width
            ideal = probabilities(case.program)[int(case.answer.bits, 2)]
            assert ideal == pytest.approx(1, abs=1e-9)


def parities(case: Case) -> tuple[ParityAnswer, ...]:
    if isinstance(case.answer, ParitiesAnswer):
        return case.answer.parities
    return (case.answer,) if isinstance(case.answer, ParityAnswer) else ()


def test_a_parity_comes_back_with_certainty(name: str, topology: Topology) -> None:
    for case in cases(name, topology):
        ideal = probabilities(case.program) if parities(case) else np.ones(1)
        for parity in parities(case):
            assert len(parity.mask) == case.width
            right = [parity.holds(f"{k:0{case.width}b}") for k in range(ideal.size)]
            assert ideal[right].sum() == pytest.approx(1, abs=1e-9)


def test_programs_of_two_depths_share_no_draws(name: str) -> None:
    # The first one-qubit layer would repeat if the depth were not part of the stream's name.
    if len(DEPTHS[name]) > 1:
        first = [
            FAMILIES[name]
            .generate(b"depths", width=5, depth=depth, topology=TOPOLOGIES["line, cz"])
            .program.operations[:25]
            for depth in DEPTHS[name]
        ]
        assert first[0] != first[1]


@pytest.mark.parametrize("width", [-1, 0, 6, 10**9])
def test_an_impossible_width_is_refused(name: str, width: int) -> None:
    with pytest.raises(FamilyError, match=f"got {width}"):
        FAMILIES[name].generate(
            b"key", width=width, depth=DEPTHS[name][-1], topology=TOPOLOGIES["line, cz"]
        )


@pytest.mark.parametrize("depth", [-1, 10**9])
def test_an_impossible_depth_is_refused(name: str, depth: int) -> None:
    with pytest.raises(FamilyError, match=f"got {depth}"):
        FAMILIES[name].generate(b"key", width=5, depth=depth, topology=TOPOLOGIES["line, cz"])


def test_native_gates_that_do_not_suffice_are_refused(name: str) -> None:
    poor = Topology(5, LINE, ("cz", "rz"))
    with pytest.raises(FamilyError, match=r"need one of \{u\}"):
        FAMILIES[name].generate(b"key", width=5, depth=DEPTHS[name][-1], topology=poor)


@pytest.mark.parametrize(("member", "device"), GOLDEN)
def test_programs_are_frozen(member: str, device: str) -> None:
    case = FAMILIES[member].generate(
        b"golden", width=4, depth=DEPTHS[member][-1], topology=TOPOLOGIES[device]
    )
    assert case.program.digest[:16] == GOLDEN[member, device]

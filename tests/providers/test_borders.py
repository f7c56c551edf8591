"""One circuit through every framework in this process: same counts, same two-qubit gates.

The circuit is written for each device in its own gates, with a controlled-NOT made of its own
two-qubit gate, so that its ideal law is one. Expected values: that law by `providers.dense`;
exact simulators fit it by chi-squared, noisy machines stay near it and far from every reordering of
its bits. Gates are counted in what each SDK itself is handed, in the SDK's own objects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from typing import Any

import pytest
from scipy.stats import chisquare

import providers
from circuits import native
from circuits.controlled_not import controlled_not
from circuits.counts import Counts
from circuits.families import FAMILIES
from circuits.parsing import parse
from circuits.program import Operation, Program, measure
from circuits.topology import Topology
from circuits.verbatim import clifford_on_qubit
from providers.base import Context, Device, Job, JobResult, Json, Provider
from providers.dense import probabilities
from providers.probes import best_path

SHOTS = 2_000
PINK: dict[str, Json] = {"processor": "willow_pink", "num_qubits": 9}
FAKE: dict[str, Json] = {"target": "qiskit_ibm_runtime.fake_provider:FakeManilaV2"}
SAMPLER: dict[str, Json] = {"target": "qiskit.primitives:StatevectorSampler", "num_qubits": 9}

EXACT: dict[str, tuple[str, dict[str, Json]]] = {
    "aer": ("aer", {"num_qubits": 9}),
    "braket": ("braket", {"num_qubits": 9}),
    "cirq": ("cirq", {"engine": "cirq", "num_qubits": 9}),
    "exec": ("exec", {}),
    "qsim": ("cirq", {"engine": "qsim", "num_qubits": 9}),
    "sampler": ("qiskit", SAMPLER),
}
NOISY: dict[str, tuple[str, dict[str, Json]]] = {
    "google virtual engine": ("cirq", PINK),
    "ibm local mode": ("ibm", {"fake": "FakeLimaV2"}),
    "ibm fake through qiskit": ("qiskit", FAKE),
}
ELSEWHERE = {"azure", "ionq", "openquantum"}
"""Reached over a wire only: counted in what their fake servers receive, in tests of their own."""

OURSELVES = {"cheats", "standin"}
"""Simulated by this project's own engines, which no SDK compiles for."""

# Bits of the three qubits in a row, and how many bits there are.
LAYOUTS = {
    "permuted": ((2, 0, 1), 3),
    "partial": ((1, None, 0), 2),
    "sparse": ((5, 0, 3), 7),
}
Needed = dict[str, dict[str, Json]]
Turns = Sequence[tuple[float, float, float]]

# Found by search: the law of these stays .32 in total variation from all of its reorderings.
FIRST: Turns = ((0.48, 0.5, 0.0), (2.46, -0.3, 0.0), (0.92, 0.9, 0.0))
LAST: Turns = ((1.72, 0.0, 1.0), (0.52, 0.0, 0.0), (0.37, 0.0, 0.4))


def provider_of(name: str, options: Mapping[str, Json], needed: Needed) -> Provider:
    return providers.create(
        name, {**needed.get(name, {}), **options}, Context(b"borders", lambda: 0)
    )


def asymmetric(topology: Topology, path: Sequence[int], layout: str) -> Program:
    """Turn three qubits in a row, join them by two controlled-NOTs, turn again, read some."""
    operations = _turned(topology, path, FIRST)
    for control, aim in ((path[0], path[1]), (path[2], path[1])):
        operations += _controlled_not(topology, control, aim)
    operations += _turned(topology, path, LAST)
    bits, num_bits = LAYOUTS[layout]
    ends = [measure(q, bit) for q, bit in zip(path, bits, strict=True) if bit is not None]
    return Program(topology.num_qubits, num_bits, (*operations, *ends))


def _turned(topology: Topology, path: Sequence[int], turns: Turns) -> list[Operation]:
    return [
        Operation(name, (qubit,), angles)
        for qubit, (theta, phi, lam) in zip(path, turns, strict=True)
        for name, angles in native.rotation(topology.native_gates, theta=theta, phi=phi, lam=lam)
    ]


def _controlled_not(topology: Topology, control: int, aim: int) -> list[Operation]:
    edge = (control, aim) if (control, aim) in topology.edges else (aim, control)
    name, angles = native.two_qubit(topology)
    recipe = controlled_not(name, edge.index(control))

    def dressed(cliffords: tuple[int, int]) -> list[Operation]:
        return [
            operation
            for qubit, clifford in zip(edge, cliffords, strict=True)
            for operation in clifford_on_qubit(topology.native_gates, clifford, qubit)
        ]

    return [*dressed(recipe.before), Operation(name, edge, angles), *dressed(recipe.behind)]


def row(device: Device) -> tuple[int, ...]:
    """Three qubits in a row: good ones of a machine, the middle of a simulator's register."""
    if device.errors is None:
        middle = device.topology.num_qubits // 2
        return (middle - 1, middle, middle + 1)
    first, _, last = path = best_path(device)
    assert first != last
    return path


def run(provider: Provider, make: Callable[[Device], list[Program]]) -> tuple[Any, JobResult]:
    async def whole() -> tuple[list[Program], JobResult]:
        (device,) = await provider.devices()
        programs = make(device)
        handle = await provider.submit(Job("b" * 64, device.name, tuple(programs), SHOTS))
        for _ in range(100_000):
            if (await provider.state(handle)).final:
                break
            await asyncio.sleep(0.005)
        return programs, await provider.result(handle)

    return asyncio.run(whole())


def law_of(layout: str) -> dict[str, float]:
    """The ideal law, by matrices, of the circuit written in cx and u."""
    line = Topology(3, ((0, 1), (1, 2)), ("cx", "u"))
    return probabilities(asymmetric(line, (0, 1, 2), layout))


def distance(counts: Counts, law: Mapping[str, float]) -> float:
    """Total variation distance."""
    keys = set(counts.table) | set(law)
    return sum(abs(counts.table.get(k, 0) / counts.shots - law.get(k, 0.0)) for k in keys) / 2


def reordered(law: Mapping[str, float]) -> list[dict[str, float]]:
    """The law under every other order of the bits that can be 1."""
    live = [i for i in range(len(next(iter(law)))) if any(key[i] == "1" for key in law)]
    others = []
    for order in permutations(live):
        if list(order) == live:
            continue
        moved: dict[str, float] = {}
        for key, p in law.items():
            bits = list(key)
            for old, new in zip(live, order, strict=True):
                bits[new] = key[old]
            moved["".join(bits)] = p
        others.append(moved)
    return others


def test_the_circuit_looks_different_under_every_reordering_of_its_bits() -> None:
    for layout in LAYOUTS:
        law = law_of(layout)
        assert len(law) == (4 if layout == "partial" else 8)
        for other in reordered(law):
            assert sum(abs(law[k] - other.get(k, 0.0)) for k in law) / 2 > 0.32


def programs_for(device: Device) -> list[Program]:
    path = row(device)
    return [asymmetric(device.topology, path, layout) for layout in LAYOUTS]


@pytest.mark.parametrize("case", sorted(EXACT))
def test_an_asymmetric_circuit_gives_the_same_counts_through_every_exact_simulator(
    case: str, needed_options: Needed
) -> None:
    name, options = EXACT[case]
    _, result = run(provider_of(name, options, needed_options), programs_for)
    for layout, answer in zip(LAYOUTS, result.programs, strict=True):
        law = law_of(layout)
        assert set(answer.counts.table) <= set(law)
        observed = [answer.counts.table.get(key, 0) for key in law]
        assert sum(observed) == SHOTS
        total = sum(law.values())
        assert chisquare(observed, [SHOTS * p / total for p in law.values()]).pvalue > 1e-6


@pytest.mark.parametrize("case", sorted(NOISY))
def test_an_asymmetric_circuit_gives_the_same_counts_up_to_noise_through_every_noisy_machine(
    case: str, needed_options: Needed
) -> None:
    name, options = NOISY[case]
    _, result = run(provider_of(name, options, needed_options), programs_for)
    for layout, answer in zip(LAYOUTS, result.programs, strict=True):
        law = law_of(layout)
        assert answer.counts.shots == SHOTS
        assert distance(answer.counts, law) < 0.12
        assert all(distance(answer.counts, other) > 0.2 for other in reordered(law))


def in_qiskit(circuit: Any) -> int:
    return sum(len(s.qubits) == 2 and s.operation.name != "barrier" for s in circuit.data)


def in_cirq(circuit: Any) -> int:
    return sum(len(op.qubits) == 2 for op in circuit.all_operations())


def in_braket(circuit: Any) -> int:
    return sum(len(step.target) == 2 for step in circuit.instructions)


def spy_on(name: str) -> tuple[Any, str, Callable[..., int]]:
    """Where an SDK is handed circuits: (class, method, two-qubit gates in its arguments)."""
    if name == "aer":
        from qiskit_aer import AerSimulator

        return AerSimulator, "run", lambda circuit, **_: in_qiskit(circuit)
    if name == "braket":
        from braket.devices import LocalSimulator

        return LocalSimulator, "run", lambda circuit, **_: in_braket(circuit)
    if name in ("cirq", "qsim"):
        import cirq

        return cirq.SimulatesSamples, "run_sweep_iter", lambda program, *_, **__: in_cirq(program)
    if name == "google virtual engine":
        from cirq_google.engine import SimulatedLocalProcessor

        return SimulatedLocalProcessor, "run_sweep_async", lambda program, **_: in_cirq(program)
    if name == "ibm local mode":
        from qiskit_ibm_runtime import Executor

        return Executor, "run", lambda program: in_qiskit(program.items[0].circuit)
    if name == "ibm fake through qiskit":
        from qiskit_ibm_runtime.fake_provider import FakeManilaV2

        return FakeManilaV2, "run", lambda circuit, **_: in_qiskit(circuit)
    if name == "sampler":
        from qiskit.primitives import StatevectorSampler

        return StatevectorSampler, "run", lambda pubs, **_: in_qiskit(pubs[0][0])
    from providers.lines import LineProgram

    def in_text(question: Any, **_: Any) -> int:
        return parse(question["program"]["source"]).two_qubit_gates

    return LineProgram, "ask", in_text


@pytest.mark.parametrize("case", sorted({**EXACT, **NOISY}))
def test_a_mirror_circuit_is_handed_over_with_all_of_its_two_qubit_gates(
    case: str, needed_options: Needed, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, options = {**EXACT, **NOISY}[case]
    kind, method, count = spy_on(case)
    handed: list[int] = []
    original = getattr(kind, method)

    def watched(self: Any, *arguments: Any, **keywords: Any) -> Any:
        handed.append(count(*arguments, **keywords))
        return original(self, *arguments, **keywords)

    monkeypatch.setattr(kind, method, watched)

    def mirrors(device: Device) -> list[Program]:
        family = FAMILIES["mirror"]
        return [family.generate(b"k", width=3, depth=8, topology=device.topology).program]

    (program,), _ = run(provider_of(name, options, needed_options), mirrors)
    assert handed == [program.two_qubit_gates]
    assert handed[0] >= 8


def test_no_adapter_is_left_out_here() -> None:
    here = {name for name, _ in (*EXACT.values(), *NOISY.values())}
    assert set(providers.ADAPTERS) <= here | ELSEWHERE | OURSELVES
    assert here <= set(providers.ADAPTERS)

"""The virtual engine: noise as published, on the right qubits, part by part.

Expected values: closed forms of what Google publishes, Cirq's own exact density matrix of the same
noise model, and `providers.dense` through the contract.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Mapping
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import cirq
import cirq_google as cg
import numpy as np
import pytest
from cirq_google.engine import virtual_engine_factory as factory
from scipy.stats import binomtest, chisquare

import providers
from circuits.case import KnownAnswer
from circuits.families import FAMILIES
from circuits.program import RESET, Operation, Program, measure
from providers.base import Context, Job, JobResult, Json, Provider
from providers.cirq_chip import Claim, read_chip
from providers.cirq_virtual import NoisySampler, apart, check_joined
from providers.conformance import check
from providers.errors import MissingSoftware, Rejected

PINK: dict[str, Json] = {"processor": "willow_pink", "num_qubits": 6}
CONTEXT = Context(b"seed", lambda: 0)


def made(options: Mapping[str, Json], folder: Path | None = None) -> Provider:
    return providers.create("cirq", options, Context(b"seed", lambda: 0, folder))


def run(provider: Provider, *programs: Program, shots: int, key: str = "0") -> JobResult:
    async def whole() -> JobResult:
        (device,) = await provider.devices()
        handle = await provider.submit(Job(key * 64, device.name, programs, shots))
        for _ in range(100_000):
            if (await provider.state(handle)).final:
                break
            await asyncio.sleep(0.002)
        return await provider.result(handle)

    return asyncio.run(whole())


def test_the_contract_is_kept() -> None:
    async def brief(_seconds: float) -> None:
        await asyncio.sleep(0.005)

    provider = made({"processor": "rainbow", "num_qubits": 6})
    report = asyncio.run(check(provider, shots=300, pause=brief, patience_s=1e6))
    assert report.failed == ()


def test_a_zero_is_misread_as_often_as_google_says_of_its_qubit() -> None:
    read = Program(6, 6, tuple(measure(q, q) for q in range(6)))
    table = run(made(PINK), read, shots=4_000).programs[0].counts.table
    record: Any = factory.load_median_device_calibration("willow_pink")
    grid = factory.create_device_from_processor_id("willow_pink")
    for q, qubit in enumerate(read_chip(grid, record, Claim("pink", 6)).qubits):
        ones = sum(shots for bits, shots in table.items() if bits[-1 - q] == "1")
        (rate,) = record["single_qubit_p00_error"][(qubit,)]
        assert binomtest(ones, 4_000, rate).pvalue > 1e-6


@pytest.mark.parametrize("engine", ["cirq", "qsim"])
def test_parts_simulated_apart_follow_the_whole_noisy_circuit(engine: str) -> None:
    noise = cg.NoiseModelFromGoogleNoiseProperties(factory.load_device_noise_properties("rainbow"))
    grid = sorted(factory.create_device_from_processor_id("rainbow").metadata.qubit_set)
    a, c = grid[0], grid[-1]
    b = next(qubit for qubit in grid if qubit.is_adjacent(a))
    turn = cirq.PhasedXZGate(x_exponent=0.4, z_exponent=0.1, axis_phase_exponent=0.3)
    ends = [cirq.measure(qubit, key=f"m{k}") for k, qubit in enumerate((a, b, c))]
    circuit = cirq.Circuit(
        turn.on_each(a, b, c), cirq.SQRT_ISWAP(a, b), turn.on_each(a, b), cirq.Moment(ends)
    )
    # The readout's errors are channels too: before the measurements the law is all there.
    noisy = list(cirq.Circuit(noise.noisy_moments(circuit, (a, b, c))))
    before = cirq.Circuit(m for m in noisy if not any(map(cirq.is_measurement, m)))
    final = cirq.DensityMatrixSimulator().simulate(before, qubit_order=(a, b, c))
    law = np.real(np.diag(final.final_density_matrix)).astype(np.float64)
    sampler = NoisySampler(noise, "rainbow", engine=engine, threads=1, context=CONTEXT)
    answer = sampler.run(circuit, repetitions=3_000)
    table = answer.multi_measurement_histogram(keys=["m0", "m1", "m2"])
    observed = [table[bits] for bits in product((0, 1), repeat=3)]
    assert chisquare(observed, 3_000 * law / law.sum()).pvalue > 1e-6


def test_a_mirror_succeeds_as_often_as_its_error_rates_let_expect() -> None:
    provider = made({**PINK, "num_qubits": 4})
    (device,) = asyncio.run(provider.devices())
    assert device.errors is not None
    case = FAMILIES["mirror"].generate(b"key", width=4, depth=16, topology=device.topology)
    (answer,) = run(provider, case.program, shots=600).programs
    assert isinstance(case.answer, KnownAnswer)
    success = answer.counts.table.get(case.answer.bits, 0) / 600
    gates = sum(
        math.log1p(-device.errors.two_qubit[device.topology.edges.index(pair)])
        for op in case.program.operations
        if len(pair := tuple(sorted(op.qubits))) == 2 and op.name == "cz"
    )
    # Gates on one qubit, waiting and readout cost besides: more than the pairs alone, less than
    # three times as much.
    assert 3 * gates + math.log(0.9) < math.log(success) < gates + 0.05


def test_answers_differ_from_job_to_job_but_not_from_start_to_start() -> None:
    read = Program(6, 6, tuple(measure(q, q) for q in range(6)))
    provider = made(PINK)
    first, second = (run(provider, read, shots=500, key=key).programs for key in "12")
    assert first != second
    assert run(made(PINK), read, shots=500, key="3").programs == first


def test_nothing_is_remembered_over_a_restart(tmp_path: Path) -> None:
    provider = made(PINK, tmp_path)
    run(provider, Program(6, 1, (measure(0, 0),)), shots=10)
    assert list(tmp_path.iterdir()) == []
    assert asyncio.run(made(PINK, tmp_path).find("0" * 64)) is None


def test_the_old_processors_refuse_a_reset_in_their_own_words() -> None:
    program = Program(12, 1, (Operation(RESET, (0,)), measure(0, 0)))
    with pytest.raises(Rejected, match=r"rainbow: .*reset.* not supported"):
        run(made({"processor": "rainbow"}), program, shots=10)


def test_more_qubits_joined_than_can_be_simulated_are_refused_and_apart_are_not() -> None:
    line = cirq.LineQubit.range(50)
    couples = [cirq.CZ(a, b) for a, b in pairwise(line[:25])]
    check_joined(cirq.Circuit(cirq.X.on_each(line), couples[:23]))
    with pytest.raises(Rejected, match="at most 24 qubits that gates join, got 25"):
        check_joined(cirq.Circuit(couples))


def test_a_circuit_is_split_where_nothing_joins_it_and_keeps_every_operation_in_order() -> None:
    a, b, c, d = cirq.LineQubit.range(4)
    circuit = cirq.Circuit(cirq.X.on_each(a, b, c, d), cirq.CZ(a, d), cirq.CZ(d, b), cirq.Y(c))
    parts = list(apart(circuit))
    assert sorted(sorted(map(str, part.all_qubits())) for part in parts) == [
        ["q(0)", "q(1)", "q(3)"],
        ["q(2)"],
    ]
    joined = next(part for part in parts if len(part.all_qubits()) == 3)
    assert list(joined.all_operations())[-2:] == [cirq.CZ(a, d), cirq.CZ(d, b)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"processor": "sycamore9"}, "one of rainbow, weber, willow_pink, or with the option"),
        ({"project": "p"}, "needs the option 'processor'"),
        ({"project": "p", "processor": "x", "snapshot": "s"}, "go together"),
        ({"engine": "aer"}, "one of auto, cirq, qsim"),
        ({"processor": "rainbow", "project_id": "p"}, "no option 'project_id'"),
    ],
)
def test_a_wrong_option_is_refused(options: Mapping[str, Json], words: str) -> None:
    with pytest.raises(Rejected, match=words):
        made(options)


def test_without_qsim_cirq_itself_simulates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qsimcirq", None)  # how Python marks what is not there
    with pytest.raises(MissingSoftware, match="pip install qsimcirq, or engine=cirq"):
        made({"engine": "qsim"})
    flipped = Program(1, 1, (Operation("x", (0,)), measure(0, 0)))
    assert dict(run(made({}), flipped, shots=5).programs[0].counts.table) == {"1": 5}

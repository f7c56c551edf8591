"""An honest stand-in: its sheet, its ageing, its limits and its honesty."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import numpy as np
import pytest

from circuits.case import KnownAnswer
from circuits.counts import Counts
from circuits.draws import Draws
from circuits.mirror import Mirror
from circuits.program import Operation, Program, barrier, measure
from providers.base import Context, DeviceClass, Job, JobResult
from providers.cheats import sheet_fidelity
from providers.errors import Rejected
from providers.snapshots import load
from providers.standin import StandIn, create


def key(number: int) -> str:
    return f"{number:064x}"


def run(
    *programs: Program,
    machine: str = "hanoi",
    epoch: int = 0,
    seed: bytes = b"seed",
    shots: int = 500,
    memory: bool = False,
    verbatim: bool = True,
    number: int = 1,
) -> JobResult:
    async def through() -> JobResult:
        provider = create({"machine": machine, "device": "q"}, Context(seed, lambda: epoch))
        job = Job(key(number), "q", programs, shots, verbatim=verbatim, memory=memory)
        handle = await provider.submit(job)
        await provider.wait(handle)
        result = await provider.result(handle)
        provider.close()
        return result

    return asyncio.run(through())


def counts(program: Program, **options: int) -> Counts:
    return run(program, **options).programs[0].counts  # type: ignore[arg-type]


def flip(qubit: int, width: int = 27) -> Program:
    return Program(width, 3, (Operation("x", (qubit,)), measure(3, 0), measure(9, 2)))


def test_a_standin_claims_to_be_the_machine_of_its_snapshot() -> None:
    provider = create({"machine": "torino"}, Context(b"seed", lambda: 0))
    (device,) = asyncio.run(provider.devices())
    snapshot = load("torino")
    assert (device.name, device.device_class) == ("torino", DeviceClass.QPU)
    assert (device.topology, device.errors) == (snapshot.topology, snapshot.errors)
    provider.close()


def test_x_on_one_qubit_shows_on_the_bit_that_reads_it() -> None:
    for qubit, expected in ((3, "001"), (9, "100"), (12, "000")):
        table = counts(flip(qubit)).table
        assert max(table, key=table.__getitem__) == expected


def test_one_job_gives_the_same_counts_again_and_another_seed_or_epoch_does_not() -> None:
    readout = Program(27, 27, tuple(measure(q, q) for q in range(27)))
    first = counts(readout)
    assert counts(readout) == first
    assert counts(readout, number=2) != first
    assert counts(readout, epoch=1) != first
    assert run(readout, seed=b"other").programs[0].counts != first


def test_readout_drifts_from_epoch_to_epoch() -> None:
    ones = Program(
        27,
        27,
        tuple(Operation("x", (q,)) for q in range(27)) + tuple(measure(q, q) for q in range(27)),
    )
    means = [counts(ones, epoch=e, shots=10_000).rows().mean(axis=0) for e in (0, 40)]
    spread = np.sqrt(2 * means[0] * (1 - means[0]) / 10_000)
    assert np.sum(((means[0] - means[1]) / spread) ** 2) > 200  # 27 expected without drift


def test_ones_are_misread_more_often_than_zeros() -> None:
    ends = tuple(measure(q, q) for q in range(27))
    ones = tuple(Operation("x", (q,)) for q in range(27))
    low = counts(Program(27, 27, ends), shots=4_000).rows().mean()
    high = 1 - counts(Program(27, 27, ones + ends), shots=4_000).rows().mean()
    assert high > 1.5 * low > 0


def test_neighbours_at_work_make_a_gate_worse() -> None:
    hanoi = StandIn(load("hanoi"), "q", Context(b"seed", lambda: 0))
    fence = barrier(range(27))
    near, victim = [(0, 1), (7, 10), (8, 11)], (2, 3)
    edges = set(hanoi.device.topology.edges)

    def wrong(*pairs: tuple[int, int]) -> float:
        layer = [Operation("cx", p if p in edges else p[::-1]) for p in pairs]
        operations = [op for _ in range(20) for op in (*layer, fence)]
        program = Program(27, 2, (*operations, measure(2, 0), measure(3, 1)))
        return float(hanoi.run(program, shots=6_000, draws=Draws(b"x")).any(axis=1).mean())

    assert {tuple(sorted(e)) for e in edges} >= {tuple(sorted(p)) for p in [*near[:1], victim]}
    assert wrong(victim, (0, 1), (5, 8)) > wrong(victim) + 0.01


@pytest.mark.parametrize("machine", ["nairobi", "hanoi", "brisbane", "torino"])
def test_an_honest_device_stays_above_the_floor_of_its_own_claim(machine: str) -> None:
    # Accusations start below F_claim^3 / 2 where F_claim >= 1/2 and the circuit is small.
    epoch = 0
    standin = StandIn(load(machine), "q", Context(b"floor", lambda: epoch))
    judged = 0
    for epoch in range(6):
        for width in (2, 4, 8):
            if width > standin.device.topology.num_qubits:
                continue
            case = Mirror().generate(
                b"%d" % epoch, width=width, depth=4, topology=standin.device.topology
            )
            claim = sheet_fidelity(standin.device, case.program)
            if claim < 0.5:
                continue
            judged += 1
            rows = standin.run(case.program, shots=4_000, draws=Draws(b"x", epoch, width))
            assert isinstance(case.answer, KnownAnswer)
            target = np.array([c == "1" for c in reversed(case.answer.bits)])
            average = np.mean((-0.5) ** np.sum(rows != target, axis=1))
            polarization = (4**width * average - 1) / (4**width - 1)
            assert claim**3 / 2 < polarization < 1
    assert judged >= 8


def test_a_wide_mirror_still_leans_towards_its_answer() -> None:
    standin = StandIn(load("torino"), "q", Context(b"wide", lambda: 0))
    case = Mirror().generate(b"w", width=120, depth=8, topology=standin.device.topology)
    rows = standin.run(case.program, shots=200, draws=Draws(b"x"))
    assert isinstance(case.answer, KnownAnswer)
    target = np.array([c == "1" for c in reversed(case.answer.bits)])
    assert 0.02 < np.mean(rows != target) < 0.4


def test_memory_keeps_the_shots_behind_the_counts() -> None:
    result = run(flip(3), memory=True).programs[0]
    assert result.memory is not None
    table: dict[str, int] = {}
    for bits in result.memory:
        table[bits] = table.get(bits, 0) + 1
    assert table == result.counts.table
    assert run(flip(3)).programs[0].memory is None


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ((Operation("h", (0,)),), "h on qubits"),
        ((Operation("cx", (0, 5)),), "cx on qubits"),
        ((Operation("cx", (19, 20)),), "cx on qubits"),
        (tuple(Operation("rz", (q,), (0.5,)) for q in range(13)), "at most 12 qubits"),
    ],
)
@pytest.mark.parametrize("verbatim", [True, False])
def test_what_the_machine_can_not_run_as_it_stands_is_refused(
    operations: tuple[Operation, ...], message: str, *, verbatim: bool
) -> None:
    with pytest.raises(Rejected, match=message):
        run(Program(27, 1, (*operations, measure(0, 0))), verbatim=verbatim)


def test_calibration_is_the_published_record_with_its_date() -> None:
    provider = create({}, Context(b"seed", lambda: 0))
    record = asyncio.run(provider.calibration("hanoi"))
    assert record["last_update_date"] == "2025-02-26T15:13:14-05:00"
    json.dumps(dict(record), allow_nan=False)
    provider.close()


def test_wrong_options_are_refused() -> None:
    context = Context(b"seed", lambda: 0)
    with pytest.raises(Rejected, match="no option 'machin'"):
        create({"machin": "hanoi"}, context)
    with pytest.raises(Rejected, match="no snapshot of 'nowhere'"):
        create({"machine": "nowhere"}, context)


@pytest.mark.parametrize("adapter", ["standin", "cheats"])
def test_the_process_loads_stim_and_numpy_but_no_framework(adapter: str) -> None:
    script = f"""
import asyncio, sys
from circuits.program import Operation, Program, measure
from providers import create
from providers.base import Context, Job

async def main():
    provider = create({adapter!r}, {{}}, Context(b"seed", lambda: 0))
    for k, angle in enumerate((0.0, 0.5)):
        program = Program(27, 1, (Operation("rz", (0,), (angle,)), measure(0, 0)))
        handle = await provider.submit(Job(f"{{k:064x}}", "hanoi", (program,), 10))
        await provider.wait(handle)
        assert (await provider.result(handle)).programs[0].counts.shots == 10
    provider.close()

asyncio.run(main())
print(*sorted({{name.split(".")[0] for name in sys.modules}}))
"""
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(shown.stdout.split())
    assert {"numpy", "stim"} <= loaded
    assert not loaded & {"qiskit", "qiskit_aer", "qiskit_ibm_runtime", "cirq", "braket", "scipy"}

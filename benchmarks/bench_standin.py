"""Benchmark: CPU seconds that a stand-in needs for one day of tests, by program.

A day: 2 readout probes at full width (500 shots), 5 mirrors of 4 to 8 qubits (400), 2 mirrors at
full width of depth 2 and 8 (400) and one brickwork of 8 qubits (400). As a yardstick that does
not depend on the machine, every figure is also divided by the time of one hash of 1 MB
(SHA-256), measured here. Medians over days.

Beside each Clifford program stands the ratio to stim's own noisy sampler on the same laid out
circuit, which is what a stand-in would cost without `providers.frames`.

Run: OMP_NUM_THREADS=1 python benchmarks/bench_standin.py [--machine hanoi] [--days 9]
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable

from circuits.brickwork import Brickwork
from circuits.draws import Draws
from circuits.layout import largest_part
from circuits.mirror import Mirror
from circuits.program import Program
from circuits.readout import Readout
from circuits.topology import Topology
from providers.base import Context
from providers.noise import place
from providers.snapshots import load
from providers.stabilizer import is_clifford, sample_stabilizer
from providers.standin import StandIn

MIRRORS = ((4, 4), (4, 8), (6, 4), (8, 4), (8, 8))


def day(topology: Topology, number: int) -> list[tuple[str, Program, int]]:
    """Draw one day's programs: name, program, shots."""
    key, full = b"%d" % number, topology.num_qubits
    most = largest_part(topology)
    mirrors = [*MIRRORS, (most, 2), (most, 8)]
    return [
        *(
            (
                f"readout {full}",
                Readout().generate(k, width=full, depth=0, topology=topology).program,
                500,
            )
            for k in (b"one", b"two")
        ),
        *(
            (
                f"mirror {w} x {d}",
                Mirror().generate(key, width=w, depth=d, topology=topology).program,
                400,
            )
            for w, d in mirrors
        ),
        (
            "brickwork 8 x 8",
            Brickwork().generate(key, width=8, depth=8, topology=topology).program,
            400,
        ),
    ]


def seconds(run: Callable[[], object]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--machine", default="hanoi")
    parser.add_argument("--days", type=int, default=9)
    given = parser.parse_args()
    now = [0]
    machine = StandIn(load(given.machine), "bench", Context(b"bench", lambda: now[0]))
    topology = machine.snapshot.topology
    first = seconds(lambda: machine.rates(0))
    for _, program, _ in day(topology, -1):
        machine.run(program, shots=10, draws=Draws(b"warm"))
    ours: dict[str, list[float]] = {}
    stims: dict[str, list[float]] = {}
    ageing: list[float] = []
    for number in range(1, given.days + 1):
        now[0] = number
        ageing.append(seconds(lambda: machine.rates(number)))  # noqa: B023 - called at once
        for index, (name, program, shots) in enumerate(day(topology, number)):
            draws = Draws(b"bench", number, index)
            spent = seconds(lambda: machine.run(program, shots=shots, draws=draws))  # noqa: B023
            ours.setdefault(name, []).append(spent)
            if is_clifford(program):
                circuit = place(program, topology, machine.rates(number))
                spent = seconds(lambda: sample_stabilizer(circuit, shots, draws))  # noqa: B023
                stims.setdefault(name, []).append(spent)
    block = b"x" * 1_000_000
    hashing = statistics.median(seconds(lambda: hashlib.sha256(block)) for _ in range(99))
    print(
        f"{given.machine}: first rates {first:.4f} CPU-s, a later epoch's "
        f"{statistics.median(ageing):.4f}; one MB hashed in {hashing:.5f}"
    )
    total = statistics.median(ageing)
    for name, spent_all in ours.items():
        middle = statistics.median(spent_all)
        total += middle * len(spent_all) / given.days
        against = (
            f"stim / ours {statistics.median(stims[name]) / middle:6.1f}" if name in stims else ""
        )
        print(f"{name:18} {middle:8.4f} CPU-s  {middle / hashing:8.1f} hashes  {against}")
    print(f"{'a day':18} {total:8.4f} CPU-s  {total / hashing:8.1f} hashes")


if __name__ == "__main__":
    main()

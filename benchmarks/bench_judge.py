"""Benchmark: CPU seconds to judge one device for one epoch.

Stand-ins of three sizes answer the plan's own tests in this process; then `evidence` and `judge`
run over the whole record, as a validator runs them every epoch. The reference's cache is warm for
old epochs in a service; here it is cold, so the circuits' simulation is inside. Prints one line a
device: CPU seconds in all, and per epoch.

Run: python benchmarks/bench_judge.py [--epochs N]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
import time

import providers
from providers.base import Context, Job
from providers.local import LocalProvider
from validator.evidence import evidence
from validator.plan import draw, plan
from validator.record import Record
from validator.references.reference import Reference, best_engine
from validator.verdict import judge

MACHINES = ("hanoi", "sherbrooke", "torino")


async def answered(machine: str, *, epochs: int) -> list[Record]:
    """Test one stand-in for some epochs."""
    now = [0]
    provider = providers.create("standin", {"machine": machine}, Context(b"bench", lambda: now[0]))
    if not isinstance(provider, LocalProvider):
        raise TypeError(f"need a provider in this process, got {type(provider).__name__}")
    (device,) = await provider.devices()
    records: list[Record] = []
    for epoch in range(1, epochs + 1):
        now[0] = epoch
        for assignment in plan(device):
            key = hashlib.sha256(f"{machine} {epoch} {assignment}".encode()).hexdigest()
            planned = draw(assignment, device, secret=b"s" * 32, block_hash=f"{epoch}", hotkey="hk")
            cases = [one.case for one in planned]
            programs = tuple(case.program for case in cases)
            handle = await provider.submit(Job(key, device.name, programs, assignment.shots))
            await provider.wait(handle)
            result = await provider.result(handle)
            for index, (case, answer) in enumerate(zip(cases, result.programs, strict=True)):
                records.append(
                    Record(
                        hotkey="hk",
                        device=device,
                        epoch=epoch,
                        job_key=key,
                        index=index,
                        program=case.program,
                        shots_asked=assignment.shots,
                        counts=answer.counts,
                        kind=answer.kind,
                        case=case,
                        receipt_digest="",
                    )
                )
    provider.close()
    return records


def judged(records: list[Record], *, reference: Reference) -> tuple[float, str]:
    """Judge once; the CPU seconds of this process, and the verdict."""
    start = time.process_time()
    found = evidence(records, reference=reference, permutation_key=b"bench")
    verdict = judge(found, records[-1].device)
    return time.process_time() - start, f"{verdict.outcome} {verdict.grade}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--epochs", type=int, default=3)
    epochs = parser.parse_args().epochs
    engine = best_engine()
    warm = asyncio.run(answered(MACHINES[0], epochs=1))
    judged(warm, reference=Reference(engine))  # imports
    for machine in MACHINES:
        records = asyncio.run(answered(machine, epochs=epochs))
        seconds, verdict = judged(records, reference=Reference(engine))
        width = records[-1].device.topology.num_qubits
        sys.stdout.write(
            f"{machine:12} {width:4} qubits  {epochs} epochs  {seconds:6.3f} CPU-s  "
            f"{seconds / epochs:6.3f} CPU-s per device-epoch  {verdict}\n"
        )


if __name__ == "__main__":
    main()

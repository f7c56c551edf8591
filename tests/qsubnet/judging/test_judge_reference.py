"""A device judged beside a trusted run on the machine that it is said to be."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from providers.base import Json
from qsubnet.cli.judge import judge
from qsubnet.errors import BadInput
from qsubnet.judging.live import Bench, Judged, judge_live, secret_from
from validator.probe_reads import is_probe, probe_reads
from validator.references.reference import Reference, best_engine
from validator.simulators.against_drift import DriftTwin

ROOT = Path(__file__).parents[3]
EPOCHS = 5
SHEET: dict[str, Json] = {
    "name": "lab-5",
    "class": "qpu",
    "num_qubits": 5,
    "native_gates": ["u"],
    "two_qubit_gate": "cx",
    "coupling": "all",
    "errors": {"one_qubit": 0.001, "two_qubit": 0.01, "readout": 0.08},
}

MACHINE = '''
"""A machine: readout errors follow from (name, qubit, epoch), its shots are its own."""
import json, math, random, sys
import numpy as np
from circuits.counts import Counts
from circuits.parsing import parse
from providers.dense import probabilities

name, shots_seed, last_epoch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(shots_seed)

def rate(qubit, epoch):
    return 0.08 * math.exp(random.Random(f"{name}/{qubit}/{epoch}").gauss(0.0, 0.5))

for line in sys.stdin:
    job = json.loads(line)
    if job["epoch"] > last_epoch:
        sys.exit(3)
    law = probabilities(parse(job["program"]["source"]))
    weights = np.array(list(law.values()))
    drawn = rng.choice(list(law), size=job["shots"], p=weights / weights.sum())
    rows = np.array([[bit == "1" for bit in reversed(key)] for key in drawn])
    rates = [rate(qubit, job["epoch"]) for qubit in range(rows.shape[1])]
    counts = Counts.from_rows(rows ^ (rng.random(rows.shape) < rates)).table
    print(json.dumps({"id": job["id"], "counts": dict(counts)}), flush=True)
'''

Judging = Callable[..., Judged]


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judging]:
    """Judge the machine "lab" beside a reference that is the machine of another name, or it."""
    program = tmp_path_factory.mktemp("reference") / "machine.py"
    program.write_text(MACHINE)

    def command(name: str, shots_seed: int, last_epoch: int) -> dict[str, Json]:
        line = f"{sys.executable} {program} {name} {shots_seed} {last_epoch}"
        return {"command": line, "sheet": SHEET}

    @cache
    def run(name: str, *, last_epoch: int = 99) -> Judged:
        bench = Bench("exec", command("lab", 1, 99), secret_from(5))
        trusted = Bench("exec", command(name, 2, last_epoch), secret_from(6))
        reference = Reference(best_engine())
        try:
            return asyncio.run(
                judge_live(bench, epochs=EPOCHS, reference=reference, trusted=trusted)
            )
        finally:
            bench.close()
            trusted.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield run


def agreement(judged: Judged) -> float:
    """Fold the evidence that the answers and the reference's move together, log10."""
    test = DriftTwin()
    for epoch in range(EPOCHS):
        ours, theirs = (
            probe_reads(record for record in records if record.epoch == epoch)
            for records in (judged.records, judged.trusted)
        )
        test = test.after(ours, theirs)
    return test.log10_e


def test_the_reference_answers_the_probes_that_the_device_answered(beside: Judging) -> None:
    judged = beside("lab")
    asked = [(r.epoch, r.program) for r in judged.records if is_probe(r)]
    assert [(r.epoch, r.program) for r in judged.trusted] == asked
    assert {r.hotkey for r in judged.trusted} == {"reference"}
    assert {r.shots_returned for r in judged.trusted} <= {r.shots_asked for r in judged.records}
    assert not {r.job_key for r in judged.trusted} & {r.job_key for r in judged.records}
    assert judged.failures == {}


def test_one_machine_agrees_with_itself_and_made_up_drift_does_not(beside: Judging) -> None:
    assert agreement(beside("lab")) > 3.0
    assert agreement(beside("elsewhere", last_epoch=EPOCHS - 2)) < 0.0


def test_a_reference_that_dies_costs_its_epochs_and_is_reported(beside: Judging) -> None:
    judged = beside("elsewhere", last_epoch=EPOCHS - 2)
    assert {record.epoch for record in judged.trusted} == set(range(EPOCHS - 1))
    assert judged.failures == {"the reference run failed: the program ended (exit status 3)": 1}
    assert judged.verdict.evidence.programs_answered == len(judged.records)


def test_a_wrong_reference_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--reference-command is for --provider exec"):
        judge(provider="standin", reference_command="cat")
    sheet = tmp_path / "sheet.json"
    sheet.write_text(json.dumps(SHEET))
    with pytest.raises(BadInput, match=r"--reference-command: .* there is no program 'no-such'"):
        judge(provider="exec", command="cat", sheet=str(sheet), reference_command="no-such")

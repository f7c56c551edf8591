"""An IQM machine, or IQM's fake of one, for `qsubnet ... --provider exec`.

It runs in an environment of its own, because IQM's client wants an older Qiskit than the rest. Jobs
come on stdin and counts go to stdout, one JSON object a line. Programs are prx and cz on the
machine's own qubits, q[j] is its j-th qubit, and they are sent as they stand.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

FAKES = ("adonis", "apollo", "garnet")
"""IQM's fakes without computational resonators: their couplings are between qubits."""


class Step(NamedTuple):
    """One line of a program: prx, cz, barrier or measure; `bit` is what a measurement writes."""

    name: str
    qubits: tuple[int, ...]
    angles: tuple[float, ...] = ()
    bit: int | None = None


HEADER = re.compile(r'OPENQASM 3\.0;|include "stdgates\.inc";|gate prx\(a, b\) q0 \{.*\}')
SIZE = re.compile(r"(qubit|bit)\[(\d+)\] [qc];")
GATE = re.compile(r"(prx|cz|barrier)(?:\(([^)]*)\))? (q\[\d+\](?:, q\[\d+\])*);")
MEASURE = re.compile(r"c\[(\d+)\] = measure q\[(\d+)\];")


def read(source: str) -> tuple[int, int, list[Step]]:
    """Read a flat program: width, classical bits, steps.

    Raises:
        ValueError: A line that this machine has no operation for.
    """
    sizes, steps = {"qubit": 1, "bit": 1}, []
    for line in source.splitlines():
        if size := SIZE.fullmatch(line):
            sizes[size[1]] = int(size[2])
        elif found := MEASURE.fullmatch(line):
            steps.append(Step("measure", (int(found[2]),), bit=int(found[1])))
        elif found := GATE.fullmatch(line):
            qubits = tuple(int(number) for number in re.findall(r"\d+", found[3]))
            angles = tuple(float(angle) for angle in found[2].split(",")) if found[2] else ()
            steps.append(Step(found[1], qubits, angles))
        elif not HEADER.fullmatch(line):
            raise ValueError(f"this machine runs prx, cz, barrier and measure, got {line[:60]!r}")
    return sizes["qubit"], sizes["bit"], steps


def circuit_of(source: str) -> QuantumCircuit:
    """Write a program in Qiskit's words; prx is its `r`."""
    from qiskit import QuantumCircuit

    num_qubits, num_bits, steps = read(source)
    circuit = QuantumCircuit(num_qubits, num_bits)
    for step in steps:
        if step.name == "measure":
            circuit.measure(step.qubits[0], step.bit)
        elif step.name == "prx":
            circuit.r(*step.angles, step.qubits[0])
        else:
            getattr(circuit, step.name)(*step.qubits)
    return circuit


def answers(lines: Iterable[str], backend: Any) -> Iterator[str]:  # noqa: ANN401 - the SDK's
    """Answer one question a line; Qiskit, too, puts classical bit 0 rightmost."""
    for line in lines:
        job = json.loads(line)
        answer: dict[str, Any]
        try:
            circuit = circuit_of(job["program"]["source"])
            counts = backend.run(circuit, shots=job["shots"]).result().get_counts()
            answer = {"counts": {str(key): int(shots) for key, shots in counts.items()}}
        except Exception as error:  # noqa: BLE001 - whatever fails is this job's answer
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        yield json.dumps({"id": job["id"], **answer})


def sheet_of(backend: Any, name: str) -> dict[str, Any]:  # noqa: ANN401 - the SDK's
    """Write the machine's published numbers as a sheet.

    Raises:
        SystemExit: The server publishes no error of some qubit or pair.
    """
    target = backend.target
    pairs = sorted({tuple(sorted(pair)) for pair in target["cz"]})
    qubits = [(q,) for q in range(target.num_qubits)]
    errors = (
        fake_errors(backend, pairs)
        if hasattr(backend, "error_profile")
        else {
            "one_qubit": [stated(target, "r", qubit) for qubit in qubits],
            "two_qubit": [stated(target, "cz", pair) for pair in pairs],
            "readout": [stated(target, "measure", qubit) for qubit in qubits],
        }
    )
    return {
        "name": name,
        "class": "qpu",
        "num_qubits": target.num_qubits,
        "native_gates": ["prx"],
        "two_qubit_gate": "cz",
        "coupling": [list(pair) for pair in pairs],
        "errors": errors,
    }


def stated(target: Any, gate: str, qubits: tuple[int, ...]) -> float:  # noqa: ANN401 - the SDK's
    """The error that the server publishes of a gate, in either direction."""
    known = target[gate].get(qubits) or target[gate].get(qubits[::-1])
    if known is None or known.error is None:
        sys.exit(f"the server publishes no error of {gate} on {qubits}: write the sheet by hand")
    return float(known.error)


def fake_errors(backend: Any, pairs: list[Any]) -> dict[str, list[float]]:  # noqa: ANN401 - SDK's
    """Average infidelities of a fake's own noise: relaxation, then depolarising."""
    from qiskit.quantum_info import SuperOp, average_gate_fidelity
    from qiskit_aer.noise import depolarizing_error

    profile = backend.error_profile
    names = [backend.index_to_qubit_name(q) for q in range(backend.target.num_qubits)]
    single = profile.single_qubit_gate_depolarizing_error_parameters["prx"]
    double = {
        frozenset(pair): rate
        for pair, rate in profile.two_qubit_gate_depolarizing_error_parameters["cz"].items()
    }

    def infidelity(components: list[str], duration: float, depolarising: float) -> float:
        waiting = [profile.thermal_relaxation(name, duration) for name in components]
        channel = waiting[0] if len(waiting) == 1 else waiting[0].tensor(waiting[1])
        noise = channel.compose(depolarizing_error(depolarising, len(components)))
        return round(1 - float(average_gate_fidelity(SuperOp(noise))), 9)

    pulse = profile.single_qubit_gate_durations["prx"]
    gate = profile.two_qubit_gate_durations["cz"]
    ends = [[names[a], names[b]] for a, b in pairs]
    reads = [profile.readout_errors[name] for name in names]
    return {
        "one_qubit": [infidelity([name], pulse, single[name]) for name in names],
        "two_qubit": [infidelity(end, gate, double[frozenset(end)]) for end in ends],
        "readout": [(read["0"] + read["1"]) / 2 for read in reads],
    }


def backend_of(fake: str, server: str, machine: str) -> Any:  # noqa: ANN401 - the SDK's
    """Make IQM's backend; the client finds the token in IQM_TOKEN by itself."""
    if fake:
        module = importlib.import_module(f"iqm.qiskit_iqm.fake_backends.fake_{fake}")
        return getattr(module, f"IQMFake{fake.capitalize()}")()
    provider = importlib.import_module("iqm.qiskit_iqm").IQMProvider
    return provider(server, quantum_computer=machine or None).get_backend(use_metrics=True)


def main() -> None:
    """Answer jobs until stdin ends, or write the sheet."""
    read_words = argparse.ArgumentParser(description="An IQM machine behind JSON lines.")
    read_words.add_argument("--fake", choices=FAKES, default="", help="one of IQM's fakes, offline")
    read_words.add_argument("--server", default="", help="URL of an IQM server")
    read_words.add_argument("--machine", default="", help="which of its quantum computers")
    read_words.add_argument("--sheet", action="store_true", help="write the sheet and end")
    words = read_words.parse_args()
    if bool(words.fake) == bool(words.server):
        read_words.error("give --fake or --server")
    backend = backend_of(words.fake, words.server, words.machine)
    if words.sheet:
        name = f"iqm-{words.fake or words.machine or 'machine'}"
        print(json.dumps(sheet_of(backend, name), indent=1))
        return
    for answer in answers(sys.stdin, backend):
        print(answer, flush=True)


if __name__ == "__main__":
    main()

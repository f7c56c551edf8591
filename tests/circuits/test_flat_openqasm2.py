"""The fast reader of OpenQASM 2: Qiskit's importer says the same, or the reader says nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2
from qiskit.quantum_info import Operator

from circuits.emitters.qiskit import to_qiskit
from circuits.flat_openqasm2 import parse_openqasm2
from circuits.program import Limits, Operation, measure

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\ncreg c[3];\n'


def _unitary(circuit: QuantumCircuit) -> Operator:
    circuit = circuit.copy()
    circuit.remove_final_measurements()
    return Operator(circuit)


@pytest.mark.parametrize("seed", range(5))
def test_what_qiskit_exports_is_read_as_qiskit_reads_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    calls = {"x": 1, "h": 1, "sdg": 1, "t": 1, "sx": 1, "rx": 1, "rz": 1, "p": 1, "u": 1}
    calls |= {"cx": 2, "cz": 2, "swap": 2, "cp": 2, "rzz": 2, "rxx": 2, "ccx": 3}
    angles = {"rx": 1, "rz": 1, "p": 1, "u": 3, "cp": 1, "rzz": 1, "rxx": 1}
    circuit = QuantumCircuit(3, 3)
    for name in rng.choice(list(calls), size=40):
        qubits = [int(q) for q in rng.choice(3, size=calls[name], replace=False)]
        values = [float(a) for a in rng.uniform(-7, 7, angles.get(name, 0))]
        getattr(circuit, name)(*values, *qubits)
    text = qasm2.dumps(circuit)
    program = parse_openqasm2(text.replace("p(", "u1(").replace("u(", "u3("))
    if "gate " in text:
        assert program is None
        text = text.replace(text[text.index("gate ") : text.rindex("}") + 1], "")
        program = parse_openqasm2(text)
    assert program is not None
    assert Operator(to_qiskit(program)).equiv(_unitary(circuit))


@pytest.mark.parametrize(
    ("angle", "value"),
    [
        ("pi/2", math.pi / 2),
        ("-3*pi/4", -3 * math.pi / 4),
        ("2*(pi-0.5)", 2 * (math.pi - 0.5)),
        ("1e-3+.5", 0.501),
        ("-(-1.)", 1.0),
        ("8/2/2", 2.0),
        ("1-2-3", -4.0),
    ],
)
def test_angles_are_computed_as_written(angle: str, value: float) -> None:
    program = parse_openqasm2(f"{HEAD}rz({angle}) q[1]; measure q[1] -> c[0];")
    assert program is not None
    assert program.operations[0].angles[0] == pytest.approx(value, abs=1e-15)
    ours = qasm2.loads(f"{HEAD}rz({angle}) q[1];").data[0].operation.params[0]
    assert program.operations[0].angles[0] == ours


def test_registers_are_joined_in_the_order_of_their_declaration() -> None:
    program = parse_openqasm2(
        'OPENQASM 2.0; include "qelib1.inc"; qreg a[1]; creg m[2]; qreg b[2]; creg n[1];'
        "x b[1]; // not y\n barrier a,b; measure b -> m; measure a[0] -> n[0]; reset a;"
    )
    assert program is not None
    assert (program.num_qubits, program.num_bits) == (3, 3)
    assert program.operations[0] == Operation("x", (2,))
    assert program.operations[2:5] == (measure(1, 0), measure(2, 1), measure(0, 2))


def test_a_gate_on_a_register_acts_on_each_qubit() -> None:
    program = parse_openqasm2(f"{HEAD}h q;")
    assert program is not None
    assert [op.qubits for op in program.operations] == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    "rest",
    [
        "gate mine a { x a; } mine q[0];",
        "if(c==1) x q[0];",
        "opaque magic a; magic q[0];",
        "rz(sin(1)) q[0];",
        "rz(2^2) q[0];",
        "rz(1/0) q[0];",
        "rz() q[0];",
        "rz(1) q[3];",
        "rz(1,2) q[0];",
        "rz((1) q[0];",
        "rz(1)) q[0];",
        "rz(" + "(" * 50 + "1" + ")" * 50 + ") q[0];",
        "cx q, q;",
        "cx q[0], q[0];",
        "cx q[0];",
        "cu3(1,2,3) q[0],q[1];",
        "measure q -> c[0];",
        "measure q[0] -> d[0];",
        "x q[0]",
        "qreg q[2];",
        'include "other.inc";',
        "/* x */ x q[0];",
        "",
    ],
)
def test_what_it_does_not_know_it_leaves_alone(rest: str) -> None:
    found = parse_openqasm2(HEAD + rest)
    assert found is None or (rest == "" and found.operations == ())


def test_long_texts_of_nothing_take_no_time() -> None:
    for nothing in (
        " " * 10**6,
        "x" + " " * 10**6 + "!",
        "q" + "(" * 10**6,
        "measure" + "q " * 10**6,
    ):
        assert parse_openqasm2(f"{HEAD}cx q[0]{nothing};") is None


def test_other_languages_and_bare_gates_are_left_alone() -> None:
    assert parse_openqasm2("OPENQASM 3.0; qubit q;") is None
    assert parse_openqasm2("OPENQASM 2.0; qreg q[1]; x q[0];") is None
    assert parse_openqasm2("") is None


def test_limits_are_the_importers_to_explain() -> None:
    assert parse_openqasm2(f"{HEAD}h q;", Limits(num_qubits=2)) is None

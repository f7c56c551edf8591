"""Rich OpenQASM at the edge: what is read, and how every bomb ends."""

from __future__ import annotations

import gzip
import json
import math
import os
import resource
from pathlib import Path

import pytest

from circuits.errors import LimitError, ProgramError
from circuits.importing import ImportLimits, SourceFormat, import_program
from circuits.program import Limits, Operation, measure

QASM2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
QASM3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
END2 = "qreg q[1];\ncreg c[1];\n{}\nmeasure q -> c;\n"
END3 = "qubit[1] q;\nbit[1] c;\n{}\nc = measure q;\n"


def _doubling(body: str) -> str:
    steps = (f"gate g{i} a {{ g{i - 1} a; g{i - 1} a; }}" for i in range(1, 61))
    return "\n".join((f"gate g0 a {{ {body} }}", *steps, ""))


BOMBS = {
    "definitions that double 60 times, 2": QASM2 + _doubling("x a;") + END2.format("g60 q[0];"),
    "definitions that double 60 times, 3": QASM3 + _doubling("x a;") + END3.format("g60 q[0];"),
    "doubling what is empty": QASM2 + _doubling("") + END2.format("g60 q[0];"),
    "a loop of 10^9": QASM3 + END3.format("for int i in [0:1000000000] { x q[0]; }"),
    "an empty loop of 10^9": QASM3 + END3.format("for int i in [0:1000000000] { }"),
    "10^6 qubits, 2": QASM2 + "qreg q[1000000];\ncreg c[1];\nmeasure q[0] -> c[0];\n",
    "10^6 qubits, 3": QASM3 + "qubit[1000000] q;\nbit[1] c;\nc[0] = measure q[0];\n",
    "20,000 nested brackets": QASM3 + END3.format(f"rx({'(' * 20_000}1{')' * 20_000}) q[0];"),
    "20,000 signs": QASM3 + END3.format(f"rx({'-' * 20_000}1) q[0];"),
    "operations beyond the limit": QASM2 + "qreg q[1000];\ncreg c[1];\n" + "h q;\n" * 400,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_a_limit_error_without_memory_growth_here(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(LimitError):
        import_program(BOMBS[name], limits=ImportLimits(cpu_s=2))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


def test_a_definition_bomb_ends_by_the_default_limits() -> None:
    with pytest.raises(LimitError, match="4 s of CPU"):
        import_program(BOMBS["definitions that double 60 times, 2"])


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        pytest.param(b"", "empty", None, id="nothing"),
        pytest.param(" \n\t\n", "empty", None, id="white space"),
        pytest.param(b"OPENQASM 2.0;\xff", "not UTF-8", None, id="non-UTF-8"),
        pytest.param("\ud800", "not UTF-8", None, id="half a surrogate"),
        pytest.param("OPENQASM 2.0;\0", "NUL", None, id="NUL"),
        pytest.param("qreg q[1];", "OPENQASM 2.0", None, id="no version line"),
        pytest.param("// only this", "OPENQASM 2.0", None, id="only a comment"),
        pytest.param("OPENQASM 4.0;\n", "OPENQASM 2.0", None, id="a later version"),
        pytest.param(
            QASM2 + 'include "/etc/hostname";\n', "unable to find", 3, id="file included, 2"
        ),
        pytest.param(QASM3 + 'include "/etc/hostname";\n', "imports not", 3, id="file included, 3"),
        pytest.param(QASM2 + "qreg q[1];\nfoo q[0];\n", "'foo' is not defined", 4, id="gate, 2"),
        pytest.param(QASM3 + "qubit q;\nfoo q;\n", "'foo' is not defined", 4, id="gate, 3"),
        pytest.param(QASM2 + "qreg q[1];\nx q[;\n", "needed", 4, id="syntax, 2"),
        pytest.param(QASM3 + "qubit q;\nx q[;\n", "no viable", 4, id="syntax, 3"),
        pytest.param(QASM3 + "qubit[1] q;\nx q[0];\n", "no classical bits", None, id="no bits"),
        pytest.param(
            QASM2 + "qreg q[1];\ncreg c[1];\nx q[0];\n", "measures nothing", None, id="unmeasured"
        ),
        pytest.param(
            QASM2 + END2.format("if (c == 1) x q[0];"), "'if_else' is not", None, id="condition"
        ),
        pytest.param(
            QASM3 + END3.format("while (c[0]) { x q[0]; }"), "'while_loop'", None, id="while"
        ),
        pytest.param(QASM3 + END3.format("delay[9ns] q[0];"), "'delay'", None, id="delay"),
        pytest.param(
            QASM2 + "opaque foo a;\n" + END2.format("foo q[0];"), "'foo'", None, id="opaque gate"
        ),
        pytest.param(
            QASM3 + "input float a;\n" + END3.format("rx(a) q[0];"), "'a'", None, id="free angle"
        ),
    ],
)
def test_a_text_that_can_not_be_run_says_why_and_where(
    source: str | bytes, message: str, line: int | None
) -> None:
    with pytest.raises(ProgramError, match=message) as caught:
        import_program(source)
    assert caught.value.line == line


def test_registers_are_joined_in_the_order_of_their_declaration() -> None:
    program = import_program(
        QASM2 + "qreg a[2];\nqreg b[1];\ncreg low[1];\ncreg high[2];\nx b[0];\n"
        "measure a[1] -> high[1];\nmeasure b[0] -> low[0];\n"
    )
    assert (program.num_qubits, program.num_bits) == (3, 3)
    assert program.operations == (Operation("x", (2,)), measure(1, 2), measure(2, 0))


def test_gates_that_qiskit_exports_without_definition_are_known() -> None:
    program = import_program(QASM2 + END2.format("sx q[0];\np(0.5) q[0];\nu(1,2,3) q[0];"))
    assert [op.name for op in program.operations] == ["sx", "p", "u", "measure"]


def test_a_texts_own_gate_of_a_known_name_keeps_its_own_meaning() -> None:
    """Qiskit's legacy instructions would turn this identity into a Hadamard without a word."""
    program = import_program(
        "OPENQASM 2.0;\ngate h a { U(0,0,0) a; }\nqreg q[1];\ncreg c[1];\nh q[0];\nmeasure q -> c;"
    )
    assert program.operations == (Operation("u", (0,), (0.0, 0.0, 0.0)), measure(0, 0))


def test_modifiers_definitions_and_loops_are_unfolded() -> None:
    program = import_program(
        QASM3 + "gate mine(t) a, b { cx a, b; rz(t) b; }\nqubit[2] q;\nbit[2] c;\n"
        "ctrl @ x q[1], q[0];\ninv @ s q[0];\nmine(pi/2) q[0], q[1];\n"
        "for int i in [1:3] { rx(i * 0.5) q[0]; }\nc = measure q;\n"
    )
    assert program.operations == (
        Operation("cx", (1, 0)),
        Operation("sdg", (0,)),
        Operation("cx", (0, 1)),
        Operation("rz", (1,), (math.pi / 2,)),
        *(Operation("rx", (0,), (half,)) for half in (0.5, 1.0, 1.5)),
        measure(0, 0),
        measure(1, 1),
    )


def test_hardware_qubits_keep_their_number() -> None:
    program = import_program(QASM3 + "bit[1] c;\nx $3;\nc[0] = measure $3;\n")
    assert program.operations == (Operation("x", (3,)), measure(3, 0))


def test_a_format_that_is_named_needs_no_version_line() -> None:
    text = 'include "qelib1.inc";\n' + END2.format("x q[0];")
    assert import_program(text, format=SourceFormat.OPENQASM2).two_qubit_gates == 0


def test_a_version_line_may_follow_comments_and_a_byte_order_mark() -> None:
    text = "\ufeff// one\n/* two\n three */ OPENQASM 3.0;\nqubit q;\nbit c;\nc = measure q;\n"
    program = import_program(text)
    assert program.operations == (measure(0, 0),)


def test_the_flat_profile_needs_no_child() -> None:
    text = QASM3 + "qubit[2] q;\nbit[1] c;\ncx q[1], q[0];\nc[0] = measure q[0];"
    program = import_program(text, interpreter="/nonexistent/python")
    assert program.operations == (Operation("cx", (1, 0)), measure(0, 0))


def test_a_limit_of_the_flat_profile_is_not_tried_again_in_a_child() -> None:
    text = QASM3 + "qubit[9] q;\nbit[1] c;\nc[0] = measure q[0];"
    with pytest.raises(LimitError, match=r"1 \.\. 8 qubits, got 9"):
        import_program(text, limits=ImportLimits(program=Limits(num_qubits=8)))


def test_the_child_is_killed_when_it_takes_too_long() -> None:
    with pytest.raises(LimitError, match=r"longer than 0\.01 s"):
        import_program(QASM2 + END2.format(""), limits=ImportLimits(timeout_s=0.01))


def test_a_child_without_memory_is_a_clear_error() -> None:
    with pytest.raises(ProgramError, match=r"memory|without an answer"):
        import_program(QASM2 + END2.format(""), limits=ImportLimits(memory_bytes=60 << 20))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("#!/bin/sh\necho garbage\n", "without an answer"),
        ("#!/bin/sh\necho '[1]'\n", "without an answer"),
        ("#!/bin/sh\nexit 3\n", "exit status 3"),
        ("#!/bin/sh\nkill -SEGV $$\n", "memory or of stack"),
        ('#!/bin/sh\necho \'{"program": "OPENQASM 9;"}\'\n', "line 1: need 'OPENQASM 3.0;'"),
        ("#!/bin/sh\nyes\n", "more than"),
    ],
    ids=["garbage", "wrong shape", "no answer", "crash", "wrong program", "endless answer"],
)
def test_nothing_that_a_child_says_is_trusted(script: str, message: str, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text(script)
    fake.chmod(0o755)
    with pytest.raises(ProgramError, match=message):
        import_program(QASM2 + END2.format(""), interpreter=str(fake))


def test_the_child_sees_none_of_the_parents_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, seen = tmp_path / "python", tmp_path / "seen"
    fake.write_text(f"#!/bin/sh\nenv > {seen}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("QSUBNET_API_KEY", "sesame")
    with pytest.raises(ProgramError, match="without an answer"):
        import_program(QASM2 + END2.format(""), interpreter=str(fake))
    assert "sesame" not in seen.read_text()


def test_a_short_text_gets_little_cpu_and_a_long_one_no_more_than_allowed() -> None:
    limits = ImportLimits(cpu_s=12)
    assert (limits.cpu_for(1_000), limits.cpu_for(30_000), limits.cpu_for(10**6)) == (4, 7, 12)


def test_real_circuits_have_the_width_of_their_recorded_counts() -> None:
    folder = os.environ.get("QSUBNET_REFERENCE_DATA")
    path = Path(folder or "", "real_counts.jsonl.gz")
    if not folder or not path.is_file():
        pytest.skip("QSUBNET_REFERENCE_DATA names no folder with real_counts.jsonl.gz")
    with gzip.open(path, "rt") as lines:
        records = [json.loads(line) for line in lines]
    distinct = list({record["circuit"]: record for record in records}.values())
    for record in distinct[:: max(1, len(distinct) // 12)][:12]:
        program = import_program(record["circuit"])
        assert {len(key) for key in record["counts"]} == {program.num_bits}

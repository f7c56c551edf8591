"""Files of recorded executions: what is read, what is refused and where, and the command itself."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qsubnet.errors import BadInput
from qsubnet.judging.document import records_document, records_in_words
from qsubnet.judging.record_counts import plain_counts
from qsubnet.judging.record_programs import registers_of
from qsubnet.judging.recorded import JudgedRecords, RecordFile, judge_records, read_records
from validator.references.reference import DenseEngine, Reference

ROOT = Path(__file__).parents[3]
FLAT = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\n'
BELL = f"{FLAT}h q[0];\ncx q[0], q[1];\nc[0] = measure q[0];\nc[1] = measure q[1];\n"
FLIP = f"{FLAT}x q[0];\nc[0] = measure q[0];\nc[1] = measure q[1];\n"
SHEET: dict[str, Any] = {
    "name": "lab-2",
    "class": "simulator",
    "num_qubits": 2,
    "native_gates": ["u"],
    "two_qubit_gate": "cx",
    "coupling": "all",
}

Write = Callable[..., Path]


def record(**changes: Any) -> dict[str, Any]:
    words = {"program": BELL, "counts": {"00": 510, "11": 490}, "shots": 1000, **changes}
    return {word: value for word, value in words.items() if value is not ...}


def places(file: RecordFile) -> list[int]:
    return [execution.place for execution in file.executions]


def judged(file: RecordFile) -> JudgedRecords:
    return judge_records(file, reference=Reference(DenseEngine()))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def lines(*records: Any) -> Path:
        path = tmp_path / "records.jsonl"
        texts = [r if isinstance(r, str) else json.dumps(r) for r in records]
        path.write_text("\n".join(texts) + "\n")
        return path

    return lines


def test_a_file_is_read_plain_and_packed(write: Write, tmp_path: Path) -> None:
    path = write(record(), "", record(program=FLIP, counts={"01": 1000}))
    plain = read_records(path)
    packed = tmp_path / "no-suffix-that-tells"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_records(packed).executions == plain.executions
    assert (plain.name, places(plain)) == ("unnamed", [0, 1])


def test_records_are_in_the_order_of_their_times_where_all_tell_one(write: Write) -> None:
    times = ["2026-01-05T13:18:07+02:00", "2026-01-05T11:18:06Z", "2026-01-05T11:18:08"]
    assert places(read_records(write(*(record(at=at) for at in times)))) == [1, 0, 2]
    assert places(read_records(write(*(record(at=at) for at in (3, 1.5, 2))))) == [1, 2, 0]
    assert places(read_records(write(record(at=9), record(), record(at=1)))) == [0, 1, 2]


def test_one_device_is_judged_at_a_time(write: Write) -> None:
    path = write(record(device="a b"), record(device=SHEET), record(), record(device="lab-2"))
    with pytest.raises(BadInput, match="'a b', 'lab-2', 'unnamed'"):
        read_records(path)
    with pytest.raises(BadInput, match="no device 'lab-3'"):
        read_records(path, device="lab-3")
    assert places(read_records(path, device="unnamed")) == [2]
    mine = read_records(path, device="lab-2").executions
    assert [(e.place, e.device is not None) for e in mine] == [(1, True), (3, True)]


def test_a_sheet_counts_from_its_own_record_on(write: Write) -> None:
    found = read_records(write(record(device="lab-2"), record(device=SHEET))).executions
    assert [execution.device is not None for execution in found] == [False, True]


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        ("{", "line 2: no JSON"),
        ("[1]", "line 2: need one JSON object a line"),
        ('{"shots": NaN}', "line 2: no JSON: NaN is no number"),
        ('{"shots": 1, "shots": 2}', "line 2: no JSON: 'shots' stands there twice"),
        (record(shots=...), "line 2: need program, counts and shots; 'shots' is missing"),
        (record(shots=0), "line 2: shots: need a whole number in 1 .. 100000000, got '0'"),
        (record(shots=True), "line 2: shots: need a whole number"),
        (record(counts={"00": -1}), "line 2: counts of '00': need a whole number"),
        (record(counts={"00": 0.5}), "line 2: counts of '00': need a whole number"),
        (record(counts=[1]), "line 2: counts are an object"),
        (record(counts={"02": 1}), "line 2: counts keys are bitstrings or hexadecimal"),
        (record(counts={"0x1": 1, "01": 1}), "line 2: counts have two keys for '01'"),
        (record(counts={"0x1": 1, "00": 1}), "line 2: need one spelling of keys"),
        (record(counts={"0 1": 1}), r"line 2: counts key '0 1' has parts of \[1, 1\] bits"),
        (record(result_kind="samples"), "line 2: result_kind is one of shots, counts"),
        (record(at="yesterday"), "line 2: at is an ISO 8601 time or a number"),
        (record(at=10**400), "line 2: at: need a number"),
        (record(device=7), "line 2: a sheet is a JSON object"),
        (record(device={"name": "x"}), "line 2: a sheet needs name, class"),
        (record(device=""), "line 2: device has 1 .. 200 characters"),
        (record(program=7), "line 2: program is a text or"),
        (record(program={"format": "quil", "source": ""}), "line 2: program's format is one of"),
        (record(program="hello"), "line 2: program: need 'OPENQASM 2.0;'"),
        (record(program=FLAT + "x q[0];"), "line 2: program: program measures nothing"),
        (
            record(result_kind="probabilities", counts={"00": -0.5}),
            "line 2: probabilities are not negative",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(write: Write, second: object, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        read_records(write(record(), second))


def test_times_and_numbers_are_not_compared(write: Write) -> None:
    with pytest.raises(BadInput, match="line 2: some 'at' are times and some are plain numbers"):
        read_records(write(record(at=1), record(at="2026-01-05")))


def test_broken_files_are_named(tmp_path: Path, write: Write) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_records(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="at least one record"):
        read_records(write("", " "))
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(json.dumps(record()).encode() * 99)[:-20])
    with pytest.raises(BadInput, match="broken gzip"):
        read_records(broken)


def test_words_that_nobody_reads_are_named_once(write: Write) -> None:
    said: list[str] = []
    read_records(write(record(backend="b"), record(backend="b", note=1)), watch=said.append)
    (words,) = [told for told in said if "not read" in told]
    assert words.startswith("not read: 'backend', 'note'; the words of a record are program")


def test_qiskits_spellings_of_counts_are_read() -> None:
    # As Qiskit prints registers a[1], b[2]: the last declared leftmost, spaces between.
    assert plain_counts({"10 1": 4}, num_bits=3, registers=(1, 2)) == {"101": 4}
    assert plain_counts({"0x5": 4, "0x0": 1}, num_bits=3, registers=()) == {"101": 4, "000": 1}
    # A number that has no place in the bits is a wrong width, for the verdict to name.
    assert plain_counts({"0xf": 4}, num_bits=3, registers=()) == {"1111": 4}
    with pytest.raises(ValueError, match="the last declared leftmost"):
        plain_counts({"1 10": 4}, num_bits=3, registers=(1, 2))


def test_registers_are_read_in_the_order_of_declaration() -> None:
    old = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; creg a[1]; /* creg x[9]; */ creg b[2];'
    assert registers_of(old) == (1, 2)
    assert registers_of("bit[4] c;\nbit d;\n// bit[7] e;") == (4, 1)
    assert registers_of("qubit[3] q;") == ()


def test_a_program_with_conditions_is_kept_without_a_reference(write: Write) -> None:
    steered = (
        'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg a[1]; creg b[1];'
        "h q[0]; measure q[0] -> a[0]; if(a==1) x q[0]; measure q[0] -> b[0];"
    )
    file = read_records(write(record(program=steered)))
    (found,) = file.executions
    assert (found.program, found.num_bits, found.registers) == (None, 2, (1, 1))
    document = records_document(judged(file))
    assert document["without_reference"] == 1
    assert document["records"] == [{"index": 0, "fidelity": None}]
    assert document["fidelity"]["estimator"].startswith("none")


def _shots(rng: np.random.Generator, law: list[float], flip: float) -> dict[str, int]:
    index = rng.choice(4, size=2000, p=law)
    bits = ((index[:, None] >> np.arange(2)) & 1) ^ (rng.random((2000, 2)) < flip)
    keys, counts = np.unique(bits @ [1, 2], return_counts=True)
    return {format(int(key), "02b"): int(n) for key, n in zip(keys, counts, strict=True)}


def test_the_document_has_the_words_of_every_judgement(write: Write) -> None:
    rng = np.random.default_rng(12)
    laws = {BELL: [0.5, 0.0, 0.0, 0.5], FLIP: [0.0, 1.0, 0.0, 0.0]}
    records = [
        record(program=program, counts=_shots(rng, laws[program], 0.03), shots=2000, at=-at)
        for at, program in enumerate([BELL, FLIP] * 3)
    ]
    found = judged(read_records(write(*records)))
    document = records_document(found)
    assert document["verdict"] == "unverified"
    assert (document["log10_e"]["fraud"], document["log10_e"]["too_good"]) == (None, None)
    hardware = document["log10_e"]["hardware"]
    assert hardware["noiseless"] > 6.0
    assert hardware["drift_twin"] is None
    # The first of these is the newest; the document keeps the order of the file.
    assert [told["index"] for told in document["records"]] == list(range(6))
    # A bit is misread with .03: GHZ scores 1 - 2 * 2 * .03 (.97), one string (.97^2 - 1/4)/(3/4).
    assert document["records"][0]["fidelity"] == pytest.approx(1 - 4 * 0.03 * 0.97, abs=0.05)
    assert document["records"][1]["fidelity"] == pytest.approx(0.921, abs=0.03)
    assert document["shots_used"] == 12000
    json.dumps(document, allow_nan=False)
    assert "unnamed (no sheet): unverified S0" in records_in_words(found)


def test_an_exact_simulator_with_a_sheet_is_verified(write: Write) -> None:
    rng = np.random.default_rng(13)
    records = [
        record(program=p, counts=_shots(rng, law, 0.0), shots=2000, device=SHEET)
        for p, law in ((BELL, [0.5, 0.0, 0.0, 0.5]), (FLIP, [0.0, 1.0, 0.0, 0.0])) * 4
    ]
    document = records_document(judged(read_records(write(*records))))
    assert (document["verdict"], document["grade"]) == ("verified", "S1")
    assert document["score"] > 0
    assert set(document["log10_e"]["hardware"].values()) == {None}


def test_records_that_hold_nothing_are_no_answers(write: Write) -> None:
    document = records_document(judged(read_records(write(record(counts={})))))
    assert document["verdict"] == "unverified"
    assert document["shots_used"] == 0
    assert document["records"] == [{"index": 0, "fidelity": None}]


def _qsubnet(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qsubnet.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_the_command_prints_one_document_and_ends_with_0(write: Write) -> None:
    done = _qsubnet("judge", f"--records={write(record(), record(program=FLIP))}", "--json")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    document = json.loads(done.stdout)
    assert set(document) == {
        "verdict",
        "grade",
        "reason",
        "fidelity",
        "layer_error",
        "log10_e",
        "score",
        "shots_used",
        "cpu_s",
        "records",
        "without_reference",
    }


def test_the_command_refuses_bad_input_with_2(write: Write) -> None:
    two = write(record(device="a"), record(device="b"))
    for arguments, sentence in (
        (("--records", str(two)), "need the records of one device, or --device"),
        (("--records", str(two), "--provider=aer"), "--records goes with --device and --json"),
        ((), "need --provider, or --records"),
    ):
        done = _qsubnet("judge", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr

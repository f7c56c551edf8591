"""Exported records: the same verdict, bit for bit, from the file alone; and broken files."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from circuits.counts import Counts
from circuits.families import family
from circuits.topology import complete
from providers.base import Json
from qsubnet.errors import BadInput
from qsubnet.judging.document import judge_document, verdict_bytes, verdict_digest
from qsubnet.judging.exported import judge_exported, reproducible, write_exported
from qsubnet.judging.live import Bench, Judged, judge_live, secret_from
from validator.evidence import evidence
from validator.plan import redraw
from validator.references.reference import DenseEngine, Reference
from validator.verdict import judge

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "exec_device.py"
SHEET: dict[str, Json] = {
    "name": "lab-8",
    "class": "qpu",
    "num_qubits": 8,
    "native_gates": ["u"],
    "two_qubit_gate": "cx",
    "coupling": [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6], [6, 7]],
    "errors": {"one_qubit": 0.0, "two_qubit": 0.001, "readout": 0.02},
}


def bench(seed: int, *arguments: str) -> Bench:
    command = " ".join([sys.executable, str(EXAMPLE), *arguments])
    return Bench("exec", {"command": command, "sheet": SHEET}, secret_from(seed))


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(DenseEngine())


@pytest.fixture(scope="module")
def live(reference: Reference) -> Judged:
    """Judge eight qubits that read wrong one time in fifty, with a reference run."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)  # the devices below import `circuits` and `providers`
    device, trusted = bench(11, "0.02"), bench(12, "0.02")
    try:
        return asyncio.run(judge_live(device, epochs=2, reference=reference, trusted=trusted))
    finally:
        device.close()
        trusted.close()
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@pytest.fixture
def file(live: Judged, tmp_path: Path) -> Path:
    path = tmp_path / "lab.jsonl"
    write_exported(path, live)
    return path


_ELSEWHERE = """
import sys
from pathlib import Path
from qsubnet.judging.document import judge_document, verdict_bytes
from qsubnet.judging.exported import judge_exported
from validator.plan import redraw
from validator.references.reference import DenseEngine, Reference
from validator.references.reference import DenseEngine, Reference
reference = Reference(DenseEngine())
judged = judge_exported(Path(sys.argv[1]), reference=reference)
sys.stdout.buffer.write(verdict_bytes(judge_document(judged, reference=reference)))
"""


@pytest.mark.parametrize(
    "setting",
    [
        {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        {
            "PYTHONHASHSEED": "77",
            "OMP_NUM_THREADS": "2",
            "OPENBLAS_NUM_THREADS": "2",
            # As without wide vectors: other orders of sums, other last bits of logarithms.
            "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
            "OPENBLAS_CORETYPE": "Prescott",
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX",
        },
    ],
)
def test_another_process_gives_the_same_verdict_bytes(
    setting: dict[str, str], file: Path, live: Judged, reference: Reference
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **setting}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ELSEWHERE, str(file)],
        env=environment,
        capture_output=True,
        check=True,
    )
    assert done.stdout == verdict_bytes(judge_document(live, reference=reference))


def test_what_was_answered_and_trusted_comes_back(file: Path, live: Judged) -> None:
    again = judge_exported(file, reference=Reference(DenseEngine()))
    assert live.trusted
    assert (again.device, again.records, again.trusted) == (
        live.device,
        live.records,
        live.trusted,
    )
    assert (again.keys, again.permutation_key) == (live.keys, live.permutation_key)


def test_gzip_holds_the_same_lines_and_always_the_same_bytes(
    file: Path, live: Judged, tmp_path: Path
) -> None:
    packed, twin = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.gz"
    write_exported(packed, live)
    write_exported(twin, judge_exported(packed, reference=Reference(DenseEngine())))
    assert gzip.decompress(packed.read_bytes()) == file.read_bytes()
    assert packed.read_bytes() == twin.read_bytes()


def test_a_program_without_an_answer_comes_back_without_one(
    live: Judged, reference: Reference, tmp_path: Path
) -> None:
    first, *others = live.records
    records = (replace(first, counts=None, kind=None), *others)
    path = tmp_path / "silent.jsonl"
    write_exported(path, replace(live, records=records))
    again = judge_exported(path, reference=reference)
    assert again.records == records
    found = evidence(
        records,
        reference=reference,
        permutation_key=live.permutation_key,
        trusted=live.trusted,
    )
    assert again.verdict == judge(found, live.device)
    assert found.programs_answered == found.programs_asked - 1


def test_answers_of_a_wrong_width_come_back_as_the_mistake_that_they_are(
    live: Judged, reference: Reference, tmp_path: Path
) -> None:
    wide = Counts(9, {"0" * 9: live.records[0].shots_asked})
    records = (replace(live.records[0], counts=wide), *live.records[1:])
    path = tmp_path / "wide.jsonl"
    write_exported(path, replace(live, records=records))
    assert judge_exported(path, reference=reference).records[0].counts == wide


def test_wide_laws_are_the_same_to_the_last_bit_from_two_engines() -> None:
    # Aer against our own statevector: other code, other order of sums, the same quantised values.
    topology = complete(13, ["cx", "u"])
    case = family("brickwork").generate(bytes(32), width=13, depth=16, topology=topology)
    dense = Reference(DenseEngine()).probabilities(case.program)
    assert reproducible().probabilities(case.program).tolist() == dense.tolist()


def test_verdict_bytes_are_canonical_and_know_no_time() -> None:
    document = {"verdict": "fraud", "cpu_s": 1.25, "log10_e": {"too_good": None, "fraud": 7.5}}
    assert verdict_bytes(document) == (
        b'{"log10_e":{"fraud":7.5,"too_good":null},"verdict":"fraud"}'
    )
    assert verdict_digest(document) == hashlib.sha256(verdict_bytes(document)).hexdigest()


def changed(path: Path, line: int, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change one line (0-based) of a file."""
    lines = path.read_text().splitlines()
    content = json.loads(lines[line])
    change(content)
    lines[line] = json.dumps(content)
    path.write_text("\n".join(lines) + "\n")
    return path


_WRONG: list[tuple[int, dict[str, Any], str]] = [
    (0, {"format": "qsubnet-judged-2"}, "line 1: format: Input should be 'qsubnet-judged-1'"),
    (0, {"device_digest": "0" * 64}, "line 1: the device's claim does not fit device_digest"),
    (0, {"records": 3}, "line 5: the first line tells of 3 records"),
    (0, {"records": 10**6}, "need 1000000 records"),
    (3, {"case_key": "0" * 64}, "line 4: the program that case_key draws does not fit"),
    (3, {"program_digest": "0" * 64}, "line 4: the program that case_key draws does not fit"),
    (3, {"family": "nothing"}, "line 4: unknown family 'nothing'"),
    (3, {"width": 9}, "line 4: width 9 on 8 qubits"),
    (3, {"depth": 10**9}, "line 4: depth: Input should be less than or equal to 1024"),
    (3, {"counts": None}, "line 4: counts and kind are both null or neither"),
    (3, {"counts": {"num_bits": 8, "table": {"01": 5}}}, "line 4: need 8 characters 0 or 1"),
    (3, {"counts": {"num_bits": 1, "table": {"0": -5}}}, "line 4: counts.table.0: Input should"),
    (3, {"epoch": "1"}, "line 4: epoch: Input should be a valid integer"),
    (3, {"shots_asked": 10**9}, "line 4: shots_asked: Input should be less than"),
    (3, {"verdict": "verified"}, "line 4: verdict: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("line", "fields", "said"), _WRONG)
def test_what_is_wrong_is_said_with_its_line(
    line: int, fields: dict[str, Any], said: str, file: Path, reference: Reference
) -> None:
    path = changed(file, line, lambda content: content.update(fields))
    with pytest.raises(BadInput) as caught:
        judge_exported(path, reference=reference)
    assert said in str(caught.value)


def test_a_line_that_stands_there_twice_is_refused(file: Path, reference: Reference) -> None:
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], lines[1], *lines[3:]]))
    with pytest.raises(BadInput, match="line 3: this program of this job stands there twice"):
        judge_exported(file, reference=reference)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "got an empty file"),
        (b"[1]\n", "line 1: need one JSON object a line"),
        (b"\x1f\x8b broken", "broken gzip"),
    ],
)
def test_a_file_that_is_none_is_refused(
    data: bytes, said: str, tmp_path: Path, reference: Reference
) -> None:
    path = tmp_path / "none.jsonl"
    path.write_bytes(data)
    with pytest.raises(BadInput) as caught:
        judge_exported(path, reference=reference)
    assert said in str(caught.value)


def test_a_family_whose_answers_are_not_judged_is_refused(
    file: Path, live: Judged, reference: Reference
) -> None:
    drawn = redraw("binary_rb", bytes(32), 4, 2, live.device)
    fields = {"family": "binary_rb", "case_key": "0" * 64, "width": 4, "depth": 2}
    fields |= {"program_digest": drawn.program.digest}
    path = changed(file, 3, lambda content: content.update(fields))
    with pytest.raises(BadInput, match="line 4: family 'binary_rb' is not judged"):
        judge_exported(path, reference=reference)

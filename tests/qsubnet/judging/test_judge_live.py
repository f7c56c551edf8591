"""Devices judged outside the network: honest ones, cheats, mistakes, and programs that fail."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers.base import Json
from qsubnet.errors import BadInput, NotFound
from qsubnet.judging.document import in_words, judge_document
from qsubnet.judging.live import Bench, Judged, judge_live, secret_from
from validator.estimators.mirror import readout_polarization
from validator.references.reference import Reference, best_engine
from validator.verdict import Outcome

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "exec_device.py"
SHEET: dict[str, Json] = {
    "name": "lab-5",
    "class": "simulator",
    "num_qubits": 5,
    "native_gates": ["u"],
    "two_qubit_gate": "cx",
    "coupling": "all",
}
FLIP = 0.02
FLIPPING: dict[str, Json] = {"one_qubit": 0.0, "two_qubit": 0.0, "readout": FLIP}


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(best_engine())


@pytest.fixture(autouse=True)
def _our_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices below import `circuits` and `providers`, wherever pytest runs."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def judged(
    reference: Reference,
    *arguments: str,
    program: Path = EXAMPLE,
    sheet: dict[str, Json] = SHEET,
    epochs: int = 2,
) -> Judged:
    command = " ".join([sys.executable, str(program), *arguments])
    bench = Bench("exec", {"command": command, "sheet": sheet}, secret_from(11))
    try:
        return asyncio.run(judge_live(bench, epochs=epochs, reference=reference))
    finally:
        bench.close()


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str], Path]:
    """Write the example with another last step: `answer` is changed before it is sent."""

    def write(step: str) -> Path:
        path = tmp_path / "cheat.py"
        before, last = EXAMPLE.read_text().rsplit("    print(", 1)
        path.write_text(f"{before}    {step}\n    print({last}")
        return path

    return write


def test_an_exact_program_is_verified(reference: Reference) -> None:
    found = judged(reference, epochs=3)
    assert (found.verdict.outcome, found.verdict.grade) == ("verified", "S1")
    assert found.verdict.evidence.programs_answered == 30
    assert found.failures == {}
    assert "lab-5 (simulator, 5 qubits): verified S1" in in_words(found)


def test_an_honest_noisy_program_is_measured_and_not_accused(reference: Reference) -> None:
    found = judged(reference, str(FLIP), sheet={**SHEET, "errors": FLIPPING}, epochs=3)
    assert found.verdict.outcome is Outcome.UNVERIFIED
    records = judge_document(found, reference=reference)["records"]
    mirrors = [
        said["fidelity"]
        for said, record in zip(records, found.records, strict=True)
        if record.case and record.case.family == "mirror"
    ]
    # Closed form of what readout alone leaves; 3,000 shots have a standard error below .005.
    truth = readout_polarization([FLIP] * 5)
    assert sum(mirrors) / len(mirrors) == pytest.approx(truth, abs=0.025)


def test_a_program_that_flips_coins_is_fraud(
    reference: Reference, changed: Callable[[str], Path]
) -> None:
    step = """n = job["program"]["source"].count("measure")
    coins = Counts.from_rows(rng.integers(0, 2, (job["shots"], n)) > 0)
    answer = {"counts": dict(coins.table)}"""
    found = judged(reference, program=changed(step), epochs=3)
    assert found.verdict.outcome is Outcome.FRAUD
    assert "succeed less often than its own error sheet" in found.verdict.reason


def test_reversed_bits_are_named_and_no_fraud(
    reference: Reference, changed: Callable[[str], Path]
) -> None:
    step = 'answer = {"counts": {key[::-1]: n for key, n in answer["counts"].items()}}'
    found = judged(reference, program=changed(step), epochs=3)
    assert found.verdict.outcome is Outcome.MISCONFIGURED
    assert "reversed" in found.verdict.reason


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ('answer = {"counts": {"0" + k: n for k, n in answer["counts"].items()}}', "wrong width"),
        ('answer["counts"][min(answer["counts"])] += 5', "more shots than were asked for"),
    ],
)
def test_a_wrong_shape_is_named(
    reference: Reference, changed: Callable[[str], Path], step: str, sentence: str
) -> None:
    found = judged(reference, program=changed(step), epochs=1)
    assert found.verdict.outcome is Outcome.MISCONFIGURED
    assert sentence in found.verdict.reason


def test_a_program_that_crashes_is_unverified_and_says_why(
    reference: Reference, changed: Callable[[str], Path]
) -> None:
    found = judged(reference, program=changed("sys.exit(9)"), epochs=1)
    assert found.verdict.outcome is Outcome.UNVERIFIED
    assert found.verdict.reason == "none of 10 test programs was answered in time"
    assert found.failures["the program ended (exit status 9)"] == 4
    document = judge_document(found, reference=reference)
    assert {record["fidelity"] for record in document["records"]} == {None}
    assert document["log10_e"]["fraud"] is None
    json.dumps(document, allow_nan=False)


def test_a_stand_in_is_judged_as_a_qpu_and_its_noiseless_copy_is_fraud(
    reference: Reference,
) -> None:
    def verdict(adapter: str, options: dict[str, Json], epochs: int) -> dict[str, Any]:
        bench = Bench(adapter, options, secret_from(1))
        try:
            found = asyncio.run(judge_live(bench, epochs=epochs, reference=reference))
        finally:
            bench.close()
        return judge_document(found, reference=reference)

    honest = verdict("standin", {"machine": "hanoi"}, 3)
    assert (honest["verdict"], honest["grade"]) == ("verified", "S1")
    told = honest["log10_e"]["hardware"]
    static = told.pop("static_twin")  # three epochs are too few to tell
    assert min(value for value in told.values() if value is not None) >= 6 > static
    assert {name for name, value in told.items() if value is None} == {"drift_twin", "late_twin"}
    assert honest["layer_error"]["low"] < honest["layer_error"]["high"]
    assert verdict("cheats", {"machine": "hanoi"}, 2)["verdict"] == "fraud"


def test_one_seed_gives_one_verdict(reference: Reference) -> None:
    first, second = (
        judge_document(judged(reference, epochs=1), reference=reference) for _ in range(2)
    )
    assert {**first, "cpu_s": 0} == {**second, "cpu_s": 0}
    assert secret_from(None) != secret_from(None)


def test_an_unknown_adapter_or_device_is_named(reference: Reference) -> None:
    with pytest.raises(BadInput, match="no adapter 'qpu9'"):
        Bench("qpu9", {}, secret_from(1))
    bench = Bench("exec", {"command": "cat", "sheet": SHEET}, secret_from(1))
    with pytest.raises(NotFound, match="no device 'other' here, there are lab-5"):
        asyncio.run(judge_live(bench, epochs=1, reference=reference, device="other"))
    bench.close()


def test_there_is_no_test_for_a_simulator_of_one_qubit(reference: Reference) -> None:
    with pytest.raises(BadInput, match="no test for a simulator of one qubit"):
        judged(reference, sheet={**SHEET, "num_qubits": 1})


def test_the_document_shows_the_example_as_it_is() -> None:
    text = EXAMPLE.read_text()
    assert f"```python\n{text}```\n" in (ROOT / "docs" / "judge.md").read_text()
    assert len(text.splitlines()) < 40


def _qsubnet(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qsubnet.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_the_command_prints_the_promised_words(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.json"
    sheet.write_text(json.dumps(SHEET))
    done = _qsubnet(
        "judge",
        "--provider=exec",
        f"--command={sys.executable} {EXAMPLE}",
        f"--sheet={sheet}",
        "--epochs=1",
        "--seed=3",
        "--json",
    )
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert "epoch 1 of 1: 10 programs" in done.stderr
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
    }
    assert set(document["fidelity"]) == {"estimate", "low", "high", "estimator"}
    assert set(document["log10_e"]) == {"fraud", "too_good", "hardware"}
    assert set(document["log10_e"]["hardware"]) == {
        "uniform",
        "noiseless",
        "white_noise",
        "independent_flips",
        "average_twin",
        "blend",
        "static_twin",
        "drift_twin",
        "late_twin",
    }
    assert [record["index"] for record in document["records"]] == list(range(10))
    assert document["shots_used"] == 2 * 500 + 8 * 3000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--provider=standin", "--command=cat"), "--command is for --provider exec"),
        (("--provider=exec", "--command=cat", "--sheet=nowhere"), "cannot read the sheet"),
        (("--provider=qpu9",), "no adapter 'qpu9'"),
        (("--provider=standin", "--options=[]"), "needs a JSON object"),
    ],
)
def test_bad_input_ends_in_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    done = _qsubnet("judge", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr

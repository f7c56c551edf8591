"""A program of the miner's own: what it does wrong is one job's error, and the next one goes on."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from circuits.importing import import_program
from circuits.program import Operation, Program, measure
from providers.base import Context, Job, JobResult, Json
from providers.dense import probabilities
from providers.errors import JobFailed, Rejected
from providers.exec import counts_from, create, source
from providers.lines import LineProgram

SHEET: dict[str, Json] = {
    "name": "lab",
    "class": "simulator",
    "num_qubits": 3,
    "native_gates": ["u"],
    "two_qubit_gate": "cx",
    "coupling": "all",
}
ASYMMETRIC = Program(3, 3, (Operation("x", (0,)), measure(0, 0), measure(1, 1), measure(2, 2)))
OPENING = """
import json, os, sys
def say(thing): print(json.dumps(thing), flush=True)
for number, line in enumerate(sys.stdin):
    job = json.loads(line)
    name = job["id"]
    right = {"id": name, "counts": {"001": job["shots"]}}
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], list[str]]:
    """Write the body of the loop over jobs into a program, and give its command."""

    def write(body: str) -> list[str]:
        path = tmp_path / "dev.py"
        indented = "".join(f"    {line}\n" for line in body.strip().split("\n"))
        path.write_text(OPENING + indented)
        return [sys.executable, str(path)]

    return write


def asked(
    command: list[str], times: int, *, timeout_s: float = 30.0, restarts: int = 3
) -> tuple[list[str], LineProgram]:
    """Ask a few times, and say what each gave: its counts or its failure."""
    program = LineProgram(command, timeout_s=timeout_s, restarts=restarts)
    said = []
    for _ in range(times):
        try:
            answer = program.ask({"shots": 10}, most_bytes=1_000)
            said.append(str(counts_from(answer, shots=10).table))
        except JobFailed as error:
            said.append(str(error))
    program.close()
    return said, program


GOOD = "{'001': 10}"


@pytest.mark.parametrize(
    ("first", "failure"),
    [
        ("print('hello', flush=True)", "a line that is no answer: 'hello'"),
        ("say([1])", "a line that is no answer"),
        ("say({'counts': {}})", "a line that is no answer"),
        ('print(\'{"id": "job-1", "id": "job-1"}\', flush=True)', "no answer"),
        ("print('[' * 60000, flush=True)", "no answer"),
        ("say({'id': 'stranger', 'counts': {'001': 10}})", "unknown id, 'stranger'"),
        ("say({'id': 1, 'counts': {'001': 10}})", "unknown id, '1'"),
        ("say({'id': name, 'error': 'too warm'})", "the program says: too warm"),
        ("say({'id': name})", "without counts"),
        ("say({'id': name, 'counts': {'001': -1}})", "whole number >= 0"),
        ("say({'id': name, 'counts': {'001': 2.5}})", "whole number >= 0"),
        ("say({'id': name, 'counts': {'001': True}})", "whole number >= 0"),
        ("say({'id': name, 'counts': {'0x1': 10}})", "characters 0 or 1"),
        ("say({'id': name, 'counts': {'001': 5, '01': 5}})", "3 characters 0 or 1"),
        ("say({'id': name, 'counts': {'001': 21}})", "21 shots, asked were 10"),
        ("say({'id': name, 'counts': {'001': 0}})", "0 shots, asked were 10"),
    ],
)
def test_a_wrong_answer_is_an_error_of_its_job_alone(
    written: Callable[[str], list[str]], first: str, failure: str
) -> None:
    said, _ = asked(written(f"if number == 0: {first}\nelse: say(right)"), 2)
    assert failure in said[0]
    assert said[1] == GOOD


@pytest.mark.parametrize(
    ("first", "failure"),
    [
        ("sys.exit(3)", "the program ended (exit status 3)"),
        ("os.kill(os.getpid(), 9)", "the program ended (was killed by signal 9)"),
        ("print('x' * 100_000, flush=True)", "a line of more than 65536 bytes"),
        ("sys.stdout.write('x' * 100_000); sys.stdout.flush()", "more than 65536 bytes"),
        ("os.close(1); sys.stdin.read()", "closed its output and went on"),
    ],
)
def test_a_program_that_ends_is_started_again_for_the_next_job(
    written: Callable[[str], list[str]], tmp_path: Path, first: str, failure: str
) -> None:
    mark = tmp_path / "once"
    body = (
        f"if not os.path.exists({str(mark)!r}):\n    open({str(mark)!r}, 'w').close()\n    {first}"
    )
    said, _ = asked(written(f"{body}\nelse: say(right)"), 2)
    assert failure in said[0]
    assert said[1] == GOOD


def test_a_program_is_started_again_only_a_few_times(
    written: Callable[[str], list[str]],
) -> None:
    said, _ = asked(written("sys.exit(7)"), 4, restarts=1)
    assert said[:2] == ["the program ended (exit status 7)"] * 2
    assert (
        said[2:]
        == ["the program was started 2 times, no more: the program ended (exit status 7)"] * 2
    )


def test_a_late_answer_is_dropped_and_the_next_job_gets_its_own(
    written: Callable[[str], list[str]],
) -> None:
    body = """
if number == 0: late = {"id": name, "counts": {"110": 10}}
else: say(late); say(late); say(right)
"""
    said, _ = asked(written(body), 2, timeout_s=2.0)
    assert said == ["the program did not answer within 2 s", GOOD]


def test_a_program_that_hangs_through_two_jobs_is_killed(
    written: Callable[[str], list[str]],
) -> None:
    said, program = asked(written("import time; time.sleep(600)"), 3, timeout_s=0.3, restarts=0)
    assert said[:2] == ["the program did not answer within 0.3 s"] * 2
    assert "was silent through 2 questions and was killed" in said[2]
    assert program._run is not None
    assert program._run.over.is_set()


def test_a_program_that_never_reads_blocks_nobody(tmp_path: Path) -> None:
    program = LineProgram([sys.executable, "-c", "import time; time.sleep(600)"], timeout_s=0.3)
    with pytest.raises(JobFailed, match="did not answer"):
        program.ask({"source": "x" * 1_000_000}, most_bytes=1_000)
    program.close()


def test_answers_may_come_in_another_order(written: Callable[[str], list[str]]) -> None:
    body = """
if number == 0: first = {"id": name, "counts": {"100": job["shots"]}}
else: say(right); say(first)
"""
    program = LineProgram(written(body), timeout_s=30.0)
    said: dict[int, Mapping[str, Json]] = {}

    def ask(shots: int) -> None:
        said[shots] = program.ask({"shots": shots}, most_bytes=1_000)

    threads = [threading.Thread(target=ask, args=(shots,)) for shots in (3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    program.close()
    tables = [said[shots]["counts"] for shots in (3, 4)]
    assert sorted(str(table) for table in tables) in (
        ["{'001': 3}", "{'100': 4}"],
        ["{'001': 4}", "{'100': 3}"],
    )


def test_the_program_ends_at_the_end_of_its_input_and_its_stderr_is_heard(
    written: Callable[[str], list[str]], tmp_path: Path
) -> None:
    command = written("print('warming up', file=sys.stderr, flush=True); say(right)")
    path = Path(command[1])
    path.write_text(path.read_text() + "print('good night', file=sys.stderr)\n")
    heard: list[str] = []
    program = LineProgram(command, timeout_s=30.0, log=heard.append)
    program.ask({"shots": 10}, most_bytes=1_000)
    program.close()
    assert heard == ["warming up", "good night"]
    with pytest.raises(JobFailed, match="closed"):
        program.ask({"shots": 10}, most_bytes=1_000)


def test_a_program_that_cannot_start_is_an_error_of_the_job(tmp_path: Path) -> None:
    path = tmp_path / "dev"
    path.write_text("neither a script nor a binary")
    path.chmod(0o755)
    program = LineProgram([str(path)], timeout_s=5.0)
    with pytest.raises(JobFailed, match="cannot start"):
        program.ask({"shots": 10}, most_bytes=1_000)
    program.close()


def test_a_job_is_asked_for_as_the_protocol_says(
    written: Callable[[str], list[str]],
    make_job: Callable[..., Job],
    run_job: Callable[..., JobResult],
    tmp_path: Path,
) -> None:
    seen = tmp_path / "seen.json"
    command = written(f"open({str(seen)!r}, 'w').write(line); say(right)")
    provider = create({"command": " ".join(command), "sheet": SHEET}, Context(b"", lambda: 7))
    result = run_job(provider, make_job("lab", ASYMMETRIC, shots=12))
    assert result.programs[0].counts.table == {"001": 12}
    asked_for: Any = json.loads(seen.read_text())
    assert asked_for == {
        "id": "job-1",
        "program": {"format": "openqasm3", "source": ASYMMETRIC.text},
        "shots": 12,
        "verbatim": True,
        "epoch": 7,
    }


def test_a_failing_program_fails_its_job_with_the_programs_own_words(
    written: Callable[[str], list[str]], make_job: Callable[..., Job]
) -> None:
    command = written("say({'id': name, 'error': 'no helium'})")
    provider = create({"command": " ".join(command), "sheet": SHEET}, Context(b"", lambda: 0))

    async def run() -> None:
        handle = await provider.submit(make_job("lab", ASYMMETRIC))
        await provider.wait(handle)
        await provider.result(handle)

    with pytest.raises(JobFailed, match="no helium"):
        asyncio.run(run())
    provider.close()


def test_closing_does_not_wait_for_a_program_that_hangs(
    written: Callable[[str], list[str]], make_job: Callable[..., Job]
) -> None:
    command = written("import time; time.sleep(600)")
    provider = create({"command": " ".join(command), "sheet": SHEET}, Context(b"", lambda: 0))
    asyncio.run(provider.submit(make_job("lab", ASYMMETRIC)))
    provider.close()


def test_openqasm_2_says_the_same_as_the_profile(random_program: Callable[..., Program]) -> None:
    program = random_program("openqasm2", width=3)
    again = import_program(source(program, "openqasm2"))
    want, got = probabilities(program), probabilities(again)
    assert got == pytest.approx(want, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"sheet": SHEET}, "needs the option 'command'"),
        ({"command": "cat"}, "needs the option 'sheet'"),
        ({"command": "cat 'x", "sheet": SHEET}, "cannot be split"),
        ({"command": "no-such-program-here", "sheet": SHEET}, "no program 'no-such-program-here'"),
        ({"command": "cat", "sheet": "nowhere.json"}, "cannot read the sheet 'nowhere.json'"),
        ({"command": "cat", "sheet": SHEET, "format": "qir"}, "one of openqasm2, openqasm3"),
        ({"command": "cat", "sheet": SHEET, "timeout_s": 0}, "timeout_s"),
        ({"command": "cat", "sheet": [1]}, "a sheet is a JSON object"),
    ],
)
def test_wrong_options_are_refused_with_a_sentence(
    options: dict[str, Json], sentence: str, context: Context
) -> None:
    with pytest.raises(Rejected, match=sentence):
        create(options, context)

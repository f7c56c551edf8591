"""Aer, Cirq and Braket against the definition of the gates, and against each other.

Expected values: `providers.dense` (itself tested against Qiskit's Statevector), compared by
Pearson's chi-squared over bins of at least five expected shots; closed forms where named.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping

import pytest
from scipy.stats import chisquare

import providers
from circuits.counts import Counts
from circuits.draws import Draws
from circuits.program import RESET, Operation, Program, measure
from providers.aer import execute
from providers.aer_engine import Engine
from providers.base import Context, DeviceClass, Job, JobResult, Json, ResultKind
from providers.dense import probabilities
from providers.errors import JobFailed, MissingSoftware, Rejected
from providers.local import LocalProvider

Run = Callable[[LocalProvider, Job], JobResult]
MakeJob = Callable[..., Job]
RandomProgram = Callable[..., Program]

SHOTS = 4_000
CASES: list[tuple[str, dict[str, Json]]] = [
    ("aer", {"gpu": "off"}),
    ("aer", {"method": "statevector", "gpu": "off", "threads": 2}),
    ("aer", {"method": "matrix_product_state"}),
    ("cirq", {"engine": "cirq"}),
    ("cirq", {"engine": "qsim"}),
    ("braket", {}),
]
SIMULATORS = ["aer", "braket", "cirq"]
SHEET: dict[str, Json] = {
    "name": "noisy-lab",
    "class": "simulator",
    "num_qubits": 4,
    "native_gates": ["u"],
    "two_qubit_gate": "iswap",
    "coupling": [[0, 1], [1, 2], [2, 3]],
    "errors": {"one_qubit": 0.01, "two_qubit": [0.3, 0.05, 0.3], "readout": [0.1, 0, 0, 0]},
}
FLAT: Json = {"one_qubit": 0.01, "two_qubit": 0.01, "readout": 0.01}


def make(name: str, options: Mapping[str, Json], context: Context) -> LocalProvider:
    provider = providers.create(name, options, context)
    assert isinstance(provider, LocalProvider)
    return provider


def fit(counts: Counts, ideal: Mapping[str, float]) -> float:
    """The p-value of the counts under the ideal law; 0 where the impossible came."""
    if set(counts.table) - set(ideal):
        return 0.0
    bins, rest = [], [0.0, 0.0]
    for key, p in ideal.items():
        pair = (counts.table.get(key, 0), p * counts.shots)
        if pair[1] >= 5:
            bins.append(pair)
        else:
            rest = [rest[0] + pair[0], rest[1] + pair[1]]
    if rest[1] >= 5:
        bins.append((int(rest[0]), rest[1]))
    observed, expected = zip(*bins, strict=True)
    if len(bins) == 1:
        return 1.0
    scale = sum(observed) / sum(expected)
    return float(chisquare(observed, [e * scale for e in expected]).pvalue)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_counts_follow_the_definition_of_the_gates(
    name: str,
    options: Mapping[str, Json],
    context: Context,
    make_job: MakeJob,
    run_job: Run,
    random_program: RandomProgram,
) -> None:
    programs = [random_program(f"case {k}", width=w, bits=6) for k, w in enumerate((1, 2, 3, 4, 5))]
    provider = make(name, {**options, "num_qubits": 6}, context)
    result = run_job(provider, make_job(name, *programs, shots=SHOTS))
    for program, answer in zip(programs, result.programs, strict=True):
        assert answer.counts.shots == SHOTS
        assert fit(answer.counts, probabilities(program)) > 1e-5


@pytest.mark.parametrize("name", SIMULATORS)
def test_one_key_gives_one_answer_and_another_key_another(
    name: str,
    context: Context,
    make_job: MakeJob,
    run_job: Run,
    random_program: RandomProgram,
) -> None:
    program = random_program("repeat", width=5)

    def counts(key: str, seed: bytes = context.seed) -> list[Counts]:
        provider = make(name, {"num_qubits": 5}, Context(seed, lambda: 0))
        result = run_job(provider, make_job(name, program, program, key=key))
        return [answer.counts for answer in result.programs]

    first = counts("a")
    assert counts("a") == first
    assert first[0] != first[1]
    assert not set(map(str, counts("b"))) & set(map(str, first))
    assert not set(map(str, counts("a", b"another seed"))) & set(map(str, first))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aer", ResultKind.COUNTS),
        ("braket", ResultKind.PROBABILITIES),
        ("cirq", ResultKind.SHOTS),
    ],
)
def test_a_result_says_what_the_backend_returned(
    name: str, kind: ResultKind, context: Context, make_job: MakeJob, run_job: Run
) -> None:
    program = Program(1, 1, (Operation("h", (0,)), measure(0, 0)))
    answer = run_job(make(name, {}, context), make_job(name, program)).programs[0]
    assert answer.kind is kind
    assert bool(answer.processing) == (kind is ResultKind.PROBABILITIES)


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "single"},
        # Blocks of 3 qubits: a state of 5 is cut into 4 of them.
        {"method": "statevector", "blocking_qubits": 3, "gpu": "off"},
    ],
)
def test_precision_and_blocks_change_no_counts_of_aer_but_the_last_bits(
    options: dict[str, Json],
    context: Context,
    make_job: MakeJob,
    run_job: Run,
    random_program: RandomProgram,
) -> None:
    program = random_program("blocks", width=5, bits=5)
    provider = make("aer", {**options, "num_qubits": 5}, context)
    counts = run_job(provider, make_job("aer", program, shots=SHOTS)).programs[0].counts
    assert fit(counts, probabilities(program)) > 1e-5


def test_the_options_of_aer_reach_aer_and_others_keep_its_defaults() -> None:
    from qiskit_aer import AerSimulator

    plain = Engine("statevector", "CPU", 1).settings()
    assert plain == {"method": "statevector", "device": "CPU", "max_parallel_threads": 1}
    # The names are Aer's own: an unknown one raises there.
    engine = Engine("statevector", "CPU", 1, "single", 20, batched_shots=True)
    options = AerSimulator(**engine.settings()).options
    assert (options.precision, options.blocking_enable, options.blocking_qubits) == (
        "single",
        True,
        20,
    )
    assert options.batched_shots_gpu
    assert Engine("statevector", "GPU", 1, gpus=(1, 3)).settings()["target_gpus"] == [1, 3]


@pytest.mark.parametrize("options", [{}, {"method": "stabilizer"}])
def test_a_noisy_aer_errs_as_its_sheet_says(
    options: dict[str, Json], context: Context, make_job: MakeJob, run_job: Run
) -> None:
    # Closed form: k depolarising channels of infidelity r on d dimensions leave the state alone
    # with (1 - r d/(d - 1))^k, else it is fully mixed. iswap on 00 does nothing.
    pairs = Program(4, 2, (*(Operation("iswap", (2, 1)),) * 8, measure(1, 0), measure(2, 1)))
    turns = (Operation("u", (3,), (0.0, 0.0, 0.0)), Operation("rz", (3,), (math.pi / 2,)))
    singles = Program(4, 1, (*turns * 10, measure(3, 0)))
    reads = Program(4, 2, (measure(0, 0), measure(2, 1)))
    provider = make("aer", {**options, "noise": SHEET}, context)
    job = make_job("noisy-lab", pairs, singles, reads, shots=SHOTS)
    counts = [result.counts for result in run_job(provider, job).programs]
    left = (1 - 0.05 * 4 / 3) ** 8
    mixed = dict.fromkeys(("01", "10", "11"), (1 - left) / 4)
    assert fit(counts[0], {"00": left + (1 - left) / 4, **mixed}) > 1e-5
    still = (1 - 0.01 * 2) ** 10
    assert fit(counts[1], {"0": (1 + still) / 2, "1": (1 - still) / 2}) > 1e-5
    assert fit(counts[2], {"00": 0.9, "01": 0.1}) > 1e-5


@pytest.mark.parametrize(
    "operation",
    [Operation("iswap", (0, 2)), Operation("cz", (0, 1)), Operation("ccx", (0, 1, 2))],
)
def test_a_noisy_aer_refuses_gates_that_its_sheet_has_no_error_for(
    operation: Operation, context: Context, make_job: MakeJob, run_job: Run
) -> None:
    program = Program(4, 1, (operation, measure(0, 0)))
    with pytest.raises(Rejected, match=f"publishes an error of iswap .* got {operation.name}"):
        run_job(make("aer", {"noise": SHEET}, context), make_job("noisy-lab", program))


def test_a_noisy_aer_claims_what_its_sheet_says(context: Context) -> None:
    provider = make("aer", {"noise": SHEET, "fee_rao_per_shot": 3}, context)
    (device,) = asyncio.run(provider.devices())
    assert (device.name, device.device_class, device.provider) == (
        "noisy-lab",
        DeviceClass.SIMULATOR,
        "aer",
    )
    assert device.errors is not None
    assert device.errors.two_qubit == (0.3, 0.05, 0.3)
    assert device.fee_rao_per_shot == 3


@pytest.mark.parametrize("name", ["aer", "cirq"])
def test_reset_and_a_second_measurement_work(
    name: str, context: Context, make_job: MakeJob, run_job: Run
) -> None:
    # c[0] is a fair coin, c[1] its copy after a reset and a flip: always 1.
    steps = (Operation("h", (0,)), measure(0, 0), Operation(RESET, (0,)), Operation("x", (0,)))
    program = Program(1, 2, (*steps, measure(0, 1)))
    counts = run_job(make(name, {}, context), make_job(name, program)).programs[0].counts
    assert fit(counts, {"10": 0.5, "11": 0.5}) > 1e-5


def test_stabilizer_runs_two_hundred_qubits(
    context: Context, make_job: MakeJob, run_job: Run
) -> None:
    # A GHZ state is all zeros or all ones; written in rotations that happen to be Clifford.
    n = 200
    start = Operation("u", (0,), (math.pi / 2, 0.0, math.pi))
    chain = tuple(Operation("cx", (q, q + 1)) for q in range(n - 1))
    program = Program(n, n, (start, *chain, *(measure(q, q) for q in range(n))))
    provider = make("aer", {"method": "stabilizer", "num_qubits": n}, context)
    counts = run_job(provider, make_job("aer", program, shots=200)).programs[0].counts
    assert fit(counts, {"0" * n: 0.5, "1" * n: 0.5}) > 1e-5


def test_stabilizer_agrees_with_the_definition_on_every_clifford_gate(
    context: Context, make_job: MakeJob, run_job: Run
) -> None:
    quarter = math.pi / 2
    gates = (
        Operation("h", (0,)),
        Operation("prx", (1,), (quarter, quarter)),
        Operation("ecr", (0, 1)),
        Operation("gpi2", (2,), (quarter,)),
        Operation("rzz", (2, 1), (quarter,)),
        Operation("rz", (1,), (-quarter,)),
        Operation("iswap", (2, 0)),
        Operation("sxdg", (0,)),
        Operation("rxx", (0, 1), (quarter,)),
        Operation("h", (2,)),
    )
    program = Program(3, 3, (*gates, *(measure(q, 2 - q) for q in range(3))))
    provider = make("aer", {"method": "stabilizer", "num_qubits": 3}, context)
    counts = run_job(provider, make_job("aer", program, shots=SHOTS)).programs[0].counts
    assert fit(counts, probabilities(program)) > 1e-5


def test_stabilizer_refuses_what_is_no_clifford_at_submission(
    context: Context, make_job: MakeJob, run_job: Run
) -> None:
    program = Program(1, 1, (Operation("t", (0,)), measure(0, 0)))
    with pytest.raises(Rejected, match="Clifford gates only, got t"):
        run_job(make("aer", {"method": "stabilizer"}, context), make_job("aer", program))


def test_matrix_product_state_runs_sixty_qubits_in_a_line(
    context: Context, make_job: MakeJob, run_job: Run
) -> None:
    # Closed form: each qubit alone is 1 with probability sin^2(0.3) after ry(0.6); the pair
    # (q, q+1) is joined by cz, which no measurement in this basis sees.
    n = 60
    turned = tuple(Operation("ry", (q,), (0.6,)) for q in range(n))
    joined = tuple(Operation("cz", (q, q + 1)) for q in range(n - 1))
    program = Program(n, n, (*turned, *joined, *(measure(q, q) for q in range(n))))
    provider = make("aer", {"method": "matrix_product_state", "num_qubits": n}, context)
    counts = run_job(provider, make_job("aer", program, shots=500)).programs[0].counts
    ones = sum(key.count("1") * shots for key, shots in counts.table.items())
    p = math.sin(0.3) ** 2
    spread = math.sqrt(n * 500 * p * (1 - p))
    assert abs(ones - n * 500 * p) < 5 * spread


def test_a_run_that_aer_ends_with_an_error_fails_in_aers_own_words(make_job: MakeJob) -> None:
    # The unitary method has no measurement, so Aer refuses the circuit when it runs.
    engine = Engine("unitary", "CPU", threads=1)
    job = make_job("aer", Program(1, 1, (measure(0, 0),)))
    with pytest.raises(JobFailed, match=r"Aer: .*measure"):
        execute(engine, job, 0, Draws(b"seed"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "density"}, "'method' of 'aer' is one of automatic"),
        ({"num_qubits": 33}, "a whole number in 1 .. 32"),
        ({"num_qubits": 2_000, "method": "stabilizer"}, "a whole number in 1 .. 1024"),
        ({"gpu": True}, "one of auto, off, on"),
        ({"device": 7}, "a text"),
        ({"precision": "half"}, "one of double, single"),
        ({"gpus": "0,one"}, "numbers such as '0,1'"),
        ({"batched_shots": "yes"}, "one of off, on"),
        ({"blocking_qubits": -1}, "a whole number in 0 .. 64"),
        ({"noise": {**SHEET, "class": "qpu"}}, "class qpu with errors"),
        ({"noise": {k: v for k, v in SHEET.items() if k != "errors"}}, "simulator without errors"),
        (
            {"noise": {**SHEET, "num_qubits": 33, "errors": FLAT}},
            "at most 32 qubits, the sheet has 33",
        ),
        ({"noise": SHEET, "num_qubits": 4}, "exclude each other"),
        ({"noise": "no-such-sheet.json"}, "cannot read the sheet"),
    ],
)
def test_a_wrong_option_of_aer_is_refused(
    options: Mapping[str, Json], words: str, context: Context
) -> None:
    with pytest.raises(Rejected, match=words):
        make("aer", options, context)


def test_a_gpu_that_is_wanted_but_absent_is_reported_with_the_way_out(context: Context) -> None:
    from qiskit_aer import AerSimulator

    if "GPU" in AerSimulator().available_devices():
        pytest.skip("this build of Aer has a GPU")
    with pytest.raises(MissingSoftware, match=r"one-qubit run on a GPU.*gpu=off"):
        make("aer", {"gpu": "on"}, context)
    with pytest.raises(MissingSoftware, match="method automatic or statevector"):
        make("aer", {"gpu": "on", "method": "stabilizer"}, context)
    assert make("aer", {"gpu": "auto"}, context).name == "aer"


def test_braket_refuses_at_submission_what_it_can_not_do(
    context: Context, make_job: MakeJob, run_job: Run
) -> None:
    program = Program(1, 1, (measure(0, 0), Operation("x", (0,))))
    with pytest.raises(Rejected, match="after its measurement"):
        run_job(make("braket", {}, context), make_job("braket", program))

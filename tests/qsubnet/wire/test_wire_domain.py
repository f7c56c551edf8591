"""Messages and domain objects: equal on both sides, and claims that contradict themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from circuits.counts import Counts
from circuits.errors import CircuitError, ProgramError
from circuits.topology import Topology, complete
from providers.base import (
    Device,
    DeviceClass,
    ErrorRates,
    JobResult,
    ProgramResult,
    ResultKind,
)
from qsubnet.wire import peer
from qsubnet.wire.domain import (
    answer_bytes,
    answers_from_result,
    claim_from_device,
    couplings,
    device_from_claim,
    job_from_request,
    request_from_job,
    result_from_answer,
)
from qsubnet.wire.limits import MAX_REPLY_BYTES, bounded_json


def _qpu(**changes: Any) -> Device:
    values: dict[str, Any] = {
        "name": "line",
        "device_class": DeviceClass.QPU,
        "topology": Topology(3, ((1, 0), (1, 2)), ("cz", "rz", "sx", "x")),
        "errors": ErrorRates((0.1, 0.2, 0.3), (0.01, 0.02), (0.4, 0.5, 0.6)),
        "provider": "invented",
    }
    return Device(**(values | changes))


DEVICES = [
    _qpu(),
    _qpu(errors=ErrorRates((1 / 3, 0.0, 1e-300), (0.1 + 0.2, 1.0), (0.4, 0.5, 0.6))),
    Device("all", DeviceClass.SIMULATOR, complete(4, ("u", "cx")), None, "aer"),
    Device("one", DeviceClass.SIMULATOR, complete(1, ("u",)), None, "aer"),
    Device("bare", DeviceClass.SIMULATOR, Topology(3, (), ("u",)), None, "aer"),
]


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: str(device.name))
def test_a_claim_read_on_the_other_side_has_the_same_digest(device: Device) -> None:
    body = claim_from_device(device).model_dump_json().encode()
    claim = peer.DeviceClaim.model_validate(bounded_json(body))
    assert device_from_claim(claim) == device
    assert device_from_claim(claim).digest == device.digest
    assert couplings(claim) == len(device.topology.edges)


def test_rates_stay_with_their_edges_in_whatever_order_a_claim_lists_them() -> None:
    claim = claim_from_device(_qpu())
    assert claim.errors is not None
    turned = claim.model_copy(
        update={
            "edges": [[1, 2], [1, 0]],
            "errors": claim.errors.model_copy(update={"two_qubit": [0.02, 0.01]}),
        }
    )
    assert device_from_claim(turned) == _qpu()


@pytest.mark.parametrize(
    "change",
    [
        {"edges": [[0, 1], [1, 0]]},
        {"edges": [[0, 3]]},
        {"edges": [[-1, 0]]},
        {"native_gates": ["warp"]},
        {"errors": None},
        {"errors": {"one_qubit": [0.1], "two_qubit": [], "readout": []}},
        {"num_qubits": 1_000, "edges": "all"},
    ],
)
def test_a_claim_that_contradicts_itself_is_a_value_error(change: dict[str, Any]) -> None:
    content = json.loads(claim_from_device(_qpu()).model_dump_json()) | change
    claim = peer.DeviceClaim.model_validate(content)
    with pytest.raises(ValueError):  # noqa: PT011 - by whichever part sees it first
        device_from_claim(claim)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "A B"},
        {"name": ""},
        {"num_qubits": 0},
        {"num_qubits": 1_025},
        {"num_qubits": 3.0},
        {"num_qubits": True},
        {"edges": [[0]]},
        {"edges": "none"},
        {"max_shots": 0},
        {"fee_rao_per_shot": -1},
        {"device_class": "annealer"},
        {"native_gates": ["x"] * 101},
        {"surprise": 1},
    ],
)
def test_a_claim_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    content = json.loads(claim_from_device(_qpu()).model_dump_json()) | change
    with pytest.raises(ValidationError):
        peer.DeviceClaim.model_validate(content)


@given(
    st.integers(1, 9).flatmap(
        lambda bits: st.tuples(
            st.just(bits),
            st.dictionaries(
                st.text("01", min_size=bits, max_size=bits), st.integers(1, 10**6), max_size=8
            ),
        )
    )
)
def test_counts_survive_the_wire(told: tuple[int, dict[str, int]]) -> None:
    bits, table = told
    one = ProgramResult(Counts(bits, table), ResultKind.COUNTS, ("rounded",), ("1", "0"))
    result = JobResult((one,), "b", {"x": [1, None]})
    answer = peer.JobAnswer(
        key="0" * 64,
        results=answers_from_result(result),
        backend_job_id="b",
        backend_record={"x": [1, None]},
        receipt={},
    )
    body = bounded_json(answer.model_dump_json().encode())
    assert result_from_answer(peer.JobAnswer.model_validate(body)) == result


def test_counts_of_another_length_than_they_say_are_refused() -> None:
    one = peer.ProgramAnswer(num_bits=3, counts={"00": 1}, kind="shots", processing=[])
    answer = peer.JobAnswer(
        key="0" * 64, results=[one], backend_job_id="b", backend_record={}, receipt={}
    )
    with pytest.raises(CircuitError, match="need 3 characters"):
        result_from_answer(answer)


def test_a_request_is_read_as_the_job_that_was_sent(tools: Any) -> None:
    request = peer.JobRequest.model_validate_json(tools.dispatch_to("m", programs=2).request)
    job = job_from_request(request)
    assert request_from_job(job) == request
    assert [program.num_bits for program in job.programs] == [2, 2]
    with pytest.raises(ProgramError):
        job_from_request(request.model_copy(update={"programs": ["OPENQASM 2.0;"]}))


def test_an_honest_answer_always_fits_its_bound(tools: Any) -> None:
    """The worst honest answer: every shot another string, memory kept, a fat record."""
    program = tools.program(20).text
    for shots, memory in ((1, False), (500, True), (3_000, False)):
        request = peer.JobRequest(
            key="0" * 64,
            device="d",
            programs=[program] * 3,
            shots=shots,
            verbatim=True,
            memory=memory,
        )
        strings = [format(n, "020b") for n in range(shots)]
        one = peer.ProgramAnswer(
            num_bits=20,
            counts=dict.fromkeys(strings, 1),
            kind="shots",
            processing=["x" * 200] * 20,
            memory=strings if memory else None,
        )
        answer = peer.JobAnswer(
            key="0" * 64,
            results=[one] * 3,
            backend_job_id="b" * 200,
            backend_record={"log": "x" * 500_000},
            receipt={"payload": "x" * 100_000},
        )
        size = len(answer.model_dump_json())
        assert size <= answer_bytes(request) <= MAX_REPLY_BYTES


def test_a_bound_never_goes_beyond_what_a_reply_may_have(tools: Any) -> None:
    program = tools.program(1).text.replace("bit[1] c;", "bit[999999999] c;")
    request = peer.JobRequest(
        key="0" * 64,
        device="d",
        programs=[program, "no program at all"],
        shots=10_000_000,
        verbatim=True,
        memory=True,
    )
    assert answer_bytes(request) == MAX_REPLY_BYTES

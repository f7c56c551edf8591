"""Translation between the wire's messages and the domain's objects, both ways.

A message is checked by pydantic for shape; here it becomes an object that checks its meaning.
"""

from __future__ import annotations

import re

from circuits.counts import Counts
from circuits.parsing import parse
from circuits.program import Limits
from circuits.topology import Topology, complete
from providers.base import (
    Device,
    DeviceClass,
    ErrorRates,
    Job,
    JobResult,
    ProgramResult,
    ResultKind,
)
from qsubnet.wire import peer
from qsubnet.wire.limits import MAX_DISTINCT_BITSTRINGS, MAX_REPLY_BYTES, MAX_SHOTS_PER_JOB

PROGRAM_LIMITS = Limits(
    text_bytes=peer.MAX_PROGRAM_BYTES,
    num_qubits=peer.MAX_QUBITS,
    num_bits=peer.MAX_BITS,
    shots=MAX_SHOTS_PER_JOB,
)


def device_from_claim(claim: peer.DeviceClaim) -> Device:
    """Turn a claim into a Device.

    Raises:
        ValueError: The claim contradicts itself (edges outside the device, a sheet that does
            not fit, a `qpu` without error rates; `CircuitError` is one), or has more couplings
            than a peer has to bear.
    """
    if couplings(claim) > peer.MAX_COUPLINGS:
        raise ValueError(
            f"a claim has at most {peer.MAX_COUPLINGS} couplings, got {couplings(claim)}"
        )
    gates = tuple(sorted(claim.native_gates))
    if claim.edges == "all":
        topology = complete(claim.num_qubits, gates)
    else:
        topology = Topology(claim.num_qubits, tuple((a, b) for a, b in claim.edges), gates)
    return Device(
        name=claim.name,
        device_class=DeviceClass(claim.device_class),
        topology=topology,
        errors=_errors_from(claim),
        provider=claim.provider,
        max_shots=claim.max_shots,
        max_programs=claim.max_programs,
        fee_rao_per_shot=claim.fee_rao_per_shot,
    )


def _errors_from(claim: peer.DeviceClaim) -> ErrorRates | None:
    """Read the sheet; a topology sorts its edges, so their rates are sorted along."""
    sheet = claim.errors
    if sheet is None:
        return None
    two_qubit = list(sheet.two_qubit)
    if claim.edges != "all" and len(claim.edges) == len(two_qubit):
        listed = sorted(zip(map(tuple, claim.edges), two_qubit, strict=True))
        two_qubit = [rate for _, rate in listed]
    return ErrorRates(
        one_qubit=tuple(sheet.one_qubit),
        two_qubit=tuple(two_qubit),
        readout=tuple(sheet.readout),
    )


def couplings(claim: peer.DeviceClaim) -> int:
    """Count the edges that a claim stands for, without making them.

    Example:
        >>> claim = peer.DeviceClaim(
        ...     name="s", device_class="simulator", num_qubits=4, edges="all", native_gates=["cx"],
        ...     errors=None, provider="aer", max_shots=1, max_programs=1, fee_rao_per_shot=0,
        ... )
        >>> couplings(claim)
        6
    """
    if claim.edges == "all":
        return claim.num_qubits * (claim.num_qubits - 1) // 2
    return len(claim.edges)


def answer_bytes(request: peer.JobRequest) -> int:
    """Bound the bytes of an honest answer to `request`, whatever the backend's record holds.

    One shot takes a key of at most `num_bits` characters and a count, twice where memory is kept; a
    megabyte is for receipt, record and words. Twice that, because an answer of another width or
    with too many shots is a fact to be judged; more than that is a flood.
    """
    bits = max(_declared_bits(text) for text in request.programs)
    strings = min(request.shots, MAX_DISTINCT_BITSTRINGS)
    table = strings * (bits + 16)
    memory = request.shots * (bits + 3) if request.memory else 0
    return min(MAX_REPLY_BYTES, 2 * len(request.programs) * (table + memory) + 2**20)


def _declared_bits(text: str) -> int:
    """Read the width off a program of ours; the most there can be where it does not say."""
    for line in text.split("\n", 8)[:8]:
        found = re.fullmatch(r"bit\[(\d{1,9})\] c;", line)
        if found:
            return min(int(found[1]), peer.MAX_BITS)
    return peer.MAX_BITS


def claim_from_device(device: Device) -> peer.DeviceClaim:
    """Write a Device as the wire's claim; `device_from_claim` reads back an equal Device."""
    topology, errors = device.topology, device.errors
    pairs = topology.num_qubits * (topology.num_qubits - 1) // 2
    every_pair = len(topology.edges) == pairs and topology == complete(
        topology.num_qubits, topology.native_gates
    )
    sheet = None
    if errors is not None:
        sheet = peer.ErrorSheet(
            one_qubit=list(errors.one_qubit),
            two_qubit=list(errors.two_qubit),
            readout=list(errors.readout),
        )
    return peer.DeviceClaim(
        name=device.name,
        device_class=device.device_class.value,
        num_qubits=topology.num_qubits,
        edges="all" if every_pair else [[a, b] for a, b in topology.edges],
        native_gates=list(topology.native_gates),
        errors=sheet,
        provider=device.provider,
        max_shots=device.max_shots,
        max_programs=device.max_programs,
        fee_rao_per_shot=device.fee_rao_per_shot,
    )


def job_from_request(request: peer.JobRequest) -> Job:
    """Parse the programs of a request.

    Raises:
        circuits.errors.ProgramError: A program is not in the profile, or too large.
    """
    return Job(
        key=request.key,
        device=request.device,
        programs=tuple(parse(text, PROGRAM_LIMITS) for text in request.programs),
        shots=request.shots,
        verbatim=request.verbatim,
        memory=request.memory,
    )


def request_from_job(job: Job) -> peer.JobRequest:
    """Write a job as the wire's request."""
    return peer.JobRequest(
        key=job.key,
        device=job.device,
        programs=[program.text for program in job.programs],
        shots=job.shots,
        verbatim=job.verbatim,
        memory=job.memory,
    )


def result_from_answer(answer: peer.JobAnswer) -> JobResult:
    """Read the counts of an answer.

    Raises:
        circuits.errors.CircuitError: A bitstring has another length or alphabet than it says.
    """
    programs = tuple(
        ProgramResult(
            counts=Counts(one.num_bits, one.counts),
            kind=ResultKind(one.kind),
            processing=tuple(one.processing),
            memory=None if one.memory is None else tuple(one.memory),
        )
        for one in answer.results
    )
    return JobResult(programs, answer.backend_job_id, answer.backend_record)


def answers_from_result(result: JobResult) -> list[peer.ProgramAnswer]:
    """Write the results of a job as the wire's answers."""
    return [
        peer.ProgramAnswer(
            num_bits=one.counts.num_bits,
            counts=dict(one.counts.table),
            kind=one.kind.value,
            processing=list(one.processing),
            memory=None if one.memory is None else list(one.memory),
        )
        for one in result.programs
    ]

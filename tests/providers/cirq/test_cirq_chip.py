"""What Google publishes of its processors, as device claims.

Expected values: the calibration files that cirq_google ships, read here by hand, and the average
infidelities that they state beside the Pauli errors.
"""

from __future__ import annotations

from typing import Any

import cirq
import pytest
from cirq_google.engine import virtual_engine_factory as factory

from providers.base import DeviceClass
from providers.cirq_chip import Chip, Claim, calibration_record, read_chip
from providers.errors import AdapterFault, Rejected


def chip(processor: str, num_qubits: int = 0) -> Chip:
    grid = factory.create_device_from_processor_id(processor)
    record = factory.load_median_device_calibration(processor)
    return read_chip(grid, record, Claim(processor, num_qubits))


@pytest.mark.parametrize(
    ("processor", "width", "couplings", "gates"),
    [
        ("rainbow", 23, 32, ("sqrt_iswap", "u")),
        ("weber", 53, 86, ("sqrt_iswap", "u")),
        ("willow_pink", 105, 182, ("cz", "u")),
    ],
)
def test_a_whole_processor_has_its_published_qubits_and_couplings(
    processor: str, width: int, couplings: int, gates: tuple[str, ...]
) -> None:
    device = chip(processor).device
    assert device.device_class is DeviceClass.QPU
    assert (device.topology.num_qubits, len(device.topology.edges)) == (width, couplings)
    assert device.topology.native_gates == gates


def test_rates_are_the_average_infidelities_that_google_publishes_beside_pauli_errors() -> None:
    rainbow = chip("rainbow")
    errors = rainbow.device.errors
    assert errors is not None
    record: Any = factory.load_median_device_calibration("rainbow")
    for index, qubit in enumerate(rainbow.qubits):
        (average,) = record["single_qubit_rb_average_error_per_gate"][(qubit,)]
        assert errors.one_qubit[index] == pytest.approx(average)
        (p00,) = record["single_qubit_p00_error"][(qubit,)]
        (p11,) = record["single_qubit_p11_error"][(qubit,)]
        assert errors.readout[index] == pytest.approx((p00 + p11) / 2)
    name = "two_qubit_parallel_sqrt_iswap_gate_xeb_average_error_per_cycle"
    published = {frozenset(pair): rate for pair, (rate,) in record[name].items()}
    for (a, b), rate in zip(rainbow.device.topology.edges, errors.two_qubit, strict=True):
        pair = frozenset({rainbow.qubits[a], rainbow.qubits[b]})
        assert rate == pytest.approx(published[pair])


def test_every_coupling_is_one_that_the_processor_accepts() -> None:
    pink = chip("willow_pink", 30)
    for a, b in pink.device.topology.edges:
        pink.grid.validate_operation(cirq.CZ(pink.qubits[a], pink.qubits[b]))


def test_a_part_is_connected() -> None:
    part = chip("willow_pink", 12)
    reached, todo = {0}, [0]
    while todo:
        fresh = set(part.device.topology.neighbours(todo.pop())) - reached
        reached |= fresh
        todo.extend(fresh)
    assert reached == set(range(12))
    assert len(part.device.topology.edges) >= 16  # a compact part: 3 by 4 has 17


def test_no_calibration_moves_the_numbers_of_the_qubits() -> None:
    grid = factory.create_device_from_processor_id("willow_pink")
    pairs = "two_qubit_parallel_cz_gate_xeb_pauli_error_per_cycle"
    for size in (0, 6, 12):
        before = read_chip(
            grid, factory.load_median_device_calibration("willow_pink"), Claim("pink", size)
        )
        record: Any = factory.load_median_device_calibration("willow_pink")
        del record["single_qubit_p11_error"][(before.qubits[1],)]
        # The best couplings of one day are the worst of the next.
        worst = max(error for (error,) in record[pairs].values())
        for pair, (error,) in record[pairs].items():
            record[pairs][pair] = [worst - error]
        after = read_chip(grid, record, Claim("pink", size))
        assert after.qubits == before.qubits
        assert after.device.errors is not None
        assert after.device.errors.readout[1] == 0.5
        assert after.device.topology.neighbours(1) == ()
        assert before.device.topology.neighbours(1) != ()


def test_a_pair_or_qubit_without_a_published_error_is_no_coupling() -> None:
    grid = factory.create_device_from_processor_id("willow_pink")
    record: Any = factory.load_median_device_calibration("willow_pink")
    pairs = record["two_qubit_parallel_cz_gate_xeb_pauli_error_per_cycle"]
    gone, lonely = next(iter(pairs)), cirq.GridQubit(6, 6)
    del pairs[gone]
    del record["single_qubit_p11_error"][(lonely,)]
    read = read_chip(grid, record, Claim("pink"))
    couplings = {frozenset({read.qubits[a], read.qubits[b]}) for a, b in read.device.topology.edges}
    assert frozenset(gone) not in couplings
    assert not any(lonely in pair for pair in couplings)
    assert len(couplings) == 182 - 1 - len(list(grid.metadata.nx_graph.neighbors(lonely)))
    assert read.device.errors is not None
    assert read.device.errors.readout[read.qubits.index(lonely)] == 0.5


def test_what_cannot_be_described_is_refused() -> None:
    grid = factory.create_device_from_processor_id("rainbow")
    record: Any = factory.load_median_device_calibration("rainbow")
    with pytest.raises(Rejected, match="no calibration"):
        read_chip(grid, None, Claim("rainbow"))
    with pytest.raises(Rejected, match="24 connected qubits, the processor has 23"):
        read_chip(grid, record, Claim("rainbow", 24))
    with pytest.raises(AdapterFault, match="no couplings"):
        read_chip(cirq.UNCONSTRAINED_DEVICE, record, Claim("rainbow"))
    for metric in [name for name in record if "two_qubit" in name]:
        del record._metric_dict[metric]
    with pytest.raises(Rejected, match="no error of a two-qubit gate among cz, sqrt_iswap"):
        read_chip(grid, record, Claim("rainbow"))


def test_the_calibration_is_kept_whole_with_its_time() -> None:
    record = factory.load_median_device_calibration("willow_pink")
    kept: Any = calibration_record(record)
    assert kept["timestampMs"] == 1723795877630
    assert {metric["name"] for metric in kept["metrics"]["metrics"]} == set(record)
    assert calibration_record(None) == {}

"""What Braket publishes of a device, as a claim.

Expected values: read off the published records that the fixtures are cut from.
"""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from circuits.program import Operation, Program, measure
from providers.base import Cost, DeviceClass, Json
from providers.braket_capabilities import Capabilities, read_capabilities
from providers.braket_devices import Claim, machine, price, simulator
from providers.errors import AdapterFault, Rejected

GARNET = "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet"
ANKAA = "arn:aws:braket:us-west-1::device/qpu/rigetti/Ankaa-3"
FORTE = "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-Enterprise-1"
SV1 = "arn:aws:braket:::device/quantum-simulator/amazon/sv1"

Published = dict[str, dict[str, Any]]


def said(record: dict[str, Json]) -> Capabilities:
    return read_capabilities(json.dumps(record))[0]


def near(*rates: float) -> Any:
    return pytest.approx(rates, abs=1e-12)


def test_iqm_publishes_each_qubit_and_pair(capabilities: Published) -> None:
    described = machine(said(capabilities[GARNET]), Claim("garnet"), maker="iqm")
    device, errors = described.device, described.device.errors
    assert described.dialect.physical == (1, 2, 5, 6, 11)
    assert device.topology.edges == ((0, 1), (0, 2), (1, 3), (2, 3), (2, 4))
    assert device.topology.native_gates == ("cz", "prx")
    assert device.device_class is DeviceClass.QPU
    assert errors is not None
    # 1 - (0.999 - 0.0001 q), 1 - (0.98 - 0.001 q): the 0 -> 1 and 1 -> 0 rows are not fidelities.
    assert errors.one_qubit == near(0.0011, 0.0012, 0.0015, 0.0016, 0.0021)
    assert errors.readout == near(0.021, 0.022, 0.025, 0.026, 0.031)
    assert errors.two_qubit == near(0.005, 0.006, 0.007, 0.008, 0.009)
    assert device.max_shots == 20_000


def test_rigetti_offers_the_couplings_that_have_a_number(capabilities: Published) -> None:
    described = machine(said(capabilities[ANKAA]), Claim("ankaa-3"), maker="rigetti")
    errors = described.device.errors
    assert described.dialect.physical == (36, 43, 49, 50)
    assert described.device.topology.edges == ((1, 3), (2, 3))
    assert described.device.topology.native_gates == ("iswap", "rx", "rz")
    assert errors is not None
    assert errors.two_qubit == near(0.02, 0.03)
    assert errors.one_qubit == near(*[0.0008] * 4)  # benchmarked alone, not simultaneously
    assert described.dialect.barriers
    assert described.least_shots == 10


def test_rigetti_turns_by_quarters_only(capabilities: Published) -> None:
    described = machine(said(capabilities[ANKAA]), Claim("ankaa-3"), maker="rigetti")
    quarter = Program(4, 1, (Operation("rx", (0,), (1.5707963267948966,)), measure(0, 0)))
    other = Program(4, 1, (Operation("rx", (0,), (0.3,)), measure(0, 0)))
    assert "rx(1.5707963267948966) $36;" in described.text(quarter)
    with pytest.raises(Rejected, match=r"rx by pi/2 and pi, got 0\.3"):
        described.text(other)


def test_ionq_publishes_one_number_for_all(capabilities: Published) -> None:
    described = machine(said(capabilities[FORTE]), Claim("forte"), maker="ionq")
    errors = described.device.errors
    assert described.device.topology.native_gates == ("gpi", "gpi2", "rzz")
    assert len(described.device.topology.edges) == 6
    assert errors is not None
    assert errors.one_qubit == near(*[0.0001] * 4)
    assert errors.two_qubit == near(*[0.0075] * 6)
    assert errors.readout == near(*[0.0045] * 4)
    assert described.least_shots == 100


def test_version_3_of_the_standard_form_suffices(capabilities: Published) -> None:
    # As AQT publishes: per qubit for one-qubit gates, one number for the rest.
    record = dict(capabilities[FORTE])
    del record["provider"]
    record["standardized"] = {
        "oneQubitProperties": {
            str(q): {"oneQubitFidelity": [{"fidelityType": {"name": "RANDOMIZED_BENCHMARKING"},
                                           "fidelity": 0.99 + q / 1000}]}
            for q in range(4)
        },
        "readoutFidelity": [{"fidelity": 0.98, "unit": "fraction"}],
        "twoQubitGateFidelity": [{"fidelity": 0.97, "unit": "fraction"}],
    }  # fmt: skip
    errors = machine(said(record), Claim("ibex"), maker="aqt").device.errors
    assert errors is not None
    assert errors.one_qubit == near(0.01, 0.009, 0.008, 0.007)
    assert errors.two_qubit == near(*[0.03] * 6)
    assert errors.readout == near(*[0.02] * 4)


@pytest.mark.parametrize("missing", ["readout", "everything"])
def test_a_qubit_without_a_number_keeps_its_place_and_loses_its_couplings(
    missing: str, capabilities: Published
) -> None:
    record = capabilities[GARNET]
    program = Program(5, 1, (Operation("cz", (2, 4)), measure(4, 0)))
    before = machine(said(record), Claim("garnet"), maker="iqm")
    if missing == "readout":  # the last row of a qubit
        record["standardized"]["oneQubitProperties"]["2"]["oneQubitFidelity"].pop()
    else:
        del record["standardized"]["oneQubitProperties"]["2"]
    after = machine(said(record), Claim("garnet"), maker="iqm")
    # 1-2 and 2-6 are gone; the rest means the same hardware as yesterday.
    assert after.dialect.physical == before.dialect.physical == (1, 2, 5, 6, 11)
    assert after.device.topology.edges == ((0, 2), (2, 3), (2, 4))
    assert "cz $5, $11;" in after.text(program)
    assert after.text(program) == before.text(program)
    errors = after.device.errors
    assert errors is not None
    assert errors.readout == near(0.021, 0.5, 0.025, 0.026, 0.031)
    assert errors.one_qubit[1] == pytest.approx(0.0012 if missing == "readout" else 1.0)
    assert errors.two_qubit == near(0.006, 0.008, 0.009)


def test_a_part_for_an_emulator_has_no_qubit_without_a_coupling(capabilities: Published) -> None:
    described = machine(said(capabilities[ANKAA]), Claim("ankaa-3"), maker="rigetti", most=4)
    assert described.dialect.physical == (43, 49, 50)  # 36-43 has no number
    assert described.device.topology.edges == ((0, 2), (1, 2))


def test_a_number_of_a_pair_that_is_not_coupled_any_more_is_left_out(
    capabilities: Published,
) -> None:
    record = capabilities[GARNET]
    graph = record["paradigm"]["connectivity"]["connectivityGraph"]
    graph["5"].remove("11")
    graph["11"].remove("5")
    described = machine(said(record), Claim("garnet"))
    assert described.device.topology.edges == ((0, 1), (0, 2), (1, 3), (2, 3))


@pytest.mark.parametrize("missing", ["everything", "pairs", "readout"])
def test_a_machine_without_error_rates_needs_a_sheet(missing: str, capabilities: Published) -> None:
    record = capabilities[GARNET]
    if missing == "everything":
        del record["standardized"]
    elif missing == "pairs":
        record["standardized"]["twoQubitProperties"] = {}
    else:
        for qubit in record["standardized"]["oneQubitProperties"].values():
            qubit["oneQubitFidelity"].pop()
    with pytest.raises(Rejected, match=r"publishes no error rates .* option 'sheet'"):
        machine(said(record), Claim("garnet"))


def sheet(**change: Json) -> Json:
    return {
        "name": "own",
        "class": "qpu",
        "num_qubits": 3,
        "native_gates": ["prx"],
        "two_qubit_gate": "cz",
        "coupling": [[0, 1], [0, 2]],
        "errors": {"one_qubit": 0.001, "two_qubit": 0.01, "readout": 0.02},
        **change,
    }


def test_a_sheet_stands_in_for_what_is_not_published(capabilities: Published) -> None:
    record = capabilities[GARNET]
    del record["standardized"]
    described = machine(said(record), Claim("mine", fee_rao_per_shot=4, sheet=sheet()))
    assert described.dialect.physical == (1, 2, 5)
    assert described.device.name == "mine"
    assert described.device.errors is not None
    assert described.device.fee_rao_per_shot == 4
    flip = Program(3, 1, (Operation("prx", (2,), (3.0, 0.0)), measure(2, 0)))
    assert "prx(3.0, 0.0) $5;" in described.text(flip)


@pytest.mark.parametrize(
    "change",
    [{"class": "simulator"}, {"native_gates": ["rz", "sx"]}, {"num_qubits": 9}],
)
def test_a_sheet_that_does_not_fit_the_machine_is_refused(
    change: dict[str, Json], capabilities: Published
) -> None:
    with pytest.raises(Rejected, match="of class qpu, at most 5 qubits and gates among"):
        machine(said(capabilities[GARNET]), Claim("mine", sheet=sheet(**change)))


@pytest.mark.parametrize("word", ["supportedPragmas", "supportPhysicalQubits"])
def test_a_machine_without_a_verbatim_box_is_refused(word: str, capabilities: Published) -> None:
    record = capabilities[GARNET]
    record["action"]["braket.ir.openqasm.program"].pop(word)
    with pytest.raises(Rejected, match="no verbatim box"):
        machine(said(record), Claim("garnet"))


def test_a_managed_simulator_takes_every_gate(capabilities: Published) -> None:
    described = simulator(said(capabilities[SV1]), Claim("sv1"))
    assert described.device.device_class is DeviceClass.SIMULATOR
    assert described.device.errors is None
    assert (described.device.topology.num_qubits, described.least_shots) == (6, 1)
    flip = Program(9, 1, (Operation("u", (8,), (0.1, 0.2, 0.3)), measure(8, 0)))
    assert "rz(0.3) q[0];\nry(0.1) q[0];\nrz(0.2) q[0];" in described.text(flip)


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        # 100 shots: 100 x 0.08 + 0.30; a price of a task; by time nobody knows before.
        ({"price": 0.08, "unit": "shot"}, Cost("8.30", "USD")),
        ({"price": 0.25, "unit": "task"}, Cost("0.25", "USD")),
        ({"price": 0.075, "unit": "minute"}, None),
        (None, None),
    ],
)
def test_the_price_of_a_task(cost: Json, expected: Cost | None, capabilities: Published) -> None:
    record = capabilities[FORTE]
    cast("dict[str, Json]", record["service"])["deviceCost"] = cost
    assert price(said(record), Claim("forte"), shots=100) == expected


def test_the_price_of_a_task_is_the_miners_to_correct(capabilities: Published) -> None:
    cheap = Claim("forte", usd_per_task="0.00")
    assert price(said(capabilities[FORTE]), cheap, shots=100) == Cost("8.00", "USD")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ("[]", "a JSON object"),
        ("{}", "service: Field required"),
        ('{"service": {"shotsRange": [1, 2]}, "paradigm": {"qubitCount": 0}}', "paradigm.qubitCou"),
    ],
)
def test_capabilities_of_another_shape_are_reported(text: str, words: str) -> None:
    with pytest.raises(AdapterFault, match=words):
        read_capabilities(text)

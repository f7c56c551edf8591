"""The sheet: every word is read, and a wrong one ends in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from providers.base import DeviceClass, Json
from providers.errors import Rejected
from providers.sheet import device_from_sheet, read_sheet

SHEET: dict[str, Json] = {
    "name": "lab-3",
    "class": "qpu",
    "num_qubits": 3,
    "native_gates": ["rz", "sx", "x", "cx"],
    "two_qubit_gate": "cz",
    "coupling": [[1, 2], [0, 1]],
    "errors": {"one_qubit": 0.001, "two_qubit": [0.02, 0.01], "readout": [0.1, 0.2, 0.3]},
}
ERRORS: dict[str, Json] = {"one_qubit": 0.001, "two_qubit": 0.01, "readout": 0.02}


def test_rates_in_a_list_follow_the_order_in_which_the_couplings_are_written() -> None:
    device = device_from_sheet(SHEET, provider="exec")
    assert device.device_class is DeviceClass.QPU
    assert device.topology.edges == ((0, 1), (1, 2))
    assert device.errors is not None
    assert device.errors.two_qubit == (0.01, 0.02)
    assert device.errors.one_qubit == (0.001, 0.001, 0.001)
    assert device.errors.readout == (0.1, 0.2, 0.3)


def test_rates_by_name_fit_their_pair_in_either_direction() -> None:
    errors: Json = {**ERRORS, "two_qubit": {"2-1": 0.05, "0-1": 0.04}}
    device = device_from_sheet({**SHEET, "errors": errors}, provider="exec")
    assert device.errors is not None
    assert device.errors.two_qubit == (0.04, 0.05)


def test_circuits_are_drawn_with_the_two_qubit_gate_that_is_named() -> None:
    device = device_from_sheet(SHEET, provider="exec")
    assert device.topology.native_gates == ("cz", "rz", "sx", "x")


def test_another_name_may_stand_in() -> None:
    assert device_from_sheet(SHEET, provider="exec", name="other").name == "other"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"colour": "blue"}, "has no 'colour'"),
        ({"class": "annealer"}, "one of qpu, simulator, got 'annealer'"),
        ({"name": "Lab 3"}, "got 'Lab 3'"),
        ({"name": 3}, "name is a text"),
        ({"num_qubits": 0}, "whole number in 1 .. 1024"),
        ({"num_qubits": True}, "whole number"),
        ({"native_gates": ["foo"]}, "got 'foo'"),
        ({"native_gates": "rz"}, "native_gates is a list"),
        ({"two_qubit_gate": "x"}, "two_qubit_gate is one of"),
        ({"coupling": "line"}, 'coupling (or "all") is a list'),
        ({"coupling": [[0, 1, 2]]}, "pairs [a, b]"),
        ({"coupling": [[0, 3]]}, "in 0 .. 2, got '3'"),
        ({"coupling": [[0, 1], [1, 0]]}, "repeats"),
        ({"errors": None}, "publishes no error rates"),
        ({"errors": 0.1}, "errors are a JSON object"),
        ({"errors": {"one_qubit": 0.1}}, "'two_qubit' is missing"),
        ({"errors": {**ERRORS, "t1": 3}}, "has no 't1'"),
        ({"errors": {**ERRORS, "readout": [0.1]}}, "3 rates, one of its qubits each, got 1"),
        ({"errors": {**ERRORS, "two_qubit": [0.1]}}, "2 rates, one of its couplings each"),
        ({"errors": {**ERRORS, "readout": 1.5}}, "in 0 .. 1, got '1.5'"),
        ({"errors": {**ERRORS, "readout": float("nan")}}, "got 'nan'"),
        ({"errors": {**ERRORS, "two_qubit": {"0-1": 0.1}}}, 'has no "1-2"'),
        ({"errors": {**ERRORS, "two_qubit": {"0-2": 0.1}}}, "got '0-2' besides"),
        ({"errors": {**ERRORS, "two_qubit": {"0-1": 0.1, "1-0": 0.1}}}, "got '1-0' besides"),
        ({"errors": {**ERRORS, "two_qubit": {"0-x": 0.1}}}, "got '0-x' besides"),
    ],
)
def test_a_wrong_word_is_refused_with_a_sentence(change: dict[str, Json], sentence: str) -> None:
    with pytest.raises(Rejected) as caught:
        device_from_sheet({**SHEET, **change}, provider="exec")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("word", sorted(SHEET.keys() - {"errors"}))
def test_a_missing_word_is_named(word: str) -> None:
    with pytest.raises(Rejected, match=f"'{word}' is missing"):
        device_from_sheet({k: v for k, v in SHEET.items() if k != word}, provider="exec")


def test_a_sheet_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "sheet.json"
    path.write_text(json.dumps(SHEET))
    assert read_sheet(path) == SHEET
    path.write_text("{")
    with pytest.raises(Rejected, match="is no JSON"):
        read_sheet(path)

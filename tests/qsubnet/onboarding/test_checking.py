"""A check finds every way of being wrong, says how to mend it, and costs what it said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from providers.base import Cost, ResultKind
from qsubnet.errors import BadInput
from qsubnet.judging.live import Bench
from qsubnet.onboarding.check_document import check_document, check_in_words
from qsubnet.onboarding.checking import Checked, check_device, seen_gates
from qsubnet.onboarding.finding import Level
from qsubnet.onboarding.order import OrderWord
from qsubnet.onboarding.pricing import Price
from validator.references.reference import DenseEngine, Reference

Labs = Any
Benches = Callable[..., Bench]


def _check(bench: Bench, *, epochs: int = 1, agree: Any = lambda _price: True) -> Checked:
    work = check_device(bench, epochs=epochs, reference=Reference(DenseEngine()), agree=agree)
    return asyncio.run(work)


def _reversed(counts: dict[str, int], _shots: int) -> dict[str, int]:
    return {bits[::-1]: n for bits, n in counts.items()}


def _exchanged(counts: dict[str, int], _shots: int) -> dict[str, int]:
    return {
        bits[:-2] + bits[-1] + bits[-2] if len(bits) > 1 else bits: n for bits, n in counts.items()
    }


def _without_zeros(counts: dict[str, int], _shots: int) -> dict[str, int]:
    width = max(len(bits.lstrip("0")) for bits in counts) or 1
    return {bits[-width:]: n for bits, n in counts.items()}


def _one_more(counts: dict[str, int], _shots: int) -> dict[str, int]:
    return {**counts, min(counts): counts[min(counts)] + 1}


def _tenfold(counts: dict[str, int], shots: int) -> dict[str, int]:
    table = {bits: 10 * (n // 10) for bits, n in counts.items() if n >= 10}
    first = max(counts, key=lambda bits: counts[bits])
    table[first] = table.get(first, 0) + shots - sum(table.values())
    return table


def test_a_right_device_has_nothing_to_mend_and_is_expected_to_be_verified(
    lab: Labs, bench_of: Benches
) -> None:
    found = _check(bench_of(lab()), epochs=2)
    assert (found.ok, found.findings) == (True, ())
    document = check_document(found, None)
    assert document["measured"]["bit_order"] == "right"
    assert document["measured"]["native_gates_seen"] == ["cx", "u", "x"]
    expected = document["expected"]
    assert (expected["verdict"], expected["grade"], expected["share"]) == ("verified", "S1", None)
    assert expected["score"] > 0
    assert "all right" in check_in_words(document)


@pytest.mark.parametrize(
    ("wrong", "level", "what", "fix"),
    [
        ({"spoil": _reversed}, "error", "bits come in reversed order", "bits[::-1]"),
        (
            {"spoil": _exchanged},
            "error",
            "bit 0 shows qubit 1, bit 1 shows qubit 0",
            "place = [1, 0,",
        ),
        ({"spoil": _without_zeros}, "error", "bitstrings of a wrong width", "zfill"),
        ({"shots": 0.8}, "error", "too few shots, such as 160 of 200", "max_shots"),
        (
            {"spoil": _one_more},
            "error",
            "more shots than were asked for",
            "exactly the job's shots",
        ),
        ({"spoil": _tenfold}, "error", "share a divisor", "run every shot"),
        ({"flip": 0.05}, "error", "claims to be exact, but", "noise"),
        ({"kind": ResultKind.PROBABILITIES}, "note", "came as probabilities", "shots or counts"),
        ({"failure": "the cryostat is warm"}, "error", "the cryostat is warm", "by hand"),
    ],
)
def test_each_way_of_being_wrong_is_named_with_its_mending(
    lab: Labs, bench_of: Benches, wrong: dict[str, Any], level: str, what: str, fix: str
) -> None:
    found = _check(bench_of(lab(**wrong)))
    first = found.findings[0]
    assert what in first.what
    assert fix in first.fix
    assert first.level.value == level
    assert found.ok is (level != "error")
    # One cause, one error: what merely follows from it is not told again.
    assert sum(finding.level is Level.ERROR for finding in found.findings) <= 1 + ("flip" in wrong)


@pytest.mark.parametrize("spoil", [_reversed, _exchanged, _without_zeros])
def test_a_wrong_order_or_width_is_expected_to_be_misconfigured(
    lab: Labs, bench_of: Benches, spoil: Any
) -> None:
    expected = check_document(_check(bench_of(lab(spoil=spoil))), None)["expected"]
    assert (expected["verdict"], expected["grade"], expected["score"]) == ("misconfigured", "S0", 0)


def test_scaled_counts_are_expected_to_be_called_fraud(lab: Labs, bench_of: Benches) -> None:
    expected = check_document(_check(bench_of(lab(spoil=_tenfold))), None)["expected"]
    assert (expected["verdict"], expected["score"]) == ("fraud", 0)


def test_a_device_that_answers_nothing_is_not_tested_further(lab: Labs, bench_of: Benches) -> None:
    found = _check(bench_of(lab(failure="warm")))
    assert (found.judged, found.answered) == (None, ())
    expected = check_document(found, None)["expected"]
    assert (expected["verdict"], expected["score"]) == ("unverified", 0)


def test_a_check_runs_what_it_said_and_no_more(lab: Labs, bench_of: Benches) -> None:
    told: list[Price] = []

    def agree(price: Price) -> bool:
        told.append(price)
        return True

    device = lab()
    _check(bench_of(device), agree=agree)
    (price,) = told
    assert price.here
    # Two programs of the cancelled job may have been dropped, and two probes may be refused.
    assert price.programs - 4 <= len(device.ran) <= price.programs
    assert price.shots - 4 * 200 <= sum(device.ran) <= price.shots


def test_without_agreement_nothing_is_started(lab: Labs, bench_of: Benches) -> None:
    device = lab()
    with pytest.raises(BadInput, match="nothing was started"):
        _check(bench_of(device), agree=lambda _price: False)
    assert device.ran == []


def test_at_a_vendor_no_shot_is_paid_for_once_the_order_is_known_to_be_wrong(
    lab: Labs, charging: Any, bench_of: Benches
) -> None:
    device = lab(spoil=_reversed)
    found = _check(bench_of(device, lambda behind: charging(behind, Cost("0.30", "USD"))))
    assert found.judged is None
    assert found.price is not None
    assert found.price.costs[0][0] == "USD"
    assert len(device.ran) <= 20
    assert check_document(found, None)["expected"]["verdict"] == "misconfigured"


def test_a_backend_that_cannot_be_reached_is_a_finding(
    lab: Labs, silent: Any, bench_of: Benches
) -> None:
    found = _check(bench_of(lab(), lambda behind: silent(behind, None)))
    assert not found.ok
    assert "401: the token has expired" in found.findings[0].what
    document = check_document(found, None)
    assert (document["claimed"], document["measured"]) == (None, None)
    assert document["expected"]["verdict"] is None
    assert "unknown" in check_in_words(document)


def test_readout_worse_than_the_sheet_is_measured_beside_it(lab: Labs, bench_of: Benches) -> None:
    found = _check(bench_of(lab(is_qpu=True, flip=0.06)))
    assert found.order.word is OrderWord.RIGHT
    document = check_document(found, None)
    readout = document["measured"]["readout_error"]
    # Injected: every bit is flipped with .06, the sheet says .02.
    assert readout["measured"]["low"] - 0.01 <= 0.06 <= readout["measured"]["high"] + 0.01
    assert readout["claimed"] == pytest.approx(0.02)
    warned = [finding for finding in found.findings if "a measured bit is wrong" in finding.what]
    assert [finding.level for finding in warned] == [Level.WARNING]
    assert "the sheet says 0.0200" in warned[0].what


def test_readout_far_worse_than_the_sheet_is_an_error_and_not_all_right(
    lab: Labs, bench_of: Benches
) -> None:
    found = _check(bench_of(lab(is_qpu=True, flip=0.2)))
    errors = [finding.what for finding in found.findings if finding.level is Level.ERROR]
    assert any("the sheet says 0.0200" in what for what in errors)
    assert "to mend before it can be paid" in check_in_words(check_document(found, None))


def test_answers_that_ignore_the_circuit_are_one_error_of_order_and_no_advice_on_errors(
    lab: Labs, bench_of: Benches
) -> None:
    def same(counts: dict[str, int], shots: int) -> dict[str, int]:
        width = len(next(iter(counts)))
        return {"0" * width: shots // 2, "1" * width: shots - shots // 2}

    found = _check(bench_of(lab(is_qpu=True, spoil=same)))
    assert found.order.word is OrderWord.UNCLEAR
    assert "do not follow the circuits" in found.findings[0].what
    assert not any("probes came back wrong" in finding.what for finding in found.findings)
    assert not any("the sheet" in finding.what for finding in found.findings)


def test_what_is_neither_wrong_nor_verified_is_not_called_all_right(
    lab: Labs, bench_of: Benches
) -> None:
    document = check_document(_check(bench_of(lab()), epochs=0), None)
    assert check_in_words(document).endswith("all right")
    document["expected"] = {**document["expected"], "verdict": "unverified", "grade": "S0"}
    document["expected"]["score"] = 0.0
    assert check_in_words(document).endswith("it was not verified: see the warnings")


def test_the_gates_of_answered_programs_are_those_seen(lab: Labs, bench_of: Benches) -> None:
    found = _check(bench_of(lab(is_qpu=True)), epochs=0)
    assert set(seen_gates(found.answered)) <= {"cx", "rz", "sx", "x"}
    assert "cx" in seen_gates(found.answered)
    assert found.judged is None
    assert check_document(found, None)["expected"]["verdict"] is None

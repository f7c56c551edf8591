"""Routing, from a handful of invented offers and verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from providers.base import Device
from qsubnet.errors import BadInput, Unreachable
from qsubnet.gateway.errors import TooWide, UnknownDevice
from qsubnet.gateway.router import Needs, Offer, choose
from qsubnet.wire.domain import claim_from_device

Line = Callable[..., Device]
BELL = Needs((2,), 100, entangles=True)


def _offer(device: Device, hotkey: str = "m", *, reachable: bool = True) -> Offer:
    return Offer(hotkey, claim_from_device(device), device, reachable)


def _verdict(offer: Offer, word: str = "verified", **changes: Any) -> dict[str, Any]:
    device = offer.device
    usual = {
        "class": device.device_class.value,
        "num_qubits": device.topology.num_qubits,
        "verdict": word,
        "score": 1.0 if word == "verified" else 0.0,
        "fidelity": {"low": 0.5},
    }
    return usual | changes


def test_the_narrowest_verified_device_that_suffices_is_chosen(make_line: Line) -> None:
    offers = [_offer(make_line(f"q{n}", n)) for n in (9, 1, 5, 3)]
    verdicts = {offer.key: _verdict(offer) for offer in offers}
    assert choose(BELL, offers, verdicts, asked=None).device.name == "q3"
    fourth = Needs((2, 4), 100, entangles=True)
    assert choose(fourth, offers, verdicts, asked=None).device.name == "q5"
    without = {("m", "q3"), ("m", "q5")}
    assert choose(BELL, offers, verdicts, asked=None, without=without).device.name == "q9"


def test_of_equally_wide_devices_the_cheaper_then_the_better_measured_comes_first(
    make_line: Line,
) -> None:
    cheap = _offer(make_line("cheap", 3))
    dear = _offer(replace(make_line("dear", 3), fee_rao_per_shot=5))
    good = _offer(make_line("good", 3))
    verdicts = {
        cheap.key: _verdict(cheap, fidelity={"low": 0.5}),
        dear.key: _verdict(dear, fidelity={"low": 0.99}),
        good.key: _verdict(good, fidelity={"low": 0.6}),
    }
    assert choose(BELL, [dear, cheap, good], verdicts, asked=None) == good
    assert choose(BELL, [dear, cheap], verdicts, asked=None) == cheap


@pytest.mark.parametrize(
    "changes",
    [{"verdict": "unverified"}, {"verdict": "fraud"}, {"score": 0.0}, {"num_qubits": 4}],
)
def test_a_device_without_a_paying_verdict_of_its_own_is_never_chosen_but_may_be_named(
    make_line: Line, changes: dict[str, Any]
) -> None:
    offer = _offer(make_line("q3", 3))
    verdicts = {offer.key: _verdict(offer, **changes)}
    with pytest.raises(Unreachable, match=r"no device is verified now.*q3 \(3 qubits\)"):
        choose(BELL, [offer], verdicts, asked=None)
    assert choose(BELL, [offer], verdicts, asked="q3") == offer
    assert choose(BELL, [offer], verdicts, asked="m/q3") == offer


def test_a_silent_miner_is_passed_over_unless_its_device_is_named(make_line: Line) -> None:
    silent, wide = _offer(make_line("q3", 3), reachable=False), _offer(make_line("q9", 9))
    verdicts = {offer.key: _verdict(offer) for offer in (silent, wide)}
    assert choose(BELL, [silent, wide], verdicts, asked=None) == wide
    assert choose(BELL, [silent, wide], verdicts, asked="q3") == silent
    with pytest.raises(Unreachable, match="answers; retry later"):
        choose(BELL, [silent], verdicts, asked=None)


def test_refusals_say_what_there_is(make_line: Line) -> None:
    offers = [_offer(make_line("q3", 3)), _offer(make_line("q5", 5))]
    verdicts = {offer.key: _verdict(offer) for offer in offers}
    with pytest.raises(UnknownDevice, match=r"there are: q3 \(3 qubits\), q5 \(5 qubits\)"):
        choose(BELL, offers, verdicts, asked="q4")
    with pytest.raises(UnknownDevice, match="there are: none"):
        choose(BELL, [], {}, asked="q4")
    with pytest.raises(TooWide, match="program 1 uses 9 qubits, device 'q5' has 5"):
        choose(Needs((1, 9), 1, entangles=False), offers, verdicts, asked=None)
    with pytest.raises(BadInput, match=r"takes 1 .. 20000 shots, got 20001"):
        choose(Needs((1,), 20_001, entangles=False), offers, verdicts, asked="q3")
    with pytest.raises(BadInput, match=r"takes 1 .. 64 programs at once, got 65"):
        choose(Needs((1,) * 65, 1, entangles=False), offers, verdicts, asked="q3")


def test_one_name_at_two_miners_needs_the_hotkey(make_line: Line) -> None:
    offers = [_offer(make_line("q3", 3), hotkey) for hotkey in ("a", "b")]
    with pytest.raises(BadInput, match="need one of: a/q3, b/q3"):
        choose(BELL, offers, {}, asked="q3")
    assert choose(BELL, offers, {}, asked="b/q3").hotkey == "b"


def test_a_name_that_is_unknown_while_miners_are_silent_may_come_later() -> None:
    with pytest.raises(Unreachable, match="2 miners do not answer"):
        choose(BELL, [], {}, asked="q3", silent=2)
    with pytest.raises(UnknownDevice):
        choose(BELL, [], {}, asked="q3", silent=0)

"""What a share of spoilt traps implies, from cases that are known; and what gives tests away."""

from __future__ import annotations

import pytest

from benchmarks.bench_selective import implied, last_verdict
from providers import standin
from providers.base import Context
from providers.lies.recognising import is_fenced, is_palindrome
from validator.plan import draw, plan
from validator.references.reference import Reference, best_engine
from validator.verdict import Verdict

EPOCHS = 4
GENEVA = 2


@pytest.fixture(scope="module")
def honest() -> Verdict:
    return last_verdict(GENEVA, 0, EPOCHS, reference=Reference(best_engine()))


def test_who_spoils_nothing_loses_nothing_and_who_spoils_all_loses_the_label(
    honest: Verdict,
) -> None:
    floor = honest.evidence.user_like.estimate - honest.evidence.margins["trap"].estimate
    assert 0.0 < floor < honest.evidence.user_like.estimate
    assert implied(honest, 0, EPOCHS).caught == 0.0
    everything = implied(honest, 100, EPOCHS)
    assert everything.caught == pytest.approx(1.0)
    assert everything.paid == 0.0


def test_more_spoilt_is_caught_more_often_and_paid_less(honest: Verdict) -> None:
    found = [implied(honest, percent, 12) for percent in (0, 25, 50, 75, 100)]
    assert [one.caught for one in found] == sorted(one.caught for one in found)
    assert [one.paid for one in found] == sorted((one.paid for one in found), reverse=True)
    assert found[1].caught < 0.1 < found[2].caught < 0.9 < found[3].caught


def test_coins_on_every_trap_show_as_no_fidelity_there_and_leave_mirrors_alone(
    honest: Verdict,
) -> None:
    spoilt = last_verdict(GENEVA, 100, EPOCHS, reference=Reference(best_engine())).evidence
    assert spoilt.user_like.low < 0.05
    assert spoilt.user_like.high < 0.2
    assert spoilt.fidelity.estimate == pytest.approx(honest.evidence.fidelity.estimate, abs=0.1)


def test_traps_carry_one_sign_of_a_test_and_random_circuits_the_other() -> None:
    device = standin.build({"machine": "guadalupe"}, Context(b"seed", lambda: 0)).device
    signs: dict[str, set[tuple[bool, bool]]] = {}
    for assignment in plan(device):
        for one in draw(assignment, device, secret=b"s" * 32, block_hash="1", hotkey="h"):
            found = (is_fenced(one.case.program), is_palindrome(one.case.program))
            signs.setdefault(one.case.family, set()).add(found)
    assert signs["trap"] == {(False, True)}
    assert all(fenced for family in signs if family != "trap" for fenced, _ in signs[family])
    assert (True, False) in signs["brickwork"]

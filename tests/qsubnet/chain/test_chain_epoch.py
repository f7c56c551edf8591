from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qsubnet.chain.calls import Target, WeightIntent
from qsubnet.chain.genesis import Mechanism
from qsubnet.chain.model import PPB, Metagraph, Neuron


def intent(
    validator: str, weights: dict[str, float], *, since: int = 1, mechanism: int = 0, epoch: int = 1
) -> WeightIntent:
    targets = tuple(Target(hotkey, weight, since) for hotkey, weight in weights.items())
    return WeightIntent(validator=validator, mechanism=mechanism, epoch=epoch, targets=targets)


def submit(bench: Any, sent: WeightIntent) -> None:
    bench.run(bench.chain(sent.validator).submit_weights(sent))


def advance(bench: Any, block: int) -> Metagraph:
    bench.run(bench.chain().advance_to(block))
    graph: Metagraph = bench.run(bench.chain().metagraph())
    return graph


def neuron(graph: Metagraph, hotkey: str) -> Neuron:
    found = graph.neuron(hotkey)
    assert found is not None
    return found


@pytest.fixture
def subnet(bench: Any) -> Any:
    """Validators of 60 and 40 rao and three miners, at the start of epoch 1."""
    bench.seat("va", stake=60)
    bench.seat("vb", stake=40)
    for miner in ("m1", "m2", "m3"):
        bench.seat(miner)
    advance(bench, 10)
    return bench


def test_a_miner_is_paid_its_share_of_the_median_and_the_rest_is_burned(subnet: Any) -> None:
    # 1001 rao: 501 for mechanism 0, 500 for mechanism 1. Both give 3:1, so m1 has 3/4 of the
    # miners' 250; dividends go by stake, 60:40 of 251. Nobody is weighed in mechanism 1.
    submit(subnet, intent("va", {"m1": 3, "m2": 1}))
    submit(subnet, intent("vb", {"m1": 6, "m2": 2, "m3": 0}))
    graph = advance(subnet, 20)
    paid = {n.hotkey: n.emission_rao for n in graph.neurons}
    assert paid == {"m1": 188, "m2": 62, "m3": 0, "va": 151, "vb": 100}
    assert neuron(graph, "m1").standing(0).consensus_ppb == pytest.approx(0.75 * PPB, rel=1e-4)
    assert neuron(graph, "m1").standing(0).incentive_ppb == pytest.approx(0.75 * PPB, rel=1e-4)
    report = graph.last_epoch
    assert report is not None
    assert [m.burned_rao for m in report.mechanisms] == [0, 500]
    assert [m.budget_rao for m in report.mechanisms] == [501, 500]
    assert report.mechanisms[0].validators == ("va", "vb")


def test_shares_of_incentive_and_dividends_sum_to_the_whole(subnet: Any) -> None:
    submit(subnet, intent("va", {"m1": 1, "m2": 1, "m3": 1}))
    graph = advance(subnet, 20)
    assert sum(n.standing(0).incentive_ppb for n in graph.neurons) == PPB
    assert sum(n.standing(0).dividends_ppb for n in graph.neurons) == PPB
    assert sum(n.standing(1).incentive_ppb for n in graph.neurons) == 0


def test_every_rao_is_somewhere(subnet: Any) -> None:
    submit(subnet, intent("va", {"m1": 3, "m3": 1}))
    submit(subnet, intent("vb", {"m2": 1}, mechanism=1))
    graph = advance(subnet, 55)
    pool = subnet.run(subnet.chain().pool())
    earned = sum(n.earned_rao for n in graph.neurons)
    assert pool.issued_rao == 5 * 1001 == earned + pool.burned_rao
    assert pool.free_rao + pool.staked_rao == 10**12 + 10**6


def test_weights_of_the_minority_are_cut_to_the_majoritys(subnet: Any) -> None:
    submit(subnet, intent("va", {"m1": 1}))
    submit(subnet, intent("vb", {"m2": 1}))
    graph = advance(subnet, 20)
    assert neuron(graph, "m1").standing(0).incentive_ppb == PPB
    assert neuron(graph, "m2").emission_rao == 0
    assert neuron(graph, "vb").standing(0).dividends_ppb == 0


def test_weights_stay_in_force_until_they_are_replaced(subnet: Any) -> None:
    submit(subnet, intent("va", {"m1": 1}))
    assert neuron(advance(subnet, 40), "m1").emission_rao == 250
    submit(subnet, intent("va", {"m2": 1}, epoch=4))
    assert neuron(advance(subnet, 50), "m1").emission_rao == 0


def test_a_validator_that_fell_silent_is_counted_no_more(
    make_bench: Callable[..., Any],
) -> None:
    bench = make_bench(activity_cutoff_blocks=10)
    bench.seat("va", stake=60)
    bench.seat("vb", stake=40)
    bench.seat("m1")
    bench.seat("m2")
    advance(bench, 10)
    submit(bench, intent("va", {"m1": 1}))
    submit(bench, intent("vb", {"m2": 1}))
    assert neuron(advance(bench, 20), "m1").emission_rao > 0
    submit(bench, intent("vb", {"m2": 1}, epoch=2))
    graph = advance(bench, 30)  # va's weights stand since block 11
    assert neuron(graph, "m1").emission_rao == 0
    assert neuron(graph, "m2").standing(0).incentive_ppb == PPB


def test_permits_go_to_the_largest_stakes_at_the_end_of_the_epoch(
    make_bench: Callable[..., Any],
) -> None:
    bench = make_bench(max_validators=2, min_validator_stake_rao=10)
    for hotkey, stake in (("a", 9), ("b", 50), ("c", 30), ("d", 50)):
        bench.seat(hotkey, stake=stake)
    assert [n.validator_permit for n in advance(bench, 9).neurons] == [False] * 4
    assert [n.validator_permit for n in advance(bench, 10).neurons] == [False, True, False, True]


def test_a_miner_that_registers_again_inherits_no_weight(subnet: Any, key: Any) -> None:
    submit(subnet, intent("va", {"m1": 1, "m2": 1}))
    registrar = subnet.chain().registrar(key("cold"))
    subnet.run(registrar.deregister("m1"))
    advance(subnet, 15)
    assert subnet.seat("m1") == 16
    graph = advance(subnet, 20)
    assert neuron(graph, "m1").emission_rao == 0
    assert neuron(graph, "m2").standing(0).incentive_ppb == PPB


def test_mechanisms_share_the_emission_as_the_rules_say(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(
        mechanisms=(Mechanism(0, "qpu", 3), Mechanism(1, "simulator", 1)), incentive_percent=100
    )
    bench.seat("va", stake=1)
    bench.seat("m1")
    advance(bench, 10)
    submit(bench, intent("va", {"m1": 1}, mechanism=0))
    submit(bench, intent("va", {"m1": 1}, mechanism=1))
    standings = neuron(advance(bench, 20), "m1").standings
    assert [standing.emission_rao for standing in standings] == [751, 250]

"""What a check costs is asked before it starts, summed exactly, and held against a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from providers.base import Cost
from qsubnet.errors import BadInput
from qsubnet.judging.live import Bench
from qsubnet.onboarding.pricing import (
    Price,
    dearer,
    over_limit,
    price_of_check,
    price_words,
    read_limit,
)

Benches = Callable[..., Bench]


def _price(bench: Bench, device: Any, *, epochs: int, here: bool) -> Price:
    return asyncio.run(price_of_check(bench.provider, device, epochs=epochs, here=here))


def test_a_vendors_price_is_summed_over_every_job_without_rounding(
    lab: Any, charging: Any, bench_of: Benches
) -> None:
    device = lab()
    bench = bench_of(device, lambda behind: charging(behind, Cost("0.10", "USD")))
    price = _price(bench, device.device, epochs=2, here=False)
    assert price.costs == (("USD", price.jobs * Decimal("0.10")),)
    assert price.asks_money
    assert device.ran == []


def test_every_further_epoch_adds_its_jobs(lab: Any, bench_of: Benches) -> None:
    device = lab()
    none, one, three = (
        _price(bench_of(device), device.device, epochs=n, here=True) for n in (0, 1, 3)
    )
    assert three.shots - none.shots == 3 * (one.shots - none.shots) > 0
    # The plan of a simulator: 2 mirrors of 500 shots and 8 random circuits of 3000.
    assert one.shots - none.shots == 25_000
    assert not one.asks_money


def test_an_untold_price_is_money_unless_the_backend_is_here(
    lab: Any, charging: Any, bench_of: Benches
) -> None:
    device = lab()
    bench = bench_of(device, lambda behind: charging(behind, None))
    price = _price(bench, device.device, epochs=0, here=False)
    assert (price.untold, price.asks_money) == (price.jobs, True)
    assert "cannot be kept" in over_limit(price, Decimal(1_000_000))
    assert "no price told" in price_words(price)


@pytest.mark.parametrize(
    ("price", "limit", "sentence"),
    [
        (Price(costs=(("USD", Decimal("2.51")),)), "2.50", "it may cost 2.51 USD"),
        (Price(costs=(("EUR", Decimal(1)), ("USD", Decimal(3)))), "2", "3 USD"),
        (Price(fee_rao=11, here=True, untold=1), "10", "11 rao"),
    ],
)
def test_above_the_limit_is_refused_with_both_amounts(
    price: Price, limit: str, sentence: str
) -> None:
    found = over_limit(price, Decimal(limit))
    assert sentence in found
    assert limit in found


@pytest.mark.parametrize(
    "price",
    [
        Price(costs=(("USD", Decimal("2.50")),), fee_rao=10**9),
        Price(here=True, untold=5),
        Price(fee_rao=2, here=True, untold=1),
    ],
)
def test_up_to_the_limit_is_allowed(price: Price) -> None:
    assert over_limit(price, Decimal("2.50")) == ""


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "2,50", "USD"])
def test_a_limit_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--max-cost"):
        read_limit(text)


def test_the_dearer_of_two_is_dearer_in_every_figure() -> None:
    one = Price(1, 9, 5, 0, (("USD", Decimal(2)),), 3)
    other = Price(2, 3, 7, 1, (("EUR", Decimal(1)), ("USD", Decimal(1))))
    assert dearer(one, other) == Price(2, 9, 7, 1, (("EUR", Decimal(1)), ("USD", Decimal(2))), 3)

"""What a check will cost, asked of the provider itself before anything starts.

Every job that the check may send is quoted: those of the contract suite, and those of the battery
as they come out of the plan. Later epochs are counted by the dearer of the two plans that the first
one may lead to, so the estimate is an upper bound.

Assumes that a price depends on a job's programs and shots, not on its key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from circuits.program import Program, measure
from providers.base import Job
from providers.errors import ProviderError
from providers.probes import flip, probe_set
from qsubnet.errors import BadInput
from validator.plan import case_key, draw, plan
from validator.score import Grade

if TYPE_CHECKING:
    from providers.base import Device, Provider, Quote

CONTRACT_SHOTS = 2_000
"""Of the contract suite's entangled probe."""

_ENOUGH = 200
_ASIDE = "pricing"


@dataclass(frozen=True, slots=True)
class Price:
    """What some jobs come to.

    Attributes:
        jobs: How many.
        programs: In all of them.
        shots: Of all programs.
        fee_rao: What a requester would pay the miner for them; the miner pays nothing of it.
        costs: What the vendor asks of the miner, one sum a currency, by ascending currency.
        untold: Jobs whose price the vendor does not tell.
        here: The backend runs on this machine, so that no vendor asks for anything.
    """

    jobs: int = 0
    programs: int = 0
    shots: int = 0
    fee_rao: int = 0
    costs: tuple[tuple[str, Decimal], ...] = ()
    untold: int = 0
    here: bool = False

    @property
    def asks_money(self) -> bool:
        """True where the miner may be charged."""
        return any(amount for _, amount in self.costs) or (self.untold > 0 and not self.here)

    def __add__(self, other: Price) -> Price:
        """Add two prices of one backend."""
        sums = dict(self.costs)
        for currency, amount in other.costs:
            sums[currency] = sums.get(currency, Decimal(0)) + amount
        return Price(
            self.jobs + other.jobs,
            self.programs + other.programs,
            self.shots + other.shots,
            self.fee_rao + other.fee_rao,
            tuple(sorted(sums.items())),
            self.untold + other.untold,
            here=self.here,
        )


def dearer(one: Price, other: Price) -> Price:
    """Give what is at least as much as either, figure by figure."""
    first, second = dict(one.costs), dict(other.costs)
    zero = Decimal(0)
    return Price(
        max(one.jobs, other.jobs),
        max(one.programs, other.programs),
        max(one.shots, other.shots),
        max(one.fee_rao, other.fee_rao),
        tuple(
            (currency, max(first.get(currency, zero), second.get(currency, zero)))
            for currency in sorted({*first, *second})
        ),
        max(one.untold, other.untold),
        here=one.here,
    )


async def price_of_check(provider: Provider, device: Device, *, epochs: int, here: bool) -> Price:
    """Price the contract suite and a battery of so many epochs.

    Args:
        provider: Is asked for quotes; nothing is started.
        device: Of it.
        epochs: Of the battery, 0 for none.
        here: See `Price`.

    Raises:
        circuits.errors.CircuitError: No test can be drawn on the device's gates and couplings.
    """
    nothing = Price(here=here)
    whole = await _quoted(provider, contract_jobs(device), nothing)
    if not epochs:
        return whole
    first = await _quoted(provider, battery_jobs(device, Grade.S0), nothing)
    later = dearer(first, await _quoted(provider, battery_jobs(device, Grade.S1), nothing))
    for price in (first, *[later] * (epochs - 1)):
        whole = whole + price
    return whole


def contract_jobs(device: Device) -> list[Job]:
    """List jobs like those that the contract suite makes a backend run.

    What a right adapter refuses is not among them.
    """
    few = min(_ENOUGH, device.max_shots)
    on = flip(device.topology, 0)
    simple = Program(device.topology.num_qubits, 2, (*on, measure(0, 0)))
    jobs = [_job(device, (simple,) * count, few) for count in (1, 2, 1, 2)]
    probes = probe_set(device)
    sure = [probe for probe in probes if probe.expected and not probe.optional]
    size = device.max_programs
    jobs += [
        _job(device, [probe.program for probe in sure[at : at + size]], few)
        for at in range(0, len(sure), size)
    ]
    for probe in probes:
        if probe not in sure:
            shots = few if probe.expected else min(CONTRACT_SHOTS, device.max_shots)
            jobs.append(_job(device, [probe.program], shots))
    return jobs


def battery_jobs(device: Device, reached: Grade) -> list[Job]:
    """List jobs like those of one epoch of tests, one program each.

    Raises:
        circuits.errors.CircuitError: No test can be drawn on the device's gates and couplings.
    """
    secret = case_key(b"", _ASIDE)
    return [
        _job(device, [planned.case.program], assignment.shots)
        for assignment in plan(device, reached=reached)
        for planned in draw(assignment, device, secret=secret, block_hash=_ASIDE, hotkey=_ASIDE)
    ]


def _job(device: Device, programs: Iterable[Program], shots: int) -> Job:
    return Job("0" * 64, device.name, tuple(programs), shots)


async def _quoted(provider: Provider, jobs: Iterable[Job], price: Price) -> Price:
    """Add what the provider asks for each; a refusal to quote is an untold price."""
    for number, job in enumerate(jobs):
        key = case_key(b"", _ASIDE, number).hex()
        programs, shots = len(job.programs), job.shots * len(job.programs)
        price = price + _with(Price(1, programs, shots, untold=1), await _quote(provider, job, key))
    return price


async def _quote(provider: Provider, job: Job, key: str) -> Quote | None:
    try:
        return await provider.quote(replace(job, key=key))
    except ProviderError:
        return None


def _with(price: Price, quote: Quote | None) -> Price:
    if quote is None:
        return price
    cost = quote.cost
    if cost is None:
        return replace(price, fee_rao=quote.fee_rao)
    told = ((cost.currency, Decimal(cost.amount)),)
    return replace(price, fee_rao=quote.fee_rao, costs=told, untold=0)


def read_limit(text: str) -> Decimal | None:
    """Read `--max-cost`; '' is none.

    Raises:
        BadInput: It is no amount of 0 or more.

    Example:
        >>> read_limit("1.50"), read_limit("")
        (Decimal('1.50'), None)
    """
    if not text:
        return None
    try:
        limit = Decimal(text)
    except InvalidOperation:
        limit = Decimal(-1)
    if not limit.is_finite() or limit < 0:
        raise BadInput(f"--max-cost is an amount of 0 or more, such as 2.50, got {text[:40]!r}")
    return limit


def over_limit(price: Price, limit: Decimal) -> str:
    """Say why a check of that price may not start under a limit; '' where it may.

    The limit is in the vendor's currency. Where no vendor tells a price, it bounds the device's own
    price in rao, the only one that is known.

    Example:
        >>> over_limit(Price(costs=(("USD", Decimal("3.10")),)), Decimal("2.50"))
        'it may cost 3.10 USD, --max-cost allows 2.50 USD'
        >>> over_limit(Price(untold=3, here=True), Decimal(0))
        ''
    """
    for currency, amount in price.costs:
        if amount > limit:
            return f"it may cost {amount} {currency}, --max-cost allows {limit} {currency}"
    if price.untold and not price.here:
        return (
            f"the vendor tells no price for {price.untold} of {price.jobs} jobs, so that "
            f"--max-cost cannot be kept: look the price up, then start without --max-cost"
        )
    if not price.costs and price.fee_rao > limit:
        return (
            f"the device's own price for it is {price.fee_rao} rao, --max-cost allows {limit} rao "
            f"(no vendor tells another price)"
        )
    return ""


def price_words(price: Price) -> str:
    """Tell a price to a person.

    Example:
        >>> price_words(Price(2, 3, 500, 0, (("USD", Decimal("0.60")),)))
        '3 programs in 2 jobs, 500 shots at most; vendor: at most 0.60 USD; fee: 0 rao'
    """
    told = ", ".join(f"at most {amount} {currency}" for currency, amount in price.costs)
    if price.untold and not price.here:
        told = f"{told + ', and ' if told else ''}no price told for {price.untold} jobs"
    vendor = told or ("none, it runs on this machine" if price.here else "nothing")
    return (
        f"{price.programs} programs in {price.jobs} jobs, {price.shots} shots at most; "
        f"vendor: {vendor}; fee: {price.fee_rao} rao"
    )

"""One check of a device: its price, the contract suite, a short battery, and what follows.

The battery is the validators' own: their plan, their cases, their verdict, by `judging.live`. It is
left out where nothing could come of it: no probe was answered, or the answers are wrong already and
every further shot is paid for.

Blind spot: whoever checks a device of their own knows the secret, and one machine is not a subnet:
what a validator sees through a slow line or under load is not tested here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from circuits.errors import CircuitError
from providers import conformance
from providers.base import DeviceClass
from providers.errors import ProviderError
from providers.local import LocalProvider
from qsubnet.errors import BadInput
from qsubnet.judging.live import device_of, judge_live
from qsubnet.onboarding.answer_advice import answer_advice, scatter
from qsubnet.onboarding.contract_advice import PROBES, contract_advice
from qsubnet.onboarding.finding import Finding, Level
from qsubnet.onboarding.measured import Figures, figures
from qsubnet.onboarding.order import UNKNOWN, BitOrder, OrderWord, bit_order
from qsubnet.onboarding.pricing import CONTRACT_SHOTS, Price, price_of_check
from qsubnet.onboarding.subject import standing_advice
from qsubnet.onboarding.verdict_advice import error_advice, verdict_advice
from qsubnet.onboarding.watched import Watched
from validator.plan import case_key

if TYPE_CHECKING:
    from providers.base import Device, Job
    from providers.findings import Report
    from qsubnet.judging.live import Bench, Judged, Pause, Watch
    from qsubnet.onboarding.standing import Picture
    from qsubnet.onboarding.subject import Subject
    from qsubnet.onboarding.watched import Answered
    from validator.references.reference import Reference

Agree = Callable[["Price"], bool]

_SPOILT = (OrderWord.REVERSED, OrderWord.PERMUTED)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found.

    Attributes:
        adapter: Its name.
        device: The claim; None where the backend did not even say what it offers.
        findings: The worst first.
        price: What it was expected to cost at most; None where it was not asked.
        report: Of the contract suite.
        order: Of the device's bits.
        answered: Everything that came back.
        judged: The battery's verdict; None where there was no battery.
        figures: What the battery measured.
    """

    adapter: str
    device: Device | None
    findings: tuple[Finding, ...]
    price: Price | None = None
    report: Report | None = None
    order: BitOrder = UNKNOWN
    answered: tuple[Answered, ...] = field(default=(), repr=False)
    judged: Judged | None = None
    figures: Figures | None = None

    @property
    def ok(self) -> bool:
        """True where no finding is an error."""
        return not any(finding.level is Level.ERROR for finding in self.findings)

    @property
    def misconfigured(self) -> bool:
        """True where the answers alone say that validators would pay nothing."""
        wide = any(one.counts.num_bits != one.program.num_bits for one in self.answered)
        return wide or self.order.word in _SPOILT


async def check_device(
    bench: Bench,
    *,
    epochs: int,
    reference: Reference,
    agree: Agree,
    device: str = "",
    watch: Watch = lambda _: None,
    pause: Pause = asyncio.sleep,
) -> Checked:
    """Check one device.

    Args:
        bench: The provider; its secret draws the tests and the jobs' keys.
        epochs: Of the battery; 0 for the contract suite alone.
        reference: Exact distributions.
        agree: Hears the price before anything starts; False ends the check there.
        device: Its name; the provider's first unless told.
        watch: Told what happens.
        pause: Waits between two looks at a job.

    Raises:
        NotFound: The provider has no such device.
        BadInput: The price was not agreed to.
    """
    try:
        claim = await device_of(bench.provider, device)
    except ProviderError as error:
        return Checked(bench.adapter, None, (_unreachable(error),))
    here = isinstance(bench.provider, LocalProvider) and not _may_be_elsewhere(bench, claim)
    try:
        price = await price_of_check(bench.provider, claim, epochs=epochs, here=here)
    except CircuitError as error:
        return Checked(bench.adapter, claim, (_undrawable(error),))
    if not agree(price):
        raise BadInput("nothing was started")
    own = bench.provider
    watched = Watched(own, tell=_telling(watch, price))
    bench.provider = watched
    try:
        return await _checked(bench, watched, claim, price, epochs, reference, watch, pause)
    finally:
        bench.provider = own


async def _checked(
    bench: Bench,
    watched: Watched,
    claim: Device,
    price: Price,
    epochs: int,
    reference: Reference,
    watch: Watch,
    pause: Pause,
) -> Checked:
    """Run the contract suite and, where it makes sense, the battery."""
    watch(f"contract suite on {claim.name!r}")
    try:
        report = await conformance.check(
            watched,
            device=claim.name,
            salt=case_key(bench.secret, "contract"),
            shots=CONTRACT_SHOTS,
            pause=pause,
        )
    except ProviderError as error:
        return Checked(bench.adapter, claim, (_unreachable(error),), price)
    order = bit_order(claim, watched.answered)
    before = Checked(
        bench.adapter, claim, (), price, report, order=order, answered=watched.answered
    )
    judged = None
    if epochs and watched.answered and not (price.asks_money and before.misconfigured):
        try:
            judged = await judge_live(
                bench,
                epochs=epochs,
                reference=reference,
                device=claim.name,
                watch=watch,
                pause=pause,
            )
        except BadInput as error:
            watch(str(error))
    return concluded(before, judged, watched.answered, epochs=epochs)


def concluded(
    before: Checked, judged: Judged | None, answered: tuple[Answered, ...], *, epochs: int
) -> Checked:
    """Draw the conclusions from a contract suite and a battery."""
    claim, report = before.device, before.report
    if claim is None or report is None:
        raise ValueError("need a device and a report of the contract suite")
    failures: Mapping[str, int] = judged.failures if judged else {}
    found = figures(judged.records, claim) if judged else None
    findings = [
        *answer_advice(
            claim, answered, order=before.order, failures=failures, adapter=before.adapter
        ),
        *contract_advice(report, explained=_explained(before, answered)),
    ]
    if judged is not None and not before.misconfigured:
        findings += verdict_advice(judged.verdict, claim, epochs=epochs)
    if found is not None and before.order.word is OrderWord.RIGHT:
        findings += error_advice(found, claim)
    findings += _of_the_claim(claim, answered)
    return replace(
        before, findings=_worst_first(findings), answered=answered, judged=judged, figures=found
    )


def _explained(before: Checked, answered: tuple[Answered, ...]) -> frozenset[str]:
    """Name the promises that break for a reason which the answers have told already."""
    names = set()
    unclear = before.order.word is OrderWord.UNCLEAR and bool(before.order.sources)
    scattered = scatter(before.device, before.order, answered) is not None
    if before.misconfigured or unclear or scattered:
        names.add(PROBES)
    if any(
        one.counts.num_bits != one.program.num_bits or one.counts.shots != one.shots_asked
        for one in answered
    ):
        names.add("result")
    return frozenset(names)


def with_standing(checked: Checked, subject: Subject, picture: Picture | None) -> Checked:
    """Add what is wrong with the miner's key, ledger and seat."""
    more = [*subject.findings, *(standing_advice(picture, subject.hotkey) if picture else ())]
    return replace(checked, findings=_worst_first([*checked.findings, *more]))


def _worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    rank = list(Level)
    return tuple(sorted(findings, key=lambda finding: rank.index(finding.level)))


def _may_be_elsewhere(bench: Bench, claim: Device) -> bool:
    """Tell whether an adapter that runs in this process may hand a job to somebody who charges."""
    return bench.adapter == "qiskit" and claim.device_class is DeviceClass.QPU


def _telling(watch: Watch, price: Price) -> Callable[[Job], None]:
    """Count the shots on their way, and say so at every tenth of them."""
    sent, told = 0, 0

    def tell(job: Job) -> None:
        nonlocal sent, told
        sent += job.shots * len(job.programs)
        tenth = min(10, 10 * sent // max(1, price.shots))
        if tenth > told:
            told = tenth
            watch(f"{sent} of at most {price.shots} shots sent")

    return tell


def _unreachable(error: ProviderError) -> Finding:
    return Finding(
        Level.ERROR,
        f"the backend does not say what it offers: {type(error).__name__}: {error}"[:600],
        "check the network, the account's rights and the credentials where the vendor's own tools "
        "look for them; the message is the backend's",
    )


def _undrawable(error: CircuitError) -> Finding:
    return Finding(
        Level.ERROR,
        f"no test can be drawn on this device: {error}",
        "list the device's real gates and couplings: one-qubit gates that make every rotation, "
        "and one two-qubit gate",
    )


def seen_gates(answered: tuple[Answered, ...]) -> tuple[str, ...]:
    """List the gates of the programs that came back, sorted.

    Example:
        >>> seen_gates(())
        ()
    """
    from circuits.gates import GATES

    return tuple(
        sorted({op.name for one in answered for op in one.program.operations if op.name in GATES})
    )


def _of_the_claim(device: Device, answered: tuple[Answered, ...]) -> list[Finding]:
    """Note what of the claim was not seen at work."""
    unseen = sorted(set(device.topology.native_gates) - set(seen_gates(answered)))
    if not unseen or not answered:
        return []
    return [
        Finding(
            Level.NOTE,
            f"of its native gates no test used {', '.join(unseen)}",
            "nothing has to change; tests need one set of rotations and one two-qubit gate",
        )
    ]

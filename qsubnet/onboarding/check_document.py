"""What `miner check` prints: one JSON object, or the same in words.

    {"ok", "findings": [{"level", "what", "fix"}], "claimed", "measured",
     "expected": {"verdict", "grade", "score", "tier", "share", "emission_rao", ...}, "price"}

null is what is not known. `score` is in verified qubit-shots of one epoch, `share` of the
mechanism's miners; both are what the tests of this check would have come to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from providers.base import DeviceClass
from qsubnet.onboarding.checking import seen_gates
from qsubnet.onboarding.order import OrderWord
from qsubnet.onboarding.standing import prospect
from validator.score import Grade
from validator.verdict import Outcome

if TYPE_CHECKING:
    from providers.base import Device
    from qsubnet.onboarding.checking import Checked
    from qsubnet.onboarding.finding import Finding
    from qsubnet.onboarding.measured import Beside
    from qsubnet.onboarding.pricing import Price
    from qsubnet.onboarding.standing import Picture, Prospect
    from validator.interval import Interval

MECHANISM = {DeviceClass.QPU: 0, DeviceClass.SIMULATOR: 1}
TIER = "T0"
"""Of every device that its miner describes itself; nobody else vouches for it in a check."""

_DIGITS = 6


def check_document(checked: Checked, earning: Prospect | None) -> dict[str, Any]:
    """Write the object that `--json` prints."""
    device = checked.device
    return {
        "ok": checked.ok,
        "findings": [_finding(finding) for finding in checked.findings],
        "claimed": claimed(device) if device else None,
        "measured": _measured(checked) if checked.report else None,
        "expected": expected(checked, earning),
        "price": _price(checked.price) if checked.price else None,
    }


def prospect_of(checked: Checked, picture: Picture, *, hotkey: str) -> Prospect | None:
    """Say what the expected score would earn on a ledger; None where no score is expected."""
    _, _, score, _ = _outlook(checked)
    if checked.device is None or score is None:
        return None
    mechanism = MECHANISM[checked.device.device_class]
    return prospect(picture, score=score, mechanism=mechanism, hotkey=hotkey)


def _finding(finding: Finding) -> dict[str, str]:
    return {"level": finding.level.value, "what": finding.what, "fix": finding.fix}


def claimed(device: Device) -> dict[str, Any]:
    """Write what a device claims, with its error rates as means."""
    sheet = device.errors
    rates = (
        {
            "one_qubit": _mean(sheet.one_qubit),
            "two_qubit": _mean(sheet.two_qubit),
            "readout": _mean(sheet.readout),
        }
        if sheet
        else None
    )
    return {
        "device": device.name,
        "class": device.device_class.value,
        "provider": device.provider,
        "num_qubits": device.topology.num_qubits,
        "couplings": len(device.topology.edges),
        "native_gates": list(device.topology.native_gates),
        "errors": rates,
        "max_shots": device.max_shots,
        "max_programs": device.max_programs,
        "fee_rao_per_shot": device.fee_rao_per_shot,
    }


def _measured(checked: Checked) -> dict[str, Any]:
    judged, figures = checked.judged, checked.figures
    found = judged.verdict.evidence if judged else None
    return {
        "bit_order": checked.order.word.value,
        "native_gates_seen": list(seen_gates(checked.answered)),
        "contract": _contract(checked),
        "result_kinds": sorted({one.kind.value for one in checked.answered}),
        "programs_answered": len(checked.answered),
        "shots": sum(one.counts.shots for one in checked.answered),
        "fidelity": (
            {**_interval(found.fidelity), "estimator": found.estimator}
            if found and found.shots_used
            else None
        ),
        "mirror": _beside(figures.mirror) if figures else None,
        "readout_error": _beside(figures.readout) if figures else None,
        "layer_error": (
            {**_beside(figures.layer), "width": figures.layer_width}
            if figures and figures.layer_width
            else None
        ),
        "gate_errors_over_sheet": (
            _interval(figures.gate_scale) if figures and figures.gate_scale else None
        ),
    }


def _contract(checked: Checked) -> dict[str, int]:
    report = checked.report
    promises = report.findings if report else ()
    return {"kept": sum(one.ok for one in promises), "of": len(promises)}


def expected(checked: Checked, earning: Prospect | None) -> dict[str, Any]:
    """Say what validators are expected to find, and what it would earn."""
    outcome, grade, score, reason = _outlook(checked)
    return {
        "verdict": outcome,
        "grade": grade,
        "score": score,
        "tier": TIER if checked.device else None,
        "reason": reason,
        "share": round(earning.share, _DIGITS) if earning else None,
        "emission_rao": earning.emission_rao if earning else None,
        "paid_miners": earning.paid_miners if earning else None,
        "how": earning.how if earning else None,
    }


def _outlook(checked: Checked) -> tuple[str | None, str | None, float | None, str]:
    """Take the battery's verdict, but for mistakes that are plain already."""
    if checked.misconfigured:
        reason = checked.findings[0].what if checked.findings else ""
        return Outcome.MISCONFIGURED.value, Grade.S0.value, 0.0, reason
    if checked.report and not checked.answered:
        return Outcome.UNVERIFIED.value, Grade.S0.value, 0.0, "no program was answered"
    if checked.judged is None:
        return None, None, None, "no tests were run"
    verdict = checked.judged.verdict
    return verdict.outcome.value, verdict.grade.value, round(verdict.score, 4), verdict.reason


def _price(price: Price) -> dict[str, Any]:
    return {
        "jobs": price.jobs,
        "programs": price.programs,
        "shots": price.shots,
        "fee_rao": price.fee_rao,
        "vendor": {currency: str(amount) for currency, amount in price.costs},
        "jobs_without_price": 0 if price.here else price.untold,
    }


def _mean(rates: tuple[float, ...]) -> float | None:
    return round(sum(rates) / len(rates), _DIGITS) if rates else None


def _interval(bounds: Interval) -> dict[str, float]:
    named = {"estimate": bounds.estimate, "low": bounds.low, "high": bounds.high}
    return {name: round(value, _DIGITS) for name, value in named.items()}


def _beside(both: Beside) -> dict[str, Any]:
    return {
        "measured": _interval(both.measured) if both.measured else None,
        "claimed": None if both.claimed is None else round(both.claimed, _DIGITS),
    }


def check_in_words(document: dict[str, Any]) -> str:
    """Tell a check's object to a person."""
    lines = [*_claim_lines(document["claimed"]), *_measured_lines(document["measured"])]
    lines += _expected_lines(document["expected"])
    for finding in document["findings"]:
        lines.append(f"{finding['level'].upper()}: {finding['what']}")
        if finding["fix"]:
            lines.append(f"    fix: {finding['fix']}")
    return "\n".join([*lines, _last_line(document)])


def _last_line(document: dict[str, Any]) -> str:
    levels = [finding["level"] for finding in document["findings"]]
    if not document["ok"]:
        return f"{levels.count('error')} to mend before it can be paid"
    if document["expected"]["verdict"] in (Outcome.VERIFIED, None):
        return "all right"
    return "nothing is wrong for certain, but it was not verified: see the warnings"


def _claim_lines(claim: dict[str, Any] | None) -> list[str]:
    if claim is None:
        return []
    rates = claim["errors"]
    told = ", ".join(f"{name} {value}" for name, value in rates.items()) if rates else "none, exact"
    width = f"{claim['num_qubits']} qubits"
    return [
        f"{claim['device']} ({claim['class']}, {width}, adapter {claim['provider']})",
        f"  claims: gates {', '.join(claim['native_gates'])}; errors {told}",
    ]


def _measured_lines(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return []
    word = found["bit_order"]
    lines = [
        f"  bit order: {'right' if word == OrderWord.RIGHT else word}",
        f"  contract: {found['contract']['kept']} of {found['contract']['of']} promises kept",
        f"  native gates seen: {', '.join(found['native_gates_seen']) or 'none'}",
    ]
    for name, word in (
        ("readout_error", "readout error"),
        ("layer_error", "error per full layer"),
        ("mirror", "mirror polarization"),
    ):
        both = found[name]
        if both and both["measured"]:
            claim = "no claim" if both["claimed"] is None else f"claimed {both['claimed']:.4f}"
            lines.append(f"  {word}: {_shown(both['measured'])}, {claim}")
    if found["gate_errors_over_sheet"]:
        lines.append(f"  gate errors over the sheet: {_shown(found['gate_errors_over_sheet'])}")
    elif found["fidelity"]:
        lines.append(f"  {found['fidelity']['estimator']}: {_shown(found['fidelity'])}")
    return lines


def _shown(bounds: dict[str, float]) -> str:
    return f"{bounds['estimate']:.4f} [{bounds['low']:.4f}, {bounds['high']:.4f}]"


def _expected_lines(found: dict[str, Any]) -> list[str]:
    if found["verdict"] is None:
        return [f"  expected verdict: unknown ({found['reason']})"]
    lines = [
        f"  expected verdict: {found['verdict']} {found['grade']}, provenance {found['tier']}",
        f"    {found['reason']}",
        f"  expected score: {found['score']:g} verified qubit-shots an epoch",
    ]
    if found["share"] is None:
        return [*lines, "  expected share: unknown without a ledger"]
    share, paid = f"{found['share']:.2%} of its mechanism", f"{found['emission_rao']} rao an epoch"
    return [*lines, f"  expected share: {share}, {paid} ({found['how']})"]

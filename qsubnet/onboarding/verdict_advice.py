"""What a verdict and the measured errors ask of a miner: publish the truth, or mend the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.base import DeviceClass
from qsubnet.onboarding.finding import Finding, Level
from validator.sequential import Accusation, accusation_threshold
from validator.verdict import EXACTNESS, Outcome

if TYPE_CHECKING:
    from providers.base import Device
    from qsubnet.onboarding.measured import Figures
    from validator.verdict import Verdict

_AS_USUAL = 2.5
"""So many times their sheet err the gates of full layers on honest machines of 20 to 150 qubits."""

_FAR_WORSE = 5.0
"""From so many times the sheet on, no honest day explains it, and users' circuits fail, too."""

_READOUT_FACTOR = 1.5
_READOUT_FAR_WORSE = 3.0

ACCUSED: dict[Accusation, str] = {
    Accusation.BELOW_CLAIM: "publish the error rates that the machine has now, or recalibrate it; "
    "a sheet may be worse than the machine, never better",
    Accusation.TOO_GOOD: "publish the readout errors that the machine has now, and mitigate none "
    "of them: raw shots are judged",
    Accusation.REPLAYED: "run every job anew: no cache by circuit, and a simulator's seed is drawn "
    "from the job's key",
    Accusation.SCALED: "run every shot; do not multiply the counts of fewer",
    Accusation.ROUNDED: "draw shots; do not round probabilities times shots",
}


def verdict_advice(verdict: Verdict, device: Device, *, epochs: int) -> list[Finding]:
    """Turn a verdict into findings; none for `verified`, nor for a mistake that answers name."""
    if verdict.outcome is Outcome.FRAUD:
        return [_fraud(verdict)]
    if verdict.outcome is not Outcome.UNVERIFIED:
        return []
    if not verdict.evidence.shots_used:
        return [Finding(Level.ERROR, verdict.reason, "see the findings on failed jobs")]
    if device.device_class is DeviceClass.SIMULATOR:
        return [_not_exact(verdict, epochs)]
    return [
        Finding(
            Level.WARNING,
            f"not verified after {epochs} epochs of tests: {verdict.reason}",
            "check again with more --epochs; if it stays so, run the circuits verbatim with the "
            "qubits and gates of the sheet, without error mitigation, and compare the sheet with "
            "the measured errors",
        )
    ]


def _fraud(verdict: Verdict) -> Finding:
    raised = verdict.evidence.accusations
    worst = max(raised, key=lambda name: raised[name] - accusation_threshold(name, registration=1))
    return Finding(Level.ERROR, f"validators would say fraud: {verdict.reason}", ACCUSED[worst])


def _not_exact(verdict: Verdict, epochs: int) -> Finding:
    found = verdict.evidence.fidelity
    if found.high >= 1.0 or found.estimate >= EXACTNESS:
        return Finding(
            Level.WARNING,
            f"not verified after {epochs} epochs of tests: {verdict.reason}",
            "more shots narrow the bound: check again with more --epochs",
        )
    return Finding(
        Level.ERROR,
        f"the simulator is not exact: {verdict.evidence.estimator} {found.estimate:.3f} "
        f"[{found.low:.3f}, {found.high:.3f}], needs a lower bound of {EXACTNESS}",
        "look for what is not the circuit: noise, a truncated bond dimension, single precision at "
        "depth, a gate's wrong definition or sign; or claim fewer qubits",
    )


def error_advice(figures: Figures, device: Device) -> list[Finding]:
    """Say which errors are worse than the sheet says, and what the sheet would have to say."""
    found = []
    scale, sheet = figures.gate_scale, device.errors
    if scale is not None and scale.low > 1.0 and sheet is not None:
        rates = [rate * scale.estimate for rate in sheet.two_qubit]
        mean = sum(rates) / max(1, len(rates))
        usual = scale.low <= _AS_USUAL
        worse = Level.ERROR if scale.low > _FAR_WORSE else Level.WARNING
        found.append(
            Finding(
                Level.NOTE if usual else worse,
                f"in full layers the gates err {scale.estimate:.1f} times "
                f"[{scale.low:.1f}, {scale.high:.1f}] as often as the sheet says"
                + (", as is usual where all gates of a layer run at once" if usual else ""),
                f"nothing has to change; a sheet made from whole layers would say about {mean:.4f} "
                f"a two-qubit gate on average"
                if usual
                else f"recalibrate, or publish about {mean:.4f} a two-qubit gate on average",
            )
        )
    readout = figures.readout
    measured, claimed = readout.measured, readout.claimed
    if measured is not None and claimed is not None and measured.low > _READOUT_FACTOR * claimed:
        far = measured.low > _READOUT_FAR_WORSE * claimed
        found.append(
            Finding(
                Level.ERROR if far else Level.WARNING,
                f"a measured bit is wrong with {measured.estimate:.4f}, the sheet says "
                f"{claimed:.4f}",
                f"recalibrate the readout, or publish about {measured.estimate:.4f}",
            )
        )
    if figures.worst_readout:
        listed = ", ".join(
            f"qubit {qubit} {measured:.3f} (sheet {claimed:.3f})"
            for qubit, measured, claimed in figures.worst_readout
        )
        found.append(
            Finding(
                Level.WARNING,
                f"readout far above the sheet on {listed}",
                "publish these qubits' present errors, or leave them out of the device",
            )
        )
    return found

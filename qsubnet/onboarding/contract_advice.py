"""How to mend each promise of the contract suite that an adapter does not keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.findings import Aspect
from qsubnet.onboarding.finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from providers.findings import Finding as Promise
    from providers.findings import Report

FIXES: dict[str, str] = {
    "description": "let devices() give the same Device objects every time, with `provider` equal "
    "to the adapter's name",
    "calibration": "let calibration() return a dict of JSON values; no NaN, no numpy types",
    "quote": "let quote() return Quote(fee_rao=device.fee_rao_per_shot * shots * programs) and "
    "start nothing",
    "submit and find": "remember jobs by job.key: submit() of a known key returns the first "
    "handle, find(key) returns it too, and a Handle is plain text in every field",
    "result": "let result() return one ProgramResult a program, in order, each with counts of "
    "exactly the declared bits and at most job.shots shots, and the same when asked again",
    "memory": "return `memory` only if it is the very list of shots behind the counts, else None",
    "one key, one job": "compare job.digest with that of the job which has the key: another job "
    "is Rejected, never started",
    "unknown names": "raise UnknownHandle for a handle that is not yours, UnknownDevice for a "
    "device that is not, and return None from find() for a key never sent",
    "limits": "call providers.admission.check_job(device, job) first in submit()",
    "native gates": "call providers.admission.check_job(device, job) first in submit(): a qpu "
    "refuses gates that its sheet does not list",
    "early result and cancel": "raise NotReady before the end; after cancel() let the state become "
    "final, and let result() of a cancelled job raise JobFailed",
}
"""By the contract's own name of a promise."""

PROBES = "probes"
"""Stands for every probe among the explained."""


_FAILED = ("JobFailed: ", "RetryLater: ", "OutcomeUnknown: ", "NotReady: ", "AdapterFault: ")


def contract_advice(report: Report, *, explained: frozenset[str] = frozenset()) -> list[Finding]:
    """Turn the broken promises of a report into findings.

    What broke because the backend failed is one finding for each of its sentences.

    Args:
        report: Of the contract suite.
        explained: Promises, by name, whose cause is told elsewhere; `PROBES` for all probes.
    """
    failures: dict[str, int] = {}
    broken: list[Promise] = []
    for promise in report.failed:
        sentence = _failure(promise.got)
        if sentence:
            failures[sentence] = failures.get(sentence, 0) + 1
        else:
            broken.append(promise)
    found = [_failed(sentence, times, report) for sentence, times in failures.items()]
    found += [
        Finding(
            Level.ERROR,
            f"contract, {promise.name}: needs {promise.expected}; got {promise.got}",
            FIXES.get(promise.name, "see providers.base.Provider for what the method promises"),
        )
        for promise in broken
        if promise.aspect is Aspect.PROTOCOL and promise.name not in explained
    ]
    wrong = [promise for promise in broken if promise.aspect is Aspect.PROBE]
    return found if not wrong or PROBES in explained else [*found, _wrong_probes(wrong)]


def _failure(got: str) -> str:
    """Give the backend's own words where a promise broke because of them, else ''."""
    for name in _FAILED:
        if got.startswith(name) and " was due" not in got:
            return got.removeprefix(name)
    return ""


def _failed(sentence: str, times: int, report: Report) -> Finding:
    return Finding(
        Level.ERROR,
        f"the backend failed in {times} of {len(report.findings)} checks: {sentence}",
        "these are the backend's own words; run one small program on it by hand first, with the "
        "same command, account and device",
    )


def _wrong_probes(wrong: Sequence[Promise]) -> Finding:
    first = wrong[0]
    names = "; ".join(promise.name for promise in wrong[:4])
    more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
    return Finding(
        Level.ERROR,
        f"{len(wrong)} probes came back wrong ({names}{more}); {first.name}: expected "
        f"{first.expected or 'a distribution'}, got {first.got}",
        "classical bit i of `c[i] = measure q[j]` is character -1-i of the bitstring, whatever "
        "the order of measurements; unmeasured bits read 0; q[j] is device qubit j",
    )

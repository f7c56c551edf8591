"""The table of docs/detection.md from the results of a campaign."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from validator.interval import Interval, clopper_pearson

if TYPE_CHECKING:
    from benchmarks.detection.rows import Row

Result = Mapping[str, Any]


def share(row: Row, results: Sequence[Result]) -> Interval:
    """Bound the chance that a trial of the row gets the verdict that it should (95 %)."""
    got = sum(row.wanted(one["days"]) for one in results)
    return clopper_pearson(got, len(results))


def decided(row: Row, result: Result) -> int | None:
    """Find the first epoch, from 1, since when the wanted verdict stood; None if it never did."""
    days = result["days"]
    if not row.wanted(days):
        return None
    if row.target.startswith("S"):
        return next(k for k, day in enumerate(days, 1) if day["grade"] >= row.target[:2])
    standing = [k for k in range(1, len(days) + 1) if row.wanted(days[:k])]
    last = len(days)
    while last - 1 in standing:
        last -= 1
    return last


def line(row: Row, results: Sequence[Result]) -> str:
    """Write one line of the table."""
    power = share(row, results)
    epochs = [k for one in results if (k := decided(row, one)) is not None]
    shots = [one["days"][k - 1]["shots"] for one in results if (k := decided(row, one)) is not None]
    days = sum(len(one["days"]) for one in results)
    cpu = sum(one["device_cpu_s"] + one["judge_cpu_s"] for one in results) / days
    judging = sum(one["judge_cpu_s"] for one in results) / days
    when = f"{statistics.median(epochs):g} / {statistics.median(shots):,.0f}" if epochs else "-"
    return (
        f"| {row.says} | {row.target} | {len(results)} | {power.estimate:.3f} "
        f"[{power.low:.3f}, {power.high:.3f}] | {when} | {cpu:.3f} / {judging:.3f} |"
    )


def verdicts(results: Sequence[Result]) -> str:
    """Count the last days' verdicts and grades, most frequent first."""
    seen: dict[str, int] = {}
    for one in results:
        last = one["days"][-1]
        word = f"{last['verdict']} {last['grade']}"
        seen[word] = seen.get(word, 0) + 1
    ordered = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{word} {times}" for word, times in ordered)


def by(results: Sequence[Result], option: str) -> dict[str, list[Result]]:
    """Split results by an option of the device, such as its machine or world."""
    parts: dict[str, list[Result]] = {}
    for one in results:
        parts.setdefault(str(one["setting"]["options"].get(option, "-")), []).append(one)
    return dict(sorted(parts.items()))


def grade_lines(results: Sequence[Result], grades: Sequence[str]) -> list[str]:
    """Tell by machine how many honest devices reach each grade, and how soon."""
    lines = []
    for machine, some in by(results, "machine").items():
        cells = [machine, str(len(some))]
        for grade in grades:
            firsts = [
                next((k for k, day in enumerate(one["days"], 1) if day["grade"] >= grade), None)
                for one in some
            ]
            reached = [k for k in firsts if k is not None]
            median = f"{statistics.median(reached):g}" if reached else "-"
            cells.append(f"{len(reached) / len(some):.2f}, {median}")
        lines.append("| " + " | ".join(cells) + " |")
    return lines

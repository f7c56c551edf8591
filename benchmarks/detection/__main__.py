"""Run the detection benchmark and write docs/detection.md's tables.

Run: python -m benchmarks.detection [--state DIR] [--rows a,b] [--runs N] [--shard 1/4]
     [--processes 2] [--write FILE]
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path

from benchmarks.detection.campaign import ROOT, Shard, carry_out, frozen_digest, results
from benchmarks.detection.rows import ROWS, Row
from benchmarks.detection.table import by, grade_lines, line, verdicts
from validator.interval import clopper_pearson

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"
HEADER = (
    "| tried | should be | trials | share that is, 95 % interval "
    "| median epochs / shots to it | CPU s a device-day: all / judging |"
)
TRUSTED_HEADER = (
    "| machine | trials with a reference run, 10 % drift, 20,000 shots | reach S1, median epoch "
    "| reach S2, median epoch | reach S3, median epoch |"
)


def main() -> None:
    """Do what is asked on the command line."""
    parser = argparse.ArgumentParser(description="Measure detection power and false accusations.")
    parser.add_argument("--state", type=Path, default=ROOT / ".detection")
    parser.add_argument("--rows", default="", help="names, by comma; all unless told")
    parser.add_argument("--runs", type=int, default=1_000_000, help="at most so many of a row")
    parser.add_argument("--shard", default="1/1", help="which part of the trials: 2/4")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", type=Path, help="put the tables between the marks of this file")
    parser.add_argument("--only-write", action="store_true", help="run nothing")
    given = parser.parse_args()
    names = given.rows.split(",") if given.rows else [row.name for row in ROWS]
    rows = [row for row in ROWS if row.name in names]
    unknown = sorted(set(names) - {row.name for row in ROWS})
    if unknown:
        parser.error(f"unknown rows {unknown}, there are {[row.name for row in ROWS]}")
    index, of = (int(part) for part in given.shard.split("/"))
    digest = frozen_digest()
    state = given.state / digest[:16]
    if not given.only_write:
        carry_out(
            rows,
            state=state,
            shard=Shard(index - 1, of),
            processes=given.processes,
            runs=given.runs,
            watch=_say,
        )
    text = _tables(rows, state, digest)
    if given.write:
        _put(given.write, text)
    else:
        sys.stdout.write(text + "\n")


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def _tables(rows: list[Row], state: Path, digest: str) -> str:
    lines = [
        f"Code and thresholds: SHA-256 {digest}. Python {platform.python_version()}.",
        "",
        HEADER,
        "|---|---|---|---|---|---|",
    ]
    found = {row.name: results(state, row.name) for row in rows}
    lines += [line(row, found[row.name]) for row in rows if found[row.name]]
    lines += ["", "| tried | last verdicts |", "|---|---|"]
    lines += [f"| {row.says} | {verdicts(found[row.name])} |" for row in rows if found[row.name]]
    if found.get("honest_trusted"):
        lines += [
            "",
            TRUSTED_HEADER,
            "|---|---|---|---|---|",
            *grade_lines(found["honest_trusted"], ("S1", "S2", "S3")),
        ]
    if found.get("honest_month"):
        lines += _honest(found["honest_month"])
    return "\n".join(lines)


def _honest(months: list[dict[str, object]]) -> list[str]:
    lines = [
        "",
        "| world | months | accused, 95 % interval | last verdicts |",
        "|---|---|---|---|",
    ]
    for world, some in by(months, "world").items():
        accused = sum(any(d["verdict"] == "fraud" for d in one["days"]) for one in some)
        bound = clopper_pearson(accused, len(some))
        lines.append(
            f"| {world} | {len(some)} | {accused} [{bound.low:.4f}, {bound.high:.4f}] "
            f"| {verdicts(some)} |"
        )
    lines += [
        "",
        "| machine | months | reach S1, median epoch | reach S2, median epoch |",
        "|---|---|---|---|",
        *grade_lines(months, ("S1", "S2")),
    ]
    return lines


def _put(path: Path, text: str) -> None:
    """Replace what stands between the marks of a page."""
    page = path.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


if __name__ == "__main__":
    main()

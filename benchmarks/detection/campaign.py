"""The campaign: all trials of all rows, in any number of processes, resumable.

A trial's result is one line in `<state>/<hash>/<row>.jsonl`. The hash is that of everything that a
verdict depends on, thresholds included: results of other code are never mixed in, and a run that
was stopped goes on where it was. Trials are dealt out by number, so `--shard 1/4` on four machines
does the same work as one machine without.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grimp

from benchmarks.detection.trial import Setting, run
from validator.references.reference import Reference, best_engine

if TYPE_CHECKING:
    from benchmarks.detection.rows import Row

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("circuits", "providers", "validator")
_TRIAL = "benchmarks.detection.trial"


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` of `of`, counted from 0."""

    index: int = 0
    of: int = 1


@cache
def frozen_modules() -> dict[str, Path]:
    """Find every module that a trial can import, directly or through others, and the rows.

    Packages' own `__init__` files are left out unless somebody imports from them: what else stands
    in a package, another provider's adapter say, changes no trial.
    """
    graph = grimp.build_graph(*LIBRARIES, "benchmarks")
    names = {_TRIAL, "benchmarks.detection.rows", *graph.find_upstream_modules(_TRIAL)}
    return {name: _file(name) for name in sorted(names)}


def _file(name: str) -> Path:
    path = ROOT.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def frozen_digest() -> str:
    """Hash the code that verdicts and trials depend on, with all its constants."""
    digest = hashlib.sha256()
    for name, path in frozen_modules().items():
        digest.update(name.encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def require_frozen() -> None:
    """Refuse to go on where this process has loaded code of ours that the hash leaves out.

    Raises:
        RuntimeError: Some module was imported in a way that the import graph does not show.
    """
    known = frozen_modules()
    loaded = {name for name in sys.modules if name.split(".")[0] in LIBRARIES}
    packages = {name for name in loaded if hasattr(sys.modules[name], "__path__")}
    if missed := sorted(loaded - packages - set(known)):
        raise RuntimeError(f"the hash of a trial's code leaves out {missed}")


def results(state: Path, name: str) -> list[dict[str, Any]]:
    """Read what there is of a row, in order of trials; half-written lines are left out."""
    path = state / f"{name}.jsonl"
    found: dict[int, dict[str, Any]] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            one = json.loads(line)
        except ValueError:
            continue
        found[one["number"]] = one
    return [found[number] for number in sorted(found)]


def carry_out(
    rows: Sequence[Row],
    *,
    state: Path,
    shard: Shard,
    processes: int,
    runs: int,
    watch: Callable[[str], None],
) -> None:
    """Do what is not done yet.

    Args:
        rows: What to try.
        state: Folder of this code's results.
        shard: Which trials are ours.
        processes: At the same time.
        runs: At most this many trials of a row.
        watch: Told how far it is.
    """
    state.mkdir(parents=True, exist_ok=True)
    todo = list(_todo(rows, state=state, shard=shard, runs=runs))
    watch(f"{len(todo)} trials to do")
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        waiting = {pool.submit(_work, setting): (row, number) for row, number, setting in todo}
        for done, future in enumerate(as_completed(waiting), start=1):
            row, number = waiting.pop(future)
            line = json.dumps({"number": number, **future.result()}, sort_keys=True)
            with (state / f"{row.name}.jsonl").open("a") as file:
                file.write(line + "\n")
            if done % 50 == 0 or done == len(todo):
                watch(f"{done} of {len(todo)} trials done, last of {row.name}")
    finally:
        # One that failed must not wait for thousands whose results nobody would keep.
        pool.shutdown(cancel_futures=True)


def _todo(
    rows: Sequence[Row], *, state: Path, shard: Shard, runs: int
) -> Iterator[tuple[Row, int, Setting]]:
    """List trials by number first, so that every row has some early on."""
    known = {row.name: {one["number"] for one in results(state, row.name)} for row in rows}
    for number in range(max(row.runs for row in rows)):
        for place, row in enumerate(rows):
            ours = (number + place) % shard.of == shard.index
            if number < min(row.runs, runs) and ours and number not in known[row.name]:
                yield row, number, row.setting(number)


_references: list[Reference] = []


def _work(setting: Setting) -> dict[str, Any]:
    """Run one trial in a worker process, which keeps its reference."""
    if not _references:
        _references.append(Reference(best_engine()))
    outcome = run(setting, reference=_references[0])
    require_frozen()
    return {"setting": asdict(setting), **asdict(outcome), "pid": os.getpid()}

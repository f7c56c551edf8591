"""The machine that a measurement was made on: its cards, its processor, its versions.

Cards are named by `nvidia-smi`. That it lists one does not mean that Aer can use it; see
`gpu_works`.

Blind spot: memory is what was free when the question was asked.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

QUERY = (
    "nvidia-smi",
    "--query-gpu=name,driver_version,memory.free",
    "--format=csv,noheader,nounits",
)
_SOFTWARE = ("qiskit", "qiskit-aer", "qiskit-aer-gpu", "qsimcirq")


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU.

    Attributes:
        name: As `nvidia-smi` prints it.
        driver: Version of the driver.
        free_bytes: Memory that nobody uses; 0 where the driver does not say.
    """

    name: str
    driver: str
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Machine:
    """What the numbers are numbers of.

    Attributes:
        cards: Those that `nvidia-smi` lists, in its order.
        processor: Its model's name.
        cores: That this process may use.
        free_bytes: Main memory that can be had; 0 where the system does not say.
        software: Versions, by distribution.
    """

    cards: tuple[Card, ...]
    processor: str
    cores: int
    free_bytes: int
    software: dict[str, str]

    def gpu_bytes(self, *, gpus: tuple[int, ...] = (), joined: bool = False) -> int:
        """Give the memory that a state on GPUs can have; 0 where no card is known.

        Args:
            gpus: Numbers of the cards; () means all.
            joined: The state lies over all of them, in blocks; else on one, so the least counts.

        Example:
            >>> two = tuple(Card("NVIDIA X", "580.1", size << 30) for size in (80, 40))
            >>> Machine(two, "a processor", 8, 0, {}).gpu_bytes(joined=True) >> 30
            120
        """
        some = [card.free_bytes for k, card in enumerate(self.cards) if not gpus or k in gpus]
        return sum(some) if joined else min(some, default=0)

    @property
    def title(self) -> str:
        """One line for the head of a table.

        Example:
            >>> card = Card("NVIDIA X", "580.1", 80 << 30)
            >>> Machine((card, card), "a processor", 8, 16 << 30, {"qiskit-aer-gpu": "1.0"}).title
            '2 x NVIDIA X, driver 580.1; a processor, 8 cores, 16 GiB free; qiskit-aer-gpu 1.0'
        """
        names = [card.name for card in self.cards]
        shown = [
            f"{names.count(n)} x {n}" if names.count(n) > 1 else n for n in dict.fromkeys(names)
        ]
        gpu = (
            f"{', '.join(shown)}, driver {self.cards[0].driver}" if self.cards else "no NVIDIA card"
        )
        versions = ", ".join(f"{name} {number}" for name, number in self.software.items())
        free = f"{self.free_bytes / 2**30:.0f} GiB free"
        return f"{gpu}; {self.processor}, {self.cores} cores, {free}; {versions}"


def ask_nvidia() -> str:
    """Give what `nvidia-smi` says of its cards, or nothing where it does not run."""
    try:
        told = subprocess.run(  # noqa: S603 - a fixed command
            QUERY, capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout


def cards_of(text: str) -> tuple[Card, ...]:
    """Read the lines of `QUERY`: name, driver, free MiB.

    Example:
        >>> cards_of("NVIDIA H100 80GB HBM3, 535.104.05, 81000")[0].name
        'NVIDIA H100 80GB HBM3'
    """
    rows = [[part.strip() for part in line.rsplit(",", 2)] for line in text.splitlines()]
    return tuple(
        Card(name, driver, int(free) << 20 if free.isdecimal() else 0)
        for name, driver, free in (row for row in rows if len(row) == 3)
    )


def this_machine(*, ask: Callable[[], str] = ask_nvidia) -> Machine:
    """Describe where this process runs."""
    found = {name: _version(name) for name in _SOFTWARE}
    return Machine(
        cards_of(ask()),
        _processor(),
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        free_bytes(),
        {name: number for name, number in found.items() if number},
    )


@cache
def gpu_works() -> bool:
    """Tell whether a one-qubit run on a GPU succeeds, as a validator asks."""
    from validator.references.engines import gpu_engine

    return gpu_engine() is not None


def why_not(machine: Machine) -> str:
    """Say what is likely to be missing where no GPU works.

    Example:
        >>> why_not(Machine((), "a processor", 2, 0, {"qiskit-aer": "0.18.2"}))
        'nvidia-smi lists no card; Aer is the CPU build'
    """
    named = ", ".join(card.name for card in machine.cards)
    build = "GPU" if "qiskit-aer-gpu" in machine.software else "CPU"
    return f"nvidia-smi lists {named or 'no card'}; Aer is the {build} build"


def free_bytes() -> int:
    """Give the main memory that can be had, or 0 where the system does not say."""
    lines = _lines("/proc/meminfo")
    kib = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return kib[0] * 1024 if kib else 0


def _processor() -> str:
    names = [line for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.processor() or "a processor"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""

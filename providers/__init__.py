"""Where it runs: one adapter a file, chosen by name from the table below.

An adapter module has `create(options, context) -> Provider`. Others can add their own through
the entry-point group `qsubnet.providers` (name = "module:create").
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from providers.base import Context, Json, Provider

    Create = Callable[[Mapping[str, Json], Context], Provider]

ENTRY_POINTS = "qsubnet.providers"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A row of the table: where the adapter is and how to get what it needs."""

    target: str
    install: str


ADAPTERS: dict[str, Adapter] = {
    "aer": Adapter("providers.aer:create", 'pip install "qsubnet[local]"'),
    "azure": Adapter("providers.azure:create", 'pip install "qsubnet[local]"'),
    "braket": Adapter("providers.braket:create", 'pip install "qsubnet[local]"'),
    "cheats": Adapter("providers.cheats:create", 'pip install "qsubnet[miner]"'),
    "cirq": Adapter("providers.cirq:create", 'pip install "qsubnet[miner]"'),
    "exec": Adapter("providers.exec:create", 'pip install "qsubnet[local]"'),
    "ibm": Adapter("providers.ibm:create", 'pip install "qsubnet[miner]"'),
    "ionq": Adapter("providers.ionq:create", 'pip install "qsubnet[local]"'),
    "openquantum": Adapter("providers.openquantum:create", 'pip install "qsubnet[local]"'),
    "qiskit": Adapter("providers.qiskit:create", 'pip install "qsubnet[local]"'),
    "standin": Adapter("providers.standin:create", 'pip install "qsubnet[miner]"'),
}


def create(name: str, options: Mapping[str, Json], context: Context) -> Provider:
    """Make the adapter called `name`.

    Raises:
        KeyError: No adapter has that name, here or among the entry points.
        providers.errors.MissingSoftware: Its SDK is not installed; the message says how to.
        providers.errors.Rejected: An option is unknown or wrong.
    """
    from providers.errors import MissingSoftware

    outside = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    adapter = ADAPTERS.get(name)
    target = adapter.target if adapter else outside.get(name)
    if target is None:
        raise KeyError(f"no adapter {name!r}; there are {sorted({*ADAPTERS, *outside})}")
    module, _, attribute = target.partition(":")
    try:
        make = cast("Create", getattr(importlib.import_module(module), attribute))
        return make(options, context)
    except ModuleNotFoundError as error:
        hint = adapter.install if adapter else f"the package that provides {target}"
        raise MissingSoftware(f"adapter {name!r} needs {error.name}: {hint}") from error

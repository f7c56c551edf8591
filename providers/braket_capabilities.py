"""What Amazon Braket says of a device: the part of its capabilities that is used here, checked.

Assumes the shapes of amazon-braket-schemas 1.32 (`braket.device_schema`), which differ by maker:
IQM and Rigetti publish numbers per qubit and pair (`standardized`, version 1), IonQ and AQT one
number for all (`provider.fidelity`, `standardized` version 3). Anything else that is said is
ignored here, and kept whole for the calibration record.

Blind spot: a fidelity is taken under the name that its maker gave it; how it was measured is not
compared.
"""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from providers.base import Json
from providers.errors import AdapterFault

OPENQASM = "braket.ir.openqasm.program"

MOST_BYTES = 32_000_000
"""Longest text that is looked into; the longest seen has half a million characters."""


class _Said(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


class Price(_Said):
    """US dollars per `unit`: "shot", "task", "minute" or "hour"."""

    price: float = Field(ge=0, allow_inf_nan=False)
    unit: str


class Service(_Said):
    """Shots of one task, price, and when the record was written (ISO 8601)."""

    shots_range: tuple[int, int]
    device_cost: Price | None = None
    updated_at: str | None = None


class Connectivity(_Said):
    """Which physical qubits are coupled, by their numbers as texts."""

    fully_connected: bool = False
    connectivity_graph: dict[str, tuple[str, ...]] = {}


class Paradigm(_Said):
    """Width, and what a machine can do by itself; a simulator says its width only."""

    qubit_count: int = Field(ge=1)
    native_gate_set: tuple[str, ...] = ()
    connectivity: Connectivity = Connectivity()


class Action(_Said):
    """What programs in OpenQASM 3 may use."""

    supported_operations: tuple[str, ...] = ()
    supported_pragmas: tuple[str, ...] | None = ()
    requires_all_qubits_measurement: bool | None = False
    support_physical_qubits: bool | None = False


class FidelityType(_Said):
    """How a fidelity was measured."""

    name: str


class Fidelity(_Said):
    """A measured fidelity. IQM files readout ERRORS under this word, too: look at the type."""

    fidelity_type: FidelityType | None = None
    fidelity: float = Field(ge=0, le=1)


class GateFidelity(_Said):
    """The fidelity of one two-qubit gate on one pair; `direction` where only one is calibrated."""

    gate_name: str
    fidelity: float = Field(ge=0, le=1)
    direction: dict[str, int] | None = None


class OneQubit(_Said):
    """A qubit's fidelities."""

    one_qubit_fidelity: tuple[Fidelity, ...]


class TwoQubit(_Said):
    """A pair's fidelities."""

    two_qubit_gate_fidelity: tuple[GateFidelity, ...]


class Standardized(_Said):
    """Braket's own form of the makers' calibrations: version 1 per element, version 3 for all."""

    one_qubit_properties: dict[str, OneQubit] | None = None
    two_qubit_properties: dict[str, TwoQubit] | None = None
    single_qubit_fidelity: tuple[Fidelity, ...] | None = None
    readout_fidelity: tuple[Fidelity, ...] | None = None
    two_qubit_gate_fidelity: tuple[Fidelity, ...] | None = None


class Maker(_Said):
    """The maker's own record; IonQ's has "1Q", "2Q" and "spam", each with a "mean"."""

    fidelity: dict[str, dict[str, float]] = {}


class Capabilities(_Said):
    """A device's capabilities, as far as they are used."""

    service: Service
    action: dict[str, Action] = {}
    paradigm: Paradigm
    provider: Maker | None = None
    standardized: Standardized | None = None

    @property
    def openqasm(self) -> Action:
        """What it takes in OpenQASM 3; nothing where it takes none."""
        return self.action.get(OPENQASM, Action())


def read_capabilities(text: str | bytes) -> tuple[Capabilities, dict[str, Json]]:
    """Check a device's capabilities.

    Args:
        text: JSON, or JSON inside a JSON text, which is what Braket's own examples keep in files.

    Returns:
        The part that is used, and the record whole.

    Raises:
        AdapterFault: It is too long, no JSON object, or of a shape that was never published.

    Example:
        >>> said, _ = read_capabilities('{"service": {"shotsRange": [1, 10]}, '
        ...                             '"paradigm": {"qubitCount": 3}}')
        >>> said.paradigm.qubit_count, said.service.device_cost
        (3, None)
    """
    if len(text) > MOST_BYTES:
        raise AdapterFault(f"capabilities of {len(text)} bytes, allowed are {MOST_BYTES}")
    try:
        whole = json.loads(text)
        if isinstance(whole, str):
            whole = json.loads(whole)
    except (ValueError, RecursionError) as error:
        raise AdapterFault(f"capabilities are no JSON: {error}") from None
    if not isinstance(whole, dict):
        raise AdapterFault("capabilities are a JSON object, got something else")
    try:
        return Capabilities.model_validate(whole), whole
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise AdapterFault(f"capabilities: {where}: {first['msg']}") from None

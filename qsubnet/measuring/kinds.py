"""The table of kinds: every measurement, by the name that it has on the command line.

To add one: its module, its test, one line here. A test fails when a module is missing.
"""

from __future__ import annotations

from qsubnet.errors import BadInput
from qsubnet.measuring.binary_rb import measure_binary_rb
from qsubnet.measuring.ghz import measure_ghz
from qsubnet.measuring.layer_fidelity import measure_layer_fidelity
from qsubnet.measuring.mcfe import measure_mcfe
from qsubnet.measuring.patches import measure_patches
from qsubnet.measuring.twins import measure_twins
from qsubnet.measuring.volume import measure_volume
from qsubnet.measuring.wish import Kind
from validator.estimators.heavy_output import LEAST_CIRCUITS

_BOTH = frozenset({"widths", "depths"})

KINDS: dict[str, Kind] = {
    "binary-rb": Kind(
        "layer infidelity", measure_binary_rb, 16, 200, unit="circuits a length", takes=_BOTH
    ),
    "ghz": Kind("fidelity of cat states", measure_ghz, 40, 250, unit="circuits a width"),
    "layer-fidelity": Kind(
        "layer fidelity and EPLG",
        measure_layer_fidelity,
        10,
        300,
        unit="circuits a layer and length",
        takes=_BOTH,
    ),
    "mcfe": Kind(
        "process fidelity of one circuit",
        measure_mcfe,
        16,
        500,
        unit="mirrors an ensemble",
        takes=_BOTH | {"program"},
    ),
    "patches": Kind(
        "XEB fidelity of simultaneous patches",
        measure_patches,
        4,
        5_000,
        unit="circuits",
        least=1,
        takes=_BOTH,
        simulated=True,
    ),
    "twins": Kind(
        "agreement of two devices",
        measure_twins,
        4,
        4_000,
        unit="circuits",
        least=1,
        takes=_BOTH | {"second"},
        simulated=True,
    ),
    "volume": Kind(
        "quantum volume",
        measure_volume,
        200,
        200,
        unit="circuits a width",
        least=LEAST_CIRCUITS,
        simulated=True,
    ),
}


def kind_of(name: str) -> Kind:
    """Find a kind by its name.

    Raises:
        BadInput: No kind has that name.

    Example:
        >>> kind_of("ghz").summary
        'fidelity of cat states'
    """
    if name not in KINDS:
        raise BadInput(f"unknown kind {name[:40]!r}, allowed are {', '.join(KINDS)}")
    return KINDS[name]

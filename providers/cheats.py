"""Cheats: devices that lie, and honest ones that err; for tests, demos and the detection benchmark.

One that poses as a `qpu` shows a real machine's couplings and public sheet under the adapter name
of the honest stand-in, refuses the same programs and answers in the same form; one that poses as
an exact `simulator` does so as an Aer device does. Only the counts tell it from one.

To add one: a function in `providers.lies` and its line in `CHEATS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.topology import complete
from providers.base import Context, Device, DeviceClass, Json
from providers.lies.answer import Answer, Make, Simulate
from providers.lies.blank import noiseless, replay, uniform, zeros
from providers.lies.blends import heavy_strings, independent_flips, white_noise
from providers.lies.company import colluders, honest_then_fake, one_device
from providers.lies.mistakes import (
    flaky,
    half_broken,
    permuted,
    reversed_bits,
    swapped_registers,
    truncated,
    wrong_width,
)
from providers.lies.mps import low_bond
from providers.lies.promise import sheet_fidelity
from providers.lies.recognising import mirror_solver, selective
from providers.lies.tampering import post_selected, rounded, scaled
from providers.lies.twins import (
    average_twin,
    calibrated_twin,
    drifting_twin,
    smaller_device,
    substituted,
)
from providers.lies.weak import clifford_only, clifford_simulator
from providers.options import Options
from providers.snapshots import document
from providers.standin import admit, local_provider, read_machine

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Program
    from providers.local import LocalProvider

__all__ = ["CHEATS", "Cheat", "Fake", "build", "create", "sheet_fidelity"]

SIMULATOR = "aer"
"""The adapter that honest exact simulators claim."""


@dataclass(frozen=True, slots=True)
class Cheat:
    """One way to be wrong. Exactly one of `make` and `simulate` is given.

    Attributes:
        lie: What it does instead of the job, in one sentence.
        make: Its shots as a `qpu`.
        simulate: Its shots as a `simulator`.
        mistake: It means well, and its answers come in the wrong form.
        honest: It means well, and its answers are what its hardware gives.
    """

    lie: str
    make: Make | None = None
    simulate: Simulate | None = None
    mistake: bool = False
    honest: bool = False

    @property
    def device_class(self) -> DeviceClass:
        """What it claims to be."""
        return DeviceClass.QPU if self.make else DeviceClass.SIMULATOR


@dataclass(frozen=True, slots=True)
class Fake:
    """A cheat at work, to be driven directly.

    Attributes:
        device: What it claims.
        answer: What it answers.
        machine: The snapshot whose sheet it shows; '' for a simulator.
    """

    device: Device
    answer: Answer
    machine: str

    def run(self, program: Program, *, shots: int, draws: Draws) -> Bits:
        """Answer a native program.

        Returns:
            (shots x num_bits) array, column i = c[i]; another shape where that is the mistake.

        Raises:
            JobFailed: The device is down, or flaky.
        """
        return self.answer(program, shots, draws)


def build(options: Mapping[str, Json], context: Context) -> Fake:
    """Make one cheat to be driven directly, without jobs.

    Args:
        options: `kind` (a key of `CHEATS`, "noiseless"); for a qpu those of
            `providers.standin.build`; for a simulator `device` (its name, "aer"), `num_qubits`
            (the width it claims, 20) and `fee_rao_per_shot` (0); and the kind's own.
        context: Where seeds and epochs come from.

    Raises:
        Rejected: An option is unknown or wrong, or there is no such machine.
        MissingSoftware: The package with the snapshots is not installed.

    Example:
        >>> build({"kind": "low_bond_mps", "bond": 8}, Context(b"seed", lambda: 0)).device.name
        'aer'
    """
    read = Options("cheats", options)
    cheat = CHEATS[read.word("kind", "noiseless", CHEATS)]
    if cheat.make is not None:
        claimed = read_machine(read, context)
        fake = Fake(claimed.device, cheat.make(claimed, read), claimed.snapshot.machine)
    elif cheat.simulate is not None:
        fake = Fake(_simulator(read), cheat.simulate(read), "")
    else:
        raise ValueError("a cheat needs make or simulate, got neither")
    read.done()
    return fake


def create(options: Mapping[str, Json], context: Context) -> LocalProvider:
    """Make the provider of one cheat; options and errors are those of `build`.

    Example:
        >>> create({"kind": "uniform", "device": "q7"}, Context(b"seed", lambda: 0)).name
        'standin'
    """
    fake = build(options, context)
    if not fake.machine:
        return local_provider(fake, context, admit=lambda _device, _program: None)
    return local_provider(
        fake, context, calibration=lambda _device: document(fake.machine), admit=admit
    )


def _simulator(read: Options) -> Device:
    num_qubits = read.whole("num_qubits", 20, low=1, high=1_024)
    return Device(
        read.text("device", SIMULATOR),
        DeviceClass.SIMULATOR,
        complete(num_qubits, ("cx", "u")),
        None,
        SIMULATOR,
        fee_rao_per_shot=read.whole("fee_rao_per_shot", 0, low=0, high=10**12),
    )


CHEATS: dict[str, Cheat] = {
    "uniform": Cheat("It runs nothing and returns fair coin flips.", uniform),
    "zeros": Cheat("It runs nothing and returns zeros.", zeros),
    "replay": Cheat("It answers every job of one width with the counts of the first.", replay),
    "noiseless": Cheat("It sells a noiseless simulator as a machine.", noiseless),
    "white_noise": Cheat(
        "It mixes a noiseless simulator with coin flips in the share that the sheet promises.",
        white_noise,
    ),
    "independent_flips": Cheat(
        "It flips a noiseless simulator's bits one by one at the rates of the sheet.",
        independent_flips,
    ),
    "average_twin": Cheat(
        "It simulates depolarising gates and a readout error at the mean rates of the sheet.",
        average_twin,
    ),
    "calibrated_twin": Cheat(
        "It simulates the machine's true rates of epoch 0, element by element, for ever.",
        calibrated_twin,
    ),
    "drifting_twin": Cheat(
        "It simulates the machine's true rates of epoch 0 with a drift that it makes up.",
        drifting_twin,
    ),
    "substituted": Cheat(
        "It runs the jobs on a machine with four times the errors of the one it names.",
        substituted,
    ),
    "smaller_device": Cheat(
        "It has half of the qubits that it claims and makes up the rest.",
        smaller_device,
    ),
    "low_bond_mps": Cheat(
        "It sells a matrix product state with too small a bond as an exact simulator.",
        simulate=low_bond,
    ),
    "clifford_only": Cheat(
        "It rounds every gate to the nearest Clifford before it runs the circuit on its machine.",
        clifford_only,
    ),
    "clifford_simulator": Cheat(
        "It rounds every gate to the nearest Clifford and sells that as an exact simulator.",
        simulate=clifford_simulator,
    ),
    "heavy_strings": Cheat(
        "It returns strings from the heaviest fifth of the ideal law as often as XEB asks for.",
        heavy_strings,
    ),
    "selective": Cheat(
        "It runs circuits that look like tests honestly and returns coin flips for all others.",
        selective,
    ),
    "mirror_solver": Cheat(
        "It solves mirrors and adds flips at the rates of the sheet, and flips coins for the rest.",
        mirror_solver,
    ),
    "rounded": Cheat(
        "It rounds probabilities of a noisy simulation to counts and sells them as shots.",
        rounded,
    ),
    "scaled": Cheat("It runs a tenth of the shots and counts each of them ten times.", scaled),
    "post_selected": Cheat(
        "It runs twice the shots and returns the half that looks better as raw.",
        post_selected,
    ),
    "honest_then_fake": Cheat(
        "It is honest until it has earned trust and returns coin flips from then on.",
        honest_then_fake,
    ),
    "one_device": Cheat("It is one machine behind many hotkeys.", one_device),
    "colluders": Cheat(
        "It shares one machine with others, and its answers to programs that they had too.",
        colluders,
    ),
    "reversed": Cheat(
        "It runs every job honestly and returns the bits in reversed order.",
        reversed_bits,
        mistake=True,
    ),
    "permuted": Cheat(
        "It runs every job honestly and returns the bits in a fixed wrong order.",
        permuted,
        mistake=True,
    ),
    "swapped_registers": Cheat(
        "It runs every job honestly and returns the two halves of the bits the wrong way round.",
        swapped_registers,
        mistake=True,
    ),
    "truncated": Cheat(
        "It runs every job honestly and returns three quarters of the shots.",
        truncated,
        mistake=True,
    ),
    "wrong_width": Cheat(
        "It runs every job honestly and returns one bit too many.",
        wrong_width,
        mistake=True,
    ),
    "slow_flaky": Cheat(
        "It runs jobs honestly and ends every fifth with an error.",
        flaky,
        honest=True,
    ),
    "half_broken": Cheat(
        "It runs every job honestly on a machine where a quarter of the qubits read at random.",
        half_broken,
        honest=True,
    ),
}

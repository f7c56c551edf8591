"""How Aer is to run: method, precision, threads, and how a state or its shots go over GPUs.

"There is a GPU" means that a one-qubit run on it succeeds, which an installed GPU build alone does
not promise.

Source: the options of `AerSimulator` in the documentation of qiskit-aer 0.17.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from providers.errors import Rejected

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from providers.options import Options

METHODS = ("automatic", "matrix_product_state", "stabilizer", "statevector")


@dataclass(frozen=True, slots=True)
class Engine:
    """How to run.

    Attributes:
        method: Aer's word for the simulation method.
        device: `CPU` or `GPU`.
        threads: Most threads; 0 means one a core.
        precision: `double` or `single`.
        blocking_qubits: Cut the state into blocks of this many qubits; 0 leaves it whole.
        batched_shots: Let the GPUs share the shots of a program that is run shot by shot.
        gpus: Numbers of the GPUs to use; () means all.
    """

    method: str
    device: str
    threads: int
    precision: str = "double"
    blocking_qubits: int = 0
    batched_shots: bool = False
    gpus: tuple[int, ...] = ()

    def settings(self) -> dict[str, Any]:
        """Give Aer's options; what is not asked for is left to Aer.

        Example:
            >>> Engine("statevector", "GPU", 1, "single", 20, gpus=(0, 1)).settings()["target_gpus"]
            [0, 1]
        """
        given: dict[str, Any] = {
            "method": self.method,
            "device": self.device,
            "max_parallel_threads": self.threads,
        }
        if self.precision != "double":
            given["precision"] = self.precision
        if self.blocking_qubits:
            given |= {"blocking_enable": True, "blocking_qubits": self.blocking_qubits}
        if self.batched_shots:
            given["batched_shots_gpu"] = True
        if self.gpus:
            given["target_gpus"] = list(self.gpus)
        return given

    def run(
        self,
        circuit: QuantumCircuit,
        *,
        shots: int,
        seed: int,
        memory: bool,
        noise: Any = None,  # noqa: ANN401 - the SDK has no types
    ) -> Any:  # noqa: ANN401 - the SDK has no types
        """Run one circuit and give Qiskit's own result."""
        from qiskit_aer import AerSimulator

        simulator = AerSimulator(**self.settings())
        if noise is not None:
            simulator.set_options(noise_model=noise)
        return simulator.run(circuit, shots=shots, seed_simulator=seed, memory=memory).result()


def read_engine(read: Options, method: str) -> Engine:
    """Read how to run from the options of `aer`, on the CPU so far.

    Raises:
        Rejected: One of them is wrong.
    """
    gpus = read.text("gpus", "")
    numbers = [number.strip() for number in gpus.split(",")] if gpus else []
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise Rejected(f"option 'gpus' of 'aer' is numbers such as '0,1', got {gpus[:80]!r}")
    return Engine(
        method,
        "CPU",
        read.whole("threads", 1, low=0, high=256),
        read.word("precision", "double", ("double", "single")),
        read.whole("blocking_qubits", 0, low=0, high=64),
        read.word("batched_shots", "off", ("off", "on")) == "on",
        tuple(map(int, numbers)),
    )


def gpu_answers() -> bool:
    """Tell whether a one-qubit run on a GPU succeeds, which an installed GPU build alone is not."""
    from qiskit import QiskitError, QuantumCircuit
    from qiskit_aer import AerSimulator

    if "GPU" not in AerSimulator().available_devices():
        return False
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    try:
        result = Engine("statevector", "GPU", 1).run(circuit, shots=1, seed=0, memory=False)
        return bool(result.success) and result.get_counts(0) == {"1": 1}
    except (QiskitError, RuntimeError):
        return False


def no_gpu(method: str) -> str:
    """Say why `gpu` cannot be "on", and the way out."""
    if method in ("stabilizer", "matrix_product_state"):
        return f"option gpu=on needs method automatic or statevector, got {method}"
    return (
        "option gpu=on, but no one-qubit run on a GPU succeeds here: install the GPU build of Aer "
        "in place of the CPU build (pip uninstall qiskit-aer; pip install qiskit-aer-gpu) and a "
        "driver that it accepts, or say gpu=auto or gpu=off"
    )

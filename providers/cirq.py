"""Cirq: its simulators in this process, Google's processors offline, and Google's own engine.

- without `processor`: an exact simulator, single precision; qsim where it is installed, else
  Cirq's state vector;
- with `processor`: Google's virtual engine, the offline copy of a real processor with the noise
  that Google published (`providers.cirq_virtual`);
- with `processor` and `project`: that processor in Google's cloud, for allow-listed projects
  (`providers.cirq_engine`).

The simulator's seeds come from the job's draws; numpy's generator behind Cirq promises its stream
only on one build, so counts repeat on one machine, not on all.

Blind spot: a program that measures in its middle is simulated shot by shot, which is slow.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from circuits.counts import Counts
from circuits.draws import Draws
from circuits.topology import complete
from providers.base import Context, Device, DeviceClass, Job, Json, ProgramResult, ResultKind
from providers.errors import MissingSoftware, Rejected
from providers.local import LocalProvider
from providers.options import Options
from providers.remote import RemoteProvider

if TYPE_CHECKING:
    import cirq

    from providers.base import Provider
    from providers.cirq_chip import Claim

ENGINES = ("auto", "cirq", "qsim")

_SEEDS = 2**31 - 1
_WIDEST = 28
_PART = 12
"""Qubits of a virtual processor that are offered unless told: seconds for a thousand shots."""


def create(options: Mapping[str, Json], context: Context) -> Provider:
    """Make the provider of one Cirq device.

    Args:
        options: `device` (its name; "cirq", or the processor's), `num_qubits` (the width that is
            claimed, 16; of a virtual processor a connected part, 12; of a real one 0, all of it),
            `engine` ("auto", "cirq" or "qsim"), `threads` (of qsim, 1), `fee_rao_per_shot` (0);
            `processor` and `project`, and for the latter `device_config`, `snapshot` and
            `programs_per_task` (1).
        context: Where seeds come from, and the journal of a real processor goes.

    Raises:
        Rejected: An option is unknown or wrong.
        MissingSoftware: `engine` is "qsim" and it is not installed.
        ModuleNotFoundError: Cirq is not installed, or not cirq-google for a processor.

    Example:
        >>> create({"num_qubits": 5}, Context(b"seed", lambda: 0)).name
        'cirq'
    """
    import cirq  # noqa: F401 - shows at the start whether it is there

    read = Options("cirq", options)
    processor, project = read.text("processor", ""), read.text("project", "")
    if project and not processor:
        raise Rejected("option 'project' of 'cirq' needs the option 'processor'")
    engine = _engine(read.word("engine", "auto", ENGINES))
    threads = read.whole("threads", 1, low=1, high=256)
    if project:
        return _cloud(read, processor, project, context)
    if processor:
        return _virtual(read, processor, context, engine=engine, threads=threads)
    return _simulator(read, context, engine=engine, threads=threads)


def _engine(word: str) -> str:
    installed = importlib.util.find_spec("qsimcirq") is not None
    if word == "qsim" and not installed:
        raise MissingSoftware("option engine=qsim of 'cirq': pip install qsimcirq, or engine=cirq")
    if word == "auto":
        return "qsim" if installed else "cirq"
    return word


def _simulator(read: Options, context: Context, *, engine: str, threads: int) -> LocalProvider:
    """Offer an exact simulator."""
    device = Device(
        read.text("device", "cirq"),
        DeviceClass.SIMULATOR,
        complete(read.whole("num_qubits", 16, low=1, high=_WIDEST), ("cz", "u")),
        None,
        "cirq",
        fee_rao_per_shot=_fee(read),
    )
    read.done()

    def execute(_device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        from circuits.emitters.cirq import cirq_rows, to_cirq

        program, _ = job.programs[index].compacted()
        sampler = _sampler(engine, draws.integer(_SEEDS), threads)
        rows = cirq_rows(sampler.run(to_cirq(program), repetitions=job.shots), program)
        memory = None
        if job.memory:
            memory = tuple("".join(map(str, row[::-1].tolist())) for row in rows)
        return ProgramResult(Counts.from_rows(rows), ResultKind.SHOTS, (), memory)

    return LocalProvider("cirq", (device,), execute=execute, context=context)


def _sampler(engine: str, seed: int, threads: int) -> cirq.Sampler:
    import cirq

    from providers.cirq_virtual import qsim

    return qsim(seed, threads=threads) if engine == "qsim" else cirq.Simulator(seed=seed)


def _virtual(
    read: Options, processor: str, context: Context, *, engine: str, threads: int
) -> RemoteProvider:
    """Offer part of a processor, offline; what was sent is forgotten at a restart."""
    from providers.cirq_engine import GoogleVendor
    from providers.cirq_virtual import check_joined, processors, virtual_engine

    known = processors()
    if processor not in known:
        raise Rejected(
            f"option 'processor' of 'cirq' is one of {', '.join(known)}, or with the option "
            f"'project' a processor of that project; got {processor[:80]!r}"
        )
    claim = _claim(read, processor, _PART)
    read.done()
    vendor = GoogleVendor(
        virtual_engine(processor, engine=engine, threads=threads, context=context),
        processor,
        claim,
        check=check_joined,
    )
    return RemoteProvider(vendor, context=replace(context, folder=None))


def _cloud(read: Options, processor: str, project: str, context: Context) -> RemoteProvider:
    """Offer a processor of Google's cloud."""
    from providers.cirq_engine import GoogleVendor, cloud_engine

    config = {
        "device_config_name": read.text("device_config", ""),
        "snapshot_id": read.text("snapshot", ""),
    }
    if bool(config["device_config_name"]) != bool(config["snapshot_id"]):
        raise Rejected("options 'device_config' and 'snapshot' of 'cirq' go together")
    batch = read.whole("programs_per_task", 1, low=1, high=64)
    claim = _claim(read, processor, 0)
    read.done()
    engine = cloud_engine(project)
    vendor = GoogleVendor(engine, processor, claim, config=config, programs_per_task=batch)
    return RemoteProvider(vendor, context=context)


def _claim(read: Options, processor: str, num_qubits: int) -> Claim:
    from providers.cirq_chip import Claim

    return Claim(
        read.text("device", processor.lower()),
        read.whole("num_qubits", num_qubits, low=0, high=1_024),
        _fee(read),
    )


def _fee(read: Options) -> int:
    return read.whole("fee_rao_per_shot", 0, low=0, high=10**12)

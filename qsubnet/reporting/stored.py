"""Read one device's records out of a validator's store, and judge them as the validator does.

Nothing is written: a store or secret that is not there is an error, never made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qsubnet.errors import BadInput, NotFound
from qsubnet.reporting.material import Material, gather
from qsubnet.store import evaluation
from qsubnet.store.database import Store
from qsubnet.validating.judging import record_from
from qsubnet.validating.planning import permutation_key
from qsubnet.validating.secret import load_secret
from validator.evidence import evidence
from validator.references.reference import Reference, best_engine
from validator.verdict import judge

if TYPE_CHECKING:
    from qsubnet.store.evaluation import FullRecord

__all__ = ["stored_material"]

_LAST_EPOCH = 2**62


def stored_material(
    url: str,
    *,
    secret_file: Path,
    device: str,
    hotkey: str = "",
    up_to_epoch: int | None = None,
) -> Material:
    """Put together what the report of one device needs.

    Args:
        url: SQLAlchemy URL of the operator's store.
        secret_file: The validator's secret, from which the keys of permutation tests follow.
        device: Its name.
        hotkey: Of its miner; may be left out where one miner alone has a device of that name.
        up_to_epoch: The last epoch; all unless told.

    Raises:
        NotFound: There is no store, no secret, or no record of the device.
        BadInput: Several miners have a device of that name.
        ConfigurationError: The store cannot be opened, or the secret is open to others.
    """
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).exists():
        raise NotFound(f"no validator's store at {path}; give --state or --database")
    if not secret_file.exists():
        raise NotFound(f"no validator's secret at {secret_file}; give --state")
    secret = load_secret(secret_file)
    rows = _rows(url, last=_LAST_EPOCH if up_to_epoch is None else up_to_epoch)
    owner = _owner(rows, device=device, hotkey=hotkey)
    records = [
        record_from(row)
        for row in rows
        if (row.record.miner_hotkey, row.record.device) == (owner, device)
    ]
    newest = max(records, key=lambda record: record.epoch).device
    reference, key = Reference(best_engine()), permutation_key(secret, owner, device)
    found = evidence(records, reference=reference, permutation_key=key)
    return gather(
        records,
        device=newest,
        verdict=judge(found, newest),
        reference=reference,
        permutation_key=key,
        source=f"From the records of one validator about the miner {owner}.",
    )


def _rows(url: str, *, last: int) -> list[FullRecord]:
    store = Store(url)
    try:
        with store.read() as connection:
            return evaluation.full_records(connection, up_to_epoch=last)
    finally:
        store.close()


def _owner(rows: Sequence[FullRecord], *, device: str, hotkey: str) -> str:
    """Find the miner whose device is meant."""
    owners = {row.record.miner_hotkey for row in rows if row.record.device == device}
    if hotkey:
        owners &= {hotkey}
    if not owners:
        names = sorted({row.record.device for row in rows})
        whose = f" of the miner {hotkey[:64]}" if hotkey else ""
        listed = f"there are {', '.join(names)}" if names else "there are none"
        raise NotFound(f"no records of a device {device[:64]!r}{whose}; {listed}")
    if len(owners) > 1:
        listed = ", ".join(sorted(owners))
        raise BadInput(f"several miners have a device {device!r}: give --hotkey, one of {listed}")
    return owners.pop()

"""How much a store holds, for whoever watches a service: numbers by closed sets of words."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from qsubnet.store.dispatches import DispatchState
from qsubnet.store.evaluation import newest_verdicts
from qsubnet.store.tables import dispatches, records, weight_intents

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from qsubnet.store.dispatches import Purpose


def dispatches_by_state(connection: Connection, purpose: Purpose) -> dict[DispatchState, int]:
    """Count what was sent or will be, every state included."""
    query = (
        select(dispatches.c.state, func.count())
        .where(dispatches.c.purpose == purpose)
        .group_by(dispatches.c.state)
    )
    found = {DispatchState(state): int(count) for state, count in connection.execute(query)}
    return {state: found.get(state, 0) for state in DispatchState}


def record_count(connection: Connection) -> int:
    """Count the records of all epochs."""
    return int(connection.execute(select(func.count()).select_from(records)).scalar_one())


def devices_by_verdict(connection: Connection) -> dict[str, int]:
    """Count devices by the word of their newest verdict."""
    return dict(Counter(str(v["verdict"]) for v in newest_verdicts(connection).values()))


def weights_taken(connection: Connection, epoch: int) -> dict[int, bool]:
    """Tell by mechanism whether the chain took the weights of an epoch."""
    query = select(weight_intents.c.mechanism, weight_intents.c.receipt).where(
        weight_intents.c.epoch == epoch
    )
    return {
        int(mechanism): receipt is not None and "refused" not in json.loads(receipt)
        for mechanism, receipt in connection.execute(query)
    }

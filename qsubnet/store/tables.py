"""The tables of the store, one schema for every role; an operator or miner uses its part of it.

A gateway and a validator of one operator share a store, so that tests and user jobs leave through
the same table of dispatches. Records and verdicts are only ever added. Big values are JSON text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

dispatches = Table(
    "dispatches",
    metadata,
    Column("job_key", String(64), primary_key=True),
    Column("purpose", String(8), nullable=False),  # test or user; never leaves the operator
    Column("miner_hotkey", String(64), nullable=False),
    Column("device", String(64), nullable=False),
    Column("claim", Text, nullable=False),  # peer.DeviceClaim as it stood
    Column("request", Text, nullable=False),  # peer.JobRequest
    Column("epoch", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # due, sent, answered, failed, expired, cancelled
    Column("detail", Text, nullable=False, default=""),
    Column("answer", Text),  # peer.JobAnswer with both signatures on the receipt
    Column("lease_owner", String(64), nullable=False, default=""),
    Column("lease_until_ms", BigInteger, nullable=False, default=0),
)
Index("ix_dispatches_purpose_state", dispatches.c.purpose, dispatches.c.state)

user_jobs = Table(
    "user_jobs",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("idempotency_key", String(128)),
    Column("request_digest", String(64), nullable=False),
    Column("device_asked", String(140), nullable=False, default=""),
    Column("shots_asked", Integer, nullable=False),
    Column("programs", Text, nullable=False),  # JSON list of profile texts as the user sent them
    Column("dispatch_key", String(64), ForeignKey("dispatches.job_key"), nullable=False),
    Column("attempt", Integer, nullable=False),  # 0, then 1 more for each device that failed
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),  # once its answer was checked, or there will be none
    Column("detail", Text, nullable=False, default=""),  # why an answer does not count
    Column("optimization", Integer),  # how hard to compile, where the user said
    UniqueConstraint("account", "idempotency_key"),
)
Index("ix_user_jobs_account_created_ms", user_jobs.c.account, user_jobs.c.created_ms)
Index("ix_user_jobs_ended_ms", user_jobs.c.ended_ms)

epochs = Table(
    "epochs",
    metadata,
    Column("epoch", Integer, primary_key=True),
    Column("block", Integer, nullable=False),
    Column("block_hash", String(64), nullable=False),
    Column("commitment", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # planned, judged, closed
)

cases = Table(
    "cases",
    metadata,
    Column("job_key", String(64), ForeignKey("dispatches.job_key"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("epoch", Integer, ForeignKey("epochs.epoch"), nullable=False),
    Column("family", String(40), nullable=False),
    Column("width", Integer, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("case_key", String(64), nullable=False),  # hex; secret until the answer or its expiry
)
Index("ix_cases_epoch", cases.c.epoch)

records = Table(
    "records",
    metadata,
    Column("job_key", String(64), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("miner_hotkey", String(64), nullable=False),
    Column("device", String(64), nullable=False),
    Column("shots_asked", Integer, nullable=False),
    Column("counts", Text),  # JSON {"num_bits", "counts"}; NULL where no answer came in time
    Column("kind", String(16)),
    Column("receipt_digest", String(64), nullable=False, default=""),
)
Index("ix_records_miner_hotkey_device", records.c.miner_hotkey, records.c.device)

verdicts = Table(
    "verdicts",
    metadata,
    Column("epoch", Integer, primary_key=True),
    Column("miner_hotkey", String(64), primary_key=True),
    Column("device", String(64), primary_key=True),
    Column("document", Text, nullable=False),  # canonical JSON
)

weight_intents = Table(
    "weight_intents",
    metadata,
    Column("epoch", Integer, primary_key=True),
    Column("mechanism", Integer, primary_key=True),
    Column("weights", Text, nullable=False),  # JSON {hotkey: weight}
    Column("receipt", Text),  # what the chain said; NULL until it did
)

miner_jobs = Table(
    "miner_jobs",
    metadata,
    Column("job_key", String(64), primary_key=True),
    Column("requester", String(64), nullable=False),
    Column("request", Text, nullable=False),
    Column("request_digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("handle", Text),  # providers.base.Handle once the backend has the job
    Column("answer", Text),  # peer.JobAnswer with the miner's signature
    Column("receipt", Text),  # the receipt with both signatures
    Column("accepted_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
)
Index("ix_miner_jobs_state", miner_jobs.c.state)

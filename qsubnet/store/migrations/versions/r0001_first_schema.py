"""The first schema.

Revision: 0001, after .
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "dispatches",
        sa.Column("job_key", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("miner_hotkey", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_key", name=op.f("pk_dispatches")),
    )
    with op.batch_alter_table("dispatches", schema=None) as batch_op:
        batch_op.create_index("ix_dispatches_purpose_state", ["purpose", "state"], unique=False)

    op.create_table(
        "epochs",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("block_hash", sa.String(length=64), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_epochs")),
    )
    op.create_table(
        "miner_jobs",
        sa.Column("job_key", sa.String(length=64), nullable=False),
        sa.Column("requester", sa.String(length=64), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("accepted_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("job_key", name=op.f("pk_miner_jobs")),
    )
    with op.batch_alter_table("miner_jobs", schema=None) as batch_op:
        batch_op.create_index("ix_miner_jobs_state", ["state"], unique=False)

    op.create_table(
        "records",
        sa.Column("job_key", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("miner_hotkey", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("shots_asked", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("receipt_digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("job_key", "place", name=op.f("pk_records")),
    )
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.create_index(
            "ix_records_miner_hotkey_device", ["miner_hotkey", "device"], unique=False
        )

    op.create_table(
        "verdicts",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("miner_hotkey", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "miner_hotkey", "device", name=op.f("pk_verdicts")),
    )
    op.create_table(
        "weight_intents",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("mechanism", sa.Integer(), nullable=False),
        sa.Column("weights", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("epoch", "mechanism", name=op.f("pk_weight_intents")),
    )
    op.create_table(
        "cases",
        sa.Column("job_key", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=40), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("case_key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.epoch"], name=op.f("fk_cases_epoch")),
        sa.ForeignKeyConstraint(["job_key"], ["dispatches.job_key"], name=op.f("fk_cases_job_key")),
        sa.PrimaryKeyConstraint("job_key", "place", name=op.f("pk_cases")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index("ix_cases_epoch", ["epoch"], unique=False)

    op.create_table(
        "user_jobs",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=True),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("device_asked", sa.String(length=140), nullable=False),
        sa.Column("shots_asked", sa.Integer(), nullable=False),
        sa.Column("programs", sa.Text(), nullable=False),
        sa.Column("dispatch_key", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispatch_key"], ["dispatches.job_key"], name=op.f("fk_user_jobs_dispatch_key")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_user_jobs")),
        sa.UniqueConstraint(
            "account", "idempotency_key", name=op.f("uq_user_jobs_account_idempotency_key")
        ),
    )
    with op.batch_alter_table("user_jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_user_jobs_account_created_ms", ["account", "created_ms"], unique=False
        )
        batch_op.create_index("ix_user_jobs_ended_ms", ["ended_ms"], unique=False)


def downgrade() -> None:
    """Undo this revision."""
    with op.batch_alter_table("user_jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_user_jobs_ended_ms")
        batch_op.drop_index("ix_user_jobs_account_created_ms")

    op.drop_table("user_jobs")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index("ix_cases_epoch")

    op.drop_table("cases")
    op.drop_table("weight_intents")
    op.drop_table("verdicts")
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.drop_index("ix_records_miner_hotkey_device")

    op.drop_table("records")
    with op.batch_alter_table("miner_jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_miner_jobs_state")

    op.drop_table("miner_jobs")
    op.drop_table("epochs")
    with op.batch_alter_table("dispatches", schema=None) as batch_op:
        batch_op.drop_index("ix_dispatches_purpose_state")

    op.drop_table("dispatches")

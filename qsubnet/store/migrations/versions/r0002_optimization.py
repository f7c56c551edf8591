"""User jobs keep how hard their owner wants them compiled.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    with op.batch_alter_table("user_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("optimization", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Undo this revision."""
    with op.batch_alter_table("user_jobs", schema=None) as batch_op:
        batch_op.drop_column("optimization")

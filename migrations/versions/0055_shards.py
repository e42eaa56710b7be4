"""Ranges of objects whose light curves are on other servers.

Revision: 0055, after 0054
"""

import sqlalchemy as sa
from alembic import op

revision = '0055'
down_revision = '0054'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, without a row: all light curves are here."""
    op.create_table('shard_range',
    sa.Column('from_object_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='First object of the range.'),
    sa.Column('to_object_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='First object after the range.'),
    sa.Column('shard', sa.Text(), autoincrement=False, nullable=False, comment='Name of the shard; its foreign server is called shard_ and this.'),
    sa.CheckConstraint('from_object_id < to_object_id', name=op.f('shard_range_ascending_check')),
    sa.PrimaryKeyConstraint('from_object_id', name=op.f('shard_range_pkey')),
    schema='ops',
    comment='Ranges of objects whose light curves are, or are to be, on other servers, one row a range; all others are here.'
    )


def downgrade() -> None:
    """Forget the ranges; what is on shards is to be moved back before (roman-db shards move here)."""
    op.drop_table('shard_range', schema='ops')

"""Queries that accounts keep.

Revision: 0048, after 0047, 2026-11-27 17:01:00.743319
"""

import sqlalchemy as sa
from alembic import op

revision = '0048'
down_revision = '0047'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table('saved_query',
    sa.Column('account_id', sa.BigInteger(), nullable=False, comment='Account whose query it is.'),
    sa.Column('name', sa.Text(), nullable=False, comment='What the account calls it.'),
    sa.Column('query', sa.Text(), nullable=False, comment='The query in ADQL, as it was written.'),
    sa.Column('saved_at', sa.TIMESTAMP(timezone=True), nullable=False, comment='When it was last saved.'),
    sa.CheckConstraint('length(name) BETWEEN 1 AND 80 AND length(query) BETWEEN 1 AND 300000', name=op.f('saved_query_lengths_check')),
    sa.ForeignKeyConstraint(['account_id'], ['ops.account.account_id'], name=op.f('saved_query_account_id_fkey')),
    sa.PrimaryKeyConstraint('account_id', 'name', name=op.f('saved_query_pkey')),
    schema='ops',
    comment='Queries in ADQL that accounts keep by a name, for the pages of the catalog.'
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("saved_query", schema="ops")

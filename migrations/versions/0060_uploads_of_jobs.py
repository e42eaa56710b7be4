"""Uploads of jobs.

Revision: 0060, after 0059
"""

import sqlalchemy as sa
from alembic import op

revision = '0060'
down_revision = '0059'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Note the bytes of the files that came with jobs; of those that are there they are not known, and count nothing."""
    op.add_column('job', sa.Column('upload_size', sa.BigInteger(), nullable=True, comment='Bytes of the files that came with it, which are kept until it has ended. [byte]'), schema='uws')


def downgrade() -> None:
    """Forget them."""
    op.drop_column('job', 'upload_size', schema='uws')

"""What was refined before a search.

Revision: 0043, after 0042, 2026-11-27 13:41:29.739830
"""

import sqlalchemy as sa
from alembic import op

revision = '0043'
down_revision = '0042'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the run; of earlier searches it is not known, so that what was refined is searched once more."""
    op.add_column('event_search', sa.Column('refinement_run_id', sa.BigInteger(), nullable=True, comment='Run that last refined the photometry of the object before it was searched; empty where none had, and in searches of releases before 0043.'), schema='roman')


def downgrade() -> None:
    """Forget it."""
    op.drop_column('event_search', 'refinement_run_id', schema='roman')

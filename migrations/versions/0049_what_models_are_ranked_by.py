"""What models are ranked by.

Revision: 0049, after 0048, 2026-11-27 18:28:00
"""

import sqlalchemy as sa
from alembic import op

revision = '0049'
down_revision = '0048'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the score; that of earlier models is not known, since not all that it is made of was kept."""
    op.add_column('event_model', sa.Column('score', sa.Double(), nullable=True, comment='What models are ranked by, the lowest first: bic with what rare kinds of models, priors of parallax and orbital motion, and unlike sources cost; empty for models of releases before 0049.'), schema='roman')


def downgrade() -> None:
    """Forget it."""
    op.drop_column('event_model', 'score', schema='roman')

"""Differences of images: which pixels their share beyond five standard deviations is of.

Revision: 0036, after 0035, 2026-11-27 09:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

BEFORE = 'Share of the pixels beyond five standard deviations.'
AFTER = 'Share of the pixels beyond five standard deviations, of those that no light which came or went reaches.'


def upgrade() -> None:
    """Say what is counted now; rows of before have all pixels."""
    _comment(BEFORE, AFTER)


def downgrade() -> None:
    """Say what was said before."""
    _comment(AFTER, BEFORE)


def _comment(old, new) -> None:
    op.alter_column(
        'difference_image', 'fraction_beyond', existing_type=sa.DOUBLE_PRECISION(precision=53),
        existing_nullable=False, existing_comment=old, comment=new, schema='roman',
    )

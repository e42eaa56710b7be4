"""Errors of the flux scales of exposures in reference images.

Revision: 0030, after 0029, 2026-11-27 03:18:48.281852
"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add how certain flux scales are; of images that there are it is not known."""
    op.add_column('reference_image_exposure', sa.Column('flux_scale_err', sa.Double(), nullable=True, comment='Standard error of flux_scale; empty where it is not measured.'), schema='roman')
    op.add_column('reference_image_exposure', sa.Column('n_scale_star', sa.Integer(), nullable=True, comment='Stars that were asked for flux_scale.'), schema='roman')
    op.alter_column('reference_image_exposure', 'flux_scale',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               comment='Light of its stars over that of the image, as most of them have it; 1 if fewer than three say it.',
               existing_comment='Light of its stars over that of the image.',
               existing_nullable=True,
               schema='roman')


def downgrade() -> None:
    """Take them away."""
    op.drop_column('reference_image_exposure', 'n_scale_star', schema='roman')
    op.drop_column('reference_image_exposure', 'flux_scale_err', schema='roman')
    op.alter_column('reference_image_exposure', 'flux_scale',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               comment='Light of its stars over that of the image.',
               existing_comment='Light of its stars over that of the image, as most of them have it; 1 if fewer than three say it.',
               existing_nullable=True,
               schema='roman')

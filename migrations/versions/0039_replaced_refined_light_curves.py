"""Refined light curves that others replaced stay: of blocks it is known whether compaction merged them.

Revision: 0039, after 0038, 2026-11-27 11:45:00
"""

import sqlalchemy as sa
from alembic import op

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None

#: A block whose exposures a later and longer one of the kind has was merged into it.
MERGED = """
UPDATE roman.light_curve_block AS b SET is_merged = true
WHERE b.photometry_kind = 'refined' AND b.superseded_at IS NOT NULL AND EXISTS (
    SELECT FROM roman.light_curve_block AS m
    WHERE m.photometry_kind = 'refined' AND m.block_id > b.block_id AND m.n_epoch > b.n_epoch
      AND m.detector = b.detector AND m.optical_element = b.optical_element AND m.exposure_id @> b.exposure_id)
"""

WHOLE = 'First day of the block, MJD TDB; where all of its exposures are of later days of a sealed season, the last day of the partition that holds the season; of external light curves the last multiple of 368 days before, so that few partitions hold them. Times of exposures are in midpoint_mjd_tdb. [d]'
CUT = 'First day of the block, MJD TDB; where all of its exposures are of later days of a sealed season, the last day of the partition that holds the season; of external light curves the border of a season before, or before all seasons a multiple of 368 days: they are cut there. Times of exposures are in midpoint_mjd_tdb. [d]'


def upgrade() -> None:
    """Add the column; merged blocks of other kinds are dropped as they were before."""
    op.add_column('light_curve_block', sa.Column('is_merged', sa.Boolean(), server_default='false', nullable=False, comment='Whether its points stand in another block as they are, into which compaction merged or copied it; false where it is current or other points replaced them. In rows of releases before 0039 false, too, but of merged blocks of the kind refined.'), schema='roman')
    op.execute(MERGED)
    _comment(WHOLE, CUT)


def downgrade() -> None:
    """Forget which blocks were merged; replaced refined light curves are dropped by the next compaction."""
    op.execute('DROP VIEW IF EXISTS roman.light_curve_version')
    _comment(CUT, WHOLE)
    op.drop_column('light_curve_block', 'is_merged', schema='roman')


def _comment(before, after) -> None:
    op.alter_column(
        'light_curve_block', 'start_mjd', existing_type=sa.INTEGER(), existing_nullable=False,
        existing_comment=before, comment=after, schema='roman',
    )

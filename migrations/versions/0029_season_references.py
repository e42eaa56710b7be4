"""Reference images of seasons, combined from those of their spans."""

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

_OF_SEASON = "(SELECT reference_image_id FROM roman.reference_image WHERE reference_kind = 'season')"

_FORGET = f"""
DELETE FROM roman.reference_image_part;
DELETE FROM roman.reference_image_exposure WHERE reference_image_id IN {_OF_SEASON};
DELETE FROM roman.reference_psf_moment WHERE reference_image_id IN {_OF_SEASON};
DELETE FROM roman.reference_source WHERE reference_image_id IN {_OF_SEASON};
DELETE FROM ops.quality_metric WHERE reference_image_id IN {_OF_SEASON};
DELETE FROM roman.reference_image WHERE reference_kind = 'season';
"""


def upgrade() -> None:
    """Say of images what kind they are; those that there are were made of exposures."""
    op.create_table('reference_image_part',
    sa.Column('reference_image_id', sa.BigInteger(), nullable=False, comment='Reference image of the season.'),
    sa.Column('part_reference_image_id', sa.BigInteger(), nullable=False, comment='Reference image of the span.'),
    sa.Column('is_used', sa.Boolean(), nullable=False, comment='Whether it is in the image of the season.'),
    sa.Column('refused', sa.Text(), nullable=True, comment='Why it was left out; empty where it is in.'),
    sa.Column('weight', sa.Double(), nullable=False, comment='Its share of the weight of the image, in the median over the pixels; 0 where it was left out.'),
    sa.Column('flux_scale', sa.Double(), nullable=True, comment='Its light over that of the image of the season, as in the next columns empty where it was left out.'),
    sa.Column('sky', sa.Double(), nullable=True, comment='Its sky less that of the image of the season, per pixel of the images. [nJy]'),
    sa.Column('shift_x', sa.Double(), nullable=True, comment='Pixels along x by which it shows stars farther than the first image of the season, in the middle. [pixel]'),
    sa.Column('shift_y', sa.Double(), nullable=True, comment='The same along y. [pixel]'),
    sa.Column('fraction_excluded', sa.Double(), nullable=True, comment='Share of its pixels that were left out, as the other images agree on other light.'),
    sa.Column('load_run_id', sa.BigInteger(), nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('reference_image_part_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['part_reference_image_id'], ['roman.reference_image.reference_image_id'], name=op.f('reference_image_part_part_reference_image_id_fkey')),
    sa.ForeignKeyConstraint(['reference_image_id'], ['roman.reference_image.reference_image_id'], name=op.f('reference_image_part_reference_image_id_fkey')),
    sa.PrimaryKeyConstraint('reference_image_id', 'part_reference_image_id', name=op.f('reference_image_part_pkey')),
    schema='roman',
    comment='Images of spans in the reference image of a season, how each lies on it, and which were left out.'
    )
    op.add_column('reference_image', sa.Column('reference_kind', sa.Text(), server_default=sa.text("'span'"), nullable=False, comment='span for an image that was solved from the exposures of its days; season for one that was combined from the images of the spans of a season, see roman.reference_image_part.'), schema='roman')
    op.alter_column('reference_image', 'n_refused',
               existing_type=sa.INTEGER(),
               comment='Exposures of the span that were left out because they do not fit the others; of a season those of its spans.',
               existing_comment='Exposures of the span that were left out because they do not fit the others.',
               existing_nullable=False,
               schema='roman')
    op.alter_column('reference_image', 'n_anchor',
               existing_type=sa.INTEGER(),
               comment='Catalogued stars of known motion that its frame was laid on; 0 where they were too few, so that the frame is the mean of the WCSs of its exposures. Empty for an image of a season: its frame is the mean of those of the spans.',
               existing_comment='Catalogued stars of known motion that its frame was laid on; 0 where they were too few, so that the frame is the mean of the WCSs of its exposures.',
               existing_nullable=True,
               schema='roman')
    op.create_check_constraint(op.f('reference_image_reference_kind_check'), 'reference_image', "reference_kind IN ('span', 'season')", schema='roman')
    # Made again with the kind in it by schema/postgres.
    op.execute("DROP INDEX IF EXISTS roman.reference_image_current_idx")


def downgrade() -> None:
    """Go back; images of seasons are lost, and objects that only they show are kept."""
    op.execute(_FORGET)
    op.drop_table('reference_image_part', schema='roman')
    op.execute("DROP INDEX IF EXISTS roman.reference_image_current_idx")
    op.drop_constraint(op.f('reference_image_reference_kind_check'), 'reference_image', schema='roman', type_='check')
    op.drop_column('reference_image', 'reference_kind', schema='roman')
    op.execute(
        "CREATE UNIQUE INDEX reference_image_current_idx ON roman.reference_image "
        "(field_id, detector, optical_element, start_mjd) WHERE superseded_at IS NULL"
    )
    op.alter_column('reference_image', 'n_refused',
               existing_type=sa.INTEGER(),
               comment='Exposures of the span that were left out because they do not fit the others.',
               schema='roman')
    op.alter_column('reference_image', 'n_anchor',
               existing_type=sa.INTEGER(),
               comment='Catalogued stars of known motion that its frame was laid on; 0 where they were too few, so that the frame is the mean of the WCSs of its exposures.',
               schema='roman')

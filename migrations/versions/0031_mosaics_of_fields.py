"""Mosaics of the images of all detectors of a field."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; they are empty until the next run of a season."""
    op.create_table('field_mosaic',
    sa.Column('field_mosaic_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the mosaic.'),
    sa.Column('field_id', sa.Integer(), nullable=False, comment='Field.'),
    sa.Column('optical_element', sa.Text(), nullable=False, comment='Optical element.'),
    sa.Column('season', sa.SmallInteger(), nullable=False, comment='Number of the season.'),
    sa.Column('start_mjd', sa.Integer(), nullable=False, comment='First day (TDB) of the season. [d]'),
    sa.Column('end_mjd', sa.Integer(), nullable=False, comment='Day (TDB) after the last one of the season. [d]'),
    sa.Column('epoch_mjd_tdb', sa.Double(), nullable=False, comment='Mean of the epochs of its images, weighted by their exposures. [d]'),
    sa.Column('n_detector', sa.SmallInteger(), nullable=False, comment='Detectors whose image is in it.'),
    sa.Column('n_exposure', sa.Integer(), nullable=False, comment='Exposures of all detectors in these images.'),
    sa.Column('exposure_time', sa.Double(), nullable=False, comment='Exposure time of an image, in the mean over them. [s]'),
    sa.Column('ra_ref', sa.Double(), nullable=False, comment='Right ascension (ICRS) where the plane of the pixels touches the sky, that of the centre of the field. [deg]'),
    sa.Column('dec_ref', sa.Double(), nullable=False, comment='Declination (ICRS) where the plane of the pixels touches the sky. [deg]'),
    sa.Column('x_ref', sa.Integer(), nullable=False, comment='Pixel, from 0, in whose middle the plane touches the sky; it may lie outside. x runs west, y north. [pixel]'),
    sa.Column('y_ref', sa.Integer(), nullable=False, comment='The same along y. [pixel]'),
    sa.Column('pixel_scale', sa.Double(), nullable=False, comment='Side of a pixel where the plane touches the sky. [arcsec]'),
    sa.Column('n_x', sa.Integer(), nullable=False, comment='Pixels along x.'),
    sa.Column('n_y', sa.Integer(), nullable=False, comment='Pixels along y.'),
    sa.Column('fraction_covered', sa.Double(), nullable=False, comment='Share of the pixels with data.'),
    sa.Column('empty_error', sa.Double(), nullable=False, comment='Median standard deviation of a pixel without sources. [MJy/sr]'),
    sa.Column('footprint', postgresql.INT8MULTIRANGE(), nullable=False, comment='Sky that its images touch, as ranges of nested HEALPix pixels of order 29 (a MOC of cells of order 14); the gaps between detectors are not in it.'),
    sa.Column('path', sa.Text(), nullable=False, comment='File.'),
    sa.Column('sha256', sa.Text(), nullable=False, comment='SHA-256 of the file.'),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False, comment='Size of the file. [byte]'),
    sa.Column('superseded_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When a mosaic of newer images took its place; empty while it is current.'),
    sa.Column('load_run_id', sa.BigInteger(), nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['field_id'], ['roman.field.field_id'], name=op.f('field_mosaic_field_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('field_mosaic_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['optical_element'], ['roman.optical_element.optical_element'], name=op.f('field_mosaic_optical_element_fkey')),
    sa.PrimaryKeyConstraint('field_mosaic_id', name=op.f('field_mosaic_pkey')),
    schema='roman',
    comment='Mosaics of fields: the reference images of a season of all detectors of a field in an optical element, on one grid. roman.mosaic has the mosaics that others made.'
    )
    op.create_table('field_mosaic_part',
    sa.Column('field_mosaic_id', sa.BigInteger(), nullable=False, comment='Mosaic.'),
    sa.Column('reference_image_id', sa.BigInteger(), nullable=False, comment='Reference image of a detector.'),
    sa.Column('is_used', sa.Boolean(), nullable=False, comment='Whether it is in the mosaic.'),
    sa.Column('refused', sa.Text(), nullable=True, comment='Why it was left out; empty where it is in.'),
    sa.Column('share', sa.Double(), nullable=False, comment='Its share of the pixels with data, by weight; 0 where it was left out.'),
    sa.Column('sky', sa.Double(), nullable=True, comment='Background that was taken off it, so that it agrees with those it overlaps; 0 where it overlaps none. Empty where it was left out. [MJy/sr]'),
    sa.Column('sky_err', sa.Double(), nullable=True, comment='Error of what it is above or below those it hangs together with; 0 where it overlaps none. Empty where it was left out. [MJy/sr]'),
    sa.Column('n_overlap', sa.SmallInteger(), nullable=False, comment='Images that its background was compared with.'),
    sa.Column('load_run_id', sa.BigInteger(), nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['field_mosaic_id'], ['roman.field_mosaic.field_mosaic_id'], name=op.f('field_mosaic_part_field_mosaic_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('field_mosaic_part_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['reference_image_id'], ['roman.reference_image.reference_image_id'], name=op.f('field_mosaic_part_reference_image_id_fkey')),
    sa.PrimaryKeyConstraint('field_mosaic_id', 'reference_image_id', name=op.f('field_mosaic_part_pkey')),
    schema='roman',
    comment='Reference images in the mosaic of a field, and which were left out.'
    )


def downgrade() -> None:
    """Go back; the files of mosaics stay where they are, and are not known any more."""
    op.drop_table('field_mosaic_part', schema='roman')
    op.drop_table('field_mosaic', schema='roman')

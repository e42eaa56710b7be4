"""References of grism and prism that are derived say of what; their quality is that of the reference.

Revision: 0064, after 0063
"""

import sqlalchemy as sa
from alembic import op

revision = '0064'
down_revision = '0063'
branch_labels = None
depends_on = None

_QUALITY = (
    'Measured quality of an exposure, a block, a PSF, a reference image or a run, with the limits in force; a metric of one of the first four that is measured again replaces what was measured before.',
    'Measured quality of an exposure, a block, a PSF, a reference image, a reference of grism or prism, or a run, with the limits in force; a metric of one of the first five that is measured again replaces what was measured before.',
)


def upgrade() -> None:
    """Add the table and the key; no row changes."""
    op.create_table('calibration_source',
    sa.Column('calibration_reference_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Reference that was derived.'),
    sa.Column('file_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='File that it was derived from; its kind and checksum stand in ops.input_file.'),
    sa.Column('exposure_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Exposure of the file; empty of other files.'),
    sa.Column('n_source', sa.Integer(), autoincrement=False, nullable=True, comment='Number of its sources that were used; empty of other files.'),
    sa.Column('zero_point', sa.Double(), autoincrement=False, nullable=True, comment='Of a geometry, how much higher on the detector (y) the edges of the band and emission lines of the exposure fell than the geometry before had them (weighted mean); else empty. [pixel]'),
    sa.Column('throughput', sa.Double(), autoincrement=False, nullable=True, comment='Of a sensitivity, response of the exposure relative to the mean of all, by stars that several of them show; else empty.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['calibration_reference_id'], ['roman.calibration_reference.calibration_reference_id'], name=op.f('calibration_source_calibration_reference_id_fkey')),
    sa.ForeignKeyConstraint(['exposure_id'], ['roman.exposure.exposure_id'], name=op.f('calibration_source_exposure_id_fkey')),
    sa.ForeignKeyConstraint(['file_id'], ['ops.input_file.file_id'], name=op.f('calibration_source_file_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('calibration_source_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('calibration_reference_id', 'file_id', name=op.f('calibration_source_pkey')),
    schema='roman',
    comment='What references derived by spectral-calibration were derived from, one row a reference and file: dispersed exposures, with what each of them said, spectra of standards and of galaxies of known redshift, and other references.'
    )
    op.create_index('calibration_source_file_idx', 'calibration_source', ['file_id'], unique=False, schema='roman')
    op.add_column('quality_metric', sa.Column('calibration_reference_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Reference of grism or prism that was measured.'), schema='ops')
    op.create_foreign_key(op.f('quality_metric_calibration_reference_id_fkey'), 'quality_metric', 'calibration_reference', ['calibration_reference_id'], ['calibration_reference_id'], source_schema='ops', referent_schema='roman')
    op.create_unique_constraint(op.f('quality_metric_calibration_reference_id_metric_key'), 'quality_metric', ['calibration_reference_id', 'metric'], schema='ops')
    op.create_table_comment('quality_metric', _QUALITY[1], existing_comment=_QUALITY[0], schema='ops')


def downgrade() -> None:
    """Take them away again, and the quality of references with them."""
    op.execute('DELETE FROM ops.quality_metric WHERE calibration_reference_id IS NOT NULL')
    op.drop_column('quality_metric', 'calibration_reference_id', schema='ops')
    op.create_table_comment('quality_metric', _QUALITY[0], existing_comment=_QUALITY[1], schema='ops')
    op.drop_table('calibration_source', schema='roman')

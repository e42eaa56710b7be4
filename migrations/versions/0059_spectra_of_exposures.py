"""Spectra of exposures.

Revision: 0059, after 0058
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0059'
down_revision = '0058'
branch_labels = None
depends_on = None

_ORIGIN = (
    "CASE WHEN file_id IS NULL THEN num_nulls(object_id, optical_element, n_exposure) = 0 "
    "ELSE num_nonnulls(optical_element, n_exposure) = 0 END"
)


def upgrade() -> None:
    """Add the tables; spectra of exposures are rows of roman.spectrum, without a file."""
    op.create_table('spectrum_flag',
    sa.Column('bit', sa.SmallInteger(), autoincrement=False, nullable=False, comment='Number of the bit, from 0.'),
    sa.Column('name', sa.Text(), autoincrement=False, nullable=False, comment='Name of the flag.'),
    sa.Column('description', sa.Text(), autoincrement=False, nullable=False, comment='What it says of a spectrum.'),
    sa.PrimaryKeyConstraint('bit', name=op.f('spectrum_flag_pkey')),
    schema='roman',
    comment='Meaning of the bits of roman.exposure_spectrum.warning.'
    )
    op.create_table('calibration_reference',
    sa.Column('calibration_reference_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier.'),
    sa.Column('reftype', sa.Text(), autoincrement=False, nullable=False, comment='What it is: geometry, sensitivity or flat.'),
    sa.Column('optical_element', sa.Text(), autoincrement=False, nullable=False, comment='Optical element for which it is.'),
    sa.Column('detector', sa.Text(), autoincrement=False, nullable=True, comment='Detector for which it is; empty where it is for all.'),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False, comment='Version; 0 is what was measured on the ground or designed. Of those that are valid the highest is the best.'),
    sa.Column('valid_from_mjd', sa.Double(), autoincrement=False, nullable=False, comment='First midpoint (MJD TDB) of exposures for which it is valid. [d]'),
    sa.Column('valid_to_mjd', sa.Double(), autoincrement=False, nullable=True, comment='Midpoint (MJD TDB) before which it is valid; empty for no end. [d]'),
    sa.Column('pedigree', sa.Text(), autoincrement=False, nullable=False, comment="Where it comes from, in RAD's words: GROUND, MODEL, DUMMY, SIMULATION or INFLIGHT."),
    sa.Column('description', sa.Text(), autoincrement=False, nullable=True, comment='What people said of it.'),
    sa.Column('file_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='File; its checksum stands in ops.input_file.'),
    sa.Column('superseded_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When another file took the place of this version; empty while it is current.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint("pedigree IN ('GROUND', 'MODEL', 'DUMMY', 'SIMULATION', 'INFLIGHT')", name=op.f('calibration_reference_pedigree_check')),
    sa.CheckConstraint("reftype IN ('geometry', 'sensitivity', 'flat')", name=op.f('calibration_reference_reftype_check')),
    sa.CheckConstraint('valid_to_mjd > valid_from_mjd AND version >= 0', name=op.f('calibration_reference_validity_check')),
    sa.ForeignKeyConstraint(['detector'], ['roman.detector.detector'], name=op.f('calibration_reference_detector_fkey')),
    sa.ForeignKeyConstraint(['file_id'], ['ops.input_file.file_id'], name=op.f('calibration_reference_file_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('calibration_reference_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['optical_element'], ['roman.optical_element.optical_element'], name=op.f('calibration_reference_optical_element_fkey')),
    sa.PrimaryKeyConstraint('calibration_reference_id', name=op.f('calibration_reference_pkey')),
    schema='roman',
    comment='References by which exposures are calibrated, one row a file: geometry, sensitivity and flat of grism and prism. Which is the best of an exposure says roman.best_calibration_reference.'
    )
    op.create_index('calibration_reference_file_idx', 'calibration_reference', ['file_id'], unique=False, schema='roman')
    op.create_table('spectral_extraction',
    sa.Column('spectral_extraction_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier.'),
    sa.Column('exposure_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Dispersed exposure.'),
    sa.Column('file_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='File of the exposure that was read.'),
    sa.Column('direct_exposure_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Direct exposure that gave the shapes of the sources; empty where there was none.'),
    sa.Column('direct_file_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='File of the direct exposure that was read.'),
    sa.Column('geometry_reference_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Reference of the geometry; empty where there was none.'),
    sa.Column('sensitivity_reference_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Reference of the sensitivity; empty where there was none.'),
    sa.Column('flat_reference_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Reference of the flat; empty where there was none.'),
    sa.Column('catalog_version_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Newest version of the object catalog at that time; empty where there was none.'),
    sa.Column('search_radius', sa.Double(), autoincrement=False, nullable=False, comment='Distance from the middle of the exposure within which objects were looked for. [deg]'),
    sa.Column('sky_rate', sa.REAL(), autoincrement=False, nullable=True, comment='Sky, electrons per second and pixel; empty where it was not measured. [s**-1]'),
    sa.Column('sky_rate_err', sa.REAL(), autoincrement=False, nullable=True, comment='Standard error of sky_rate. [s**-1]'),
    sa.Column('n_source', sa.Integer(), autoincrement=False, nullable=False, comment='Objects that should be on the exposure, with light of any order or undispersed.'),
    sa.Column('n_extracted', sa.Integer(), autoincrement=False, nullable=False, comment='Objects of which there is a spectrum.'),
    sa.Column('reason', sa.Text(), autoincrement=False, nullable=True, comment='Why nothing was extracted; empty where something could be.'),
    sa.Column('superseded_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When another extraction took its place; empty while it is current.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['catalog_version_id'], ['roman.catalog_version.catalog_version_id'], name=op.f('spectral_extraction_catalog_version_id_fkey')),
    sa.ForeignKeyConstraint(['direct_exposure_id'], ['roman.exposure.exposure_id'], name=op.f('spectral_extraction_direct_exposure_id_fkey')),
    sa.ForeignKeyConstraint(['direct_file_id'], ['ops.input_file.file_id'], name=op.f('spectral_extraction_direct_file_id_fkey')),
    sa.ForeignKeyConstraint(['exposure_id'], ['roman.exposure.exposure_id'], name=op.f('spectral_extraction_exposure_id_fkey')),
    sa.ForeignKeyConstraint(['file_id'], ['ops.input_file.file_id'], name=op.f('spectral_extraction_file_id_fkey')),
    sa.ForeignKeyConstraint(['flat_reference_id'], ['roman.calibration_reference.calibration_reference_id'], name=op.f('spectral_extraction_flat_reference_id_fkey')),
    sa.ForeignKeyConstraint(['geometry_reference_id'], ['roman.calibration_reference.calibration_reference_id'], name=op.f('spectral_extraction_geometry_reference_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('spectral_extraction_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['sensitivity_reference_id'], ['roman.calibration_reference.calibration_reference_id'], name=op.f('spectral_extraction_sensitivity_reference_id_fkey')),
    sa.PrimaryKeyConstraint('spectral_extraction_id', name=op.f('spectral_extraction_pkey')),
    schema='roman',
    comment='Extractions of dispersed exposures, one row each time; also of those of which nothing could be extracted. What is current has no superseded_at.'
    )
    op.create_index('spectral_extraction_direct_idx', 'spectral_extraction', ['direct_exposure_id'], unique=False, schema='roman')
    op.create_index('spectral_extraction_exposure_idx', 'spectral_extraction', ['exposure_id'], unique=False, schema='roman')
    op.create_table('exposure_spectrum',
    sa.Column('spectral_extraction_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Extraction.'),
    sa.Column('object_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Object.'),
    sa.Column('warning', sa.Integer(), autoincrement=False, nullable=False, comment='Bits of roman.spectrum_flag.'),
    sa.Column('reason', sa.Text(), autoincrement=False, nullable=True, comment='Why there is no spectrum; empty where there is one.'),
    sa.Column('n_pixel', sa.Integer(), autoincrement=False, nullable=False, comment='Number of pixels; 0 where there is no spectrum.'),
    sa.Column('wavelength', postgresql.ARRAY(sa.Double()), autoincrement=False, nullable=False, comment='Wavelength of each row of the trace, ascending. [um]'),
    sa.Column('flux', postgresql.ARRAY(sa.REAL()), autoincrement=False, nullable=False, comment='Flux density of each; NaN where no pixel could be used. [10**-20.W.m**-2.um**-1]'),
    sa.Column('flux_err', postgresql.ARRAY(sa.REAL()), autoincrement=False, nullable=False, comment='Standard error of flux, with that of what was taken off. [10**-20.W.m**-2.um**-1]'),
    sa.Column('contamination', postgresql.ARRAY(sa.REAL()), autoincrement=False, nullable=False, comment='Share of others in the light of each row, which was taken off.'),
    sa.Column('contamination_median', sa.REAL(), autoincrement=False, nullable=True, comment='Median of contamination; empty where there is no spectrum.'),
    sa.Column('snr', sa.REAL(), autoincrement=False, nullable=True, comment='Median of flux over flux_err; empty where there is no spectrum.'),
    sa.Column('lsf_fwhm', sa.REAL(), autoincrement=False, nullable=True, comment="Full width at half maximum of the object's light along the dispersion; empty where there is no spectrum. [pixel]"),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('exposure_spectrum_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['object_id'], ['roman.object.object_id'], name=op.f('exposure_spectrum_object_id_fkey')),
    sa.ForeignKeyConstraint(['spectral_extraction_id'], ['roman.spectral_extraction.spectral_extraction_id'], name=op.f('exposure_spectrum_spectral_extraction_id_fkey')),
    sa.PrimaryKeyConstraint('spectral_extraction_id', 'object_id', name=op.f('exposure_spectrum_pkey')),
    schema='roman',
    comment='Spectra of objects on single exposures, decontaminated and calibrated, one row an extraction and object; also of objects of which nothing could be extracted though they should be on the exposure.'
    )
    op.create_index('exposure_spectrum_object_idx', 'exposure_spectrum', ['object_id'], unique=False, schema='roman')
    op.create_table('spectrum_location',
    sa.Column('spectral_extraction_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Extraction.'),
    sa.Column('object_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Object.'),
    sa.Column('spectral_order', sa.SmallInteger(), autoincrement=False, nullable=False, comment='Order of diffraction.'),
    sa.Column('x', sa.Double(), autoincrement=False, nullable=True, comment="Column (from 0) of the exposure's array on which the object would fall undispersed; may be off it. [pixel]"),
    sa.Column('y', sa.Double(), autoincrement=False, nullable=True, comment='Row of the same. [pixel]'),
    sa.Column('x_first', sa.REAL(), autoincrement=False, nullable=True, comment='Column of the shortest wavelength of the order. [pixel]'),
    sa.Column('y_first', sa.REAL(), autoincrement=False, nullable=True, comment='Row of the same. [pixel]'),
    sa.Column('x_last', sa.REAL(), autoincrement=False, nullable=True, comment='Column of the longest wavelength of the order. [pixel]'),
    sa.Column('y_last', sa.REAL(), autoincrement=False, nullable=True, comment='Row of the same. [pixel]'),
    sa.Column('wavelength_min', sa.REAL(), autoincrement=False, nullable=True, comment='Shortest wavelength that falls on the detector; empty where none does. [um]'),
    sa.Column('wavelength_max', sa.REAL(), autoincrement=False, nullable=True, comment='Longest wavelength that falls on the detector; empty where none does. [um]'),
    sa.Column('fraction_on_detector', sa.REAL(), autoincrement=False, nullable=False, comment='Share of the rows of the trace that are on the detector.'),
    sa.Column('overlap_fraction', sa.REAL(), autoincrement=False, nullable=False, comment='Share of the pixels within 8 pixels of the trace into which another spectrum falls, too.'),
    sa.Column('flags', sa.Integer(), autoincrement=False, nullable=False, comment='Bits: 1 off the detector, 2 truncated, 4 undispersed off the detector, 8 overlapped, 16 no position.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('spectrum_location_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['object_id'], ['roman.object.object_id'], name=op.f('spectrum_location_object_id_fkey')),
    sa.ForeignKeyConstraint(['spectral_extraction_id'], ['roman.spectral_extraction.spectral_extraction_id'], name=op.f('spectrum_location_spectral_extraction_id_fkey')),
    sa.PrimaryKeyConstraint('spectral_extraction_id', 'object_id', 'spectral_order', name=op.f('spectrum_location_pkey')),
    schema='roman',
    comment='Where the light of objects falls on dispersed exposures, one row an extraction, object and order; also of orders that are off the detector.'
    )
    op.create_index('spectrum_location_object_idx', 'spectrum_location', ['object_id'], unique=False, schema='roman')
    op.create_table('spectrum_part',
    sa.Column('spectrum_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Combined spectrum.'),
    sa.Column('spectral_extraction_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Extraction.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('spectrum_part_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['spectral_extraction_id'], ['roman.spectral_extraction.spectral_extraction_id'], name=op.f('spectrum_part_spectral_extraction_id_fkey')),
    sa.ForeignKeyConstraint(['spectrum_id'], ['roman.spectrum.spectrum_id'], name=op.f('spectrum_part_spectrum_id_fkey')),
    sa.PrimaryKeyConstraint('spectrum_id', 'spectral_extraction_id', name=op.f('spectrum_part_pkey')),
    schema='roman',
    comment='Extractions that went into combined spectra; with the object of the spectrum they are rows of roman.exposure_spectrum.'
    )
    op.create_index('spectrum_part_extraction_idx', 'spectrum_part', ['spectral_extraction_id'], unique=False, schema='roman')
    op.add_column('spectrum', sa.Column('optical_element', sa.Text(), autoincrement=False, nullable=True, comment='GRISM or PRISM of a combined spectrum; empty where it is of a file.'), schema='roman')
    op.add_column('spectrum', sa.Column('n_exposure', sa.SmallInteger(), autoincrement=False, nullable=True, comment='Exposures of which it is combined; empty where it is of a file.'), schema='roman')
    op.alter_column('spectrum', 'object_id',
               existing_type=sa.BIGINT(),
               comment='Of a combined spectrum its object; else the nearest object within the radius of the command that loaded it, empty where there is none, or no position.',
               existing_comment='Nearest object within the radius of the command that loaded it; empty where there is none, or no position.',
               existing_nullable=True,
               schema='roman')
    op.alter_column('spectrum', 'spectrum_name',
               existing_type=sa.TEXT(),
               comment='What the file calls it; a number follows where several spectra have one name. Of a combined one its element and object.',
               existing_comment='What the file calls it; a number follows where several spectra have one name.',
               existing_nullable=False,
               schema='roman')
    op.alter_column('spectrum', 'file_id',
               existing_type=sa.BIGINT(),
               nullable=True,
               comment='File that it was read from; empty where it is combined of exposures (roman.spectrum_part).',
               existing_comment='File that it was read from.',
               schema='roman')
    op.alter_column('spectrum', 'ra',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               comment='Right ascension (ICRS) as the file states it, or the catalog. [deg]',
               existing_comment='Right ascension (ICRS) as the file states it. [deg]',
               existing_nullable=True,
               schema='roman')
    op.alter_column('spectrum', 'dec',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               comment='Declination (ICRS) as the file states it, or the catalog. [deg]',
               existing_comment='Declination (ICRS) as the file states it. [deg]',
               existing_nullable=True,
               schema='roman')
    op.alter_column('spectrum', 'mask',
               existing_type=postgresql.ARRAY(sa.SMALLINT()),
               comment='1 for each pixel that the file says is bad, or that no exposure has, else 0.',
               existing_comment='1 for each pixel that the file says is bad, else 0.',
               existing_nullable=False,
               schema='roman')
    op.alter_column('spectrum', 'flux_is_absolute',
               existing_type=sa.BOOLEAN(),
               comment='Whether the file states a unit of flux density, or the spectrum was calibrated here.',
               existing_comment='Whether the file states a unit of flux density.',
               existing_nullable=False,
               schema='roman')
    op.alter_column('spectrum', 'superseded_at',
               existing_type=postgresql.TIMESTAMP(timezone=True),
               comment='When a later version of the file, or another combination, replaced it; empty while it is current.',
               existing_comment='When a later version of the file replaced it; empty while it is current.',
               existing_nullable=True,
               schema='roman')
    op.create_foreign_key(op.f('spectrum_optical_element_fkey'), 'spectrum', 'optical_element', ['optical_element'], ['optical_element'], source_schema='roman', referent_schema='roman')
    op.create_table_comment(
        'spectrum',
        'Spectra in one dimension, one row a spectrum: of any telescope, as their files have them, and of objects combined of all exposures through grism or prism. What is current has no superseded_at.',
        existing_comment='Spectra in one dimension, of any telescope, as their files have them: one row a spectrum. What is current has no superseded_at.',
        schema='roman'
    )
    op.create_check_constraint(op.f('spectrum_origin_check'), 'spectrum', _ORIGIN, schema='roman')


def downgrade() -> None:
    """Forget them, and spectra that are combined of exposures."""
    for name in ('redshift', 'redshift_alternative', 'line_measurement'):
        op.execute(
            f'DELETE FROM roman.{name} WHERE spectrum_id IN (SELECT spectrum_id FROM roman.spectrum WHERE file_id IS NULL)'
        )
    for name in ('spectrum_part', 'spectrum_location', 'exposure_spectrum', 'spectral_extraction',
                 'calibration_reference', 'spectrum_flag'):
        op.drop_table(name, schema='roman')
    op.execute('DELETE FROM roman.spectrum WHERE file_id IS NULL')
    op.drop_constraint(op.f('spectrum_origin_check'), 'spectrum', schema='roman')
    op.drop_column('spectrum', 'n_exposure', schema='roman')
    op.drop_column('spectrum', 'optical_element', schema='roman')
    op.alter_column('spectrum', 'file_id', nullable=False, schema='roman')

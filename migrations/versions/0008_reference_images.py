"""Reference images, what is found on them and in their differences; a run may make several catalog versions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table('reference_image',
    sa.Column('reference_image_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the image.'),
    sa.Column('field_id', sa.Integer(), autoincrement=False, nullable=False, comment='Field.'),
    sa.Column('detector', sa.Text(), autoincrement=False, nullable=False, comment='Detector.'),
    sa.Column('optical_element', sa.Text(), autoincrement=False, nullable=False, comment='Optical element.'),
    sa.Column('start_mjd', sa.Integer(), autoincrement=False, nullable=False, comment='First day (TDB) whose exposures are in the image. [d]'),
    sa.Column('end_mjd', sa.Integer(), autoincrement=False, nullable=False, comment='Day (TDB) after the last one whose exposures are in the image. [d]'),
    sa.Column('epoch_mjd_tdb', sa.Double(), autoincrement=False, nullable=False, comment='Mean of the midpoints of its exposures. [d]'),
    sa.Column('n_exposure', sa.Integer(), autoincrement=False, nullable=False, comment='Exposures in the image.'),
    sa.Column('n_refused', sa.Integer(), autoincrement=False, nullable=False, comment='Exposures of the span that were left out because they do not fit the others.'),
    sa.Column('exposure_time', sa.Double(), autoincrement=False, nullable=False, comment='Exposure time of all exposures together. [s]'),
    sa.Column('oversampling', sa.SmallInteger(), autoincrement=False, nullable=False, comment='Pixels of the image per detector pixel, along an axis.'),
    sa.Column('n_x', sa.Integer(), autoincrement=False, nullable=False, comment='Pixels along x.'),
    sa.Column('n_y', sa.Integer(), autoincrement=False, nullable=False, comment='Pixels along y.'),
    sa.Column('ra_ref', sa.Double(), autoincrement=False, nullable=False, comment='Right ascension (ICRS) of the middle of the image, where its plane touches the sky. [deg]'),
    sa.Column('dec_ref', sa.Double(), autoincrement=False, nullable=False, comment='Declination (ICRS) of the middle of the image. [deg]'),
    sa.Column('rotation_matrix', postgresql.ARRAY(sa.Double()), autoincrement=False, nullable=False, comment='Arcseconds east per pixel along x and along y, then north along x and y. [arcsec]'),
    sa.Column('pixel_scale', sa.Double(), autoincrement=False, nullable=False, comment='Side of a square of the area of a pixel. [arcsec]'),
    sa.Column('footprint', postgresql.INT8MULTIRANGE(), autoincrement=False, nullable=False, comment='Sky covered by the image: ranges of nested HEALPix pixels of order 29.'),
    sa.Column('limiting_mag', sa.Double(), autoincrement=False, nullable=True, comment='AB magnitude of a star alone at five standard deviations, in the median over the image. [mag]'),
    sa.Column('psf_model_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='PSF of the library from which its own follows, of several the one nearest to its epoch; empty where that of the optics served.'),
    sa.Column('psf_fwhm', sa.Double(), autoincrement=False, nullable=True, comment='Full width at half maximum of its PSF. [arcsec]'),
    sa.Column('path', sa.Text(), autoincrement=False, nullable=False, comment='File of the image.'),
    sa.Column('sha256', sa.Text(), autoincrement=False, nullable=False, comment='SHA-256 of the file.'),
    sa.Column('size_bytes', sa.BigInteger(), autoincrement=False, nullable=False, comment='Size of the file. [byte]'),
    sa.Column('superseded_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When another image of the same span took its place; empty for the current one.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint('end_mjd > start_mjd AND oversampling >= 1 AND n_exposure >= 1', name=op.f('reference_image_span_check')),
    sa.ForeignKeyConstraint(['detector'], ['roman.detector.detector'], name=op.f('reference_image_detector_fkey')),
    sa.ForeignKeyConstraint(['field_id'], ['roman.field.field_id'], name=op.f('reference_image_field_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('reference_image_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['optical_element'], ['roman.optical_element.optical_element'], name=op.f('reference_image_optical_element_fkey')),
    sa.ForeignKeyConstraint(['psf_model_id'], ['roman.psf_model.psf_model_id'], name=op.f('reference_image_psf_model_id_fkey')),
    sa.PrimaryKeyConstraint('reference_image_id', name=op.f('reference_image_pkey')),
    schema='roman',
    comment='Reference images: super-sampled images of a field on a detector, made of the exposures of a span of days, and where their files are.'
    )
    op.create_index('reference_image_unit_idx', 'reference_image', ['field_id', 'detector', 'optical_element', 'start_mjd'], unique=False, schema='roman')
    op.create_table('reference_source',
    sa.Column('reference_image_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Reference image.'),
    sa.Column('object_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Object.'),
    sa.Column('state', sa.Text(), autoincrement=False, nullable=False, comment='new where the object was not catalogued before; known where it was; merged where it is not separated from another that was found; missing where it should have been found and was not.'),
    sa.Column('x', sa.Double(), autoincrement=False, nullable=True, comment='Position along x, 0-based pixels of the image. [pixel]'),
    sa.Column('y', sa.Double(), autoincrement=False, nullable=True, comment='Position along y. [pixel]'),
    sa.Column('ra', sa.Double(), autoincrement=False, nullable=True, comment='Right ascension (ICRS) at the epoch of the image, as seen. [deg]'),
    sa.Column('dec', sa.Double(), autoincrement=False, nullable=True, comment='Declination (ICRS) at the epoch of the image, as seen. [deg]'),
    sa.Column('ra_err', sa.REAL(), autoincrement=False, nullable=True, comment='Standard error of ra, times cos(dec), along the axes of the image. [mas]'),
    sa.Column('dec_err', sa.REAL(), autoincrement=False, nullable=True, comment='Standard error of dec. [mas]'),
    sa.Column('psf_flux', sa.REAL(), autoincrement=False, nullable=True, comment='Flux density by the fit of the PSF. [nJy]'),
    sa.Column('psf_flux_err', sa.REAL(), autoincrement=False, nullable=True, comment='Standard error of psf_flux. [nJy]'),
    sa.Column('fwhm', sa.REAL(), autoincrement=False, nullable=True, comment='Full width at half maximum of the source; empty where its shape was not measured. [arcsec]'),
    sa.Column('size_excess', sa.REAL(), autoincrement=False, nullable=True, comment='Relative excess in size over the PSF; empty for faint sources.'),
    sa.Column('e1', sa.REAL(), autoincrement=False, nullable=True, comment='First component of the ellipticity over that of the PSF, along x; empty for faint sources.'),
    sa.Column('e2', sa.REAL(), autoincrement=False, nullable=True, comment='Second component of the ellipticity, along the diagonal.'),
    sa.Column('size_excess_err', sa.REAL(), autoincrement=False, nullable=True, comment='Standard error of size_excess.'),
    sa.Column('e1_err', sa.REAL(), autoincrement=False, nullable=True, comment='Standard error of e1.'),
    sa.Column('e2_err', sa.REAL(), autoincrement=False, nullable=True, comment='Standard error of e2.'),
    sa.Column('is_extended', sa.Boolean(), autoincrement=False, nullable=True, comment='Whether the source is larger than a star by more than five standard deviations and 10 %; empty where its shape was not measured.'),
    sa.Column('reduced_chi2', sa.REAL(), autoincrement=False, nullable=True, comment='Reduced chi-square of the core of the fit.'),
    sa.Column('crowding', sa.REAL(), autoincrement=False, nullable=True, comment='Share of neighbours in the light at its place.'),
    sa.Column('flags', sa.Integer(), autoincrement=False, nullable=True, comment='Bits of roman.photometry_flag; a fit of the PSF or of the shape that failed among them.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint("state IN ('new', 'known', 'merged', 'missing')", name=op.f('reference_source_state_check')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('reference_source_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['reference_image_id'], ['roman.reference_image.reference_image_id'], name=op.f('reference_source_reference_image_id_fkey')),
    sa.PrimaryKeyConstraint('reference_image_id', 'object_id', name=op.f('reference_source_pkey')),
    schema='roman',
    comment='Sources found on a reference image: what was measured of each object there, or that it was not found.'
    )
    op.create_index('reference_source_object_idx', 'reference_source', ['object_id'], unique=False, schema='roman')
    op.create_table('difference_image',
    sa.Column('difference_image_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the difference.'),
    sa.Column('reference_image_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Reference image that was subtracted.'),
    sa.Column('exposure_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Exposure from which it was subtracted; empty where that is a reference image.'),
    sa.Column('minuend_reference_image_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Reference image from which it was subtracted; empty where that is an exposure.'),
    sa.Column('kernel_sum', sa.Double(), autoincrement=False, nullable=False, comment='Light of the image over that of the reference.'),
    sa.Column('template_share', sa.Double(), autoincrement=False, nullable=False, comment='Share of the reference in the variance of a pixel without stars.'),
    sa.Column('reduced_chi2', sa.Double(), autoincrement=False, nullable=False, comment='Mean square of the difference over its variance.'),
    sa.Column('fraction_beyond', sa.Double(), autoincrement=False, nullable=False, comment='Share of the pixels beyond five standard deviations.'),
    sa.Column('n_source', sa.Integer(), autoincrement=False, nullable=False, comment='Sources in the difference.'),
    sa.Column('superseded_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When the difference was made again; empty for the current one.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint('(exposure_id IS NULL) <> (minuend_reference_image_id IS NULL)', name=op.f('difference_image_minuend_check')),
    sa.ForeignKeyConstraint(['exposure_id'], ['roman.exposure.exposure_id'], name=op.f('difference_image_exposure_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('difference_image_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['minuend_reference_image_id'], ['roman.reference_image.reference_image_id'], name=op.f('difference_image_minuend_reference_image_id_fkey')),
    sa.ForeignKeyConstraint(['reference_image_id'], ['roman.reference_image.reference_image_id'], name=op.f('difference_image_reference_image_id_fkey')),
    sa.PrimaryKeyConstraint('difference_image_id', name=op.f('difference_image_pkey')),
    schema='roman',
    comment='Differences: an exposure or a reference image less a reference image that was matched to it.'
    )
    op.create_index('difference_image_exposure_idx', 'difference_image', ['exposure_id'], unique=False, schema='roman')
    op.create_index('difference_image_reference_idx', 'difference_image', ['minuend_reference_image_id'], unique=False, schema='roman')
    op.create_table('reference_image_exposure',
    sa.Column('reference_image_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Reference image.'),
    sa.Column('exposure_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Exposure.'),
    sa.Column('file_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='File of the exposure that went in.'),
    sa.Column('is_used', sa.Boolean(), autoincrement=False, nullable=False, comment='Whether the exposure is in the image.'),
    sa.Column('refused', sa.Text(), autoincrement=False, nullable=True, comment='Why it was left out; empty where it is in.'),
    sa.Column('shift_ra', sa.Double(), autoincrement=False, nullable=True, comment='Where the exposure shows the sky less where its WCS says, along right ascension times cos(dec), in the middle; the mean over the image is zero. [mas]'),
    sa.Column('shift_dec', sa.Double(), autoincrement=False, nullable=True, comment='The same along declination. [mas]'),
    sa.Column('shift_ra_err', sa.Double(), autoincrement=False, nullable=True, comment='Standard error of shift_ra. [mas]'),
    sa.Column('shift_dec_err', sa.Double(), autoincrement=False, nullable=True, comment='Standard error of shift_dec. [mas]'),
    sa.Column('sky', sa.Double(), autoincrement=False, nullable=True, comment='Sky that was subtracted, per detector pixel. [nJy]'),
    sa.Column('flux_scale', sa.Double(), autoincrement=False, nullable=True, comment='Light of its stars over that of the image.'),
    sa.Column('fraction_rejected', sa.Double(), autoincrement=False, nullable=True, comment='Share of its pixels that were left out as outliers.'),
    sa.Column('weight', sa.Double(), autoincrement=False, nullable=True, comment='Inverse variance of one of its pixels without stars. [nJy**-2]'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['exposure_id'], ['roman.exposure.exposure_id'], name=op.f('reference_image_exposure_exposure_id_fkey')),
    sa.ForeignKeyConstraint(['file_id'], ['ops.input_file.file_id'], name=op.f('reference_image_exposure_file_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('reference_image_exposure_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['reference_image_id'], ['roman.reference_image.reference_image_id'], name=op.f('reference_image_exposure_reference_image_id_fkey')),
    sa.PrimaryKeyConstraint('reference_image_id', 'exposure_id', name=op.f('reference_image_exposure_pkey')),
    schema='roman',
    comment='Exposures of reference images: which went in, and how each lies on the image. This is the astrometric solution of the exposures.'
    )
    op.create_table('dia_source',
    sa.Column('difference_image_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Difference image.'),
    sa.Column('source_number', sa.Integer(), autoincrement=False, nullable=False, comment='Number of the source in its difference, from 0, by falling significance.'),
    sa.Column('object_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Object at the place; empty where there is none.'),
    sa.Column('midpoint_mjd_tdb', sa.Double(), autoincrement=False, nullable=False, comment='Midpoint of the exposure, or epoch of the reference image, that was compared. [d]'),
    sa.Column('x', sa.Double(), autoincrement=False, nullable=False, comment='Position along x, 0-based pixels of the image from which the reference was subtracted. [pixel]'),
    sa.Column('y', sa.Double(), autoincrement=False, nullable=False, comment='Position along y. [pixel]'),
    sa.Column('ra', sa.Double(), autoincrement=False, nullable=False, comment='Right ascension (ICRS) as seen. [deg]'),
    sa.Column('dec', sa.Double(), autoincrement=False, nullable=False, comment='Declination (ICRS) as seen. [deg]'),
    sa.Column('ra_err', sa.REAL(), autoincrement=False, nullable=True, comment='Standard error of ra, times cos(dec). [mas]'),
    sa.Column('dec_err', sa.REAL(), autoincrement=False, nullable=True, comment='Standard error of dec. [mas]'),
    sa.Column('psf_flux', sa.REAL(), autoincrement=False, nullable=False, comment='Change of the flux density by the fit of the PSF; negative for a loss. [nJy]'),
    sa.Column('psf_flux_err', sa.REAL(), autoincrement=False, nullable=False, comment='Standard error of psf_flux. [nJy]'),
    sa.Column('reduced_chi2', sa.REAL(), autoincrement=False, nullable=True, comment='Reduced chi-square of the core of the fit.'),
    sa.Column('kind', sa.Text(), autoincrement=False, nullable=False, comment='new for a star where none is catalogued; variable at the place of an object; dipole for a gain beside a loss; hit for what has not the shape of a star; edge beside pixels that do not count.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint("kind IN ('new', 'variable', 'dipole', 'hit', 'edge')", name=op.f('dia_source_dia_kind_check')),
    sa.ForeignKeyConstraint(['difference_image_id'], ['roman.difference_image.difference_image_id'], name=op.f('dia_source_difference_image_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('dia_source_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('difference_image_id', 'source_number', name=op.f('dia_source_pkey')),
    schema='roman',
    comment='Sources in difference images: what appeared, brightened, faded or moved.'
    )
    op.create_index('dia_source_object_idx', 'dia_source', ['object_id'], unique=False, schema='roman')
    op.add_column('catalog_version', sa.Column('n_missing', sa.BigInteger(), server_default=sa.text('0'), autoincrement=False, nullable=False, comment='Objects that a reference image should show and does not; they stay in the catalog.'), schema='roman')
    op.drop_constraint(op.f('catalog_version_load_run_id_key'), 'catalog_version', schema='roman', type_='unique')

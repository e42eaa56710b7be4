"""Injections of artificial sources, what was found of them, and how complete and reliable that is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table('injection_run',
    sa.Column('injection_run_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier of the injection.'),
    sa.Column('name', sa.Text(), autoincrement=False, nullable=False, comment='Name of the injection.'),
    sa.Column('inject_medium', sa.Text(), autoincrement=False, nullable=False, comment='What the sources are put into: images, lightcurve or rhie, in the words of the archive.'),
    sa.Column('optical_element', sa.Text(), autoincrement=False, nullable=False, comment='Optical element of the images, to which the fluxes belong.'),
    sa.Column('seed', sa.BigInteger(), autoincrement=False, nullable=False, comment='Seed of the random numbers.'),
    sa.Column('n_source', sa.BigInteger(), autoincrement=False, nullable=False, comment='Number of sources.'),
    sa.Column('parameters', postgresql.JSONB(astext_type=sa.Text()), autoincrement=False, nullable=False, comment='How the sources were laid out, as JSON.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.CheckConstraint("inject_medium IN ('images', 'lightcurve', 'rhie')", name=op.f('injection_run_injection_run_medium_check')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('injection_run_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['optical_element'], ['roman.optical_element.optical_element'], name=op.f('injection_run_optical_element_fkey')),
    sa.PrimaryKeyConstraint('injection_run_id', name=op.f('injection_run_pkey')),
    sa.UniqueConstraint('name', name=op.f('injection_run_name_key')),
    schema='roman',
    comment='Experiments with artificial sources: what is injected, and where.'
    )
    op.create_table('detection_efficiency',
    sa.Column('injection_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Injection.'),
    sa.Column('product', sa.Text(), autoincrement=False, nullable=False, comment='What measured the image, such as forced_photometry or detection.'),
    sa.Column('magnitude_lower', sa.Double(), autoincrement=False, nullable=False, comment='Brightest AB magnitude of the cell. [mag]'),
    sa.Column('magnitude_upper', sa.Double(), autoincrement=False, nullable=False, comment='AB magnitude at which the next cell begins. [mag]'),
    sa.Column('density_lower', sa.Double(), autoincrement=False, nullable=False, comment='Least density of sources of the cell. [arcmin**-2]'),
    sa.Column('density_upper', sa.Double(), autoincrement=False, nullable=False, comment='Density at which the next cell begins. [arcmin**-2]'),
    sa.Column('tp_count', sa.BigInteger(), autoincrement=False, nullable=False, comment='Injected sources of these true magnitudes that were detected.'),
    sa.Column('fn_count', sa.BigInteger(), autoincrement=False, nullable=False, comment='Injected sources of these true magnitudes that were not detected.'),
    sa.Column('measured_count', sa.BigInteger(), autoincrement=False, nullable=False, comment='Detected injected sources of these measured magnitudes.'),
    sa.Column('fp_count', sa.BigInteger(), autoincrement=False, nullable=False, comment='Spurious detections of these measured magnitudes.'),
    sa.Column('completeness', sa.Double(), autoincrement=False, nullable=True, comment='Share of the injected sources that were detected; empty where none was injected.'),
    sa.Column('completeness_lower', sa.Double(), autoincrement=False, nullable=True, comment='Lower limit of completeness by the score interval of Wilson (1927) at 68.27 % confidence.'),
    sa.Column('completeness_upper', sa.Double(), autoincrement=False, nullable=True, comment='Upper limit of completeness by the score interval of Wilson (1927) at 68.27 % confidence.'),
    sa.Column('reliability', sa.Double(), autoincrement=False, nullable=True, comment='Share of what was detected on top of what had been there that was injected; empty where nothing was.'),
    sa.Column('reliability_lower', sa.Double(), autoincrement=False, nullable=True, comment='Lower limit of reliability by the score interval of Wilson (1927) at 68.27 % confidence.'),
    sa.Column('reliability_upper', sa.Double(), autoincrement=False, nullable=True, comment='Upper limit of reliability by the score interval of Wilson (1927) at 68.27 % confidence.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['injection_run_id'], ['roman.injection_run.injection_run_id'], name=op.f('detection_efficiency_injection_run_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('detection_efficiency_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('injection_run_id', 'product', 'magnitude_lower', 'density_lower', name=op.f('detection_efficiency_pkey')),
    schema='roman',
    comment='Completeness and reliability of an injection by cells of magnitude and density of sources.'
    )
    op.create_table('injected_source',
    sa.Column('injection_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Injection.'),
    sa.Column('injected_source_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Number of the source in its injection.'),
    sa.Column('object_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Object whose light curve was changed; empty for a source of its own.'),
    sa.Column('kind', sa.Text(), autoincrement=False, nullable=False, comment='star, galaxy, or the kind of event.'),
    sa.Column('ra', sa.Double(), autoincrement=False, nullable=False, comment='Right ascension (ICRS) at which the source is seen. [deg]'),
    sa.Column('dec', sa.Double(), autoincrement=False, nullable=False, comment='Declination (ICRS) at which the source is seen. [deg]'),
    sa.Column('true_flux', sa.Double(), autoincrement=False, nullable=False, comment='Flux density that was injected. [nJy]'),
    sa.Column('model', postgresql.JSONB(astext_type=sa.Text()), autoincrement=False, nullable=True, comment='Parameters of the profile or of the event as JSON: of a galaxy sersic_n, half_light_radius (arcsec, circularised), axis_ratio and position_angle (deg, north through east).'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['injection_run_id'], ['roman.injection_run.injection_run_id'], name=op.f('injected_source_injection_run_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('injected_source_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('injection_run_id', 'injected_source_id', name=op.f('injected_source_pkey')),
    schema='roman',
    comment='Artificial sources.'
    )
    op.create_table('injection_image',
    sa.Column('injection_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Injection.'),
    sa.Column('image_number', sa.Integer(), autoincrement=False, nullable=False, comment='Number of the image in its injection, from 0.'),
    sa.Column('level', sa.Integer(), autoincrement=False, nullable=False, comment='Level of the product: 2 for an exposure, 3 for a mosaic.'),
    sa.Column('exposure_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Exposure to which the sources were added, of an image of level 2.'),
    sa.Column('source_path', sa.Text(), autoincrement=False, nullable=False, comment='File to which the sources were added.'),
    sa.Column('path', sa.Text(), autoincrement=False, nullable=False, comment='File with the sources.'),
    sa.Column('n_inside', sa.Integer(), autoincrement=False, nullable=False, comment='Number of sources whose centres are on its pixels.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['injection_run_id'], ['roman.injection_run.injection_run_id'], name=op.f('injection_image_injection_run_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('injection_image_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('injection_run_id', 'image_number', name=op.f('injection_image_pkey')),
    schema='roman',
    comment='Images with artificial sources.'
    )
    op.create_table('injection_recovery',
    sa.Column('injection_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Injection.'),
    sa.Column('product', sa.Text(), autoincrement=False, nullable=False, comment='What measured the image, such as forced_photometry or detection.'),
    sa.Column('image_number', sa.Integer(), autoincrement=False, nullable=False, comment='Image of the injection.'),
    sa.Column('injected_source_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Artificial source.'),
    sa.Column('is_detected', sa.Boolean(), autoincrement=False, nullable=False, comment='Whether a measured source is this one and nothing that had been measured without it.'),
    sa.Column('distance', sa.Double(), autoincrement=False, nullable=True, comment='Distance of the measured source from the place of injection; empty where nothing was detected. [mas]'),
    sa.Column('measured_flux', sa.Double(), autoincrement=False, nullable=True, comment='Flux density of the measured source; empty where nothing was detected. [nJy]'),
    sa.Column('measured_flux_err', sa.Double(), autoincrement=False, nullable=True, comment='Standard error of measured_flux. [nJy]'),
    sa.Column('density', sa.Double(), autoincrement=False, nullable=False, comment='Sources around the place of injection that had been measured without it, per area of the sky. [arcmin**-2]'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['injection_run_id'], ['roman.injection_run.injection_run_id'], name=op.f('injection_recovery_injection_run_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('injection_recovery_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('injection_run_id', 'product', 'image_number', 'injected_source_id', name=op.f('injection_recovery_pkey')),
    schema='roman',
    comment='What was found of artificial sources: one row a source, image and kind of measurement.'
    )
    op.create_table('spurious_detection',
    sa.Column('injection_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Injection.'),
    sa.Column('product', sa.Text(), autoincrement=False, nullable=False, comment='What measured the image, such as forced_photometry or detection.'),
    sa.Column('image_number', sa.Integer(), autoincrement=False, nullable=False, comment='Image of the injection.'),
    sa.Column('spurious_number', sa.Integer(), autoincrement=False, nullable=False, comment='Number of the source in its image and product.'),
    sa.Column('ra', sa.Double(), autoincrement=False, nullable=False, comment='Measured right ascension (ICRS). [deg]'),
    sa.Column('dec', sa.Double(), autoincrement=False, nullable=False, comment='Measured declination (ICRS). [deg]'),
    sa.Column('measured_flux', sa.Double(), autoincrement=False, nullable=False, comment='Measured flux density. [nJy]'),
    sa.Column('measured_flux_err', sa.Double(), autoincrement=False, nullable=True, comment='Standard error of measured_flux. [nJy]'),
    sa.Column('density', sa.Double(), autoincrement=False, nullable=False, comment='Sources around it that had been measured without the injection, per area of the sky. [arcmin**-2]'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['injection_run_id'], ['roman.injection_run.injection_run_id'], name=op.f('spurious_detection_injection_run_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('spurious_detection_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('injection_run_id', 'product', 'image_number', 'spurious_number', name=op.f('spurious_detection_pkey')),
    schema='roman',
    comment='Sources measured in images with artificial sources that are none of these and had not been there without them.'
    )

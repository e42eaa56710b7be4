"""Spectra of any telescope, their redshifts and lines.

Revision: 0056, after 0055
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0056'
down_revision = '0055'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table('redshift_flag',
    sa.Column('bit', sa.SmallInteger(), autoincrement=False, nullable=False, comment='Number of the bit, from 0.'),
    sa.Column('name', sa.Text(), autoincrement=False, nullable=False, comment='Name of the flag.'),
    sa.Column('description', sa.Text(), autoincrement=False, nullable=False, comment='What it says of a redshift.'),
    sa.PrimaryKeyConstraint('bit', name=op.f('redshift_flag_pkey')),
    schema='roman',
    comment='Meaning of the bits of roman.redshift.warning.'
    )
    op.create_table('spectrum',
    sa.Column('spectrum_id', sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False, comment='Identifier.'),
    sa.Column('object_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Nearest object within the radius of the command that loaded it; empty where there is none, or no position.'),
    sa.Column('spectrum_name', sa.Text(), autoincrement=False, nullable=False, comment='What the file calls it; a number follows where several spectra have one name.'),
    sa.Column('file_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='File that it was read from.'),
    sa.Column('ra', sa.Double(), autoincrement=False, nullable=True, comment='Right ascension (ICRS) as the file states it. [deg]'),
    sa.Column('dec', sa.Double(), autoincrement=False, nullable=True, comment='Declination (ICRS) as the file states it. [deg]'),
    sa.Column('n_pixel', sa.Integer(), autoincrement=False, nullable=False, comment='Number of pixels.'),
    sa.Column('wavelength', postgresql.ARRAY(sa.Double()), autoincrement=False, nullable=False, comment='Wavelength of each pixel, in vacuum, ascending. [um]'),
    sa.Column('flux', postgresql.ARRAY(sa.REAL()), autoincrement=False, nullable=False, comment='Flux density of each pixel by wavelength; NaN where there is none. Where flux_is_absolute is false, its scale is not known. [10**-20.W.m**-2.um**-1]'),
    sa.Column('flux_err', postgresql.ARRAY(sa.REAL()), autoincrement=False, nullable=False, comment='Standard error of flux; NaN where there is none. [10**-20.W.m**-2.um**-1]'),
    sa.Column('mask', postgresql.ARRAY(sa.SmallInteger()), autoincrement=False, nullable=False, comment='1 for each pixel that the file says is bad, else 0.'),
    sa.Column('resolution', postgresql.ARRAY(sa.REAL()), autoincrement=False, nullable=True, comment='Resolving power of each pixel, wavelength by FWHM of the line-spread function; empty where not known.'),
    sa.Column('flux_is_absolute', sa.Boolean(), autoincrement=False, nullable=False, comment='Whether the file states a unit of flux density.'),
    sa.Column('superseded_at', sa.TIMESTAMP(timezone=True), autoincrement=False, nullable=True, comment='When a later version of the file replaced it; empty while it is current.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['file_id'], ['ops.input_file.file_id'], name=op.f('spectrum_file_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('spectrum_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['object_id'], ['roman.object.object_id'], name=op.f('spectrum_object_id_fkey')),
    sa.PrimaryKeyConstraint('spectrum_id', name=op.f('spectrum_pkey')),
    schema='roman',
    comment='Spectra in one dimension, of any telescope, as their files have them: one row a spectrum. What is current has no superseded_at.'
    )
    op.create_index('spectrum_file_idx', 'spectrum', ['file_id'], unique=False, schema='roman')
    op.create_index('spectrum_object_idx', 'spectrum', ['object_id'], unique=False, schema='roman')
    op.create_table('redshift',
    sa.Column('spectrum_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Spectrum.'),
    sa.Column('z', sa.Double(), autoincrement=False, nullable=True, comment='Best redshift (vacuum, as observed, no correction for the motion of the Earth); empty where nothing was fitted, as are all values but n_pixel, warning and reason.'),
    sa.Column('z_err', sa.Double(), autoincrement=False, nullable=True, comment='Standard error of z, if the best minimum is the right one.'),
    sa.Column('class_name', sa.Text(), autoincrement=False, nullable=True, comment='GALAXY, STAR or QSO.'),
    sa.Column('subclass', sa.Text(), autoincrement=False, nullable=True, comment='Template that gives the most light; T and kelvins of stars.'),
    sa.Column('reliability', sa.Double(), autoincrement=False, nullable=True, comment='Probability that z is right to 0.003 (1 + z) and the class, too.'),
    sa.Column('warning', sa.Integer(), autoincrement=False, nullable=False, comment='Bits of roman.redshift_flag.'),
    sa.Column('reason', sa.Text(), autoincrement=False, nullable=True, comment='Why nothing was fitted; empty where something was.'),
    sa.Column('probability', sa.Double(), autoincrement=False, nullable=True, comment='Share of the best minimum in the evidence of all minima of all classes.'),
    sa.Column('chi2', sa.Double(), autoincrement=False, nullable=True, comment='Chi-square of the best minimum, with the priors of what is fitted.'),
    sa.Column('chi2_scale', sa.Double(), autoincrement=False, nullable=True, comment='Chi-square by degree of freedom, at least 1: probabilities and errors allow for it.'),
    sa.Column('delta_chi2', sa.Double(), autoincrement=False, nullable=True, comment='How much larger chi-square is in the next minimum of the class, over chi2_scale.'),
    sa.Column('n_pixel', sa.Integer(), autoincrement=False, nullable=False, comment='Pixels that were used.'),
    sa.Column('quantile', postgresql.ARRAY(sa.REAL()), autoincrement=False, nullable=True, comment='Quantiles of the redshift within the class, at probabilities 0.005, 0.015 ... 0.995.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('redshift_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['spectrum_id'], ['roman.spectrum.spectrum_id'], name=op.f('redshift_spectrum_id_fkey')),
    sa.PrimaryKeyConstraint('spectrum_id', name=op.f('redshift_pkey')),
    schema='roman',
    comment='Redshift and class of each spectrum, one row a spectrum, also where nothing could be fitted. Those of spectra that are superseded stay.'
    )
    op.create_index('redshift_z_idx', 'redshift', ['z'], unique=False, schema='roman')
    op.create_table('redshift_alternative',
    sa.Column('spectrum_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Spectrum.'),
    sa.Column('rank', sa.SmallInteger(), autoincrement=False, nullable=False, comment='2 for the next after that of roman.redshift, and so on.'),
    sa.Column('class_name', sa.Text(), autoincrement=False, nullable=False, comment='GALAXY, STAR or QSO.'),
    sa.Column('subclass', sa.Text(), autoincrement=False, nullable=False, comment='Template that gives the most light.'),
    sa.Column('z', sa.Double(), autoincrement=False, nullable=False, comment='Redshift.'),
    sa.Column('z_err', sa.Double(), autoincrement=False, nullable=False, comment='Standard error of z.'),
    sa.Column('probability', sa.Double(), autoincrement=False, nullable=False, comment='Share of this minimum in the evidence of all.'),
    sa.Column('chi2', sa.Double(), autoincrement=False, nullable=False, comment='Chi-square, with the priors of what is fitted.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('redshift_alternative_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['spectrum_id'], ['roman.spectrum.spectrum_id'], name=op.f('redshift_alternative_spectrum_id_fkey')),
    sa.PrimaryKeyConstraint('spectrum_id', 'rank', name=op.f('redshift_alternative_pkey')),
    schema='roman',
    comment='Other redshifts that a spectrum may have, the likelier first: minima of chi-square in all classes.'
    )
    op.create_table('line_measurement',
    sa.Column('spectrum_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Spectrum.'),
    sa.Column('line_name', sa.Text(), autoincrement=False, nullable=False, comment='Name of the line; of doublets with a fixed ratio, of the stronger one.'),
    sa.Column('wavelength', sa.Double(), autoincrement=False, nullable=False, comment='Wavelength at rest, in vacuum. [um]'),
    sa.Column('line_flux', sa.REAL(), autoincrement=False, nullable=False, comment='Flux; negative where noise is. Its scale is that of roman.spectrum.flux. [10**-20.W.m**-2]'),
    sa.Column('line_flux_err', sa.REAL(), autoincrement=False, nullable=False, comment='Standard error of line_flux, from the fit of all lines together. [10**-20.W.m**-2]'),
    sa.Column('line_flux_limit', sa.REAL(), autoincrement=False, nullable=True, comment='Three standard errors, where the line is not as strong; else empty. [10**-20.W.m**-2]'),
    sa.Column('equivalent_width', sa.REAL(), autoincrement=False, nullable=True, comment='Equivalent width at rest, emission positive; empty where the continuum is not above 0. [um]'),
    sa.Column('equivalent_width_err', sa.REAL(), autoincrement=False, nullable=True, comment='Standard error of equivalent_width for a known continuum. [um]'),
    sa.Column('snr', sa.REAL(), autoincrement=False, nullable=False, comment='line_flux over line_flux_err.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('line_measurement_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['spectrum_id'], ['roman.spectrum.spectrum_id'], name=op.f('line_measurement_spectrum_id_fkey')),
    sa.PrimaryKeyConstraint('spectrum_id', 'line_name', name=op.f('line_measurement_pkey')),
    schema='roman',
    comment='Lines of galaxies and QSOs at their best redshift, one row a line within the spectrum, whether it is seen or not.'
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table('line_measurement', schema='roman')
    op.drop_table('redshift_alternative', schema='roman')
    op.drop_table('redshift', schema='roman')
    op.drop_table('spectrum', schema='roman')
    op.drop_table('redshift_flag', schema='roman')

"""The shape of the PSF of a reference image at places over it, what it follows from, and how good it is."""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is stored of PSFs of images; a moment of the library that is stored did not fail."""
    op.create_table('reference_psf_moment',
    sa.Column('reference_image_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Reference image.'),
    sa.Column('place_number', sa.SmallInteger(), autoincrement=False, nullable=False, comment='Number of the place, row by row from pixel (0, 0): 0 to 24, 12 is the middle of the image.'),
    sa.Column('x', sa.Double(), autoincrement=False, nullable=False, comment='Column of the place, 0-based in the pixels of the image. [pixel]'),
    sa.Column('y', sa.Double(), autoincrement=False, nullable=False, comment='Row of the place, 0-based in the pixels of the image. [pixel]'),
    sa.Column('ra', sa.Double(), autoincrement=False, nullable=False, comment='Right ascension (ICRS) of the place. [deg]'),
    sa.Column('dec', sa.Double(), autoincrement=False, nullable=False, comment='Declination (ICRS) of the place. [deg]'),
    sa.Column('psf_flags', sa.SmallInteger(), autoincrement=False, nullable=False, comment='Sum of 1 where the adaptive moments did not converge (sigma, e1, e2 and all higher moments are empty) and 2 where the PSF does not fall to half of its maximum (fwhm is empty); 0 where all was measured.'),
    sa.Column('fwhm', sa.Double(), autoincrement=False, nullable=True, comment='Full width at half maximum. [arcsec]'),
    sa.Column('sigma', sa.Double(), autoincrement=False, nullable=True, comment='Adaptive-moment size: fourth root of the determinant of the second moments. [arcsec]'),
    sa.Column('e1', sa.Double(), autoincrement=False, nullable=True, comment='Ellipticity along the axes, (Mxx - Myy) / (Mxx + Myy).'),
    sa.Column('e2', sa.Double(), autoincrement=False, nullable=True, comment='Ellipticity along the diagonals, 2 Mxy / (Mxx + Myy).'),
    sa.Column('m30', sa.Double(), autoincrement=False, nullable=True, comment='Standardised third moment, 3 times in x and 0 times in y, in the frame where the adaptive second moments are one.'),
    sa.Column('m21', sa.Double(), autoincrement=False, nullable=True, comment='Standardised third moment, 2 times in x and 1 times in y, in the frame where the adaptive second moments are one.'),
    sa.Column('m12', sa.Double(), autoincrement=False, nullable=True, comment='Standardised third moment, 1 times in x and 2 times in y, in the frame where the adaptive second moments are one.'),
    sa.Column('m03', sa.Double(), autoincrement=False, nullable=True, comment='Standardised third moment, 0 times in x and 3 times in y, in the frame where the adaptive second moments are one.'),
    sa.Column('m40', sa.Double(), autoincrement=False, nullable=True, comment='Standardised fourth moment, 4 times in x and 0 times in y, in the frame where the adaptive second moments are one.'),
    sa.Column('m31', sa.Double(), autoincrement=False, nullable=True, comment='Standardised fourth moment, 3 times in x and 1 times in y, in the frame where the adaptive second moments are one.'),
    sa.Column('m22', sa.Double(), autoincrement=False, nullable=True, comment='Standardised fourth moment, 2 times in x and 2 times in y, in the frame where the adaptive second moments are one.'),
    sa.Column('m13', sa.Double(), autoincrement=False, nullable=True, comment='Standardised fourth moment, 1 times in x and 3 times in y, in the frame where the adaptive second moments are one.'),
    sa.Column('m04', sa.Double(), autoincrement=False, nullable=True, comment='Standardised fourth moment, 0 times in x and 4 times in y, in the frame where the adaptive second moments are one.'),
    sa.Column('noise_equivalent_area', sa.Double(), autoincrement=False, nullable=True, comment='Noise-equivalent area: one over the sum of the squared pixel fractions. [arcsec**2]'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('reference_psf_moment_load_run_id_fkey')),
    sa.ForeignKeyConstraint(['reference_image_id'], ['roman.reference_image.reference_image_id'], name=op.f('reference_psf_moment_reference_image_id_fkey')),
    sa.PrimaryKeyConstraint('reference_image_id', 'place_number', name=op.f('reference_psf_moment_pkey')),
    schema='roman',
    comment='Moments of the PSF of a reference image to fourth order at places spread evenly over it, which are the same on all images of a frame; what failed is empty and flagged.'
    )
    op.add_column('quality_metric', sa.Column('reference_image_id', sa.BigInteger(), autoincrement=False, nullable=True, comment='Reference image that was measured.'), schema='ops')
    op.create_unique_constraint(op.f('quality_metric_reference_image_id_metric_key'), 'quality_metric', ['reference_image_id', 'metric'], schema='ops')
    op.create_foreign_key(op.f('quality_metric_reference_image_id_fkey'), 'quality_metric', 'reference_image', ['reference_image_id'], ['reference_image_id'], source_schema='ops', referent_schema='roman')
    op.create_table_comment(
        'quality_metric',
        'Measured quality of an exposure, a block, a PSF, a reference image or a run, with the limits in force; a metric of one of the first four that is measured again replaces what was measured before.',
        existing_comment='Measured quality of an exposure, a block, a PSF or a run, with the limits in force; a metric of one of the first three that is measured again replaces what was measured before.',
        schema='ops'
    )
    op.add_column('psf_moment', sa.Column('psf_flags', sa.SmallInteger(), autoincrement=False, nullable=False, server_default='0', comment='Sum of 1 where the adaptive moments did not converge (sigma, e1, e2 and all higher moments are empty) and 2 where the PSF does not fall to half of its maximum (fwhm is empty); 0 where all was measured.'), schema='roman')
    op.alter_column('psf_moment', 'psf_flags', server_default=None, schema='roman')
    op.add_column('reference_image', sa.Column('psf_n_star', sa.Integer(), autoincrement=False, nullable=True, comment='Stars of all PSFs of the library that its own follows from; 0 where that of the optics served, empty for images that are older than this column, as in the next four.'), schema='roman')
    op.add_column('reference_image', sa.Column('psf_reduced_chi2', sa.REAL(), autoincrement=False, nullable=True, comment='Goodness of fit of these PSFs, mean over the exposures; empty where that of the optics served.'), schema='roman')
    op.add_column('reference_image', sa.Column('psf_residual_fraction', sa.REAL(), autoincrement=False, nullable=True, comment='What these PSFs leave of the cores of bright stars over their light, mean over the exposures of which it is known.'), schema='roman')
    op.add_column('reference_image', sa.Column('psf_fraction_optics', sa.REAL(), autoincrement=False, nullable=True, comment='Fraction of the exposures that are in it by the PSF of the optics: no fit to stars within 30 days was good.'), schema='roman')
    op.add_column('reference_image', sa.Column('psf_fraction_other_day', sa.REAL(), autoincrement=False, nullable=True, comment='Fraction of the exposures that the PSF of another day serves: the fit of their own failed, or is not good.'), schema='roman')
    op.alter_column('reference_image', 'psf_fwhm',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               comment='Full width at half maximum of its PSF in the middle; elsewhere see roman.reference_psf_moment. [arcsec]',
               existing_comment='Full width at half maximum of its PSF. [arcsec]',
               existing_nullable=True,
               schema='roman')


def downgrade() -> None:
    """Go back; what is stored of PSFs of images is lost, and computed again when they are made again."""
    op.alter_column('reference_image', 'psf_fwhm',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               comment='Full width at half maximum of its PSF. [arcsec]',
               schema='roman')
    for name in ('n_star', 'reduced_chi2', 'residual_fraction', 'fraction_optics', 'fraction_other_day'):
        op.drop_column('reference_image', f'psf_{name}', schema='roman')
    op.drop_column('psf_moment', 'psf_flags', schema='roman')
    op.execute("DELETE FROM ops.quality_metric WHERE reference_image_id IS NOT NULL")
    op.drop_column('quality_metric', 'reference_image_id', schema='ops')
    op.create_table_comment(
        'quality_metric',
        'Measured quality of an exposure, a block, a PSF or a run, with the limits in force; a metric of one of the first three that is measured again replaces what was measured before.',
        schema='ops'
    )
    op.drop_table('reference_psf_moment', schema='roman')

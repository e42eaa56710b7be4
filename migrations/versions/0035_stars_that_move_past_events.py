"""Events: the stars that move past their places, and their passages.

Revision: 0035, after 0034, 2026-11-27 07:09:14.246104
"""

import sqlalchemy as sa
from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what moves there."""
    op.add_column('event', sa.Column('mover_pm', sa.Double(), nullable=True, comment='Proper motion of the star at the place of the object whose passage explains the light curve best: the object itself, or a neighbour against it. Empty where nothing moves by 10 mas/yr for certain, or delta_chi2 is too low. [mas/yr]'), schema='roman')
    op.add_column('event', sa.Column('mover_pm_err', sa.Double(), nullable=True, comment='Standard error of mover_pm. [mas/yr]'), schema='roman')
    op.add_column('event', sa.Column('mover_distance', sa.Double(), nullable=True, comment='Catalogued distance of that star from the object; 0 for the object itself. [arcsec]'), schema='roman')
    op.add_column('event', sa.Column('mover_gain', sa.Double(), nullable=True, comment='By how much chi-square of its passage is lower than that of a single lens; below zero where the lens is better.'), schema='roman')
    op.alter_column('event', 'classification',
               existing_type=sa.TEXT(),
               comment='Of events what the first of their models is: single_lens, binary_lens, binary_source, or anomalous, a single lens that leaves something out; of others why they were refused: too_weak, few_points, one_element, erratic, step, hump, trend, moving_star, outburst, periodic, red_noise, variable, fit_failed, shared, beside_stronger; or not_found in a later run.',
               existing_comment='Of events what the first of their models is: single_lens, binary_lens, binary_source, or anomalous, a single lens that leaves something out; of others why they were refused: too_weak, few_points, one_element, erratic, step, hump, trend, outburst, periodic, variable, fit_failed, shared; or not_found in a later run.',
               existing_nullable=False,
               schema='roman')
    op.alter_column('event', 'delta_chi2',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               comment='Fall of chi-square with a single lens, errors scaled to those of neighbouring points; empty without a fit, as where few_points is plain from the search.',
               existing_comment='Fall of chi-square with a single lens, errors scaled to those of neighbouring points; empty without a fit.',
               existing_nullable=True,
               schema='roman')


def downgrade() -> None:
    """Say what was said before, without what moves."""
    op.alter_column('event', 'classification',
               existing_type=sa.TEXT(),
               comment='Of events what the first of their models is: single_lens, binary_lens, binary_source, or anomalous, a single lens that leaves something out; of others why they were refused: too_weak, few_points, one_element, erratic, step, hump, trend, outburst, periodic, variable, fit_failed, shared; or not_found in a later run.',
               existing_comment='Of events what the first of their models is: single_lens, binary_lens, binary_source, or anomalous, a single lens that leaves something out; of others why they were refused: too_weak, few_points, one_element, erratic, step, hump, trend, moving_star, outburst, periodic, red_noise, variable, fit_failed, shared, beside_stronger; or not_found in a later run.',
               existing_nullable=False,
               schema='roman')
    op.alter_column('event', 'delta_chi2',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               comment='Fall of chi-square with a single lens, errors scaled to those of neighbouring points; empty without a fit.',
               existing_comment='Fall of chi-square with a single lens, errors scaled to those of neighbouring points; empty without a fit, as where few_points is plain from the search.',
               existing_nullable=True,
               schema='roman')
    for column in ('mover_gain', 'mover_distance', 'mover_pm_err', 'mover_pm'):
        op.drop_column('event', column, schema='roman')

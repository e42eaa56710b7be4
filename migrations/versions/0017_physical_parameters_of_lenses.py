"""Physical parameters of lenses, and covariances of the models that they follow from.

Revision: 0017, after 0016, 2026-11-26 17:14:03.771750
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move the database forward."""
    op.create_table('event_physical',
    sa.Column('event_model_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Model.'),
    sa.Column('status', sa.Text(), autoincrement=False, nullable=False, comment='What was measured: mass_measured (with the distance), theta_e_measured, parallax_measured, or prior_only, where only the Galaxy says what the lens may be. Nothing follows if it is not_converged, no_time_scale, or not_expected, where the Galaxy has no lens that does it.'),
    sa.Column('source_status', sa.Text(), autoincrement=False, nullable=False, comment='Angular radius of the source: measured, no_flux (in F146), no_colour, no_extinction (its cell has none), colour_out_of_range, not_tried.'),
    sa.Column('rho_status', sa.Text(), autoincrement=False, nullable=False, comment='Size of the source in Einstein radii: measured (three errors), upper_limit, undetermined, not_fitted, not_tried.'),
    sa.Column('parallax_status', sa.Text(), autoincrement=False, nullable=False, comment='Microlensing parallax: measured (three errors of two parameters, and its size to a third), partly_measured (it is there, but its size is not determined), consistent_with_zero, undetermined, not_fitted, not_tried.'),
    sa.Column('prior_status', sa.Text(), autoincrement=False, nullable=False, comment='What the Galaxy expects: done, not_expected (it has no such lens, which makes measurements doubtful), not_tried.'),
    sa.Column('blend_status', sa.Text(), autoincrement=False, nullable=False, comment='Blend in F146: positive, consistent_with_zero, negative (three errors), unknown, not_measured, not_tried.'),
    sa.Column('colour', sa.Text(), autoincrement=False, nullable=True, comment='Optical elements whose colour the angular radius is of; empty without one.'),
    sa.Column('delta_chi2', sa.Double(), autoincrement=False, nullable=False, comment='Chi-square of the model less that of the first of its event.'),
    sa.Column('has_covariance', sa.Boolean(), autoincrement=False, nullable=False, comment='Whether parameters and fluxes were drawn with their covariance; if not, apart from one another.'),
    sa.Column('seed', sa.BigInteger(), autoincrement=False, nullable=False, comment='Seed of the draws.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['event_model_id'], ['roman.event_model.event_model_id'], name=op.f('event_physical_event_model_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('event_physical_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('event_model_id', name=op.f('event_physical_pkey')),
    schema='roman',
    comment='What of source and lens follows from models of events: one row a model that describes its event as well as the first does, also where nothing follows. The quantities are in roman.event_physical_parameter.'
    )
    op.create_table('event_physical_parameter',
    sa.Column('event_model_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Model.'),
    sa.Column('name', sa.Text(), autoincrement=False, nullable=False, comment='thetaE, mu_rel, Mtot, M1, M2, D_L, D_S, piE and so on: docs/scientist/lens_physics.md lists them.'),
    sa.Column('method', sa.Text(), autoincrement=False, nullable=False, comment='measured; assumed, of the distance of the source, which bulge stars have; prior, what the Galaxy expects; limit.'),
    sa.Column('value', sa.Double(), autoincrement=False, nullable=True, comment='Median; empty of limits.'),
    sa.Column('lower', sa.Double(), autoincrement=False, nullable=True, comment='16th percentile, or a lower limit; empty of upper limits.'),
    sa.Column('upper', sa.Double(), autoincrement=False, nullable=True, comment='84th percentile, or an upper limit; empty of lower limits.'),
    sa.Column('confidence', sa.Double(), autoincrement=False, nullable=False, comment='Probability of the interval, or of the allowed side of the limit.'),
    sa.Column('unit', sa.Text(), autoincrement=False, nullable=True, comment='Unit; empty if there is none.'),
    sa.Column('load_run_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Run that wrote this row.'),
    sa.ForeignKeyConstraint(['event_model_id'], ['roman.event_physical.event_model_id'], name=op.f('event_physical_parameter_event_model_id_fkey')),
    sa.ForeignKeyConstraint(['load_run_id'], ['ops.load_run.load_run_id'], name=op.f('event_physical_parameter_load_run_id_fkey')),
    sa.PrimaryKeyConstraint('event_model_id', 'name', 'method', name=op.f('event_physical_parameter_pkey')),
    schema='roman',
    comment='Quantities of source and lens that follow from models of events, by the names of microlens-submit where it has one, with intervals or limits.'
    )
    op.add_column('event_model', sa.Column('covariance_of', sa.Text(), autoincrement=False, nullable=True, comment='What covariance is of, in its order, with blanks between: names of parameters, and fluxes as F146_1 of the first source and F146_0 of the blend. Empty if it is not known.'), schema='roman')
    op.add_column('event_model', sa.Column('covariance', postgresql.ARRAY(sa.Double()), autoincrement=False, nullable=True, comment='Covariance of parameters and fluxes, row by row, in the units of roman.event_model_parameter and nJy.'), schema='roman')
    op.add_column('event_model_flux', sa.Column('flux_err', sa.Double(), autoincrement=False, nullable=True, comment='Standard error of flux, all parameters being fitted with it; empty if it is not known. [nJy]'), schema='roman')

"""Models of lenses and sources that move: what the columns of models say now.

Revision: 0032, after 0031, 2026-11-27 04:31:00
"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None

#: Table, column, type, whether it may be empty, comment before and after.
COMMENTS = (
    ('event_model', 'rank', sa.SMALLINT(), False,
     'Place among the models of the event, from 1: by bic, to which 10 is added for two sources, 20 for two lenses and 10 without parallax, which itself costs what its prior says and no parameters.',
     'Place among the models of the event, from 1: by bic, to which 10 is added for two sources or one that a companion moves, 20 for two lenses and 10 without parallax, which itself costs what its prior says and no parameters, and what the prior of orbital motion says.'),
    ('event_model', 'name', sa.TEXT(), False,
     'Kind of the model: 1L1S, 1L1S_finite, 1L2S or 2L1S, with parallax where _parallax follows. One kind may be there several times: solutions that differ.',
     'Kind of the model: 1L1S, 1L1S_finite, 1L1S_xallarap (a dark companion moves the source), 1L2S, 2L1S or 2L1S_orbital_motion (the lenses turn), with parallax where _parallax follows. One kind may be there several times: solutions that differ.'),
    ('event_model', 't_0_par', sa.DOUBLE_PRECISION(precision=53), True,
     'Reference time of parallax, BJD TDB; empty without. [d]',
     'Reference time of parallax, BJD TDB, and of orbital motion (t_0_kep) and xallarap (t_0_xi) of models that have them; empty without. [d]'),
    ('event_model_parameter', 'name', sa.TEXT(), False,
     't_0 (BJD TDB), u_0, t_E, rho, s, q, alpha, pi_E_N, pi_E_E and so on.',
     't_0 (BJD TDB), u_0, t_E, rho, s, q, alpha, ds_dt, dalpha_dt, xi_period, pi_E_N, pi_E_E and so on.'),
)


def upgrade() -> None:
    """Say what models there are."""
    for table, column, kind, nullable, before, after in COMMENTS:
        _comment((table, column), kind, nullable, (before, after))


def downgrade() -> None:
    """Say what was said before."""
    for table, column, kind, nullable, before, after in COMMENTS:
        _comment((table, column), kind, nullable, (after, before))


def _comment(place, kind, nullable, change) -> None:
    (table, column), (old, new) = place, change
    op.alter_column(
        table, column, existing_type=kind, existing_nullable=nullable, existing_comment=old, comment=new,
        schema='roman',
    )

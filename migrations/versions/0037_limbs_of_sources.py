"""How dark the limbs of sources are in models of events.

Revision: 0037, after 0036, 2026-11-27 10:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None

COMMENT = 'Linear limb darkening u of the source, whose surface brightness is 1 - u (1 - cos θ); empty of the blend and of sources that are points.'


def upgrade() -> None:
    """Add the column; all models so far had the coefficients of one table."""
    op.add_column('event_model_flux', sa.Column('limb_darkening', sa.Double(), nullable=True, comment=COMMENT), schema='roman')
    op.execute("""
        UPDATE roman.event_model_flux AS f
        SET limb_darkening = CASE optical_element WHEN 'F087' THEN 0.45 WHEN 'F213' THEN 0.25 ELSE 0.33 END
        FROM roman.event_model AS m
        WHERE m.event_model_id = f.event_model_id AND m.has_finite_source AND f.source_number > 0
    """)


def downgrade() -> None:
    """Forget it."""
    op.drop_column('event_model_flux', 'limb_darkening', schema='roman')

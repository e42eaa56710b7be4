"""When, for how long and with what spectra were observed.

Revision: 0057, after 0056
"""

import sqlalchemy as sa
from alembic import op

revision = '0057'
down_revision = '0056'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, empty: spectra that are loaded again with --refit fill them."""
    op.add_column('spectrum', sa.Column('facility_name', sa.Text(), autoincrement=False, nullable=True, comment='Telescope as the file states it; empty where it does not.'), schema='roman')
    op.add_column('spectrum', sa.Column('instrument_name', sa.Text(), autoincrement=False, nullable=True, comment='Instrument as the file states it; empty where it does not.'), schema='roman')
    op.add_column('spectrum', sa.Column('start_mjd_utc', sa.Double(), autoincrement=False, nullable=True, comment='Begin of the observation, MJD (UTC), as the file states it; empty where it does not. [d]'), schema='roman')
    op.add_column('spectrum', sa.Column('end_mjd_utc', sa.Double(), autoincrement=False, nullable=True, comment='End of the observation, MJD (UTC): as the file states it, else the begin and the exposure time. [d]'), schema='roman')
    op.add_column('spectrum', sa.Column('exposure_time', sa.Double(), autoincrement=False, nullable=True, comment='Exposure time as the file states it; empty where it does not. [s]'), schema='roman')


def downgrade() -> None:
    """Forget them."""
    for name in ('exposure_time', 'end_mjd_utc', 'start_mjd_utc', 'instrument_name', 'facility_name'):
        op.drop_column('spectrum', name, schema='roman')

"""Cut-outs of spectra, and the wavelengths from which geometries count.

Revision: 0065, after 0064
"""

import sqlalchemy as sa
from alembic import op

revision = '0065'
down_revision = '0064'
branch_labels = None
depends_on = None

_COLUMNS = (
    ('reference_wavelength', sa.Double(), 'Wavelength from which the geometry counts; empty where it has none. [um]'),
    ('cutout_path', sa.Text(), 'File (Parquet) of the 2D cut-outs of its spectra; empty where there are none, or another extraction took its place.'),
    ('cutout_sha256', sa.Text(), 'Checksum of that file.'),
)


def upgrade() -> None:
    """Add the columns, empty: extractions of earlier releases have no cut-outs until they are done again."""
    for name, kind, comment in _COLUMNS:
        op.add_column('spectral_extraction', sa.Column(name, kind, autoincrement=False, nullable=True, comment=comment), schema='roman')


def downgrade() -> None:
    """Drop the columns; files stay where they are."""
    for name, _, _ in _COLUMNS:
        op.drop_column('spectral_extraction', name, schema='roman')

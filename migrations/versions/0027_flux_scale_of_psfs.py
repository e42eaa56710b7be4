"""The flux scale of a PSF: that of the catalog, or of its own light while the first images are made."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "psf_model",
        sa.Column(
            "flux_scale",
            sa.Text(),
            server_default=sa.text("'catalog'"),
            nullable=False,
            comment=(
                "catalog: a star of unit catalogued flux is its unit; own_light: its own light within the wings is "
                "that of the optics, as the fluxes of the first images are not calibrated yet."
            ),
        ),
        schema="roman",
    )


def downgrade() -> None:
    op.drop_column("psf_model", "flux_scale", schema="roman")

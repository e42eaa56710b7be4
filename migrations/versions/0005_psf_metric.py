"""Metrics of a PSF say which PSF was measured, and are stored once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


_TABLE_COMMENT = (
    "Measured quality of an exposure, a block, a PSF or a run, with the limits in force; a metric of one of the first "
    "three that is measured again replaces what was measured before."
)
_WHERE = "0-based in the pixels of the exposures: {} of the detector unless they are windows of it. [pixel]"
_PLACES = {
    "psf_model.x_node": "Columns of the nodes, " + _WHERE.format("those"),
    "psf_model.y_node": "Rows of the nodes, " + _WHERE.format("those"),
    "psf_moment.x": "Column, " + _WHERE.format("that"),
    "psf_moment.y": "Row, " + _WHERE.format("that"),
}


def upgrade() -> None:
    """Add the column; metrics of PSFs from before stay with their run. Say what positions of PSFs count from."""
    comment = "PSF of the library that was measured."
    column = sa.Column("psf_model_id", sa.BigInteger(), nullable=True, comment=comment)
    op.add_column("quality_metric", column, schema="ops")
    key = ["psf_model_id"]
    op.create_foreign_key(
        "quality_metric_psf_model_id_fkey",
        *("quality_metric", "psf_model", key, key),
        source_schema="ops",
        referent_schema="roman",
    )
    op.create_unique_constraint(
        "quality_metric_psf_model_id_metric_key", "quality_metric", [*key, "metric"], schema="ops"
    )
    op.create_table_comment("quality_metric", _TABLE_COMMENT, schema="ops")
    for place, text in _PLACES.items():
        op.execute(f"COMMENT ON COLUMN roman.{place} IS '{text}'")

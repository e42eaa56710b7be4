"""One row for each metric of an exposure or a block: the last measurement stays, older ones go."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


_COMMENT = (
    "Measured quality of an exposure, a block or a run, with the limits in force; a metric of an exposure or a block "
    "that is measured again replaces what was measured before."
)


def upgrade() -> None:
    """Remove what a later measurement has replaced, and keep it from coming back."""
    for measured in ("exposure_id", "block_id"):
        op.execute(
            f"DELETE FROM ops.quality_metric AS older USING ("
            f"SELECT metric, {measured}, max(quality_metric_id) AS latest FROM ops.quality_metric "
            f"WHERE {measured} IS NOT NULL GROUP BY metric, {measured} HAVING count(*) > 1) AS repeated "
            f"WHERE older.metric = repeated.metric AND older.{measured} = repeated.{measured} "
            f"AND older.quality_metric_id < repeated.latest"
        )
        op.create_unique_constraint(
            f"quality_metric_{measured}_metric_key", "quality_metric", [measured, "metric"], schema="ops"
        )
        op.drop_index(f"quality_metric_{measured}_idx", "quality_metric", schema="ops")
    op.create_table_comment("quality_metric", _COMMENT, schema="ops")

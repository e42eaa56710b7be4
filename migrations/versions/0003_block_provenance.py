"""A block records the file and the PSF of each of its exposures, and how many points were measured.

The file of an exposure that was loaded by a later run than that of its block is not known to have been measured:
such elements stay empty, and the next daily run measures them. Which PSF served was not recorded: 0 says so.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_COMMENTS = {
    "file_id": (
        "File that was measured of each exposure, as in ops.input_file; an element is empty where that is not known. "
        "Where it is not the file that the exposure has now, the exposure is to be measured again."
    ),
    "psf_model_id": (
        "PSF that each exposure was measured with, as in roman.psf_model; an element is empty where the PSF of the "
        "optics served because the library had none, and 0 where a release before 0003 of the schema did not record it."
    ),
    "n_point": "Measured points, those whose flux is not NaN, when it was written.",
}

_FILL = """
UPDATE roman.light_curve_block AS b
SET file_id = ARRAY(
        SELECT CASE WHEN f.load_run_id <= b.load_run_id THEN f.file_id END
        FROM unnest(b.exposure_id) WITH ORDINALITY AS e (exposure_id, position)
        LEFT JOIN roman.exposure AS x ON x.exposure_id = e.exposure_id
        LEFT JOIN ops.input_file AS f ON f.file_id = x.file_id
        ORDER BY e.position
    ),
    psf_model_id = array_fill(CAST(0 AS bigint), ARRAY[b.n_epoch]),
    n_point = 0
"""

_COUNT = """
UPDATE roman.light_curve_block AS b SET n_point = counted.n
FROM (
    SELECT s.block_id, count(*) AS n FROM roman.light_curve_segment AS s CROSS JOIN LATERAL unnest(s.flux) AS f
    WHERE f <> 'NaN' GROUP BY s.block_id
) AS counted
WHERE counted.block_id = b.block_id
"""

_EPOCHS = " AND ".join(
    f"cardinality({name}) = n_epoch"
    for name in ("exposure_id", "file_id", "psf_model_id", "midpoint_mjd_tdb", "midpoint_bjd_tdb")
)


def upgrade() -> None:
    """Add the columns and fill them from what is known of the blocks that are there."""
    op.execute(
        "ALTER TABLE roman.light_curve_block ADD COLUMN file_id bigint[], ADD COLUMN psf_model_id bigint[], "
        "ADD COLUMN n_point bigint, DROP CONSTRAINT light_curve_block_epochs_check"
    )
    op.execute(_FILL)
    op.execute(_COUNT)
    for name, comment in _COMMENTS.items():
        op.alter_column("light_curve_block", name, nullable=False, schema="roman")
        op.execute(f"COMMENT ON COLUMN roman.light_curve_block.{name} IS '{comment}'")
    op.create_check_constraint(
        op.f("light_curve_block_epochs_check"),
        "light_curve_block",
        f"{_EPOCHS} AND end_mjd > start_mjd",
        schema="roman",
    )

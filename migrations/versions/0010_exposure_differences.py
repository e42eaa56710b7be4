"""Differences of exposures: of what file, against what template, with what PSF, and their catalogs."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("file_id", sa.BigInteger(), "File of the exposure; empty where the minuend is a reference image."),
    (
        "n_template",
        sa.Integer(),
        "Exposures in what was subtracted from an exposure; empty where the minuend is a reference image.",
    ),
    (
        "psf_model_id",
        sa.BigInteger(),
        "PSF of the library that the sources of an exposure were fitted with; empty where that of the optics "
        "served, and where the minuend is a reference image.",
    ),
    (
        "catalog_path",
        sa.Text(),
        "Product: the sources of an exposure as RAD has them (Parquet); empty where the minuend is a reference "
        "image.",
    ),
    ("catalog_sha256", sa.Text(), "SHA-256 of that file."),
)
_OF_EXPOSURE = (
    "CASE WHEN exposure_id IS NULL THEN num_nonnulls(file_id, n_template, catalog_path, catalog_sha256) = 0 "
    "ELSE num_nulls(file_id, n_template, catalog_path, catalog_sha256) = 0 END"
)


def upgrade() -> None:
    """Add the columns; until now only reference images were compared, so that there is nothing to fill in."""
    for name, kind, comment in _COLUMNS:
        column = sa.Column(name, kind, autoincrement=False, nullable=True, comment=comment)
        op.add_column("difference_image", column, schema="roman")
    left_out = sa.Column(
        "is_left_out",
        sa.Boolean(),
        server_default=sa.text("false"),
        autoincrement=False,
        nullable=False,
        comment="Whether the exposure is one of those of the reference image, which was made without it for this.",
    )
    op.add_column("difference_image", left_out, schema="roman")
    for column, schema, other in (("file_id", "ops", "input_file"), ("psf_model_id", "roman", "psf_model")):
        op.create_foreign_key(
            op.f(f"difference_image_{column}_fkey"),
            *("difference_image", other, [column], [column]),
            source_schema="roman",
            referent_schema=schema,
        )
    op.create_check_constraint(
        op.f("difference_image_of_exposure_check"), "difference_image", _OF_EXPOSURE, schema="roman"
    )

"""Rows of the object catalog are not checked one by one against their run and version; another kind of photometry."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


_NOT_CHECKED = {
    "object": ("first_catalog_version_id", "catalog_version_id", "load_run_id"),
    "object_alias": ("catalog_version_id", "load_run_id"),
    "object_flux": ("catalog_version_id", "load_run_id"),
    "object_flux_history": ("replaced_by", "catalog_version_id", "load_run_id"),
    "object_history": ("replaced_by", "catalog_version_id", "load_run_id"),
}
_KIND = (
    "psf for PSF photometry of the exposure at the catalogued positions, psf_free where the positions of bright "
    "stars were fitted with the fluxes, dia for photometry of its difference from a reference."
)


def upgrade() -> None:
    """Drop the constraints, which cost two fifths of a load; let blocks be of the new kind."""
    for table, columns in _NOT_CHECKED.items():
        for column in columns:
            op.drop_constraint(f"{table}_{column}_fkey", table, schema="roman", type_="foreignkey")
    name = op.f("light_curve_block_photometry_kind_check")
    op.drop_constraint(name, "light_curve_block", schema="roman", type_="check")
    kinds = "photometry_kind IN ('psf', 'psf_free', 'dia')"
    op.create_check_constraint(name, "light_curve_block", kinds, schema="roman")
    op.execute(f"COMMENT ON COLUMN roman.light_curve_block.photometry_kind IS '{_KIND}'")

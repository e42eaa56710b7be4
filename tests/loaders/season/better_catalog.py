"""A catalog that learns a better place of an object, as loading one does."""

import sqlalchemy as sa

from roman_db import session

_KNOWN = (
    "object_id, ra, dec, ra_err, dec_err, ref_epoch, pm_ra, pm_dec, pm_ra_err, pm_dec_err, parallax, "
    "parallax_err"
)


def learn(object_id, *, dec_mas=0.0, pm_ra=None):
    """Make a version of the catalog in which an object lies elsewhere; what was known becomes history."""
    with session.transaction(session.Role.OWNER) as connection:

        def execute(query, **values):
            return connection.execute(sa.text(query), values)

        newest, run = execute(
            "SELECT max(catalog_version_id), max(load_run_id) FROM roman.catalog_version"
        ).one()
        version = execute(
            "INSERT INTO roman.catalog_version (name, n_new, n_changed, n_unchanged, n_merged, load_run_id) "
            "VALUES (:name, 0, 1, 59, 0, :run) RETURNING catalog_version_id",
            name=f"better {newest}",
            run=run,
        ).scalar_one()
        one = {"version": version, "object_id": int(object_id)}
        execute(
            f"INSERT INTO roman.object_history ({_KNOWN}, replaced_by, catalog_version_id, load_run_id) "
            f"SELECT {_KNOWN}, :version, catalog_version_id, :run FROM roman.object "
            "WHERE object_id = :object_id",
            **one,
            run=run,
        )
        execute(
            "UPDATE roman.object SET dec = dec + CAST(:step AS float8) / 3.6e6, "
            "pm_ra = coalesce(CAST(:pm_ra AS float8), pm_ra), catalog_version_id = :version "
            "WHERE object_id = :object_id",
            **one,
            step=dec_mas,
            pm_ra=pm_ra,
        )

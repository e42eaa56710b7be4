"""Catalogs of single exposures into the database: detected in them, and forced on those of mosaics."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow.parquet as pq
import sqlalchemy as sa

from loaders.association.load import recognise
from loaders.injection.image import read_projection
from loaders.input_file import LoadedFile, file_checksum
from loaders.psf.load import ServingPsf, psf_for
from loaders.rejection import Rejected
from loaders.static_catalog.catalog import StaticCatalog, forced_elsewhere, image_catalog
from loaders.static_catalog.elsewhere import ForeignSources
from loaders.static_catalog.exposure import read_exposure
from loaders.static_catalog.image import SkyImage
from loaders.static_catalog.load import CatalogOf, forced_product, store_catalog
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.product import product_stem, read_product, write_catalog
from loaders.static_catalog.psf_matching import psf_fwhm
from loaders.static_catalog.rows import catalog_sources
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.rejected_inputs import RejectedInputs, rejected_inputs
from roman_db.schema.metadata import table
from roman_db.settings import settings

_CATALOG = """
SELECT c.catalog_path, c.catalog_sha256, c.segmentation_path, c.segmentation_sha256,
       c.superseded_at IS NOT NULL AS is_old,
       (SELECT min(f.path) FROM roman.source_catalog_mosaic m JOIN roman.mosaic USING (mosaic_id)
        JOIN ops.input_file f USING (file_id) WHERE m.source_catalog_id = c.source_catalog_id) AS mosaic_path
FROM roman.source_catalog c WHERE c.source_catalog_id = CAST(:source_catalog_id AS bigint)
"""

_SUMMARY = """
SELECT count(*) FILTER (WHERE x.forced_path IS NULL) AS n_catalog,
       coalesce(sum(x.n_source) FILTER (WHERE x.forced_path IS NULL), 0) AS n_source,
       coalesce(sum(c.n_matched) FILTER (WHERE x.forced_path IS NULL), 0) AS n_matched,
       count(x.forced_path) AS n_forced,
       coalesce(sum(x.n_source) FILTER (WHERE x.forced_path IS NOT NULL), 0) AS n_forced_source
FROM roman.source_catalog_exposure x JOIN roman.source_catalog c USING (source_catalog_id)
WHERE x.load_run_id = CAST(:run AS bigint)
"""


@dataclass(frozen=True)
class Summary:
    """What a run wrote: catalogs, their sources, those that are objects; forced catalogs, their sources."""

    n_catalog: int
    n_source: int
    n_matched: int
    n_forced: int
    n_forced_source: int
    rejected: RejectedInputs


def summary_of(load_run_id: int) -> Summary:
    """Read what a run wrote."""
    with session.reading() as connection:
        row = connection.execute(sa.text(_SUMMARY), {"run": load_run_id}).one()
    return Summary(**row._asdict(), rejected=rejected_inputs(load_run_id))


def default_folder() -> Path:
    """Folder of the products where none is named."""
    return settings().home / "products" / "image_catalog"


def pending_exposures(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the exposures whose file has no current catalog.

    Arguments: ``first_day, last_day`` (MJD), ``detector, optical_element`` (or None), ``redo``, ``products``.
    """
    return _pending(arguments, "image_catalog")


def pending_forced(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the exposures with each catalog of mosaics that they overlap and were not measured for.

    Arguments as of `pending_exposures`.
    """
    return _pending(arguments, "forced_image_catalog")


def _pending(arguments: Mapping[str, Any], job: str) -> list[Unit]:
    names = ("first_day", "last_day", "detector", "optical_element", "redo")
    with session.reading() as connection:
        values = {name: arguments[name] for name in names}
        rows = sqlfile.run(connection, sqlfile.find("jobs", job), values).all()
    folder = {"products": str(arguments["products"])}
    return [Unit(row.name, row._asdict() | folder) for row in rows]


def catalog_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Detect and measure the sources of an exposure, write its products, and store both; or reject it."""
    _store_or_reject(_detect, unit, run)
    progress(unit.name, 1, 1)


def forced_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Measure the sources of a catalog of mosaics in an exposure, and store the product; or reject it."""
    _store_or_reject(_force, unit, run)
    progress(unit.name, 1, 1)


_Store: TypeAlias = Callable[[sa.Connection], None]


def _store_or_reject(measure: Callable[[Unit, LoadRun], _Store], unit: Unit, run: LoadRun) -> None:
    """Measure, and do in a transaction what measuring leaves to be stored."""
    try:
        store = measure(unit, run)
        with session.transaction() as connection:
            _check_current(connection, unit)
            store(connection)
            run.count(connection, loaded=1)
    except Rejected as rejected:
        with session.transaction() as connection:
            path = str(unit.arguments["path"])
            run.reject(connection, Rejected(path, rejected.what, rejected.remedy, rejected.code))


def _detect(unit: Unit, run: LoadRun) -> _Store:
    """Detect and measure the sources of an exposure, and write the products."""
    image, serving = _read(unit)
    options = CatalogOptions()
    catalog = image_catalog(image, serving.psf, options)
    products = write_catalog(catalog, _folder(unit, image, serving))
    given = unit.arguments
    of = CatalogOf(
        product_stem(catalog), given["midpoint_mjd_tdb"], products, exposure_id=given["exposure_id"]
    )

    def store(connection: sa.Connection) -> None:
        """Find the objects of the sources, and store these."""
        found = recognise(connection, catalog_sources(catalog, of.epoch))
        key = store_catalog(connection, run, (catalog, of), found, options)
        _insert(connection, run, key, unit, _Measured(catalog, image, serving, None))

    return store


def _force(unit: Unit, run: LoadRun) -> _Store:
    """Measure the sources of a catalog of mosaics in an exposure, and write the product."""
    image, serving = _read(unit)
    key = int(unit.arguments["source_catalog_id"])
    catalog = forced_elsewhere(image, serving.psf, _foreign_sources(_catalog_row(key)))
    folder = _folder(unit, image, serving) / f"of_catalog_{key}"
    folder.mkdir(exist_ok=True)
    products = write_catalog(catalog, folder)

    def store(connection: sa.Connection) -> None:
        """Say where the product is, in place of an earlier one."""
        rows = table("roman.source_catalog_exposure")
        mine = [rows.c.source_catalog_id == key, rows.c.exposure_id == unit.arguments["exposure_id"]]
        connection.execute(rows.delete().where(*mine))
        _insert(connection, run, key, unit, _Measured(catalog, image, serving, products.catalog))

    return store


def _read(unit: Unit) -> tuple[SkyImage, ServingPsf]:
    """Read an exposure, and the PSF that serves it.

    Raises
    ------
    Rejected
        Codes of `LoadedFile.require_unchanged` and of `read_exposure`.
    """
    given = unit.arguments
    path = Path(given["path"])
    LoadedFile(path, given["sha256"], given["size_bytes"]).require_unchanged()
    image = read_exposure(path)
    with session.reading() as connection:
        return image, psf_for(
            connection, given["detector"], given["optical_element"], given["midpoint_mjd_tdb"]
        )


def _folder(unit: Unit, image: SkyImage, serving: ServingPsf) -> Path:
    """Folder of the products of an exposure: another one for another file or another PSF."""
    name = Path(image.name).name.removesuffix(".asdf").removesuffix("_cal")
    psf = "optics" if serving.psf_model_id is None else f"psf{serving.psf_model_id}"
    folder = Path(unit.arguments["products"]) / name / f"file{unit.arguments['file_id']}_{psf}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _catalog_row(source_catalog_id: int) -> sa.Row[Any]:
    with session.reading() as connection:
        return connection.execute(sa.text(_CATALOG), {"source_catalog_id": source_catalog_id}).one()


def _foreign_sources(catalog: sa.Row[Any]) -> ForeignSources:
    """Sources of a catalog of mosaics, from its products.

    Raises
    ------
    Rejected
        Codes ``missing_product``, ``changed_product``, and those of `read_projection`.
    """
    for path, checksum in (
        (catalog.catalog_path, catalog.catalog_sha256),
        (catalog.segmentation_path, catalog.segmentation_sha256),
    ):
        _check_product(Path(path), checksum)
    return _opened(Path(catalog.catalog_path), Path(catalog.segmentation_path), Path(catalog.mosaic_path))


def _check_product(path: Path, checksum: str) -> None:
    remedy = "Make the catalog again: roman-db run static-catalog --redo"
    if not path.is_file():
        raise Rejected(str(path), "the product of the catalog is gone", remedy, "missing_product")
    if file_checksum(path) != checksum:
        what = "is not the product that was written with the catalog"
        raise Rejected(str(path), what, remedy, "changed_product")


@functools.lru_cache(maxsize=1)
def _opened(catalog: Path, segmentation: Path, mosaic: Path) -> ForeignSources:
    """Read the products of a catalog; those of the last one are kept, which all its exposures share."""
    rows = pq.read_table(catalog)
    columns = {name: np.asarray(rows[name]) for name in rows.column_names}
    with read_product(segmentation) as model:
        labels = np.array(model.data, dtype=np.int64)
    return ForeignSources(columns, labels, read_projection(mosaic))


@dataclass(frozen=True)
class _Measured:
    """What was measured in an exposure, and with what."""

    catalog: StaticCatalog
    image: SkyImage
    serving: ServingPsf
    forced_path: Path | None


def _check_current(connection: sa.Connection, unit: Unit) -> None:
    """Take turns with who else stores a catalog of the exposure; refuse what was replaced meanwhile.

    Raises
    ------
    Rejected
        Code ``superseded_exposure``.
    """
    given = unit.arguments
    name = f"image catalog {given['exposure_id']}"
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))
    exposures = table("roman.exposure").c
    query = sa.select(exposures.file_id).where(exposures.exposure_id == given["exposure_id"])
    if connection.execute(query).scalar() != given["file_id"]:
        what = "was replaced while it was measured"
        raise Rejected(given["path"], what, "Give the same command again", "superseded_exposure")


def _insert(connection: sa.Connection, run: LoadRun, key: int, unit: Unit, made: _Measured) -> None:
    """Store that the sources of a catalog were measured in an exposure."""
    row = {
        "source_catalog_id": key,
        "exposure_id": unit.arguments["exposure_id"],
        "file_id": unit.arguments["file_id"],
        "psf_model_id": made.serving.psf_model_id,
        "psf_fwhm": psf_fwhm(made.image, made.serving.psf),
        "n_source": made.catalog.sources.count,
        "load_run_id": run.load_run_id,
    } | forced_product(made.forced_path)
    connection.execute(table("roman.source_catalog_exposure").insert(), row)

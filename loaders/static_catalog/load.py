"""Static catalogs into the database: what is still to do, and one set of mosaics in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.association.load import Association, associate
from loaders.input_file import LoadedFile, file_checksum
from loaders.mosaic_psf.load import MosaicImage, MosaicPsf, psf_for_mosaic
from loaders.rejection import Rejected
from loaders.static_catalog.catalog import StaticCatalog, image_catalog, multiband_catalog
from loaders.static_catalog.image import SkyImage
from loaders.static_catalog.mosaic import read_mosaic
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.per_band import write_products
from loaders.static_catalog.product import Products
from loaders.static_catalog.psf_matching import psf_fwhm
from loaders.static_catalog.rows import catalog_sources, may_be_objects, photometry_rows, source_rows
from loaders.wfi.wcs import projection_of_wcs
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.schema.metadata import table
from roman_db.settings import settings

_PENDING = """
WITH given AS (
    SELECT m.sky_cell_id, m.set_name, array_agg(m.mosaic_id ORDER BY m.optical_element) AS mosaic_id
    FROM roman.mosaic m WHERE m.superseded_at IS NULL GROUP BY m.sky_cell_id, m.set_name
), done AS (
    SELECT c.sky_cell_id, c.set_name, array_agg(m.mosaic_id ORDER BY m.optical_element) AS mosaic_id
    FROM roman.source_catalog c JOIN roman.source_catalog_mosaic m USING (source_catalog_id)
    WHERE c.superseded_at IS NULL GROUP BY c.source_catalog_id, c.sky_cell_id, c.set_name
)
SELECT s.name AS cell, g.* FROM given g JOIN roman.sky_cell s USING (sky_cell_id)
WHERE (CAST(:redo AS bool) OR NOT EXISTS (SELECT FROM done d WHERE d.sky_cell_id = g.sky_cell_id
                                          AND d.set_name = g.set_name AND d.mosaic_id = g.mosaic_id))
  AND s.name = coalesce(CAST(:cell AS text), s.name)
ORDER BY g.set_name, g.sky_cell_id
"""

_MOSAICS = """
SELECT m.mosaic_id, m.optical_element, m.time_mean_mjd_tdb, m.pixfrac, f.path, f.sha256, f.size_bytes,
       f.file_id, m.superseded_at IS NOT NULL AS is_old
FROM roman.mosaic m JOIN ops.input_file f USING (file_id)
WHERE m.mosaic_id = ANY(CAST(:mosaic_id AS bigint[])) ORDER BY m.optical_element
"""

_SUMMARY = """
SELECT count(*) AS n_catalog, coalesce(sum(n_source), 0) AS n_source,
       coalesce(sum(n_matched), 0) AS n_matched, coalesce(sum(n_new), 0) AS n_new,
       (SELECT count(*) FROM roman.source_catalog_mosaic WHERE load_run_id = CAST(:run AS bigint)) AS n_mosaic
FROM roman.source_catalog WHERE load_run_id = CAST(:run AS bigint)
"""


@dataclass(frozen=True)
class StoredMosaic:
    """A mosaic as the database has it."""

    mosaic_id: int
    optical_element: str
    time_mean_mjd_tdb: float
    pixfrac: float
    path: Path
    sha256: str
    size_bytes: int
    file_id: int
    is_old: bool


@dataclass(frozen=True)
class Band:
    """A mosaic that was read, and its PSF."""

    stored: StoredMosaic
    mosaic: SkyImage
    psf: MosaicPsf


def default_folder() -> Path:
    """Folder of the products where none is named."""
    return settings().home / "products" / "static_catalog"


def sky_cells() -> list[str]:
    """Names of the sky cells that have mosaics."""
    name = table("roman.sky_cell").c.name
    with session.reading() as connection:
        return list(connection.execute(sa.select(name).distinct().order_by(name)).scalars())


@dataclass(frozen=True)
class Summary:
    """What a run wrote: catalogs and their mosaics, sources, and of these known and new objects."""

    n_catalog: int
    n_source: int
    n_matched: int
    n_new: int
    n_mosaic: int


def summary_of(load_run_id: int) -> Summary:
    """Read what a run wrote."""
    with session.reading() as connection:
        return Summary(*connection.execute(sa.text(_SUMMARY), {"run": load_run_id}).one())


def pending_sets(arguments: Mapping[str, Any]) -> list[Unit]:
    """List sets of mosaics of one grid without a current catalog of just these mosaics.

    Arguments: ``cell`` (name of a sky cell, or None), ``redo`` (all sets), ``products`` (folder).
    """
    with session.reading() as connection:
        chosen = {name: arguments[name] for name in ("cell", "redo")}
        rows = connection.execute(sa.text(_PENDING), chosen).all()
    folder = {"products": str(arguments["products"])}
    return [Unit(f"{row.set_name} {row.cell}", row._asdict() | folder) for row in rows]


def read_set(connection: sa.Connection, unit: Unit) -> list[StoredMosaic]:
    """Mosaics of a unit, by optical element."""
    rows = connection.execute(sa.text(_MOSAICS), {"mosaic_id": unit.arguments["mosaic_id"]})
    return [StoredMosaic(**row._asdict() | {"path": Path(row.path)}) for row in rows]


def catalog_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Measure a set of mosaics together, write its products, and store it in place of an earlier catalog."""
    with session.reading() as connection:
        stored = read_set(connection, unit)
    bands = []
    for done, one in enumerate(stored, 1):
        bands.append(read_band(one))
        progress(f"read for {unit.name}", done, len(stored))
    options = CatalogOptions()
    catalog = measured(bands, options)
    folder = product_folder(unit, bands)
    products, forced = write_products(catalog, folder)
    with session.transaction() as connection:
        stored_as = _Stored(unit, bands, products, forced)
        _store(connection, run, catalog, stored_as, options)
        run.count(connection, loaded=len(bands))


def read_band(stored: StoredMosaic) -> Band:
    """Read a mosaic, and make its PSF from those of its exposures.

    Raises
    ------
    Rejected
        Codes of `LoadedFile.require_unchanged`, `read_mosaic` and `psf_for_mosaic`.
    """
    LoadedFile(stored.path, stored.sha256, stored.size_bytes, "mosaic").require_unchanged()
    mosaic = read_mosaic(stored.path)
    return Band(stored, mosaic, psf_for_image(mosaic))


def psf_for_image(mosaic: SkyImage) -> MosaicPsf:
    """PSF of a mosaic, made from those of its exposures.

    Raises
    ------
    Rejected
        Those of `psf_for_mosaic`.
    """
    path, (ny, nx) = Path(mosaic.name), mosaic.data.shape
    resample = mosaic.meta.resample
    image = MosaicImage(
        path,
        mosaic.optical_element,
        projection_of_wcs(lambda: mosaic.wcs, (ny, nx), path),
        float(resample.pixfrac),
        [str(name) for name in resample.members],
    )
    return psf_for_mosaic(image)


def measured(bands: Sequence[Band], options: CatalogOptions) -> StaticCatalog:
    """Catalog of one band, or of several together."""
    if len(bands) == 1:
        return image_catalog(bands[0].mosaic, bands[0].psf.psf, options)
    psfs = {band.stored.optical_element: band.psf.psf for band in bands}
    return multiband_catalog([band.mosaic for band in bands], psfs, options)


def product_folder(unit: Unit, bands: Sequence[Band]) -> Path:
    """Folder of the products of a set: another one wherever mosaics or PSFs are others."""
    given = [(band.stored.sha256, band.psf.psf_model_id) for band in bands]
    digest = hashlib.sha256(repr(given).encode()).hexdigest()[:12]
    return Path(str(unit.arguments["products"])) / str(unit.arguments["set_name"]) / digest


@dataclass(frozen=True)
class CatalogOf:
    """What a catalog is of, and its files.

    Parameters
    ----------
    set_name
        Set of mosaics, or name of an exposure.
    epoch
        Time of its positions, MJD TDB.
    products
        Its files.
    sky_cell_id, exposure_id
        Grid of the mosaics, or the exposure; the other one is None.
    """

    set_name: str
    epoch: float
    products: Products
    sky_cell_id: int | None = None
    exposure_id: int | None = None


@dataclass(frozen=True)
class _Stored:
    """What goes into the database with a catalog of mosaics."""

    unit: Unit
    bands: Sequence[Band]
    products: Products
    forced: Mapping[str, Path]

    @property
    def of(self) -> CatalogOf:
        """What the catalog is of; its epoch is the mean time of the mosaics."""
        epoch = float(np.mean([band.stored.time_mean_mjd_tdb for band in self.bands]))
        given = self.unit.arguments
        return CatalogOf(str(given["set_name"]), epoch, self.products, sky_cell_id=given["sky_cell_id"])


def _store(
    connection: sa.Connection,
    run: LoadRun,
    catalog: StaticCatalog,
    given: _Stored,
    options: CatalogOptions,
) -> None:
    """Store a catalog in place of an earlier one of its set."""
    _check_current(connection, given)
    sources = catalog_sources(catalog, given.of.epoch)
    found = associate(connection, run, given.of.set_name, sources, may_be_objects(catalog))
    key = store_catalog(connection, run, (catalog, given.of), found, options)
    _insert_bands(connection, run, key, given)


def store_catalog(
    connection: sa.Connection,
    run: LoadRun,
    made: tuple[StaticCatalog, CatalogOf],
    found: Association,
    options: CatalogOptions,
) -> int:
    """Store a catalog with its sources and their photometry, in place of an earlier one of the same images.

    Parameters
    ----------
    connection, run
        Transaction and run.
    made
        The catalog, and what it is of.
    found
        Objects of its sources.
    options
        Options that it was made with.

    Returns
    -------
    int
        Its identifier.
    """
    catalog, of = made
    key = _insert_catalog(connection, run, of, found, catalog, options)
    constant = {"source_catalog_id": key, "load_run_id": run.load_run_id}
    keys = {name: np.full(catalog.sources.count, value) for name, value in constant.items()}
    objects = {
        "object_id": np.ma.masked_less(found.object_id, 0),
        "object_distance": found.distance,
    }
    copy_rows(connection, "roman.source", source_rows(catalog, options) | objects | keys)
    for image in catalog.images:
        rows = photometry_rows(catalog, image.optical_element, options)
        copy_rows(connection, "roman.source_photometry", rows | keys)
    return key


def _check_current(connection: sa.Connection, given: _Stored) -> None:
    """Take turns with who else stores a catalog of the set; refuse one of mosaics that were replaced.

    Raises
    ------
    Rejected
        Code ``superseded_mosaic``.
    """
    name = f"static catalog {given.unit.arguments['set_name']} {given.unit.arguments['sky_cell_id']}"
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))
    for one in read_set(connection, given.unit):
        if one.is_old:
            what = "was replaced while it was measured"
            raise Rejected(str(one.path), what, "Give the same command again", "superseded_mosaic")


def _insert_catalog(
    connection: sa.Connection,
    run: LoadRun,
    of: CatalogOf,
    found: Association,
    catalog: StaticCatalog,
    options: CatalogOptions,
) -> int:
    """Store the row of a catalog, marking an earlier one as superseded; its identifier."""
    catalogs, products = table("roman.source_catalog"), of.products
    image = {"sky_cell_id": of.sky_cell_id, "exposure_id": of.exposure_id, "set_name": of.set_name}
    same = [catalogs.c[name] == value for name, value in image.items() if value is not None]
    current = sa.and_(*same, catalogs.c.superseded_at.is_(None))
    connection.execute(catalogs.update().where(current).values(superseded_at=sa.func.now()))
    assert products.segmentation is not None
    row = image | {
        "epoch_mjd_tdb": of.epoch,
        "threshold": options.threshold,
        "aper_radius": list(options.aperture_radii),
        "reference_element": catalog.reference,
        "n_source": catalog.sources.count,
        "n_matched": found.n_matched,
        "n_new": found.n_new,
        "catalog_version_id": found.catalog_version_id,
        "catalog_path": str(products.catalog),
        "catalog_sha256": file_checksum(products.catalog),
        "segmentation_path": str(products.segmentation),
        "segmentation_sha256": file_checksum(products.segmentation),
        "photoz_path": None if products.redshifts is None else str(products.redshifts),
        "load_run_id": run.load_run_id,
    }
    statement = catalogs.insert().returning(catalogs.c.source_catalog_id)
    return int(connection.execute(statement, row).scalar_one())


def forced_product(path: Path | None) -> dict[str, str | None]:
    """Columns of a catalog that was forced on an image; empty without one."""
    if path is None:
        return {"forced_path": None, "forced_sha256": None}
    return {"forced_path": str(path), "forced_sha256": file_checksum(path)}


def _insert_bands(connection: sa.Connection, run: LoadRun, key: int, given: _Stored) -> None:
    """Store which mosaics a catalog was measured on."""
    rows = [
        {
            "source_catalog_id": key,
            "optical_element": band.stored.optical_element,
            "mosaic_id": band.stored.mosaic_id,
            "psf_model_id": list(band.psf.psf_model_id),
            "psf_fwhm": psf_fwhm(band.mosaic, band.psf.psf),
            **forced_product(given.forced.get(band.stored.optical_element)),
            "load_run_id": run.load_run_id,
        }
        for band in given.bands
    ]
    connection.execute(table("roman.source_catalog_mosaic").insert(), rows)
